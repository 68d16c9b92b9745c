//! Tests of `batch`: layout, walking, patching, damage.

use super::*;
use proptest::prelude::*;

fn header() -> BatchHeader {
    BatchHeader {
        base_offset: 0x0102_0304_0506_0708,
        length: 49,
        partition_leader_epoch: 0x1112_1314,
        magic: MAGIC,
        crc: 0x2122_2324,
        attributes: 0x0013,
        last_offset_delta: 0x3132_3334,
        base_timestamp: 0x4142_4344_4546_4748,
        max_timestamp: 0x5152_5354_5556_5758,
        producer_id: 0x6162_6364_6566_6768,
        producer_epoch: 0x7172,
        base_sequence: 0x4172_7374,
        record_count: 0x0182_8384,
    }
}

/// An empty batch (as compaction leaves them) with `payload` for records and a good CRC.
fn batch(payload: &[u8]) -> Vec<u8> {
    let length = (HEADER_LEN - LENGTH_OVERHEAD + payload.len()) as i32;
    let mut bytes = BatchHeader { length, ..header() }.encode().to_vec();
    bytes.extend(payload);
    set_crc(&mut bytes);
    bytes
}

#[test]
fn the_header_lies_where_kafka_puts_it() {
    let bytes = header().encode();
    let expected = [
        1, 2, 3, 4, 5, 6, 7, 8, // base offset
        0, 0, 0, 49, // length
        0x11, 0x12, 0x13, 0x14, // partition leader epoch
        2,    // magic
        0x21, 0x22, 0x23, 0x24, // crc
        0x00, 0x13, // attributes
        0x31, 0x32, 0x33, 0x34, // last offset delta
        0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, // base timestamp
        0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, // max timestamp
        0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, // producer id
        0x71, 0x72, // producer epoch
        0x41, 0x72, 0x73, 0x74, // base sequence
        0x01, 0x82, 0x83, 0x84, // record count
    ];
    assert_eq!(bytes, expected);
    assert_eq!(BatchHeader::decode(&bytes), header());
}

#[test]
fn attribute_bits_mean_what_kafka_says() {
    for (bits, codec, log_append_time, transactional, control, horizon) in [
        (0x00, Some(Codec::None), false, false, false, false),
        (0x01, Some(Codec::Gzip), false, false, false, false),
        (0x02, Some(Codec::Snappy), false, false, false, false),
        (0x0b, Some(Codec::Lz4), true, false, false, false),
        (0x14, Some(Codec::Zstd), false, true, false, false),
        (0x30, Some(Codec::None), false, true, true, false),
        (0x40, Some(Codec::None), false, false, false, true),
        (0x05, None, false, false, false, false),
        (0x07, None, false, false, false, false),
    ] {
        let header = BatchHeader {
            attributes: bits,
            ..header()
        };
        assert_eq!(header.codec().ok(), codec, "{bits:#x}");
        let is_log_append_time = header.timestamp_type() == TimestampType::LogAppendTime;
        assert_eq!(is_log_append_time, log_append_time, "{bits:#x}");
        assert_eq!(header.is_transactional(), transactional, "{bits:#x}");
        assert_eq!(header.is_control(), control, "{bits:#x}");
        assert_eq!(header.delete_horizon_ms().is_some(), horizon, "{bits:#x}");
        if let (Some(codec), false) = (codec, horizon) {
            let rebuilt = attributes(codec, header.timestamp_type(), transactional, control);
            assert_eq!(rebuilt, bits);
        }
    }
}

#[test]
fn offsets_and_sequences_of_the_last_record() {
    for (base_offset, base_sequence, delta, last_offset, last_sequence) in [
        (0, 0, 0, 0, 0),
        (100, 7, 9, 109, 16),
        (5, NO_SEQUENCE, 3, 8, NO_SEQUENCE),
        (0, i32::MAX, 0, 0, i32::MAX),
        (0, i32::MAX, 1, 1, 0),
        (0, i32::MAX - 2, 5, 5, 2),
        (i64::MAX, 0, i32::MAX, i64::MAX, i32::MAX),
    ] {
        let header = BatchHeader {
            base_offset,
            base_sequence,
            last_offset_delta: delta,
            ..header()
        };
        assert_eq!(header.last_offset(), last_offset);
        assert_eq!(header.next_offset(), last_offset.saturating_add(1));
        assert_eq!(header.last_sequence(), last_sequence);
    }
}

#[test]
fn consecutive_batches_are_walked_and_a_cut_last_one_is_told() {
    let chunk = [batch(b"first"), batch(b""), batch(b"third")].concat();
    let payloads: Vec<&[u8]> = Batches::new(&chunk).map(|b| b.unwrap().payload()).collect();
    assert_eq!(payloads, [&b"first"[..], b"", b"third"]);
    for cut in 0..chunk.len() {
        let whole = [66, 127, 193].iter().filter(|end| **end <= cut).count();
        let at_boundary = [0, 66, 127].contains(&cut);
        let mut batches = Batches::new(&chunk[..cut]);
        assert_eq!(
            batches.by_ref().take_while(Result::is_ok).count(),
            whole,
            "{cut}"
        );
        let last = Batches::new(&chunk[..cut])
            .last()
            .map(|b| b.map(|b| b.bytes().len()));
        let is_cut = matches!(last, Some(Err(BatchError::Truncated { .. })));
        assert_eq!(is_cut, !at_boundary, "{cut}");
        assert!(batches.next().is_none(), "nothing comes after an error");
    }
}

#[test]
fn framing_errors() {
    let good = batch(b"records");
    let with = |at: usize, bytes: &[u8]| {
        let mut changed = good.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        changed
    };
    for (bytes, expected) in [
        (
            vec![],
            BatchError::Truncated {
                size: 61,
                available: 0,
            },
        ),
        (
            good[..16].to_vec(),
            BatchError::Truncated {
                size: 61,
                available: 16,
            },
        ),
        (
            good[..67].to_vec(),
            BatchError::Truncated {
                size: 68,
                available: 67,
            },
        ),
        (with(8, &[0, 0, 0, 48]), BatchError::Length { length: 48 }),
        (with(8, &[0xff; 4]), BatchError::Length { length: -1 }),
        (
            with(8, &[0x7f, 0xff, 0xff, 0xff]),
            BatchError::Truncated {
                size: i32::MAX as usize + 12,
                available: 68,
            },
        ),
        (with(16, &[1]), BatchError::Magic { magic: 1 }),
        (
            with(16, &[0])[..30].to_vec(),
            BatchError::Magic { magic: 0 },
        ),
        (with(16, &[0xff]), BatchError::Magic { magic: -1 }),
        (
            [&good[..], &[0]].concat(),
            BatchError::NotSingle { bytes_behind: 1 },
        ),
    ] {
        assert_eq!(Batch::single(&bytes).err(), Some(expected));
    }
    assert_eq!(Batch::single(&good).unwrap().bytes(), good);
}

#[test]
fn offset_and_epoch_are_patched_outside_the_crc() {
    let mut bytes = batch(b"records");
    set_base_offset(&mut bytes, i64::MAX - 7);
    set_partition_leader_epoch(&mut bytes, 12);
    let batch = Batch::single(&bytes).unwrap();
    batch.check_crc().unwrap();
    let length = batch.header().length;
    let crc = batch.header().crc;
    let expected = BatchHeader {
        base_offset: i64::MAX - 7,
        partition_leader_epoch: 12,
        length,
        crc,
        ..header()
    };
    assert_eq!(*batch.header(), expected);
}

#[test]
fn a_new_timestamp_renews_the_crc() {
    let mut bytes = batch(b"records");
    let before = bytes.clone();
    set_max_timestamp(
        &mut bytes,
        TimestampType::CreateTime,
        header().max_timestamp,
    );
    assert_eq!(bytes, before);

    set_max_timestamp(&mut bytes, TimestampType::LogAppendTime, 77);
    let batch = Batch::single(&bytes).unwrap();
    batch.check_crc().unwrap();
    assert_eq!(batch.header().max_timestamp, 77);
    assert_eq!(
        batch.header().timestamp_type(),
        TimestampType::LogAppendTime
    );
    assert!(batch.header().is_transactional(), "other bits stay");

    set_max_timestamp(
        &mut bytes,
        TimestampType::CreateTime,
        header().max_timestamp,
    );
    assert_eq!(bytes, before);
}

#[test]
fn every_flipped_bit_under_the_crc_is_found() {
    let good = batch(b"a few records");
    Batch::single(&good).unwrap().check_crc().unwrap();
    for bit in CRC_AT * 8..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        let error = Batch::single(&bad).unwrap().check_crc().unwrap_err();
        assert!(matches!(error, BatchError::Crc { .. }), "bit {bit}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_walked_without_panic(mut bytes: Vec<u8>, length in 0..200i32) {
        for batch in Batches::new(&bytes).flatten() {
            prop_assert!(batch.bytes().len() >= HEADER_LEN);
        }
        if bytes.len() > MAGIC_AT {
            put(&mut bytes, LENGTH_AT, length.to_be_bytes());
            bytes[MAGIC_AT] = MAGIC as u8;
            for batch in Batches::new(&bytes).flatten() {
                prop_assert_eq!(batch.bytes().len(), batch.header().size());
                prop_assert_eq!(batch.check_crc().is_err(), true);
            }
        }
    }
}
