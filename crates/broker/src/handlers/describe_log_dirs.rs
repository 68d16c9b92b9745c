//! DescribeLogDirs (key 35), versions 1 to 5: the one log dir, with the sizes of the partitions that are asked for, or of all; from
//! version 4 on also of the volume.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use protocol::KafkaString;
use protocol::error::ErrorCode;
use protocol::messages::describe_log_dirs::{
    DescribeLogDirsPartition, DescribeLogDirsRequest, DescribeLogDirsResponse,
    DescribeLogDirsResult, DescribeLogDirsTopic,
};

use super::log_dir;
use crate::broker::Broker;
use crate::dispatch::{self, Call, Response};
use crate::metadata::{Image, Topic};

/// What a partition takes in the answer, built and encoded.
const PARTITION_BYTES: usize = 96;
/// What a topic takes, with its name twice.
const TOPIC_BYTES: usize = 640;

pub(crate) async fn handle(
    broker: Arc<Broker>,
    call: Call,
    request: DescribeLogDirsRequest,
) -> Response {
    let image = broker.controller.image();
    // Only what there is is told, each once.
    let (topics, partitions) = (image.topic_count(), image.partition_count());
    let bytes = match &request.topics {
        None => topics * TOPIC_BYTES + partitions * PARTITION_BYTES,
        Some(asked) => {
            let indexes: usize = asked.iter().map(|topic| topic.partitions.len()).sum();
            asked.len().min(topics) * TOPIC_BYTES + indexes.min(partitions) * PARTITION_BYTES
        }
    };
    let build = async { describe(&broker, &image, &call, &request) };
    dispatch::with_room(&broker.answers, bytes, build).await
}

fn describe(
    broker: &Broker,
    image: &Image,
    call: &Call,
    request: &DescribeLogDirsRequest,
) -> Response {
    let status = broker.journal.status();
    let mut result = DescribeLogDirsResult {
        log_dir: log_dir::path(broker).into(),
        ..Default::default()
    };
    if status.failed.is_some() {
        result.error_code = ErrorCode::KafkaStorageError.into();
    } else {
        let bytes = |found: std::io::Result<u64>| {
            found.map_or(-1, |bytes| i64::try_from(bytes).unwrap_or(i64::MAX))
        };
        result.total_bytes = bytes(broker.journal.volume_bytes());
        result.usable_bytes = bytes(broker.journal.free_bytes());
        result.topics = match &request.topics {
            None => image
                .topics()
                .map(|topic| sizes(topic, 0..count(topic)))
                .collect(),
            Some(_) => asked(image, request)
                .into_iter()
                .map(|(topic, indexes)| sizes(topic, indexes))
                .collect(),
        };
    }
    call.respond(&DescribeLogDirsResponse {
        results: vec![result],
        ..Default::default()
    })
}

/// What of the request exists; topics without such a partition are left out.
fn asked<'a>(
    image: &'a Image,
    request: &DescribeLogDirsRequest,
) -> Vec<(&'a Topic, BTreeSet<i32>)> {
    let mut indexes: BTreeMap<&KafkaString, BTreeSet<i32>> = BTreeMap::new();
    for topic in request.topics.iter().flatten() {
        let named = indexes.entry(&topic.topic).or_default();
        named.extend(&topic.partitions);
    }
    let known = indexes.into_iter().filter_map(|(name, mut indexes)| {
        let topic = &**image.topic(name)?;
        indexes.retain(|index| topic.partition(*index).is_some());
        (!indexes.is_empty()).then_some((topic, indexes))
    });
    known.collect()
}

fn count(topic: &Topic) -> i32 {
    i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX)
}

fn sizes(topic: &Topic, indexes: impl IntoIterator<Item = i32>) -> DescribeLogDirsTopic {
    let indexes = indexes.into_iter();
    let logs = indexes.filter_map(|index| Some((index, topic.partition(index)?)));
    DescribeLogDirsTopic {
        name: topic.name.clone(),
        partitions: logs
            .map(|(partition_index, log)| DescribeLogDirsPartition {
                partition_index,
                partition_size: log.size_bytes(),
                ..Default::default()
            })
            .collect(),
    }
}
