//! Opening a new epoch: what is not proven is written again into a new file, and only then the file's
//! first frame, which makes it count and cuts what came before. Until that frame is durable a start
//! has changed nothing but its own new file (storage.md, Start).

use std::sync::Arc;

use crate::disk::Disk;
use crate::file_header::FileHeader;
use crate::file_id::FileId;
use crate::footer::{BLOCK_BYTES, FooterBuilder, FrameSpan};
use crate::frame::{self, FRAME_HEADER_BYTES, FrameHeader, flag};
use crate::frame_buffer::FrameBuffer;
use crate::options::{JournalOptions, LogId};
use crate::recover::OpenError;
use crate::scan::{FoundFrame, ScannedFile};
use crate::set_aside;
use crate::store::OpenFile;
use crate::write_ahead::WriteAhead;
use crate::writer::{self, Epoch, RESERVE_NAME, ReadyFile, SPARE_NAME, WriteError, Writer};
use crate::{MANIFEST_LOG, METADATA_LOG};

const BLOCK: u64 = BLOCK_BYTES as u64;
/// What the smallest file takes beside the frames that are written again.
const SMALL_BYTES: u64 = 32 * BLOCK;

/// What the new epoch begins with.
#[derive(Debug)]
pub(crate) struct Opening<'a> {
    pub(crate) epoch: u32,
    pub(crate) number: u64,
    pub(crate) leader_epoch: i32,
    /// Frames up to here stay where they are; those above are written again.
    pub(crate) cut_sequence: u64,
    pub(crate) files: &'a [ScannedFile],
    pub(crate) append_time_ms: i64,
    pub(crate) running_ms: u64,
    pub(crate) manifest_end: i64,
    pub(crate) metadata_end: i64,
}

fn failed(doing: &'static str, error: WriteError) -> OpenError {
    let (doing, source) = match error {
        WriteError::NoSpace => (doing, std::io::ErrorKind::StorageFull.into()),
        WriteError::Failed { doing, error } => (doing, error),
    };
    OpenError::Io {
        doing: doing.to_owned(),
        source,
    }
}

fn io(doing: &'static str) -> impl Fn(std::io::Error) -> OpenError {
    move |source| OpenError::Io {
        doing: doing.to_owned(),
        source,
    }
}

impl Opening<'_> {
    pub(crate) fn write(
        &self,
        disk: &dyn Disk,
        options: &JournalOptions,
    ) -> Result<Writer, OpenError> {
        let again = self.again();
        let bytes: u64 = again.iter().map(|(_, found, _)| found.bytes).sum();
        let tables: usize = again
            .iter()
            .map(|(_, found, _)| found.frame.runs.len())
            .sum();
        let footer = crate::footer::entry_bytes(tables, tables) as u64;
        // A small file configured since must still take all that is not proven.
        let needed = (SMALL_BYTES + bytes + footer).next_multiple_of(BLOCK);
        let ready = self
            .file(disk, options, needed)
            .map_err(|error| failed("preparing a journal file", error))?;
        let name = FileId::journal(self.number).name();
        disk.rename(ready.name, &name)
            .map_err(io("naming a new journal file"))?;
        let opening_end = again
            .last()
            .map_or(self.cut_sequence + 1, |(_, _, sequence)| *sequence);
        let epoch = Epoch {
            number: self.epoch,
            cut_sequence: self.cut_sequence,
            opening_end,
        };
        let mut index = FooterBuilder::default();
        let mut position = 2 * BLOCK;
        for (file, found, sequence) in &again {
            let time = found.frame.header.append_time_ms;
            writer::index_frame(&mut index, &found.frame.runs, position, time);
            position += self.write_again(&ready, epoch, file, found, *sequence, position)?;
        }
        ready
            .file
            .sync_data()
            .map_err(io("syncing a new journal file"))?;
        disk.sync_folder().map_err(io("syncing the data folder"))?;
        self.write_first(&ready, epoch)?;
        Ok(Writer {
            active: Arc::new(OpenFile::new(ready.header, ready.file, index)),
            position,
            ahead: WriteAhead::new(0),
            span: FrameSpan {
                first_sequence: self.cut_sequence + 1,
                last_sequence: opening_end,
                first_append_ms: self.append_time_ms,
                last_append_ms: self.append_time_ms,
            },
            last_sequence: opening_end,
            epoch,
            previous: Vec::new(),
            manifest_end: self.manifest_end,
            metadata_end: self.metadata_end,
            claimed: self.cut_sequence,
            unsynced: Vec::new(),
            frame_bytes: 0,
            bytes_written: 0,
        })
    }

    /// The frames to write again, with their new sequence numbers. Those behind a hole keep their
    /// distance, so that the next start finds the same hole.
    fn again(&self) -> Vec<(&ScannedFile, &FoundFrame, u64)> {
        let mut again = Vec::new();
        let mut next = self.cut_sequence + 2;
        let mut last = self.cut_sequence;
        for file in self.files {
            for found in &file.frames {
                let sequence = found.sequence();
                if sequence <= self.cut_sequence {
                    continue;
                }
                let lost = sequence - last - 1;
                // What an epoch's own first frame took of the numbers is no hole.
                let was_opening = lost == 1 && last == found.frame.header.cut_sequence;
                next += if was_opening { 0 } else { lost };
                last = sequence;
                if !found.frame.runs.is_empty() {
                    again.push((file, found, next));
                    next += 1;
                }
            }
        }
        again
    }

    /// The spare that the last run left, with a new header; if there is none, one made now, at worst
    /// from the room that was set aside.
    fn file(
        &self,
        disk: &dyn Disk,
        options: &JournalOptions,
        needed: u64,
    ) -> Result<ReadyFile, WriteError> {
        let header = FileHeader {
            merged: false,
            epoch: self.epoch,
            number: self.number,
            salt: options.salt(),
            size: options.file_bytes.max(needed),
            created_ms: self.append_time_ms,
        };
        if let Ok(file) = disk.open(SPARE_NAME)
            && file.size().is_ok_and(|bytes| bytes == header.size)
            && file.link_count().is_ok_and(|links| links == 1)
        {
            return writer::ready(disk, SPARE_NAME, header, file);
        }
        match writer::make_ready(disk, SPARE_NAME, header) {
            Err(WriteError::NoSpace) => {}
            made => return made,
        }
        // The reserve is there for this: its room is what the new file takes.
        let freed = writer::remove_if_there(disk, RESERVE_NAME);
        freed.map_err(WriteError::of_write("removing the reserve file"))?;
        let synced = disk.sync_folder();
        synced.map_err(WriteError::of_sync("syncing the data folder"))?;
        match writer::make_ready(disk, SPARE_NAME, header) {
            Err(WriteError::NoSpace) => {}
            made => return made,
        }
        // A small one lets the broker start, serve reads and delete.
        let header = FileHeader {
            size: needed,
            ..header
        };
        match writer::make_ready(disk, SPARE_NAME, header) {
            Err(WriteError::NoSpace) => {}
            made => return made,
        }
        // No running broker has touched this.
        set_aside::take(disk, needed).map_err(WriteError::of_write("taking room set aside"))?;
        writer::make_ready(disk, SPARE_NAME, header)
    }

    fn write_again(
        &self,
        ready: &ReadyFile,
        epoch: Epoch,
        source: &ScannedFile,
        found: &FoundFrame,
        sequence: u64,
        position: u64,
    ) -> Result<u64, OpenError> {
        let frame = &found.frame;
        let body: u64 = frame.runs.iter().map(|run| u64::from(run.bytes)).sum();
        let mut buffer = FrameBuffer::with_capacity(0);
        buffer.resize(FRAME_HEADER_BYTES + body as usize);
        let read = source.file.read_exact_at(&mut buffer, found.position);
        read.map_err(io("reading a frame to write it again"))?;
        if !frame.body_is_whole(&buffer) {
            // Its pages have gone since they were looked at: it must not become a good frame.
            return Err(OpenError::Damaged {
                file: source.id().name(),
                what: format!(
                    "frame {} reads otherwise than a moment ago",
                    found.sequence()
                ),
            });
        }
        let header = FrameHeader {
            flags: flag::AGAIN,
            epoch: epoch.number,
            leader_epoch: self.leader_epoch,
            sequence,
            // What is written again counts as proven only once a later frame says so.
            durable_sequence: epoch.cut_sequence,
            cut_sequence: epoch.cut_sequence,
            opening_end: epoch.opening_end,
            ..frame.header
        };
        let place = ready.header.place();
        let block = position / BLOCK;
        frame::finish(
            &mut buffer,
            &header,
            &frame.runs,
            &frame.previous,
            &place,
            block,
        );
        let written = ready.file.write_blocks_at(&buffer, position);
        written.map_err(io("writing a frame again"))?;
        Ok(buffer.len() as u64)
    }

    fn write_first(&self, ready: &ReadyFile, epoch: Epoch) -> Result<(), OpenError> {
        let header = FrameHeader {
            flags: flag::EPOCH,
            epoch: epoch.number,
            leader_epoch: self.leader_epoch,
            sequence: epoch.cut_sequence + 1,
            durable_sequence: epoch.cut_sequence,
            cut_sequence: epoch.cut_sequence,
            opening_end: epoch.opening_end,
            append_time_ms: self.append_time_ms,
            running_ms: self.running_ms,
            manifest_end: self.end_at_cut(MANIFEST_LOG, self.manifest_end),
            metadata_end: self.end_at_cut(METADATA_LOG, self.metadata_end),
        };
        let mut first = FrameBuffer::with_capacity(0);
        first.resize(FRAME_HEADER_BYTES);
        frame::finish(&mut first, &header, &[], &[], &ready.header.place(), 1);
        let written = ready.file.write_blocks_at(&first, BLOCK);
        written.map_err(io("opening a new epoch"))?;
        ready.file.sync_data().map_err(io("syncing a new epoch"))
    }

    /// Where a log ended at the cut: what is written again comes behind the first frame.
    fn end_at_cut(&self, log: LogId, end: i64) -> i64 {
        let frames = self.files.iter().flat_map(|file| &file.frames);
        let mut again = frames.filter(|found| found.sequence() > self.cut_sequence);
        let run = again.find_map(|found| found.frame.runs.iter().find(|run| run.log_id == log));
        run.map_or(end, |run| run.base_offset)
    }
}
