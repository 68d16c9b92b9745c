//! What is written, and where: the files that have no footer yet with their index in memory, the
//! sealed ones behind [`Segments`], and the tail cache; reading by log and offset. Filled by the commit
//! step, moved on by the maintenance step as files are sealed.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::{Mutex, RwLock};
use protocol::Chunk;
use protocol::batch::{Batch, Batches};

use crate::disk::DiskFile;
use crate::file_header::FileHeader;
use crate::file_id::FileId;
use crate::footer::{FooterBuilder, FrameSpan, RunEntry, run_at_offset, run_at_timestamp};
use crate::frame;
use crate::frame_buffer::FrameBuffer;
use crate::log::Log;
use crate::options::{LogId, ReadError};
use crate::roll::VirtualSegment;
use crate::segment::{self, ReadRequest, SealedLog, Segments};
use crate::tail_cache::TailCache;

/// A journal file without a footer: the active one, or one that is full and waits to be sealed.
#[derive(Debug)]
pub(crate) struct OpenFile {
    pub(crate) header: FileHeader,
    pub(crate) file: Arc<dyn DiskFile>,
    pub(crate) index: RwLock<FooterBuilder>,
    /// The frames in it and where the last one ends, once it is full.
    pub(crate) full: Mutex<Option<(FrameSpan, u64)>>,
}

#[derive(Debug)]
pub(crate) struct Store {
    /// Oldest first; the last one is active.
    open: RwLock<Vec<Arc<OpenFile>>>,
    pub(crate) segments: Segments,
    cache: Mutex<TailCache>,
}

/// Where a stretch of a log lies in an open file.
struct Found {
    file: Arc<OpenFile>,
    runs: Vec<RunEntry>,
}

/// Runs looked at in one go.
const RUNS_MAX: usize = 256;

impl OpenFile {
    pub(crate) fn new(header: FileHeader, file: Arc<dyn DiskFile>, index: FooterBuilder) -> Self {
        Self {
            header,
            file,
            index: RwLock::new(index),
            full: Mutex::new(None),
        }
    }

    fn id(&self) -> FileId {
        FileId::journal(self.header.number)
    }
}

impl Store {
    pub(crate) fn new(active: Arc<OpenFile>, segments: Segments, cache_bytes: usize) -> Self {
        Self {
            open: RwLock::new(vec![active]),
            segments,
            cache: Mutex::new(TailCache::new(cache_bytes)),
        }
    }

    pub(crate) fn cache(&self, file: u64, position: u64, frame: Bytes) {
        self.cache.lock().insert(file, position, frame);
    }

    /// Memory for coming frames, which the cache has let go if there is any.
    pub(crate) fn take_buffer(&self, frame_bytes: usize) -> FrameBuffer {
        self.cache.lock().take_buffer(frame_bytes)
    }

    pub(crate) fn tail_cache_bytes(&self) -> u64 {
        self.cache.lock().bytes() as u64
    }

    /// The next file takes the frames from now on.
    pub(crate) fn roll(&self, next: Arc<OpenFile>) {
        self.open.write().push(next);
    }

    /// A file of an earlier epoch that waits for its footer; the files come oldest first.
    pub(crate) fn add_full(&self, full: OpenFile) {
        let mut open = self.open.write();
        let active = open.len() - 1;
        open.insert(active, Arc::new(full));
    }

    /// Full files, oldest first.
    pub(crate) fn full_files(&self) -> Vec<Arc<OpenFile>> {
        let open = self.open.read();
        open.split_last()
            .map(|(_, full)| full.to_vec())
            .unwrap_or_default()
    }

    pub(crate) fn open_count(&self) -> usize {
        self.open.read().len()
    }

    /// The file is sealed, and known to the manifest and to its logs.
    pub(crate) fn sealed(&self, number: u64) {
        self.open
            .write()
            .retain(|file| file.header.number != number);
    }

    /// Whole batches of `log` from the one that holds the request's offset.
    pub(crate) fn read(&self, log: &Log, request: &ReadRequest) -> Result<Vec<Chunk>, ReadError> {
        let mut reading = Reading {
            next: request.offset,
            below: request.offset_max,
            left: request.bytes_max,
            at_least_one: request.at_least_one,
            ranges: request.ranges,
            chunks: Vec::new(),
        };
        while reading.wants_more() {
            let went_on = match self.find_open(log.id(), reading.next) {
                Some(found) => self.read_open(log.id(), &found, &mut reading),
                None => self.read_sealed(log, &mut reading),
            };
            match went_on {
                Ok(true) => {}
                Ok(false) => break,
                // What lies before the damage is given first.
                Err(_) if !reading.chunks.is_empty() => break,
                Err(error) => return Err(error),
            }
        }
        Ok(reading.chunks)
    }

    /// Whether a file without a footer holds the log's records from `offset` on.
    pub(crate) fn is_open(&self, log: LogId, offset: i64) -> bool {
        let open = self.open.read();
        open.iter().any(|file| {
            let index = file.index.read();
            let first = index.runs(log).first();
            first.is_some_and(|first| first.base_offset <= offset)
        })
    }

    /// The runs from the one that holds `offset` on, if that lies in an open file.
    fn find_open(&self, log: LogId, offset: i64) -> Option<Found> {
        let open = self.open.read();
        for file in open.iter().rev() {
            let index = file.index.read();
            let runs = index.runs(log);
            if runs.first().is_none_or(|first| first.base_offset > offset) {
                continue;
            }
            let at = run_at_offset(runs, offset);
            let runs: Vec<RunEntry> = runs[at..].iter().take(RUNS_MAX).copied().collect();
            // Behind this file's last run the next file's begin: a hole lies between.
            let reaches = runs.first().is_some_and(|run| run.base_offset <= offset);
            return reaches.then(|| Found {
                file: file.clone(),
                runs,
            });
        }
        None
    }

    /// Where the log's first run in an open file begins, above `offset`.
    fn next_open_offset(&self, log: LogId, offset: i64) -> Option<i64> {
        let open = self.open.read();
        let bases = open.iter().filter_map(|file| {
            let index = file.index.read();
            let runs = index.runs(log);
            Some(runs.get(run_at_offset(runs, offset))?.base_offset)
        });
        bases.min()
    }

    /// True if there may be more behind.
    fn read_open(
        &self,
        log: LogId,
        found: &Found,
        reading: &mut Reading,
    ) -> Result<bool, ReadError> {
        for run in &found.runs {
            if !reading.wants_more() || run.base_offset >= reading.below {
                return Ok(false);
            }
            if run.base_offset > reading.next {
                break;
            }
            let bytes = self.run_bytes(&found.file, log, run)?;
            reading.take(&bytes, run);
        }
        Ok(true)
    }

    fn read_sealed(&self, log: &Log, reading: &mut Reading) -> Result<bool, ReadError> {
        let request = ReadRequest {
            offset: reading.next,
            offset_max: reading.below,
            bytes_max: reading.left,
            at_least_one: reading.at_least_one && reading.chunks.is_empty(),
            ranges: reading.ranges,
        };
        let sealed = self.sealed_log(log);
        let read = match sealed {
            Some(sealed) => self.segments.read(sealed, &request),
            None => Ok(None),
        };
        match read.map_err(|error| read_error(log.id(), reading.next, error))? {
            Some(read) => {
                let went_on = read.bytes > 0 && read.next_offset > reading.next;
                reading.left = reading.left.saturating_sub(read.bytes);
                reading.next = read.next_offset;
                reading.chunks.extend(read.chunks);
                Ok(went_on)
            }
            None => self.pass_hole(log, sealed, reading),
        }
    }

    /// No file holds the next offset, which was given: what held it is lost. Goes on behind it if the
    /// loss was accepted.
    fn pass_hole(
        &self,
        log: &Log,
        sealed: Option<SealedLog>,
        reading: &mut Reading,
    ) -> Result<bool, ReadError> {
        let next = self.next_open_offset(log.id(), reading.next);
        let next = next.unwrap_or(i64::MAX).min(reading.below);
        if next <= reading.next {
            return Ok(false);
        }
        let newest = sealed.map(|sealed| sealed.newest);
        if self.is_hole_accepted(newest) {
            reading.next = next;
            return Ok(true);
        }
        Err(ReadError::Damaged {
            file: newest.map_or_else(|| "the journal".to_owned(), FileId::name),
            log_id: log.id(),
            first_offset: reading.next,
            last_offset: next - 1,
        })
    }

    /// Whether a loss behind `newest` was accepted: in it, in a newer file or in one that is open.
    fn is_hole_accepted(&self, newest: Option<FileId>) -> bool {
        let manifest = self.segments.manifest.read();
        let age = |file| Some(manifest.file(manifest.resolve(file)?)?.age);
        let from = newest.and_then(age).unwrap_or(0);
        let mut holes = manifest.holes().iter();
        holes.any(|hole| age(hole.file).unwrap_or(hole.file.number()) >= from)
    }

    fn sealed_log(&self, log: &Log) -> Option<SealedLog> {
        let newest = log.newest_sealed()?;
        Some(SealedLog {
            log_id: log.id(),
            newest,
        })
    }

    /// A run's bytes from the cache, else from the file, verified.
    fn run_bytes(&self, file: &OpenFile, log: LogId, run: &RunEntry) -> Result<Bytes, ReadError> {
        let len = run.bytes as usize;
        let cached = self.cache.lock().get(file.header.number, run.position, len);
        if let Some(cached) = cached {
            return Ok(cached);
        }
        let read = file.file.read(run.position, len);
        let bytes = read.map_err(|error| ReadError::Io {
            file: file.id().name(),
            reason: error.to_string(),
        })?;
        if !frame::run_is_whole(&bytes, run.checksum) {
            return Err(ReadError::Damaged {
                file: file.id().name(),
                log_id: log,
                first_offset: run.base_offset,
                last_offset: run.end_offset() - 1,
            });
        }
        Ok(bytes.into())
    }

    /// The first record at or after `timestamp` within `offsets`: its timestamp and offset.
    pub(crate) fn offset_for_timestamp(
        &self,
        log: &Log,
        timestamp: i64,
        offsets: Range<i64>,
    ) -> Result<Option<(i64, i64)>, ReadError> {
        // Taken first: a file that is sealed meanwhile is searched twice rather than not at all.
        let open = self.open.read().clone();
        let mut from = offsets.start;
        // Each turn looks at one batch, of which the header promised a record that late.
        while let Some(sealed) = self.sealed_log(log) {
            let found = self
                .segments
                .find_timestamp(sealed, timestamp, from..offsets.end);
            let Some(bytes) = found.map_err(|error| read_error(log.id(), from, error))? else {
                break;
            };
            if let Some(hit) = search(&bytes, timestamp, &offsets) {
                return Ok(Some(hit));
            }
            let last = Batches::new(&bytes).map_while(Result::ok).last();
            from = last.map_or(offsets.end, |batch| batch.header().next_offset());
        }
        self.search_open(&open, log, timestamp, &(from..offsets.end))
    }

    fn search_open(
        &self,
        files: &[Arc<OpenFile>],
        log: &Log,
        timestamp: i64,
        offsets: &Range<i64>,
    ) -> Result<Option<(i64, i64)>, ReadError> {
        for file in files {
            let mut from = offsets.start;
            while from < offsets.end {
                let run = {
                    let index = file.index.read();
                    let runs = index.runs(log.id());
                    let runs = &runs[run_at_offset(runs, from)..];
                    run_at_timestamp(runs, timestamp).map(|at| runs[at])
                };
                let Some(run) = run.filter(|run| run.base_offset < offsets.end) else {
                    break;
                };
                let bytes = self.run_bytes(file, log.id(), &run)?;
                if let Some(hit) = search(&bytes, timestamp, offsets) {
                    return Ok(Some(hit));
                }
                from = run.end_offset();
            }
        }
        Ok(None)
    }

    /// The largest timestamp of all records within `offsets`, and the first offset that has it.
    pub(crate) fn max_timestamp(
        &self,
        log: &Log,
        segments: &[VirtualSegment],
        offsets: Range<i64>,
    ) -> Result<Option<(i64, i64)>, ReadError> {
        let mut newest_first: Vec<(i64, i64)> = Vec::with_capacity(segments.len());
        newest_first.extend(segments.iter().map(|s| (s.max_timestamp, s.base_offset)));
        newest_first.retain(|(max, base)| *max >= 0 && *base < offsets.end);
        newest_first.sort_by_key(|(max, base)| (std::cmp::Reverse(*max), *base));
        let mut best: Option<(i64, i64)> = None;
        for (max, base) in newest_first {
            if best.is_some_and(|(found, _)| found >= max) {
                break;
            }
            let end = segments
                .iter()
                .map(|s| s.base_offset)
                .filter(|next| *next > base)
                .min();
            let within = base.max(offsets.start)..end.unwrap_or(i64::MAX).min(offsets.end);
            let found = match self.offset_for_timestamp(log, max, within.clone())? {
                // Its largest lies outside the offsets asked for.
                None => self.scan_max_timestamp(log, within)?,
                hit => hit,
            };
            if found.is_some_and(|found| best.is_none_or(|best| found.0 > best.0)) {
                best = found;
            }
        }
        Ok(best)
    }

    fn scan_max_timestamp(
        &self,
        log: &Log,
        offsets: Range<i64>,
    ) -> Result<Option<(i64, i64)>, ReadError> {
        let mut best: Option<(i64, i64)> = None;
        let mut next = offsets.start;
        while next < offsets.end {
            let before = next;
            for bytes in log.read(next, offsets.end, SCAN_BYTES, true)? {
                for batch in Batches::new(&bytes).map_while(Result::ok) {
                    next = batch.header().next_offset();
                    let mut scratch = Vec::new();
                    for (time, offset) in records(&batch, &mut scratch, &offsets) {
                        if time >= 0 && best.is_none_or(|(best, _)| time > best) {
                            best = Some((time, offset));
                        }
                    }
                }
            }
            if next == before {
                break;
            }
        }
        Ok(best)
    }
}

/// What a scan for a timestamp reads at once.
const SCAN_BYTES: usize = 1 << 20;

fn read_error(log_id: LogId, offset: i64, error: segment::ReadError) -> ReadError {
    match error {
        segment::ReadError::Io { file, source } => ReadError::Io {
            file: file.name(),
            reason: source.to_string(),
        },
        segment::ReadError::Damaged(damaged) => ReadError::Damaged {
            file: damaged.file.name(),
            log_id,
            first_offset: damaged.first_offset,
            last_offset: damaged.end_offset.saturating_sub(1),
        },
        segment::ReadError::Unindexed { file } => ReadError::Damaged {
            file: file.name(),
            log_id,
            first_offset: offset,
            last_offset: offset,
        },
        segment::ReadError::Gone { file } => ReadError::Io {
            file: file.name(),
            reason: "the file went while it was read; read again".to_owned(),
        },
    }
}

/// A read under way.
struct Reading {
    next: i64,
    below: i64,
    left: usize,
    at_least_one: bool,
    ranges: bool,
    chunks: Vec<Chunk>,
}

impl Reading {
    fn wants_more(&self) -> bool {
        let first = self.at_least_one && self.chunks.is_empty();
        self.next < self.below && (self.left > 0 || first)
    }

    /// Takes what is wanted of a run: whole batches, from the one that holds `next` on.
    fn take(&mut self, bytes: &Bytes, run: &RunEntry) {
        let is_wanted = run.base_offset >= self.next && run.end_offset() <= self.below;
        if is_wanted && bytes.len() <= self.left {
            self.next = run.end_offset();
            self.left -= bytes.len();
            self.chunks.push(Chunk::Bytes(bytes.clone()));
            return;
        }
        let (mut start, mut end) = (0, 0);
        let mut is_first = self.at_least_one && self.chunks.is_empty();
        for batch in Batches::new(bytes).map_while(Result::ok) {
            let len = batch.bytes().len();
            let header = batch.header();
            if header.next_offset() <= self.next {
                start += len;
                end = start;
                continue;
            }
            let is_too_much = end - start + len > self.left && !is_first;
            if header.base_offset >= self.below || is_too_much {
                self.below = self.next;
                break;
            }
            is_first = false;
            end += len;
            self.next = header.next_offset();
        }
        self.left = self.left.saturating_sub(end - start);
        if end > start {
            self.chunks.push(Chunk::Bytes(bytes.slice(start..end)));
        } else {
            // Nothing more can be taken: end here.
            self.below = self.next;
        }
    }
}

/// Most bytes that a search by time inflates from one batch.
const INFLATED_BYTES_MAX: usize = 128 << 20;

/// The first record of these batches at or after `timestamp` within `offsets`.
fn search(bytes: &[u8], timestamp: i64, offsets: &Range<i64>) -> Option<(i64, i64)> {
    let mut scratch = Vec::new();
    let batches = Batches::new(bytes).map_while(Result::ok);
    for batch in batches.filter(|batch| batch.header().max_timestamp >= timestamp) {
        let mut records = records(&batch, &mut scratch, offsets).into_iter();
        if let Some(hit) = records.find(|(time, _)| *time >= timestamp) {
            return Some(hit);
        }
    }
    None
}

/// Timestamps and offsets of the batch's records within `offsets`.
fn records(batch: &Batch<'_>, scratch: &mut Vec<u8>, offsets: &Range<i64>) -> Vec<(i64, i64)> {
    scratch.clear();
    let Ok(records) = batch.records(INFLATED_BYTES_MAX, scratch) else {
        return Vec::new();
    };
    let records = records.map_while(Result::ok);
    let records = records.map(|record| (record.timestamp, record.offset));
    records
        .filter(|(_, offset)| offsets.contains(offset))
        .collect()
}
