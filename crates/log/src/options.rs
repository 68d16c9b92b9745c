//! What callers choose and are told: options of the journal and of each log, tickets, errors.

use parking_lot::Mutex;

use crate::producers::ProducerError;
use crate::roll::RetentionClock;

pub type LogId = u64;

/// What a journal is made with.
pub struct JournalOptions {
    pub file_bytes: u64,
    /// A frame that has so many bytes is written even if nobody is in a hurry.
    pub frame_bytes_max: usize,
    pub tail_cache_bytes: usize,
    pub footer_cache_bytes: usize,
    pub open_files_max: usize,
    pub producer_id_expiration_ms: u64,
    pub producers_per_log_max: usize,
    pub retention_clock: RetentionClock,
    /// How often retention is looked at.
    pub retention_check_interval_ms: u64,
    /// A snapshot is written when there is more to replay than this, and than eight times its size.
    pub snapshot_tail_bytes_min: u64,
    /// Gives each file its salt.
    pub salts: Mutex<Box<dyn FnMut() -> [u8; 16] + Send>>,
}

impl JournalOptions {
    pub fn new(salts: Box<dyn FnMut() -> [u8; 16] + Send>) -> Self {
        Self {
            file_bytes: 64 << 20,
            frame_bytes_max: 8 << 20,
            tail_cache_bytes: 64 << 20,
            footer_cache_bytes: 32 << 20,
            open_files_max: 256,
            producer_id_expiration_ms: 86_400_000,
            producers_per_log_max: 10_000,
            retention_clock: RetentionClock::Running,
            retention_check_interval_ms: 300_000,
            snapshot_tail_bytes_min: 64 << 20,
            salts: Mutex::new(salts),
        }
    }

    pub(crate) fn salt(&self) -> [u8; 16] {
        (self.salts.lock())()
    }
}

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

impl LogConfig {
    /// What a log is until the broker says how it wants it: kept.
    pub(crate) const UNCLAIMED: Self = Self {
        durability: Durability::Sync,
        class: LogClass::User,
        segment_bytes: i64::MAX,
        segment_ms: i64::MAX,
        retention_ms: -1,
        retention_bytes: -1,
        deletes: false,
    };
    /// The journal's own log.
    pub(crate) const MANIFEST: Self = Self {
        class: LogClass::Metadata,
        ..Self::UNCLAIMED
    };
}

/// What an append waits for: a frame to be written or durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    pub(crate) sequence: u64,
    pub(crate) durable: bool,
    /// How many frames a full disk had taken back when this one was given: sequences are used again.
    pub(crate) cuts: u32,
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
    #[error("the batch of {bytes} bytes does not fit a journal file, which takes {limit}")]
    TooLarge { bytes: usize, limit: usize },
    #[error(
        "the disk is full: delete topics, shorten their retention or give the volume more room"
    )]
    Full,
    #[error("the journal waits for the disk; try again")]
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
#[error("the journal could not keep the batch: {reason}")]
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
