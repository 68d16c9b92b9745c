//! OffsetCommit (key 8), versions 2 to 10: stores how far a group has come. From version 10 on topics come by id.

use std::sync::Arc;

use protocol::error::ErrorCode;
use protocol::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestTopic, OffsetCommitResponse,
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};

use super::group::{optional, wire};
use crate::broker::Broker;
use crate::dispatch::{Call, Response};
use crate::groups::{CommitPartition, CommitTopic, OffsetCommit, Reply};
use crate::metadata::{Image, Topic};

const BY_ID_VERSION: i16 = 10;
/// From this version on an unknown group is told as such.
const GROUP_ID_NOT_FOUND_VERSION: i16 = 9;

pub(crate) async fn handle(
    broker: Arc<Broker>,
    call: Call,
    request: OffsetCommitRequest,
) -> Response {
    let image = broker.controller.image();
    let mut answer = OffsetCommitResponse::default();
    let mut topics = Vec::new();
    for topic in &request.topics {
        let (known, refused) = split(&image, call.version, topic);
        answer.topics.extend(refused);
        topics.extend(known);
    }
    if topics.is_empty() && !request.topics.is_empty() {
        return call.respond(&answer);
    }
    let commit = OffsetCommit {
        group_id: request.group_id.to_string(),
        member_id: request.member_id.to_string(),
        group_instance_id: optional(request.group_instance_id.as_ref()),
        generation: request.generation_id_or_member_epoch,
        retention_ms: (request.retention_time_ms >= 0).then_some(request.retention_time_ms),
        group_id_not_found: call.version >= GROUP_ID_NOT_FOUND_VERSION,
        topics,
    };
    let asked = broker
        .coordinator
        .ask(|groups, now, token| groups.offset_commit(now, token, &commit));
    match asked.await {
        Ok(Reply::OffsetCommit(reply)) => {
            reply.topics.into_iter().for_each(|topic| {
                let committed = OffsetCommitResponseTopic {
                    name: wire(&topic.name),
                    topic_id: topic.topic_id,
                    partitions: topic
                        .partitions
                        .into_iter()
                        .map(|(index, code)| outcome(index, code))
                        .collect(),
                };
                add(&mut answer, committed);
            });
        }
        _ => commit.topics.iter().for_each(|topic| {
            let failed = OffsetCommitResponseTopic {
                name: wire(&topic.name),
                topic_id: topic.topic_id,
                partitions: topic
                    .partitions
                    .iter()
                    .map(|one| outcome(one.partition, ErrorCode::CoordinatorNotAvailable))
                    .collect(),
            };
            add(&mut answer, failed);
        }),
    }
    call.respond(&answer)
}

/// A topic is in the answer once: clients look up their partitions by it.
fn add(answer: &mut OffsetCommitResponse, topic: OffsetCommitResponseTopic) {
    let is_same = |known: &&mut OffsetCommitResponseTopic| {
        let is_named = !topic.name.is_empty() && known.name == topic.name;
        is_named || known.topic_id == topic.topic_id
    };
    match answer.topics.iter_mut().find(is_same) {
        Some(known) => known.partitions.extend(topic.partitions),
        None => answer.topics.push(topic),
    }
}

fn outcome(index: i32, code: ErrorCode) -> OffsetCommitResponsePartition {
    OffsetCommitResponsePartition {
        partition_index: index,
        error_code: code.into(),
    }
}

/// What of a topic exists and can be committed, and the refusal of the rest.
fn split(
    image: &Image,
    version: i16,
    asked: &OffsetCommitRequestTopic,
) -> (Option<CommitTopic>, Option<OffsetCommitResponseTopic>) {
    let (topic, unknown): (Option<&Arc<Topic>>, ErrorCode) = match version >= BY_ID_VERSION {
        true => (image.topic_by_id(asked.topic_id), ErrorCode::UnknownTopicId),
        false => (image.topic(&asked.name), ErrorCode::UnknownTopicOrPartition),
    };
    let exists = |index: i32| topic.is_some_and(|topic| topic.partition(index).is_some());
    let code = if topic.is_some() {
        ErrorCode::UnknownTopicOrPartition
    } else {
        unknown
    };
    let (good, bad): (Vec<_>, Vec<_>) = asked
        .partitions
        .iter()
        .partition(|partition| exists(partition.partition_index));
    let refused = (!bad.is_empty()).then(|| OffsetCommitResponseTopic {
        name: asked.name.clone(),
        topic_id: asked.topic_id,
        partitions: bad
            .into_iter()
            .map(|partition| outcome(partition.partition_index, code))
            .collect(),
    });
    let known = topic.filter(|_| !good.is_empty()).map(|topic| CommitTopic {
        name: (*topic.name).into(),
        topic_id: topic.id,
        partitions: good
            .into_iter()
            .map(|partition| CommitPartition {
                partition: partition.partition_index,
                offset: partition.committed_offset,
                leader_epoch: partition.committed_leader_epoch,
                metadata: partition
                    .committed_metadata
                    .as_deref()
                    .unwrap_or_default()
                    .to_owned(),
            })
            .collect(),
    });
    (known, refused)
}
