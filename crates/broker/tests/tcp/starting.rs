//! Stops and starts: what was under way is answered, everything is there again, a folder has one broker, HTTP tells how it is.

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use broker::assembly::LoadError;
use broker::server::{Server, StartError};
use log::AppendOptions;
use protocol::error::ErrorCode;
use protocol::header::frame_request;
use protocol::messages::api_versions::ApiVersionsRequest;
use protocol::messages::fetch::FetchRequest;
use protocol::messages::find_coordinator::FindCoordinatorRequest;
use protocol::messages::join_group::{JoinGroupRequest, JoinGroupRequestProtocol};
use protocol::messages::produce::ProduceRequest;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::batches;
use crate::client::{self, Client, FETCH_VERSION, PRODUCE_VERSION};
use crate::running::{Folder, PATIENCE, Running, start_in};

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_answers_what_is_under_way_and_a_start_has_everything() {
    let running = Running::start("").await;
    running.topic("t", &[]).await;
    let (server, folder) = running.into_parts();
    let mut producer = Client::connect(server.bound[0]).await;
    let mut consumer = Client::connect(server.bound[0]).await;
    let mut idle = Client::connect(server.bound[0]).await;
    let batch = batches::plain(&[("k", "v")]);
    let frame = frame_request(&client::produce("t", &batch), PRODUCE_VERSION, 1, None);
    for _ in 0..50 {
        producer.write(&frame).await;
    }
    let first = producer
        .receive::<ProduceRequest>(PRODUCE_VERSION)
        .await
        .unwrap();
    assert_eq!(client::only_partition(first).base_offset, 0);
    // A long poll that nothing will wake any more.
    let mut poll = client::fetch("t", &[client::partition(0, 0)]);
    poll.min_bytes = i32::MAX;
    poll.max_wait_ms = i32::MAX;
    // Behind another request in the same bytes: once that is answered, it is under way.
    let before = frame_request(&ApiVersionsRequest::default(), 0, 1, None);
    let poll = frame_request(&poll, FETCH_VERSION, 2, None);
    consumer.write(&[before, poll].concat()).await;
    consumer.receive::<ApiVersionsRequest>(0).await.unwrap();
    assert!(
        timeout(PATIENCE / 4, server.stop()).await.is_ok(),
        "a stop is quick"
    );
    let mut answered = 1;
    while let Ok(answer) = producer.receive::<ProduceRequest>(PRODUCE_VERSION).await {
        let answer = client::only_partition(answer);
        assert_eq!((answer.error_code, answer.base_offset), (0, answered));
        answered += 1;
    }
    let polled = consumer.receive::<FetchRequest>(FETCH_VERSION).await;
    assert!(polled.is_ok_and(|answer| answer.error_code == 0));
    assert!(consumer.is_closed().await && idle.is_closed().await);

    let server = start_in(&folder, "").await.unwrap();
    assert!(server.recovered.clean, "{:?}", server.recovered);
    let mut client = Client::connect(server.bound[0]).await;
    let found = client.fetch_from("t", 0).await;
    // What was appended is there, answered or not; what was answered is.
    assert!(found.high_watermark >= answered, "{found:?}");
    let bytes = found.records.unwrap().len() as i64;
    assert_eq!(bytes, found.high_watermark * batch.len() as i64);
    assert_eq!(client.produce("t", &batch).await, Ok(found.high_watermark));
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_has_one_broker() {
    let folder = Folder::new();
    let server = start_in(&folder, "").await.unwrap();
    let refused = match start_in(&folder, "").await {
        Err(error) => error.to_string(),
        Ok(_) => panic!("two brokers on one folder"),
    };
    assert!(refused.contains("another"), "{refused}");
    // The first one has not noticed.
    let mut client = Client::connect(server.bound[0]).await;
    client.ask(&ApiVersionsRequest::default(), 0).await;
    server.stop().await;
    start_in(&folder, "").await.unwrap().stop().await;
}

/// The codes with which clients stop at once instead of trying again.
#[tokio::test(flavor = "multi_thread")]
async fn who_asks_for_transactions_is_refused_for_good() {
    let running = Running::start("").await;
    let mut client = running.client().await;
    for (version, code) in [
        (2, ErrorCode::TransactionalIdAuthorizationFailed),
        (4, ErrorCode::UnsupportedVersion),
    ] {
        let find = FindCoordinatorRequest {
            key: "mine".into(),
            coordinator_keys: vec!["mine".into()],
            key_type: 1,
            ..Default::default()
        };
        let found = client.ask(&find, version).await;
        let (told, message) = match found.coordinators.first() {
            Some(found) => (found.error_code, found.error_message.clone()),
            None => (found.error_code, found.error_message),
        };
        assert_eq!(told, code.code(), "version {version}");
        let message = message.unwrap();
        assert!(
            message.contains("leave transactional.id unset"),
            "{message}"
        );
    }
}

async fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let read = stream.read_to_string(&mut answer);
    timeout(PATIENCE, read).await.unwrap().unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn http_tells_how_it_is() {
    let running = Running::start("").await;
    running.serves_others().await;
    let address = running.server.http.unwrap();
    for (path, status, part) in [
        ("/livez", "200", "alive"),
        ("/readyz", "200", "ready"),
        ("/metrics", "200", "# TYPE"),
        ("/", "200", "\n/readyz "),
        ("/else", "404", ""),
    ] {
        let answer = get(address, path).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{path}: {answer}"
        );
        assert!(answer.contains(part), "{path}: {answer}");
    }
    let metrics = get(address, "/metrics").await;
    let body = metrics.split_once("\r\n\r\n").unwrap().1;
    for line in body
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
    {
        let value = line.rsplit(' ').next().unwrap_or_default();
        assert!(value.parse::<f64>().is_ok(), "no sample: {line}");
    }
}

/// Connections that say nothing take the places, until their time is over or they leave.
#[tokio::test(flavor = "multi_thread")]
async fn http_serves_so_many_at_once() {
    let running = Running::start("").await;
    let address = running.server.http.unwrap();
    let mut silent = Vec::new();
    for _ in 0..64 {
        silent.push(TcpStream::connect(address).await.unwrap());
    }
    let mut waits = pin!(get(address, "/livez"));
    let early = timeout(Duration::from_millis(100), waits.as_mut()).await;
    assert!(early.is_err(), "{early:?}");
    drop(silent);
    assert!(waits.await.contains("alive"));
}

/// Who asks a second time does not wait for a client that reads nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_stop_in_a_hurry_waits_for_nobody() {
    let running = Running::start("").await;
    running.topic("t", &[]).await;
    let value = "x".repeat(900_000);
    let batch = batches::plain(&[("k", &value)]);
    let mut client = running.client().await;
    for _ in 0..35 {
        client.produce("t", &batch).await.unwrap();
    }
    let mut everything = client::fetch("t", &[client::partition(0, 0)]);
    everything.topics[0].partitions[0].partition_max_bytes = i32::MAX;
    client.send(&everything, FETCH_VERSION).await;
    // More than the system's buffers take.
    let unread = |server: &Server| server.broker.records.used_bytes() > 30_000_000;
    running.until("an answer is not read", unread).await;
    let (server, _folder) = running.into_parts();
    let stopped = timeout(PATIENCE / 2, server.stop_before(std::future::ready(())));
    assert!(stopped.await.is_ok());
}

/// The journal's threads are running when the metadata turns out to be unreadable.
#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_fails_lets_go_of_the_folder() {
    let (server, folder) = Running::start("").await.into_parts();
    let log = server.broker.journal.log(log::METADATA_LOG).unwrap();
    let unreadable = batches::plain(&[("k", "no metadata")]);
    let appended = log.append(&unreadable, AppendOptions { leader_epoch: 0 });
    let ticket = appended.unwrap().ticket;
    let committed = poll_fn(|cx| log.poll_committed(&ticket, cx));
    assert!(timeout(PATIENCE, committed).await.unwrap().is_ok());
    server.stop().await;
    for attempt in 0..3 {
        match start_in(&folder, "").await.map(|_| ()) {
            Err(StartError::Load(LoadError::Metadata(reason))) => {
                assert!(reason.contains("newer version"), "{reason}");
            }
            other => panic!("attempt {attempt}: {other:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_waits_for_no_rebalance_and_no_poll() {
    let running = Running::start("group.initial.rebalance.delay.ms=300000").await;
    running.topic("t", &[]).await;
    let (server, _folder) = running.into_parts();
    let mut member = Client::connect(server.bound[0]).await;
    let find = FindCoordinatorRequest {
        coordinator_keys: vec!["g".into()],
        ..Default::default()
    };
    member.ask(&find, 4).await;
    let join = JoinGroupRequest {
        group_id: "g".into(),
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 300_000,
        protocol_type: "consumer".into(),
        protocols: vec![JoinGroupRequestProtocol {
            name: "range".into(),
            ..Default::default()
        }],
        ..Default::default()
    };
    member.send(&join, 3).await;
    let mut consumer = Client::connect(server.bound[0]).await;
    let mut poll = client::fetch("t", &[client::partition(0, 0)]);
    poll.max_wait_ms = 300_000;
    consumer.send(&poll, FETCH_VERSION).await;
    let parked = timeout(PATIENCE, async {
        let state = || {
            server
                .broker
                .coordinator
                .look(|groups| groups.list(&[], &[]))
        };
        while state().is_empty() {
            tokio::task::yield_now().await;
        }
    });
    assert!(parked.await.is_ok());
    assert!(
        timeout(PATIENCE / 4, server.stop()).await.is_ok(),
        "a stop is quick"
    );
    let joined = member.receive::<JoinGroupRequest>(3).await.unwrap();
    assert_eq!(joined.error_code, i16::from(ErrorCode::NotCoordinator));
    assert!(member.is_closed().await);
}
