//! Record batches against the crate `kafka-protocol` as oracle: what either side writes, with every
//! codec, the other reads as the same records.
#![cfg(test)]

use bytes::{Bytes, BytesMut};
use kafka_protocol::protocol::StrBytes;
use kafka_protocol::records::{
    Compression, Record as TheirRecord, RecordBatchDecoder, RecordBatchEncoder,
    RecordEncodeOptions, TimestampType,
};
use proptest::prelude::*;
use protocol::batch::Batch;
use protocol::batch_builder::{BatchBuilder, BatchOptions, NewRecord};
use protocol::compression::Codec;
use protocol::record::Header;
use protocol::validate::check_client_batch;

const SIZE_MAX: usize = 1 << 20;

fn codec_of(compression: Compression) -> Codec {
    Codec::from_id(compression as u8).unwrap()
}

fn compression() -> impl Strategy<Value = Compression> {
    prop::sample::select(vec![
        Compression::None,
        Compression::Gzip,
        Compression::Snappy,
        Compression::Lz4,
        Compression::Zstd,
    ])
}

/// Records as the oracle holds them, all of one producer and with consecutive offsets.
fn records() -> impl Strategy<Value = Vec<TheirRecord>> {
    let bytes = || prop::option::of(prop::collection::vec(0..30u8, 0..300).prop_map(Bytes::from));
    let headers = || {
        let pair = ("[a-zäß]{0,8}".prop_map(StrBytes::from_string), bytes());
        prop::collection::vec(pair, 0..3)
    };
    let one = (0..4_000_000_000_000i64, bytes(), bytes(), headers());
    let producer = (any::<bool>(), 0..i64::MAX, 0..i16::MAX, 0..i32::MAX - 100);
    (prop::collection::vec(one, 1..40), producer).prop_map(|(parts, producer)| {
        let (transactional, producer_id, producer_epoch, base_sequence) = producer;
        (0i32..)
            .zip(parts)
            .map(|(i, (timestamp, key, value, headers))| TheirRecord {
                transactional,
                control: false,
                delete_horizon: false,
                partition_leader_epoch: 3,
                producer_id,
                producer_epoch,
                timestamp_type: TimestampType::Creation,
                offset: i.into(),
                sequence: base_sequence + i,
                timestamp,
                key,
                value,
                headers: headers.into_iter().collect(),
            })
            .collect()
    })
}

fn build(codec: Codec, records: &[TheirRecord]) -> Vec<u8> {
    let first = &records[0];
    let mut builder = BatchBuilder::new(BatchOptions {
        codec,
        partition_leader_epoch: first.partition_leader_epoch,
        producer_id: first.producer_id,
        producer_epoch: first.producer_epoch,
        base_sequence: first.sequence,
        is_transactional: first.transactional,
        ..BatchOptions::default()
    });
    for record in records {
        let headers: Vec<Header<'_>> = record
            .headers
            .iter()
            .map(|(key, value)| Header {
                key: key.as_bytes(),
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

/// The records of `batch` in the oracle's form.
fn read(batch: &Batch<'_>) -> Vec<TheirRecord> {
    let header = batch.header();
    let mut scratch = Vec::new();
    let records = batch.records(SIZE_MAX, &mut scratch).unwrap();
    (0i32..)
        .zip(records)
        .map(|(i, record)| {
            let record = record.unwrap();
            let headers = record.headers().map(|header| {
                let key = String::from_utf8(header.key.to_vec()).unwrap();
                (
                    StrBytes::from_string(key),
                    header.value.map(Bytes::copy_from_slice),
                )
            });
            TheirRecord {
                transactional: header.is_transactional(),
                control: header.is_control(),
                delete_horizon: header.delete_horizon_ms().is_some(),
                partition_leader_epoch: header.partition_leader_epoch,
                producer_id: header.producer_id,
                producer_epoch: header.producer_epoch,
                timestamp_type: TimestampType::Creation,
                offset: record.offset,
                sequence: header.base_sequence + i,
                timestamp: record.timestamp,
                key: record.key.map(Bytes::copy_from_slice),
                value: record.value.map(Bytes::copy_from_slice),
                headers: headers.collect(),
            }
        })
        .collect()
}

proptest! {
    #[test]
    fn the_oracle_reads_what_we_write(compression in compression(), records in records()) {
        let mut bytes = Bytes::from(build(codec_of(compression), &records));
        let sets = RecordBatchDecoder::decode_all(&mut bytes).unwrap();
        prop_assert_eq!(sets.len(), 1);
        prop_assert_eq!(sets[0].compression, compression);
        prop_assert_eq!(&sets[0].records, &records);
    }

    #[test]
    fn we_read_what_the_oracle_writes(compression in compression(), records in records()) {
        let mut bytes = BytesMut::new();
        let options = RecordEncodeOptions { version: 2, compression };
        RecordBatchEncoder::encode(&mut bytes, &records, &options).unwrap();
        let batch = check_client_batch(&bytes).unwrap();
        prop_assert_eq!(batch.header().codec(), Ok(codec_of(compression)));
        prop_assert_eq!(read(&batch), records);
    }
}
