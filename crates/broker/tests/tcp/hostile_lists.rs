//! Requests that name a thing again and again, and bodies of chance for every API in every version: an answer or an end, within the
//! memory there is.

use protocol::header::frame_request;
use protocol::messages::alter_partition_reassignments::{
    AlterPartitionReassignmentsRequest, ReassignablePartition, ReassignableTopic,
};
use protocol::messages::alter_replica_log_dirs::{
    AlterReplicaLogDir, AlterReplicaLogDirTopic, AlterReplicaLogDirsRequest,
};
use protocol::messages::api_versions::{ApiVersion, ApiVersionsRequest};
use protocol::messages::delete_groups::DeleteGroupsRequest;
use protocol::messages::delete_records::{
    DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic,
};
use protocol::messages::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
use protocol::messages::describe_log_dirs::{DescribableLogDirTopic, DescribeLogDirsRequest};
use protocol::messages::describe_producers::{DescribeProducersRequest, TopicRequest};
use protocol::messages::elect_leaders::{ElectLeadersRequest, TopicPartitions};
use protocol::{ApiKey, KafkaString};

use crate::running::Running;

/// Answers may hold a quarter of it.
const SERVER_OPTIONS: &str = "memory.budget.bytes=33554432";
const AGAIN: usize = 60_000;

fn name() -> KafkaString {
    KafkaString::from("t")
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_more_than_answers_may_hold_is_closed() {
    let running = Running::start(SERVER_OPTIONS).await;
    running.topic("t", &[]).await;
    let indexes = vec![0; AGAIN];
    let deleted = DeleteRecordsPartition {
        partition_index: 0,
        offset: 0,
    };
    let reassigned = ReassignablePartition {
        partition_index: 0,
        replicas: None,
    };
    let frames = [
        frame_request(
            &DeleteRecordsRequest {
                topics: vec![DeleteRecordsTopic {
                    name: name(),
                    partitions: vec![deleted; AGAIN],
                }],
                timeout_ms: 0,
            },
            2,
            1,
            None,
        ),
        frame_request(
            &DeleteGroupsRequest {
                groups_names: vec![name(); AGAIN],
            },
            2,
            1,
            None,
        ),
        frame_request(
            &DescribeProducersRequest {
                topics: vec![TopicRequest {
                    name: name(),
                    partition_indexes: indexes.clone(),
                }],
            },
            0,
            1,
            None,
        ),
        frame_request(
            &ElectLeadersRequest {
                topic_partitions: Some(vec![TopicPartitions {
                    topic: name(),
                    partitions: indexes.clone(),
                }]),
                ..Default::default()
            },
            2,
            1,
            None,
        ),
        frame_request(
            &AlterPartitionReassignmentsRequest {
                topics: vec![ReassignableTopic {
                    name: name(),
                    partitions: vec![reassigned; AGAIN],
                }],
                ..Default::default()
            },
            1,
            1,
            None,
        ),
        frame_request(
            &AlterReplicaLogDirsRequest {
                dirs: vec![AlterReplicaLogDir {
                    path: name(),
                    topics: vec![AlterReplicaLogDirTopic {
                        name: name(),
                        partitions: indexes.clone(),
                    }],
                }],
            },
            2,
            1,
            None,
        ),
    ];
    for (n, frame) in frames.into_iter().enumerate() {
        let mut client = running.client().await;
        client.write(&frame).await;
        assert!(client.is_closed().await, "frame {n}");
    }
    // What is told once however often it is asked for costs no more.
    let mut client = running.client().await;
    let request = DescribeLogDirsRequest {
        topics: Some(vec![DescribableLogDirTopic {
            topic: name(),
            partitions: indexes,
        }]),
    };
    let answer = client.ask(&request, 5).await;
    assert_eq!(answer.results[0].topics[0].partitions.len(), 1);
    running.serves_others().await;
}

/// It comes back with the answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_name_counts_with_the_answer_that_tells_it() {
    // Two mebibytes for answers.
    let running = Running::start("memory.budget.bytes=8388608").await;
    for (bytes, is_closed) in [(1 << 20, false), (3 << 20, true)] {
        let request = DeleteTopicsRequest {
            topics: vec![DeleteTopicState {
                name: Some(KafkaString::from("x".repeat(bytes))),
                ..Default::default()
            }],
            ..Default::default()
        };
        let mut client = running.client().await;
        client.send(&request, 6).await;
        let answered = client.receive_bytes().await.is_ok();
        assert_eq!(answered, !is_closed, "{bytes}");
    }
    running.serves_others().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_of_chance_break_no_api_in_any_version() {
    let running = Running::start("auto.create.topics.enable=false").await;
    let mut client = running.client().await;
    let mut served = client.ask(&ApiVersionsRequest::default(), 0).await.api_keys;
    // Told only once somebody wants metrics.
    for key in [ApiKey::GetTelemetrySubscriptions, ApiKey::PushTelemetry] {
        served.push(ApiVersion {
            api_key: key as i16,
            ..Default::default()
        });
    }
    let mut state = 7_u64;
    let mut random = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) as u8
    };
    // These may wait for records or for members.
    let waiting = [
        ApiKey::Produce,
        ApiKey::Fetch,
        ApiKey::JoinGroup,
        ApiKey::SyncGroup,
    ];
    let mut closed = 0;
    for api in served {
        if waiting.iter().any(|key| *key as i16 == api.api_key) {
            continue;
        }
        for version in api.min_version..=api.max_version {
            for length in [0, 1, 9, 40] {
                // Small numbers are counts and lengths that fit more often.
                let body = (0..length).map(|_| random() % 5 * (random() % 9));
                let mut frame = u32::to_be_bytes(11 + length).to_vec();
                frame.extend(api.api_key.to_be_bytes());
                frame.extend(version.to_be_bytes());
                frame.extend(9_i32.to_be_bytes());
                frame.extend((-1_i16).to_be_bytes());
                frame.push(0);
                frame.extend(body);
                let mut client = running.client().await;
                client.write(&frame).await;
                closed += u64::from(client.is_closed().await);
            }
        }
    }
    let bad = running.server.broker.metrics.bad_requests.get();
    assert_eq!(
        closed, bad,
        "whoever was closed had sent what cannot be read"
    );
    running.serves_others().await;
}
