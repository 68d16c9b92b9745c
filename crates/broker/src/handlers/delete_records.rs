//! DeleteRecords (key 21), versions 0 to 2: moves the starts of partitions. Answered when that is durable: what is gone stays gone.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::Arc;

use log::{Log, LogId};
use protocol::KafkaString;
use protocol::error::ErrorCode;
use protocol::messages::delete_records::{
    DeleteRecordsPartitionResult, DeleteRecordsRequest, DeleteRecordsResponse,
    DeleteRecordsTopicResult,
};

use crate::broker::Broker;
use crate::dispatch::{Call, Response};
use crate::metadata::{Image, Topic};

/// Stands for everything that consumers can see.
const HIGH_WATERMARK: i64 = -1;
/// The low watermark of what is refused.
const NO_OFFSET: i64 = -1;

pub(crate) async fn handle(
    broker: Arc<Broker>,
    call: Call,
    request: DeleteRecordsRequest,
) -> Response {
    let decided = decide(&broker.controller.image(), &request);
    let starts: Vec<(LogId, i64)> = decided
        .values()
        .flat_map(BTreeMap::values)
        .filter_map(|outcome| outcome.as_ref().ok())
        .filter(|(log, start)| *start > log.start_offset())
        .map(|(log, start)| (log.id(), *start))
        .collect();
    let moved = move_starts(&broker, &starts).await;
    let topics = decided.into_iter().map(|(name, partitions)| {
        let partitions = partitions.into_iter().map(|(partition_index, outcome)| {
            let start = match (outcome, moved) {
                (Ok((log, start)), Ok(())) => low_watermark(&log, start),
                (Ok(_), Err(code)) | (Err(code), _) => Err(code),
            };
            DeleteRecordsPartitionResult {
                partition_index,
                low_watermark: start.unwrap_or(NO_OFFSET),
                error_code: start.err().unwrap_or(ErrorCode::None).into(),
            }
        });
        DeleteRecordsTopicResult {
            name,
            partitions: partitions.collect(),
        }
    });
    call.respond(&DeleteRecordsResponse {
        topics: topics.collect(),
        ..Default::default()
    })
}

/// The partition's log and its new start, or the refusal.
type Decided = Result<(Arc<Log>, i64), ErrorCode>;

/// Of a partition that is named more than once, the last counts.
fn decide(
    image: &Image,
    request: &DeleteRecordsRequest,
) -> BTreeMap<KafkaString, BTreeMap<i32, Decided>> {
    let mut decided: BTreeMap<KafkaString, BTreeMap<i32, Decided>> = BTreeMap::new();
    for topic in &request.topics {
        let known = image.topic(&topic.name);
        for partition in &topic.partitions {
            let log = known.and_then(|topic| topic.partition(partition.partition_index));
            let outcome = match (known, log) {
                (Some(topic), Some(log)) => {
                    new_start(topic, log, partition.offset).map(|start| (log.clone(), start))
                }
                _ => Err(ErrorCode::UnknownTopicOrPartition),
            };
            decided
                .entry(topic.name.clone())
                .or_default()
                .insert(partition.partition_index, outcome);
        }
    }
    decided
}

fn new_start(topic: &Topic, log: &Log, offset: i64) -> Result<i64, ErrorCode> {
    if topic.internal {
        return Err(ErrorCode::InvalidTopicException);
    }
    if topic.options.compacts() && !topic.options.deletes() {
        return Err(ErrorCode::PolicyViolation);
    }
    let high_watermark = log.high_watermark();
    match offset {
        HIGH_WATERMARK => Ok(high_watermark),
        offset if offset < 0 || offset > high_watermark => Err(ErrorCode::OffsetOutOfRange),
        offset => Ok(offset),
    }
}

async fn move_starts(broker: &Broker, starts: &[(LogId, i64)]) -> Result<(), ErrorCode> {
    if starts.is_empty() {
        return Ok(());
    }
    let refused = |error: &dyn std::fmt::Display| {
        tracing::warn!(%error, "records could not be deleted");
        ErrorCode::KafkaStorageError
    };
    let ticket = broker.journal.delete_each_before(starts);
    let Some(ticket) = ticket.map_err(|error| refused(&error))? else {
        return Ok(());
    };
    let done = poll_fn(|cx| broker.journal.poll_committed(&ticket, cx)).await;
    done.map_err(|error| refused(&error))
}

fn low_watermark(log: &Log, start: i64) -> Result<i64, ErrorCode> {
    match log.start_offset() {
        moved if moved >= start => Ok(moved),
        // Its topic was deleted meanwhile.
        _ => Err(ErrorCode::UnknownTopicOrPartition),
    }
}
