//! The second half of `dispatch`: from a request that administers topics, options or the cluster to its handler.

use std::sync::Arc;

use protocol::api::ApiKey;
use protocol::messages::alter_configs::AlterConfigsRequest;
use protocol::messages::alter_partition_reassignments::AlterPartitionReassignmentsRequest;
use protocol::messages::alter_replica_log_dirs::AlterReplicaLogDirsRequest;
use protocol::messages::create_partitions::CreatePartitionsRequest;
use protocol::messages::create_topics::CreateTopicsRequest;
use protocol::messages::delete_records::DeleteRecordsRequest;
use protocol::messages::delete_topics::DeleteTopicsRequest;
use protocol::messages::describe_quorum::DescribeQuorumRequest;
use protocol::messages::elect_leaders::ElectLeadersRequest;
use protocol::messages::incremental_alter_configs::IncrementalAlterConfigsRequest;
use protocol::messages::update_features::UpdateFeaturesRequest;
use protocol::wire::Decoder;

use crate::broker::Broker;
use crate::dispatch::{BadRequest, Call, Handled, body, later, listed, now};
use crate::handlers;

/// What administers topics, options and the cluster.
pub(crate) fn route(
    broker: &Arc<Broker>,
    call: &Call,
    input: Decoder,
) -> Result<Handled, BadRequest> {
    Ok(match call.key {
        ApiKey::CreateTopics => {
            let request: CreateTopicsRequest = body(call, input)?;
            let asked = request.topics.len();
            let answer = handlers::create_topics::handle(broker.clone(), call.clone(), request);
            listed(broker, call, asked, answer)
        }
        ApiKey::DeleteTopics => {
            let request: DeleteTopicsRequest = body(call, input)?;
            let asked = request.topics.len() + request.topic_names.len();
            let answer = handlers::delete_topics::handle(broker.clone(), call.clone(), request);
            listed(broker, call, asked, answer)
        }
        ApiKey::DeleteRecords => {
            let request: DeleteRecordsRequest = body(call, input)?;
            let partitions = request.topics.iter().map(|topic| topic.partitions.len());
            let asked = request.topics.len() + partitions.sum::<usize>();
            let answer = handlers::delete_records::handle(broker.clone(), call.clone(), request);
            listed(broker, call, asked, answer)
        }
        ApiKey::DescribeConfigs => {
            handlers::describe_configs::handle(broker, call.clone(), body(call, input)?)
        }
        ApiKey::AlterConfigs => {
            let request: AlterConfigsRequest = body(call, input)?;
            let asked = request.resources.len();
            let answer = handlers::alter_configs::handle(broker.clone(), call.clone(), request);
            listed(broker, call, asked, answer)
        }
        ApiKey::CreatePartitions => {
            let request: CreatePartitionsRequest = body(call, input)?;
            let asked = request.topics.len();
            let answer = handlers::create_partitions::handle(broker.clone(), call.clone(), request);
            listed(broker, call, asked, answer)
        }
        ApiKey::IncrementalAlterConfigs => {
            let request: IncrementalAlterConfigsRequest = body(call, input)?;
            let asked = request.resources.len();
            let answer =
                handlers::incremental_alter_configs::handle(broker.clone(), call.clone(), request);
            listed(broker, call, asked, answer)
        }
        _ => return route_cluster(broker, call, input),
    })
}

/// What administers the cluster: log dirs, leaders, replicas, the quorum, features.
fn route_cluster(broker: &Arc<Broker>, call: &Call, input: Decoder) -> Result<Handled, BadRequest> {
    let broker_now = &**broker;
    Ok(match call.key {
        ApiKey::AlterReplicaLogDirs => {
            let request: AlterReplicaLogDirsRequest = body(call, input)?;
            let topics = request.dirs.iter().flat_map(|dir| &dir.topics);
            let asked = topics.map(|topic| 1 + topic.partitions.len()).sum();
            let answer =
                handlers::alter_replica_log_dirs::handle(broker.clone(), call.clone(), request);
            listed(broker, call, asked, answer)
        }
        ApiKey::DescribeLogDirs => later(handlers::describe_log_dirs::handle(
            broker.clone(),
            call.clone(),
            body(call, input)?,
        )),
        ApiKey::ElectLeaders => {
            let request: ElectLeadersRequest = body(call, input)?;
            let topics = request.topic_partitions.iter().flatten();
            let asked = topics.map(|topic| 1 + topic.partitions.len()).sum();
            let answer = handlers::elect_leaders::handle(broker.clone(), call.clone(), request);
            listed(broker, call, asked, answer)
        }
        ApiKey::AlterPartitionReassignments => {
            let request: AlterPartitionReassignmentsRequest = body(call, input)?;
            let topics = request.topics.iter();
            let asked = topics.map(|topic| 1 + topic.partitions.len()).sum();
            let answer = handlers::alter_partition_reassignments::handle(
                broker.clone(),
                call.clone(),
                request,
            );
            listed(broker, call, asked, answer)
        }
        ApiKey::ListPartitionReassignments => now(handlers::list_partition_reassignments::handle(
            call,
            &body(call, input)?,
        )),
        ApiKey::DescribeQuorum => {
            let request: DescribeQuorumRequest = body(call, input)?;
            let topics = request.topics.iter();
            let asked = topics.map(|topic| 1 + topic.partitions.len()).sum();
            let answer = handlers::describe_quorum::handle(broker.clone(), call.clone(), request);
            listed(broker, call, asked, answer)
        }
        ApiKey::UpdateFeatures => {
            let request: UpdateFeaturesRequest = body(call, input)?;
            let asked = request.feature_updates.len();
            let answer = handlers::update_features::handle(call.clone(), request);
            listed(broker, call, asked, answer)
        }
        ApiKey::UnregisterBroker => now(handlers::unregister_broker::handle(
            broker,
            call,
            &body(call, input)?,
        )),
        ApiKey::DescribeProducers => {
            handlers::describe_producers::handle(broker, call.clone(), body(call, input)?)
        }
        ApiKey::GetTelemetrySubscriptions => now(handlers::get_telemetry_subscriptions::handle(
            broker,
            call,
            &body(call, input)?,
        )),
        ApiKey::PushTelemetry => later(handlers::push_telemetry::handle(
            broker.clone(),
            call.clone(),
            body(call, input)?,
        )),
        ApiKey::ListConfigResources => later(handlers::list_config_resources::handle(
            broker.clone(),
            call.clone(),
            body(call, input)?,
        )),
        ApiKey::DescribeCluster => now(handlers::describe_cluster::handle(
            broker_now,
            call,
            &body(call, input)?,
        )),
        ApiKey::DescribeTopicPartitions => now(handlers::describe_topic_partitions::handle(
            broker_now,
            call,
            &body(call, input)?,
        )),
        key => {
            return Err(BadRequest::NotServed {
                key: key as i16,
                version: call.version,
            });
        }
    })
}
