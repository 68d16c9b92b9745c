//! The view of one log: its offsets, its producers, its segments; appending to the journal's queue and reading back. What a partition
//! is to the journal. Handed out by `Journal::open_log`.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Weak};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use parking_lot::Mutex;
use protocol::batch::{BatchHeader, HEADER_LEN};

use crate::epochs::LeaderEpochs;
use crate::journal::Journal;
use crate::producers::{self, ProducerError, ProducerView, Producers, Verdict};
use crate::queue::NewBatch;
use crate::roll::{Arrival, RollLimits, VirtualSegments};

pub type LogId = u64;

/// When an append counts as acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    Sync,
    /// With the next of the syncs that happen once an interval.
    IntervalMs(u32),
    /// When it is written to the page cache.
    Os,
}

/// What a log is for: decides what a full disk still takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogClass {
    User,
    Internal,
    Metadata,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogConfig {
    pub durability: Durability,
    pub class: LogClass,
    pub segment_bytes: i64,
    pub segment_ms: i64,
    /// −1 keeps for ever.
    pub retention_ms: i64,
    pub retention_bytes: i64,
    /// Whether retention applies at all.
    pub deletes: bool,
}

/// What an append waits for: a frame to be written or durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    pub(crate) sequence: u64,
    pub(crate) durable: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppendOptions {
    pub leader_epoch: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Appended {
    pub base_offset: i64,
    pub last_offset: i64,
    pub log_start_offset: i64,
    /// The batch was there already; nothing was appended.
    pub duplicate: bool,
    pub ticket: Ticket,
}

/// Why a batch is not appended. Nothing of it is in the log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
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
    #[error("the batch of {bytes} bytes does not fit a frame of {limit} bytes")]
    TooLarge { bytes: usize, limit: usize },
    #[error(
        "the disk is full: delete topics, shorten their retention or give the volume more room"
    )]
    Full,
    #[error("the journal waits for its next file; try again")]
    Busy,
    #[error(
        "the journal is read-only after a failed write ({reason}): check the disk, then restart the broker"
    )]
    Failed { reason: String },
    #[error("the log is deleted")]
    Deleted,
}

impl From<ProducerError> for AppendError {
    fn from(error: ProducerError) -> Self {
        match error {
            ProducerError::OutOfOrderSequence {
                producer_id,
                expected,
                got,
            } => Self::OutOfOrderSequence {
                producer_id,
                expected,
                got,
            },
            ProducerError::InvalidProducerEpoch {
                producer_id,
                current,
                got,
            } => Self::InvalidProducerEpoch {
                producer_id,
                current,
                got,
            },
        }
    }
}

/// An appended batch that will not be acknowledged. Whether it survives, the next start decides.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the journal could not make the batch durable: {reason}")]
pub struct CommitError {
    pub reason: String,
}

#[derive(Clone, Debug, thiserror::Error)]
pub enum ReadError {
    #[error("offset {offset} is outside the log, which goes from {start} to {end}")]
    OutOfRange { offset: i64, start: i64, end: i64 },
    #[error(
        "{file} is damaged: offsets {first_offset} to {last_offset} of log {log_id} cannot be read"
    )]
    Damaged {
        file: String,
        log_id: LogId,
        first_offset: i64,
        last_offset: i64,
    },
    #[error("the log is deleted")]
    Deleted,
    #[error("reading {file}: {reason}")]
    Io { file: String, reason: String },
}

/// Whole record batches.
#[derive(Clone, Debug)]
pub enum Chunk {
    Bytes(Bytes),
}

impl Chunk {
    pub fn into_bytes(self) -> Bytes {
        match self {
            Chunk::Bytes(bytes) => bytes,
        }
    }
}

pub struct Log {
    id: LogId,
    journal: Weak<Journal>,
    pub(crate) state: Mutex<LogState>,
    start: AtomicI64,
    end: AtomicI64,
    high_watermark: AtomicI64,
    deleted: AtomicBool,
    watchers: Mutex<Vec<Waker>>,
}

/// What changes with an append, in the order of offsets.
#[derive(Debug)]
pub(crate) struct LogState {
    pub(crate) config: LogConfig,
    pub(crate) segments: VirtualSegments,
    pub(crate) producers: Producers,
    pub(crate) epochs: LeaderEpochs,
}

impl Log {
    pub(crate) fn new(id: LogId, journal: Weak<Journal>, config: LogConfig) -> Self {
        Self {
            id,
            journal,
            state: Mutex::new(LogState {
                config,
                segments: VirtualSegments::default(),
                producers: Producers::default(),
                epochs: LeaderEpochs::default(),
            }),
            start: AtomicI64::new(0),
            end: AtomicI64::new(0),
            high_watermark: AtomicI64::new(0),
            deleted: AtomicBool::new(false),
            watchers: Mutex::new(Vec::new()),
        }
    }

    pub fn id(&self) -> LogId {
        self.id
    }

    pub fn start_offset(&self) -> i64 {
        self.start.load(Ordering::Acquire)
    }

    /// The offset that the next record gets.
    pub fn end_offset(&self) -> i64 {
        self.end.load(Ordering::Acquire)
    }

    /// Records below are acknowledged, and shown to consumers.
    pub fn high_watermark(&self) -> i64 {
        self.high_watermark.load(Ordering::Acquire)
    }

    pub fn is_deleted(&self) -> bool {
        self.deleted.load(Ordering::Acquire)
    }

    pub fn config(&self) -> LogConfig {
        self.state.lock().config
    }

    pub fn set_config(&self, config: LogConfig) {
        self.state.lock().config = config;
        if let Some(journal) = self.journal.upgrade() {
            journal.note_durability(config.durability);
        }
    }

    /// Bytes of batches, in whole segments.
    pub fn size_bytes(&self) -> i64 {
        i64::try_from(self.state.lock().segments.bytes()).unwrap_or(i64::MAX)
    }

    pub fn producers(&self) -> Vec<ProducerView> {
        self.state.lock().producers.describe().collect()
    }

    /// The largest epoch not above `epoch`, and where it ended.
    pub fn end_offset_for_epoch(&self, epoch: i32) -> Option<(i32, i64)> {
        self.state
            .lock()
            .epochs
            .end_of(epoch, self.high_watermark())
    }

    /// The leader epoch under which a record was appended.
    pub fn epoch_of(&self, offset: i64) -> Option<i32> {
        self.state.lock().epochs.epoch_of(offset)
    }

    pub fn latest_epoch(&self) -> Option<i32> {
        self.state.lock().epochs.latest()
    }

    /// Appends one record batch that the caller has validated. It is acknowledged when the ticket is.
    pub fn append(
        self: &Arc<Self>,
        bytes: &[u8],
        options: AppendOptions,
    ) -> Result<Appended, AppendError> {
        let journal = self.journal.upgrade().ok_or_else(closed)?;
        let limit = journal.batch_bytes_max();
        let header = bytes.first_chunk::<HEADER_LEN>().map(BatchHeader::decode);
        let Some(header) = header.filter(|_| bytes.len() <= limit) else {
            return Err(AppendError::TooLarge {
                bytes: bytes.len(),
                limit,
            });
        };
        let mut state = self.state.lock();
        if self.is_deleted() {
            return Err(AppendError::Deleted);
        }
        let durable = state.config.durability != Durability::Os;
        if let Verdict::Duplicate(stored) = state.producers.check(&header)? {
            return Ok(Appended {
                base_offset: stored.base_offset,
                last_offset: stored.last_offset,
                log_start_offset: self.start_offset(),
                duplicate: true,
                ticket: Ticket {
                    sequence: stored.frame_sequence,
                    durable,
                },
            });
        }
        let base_offset = self.end.load(Ordering::Relaxed);
        let next_offset = base_offset + i64::from(header.last_offset_delta) + 1;
        let mut queue = journal.lock_queue(state.config.class)?;
        let arrival = Arrival {
            base_offset,
            last_offset: next_offset - 1,
            bytes: bytes.len() as u64,
            max_timestamp: header.max_timestamp,
            append_time_ms: queue.wall_ms,
            running_ms: queue.running_ms,
        };
        let limits = RollLimits {
            segment_bytes: state.config.segment_bytes.unsigned_abs(),
            segment_ms: state.config.segment_ms.unsigned_abs(),
        };
        let begins_segment = state.segments.must_roll(&arrival, &limits);
        let sequence = queue.push(
            self,
            &NewBatch {
                bytes,
                base_offset,
                offset_count: (next_offset - base_offset) as u32,
                max_timestamp: header.max_timestamp,
                leader_epoch: options.leader_epoch,
                begins_segment,
            },
            state.config.durability,
        )?;
        // Before the commit step can take the frame: the high watermark must never pass the end.
        self.end.store(next_offset, Ordering::Release);
        drop(queue);
        state.segments.append(&arrival, begins_segment);
        state.epochs.append(options.leader_epoch, base_offset);
        let appended = producers::Appended {
            header: &header,
            base_offset,
            frame_sequence: sequence,
            running_ms: arrival.running_ms,
        };
        state
            .producers
            .record(&appended, journal.producers_per_log_max());
        drop(state);
        journal.wake_committer();
        Ok(Appended {
            base_offset,
            last_offset: next_offset - 1,
            log_start_offset: self.start_offset(),
            duplicate: false,
            ticket: Ticket { sequence, durable },
        })
    }

    /// Ready when the append behind `ticket` is acknowledged, or can no longer be.
    pub fn poll_committed(
        &self,
        ticket: &Ticket,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), CommitError>> {
        match self.journal.upgrade() {
            Some(journal) => journal.poll_committed(ticket, cx),
            None => Poll::Ready(Err(CommitError {
                reason: "the journal is closed".to_owned(),
            })),
        }
    }

    /// Wakes once when the high watermark or the start moves, or the log is deleted.
    pub fn watch_high_watermark(&self, waker: &Waker) {
        let mut watchers = self.watchers.lock();
        if !watchers.iter().any(|known| known.will_wake(waker)) {
            watchers.push(waker.clone());
        }
    }

    /// Whole batches from the one that holds `from` on, below `below`, up to `max_bytes`; the first whatever its size if
    /// `at_least_one`.
    pub fn read(
        &self,
        from: i64,
        below: i64,
        max_bytes: usize,
        at_least_one: bool,
    ) -> Result<Vec<Chunk>, ReadError> {
        if self.is_deleted() {
            return Err(ReadError::Deleted);
        }
        let (start, end) = (self.start_offset(), self.end_offset());
        if from < start || from > end {
            return Err(ReadError::OutOfRange {
                offset: from,
                start,
                end,
            });
        }
        let journal = self.journal.upgrade().ok_or(ReadError::Deleted)?;
        journal.read(
            self.id,
            from,
            below.min(self.high_watermark()),
            max_bytes,
            at_least_one,
        )
    }

    /// The first record at or after `timestamp` below `below`: its timestamp and offset.
    pub fn offset_for_timestamp(
        &self,
        timestamp: i64,
        below: i64,
    ) -> Result<Option<(i64, i64)>, ReadError> {
        let journal = self.journal.upgrade().ok_or(ReadError::Deleted)?;
        journal
            .store
            .offset_for_timestamp(self.id, self.start_offset(), timestamp, below)
    }

    /// The largest timestamp below `below` and the first offset that has it.
    pub fn max_timestamp(&self, below: i64) -> Result<Option<(i64, i64)>, ReadError> {
        let journal = self.journal.upgrade().ok_or(ReadError::Deleted)?;
        journal
            .store
            .max_timestamp(self.id, self.start_offset(), below)
    }

    /// Moves what the recovered or written journal says of this log into view.
    pub(crate) fn replay_end(&self, end: i64) {
        self.end.store(end, Ordering::Release);
        self.high_watermark.store(end, Ordering::Release);
    }

    /// Shows records below `end`; whoever watches is to be woken.
    pub(crate) fn acknowledge(&self, end: i64, wake: &mut Vec<Waker>) {
        self.high_watermark.fetch_max(end, Ordering::AcqRel);
        self.take_watchers(wake);
    }

    pub(crate) fn take_watchers(&self, wake: &mut Vec<Waker>) {
        wake.append(&mut self.watchers.lock());
    }

    pub(crate) fn mark_deleted(&self) {
        self.deleted.store(true, Ordering::Release);
        let mut wake = Vec::new();
        self.take_watchers(&mut wake);
        wake.into_iter().for_each(Waker::wake);
    }
}

fn closed() -> AppendError {
    AppendError::Failed {
        reason: "the journal is closed".to_owned(),
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log")
            .field("id", &self.id)
            .field("start", &self.start)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}
