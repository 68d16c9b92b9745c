//! Looking into batches where a rule asks for it: bounded inflation, and the list of the records that break a rule. Called by the
//! produce handler off the hot path, and by whoever searches a batch.

use protocol::batch::{Batch, BatchHeader, NO_TIMESTAMP};
use protocol::compression;
use protocol::record::Records;
use protocol::validate::BatchError;

/// One record that breaks a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RecordFault {
    pub index: i32,
    pub message: String,
}

/// Most records that are named in one answer: who sent more wrong ones has heard enough.
const FAULTS_MAX: usize = 100;
/// A compressed batch may inflate to so many times the largest batch of its topic.
const INFLATED_FACTOR: usize = 100;
/// No batch inflates beyond this, whatever the topic says.
const INFLATED_BYTES_MAX: usize = 256 * 1024 * 1024;

/// The records of a compressed batch, within a bound.
pub(crate) fn inflate(batch: &Batch<'_>, max_message_bytes: i32) -> Result<Vec<u8>, BatchError> {
    let batch_bytes_max = usize::try_from(max_message_bytes).unwrap_or(0);
    let bytes_max = batch_bytes_max
        .saturating_mul(INFLATED_FACTOR)
        .min(INFLATED_BYTES_MAX);
    let mut inflated = Vec::new();
    compression::decompress(
        batch.header().codec()?,
        batch.payload(),
        bytes_max,
        &mut inflated,
    )?;
    Ok(inflated)
}

pub(crate) fn without_key(header: &BatchHeader, payload: &[u8]) -> Vec<RecordFault> {
    let records = (0..).zip(Records::new(header, payload).map_while(Result::ok));
    let faults = records
        .filter(|(_, record)| record.key.is_none())
        .map(|(index, _)| RecordFault {
            index,
            message: "Compacted topic cannot accept message without key.".to_owned(),
        });
    faults.take(FAULTS_MAX).collect()
}

pub(crate) fn outside_time(
    header: &BatchHeader,
    payload: &[u8],
    earliest: i64,
    latest: i64,
) -> Vec<RecordFault> {
    let records = (0..).zip(Records::new(header, payload).map_while(Result::ok));
    let outside =
        |timestamp: i64| timestamp != NO_TIMESTAMP && !(earliest..=latest).contains(&timestamp);
    let faults = records
        .filter(|(_, record)| outside(record.timestamp))
        .map(|(index, record)| RecordFault {
            index,
            message: format!(
                "Timestamp {} is out of range; it should be within [{earliest}, {latest}]",
                record.timestamp
            ),
        });
    faults.take(FAULTS_MAX).collect()
}
