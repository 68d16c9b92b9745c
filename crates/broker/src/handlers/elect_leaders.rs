//! ElectLeaders (key 43), versions 0 to 2: the one broker leads every partition and is its preferred leader, so that no election is
//! needed, preferred or unclean.

use std::sync::Arc;

use protocol::error::ErrorCode;
use protocol::messages::elect_leaders::{
    ElectLeadersRequest, ElectLeadersResponse, PartitionResult, ReplicaElectionResult,
};

use crate::broker::Broker;
use crate::dispatch::{self, Call, Response};
use crate::metadata::{Image, Refusal};

const PREFERRED: i8 = 0;
const UNCLEAN: i8 = 1;

/// What a topic takes in the answer, built and encoded.
const TOPIC_BYTES: usize = 640;

pub(crate) async fn handle(
    broker: Arc<Broker>,
    call: Call,
    request: ElectLeadersRequest,
) -> Response {
    let image = broker.controller.image();
    let unknown_type = match request.election_type {
        PREFERRED | UNCLEAN => None,
        other => Some(Refusal::new(
            ErrorCode::InvalidRequest,
            format!("Unknown election type {other}"),
        )),
    };
    let Some(asked) = &request.topic_partitions else {
        let topics = image.topics().filter(|_| unknown_type.is_none());
        // Of all partitions those are told that were elected or could not be: of none here.
        let topics = topics.map(|topic| ReplicaElectionResult {
            topic: topic.name.clone(),
            ..Default::default()
        });
        let build = async { respond(&call, unknown_type.as_ref(), topics.collect()) };
        let bytes = image.topic_count() * TOPIC_BYTES;
        return dispatch::with_room(&broker.answers, bytes, build).await;
    };
    let topics = asked.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|index| {
            let refusal = match &unknown_type {
                Some(refusal) => refusal.clone(),
                None => elect(&image, &topic.topic, *index),
            };
            PartitionResult {
                partition_id: *index,
                error_code: refusal.code.into(),
                error_message: Some(refusal.message.into()),
            }
        });
        ReplicaElectionResult {
            topic: topic.topic.clone(),
            partition_result: partitions.collect(),
        }
    });
    respond(&call, unknown_type.as_ref(), topics.collect())
}

fn elect(image: &Image, name: &str, index: i32) -> Refusal {
    // The name is not said again: it may be long, and be followed by very many partitions.
    match image.topic(name).and_then(|topic| topic.partition(index)) {
        None => Refusal::new(
            ErrorCode::UnknownTopicOrPartition,
            "This server does not host this topic-partition.",
        ),
        Some(_) => Refusal::new(
            ErrorCode::ElectionNotNeeded,
            "Leader election not needed for topic partition.",
        ),
    }
}

fn respond(
    call: &Call,
    refusal: Option<&Refusal>,
    replica_election_results: Vec<ReplicaElectionResult>,
) -> Response {
    call.respond(&ElectLeadersResponse {
        error_code: refusal.map_or(0, |refusal| refusal.code.into()),
        replica_election_results,
        ..Default::default()
    })
}
