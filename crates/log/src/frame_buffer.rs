//! The memory in which frames are built and from which they are written: each begins on a block, so
//! that the disk can take it without a copy. Frames follow each other in one stretch of memory, which
//! the tail cache gives back when it has let go of all of them. Filled by the queue, completed by the
//! frame's encoder, written by the writer.

use std::ops::{Deref, DerefMut};

use bytes::{Buf, Bytes, BytesMut};

use crate::footer::BLOCK_BYTES;

/// Growable bytes whose first one lies on a multiple of [`BLOCK_BYTES`].
#[derive(Debug)]
pub struct FrameBuffer(BytesMut);

impl FrameBuffer {
    pub fn with_capacity(capacity: usize) -> Self {
        let capacity = capacity.next_multiple_of(BLOCK_BYTES);
        Self::aligned(BytesMut::with_capacity(capacity + BLOCK_BYTES - 1))
    }

    fn aligned(mut empty: BytesMut) -> Self {
        let skipped = empty.as_ptr().align_offset(BLOCK_BYTES);
        empty.resize(skipped, 0);
        empty.advance(skipped);
        Self(empty)
    }

    /// The memory behind this frame, which needs `len` bytes of it, for the next one.
    pub fn split_rest(&mut self, len: usize) -> Self {
        let len = len.max(self.len()).next_multiple_of(BLOCK_BYTES);
        self.reserve(len - self.len());
        let mut rest = self.0.split_off(len);
        rest.clear();
        Self(rest)
    }

    /// The stretch of memory that the frame lies in, if nobody else holds any of it any more.
    pub fn reclaim(frame: Bytes) -> Option<Self> {
        let mut bytes = frame.try_into_mut().ok()?;
        bytes.clear();
        // Asking for more than lies behind the frame leads back to the front, unless it is there.
        let _is_moved = bytes.try_reclaim(bytes.capacity() + 1);
        Some(Self::aligned(bytes))
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
        let mut buffer = FrameBuffer::with_capacity(1 << 20);
        let memory = buffer.as_ptr();
        let mut frames = Vec::new();
        for frame in 0..40 {
            buffer.extend_from_slice(&vec![frame; 5000 + usize::from(frame)]);
            let rest = buffer.split_rest(10_000);
            assert!(is_aligned(&rest) && rest.is_empty());
            buffer.extend_from_slice(&[frame; 3000]);
            frames.push(std::mem::replace(&mut buffer, rest).freeze());
        }
        drop(buffer);
        for (frame, bytes) in frames.iter().enumerate() {
            assert!(is_aligned(bytes) && bytes.iter().all(|byte| usize::from(*byte) == frame));
        }
        let reader = frames[7].slice(100..200);
        let last = frames.pop().unwrap();
        frames.clear();
        assert!(
            FrameBuffer::reclaim(last.clone()).is_none(),
            "frame 7 is read"
        );
        drop(reader);
        let again = FrameBuffer::reclaim(last).unwrap();
        assert_eq!((again.as_ptr(), again.len()), (memory, 0));
        assert!(again.capacity() >= 1 << 20, "all of it");
    }
}
