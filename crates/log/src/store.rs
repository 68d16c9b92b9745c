//! What is written, and where: the index of the active file and of the sealed ones, and the tail cache; reading by log and offset.
//! Filled by the commit step and by recovery.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::{Mutex, RwLock};
use protocol::batch::{Batch, Batches};

use crate::disk::DiskFile;
use crate::file_id::FileId;
use crate::footer::{self, Footer, FooterBuilder, RunEntry};
use crate::frame;
use crate::log::{Chunk, LogId, ReadError};
use crate::tail_cache::TailCache;

/// A journal file that frames are added to, or that waits for its footer.
#[derive(Debug)]
pub(crate) struct ActiveFile {
    pub(crate) number: u64,
    pub(crate) file: Arc<dyn DiskFile>,
    pub(crate) index: FooterBuilder,
}

/// A sealed file with its index.
#[derive(Debug)]
pub(crate) struct SealedFile {
    pub(crate) id: FileId,
    pub(crate) file: Arc<dyn DiskFile>,
    pub(crate) footer: Footer,
    pub(crate) bytes: u64,
}

#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) active: RwLock<ActiveFile>,
    /// By number: older files have older records.
    pub(crate) sealed: RwLock<BTreeMap<u64, Arc<SealedFile>>>,
    cache: Mutex<TailCache>,
}

/// Where a stretch of a log lies.
struct Found {
    file: Arc<dyn DiskFile>,
    number: u64,
    runs: Vec<RunEntry>,
}

/// Runs looked at in one go.
const RUNS_MAX: usize = 1024;

impl Store {
    pub(crate) fn new(
        active: ActiveFile,
        sealed: BTreeMap<u64, Arc<SealedFile>>,
        cache_bytes: usize,
    ) -> Self {
        Self {
            active: RwLock::new(active),
            sealed: RwLock::new(sealed),
            cache: Mutex::new(TailCache::new(cache_bytes)),
        }
    }

    pub(crate) fn cache(&self, file: u64, position: u64, frame: Bytes) {
        self.cache.lock().insert(file, position, frame);
    }

    pub(crate) fn tail_cache_bytes(&self) -> u64 {
        self.cache.lock().bytes() as u64
    }

    /// How many files there are, and their bytes.
    pub(crate) fn files(&self) -> (u64, u64) {
        let sealed = self.sealed.read();
        (
            sealed.len() as u64 + 1,
            sealed.values().map(|file| file.bytes).sum(),
        )
    }

    /// Whole batches of `log` from the one that holds `from`, below `below`.
    pub(crate) fn read(
        &self,
        log: LogId,
        from: i64,
        below: i64,
        max_bytes: usize,
        at_least_one: bool,
    ) -> Result<Vec<Chunk>, ReadError> {
        let mut reading = Reading {
            next: from,
            below,
            left: max_bytes,
            at_least_one,
            chunks: Vec::new(),
        };
        while reading.wants_more() {
            let Some(found) = self.find(log, reading.next) else {
                break;
            };
            for run in &found.runs {
                if !reading.wants_more() {
                    break;
                }
                if run.base_offset >= below {
                    return Ok(reading.chunks);
                }
                let bytes = self.run_bytes(&found, log, run)?;
                reading.take(&bytes, run);
            }
        }
        Ok(reading.chunks)
    }

    /// The runs from the one that holds `offset` on, in the file where it lies.
    fn find(&self, log: LogId, offset: i64) -> Option<Found> {
        let tail = |runs: &[RunEntry]| {
            let first = footer::run_at_offset(runs, offset);
            runs[first..]
                .iter()
                .take(RUNS_MAX)
                .copied()
                .collect::<Vec<_>>()
        };
        for sealed in self.sealed.read().values() {
            let Some(entry) = sealed
                .footer
                .log(log)
                .filter(|entry| entry.end_offset > offset)
            else {
                continue;
            };
            let runs = tail(sealed.footer.runs(entry));
            return Some(Found {
                file: sealed.file.clone(),
                number: sealed.id.number(),
                runs,
            });
        }
        let active = self.active.read();
        let runs = tail(active.index.runs(log));
        (!runs.is_empty()).then(|| Found {
            file: active.file.clone(),
            number: active.number,
            runs,
        })
    }

    /// A run's bytes from the cache, else from the file, verified.
    fn run_bytes(&self, found: &Found, log: LogId, run: &RunEntry) -> Result<Bytes, ReadError> {
        let len = run.bytes as usize;
        if let Some(cached) = self.cache.lock().get(found.number, run.position, len) {
            return Ok(cached);
        }
        let file = || FileId::journal(found.number).name();
        let mut bytes = vec![0; len];
        found
            .file
            .read_exact_at(&mut bytes, run.position)
            .map_err(|error| ReadError::Io {
                file: file(),
                reason: error.to_string(),
            })?;
        if !frame::run_is_whole(&bytes, run.checksum) {
            return Err(ReadError::Damaged {
                file: file(),
                log_id: log,
                first_offset: run.base_offset,
                last_offset: run.end_offset() - 1,
            });
        }
        Ok(bytes.into())
    }

    /// The first record at or after `timestamp` below `below`: its timestamp and offset.
    pub(crate) fn offset_for_timestamp(
        &self,
        log: LogId,
        from: i64,
        timestamp: i64,
        below: i64,
    ) -> Result<Option<(i64, i64)>, ReadError> {
        let mut offset = from;
        while let Some(found) = self.find(log, offset) {
            for run in found.runs.iter().filter(|run| run.end_offset() > offset) {
                if run.base_offset >= below {
                    return Ok(None);
                }
                if run.max_timestamp < timestamp {
                    continue;
                }
                let bytes = self.run_bytes(&found, log, run)?;
                if let Some(hit) = search(&bytes, timestamp, from, below) {
                    return Ok(Some(hit));
                }
            }
            let Some(last) = found.runs.last() else {
                return Ok(None);
            };
            offset = last.end_offset();
        }
        Ok(None)
    }

    /// The largest timestamp of all records below `below`, and the first offset that has it.
    pub(crate) fn max_timestamp(
        &self,
        log: LogId,
        from: i64,
        below: i64,
    ) -> Result<Option<(i64, i64)>, ReadError> {
        let mut max = -1;
        let mut offset = from;
        while let Some(found) = self.find(log, offset) {
            let runs = found.runs.iter().filter(|run| run.base_offset < below);
            max = runs.map(|run| run.max_timestamp).fold(max, i64::max);
            let Some(last) = found.runs.last() else { break };
            offset = last.end_offset();
        }
        if max < 0 {
            Ok(None)
        } else {
            self.offset_for_timestamp(log, from, max, below)
        }
    }
}

/// A read under way.
struct Reading {
    next: i64,
    below: i64,
    left: usize,
    at_least_one: bool,
    chunks: Vec<Chunk>,
}

impl Reading {
    fn wants_more(&self) -> bool {
        self.next < self.below && (self.left > 0 || (self.at_least_one && self.chunks.is_empty()))
    }

    /// Takes what is wanted of a run: whole batches, from the one that holds `next` on.
    fn take(&mut self, bytes: &Bytes, run: &RunEntry) {
        if run.base_offset >= self.next
            && bytes.len() <= self.left
            && run.end_offset() <= self.below
        {
            self.next = run.end_offset();
            self.left -= bytes.len();
            self.chunks.push(Chunk::Bytes(bytes.clone()));
            return;
        }
        let (mut start, mut end) = (0, 0);
        let mut first = self.at_least_one && self.chunks.is_empty();
        for batch in Batches::new(bytes) {
            // Verified when it was read, or never left memory.
            let Ok(batch) = batch else { break };
            let len = batch.bytes().len();
            let header = batch.header();
            if header.next_offset() <= self.next {
                start += len;
                end = start;
                continue;
            }
            if header.base_offset >= self.below || (end - start + len > self.left && !first) {
                self.left = 0;
                break;
            }
            first = false;
            end += len;
            self.next = header.next_offset();
        }
        self.left = self.left.saturating_sub(end - start);
        if end > start {
            self.chunks.push(Chunk::Bytes(bytes.slice(start..end)));
        } else {
            self.left = 0;
            self.at_least_one = false;
        }
    }
}

/// Largest records that a search by time inflates from one batch.
const INFLATED_BYTES_MAX: usize = 128 << 20;

/// The first record of these batches at or after `timestamp`, from `from` on and below `below`.
fn search(bytes: &[u8], timestamp: i64, from: i64, below: i64) -> Option<(i64, i64)> {
    let candidates = Batches::new(bytes)
        .map_while(Result::ok)
        .filter(|batch| batch.header().max_timestamp >= timestamp);
    candidates
        .filter_map(|batch| search_batch(&batch, timestamp, from, below))
        .next()
}

fn search_batch(batch: &Batch<'_>, timestamp: i64, from: i64, below: i64) -> Option<(i64, i64)> {
    let mut scratch = Vec::new();
    let records = batch.records(INFLATED_BYTES_MAX, &mut scratch).ok()?;
    let mut records = records
        .map_while(Result::ok)
        .map(|record| (record.timestamp, record.offset));
    records.find(|(time, offset)| *time >= timestamp && (from..below).contains(offset))
}
