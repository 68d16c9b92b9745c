//! OffsetFetch (key 9), versions 1 to 10: how far groups have come; from version 8 on several groups, from 10 on topics by id.

use std::sync::Arc;

use protocol::KafkaString;
use protocol::error::ErrorCode;
use protocol::messages::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics, OffsetFetchResponse,
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
    OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};

use super::group::wire;
use crate::broker::Broker;
use crate::dispatch::{self, BadRequest, Call, Handled, Response};
use crate::groups::{FetchTopic, FetchedTopic, Groups, OffsetFetch, OffsetFetchReply, Reply};
use crate::metadata::Image;

/// From this version on a group's error is told once.
const GROUP_ERROR_VERSION: i16 = 2;
const BATCHED_VERSION: i16 = 8;
const BY_ID_VERSION: i16 = 10;

pub(crate) fn handle(broker: &Arc<Broker>, call: Call, request: OffsetFetchRequest) -> Handled {
    let single = request.topics.as_ref();
    let single = single.map(|topics| {
        topics
            .iter()
            .map(|topic| topic.partition_indexes.len())
            .sum()
    });
    let batched = request.groups.iter().map(|group| {
        let topics = group.topics.as_ref();
        let asked = topics.map(|topics| topics.iter().map(|topic| topic.partition_indexes.len()));
        (&group.group_id, asked.map(Iterator::sum))
    });
    let wanted: Vec<(&KafkaString, Option<usize>)> = match call.version >= BATCHED_VERSION {
        true => batched.collect(),
        false => vec![(&request.group_id, single)],
    };
    let bytes = broker.coordinator.look(|groups| {
        let bytes = wanted
            .iter()
            .map(|(id, asked)| groups.offsets_bytes(id, *asked));
        bytes.fold(0, usize::saturating_add)
    });
    // Each group once, or each partition of one of them.
    let asked = wanted.iter().filter_map(|(_, asked)| *asked).sum::<usize>() + wanted.len();
    let known = || {
        let groups = broker.coordinator.look(Groups::count);
        groups + broker.controller.image().partition_count()
    };
    if dispatch::asks_too_much(broker, asked, known, bytes) {
        return Handled::Close(BadRequest::AsksTooMuch);
    }
    let broker = broker.clone();
    dispatch::later(async move {
        let build = fetch_all(&broker, &call, &request);
        dispatch::with_room(&broker.answers, bytes, build).await
    })
}

async fn fetch_all(broker: &Broker, call: &Call, request: &OffsetFetchRequest) -> Response {
    if call.version >= BATCHED_VERSION {
        let mut groups = Vec::with_capacity(request.groups.len());
        for group in &request.groups {
            groups.push(fetch(broker, call.version, group, request.require_stable).await);
        }
        return call.respond(&OffsetFetchResponse {
            groups,
            ..Default::default()
        });
    }
    let topics = request.topics.as_ref().map(|topics| {
        let topic = |topic: &protocol::messages::offset_fetch::OffsetFetchRequestTopic| {
            OffsetFetchRequestTopics {
                name: topic.name.clone(),
                partition_indexes: topic.partition_indexes.clone(),
                ..Default::default()
            }
        };
        topics.iter().map(topic).collect()
    });
    let group = OffsetFetchRequestGroup {
        group_id: request.group_id.clone(),
        topics,
        ..Default::default()
    };
    let mut found = fetch(broker, call.version, &group, request.require_stable).await;
    if call.version < GROUP_ERROR_VERSION && found.error_code != 0 {
        found.topics = each_failed(&group, found.error_code);
    }
    call.respond(&OffsetFetchResponse {
        error_code: found.error_code,
        topics: found.topics.into_iter().map(single).collect(),
        ..Default::default()
    })
}

/// Where a group has no error of its own each partition tells it: an empty answer would pass for a group that has committed nothing.
fn each_failed(group: &OffsetFetchRequestGroup, error_code: i16) -> Vec<OffsetFetchResponseTopics> {
    let partition = |index: &i32| OffsetFetchResponsePartitions {
        partition_index: *index,
        committed_offset: -1,
        metadata: Some(KafkaString::default()),
        error_code,
        ..Default::default()
    };
    let topic = |topic: &OffsetFetchRequestTopics| OffsetFetchResponseTopics {
        name: topic.name.clone(),
        partitions: topic.partition_indexes.iter().map(partition).collect(),
        ..Default::default()
    };
    group.topics.iter().flatten().map(topic).collect()
}

/// The form of one group, up to version 7.
fn single(topic: OffsetFetchResponseTopics) -> OffsetFetchResponseTopic {
    let partition = |partition: OffsetFetchResponsePartitions| OffsetFetchResponsePartition {
        partition_index: partition.partition_index,
        committed_offset: partition.committed_offset,
        committed_leader_epoch: partition.committed_leader_epoch,
        metadata: partition.metadata,
        error_code: partition.error_code,
    };
    OffsetFetchResponseTopic {
        name: topic.name,
        partitions: topic.partitions.into_iter().map(partition).collect(),
    }
}

async fn fetch(
    broker: &Broker,
    version: i16,
    asked: &OffsetFetchRequestGroup,
    require_stable: bool,
) -> OffsetFetchResponseGroup {
    let mut answer = OffsetFetchResponseGroup {
        group_id: asked.group_id.clone(),
        ..Default::default()
    };
    let image = broker.controller.image();
    let mut topics = asked.topics.as_ref().map(|_| Vec::new());
    for topic in asked.topics.iter().flatten() {
        match known(&image, version, topic) {
            Some(found) => topics.get_or_insert_default().push(found),
            None => answer.topics.push(unknown_id(topic)),
        }
    }
    let fetch = OffsetFetch {
        group_id: asked.group_id.to_string(),
        topics,
        require_stable,
    };
    let reply = broker
        .coordinator
        .ask(|groups, _, token| groups.offset_fetch(token, fetch))
        .await;
    let Ok(Reply::OffsetFetch(OffsetFetchReply { error, topics })) = reply else {
        answer.error_code = ErrorCode::CoordinatorNotAvailable.into();
        return answer;
    };
    answer.error_code = error.into();
    answer.topics.extend(
        topics
            .into_iter()
            .filter_map(|topic| fetched(&image, topic)),
    );
    answer
}

fn known(image: &Image, version: i16, asked: &OffsetFetchRequestTopics) -> Option<FetchTopic> {
    let topic = if version >= BY_ID_VERSION {
        Some(image.topic_by_id(asked.topic_id)?)
    } else {
        image.topic(&asked.name)
    };
    Some(FetchTopic {
        name: topic.map_or(&*asked.name, |topic| &*topic.name).into(),
        topic_id: topic.map(|topic| topic.id).unwrap_or_default(),
        partitions: asked.partition_indexes.clone(),
    })
}

fn unknown_id(asked: &OffsetFetchRequestTopics) -> OffsetFetchResponseTopics {
    let partition = |index: &i32| OffsetFetchResponsePartitions {
        partition_index: *index,
        committed_offset: -1,
        metadata: Some(KafkaString::default()),
        error_code: ErrorCode::UnknownTopicId.into(),
        ..Default::default()
    };
    OffsetFetchResponseTopics {
        name: asked.name.clone(),
        topic_id: asked.topic_id,
        partitions: asked.partition_indexes.iter().map(partition).collect(),
    }
}

/// None if nothing is left of the topic: its offsets were stored for another topic than the one that bears the name today.
fn fetched(image: &Image, topic: FetchedTopic) -> Option<OffsetFetchResponseTopics> {
    let id = image
        .topic(&topic.name)
        .map(|topic| topic.id)
        .unwrap_or_default();
    let of_another = |stored: protocol::Uuid| {
        stored != protocol::Uuid::ZERO && id != protocol::Uuid::ZERO && stored != id
    };
    let partitions: Vec<_> = topic
        .partitions
        .into_iter()
        .filter(|partition| !of_another(partition.topic_id))
        .map(|partition| OffsetFetchResponsePartitions {
            partition_index: partition.partition,
            committed_offset: partition.offset,
            committed_leader_epoch: partition.leader_epoch,
            metadata: Some(partition.metadata.into()),
            error_code: partition.error.into(),
        })
        .collect();
    (!partitions.is_empty()).then(|| OffsetFetchResponseTopics {
        name: wire(&topic.name),
        topic_id: id,
        partitions,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_group_has_no_error_each_partition_has() {
        let group = OffsetFetchRequestGroup {
            topics: Some(vec![OffsetFetchRequestTopics {
                name: "t".into(),
                partition_indexes: vec![0, 3],
                ..Default::default()
            }]),
            ..Default::default()
        };
        let code = ErrorCode::CoordinatorNotAvailable.into();
        let failed = each_failed(&group, code);
        let partitions = failed[0].partitions.iter();
        let told = partitions.map(|p| (p.partition_index, p.committed_offset, p.error_code));
        assert_eq!(told.collect::<Vec<_>>(), [(0, -1, code), (3, -1, code)]);
    }
}
