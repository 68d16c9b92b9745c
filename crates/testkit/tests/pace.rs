//! Clients that are slow or silent, in the broker's own time: who holds memory that others need must go on, who waits for an answer is
//! waited for, but not for ever.

#![cfg(test)]

use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use broker::network::connection::{Connection, End, Peer};
use bytes::Bytes;
use protocol::batch_builder::{BatchBuilder, BatchOptions, NewRecord};
use protocol::header::frame_request;
use protocol::messages::create_topics::{CreatableTopic, CreateTopicsRequest};
use protocol::messages::fetch::{FetchPartition, FetchRequest, FetchTopic};
use protocol::messages::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
use protocol::{KafkaString, Records};
use testkit::client::Client;
use testkit::simulation::{Life, Simulation};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::time::{Instant, sleep, timeout};

const MEBIBYTE: usize = 1024 * 1024;
/// Records that are fetched have eight mebibytes, and a batch fits a journal file, which is small here.
const OPTIONS: &[(&str, &str)] = &[
    ("memory.budget.bytes", "33554432"),
    ("message.max.bytes", "200000"),
];
const FETCH_VERSION: i16 = 12;
/// Ends as far as these tests go.
const LONG: Duration = Duration::from_secs(30 * 86_400);

/// How a connection to `client` ended, and after how many seconds.
async fn ended(life: &Life, client: impl AsyncFnOnce(&mut DuplexStream)) -> (End, u64) {
    let (mut ours, theirs) = tokio::io::duplex(64 * 1024);
    let peer = Peer {
        address: None,
        listener: 0,
        software: Arc::default(),
    };
    let began = Instant::now();
    let connection = Connection::new(theirs, life.broker.clone(), peer);
    let silent = async {
        client(&mut ours).await;
        sleep(LONG).await;
    };
    let end = tokio::select! {
        end = connection => end,
        () = silent => panic!("it never ended"),
    };
    (end, began.elapsed().as_secs())
}

fn live(test: impl AsyncFnOnce(&Life)) {
    let mut simulation = Simulation::new(3, OPTIONS).unwrap();
    simulation.live(test).unwrap();
}

/// A topic with some mebibytes in batches of 100 kB.
async fn filled(life: &Life) {
    let mut client = life.connect();
    let create = CreateTopicsRequest {
        topics: vec![CreatableTopic {
            name: KafkaString::from("t"),
            num_partitions: 1,
            replication_factor: 1,
            ..Default::default()
        }],
        ..Default::default()
    };
    let created = client.ask(&create, 7).await.unwrap();
    assert_eq!(created.topics[0].error_message, None);
    for _ in 0..30 {
        produce_one(&mut client).await;
    }
}

async fn produce_one(client: &mut Client) {
    let mut builder = BatchBuilder::new(BatchOptions::default());
    let value = vec![b'x'; 100_000];
    let record = NewRecord {
        timestamp: 1_700_000_000_000,
        key: None,
        value: Some(&value),
        headers: &[],
    };
    builder.append(&record).unwrap();
    let produce = ProduceRequest {
        acks: -1,
        topic_data: vec![TopicProduceData {
            name: KafkaString::from("t"),
            partition_data: vec![PartitionProduceData {
                records: Some(Records::from(Bytes::from(builder.build().unwrap()))),
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    let answer = client.ask(&produce, 9).await.unwrap();
    assert_eq!(answer.responses[0].partition_responses[0].error_code, 0);
}

fn fetch(offset: i64, bytes: i32) -> Bytes {
    let request = FetchRequest {
        max_wait_ms: i32::MAX,
        min_bytes: 1,
        max_bytes: bytes,
        session_epoch: -1,
        topics: vec![FetchTopic {
            topic: KafkaString::from("t"),
            partitions: vec![FetchPartition {
                fetch_offset: offset,
                partition_max_bytes: bytes,
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    frame_request(&request, FETCH_VERSION, 1, None)
}

/// The head of a produce of so many bytes.
fn announced(bytes: usize) -> Vec<u8> {
    let mut head = u32::try_from(bytes).unwrap().to_be_bytes().to_vec();
    head.extend([0; 2]);
    head
}

#[test]
fn a_frame_that_trickles_in_costs_the_connection() {
    live(async |life| {
        let trickle = async |stream: &mut DuplexStream| {
            stream.write_all(&announced(8 * MEBIBYTE)).await.unwrap();
            // Until the broker has closed.
            while stream.write_all(&[0]).await.is_ok() {
                sleep(Duration::from_secs(20)).await;
            }
        };
        let (end, seconds) = ended(life, trickle).await;
        assert!(matches!(end, End::Idle), "{end:?}");
        assert_eq!(seconds, 30 + 8);
        assert_eq!(life.broker.requests.used_bytes(), 0);
    });
}

#[test]
fn a_slow_frame_that_holds_nothing_may_take_its_time() {
    live(async |life| {
        let trickle = async |stream: &mut DuplexStream| {
            stream.write_all(&announced(60_000)).await.unwrap();
            for _ in 0..20 {
                sleep(Duration::from_secs(500)).await;
                stream.write_all(&[0]).await.unwrap();
            }
        };
        let (end, seconds) = ended(life, trickle).await;
        assert!(matches!(end, End::Idle), "{end:?}");
        assert_eq!(seconds, 20 * 500 + 600);
    });
}

#[test]
fn a_reader_that_stalls_goes_only_when_others_need_its_memory() {
    live(async |life| {
        filled(life).await;
        let bytes = i32::try_from(2 * MEBIBYTE).unwrap();
        let reads_nothing = async |stream: &mut DuplexStream| {
            stream.write_all(&fetch(0, bytes)).await.unwrap();
        };
        let (end, seconds) = ended(life, reads_nothing).await;
        assert!(matches!(end, End::Idle), "{end:?}");
        assert_eq!(seconds, 600, "nobody needs what it holds");

        let is_in_the_way = async |stream: &mut DuplexStream| {
            reads_nothing(stream).await;
            sleep(Duration::from_secs(20)).await;
            life.broker.records.take(0).note_shortage();
        };
        let (end, seconds) = ended(life, is_in_the_way).await;
        assert!(matches!(end, End::Idle), "{end:?}");
        assert!((30..=31).contains(&seconds), "{seconds}");

        let reads_a_little = async |stream: &mut DuplexStream| {
            stream.write_all(&fetch(0, bytes)).await.unwrap();
            sleep(Duration::from_secs(1)).await;
            life.broker.records.take(0).note_shortage();
            let mut some = [0; 1000];
            while stream.read(&mut some).await.is_ok_and(|read| read > 0) {
                sleep(Duration::from_secs(5)).await;
            }
        };
        let (_, seconds) = ended(life, reads_a_little).await;
        assert!((30..=36).contains(&seconds), "{seconds}");
        assert_eq!(life.broker.records.used_bytes(), 0);
    });
}

/// A fetch waits for room for its first batch, and gets it when a stalled reader is gone.
#[test]
fn readers_wait_for_each_others_memory() {
    live(async |life| {
        filled(life).await;
        let bytes = i32::try_from(8 * MEBIBYTE).unwrap();
        let all = life.broker.records.total_bytes();
        let others = life.broker.records.take(all - MEBIBYTE);
        let stalled = ended(life, async |stream: &mut DuplexStream| {
            stream.write_all(&fetch(0, bytes)).await.unwrap();
        });
        let waits = async {
            sleep(Duration::from_secs(1)).await;
            assert!(life.broker.records.used_bytes() > 0);
            let mut answer = Vec::new();
            let (_, seconds) = ended(life, async |stream: &mut DuplexStream| {
                stream.write_all(&fetch(0, 100)).await.unwrap();
                let size = stream.read_i32().await.unwrap();
                answer.resize(usize::try_from(size).unwrap(), 0);
                stream.read_exact(&mut answer).await.unwrap();
            })
            .await;
            assert!(answer.len() > 100_000, "a batch comes whole");
            assert!((629..=632).contains(&seconds), "{seconds}");
        };
        let ((_, seconds), ()) = tokio::join!(stalled, waits);
        assert!((30..=31).contains(&seconds), "{seconds}");
        drop(others);
    });
}

#[test]
fn an_answer_is_waited_for_but_not_for_ever() {
    live(async |life| {
        filled(life).await;
        let parks = async |stream: &mut DuplexStream| {
            stream.write_all(&fetch(30, 1000)).await.unwrap();
        };
        let (end, seconds) = ended(life, parks).await;
        assert!(matches!(end, End::Idle), "{end:?}");
        assert_eq!(seconds, 3600);
    });
}

#[test]
fn who_reads_nothing_after_a_bad_request_is_not_waited_for() {
    live(async |life| {
        filled(life).await;
        let breaks = async |stream: &mut DuplexStream| {
            stream.write_all(&fetch(0, 500_000)).await.unwrap();
            let unknown = [0, 0, 0, 8, 0x7f, 0xff, 0, 0, 0, 0, 0, 0];
            stream.write_all(&unknown).await.unwrap();
        };
        let (end, seconds) = ended(life, breaks).await;
        assert!(matches!(end, End::Idle), "{end:?}");
        assert_eq!(seconds, 30);
    });
}

/// Those who look again and again at a topic that nobody writes to leave nothing behind.
#[test]
fn fetches_that_find_nothing_leave_no_waiter() {
    live(async |life| {
        filled(life).await;
        let log = {
            let image = life.broker.controller.image();
            image.topic("t").unwrap().partition(0).unwrap().clone()
        };
        for _ in 0..50 {
            let left = ended(life, async |stream: &mut DuplexStream| {
                stream.write_all(&fetch(30, 1000)).await.unwrap();
                let parked = timeout(Duration::from_secs(1), stream.read_i32()).await;
                assert!(parked.is_err(), "nothing is there yet");
                assert_eq!(log.watcher_count(), 1);
                stream.shutdown().await.unwrap();
            });
            let (end, _) = left.await;
            assert!(matches!(end, End::ClientLeft), "{end:?}");
            assert_eq!(log.watcher_count(), 0);
        }
    });
}

/// A fetch that wants much is woken by each commit, and answers once, with all of it.
#[test]
fn a_fetch_of_many_bytes_waits_until_they_are_there() {
    live(async |life| {
        filled(life).await;
        let mut client = life.connect();
        let request = FetchRequest {
            max_wait_ms: 1_000_000,
            min_bytes: 450_000,
            max_bytes: i32::MAX,
            session_epoch: -1,
            topics: vec![FetchTopic {
                topic: KafkaString::from("t"),
                partitions: vec![FetchPartition {
                    fetch_offset: 29,
                    partition_max_bytes: i32::MAX,
                    ..Default::default()
                }],
                ..Default::default()
            }],
            ..Default::default()
        };
        client.send(&request, FETCH_VERSION).await.unwrap();
        let mut answer = pin!(client.receive::<FetchRequest>(FETCH_VERSION));
        let early = std::future::poll_fn(|cx| Poll::Ready(answer.as_mut().poll(cx).is_ready()));
        assert!(!early.await);
        let mut producer = life.connect();
        for batches in 2..=5 {
            produce_one(&mut producer).await;
            let waited = timeout(Duration::from_secs(10), answer.as_mut()).await;
            match waited {
                Err(_) => assert!(batches < 5, "enough is there"),
                Ok(answer) => {
                    let partition = &answer.unwrap().responses[0].partitions[0];
                    let bytes = partition.records.as_ref().map_or(0, Records::len);
                    assert_eq!((batches, bytes / 100_000), (5, 5));
                    return;
                }
            }
        }
        panic!("no answer");
    });
}
