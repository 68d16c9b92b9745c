//! OffsetDelete (key 47), version 0: deletes what a group has committed for partitions that none of its members subscribes to.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::KafkaString;
use protocol::error::ErrorCode;
use protocol::messages::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteRequestTopic, OffsetDeleteResponse,
    OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};

use crate::broker::Broker;
use crate::dispatch::{Call, Response};
use crate::groups::{OffsetDelete, OffsetDeleteReply, Reply};
use crate::metadata::Image;

pub(crate) async fn handle(
    broker: Arc<Broker>,
    call: Call,
    request: OffsetDeleteRequest,
) -> Response {
    let image = broker.controller.image();
    let (topics, mut answers) = split(&image, &request.topics);
    let delete = OffsetDelete {
        group_id: request.group_id.to_string(),
        topics,
    };
    let answer = broker
        .coordinator
        .ask(|groups, now, token| groups.offset_delete(now, token, &delete));
    let reply = match answer.await {
        Ok(Reply::OffsetDelete(reply)) => reply,
        _ => OffsetDeleteReply {
            error: ErrorCode::CoordinatorNotAvailable,
            topics: Vec::new(),
        },
    };
    if reply.error != ErrorCode::None {
        return call.respond(&OffsetDeleteResponse {
            error_code: reply.error.into(),
            ..Default::default()
        });
    }
    for topic in reply.topics {
        let name = KafkaString::from(topic.topic.to_string());
        let partitions = topic.partitions.into_iter();
        let outcomes = partitions.map(|(index, error)| outcome(index, error));
        answers.entry(name).or_default().extend(outcomes);
    }
    let topics = answers.into_iter();
    call.respond(&OffsetDeleteResponse {
        topics: topics
            .map(|(name, partitions)| OffsetDeleteResponseTopic { name, partitions })
            .collect(),
        ..Default::default()
    })
}

/// A topic and its partitions, as groups are asked.
type TopicPartitions = (Arc<str>, Vec<i32>);
type Outcomes = BTreeMap<KafkaString, Vec<OffsetDeleteResponsePartition>>;

/// What exists and is to be deleted, and the refusals of the rest.
fn split(image: &Image, asked: &[OffsetDeleteRequestTopic]) -> (Vec<TopicPartitions>, Outcomes) {
    let mut topics = Vec::new();
    let mut answers = Outcomes::new();
    for topic in asked {
        let known = image.topic(&topic.name);
        let indexes = topic.partitions.iter().map(|asked| asked.partition_index);
        let (good, bad): (Vec<i32>, Vec<i32>) =
            indexes.partition(|index| known.is_some_and(|topic| topic.partition(*index).is_some()));
        if !good.is_empty() {
            topics.push((Arc::from(topic.name.as_str()), good));
        }
        let refused = bad
            .into_iter()
            .map(|index| outcome(index, ErrorCode::UnknownTopicOrPartition));
        answers
            .entry(topic.name.clone())
            .or_default()
            .extend(refused);
    }
    (topics, answers)
}

fn outcome(partition_index: i32, error: ErrorCode) -> OffsetDeleteResponsePartition {
    OffsetDeleteResponsePartition {
        partition_index,
        error_code: error.into(),
    }
}
