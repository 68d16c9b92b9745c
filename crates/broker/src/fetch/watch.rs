//! What a parked fetch watches: its partitions' high watermarks, and how many bytes there are by now. A commit that wakes it costs a
//! look at what came since, not at everything again. Used by the fetch handler.

use std::sync::Arc;
use std::task::Waker;

use log::{Log, Registration};
use protocol::batch::HEADER_LEN;

use super::read::{Round, Target};

pub struct Watch<'a> {
    partitions: Vec<Watched<'a>>,
}

struct Watched<'a> {
    log: &'a Arc<Log>,
    registration: Registration,
    /// What was seen of the log: bytes from the fetch's offset up to the high watermark, no more than asked for.
    bytes: usize,
    bytes_max: usize,
    high_watermark: i64,
    start_offset: i64,
    fetch_offset: i64,
}

impl<'a> Watch<'a> {
    /// From what one look at the partitions found.
    pub fn new(targets: &'a [Target], round: &Round) -> Self {
        let watched =
            |(target, answer): (&'a Target, &protocol::messages::fetch::PartitionData)| {
                let log = target.log.as_ref().ok()?;
                Some(Watched {
                    log,
                    registration: log.watch_high_watermark(),
                    bytes: answer.records.as_ref().map_or(0, protocol::Records::len),
                    bytes_max: usize::try_from(target.wanted.max_bytes).unwrap_or(0),
                    high_watermark: answer.high_watermark,
                    start_offset: answer.log_start_offset,
                    fetch_offset: target.wanted.fetch_offset,
                })
            };
        Self {
            partitions: targets
                .iter()
                .zip(&round.answers)
                .filter_map(watched)
                .collect(),
        }
    }

    /// Wakes at the next change; who registers looks after it.
    pub fn register(&self, waker: &Waker) {
        for watched in &self.partitions {
            watched.registration.register(waker);
        }
    }

    /// Whether an answer may be ready: there are `min_bytes`, or something else happened than an append.
    pub fn is_worth_a_look(&mut self, min_bytes: usize) -> bool {
        let mut bytes: usize = self.partitions.iter().map(|watched| watched.bytes).sum();
        for watched in &mut self.partitions {
            bytes -= watched.bytes;
            let missing = min_bytes.saturating_sub(bytes + watched.bytes);
            if !watched.look(missing) {
                return true;
            }
            bytes += watched.bytes;
        }
        bytes >= min_bytes
    }
}

impl Watched<'_> {
    /// Adds what came since the last look. False if the log must be read to know, or is not what it was.
    fn look(&mut self, missing: usize) -> bool {
        if self.log.is_deleted() || self.log.start_offset() != self.start_offset {
            return false;
        }
        let from = self.high_watermark.max(self.fetch_offset);
        self.high_watermark = self.log.high_watermark();
        if from >= self.high_watermark || self.bytes >= self.bytes_max {
            return true;
        }
        // No batch is smaller.
        if missing <= HEADER_LEN {
            return false;
        }
        let left = self.bytes_max - self.bytes;
        let Ok(chunks) = self.log.read(from, self.high_watermark, left, true) else {
            return false;
        };
        let new: usize = chunks.iter().map(bytes::Bytes::len).sum();
        self.bytes = (self.bytes + new).min(self.bytes_max);
        true
    }
}
