//! ListOffsets (key 2), versions 1 to 11: offsets by timestamp, or by the special timestamps below zero.
//!
//! Nothing is tiered: the earliest local offset is the log's start, and no offset is in a remote tier.

use std::sync::Arc;

use log::Log;
use protocol::error::ErrorCode;
use protocol::messages::list_offsets::{
    ListOffsetsPartition, ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsResponse,
    ListOffsetsTopicResponse,
};

use super::repeated::repeated;
use crate::broker::Broker;
use crate::dispatch::{self, BadRequest, Call, Handled, Response};
use crate::fetch::read;
use crate::metadata::Image;
use crate::runtime;

/// The special timestamps and the first version that may send each.
const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: (i64, i16) = (-3, 7);
const EARLIEST_LOCAL: (i64, i16) = (-4, 8);
const LATEST_TIERED: (i64, i16) = (-5, 9);
const EARLIEST_PENDING_UPLOAD: (i64, i16) = (-6, 11);

/// What a partition takes in the answer, built and encoded.
const PARTITION_BYTES: usize = 128;

pub(crate) fn handle(broker: &Arc<Broker>, call: Call, request: ListOffsetsRequest) -> Handled {
    let image = broker.controller.image();
    let asked = asked(&request);
    let names = request.topics.iter().map(|topic| topic.name.len());
    let bytes = asked * PARTITION_BYTES + names.sum::<usize>();
    if dispatch::asks_too_much(broker, asked, || image.partition_count(), bytes) {
        return Handled::Close(BadRequest::AsksTooMuch);
    }
    let broker = broker.clone();
    dispatch::later(async move {
        let build = async {
            let build = || answer(&broker, &image, &call, &request);
            match reads_files(&request) {
                true => runtime::wait_in_place(build),
                false => build(),
            }
        };
        dispatch::with_room(&broker.answers, bytes, build).await
    })
}

/// Partitions and topics of the request.
fn asked(request: &ListOffsetsRequest) -> usize {
    let partitions = request.topics.iter().map(|topic| topic.partitions.len());
    request.topics.len() + partitions.sum::<usize>()
}

/// A slow disk may take long to say what lies at a timestamp.
fn reads_files(request: &ListOffsetsRequest) -> bool {
    let mut partitions = request.topics.iter().flat_map(|topic| &topic.partitions);
    partitions.any(|asked| asked.timestamp >= 0 || asked.timestamp == MAX_TIMESTAMP.0)
}

fn answer(broker: &Broker, image: &Image, call: &Call, request: &ListOffsetsRequest) -> Response {
    let topics = request.topics.iter().map(|topic| {
        let known = image.topic(&topic.name);
        let indexes = topic.partitions.iter().map(|asked| asked.partition_index);
        let twice = repeated(indexes);
        let partitions = topic.partitions.iter().map(|partition| {
            if twice.contains(&partition.partition_index) {
                return failed(partition.partition_index, ErrorCode::InvalidRequest);
            }
            if !is_known_timestamp(call.version, partition.timestamp) {
                return failed(partition.partition_index, ErrorCode::UnsupportedVersion);
            }
            match known.and_then(|topic| topic.partition(partition.partition_index)) {
                Some(log) => find(broker, log, partition),
                None => failed(
                    partition.partition_index,
                    ErrorCode::UnknownTopicOrPartition,
                ),
            }
        });
        ListOffsetsTopicResponse {
            name: topic.name.clone(),
            partitions: partitions.collect(),
            ..Default::default()
        }
    });
    call.respond(&ListOffsetsResponse {
        topics: topics.collect(),
        ..Default::default()
    })
}

/// A special timestamp of a later version is refused before the partition is looked up.
fn is_known_timestamp(version: i16, timestamp: i64) -> bool {
    let special = [
        MAX_TIMESTAMP,
        EARLIEST_LOCAL,
        LATEST_TIERED,
        EARLIEST_PENDING_UPLOAD,
    ];
    let is_known = |(known, since): &(i64, i16)| *known == timestamp && version >= *since;
    timestamp >= EARLIEST || special.iter().any(is_known)
}

fn find(broker: &Broker, log: &Log, asked: &ListOffsetsPartition) -> ListOffsetsPartitionResponse {
    if let Some(code) = read::check_leader_epoch(asked.current_leader_epoch, broker.leader_epoch) {
        return failed(asked.partition_index, code);
    }
    let below = log.high_watermark();
    // Timestamp and offset of the answer; −1 for what there is not.
    let found = match asked.timestamp {
        LATEST => Ok((-1, below)),
        EARLIEST => Ok((-1, log.start_offset())),
        timestamp if timestamp == EARLIEST_LOCAL.0 => Ok((-1, log.start_offset())),
        timestamp if timestamp == EARLIEST_PENDING_UPLOAD.0 || timestamp == LATEST_TIERED.0 => {
            Ok((-1, -1))
        }
        timestamp if timestamp == MAX_TIMESTAMP.0 => log
            .max_timestamp(below)
            .map(|found| found.unwrap_or((-1, -1))),
        timestamp if timestamp >= 0 => log
            .offset_for_timestamp(timestamp, below)
            .map(|found| found.unwrap_or((-1, -1))),
        // Refused before.
        _ => return failed(asked.partition_index, ErrorCode::UnsupportedVersion),
    };
    match found {
        Ok((timestamp, offset)) => ListOffsetsPartitionResponse {
            partition_index: asked.partition_index,
            timestamp,
            offset,
            leader_epoch: if offset < 0 {
                -1
            } else {
                log.epoch_of(offset).unwrap_or(broker.leader_epoch)
            },
            ..Default::default()
        },
        Err(error) => failed(asked.partition_index, read::read_code(&error)),
    }
}

fn failed(index: i32, code: ErrorCode) -> ListOffsetsPartitionResponse {
    ListOffsetsPartitionResponse {
        partition_index: index,
        error_code: code.into(),
        ..Default::default()
    }
}
