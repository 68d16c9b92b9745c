//! Blocks that are written before the frames that will lie in them. The first write to a block that is
//! only allocated makes the file system note that it holds data now, and a sync waits for that note too:
//! half of what a small commit takes. So a run of small frames writes zeros ahead, some blocks at once;
//! its coming frames then go over blocks that are written already. Asked by the writer for each frame.

use std::ops::Range;

use crate::footer::BLOCK_BYTES;
use crate::frame_buffer::FrameBuffer;

const BLOCK: u64 = BLOCK_BYTES as u64;
/// Blocks written ahead at once, at most.
const BLOCKS_MAX: u64 = 32;

#[derive(Debug)]
pub(crate) struct WriteAhead {
    zeros: FrameBuffer,
    /// How many frames in a row took one block.
    small_frames: u64,
    /// The blocks of the active file below are written.
    written_end: u64,
}

impl WriteAhead {
    /// For a file whose blocks up to `written_end` held data before.
    pub(crate) fn new(written_end: u64) -> Self {
        Self {
            zeros: FrameBuffer::with_capacity(0),
            small_frames: 0,
            written_end,
        }
    }

    /// The writer goes on in another file.
    pub(crate) fn begin_file(&mut self, written_end: u64) {
        self.written_end = written_end;
    }

    /// The zeros to write behind a frame that is synced at once, before it: never more blocks than small
    /// frames came in a row, so that in all at most one block more is written for each of them. What
    /// larger frames save is little beside what zeros would cost.
    pub(crate) fn zeros(&mut self, frame: &Range<u64>, file_end: u64) -> &[u8] {
        let is_small = frame.end - frame.start <= BLOCK;
        self.small_frames = if is_small { self.small_frames + 1 } else { 0 };
        let is_written = frame.end <= self.written_end;
        let blocks = match is_small && !is_written {
            true => self.small_frames.min(BLOCKS_MAX),
            false => 0,
        };
        let bytes = (blocks * BLOCK).min(file_end.saturating_sub(frame.end));
        if bytes > 0 && self.zeros.is_empty() {
            self.zeros.resize((BLOCKS_MAX * BLOCK) as usize);
        }
        if bytes > 0 {
            self.written_end = frame.end + bytes;
        }
        &self.zeros[..bytes as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames of so many blocks one behind the other: how many blocks each writes ahead.
    fn ahead(written_end: u64, file_blocks: u64, frames: &[u64]) -> Vec<u64> {
        let mut ahead = WriteAhead::new(written_end * BLOCK);
        let mut position = BLOCK;
        let zeros = |blocks: &u64| {
            let frame = position..position + blocks * BLOCK;
            position = frame.end;
            let zeros = ahead.zeros(&frame, file_blocks * BLOCK);
            assert!(zeros.iter().all(|byte| *byte == 0));
            assert_eq!(zeros.as_ptr().align_offset(BLOCK_BYTES), 0);
            zeros.len() as u64 / BLOCK
        };
        frames.iter().map(zeros).collect()
    }

    #[test]
    fn small_frames_in_a_row_write_ever_more_ahead() {
        let cases: [(&str, u64, &[u64], &[u64]); 5] = [
            (
                "growing",
                0,
                &[1; 12],
                &[1, 0, 3, 0, 0, 0, 7, 0, 0, 0, 0, 0],
            ),
            ("large frames write none", 0, &[2, 8, 500], &[0, 0, 0]),
            (
                "a large one breaks the row",
                0,
                &[1, 9, 1, 9, 1],
                &[1, 0, 1, 0, 1],
            ),
            ("over blocks that held data", 4, &[1; 5], &[0, 0, 0, 4, 0]),
            ("of a file used again", 10_000, &[1; 4], &[0; 4]),
        ];
        for (name, written_end, frames, expected) in cases {
            assert_eq!(ahead(written_end, 10_000, frames), expected, "{name}");
        }
    }

    #[test]
    fn no_more_than_a_block_for_each_small_frame_and_none_behind_the_end() {
        let blocks: u64 = ahead(0, 10_000, &[1; 5000]).iter().sum();
        assert!((4800..=5000).contains(&blocks), "{blocks}");
        let frames = [1; 40];
        let blocks: u64 = ahead(0, 45, &frames).iter().sum();
        assert!(blocks < 45, "{blocks}");
    }
}
