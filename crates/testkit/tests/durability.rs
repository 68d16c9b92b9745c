//! What is acknowledged or shown is durable first: nobody is answered before the journal has synced.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test's own functions may fail it as well"
)]

use std::time::Duration;

use log::disk::sim::{Fault, FaultError, Op};
use protocol::KafkaString;
use protocol::batch_builder::{BatchBuilder, BatchOptions, NewRecord};
use protocol::error::ErrorCode;
use protocol::messages::delete_records::{
    DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic,
};
use protocol::messages::describe_log_dirs::DescribeLogDirsRequest;
use protocol::messages::list_offsets::{
    ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic,
};
use protocol::messages::metadata::{MetadataRequest, MetadataRequestTopic};
use protocol::messages::produce::{PartitionProduceResponse, ProduceRequest};
use testkit::client::{Client, NoAnswer};
use testkit::simulation::{Life, Simulation};
use testkit::workload::{OPTIONS, produce};

const VERSION: i16 = 9;
/// Far longer than any answer takes, in a time that costs nothing.
const LONG: Duration = Duration::from_secs(20);

fn simulation() -> Simulation {
    Simulation::new(1, OPTIONS).unwrap()
}

async fn create_topic(client: &mut Client) {
    let topic = MetadataRequestTopic {
        name: Some(KafkaString::from("t")),
        ..Default::default()
    };
    let request = MetadataRequest {
        topics: Some(vec![topic]),
        allow_auto_topic_creation: true,
        ..Default::default()
    };
    let response = client.ask(&request, 12).await.unwrap();
    assert_eq!(response.topics[0].error_code, 0);
}

/// The one batch of an idempotent producer with this sequence.
fn batch(sequence: i32) -> ProduceRequest {
    let mut builder = BatchBuilder::new(BatchOptions {
        producer_id: 77,
        producer_epoch: 0,
        base_sequence: sequence,
        ..Default::default()
    });
    let record = NewRecord {
        timestamp: 1,
        key: None,
        value: Some(b"value"),
        headers: &[],
    };
    builder.append(&record).unwrap();
    produce::request(&("t".to_owned(), 0), builder.build().unwrap())
}

async fn answer(client: &mut Client) -> PartitionProduceResponse {
    let answered = tokio::time::timeout(LONG, client.receive::<ProduceRequest>(VERSION)).await;
    let mut response = answered.expect("an answer comes").unwrap();
    response.responses.remove(0).partition_responses.remove(0)
}

async fn is_answered(client: &mut Client) -> bool {
    let answered = tokio::time::timeout(LONG, client.receive::<ProduceRequest>(VERSION)).await;
    answered.is_ok()
}

/// The end of the log as clients see it.
async fn end_offset(client: &mut Client) -> Result<i64, NoAnswer> {
    let partition = ListOffsetsPartition {
        current_leader_epoch: -1,
        timestamp: -1,
        ..Default::default()
    };
    let topic = ListOffsetsTopic {
        name: KafkaString::from("t"),
        partitions: vec![partition],
    };
    let request = ListOffsetsRequest {
        replica_id: -1,
        topics: vec![topic],
        ..Default::default()
    };
    let response = client.ask(&request, 7).await?;
    Ok(response.topics[0].partitions[0].offset)
}

async fn connect_to_held(life: &Life) -> Client {
    let mut client = life.connect();
    create_topic(&mut client).await;
    life.hold_journal();
    client
}

#[test]
fn an_answer_waits_for_the_sync() {
    let lived = simulation().live(async |life| {
        let mut client = connect_to_held(life).await;
        client.send(&batch(0), VERSION).await.unwrap();
        assert!(!is_answered(&mut client).await, "nothing is on the disk");
        let mut reader = life.connect();
        assert_eq!(end_offset(&mut reader).await.unwrap(), 0, "nor to be seen");
        let syncs = life.disk().counts().syncs;
        assert!(life.journal().commit_step());
        assert!(life.disk().counts().syncs > syncs);
        let answer = answer(&mut client).await;
        assert_eq!((answer.error_code, answer.base_offset), (0, 0));
        assert_eq!(end_offset(&mut reader).await.unwrap(), 1);
    });
    lived.unwrap();
}

/// Deletes everything that clients see of partition 0.
fn delete_all() -> DeleteRecordsRequest {
    let partition = DeleteRecordsPartition {
        partition_index: 0,
        offset: -1,
    };
    DeleteRecordsRequest {
        topics: vec![DeleteRecordsTopic {
            name: KafkaString::from("t"),
            partitions: vec![partition],
        }],
        timeout_ms: 1000,
    }
}

/// The low watermark and the code.
async fn deleted(client: &mut Client) -> (i64, i16) {
    let answered = tokio::time::timeout(LONG, client.receive::<DeleteRecordsRequest>(2)).await;
    let response = answered.expect("an answer comes").unwrap();
    let partition = &response.topics[0].partitions[0];
    (partition.low_watermark, partition.error_code)
}

#[test]
fn records_are_deleted_for_good_before_the_answer() {
    let lived = simulation().live(async |life| {
        let mut client = life.connect();
        create_topic(&mut client).await;
        client.send(&batch(0), VERSION).await.unwrap();
        assert_eq!(answer(&mut client).await.error_code, 0);
        life.hold_journal();
        client.send(&delete_all(), 2).await.unwrap();
        let early = tokio::time::timeout(LONG, client.receive::<DeleteRecordsRequest>(2)).await;
        assert!(early.is_err(), "nothing is on the disk");
        let syncs = life.disk().counts().syncs;
        assert!(life.journal().commit_step());
        assert!(life.disk().counts().syncs > syncs);
        assert_eq!(deleted(&mut client).await, (1, 0));
    });
    lived.unwrap();
}

#[test]
fn a_failed_disk_is_told_to_who_deletes_records_or_asks_for_sizes() {
    let lived = simulation().live(async |life| {
        let mut client = life.connect();
        create_topic(&mut client).await;
        client.send(&batch(0), VERSION).await.unwrap();
        assert_eq!(answer(&mut client).await.error_code, 0);
        let described = DescribeLogDirsRequest { topics: None };
        let healthy = client.ask(&described, 4).await.unwrap().results.remove(0);
        assert_eq!((healthy.error_code, healthy.topics.len()), (0, 1));
        life.disk().add_fault(Fault {
            op: Op::Sync,
            name_part: "",
            after: 0,
            times: 1,
            error: FaultError::Io,
        });
        let storage_error: i16 = ErrorCode::KafkaStorageError.into();
        client.send(&delete_all(), 2).await.unwrap();
        assert_eq!(deleted(&mut client).await, (-1, storage_error));
        let failed = client.ask(&described, 4).await.unwrap().results.remove(0);
        assert_eq!((failed.error_code, failed.topics.len()), (storage_error, 0));
    });
    lived.unwrap();
}

#[test]
fn a_duplicate_waits_for_the_batch_it_repeats() {
    let lived = simulation().live(async |life| {
        let mut first = connect_to_held(life).await;
        first.send(&batch(0), VERSION).await.unwrap();
        assert!(!is_answered(&mut first).await);
        let mut second = life.connect();
        second.send(&batch(0), VERSION).await.unwrap();
        assert!(!is_answered(&mut second).await, "its batch is not durable");
        assert!(life.journal().commit_step());
        for client in [&mut first, &mut second] {
            let answer = answer(client).await;
            assert_eq!((answer.error_code, answer.base_offset), (0, 0));
        }
        assert_eq!(end_offset(&mut second).await.unwrap(), 1, "stored once");
        // Now that it is durable a duplicate is answered without a commit.
        second.send(&batch(0), VERSION).await.unwrap();
        assert_eq!(answer(&mut second).await.base_offset, 0);
        assert!(!life.journal().commit_step());
    });
    lived.unwrap();
}

#[test]
fn answers_keep_the_order_of_their_requests() {
    let lived = simulation().live(async |life| {
        let mut client = connect_to_held(life).await;
        for sequence in 0..5 {
            client.send(&batch(sequence), VERSION).await.unwrap();
        }
        // Answered at once by itself, but behind those that wait.
        client.send(&batch(9), VERSION).await.unwrap();
        assert!(!is_answered(&mut client).await);
        life.release_journal();
        for offset in 0..5 {
            assert_eq!(answer(&mut client).await.base_offset, offset);
        }
        let last = answer(&mut client).await;
        let out_of_order: i16 = ErrorCode::OutOfOrderSequenceNumber.into();
        assert_eq!(last.error_code, out_of_order);
    });
    lived.unwrap();
}

#[test]
fn a_failed_sync_acknowledges_nothing() {
    let lived = simulation().live(async |life| {
        let mut client = connect_to_held(life).await;
        life.disk().add_fault(Fault {
            op: Op::Sync,
            name_part: "",
            after: 0,
            times: 1,
            error: FaultError::Io,
        });
        client.send(&batch(0), VERSION).await.unwrap();
        life.release_journal();
        let refused = answer(&mut client).await;
        let storage_error: i16 = ErrorCode::KafkaStorageError.into();
        assert_eq!(refused.error_code, storage_error);
        assert!(life.has_failed(), "a second sync could lie about the first");
        assert_eq!(end_offset(&mut client).await.unwrap(), 0);
        // The disk is well again, but what it lost only a start can tell.
        client.send(&batch(0), VERSION).await.unwrap();
        assert_eq!(answer(&mut client).await.error_code, storage_error);
    });
    lived.unwrap();
}
