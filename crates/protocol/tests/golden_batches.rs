//! Batches written by Apache Kafka's own client library and by kafka-python, kept as files: each is
//! framed, checked and read. The programs that wrote them lie beside them.
#![cfg(test)]

use protocol::batch::{Batch, Batches, TimestampType};
use protocol::compression::Codec;
use protocol::record::{Header, Record};
use protocol::validate::{check_client_batch, walk_records};

const SIZE_MAX: usize = 1 << 20;

macro_rules! golden {
    ($name:literal) => {
        include_bytes!(concat!("golden/batches/", $name, ".bin"))
    };
}

/// The batches of 300 records that both programs write with each codec.
const CLIENT_BATCHES: [(Codec, &[u8]); 10] = [
    (Codec::None, golden!("java-none")),
    (Codec::Gzip, golden!("java-gzip")),
    (Codec::Snappy, golden!("java-snappy")),
    (Codec::Lz4, golden!("java-lz4")),
    (Codec::Zstd, golden!("java-zstd")),
    (Codec::None, golden!("python-none")),
    (Codec::Gzip, golden!("python-gzip")),
    (Codec::Snappy, golden!("python-snappy")),
    (Codec::Lz4, golden!("python-lz4")),
    (Codec::Zstd, golden!("python-zstd")),
];

/// Asserts that `record` is number `i` of the programs' loop.
fn assert_record(i: i64, record: &Record<'_>) {
    assert_eq!(record.offset, i);
    assert_eq!(
        record.timestamp,
        1_700_000_000_000 + 37 * i - 1000 * (i % 4)
    );
    let key = (i % 5 != 0).then(|| format!("key-{}", i % 11));
    assert_eq!(record.key, key.as_ref().map(String::as_bytes), "{i}");
    let digits = "0123456789".repeat((i % 30) as usize);
    let value = (i % 7 != 3).then(|| format!("value-{i}-{digits}"));
    assert_eq!(record.value, value.as_ref().map(String::as_bytes), "{i}");
    let first = [i as u8];
    let headers = [
        Header {
            key: b"h0",
            value: Some(&first),
        },
        Header {
            key: b"h1",
            value: None,
        },
    ];
    let expected = &headers[..(i % 3) as usize];
    assert_eq!(record.headers().collect::<Vec<_>>(), expected, "{i}");
}

#[test]
fn batches_of_both_clients_pass_every_check_and_read_as_written() {
    for (codec, bytes) in CLIENT_BATCHES {
        let batch = check_client_batch(bytes).unwrap();
        let header = batch.header();
        assert_eq!(header.codec(), Ok(codec));
        assert_eq!((header.producer_id, header.producer_epoch), (7001, 3));
        assert_eq!((header.base_sequence, header.last_sequence()), (42, 341));
        assert!(header.is_transactional());

        let mut scratch = Vec::new();
        let inflated = batch.inflate(SIZE_MAX, &mut scratch).unwrap();
        let summary = walk_records(header, inflated).unwrap();
        assert_eq!(summary.max_timestamp, header.max_timestamp);
        assert_eq!(summary.min_timestamp, 1_700_000_000_000 + 37 * 3 - 3000);
        assert_eq!(summary.null_keys, 60);
        let mut scratch = Vec::new();
        let records = batch.records(SIZE_MAX, &mut scratch).unwrap();
        assert_eq!(
            (0..)
                .zip(records)
                .map(|(i, r)| assert_record(i, &r.unwrap()))
                .count(),
            300
        );
    }
}

#[test]
fn a_transaction_marker_is_read() {
    let bytes = golden!("java-commit-marker");
    let batch = Batch::single(bytes).unwrap();
    batch.check_crc().unwrap();
    assert!(batch.header().is_control() && batch.header().is_transactional());
    assert_eq!(
        (
            batch.header().base_offset,
            batch.header().partition_leader_epoch
        ),
        (900, 5)
    );
    let mut scratch = Vec::new();
    let marker = batch
        .records(SIZE_MAX, &mut scratch)
        .unwrap()
        .next()
        .unwrap()
        .unwrap();
    assert_eq!(
        marker.key,
        Some(&[0, 0, 0, 1][..]),
        "version 0, type 1: commit"
    );
    assert_eq!(
        marker.value,
        Some(&[0, 0, 0, 0, 0, 17][..]),
        "version 0, coordinator epoch 17"
    );
    assert!(check_client_batch(bytes).is_err());
}

#[test]
fn log_append_time_is_read() {
    let batch = Batch::single(golden!("java-log-append-time")).unwrap();
    batch.check_crc().unwrap();
    assert_eq!(
        batch.header().timestamp_type(),
        TimestampType::LogAppendTime
    );
    let mut scratch = Vec::new();
    for record in batch.records(SIZE_MAX, &mut scratch).unwrap() {
        assert_eq!(record.unwrap().timestamp, 1_800_000_000_000);
    }
}

#[test]
fn every_prefix_of_every_batch_is_refused_without_panic() {
    for (_, bytes) in CLIENT_BATCHES {
        // All cuts near the header, then every 53rd, a prime, to stay quick.
        for cut in (0..200).chain((200..bytes.len()).step_by(53)) {
            assert!(check_client_batch(&bytes[..cut]).is_err());
            assert!(Batches::new(&bytes[..cut]).all(|batch| batch.is_err()));
        }
    }
}
