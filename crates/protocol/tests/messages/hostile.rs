//! What no decent client sends, and what a large one may: every cut, every wrong length, random bytes, and the densest arrays. Nothing
//! panics, and no message takes more memory than a small multiple of its bytes.

use bytes::{Bytes, BytesMut};
use protocol::wire::DecodeError;

use super::counting::peak_of;
use super::kind::{Kind, every};
use super::random::Random;

/// What reading `len` bytes may take: the decoder's allowance, and the handles of record bytes and of the message itself.
fn memory_max(len: usize) -> usize {
    32 * len + 8 * 1024
}

/// Reads hostile bytes and holds them to the bound.
fn read_bounded(kind: &Kind, version: i16, bytes: Bytes) -> Result<(), DecodeError> {
    let max = memory_max(bytes.len());
    let mut outcome = Ok(());
    let shown = bytes.clone();
    let peak = peak_of(|| outcome = (kind.read)(bytes, version));
    assert!(
        peak <= max,
        "{} {version} took {peak} bytes for {shown:02x?}",
        kind.name
    );
    outcome
}

#[test]
fn every_cut_is_told() {
    for (number, (kind, version)) in every().enumerate() {
        for round in 0..3 {
            let mut random = Random::new((number as u64) << 32 | round);
            let whole = (kind.random)(&mut random, version);
            for end in 0..whole.len() {
                let cut = read_bounded(&kind, version, whole.slice(..end));
                assert!(cut.is_err(), "{} {version}: cut at {end}", kind.name);
            }
        }
    }
}

#[test]
fn absurd_lengths_take_no_memory() {
    // As an old length, as a compact one, and as the longest text.
    let lengths: [&[u8]; 4] = [
        &[0x7f, 0xff, 0xff, 0xff],
        &[0x00, 0xff, 0xff, 0xff],
        &[0xff, 0xff, 0xff, 0xff, 0x0f],
        &[0x7f, 0xff],
    ];
    for (number, (kind, version)) in every().enumerate() {
        let whole = (kind.random)(&mut Random::new(number as u64), version);
        for at in 0..whole.len() {
            let length = lengths[at % lengths.len()];
            let mut bytes = BytesMut::from(&whole[..]);
            let end = (at + length.len()).min(bytes.len());
            bytes[at..end].copy_from_slice(&length[..end - at]);
            // Some are lucky and fall into a number.
            let _ = read_bounded(&kind, version, bytes.freeze());
        }
    }
}

#[test]
fn random_bytes_take_no_memory() {
    for (number, (kind, version)) in every().enumerate() {
        let mut random = Random::new(number as u64);
        for _ in 0..50 {
            let bytes = Bytes::from(random.bytes(300));
            let _ = read_bounded(&kind, version, bytes);
        }
        for _ in 0..50 {
            let mut bytes = BytesMut::from(&(kind.random)(&mut random, version)[..]);
            for _ in 0..bytes.len().min(4) {
                let at = random.below(bytes.len() as u64) as usize;
                bytes[at] = random.below(256) as u8;
            }
            let _ = read_bounded(&kind, version, bytes.freeze());
        }
    }
}

/// Thousands of the smallest elements at each depth: a large cluster's messages must not run out of their allowance. `random` reads
/// back what it wrote.
#[test]
fn the_densest_messages_are_read() {
    for (kind, version) in every() {
        for depth in 1..=4 {
            (kind.random)(&mut Random::dense(depth, 2000), version);
        }
    }
}
