//! The rules a batch must keep before a broker takes it, in the order a produce handler asks them:
//! `Batch::single`, `check_crc`, [`check_client_header`], [`walk_records`]. Each error knows its code.

use crate::batch::{Batch, BatchHeader, MAGIC, TimestampType};
use crate::batch::{HEADER_LEN, NO_TIMESTAMP};
use crate::compression::DecompressError;
use crate::error::ErrorCode;
use crate::record::{RecordError, Records};

/// Why bytes are not a batch, or not one that may be appended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    #[error("the batch takes {size} bytes, of which {available} are there")]
    Truncated { size: usize, available: usize },
    #[error("the batch length {length} is less than a header, {HEADER_LEN} bytes")]
    Length { length: i32 },
    #[error("the batch is of format version {magic}, only version {MAGIC} is taken")]
    Magic { magic: i8 },
    #[error("{bytes_behind} bytes follow the one batch allowed per partition")]
    NotSingle { bytes_behind: usize },
    #[error("the stored CRC is {stored:08x}, the bytes have {computed:08x}")]
    Crc { stored: u32, computed: u32 },
    #[error("the batch names the unknown codec {id}")]
    Codec { id: u8 },
    #[error("the base offset is {base_offset}, a producer must send 0")]
    BaseOffset { base_offset: i64 },
    #[error("{record_count} records do not fit the last offset delta {last_offset_delta}")]
    Count {
        record_count: i32,
        last_offset_delta: i32,
    },
    #[error("only the broker writes control batches")]
    Control,
    #[error("only the broker sets a delete horizon")]
    DeleteHorizon,
    #[error("only the broker sets the timestamp type LogAppendTime")]
    LogAppendTime,
    #[error("producer id {producer_id} comes with base sequence {base_sequence}")]
    Sequence {
        producer_id: i64,
        base_sequence: i32,
    },
    #[error("producer id {producer_id} comes with epoch {producer_epoch}")]
    ProducerEpoch {
        producer_id: i64,
        producer_epoch: i16,
    },
    #[error("a transactional batch needs a producer id")]
    NoProducerId,
    #[error(transparent)]
    Decompress(#[from] DecompressError),
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error("record {index} has the offset delta {offset_delta}")]
    OffsetDelta { index: i32, offset_delta: i64 },
    #[error("{bytes_behind} bytes follow the last record")]
    BytesBehindRecords { bytes_behind: usize },
}

impl BatchError {
    /// The code a producer is answered with.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Length { .. } | Self::Crc { .. } => ErrorCode::CorruptMessage,
            // The old formats are whole but no longer taken; any other number is damage.
            Self::Magic { magic: 0 | 1 } => ErrorCode::InvalidRecord,
            Self::Magic { .. } => ErrorCode::CorruptMessage,
            Self::Codec { .. } => ErrorCode::UnsupportedCompressionType,
            Self::LogAppendTime => ErrorCode::InvalidTimestamp,
            Self::Decompress(DecompressError::TooLarge { .. }) => ErrorCode::MessageTooLarge,
            Self::Truncated { .. }
            | Self::NotSingle { .. }
            | Self::BaseOffset { .. }
            | Self::Count { .. }
            | Self::Control
            | Self::DeleteHorizon
            | Self::Sequence { .. }
            | Self::ProducerEpoch { .. }
            | Self::NoProducerId
            | Self::Decompress(DecompressError::Corrupt { .. })
            | Self::Record(_)
            | Self::OffsetDelta { .. }
            | Self::BytesBehindRecords { .. } => ErrorCode::InvalidRecord,
        }
    }
}

/// All that can be judged without looking at the records: one whole batch, its CRC, its header.
#[inline]
pub fn check_client_batch(bytes: &[u8]) -> Result<Batch<'_>, BatchError> {
    let batch = Batch::single(bytes)?;
    batch.check_crc()?;
    check_client_header(batch.header())?;
    Ok(batch)
}

/// The header rules for a batch that comes from a producer.
#[inline]
pub fn check_client_header(header: &BatchHeader) -> Result<(), BatchError> {
    let &BatchHeader {
        base_offset,
        record_count,
        last_offset_delta,
        ..
    } = header;
    if base_offset != 0 {
        return Err(BatchError::BaseOffset { base_offset });
    }
    if record_count <= 0 || record_count - 1 != last_offset_delta {
        return Err(BatchError::Count {
            record_count,
            last_offset_delta,
        });
    }
    header.codec()?;
    if header.is_control() {
        return Err(BatchError::Control);
    }
    if header.delete_horizon_ms().is_some() {
        return Err(BatchError::DeleteHorizon);
    }
    if header.timestamp_type() == TimestampType::LogAppendTime {
        return Err(BatchError::LogAppendTime);
    }
    check_producer(header)
}

fn check_producer(header: &BatchHeader) -> Result<(), BatchError> {
    let &BatchHeader {
        producer_id,
        producer_epoch,
        base_sequence,
        ..
    } = header;
    if !header.has_producer_id() {
        return match header.is_transactional() {
            true => Err(BatchError::NoProducerId),
            false => Ok(()),
        };
    }
    if base_sequence < 0 {
        return Err(BatchError::Sequence {
            producer_id,
            base_sequence,
        });
    }
    if producer_epoch < 0 {
        return Err(BatchError::ProducerEpoch {
            producer_id,
            producer_epoch,
        });
    }
    Ok(())
}

/// What a walk over a batch's records found. If a count or a time breaks a topic's rule, read the
/// records again to name the offenders: the hot path keeps no lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordsSummary {
    /// The latest timestamp, [`NO_TIMESTAMP`] if no record has one.
    pub max_timestamp: i64,
    /// The earliest timestamp of the records that have one, [`NO_TIMESTAMP`] if none has.
    pub min_timestamp: i64,
    pub null_keys: i32,
}

/// Walks the uncompressed records of a batch: every length within its bounds, offset deltas 0, 1, 2,
/// as many records as the header says and nothing behind them. Skips keys, values and headers.
#[inline]
pub fn walk_records(header: &BatchHeader, records: &[u8]) -> Result<RecordsSummary, BatchError> {
    let mut max_timestamp = NO_TIMESTAMP;
    let mut min_timestamp = i64::MAX;
    let mut null_keys = 0;
    let mut records = Records::new(header, records);
    for (index, record) in (0..).zip(records.by_ref()) {
        let record = record?;
        let offset_delta = record.offset.wrapping_sub(header.base_offset);
        if offset_delta != i64::from(index) {
            return Err(BatchError::OffsetDelta {
                index,
                offset_delta,
            });
        }
        max_timestamp = max_timestamp.max(record.timestamp);
        if record.timestamp != NO_TIMESTAMP {
            min_timestamp = min_timestamp.min(record.timestamp);
        }
        null_keys += i32::from(record.key.is_none());
    }
    match records.remaining() {
        [] => Ok(RecordsSummary {
            max_timestamp,
            min_timestamp: if min_timestamp == i64::MAX {
                NO_TIMESTAMP
            } else {
                min_timestamp
            },
            null_keys,
        }),
        behind => Err(BatchError::BytesBehindRecords {
            bytes_behind: behind.len(),
        }),
    }
}

#[cfg(test)]
#[path = "validate_tests.rs"]
mod tests;
