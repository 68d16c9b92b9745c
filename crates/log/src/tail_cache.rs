//! The newest frames' bytes, as they were written: consumers at the tail read from here without a file and without a copy. Bounded in
//! bytes; the oldest frame goes first, and its memory is used for a coming one. Filled by the commit step.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

use crate::frame_buffer::FrameBuffer;

/// A slice at least this big shares the frame's memory; a smaller one is copied, so that it does not keep a whole frame alive.
const SHARE_BYTES_MIN: usize = 64 * 1024;
/// Stretches of memory kept for coming frames.
const SPARES_MAX: usize = 2;
/// A stretch is at least so much of the cache, so that little is left over at the end of each.
const STRETCH_PARTS: usize = 16;

#[derive(Debug)]
pub(crate) struct TailCache {
    /// By file number and position in the file.
    frames: BTreeMap<(u64, u64), Bytes>,
    order: VecDeque<(u64, u64)>,
    spares: Vec<FrameBuffer>,
    bytes: usize,
    bytes_max: usize,
}

impl TailCache {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self {
            frames: BTreeMap::new(),
            order: VecDeque::new(),
            spares: Vec::new(),
            bytes: 0,
            bytes_max,
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn insert(&mut self, file: u64, position: u64, frame: Bytes) {
        if frame.len() > self.bytes_max {
            return self.let_go(frame);
        }
        self.bytes += frame.len();
        self.order.push_back((file, position));
        self.frames.insert((file, position), frame);
        while self.bytes > self.bytes_max {
            let Some(oldest) = self.order.pop_front() else {
                break;
            };
            if let Some(frame) = self.frames.remove(&oldest) {
                self.bytes -= frame.len();
                self.let_go(frame);
            }
        }
    }

    fn let_go(&mut self, frame: Bytes) {
        if self.spares.len() < SPARES_MAX {
            self.spares.extend(FrameBuffer::reclaim(frame));
        }
    }

    /// Memory for coming frames of about `frame_bytes`.
    pub(crate) fn take_buffer(&mut self, frame_bytes: usize) -> FrameBuffer {
        while let Some(spare) = self.spares.pop() {
            if spare.capacity() >= frame_bytes {
                return spare;
            }
        }
        FrameBuffer::with_capacity(frame_bytes.max(self.bytes_max / STRETCH_PARTS))
    }

    /// Bytes of a file from `position` on, if a cached frame holds them.
    pub(crate) fn get(&self, file: u64, position: u64, len: usize) -> Option<Bytes> {
        let ((found, start), frame) = self.frames.range(..=(file, position)).next_back()?;
        let from =
            usize::try_from(position - if *found == file { *start } else { return None }).ok()?;
        let slice = frame.get(from..from.checked_add(len)?)?;
        let shares = len >= SHARE_BYTES_MIN || len * 2 >= frame.len();
        Some(if shares {
            frame.slice_ref(slice)
        } else {
            Bytes::copy_from_slice(slice)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_newest_within_its_bytes() {
        let mut cache = TailCache::new(100);
        for at in 0..5u64 {
            cache.insert(1, at * 40, Bytes::from(vec![at as u8; 40]));
        }
        assert_eq!(cache.bytes(), 80);
        assert_eq!(cache.get(1, 100, 1), None);
        assert_eq!(cache.get(1, 125, 10), Some(Bytes::from(vec![3; 10])));
        assert_eq!(cache.get(1, 160, 40), Some(Bytes::from(vec![4; 40])));
        assert_eq!(cache.get(1, 190, 20), None, "beyond the frame");
        assert_eq!(cache.get(2, 160, 1), None, "another file");
        cache.insert(1, 200, Bytes::from(vec![9; 101]));
        assert_eq!(cache.bytes(), 80, "a frame above the bound is not kept");
    }

    #[test]
    fn memory_of_frames_it_lets_go_is_lent_again() {
        let mut cache = TailCache::new(2 << 20);
        let mut seen = std::collections::BTreeSet::new();
        let mut buffer = cache.take_buffer(100_000);
        for at in 0..1000u64 {
            seen.insert(buffer.as_ptr());
            buffer.extend_from_slice(&[at as u8; 90_000]);
            let rest = buffer.split_rest(90_000);
            let frame = std::mem::replace(&mut buffer, rest).freeze();
            cache.insert(1, at * 100_000, frame);
            if buffer.capacity() < 100_000 {
                buffer = cache.take_buffer(100_000);
            }
        }
        assert!(seen.len() < 60, "{} places for 1000 frames", seen.len());
    }
}
