//! Frames: four bytes of size, then a message. Whoever reads a connection splits its bytes here.

use bytes::{Buf, Bytes, BytesMut};

/// Bytes of the size in front of each frame.
pub const SIZE_BYTES: usize = 4;

/// The peer does not speak Kafka's protocol, or sends more than is allowed; where its next frame begins is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a frame of {size} bytes, where 0 to {size_max} are allowed")]
pub struct BadFrameSize {
    pub size: i32,
    pub size_max: usize,
}

/// The bytes behind the size of the frame at the head of `input`; `None` until the size is there. Known before the frame is, so that
/// nothing is allocated for one that is too large.
pub fn frame_size(input: &[u8], size_max: usize) -> Result<Option<usize>, BadFrameSize> {
    let Some(size) = input.first_chunk::<SIZE_BYTES>() else {
        return Ok(None);
    };
    let size = i32::from_be_bytes(*size);
    match usize::try_from(size) {
        Ok(bytes) if bytes <= size_max => Ok(Some(bytes)),
        _ => Err(BadFrameSize { size, size_max }),
    }
}

/// Takes the frame at the head of `input`, without its size; `None` until it is there whole.
pub fn next_frame(input: &mut BytesMut, size_max: usize) -> Result<Option<Bytes>, BadFrameSize> {
    match frame_size(input, size_max)? {
        Some(bytes) if input.len() - SIZE_BYTES >= bytes => {
            input.advance(SIZE_BYTES);
            Ok(Some(input.split_to(bytes).freeze()))
        }
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_out_as_they_went_in_however_the_bytes_arrive() {
        let sent: Vec<&[u8]> = vec![b"first", b"", b"the third"];
        let mut wire = Vec::new();
        for frame in &sent {
            wire.extend((frame.len() as u32).to_be_bytes());
            wire.extend(*frame);
        }
        for piece_bytes in 1..=wire.len() {
            let mut input = BytesMut::new();
            let mut found = Vec::new();
            for piece in wire.chunks(piece_bytes) {
                input.extend_from_slice(piece);
                while let Some(frame) = next_frame(&mut input, 9).unwrap() {
                    found.push(frame);
                }
            }
            assert_eq!(found, sent, "{piece_bytes} bytes at a time");
            assert!(input.is_empty());
        }
    }

    #[test]
    fn a_size_is_judged_before_the_frame_is_there() {
        for (bytes, size_max, expected) in [
            (&[][..], 100, Ok(None)),
            (&[0, 0, 0], 100, Ok(None)),
            (&[0, 0, 0, 100], 100, Ok(Some(100))),
            (&[0, 0, 0, 0], 0, Ok(Some(0))),
            (&[0, 0, 0, 101], 100, Err(101)),
            (&[0x7f, 0xff, 0xff, 0xff], 100, Err(i32::MAX)),
            (&[0xff, 0xff, 0xff, 0xff], 100, Err(-1)),
            (&[0x80, 0, 0, 0], usize::MAX, Err(i32::MIN)),
            // A browser that knocks at the wrong door.
            (b"GET / HTTP/1.1", 1 << 20, Err(0x4745_5420)),
        ] {
            let expected = expected.map_err(|size| BadFrameSize { size, size_max });
            assert_eq!(frame_size(bytes, size_max), expected, "{bytes:02x?}");
        }
    }
}
