//! Decompression bombs: a gigabyte of zeros in a few kilobytes or megabytes is refused, and memory
//! stays near the bound meanwhile. Counted at the allocator, as nothing else would notice a buffer
//! that was taken and given back.
#![cfg(test)]
#![expect(
    unsafe_code,
    reason = "a counting allocator can only be written with it"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use protocol::compression::{Codec, DecompressError, compress, decompress};

static ALLOCATED: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = ALLOCATED.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK.fetch_max(now, Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        ALLOCATED.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

const MIB: usize = 1024 * 1024;
const BOMB_LEN: usize = 1024 * MIB;
const SIZE_MAX: usize = 8 * MIB;

/// `part` inflates to 4 MiB; repeated between `start` and `end` the whole makes a gigabyte.
fn repeated(start: &[u8], part: &[u8], end: &[u8]) -> Vec<u8> {
    let mut bomb = start.to_vec();
    for _ in 0..BOMB_LEN / (4 * MIB) {
        bomb.extend(part);
    }
    bomb.extend(end);
    bomb
}

fn bombs() -> Vec<(&'static str, Codec, Vec<u8>)> {
    let zeros = vec![0; 4 * MIB];
    let compressed = |codec| {
        let mut out = Vec::new();
        compress(codec, None, &zeros, &mut out).unwrap();
        out
    };
    let snappy_block = snap::raw::Encoder::new().compress_vec(&zeros).unwrap();
    let snappy_chunk = [
        &(snappy_block.len() as u32).to_be_bytes(),
        &snappy_block[..],
    ]
    .concat();
    let lz4_block = lz4_flex::block::compress(&zeros);
    let lz4_chunk = [&(lz4_block.len() as u32).to_le_bytes(), &lz4_block[..]].concat();
    // Descriptor: version 1, independent blocks, 4 MiB each.
    let lz4_start = [4, 0x22, 0x4d, 0x18, 0x60, 0x70, 0];
    let mut one_zstd_frame = Vec::new();
    let mut encoder = zstd::stream::write::Encoder::new(&mut one_zstd_frame, 1).unwrap();
    std::io::copy(
        &mut std::io::Read::take(std::io::repeat(0), BOMB_LEN as u64),
        &mut encoder,
    )
    .unwrap();
    encoder.finish().unwrap();
    vec![
        (
            "gzip members",
            Codec::Gzip,
            repeated(&[], &compressed(Codec::Gzip), &[]),
        ),
        (
            "snappy blocks",
            Codec::Snappy,
            repeated(b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01", &snappy_chunk, &[]),
        ),
        (
            "lz4 blocks",
            Codec::Lz4,
            repeated(&lz4_start, &lz4_chunk, &[0; 4]),
        ),
        (
            "zstd frames",
            Codec::Zstd,
            repeated(&[], &compressed(Codec::Zstd), &[]),
        ),
        ("one zstd frame", Codec::Zstd, one_zstd_frame),
    ]
}

// One test, since the counters are the process's.
#[test]
fn memory_stays_near_the_bound() {
    for (name, codec, bomb) in bombs() {
        let mut out = Vec::new();
        let before = ALLOCATED.load(Relaxed);
        PEAK.store(before, Relaxed);
        let result = decompress(codec, &bomb, SIZE_MAX, &mut out);
        let peak = PEAK.load(Relaxed) - before;
        assert_eq!(
            result,
            Err(DecompressError::TooLarge { size_max: SIZE_MAX }),
            "{name}"
        );
        // A growing vector doubles, and holds old and new while it moves.
        assert!(peak <= 3 * SIZE_MAX + MIB, "{name}: {peak} bytes");
    }
    for (name, codec, liar) in liars() {
        let before = ALLOCATED.load(Relaxed);
        PEAK.store(before, Relaxed);
        let mut out = Vec::new();
        let result = decompress(codec, &liar, SIZE_MAX, &mut out);
        let peak = PEAK.load(Relaxed) - before;
        assert_eq!(result, Err(DecompressError::Corrupt { codec }), "{name}");
        assert!(peak <= MIB, "{name}: {peak} bytes");
    }
}

/// A few bytes that claim much: nothing is taken on their word.
fn liars() -> Vec<(&'static str, Codec, Vec<u8>)> {
    let seven_mib_varint = [0x80, 0x80, 0xc0, 0x03];
    vec![
        (
            "bare snappy block",
            Codec::Snappy,
            [&seven_mib_varint[..], &[0, 1]].concat(),
        ),
        (
            "framed snappy block",
            Codec::Snappy,
            [
                b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01\0\0\0\x06",
                &seven_mib_varint[..],
                &[0, 1],
            ]
            .concat(),
        ),
        (
            // A block of four bytes in a frame of 4 MiB blocks, content size 7 MiB.
            "lz4 frame",
            Codec::Lz4,
            [
                &[
                    4, 0x22, 0x4d, 0x18, 0x68, 0x70, 0, 0, 0x70, 0, 0, 0, 0, 0, 0,
                ][..],
                &[4, 0, 0, 0, 0x1f, 0, 9, 9],
            ]
            .concat(),
        ),
        (
            // Single segment, four bytes of content size that say 7 MiB, then a cut block.
            "zstd frame",
            Codec::Zstd,
            vec![0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0, 0, 0x70, 0, 0x05, 0],
        ),
    ]
}
