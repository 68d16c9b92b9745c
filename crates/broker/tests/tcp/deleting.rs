//! DeleteRecords, OffsetDelete and DeleteGroups: what is deleted is gone for everybody and after a restart, what is refused says why.

use bytes::{BufMut, BytesMut};
use protocol::KafkaString;
use protocol::error::ErrorCode;
use protocol::messages::delete_groups::DeleteGroupsRequest;
use protocol::messages::delete_records::{
    DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic,
};
use protocol::messages::find_coordinator::FindCoordinatorRequest;
use protocol::messages::join_group::{JoinGroupRequest, JoinGroupRequestProtocol};
use protocol::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use protocol::messages::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
    OffsetDeleteResponse,
};
use protocol::messages::offset_fetch::{OffsetFetchRequest, OffsetFetchRequestTopic};

use crate::batches;
use crate::client::Client;
use crate::running::{Running, start_in};

const OUT_OF_RANGE: i16 = ErrorCode::OffsetOutOfRange as i16;
const UNKNOWN: i16 = ErrorCode::UnknownTopicOrPartition as i16;

fn records_before(starts: &[(&'static str, i32, i64)]) -> DeleteRecordsRequest {
    let topic = |(name, index, offset): &(&'static str, i32, i64)| DeleteRecordsTopic {
        name: KafkaString::from(*name),
        partitions: vec![DeleteRecordsPartition {
            partition_index: *index,
            offset: *offset,
        }],
    };
    DeleteRecordsRequest {
        topics: starts.iter().map(topic).collect(),
        timeout_ms: 1000,
    }
}

/// Low watermark and code of the one partition.
async fn delete_before(
    client: &mut Client,
    version: i16,
    at: (&'static str, i32, i64),
) -> (i64, i16) {
    let answer = client.ask(&records_before(&[at]), version).await;
    let partition = &answer.topics[0].partitions[0];
    assert_eq!(
        (answer.topics[0].name.as_str(), partition.partition_index),
        (at.0, at.1)
    );
    (partition.low_watermark, partition.error_code)
}

/// Three batches of two records.
async fn fill(client: &mut Client, topic: &str) {
    for n in 0..3 {
        let batch = batches::plain(&[("a", "1"), ("b", "2")]);
        assert_eq!(client.produce(topic, &batch).await.unwrap(), n * 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_deleted_in_every_version_and_stay_so() {
    let running = Running::start("").await;
    running.topic("t", &[]).await;
    let mut client = running.client().await;
    fill(&mut client, "t").await;
    for (version, offset, expected) in [
        (0, 1, (1, 0)),
        (1, 3, (3, 0)),
        // The start never goes back.
        (2, 2, (3, 0)),
        (2, 7, (-1, OUT_OF_RANGE)),
        (2, -2, (-1, OUT_OF_RANGE)),
    ] {
        assert_eq!(
            delete_before(&mut client, version, ("t", 0, offset)).await,
            expected
        );
    }
    assert_eq!(client.fetch_from("t", 2).await.error_code, OUT_OF_RANGE);
    let found = client.fetch_from("t", 3).await;
    assert_eq!((found.error_code, found.log_start_offset), (0, 3));

    let (server, folder) = running.into_parts();
    server.stop().await;
    let server = start_in(&folder, "").await.unwrap();
    let mut client = Client::connect(server.bound[0]).await;
    assert_eq!(client.fetch_from("t", 2).await.error_code, OUT_OF_RANGE);
    assert_eq!(client.fetch_from("t", 3).await.log_start_offset, 3);
    assert_eq!(delete_before(&mut client, 2, ("t", 0, -1)).await, (6, 0));
    let next = client.produce("t", &batches::plain(&[("c", "3")])).await;
    assert_eq!(next.unwrap(), 6);
    assert_eq!(client.fetch_from("t", 6).await.log_start_offset, 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_not_deleted_where_kafka_does_not() {
    let running = Running::start("offsets.topic.num.partitions=1").await;
    let policies = [("compacted", "compact"), ("both", "compact,delete")];
    for (name, policy) in policies {
        running.topic(name, &[("cleanup.policy", policy)]).await;
    }
    let mut client = running.client().await;
    find_coordinator(&mut client).await;
    let policy = ErrorCode::PolicyViolation.into();
    let invalid = ErrorCode::InvalidTopicException.into();
    for (topic, index, code) in [
        ("compacted", 0, policy),
        ("both", 0, 0),
        ("both", 1, UNKNOWN),
        ("both", -1, UNKNOWN),
        ("missing", 0, UNKNOWN),
        ("", 0, UNKNOWN),
        ("__consumer_offsets", 0, invalid),
    ] {
        let low_watermark = if code == 0 { 0 } else { -1 };
        let found = delete_before(&mut client, 2, (topic, index, -1)).await;
        assert_eq!(found, (low_watermark, code), "{topic} {index}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_partition_that_is_named_twice_the_last_offset_counts() {
    let running = Running::start("").await;
    running.topic("t", &[]).await;
    let mut client = running.client().await;
    fill(&mut client, "t").await;
    let twice = records_before(&[("t", 0, 5), ("missing", 0, 1), ("t", 0, 2)]);
    let answer = client.ask(&twice, 2).await;
    let found: Vec<_> = answer
        .topics
        .iter()
        .map(|topic| (topic.name.as_str(), topic.partitions[0].low_watermark))
        .collect();
    assert_eq!(found, [("missing", -1), ("t", 2)]);
}

async fn find_coordinator(client: &mut Client) {
    let find = FindCoordinatorRequest {
        coordinator_keys: vec![KafkaString::from("g")],
        ..Default::default()
    };
    let found = client.ask(&find, 4).await;
    assert_eq!(found.coordinators[0].error_code, 0);
}

/// As a client that manages its partitions itself.
async fn commit(client: &mut Client, group: &'static str, topic: &'static str) {
    let commit = OffsetCommitRequest {
        group_id: KafkaString::from(group),
        topics: vec![OffsetCommitRequestTopic {
            name: KafkaString::from(topic),
            partitions: vec![OffsetCommitRequestPartition {
                partition_index: 0,
                committed_offset: 5,
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    let answer = client.ask(&commit, 8).await;
    assert_eq!(answer.topics[0].partitions[0].error_code, 0);
}

async fn committed(client: &mut Client, group: &'static str, topic: &'static str) -> i64 {
    let fetch = OffsetFetchRequest {
        group_id: KafkaString::from(group),
        topics: Some(vec![OffsetFetchRequestTopic {
            name: KafkaString::from(topic),
            partition_indexes: vec![0],
        }]),
        ..Default::default()
    };
    let answer = client.ask(&fetch, 5).await;
    answer.topics[0].partitions[0].committed_offset
}

fn offsets_of(group: &'static str, topics: &[(&'static str, &[i32])]) -> OffsetDeleteRequest {
    let partition = |index: &i32| OffsetDeleteRequestPartition {
        partition_index: *index,
    };
    let topic = |(name, indexes): &(&'static str, &[i32])| OffsetDeleteRequestTopic {
        name: KafkaString::from(*name),
        partitions: indexes.iter().map(partition).collect(),
    };
    OffsetDeleteRequest {
        group_id: KafkaString::from(group),
        topics: topics.iter().map(topic).collect(),
    }
}

fn outcomes(answer: &OffsetDeleteResponse) -> Vec<(&str, i32, i16)> {
    let topics = answer.topics.iter().flat_map(|topic| {
        let partitions = topic.partitions.iter();
        partitions.map(|one| (topic.name.as_str(), one.partition_index, one.error_code))
    });
    topics.collect()
}

/// A member of group `g` that subscribes to `topic`; its answer is not waited for.
async fn join(client: &mut Client, topic: &str) {
    let mut subscription = BytesMut::new();
    subscription.put_i16(0);
    subscription.put_i32(1);
    subscription.put_i16(topic.len().try_into().unwrap());
    subscription.put_slice(topic.as_bytes());
    subscription.put_i32(-1);
    let join = JoinGroupRequest {
        group_id: KafkaString::from("g"),
        session_timeout_ms: 30_000,
        rebalance_timeout_ms: 30_000,
        protocol_type: KafkaString::from("consumer"),
        protocols: vec![JoinGroupRequestProtocol {
            name: KafkaString::from("range"),
            metadata: subscription.freeze(),
        }],
        ..Default::default()
    };
    let joined = client.ask(&join, 3).await;
    assert_eq!(joined.error_code, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn offsets_are_deleted_unless_somebody_subscribes() {
    let running = Running::start("group.initial.rebalance.delay.ms=0").await;
    running.topic("read", &[]).await;
    running.topic("left", &[]).await;
    let mut client = running.client().await;
    find_coordinator(&mut client).await;
    for (group, code) in [
        ("", ErrorCode::InvalidGroupId),
        ("none", ErrorCode::GroupIdNotFound),
    ] {
        let answer = client.ask(&offsets_of(group, &[("read", &[0])]), 0).await;
        assert_eq!((answer.error_code, answer.topics.len()), (code.into(), 0));
    }
    commit(&mut client, "g", "read").await;
    commit(&mut client, "g", "left").await;
    join(&mut client, "read").await;
    let asked = offsets_of("g", &[("missing", &[0]), ("read", &[0, 7]), ("left", &[0])]);
    let answer = client.ask(&asked, 0).await;
    let subscribed = ErrorCode::GroupSubscribedToTopic.into();
    assert_eq!(answer.error_code, 0);
    assert_eq!(
        outcomes(&answer),
        [
            ("left", 0, 0),
            ("missing", 0, UNKNOWN),
            ("read", 7, UNKNOWN),
            ("read", 0, subscribed)
        ]
    );
    assert_eq!(committed(&mut client, "g", "read").await, 5);
    assert_eq!(committed(&mut client, "g", "left").await, -1);
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_are_deleted_once_nobody_is_in_them() {
    let running = Running::start("group.initial.rebalance.delay.ms=0").await;
    running.topic("t", &[]).await;
    let mut client = running.client().await;
    find_coordinator(&mut client).await;
    join(&mut client, "t").await;
    for version in 0..=2 {
        commit(&mut client, "idle", "t").await;
        let delete = DeleteGroupsRequest {
            groups_names: ["idle", "g", "none", "idle", ""]
                .map(KafkaString::from)
                .to_vec(),
        };
        let answer = client.ask(&delete, version).await;
        let codes: Vec<_> = answer
            .results
            .iter()
            .map(|result| (result.group_id.as_str(), result.error_code))
            .collect();
        let not_found = ErrorCode::GroupIdNotFound.into();
        let expected = [
            ("idle", 0),
            ("g", ErrorCode::NonEmptyGroup.into()),
            ("none", not_found),
            ("", not_found),
        ];
        assert_eq!(codes, expected, "version {version}");
        assert_eq!(committed(&mut client, "idle", "t").await, -1);
    }
}
