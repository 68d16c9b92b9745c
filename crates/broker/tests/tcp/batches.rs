//! Record batches as producers send them, good and bad.

use protocol::batch_builder::{BatchBuilder, BatchOptions, NewRecord};
use protocol::compression::Codec;
use protocol::crc;

/// A time that lies within every topic's limits unless the test sets them.
pub(crate) const NOW_MS: i64 = 1_700_000_000_000;

pub(crate) fn plain(records: &[(&str, &str)]) -> Vec<u8> {
    with_options(BatchOptions::default(), records)
}

pub(crate) fn with_options(options: BatchOptions, records: &[(&str, &str)]) -> Vec<u8> {
    let records: Vec<_> = records
        .iter()
        .map(|(key, value)| (Some(*key), value.as_bytes(), NOW_MS))
        .collect();
    build(options, &records)
}

pub(crate) fn build(options: BatchOptions, records: &[(Option<&str>, &[u8], i64)]) -> Vec<u8> {
    let mut builder = BatchBuilder::new(options);
    for (key, value, timestamp) in records {
        let record = NewRecord {
            timestamp: *timestamp,
            key: key.map(str::as_bytes),
            value: Some(value),
            headers: &[],
        };
        builder.append(&record).unwrap();
    }
    builder.build().unwrap()
}

pub(crate) fn compressed(codec: Codec, records: &[(&str, &str)]) -> Vec<u8> {
    let options = BatchOptions {
        codec,
        ..Default::default()
    };
    with_options(options, records)
}

/// A batch of an idempotent producer.
pub(crate) fn idempotent(
    producer_id: i64,
    base_sequence: i32,
    records: &[(&str, &str)],
) -> Vec<u8> {
    let options = BatchOptions {
        producer_id,
        producer_epoch: 0,
        base_sequence,
        ..Default::default()
    };
    with_options(options, records)
}

/// The same records under a header that says `count`.
pub(crate) fn claiming(mut batch: Vec<u8>, count: i32) -> Vec<u8> {
    batch[23..27].copy_from_slice(&(count - 1).to_be_bytes());
    batch[57..61].copy_from_slice(&count.to_be_bytes());
    let crc = crc::crc32c(&batch[21..]);
    batch[17..21].copy_from_slice(&crc.to_be_bytes());
    batch
}
