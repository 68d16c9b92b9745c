//! AlterPartitionReassignments (key 45), versions 0 and 1: the one replica of a partition can only stay where it is, and so no
//! reassignment is ever under way.

use std::sync::Arc;

use protocol::error::ErrorCode;
use protocol::messages::alter_partition_reassignments::{
    AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse, ReassignablePartition,
    ReassignablePartitionResponse, ReassignableTopicResponse,
};

use crate::broker::Broker;
use crate::dispatch::{Call, Response};
use crate::metadata::{Image, Refusal};

pub(crate) async fn handle(
    broker: Arc<Broker>,
    call: Call,
    request: AlterPartitionReassignmentsRequest,
) -> Response {
    let image = broker.controller.image();
    let node_id = broker.config.options.node_id;
    let responses = request.topics.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|partition| {
            let refusal = reassign(&image, node_id, &topic.name, partition).err();
            ReassignablePartitionResponse {
                partition_index: partition.partition_index,
                error_code: refusal.as_ref().map_or(0, |refusal| refusal.code.into()),
                error_message: refusal.map(|refusal| refusal.message.into()),
            }
        });
        ReassignableTopicResponse {
            name: topic.name.clone(),
            partitions: partitions.collect(),
        }
    });
    call.respond(&AlterPartitionReassignmentsResponse {
        allow_replication_factor_change: request.allow_replication_factor_change,
        error_message: None,
        responses: responses.collect(),
        ..Default::default()
    })
}

fn reassign(
    image: &Image,
    node_id: i32,
    topic: &str,
    asked: &ReassignablePartition,
) -> Result<(), Refusal> {
    let log = image.topic(topic);
    let log = log.and_then(|topic| topic.partition(asked.partition_index));
    if log.is_none() {
        return Err(Refusal::new(
            ErrorCode::UnknownTopicOrPartition,
            "This server does not host this topic-partition.",
        ));
    }
    match &asked.replicas {
        Some(replicas) => check_replicas(replicas, node_id),
        // What would be cancelled.
        None => Err(Refusal::new(
            ErrorCode::NoReassignmentInProgress,
            "No partition reassignment is in progress.",
        )),
    }
}

/// Exactly the one broker there is.
fn check_replicas(replicas: &[i32], node_id: i32) -> Result<(), Refusal> {
    let invalid = |message| Err(Refusal::new(ErrorCode::InvalidReplicaAssignment, message));
    let unknown = replicas.iter().filter(|id| **id != node_id).min();
    match (replicas, unknown) {
        ([], _) => invalid("The assignment names no replica.".to_owned()),
        (_, Some(id)) => invalid(format!(
            "The assignment names broker {id}, but no such broker is registered."
        )),
        ([_], None) => Ok(()),
        _ => invalid(format!(
            "The assignment names broker {node_id} more than once."
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicas_can_be_the_one_broker_and_nothing_else() {
        for (replicas, refused) in [
            (&[7][..], None),
            (&[], Some("no replica")),
            (&[7, 7], Some("more than once")),
            (&[7, 9, 8], Some("broker 8,")),
            (&[-1], Some("broker -1,")),
        ] {
            let found = check_replicas(replicas, 7).err();
            let matches = match (&found, refused) {
                (Some(refusal), Some(text)) => {
                    refusal.code == ErrorCode::InvalidReplicaAssignment
                        && refusal.message.contains(text)
                }
                (found, refused) => found.is_none() && refused.is_none(),
            };
            assert!(matches, "{replicas:?}: {found:?}");
        }
    }
}
