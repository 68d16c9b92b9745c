//! The primitives of Kafka's wire format: reading them from a request's bytes and writing them to an answer's. Called by the
//! generated messages.
//!
//! Reading never copies text or records (both stay slices of the request) and never trusts a length: what the remaining bytes cannot
//! hold is an error before anything is allocated, and the memory that a message may take is a small multiple of its bytes.

use bytes::{BufMut, Bytes, BytesMut};

use crate::records::{Chunk, Records};
use crate::text::KafkaString;
use crate::uuid::Uuid;

/// Why bytes are not the message they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{fault} at byte {at}")]
pub struct DecodeError {
    pub at: usize,
    pub fault: Fault,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("the message ends early")]
    EndsEarly,
    #[error("a length is negative")]
    NegativeLength,
    #[error("a length is more than the message can hold")]
    LengthTooLarge,
    #[error("a variable-length number is too long")]
    VarintTooLong,
    #[error("a text is not UTF-8")]
    NotUtf8,
    #[error("null where the version allows none")]
    UnexpectedNull,
    #[error("a tagged field has another length than it says")]
    TagLength,
    #[error("bytes follow the message")]
    TrailingBytes,
    #[error("the version is not one of the message's")]
    UnknownVersion,
}

/// Memory that decoded arrays may take for each byte of input, and what any message may take.
pub const MEMORY_FACTOR: usize = 24;
const MEMORY_FREE: usize = 4 * 1024;

/// Reads a message from its bytes.
pub struct Decoder {
    bytes: Bytes,
    at: usize,
    /// Memory that arrays may still take.
    allowance: usize,
}

impl Decoder {
    pub fn new(bytes: Bytes) -> Self {
        let allowance = bytes
            .len()
            .saturating_mul(MEMORY_FACTOR)
            .saturating_add(MEMORY_FREE);
        Self {
            bytes,
            at: 0,
            allowance,
        }
    }

    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.at
    }

    /// Nothing may follow a message.
    pub fn finish(self) -> Result<(), DecodeError> {
        if self.remaining() == 0 {
            Ok(())
        } else {
            Err(self.error(Fault::TrailingBytes))
        }
    }

    pub fn error(&self, fault: Fault) -> DecodeError {
        DecodeError { at: self.at, fault }
    }

    #[inline]
    fn array_of<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let Some(found) = self.bytes[self.at..].first_chunk::<N>() else {
            return Err(self.error(Fault::EndsEarly));
        };
        let found = *found;
        self.at += N;
        Ok(found)
    }

    #[inline]
    fn slice(&mut self, len: usize) -> Result<Bytes, DecodeError> {
        if len > self.remaining() {
            return Err(self.error(Fault::LengthTooLarge));
        }
        let slice = self.bytes.slice(self.at..self.at + len);
        self.at += len;
        Ok(slice)
    }

    #[inline]
    pub fn bool(&mut self) -> Result<bool, DecodeError> {
        Ok(self.i8()? != 0)
    }

    #[inline]
    pub fn i8(&mut self) -> Result<i8, DecodeError> {
        Ok(i8::from_be_bytes(self.array_of()?))
    }

    #[inline]
    pub fn i16(&mut self) -> Result<i16, DecodeError> {
        Ok(i16::from_be_bytes(self.array_of()?))
    }

    #[inline]
    pub fn u16(&mut self) -> Result<u16, DecodeError> {
        Ok(u16::from_be_bytes(self.array_of()?))
    }

    #[inline]
    pub fn i32(&mut self) -> Result<i32, DecodeError> {
        Ok(i32::from_be_bytes(self.array_of()?))
    }

    #[inline]
    pub fn i64(&mut self) -> Result<i64, DecodeError> {
        Ok(i64::from_be_bytes(self.array_of()?))
    }

    #[inline]
    pub fn f64(&mut self) -> Result<f64, DecodeError> {
        Ok(f64::from_be_bytes(self.array_of()?))
    }

    pub fn uuid(&mut self) -> Result<Uuid, DecodeError> {
        Ok(Uuid::from_bytes(self.array_of()?))
    }

    /// An unsigned varint of at most five bytes.
    #[inline]
    pub fn uvarint(&mut self) -> Result<u32, DecodeError> {
        let mut value = 0u32;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.array_of()?;
            value |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(self.error(Fault::VarintTooLong))
    }

    /// A length as the encoding has it: compact lengths are one more than they say, 0 is null.
    fn compact_len(&mut self) -> Result<Option<usize>, DecodeError> {
        Ok(self.uvarint()?.checked_sub(1).map(|len| len as usize))
    }

    fn signed_len(&self, len: i32) -> Result<Option<usize>, DecodeError> {
        match len {
            -1 => Ok(None),
            len => usize::try_from(len)
                .map(Some)
                .map_err(|_| self.error(Fault::NegativeLength)),
        }
    }

    pub fn nullable_string(&mut self, flexible: bool) -> Result<Option<KafkaString>, DecodeError> {
        let len = if flexible {
            self.compact_len()?
        } else {
            let len = self.i16()?;
            self.signed_len(i32::from(len))?
        };
        let Some(len) = len else { return Ok(None) };
        let slice = self.slice(len)?;
        KafkaString::from_utf8(slice)
            .map(Some)
            .ok_or_else(|| self.error(Fault::NotUtf8))
    }

    pub fn string(&mut self, flexible: bool) -> Result<KafkaString, DecodeError> {
        let found = self.nullable_string(flexible)?;
        found.ok_or_else(|| self.error(Fault::UnexpectedNull))
    }

    pub fn nullable_bytes(&mut self, flexible: bool) -> Result<Option<Bytes>, DecodeError> {
        let len = if flexible {
            self.compact_len()?
        } else {
            let len = self.i32()?;
            self.signed_len(len)?
        };
        len.map(|len| self.slice(len)).transpose()
    }

    pub fn bytes(&mut self, flexible: bool) -> Result<Bytes, DecodeError> {
        let found = self.nullable_bytes(flexible)?;
        found.ok_or_else(|| self.error(Fault::UnexpectedNull))
    }

    pub fn nullable_records(&mut self, flexible: bool) -> Result<Option<Records>, DecodeError> {
        Ok(self.nullable_bytes(flexible)?.map(Records::from))
    }

    pub fn records(&mut self, flexible: bool) -> Result<Records, DecodeError> {
        self.bytes(flexible).map(Records::from)
    }

    /// Elements take a byte at the least each, and their memory is charged before it is taken.
    pub fn nullable_array<T>(
        &mut self,
        flexible: bool,
        mut element: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Option<Vec<T>>, DecodeError> {
        let len = if flexible {
            self.compact_len()?
        } else {
            let len = self.i32()?;
            self.signed_len(len)?
        };
        let Some(len) = len else { return Ok(None) };
        let memory = len.saturating_mul(size_of::<T>());
        if len > self.remaining() || memory > self.allowance {
            return Err(self.error(Fault::LengthTooLarge));
        }
        self.allowance -= memory;
        let mut elements = Vec::with_capacity(len);
        for _ in 0..len {
            elements.push(element(self)?);
        }
        Ok(Some(elements))
    }

    pub fn array<T>(
        &mut self,
        flexible: bool,
        element: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        let found = self.nullable_array(flexible, element)?;
        found.ok_or_else(|| self.error(Fault::UnexpectedNull))
    }

    /// A struct that may be null: one byte tells.
    pub fn nullable<T>(
        &mut self,
        value: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, DecodeError> {
        if self.i8()? < 0 {
            Ok(None)
        } else {
            value(self).map(Some)
        }
    }

    /// Passes over all tagged fields, where a version has none that it knows.
    pub fn skip_tags(&mut self) -> Result<(), DecodeError> {
        self.tags(|_, _| Ok(false))
    }

    /// Hands each tagged field to `field`, which tells whether it knew it; the others are passed over.
    pub fn tags(
        &mut self,
        mut field: impl FnMut(u32, &mut Self) -> Result<bool, DecodeError>,
    ) -> Result<(), DecodeError> {
        for _ in 0..self.uvarint()? {
            let tag = self.uvarint()?;
            let len = self.uvarint()? as usize;
            if len > self.remaining() {
                return Err(self.error(Fault::LengthTooLarge));
            }
            let end = self.at + len;
            if !field(tag, self)? {
                self.at = end;
            }
            if self.at != end {
                return Err(self.error(Fault::TagLength));
            }
        }
        Ok(())
    }
}

/// Writes messages: small fields into one buffer, record bytes beside it without a copy.
#[derive(Debug, Default)]
pub struct Encoder {
    /// What comes before `tail`, where records were put.
    pieces: Vec<Chunk>,
    tail: BytesMut,
}

impl Encoder {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn with_capacity(bytes: usize) -> Self {
        Self {
            pieces: Vec::new(),
            tail: BytesMut::with_capacity(bytes),
        }
    }

    /// Writes behind what `tail` holds already.
    pub fn behind(tail: BytesMut) -> Self {
        Self {
            pieces: Vec::new(),
            tail,
        }
    }

    /// Bytes written so far.
    pub fn len(&self) -> usize {
        self.pieces.iter().map(Chunk::len).sum::<usize>() + self.tail.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The pieces in order, then the rest.
    pub fn into_parts(self) -> (Vec<Chunk>, BytesMut) {
        (self.pieces, self.tail)
    }

    /// Everything in one buffer; copies if there are records, none of which may lie in a file.
    pub fn into_bytes(self) -> Bytes {
        if self.pieces.is_empty() {
            return self.tail.freeze();
        }
        let mut whole = BytesMut::with_capacity(self.len());
        for piece in &self.pieces {
            match piece {
                Chunk::Bytes(bytes) => whole.extend_from_slice(bytes),
                Chunk::File(range) => unreachable!("{range:?} of a file are only ever sent"),
            }
        }
        whole.extend_from_slice(&self.tail);
        whole.freeze()
    }

    #[inline]
    pub fn bool(&mut self, value: bool) {
        self.tail.put_u8(u8::from(value));
    }

    #[inline]
    pub fn i8(&mut self, value: i8) {
        self.tail.put_i8(value);
    }

    #[inline]
    pub fn i16(&mut self, value: i16) {
        self.tail.put_i16(value);
    }

    #[inline]
    pub fn u16(&mut self, value: u16) {
        self.tail.put_u16(value);
    }

    #[inline]
    pub fn i32(&mut self, value: i32) {
        self.tail.put_i32(value);
    }

    #[inline]
    pub fn i64(&mut self, value: i64) {
        self.tail.put_i64(value);
    }

    #[inline]
    pub fn f64(&mut self, value: f64) {
        self.tail.put_f64(value);
    }

    pub fn uuid(&mut self, value: Uuid) {
        self.tail.put_slice(value.as_bytes());
    }

    #[inline]
    pub fn uvarint(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.tail.put_u8((value & 0x7f | 0x80) as u8);
            value >>= 7;
        }
        self.tail.put_u8(value as u8);
    }

    /// A text's length takes two bytes in the old encoding. Ours are all shorter but for error texts, which are cut.
    pub fn nullable_string(&mut self, flexible: bool, value: Option<&str>) {
        match (flexible, value) {
            (true, None) => self.uvarint(0),
            (false, None) => self.i16(-1),
            (true, Some(text)) => {
                self.uvarint(len_u32(text.len()) + 1);
                self.tail.put_slice(text.as_bytes());
            }
            (false, Some(text)) => {
                let text = &text[..text.floor_char_boundary(i16::MAX as usize)];
                self.i16(text.len() as i16);
                self.tail.put_slice(text.as_bytes());
            }
        }
    }

    pub fn string(&mut self, flexible: bool, value: &str) {
        self.nullable_string(flexible, Some(value));
    }

    fn nullable_len(&mut self, flexible: bool, len: Option<usize>) {
        match (flexible, len) {
            (true, None) => self.uvarint(0),
            (true, Some(len)) => self.uvarint(len_u32(len) + 1),
            (false, None) => self.i32(-1),
            (false, Some(len)) => self.tail.put_u32(len_u32(len)),
        }
    }

    pub fn nullable_bytes(&mut self, flexible: bool, value: Option<&[u8]>) {
        self.nullable_len(flexible, value.map(<[u8]>::len));
        if let Some(bytes) = value {
            self.tail.put_slice(bytes);
        }
    }

    pub fn bytes(&mut self, flexible: bool, value: &[u8]) {
        self.nullable_bytes(flexible, Some(value));
    }

    /// Records larger than this are passed on as they are; smaller ones are cheaper to copy than to send apart.
    const COPY_BYTES_MAX: usize = 1024;

    pub fn nullable_records(&mut self, flexible: bool, value: Option<&Records>) {
        self.nullable_len(flexible, value.map(Records::len));
        for chunk in value.map(Records::chunks).unwrap_or_default() {
            match chunk {
                Chunk::Bytes(bytes) if bytes.len() <= Self::COPY_BYTES_MAX => {
                    self.tail.put_slice(bytes);
                }
                chunk => {
                    if !self.tail.is_empty() {
                        let piece = self.tail.split().freeze();
                        self.pieces.push(Chunk::Bytes(piece));
                    }
                    self.pieces.push(chunk.clone());
                }
            }
        }
    }

    pub fn nullable_array<T>(
        &mut self,
        flexible: bool,
        elements: Option<&[T]>,
        mut element: impl FnMut(&mut Self, &T),
    ) {
        self.nullable_len(flexible, elements.map(<[T]>::len));
        for value in elements.unwrap_or_default() {
            element(self, value);
        }
    }

    pub fn array<T>(&mut self, flexible: bool, elements: &[T], element: impl FnMut(&mut Self, &T)) {
        self.nullable_array(flexible, Some(elements), element);
    }

    pub fn nullable<T>(&mut self, value: Option<&T>, write: impl FnOnce(&mut Self, &T)) {
        match value {
            None => self.i8(-1),
            Some(value) => {
                self.i8(1);
                write(self, value);
            }
        }
    }

    /// One tagged field: written aside first, as its length goes before it.
    pub fn tag(&mut self, tag: u32, write: impl FnOnce(&mut Self)) {
        let mut field = Self::new();
        write(&mut field);
        let field = field.into_bytes();
        self.uvarint(tag);
        self.uvarint(len_u32(field.len()));
        self.tail.put_slice(&field);
    }

    /// Puts `size` into the first four bytes, which were written for it.
    pub fn patch_first_size(&mut self, size: u32) {
        let size = size.to_be_bytes();
        match self.pieces.first_mut() {
            None => self.tail[..4].copy_from_slice(&size),
            Some(Chunk::File(_)) => unreachable!("the size was written before any records"),
            Some(Chunk::Bytes(first)) => {
                let mut head = BytesMut::from(std::mem::take(first));
                head[..4].copy_from_slice(&size);
                *first = head.freeze();
            }
        }
    }
}

/// A message is below 2 GiB: the size in front of it has 31 bits.
fn len_u32(len: usize) -> u32 {
    assert!(len < i32::MAX as usize, "a field of {len} bytes was built");
    len as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoder(bytes: &[u8]) -> Decoder {
        Decoder::new(Bytes::copy_from_slice(bytes))
    }

    #[test]
    fn lengths_that_the_bytes_cannot_hold_are_refused_before_anything_is_allocated() {
        for (flexible, bytes, fault) in [
            (
                false,
                &[0x7f, 0xff, 0xff, 0xff, 1][..],
                Fault::LengthTooLarge,
            ),
            (false, &[0x80, 0, 0, 0], Fault::NegativeLength),
            (false, &[0, 0], Fault::EndsEarly),
            (
                true,
                &[0xff, 0xff, 0xff, 0xff, 0x07, 1],
                Fault::LengthTooLarge,
            ),
            (
                true,
                &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
                Fault::VarintTooLong,
            ),
            (true, &[0], Fault::UnexpectedNull),
        ] {
            let found = decoder(bytes).array(flexible, Decoder::i64);
            assert_eq!(
                found.map_err(|error| error.fault),
                Err(fault),
                "{bytes:02x?}"
            );
        }
    }

    #[test]
    fn all_arrays_of_a_message_share_one_allowance() {
        // 100 elements of 128 bytes are within what 800 bytes of input allow, twice as many are not.
        let mut bytes = vec![0; 800];
        bytes[..4].copy_from_slice(&100u32.to_be_bytes());
        bytes[4..8].copy_from_slice(&100u32.to_be_bytes());
        let mut input = decoder(&bytes);
        let mut take = || {
            input
                .array(false, |_| Ok::<_, DecodeError>([0u64; 16]))
                .map(|found| found.len())
        };
        assert_eq!(take(), Ok(100));
        assert_eq!(
            take().map_err(|error| error.fault),
            Err(Fault::LengthTooLarge)
        );
    }

    #[test]
    fn both_encodings_read_what_they_write() {
        for flexible in [false, true] {
            let mut out = Encoder::new();
            out.string(flexible, "zwölf");
            out.nullable_string(flexible, None);
            out.bytes(flexible, b"xyz");
            out.array(flexible, &[1i32, -2], |out, it| out.i32(*it));
            out.uvarint(300);
            let mut input = Decoder::new(out.into_bytes());
            assert_eq!(input.string(flexible).as_deref(), Ok("zwölf"));
            assert_eq!(input.nullable_string(flexible), Ok(None));
            assert_eq!(input.bytes(flexible).as_deref(), Ok(&b"xyz"[..]));
            assert_eq!(input.array(flexible, Decoder::i32), Ok(vec![1, -2]));
            assert_eq!(input.uvarint(), Ok(300));
            assert_eq!(input.finish(), Ok(()));
        }
    }

    #[test]
    fn unknown_tags_are_passed_over_and_wrong_lengths_told() {
        let mut known = 0;
        let tags = |bytes: &[u8], known: &mut i32| {
            decoder(bytes).tags(|tag, input| {
                if tag != 7 {
                    return Ok(false);
                }
                *known = input.i8()?.into();
                Ok(true)
            })
        };
        assert_eq!(tags(&[2, 3, 2, 9, 9, 7, 1, 5], &mut known), Ok(()));
        assert_eq!(known, 5);
        assert_eq!(
            tags(&[1, 7, 2, 5, 6], &mut known).map_err(|error| error.fault),
            Err(Fault::TagLength)
        );
        assert_eq!(
            tags(&[1, 3, 9, 1], &mut known).map_err(|error| error.fault),
            Err(Fault::LengthTooLarge)
        );
    }

    #[test]
    fn large_records_are_not_copied() {
        let large = Bytes::from(vec![7; 5000]);
        let records: Records = [Bytes::from_static(b"small"), large.clone()]
            .into_iter()
            .map(Chunk::Bytes)
            .collect();
        let mut out = Encoder::new();
        out.nullable_records(true, Some(&records));
        let (pieces, tail) = out.into_parts();
        let is_large =
            |piece: &Chunk| matches!(piece, Chunk::Bytes(b) if b.as_ptr() == large.as_ptr());
        assert!(pieces.iter().any(is_large));
        assert!(tail.is_empty());
    }
}
