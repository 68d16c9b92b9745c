//! CreatePartitions (key 37), versions 0 to 3: brings each topic to a larger number of partitions, each by itself.

use std::collections::BTreeSet;
use std::sync::Arc;

use protocol::error::ErrorCode;
use protocol::messages::create_partitions::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreatePartitionsTopic,
    CreatePartitionsTopicResult,
};

use super::repeated::repeated;
use crate::broker::Broker;
use crate::dispatch::{Call, Response};
use crate::metadata::Refusal;

pub(crate) async fn handle(
    broker: Arc<Broker>,
    call: Call,
    request: CreatePartitionsRequest,
) -> Response {
    let mut results = Vec::with_capacity(request.topics.len());
    let twice = repeated(request.topics.iter().map(|topic| topic.name.as_str()));
    let mut seen = BTreeSet::new();
    for topic in request
        .topics
        .iter()
        .filter(|topic| seen.insert(topic.name.as_str()))
    {
        let outcome = match twice.contains(topic.name.as_str()) {
            true => Err(Refusal::new(
                ErrorCode::InvalidRequest,
                "Duplicate topic name.",
            )),
            false => create(&broker, topic, request.validate_only).await,
        };
        results.push(result(topic, outcome));
    }
    call.respond(&CreatePartitionsResponse {
        results,
        ..Default::default()
    })
}

async fn create(
    broker: &Broker,
    topic: &CreatePartitionsTopic,
    validate_only: bool,
) -> Result<(), Refusal> {
    let assignments: Option<Vec<Vec<i32>>> = topic.assignments.as_ref().map(|all| {
        all.iter()
            .map(|assignment| assignment.broker_ids.clone())
            .collect()
    });
    broker
        .controller
        .create_partitions(
            &topic.name,
            topic.count,
            assignments.as_deref(),
            validate_only,
        )
        .await
}

fn result(
    topic: &CreatePartitionsTopic,
    outcome: Result<(), Refusal>,
) -> CreatePartitionsTopicResult {
    let refusal = outcome.err();
    CreatePartitionsTopicResult {
        name: topic.name.clone(),
        error_code: refusal.as_ref().map_or(0, |refusal| refusal.code.into()),
        error_message: refusal.map(|refusal| refusal.message.into()),
    }
}
