//! The memory in which a frame is built and from which it is written: it begins on a block, so that
//! the disk can take it without a copy. Filled by the queue, completed by the frame's encoder,
//! written by the writer, then lent to the tail cache, which gives it back when nobody reads it.

use std::ops::{Deref, DerefMut};

use bytes::{Buf, Bytes, BytesMut};

use crate::footer::BLOCK_BYTES;

/// Growable bytes whose first one lies on a multiple of [`BLOCK_BYTES`].
#[derive(Debug)]
pub struct FrameBuffer(BytesMut);

impl FrameBuffer {
    pub fn with_capacity(capacity: usize) -> Self {
        let capacity = capacity.next_multiple_of(BLOCK_BYTES);
        let mut bytes = BytesMut::with_capacity(capacity + BLOCK_BYTES - 1);
        let skipped = bytes.as_ptr().align_offset(BLOCK_BYTES);
        bytes.resize(skipped, 0);
        bytes.advance(skipped);
        Self(bytes)
    }

    /// Takes back the memory of a frame that nobody else holds any more.
    pub fn reclaim(frame: Bytes) -> Option<Self> {
        let mut bytes = frame.try_into_mut().ok()?;
        bytes.clear();
        let is_aligned = bytes.as_ptr().align_offset(BLOCK_BYTES) == 0;
        is_aligned.then_some(Self(bytes))
    }

    pub fn capacity(&self) -> usize {
        self.0.capacity()
    }

    pub fn extend_from_slice(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        self.0.extend_from_slice(bytes);
    }

    /// Grows or shrinks to `len`; new bytes are zero.
    pub fn resize(&mut self, len: usize) {
        self.reserve(len.saturating_sub(self.len()));
        self.0.resize(len, 0);
    }

    pub fn truncate(&mut self, len: usize) {
        self.0.truncate(len);
    }

    /// Makes room without losing the alignment, which growing in place would.
    pub fn reserve(&mut self, more: usize) {
        let needed = self.len() + more;
        if needed <= self.capacity() {
            return;
        }
        let mut grown = Self::with_capacity(needed.max(2 * self.capacity()));
        grown.0.extend_from_slice(&self.0);
        *self = grown;
    }

    pub fn freeze(self) -> Bytes {
        self.0.freeze()
    }
}

impl Deref for FrameBuffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl DerefMut for FrameBuffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_aligned(bytes: &[u8]) -> bool {
        bytes.as_ptr().align_offset(BLOCK_BYTES) == 0
    }

    #[test]
    fn stays_aligned_however_it_grows() {
        let mut buffer = FrameBuffer::with_capacity(1);
        let mut expected = Vec::new();
        for step in 1..200usize {
            let bytes = vec![step as u8; step * 37];
            buffer.extend_from_slice(&bytes);
            expected.extend_from_slice(&bytes);
            assert!(is_aligned(&buffer));
        }
        let len = buffer.len();
        buffer.resize(len.next_multiple_of(BLOCK_BYTES));
        assert!(is_aligned(&buffer));
        assert_eq!(buffer[..len], expected[..]);
        assert!(buffer[len..].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn memory_comes_back_when_its_last_reader_is_gone() {
        let mut buffer = FrameBuffer::with_capacity(3 * BLOCK_BYTES);
        buffer.resize(2 * BLOCK_BYTES);
        let memory = buffer.as_ptr();
        let frame = buffer.freeze();
        let reader = frame.slice(100..200);
        assert!(FrameBuffer::reclaim(frame.clone()).is_none(), "it is read");
        drop(reader);
        let again = FrameBuffer::reclaim(frame).unwrap();
        assert_eq!((again.as_ptr(), again.len()), (memory, 0));
        assert!(again.capacity() >= 3 * BLOCK_BYTES);
    }
}
