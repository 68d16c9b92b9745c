//! From the batch that a producer sent to the one that is stored: judged by its topic's rules, stamped, and compressed anew where the
//! topic has a codec of its own. Called by the produce handler for each partition.
//!
//! A batch is looked into only where a rule asks for it; else its bytes are stored as they came.

use bytes::Bytes;
use protocol::batch::{self, Batch, NO_TIMESTAMP, TimestampType};
use protocol::batch_builder;
use protocol::compression::Codec;
use protocol::error::ErrorCode;
use protocol::validate;

use super::produce::Refused;
use crate::config::TopicOptions;
use crate::records;
use crate::runtime::HeavyWork;

/// First version that may carry zstd.
const ZSTD_VERSION: i16 = 7;
/// A record without key, value and headers.
const RECORD_BYTES_MIN: u64 = 7;
/// Records that are smaller than this many times their compressed size are taken on their word.
const EXPECTED_COMPRESSION_MAX: u64 = 8;

/// What a batch is judged by.
pub(super) struct Rules<'a> {
    pub(super) options: &'a TopicOptions,
    /// Of the request.
    pub(super) version: i16,
    pub(super) now_ms: i64,
    pub(super) heavy_work: &'a HeavyWork,
}

/// A batch as it is to be stored.
pub(super) struct Prepared {
    pub(super) bytes: Bytes,
    pub(super) records: i32,
    /// −1 unless the topic stamps its records itself.
    pub(super) log_append_time_ms: i64,
}

impl Rules<'_> {
    /// Judges a batch; patches what the rules give to the broker.
    pub(super) async fn prepare(&self, bytes: Bytes) -> Result<Prepared, Refused> {
        if bytes.is_empty() {
            return Err(Refused::new(
                ErrorCode::InvalidRecord,
                "a partition needs exactly one record batch",
            ));
        }
        let batch = Batch::single(&bytes)?;
        self.check_size(bytes.len())?;
        batch.check_crc()?;
        let header = batch.header();
        validate::check_client_header(header)?;
        if header.is_transactional() {
            return Err(Refused::new(
                ErrorCode::UnsupportedVersion,
                crate::broker::NO_TRANSACTIONS,
            ));
        }
        let codec = header.codec()?;
        if self.version < ZSTD_VERSION && codec == Codec::Zstd {
            return Err(Refused::new(
                ErrorCode::UnsupportedCompressionType,
                "zstd needs Produce version 7 or later",
            ));
        }
        let (records, sent_max_timestamp) = (header.record_count, header.max_timestamp);
        let (bytes, max_timestamp) = match self.options.codec() {
            Some(wanted) if wanted != codec => {
                let (bytes, found) = self
                    .heavy_work
                    .run(|| self.recompress(&batch, wanted))
                    .await?;
                (bytes, Some(found))
            }
            _ => {
                let found = self.check_records(&batch).await?;
                (bytes, found)
            }
        };
        if self.options.log_append_time() {
            return Ok(Prepared {
                bytes: restamped(&bytes, TimestampType::LogAppendTime, self.now_ms),
                records,
                log_append_time_ms: self.now_ms,
            });
        }
        // A producer that states another maximum than its records have would mislead searches by time.
        let bytes = match max_timestamp {
            Some(found) if found != sent_max_timestamp => {
                restamped(&bytes, TimestampType::CreateTime, found)
            }
            _ => bytes,
        };
        Ok(Prepared {
            bytes,
            records,
            log_append_time_ms: NO_TIMESTAMP,
        })
    }

    /// The batch under the topic's own codec, and the largest timestamp of its records. Its size counts again, as it is stored.
    fn recompress(&self, batch: &Batch<'_>, wanted: Codec) -> Result<(Bytes, i64), Refused> {
        let header = batch.header();
        let inflated;
        let payload = match header.codec()? {
            Codec::None => batch.payload(),
            _ => {
                inflated = records::inflate(batch, self.options.max_message_bytes)?;
                inflated.as_slice()
            }
        };
        let max_timestamp = self.judge(batch, payload)?;
        let level = self.options.compression_level(wanted);
        let bytes = batch_builder::with_codec(header, payload, wanted, level);
        let bytes = bytes
            .map_err(|error| Refused::new(ErrorCode::UnknownServerError, error.to_string()))?;
        self.check_size(bytes.len())?;
        Ok((bytes.into(), max_timestamp))
    }

    fn check_size(&self, bytes: usize) -> Result<(), Refused> {
        let above = |limit: i32| i64::try_from(bytes).unwrap_or(i64::MAX) > i64::from(limit);
        if above(self.options.max_message_bytes) {
            let message = format!(
                "the batch of {bytes} bytes exceeds max.message.bytes={}",
                self.options.max_message_bytes
            );
            return Err(Refused::new(ErrorCode::MessageTooLarge, message));
        }
        if above(self.options.segment_bytes) {
            let message = format!(
                "the batch of {bytes} bytes exceeds segment.bytes={}",
                self.options.segment_bytes
            );
            return Err(Refused::new(ErrorCode::RecordListTooLarge, message));
        }
        Ok(())
    }

    /// Walks the records of an uncompressed batch; a compressed one is inflated only where a rule of the topic asks for its records.
    /// Answers the largest timestamp where the records were seen.
    async fn check_records(&self, batch: &Batch<'_>) -> Result<Option<i64>, Refused> {
        let header = batch.header();
        let by_create_time = !self.options.log_append_time();
        let bounded_below =
            by_create_time && self.options.message_timestamp_before_max_ms != i64::MAX;
        if header.codec()? == Codec::None {
            return self.judge(batch, batch.payload()).map(Some);
        }
        if self.options.compacts() || bounded_below || claims_too_much(batch) {
            let looked = || {
                let inflated = records::inflate(batch, self.options.max_message_bytes)?;
                self.judge(batch, &inflated).map(Some)
            };
            return self.heavy_work.run(looked).await;
        }
        let latest = self.latest_ms();
        if by_create_time && header.max_timestamp > latest {
            return Err(Refused::new(
                ErrorCode::InvalidTimestamp,
                format!("the batch's largest timestamp is later than {latest}"),
            ));
        }
        Ok(None)
    }

    /// The rules for records, on a batch's records without compression. Answers their largest timestamp.
    fn judge(&self, batch: &Batch<'_>, payload: &[u8]) -> Result<i64, Refused> {
        let header = batch.header();
        let seen = validate::walk_records(header, payload)?;
        if self.options.compacts() && seen.null_keys > 0 {
            let message = "One or more records have been rejected: a compacted topic needs a key in every record";
            return Err(Refused {
                records: records::without_key(header, payload),
                ..Refused::new(ErrorCode::InvalidRecord, message)
            });
        }
        let (earliest, latest) = (self.earliest_ms(), self.latest_ms());
        let too_old = seen.min_timestamp != NO_TIMESTAMP && seen.min_timestamp < earliest;
        if !self.options.log_append_time() && (too_old || seen.max_timestamp > latest) {
            let message = "One or more records have been rejected due to invalid timestamp";
            return Err(Refused {
                records: records::outside_time(header, payload, earliest, latest),
                ..Refused::new(ErrorCode::InvalidTimestamp, message)
            });
        }
        Ok(seen.max_timestamp)
    }

    fn earliest_ms(&self) -> i64 {
        self.now_ms
            .saturating_sub(self.options.message_timestamp_before_max_ms)
    }

    fn latest_ms(&self) -> i64 {
        self.now_ms
            .saturating_add(self.options.message_timestamp_after_max_ms)
    }
}

fn restamped(bytes: &[u8], kind: TimestampType, max_timestamp: i64) -> Bytes {
    let mut copy = bytes.to_vec();
    batch::set_max_timestamp(&mut copy, kind, max_timestamp);
    copy.into()
}

/// A compressed batch whose count of records its bytes can hardly hold: it is inflated and counted, or a few bytes would move the
/// log's end by two billion offsets. What passes unseen claims about a record a byte at most.
fn claims_too_much(batch: &Batch<'_>) -> bool {
    let records_bytes = u64::from(batch.header().record_count.unsigned_abs()) * RECORD_BYTES_MIN;
    records_bytes > batch.payload().len() as u64 * EXPECTED_COMPRESSION_MAX
}
