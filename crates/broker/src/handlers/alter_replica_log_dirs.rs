//! AlterReplicaLogDirs (key 34), versions 1 and 2: there is one log dir, where every partition is already; any other is not found.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::KafkaString;
use protocol::error::ErrorCode;
use protocol::messages::alter_replica_log_dirs::{
    AlterReplicaLogDirPartitionResult, AlterReplicaLogDirTopicResult, AlterReplicaLogDirsRequest,
    AlterReplicaLogDirsResponse,
};

use super::log_dir;
use crate::broker::Broker;
use crate::dispatch::{Call, Response};
use crate::metadata::Image;

/// What Kafka makes of topic and partition to name the folder of a replica on its way, beside the two: longer names cannot move.
const FOLDER_NAME_EXTRA: usize = 41;
const FOLDER_NAME_MAX: usize = 255;

pub(crate) async fn handle(
    broker: Arc<Broker>,
    call: Call,
    request: AlterReplicaLogDirsRequest,
) -> Response {
    let image = broker.controller.image();
    let path = log_dir::path(&broker);
    // Of a partition that is named more than once, the last counts.
    let mut outcomes: BTreeMap<&KafkaString, BTreeMap<i32, ErrorCode>> = BTreeMap::new();
    for dir in &request.dirs {
        for topic in &dir.topics {
            let partitions = outcomes.entry(&topic.name).or_default();
            partitions.extend(topic.partitions.iter().map(|index| {
                let is_there = *dir.path == *path;
                (*index, alter(&image, is_there, &topic.name, *index))
            }));
        }
    }
    let results = outcomes.into_iter().map(|(name, partitions)| {
        let partitions = partitions.into_iter().map(|(partition_index, code)| {
            AlterReplicaLogDirPartitionResult {
                partition_index,
                error_code: code.into(),
            }
        });
        AlterReplicaLogDirTopicResult {
            topic_name: name.clone(),
            partitions: partitions.collect(),
        }
    });
    call.respond(&AlterReplicaLogDirsResponse {
        results: results.collect(),
        ..Default::default()
    })
}

fn alter(image: &Image, is_there: bool, topic: &str, index: i32) -> ErrorCode {
    if topic.len() + index.to_string().len() + FOLDER_NAME_EXTRA > FOLDER_NAME_MAX {
        return ErrorCode::InvalidTopicException;
    }
    if !is_there {
        return ErrorCode::LogDirNotFound;
    }
    match image.topic(topic).and_then(|topic| topic.partition(index)) {
        Some(_) => ErrorCode::None,
        None => ErrorCode::UnknownTopicOrPartition,
    }
}
