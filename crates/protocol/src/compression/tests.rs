//! Tests of every codec: round trips, foreign framings, cut and damaged streams.

use super::*;
use proptest::prelude::*;

const COMPRESSING: [Codec; 4] = [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd];
const SIZE_MAX: usize = 1 << 20;

fn compressed(codec: Codec, level: Option<i32>, input: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    compress(codec, level, input, &mut out).unwrap();
    out
}

fn decompressed(codec: Codec, input: &[u8]) -> Result<Vec<u8>, DecompressError> {
    let mut out = Vec::new();
    decompress(codec, input, SIZE_MAX, &mut out).map(|()| out)
}

/// Text-like bytes: they compress, but not into one run.
fn sample(len: usize) -> Vec<u8> {
    (0..len as u32)
        .flat_map(|i| (i / 7 * 31).to_string().into_bytes())
        .take(len)
        .collect()
}

#[test]
fn every_codec_returns_what_it_was_given() {
    for codec in Codec::ALL {
        for len in [0, 1, 61, 32 * 1024, 32 * 1024 + 1, 64 * 1024, 300_000] {
            let input = sample(len);
            let bytes = compressed(codec, None, &input);
            assert_eq!(decompressed(codec, &bytes), Ok(input), "{codec:?} {len}");
            assert!(
                codec == Codec::None || len < 1000 || bytes.len() < len / 2,
                "{codec:?}"
            );
        }
    }
}

#[test]
fn codecs_are_numbered_and_named_as_in_kafka() {
    for (id, name) in [
        (0, "none"),
        (1, "gzip"),
        (2, "snappy"),
        (3, "lz4"),
        (4, "zstd"),
    ] {
        let codec = Codec::from_id(id).unwrap();
        assert_eq!((codec.id(), codec.name()), (id, name));
    }
    assert_eq!(Codec::from_id(5), None);
}

#[test]
fn levels_beyond_the_range_are_pulled_into_it() {
    let input = sample(50_000);
    for (codec, low, high) in [(Codec::Gzip, 1, 9), (Codec::Zstd, -131_072, 22)] {
        let bytes = |level| compressed(codec, Some(level), &input);
        assert_eq!(bytes(i32::MIN), bytes(low), "{codec:?}");
        assert_eq!(bytes(i32::MAX), bytes(high), "{codec:?}");
        assert!(bytes(high).len() < bytes(low).len(), "{codec:?}");
        assert_eq!(decompressed(codec, &bytes(high)), Ok(input.clone()));
    }
}

#[test]
fn both_directions_append_and_an_error_leaves_nothing_behind() {
    for codec in Codec::ALL {
        let input = sample(100_000);
        let mut bytes = b"before".to_vec();
        compress(codec, None, &input, &mut bytes).unwrap();
        assert_eq!(&bytes[..6], b"before");
        let mut out = b"before".to_vec();
        decompress(codec, &bytes[6..], input.len(), &mut out).unwrap();
        assert_eq!(out[6..], input, "{codec:?}");
        let error = decompress(codec, &bytes[6..], input.len() - 1, &mut out);
        let size_max = input.len() - 1;
        assert_eq!(
            error,
            Err(DecompressError::TooLarge { size_max }),
            "{codec:?}"
        );
        assert_eq!(out.len(), 6 + input.len(), "{codec:?}");
    }
}

#[test]
fn a_cut_stream_is_corrupt_wherever_it_is_cut() {
    for codec in COMPRESSING {
        let bytes = compressed(codec, None, &sample(3000));
        for cut in 1..bytes.len() {
            let found = decompressed(codec, &bytes[..cut]);
            // Snappy's framing has no end: a header without blocks is an empty stream.
            let empty = codec == Codec::Snappy && cut == 16;
            let expected = if empty {
                Ok(vec![])
            } else {
                Err(DecompressError::Corrupt { codec })
            };
            assert_eq!(found, expected, "{codec:?} {cut}");
        }
    }
}

#[test]
fn snappy_is_read_in_every_framing_clients_use() {
    let raw = |bytes: &[u8]| snap::raw::Encoder::new().compress_vec(bytes).unwrap();
    let framed = compressed(Codec::Snappy, None, b"framed");
    assert_eq!(framed[..16], *b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01");
    assert_eq!(framed[16..20], (framed.len() as u32 - 20).to_be_bytes());
    let twice = [&framed[..], &framed].concat();
    for (input, expected) in [
        (raw(b"bare block"), Ok(b"bare block".to_vec())),
        (raw(b""), Ok(vec![])),
        (twice, Ok(b"framedframed".to_vec())),
        (framed[..12].to_vec(), Err(())),
        ([&framed[..], &[0, 0]].concat(), Err(())),
        ([&framed[..16], &[0xff; 4]].concat(), Err(())),
        // A length that three bytes of snappy cannot hold.
        (vec![0x80, 0x80, 0x04, 0x00], Err(())),
    ] {
        assert_eq!(
            decompressed(Codec::Snappy, &input).map_err(|_| ()),
            expected,
            "{input:x?}"
        );
    }
}

#[test]
fn gzip_members_are_read_as_one() {
    let bytes = [
        compressed(Codec::Gzip, None, b"one"),
        compressed(Codec::Gzip, Some(1), b"two"),
    ];
    assert_eq!(
        decompressed(Codec::Gzip, &bytes.concat()),
        Ok(b"onetwo".to_vec())
    );
}

#[test]
fn lz4_frames_of_every_kind_are_read() {
    use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
    let input = sample(900_000);
    for mode in [BlockMode::Independent, BlockMode::Linked] {
        for size in [
            BlockSize::Max64KB,
            BlockSize::Max256KB,
            BlockSize::Max1MB,
            BlockSize::Max4MB,
        ] {
            for checksums in [false, true] {
                let info = FrameInfo::new()
                    .block_mode(mode)
                    .block_size(size)
                    .block_checksums(checksums)
                    .content_checksum(checksums)
                    .content_size(checksums.then_some(input.len() as u64));
                let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
                encoder.write_all(&input).unwrap();
                let frame = encoder.finish().unwrap();
                assert_eq!(decompressed(Codec::Lz4, &frame).as_ref(), Ok(&input));
            }
        }
    }
}

#[test]
fn lz4_frames_that_are_none() {
    let good = compressed(Codec::Lz4, None, &sample(500));
    assert_eq!(
        good[..6],
        [0x04, 0x22, 0x4d, 0x18, 0x60, 0x40],
        "64 KiB independent blocks"
    );
    for (at, byte) in [
        (0, 0x05), // magic
        (4, 0x20), // version 0
        (4, 0x61), // a dictionary
        (5, 0x30), // block size 3
        (9, 0x02), // a block of more than 64 KiB
    ] {
        let mut bad = good.clone();
        bad[at] = byte;
        let corrupt = DecompressError::Corrupt { codec: Codec::Lz4 };
        assert_eq!(decompressed(Codec::Lz4, &bad), Err(corrupt), "{at}");
    }
    let mut stored = good[..7].to_vec();
    stored.extend([3, 0, 0, 0x80, b'a', b'b', b'c', 0, 0, 0, 0]);
    assert_eq!(decompressed(Codec::Lz4, &stored), Ok(b"abc".to_vec()));
    let trailing = [&stored[..], b"ignored"].concat();
    assert_eq!(decompressed(Codec::Lz4, &trailing), Ok(b"abc".to_vec()));
}

proptest! {
    #[test]
    fn any_bytes_round_trip(input in prop::collection::vec(0..20u8, 0..5000)) {
        for codec in Codec::ALL {
            let bytes = compressed(codec, None, &input);
            prop_assert_eq!(decompressed(codec, &bytes), Ok(input.clone()));
        }
    }

    #[test]
    fn damaged_streams_stay_within_the_bound(
        len in 0..3000usize,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        size_max in 0..4000usize,
    ) {
        for codec in COMPRESSING {
            let mut bytes = compressed(codec, None, &sample(len));
            for (at, byte) in &damage {
                *at.get_mut(&mut bytes) ^= byte;
            }
            let mut out = Vec::new();
            let result = decompress(codec, &bytes, size_max, &mut out);
            prop_assert!(out.len() <= size_max);
            prop_assert!(result.is_ok() || out.is_empty());
        }
    }

    #[test]
    fn random_bytes_stay_within_the_bound(bytes: Vec<u8>) {
        for codec in COMPRESSING {
            let mut out = Vec::new();
            let _ = decompress(codec, &bytes, 1000, &mut out);
            prop_assert!(out.len() <= 1000);
        }
    }
}
