//! Frames come out alike however their bytes arrive. A byte each for the size of the pieces and the largest frame, then the bytes.
#![no_main]

use bytes::{Bytes, BytesMut};
use libfuzzer_sys::fuzz_target;
use protocol::frame::{BadFrameSize, next_frame};

/// All frames that `pieces` hold, and what stopped them.
fn split<'a>(
    pieces: impl Iterator<Item = &'a [u8]>,
    size_max: usize,
) -> (Vec<Bytes>, Option<BadFrameSize>) {
    let mut input = BytesMut::new();
    let mut frames = Vec::new();
    for piece in pieces {
        input.extend_from_slice(piece);
        loop {
            match next_frame(&mut input, size_max) {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(error) => return (frames, Some(error)),
            }
        }
    }
    (frames, None)
}

fuzz_target!(|bytes: &[u8]| {
    if let [piece_bytes, size_max, bytes @ ..] = bytes {
        let size_max = (*size_max).into();
        let in_pieces = split(bytes.chunks(usize::from(*piece_bytes).max(1)), size_max);
        assert_eq!(in_pieces, split(std::iter::once(bytes), size_max));
        assert!(in_pieces.0.iter().all(|frame| frame.len() <= size_max));
    }
});
