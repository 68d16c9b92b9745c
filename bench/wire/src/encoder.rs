//! Writes requests and responses: a frame with its length in front, fields of the flexible encoding behind.

use crate::api::{API_VERSIONS, Api};

const CLIENT_ID: &str = "bench";

/// One frame in the making. `finish` puts the length in front.
pub struct Encoder {
    bytes: Vec<u8>,
}

impl Encoder {
    /// Offset of the correlation id in a finished request, for those who patch prebuilt ones.
    pub const CORRELATION_AT: usize = 8;

    pub fn request(api: Api, correlation_id: i32) -> Self {
        let mut request = Self { bytes: vec![0; 4] };
        request.i16(api.key);
        request.i16(api.version);
        request.i32(correlation_id);
        request.i16(CLIENT_ID.len() as i16);
        request.raw(CLIENT_ID.as_bytes());
        request.tags();
        request
    }

    pub fn response(api: Api, correlation_id: i32) -> Self {
        let mut response = Self { bytes: vec![0; 4] };
        response.i32(correlation_id);
        // A client that does not know the broker yet must be able to read this one: header v0.
        if api != API_VERSIONS {
            response.tags();
        }
        response
    }

    pub fn finish(mut self) -> Vec<u8> {
        let length = (self.bytes.len() - 4) as u32;
        self.bytes[..4].copy_from_slice(&length.to_be_bytes());
        self.bytes
    }

    /// Bytes written so far, the length's four included.
    pub fn position(&self) -> usize {
        self.bytes.len()
    }

    pub fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub fn bool(&mut self, value: bool) {
        self.bytes.push(u8::from(value));
    }

    pub fn i8(&mut self, value: i8) {
        self.raw(&value.to_be_bytes());
    }

    pub fn i16(&mut self, value: i16) {
        self.raw(&value.to_be_bytes());
    }

    pub fn i32(&mut self, value: i32) {
        self.raw(&value.to_be_bytes());
    }

    pub fn i64(&mut self, value: i64) {
        self.raw(&value.to_be_bytes());
    }

    pub fn uvarint(&mut self, mut value: u32) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    /// Length of an array that is not null.
    pub fn array(&mut self, length: usize) {
        self.uvarint(length as u32 + 1);
    }

    pub fn string(&mut self, text: &str) {
        self.block(text.as_bytes());
    }

    /// Bytes (or a record set) with their length in front.
    pub fn block(&mut self, bytes: &[u8]) {
        self.uvarint(bytes.len() as u32 + 1);
        self.raw(bytes);
    }

    /// A null string, array or block.
    pub fn null(&mut self) {
        self.uvarint(0);
    }

    /// The end of a structure: no tagged fields.
    pub fn tags(&mut self) {
        self.uvarint(0);
    }
}
