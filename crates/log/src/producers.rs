//! What one log remembers of its idempotent producers: the last batches of each, so that a batch sent
//! again is answered and not appended, and the sequence that must come next. Pure; the log view asks
//! [`Producers::check`] before it gives offsets, and [`Producers::record`]s what it appended.
//!
//! Not obvious:
//! - A duplicate may be of a batch that is not durable yet. Its [`StoredBatch`] names the frame that
//!   carries it, and the answer waits for that frame.
//! - A frame that a full disk refused takes its batches back ([`Producers::cut`]). What the producer
//!   had before them must come back too, even if they pushed everything else out of the five kept,
//!   or the next batch in the pipe would pass for the first of an unknown producer.

use std::collections::BTreeMap;

use protocol::batch::{BatchHeader, NO_SEQUENCE, add_to_sequence};

use crate::fields::{Fields, Truncated};

/// Batches remembered per producer; clients keep at most this many requests in flight.
pub const BATCHES_KEPT: usize = 5;

/// Frames that can be unwritten at once: the one being written and the one that fills.
const FRAMES_UNWRITTEN: usize = 2;

/// Producers of one log.
#[derive(Clone, Debug, Default)]
pub struct Producers {
    by_id: BTreeMap<i64, Producer>,
}

#[derive(Clone, Debug)]
struct Producer {
    epoch: i16,
    last_sequence: i32,
    last_running_ms: u64,
    /// Oldest first, all of `epoch`, at most [`BATCHES_KEPT`].
    batches: Vec<StoredBatch>,
    /// The state before each of the newest frames that carry this producer, older frame first.
    before: [Option<Before>; FRAMES_UNWRITTEN],
}

#[derive(Clone, Copy, Debug)]
struct Before {
    frame_sequence: u64,
    /// Epoch and last sequence; `None` if the frame holds the producer's first batch.
    state: Option<(i16, i32)>,
}

/// A batch that is in the log, or on its way there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredBatch {
    pub base_sequence: i32,
    pub last_sequence: i32,
    pub base_offset: i64,
    pub last_offset: i64,
    /// The batch's max timestamp, which is the append time under LogAppendTime.
    pub timestamp: i64,
    /// The frame that makes the batch durable; 0 for a batch that a snapshot brought.
    pub frame_sequence: u64,
}

/// What to do with a batch that passed its checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Append,
    /// Append nothing; answer with the stored offsets once the stored batch's frame is durable.
    Duplicate(StoredBatch),
}

/// Why a batch is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProducerError {
    #[error("producer {producer_id} sent sequence {got}, expected is {expected}")]
    OutOfOrderSequence {
        producer_id: i64,
        expected: i32,
        got: i32,
    },
    #[error("producer {producer_id} has epoch {got}, a newer one ({current}) has written")]
    InvalidProducerEpoch {
        producer_id: i64,
        current: i16,
        got: i16,
    },
}

/// A batch together with the place it was given.
#[derive(Clone, Copy, Debug)]
pub struct Appended<'a> {
    /// The header as sent; its own base offset is not read.
    pub header: &'a BatchHeader,
    pub base_offset: i64,
    pub frame_sequence: u64,
    pub running_ms: u64,
}

/// A producer as DescribeProducers shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProducerView {
    pub producer_id: i64,
    pub epoch: i16,
    pub last_sequence: i32,
    pub last_timestamp: i64,
}

impl Producers {
    /// Judges a batch that a client wants appended. Nothing is remembered until [`Producers::record`].
    pub fn check(&self, header: &BatchHeader) -> Result<Verdict, ProducerError> {
        if !header.has_producer_id() {
            return Ok(Verdict::Append);
        }
        match self.by_id.get(&header.producer_id) {
            // Nothing known, perhaps because it expired: any sequence may be next.
            None => Ok(Verdict::Append),
            Some(producer) => producer.check(header),
        }
    }

    /// Remembers a batch of the log: one just appended, or one read back at a start. If that makes
    /// more than `producers_max` producers, those longest idle are forgotten.
    pub fn record(&mut self, batch: &Appended<'_>, producers_max: usize) {
        let header = batch.header;
        if !header.has_producer_id() || header.is_control() {
            return;
        }
        if self.by_id.len() >= producers_max && !self.by_id.contains_key(&header.producer_id) {
            self.forget_longest_idle();
        }
        self.by_id
            .entry(header.producer_id)
            .or_insert_with(|| Producer::unknown(header.producer_epoch))
            .record(batch);
    }

    /// Takes back what the frames from `first_frame` on carried, because they were never written.
    pub fn cut(&mut self, first_frame: u64) {
        self.by_id.retain(|_, producer| producer.cut(first_frame));
    }

    /// Forgets producers that have been idle for longer than `expiration_ms`.
    pub fn expire(&mut self, now_running_ms: u64, expiration_ms: u64) {
        self.by_id.retain(|_, producer| {
            now_running_ms.saturating_sub(producer.last_running_ms) <= expiration_ms
        });
    }

    /// Forgets a sixteenth at once, so that a client that makes producer after producer does not
    /// cause a search for each.
    fn forget_longest_idle(&mut self) {
        let mut idle: Vec<(u64, i64)> = self
            .by_id
            .iter()
            .map(|(id, producer)| (producer.last_running_ms, *id))
            .collect();
        let count = idle.len() / 16 + 1;
        idle.sort_unstable();
        for (_, producer_id) in idle.into_iter().take(count) {
            self.by_id.remove(&producer_id);
        }
    }

    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// The producers by id.
    pub fn describe(&self) -> impl Iterator<Item = ProducerView> + '_ {
        self.by_id.iter().map(|(id, producer)| ProducerView {
            producer_id: *id,
            epoch: producer.epoch,
            last_sequence: producer.last_sequence,
            last_timestamp: producer.batches.last().map_or(-1, |batch| batch.timestamp),
        })
    }
}

impl Producer {
    fn unknown(epoch: i16) -> Self {
        Self {
            epoch,
            last_sequence: NO_SEQUENCE,
            last_running_ms: 0,
            batches: Vec::new(),
            before: [None; FRAMES_UNWRITTEN],
        }
    }

    fn check(&self, header: &BatchHeader) -> Result<Verdict, ProducerError> {
        if header.producer_epoch < self.epoch {
            return Err(ProducerError::InvalidProducerEpoch {
                producer_id: header.producer_id,
                current: self.epoch,
                got: header.producer_epoch,
            });
        }
        let is_new_epoch = header.producer_epoch > self.epoch;
        if !is_new_epoch && let Some(stored) = self.find(header) {
            return Ok(Verdict::Duplicate(*stored));
        }
        let expected = match is_new_epoch || self.last_sequence == NO_SEQUENCE {
            true => 0,
            false => add_to_sequence(self.last_sequence, 1),
        };
        if header.base_sequence != expected {
            return Err(ProducerError::OutOfOrderSequence {
                producer_id: header.producer_id,
                expected,
                got: header.base_sequence,
            });
        }
        Ok(Verdict::Append)
    }

    fn find(&self, header: &BatchHeader) -> Option<&StoredBatch> {
        let sequences = (header.base_sequence, header.last_sequence());
        self.batches
            .iter()
            .find(|batch| (batch.base_sequence, batch.last_sequence) == sequences)
    }

    fn record(&mut self, batch: &Appended<'_>) {
        let header = batch.header;
        self.remember_before(batch.frame_sequence);
        if header.producer_epoch != self.epoch {
            self.batches.clear();
            self.epoch = header.producer_epoch;
        }
        if self.batches.len() == BATCHES_KEPT {
            self.batches.remove(0);
        }
        // Most producers on a small broker send one batch or very many: one slot, then all five.
        let slots = if self.batches.is_empty() {
            1
        } else {
            BATCHES_KEPT
        };
        self.batches.reserve_exact(slots - self.batches.len());
        self.batches.push(StoredBatch {
            base_sequence: header.base_sequence,
            last_sequence: header.last_sequence(),
            base_offset: batch.base_offset,
            last_offset: batch
                .base_offset
                .saturating_add(i64::from(header.last_offset_delta)),
            timestamp: header.max_timestamp,
            frame_sequence: batch.frame_sequence,
        });
        self.last_sequence = header.last_sequence();
        self.last_running_ms = batch.running_ms;
    }

    fn remember_before(&mut self, frame_sequence: u64) {
        let [_, newest] = self.before;
        if newest.is_some_and(|newest| newest.frame_sequence == frame_sequence) {
            return;
        }
        let is_first = self.batches.is_empty() && self.last_sequence == NO_SEQUENCE;
        let state = (!is_first).then_some((self.epoch, self.last_sequence));
        self.before = [
            newest,
            Some(Before {
                frame_sequence,
                state,
            }),
        ];
    }

    /// False if nothing is left to remember.
    fn cut(&mut self, first_frame: u64) -> bool {
        let mut befores = self.before.into_iter().flatten();
        let Some(before) = befores.find(|before| before.frame_sequence >= first_frame) else {
            return true;
        };
        let Some((epoch, last_sequence)) = before.state else {
            return false;
        };
        self.before = self
            .before
            .map(|before| before.filter(|before| before.frame_sequence < first_frame));
        // Batches of an older epoch went when the cut one began; what is left is of `epoch`.
        self.batches
            .retain(|batch| batch.frame_sequence < first_frame);
        self.epoch = epoch;
        self.last_sequence = last_sequence;
        true
    }
}

/// Bytes of a producer in a snapshot without its batches, and of one batch.
const PRODUCER_BYTES: usize = 31;
const BATCH_BYTES: usize = 32;

/// The snapshot section of the producers of all logs.
pub fn encode_producers<'a>(logs: impl Iterator<Item = (u64, &'a Producers)>) -> Vec<u8> {
    let mut out = 0u64.to_le_bytes().to_vec();
    let mut count = 0u64;
    for (log_id, producers) in logs {
        for (producer_id, producer) in &producers.by_id {
            count += 1;
            out.extend(log_id.to_le_bytes());
            out.extend(producer_id.to_le_bytes());
            out.extend(producer.epoch.to_le_bytes());
            out.extend(producer.last_sequence.to_le_bytes());
            out.extend(producer.last_running_ms.to_le_bytes());
            out.push(producer.batches.len() as u8);
            for batch in &producer.batches {
                out.extend(batch.base_sequence.to_le_bytes());
                out.extend(batch.last_sequence.to_le_bytes());
                out.extend(batch.base_offset.to_le_bytes());
                out.extend(batch.last_offset.to_le_bytes());
                out.extend(batch.timestamp.to_le_bytes());
            }
        }
    }
    out[..8].copy_from_slice(&count.to_le_bytes());
    out
}

/// Reads [`encode_producers`]'s section back, by log id. Its batches are durable: snapshots are.
pub fn decode_producers(bytes: &[u8]) -> Result<BTreeMap<u64, Producers>, Truncated> {
    let mut fields = Fields::new(bytes);
    let count = fields.count_u64(PRODUCER_BYTES, "producer count")?;
    let mut logs: BTreeMap<u64, Producers> = BTreeMap::new();
    for _ in 0..count {
        let log_id = fields.u64("log id")?;
        let producer_id = fields.i64("producer id")?;
        let mut producer = Producer::unknown(fields.i16("producer epoch")?);
        producer.last_sequence = fields.i32("last sequence")?;
        producer.last_running_ms = fields.u64("last append")?;
        let batch_count = usize::from(fields.u8("batch count")?);
        if batch_count > BATCHES_KEPT || batch_count * BATCH_BYTES > fields.rest().len() {
            return Err(Truncated {
                field: "batch count",
            });
        }
        for _ in 0..batch_count {
            producer.batches.push(StoredBatch {
                base_sequence: fields.i32("base sequence")?,
                last_sequence: fields.i32("last sequence")?,
                base_offset: fields.i64("base offset")?,
                last_offset: fields.i64("last offset")?,
                timestamp: fields.i64("timestamp")?,
                frame_sequence: 0,
            });
        }
        let producers = logs.entry(log_id).or_default();
        producers.by_id.insert(producer_id, producer);
    }
    Ok(logs)
}

#[cfg(test)]
#[path = "producers_tests.rs"]
mod tests;
