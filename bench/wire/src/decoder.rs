//! Reads fields of the flexible encoding. Every length is checked against the bytes that are there.

use std::error::Error;
use std::fmt;

/// The bytes are not what the protocol says; `at` tells where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed {
    pub at: usize,
}

impl fmt::Display for Malformed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "malformed message at byte {}", self.at)
    }
}

impl Error for Malformed {}

/// A cursor over one frame (without its length).
#[derive(Clone, Debug)]
pub struct Decoder<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Decoder<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub fn raw(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let taken = self
            .bytes
            .get(self.at..)
            .and_then(|rest| rest.get(..length))
            .ok_or(Malformed { at: self.at })?;
        self.at += length;
        Ok(taken)
    }

    fn array_of<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let mut bytes = [0; N];
        bytes.copy_from_slice(self.raw(N)?);
        Ok(bytes)
    }

    pub fn bool(&mut self) -> Result<bool, Malformed> {
        Ok(self.i8()? != 0)
    }

    pub fn i8(&mut self) -> Result<i8, Malformed> {
        self.array_of().map(i8::from_be_bytes)
    }

    pub fn i16(&mut self) -> Result<i16, Malformed> {
        self.array_of().map(i16::from_be_bytes)
    }

    pub fn i32(&mut self) -> Result<i32, Malformed> {
        self.array_of().map(i32::from_be_bytes)
    }

    pub fn i64(&mut self) -> Result<i64, Malformed> {
        self.array_of().map(i64::from_be_bytes)
    }

    pub fn uvarint(&mut self) -> Result<u32, Malformed> {
        let begin = self.at;
        let mut value = 0u64;
        for shift in (0..35).step_by(7) {
            let [byte] = self.array_of()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return u32::try_from(value).map_err(|_| Malformed { at: begin });
            }
        }
        Err(Malformed { at: begin })
    }

    /// Length of an array; a null one counts as empty.
    pub fn array(&mut self) -> Result<usize, Malformed> {
        let length = (self.uvarint()? as usize).saturating_sub(1);
        // Every element takes a byte at least: no loop longer than the message.
        if length > self.bytes.len() - self.at {
            return Err(Malformed { at: self.at });
        }
        Ok(length)
    }

    /// Bytes with their length in front; null counts as empty.
    pub fn block(&mut self) -> Result<&'a [u8], Malformed> {
        let length = (self.uvarint()? as usize).saturating_sub(1);
        self.raw(length)
    }

    pub fn string(&mut self) -> Result<&'a str, Malformed> {
        let begin = self.at;
        std::str::from_utf8(self.block()?).map_err(|_| Malformed { at: begin })
    }

    /// The old encoding of a nullable string: the client id in a request's header.
    pub fn old_string(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.i16()?.max(0);
        self.raw(length as usize)
    }

    /// The end of a structure: skips its tagged fields.
    pub fn tags(&mut self) -> Result<(), Malformed> {
        for _ in 0..self.uvarint()? {
            self.uvarint()?;
            let length = self.uvarint()? as usize;
            self.raw(length)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Encoder, api};

    #[test]
    fn what_is_written_is_read() {
        let mut encoder = Encoder::request(api::PRODUCE, 7);
        encoder.string("topic");
        encoder.uvarint(300);
        encoder.block(&[1, 2, 3]);
        encoder.tags();
        let frame = encoder.finish();
        assert_eq!(frame[Encoder::CORRELATION_AT..][..4], [0, 0, 0, 7]);
        let mut decoder = Decoder::new(&frame[4..]);
        assert_eq!(
            (decoder.i16(), decoder.i16(), decoder.i32()),
            (Ok(0), Ok(9), Ok(7))
        );
        assert_eq!(decoder.old_string(), Ok(&b"bench"[..]));
        assert_eq!(decoder.tags(), Ok(()));
        assert_eq!(decoder.string(), Ok("topic"));
        assert_eq!(decoder.uvarint(), Ok(300));
        assert_eq!(decoder.block(), Ok(&[1, 2, 3][..]));
        assert_eq!(decoder.tags(), Ok(()));
        assert!(decoder.i8().is_err());
    }

    #[test]
    fn lengths_beyond_the_message_are_refused() {
        for bytes in [&[0xff, 0xff, 0xff, 0xff, 0x0f][..], &[5, 1], &[0xff; 6]] {
            assert!(Decoder::new(bytes).block().is_err(), "{bytes:?}");
            assert!(Decoder::new(bytes).array().is_err(), "{bytes:?}");
        }
    }
}
