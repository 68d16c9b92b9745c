//! Tests of `validate`: each rule with its code, each malformed field by name.

use super::*;
use crate::batch::{NO_PRODUCER_EPOCH, NO_PRODUCER_ID, NO_SEQUENCE};

fn header() -> BatchHeader {
    BatchHeader {
        base_offset: 0,
        length: 0,
        partition_leader_epoch: -1,
        magic: MAGIC,
        crc: 0,
        attributes: 0,
        last_offset_delta: 2,
        base_timestamp: 1000,
        max_timestamp: 1000,
        producer_id: NO_PRODUCER_ID,
        producer_epoch: NO_PRODUCER_EPOCH,
        base_sequence: NO_SEQUENCE,
        record_count: 3,
    }
}

#[test]
fn header_rules_and_the_codes_they_answer_with() {
    use ErrorCode::{InvalidRecord, InvalidTimestamp, UnsupportedCompressionType};
    let idempotent = BatchHeader {
        producer_id: 9,
        producer_epoch: 0,
        base_sequence: 0,
        ..header()
    };
    for (header, expected) in [
        (header(), None),
        (idempotent, None),
        (
            BatchHeader {
                attributes: 0x14,
                ..idempotent
            },
            None,
        ),
        (
            BatchHeader {
                base_offset: 1,
                ..header()
            },
            Some(InvalidRecord),
        ),
        (
            BatchHeader {
                base_offset: -1,
                ..header()
            },
            Some(InvalidRecord),
        ),
        (
            BatchHeader {
                record_count: 0,
                last_offset_delta: -1,
                ..header()
            },
            Some(InvalidRecord),
        ),
        (
            BatchHeader {
                record_count: -1,
                ..header()
            },
            Some(InvalidRecord),
        ),
        (
            BatchHeader {
                record_count: 4,
                ..header()
            },
            Some(InvalidRecord),
        ),
        (
            BatchHeader {
                last_offset_delta: i32::MAX,
                ..header()
            },
            Some(InvalidRecord),
        ),
        (
            BatchHeader {
                record_count: i32::MIN,
                ..header()
            },
            Some(InvalidRecord),
        ),
        (
            BatchHeader {
                attributes: 5,
                ..header()
            },
            Some(UnsupportedCompressionType),
        ),
        (
            BatchHeader {
                attributes: 0x20,
                ..header()
            },
            Some(InvalidRecord),
        ),
        (
            BatchHeader {
                attributes: 0x40,
                ..header()
            },
            Some(InvalidRecord),
        ),
        (
            BatchHeader {
                attributes: 0x08,
                ..header()
            },
            Some(InvalidTimestamp),
        ),
        (
            BatchHeader {
                attributes: 0x10,
                ..header()
            },
            Some(InvalidRecord),
        ),
        (
            BatchHeader {
                base_sequence: -1,
                ..idempotent
            },
            Some(InvalidRecord),
        ),
        (
            BatchHeader {
                producer_epoch: -1,
                ..idempotent
            },
            Some(InvalidRecord),
        ),
    ] {
        let found = check_client_header(&header).err().map(|e| e.code());
        assert_eq!(found, expected, "{header:?}");
    }
}

#[test]
fn framing_errors_have_kafkas_codes() {
    for (error, expected) in [
        (
            BatchError::Truncated {
                size: 61,
                available: 0,
            },
            ErrorCode::InvalidRecord,
        ),
        (
            BatchError::NotSingle { bytes_behind: 61 },
            ErrorCode::InvalidRecord,
        ),
        (BatchError::Length { length: -1 }, ErrorCode::CorruptMessage),
        (
            BatchError::Crc {
                stored: 1,
                computed: 2,
            },
            ErrorCode::CorruptMessage,
        ),
        (BatchError::Magic { magic: 0 }, ErrorCode::InvalidRecord),
        (BatchError::Magic { magic: 1 }, ErrorCode::InvalidRecord),
        (BatchError::Magic { magic: 3 }, ErrorCode::CorruptMessage),
        (
            DecompressError::TooLarge { size_max: 1 }.into(),
            ErrorCode::MessageTooLarge,
        ),
    ] {
        assert_eq!(error.code(), expected, "{error}");
    }
}

/// A record body without its length: attributes, deltas, key, value, header count, headers.
fn records(bodies: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    for body in bodies {
        crate::varint::write_i32(&mut out, body.len() as i32);
        out.extend(*body);
    }
    out
}

#[test]
fn a_walk_reports_times_and_null_keys() {
    for (bodies, expected) in [
        (
            [
                &[0, 0, 0, 2, b'k', 2, b'v', 0][..],
                &[0, 10, 2, 0, 0, 0],
                &[0, 9, 4, 1, 1, 4, 2, b'h', 1, 0, 2, b'x'],
            ],
            RecordsSummary {
                max_timestamp: 1005,
                min_timestamp: 995,
                null_keys: 1,
            },
        ),
        (
            // A delta of -1001 gives NO_TIMESTAMP, which no range check may see.
            [
                &[0, 0xd1, 0x0f, 0, 1, 1, 0][..],
                &[0, 0xd1, 0x0f, 2, 1, 1, 0],
                &[0, 2, 4, 1, 1, 0],
            ],
            RecordsSummary {
                max_timestamp: 1001,
                min_timestamp: 1001,
                null_keys: 3,
            },
        ),
        (
            [
                &[0, 0xd1, 0x0f, 0, 0, 1, 0][..],
                &[0, 0xd1, 0x0f, 2, 0, 1, 0],
                &[0, 0xd1, 0x0f, 4, 0, 1, 0],
            ],
            RecordsSummary {
                max_timestamp: NO_TIMESTAMP,
                min_timestamp: NO_TIMESTAMP,
                null_keys: 0,
            },
        ),
    ] {
        assert_eq!(walk_records(&header(), &records(&bodies)), Ok(expected));
    }
}

#[test]
fn a_walk_names_the_malformed_field() {
    let first = &[0, 0, 0, 1, 1, 0][..];
    let second = &[0, 0, 2, 1, 1, 0][..];
    for (third, expected) in [
        (&[][..], "attributes"),
        (&[0], "timestamp delta"),
        (&[0, 0], "offset delta"),
        (&[0, 0, 4], "key"),
        (&[0, 0, 4, 4, b'k'], "key"),
        (&[0, 0, 4, 3, 1, 0], "key"),
        (&[0, 0, 4, 1], "value"),
        (&[0, 0, 4, 1, 0xfe, 0xff, 0xff, 0xff, 0x0f, 0], "value"),
        (&[0, 0, 4, 1, 1], "header count"),
        (&[0, 0, 4, 1, 1, 1], "header count"),
        (&[0, 0, 4, 1, 1, 2], "header key"),
        (&[0, 0, 4, 1, 1, 2, 1, 1], "header key: it is null"),
        (&[0, 0, 4, 1, 1, 2, 0], "header value"),
        (
            &[0, 0, 4, 1, 1, 0xfe, 0xff, 0xff, 0xff, 0x0f, 0, 1],
            "header key",
        ),
        (&[0, 0, 4, 1, 1, 0, 0], "end: bytes follow the headers"),
    ] {
        let bytes = records(&[first, second, third]);
        let expected = BatchError::Record(RecordError {
            index: 2,
            field: expected,
        });
        assert_eq!(walk_records(&header(), &bytes), Err(expected), "{third:?}");
    }
    let two = records(&[first, second]);
    let missing = BatchError::Record(RecordError {
        index: 2,
        field: "length",
    });
    assert_eq!(walk_records(&header(), &two), Err(missing));
}

#[test]
fn a_walk_checks_offset_deltas_and_the_end() {
    let body = |offset_delta: u8| vec![0, 0, offset_delta * 2, 1, 1, 0];
    let third_is = |delta| records(&[&body(0), &body(1), &body(delta)]);
    assert!(walk_records(&header(), &third_is(2)).is_ok());
    for delta in [0, 1, 3] {
        let expected = BatchError::OffsetDelta {
            index: 2,
            offset_delta: delta.into(),
        };
        assert_eq!(walk_records(&header(), &third_is(delta)), Err(expected));
    }
    let behind = [third_is(2), vec![0]].concat();
    let expected = BatchError::BytesBehindRecords { bytes_behind: 1 };
    assert_eq!(walk_records(&header(), &behind), Err(expected));
}
