//! The records inside a batch, once they are decompressed: reading them without copying.
//! [`crate::batch_builder`] writes them.

use crate::batch::{BatchHeader, TimestampType};
use crate::varint;

/// One record; keys, values and headers point into the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    pub offset: i64,
    pub timestamp: i64,
    pub key: Option<&'a [u8]>,
    /// `None` is a tombstone.
    pub value: Option<&'a [u8]>,
    header_bytes: &'a [u8],
}

impl<'a> Record<'a> {
    /// The headers in their order, duplicates kept.
    pub fn headers(&self) -> Headers<'a> {
        Headers {
            rest: self.header_bytes,
        }
    }
}

/// A header of a record. The key is UTF-8 by convention, which nobody enforces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    pub key: &'a [u8],
    pub value: Option<&'a [u8]>,
}

/// A record that does not parse: which one, and where in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("record {index} has a malformed {field}")]
pub struct RecordError {
    pub index: i32,
    pub field: &'static str,
}

/// Reads the records of a batch from their uncompressed bytes, as many as its header says.
/// Ends after the first error.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    rest: &'a [u8],
    index: i32,
    record_count: i32,
    base_offset: i64,
    base_timestamp: i64,
    log_append_time: Option<i64>,
}

impl<'a> Records<'a> {
    #[inline]
    pub fn new(header: &BatchHeader, records: &'a [u8]) -> Self {
        Self {
            rest: records,
            index: 0,
            record_count: header.record_count,
            base_offset: header.base_offset,
            base_timestamp: header.base_timestamp,
            log_append_time: match header.timestamp_type() {
                TimestampType::CreateTime => None,
                TimestampType::LogAppendTime => Some(header.max_timestamp),
            },
        }
    }

    /// The bytes not read yet; after the last record there should be none.
    #[inline]
    pub fn remaining(&self) -> &'a [u8] {
        self.rest
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, RecordError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.index >= self.record_count {
            return None;
        }
        match split_record(self.rest) {
            Ok((raw, rest)) => {
                self.rest = rest;
                self.index += 1;
                Some(Ok(Record {
                    // Wraps as in Java: hostile numbers give odd results, never a panic.
                    offset: self.base_offset.wrapping_add(i64::from(raw.offset_delta)),
                    timestamp: self
                        .log_append_time
                        .unwrap_or(self.base_timestamp.wrapping_add(raw.timestamp_delta)),
                    key: raw.key,
                    value: raw.value,
                    header_bytes: raw.header_bytes,
                }))
            }
            Err(field) => {
                let index = self.index;
                self.record_count = index;
                Some(Err(RecordError { index, field }))
            }
        }
    }
}

/// Iterates over the headers of a record, whose bytes were checked with the record.
#[derive(Clone, Debug)]
pub struct Headers<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Headers<'a> {
    type Item = Header<'a>;

    fn next(&mut self) -> Option<Header<'a>> {
        let (header, rest) = split_header(self.rest).ok()?;
        self.rest = rest;
        Some(header)
    }
}

struct RawRecord<'a> {
    timestamp_delta: i64,
    offset_delta: i32,
    key: Option<&'a [u8]>,
    value: Option<&'a [u8]>,
    header_bytes: &'a [u8],
}

/// The record at the front of `bytes` and the bytes behind it, or the name of the malformed field.
#[inline]
fn split_record(bytes: &[u8]) -> Result<(RawRecord<'_>, &[u8]), &'static str> {
    let (length, rest) = varint::read_i32(bytes).ok_or("length")?;
    let length = usize::try_from(length).map_err(|_| "length")?;
    let (body, rest) = rest.split_at_checked(length).ok_or("length")?;
    let (_attributes, body) = body.split_first().ok_or("attributes")?;
    let (timestamp_delta, body) = varint::read_i64(body).ok_or("timestamp delta")?;
    let (offset_delta, body) = varint::read_i32(body).ok_or("offset delta")?;
    let (key, body) = split_nullable(body).ok_or("key")?;
    let (value, body) = split_nullable(body).ok_or("value")?;
    let (header_count, header_bytes) = varint::read_i32(body).ok_or("header count")?;
    if header_count != 0 || !header_bytes.is_empty() {
        check_headers(header_count, header_bytes)?;
    }
    Ok((
        RawRecord {
            timestamp_delta,
            offset_delta,
            key,
            value,
            header_bytes,
        },
        rest,
    ))
}

/// `count` headers must fill `bytes` exactly. Every header takes two bytes or more, so a count that
/// lies ends the loop where the bytes end.
fn check_headers(count: i32, mut bytes: &[u8]) -> Result<(), &'static str> {
    if count < 0 {
        return Err("header count");
    }
    for _ in 0..count {
        (_, bytes) = split_header(bytes)?;
    }
    match bytes {
        [] => Ok(()),
        _ => Err("end: bytes follow the headers"),
    }
}

fn split_header(bytes: &[u8]) -> Result<(Header<'_>, &[u8]), &'static str> {
    let (key, bytes) = split_nullable(bytes).ok_or("header key")?;
    let key = key.ok_or("header key: it is null")?;
    let (value, bytes) = split_nullable(bytes).ok_or("header value")?;
    Ok((Header { key, value }, bytes))
}

/// Bytes behind a varint length, of which -1 stands for null.
#[inline]
fn split_nullable(bytes: &[u8]) -> Option<(Option<&[u8]>, &[u8])> {
    let (length, rest) = varint::read_i32(bytes)?;
    if length == -1 {
        return Some((None, rest));
    }
    let (value, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    Some((Some(value), rest))
}
