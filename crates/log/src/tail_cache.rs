//! The newest frames' bytes, as they were written: consumers at the tail read from here without a file and without a copy. Bounded in
//! bytes; the oldest frame goes first, and its memory is used for a coming one. Filled by the commit step.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

use crate::frame_buffer::FrameBuffer;

/// A slice at least this big shares the frame's memory; a smaller one is copied, so that it does not keep a whole frame alive.
const SHARE_BYTES_MIN: usize = 64 * 1024;
/// Buffers kept for coming frames: one fills while another is written.
const SPARES_MAX: usize = 2;

#[derive(Debug)]
pub(crate) struct TailCache {
    /// By file number and position in the file.
    frames: BTreeMap<(u64, u64), Cached>,
    order: VecDeque<(u64, u64)>,
    spares: Vec<FrameBuffer>,
    bytes: usize,
    bytes_max: usize,
}

#[derive(Debug)]
struct Cached {
    frame: Bytes,
    /// What it takes of memory.
    held_bytes: usize,
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

    pub(crate) fn insert(&mut self, file: u64, position: u64, buffer: FrameBuffer) {
        if buffer.len() > self.bytes_max {
            return self.spare(buffer);
        }
        let cached = self.cached(buffer);
        self.bytes += cached.held_bytes;
        self.order.push_back((file, position));
        self.frames.insert((file, position), cached);
        while self.bytes > self.bytes_max {
            let Some(oldest) = self.order.pop_front() else {
                break;
            };
            if let Some(cached) = self.frames.remove(&oldest) {
                self.bytes -= cached.held_bytes;
                if let Some(buffer) = FrameBuffer::reclaim(cached.frame) {
                    self.spare(buffer);
                }
            }
        }
    }

    /// Takes the buffer's memory, unless the frame would waste most of it.
    fn cached(&mut self, buffer: FrameBuffer) -> Cached {
        let held_bytes = buffer.capacity();
        if held_bytes <= 2 * buffer.len() {
            let frame = buffer.freeze();
            return Cached { frame, held_bytes };
        }
        let frame = Bytes::copy_from_slice(&buffer);
        let held_bytes = frame.len();
        self.spare(buffer);
        Cached { frame, held_bytes }
    }

    fn spare(&mut self, buffer: FrameBuffer) {
        if self.spares.len() < SPARES_MAX {
            self.spares.push(buffer);
        }
    }

    /// A buffer for a coming frame of about `capacity` bytes.
    pub(crate) fn take_buffer(&mut self, capacity: usize) -> FrameBuffer {
        while let Some(spare) = self.spares.pop() {
            if spare.capacity() >= capacity {
                return spare;
            }
        }
        FrameBuffer::with_capacity(capacity)
    }

    /// Bytes of a file from `position` on, if a cached frame holds them.
    pub(crate) fn get(&self, file: u64, position: u64, len: usize) -> Option<Bytes> {
        let ((found, start), cached) = self.frames.range(..=(file, position)).next_back()?;
        let from =
            usize::try_from(position - if *found == file { *start } else { return None }).ok()?;
        let frame = &cached.frame;
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

    fn buffer(capacity: usize, bytes: &[u8]) -> FrameBuffer {
        let mut buffer = FrameBuffer::with_capacity(capacity);
        buffer.extend_from_slice(bytes);
        buffer
    }

    #[test]
    fn keeps_the_newest_within_its_bytes() {
        let mut cache = TailCache::new(100);
        for at in 0..5u64 {
            cache.insert(1, at * 40, buffer(0, &[at as u8; 40]));
        }
        assert_eq!(cache.bytes(), 80);
        assert_eq!(cache.get(1, 100, 1), None);
        assert_eq!(cache.get(1, 125, 10), Some(Bytes::from(vec![3; 10])));
        assert_eq!(cache.get(1, 160, 40), Some(Bytes::from(vec![4; 40])));
        assert_eq!(cache.get(1, 190, 20), None, "beyond the frame");
        assert_eq!(cache.get(2, 160, 1), None, "another file");
        cache.insert(1, 200, buffer(0, &[9; 101]));
        assert_eq!(cache.bytes(), 80, "a frame above the bound is not kept");
    }

    #[test]
    fn counts_what_frames_hold_and_lends_it_again() {
        let mut cache = TailCache::new(300_000);
        let first = buffer(100_000, &[1; 90_000]);
        let memory = first.as_ptr();
        let held = first.capacity();
        cache.insert(1, 0, first);
        assert_eq!(cache.bytes(), held, "unused room counts");
        cache.insert(1, 200_000, buffer(100_000, &[2; 90_000]));
        let reader = cache.get(1, 200_000, 90_000);
        for at in 2..5u64 {
            cache.insert(1, at * 200_000, buffer(100_000, &[at as u8; 90_000]));
        }
        assert!(cache.bytes() <= 300_000);
        let lent = [(); 3].map(|()| cache.take_buffer(100_000));
        let lent = lent.each_ref().map(|buffer| buffer.as_ptr());
        assert!(lent.contains(&memory));
        assert!(!lent.contains(&reader.unwrap().as_ptr()), "it is read");
    }
}
