//! The log's own part of a snapshot: what each log is, gathered while appends go on. A log may be
//! gathered before or after what another one holds by then; so replay begins at the active file's
//! first frame and skips what a log has already. The snapshot counts once everything gathered is
//! durable (rule 4).

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::books::Books;
use crate::epochs::LeaderEpochs;
use crate::fields::{Fields, Truncated};
use crate::file_id::FileId;
use crate::journal::Journal;
use crate::manifest::ManifestError;
use crate::options::LogId;
use crate::producers::{Producers, decode_producers, encode_producers};
use crate::roll::VirtualSegments;
use crate::snapshot::{
    SECTION_FILES, SECTION_LOGS, SECTION_PRODUCERS, SECTION_STATE_MACHINES, Section, Snapshot,
    SnapshotHeader,
};

/// The section beside those of the manifest, the logs and the producers.
const SECTION_BOOKS: u32 = 4;

/// A log as a snapshot or the replayed frames have it.
#[derive(Debug, Default)]
pub(crate) struct StoredLog {
    pub(crate) start: i64,
    pub(crate) end: i64,
    pub(crate) newest_sealed: Option<FileId>,
    pub(crate) skips_offsets: bool,
    pub(crate) segments: VirtualSegments,
    pub(crate) epochs: LeaderEpochs,
    pub(crate) producers: Producers,
}

/// A snapshot that waits until what it holds is durable.
#[derive(Debug)]
pub(crate) struct Gathered {
    pub(crate) snapshot: Snapshot,
    /// A frame that is taken back takes the snapshot along.
    pub(crate) cuts: u32,
    /// The manifest's events below are in it.
    pub(crate) applied: i64,
}

/// A snapshot of which the books are not gathered yet.
#[derive(Debug)]
pub(crate) struct Gathering {
    cuts: u32,
    file: u64,
    first_sequence: u64,
    known_below: u64,
    above: Vec<(u32, Bytes)>,
    logs: Vec<u8>,
    producers: Vec<u8>,
}

/// What a snapshot brings.
#[derive(Debug, Default)]
pub(crate) struct Checkpoint {
    pub(crate) logs: BTreeMap<LogId, StoredLog>,
    pub(crate) books: Books,
    /// The first frame to replay.
    pub(crate) first_sequence: u64,
    /// A log that the snapshot does not know was deleted if a frame below this one speaks of it; if the
    /// frame is this one or a later one, the log may have been born while the snapshot was gathered.
    pub(crate) known_below: u64,
    pub(crate) leader_epoch: i32,
    pub(crate) unseen_logs_skip: bool,
    pub(crate) sections_above: Vec<(u32, Bytes)>,
}

impl Journal {
    /// Gathers a snapshot. None while a full file waits for its footer.
    pub(crate) fn gather(&self) -> Option<Gathered> {
        self.begin_gathering()
            .map(|begun| self.finish_gathering(begun))
    }

    /// The logs and all that lies above them.
    pub(crate) fn begin_gathering(&self) -> Option<Gathering> {
        let (cuts, known_below) = {
            let queue = self.shared.queue.lock();
            (queue.cuts, queue.frame.sequence)
        };
        let (file, first_sequence) = {
            let writer = self.writer.lock();
            let first = match writer.span.first_sequence {
                0 => writer.last_sequence + 1,
                first => first,
            };
            (writer.active.header.number, first)
        };
        if !self.shared.store.full_files().is_empty() {
            return None;
        }
        // In this order: the logs' state machines are behind the logs, the books ahead of them.
        let above = self.sections_above();
        let (logs, producers) = self.gather_logs();
        Some(Gathering {
            cuts,
            file,
            first_sequence,
            known_below,
            above,
            logs,
            producers,
        })
    }

    /// The books, and how far everything gathered may reach.
    pub(crate) fn finish_gathering(&self, begun: Gathering) -> Gathered {
        let (files, books, applied) = self.gather_books(&begun);
        let sequence = {
            let queue = self.shared.queue.lock();
            queue.frame.sequence - u64::from(queue.frame.is_empty())
        };
        let header = SnapshotHeader {
            epoch: self.epoch,
            sequence,
            file: begun.file,
            block: 1,
            running_ms: self.shared.running_ms(),
            append_time_ms: self.shared.clock.wall_ms(),
        };
        let own = [
            (SECTION_FILES, files.into()),
            (SECTION_LOGS, begun.logs.into()),
            (SECTION_PRODUCERS, begun.producers.into()),
            (SECTION_BOOKS, books.into()),
        ];
        let above = begun.above.into_iter();
        let above = above.filter(|(tag, _)| *tag >= SECTION_STATE_MACHINES);
        let sections = own.into_iter().chain(above);
        let sections = sections
            .map(|(tag, content)| Section { tag, content })
            .collect();
        let snapshot = Snapshot { header, sections };
        Gathered {
            snapshot,
            cuts: begun.cuts,
            applied,
        }
    }

    fn gather_logs(&self) -> (Vec<u8>, Vec<u8>) {
        let mut logs = self.logs();
        logs.sort_unstable_by_key(|log| log.id());
        let mut out = 0u64.to_le_bytes().to_vec();
        let mut count = 0u64;
        let mut producers: Vec<(LogId, Producers)> = Vec::new();
        for log in &logs {
            let state = log.state.lock();
            let (start, end) = (log.start_offset(), log.end_offset());
            if end == 0 && !state.skips_offsets {
                continue;
            }
            count += 1;
            out.extend(log.id().to_le_bytes());
            out.extend(start.to_le_bytes());
            out.extend(end.to_le_bytes());
            out.extend(log.newest_sealed().map_or(0, FileId::to_bits).to_le_bytes());
            out.push(u8::from(state.skips_offsets));
            state.segments.encode(&mut out);
            state.epochs.encode(&mut out);
            if !state.producers.is_empty() {
                producers.push((log.id(), state.producers.clone()));
            }
        }
        out[..8].copy_from_slice(&count.to_le_bytes());
        let producers = encode_producers(producers.iter().map(|(log, kept)| (*log, kept)));
        (out, producers)
    }

    fn gather_books(&self, begun: &Gathering) -> (Vec<u8>, Vec<u8>, i64) {
        let books = self.books.lock();
        let mut out = begun.first_sequence.to_le_bytes().to_vec();
        out.extend(begun.known_below.to_le_bytes());
        let leader_epoch = &self.shared.leader_epoch;
        out.extend(
            leader_epoch
                .load(std::sync::atomic::Ordering::Acquire)
                .to_le_bytes(),
        );
        let skip = self
            .unseen_logs_skip
            .load(std::sync::atomic::Ordering::Acquire);
        out.push(u8::from(skip));
        out.extend(books.encode());
        let files = books.manifest.read().encode();
        (files, out, books.applied)
    }
}

impl Checkpoint {
    /// What a whole snapshot brings. An error is damage: its checksums were right.
    pub(crate) fn decode(snapshot: &Snapshot) -> Result<Self, ManifestError> {
        let books = snapshot.section(SECTION_BOOKS);
        let mut fields = Fields::new(&books);
        let mut checkpoint = Self {
            first_sequence: fields.u64("first sequence")?,
            known_below: fields.u64("known below")?,
            leader_epoch: fields.i32("leader epoch")?,
            unseen_logs_skip: fields.u8("unseen logs")? != 0,
            ..Self::default()
        };
        checkpoint.books = Books::decode(&snapshot.section(SECTION_FILES), fields.rest())?;
        checkpoint.logs = decode_logs(&snapshot.section(SECTION_LOGS))?;
        for (log, producers) in decode_producers(&snapshot.section(SECTION_PRODUCERS))? {
            if let Some(stored) = checkpoint.logs.get_mut(&log) {
                stored.producers = producers;
            }
        }
        checkpoint.agree();
        let above = snapshot.sections.iter();
        let above = above.filter(|section| section.tag >= SECTION_STATE_MACHINES);
        checkpoint.sections_above = above.map(|s| (s.tag, s.content.clone())).collect();
        Ok(checkpoint)
    }

    /// The books were gathered last: what they know, the logs learn.
    fn agree(&mut self) {
        if let Some(manifest) = self.logs.get_mut(&crate::MANIFEST_LOG) {
            // Events that were not durable yet have had no effect: they are replayed.
            manifest.end = manifest.end.min(self.books.applied);
        }
        let deleted = &self.books.deleted;
        self.logs.retain(|log, _| !deleted.contains_key(log));
        for (log, stored) in &mut self.logs {
            let start = self.books.accounted.get(log).copied().unwrap_or(0);
            if start > stored.start {
                stored.start = start;
                stored.segments.drop_below(start, stored.end);
                stored.epochs.drop_below(start);
            }
        }
    }
}

fn decode_logs(bytes: &[u8]) -> Result<BTreeMap<LogId, StoredLog>, Truncated> {
    /// Without segments and epochs.
    const LOG_BYTES: usize = 41;
    let mut fields = Fields::new(bytes);
    let mut logs = BTreeMap::new();
    for _ in 0..fields.count_u64(LOG_BYTES, "log count")? {
        let id = fields.u64("log id")?;
        let start = fields.i64("start offset")?;
        let end = fields.i64("end offset")?;
        let newest_sealed = match fields.u64("newest file")? {
            0 => None,
            file => Some(FileId::from_bits(file)),
        };
        let log = StoredLog {
            start,
            end,
            newest_sealed,
            skips_offsets: fields.u8("skips offsets")? != 0,
            segments: VirtualSegments::decode(&mut fields)?,
            epochs: LeaderEpochs::decode(&mut fields)?,
            producers: Producers::default(),
        };
        logs.insert(id, log);
    }
    Ok(logs)
}
