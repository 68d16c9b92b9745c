//! What a produce is told: offsets, duplicates, sequences, times, keys. Tables of batch -> answer.

use protocol::batch_builder::BatchOptions;
use protocol::compression::Codec;
use protocol::error::ErrorCode;
use protocol::messages::fetch::PartitionData;

use crate::batches::{self, NOW_MS};
use crate::client::{self, PRODUCE_VERSION};
use crate::running::Running;

fn code(error_code: i16) -> ErrorCode {
    ErrorCode::try_from(error_code).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn sequences_of_an_idempotent_producer() {
    use ErrorCode::OutOfOrderSequenceNumber;
    let running = Running::start("").await;
    running.topic("t", &[]).await;
    let mut client = running.client().await;
    let two = [("a", "1"), ("b", "2")];
    for (what, sequence, expected) in [
        ("first", 0, Ok(0)),
        ("second", 2, Ok(2)),
        ("third", 4, Ok(4)),
        ("duplicate of the last", 4, Ok(4)),
        ("duplicate of the first", 0, Ok(0)),
        ("a gap", 8, Err(OutOfOrderSequenceNumber)),
        ("the next after all that", 6, Ok(6)),
    ] {
        let batch = batches::idempotent(77, sequence, &two);
        let answer = client.produce("t", &batch).await;
        assert_eq!(
            answer.map_err(|refused| code(refused.error_code)),
            expected,
            "{what}"
        );
    }
    // Duplicates were answered, not stored.
    let end = client.fetch_from("t", 0).await.high_watermark;
    assert_eq!(end, 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn times_outside_the_topics_bounds_are_refused_with_the_records_named() {
    let running = Running::start("").await;
    let hour = 3_600_000;
    let bounds = [
        ("message.timestamp.before.max.ms", "3600000"),
        ("message.timestamp.after.max.ms", "3600000"),
    ];
    running.topic("bounded", &bounds).await;
    running
        .topic("stamped", &[("message.timestamp.type", "LogAppendTime")])
        .await;
    let now = running.server.broker.clock.wall_ms();
    let mut client = running.client().await;
    for (times, wrong) in [
        (vec![now, now - hour / 2, now + hour / 2], vec![]),
        (vec![now, now - 2 * hour], vec![1]),
        (vec![now + 2 * hour, now, now - 2 * hour], vec![0, 2]),
    ] {
        let records: Vec<(Option<&str>, &[u8], i64)> = times
            .iter()
            .map(|time| (Some("k"), &b"v"[..], *time))
            .collect();
        for codec in [Codec::None, Codec::Zstd] {
            let options = BatchOptions {
                codec,
                ..Default::default()
            };
            let answer = client
                .produce("bounded", &batches::build(options, &records))
                .await;
            match answer {
                Ok(_) => assert!(wrong.is_empty(), "{times:?}"),
                Err(refused) => {
                    assert_eq!(code(refused.error_code), ErrorCode::InvalidTimestamp);
                    let named: Vec<i32> = refused
                        .record_errors
                        .iter()
                        .map(|error| error.batch_index)
                        .collect();
                    assert_eq!(named, wrong, "{times:?} {codec:?}");
                }
            }
        }
    }
    // A topic that stamps its records asks for no bounds, and tells its time.
    let batch = batches::plain(&[("k", "v")]);
    let request = client::produce("stamped", &batch);
    let answer = client::only_partition(client.ask(&request, PRODUCE_VERSION).await);
    assert_eq!(answer.error_code, 0);
    assert!(answer.log_append_time_ms >= now, "{answer:?}");
    let stored = client
        .fetch_from("stamped", 0)
        .await
        .records
        .unwrap()
        .to_bytes()
        .unwrap();
    let header = protocol::batch::Batch::single(&stored).unwrap();
    header.check_crc().unwrap();
    assert_eq!(header.header().max_timestamp, answer.log_append_time_ms);
}

/// A producer that states another maximum than its records have would mislead searches by time.
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_largest_timestamp_is_put_right() {
    let running = Running::start("").await;
    running.topic("t", &[]).await;
    let mut client = running.client().await;
    let mut batch = batches::plain(&[("k", "v")]);
    batch[35..43].copy_from_slice(&(NOW_MS + 5).to_be_bytes());
    let batch = batches::claiming(batch, 1);
    assert_eq!(client.produce("t", &batch).await, Ok(0));
    let stored = client
        .fetch_from("t", 0)
        .await
        .records
        .unwrap()
        .to_bytes()
        .unwrap();
    let stored = protocol::batch::Batch::single(&stored).unwrap();
    assert_eq!(stored.header().max_timestamp, NOW_MS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compacted_topic_needs_keys_and_names_the_records_without() {
    let running = Running::start("").await;
    running
        .topic("compacted", &[("cleanup.policy", "compact")])
        .await;
    let mut client = running.client().await;
    for codec in [
        Codec::None,
        Codec::Gzip,
        Codec::Snappy,
        Codec::Lz4,
        Codec::Zstd,
    ] {
        let options = BatchOptions {
            codec,
            ..Default::default()
        };
        let records: [(Option<&str>, &[u8], i64); 3] = [
            (None, b"1", NOW_MS),
            (Some("k"), b"2", NOW_MS),
            (None, b"3", NOW_MS),
        ];
        let refused = client
            .produce("compacted", &batches::build(options, &records))
            .await;
        let refused = refused.unwrap_err();
        assert_eq!(code(refused.error_code), ErrorCode::InvalidRecord);
        let named: Vec<i32> = refused
            .record_errors
            .iter()
            .map(|error| error.batch_index)
            .collect();
        assert_eq!(named, [0, 2], "{codec:?}");
        assert!(refused.record_errors[0].batch_index_error_message.is_some());
    }
    let good = batches::plain(&[("k", "v")]);
    assert_eq!(client.produce("compacted", &good).await, Ok(0));
}

/// Partitions stand for themselves: one that fails keeps none of the others.
#[tokio::test(flavor = "multi_thread")]
async fn partitions_of_a_request_are_answered_one_by_one() {
    let running = Running::start("").await;
    running.topic_of("t", 2, &[]).await;
    let mut client = running.client().await;
    let mut request = client::produce("t", &batches::plain(&[("k", "v")]));
    let data = &mut request.topic_data[0].partition_data;
    let like = data[0].clone();
    for index in [1, 2, -1] {
        let mut another = like.clone();
        another.index = index;
        data.push(another);
    }
    let mut answer = client.ask(&request, PRODUCE_VERSION).await;
    let codes: Vec<(i32, i16)> = answer
        .responses
        .remove(0)
        .partition_responses
        .iter()
        .map(|partition| (partition.index, partition.error_code))
        .collect();
    let unknown = ErrorCode::UnknownTopicOrPartition as i16;
    assert_eq!(codes, [(0, 0), (1, 0), (2, unknown), (-1, unknown)]);
    for partition in 0..2 {
        let request = client::fetch("t", &[client::partition(partition, 0)]);
        let found: PartitionData = client::only_fetched(client.ask(&request, 12).await);
        assert_eq!(found.high_watermark, 1);
    }
}
