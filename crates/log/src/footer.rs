//! The index at the end of a sealed journal file or merged segment: which logs it holds, where each
//! run lies, and in which file each log goes on towards its start. Sealing and merging build and
//! encode it, reading decodes it with every rule checked. Pure. Bytes: docs/formats.md, "Footer".

use std::collections::BTreeMap;

use protocol::crc::{crc32c, crc32c_append};

use crate::fields::{Fields, Truncated};
use crate::file_id::FileId;

pub const BLOCK_BYTES: usize = 4096;
pub const TRAILER_BYTES: usize = 80;
const LOG_BYTES: usize = 56;
const RUN_BYTES: usize = 40;
const MAGIC: u32 = u32::from_le_bytes(*b"OFTR");
const VERSION: u32 = 1;

/// What makes a footer valid in one file only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilePlace {
    pub number: u64,
    pub salt: [u8; 16],
}

/// A decoded footer. Logs are sorted by id, their runs by offset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Footer {
    span: FrameSpan,
    logs: Vec<LogEntry>,
    runs: Vec<RunEntry>,
}

/// The frames a journal file holds; all zero for a merged segment but the times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameSpan {
    pub first_sequence: u64,
    pub last_sequence: u64,
    pub first_append_ms: i64,
    pub last_append_ms: i64,
}

/// One log of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogEntry {
    pub log_id: u64,
    pub previous: Previous,
    pub first_base_offset: i64,
    pub end_offset: i64,
    pub max_timestamp: i64,
    pub first_run: u32,
    pub run_count: u32,
    /// Bytes at or above the log's start when the file was sealed.
    pub live_bytes: u64,
}

/// The next file of a log's trail, towards its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Previous {
    /// The log begins in this file.
    None,
    File(FileId),
    /// The footer was rebuilt from frames, which do not say: every older file may hold the log.
    Unknown,
}

/// One run of a log: whole batches that lie together in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunEntry {
    pub base_offset: i64,
    pub position: u64,
    pub bytes: u32,
    pub offset_count: u32,
    pub max_timestamp: i64,
    pub checksum: u32,
    /// Seconds since 1970.
    pub append_time_s: u32,
}

impl RunEntry {
    pub fn end_offset(&self) -> i64 {
        self.base_offset
            .saturating_add(i64::from(self.offset_count))
    }

    pub fn end_position(&self) -> u64 {
        self.position.saturating_add(u64::from(self.bytes))
    }
}

/// Why bytes are no footer of this file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FooterError {
    #[error("the file does not end with a footer")]
    Missing,
    #[error("the footer's checksum over its {part} is wrong")]
    Checksum { part: &'static str },
    #[error("the footer breaks a rule: {rule}")]
    Malformed { rule: &'static str },
    #[error(transparent)]
    Truncated(#[from] Truncated),
}

impl Footer {
    pub fn span(&self) -> &FrameSpan {
        &self.span
    }

    pub fn logs(&self) -> &[LogEntry] {
        &self.logs
    }

    pub fn log(&self, log_id: u64) -> Option<&LogEntry> {
        let at = self
            .logs
            .binary_search_by_key(&log_id, |log| log.log_id)
            .ok()?;
        self.logs.get(at)
    }

    /// The runs of one of this footer's logs.
    pub fn runs(&self, log: &LogEntry) -> &[RunEntry] {
        let first = log.first_run as usize;
        self.runs
            .get(first..first + log.run_count as usize)
            .unwrap_or_default()
    }

    pub fn run_count(&self) -> usize {
        self.runs.len()
    }

    /// Memory that a cache accounts for.
    pub fn memory_bytes(&self) -> usize {
        size_of::<Self>()
            + self.logs.len() * size_of::<LogEntry>()
            + self.runs.len() * size_of::<RunEntry>()
    }

    /// Bytes that are live now, given each log's start offset (`None`: the log is deleted).
    pub fn live_bytes(&self, start_offset: impl Fn(u64) -> Option<i64>) -> u64 {
        let live = |log: &LogEntry| match start_offset(log.log_id) {
            Some(start) => live_bytes(self.runs(log), start),
            None => 0,
        };
        self.logs.iter().map(live).sum()
    }

    /// The footer's bytes for the file at `place`, to be written at `start` (a block boundary).
    pub fn encode(&self, place: &FilePlace, start: u64) -> Vec<u8> {
        assert!(start.is_multiple_of(BLOCK_BYTES as u64));
        let mut out = Vec::with_capacity(encoded_bytes(self.logs.len(), self.runs.len()));
        for log in &self.logs {
            log.encode(&mut out);
        }
        let directory_crc = crc32c(&out);
        let directory_bytes = out.len();
        for run in &self.runs {
            run.encode(&mut out);
        }
        let runs_crc = crc32c(&out[directory_bytes..]);
        out.resize(out.capacity() - TRAILER_BYTES, 0);
        let trailer = Trailer {
            span: self.span,
            log_count: self.logs.len() as u32,
            run_count: self.runs.len() as u32,
            start,
            directory_crc,
            runs_crc,
        };
        out.extend(trailer.encode(place));
        out
    }

    /// Decodes the bytes that `trailer` says are the footer's, from its start to the file's end.
    pub fn decode(trailer: &Trailer, bytes: &[u8]) -> Result<Self, FooterError> {
        let mut fields = Fields::new(bytes);
        let directory = fields.bytes(trailer.log_count as usize * LOG_BYTES, "directory")?;
        let runs = fields.bytes(trailer.run_count as usize * RUN_BYTES, "runs")?;
        for (part, bytes, crc) in [
            ("directory", directory, trailer.directory_crc),
            ("runs", runs, trailer.runs_crc),
        ] {
            if crc32c(bytes) != crc {
                return Err(FooterError::Checksum { part });
            }
        }
        let mut fields = Fields::new(directory);
        let logs = (0..trailer.log_count)
            .map(|_| LogEntry::decode(&mut fields))
            .collect::<Result<_, _>>()?;
        let mut fields = Fields::new(runs);
        let runs = (0..trailer.run_count)
            .map(|_| RunEntry::decode(&mut fields))
            .collect::<Result<_, _>>()?;
        let footer = Self {
            span: trailer.span,
            logs,
            runs,
        };
        footer.check(trailer.start)?;
        Ok(footer)
    }

    /// The rules that lookups and reads rely on.
    fn check(&self, start: u64) -> Result<(), FooterError> {
        let malformed = |rule| Err(FooterError::Malformed { rule });
        if !self.logs.is_sorted_by(|a, b| a.log_id < b.log_id) {
            return malformed("logs are sorted by id");
        }
        let mut next_run = 0;
        for log in &self.logs {
            let runs = self.runs(log);
            if log.first_run != next_run || log.run_count == 0 || runs.is_empty() {
                return malformed("each log has the runs behind those of the log before");
            }
            next_run += log.run_count;
            let ordered = runs.is_sorted_by(|a, b| {
                a.end_offset() <= b.base_offset && a.end_position() <= b.position
            });
            if !ordered {
                return malformed("a log's runs rise in offset and position");
            }
            let ends = (runs.first(), runs.last());
            let agrees = matches!(ends, (Some(first), Some(last))
                if first.base_offset == log.first_base_offset && last.end_offset() == log.end_offset);
            if !agrees {
                return malformed("a log's offsets are those of its runs");
            }
        }
        if next_run as usize != self.runs.len() {
            return malformed("each run belongs to a log");
        }
        let lies_within = |run: &RunEntry| {
            run.base_offset >= 0
                && run.bytes > 0
                && run.offset_count > 0
                && run.position >= BLOCK_BYTES as u64
                && run.end_position() <= start
        };
        if !self.runs.iter().all(lies_within) {
            return malformed("runs lie between header and footer");
        }
        Ok(())
    }
}

/// Index of the run that holds `offset`, or of the first behind it.
pub fn run_at_offset(runs: &[RunEntry], offset: i64) -> usize {
    runs.partition_point(|run| run.end_offset() <= offset)
}

/// Index of the first run that may hold a record with `timestamp` or a later one.
pub fn run_at_timestamp(runs: &[RunEntry], timestamp: i64) -> Option<usize> {
    runs.iter().position(|run| run.max_timestamp >= timestamp)
}

/// Bytes of the runs that reach above `start_offset`; a run counts until its last offset is gone.
pub fn live_bytes(runs: &[RunEntry], start_offset: i64) -> u64 {
    let live = &runs[run_at_offset(runs, start_offset)..];
    live.iter().map(|run| u64::from(run.bytes)).sum()
}

/// Bytes that so many entries add to a footer.
pub fn entry_bytes(log_count: usize, run_count: usize) -> usize {
    log_count * LOG_BYTES + run_count * RUN_BYTES
}

/// Bytes of a footer with so many entries, a whole number of blocks.
pub fn encoded_bytes(log_count: usize, run_count: usize) -> usize {
    (log_count * LOG_BYTES + run_count * RUN_BYTES + TRAILER_BYTES).next_multiple_of(BLOCK_BYTES)
}

/// The end of a footer, which says where it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trailer {
    span: FrameSpan,
    log_count: u32,
    run_count: u32,
    start: u64,
    directory_crc: u32,
    runs_crc: u32,
}

impl Trailer {
    /// Decodes the trailer from the last bytes of a file of `file_bytes`.
    pub fn decode(last: &[u8], place: &FilePlace, file_bytes: u64) -> Result<Self, FooterError> {
        let last: &[u8; TRAILER_BYTES] = last.last_chunk().ok_or(FooterError::Missing)?;
        let mut fields = Fields::new(last);
        if fields.u32("magic")? != MAGIC {
            return Err(FooterError::Missing);
        }
        if fields.u32("version")? != VERSION {
            return Err(FooterError::Malformed {
                rule: "the version is known",
            });
        }
        let number = fields.u64("number")?;
        let (first_sequence, last_sequence) = (fields.u64("sequence")?, fields.u64("sequence")?);
        let (log_count, run_count) = (fields.u32("log count")?, fields.u32("run count")?);
        let start = fields.u64("start")?;
        let (directory_crc, runs_crc) = (fields.u32("crc")?, fields.u32("crc")?);
        let (first_append_ms, last_append_ms) = (fields.i64("time")?, fields.i64("time")?);
        let covered = &last[..TRAILER_BYTES - fields.rest().len()];
        if fields.u32("crc")? != trailer_crc(place, covered) || number != place.number {
            return Err(FooterError::Checksum { part: "trailer" });
        }
        let bytes = encoded_bytes(log_count as usize, run_count as usize) as u64;
        let is_block = start.is_multiple_of(BLOCK_BYTES as u64) && start >= BLOCK_BYTES as u64;
        if !is_block || start.checked_add(bytes) != Some(file_bytes) {
            return Err(FooterError::Malformed {
                rule: "the footer reaches to the file's end",
            });
        }
        Ok(Self {
            span: FrameSpan {
                first_sequence,
                last_sequence,
                first_append_ms,
                last_append_ms,
            },
            log_count,
            run_count,
            start,
            directory_crc,
            runs_crc,
        })
    }

    /// Where the footer begins in the file.
    pub fn start(&self) -> u64 {
        self.start
    }

    fn encode(&self, place: &FilePlace) -> Vec<u8> {
        let mut out = Vec::with_capacity(TRAILER_BYTES);
        out.extend(MAGIC.to_le_bytes());
        out.extend(VERSION.to_le_bytes());
        out.extend(place.number.to_le_bytes());
        out.extend(self.span.first_sequence.to_le_bytes());
        out.extend(self.span.last_sequence.to_le_bytes());
        out.extend(self.log_count.to_le_bytes());
        out.extend(self.run_count.to_le_bytes());
        out.extend(self.start.to_le_bytes());
        out.extend(self.directory_crc.to_le_bytes());
        out.extend(self.runs_crc.to_le_bytes());
        out.extend(self.span.first_append_ms.to_le_bytes());
        out.extend(self.span.last_append_ms.to_le_bytes());
        out.extend(trailer_crc(place, &out).to_le_bytes());
        out.extend([0; 4]);
        debug_assert_eq!(out.len(), TRAILER_BYTES);
        out
    }
}

fn trailer_crc(place: &FilePlace, trailer: &[u8]) -> u32 {
    let crc = crc32c_append(crc32c(&place.salt), &place.number.to_le_bytes());
    crc32c_append(crc, trailer)
}

impl LogEntry {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend(self.log_id.to_le_bytes());
        out.extend(self.previous.to_bits().to_le_bytes());
        out.extend(self.first_base_offset.to_le_bytes());
        out.extend(self.end_offset.to_le_bytes());
        out.extend(self.max_timestamp.to_le_bytes());
        out.extend(self.first_run.to_le_bytes());
        out.extend(self.run_count.to_le_bytes());
        out.extend(self.live_bytes.to_le_bytes());
    }

    fn decode(fields: &mut Fields<'_>) -> Result<Self, Truncated> {
        Ok(Self {
            log_id: fields.u64("log id")?,
            previous: Previous::from_bits(fields.u64("previous file")?),
            first_base_offset: fields.i64("first base offset")?,
            end_offset: fields.i64("end offset")?,
            max_timestamp: fields.i64("max timestamp")?,
            first_run: fields.u32("first run")?,
            run_count: fields.u32("run count")?,
            live_bytes: fields.u64("live bytes")?,
        })
    }
}

impl Previous {
    fn to_bits(self) -> u64 {
        match self {
            Self::None => 0,
            Self::File(file) => file.to_bits(),
            Self::Unknown => u64::MAX,
        }
    }

    fn from_bits(bits: u64) -> Self {
        match bits {
            0 => Self::None,
            u64::MAX => Self::Unknown,
            bits => Self::File(FileId::from_bits(bits)),
        }
    }
}

impl RunEntry {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend(self.base_offset.to_le_bytes());
        out.extend(self.position.to_le_bytes());
        out.extend(self.bytes.to_le_bytes());
        out.extend(self.offset_count.to_le_bytes());
        out.extend(self.max_timestamp.to_le_bytes());
        out.extend(self.checksum.to_le_bytes());
        out.extend(self.append_time_s.to_le_bytes());
    }

    fn decode(fields: &mut Fields<'_>) -> Result<Self, Truncated> {
        Ok(Self {
            base_offset: fields.i64("base offset")?,
            position: fields.u64("position")?,
            bytes: fields.u32("bytes")?,
            offset_count: fields.u32("offset count")?,
            max_timestamp: fields.i64("max timestamp")?,
            checksum: fields.u32("checksum")?,
            append_time_s: fields.u32("append time")?,
        })
    }
}

/// The index of a file while runs are added to it; it becomes the file's footer.
#[derive(Clone, Debug, Default)]
pub struct FooterBuilder {
    logs: BTreeMap<u64, Vec<RunEntry>>,
    run_count: usize,
}

impl FooterBuilder {
    /// Adds a run. The runs of a log come in the order of their offsets.
    pub fn add(&mut self, log_id: u64, run: RunEntry) {
        let runs = self.logs.entry(log_id).or_default();
        assert!(
            runs.last()
                .is_none_or(|last| last.end_offset() <= run.base_offset),
            "runs of log {log_id} are added in order"
        );
        runs.push(run);
        self.run_count += 1;
    }

    pub fn runs(&self, log_id: u64) -> &[RunEntry] {
        self.logs.get(&log_id).map_or(&[], Vec::as_slice)
    }

    pub fn log_ids(&self) -> impl Iterator<Item = u64> + '_ {
        self.logs.keys().copied()
    }

    pub fn run_count(&self) -> usize {
        self.run_count
    }

    /// Bytes of the footer if it ended here with so many more logs and runs, so that the room for it
    /// can be kept.
    pub fn encoded_bytes_with(&self, more_logs: usize, more_runs: usize) -> usize {
        encoded_bytes(self.logs.len() + more_logs, self.run_count + more_runs)
    }

    /// The footer. `previous` gives the last file before this one that holds a log, `start_offset`
    /// the offset from which its bytes count as live (`None`: the log is deleted).
    pub fn finish(
        self,
        span: FrameSpan,
        previous: impl Fn(u64) -> Previous,
        start_offset: impl Fn(u64) -> Option<i64>,
    ) -> Footer {
        let mut footer = Footer {
            span,
            logs: Vec::with_capacity(self.logs.len()),
            runs: Vec::with_capacity(self.run_count),
        };
        for (log_id, runs) in self.logs {
            let (Some(first), Some(last)) = (runs.first(), runs.last()) else {
                continue;
            };
            footer.logs.push(LogEntry {
                log_id,
                previous: previous(log_id),
                first_base_offset: first.base_offset,
                end_offset: last.end_offset(),
                max_timestamp: runs.iter().map(|run| run.max_timestamp).max().unwrap_or(-1),
                first_run: footer.runs.len() as u32,
                run_count: runs.len() as u32,
                live_bytes: start_offset(log_id).map_or(0, |start| live_bytes(&runs, start)),
            });
            footer.runs.extend(runs);
        }
        footer
    }
}

#[cfg(test)]
#[path = "footer_tests.rs"]
mod tests;
