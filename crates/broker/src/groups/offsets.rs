//! OffsetCommit and OffsetFetch. A commit counts once it is durable: until then it is neither answered nor fetched.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::Uuid;
use protocol::error::ErrorCode;

use super::Groups;
use super::group::{Group, State, StoredOffset};
use super::held::{GROUP_BYTES, offset_bytes, topic_bytes};
use super::record::{CommittedOffset, Record, TEXT_BYTES_MAX};
use super::reply::{
    CommittedTopic, FetchedPartition, FetchedTopic, OffsetCommitReply, OffsetFetchReply, Reply,
};
use super::request::{
    CommitPartition, CommitTopic, FetchTopic, Now, OffsetCommit, OffsetFetch, Token,
};
use super::step::{Effects, Step, Then};

impl Groups {
    /// Answered when the offsets are stored, or at once if there are none to store.
    pub fn offset_commit(&mut self, now: Now, token: Token, request: &OffsetCommit) -> Effects {
        let (groups, mut step) = self.step(now);
        let group = groups.get(&*request.group_id);
        if let Err(error) = check_commit(&mut step, group, request) {
            step.reply(token, Reply::OffsetCommit(refused(request, error)));
            return step.effects;
        }
        let group_id = group.map_or_else(
            || request.group_id.as_str().into(),
            |group| Arc::clone(&group.id),
        );
        let mut records = Vec::new();
        let topics = request.topics.iter().map(|topic| CommittedTopic {
            name: Arc::clone(&topic.name),
            topic_id: topic.topic_id,
            partitions: commit_topic(&step, &group_id, request, topic, &mut records),
        });
        let reply = Reply::OffsetCommit(OffsetCommitReply {
            topics: topics.collect(),
        });
        if records.is_empty() {
            step.reply(token, reply);
        } else if !fits_in_memory(&step, group, &records) {
            let error = ErrorCode::CoordinatorNotAvailable;
            step.reply(token, Reply::OffsetCommit(refused(request, error)));
        } else {
            step.append(&group_id, records, Then::Reply(token, reply));
        }
        step.effects
    }

    /// Answered at once, or, if only stable offsets are wanted, when the commits under way are through.
    pub fn offset_fetch(&mut self, token: Token, request: OffsetFetch) -> Effects {
        let mut effects = Effects::default();
        let under_way = request
            .require_stable
            .then(|| self.appends.newest_of(&request.group_id));
        if let Some(Some(append)) = under_way {
            append.fetches.push((token, request));
        } else {
            effects.replies.push((token, self.fetched(&request)));
        }
        effects
    }

    pub(super) fn fetched(&self, request: &OffsetFetch) -> Reply {
        let none = BTreeMap::new();
        let group = self.groups.get(&*request.group_id);
        let offsets = group.map_or(&none, |group| &group.offsets);
        let topics = match &request.topics {
            Some(topics) => topics
                .iter()
                .map(|topic| fetch_topic(offsets, topic))
                .collect(),
            None => offsets
                .iter()
                .map(|(name, offsets)| fetch_all(name, offsets))
                .collect(),
        };
        Reply::OffsetFetch(OffsetFetchReply {
            error: ErrorCode::None,
            topics,
        })
    }
}

/// Whether all groups together may hold the offsets. One that takes another's place mostly may.
fn fits_in_memory(step: &Step<'_>, group: Option<&Group>, records: &[Record]) -> bool {
    let mut old = 0;
    let mut new = match group {
        Some(_) => 0,
        None => GROUP_BYTES,
    };
    for record in records {
        if let Record::Offset {
            topic,
            partition,
            offset: Some(offset),
            ..
        } = record
        {
            let offsets = group.and_then(|group| group.offsets.get(topic));
            let stored = offsets.and_then(|offsets| offsets.get(partition));
            old += stored.map_or(0, |stored| offset_bytes(&stored.committed));
            new += offset_bytes(offset);
            new += offsets.map_or(topic_bytes(topic), |_| 0);
        }
    }
    step.meter.has_room_for(old, new)
}

/// Who may commit. A commit is a sign of life of its member, too.
fn check_commit(
    step: &mut Step<'_>,
    group: Option<&Group>,
    request: &OffsetCommit,
) -> Result<(), ErrorCode> {
    if request.group_id.len() > TEXT_BYTES_MAX {
        return Err(ErrorCode::InvalidGroupId);
    }
    let Some(group) = group else {
        // A client that manages its partitions itself makes a group that only holds offsets.
        return match request.group_id_not_found {
            _ if request.generation < 0 => Ok(()),
            true => Err(ErrorCode::GroupIdNotFound),
            false => Err(ErrorCode::IllegalGeneration),
        };
    };
    if request.generation < 0 && group.state == State::Empty {
        return Ok(());
    }
    let instance_id = request.group_instance_id.as_deref();
    if request.generation < 0 && request.member_id.is_empty() && instance_id.is_none() {
        return Err(ErrorCode::UnknownMemberId);
    }
    group.validate_member(&request.member_id, instance_id)?;
    if request.generation != group.generation {
        return Err(ErrorCode::IllegalGeneration);
    }
    // It has the new generation but not its partitions; what it commits may be another's already.
    if group.state == State::CompletingRebalance {
        return Err(ErrorCode::RebalanceInProgress);
    }
    group.restart_session(step, &request.member_id);
    Ok(())
}

fn refused(request: &OffsetCommit, error: ErrorCode) -> OffsetCommitReply {
    let topics = request.topics.iter().map(|topic| CommittedTopic {
        name: Arc::clone(&topic.name),
        topic_id: topic.topic_id,
        partitions: topic
            .partitions
            .iter()
            .map(|p| (p.partition, error))
            .collect(),
    });
    OffsetCommitReply {
        topics: topics.collect(),
    }
}

fn commit_topic(
    step: &Step<'_>,
    group_id: &Arc<str>,
    request: &OffsetCommit,
    topic: &CommitTopic,
    records: &mut Vec<Record>,
) -> Vec<(i32, ErrorCode)> {
    if topic.name.len() > TEXT_BYTES_MAX {
        let unknown = ErrorCode::UnknownTopicOrPartition;
        return topic
            .partitions
            .iter()
            .map(|p| (p.partition, unknown))
            .collect();
    }
    let wall_ms = step.now.wall_ms;
    let commit = |partition: &CommitPartition| {
        // Kafka counts Java's characters.
        if partition.metadata.len() > TEXT_BYTES_MAX
            || partition.metadata.encode_utf16().count() > step.config.offset_metadata_max
        {
            return (partition.partition, ErrorCode::OffsetMetadataTooLarge);
        }
        let mut offset = CommittedOffset {
            offset: partition.offset,
            leader_epoch: partition.leader_epoch,
            metadata: partition.metadata.clone(),
            commit_timestamp_ms: wall_ms,
            expire_timestamp_ms: None,
            topic_id: topic.topic_id,
        };
        if let Some(retention_ms) = request.retention_ms {
            // The record has no room for the rest then; forgotten now, it is not only forgotten by a restart.
            offset.expire_timestamp_ms = Some(wall_ms.saturating_add(retention_ms));
            offset.leader_epoch = -1;
            offset.topic_id = Uuid::ZERO;
        }
        records.push(Record::offset(
            group_id,
            &topic.name,
            partition.partition,
            Some(offset),
        ));
        (partition.partition, ErrorCode::None)
    };
    topic.partitions.iter().map(commit).collect()
}

type Offsets = BTreeMap<Arc<str>, BTreeMap<i32, StoredOffset>>;

fn fetch_topic(offsets: &Offsets, topic: &FetchTopic) -> FetchedTopic {
    let offsets = offsets.get(&topic.name);
    let fetch = |partition: &i32| {
        let committed = offsets
            .and_then(|offsets| offsets.get(partition))
            .map(|stored| &stored.committed)
            .filter(|committed| {
                topic.topic_id == Uuid::ZERO
                    || committed.topic_id == Uuid::ZERO
                    || committed.topic_id == topic.topic_id
            });
        fetched_partition(*partition, committed)
    };
    FetchedTopic {
        name: Arc::clone(&topic.name),
        partitions: topic.partitions.iter().map(fetch).collect(),
    }
}

fn fetch_all(name: &Arc<str>, offsets: &BTreeMap<i32, StoredOffset>) -> FetchedTopic {
    let fetch = |(partition, stored): (&i32, &StoredOffset)| {
        fetched_partition(*partition, Some(&stored.committed))
    };
    FetchedTopic {
        name: Arc::clone(name),
        partitions: offsets.iter().map(fetch).collect(),
    }
}

fn fetched_partition(partition: i32, committed: Option<&CommittedOffset>) -> FetchedPartition {
    match committed {
        Some(committed) => FetchedPartition {
            partition,
            offset: committed.offset,
            leader_epoch: committed.leader_epoch,
            metadata: committed.metadata.clone(),
            topic_id: committed.topic_id,
            error: ErrorCode::None,
        },
        None => FetchedPartition {
            partition,
            offset: -1,
            leader_epoch: -1,
            metadata: String::new(),
            topic_id: Uuid::ZERO,
            error: ErrorCode::None,
        },
    }
}
