//! Bytes that are no requests, or none that is served: they cost their sender the connection and nobody else anything.

use protocol::ApiKey;
use protocol::Message;
use protocol::error::ErrorCode;
use protocol::header::{decode_response_header, frame_request};
use protocol::messages::api_versions::{ApiVersionsRequest, ApiVersionsResponse};
use protocol::messages::metadata::MetadataRequest;
use protocol::wire::Decoder;

use crate::batches;
use crate::client::{self, FETCH_VERSION, PRODUCE_VERSION};
use crate::running::Running;

const SERVER_OPTIONS: &str = "socket.request.max.bytes=1000000";

/// Length, key, version, correlation id, no client id.
fn header(length: i32, key: i16, version: i16) -> Vec<u8> {
    let mut bytes = length.to_be_bytes().to_vec();
    bytes.extend(key.to_be_bytes());
    bytes.extend(version.to_be_bytes());
    bytes.extend(9_i32.to_be_bytes());
    bytes.extend((-1_i16).to_be_bytes());
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_costs_the_connection() {
    let running = Running::start(SERVER_OPTIONS).await;
    let cases: [(&str, Vec<u8>); 13] = [
        ("negative length", (-1_i32).to_be_bytes().to_vec()),
        ("least length", i32::MIN.to_be_bytes().to_vec()),
        ("one byte too long", 1_000_001_i32.to_be_bytes().to_vec()),
        ("largest length", i32::MAX.to_be_bytes().to_vec()),
        ("HTTP", b"GET / HTTP/1.1\r\n\r\n".to_vec()),
        ("TLS", vec![0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]),
        ("empty frame", 0_i32.to_be_bytes().to_vec()),
        ("header cut", vec![0, 0, 0, 3, 0, 18, 0]),
        ("unknown key", header(10, 999, 0)),
        ("negative key", header(10, -1, 0)),
        ("unknown version", header(10, ApiKey::Metadata as i16, 99)),
        ("negative version", header(10, ApiKey::Metadata as i16, -1)),
        ("no body", header(10, ApiKey::Metadata as i16, 1)),
    ];
    for (what, bytes) in cases {
        let mut client = running.client().await;
        client.write(&bytes).await;
        assert!(client.is_closed().await, "{what}");
    }
    assert_eq!(running.server.broker.metrics.bad_requests.get(), 13);
    running.serves_others().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_version_of_api_versions_is_answered_in_the_oldest_form() {
    let running = Running::start(SERVER_OPTIONS).await;
    let mut client = running.client().await;
    client
        .write(&header(10, ApiKey::ApiVersions as i16, 99))
        .await;
    let mut input = Decoder::new(client.receive_bytes().await.unwrap());
    assert_eq!(
        decode_response_header(&mut input, ApiKey::ApiVersions, 0),
        Ok(9)
    );
    let answer = ApiVersionsResponse::decode(&mut input, 0).unwrap();
    input.finish().unwrap();
    assert_eq!(answer.error_code, ErrorCode::UnsupportedVersion as i16);
    let [own] = &answer.api_keys[..] else {
        panic!("{answer:?}");
    };
    assert_eq!((own.api_key, own.min_version, own.max_version), (18, 0, 4));
    // The client tries again on the same connection.
    let answer = client.ask(&ApiVersionsRequest::default(), 0).await;
    assert_eq!(answer.error_code, 0);
    assert!(answer.api_keys.len() > 10);
    running.serves_others().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_produce_versions_are_shown_and_refused() {
    let running = Running::start(SERVER_OPTIONS).await;
    let answer = running
        .client()
        .await
        .ask(&ApiVersionsRequest::default(), 0)
        .await;
    let produce = answer.api_keys.iter().find(|api| api.api_key == 0).unwrap();
    assert_eq!(produce.min_version, 0);
    for version in 0..3 {
        let mut client = running.client().await;
        client
            .write(&header(10, ApiKey::Produce as i16, version))
            .await;
        assert!(client.is_closed().await, "version {version}");
    }
    running.serves_others().await;
}

/// A request that is cut at any place cannot be read; its frame says that it is whole.
#[tokio::test(flavor = "multi_thread")]
async fn truncated_requests_cost_the_connection() {
    let running = Running::start(SERVER_OPTIONS).await;
    let produce = client::produce("t", &batches::plain(&[("k", "v")]));
    let fetch = client::fetch("t", &[client::partition(0, 0)]);
    for frame in [
        frame_request(&produce, PRODUCE_VERSION, 1, None),
        frame_request(&fetch, FETCH_VERSION, 1, None),
        frame_request(&MetadataRequest::default(), 9, 1, None),
    ] {
        for body_bytes in (0..frame.len() - 4).step_by(3) {
            let mut cut = u32::try_from(body_bytes).unwrap().to_be_bytes().to_vec();
            cut.extend(&frame[4..4 + body_bytes]);
            let mut client = running.client().await;
            client.write(&cut).await;
            assert!(client.is_closed().await, "cut at {body_bytes}");
        }
    }
    running.serves_others().await;
}

/// Whatever follows the header: an answer or an end, and never a fault.
#[tokio::test(flavor = "multi_thread")]
async fn random_bodies_break_nothing() {
    let running = Running::start("auto.create.topics.enable=false").await;
    let mut state = 42_u64;
    let mut random = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        state >> 33
    };
    for round in 0..40 {
        let mut client = running.client().await;
        for _ in 0..10 {
            let body: Vec<u8> = (0..random() % 60)
                .map(|_| (random() & 0xff) as u8)
                .collect();
            let key = (random() % 4) as i16;
            let length = 10 + i32::try_from(body.len()).unwrap();
            let mut frame = header(length, key, 3 + (random() % 9) as i16);
            frame.extend(body);
            client.write(&frame).await;
        }
        // The last is no request, so that the connection ends.
        client.write(&(-1_i32).to_be_bytes()).await;
        let mut answers = 0;
        while client.receive_bytes().await.is_ok() {
            answers += 1;
            assert!(answers <= 10, "round {round}");
        }
    }
    running.serves_others().await;
}

/// As Kafka: librdkafka's Metadata ends with a field that its version does not have.
#[tokio::test(flavor = "multi_thread")]
async fn bytes_behind_a_message_are_passed_over() {
    let running = Running::start(SERVER_OPTIONS).await;
    let frame = frame_request(&MetadataRequest::default(), 1, 7, None);
    let length = u32::try_from(frame.len() - 4 + 3).unwrap();
    let mut longer = length.to_be_bytes().to_vec();
    longer.extend(&frame[4..]);
    longer.extend([1, 2, 3]);
    let mut client = running.client().await;
    for _ in 0..2 {
        client.write(&longer).await;
        let answer = client.receive::<MetadataRequest>(1).await.unwrap();
        assert_eq!(answer.brokers.len(), 1);
    }
    running.serves_others().await;
}

/// An array that claims more elements than the frame has bytes is refused before anything is allocated for it.
#[tokio::test(flavor = "multi_thread")]
async fn absurd_array_lengths_cost_the_connection() {
    let running = Running::start(SERVER_OPTIONS).await;
    for (key, version, before) in [
        // Topics of a Metadata.
        (ApiKey::Metadata, 1, vec![]),
        // Null transactional id, acks, timeout; then the topics of a Produce.
        (ApiKey::Produce, 3, vec![0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1]),
        // Replica, wait, bytes, bytes, isolation; then the topics of a Fetch.
        (ApiKey::Fetch, 4, vec![0; 17]),
        // Replica, isolation; then the topics of a ListOffsets.
        (ApiKey::ListOffsets, 2, vec![0; 5]),
    ] {
        for count in [i32::MAX, 1_000_000, -2, i32::MIN] {
            let length = 10 + i32::try_from(before.len()).unwrap() + 4;
            let mut frame = header(length, key as i16, version);
            frame.extend(&before);
            frame.extend(count.to_be_bytes());
            let mut client = running.client().await;
            client.write(&frame).await;
            assert!(client.is_closed().await, "{key:?} with {count}");
        }
    }
    running.serves_others().await;
}

/// What was asked before the bad request is answered before the connection closes.
#[tokio::test(flavor = "multi_thread")]
async fn good_requests_before_a_bad_one_are_answered() {
    let running = Running::start(SERVER_OPTIONS).await;
    running.topic("t", &[]).await;
    let mut client = running.client().await;
    let produce = client::produce("t", &batches::plain(&[("k", "v")]));
    let mut bytes = Vec::new();
    for _ in 0..3 {
        bytes.extend(frame_request(&produce, PRODUCE_VERSION, 1, None));
    }
    bytes.extend(header(10, 999, 0));
    client.write(&bytes).await;
    for offset in 0..3 {
        let answer = client.receive::<protocol::messages::produce::ProduceRequest>(PRODUCE_VERSION);
        let answer = client::only_partition(answer.await.unwrap());
        assert_eq!((answer.error_code, answer.base_offset), (0, offset));
    }
    assert!(client.is_closed().await);
    running.serves_others().await;
}
