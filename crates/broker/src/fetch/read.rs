//! Reading the partitions of a fetch against its limits: in order, whole batches, the first that has any whatever its size. Called
//! by the fetch handler, once and again each time a commit wakes it.

use std::sync::Arc;

use log::{Log, ReadError, ReadRequest};
use protocol::compression::Codec;
use protocol::error::ErrorCode;
use protocol::messages::fetch::{EpochEndOffset, PartitionData};
use protocol::{KafkaString, Records};

use super::session::{TopicKey, Wanted};
use crate::metadata::Image;

/// A partition of a fetch, found or not.
pub struct Target {
    pub wanted: Wanted,
    /// The name, where the topic is known.
    pub topic: Option<KafkaString>,
    pub log: Result<Arc<Log>, ErrorCode>,
}

/// First version of Fetch whose clients know zstd.
const ZSTD_VERSION: i16 = 10;

pub fn find(image: &Image, wanted: &Wanted, version: i16) -> Target {
    let (topic, unknown) = match &wanted.topic {
        TopicKey::Name(name) => (image.topic(name), ErrorCode::UnknownTopicOrPartition),
        TopicKey::Id(id) => (image.topic_by_id(*id), ErrorCode::UnknownTopicId),
    };
    let log = match topic {
        // As Kafka: by the topic's codec, not by what its batches have.
        Some(topic) if version < ZSTD_VERSION && topic.options.codec() == Some(Codec::Zstd) => {
            Err(ErrorCode::UnsupportedCompressionType)
        }
        Some(topic) => topic
            .partition(wanted.partition)
            .cloned()
            .ok_or(ErrorCode::UnknownTopicOrPartition),
        None => Err(unknown),
    };
    Target {
        wanted: wanted.clone(),
        topic: topic.map(|topic| topic.name.clone()),
        log,
    }
}

/// What one look at all partitions found.
pub struct Round {
    pub answers: Vec<PartitionData>,
    pub bytes: usize,
    /// What of them is in memory; the rest is sent from its file.
    pub memory_bytes: usize,
    /// An error or a diverging epoch: the answer does not wait for more.
    pub answer_now: bool,
}

pub struct Limits {
    pub max_bytes: usize,
    pub read_committed: bool,
    pub leader_epoch: i32,
}

impl Limits {
    pub fn at_most(&self, max_bytes: usize) -> Self {
        Self {
            max_bytes: self.max_bytes.min(max_bytes),
            ..*self
        }
    }
}

/// Whether some of what is read lies in sealed files, which a slow disk may take long to give.
pub fn may_wait_for_disk(targets: &[Target]) -> bool {
    let mut logs = targets.iter().filter_map(|target| {
        let log = target.log.as_ref().ok()?;
        Some((log, target.wanted.fetch_offset))
    });
    logs.any(|(log, offset)| log.is_sealed(offset))
}

pub fn read_all(targets: &[Target], limits: &Limits) -> Round {
    let mut round = Round {
        answers: Vec::with_capacity(targets.len()),
        bytes: 0,
        memory_bytes: 0,
        answer_now: false,
    };
    for target in targets {
        let answer = match &target.log {
            Ok(log) => read_one(log, &target.wanted, limits, round.bytes),
            Err(code) => failed(&target.wanted, *code),
        };
        round.answer_now |= answer.error_code != 0 || answer.diverging_epoch.epoch >= 0;
        round.bytes += answer.records.as_ref().map_or(0, Records::len);
        round.memory_bytes += answer.records.as_ref().map_or(0, Records::memory_bytes);
        round.answers.push(answer);
    }
    round
}

fn read_one(log: &Log, wanted: &Wanted, limits: &Limits, bytes_before: usize) -> PartitionData {
    // Fetch takes any epoch below zero for none.
    let claimed = wanted.current_leader_epoch.max(NOT_CLAIMED);
    if let Some(code) = check_leader_epoch(claimed, limits.leader_epoch) {
        return unread(wanted, code);
    }
    if log.is_deleted() {
        return unread(wanted, read_code(&ReadError::Deleted));
    }
    let high_watermark = log.high_watermark();
    let mut answer = PartitionData {
        partition_index: wanted.partition,
        high_watermark,
        last_stable_offset: high_watermark,
        log_start_offset: log.start_offset(),
        // Null says: not asked for. Nothing is ever aborted while there are no transactions.
        aborted_transactions: limits.read_committed.then(Vec::new),
        records: Some(Records::default()),
        ..Default::default()
    };
    if let Some(diverging) = diverging_epoch(log, wanted) {
        answer.diverging_epoch = diverging;
        return answer;
    }
    if wanted.fetch_offset < answer.log_start_offset || wanted.fetch_offset > log.end_offset() {
        return unread(wanted, ErrorCode::OffsetOutOfRange);
    }
    let left = limits.max_bytes.saturating_sub(bytes_before);
    let max_bytes = left.min(usize::try_from(wanted.max_bytes).unwrap_or(0));
    let first = bytes_before == 0;
    if wanted.fetch_offset >= high_watermark || (max_bytes == 0 && !first) {
        return answer;
    }
    let request = ReadRequest {
        offset: wanted.fetch_offset,
        offset_max: high_watermark,
        bytes_max: max_bytes,
        at_least_one: first,
        ranges: true,
    };
    match log.read_chunks(&request) {
        Ok(chunks) => answer.records = Some(chunks.into_iter().collect()),
        Err(error) => return unread(wanted, read_code(&error)),
    }
    answer
}

/// The one place where a read's failure becomes Kafka's code.
pub fn read_code(error: &ReadError) -> ErrorCode {
    match error {
        ReadError::OutOfRange { .. } => ErrorCode::OffsetOutOfRange,
        ReadError::Damaged { .. } => ErrorCode::CorruptMessage,
        ReadError::Deleted => ErrorCode::UnknownTopicOrPartition,
        ReadError::Io { .. } => ErrorCode::KafkaStorageError,
    }
}

/// A client that knows no epoch.
const NOT_CLAIMED: i32 = -1;

/// A client that knows another epoch than ours must refresh (it is behind) or wait (we are).
pub fn check_leader_epoch(claimed: i32, ours: i32) -> Option<ErrorCode> {
    match claimed {
        claimed if claimed == NOT_CLAIMED || claimed == ours => None,
        claimed if claimed < ours => Some(ErrorCode::FencedLeaderEpoch),
        _ => Some(ErrorCode::UnknownLeaderEpoch),
    }
}

/// Where the consumer's history leaves ours, if it does.
fn diverging_epoch(log: &Log, wanted: &Wanted) -> Option<EpochEndOffset> {
    if wanted.last_fetched_epoch < 0 {
        return None;
    }
    let (epoch, end_offset) = log.end_offset_for_epoch(wanted.last_fetched_epoch)?;
    let diverges = epoch < wanted.last_fetched_epoch || end_offset < wanted.fetch_offset;
    diverges.then(|| EpochEndOffset {
        epoch,
        end_offset,
        ..Default::default()
    })
}

/// Of a partition that is there: Kafka tells nothing of its transactions then.
fn unread(wanted: &Wanted, code: ErrorCode) -> PartitionData {
    PartitionData {
        aborted_transactions: None,
        ..failed(wanted, code)
    }
}

fn failed(wanted: &Wanted, code: ErrorCode) -> PartitionData {
    PartitionData {
        error_code: code.into(),
        partition_index: wanted.partition,
        high_watermark: -1,
        log_start_offset: -1,
        records: Some(Records::default()),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_claims_another_epoch_is_behind_or_ahead() {
        for (claimed, expected) in [
            (-1, None),
            (5, None),
            (4, Some(ErrorCode::FencedLeaderEpoch)),
            (0, Some(ErrorCode::FencedLeaderEpoch)),
            (6, Some(ErrorCode::UnknownLeaderEpoch)),
            (i32::MAX, Some(ErrorCode::UnknownLeaderEpoch)),
        ] {
            assert_eq!(check_leader_epoch(claimed, 5), expected, "{claimed}");
        }
    }
}
