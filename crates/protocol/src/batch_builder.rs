//! Writes record batches: for the broker's internal topics, for the client's producer, for tests.

use crate::batch::{
    self, BatchHeader, HEADER_LEN, LENGTH_OVERHEAD, MAGIC, NO_PARTITION_LEADER_EPOCH,
    NO_PRODUCER_EPOCH, NO_PRODUCER_ID, NO_SEQUENCE, NO_TIMESTAMP, TimestampType,
};
use crate::compression::{Codec, CompressError, compress};
use crate::record::Header;
use crate::varint;

/// What a batch's header says beside its records. The default is what a plain producer sends.
#[derive(Clone, Copy, Debug)]
pub struct BatchOptions {
    pub codec: Codec,
    /// See [`compress`].
    pub compression_level: Option<i32>,
    pub base_offset: i64,
    pub partition_leader_epoch: i32,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub base_sequence: i32,
    pub is_transactional: bool,
    pub is_control: bool,
}

impl Default for BatchOptions {
    fn default() -> Self {
        Self {
            codec: Codec::None,
            compression_level: None,
            base_offset: 0,
            partition_leader_epoch: NO_PARTITION_LEADER_EPOCH,
            producer_id: NO_PRODUCER_ID,
            producer_epoch: NO_PRODUCER_EPOCH,
            base_sequence: NO_SEQUENCE,
            is_transactional: false,
            is_control: false,
        }
    }
}

/// A record to be written. Its offset follows from its place in the batch.
#[derive(Clone, Copy, Debug)]
pub struct NewRecord<'a> {
    pub timestamp: i64,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    pub headers: &'a [Header<'a>],
}

/// Half of what the format's 32 bits can say, so that records no codec can shrink still fit.
const SIZE_MAX: usize = 1 << 30;

/// The batch cannot take the record, which would bring it beyond a gigabyte.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the record does not fit the batch, send what it holds first")]
pub struct BatchFull;

/// Collects records, then becomes the bytes of one batch.
#[derive(Debug)]
pub struct BatchBuilder {
    options: BatchOptions,
    /// Room for the header, then the records, uncompressed.
    bytes: Vec<u8>,
    record_count: i32,
    base_timestamp: i64,
    max_timestamp: i64,
}

impl BatchBuilder {
    pub fn new(options: BatchOptions) -> Self {
        Self {
            options,
            bytes: vec![0; HEADER_LEN],
            record_count: 0,
            base_timestamp: NO_TIMESTAMP,
            max_timestamp: NO_TIMESTAMP,
        }
    }

    pub fn record_count(&self) -> i32 {
        self.record_count
    }

    /// Bytes of the batch so far, before compression.
    pub fn uncompressed_size(&self) -> usize {
        self.bytes.len()
    }

    pub fn append(&mut self, record: &NewRecord<'_>) -> Result<(), BatchFull> {
        if self.record_count == 0 {
            self.base_timestamp = record.timestamp;
        }
        let timestamp_delta = record.timestamp.wrapping_sub(self.base_timestamp);
        let offset_delta = self.record_count;
        let body_size = body_size(timestamp_delta, offset_delta, record);
        let size = varint::len(body_size as i64) + body_size;
        // This bounds every length below as well: what is inside is smaller.
        if size > SIZE_MAX - self.bytes.len() {
            return Err(BatchFull);
        }
        self.bytes.reserve(size);
        varint::write_i64(&mut self.bytes, body_size as i64);
        // Record attributes, of which none is in use.
        self.bytes.push(0);
        varint::write_i64(&mut self.bytes, timestamp_delta);
        varint::write_i32(&mut self.bytes, offset_delta);
        write_nullable(&mut self.bytes, record.key);
        write_nullable(&mut self.bytes, record.value);
        varint::write_i64(&mut self.bytes, record.headers.len() as i64);
        for header in record.headers {
            write_nullable(&mut self.bytes, Some(header.key));
            write_nullable(&mut self.bytes, header.value);
        }
        self.record_count += 1;
        self.max_timestamp = self.max_timestamp.max(record.timestamp);
        Ok(())
    }

    /// The finished batch. There must be a record in it: brokers refuse empty batches.
    pub fn build(self) -> Result<Vec<u8>, CompressError> {
        assert!(
            self.record_count > 0,
            "a batch is built once it has a record"
        );
        let BatchOptions {
            codec,
            compression_level,
            ..
        } = self.options;
        let mut bytes = match codec {
            Codec::None => self.bytes,
            _ => {
                let mut compressed = vec![0; HEADER_LEN];
                compress(
                    codec,
                    compression_level,
                    &self.bytes[HEADER_LEN..],
                    &mut compressed,
                )?;
                compressed
            }
        };
        let header = BatchHeader {
            base_offset: self.options.base_offset,
            // SIZE_MAX leaves room for what a codec adds.
            length: (bytes.len() - LENGTH_OVERHEAD) as i32,
            partition_leader_epoch: self.options.partition_leader_epoch,
            magic: MAGIC,
            crc: 0,
            attributes: batch::attributes(
                codec,
                TimestampType::CreateTime,
                self.options.is_transactional,
                self.options.is_control,
            ),
            last_offset_delta: self.record_count - 1,
            base_timestamp: self.base_timestamp,
            max_timestamp: self.max_timestamp,
            producer_id: self.options.producer_id,
            producer_epoch: self.options.producer_epoch,
            base_sequence: self.options.base_sequence,
            record_count: self.record_count,
        };
        bytes[..HEADER_LEN].copy_from_slice(&header.encode());
        batch::set_crc(&mut bytes);
        Ok(bytes)
    }
}

/// The batch of `header` with `records`, which are its records without compression, under another codec. Offsets, times and the
/// producer's fields stay.
pub fn with_codec(
    header: &BatchHeader,
    records: &[u8],
    codec: Codec,
    level: Option<i32>,
) -> Result<Vec<u8>, CompressError> {
    assert!(
        records.len() <= SIZE_MAX,
        "inflating is bounded far below a gigabyte"
    );
    let mut bytes = vec![0; HEADER_LEN];
    compress(codec, level, records, &mut bytes)?;
    let header = BatchHeader {
        length: (bytes.len() - LENGTH_OVERHEAD) as i32,
        attributes: batch::attributes_with_codec(header.attributes, codec),
        ..*header
    };
    bytes[..HEADER_LEN].copy_from_slice(&header.encode());
    batch::set_crc(&mut bytes);
    Ok(bytes)
}

/// Bytes of a record behind its length.
fn body_size(timestamp_delta: i64, offset_delta: i32, record: &NewRecord<'_>) -> usize {
    let attributes = 1;
    let mut size = attributes
        + varint::len(timestamp_delta)
        + varint::len(i64::from(offset_delta))
        + nullable_size(record.key)
        + nullable_size(record.value)
        + varint::len(record.headers.len() as i64);
    for header in record.headers {
        size += nullable_size(Some(header.key)) + nullable_size(header.value);
    }
    size
}

fn nullable_size(bytes: Option<&[u8]>) -> usize {
    match bytes {
        None => varint::len(-1),
        Some(bytes) => varint::len(bytes.len() as i64) + bytes.len(),
    }
}

fn write_nullable(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        None => varint::write_i32(out, -1),
        Some(bytes) => {
            varint::write_i64(out, bytes.len() as i64);
            out.extend_from_slice(bytes);
        }
    }
}

#[cfg(test)]
#[path = "batch_builder_tests.rs"]
mod tests;
