//! The newest frames' bytes, as they were written: consumers at the tail read from here without a file and without a copy. Bounded in
//! bytes; the oldest frame goes first. Filled by the commit step.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

/// A slice at least this big shares the frame's memory; a smaller one is copied, so that it does not keep a whole frame alive.
const SHARE_BYTES_MIN: usize = 64 * 1024;

#[derive(Debug)]
pub(crate) struct TailCache {
    /// By file number and position in the file.
    frames: BTreeMap<(u64, u64), Bytes>,
    order: VecDeque<(u64, u64)>,
    bytes: usize,
    bytes_max: usize,
}

impl TailCache {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self {
            frames: BTreeMap::new(),
            order: VecDeque::new(),
            bytes: 0,
            bytes_max,
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn insert(&mut self, file: u64, position: u64, frame: Bytes) {
        if frame.len() > self.bytes_max {
            return;
        }
        self.bytes += frame.len();
        self.order.push_back((file, position));
        self.frames.insert((file, position), frame);
        while self.bytes > self.bytes_max {
            let Some(oldest) = self.order.pop_front() else {
                break;
            };
            self.bytes -= self.frames.remove(&oldest).map_or(0, |frame| frame.len());
        }
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
}
