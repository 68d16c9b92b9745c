//! Tests of `batch_builder`, and of reading records back.

use super::*;
use crate::batch::Batch;
use crate::record::Record;
use crate::validate::{BatchError, RecordsSummary, check_client_batch, walk_records};
use proptest::prelude::*;

const SIZE_MAX: usize = 1 << 20;

fn built(options: BatchOptions, records: &[NewRecord<'_>]) -> Vec<u8> {
    let mut builder = BatchBuilder::new(options);
    for record in records {
        builder.append(record).unwrap();
    }
    builder.build().unwrap()
}

fn record(timestamp: i64, key: Option<&'static [u8]>) -> NewRecord<'static> {
    NewRecord {
        timestamp,
        key,
        value: Some(b"value"),
        headers: &[],
    }
}

#[test]
fn a_batch_holds_what_was_appended() {
    let headers = [
        Header {
            key: b"trace",
            value: Some(b"1"),
        },
        Header {
            key: b"trace",
            value: None,
        },
        Header {
            key: b"",
            value: Some(b""),
        },
    ];
    let options = BatchOptions {
        base_offset: 100,
        partition_leader_epoch: 4,
        producer_id: 9,
        producer_epoch: 2,
        base_sequence: 30,
        is_transactional: true,
        ..BatchOptions::default()
    };
    let first = NewRecord {
        timestamp: 500,
        key: Some(b"k"),
        value: None,
        headers: &headers,
    };
    let bytes = built(options, &[first, record(400, None)]);

    let batch = Batch::single(&bytes).unwrap();
    batch.check_crc().unwrap();
    let header = batch.header();
    assert_eq!(
        (
            header.base_offset,
            header.last_offset(),
            header.record_count
        ),
        (100, 101, 2)
    );
    assert_eq!((header.base_timestamp, header.max_timestamp), (500, 500));
    assert_eq!(
        (
            header.producer_id,
            header.producer_epoch,
            header.base_sequence
        ),
        (9, 2, 30)
    );
    assert_eq!(header.partition_leader_epoch, 4);
    assert!(header.is_transactional() && !header.is_control());

    let mut scratch = Vec::new();
    let records: Result<Vec<Record<'_>>, _> =
        batch.records(SIZE_MAX, &mut scratch).unwrap().collect();
    let [first, second] = records.unwrap().try_into().unwrap();
    assert_eq!((first.offset, first.timestamp), (100, 500));
    assert_eq!((first.key, first.value), (Some(&b"k"[..]), None));
    assert_eq!(first.headers().collect::<Vec<_>>(), headers);
    assert_eq!((second.offset, second.timestamp), (101, 400));
    assert_eq!((second.key, second.value), (None, Some(&b"value"[..])));
    assert!(second.headers().next().is_none());
}

#[test]
fn the_size_is_known_before_and_during_building() {
    let mut builder = BatchBuilder::new(BatchOptions::default());
    assert_eq!(
        (builder.uncompressed_size(), builder.record_count()),
        (HEADER_LEN, 0)
    );
    for i in 0..200 {
        builder.append(&record(i, Some(b"key"))).unwrap();
    }
    let size = builder.uncompressed_size();
    assert_eq!(builder.record_count(), 200);
    let bytes = builder.build().unwrap();
    assert_eq!(bytes.len(), size);
    assert_eq!(Batch::single(&bytes).unwrap().header().size(), size);
}

#[test]
fn a_full_batch_refuses_and_stays_as_it_was() {
    let half = vec![0; super::SIZE_MAX / 2];
    let big = NewRecord {
        timestamp: 0,
        key: Some(&half),
        value: Some(&half),
        headers: &[],
    };
    let mut builder = BatchBuilder::new(BatchOptions::default());
    builder.append(&record(1, None)).unwrap();
    let size = builder.uncompressed_size();
    assert_eq!(builder.append(&big), Err(BatchFull));
    assert_eq!(
        (builder.uncompressed_size(), builder.record_count()),
        (size, 1)
    );
    assert!(check_client_batch(&builder.build().unwrap()).is_ok());
}

#[test]
fn log_append_time_overrides_the_records_own() {
    let mut bytes = built(BatchOptions::default(), &[record(1, None), record(2, None)]);
    batch::set_max_timestamp(&mut bytes, TimestampType::LogAppendTime, 77);
    let batch = Batch::single(&bytes).unwrap();
    let times: Vec<i64> = batch
        .records(SIZE_MAX, &mut Vec::new())
        .unwrap()
        .map(|record| record.unwrap().timestamp)
        .collect();
    assert_eq!(times, [77, 77]);
}

#[test]
fn inflating_is_bounded_and_copies_only_what_is_compressed() {
    let records: Vec<_> = (0..100).map(|i| record(i, Some(b"key"))).collect();
    let plain = built(BatchOptions::default(), &records);
    let plain = Batch::single(&plain).unwrap();
    let mut scratch = Vec::new();
    assert_eq!(
        plain.inflate(0, &mut scratch).unwrap().as_ptr(),
        plain.payload().as_ptr()
    );
    for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
        let bytes = built(
            BatchOptions {
                codec,
                ..BatchOptions::default()
            },
            &records,
        );
        let batch = Batch::single(&bytes).unwrap();
        let size = plain.payload().len();
        assert_eq!(batch.inflate(size, &mut scratch).unwrap(), plain.payload());
        let error = batch.inflate(size - 1, &mut scratch).unwrap_err();
        assert!(
            matches!(error, BatchError::Decompress(_)),
            "{codec:?} {error}"
        );
    }
}

/// A record that owns its parts, as proptest makes them.
#[derive(Clone, Debug)]
struct OwnedRecord {
    timestamp: i64,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

fn owned_record() -> impl Strategy<Value = OwnedRecord> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..200);
    let optional = move || prop::option::of(bytes());
    let headers = prop::collection::vec((bytes(), optional()), 0..4);
    let timestamp = prop_oneof![Just(-1), 0..4_000_000_000_000i64, any::<i64>()];
    (timestamp, optional(), optional(), headers).prop_map(|(timestamp, key, value, headers)| {
        OwnedRecord {
            timestamp,
            key,
            value,
            headers,
        }
    })
}

fn build_owned(codec: Codec, records: &[OwnedRecord]) -> Vec<u8> {
    let mut builder = BatchBuilder::new(BatchOptions {
        codec,
        ..BatchOptions::default()
    });
    for record in records {
        let headers: Vec<Header<'_>> = record
            .headers
            .iter()
            .map(|(key, value)| Header {
                key,
                value: value.as_deref(),
            })
            .collect();
        let record = NewRecord {
            timestamp: record.timestamp,
            key: record.key.as_deref(),
            value: record.value.as_deref(),
            headers: &headers,
        };
        builder.append(&record).unwrap();
    }
    builder.build().unwrap()
}

proptest! {
    #[test]
    fn any_records_round_trip(
        codec in prop::sample::select(&Codec::ALL[..]),
        records in prop::collection::vec(owned_record(), 1..30),
    ) {
        let bytes = build_owned(codec, &records);
        let batch = check_client_batch(&bytes).unwrap();
        let mut scratch = Vec::new();
        let inflated = batch.inflate(SIZE_MAX, &mut scratch).unwrap();
        let times = || records.iter().map(|record| record.timestamp).filter(|t| *t != -1);
        let expected = RecordsSummary {
            max_timestamp: records.iter().map(|r| r.timestamp).max().unwrap().max(-1),
            min_timestamp: times().min().unwrap_or(-1),
            null_keys: records.iter().filter(|r| r.key.is_none()).count() as i32,
        };
        prop_assert_eq!(walk_records(batch.header(), inflated), Ok(expected));
        let read: Vec<OwnedRecord> = batch
            .records(SIZE_MAX, &mut Vec::new())
            .unwrap()
            .map(|record| {
                let record = record.unwrap();
                OwnedRecord {
                    timestamp: record.timestamp,
                    key: record.key.map(Into::into),
                    value: record.value.map(Into::into),
                    headers: record
                        .headers()
                        .map(|header| (header.key.to_vec(), header.value.map(Into::into)))
                        .collect(),
                }
            })
            .collect();
        prop_assert_eq!(format!("{read:?}"), format!("{records:?}"));
    }

    /// Records whose CRC is right but whose bytes are not, as only a hostile client sends them.
    #[test]
    fn damaged_records_never_panic(
        records in prop::collection::vec(owned_record(), 1..10),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        record_count: i32,
        cut: prop::sample::Index,
    ) {
        let mut bytes = build_owned(Codec::None, &records);
        let header = BatchHeader { record_count, ..*Batch::single(&bytes).unwrap().header() };
        let payload = &mut bytes[HEADER_LEN..];
        for (at, byte) in damage {
            payload[at.index(payload.len())] ^= byte;
        }
        let _ = walk_records(&header, payload);
        let _ = walk_records(&header, &payload[..cut.index(payload.len())]);
        for record in crate::record::Records::new(&header, payload).flatten() {
            prop_assert!(record.headers().count() <= payload.len());
        }
    }
}

#[test]
fn another_codec_changes_nothing_else() {
    for sent in Codec::ALL {
        let options = BatchOptions {
            codec: sent,
            base_offset: 100,
            partition_leader_epoch: 4,
            producer_id: 9,
            producer_epoch: 2,
            base_sequence: 30,
            is_transactional: true,
            ..BatchOptions::default()
        };
        let bytes = built(options, &[record(500, Some(b"k")), record(400, None)]);
        let batch = Batch::single(&bytes).unwrap();
        let mut scratch = Vec::new();
        let records = batch.inflate(SIZE_MAX, &mut scratch).unwrap();
        for stored in Codec::ALL {
            let again = with_codec(batch.header(), records, stored, None).unwrap();
            let again = Batch::single(&again).unwrap();
            again.check_crc().unwrap();
            assert_eq!(again.header().codec(), Ok(stored));
            let mut inflated = Vec::new();
            assert_eq!(again.inflate(SIZE_MAX, &mut inflated).unwrap(), records);
            let expected = BatchHeader {
                length: again.header().length,
                crc: again.header().crc,
                attributes: again.header().attributes,
                ..*batch.header()
            };
            assert_eq!(*again.header(), expected);
            let other_bits =
                |header: &BatchHeader| batch::attributes_with_codec(header.attributes, Codec::None);
            assert_eq!(other_bits(again.header()), other_bits(batch.header()));
        }
    }
}
