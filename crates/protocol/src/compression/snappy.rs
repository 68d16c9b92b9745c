//! Snappy in the framing of snappy-java, which Kafka's Java clients write: a 16-byte header, then
//! blocks behind their lengths. A bare snappy block, as some other clients write it, is read as well.

use std::io;

use super::{Codec, DecompressError, Output};

const MAGIC: [u8; 8] = *b"\x82SNAPPY\0";
/// Magic, then this version and the oldest version able to read it, both 1.
const HEADER: [u8; 16] = *b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01";
/// Uncompressed bytes per block, snappy-java's default.
const BLOCK_LEN: usize = 32 * 1024;
/// No snappy element makes more than 64 bytes out of three: what claims more is a lie.
const EXPANSION_MAX: usize = 22;

const CORRUPT: DecompressError = DecompressError::Corrupt {
    codec: Codec::Snappy,
};

pub(super) fn compress(input: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    let mut encoder = snap::raw::Encoder::new();
    out.extend_from_slice(&HEADER);
    for block in input.chunks(BLOCK_LEN) {
        let length_at = out.len();
        let block_at = length_at + 4;
        out.resize(block_at + snap::raw::max_compress_len(block.len()), 0);
        let size = encoder.compress(block, &mut out[block_at..])?;
        // A block is bounded by BLOCK_LEN, so its length fits 32 bits.
        out[length_at..block_at].copy_from_slice(&(size as u32).to_be_bytes());
        out.truncate(block_at + size);
    }
    Ok(())
}

pub(super) fn decompress(input: &[u8], output: &mut Output<'_>) -> Result<(), DecompressError> {
    let mut decoder = snap::raw::Decoder::new();
    if !input.starts_with(&MAGIC) {
        return decompress_block(&mut decoder, input, output);
    }
    let mut rest = input;
    while !rest.is_empty() {
        // Concatenated streams repeat the header where a length would stand.
        if rest.starts_with(&MAGIC) {
            rest = rest.get(HEADER.len()..).ok_or(CORRUPT)?;
            continue;
        }
        let (length, behind) = rest.split_first_chunk().ok_or(CORRUPT)?;
        let length = u32::from_be_bytes(*length) as usize;
        let (block, behind) = behind.split_at_checked(length).ok_or(CORRUPT)?;
        decompress_block(&mut decoder, block, output)?;
        rest = behind;
    }
    Ok(())
}

fn decompress_block(
    decoder: &mut snap::raw::Decoder,
    block: &[u8],
    output: &mut Output<'_>,
) -> Result<(), DecompressError> {
    let size = snap::raw::decompress_len(block).map_err(|_| CORRUPT)?;
    if size > output.room() {
        return Err(output.too_large());
    }
    if size > block.len().saturating_mul(EXPANSION_MAX) {
        return Err(CORRUPT);
    }
    let start = output.bytes.len();
    output.bytes.resize(start + size, 0);
    decoder
        .decompress(block, &mut output.bytes[start..])
        .map_err(|_| CORRUPT)?;
    Ok(())
}
