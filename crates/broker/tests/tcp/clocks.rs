//! Wall clocks that are set while the broker runs and while it is stopped: nothing expires that was written a minute ago.

use std::sync::Arc;

use broker::groups::Groups;
use broker::metadata::NewTopic;
use broker::server::Server;
use log::{Clock, ManualClock};
use protocol::KafkaString;
use protocol::batch::Batches;
use protocol::messages::find_coordinator::FindCoordinatorRequest;
use protocol::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use protocol::messages::offset_fetch::{OffsetFetchRequest, OffsetFetchRequestGroup};

use crate::client::{self, Client, FETCH_VERSION};
use crate::running::{Folder, start_at};

const DAY_MS: i64 = 86_400_000;
const NOW_MS: i64 = 1_790_000_000_000;
const OFFSETS: &str = "offsets.topic.num.partitions=1\noffsets.retention.minutes=10080";

async fn started(folder: &Folder, wall_ms: i64) -> (Server, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(wall_ms));
    let server = start_at(folder, OFFSETS, clock.clone()).await.unwrap();
    (server, clock)
}

/// As a client that manages its partitions itself: the offset counts from its commit.
async fn commit(server: &Server, client: &mut Client) {
    let topic = NewTopic {
        name: "t".to_owned(),
        partitions: 1,
        replication_factor: 1,
        ..NewTopic::default()
    };
    let created = server
        .broker
        .controller
        .create_topics(&[topic], false)
        .await;
    assert!(created[0].is_ok());
    let find = FindCoordinatorRequest {
        key_type: 0,
        coordinator_keys: vec![KafkaString::from("g")],
        ..Default::default()
    };
    client.ask(&find, 4).await;
    let partition = OffsetCommitRequestPartition {
        committed_offset: 5,
        ..Default::default()
    };
    let commit = OffsetCommitRequest {
        group_id: KafkaString::from("g"),
        generation_id_or_member_epoch: -1,
        topics: vec![OffsetCommitRequestTopic {
            name: KafkaString::from("t"),
            partitions: vec![partition],
            ..Default::default()
        }],
        ..Default::default()
    };
    let mut answer = client.ask(&commit, 8).await;
    assert_eq!(answer.topics.remove(0).partitions[0].error_code, 0);
}

/// What the group has after a search for expired offsets.
async fn committed(server: &Server, clock: &ManualClock) -> usize {
    clock.advance_ms(600_000);
    server.broker.coordinator.step(Groups::tick);
    let mut client = Client::connect(server.bound[0]).await;
    let request = OffsetFetchRequest {
        groups: vec![OffsetFetchRequestGroup {
            group_id: KafkaString::from("g"),
            topics: None,
            ..Default::default()
        }],
        // Behind the tombstones that are under way.
        require_stable: true,
        ..Default::default()
    };
    let mut answer = client.ask(&request, 8).await;
    answer.groups.remove(0).topics.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn offsets_outlive_a_clock_that_is_set() {
    for (what, first_ms, then_ms, restarted_ms) in [
        ("from 1970 to now", 0, NOW_MS, NOW_MS),
        ("from 1970 while stopped", 0, 60_000, NOW_MS),
        ("back to 1970", NOW_MS, 0, 0),
        ("back to 1970 while stopped", NOW_MS, NOW_MS, 0),
    ] {
        let folder = Folder::new();
        let (server, clock) = started(&folder, first_ms).await;
        let mut client = Client::connect(server.bound[0]).await;
        commit(&server, &mut client).await;
        clock.set_wall_ms(then_ms);
        assert_eq!(committed(&server, &clock).await, 1, "{what}");
        server.stop().await;
        let (server, clock) = started(&folder, restarted_ms).await;
        assert_eq!(committed(&server, &clock).await, 1, "{what}, restarted");
        clock.advance_ms(8 * DAY_MS.unsigned_abs());
        assert_eq!(committed(&server, &clock).await, 0, "{what}, in the end");
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn offsets_grow_old_while_the_broker_is_stopped() {
    for (stopped_ms, left) in [(6 * DAY_MS, 1), (8 * DAY_MS, 0)] {
        let folder = Folder::new();
        let (server, _) = started(&folder, NOW_MS).await;
        let mut client = Client::connect(server.bound[0]).await;
        commit(&server, &mut client).await;
        server.stop().await;
        let (server, clock) = started(&folder, NOW_MS + stopped_ms).await;
        assert_eq!(committed(&server, &clock).await, left);
        server.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_is_stored_with_both_times() {
    let folder = Folder::new();
    let (server, clock) = started(&folder, NOW_MS).await;
    clock.advance_ms(1000);
    clock.set_wall_ms(77);
    let mut client = Client::connect(server.bound[0]).await;
    commit(&server, &mut client).await;
    let request = client::fetch("__consumer_offsets", &[client::partition(0, 0)]);
    let fetched = client::only_fetched(client.ask(&request, FETCH_VERSION).await);
    let bytes = fetched.records.unwrap_or_default().to_bytes().unwrap();
    let batch = Batches::new(&bytes).next().unwrap().unwrap();
    let mut scratch = Vec::new();
    let record = batch.records(1024, &mut scratch).unwrap().next();
    let record = record.unwrap().unwrap();
    let headers: Vec<_> = record.headers().collect();
    assert_eq!(record.timestamp, 77, "what Kafka's tools read");
    assert_eq!(headers.len(), 1);
    assert_eq!(headers[0].key, b"ottla.running.ms");
    let running_ms = u64::from_be_bytes(headers[0].value.unwrap().try_into().unwrap());
    assert!(running_ms >= 1000 && clock.monotonic_ms() >= 1000);
    server.stop().await;
}

/// Groups may be silent for long: the time of every frame counts, not of their records alone.
#[tokio::test(flavor = "multi_thread")]
async fn offsets_grow_old_with_the_journal_when_a_clock_is_set_and_the_broker_dies() {
    let folder = Folder::new();
    let (server, clock) = started(&folder, NOW_MS).await;
    let mut client = Client::connect(server.bound[0]).await;
    commit(&server, &mut client).await;
    clock.advance_ms(6 * DAY_MS.unsigned_abs());
    let batch = crate::batches::plain(&[("key", "value")]);
    client.produce("t", &batch).await.unwrap();
    let copy = folder.copy();
    server.stop().await;
    let (server, clock) = started(&copy, NOW_MS + 3650 * DAY_MS).await;
    assert_eq!(committed(&server, &clock).await, 1, "six days old");
    clock.advance_ms(DAY_MS.unsigned_abs());
    assert_eq!(committed(&server, &clock).await, 0, "seven days old");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn group_records_that_cannot_be_read_are_counted() {
    let folder = Folder::new();
    let (server, _) = started(&folder, NOW_MS).await;
    let mut client = Client::connect(server.bound[0]).await;
    commit(&server, &mut client).await;
    let image = server.broker.controller.image();
    let log = image.topic("__consumer_offsets").unwrap().partitions[0].clone();
    // A key of one byte names no kind.
    let batch = crate::batches::plain(&[("k", "v"), ("k", "v")]);
    let options = log::AppendOptions { leader_epoch: 0 };
    let appended = log.append(&batch, options).unwrap();
    std::future::poll_fn(|cx| log.poll_committed(&appended.ticket, cx))
        .await
        .unwrap();
    assert_eq!(server.broker.coordinator.unreadable_records(), 0);
    let copy = folder.copy();
    server.stop().await;
    let (server, clock) = started(&copy, NOW_MS).await;
    assert_eq!(server.broker.coordinator.unreadable_records(), 2);
    let metrics = broker::metrics::render(&server.broker);
    assert!(metrics.contains("\nottla_groups_unreadable_records_total 2\n"));
    assert_eq!(committed(&server, &clock).await, 1, "the rest is there");
    server.stop().await;
}
