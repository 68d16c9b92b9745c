//! The LZ4 frame format as Kafka uses it: 64 KiB blocks that do not refer to each other.
//!
//! Reading is our own, because `lz4_flex`'s frame reader takes buffers of the size the header claims
//! (up to 12 MiB for a batch of 30 bytes) and calls a frame without its end mark complete. Blocks are
//! inflated straight into the output here. The frame's optional checksums are not computed: the
//! batch's CRC covers the same bytes, and Kafka does not look at the content's either.

use std::io::{self, Write};

use lz4_flex::block::{DecompressError as BlockError, decompress_into_with_dict};
use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};

use super::{Codec, DecompressError, Output};

const MAGIC: [u8; 4] = 0x184D_2204u32.to_le_bytes();

// The first byte of the frame descriptor.
const VERSION_MASK: u8 = 0xc0;
const VERSION: u8 = 0x40;
const BLOCK_CHECKSUM_BIT: u8 = 0x10;
const CONTENT_SIZE_BIT: u8 = 0x08;
const DICTIONARY_BIT: u8 = 0x01;

/// Set in a block's length if the block is stored as it is.
const STORED_BIT: u32 = 1 << 31;
/// How far back a block may refer into the blocks before it, if they are linked.
const WINDOW_LEN: usize = 64 * 1024;
/// No byte of a compressed block makes more than 255 bytes.
const EXPANSION_MAX: usize = 255;

const CORRUPT: DecompressError = DecompressError::Corrupt { codec: Codec::Lz4 };

pub(super) fn compress(input: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    let info = FrameInfo::new()
        .block_size(BlockSize::Max64KB)
        // Java's reader knows no other.
        .block_mode(BlockMode::Independent);
    let mut encoder = FrameEncoder::with_frame_info(info, out);
    encoder.write_all(input)?;
    encoder.finish()?;
    Ok(())
}

/// What the frame descriptor says about the blocks.
struct Descriptor {
    block_len_max: usize,
    has_block_checksums: bool,
}

/// Reads one frame; what follows it is ignored, as in Java.
pub(super) fn decompress(input: &[u8], output: &mut Output<'_>) -> Result<(), DecompressError> {
    let (descriptor, mut rest) = split_descriptor(input).ok_or(CORRUPT)?;
    loop {
        let (length, behind) = rest.split_first_chunk().ok_or(CORRUPT)?;
        let length = u32::from_le_bytes(*length);
        let is_stored = length & STORED_BIT != 0;
        let length = (length & !STORED_BIT) as usize;
        if length == 0 {
            return Ok(());
        }
        if length > descriptor.block_len_max {
            return Err(CORRUPT);
        }
        let (block, behind) = behind.split_at_checked(length).ok_or(CORRUPT)?;
        match is_stored {
            true => output.extend(block)?,
            false => decompress_block(block, descriptor.block_len_max, output)?,
        }
        let checksum_len = if descriptor.has_block_checksums { 4 } else { 0 };
        rest = behind.get(checksum_len..).ok_or(CORRUPT)?;
    }
}

fn split_descriptor(input: &[u8]) -> Option<(Descriptor, &[u8])> {
    let rest = input.strip_prefix(&MAGIC)?;
    let (&[flags, block_size], rest) = rest.split_first_chunk()?;
    if flags & VERSION_MASK != VERSION || flags & DICTIONARY_BIT != 0 {
        return None;
    }
    let block_len_max = match block_size >> 4 & 0x07 {
        4 => 64 * 1024,
        5 => 256 * 1024,
        6 => 1024 * 1024,
        7 => 4 * 1024 * 1024,
        _ => return None,
    };
    let content_size_len = if flags & CONTENT_SIZE_BIT != 0 { 8 } else { 0 };
    // One byte of descriptor checksum ends it, which old clients computed wrongly.
    let rest = rest.get(content_size_len + 1..)?;
    let has_block_checksums = flags & BLOCK_CHECKSUM_BIT != 0;
    Some((
        Descriptor {
            block_len_max,
            has_block_checksums,
        },
        rest,
    ))
}

fn decompress_block(
    block: &[u8],
    block_len_max: usize,
    output: &mut Output<'_>,
) -> Result<(), DecompressError> {
    let room = output.room();
    let possible = block_len_max.min(block.len().saturating_mul(EXPANSION_MAX));
    let start = output.bytes.len();
    output.bytes.resize(start + possible.min(room), 0);
    let (before, space) = output.bytes.split_at_mut(start);
    // Independent blocks never look back, so linked ones need no path of their own.
    let frame_before = &before[output.start..];
    let window = &frame_before[frame_before.len().saturating_sub(WINDOW_LEN)..];
    match decompress_into_with_dict(block, space, window) {
        Ok(size) => {
            output.bytes.truncate(start + size);
            Ok(())
        }
        Err(BlockError::OutputTooSmall { .. }) if room < possible => Err(output.too_large()),
        Err(_) => Err(CORRUPT),
    }
}
