//! DescribeQuorum (key 55), versions 0 to 2: the quorum of the metadata log is this broker alone, which leads it and has all of it.

use std::sync::Arc;

use protocol::KafkaString;
use protocol::error::ErrorCode;
use protocol::messages::describe_quorum::{
    DescribeQuorumRequest, DescribeQuorumResponse, Listener, Node, ReplicaState,
    ResponsePartitionData, ResponseTopicData, TopicData,
};

use crate::broker::Broker;
use crate::dispatch::{Call, Response};

/// What Kafka calls the metadata log.
const METADATA_TOPIC: &str = "__cluster_metadata";

pub(crate) async fn handle(
    broker: Arc<Broker>,
    call: Call,
    request: DescribeQuorumRequest,
) -> Response {
    if !asks_for_metadata(&request.topics) {
        return call.respond(&DescribeQuorumResponse {
            topics: request.topics.iter().map(unknown).collect(),
            ..Default::default()
        });
    }
    call.respond(&DescribeQuorumResponse {
        topics: vec![ResponseTopicData {
            topic_name: KafkaString::from(METADATA_TOPIC),
            partitions: vec![quorum(&broker)],
        }],
        nodes: vec![node(&broker, &call)],
        ..Default::default()
    })
}

/// The metadata log and nothing else.
fn asks_for_metadata(topics: &[TopicData]) -> bool {
    let [topic] = topics else {
        return false;
    };
    topic.topic_name == METADATA_TOPIC
        && matches!(topic.partitions.as_slice(), [partition] if partition.partition_index == 0)
}

fn quorum(broker: &Broker) -> ResponsePartitionData {
    let log = broker.controller.metadata_log();
    let node_id = broker.config.options.node_id;
    let now_ms = broker.clock.wall_ms();
    ResponsePartitionData {
        leader_id: node_id,
        leader_epoch: broker.leader_epoch,
        high_watermark: log.high_watermark(),
        current_voters: vec![ReplicaState {
            replica_id: node_id,
            log_end_offset: log.end_offset(),
            last_fetch_timestamp: now_ms,
            last_caught_up_timestamp: now_ms,
            ..Default::default()
        }],
        ..Default::default()
    }
}

/// The controller is reached where the broker is.
fn node(broker: &Broker, call: &Call) -> Node {
    let listener = broker.config.listeners.get(call.peer.listener);
    let address = broker.advertised(&call.peer);
    Node {
        node_id: broker.config.options.node_id,
        listeners: vec![Listener {
            name: listener
                .map(|listener| listener.name.clone())
                .unwrap_or_default()
                .into(),
            host: address.host,
            port: u16::try_from(address.port).unwrap_or(0),
        }],
    }
}

fn unknown(topic: &TopicData) -> ResponseTopicData {
    let partitions = topic
        .partitions
        .iter()
        .map(|partition| ResponsePartitionData {
            partition_index: partition.partition_index,
            error_code: ErrorCode::UnknownTopicOrPartition.into(),
            error_message: Some("This server does not host this topic-partition.".into()),
            ..Default::default()
        });
    ResponseTopicData {
        topic_name: topic.topic_name.clone(),
        partitions: partitions.collect(),
    }
}
