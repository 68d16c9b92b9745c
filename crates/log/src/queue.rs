//! What waits for the next commit: the frame that fills, the room there is for it, and why appends are
//! refused if they are. Filled by `Log::append` under its lock, emptied by the commit step. Knows no
//! file.
//!
//! Batches lie in the buffer in the order in which they came. Before they are written, small ones are
//! put in the order of their logs, so that each log has one run in the frame: an index entry and a
//! read for each, not for each batch.

use std::sync::Arc;

use protocol::batch;

use crate::footer;
use crate::frame::{self, FRAME_HEADER_BYTES, RUN_BEGINS_SEGMENT, RUN_SKIPS_OFFSETS, Run};
use crate::frame_buffer::FrameBuffer;
use crate::log::Log;
use crate::manifest_event::Event;
use crate::options::{AppendError, Durability, LogClass};
use crate::room::{NoRoom, Room};
use crate::wakers::Wakers;
use crate::writer::PREVIOUS_MAX;

#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) frame: PendingFrame,
    pub(crate) room: Room,
    /// Logs of the last frame, which the next one lists.
    pub(crate) previous_count: usize,
    /// The frame's times, taken with its first batch.
    pub(crate) wall_ms: i64,
    pub(crate) running_ms: u64,
    /// Why nothing is taken any more.
    pub(crate) refusal: Option<AppendError>,
    /// A frame that the disk did not take is being taken back.
    pub(crate) is_cutting: bool,
    /// How often that happened.
    pub(crate) cuts: u32,
    pub(crate) closing: bool,
    pub(crate) closed: bool,
    pub(crate) room_waiters: Arc<Wakers>,
    frame_bytes_max: usize,
}

/// A frame that has reached `frame_bytes_max` takes no more than fits into this many times as much.
const FRAME_HARD_FACTOR: usize = 2;
/// Batches of about this size on average are put in the order of their logs.
const ARRANGED_RUN_BYTES_MAX: usize = 16 << 10;

impl Queue {
    pub(crate) fn new(frame: PendingFrame, room: Room, frame_bytes_max: usize) -> Self {
        Self {
            frame,
            room,
            previous_count: 0,
            wall_ms: 0,
            running_ms: 0,
            refusal: None,
            is_cutting: false,
            cuts: 0,
            closing: false,
            closed: false,
            room_waiters: Arc::default(),
            frame_bytes_max,
        }
    }

    /// Whether the frame takes a batch of so many bytes.
    pub(crate) fn check(&self, bytes: usize, class: LogClass) -> Result<(), AppendError> {
        if let Some(refusal) = &self.refusal {
            return Err(refusal.clone());
        }
        let has_reached = self.frame.body_bytes() >= self.frame_bytes_max;
        let body_bytes = self.frame.body_bytes() + bytes;
        let is_crowded = has_reached && body_bytes > self.frame_bytes_max * FRAME_HARD_FACTOR;
        // The broker's own batches are few and small, and who waits for them cannot wait here.
        if self.is_cutting || (is_crowded && class == LogClass::User) {
            return Err(AppendError::Busy);
        }
        let runs = self.frame.runs.len() + 1;
        let needed = needed_bytes(body_bytes, runs, self.previous_count);
        match self.room.check(needed, class) {
            Ok(()) => Ok(()),
            Err(NoRoom::Full) => Err(AppendError::Full),
            // An empty frame that finds no room waits for the next file; another one is written first.
            Err(NoRoom::Wait) => Err(AppendError::Busy),
        }
    }

    /// Whether connections may go on to send.
    pub(crate) fn has_room(&self) -> bool {
        let accepts = self.frame.body_bytes() < self.frame_bytes_max && self.room.is_wide();
        self.refusal.is_some() || (accepts && !self.is_cutting)
    }

    pub(crate) fn is_due(&self, now_ms: i64) -> bool {
        self.closing || self.frame.is_due(now_ms, self.frame_bytes_max)
    }

    /// Bytes that the frame comes to, with what its runs add to the file's index.
    pub(crate) fn needed_bytes(&self) -> u64 {
        let frame = &self.frame;
        needed_bytes(frame.body_bytes(), frame.runs.len(), self.previous_count)
    }
}

/// With the closing frame that may follow it and list its logs.
fn needed_bytes(body_bytes: usize, runs: usize, previous: usize) -> u64 {
    let frame = frame::encoded_bytes(body_bytes, runs, previous);
    let closing = frame::encoded_bytes(0, 0, runs.min(PREVIOUS_MAX));
    (frame + closing + footer::entry_bytes(runs, runs)) as u64
}

/// Batches that wait for the next commit.
#[derive(Debug)]
pub(crate) struct PendingFrame {
    pub(crate) sequence: u64,
    /// Room for the frame's header, then the batches.
    pub(crate) buffer: FrameBuffer,
    /// Their checksums are filled in by [`Self::arrange`].
    pub(crate) runs: Vec<Run>,
    /// The log of each run.
    pub(crate) logs: Vec<Arc<Log>>,
    /// What the manifest's records in this frame say.
    pub(crate) events: Vec<Event>,
    /// Someone waits for the sync, not for an interval's end.
    pub(crate) wants_sync: bool,
    /// Someone waits for the write alone.
    pub(crate) wants_write: bool,
    /// When the first interval that someone waits for ends, on the monotonic clock.
    pub(crate) interval_end_ms: Option<i64>,
}

/// One batch on its way into the frame.
#[derive(Debug)]
pub(crate) struct NewBatch<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) base_offset: i64,
    pub(crate) offset_count: u32,
    pub(crate) max_timestamp: i64,
    pub(crate) leader_epoch: i32,
    pub(crate) begins_segment: bool,
    pub(crate) skips_offsets: bool,
}

impl PendingFrame {
    /// Built in `buffer`, whatever that held before.
    pub(crate) fn new(sequence: u64, mut buffer: FrameBuffer) -> Self {
        buffer.truncate(0);
        buffer.resize(FRAME_HEADER_BYTES);
        Self {
            sequence,
            buffer,
            runs: Vec::new(),
            logs: Vec::new(),
            events: Vec::new(),
            wants_sync: false,
            wants_write: false,
            interval_end_ms: None,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    pub(crate) fn body_bytes(&self) -> usize {
        self.buffer.len() - FRAME_HEADER_BYTES
    }

    /// Copies the batch and fills in what the broker gives: offset and epoch.
    pub(crate) fn push(&mut self, log: &Arc<Log>, new: &NewBatch<'_>) {
        let start = self.buffer.len();
        self.buffer.extend_from_slice(new.bytes);
        let stored = &mut self.buffer[start..];
        batch::set_base_offset(stored, new.base_offset);
        batch::set_partition_leader_epoch(stored, new.leader_epoch);
        let flags = match new.begins_segment {
            true => RUN_BEGINS_SEGMENT,
            false => 0,
        };
        let run = Run {
            log_id: log.id(),
            base_offset: new.base_offset,
            offset_count: new.offset_count,
            bytes: new.bytes.len() as u32,
            max_timestamp: new.max_timestamp,
            checksum: 0,
            batch_count: 1,
            flags: flags
                | if new.skips_offsets {
                    RUN_SKIPS_OFFSETS
                } else {
                    0
                },
        };
        if let Some(last) = self.runs.last_mut()
            && extends(last, &run)
        {
            extend(last, &run);
            return;
        }
        self.runs.push(run);
        self.logs.push(log.clone());
    }

    /// Notes for what this append's caller waits.
    pub(crate) fn wait_for(&mut self, durability: Durability, now_ms: impl FnOnce() -> i64) {
        match durability {
            Durability::Sync => self.wants_sync = true,
            Durability::Os => self.wants_write = true,
            Durability::IntervalMs(ms) if self.interval_end_ms.is_none() => {
                self.interval_end_ms = Some(now_ms() + i64::from(ms));
            }
            Durability::IntervalMs(ms) => {
                let end = now_ms() + i64::from(ms);
                self.interval_end_ms = self.interval_end_ms.map(|first| first.min(end));
            }
        }
    }

    /// Whether it is time to write.
    pub(crate) fn is_due(&self, now_ms: i64, frame_bytes_max: usize) -> bool {
        let interval_is_up = self.interval_end_ms.is_some_and(|end| now_ms >= end);
        let is_wanted = self.wants_sync || self.wants_write || interval_is_up;
        is_wanted || self.body_bytes() >= frame_bytes_max
    }

    /// The memory behind this frame, which is to be written with so many predecessors.
    pub(crate) fn split_rest(&mut self, previous: usize) -> FrameBuffer {
        let bytes = frame::encoded_bytes(self.body_bytes(), self.runs.len(), previous);
        self.buffer.split_rest(bytes)
    }

    /// Puts small batches in the order of their logs, and completes the runs.
    pub(crate) fn arrange(&mut self) {
        let mut order: Vec<u32> = (0..self.runs.len() as u32).collect();
        order.sort_by_key(|run| self.runs[*run as usize].log_id);
        let log_of = |run: &u32| self.runs[*run as usize].log_id;
        let logs = order.chunk_by(|a, b| log_of(a) == log_of(b)).count();
        let is_small = self.body_bytes() / self.runs.len().max(1) <= ARRANGED_RUN_BYTES_MAX;
        if logs < self.runs.len() && is_small {
            self.reorder(&order, logs);
        }
        let mut at = FRAME_HEADER_BYTES;
        for run in &mut self.runs {
            let end = at + run.bytes as usize;
            run.checksum = frame::run_checksum_of(&self.buffer[at..end]);
            at = end;
        }
    }

    fn reorder(&mut self, order: &[u32], logs_count: usize) {
        let batches = self.buffer[FRAME_HEADER_BYTES..].to_vec();
        let runs = std::mem::replace(&mut self.runs, Vec::with_capacity(logs_count));
        let logs = std::mem::replace(&mut self.logs, Vec::with_capacity(logs_count));
        let mut starts = Vec::with_capacity(runs.len());
        let mut at = 0;
        for run in &runs {
            starts.push(at);
            at += run.bytes as usize;
        }
        self.buffer.truncate(FRAME_HEADER_BYTES);
        for run in order.iter().map(|run| *run as usize) {
            let entry = runs[run];
            let bytes = &batches[starts[run]..starts[run] + entry.bytes as usize];
            self.buffer.extend_from_slice(bytes);
            match self.runs.last_mut() {
                Some(last) if extends(last, &entry) => extend(last, &entry),
                _ => {
                    self.runs.push(entry);
                    self.logs.push(logs[run].clone());
                }
            }
        }
    }
}

/// Whether `next` can become part of `run`, which its bytes follow.
fn extends(run: &Run, next: &Run) -> bool {
    run.log_id == next.log_id
        && run.end_offset() == next.base_offset
        && next.flags == 0
        && run.offset_count.checked_add(next.offset_count).is_some()
}

fn extend(run: &mut Run, next: &Run) {
    run.offset_count += next.offset_count;
    run.bytes += next.bytes;
    run.max_timestamp = run.max_timestamp.max(next.max_timestamp);
    run.batch_count += next.batch_count;
}
