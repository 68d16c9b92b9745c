//! The bytes that came in on one connection, cut into frames. Filled by whoever reads the socket.

use crate::Malformed;

/// Larger frames are refused: neither side of the bench sends such.
pub const FRAME_BYTES_MAX: usize = 128 << 20;

/// A buffer that grows to the largest frame seen and is then reused.
///
/// ```text
/// |  taken  |  frames not yet taken  |  space  |
///           begin                    end
/// ```
pub struct Frames {
    bytes: Vec<u8>,
    begin: usize,
    end: usize,
}

impl Frames {
    pub fn new(bytes: usize) -> Self {
        Self {
            bytes: vec![0; bytes],
            begin: 0,
            end: 0,
        }
    }

    /// Where the next read goes; never empty.
    pub fn space(&mut self) -> &mut [u8] {
        if self.begin == self.end {
            self.begin = 0;
            self.end = 0;
        }
        let wanted = self.frame_bytes().unwrap_or(4);
        if self.begin + wanted > self.bytes.len() || self.end == self.bytes.len() {
            self.bytes.copy_within(self.begin..self.end, 0);
            self.end -= self.begin;
            self.begin = 0;
            if wanted > self.bytes.len() {
                self.bytes.resize(wanted, 0);
            }
        }
        &mut self.bytes[self.end..]
    }

    /// Says that `bytes` of the space have been filled.
    pub fn filled(&mut self, bytes: usize) {
        assert!(
            bytes <= self.bytes.len() - self.end,
            "more read than there was space"
        );
        self.end += bytes;
    }

    /// The next whole frame, without its length.
    pub fn next_frame(&mut self) -> Result<Option<&[u8]>, Malformed> {
        let Some(length) = self.frame_bytes() else {
            return Ok(None);
        };
        if length > FRAME_BYTES_MAX {
            return Err(Malformed { at: 0 });
        }
        if self.end - self.begin < length {
            return Ok(None);
        }
        let frame = &self.bytes[self.begin + 4..self.begin + length];
        self.begin += length;
        Ok(Some(frame))
    }

    /// Size of the frame that comes next, its length included; bounded, so that `space` stays so.
    fn frame_bytes(&self) -> Option<usize> {
        let unread = &self.bytes[self.begin..self.end];
        let length = unread
            .first_chunk()
            .map(|bytes| u32::from_be_bytes(*bytes))?;
        Some((length as usize).saturating_add(4).min(FRAME_BYTES_MAX + 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_out_however_they_came_in() {
        let sent: Vec<Vec<u8>> = (0..40).map(|i| vec![i; usize::from(i) * 7]).collect();
        let mut stream = Vec::new();
        for frame in &sent {
            stream.extend_from_slice(&(frame.len() as u32).to_be_bytes());
            stream.extend_from_slice(frame);
        }
        for chunk_bytes in [1, 3, 64, 1000, 10_000] {
            let mut frames = Frames::new(16);
            let mut received: Vec<Vec<u8>> = Vec::new();
            let mut rest = &stream[..];
            while !rest.is_empty() {
                let space = frames.space();
                let taken = rest.len().min(chunk_bytes).min(space.len());
                assert!(taken > 0);
                space[..taken].copy_from_slice(&rest[..taken]);
                frames.filled(taken);
                rest = &rest[taken..];
                while let Some(frame) = frames.next_frame().unwrap() {
                    received.push(frame.to_vec());
                }
            }
            assert_eq!(received, sent);
        }
    }

    #[test]
    fn an_absurd_length_is_refused() {
        let mut frames = Frames::new(16);
        frames.space()[..4].copy_from_slice(&[0xff; 4]);
        frames.filled(4);
        assert!(frames.next_frame().is_err());
    }
}
