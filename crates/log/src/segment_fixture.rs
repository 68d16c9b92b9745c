//! Sealed files for tests: journal files with real frames on a simulated disk, known to a manifest and
//! readable. Tests of reading and of merging build on it.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::RwLock;
use protocol::Chunk;
use protocol::batch::{Batches, set_base_offset};
use protocol::batch_builder::{BatchBuilder, BatchOptions, NewRecord};

use crate::disk::sim::SimDisk;
use crate::disk::{Disk, DiskFile};
use crate::file_header::FileHeader;
use crate::file_id::FileId;
use crate::footer::{BLOCK_BYTES, Footer, FooterBuilder, FrameSpan, Previous, RunEntry};
use crate::frame::{self, FRAME_HEADER_BYTES, FrameHeader, Run};
use crate::frame_buffer::FrameBuffer;
use crate::manifest::{FileSize, Manifest};
use crate::segment::{Read, ReadError, ReadRequest, SealedLog, SegmentLimits, Segments};

pub(crate) const LIMITS: SegmentLimits = SegmentLimits {
    files_max: 8,
    footer_bytes_max: 1 << 20,
    waypoints_max: 1000,
};

/// One run of a frame: log, records (a batch each), max timestamp, bytes of each value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewRun {
    pub(crate) log_id: u64,
    pub(crate) batches: i64,
    pub(crate) timestamp: i64,
    pub(crate) value_bytes: usize,
}

pub(crate) fn run(log_id: u64, batches: i64) -> NewRun {
    NewRun {
        log_id,
        batches,
        timestamp: 0,
        value_bytes: 50,
    }
}

#[derive(Debug)]
pub(crate) struct Fixture {
    pub(crate) disk: SimDisk,
    pub(crate) manifest: Arc<RwLock<Manifest>>,
    pub(crate) segments: Segments,
    pub(crate) newest: BTreeMap<u64, FileId>,
    pub(crate) starts: BTreeMap<u64, i64>,
    pub(crate) ends: BTreeMap<u64, i64>,
    files: u64,
    sequence: u64,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        Self::with_limits(LIMITS)
    }

    pub(crate) fn with_limits(limits: SegmentLimits) -> Self {
        let disk = SimDisk::new(1);
        let manifest = Arc::new(RwLock::new(Manifest::default()));
        Self {
            segments: Segments::new(Arc::new(disk.clone()), Arc::clone(&manifest), limits),
            disk,
            manifest,
            newest: BTreeMap::new(),
            starts: BTreeMap::new(),
            ends: BTreeMap::new(),
            files: 0,
            sequence: 0,
        }
    }

    /// Writes a journal file with these frames and seals it.
    pub(crate) fn journal(&mut self, frames: &[&[NewRun]]) -> FileId {
        self.files += 1;
        let header = FileHeader {
            merged: false,
            epoch: 1,
            number: self.files,
            salt: [self.files as u8; 16],
            size: 0,
            created_ms: 0,
        };
        let id = FileId::journal(self.files);
        let file = self.disk.create(&id.name()).unwrap();
        file.write_all_at(&header.encode(), 0).unwrap();
        let mut position = BLOCK_BYTES as u64;
        let mut builder = FooterBuilder::default();
        for runs in frames {
            position += self.frame(&*file, &header, position, runs, &mut builder);
        }
        let newest = self.newest.clone();
        let logs: Vec<u64> = builder.log_ids().collect();
        let previous = |log_id| {
            newest
                .get(&log_id)
                .map_or(Previous::None, |id| Previous::File(*id))
        };
        let start = |log_id| Some(*self.starts.get(&log_id).unwrap_or(&0));
        let footer = builder.finish(FrameSpan::default(), previous, start);
        let live_bytes = footer.live_bytes(start);
        let bytes = footer.encode(&header.place(), position);
        file.write_all_at(&bytes, position).unwrap();
        let bytes = position + bytes.len() as u64;
        self.manifest
            .write()
            .seal(self.files, FileSize { bytes, live_bytes })
            .unwrap();
        self.newest
            .extend(logs.into_iter().map(|log_id| (log_id, id)));
        id
    }

    fn frame(
        &mut self,
        file: &dyn DiskFile,
        header: &FileHeader,
        position: u64,
        runs: &[NewRun],
        builder: &mut FooterBuilder,
    ) -> u64 {
        self.sequence += 1;
        let mut buffer = FrameBuffer::with_capacity(0);
        buffer.resize(FRAME_HEADER_BYTES);
        let mut table = Vec::new();
        for new in runs {
            let end = self.ends.entry(new.log_id).or_default();
            let at = buffer.len();
            let mut checksum = 0;
            for offset in *end..*end + new.batches {
                let batch = batch(offset, new.timestamp, new.value_bytes);
                checksum = frame::run_checksum(checksum, &batch);
                buffer.extend_from_slice(&batch);
            }
            let run = Run {
                log_id: new.log_id,
                base_offset: *end,
                offset_count: new.batches as u32,
                bytes: (buffer.len() - at) as u32,
                max_timestamp: new.timestamp,
                checksum,
                batch_count: new.batches as u32,
                flags: 0,
            };
            *end += new.batches;
            builder.add(
                new.log_id,
                RunEntry {
                    base_offset: run.base_offset,
                    position: position + at as u64,
                    bytes: run.bytes,
                    offset_count: run.offset_count,
                    max_timestamp: run.max_timestamp,
                    checksum,
                    append_time_s: 0,
                },
            );
            table.push(run);
        }
        let frame_header = FrameHeader {
            sequence: self.sequence,
            ..FrameHeader::default()
        };
        let block = position / BLOCK_BYTES as u64;
        frame::finish(
            &mut buffer,
            &frame_header,
            &table,
            &[],
            &header.place(),
            block,
        );
        file.write_all_at(&buffer, position).unwrap();
        buffer.len() as u64
    }

    pub(crate) fn log(&self, log_id: u64) -> SealedLog {
        SealedLog {
            log_id,
            newest: self.newest[&log_id],
        }
    }

    pub(crate) fn footer(&self, file: FileId) -> Footer {
        self.segments.index(file).unwrap().footer().clone()
    }

    pub(crate) fn read(&self, log_id: u64, offset: i64) -> Result<Option<Read>, ReadError> {
        let request = ReadRequest {
            offset,
            offset_max: i64::MAX,
            bytes_max: 1 << 20,
            at_least_one: true,
            ranges: false,
        };
        self.segments.read(self.log(log_id), &request)
    }

    /// All offsets of a log from `offset` on, checked to be what was written.
    pub(crate) fn offsets(&self, log_id: u64, mut offset: i64) -> Vec<i64> {
        let mut offsets = Vec::new();
        while let Some(read) = self.read(log_id, offset).unwrap() {
            assert!(read.next_offset > offset, "a read goes on");
            offsets.extend(batch_offsets(&read));
            offset = read.next_offset;
        }
        offsets
    }

    /// Reads from nothing but the disk from now on.
    pub(crate) fn reopen(&mut self) {
        let disk = Arc::new(self.disk.clone());
        self.segments = Segments::new(disk, Arc::clone(&self.manifest), LIMITS);
    }
}

/// A batch of one record.
pub(crate) fn batch(offset: i64, timestamp: i64, value_bytes: usize) -> Vec<u8> {
    let value = vec![offset as u8; value_bytes];
    let mut builder = BatchBuilder::new(BatchOptions::default());
    let record = NewRecord {
        timestamp,
        key: None,
        value: Some(&value),
        headers: &[],
    };
    builder.append(&record).unwrap();
    let mut batch = builder.build().unwrap();
    set_base_offset(&mut batch, offset);
    batch
}

pub(crate) fn batch_offsets(read: &Read) -> Vec<i64> {
    let batches = read.chunks.iter().flat_map(|chunk| match chunk {
        Chunk::Bytes(bytes) => Batches::new(bytes),
        Chunk::File(range) => panic!("nobody asked for {range:?}"),
    });
    let headers = batches.map(|batch| {
        let batch = batch.unwrap();
        batch.check_crc().unwrap();
        *batch.header()
    });
    headers.map(|header| header.base_offset).collect()
}
