//! What a client asks of a cluster and one node answers: log dirs, producers, leaders, replicas, the quorum, features, what has options.
//! The codes are those of Apache Kafka 4.3 with one node.

use protocol::KafkaString;
use protocol::batch_builder::BatchOptions;
use protocol::error::ErrorCode;
use protocol::messages::alter_partition_reassignments::{
    AlterPartitionReassignmentsRequest, ReassignablePartition, ReassignableTopic,
};
use protocol::messages::alter_replica_log_dirs::{
    AlterReplicaLogDir, AlterReplicaLogDirTopic, AlterReplicaLogDirsRequest,
};
use protocol::messages::api_versions::ApiVersionsRequest;
use protocol::messages::describe_log_dirs::{DescribableLogDirTopic, DescribeLogDirsRequest};
use protocol::messages::describe_producers::{DescribeProducersRequest, TopicRequest};
use protocol::messages::describe_quorum::{DescribeQuorumRequest, PartitionData, TopicData};
use protocol::messages::elect_leaders::{ElectLeadersRequest, TopicPartitions};
use protocol::messages::list_config_resources::ListConfigResourcesRequest;
use protocol::messages::list_partition_reassignments::ListPartitionReassignmentsRequest;
use protocol::messages::unregister_broker::UnregisterBrokerRequest;
use protocol::messages::update_features::{FeatureUpdateKey, UpdateFeaturesRequest};

use crate::batches;
use crate::client::Client;
use crate::running::Running;

const UNKNOWN: i16 = ErrorCode::UnknownTopicOrPartition as i16;

/// A broker with topic `t` of two partitions, and a client of it.
async fn running() -> (Running, Client) {
    let running = Running::start("").await;
    running.topic_of("t", 2, &[]).await;
    let client = running.client().await;
    (running, client)
}

fn asked_dirs(topics: &[(&'static str, &[i32])]) -> DescribeLogDirsRequest {
    let topic = |(name, indexes): &(&'static str, &[i32])| DescribableLogDirTopic {
        topic: KafkaString::from(*name),
        partitions: indexes.to_vec(),
    };
    DescribeLogDirsRequest {
        topics: Some(topics.iter().map(topic).collect()),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_dir_tells_the_sizes_of_what_exists() {
    let (running, mut client) = running().await;
    running.topic("other", &[]).await;
    let batch = batches::plain(&[("a", "1")]);
    client.produce("t", &batch).await.unwrap();
    for version in 1..=5 {
        let asked = asked_dirs(&[
            ("t", &[0, 0, 9]),
            ("t", &[1]),
            ("other", &[7]),
            ("missing", &[0]),
        ]);
        let mut answer = client.ask(&asked, version).await;
        assert_eq!((answer.error_code, answer.results.len()), (0, 1));
        let dir = answer.results.remove(0);
        assert_eq!(dir.error_code, 0);
        assert!(std::path::Path::new(&*dir.log_dir).is_absolute());
        let [topic] = dir.topics.as_slice() else {
            panic!("{:?}", dir.topics);
        };
        let sizes: Vec<_> = topic
            .partitions
            .iter()
            .map(|one| {
                (
                    one.partition_index,
                    one.partition_size,
                    one.offset_lag,
                    one.is_future_key,
                )
            })
            .collect();
        let bytes = i64::try_from(batch.len()).unwrap();
        assert_eq!(sizes, [(0, bytes, 0, false), (1, 0, 0, false)]);
        if version >= 4 {
            assert!(0 < dir.usable_bytes && dir.usable_bytes <= dir.total_bytes);
        }
    }
    for (asked, topics) in [
        (DescribeLogDirsRequest { topics: None }, 2),
        (asked_dirs(&[]), 0),
    ] {
        let answer = client.ask(&asked, 5).await;
        assert_eq!(answer.results[0].topics.len(), topics);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn replicas_stay_in_the_one_log_dir() {
    let (_running, mut client) = running().await;
    let here = client.ask(&asked_dirs(&[]), 5).await.results[0]
        .log_dir
        .clone();
    let long = KafkaString::from("l".repeat(214));
    let dir = |path: &KafkaString, topic: &KafkaString, index| AlterReplicaLogDir {
        path: path.clone(),
        topics: vec![AlterReplicaLogDirTopic {
            name: topic.clone(),
            partitions: vec![index],
        }],
    };
    let (t, missing) = (KafkaString::from("t"), KafkaString::from("missing"));
    let elsewhere = KafkaString::from("/elsewhere");
    let not_found = ErrorCode::LogDirNotFound.into();
    let invalid = ErrorCode::InvalidTopicException.into();
    for version in 1..=2 {
        for (dirs, code) in [
            (vec![dir(&here, &t, 1)], 0),
            (vec![dir(&here, &t, 2)], UNKNOWN),
            (vec![dir(&here, &missing, 0)], UNKNOWN),
            (vec![dir(&elsewhere, &t, 1)], not_found),
            (vec![dir(&elsewhere, &missing, 0)], not_found),
            (vec![dir(&elsewhere, &long, 0)], invalid),
            (vec![dir(&here, &t, 1), dir(&elsewhere, &t, 1)], not_found),
        ] {
            let request = AlterReplicaLogDirsRequest { dirs };
            let answer = client.ask(&request, version).await;
            let [topic] = answer.results.as_slice() else {
                panic!("{answer:?}");
            };
            assert_eq!(topic.partitions.len(), 1);
            assert_eq!(topic.partitions[0].error_code, code, "{request:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn producers_are_told_with_their_last_sequence() {
    let (_running, mut client) = running().await;
    for sequence in [0, 1] {
        let options = BatchOptions {
            producer_id: 77,
            producer_epoch: 3,
            base_sequence: sequence,
            ..Default::default()
        };
        let record: (Option<&str>, &[u8], i64) = (None, b"v", batches::NOW_MS);
        client
            .produce("t", &batches::build(options, &[record]))
            .await
            .unwrap();
    }
    let topic = |name: &'static str, indexes: &[i32]| TopicRequest {
        name: KafkaString::from(name),
        partition_indexes: indexes.to_vec(),
    };
    let request = DescribeProducersRequest {
        topics: vec![
            topic("t", &[0, 1, 2, -1]),
            topic("missing", &[0]),
            topic("no name", &[0]),
        ],
    };
    let answer = client.ask(&request, 0).await;
    let found: Vec<_> = answer
        .topics
        .iter()
        .flat_map(|topic| {
            topic
                .partitions
                .iter()
                .map(|p| (p.error_code, p.active_producers.len()))
        })
        .collect();
    let invalid = ErrorCode::InvalidTopicException.into();
    assert_eq!(
        found,
        [
            (0, 1),
            (0, 0),
            (UNKNOWN, 0),
            (UNKNOWN, 0),
            (UNKNOWN, 0),
            (invalid, 0)
        ]
    );
    let producer = &answer.topics[0].partitions[0].active_producers[0];
    assert_eq!(
        (
            producer.producer_id,
            producer.producer_epoch,
            producer.last_sequence
        ),
        (77, 3, 1)
    );
    assert_eq!(producer.last_timestamp, batches::NOW_MS);
    assert_eq!(
        (
            producer.coordinator_epoch,
            producer.current_txn_start_offset
        ),
        (-1, -1)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn no_election_is_needed() {
    let (_running, mut client) = running().await;
    let partitions = |name: &'static str, indexes: &[i32]| TopicPartitions {
        topic: KafkaString::from(name),
        partitions: indexes.to_vec(),
    };
    let not_needed = ErrorCode::ElectionNotNeeded.into();
    let invalid = ErrorCode::InvalidRequest.into();
    let asked = vec![partitions("t", &[0, 2]), partitions("missing", &[0])];
    for (version, kind, top, codes) in [
        (0, 0, 0, [not_needed, UNKNOWN, UNKNOWN]),
        (1, 0, 0, [not_needed, UNKNOWN, UNKNOWN]),
        (2, 1, 0, [not_needed, UNKNOWN, UNKNOWN]),
        (2, 7, invalid, [invalid; 3]),
    ] {
        let request = ElectLeadersRequest {
            election_type: kind,
            topic_partitions: Some(asked.clone()),
            timeout_ms: 1000,
        };
        let answer = client.ask(&request, version).await;
        let results = answer.replica_election_results.iter();
        let found: Vec<i16> = results
            .flat_map(|topic| topic.partition_result.iter().map(|one| one.error_code))
            .collect();
        assert_eq!(
            (answer.error_code, found),
            (top, codes.to_vec()),
            "{version} {kind}"
        );
    }
    for (kind, code, topics) in [(0, 0, 1), (7, invalid, 0)] {
        let request = ElectLeadersRequest {
            election_type: kind,
            topic_partitions: None,
            timeout_ms: 1000,
        };
        let answer = client.ask(&request, 2).await;
        assert_eq!(answer.error_code, code);
        let results = answer.replica_election_results;
        assert_eq!(results.len(), topics);
        assert!(
            results
                .iter()
                .all(|topic| topic.partition_result.is_empty())
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_can_only_stay_where_it_is() {
    let (running, mut client) = running().await;
    let node_id = running.server.broker.config.options.node_id;
    let invalid = ErrorCode::InvalidReplicaAssignment.into();
    let cases = [
        ("t", 0, Some(vec![node_id]), 0),
        ("t", 0, None, ErrorCode::NoReassignmentInProgress.into()),
        ("t", 0, Some(vec![]), invalid),
        ("t", 0, Some(vec![node_id, node_id]), invalid),
        ("t", 0, Some(vec![node_id, 9]), invalid),
        ("t", 2, None, UNKNOWN),
        ("missing", 0, Some(vec![9]), UNKNOWN),
    ];
    for version in 0..=1 {
        for (topic, partition_index, replicas, code) in &cases {
            let request = AlterPartitionReassignmentsRequest {
                allow_replication_factor_change: version == 0,
                topics: vec![ReassignableTopic {
                    name: KafkaString::from(*topic),
                    partitions: vec![ReassignablePartition {
                        partition_index: *partition_index,
                        replicas: replicas.clone(),
                    }],
                }],
                ..Default::default()
            };
            let answer = client.ask(&request, version).await;
            assert_eq!((answer.error_code, answer.error_message), (0, None));
            assert_eq!(answer.allow_replication_factor_change, version == 0);
            let partition = &answer.responses[0].partitions[0];
            assert_eq!(partition.error_code, *code, "{topic} {replicas:?}");
            assert_eq!(partition.error_message.is_some(), *code != 0);
        }
    }
    let answer = client
        .ask(&ListPartitionReassignmentsRequest::default(), 0)
        .await;
    assert_eq!((answer.error_code, answer.topics.len()), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_quorum_is_this_node_and_has_all_there_is() {
    let (running, mut client) = running().await;
    let log_end = running.server.broker.controller.metadata_log().end_offset();
    let port = running.server.bound[0].port();
    let partition = |partition_index| PartitionData { partition_index };
    let asking = |name: &'static str, indexes: &[i32]| DescribeQuorumRequest {
        topics: vec![TopicData {
            topic_name: KafkaString::from(name),
            partitions: indexes.iter().copied().map(partition).collect(),
        }],
    };
    for version in 0..=2 {
        let answer = client
            .ask(&asking("__cluster_metadata", &[0]), version)
            .await;
        assert_eq!(answer.error_code, 0);
        let quorum = &answer.topics[0].partitions[0];
        assert_eq!((quorum.error_code, quorum.high_watermark), (0, log_end));
        let [voter] = quorum.current_voters.as_slice() else {
            panic!("{quorum:?}");
        };
        assert_eq!(
            (voter.replica_id, voter.log_end_offset),
            (quorum.leader_id, log_end)
        );
        assert_eq!(voter.last_caught_up_timestamp > 0, version >= 1);
        assert!(quorum.observers.is_empty());
        if version >= 2 {
            let listener = &answer.nodes[0].listeners[0];
            assert_eq!((listener.name.as_str(), listener.port), ("PLAINTEXT", port));
        }
        for request in [asking("t", &[0]), asking("__cluster_metadata", &[0, 1])] {
            let answer = client.ask(&request, version).await;
            let partitions = &answer.topics[0].partitions;
            assert!(partitions.iter().all(|one| one.error_code == UNKNOWN));
            assert_eq!(partitions.len(), request.topics[0].partitions.len());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_leaves_the_cluster() {
    let (running, mut client) = running().await;
    let node_id = running.server.broker.config.options.node_id;
    for (broker_id, code) in [
        (node_id, ErrorCode::InvalidRequest),
        (node_id + 1, ErrorCode::BrokerIdNotRegistered),
        (-1, ErrorCode::BrokerIdNotRegistered),
    ] {
        let request = UnregisterBrokerRequest { broker_id };
        let answer = client.ask(&request, 0).await;
        assert_eq!(answer.error_code, i16::from(code), "{broker_id}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn features_are_told_and_stay_as_they_are() {
    let (running, mut client) = running().await;
    let request = ApiVersionsRequest {
        client_software_name: KafkaString::from("test"),
        client_software_version: KafkaString::from("1"),
    };
    for version in 3..=4 {
        let before = client.ask(&request, version).await;
        let [supported] = before.supported_features.as_slice() else {
            panic!("{before:?}");
        };
        assert_eq!(
            (supported.name.as_str(), supported.min_version),
            ("metadata.version", 30)
        );
        assert_eq!(before.finalized_features[0].max_version_level, 30);
        running.topic(&format!("new{version}"), &[]).await;
        let after = client.ask(&request, version).await;
        assert!(after.finalized_features_epoch > before.finalized_features_epoch);
    }
    let refused = ErrorCode::InvalidUpdateVersion.into();
    for (version, updates, code, results) in [
        (0, vec![("metadata.version", 30)], 0, 1),
        (1, vec![("metadata.version", 30)], 0, 1),
        (2, vec![("metadata.version", 30)], 0, 0),
        (1, vec![], 0, 0),
        (
            1,
            vec![("metadata.version", 30), ("transaction.version", 2)],
            refused,
            0,
        ),
        (0, vec![("metadata.version", 29)], refused, 0),
        (
            2,
            vec![("metadata.version", 29), ("metadata.version", 30)],
            0,
            0,
        ),
    ] {
        let update = |(name, level): &(&'static str, i16)| FeatureUpdateKey {
            feature: KafkaString::from(*name),
            max_version_level: *level,
            ..Default::default()
        };
        let request = UpdateFeaturesRequest {
            feature_updates: updates.iter().map(update).collect(),
            ..Default::default()
        };
        let answer = client.ask(&request, version).await;
        let found = (answer.error_code, answer.results.len());
        assert_eq!(found, (code, results), "{version} {updates:?}");
        assert_eq!(answer.error_message.is_some(), code != 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_options_is_listed_by_kind() {
    let (running, mut client) = running().await;
    let node_id = running.server.broker.config.options.node_id.to_string();
    let node_id = node_id.as_str();
    let unsupported = ErrorCode::UnsupportedVersion.into();
    for (version, kinds, code, expected) in [
        (0, vec![], 0, vec![]),
        (1, vec![], 0, vec![(8, node_id), (4, node_id), (2, "t")]),
        (1, vec![2, 2], 0, vec![(2, "t")]),
        (1, vec![4], 0, vec![(4, node_id)]),
        (1, vec![16, 32], 0, vec![]),
        (1, vec![2, 1], unsupported, vec![]),
    ] {
        let request = ListConfigResourcesRequest {
            resource_types: kinds,
        };
        let answer = client.ask(&request, version).await;
        let resources = answer.config_resources.iter();
        let found: Vec<_> = resources
            .map(|one| (one.resource_type, one.resource_name.as_str()))
            .collect();
        assert_eq!((answer.error_code, found), (code, expected), "{request:?}");
    }
}
