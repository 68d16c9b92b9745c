//! DescribeProducers (key 61), version 0: the idempotent producers that partitions remember, with their last sequences.

use std::sync::Arc;

use log::Log;
use protocol::error::ErrorCode;
use protocol::messages::describe_producers::{
    DescribeProducersRequest, DescribeProducersResponse, PartitionResponse, ProducerState,
    TopicRequest, TopicResponse,
};

use crate::broker::Broker;
use crate::dispatch::{self, BadRequest, Call, Handled, Response};
use crate::metadata::{Image, Refusal, topic_name};

/// What a producer takes in the answer, built and encoded.
const PRODUCER_BYTES: usize = 128;
/// What a partition takes beside its producers; why a name is refused is said for each.
const PARTITION_BYTES: usize = 1024;

pub(crate) fn handle(
    broker: &Arc<Broker>,
    call: Call,
    request: DescribeProducersRequest,
) -> Handled {
    let image = broker.controller.image();
    let asked: usize = request
        .topics
        .iter()
        .map(|t| t.partition_indexes.len())
        .sum();
    let asked = asked.saturating_add(request.topics.len());
    let producers = logs(&image, &request).fold(0, |sum: usize, log| {
        sum.saturating_add(log.producer_count())
    });
    let bytes = asked
        .saturating_mul(PARTITION_BYTES)
        .saturating_add(producers.saturating_mul(PRODUCER_BYTES));
    if dispatch::asks_too_much(broker, asked, || image.partition_count(), bytes) {
        return Handled::Close(BadRequest::AsksTooMuch);
    }
    let broker = broker.clone();
    dispatch::later(async move {
        let build = async { describe(&image, &call, &request) };
        dispatch::with_room(&broker.answers, bytes, build).await
    })
}

fn logs<'a>(
    image: &'a Image,
    request: &'a DescribeProducersRequest,
) -> impl Iterator<Item = &'a Arc<Log>> {
    request.topics.iter().flat_map(|topic| {
        let known = image.topic(&topic.name);
        let indexes = topic.partition_indexes.iter();
        indexes.filter_map(move |index| known?.partition(*index))
    })
}

fn describe(image: &Image, call: &Call, request: &DescribeProducersRequest) -> Response {
    let topics = request.topics.iter().map(|topic| {
        let indexes = topic.partition_indexes.iter();
        TopicResponse {
            name: topic.name.clone(),
            partitions: indexes
                .map(|index| partition(image, topic, *index))
                .collect(),
        }
    });
    call.respond(&DescribeProducersResponse {
        topics: topics.collect(),
        ..Default::default()
    })
}

fn partition(image: &Image, topic: &TopicRequest, partition_index: i32) -> PartitionResponse {
    match find(image, topic, partition_index) {
        Ok(Some(log)) => PartitionResponse {
            partition_index,
            active_producers: producers(log),
            ..Default::default()
        },
        Ok(None) => PartitionResponse {
            partition_index,
            error_code: ErrorCode::UnknownTopicOrPartition.into(),
            ..Default::default()
        },
        Err(refusal) => PartitionResponse {
            partition_index,
            error_code: refusal.code.into(),
            error_message: Some(refusal.message.into()),
            ..Default::default()
        },
    }
}

/// None if the topic has no such partition.
fn find<'a>(
    image: &'a Image,
    topic: &TopicRequest,
    index: i32,
) -> Result<Option<&'a Arc<Log>>, Refusal> {
    if let Some(reason) = topic_name::refuse(&topic.name) {
        return Err(Refusal::new(ErrorCode::InvalidTopicException, reason));
    }
    match image.topic(&topic.name) {
        Some(topic) => Ok(topic.partition(index)),
        None => Err(Refusal::new(
            ErrorCode::UnknownTopicOrPartition,
            "This server does not host this topic-partition.",
        )),
    }
}

fn producers(log: &Log) -> Vec<ProducerState> {
    let producers = log.producers().into_iter();
    let state = |producer: log::producers::ProducerView| ProducerState {
        producer_id: producer.producer_id,
        producer_epoch: i32::from(producer.epoch),
        last_sequence: producer.last_sequence,
        last_timestamp: producer.last_timestamp,
        // None of them has a transaction.
        coordinator_epoch: -1,
        current_txn_start_offset: -1,
    };
    producers.map(state).collect()
}
