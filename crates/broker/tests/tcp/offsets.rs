//! ListOffsets over its special timestamps, its versions and searches by time; OffsetForLeaderEpoch's neighbour in Fetch is elsewhere.

use protocol::KafkaString;
use protocol::batch_builder::BatchOptions;
use protocol::error::ErrorCode;
use protocol::header::frame_request;
use protocol::messages::delete_records::{
    DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic,
};
use protocol::messages::list_offsets::{
    ListOffsetsPartition, ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsTopic,
};
use protocol::messages::offset_for_leader_epoch::{
    OffsetForLeaderEpochRequest, OffsetForLeaderPartition, OffsetForLeaderTopic,
};

use crate::batches::{self, NOW_MS};
use crate::client::Client;
use crate::running::Running;

fn asking(topic: &'static str, partitions: &[(i32, i64)]) -> ListOffsetsRequest {
    let partition = |(index, timestamp): &(i32, i64)| ListOffsetsPartition {
        partition_index: *index,
        timestamp: *timestamp,
        ..Default::default()
    };
    ListOffsetsRequest {
        topics: vec![ListOffsetsTopic {
            name: KafkaString::from(topic),
            partitions: partitions.iter().map(partition).collect(),
        }],
        ..Default::default()
    }
}

async fn list(
    client: &mut Client,
    version: i16,
    request: &ListOffsetsRequest,
) -> Vec<ListOffsetsPartitionResponse> {
    client
        .ask(request, version)
        .await
        .topics
        .remove(0)
        .partitions
}

#[tokio::test(flavor = "multi_thread")]
async fn searches_begin_where_deleted_records_end() {
    let running = Running::start("").await;
    let mut client = fill(&running).await;
    let delete = DeleteRecordsRequest {
        topics: vec![DeleteRecordsTopic {
            name: KafkaString::from("t"),
            partitions: vec![DeleteRecordsPartition {
                partition_index: 0,
                // In the middle of the first batch.
                offset: 2,
            }],
        }],
        timeout_ms: 1000,
    };
    client.ask(&delete, 2).await;
    for (what, timestamp, offset, found_ms) in [
        ("earliest", -2, 2, -1),
        ("largest timestamp", -3, 3, NOW_MS + 40),
        ("the start of time", 0, 2, NOW_MS + 20),
        ("a deleted record", NOW_MS + 30, 3, NOW_MS + 40),
    ] {
        let found = list(&mut client, 11, &asking("t", &[(0, timestamp)])).await;
        assert_eq!(
            (found[0].offset, found[0].timestamp),
            (offset, found_ms),
            "{what}"
        );
    }
}

/// Two batches: records at 10, 30, 20 ms after the base, and at 40, 40.
async fn fill(running: &Running) -> Client {
    running.topic("t", &[]).await;
    let mut client = running.client().await;
    for times in [&[10, 30, 20][..], &[40, 40][..]] {
        let records: Vec<(Option<&str>, &[u8], i64)> = times
            .iter()
            .map(|after_ms| (Some("k"), &b"v"[..], NOW_MS + after_ms))
            .collect();
        let batch = batches::build(BatchOptions::default(), &records);
        client.produce("t", &batch).await.unwrap();
    }
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn special_timestamps_and_searches() {
    let running = Running::start("").await;
    let mut client = fill(&running).await;
    for (what, timestamp, offset, found_ms) in [
        ("latest", -1, 5, -1),
        ("earliest", -2, 0, -1),
        ("largest timestamp", -3, 3, NOW_MS + 40),
        ("earliest local", -4, 0, -1),
        ("latest tiered", -5, -1, -1),
        ("earliest to be uploaded", -6, -1, -1),
        ("the start of time", 0, 0, NOW_MS + 10),
        ("at a record", NOW_MS + 10, 0, NOW_MS + 10),
        ("between records", NOW_MS + 11, 1, NOW_MS + 30),
        ("a later one is first", NOW_MS + 20, 1, NOW_MS + 30),
        ("in the second batch", NOW_MS + 31, 3, NOW_MS + 40),
        ("later than all", NOW_MS + 41, -1, -1),
        ("the end of time", i64::MAX, -1, -1),
    ] {
        let found = list(&mut client, 11, &asking("t", &[(0, timestamp)]))
            .await
            .remove(0);
        assert_eq!(
            (found.error_code, found.offset, found.timestamp),
            (0, offset, found_ms),
            "{what}"
        );
        let epoch = if offset < 0 {
            -1
        } else {
            running.server.broker.leader_epoch
        };
        assert_eq!(found.leader_epoch, epoch, "{what}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_log_has_ends_and_no_times() {
    let running = Running::start("").await;
    running.topic("t", &[]).await;
    let mut client = running.client().await;
    for (timestamp, offset) in [(-1, 0), (-2, 0), (-3, -1), (-4, 0), (0, -1), (NOW_MS, -1)] {
        let found = list(&mut client, 9, &asking("t", &[(0, timestamp)]))
            .await
            .remove(0);
        assert_eq!((found.error_code, found.offset), (0, offset), "{timestamp}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn special_timestamps_came_with_versions() {
    let running = Running::start("").await;
    let mut client = fill(&running).await;
    for (timestamp, since) in [(-3, 7), (-4, 8), (-5, 9), (-6, 11)] {
        for version in 1..=11 {
            let found = list(&mut client, version, &asking("t", &[(0, timestamp)]))
                .await
                .remove(0);
            let expected = match version >= since {
                true => 0,
                false => ErrorCode::UnsupportedVersion as i16,
            };
            assert_eq!(
                found.error_code, expected,
                "{timestamp} in version {version}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_questions() {
    use ErrorCode::{
        InvalidRequest, UnknownLeaderEpoch, UnknownTopicOrPartition, UnsupportedVersion,
    };
    let running = Running::start("").await;
    let mut client = fill(&running).await;
    let mut ahead = asking("t", &[(0, -1)]);
    ahead.topics[0].partitions[0].current_leader_epoch = 1000;
    for (what, request, codes) in [
        (
            "no such topic",
            asking("no", &[(0, -1)]),
            vec![UnknownTopicOrPartition as i16],
        ),
        (
            "no such partition",
            asking("t", &[(1, -1), (0, -1)]),
            vec![UnknownTopicOrPartition as i16, 0],
        ),
        (
            "asked twice",
            asking("t", &[(0, -1), (7, -1), (0, -2)]),
            vec![
                InvalidRequest as i16,
                UnknownTopicOrPartition as i16,
                InvalidRequest as i16,
            ],
        ),
        (
            "a special timestamp to come",
            asking("t", &[(0, -7)]),
            vec![UnsupportedVersion as i16],
        ),
        ("an epoch to come", ahead, vec![UnknownLeaderEpoch as i16]),
    ] {
        let found = list(&mut client, 9, &request).await;
        let found: Vec<i16> = found.iter().map(|partition| partition.error_code).collect();
        assert_eq!(found, codes, "{what}");
    }
}

/// A hundred thousand partitions in one request are looked at once each.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_list_is_answered_in_time() {
    let running = Running::start("").await;
    let mut client = fill(&running).await;
    let many: Vec<(i32, i64)> = (1..100_000).map(|index| (index, -1)).collect();
    let found = list(&mut client, 9, &asking("t", &many)).await;
    assert_eq!(found.len(), many.len());
    running.serves_others().await;
}

/// Nobody asks for a partition again and again but to fill the memory for answers.
#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_more_than_answers_may_hold_is_closed() {
    let running = Running::start("memory.budget.bytes=8388608").await;
    running.topic("t", &[]).await;
    let again = 20_000;
    let offsets = asking("t", &vec![(0, -1); again]);
    let epochs = OffsetForLeaderEpochRequest {
        topics: vec![OffsetForLeaderTopic {
            topic: KafkaString::from("t"),
            partitions: vec![OffsetForLeaderPartition::default(); again],
        }],
        ..Default::default()
    };
    for frame in [
        frame_request(&offsets, 7, 1, None),
        frame_request(&epochs, 4, 1, None),
    ] {
        let mut client = running.client().await;
        client.write(&frame).await;
        assert!(client.is_closed().await);
    }
    running.serves_others().await;
}
