//! Record batches of format version 2 as a view over their bytes: the header's fields, walking from
//! batch to batch, and the few header fields a broker rewrites in place. Nothing here looks at records.
//!
//! ```text
//!  0 base offset        8 batch length      12 partition leader epoch   16 magic   17 crc
//! 21 attributes        23 last offset delta 27 base timestamp           35 max timestamp
//! 43 producer id       51 producer epoch    53 base sequence            57 record count
//! 61 records, compressed as one block if a codec is set
//! ```
//!
//! The batch length counts from byte 12; the CRC covers everything from byte 21, so that a broker
//! can give a batch its offset and leader epoch without touching the CRC.

use crate::compression::{Codec, decompress};
use crate::crc::crc32c;
use crate::record::Records;
use crate::validate::BatchError;

/// Bytes of a batch before its records.
pub const HEADER_LEN: usize = 61;
/// Bytes of a batch that its length field does not count: base offset and the length itself.
pub const LENGTH_OVERHEAD: usize = 12;
/// The only format version that is read and written.
pub const MAGIC: i8 = 2;

pub const NO_TIMESTAMP: i64 = -1;
pub const NO_PRODUCER_ID: i64 = -1;
pub const NO_PRODUCER_EPOCH: i16 = -1;
pub const NO_SEQUENCE: i32 = -1;
pub const NO_PARTITION_LEADER_EPOCH: i32 = -1;

const BASE_OFFSET_AT: usize = 0;
const LENGTH_AT: usize = 8;
const PARTITION_LEADER_EPOCH_AT: usize = 12;
const MAGIC_AT: usize = 16;
const CRC_AT: usize = 17;
const ATTRIBUTES_AT: usize = 21;
const LAST_OFFSET_DELTA_AT: usize = 23;
const BASE_TIMESTAMP_AT: usize = 27;
const MAX_TIMESTAMP_AT: usize = 35;
const PRODUCER_ID_AT: usize = 43;
const PRODUCER_EPOCH_AT: usize = 51;
const BASE_SEQUENCE_AT: usize = 53;
const RECORD_COUNT_AT: usize = 57;

const CODEC_MASK: i16 = 0x07;
const LOG_APPEND_TIME_BIT: i16 = 0x08;
const TRANSACTIONAL_BIT: i16 = 0x10;
const CONTROL_BIT: i16 = 0x20;
const DELETE_HORIZON_BIT: i16 = 0x40;

/// Whose clock a batch's timestamps come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampType {
    CreateTime,
    LogAppendTime,
}

/// The header of a batch, decoded. Only its framing is known to be sound (see [`Batch::split_first`]);
/// every other field is as the peer sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchHeader {
    pub base_offset: i64,
    /// Bytes after this field; [`BatchHeader::size`] is the whole batch.
    pub length: i32,
    pub partition_leader_epoch: i32,
    pub magic: i8,
    pub crc: u32,
    pub attributes: i16,
    pub last_offset_delta: i32,
    pub base_timestamp: i64,
    pub max_timestamp: i64,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub base_sequence: i32,
    pub record_count: i32,
}

impl BatchHeader {
    /// Decodes the header that opens a batch.
    #[inline]
    pub fn decode(bytes: &[u8; HEADER_LEN]) -> Self {
        Self {
            base_offset: i64::from_be_bytes(field(bytes, BASE_OFFSET_AT)),
            length: i32::from_be_bytes(field(bytes, LENGTH_AT)),
            partition_leader_epoch: i32::from_be_bytes(field(bytes, PARTITION_LEADER_EPOCH_AT)),
            magic: i8::from_be_bytes(field(bytes, MAGIC_AT)),
            crc: u32::from_be_bytes(field(bytes, CRC_AT)),
            attributes: i16::from_be_bytes(field(bytes, ATTRIBUTES_AT)),
            last_offset_delta: i32::from_be_bytes(field(bytes, LAST_OFFSET_DELTA_AT)),
            base_timestamp: i64::from_be_bytes(field(bytes, BASE_TIMESTAMP_AT)),
            max_timestamp: i64::from_be_bytes(field(bytes, MAX_TIMESTAMP_AT)),
            producer_id: i64::from_be_bytes(field(bytes, PRODUCER_ID_AT)),
            producer_epoch: i16::from_be_bytes(field(bytes, PRODUCER_EPOCH_AT)),
            base_sequence: i32::from_be_bytes(field(bytes, BASE_SEQUENCE_AT)),
            record_count: i32::from_be_bytes(field(bytes, RECORD_COUNT_AT)),
        }
    }

    /// The header's bytes, the inverse of [`BatchHeader::decode`].
    pub fn encode(&self) -> [u8; HEADER_LEN] {
        let mut out = [0; HEADER_LEN];
        put(&mut out, BASE_OFFSET_AT, self.base_offset.to_be_bytes());
        put(&mut out, LENGTH_AT, self.length.to_be_bytes());
        let leader_epoch = self.partition_leader_epoch.to_be_bytes();
        put(&mut out, PARTITION_LEADER_EPOCH_AT, leader_epoch);
        put(&mut out, MAGIC_AT, self.magic.to_be_bytes());
        put(&mut out, CRC_AT, self.crc.to_be_bytes());
        put(&mut out, ATTRIBUTES_AT, self.attributes.to_be_bytes());
        put(
            &mut out,
            LAST_OFFSET_DELTA_AT,
            self.last_offset_delta.to_be_bytes(),
        );
        put(
            &mut out,
            BASE_TIMESTAMP_AT,
            self.base_timestamp.to_be_bytes(),
        );
        put(&mut out, MAX_TIMESTAMP_AT, self.max_timestamp.to_be_bytes());
        put(&mut out, PRODUCER_ID_AT, self.producer_id.to_be_bytes());
        put(
            &mut out,
            PRODUCER_EPOCH_AT,
            self.producer_epoch.to_be_bytes(),
        );
        put(&mut out, BASE_SEQUENCE_AT, self.base_sequence.to_be_bytes());
        put(&mut out, RECORD_COUNT_AT, self.record_count.to_be_bytes());
        out
    }

    /// Bytes of the whole batch, in a request as on disk.
    #[inline]
    pub fn size(&self) -> usize {
        LENGTH_OVERHEAD + usize::try_from(self.length).unwrap_or(0)
    }

    #[inline]
    pub fn last_offset(&self) -> i64 {
        self.base_offset
            .saturating_add(i64::from(self.last_offset_delta))
    }

    /// The offset after the batch's last, where the next batch begins.
    #[inline]
    pub fn next_offset(&self) -> i64 {
        self.last_offset().saturating_add(1)
    }

    /// The sequence number of the last record, [`NO_SEQUENCE`] if the batch has none.
    #[inline]
    pub fn last_sequence(&self) -> i32 {
        match self.base_sequence {
            NO_SEQUENCE => NO_SEQUENCE,
            base => add_to_sequence(base, self.last_offset_delta),
        }
    }

    /// The codec, or the number in its bits if it is none of Kafka's.
    #[inline]
    pub fn codec(&self) -> Result<Codec, BatchError> {
        let id = (self.attributes & CODEC_MASK) as u8;
        Codec::from_id(id).ok_or(BatchError::Codec { id })
    }

    #[inline]
    pub fn timestamp_type(&self) -> TimestampType {
        match self.attributes & LOG_APPEND_TIME_BIT {
            0 => TimestampType::CreateTime,
            _ => TimestampType::LogAppendTime,
        }
    }

    #[inline]
    pub fn is_transactional(&self) -> bool {
        self.attributes & TRANSACTIONAL_BIT != 0
    }

    /// Whether the batch holds a transaction marker rather than a client's records.
    #[inline]
    pub fn is_control(&self) -> bool {
        self.attributes & CONTROL_BIT != 0
    }

    #[inline]
    pub fn has_producer_id(&self) -> bool {
        self.producer_id > NO_PRODUCER_ID
    }

    /// When compaction may drop the batch's tombstones; stored in place of the base timestamp.
    #[inline]
    pub fn delete_horizon_ms(&self) -> Option<i64> {
        (self.attributes & DELETE_HORIZON_BIT != 0).then_some(self.base_timestamp)
    }
}

/// The attribute bits of a batch.
pub fn attributes(
    codec: Codec,
    timestamp_type: TimestampType,
    is_transactional: bool,
    is_control: bool,
) -> i16 {
    let mut bits = i16::from(codec.id());
    if timestamp_type == TimestampType::LogAppendTime {
        bits |= LOG_APPEND_TIME_BIT;
    }
    if is_transactional {
        bits |= TRANSACTIONAL_BIT;
    }
    if is_control {
        bits |= CONTROL_BIT;
    }
    bits
}

/// The bits of `attributes` with another codec.
pub fn attributes_with_codec(attributes: i16, codec: Codec) -> i16 {
    attributes & !CODEC_MASK | i16::from(codec.id())
}

/// `sequence` moved on by `records`. Sequence numbers count from 0 to `i32::MAX` and start over.
#[inline]
pub fn add_to_sequence(sequence: i32, records: i32) -> i32 {
    sequence.wrapping_add(records) & i32::MAX
}

/// One whole batch of magic 2 in someone else's buffer. Its length lies within the buffer; nothing
/// else is checked until [`Batch::check_crc`] and the rules in [`crate::validate`].
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    header: BatchHeader,
    bytes: &'a [u8],
}

impl<'a> Batch<'a> {
    /// The batch at the front of `bytes` and the bytes behind it.
    #[inline]
    pub fn split_first(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), BatchError> {
        let Some(start) = bytes.first_chunk::<HEADER_LEN>() else {
            return Err(short_batch(bytes));
        };
        let header = BatchHeader::decode(start);
        if header.magic != MAGIC {
            return Err(BatchError::Magic {
                magic: header.magic,
            });
        }
        let size = header.size();
        if size < HEADER_LEN {
            return Err(BatchError::Length {
                length: header.length,
            });
        }
        let Some((bytes, rest)) = bytes.split_at_checked(size) else {
            return Err(BatchError::Truncated {
                size,
                available: bytes.len(),
            });
        };
        Ok((Self { header, bytes }, rest))
    }

    /// The batch that fills `bytes`, as each partition of a produce request must carry.
    #[inline]
    pub fn single(bytes: &'a [u8]) -> Result<Self, BatchError> {
        match Self::split_first(bytes)? {
            (batch, []) => Ok(batch),
            (_, rest) => Err(BatchError::NotSingle {
                bytes_behind: rest.len(),
            }),
        }
    }

    #[inline]
    pub fn header(&self) -> &BatchHeader {
        &self.header
    }

    /// The whole batch, header included.
    #[inline]
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The records as they were sent, compressed if the batch has a codec.
    #[inline]
    pub fn payload(&self) -> &'a [u8] {
        &self.bytes[HEADER_LEN..]
    }

    /// The records' bytes: the payload itself if no codec is set, else `scratch` with the payload
    /// inflated into it, at most `size_max` bytes.
    pub fn inflate<'s>(
        &self,
        size_max: usize,
        scratch: &'s mut Vec<u8>,
    ) -> Result<&'s [u8], BatchError>
    where
        'a: 's,
    {
        match self.header.codec()? {
            Codec::None => Ok(self.payload()),
            codec => {
                scratch.clear();
                decompress(codec, self.payload(), size_max, scratch)?;
                Ok(scratch)
            }
        }
    }

    /// The records, inflated as by [`Batch::inflate`].
    pub fn records<'s>(
        &self,
        size_max: usize,
        scratch: &'s mut Vec<u8>,
    ) -> Result<Records<'s>, BatchError>
    where
        'a: 's,
    {
        Ok(Records::new(&self.header, self.inflate(size_max, scratch)?))
    }

    /// Reads the whole batch once to compare its CRC with the stored one.
    #[inline]
    pub fn check_crc(&self) -> Result<(), BatchError> {
        let computed = crc32c(&self.bytes[ATTRIBUTES_AT..]);
        if computed != self.header.crc {
            return Err(BatchError::Crc {
                stored: self.header.crc,
                computed,
            });
        }
        Ok(())
    }
}

/// Walks over consecutive batches, such as a fetched chunk or a run of the log. The walk ends with
/// an error where the bytes are no batch; a fetch's cut last batch shows as [`BatchError::Truncated`].
#[derive(Clone, Debug)]
pub struct Batches<'a> {
    rest: &'a [u8],
}

impl<'a> Batches<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }
}

impl<'a> Iterator for Batches<'a> {
    type Item = Result<Batch<'a>, BatchError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        match Batch::split_first(self.rest) {
            Ok((batch, rest)) => {
                self.rest = rest;
                Some(Ok(batch))
            }
            Err(error) => {
                self.rest = &[];
                Some(Err(error))
            }
        }
    }
}

/// Gives a batch its place in the log. Outside the CRC.
#[inline]
pub fn set_base_offset(batch: &mut [u8], base_offset: i64) {
    put(batch, BASE_OFFSET_AT, base_offset.to_be_bytes());
}

/// Stamps a batch with the epoch of the leader that appends it. Outside the CRC.
#[inline]
pub fn set_partition_leader_epoch(batch: &mut [u8], epoch: i32) {
    put(batch, PARTITION_LEADER_EPOCH_AT, epoch.to_be_bytes());
}

/// Sets the timestamp type and the max timestamp of the batch that fills `batch`, and renews the CRC
/// if that changed anything. Check the old CRC first: a new one would hide damage.
pub fn set_max_timestamp(batch: &mut [u8], timestamp_type: TimestampType, max_timestamp: i64) {
    let old = i16::from_be_bytes(field(batch, ATTRIBUTES_AT));
    let attributes = match timestamp_type {
        TimestampType::CreateTime => old & !LOG_APPEND_TIME_BIT,
        TimestampType::LogAppendTime => old | LOG_APPEND_TIME_BIT,
    };
    let old_max_timestamp = i64::from_be_bytes(field(batch, MAX_TIMESTAMP_AT));
    if attributes == old && max_timestamp == old_max_timestamp {
        return;
    }
    put(batch, ATTRIBUTES_AT, attributes.to_be_bytes());
    put(batch, MAX_TIMESTAMP_AT, max_timestamp.to_be_bytes());
    set_crc(batch);
}

/// Computes and stores the CRC of the batch that fills `batch`.
pub(crate) fn set_crc(batch: &mut [u8]) {
    let crc = crc32c(&batch[ATTRIBUTES_AT..]);
    put(batch, CRC_AT, crc.to_be_bytes());
}

/// Why fewer bytes than a header are no batch: messages of the old formats can be that short.
#[cold]
fn short_batch(bytes: &[u8]) -> BatchError {
    match bytes.get(MAGIC_AT) {
        Some(&magic) if magic as i8 != MAGIC => BatchError::Magic { magic: magic as i8 },
        _ => BatchError::Truncated {
            size: HEADER_LEN,
            available: bytes.len(),
        },
    }
}

#[inline]
fn field<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    out.copy_from_slice(&bytes[at..at + N]);
    out
}

#[inline]
fn put<const N: usize>(bytes: &mut [u8], at: usize, value: [u8; N]) {
    bytes[at..at + N].copy_from_slice(&value);
}

#[cfg(test)]
#[path = "batch_tests.rs"]
mod tests;
