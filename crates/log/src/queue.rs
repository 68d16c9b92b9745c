//! The frame that fills while the last one is written: appended batches, copied once, with the runs they form. Filled by `Log::append`
//! under the queue's lock, taken whole by the commit step. Pure: it knows no file.

use std::sync::Arc;

use protocol::batch;

use crate::frame::{self, FRAME_HEADER_BYTES, RUN_BEGINS_SEGMENT, Run};
use crate::log::{Durability, Log};

/// Batches that wait for the next commit.
#[derive(Debug)]
pub(crate) struct PendingFrame {
    pub(crate) sequence: u64,
    /// Room for the frame's header, then the batches.
    pub(crate) buffer: Vec<u8>,
    pub(crate) runs: Vec<Run>,
    /// The log of each run.
    pub(crate) logs: Vec<Arc<Log>>,
    /// Someone waits for the sync, not for an interval's end.
    pub(crate) wants_sync: bool,
    /// Someone waits for the write alone.
    pub(crate) wants_write: bool,
    /// When the first interval that someone waits for ends, on the monotonic clock.
    pub(crate) interval_end_ms: Option<i64>,
}

/// One batch on its way into the frame.
pub(crate) struct NewBatch<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) base_offset: i64,
    pub(crate) offset_count: u32,
    pub(crate) max_timestamp: i64,
    pub(crate) leader_epoch: i32,
    pub(crate) begins_segment: bool,
}

impl PendingFrame {
    pub(crate) fn new(sequence: u64, capacity: usize) -> Self {
        let mut buffer = Vec::with_capacity(capacity.max(FRAME_HEADER_BYTES));
        buffer.resize(FRAME_HEADER_BYTES, 0);
        Self {
            sequence,
            buffer,
            runs: Vec::new(),
            logs: Vec::new(),
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
        let bytes = new.bytes.len() as u32;
        if let Some(last) = self.runs.last_mut()
            && last.log_id == log.id()
            && !new.begins_segment
        {
            last.offset_count += new.offset_count;
            last.bytes += bytes;
            last.max_timestamp = last.max_timestamp.max(new.max_timestamp);
            last.checksum = frame::run_checksum(last.checksum, stored);
            last.batch_count += 1;
            return;
        }
        self.runs.push(Run {
            log_id: log.id(),
            base_offset: new.base_offset,
            offset_count: new.offset_count,
            bytes,
            max_timestamp: new.max_timestamp,
            checksum: frame::run_checksum(0, stored),
            batch_count: 1,
            flags: if new.begins_segment {
                RUN_BEGINS_SEGMENT
            } else {
                0
            },
        });
        self.logs.push(log.clone());
    }

    /// Notes for what this append's caller waits.
    pub(crate) fn wait_for(&mut self, durability: Durability, now_ms: i64) {
        match durability {
            Durability::Sync => self.wants_sync = true,
            Durability::Os => self.wants_write = true,
            Durability::IntervalMs(ms) => {
                let end = now_ms + i64::from(ms);
                self.interval_end_ms =
                    Some(self.interval_end_ms.map_or(end, |first| first.min(end)));
            }
        }
    }

    /// Whether it is time to write.
    pub(crate) fn is_due(&self, now_ms: i64, frame_bytes_max: usize) -> bool {
        !self.is_empty()
            && (self.wants_sync
                || self.wants_write
                || self.body_bytes() >= frame_bytes_max
                || self.interval_end_ms.is_some_and(|end| now_ms >= end))
    }
}
