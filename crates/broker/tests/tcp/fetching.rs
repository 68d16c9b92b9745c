//! What a fetch is told: limits, waiting, offsets out of range, leader epochs, diverging histories, sessions over a connection.

use protocol::error::ErrorCode;
use protocol::messages::fetch::{FetchPartition, FetchRequest};

use crate::batches;
use crate::client::{self, Client, FETCH_VERSION};
use crate::running::Running;

/// A topic of `partitions` with `count` batches of about `bytes` in each partition; answers a batch's length.
async fn fill(running: &Running, partitions: i32, count: i32, bytes: usize) -> usize {
    running.topic_of("t", partitions, &[]).await;
    let value = "x".repeat(bytes);
    let batch = batches::plain(&[("k", &value)]);
    let mut client = running.client().await;
    for index in 0..partitions {
        for _ in 0..count {
            let mut request = client::produce("t", &batch);
            request.topic_data[0].partition_data[0].index = index;
            let answer = client.ask(&request, client::PRODUCE_VERSION).await;
            assert_eq!(client::only_partition(answer).error_code, 0);
        }
    }
    batch.len()
}

/// Bytes of each partition's records.
async fn sizes(client: &mut Client, request: &FetchRequest) -> Vec<usize> {
    let mut answer = client.ask(request, FETCH_VERSION).await;
    assert_eq!(answer.error_code, 0);
    let partitions = answer.responses.remove(0).partitions;
    let size = |records: Option<protocol::Records>| records.unwrap_or_default().len();
    partitions
        .into_iter()
        .map(|partition| size(partition.records))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_of_partitions_and_of_the_whole() {
    let running = Running::start("").await;
    let one = fill(&running, 3, 4, 1000).await;
    let mut client = running.client().await;
    let limit = |batches: usize, extra: i32| i32::try_from(batches * one).unwrap() + extra;
    let wide = i32::MAX;
    for (of_partition, of_all, expected) in [
        (wide, wide, [4, 4, 4]),
        (limit(2, 0), wide, [2, 2, 2]),
        (limit(2, -1), wide, [1, 1, 1]),
        // The first batch comes whatever its size, and only the first.
        (1, wide, [1, 0, 0]),
        (0, wide, [1, 0, 0]),
        (wide, 1, [1, 0, 0]),
        (wide, 0, [1, 0, 0]),
        (wide, limit(5, 0), [4, 1, 0]),
        (wide, limit(5, 5), [4, 1, 0]),
        (limit(3, 0), limit(7, 0), [3, 3, 1]),
    ] {
        let ask = |index| FetchPartition {
            partition_max_bytes: of_partition,
            ..client::partition(index, 0)
        };
        let mut request = client::fetch("t", &[ask(0), ask(1), ask(2)]);
        request.max_bytes = of_all;
        let found = sizes(&mut client, &request).await;
        let expected = expected.map(|batches| batches * one);
        assert_eq!(found, expected, "{of_partition} {of_all}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn offsets_epochs_and_histories() {
    use ErrorCode::{OffsetOutOfRange, UnknownLeaderEpoch, UnknownTopicOrPartition};
    let running = Running::start("").await;
    fill(&running, 1, 2, 10).await;
    let epoch = running.server.broker.leader_epoch;
    let mut client = running.client().await;
    let at = |offset| client::partition(0, offset);
    let knowing = |current_leader_epoch| FetchPartition {
        current_leader_epoch,
        ..at(0)
    };
    for (what, asked, expected) in [
        ("below the log", at(-1), Some(OffsetOutOfRange)),
        ("beyond the log", at(3), Some(OffsetOutOfRange)),
        ("far beyond", at(i64::MAX), Some(OffsetOutOfRange)),
        (
            "no such partition",
            client::partition(9, 0),
            Some(UnknownTopicOrPartition),
        ),
        (
            "negative partition",
            client::partition(-1, 0),
            Some(UnknownTopicOrPartition),
        ),
        ("the epoch of today", knowing(epoch), None),
        ("no epoch", knowing(-1), None),
        (
            "an epoch to come",
            knowing(epoch + 1),
            Some(UnknownLeaderEpoch),
        ),
        ("the start", at(0), None),
    ] {
        let mut request = client::fetch("t", &[asked]);
        request.max_wait_ms = 0;
        let found = client::only_fetched(client.ask(&request, FETCH_VERSION).await);
        let code = expected.map_or(0, |code| code as i16);
        assert_eq!(found.error_code, code, "{what}");
    }
    // A consumer that has read on in an epoch that ended here earlier.
    let diverged = FetchPartition {
        last_fetched_epoch: epoch,
        ..at(100)
    };
    let found = client::only_fetched(client.ask(&client::fetch("t", &[diverged]), 12).await);
    assert_eq!((found.error_code, found.diverging_epoch.end_offset), (0, 2));
    assert_eq!(found.diverging_epoch.epoch, epoch);
    assert!(found.records.unwrap_or_default().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fetch_waits_for_its_bytes_or_its_time() {
    let running = Running::start("").await;
    let one = fill(&running, 1, 1, 100).await;
    let mut client = running.client().await;
    // At the end, it is a commit that wakes it: its own time would be over long after the test's patience.
    let mut request = client::fetch("t", &[client::partition(0, 1)]);
    request.max_wait_ms = 600_000;
    client.send(&request, FETCH_VERSION).await;
    let mut producer = running.client().await;
    let batch = batches::plain(&[("k", "v")]);
    assert_eq!(producer.produce("t", &batch).await, Ok(1));
    let found = client::only_fetched(client.receive::<FetchRequest>(FETCH_VERSION).await.unwrap());
    assert_eq!(found.records.unwrap().len(), batch.len());
    // Of two commits the first is not enough.
    request.topics[0].partitions[0].fetch_offset = 2;
    request.min_bytes = i32::try_from(2 * batch.len()).unwrap();
    client.send(&request, FETCH_VERSION).await;
    for offset in 2..4 {
        assert_eq!(producer.produce("t", &batch).await, Ok(offset));
    }
    let found = client::only_fetched(client.receive::<FetchRequest>(FETCH_VERSION).await.unwrap());
    assert_eq!(found.records.unwrap().len(), 2 * batch.len());
    // More than may be given is not waited for.
    request.topics[0].partitions[0].fetch_offset = 0;
    request.min_bytes = i32::MAX;
    let max_bytes = std::mem::replace(&mut request.max_bytes, 1);
    let found = client::only_fetched(client.ask(&request, FETCH_VERSION).await);
    assert!(!found.records.unwrap().is_empty());
    request.max_bytes = max_bytes;
    // Time brings what there is.
    request.topics[0].partitions[0].fetch_offset = 0;
    request.min_bytes = i32::MAX;
    request.max_wait_ms = 30;
    let found = client::only_fetched(client.ask(&request, FETCH_VERSION).await);
    assert_eq!(found.records.unwrap().len(), one + 3 * batch.len());
    request.topics[0].partitions[0].fetch_offset = 4;
    let found = client::only_fetched(client.ask(&request, FETCH_VERSION).await);
    assert_eq!((found.error_code, found.high_watermark), (0, 4));
    assert!(found.records.unwrap().is_empty());
}

/// An error does not wait for the others' records.
#[tokio::test(flavor = "multi_thread")]
async fn an_error_is_answered_at_once() {
    let running = Running::start("").await;
    fill(&running, 1, 1, 100).await;
    let mut client = running.client().await;
    let mut request = client::fetch("t", &[client::partition(0, 1), client::partition(5, 0)]);
    request.max_wait_ms = 600_000;
    let mut answer = client.ask(&request, FETCH_VERSION).await;
    let codes: Vec<i16> = answer
        .responses
        .remove(0)
        .partitions
        .iter()
        .map(|p| p.error_code)
        .collect();
    assert_eq!(codes, [0, ErrorCode::UnknownTopicOrPartition as i16]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_answers_only_what_is_new() {
    let running = Running::start("").await;
    fill(&running, 2, 1, 100).await;
    let mut client = running.client().await;
    let mut request = client::fetch("t", &[client::partition(0, 0), client::partition(1, 1)]);
    request.session_epoch = 0;
    let opened = client.ask(&request, FETCH_VERSION).await;
    assert!(opened.session_id > 0);
    assert_eq!(opened.responses[0].partitions.len(), 2);
    // Partition 0 moves on, partition 1 is at its end: nothing is new.
    let mut next = client::fetch("t", &[client::partition(0, 1)]);
    next.session_id = opened.session_id;
    next.session_epoch = 1;
    next.max_wait_ms = 0;
    let answer = client.ask(&next, FETCH_VERSION).await;
    assert_eq!(
        (answer.error_code, answer.session_id),
        (0, opened.session_id)
    );
    assert!(answer.responses.is_empty(), "{answer:?}");
    // A session of another connection, or of another time.
    for (id, epoch, expected) in [
        (opened.session_id, 9, ErrorCode::InvalidFetchSessionEpoch),
        (
            opened.session_id.wrapping_add(1),
            1,
            ErrorCode::FetchSessionIdNotFound,
        ),
    ] {
        next.session_id = id;
        next.session_epoch = epoch;
        let answer = client.ask(&next, FETCH_VERSION).await;
        assert_eq!(answer.error_code, expected as i16);
    }
}

/// Who waits for a topic that is deleted is told at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_topic_ends_the_wait_for_it() {
    let running = Running::start("").await;
    running.topic("t", &[]).await;
    let mut client = running.client().await;
    let mut request = client::fetch("t", &[client::partition(0, 0)]);
    request.max_wait_ms = i32::MAX;
    client.send(&request, FETCH_VERSION).await;
    let image = running.server.broker.controller.image();
    let topic = image.topic("t").unwrap();
    let log = topic.partition(0).unwrap();
    let waits = |_: &broker::server::Server| log.watcher_count() == 1;
    running.until("the fetch waits", waits).await;
    let controller = &running.server.broker.controller;
    controller
        .delete_topics(&[topic.id], |_| {})
        .await
        .remove(0)
        .unwrap();
    let answer = client.receive::<FetchRequest>(FETCH_VERSION).await.unwrap();
    let code = client::only_fetched(answer).error_code;
    assert_eq!(code, ErrorCode::UnknownTopicOrPartition as i16);
}
