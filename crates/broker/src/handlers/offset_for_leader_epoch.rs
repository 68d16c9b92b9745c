//! OffsetForLeaderEpoch (key 23), versions 2 to 4: where an epoch of a partition ended, so that a consumer sees a truncation.

use std::sync::Arc;

use protocol::error::ErrorCode;
use protocol::messages::offset_for_leader_epoch::{
    EpochEndOffset, OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse,
    OffsetForLeaderPartition, OffsetForLeaderTopicResult,
};

use crate::broker::Broker;
use crate::dispatch::{self, BadRequest, Call, Handled, Response};
use crate::fetch::read;
use crate::metadata::{Image, Topic};

/// What a partition takes in the answer, built and encoded.
const PARTITION_BYTES: usize = 128;

pub(crate) fn handle(
    broker: &Arc<Broker>,
    call: Call,
    request: OffsetForLeaderEpochRequest,
) -> Handled {
    let image = broker.controller.image();
    let partitions = request.topics.iter().map(|topic| topic.partitions.len());
    let asked = request.topics.len() + partitions.sum::<usize>();
    let names = request.topics.iter().map(|topic| topic.topic.len());
    let bytes = asked * PARTITION_BYTES + names.sum::<usize>();
    if dispatch::asks_too_much(broker, asked, || image.partition_count(), bytes) {
        return Handled::Close(BadRequest::AsksTooMuch);
    }
    let broker = broker.clone();
    dispatch::later(async move {
        let build = async { answer(&broker, &image, &call, &request) };
        dispatch::with_room(&broker.answers, bytes, build).await
    })
}

fn answer(
    broker: &Broker,
    image: &Image,
    call: &Call,
    request: &OffsetForLeaderEpochRequest,
) -> Response {
    let topics = request.topics.iter().map(|topic| {
        let known = image.topic(&topic.topic).map(|topic| &**topic);
        OffsetForLeaderTopicResult {
            topic: topic.topic.clone(),
            partitions: topic
                .partitions
                .iter()
                .map(|partition| end_of_epoch(broker, known, partition))
                .collect(),
            ..Default::default()
        }
    });
    call.respond(&OffsetForLeaderEpochResponse {
        topics: topics.collect(),
        ..Default::default()
    })
}

fn end_of_epoch(
    broker: &Broker,
    topic: Option<&Topic>,
    asked: &OffsetForLeaderPartition,
) -> EpochEndOffset {
    let mut answer = EpochEndOffset {
        partition: asked.partition,
        ..Default::default()
    };
    let Some(log) = topic.and_then(|topic| topic.partition(asked.partition)) else {
        answer.error_code = ErrorCode::UnknownTopicOrPartition.into();
        return answer;
    };
    if let Some(code) = read::check_leader_epoch(asked.current_leader_epoch, broker.leader_epoch) {
        answer.error_code = code.into();
        return answer;
    }
    if let Some((epoch, end_offset)) = log.end_offset_for_epoch(asked.leader_epoch) {
        answer.leader_epoch = epoch;
        answer.end_offset = end_offset;
    }
    answer
}
