//! Replaying the frames that count on top of a snapshot: brings every log to where they leave it, and
//! finds the holes. Changes nothing on the disk.
//!
//! Not obvious:
//! - A snapshot may hold more of a log than of another: batches below a log's end are skipped.
//! - Behind a hole the first frame names the logs of the one before it. Of a longer hole nobody knows
//!   which logs lost what: a log's next run shows how far it reached; a log without one leaves out
//!   2^32 offsets at its next append rather than risk giving one twice.

use std::collections::BTreeSet;

use protocol::batch::{BatchHeader, Batches};

use crate::chain::Chain;
use crate::checkpoint::{Checkpoint, StoredLog};
use crate::frame::{
    FRAME_HEADER_BYTES, Frame, FrameHeader, RUN_BEGINS_SEGMENT, RUN_SKIPS_OFFSETS, Run,
};
use crate::manifest::FileSize;
use crate::manifest_event::{Event, Hole};
use crate::options::LogId;
use crate::producers::{self, Producers};
use crate::recover::OpenError;
use crate::roll::Arrival;
use crate::scan::{FoundFrame, ScannedFile, Scanner};
use crate::writer::{self, PREVIOUS_MAX};
use crate::{MANIFEST_LOG, METADATA_LOG};

/// Most that a manifest batch's records take: they are never compressed.
const EVENTS_BYTES_MAX: usize = 1 << 24;

/// The journal as the frames that count leave it.
#[derive(Debug)]
pub(crate) struct Replay<'a> {
    scanner: &'a Scanner<'a>,
    pub(crate) state: Checkpoint,
    /// Everything up to here may be in the snapshot already.
    base_sequence: u64,
    producers_max: usize,
    pub(crate) holes: Vec<Hole>,
    /// The last frame that counts, or that a hole took.
    pub(crate) last_sequence: u64,
    pub(crate) last_header: Option<FrameHeader>,
    pub(crate) previous: Vec<(LogId, i64)>,
    pub(crate) frames: u64,
    /// Logs that may have lost their end in a hole.
    in_hole: BTreeSet<LogId>,
    had_long_hole: bool,
}

impl<'a> Replay<'a> {
    pub(crate) fn new(
        scanner: &'a Scanner<'a>,
        state: Checkpoint,
        base_sequence: u64,
        producers_max: usize,
    ) -> Self {
        Self {
            scanner,
            last_sequence: state.first_sequence.saturating_sub(1),
            had_long_hole: state.unseen_logs_skip,
            state,
            base_sequence,
            producers_max,
            holes: Vec::new(),
            last_header: None,
            previous: Vec::new(),
            frames: 0,
            in_hole: BTreeSet::new(),
        }
    }

    /// Replays the chain up to its torn tail, which is dropped from it.
    pub(crate) fn run(&mut self, chain: &mut Chain) -> Result<(), OpenError> {
        let kept = chain.kept;
        let mut is_torn = false;
        for file in &mut chain.files {
            let mut frames = std::mem::take(&mut file.frames);
            let mut counted = 0;
            for at in 0..frames.len() {
                let sequence = frames[at].sequence();
                // The last frame that a hole took must itself be one to keep, else all is torn.
                is_torn |= sequence > self.last_sequence + 1 && sequence - 1 > kept;
                if is_torn {
                    break;
                }
                if sequence <= self.last_sequence {
                    let last = self.last_sequence;
                    return Err(damaged(
                        file,
                        format!("frame {sequence} comes after {last}"),
                    ));
                }
                let Some(bytes) = self.body(file, &frames[at])? else {
                    continue;
                };
                if sequence > self.last_sequence + 1 {
                    self.hole(file, sequence - 1, &frames[at].frame)?;
                }
                self.apply(file, &mut frames[at].frame, &bytes)?;
                frames.swap(counted, at);
                counted += 1;
            }
            frames.truncate(counted);
            file.frames = frames;
        }
        if self.last_sequence < kept {
            self.lost_end(chain)?;
        }
        for log in &self.in_hole {
            if let Some(log) = self.state.logs.get_mut(log) {
                log.skips_offsets = true;
            }
        }
        Ok(())
    }

    /// The frame's bytes if they are needed, else none of them; `None` if they are bad.
    fn body(&self, file: &ScannedFile, found: &FoundFrame) -> Result<Option<Vec<u8>>, OpenError> {
        let is_known = |run: &Run| match self.state.logs.get(&run.log_id) {
            Some(log) => run.end_offset() <= log.end,
            None => self.was_deleted(run.log_id, found.sequence()),
        };
        if found.sequence() <= self.base_sequence && found.frame.runs.iter().all(is_known) {
            return Ok(Some(Vec::new()));
        }
        self.scanner.body(&*file.file, found)
    }

    /// Whether a log that nobody knows is one that the snapshot has no more, and not a new one.
    fn was_deleted(&self, log: LogId, sequence: u64) -> bool {
        sequence < self.state.known_below || self.state.books.deleted.contains_key(&log)
    }

    fn apply(
        &mut self,
        file: &ScannedFile,
        frame: &mut Frame,
        bytes: &[u8],
    ) -> Result<(), OpenError> {
        let header = frame.header;
        let mut at = FRAME_HEADER_BYTES;
        for run in &mut frame.runs {
            let end = at + run.bytes as usize;
            if let Some(bytes) = bytes.get(at..end) {
                let applied = self.apply_run(&header, run, bytes);
                applied.map_err(|what| damaged(file, what))?;
            }
            at = end;
        }
        self.frames += 1;
        self.last_sequence = header.sequence;
        self.last_header = Some(header);
        if !frame.runs.is_empty() {
            self.previous = writer::ends_of(&frame.runs);
        }
        Ok(())
    }

    fn apply_run(
        &mut self,
        header: &FrameHeader,
        run: &mut Run,
        bytes: &[u8],
    ) -> Result<(), String> {
        let id = run.log_id;
        let is_new = !self.state.logs.contains_key(&id);
        let may_be_known = header.sequence <= self.base_sequence;
        if is_new && self.was_deleted(id, header.sequence) {
            return Ok(());
        }
        let log = self.state.logs.entry(id).or_default();
        let skips = run.flags & RUN_SKIPS_OFFSETS != 0;
        let was_lost = self.in_hole.remove(&id) || (is_new && self.had_long_hole);
        if run.base_offset > log.end && (skips || was_lost) {
            run.flags |= RUN_SKIPS_OFFSETS;
            log.end = run.base_offset;
        }
        // Rule 3: a journal frame never carries anything but what comes next.
        let fits = match may_be_known {
            true => run.base_offset <= log.end,
            false => run.base_offset == log.end,
        };
        if !fits {
            return Err(format!(
                "log {id} goes on at offset {} after {}",
                run.base_offset, log.end
            ));
        }
        log.skips_offsets = false;
        let applied_from = log.end;
        for batch in Batches::new(bytes).map_while(Result::ok) {
            log.append(header, run, batch.header(), self.producers_max);
        }
        if log.end < run.end_offset() {
            return Err(format!("log {id} has less in a run than its table says"));
        }
        if id == MANIFEST_LOG {
            self.apply_events(header.sequence, applied_from, bytes)?;
        }
        Ok(())
    }

    fn apply_events(&mut self, sequence: u64, from: i64, bytes: &[u8]) -> Result<(), String> {
        let from = from.max(self.state.books.applied);
        for batch in Batches::new(bytes).map_while(Result::ok) {
            if batch.header().base_offset < from {
                continue;
            }
            let mut scratch = Vec::new();
            let records = batch.records(EVENTS_BYTES_MAX, &mut scratch);
            for record in records.map_err(|error| error.to_string())? {
                let record = record.map_err(|error| error.to_string())?;
                let event = Event::decode(record.value.unwrap_or_default());
                let event = event.map_err(|error| error.to_string())?;
                self.apply_event(sequence, &event)?;
            }
            self.state.books.applied = batch.header().next_offset();
        }
        Ok(())
    }

    fn apply_event(&mut self, sequence: u64, event: &Event) -> Result<(), String> {
        match event {
            Event::LogStartMoved {
                log_id,
                start_offset,
            } => {
                if let Some(log) = self.state.logs.get_mut(log_id) {
                    log.move_start(*start_offset);
                }
            }
            Event::LogDeleted { log_id } => {
                if let Some(log) = self.state.logs.remove(log_id) {
                    self.state
                        .books
                        .delete_log(*log_id, log.end, log.newest_sealed);
                }
            }
            _ => {}
        }
        // Sizes of merged segments are looked up once all is replayed.
        let size = |_| FileSize::default();
        let applied = self.state.books.apply_to_files(event, sequence, size);
        applied.map_err(|error| error.to_string())
    }

    /// The frames from the last one that counts to `last` are lost; `next` comes behind them.
    fn hole(&mut self, file: &ScannedFile, last: u64, next: &Frame) -> Result<(), OpenError> {
        let first = self.last_sequence + 1;
        if first == last && first == next.header.cut_sequence + 1 {
            // An epoch's first frame holds nothing.
            self.last_sequence = last;
            return Ok(());
        }
        self.note_hole(file, last);
        let ends = [
            (MANIFEST_LOG, next.header.manifest_end),
            (METADATA_LOG, next.header.metadata_end),
        ];
        for (id, end) in ends {
            let run = next.runs.iter().find(|run| run.log_id == id);
            let end_before = run.map_or(end, |run| run.base_offset);
            let known = self.state.logs.get(&id).map_or(0, |log| log.end);
            if end_before > known {
                let what = format!(
                    "offsets {known} to {} of log {id} are lost, without which nothing can be served",
                    end_before - 1
                );
                return Err(damaged(file, what));
            }
        }
        if last <= self.base_sequence {
            // The snapshot knows all ends.
            return Ok(());
        }
        for (id, end) in &next.previous {
            let log = self.state.logs.entry(*id).or_default();
            if *end > log.end {
                log.end = *end;
                log.producers = Producers::default();
            }
        }
        if first < last || next.previous.len() >= PREVIOUS_MAX {
            self.had_long_hole = true;
            self.state.unseen_logs_skip = true;
            for (id, log) in &mut self.state.logs {
                log.producers = Producers::default();
                if *id > METADATA_LOG {
                    self.in_hole.insert(*id);
                }
            }
        }
        Ok(())
    }

    fn note_hole(&mut self, file: &ScannedFile, last: u64) {
        let hole = Hole {
            file: file.id(),
            first_sequence: self.last_sequence + 1,
            last_sequence: last,
        };
        tracing::error!(file = %hole.file, first = hole.first_sequence, last, "frames are damaged: what they held is lost");
        self.holes.push(hole);
        self.last_sequence = last;
    }

    /// Nothing follows what is lost. What the snapshot knows is safe; else nobody can tell whether
    /// the metadata is among it.
    fn lost_end(&mut self, chain: &Chain) -> Result<(), OpenError> {
        let (last, first) = (chain.kept, self.last_sequence + 1);
        let Some(file) = chain.files.last().or(chain.uncounted.last()) else {
            return Err(OpenError::Damaged {
                file: "the data folder".to_owned(),
                what: format!("frames {first} to {last} are missing"),
            });
        };
        if last > self.base_sequence {
            let what = format!("frames {first} to {last} cannot be read, and nothing follows them");
            return Err(damaged(file, what));
        }
        self.note_hole(file, last);
        Ok(())
    }
}

impl StoredLog {
    fn append(&mut self, header: &FrameHeader, run: &Run, batch: &BatchHeader, producers: usize) {
        if batch.base_offset < self.end {
            return;
        }
        let arrival = Arrival {
            base_offset: batch.base_offset,
            last_offset: batch.last_offset(),
            bytes: batch.size() as u64,
            max_timestamp: batch.max_timestamp,
            append_time_ms: header.append_time_ms,
            running_ms: header.running_ms,
        };
        let is_first = batch.base_offset == run.base_offset;
        let begins_segment = is_first && run.flags & RUN_BEGINS_SEGMENT != 0;
        self.segments.append(&arrival, begins_segment);
        self.epochs
            .append(batch.partition_leader_epoch, batch.base_offset);
        let appended = producers::Appended {
            header: batch,
            base_offset: batch.base_offset,
            // Durable before anyone is served.
            frame_sequence: 0,
            running_ms: header.running_ms,
        };
        self.producers.record(&appended, producers);
        self.end = batch.next_offset();
    }

    fn move_start(&mut self, start: i64) {
        self.start = self.start.max(start);
        self.segments.drop_below(self.start, self.end);
        self.epochs.drop_below(self.start);
    }
}

fn damaged(file: &ScannedFile, what: String) -> OpenError {
    OpenError::Damaged {
        file: file.id().name(),
        what,
    }
}
