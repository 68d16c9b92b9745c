//! Connections that cost: too many, half-open, idle, announcing much and sending little, asking much and reading nothing. Memory stays
//! within the budget and others are served.

use protocol::KafkaString;
use protocol::header::frame_request;
use protocol::messages::api_versions::ApiVersionsRequest;
use protocol::messages::describe_configs::{DescribeConfigsRequest, DescribeConfigsResource};
use protocol::messages::describe_groups::DescribeGroupsRequest;
use protocol::messages::fetch::FetchRequest;
use protocol::messages::find_coordinator::FindCoordinatorRequest;
use protocol::messages::metadata::{MetadataRequest, MetadataRequestTopic};
use protocol::messages::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics,
};
use protocol::messages::produce::PartitionProduceData;

use crate::batches;
use crate::client::{self, Client, FETCH_VERSION, PRODUCE_VERSION};
use crate::running::Running;

/// What requests and records have of the least that may be configured; other answers and groups have the rest.
const REQUESTS_BYTES: i64 = 3 * 1024 * 1024;
const RECORDS_BYTES: i64 = 2 * 1024 * 1024;
const SMALL_BUDGET: &str = "memory.budget.bytes=8388608";

/// Both ends of each connection are this process's: more files than a shell allows at first.
fn allow_open_files() {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let raised = rustix::process::Rlimit {
        current: limit.maximum,
        ..limit
    };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, raised).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn thousands_of_half_open_connections_are_carried() {
    allow_open_files();
    let running = Running::start("").await;
    let mut clients = Vec::new();
    for number in 0..2000 {
        let mut client = running.client().await;
        // Nothing, a part of a length, or a frame that never comes.
        client.write(&[0, 0, 1, 0, 0, 3][..number % 7]).await;
        clients.push(client);
    }
    let open = |expected: usize| {
        move |server: &broker::server::Server| server.broker.connections.open() == expected
    };
    running.until("all are open", open(2000)).await;
    running.serves_others().await;
    drop(clients);
    running.until("none is left", open(0)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_limited_in_total_and_by_address() {
    for (limit, max) in [
        ("max.connections=3", 3),
        ("max.connections.per.ip=2", 2),
        (
            "max.connections.per.ip=1\nmax.connections.per.ip.overrides=127.0.0.1:4",
            4,
        ),
    ] {
        let running = Running::start(limit).await;
        let mut clients = Vec::new();
        for _ in 0..max {
            let mut client = running.client().await;
            client.ask(&ApiVersionsRequest::default(), 0).await;
            clients.push(client);
        }
        let mut refused = running.client().await;
        assert!(refused.is_closed().await, "{limit}");
        assert_eq!(running.server.broker.metrics.connections_refused.get(), 1);
        let left = clients.pop();
        drop(left);
        let is_free = |server: &broker::server::Server| server.broker.connections.open() < max;
        running.until("a place is free", is_free).await;
        running.serves_others().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn idle_connections_are_closed() {
    let running = Running::start("connections.max.idle.ms=100").await;
    let mut silent = running.client().await;
    let mut half = running.client().await;
    half.write(&[0, 0, 1]).await;
    let mut asked = running.client().await;
    asked.ask(&ApiVersionsRequest::default(), 0).await;
    for client in [&mut silent, &mut half, &mut asked] {
        assert!(client.is_closed().await);
    }
    running.serves_others().await;
}

/// Who waits for an answer is not idle.
#[tokio::test(flavor = "multi_thread")]
async fn a_long_poll_outlives_the_idle_time() {
    let running = Running::start("connections.max.idle.ms=200").await;
    running.topic("t", &[]).await;
    let mut client = running.client().await;
    let mut request = client::fetch("t", &[client::partition(0, 0)]);
    request.max_wait_ms = 700;
    let answer = client.ask(&request, FETCH_VERSION).await;
    assert_eq!(client::only_fetched(answer).error_code, 0);
    running.serves_others().await;
}

/// Frames that are announced and do not come take the whole budget; what fits a connection's own buffer goes on.
#[tokio::test(flavor = "multi_thread")]
async fn half_sent_frames_take_the_budget_and_stop_nobody() {
    let running = Running::start(SMALL_BUDGET).await;
    running.topic("t", &[]).await;
    let mut clients = Vec::new();
    for _ in 0..20 {
        let mut client = running.client().await;
        // Two of them are the whole budget.
        let half = i32::try_from(REQUESTS_BYTES / 2).unwrap();
        client.write(&half.to_be_bytes()).await;
        client.write(&[0; 100]).await;
        clients.push(client);
    }
    let taken =
        |server: &broker::server::Server| server.broker.requests.used_bytes() == REQUESTS_BYTES;
    running.until("the budget is taken", taken).await;
    running.serves_others().await;
    assert!(running.server.broker.requests.used_bytes() <= REQUESTS_BYTES);
    drop(clients);
    let free = |server: &broker::server::Server| server.broker.requests.used_bytes() == 0;
    running.until("the budget is free", free).await;
}

/// A frame that was begun and is not sent on costs the connection, so that its share of the budget comes back.
#[tokio::test(flavor = "multi_thread")]
async fn a_stalled_frame_gives_its_memory_back() {
    let running = Running::start(&format!("{SMALL_BUDGET}\nconnections.max.idle.ms=200")).await;
    running.topic("t", &[]).await;
    let mut stalled = running.client().await;
    stalled.write(&8_000_000_i32.to_be_bytes()).await;
    stalled.write(&[0; 100]).await;
    let value = "x".repeat(500_000);
    let batch = batches::plain(&[("k", &value)]);
    assert_eq!(running.client().await.produce("t", &batch).await, Ok(0));
    assert!(stalled.is_closed().await);
    running.serves_others().await;
}

async fn fill(running: &Running, topic: &str, batches: usize) {
    let value = "x".repeat(500_000);
    let batch = batches::plain(&[("k", &value)]);
    let mut client = running.client().await;
    for _ in 0..batches {
        client.produce(topic, &batch).await.unwrap();
    }
}

/// Clients that pipeline fetches of megabytes and read none of the answers.
#[tokio::test(flavor = "multi_thread")]
async fn slow_readers_stay_within_the_budget_and_slow_nobody() {
    let running = Running::start(&format!("{SMALL_BUDGET}\nconnections.max.idle.ms=1000")).await;
    running.topic("t", &[]).await;
    fill(&running, "t", 8).await;
    let mut request = client::fetch("t", &[client::partition(0, 0)]);
    request.topics[0].partitions[0].partition_max_bytes = i32::MAX;
    let frame = frame_request(&request, FETCH_VERSION, 1, None);
    let mut clients = Vec::new();
    for _ in 0..10 {
        let mut client = running.client().await;
        for _ in 0..50 {
            client.try_write(&frame);
        }
        clients.push(client);
    }
    let asked = |server: &broker::server::Server| server.broker.records.used_bytes() > 1_500_000;
    running.until("answers wait to be read", asked).await;
    running.serves_others().await;
    assert!(running.server.broker.records.used_bytes() <= RECORDS_BYTES);
    // Who reads nothing for the idle time is gone, although answers are under way, and gives back what it held.
    let free = |server: &broker::server::Server| {
        server.broker.connections.open() == 0 && server.broker.records.used_bytes() == 0
    };
    running.until("slow readers are closed", free).await;
    running.serves_others().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_pipelined_deep_are_all_answered_in_order() {
    let running = Running::start("max.in.flight.requests.per.connection=10").await;
    running.topic("t", &[]).await;
    let mut client = running.client().await;
    let produce = client::produce("t", &batches::plain(&[("k", "v")]));
    let mut bytes = Vec::new();
    for number in 0..500 {
        bytes.extend(frame_request(&produce, PRODUCE_VERSION, number, None));
    }
    assert!(client.write(&bytes).await);
    for number in 0..500 {
        let answer = client.receive_bytes().await.unwrap();
        assert_eq!(answer[..4], i32::to_be_bytes(number));
    }
    running.serves_others().await;
}

/// A client may ask for gigabytes; the broker's own limit and the budget decide.
#[tokio::test(flavor = "multi_thread")]
async fn a_fetch_of_everything_is_answered_within_the_limit() {
    let running = Running::start(&format!("{SMALL_BUDGET}\nfetch.max.bytes=1100000")).await;
    running.topic("t", &[]).await;
    fill(&running, "t", 6).await;
    let mut client = running.client().await;
    let mut request: FetchRequest = client::fetch("t", &[client::partition(0, 0)]);
    request.max_bytes = i32::MAX;
    request.min_bytes = i32::MAX;
    request.max_wait_ms = 1;
    request.topics[0].partitions[0].partition_max_bytes = i32::MAX;
    let answer = client::only_fetched(client.ask(&request, FETCH_VERSION).await);
    let bytes = answer.records.unwrap_or_default().len();
    assert!((1_000_000..=1_100_000).contains(&bytes), "{bytes}");
    running.serves_others().await;
    drop::<Client>(client);
}

/// Many ask for all there is at once and read late: each is answered whole, a few at a time.
#[tokio::test(flavor = "multi_thread")]
async fn large_metadata_answers_wait_for_each_other() {
    let running = Running::start(SMALL_BUDGET).await;
    running.topic_of("wide", 5_000, &[]).await;
    let all = MetadataRequest {
        topics: None,
        ..Default::default()
    };
    let mut clients = Vec::new();
    for _ in 0..30 {
        let mut client = running.client().await;
        client.send(&all, 13).await;
        client.send(&all, 13).await;
        clients.push(client);
    }
    let answers = &running.server.broker.answers;
    let total = i64::try_from(answers.total_bytes()).unwrap();
    for mut client in clients {
        assert!((0..=total).contains(&answers.used_bytes()));
        for _ in 0..2 {
            let answer = client.receive::<MetadataRequest>(13).await.unwrap();
            assert_eq!(answer.topics[0].partitions.len(), 5_000);
        }
    }
    let free = |server: &broker::server::Server| server.broker.answers.used_bytes() == 0;
    running.until("all is given back", free).await;
    running.serves_others().await;
}

/// What there is not comes from the request alone: a client that invents more of it than an answer may hold is not a client.
#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_more_than_an_answer_may_hold_is_closed() {
    let running = Running::start(SMALL_BUDGET).await;
    let named = |number: u32| MetadataRequestTopic {
        name: Some(KafkaString::from(format!("{number}"))),
        ..Default::default()
    };
    let mut invents = running.client().await;
    let invented = MetadataRequest {
        topics: Some((0..20_000).map(named).collect()),
        ..Default::default()
    };
    invents.send(&invented, 13).await;
    assert!(invents.is_closed().await);

    let mut repeats = running.client().await;
    let repeated = DescribeConfigsRequest {
        resources: vec![
            DescribeConfigsResource {
                resource_type: 4,
                resource_name: KafkaString::from("1"),
                ..Default::default()
            };
            1_000
        ],
        ..Default::default()
    };
    repeats.send(&repeated, 4).await;
    assert!(repeats.is_closed().await);

    let mut produces = running.client().await;
    let mut nowhere = client::produce("nowhere", b"");
    nowhere.topic_data[0].partition_data = vec![PartitionProduceData::default(); 20_000];
    produces.send(&nowhere, PRODUCE_VERSION).await;
    assert!(produces.is_closed().await);

    let mut seeks = running.client().await;
    let sought = FindCoordinatorRequest {
        coordinator_keys: vec![KafkaString::from("g"); 20_000],
        ..Default::default()
    };
    seeks.send(&sought, 6).await;
    assert!(seeks.is_closed().await);

    // The same name is one topic, however often it is asked for.
    let mut stutters = running.client().await;
    let stuttered = MetadataRequest {
        topics: Some(vec![named(7); 20_000]),
        ..Default::default()
    };
    assert_eq!(stutters.ask(&stuttered, 13).await.topics.len(), 1);
    running.serves_others().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_a_group_again_and_again_is_closed() {
    let running = Running::start(SMALL_BUDGET).await;
    let described = DescribeGroupsRequest {
        groups: vec![KafkaString::from("g"); 20_000],
        ..Default::default()
    };
    let mut describes = running.client().await;
    describes.send(&described, 5).await;
    assert!(describes.is_closed().await);

    let group = |partitions: usize| OffsetFetchRequestGroup {
        group_id: KafkaString::from("g"),
        topics: Some(vec![OffsetFetchRequestTopics {
            name: KafkaString::from("t"),
            partition_indexes: vec![0; partitions],
            ..Default::default()
        }]),
        ..Default::default()
    };
    for groups in [vec![group(1); 20_000], vec![group(20_000)]] {
        let fetched = OffsetFetchRequest {
            groups,
            ..Default::default()
        };
        let mut fetches = running.client().await;
        fetches.send(&fetched, 8).await;
        assert!(fetches.is_closed().await);
    }
    let fetched = OffsetFetchRequest {
        groups: vec![group(5_000)],
        ..Default::default()
    };
    let answer = running.client().await.ask(&fetched, 8).await;
    assert_eq!(answer.groups[0].topics[0].partitions.len(), 5_000);
    running.serves_others().await;
}
