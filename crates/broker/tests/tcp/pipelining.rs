//! Requests that do not wait for each other's answers: they are handled as if they did, and what they hold meanwhile is bounded.

use protocol::KafkaString;
use protocol::error::ErrorCode;
use protocol::header::frame_request;
use protocol::messages::create_topics::{CreatableTopic, CreateTopicsRequest};
use protocol::messages::describe_configs::{DescribeConfigsRequest, DescribeConfigsResource};
use protocol::messages::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};
use protocol::messages::list_offsets::{
    ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic,
};
use protocol::messages::metadata::{MetadataRequest, MetadataRequestTopic};
use protocol::messages::produce::{PartitionProduceData, ProduceRequest};
use protocol::{Records, Request};

use crate::batches;
use crate::client::{self, Client, FETCH_VERSION, PRODUCE_VERSION};
use crate::running::Running;

/// How many requests of an API were started.
fn started(server: &broker::server::Server, api: &str) -> u64 {
    let text = broker::metrics::render(&server.broker);
    let mut lines = text.lines();
    let line = lines.find(|line| line.contains(&format!("\"{api}\"")));
    let count = line.and_then(|line| line.rsplit(' ').next());
    count.map_or(0, |count| count.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_request_sees_what_those_before_it_did() {
    let running = Running::start("auto.create.topics.enable=false").await;
    let mut client = running.client().await;
    let create = CreateTopicsRequest {
        topics: vec![CreatableTopic {
            name: KafkaString::from("t"),
            num_partitions: 1,
            replication_factor: 1,
            ..Default::default()
        }],
        ..Default::default()
    };
    let produce = client::produce("t", &batches::plain(&[("k", "v")]));
    let latest = ListOffsetsRequest {
        replica_id: -1,
        topics: vec![ListOffsetsTopic {
            name: KafkaString::from("t"),
            partitions: vec![ListOffsetsPartition {
                timestamp: -1,
                current_leader_epoch: -1,
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    let alter = IncrementalAlterConfigsRequest {
        resources: vec![AlterConfigsResource {
            resource_type: 2,
            resource_name: KafkaString::from("t"),
            configs: vec![AlterableConfig {
                name: KafkaString::from("retention.ms"),
                value: Some(KafkaString::from("12345")),
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    let describe = DescribeConfigsRequest {
        resources: vec![DescribeConfigsResource {
            resource_type: 2,
            resource_name: KafkaString::from("t"),
            configuration_keys: Some(vec![KafkaString::from("retention.ms")]),
            ..Default::default()
        }],
        ..Default::default()
    };
    let frames = [
        frame_request(&create, 7, 1, None),
        frame_request(&produce, PRODUCE_VERSION, 2, None),
        frame_request(&produce, PRODUCE_VERSION, 3, None),
        frame_request(&latest, 7, 4, None),
        frame_request(&alter, 1, 5, None),
        frame_request(&describe, 4, 6, None),
    ];
    assert!(client.write(&frames.concat()).await);
    let created = client.receive::<CreateTopicsRequest>(7).await.unwrap();
    assert_eq!(created.topics[0].error_code, 0);
    for offset in 0..2 {
        let produced = client.receive::<ProduceRequest>(PRODUCE_VERSION).await;
        assert_eq!(
            client::only_partition(produced.unwrap()).base_offset,
            offset
        );
    }
    let listed = client.receive::<ListOffsetsRequest>(7).await.unwrap();
    assert_eq!(listed.topics[0].partitions[0].offset, 2);
    let altered = client.receive::<IncrementalAlterConfigsRequest>(1).await;
    assert_eq!(altered.unwrap().responses[0].error_code, 0);
    let described = client.receive::<DescribeConfigsRequest>(4).await.unwrap();
    let value = &described.results[0].configs[0].value;
    assert_eq!(value.as_deref(), Some("12345"));
    running.serves_others().await;
}

/// A client that fetches from an empty topic, and has the broker wait for nearly a month.
async fn parked(running: &Running) -> Client {
    running.topic("t", &[]).await;
    let mut client = running.client().await;
    let mut poll = client::fetch("t", &[client::partition(0, 0)]);
    poll.max_wait_ms = i32::MAX;
    client.send(&poll, FETCH_VERSION).await;
    running
        .until("the poll waits", |server| started(server, "Fetch") == 1)
        .await;
    client
}

/// Behind an answer that waits, nothing is started.
#[tokio::test(flavor = "multi_thread")]
async fn requests_behind_a_long_poll_hold_little() {
    let running = Running::start("auto.create.topics.enable=false").await;
    let mut client = parked(&running).await;
    let named = |number: u32| MetadataRequestTopic {
        name: Some(KafkaString::from(format!("{number:0>200}"))),
        ..Default::default()
    };
    let large = MetadataRequest {
        topics: Some((0..280).map(named).collect()),
        ..Default::default()
    };
    let frame = frame_request(&large, 13, 1, None);
    assert!((50_000..64 * 1024).contains(&frame.len()));
    let frames = frame.repeat(500);
    let mut sent = 0;
    loop {
        let more = client.try_write(&frames[sent..]);
        sent += more;
        running.serves_others().await;
        if more == 0 {
            break;
        }
    }
    assert!(sent < frames.len(), "the broker reads no further");
    assert_eq!(started(&running.server, "Metadata"), 0);
    // Each has its turn once the poll is answered.
    let batch = batches::plain(&[("k", "v")]);
    running.client().await.produce("t", &batch).await.unwrap();
    client.receive_bytes().await.unwrap();
    client.receive_bytes().await.unwrap();
    assert!(started(&running.server, "Metadata") > 0);
}

/// Who leaves is missed although an answer is under way and the next request is there.
#[tokio::test(flavor = "multi_thread")]
async fn who_leaves_a_long_poll_is_noticed() {
    let running = Running::start("").await;
    let mut client = parked(&running).await;
    client.send(&MetadataRequest::default(), 13).await;
    assert_eq!(running.server.broker.connections.open(), 1);
    drop(client);
    let gone = |server: &broker::server::Server| server.broker.connections.open() == 0;
    running.until("it is noticed", gone).await;
    running.serves_others().await;
}

/// More than the journal takes at once: the request waits for room between its partitions, and none is refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_produce_of_many_large_batches_waits_for_room() {
    let running = Running::start("").await;
    running.topic_of("wide", 40, &[]).await;
    let value = "x".repeat(900_000);
    let batch = batches::plain(&[("k", &value)]);
    let mut request = client::produce("wide", &batch);
    let records = request.topic_data[0].partition_data[0].records.clone();
    let partition = |index: i32| PartitionProduceData {
        index,
        records: records.clone(),
        ..Default::default()
    };
    request.topic_data[0].partition_data = (0..40).map(partition).collect();
    assert!(
        records
            .as_ref()
            .is_some_and(|records: &Records| records.len() > 900_000)
    );
    let mut client = running.client().await;
    let answer = client.ask(&request, PRODUCE_VERSION).await;
    for partition in &answer.responses[0].partition_responses {
        assert_eq!((partition.error_code, partition.base_offset), (0, 0));
    }
    running.serves_others().await;
}

/// Only produces are large: what another request decodes to is a multiple of its bytes.
#[tokio::test(flavor = "multi_thread")]
async fn large_requests_reserve_what_they_decode_to() {
    let running = Running::start("memory.budget.bytes=67108864").await;
    let requests = &running.server.broker.requests;
    let mut client = running.client().await;
    let mut begun = 100_000_i32.to_be_bytes().to_vec();
    begun.extend((MetadataRequest::KEY as i16).to_be_bytes());
    client.write(&begun).await;
    let reserved = |server: &broker::server::Server| server.broker.requests.used_bytes() > 0;
    running.until("memory is reserved", reserved).await;
    assert_eq!(requests.used_bytes(), 2_500_000);
    drop(client);
    let free = |server: &broker::server::Server| server.broker.requests.used_bytes() == 0;
    running.until("it is given back", free).await;

    let mut client = running.client().await;
    let mut begun = 5_000_000_i32.to_be_bytes().to_vec();
    begun.extend((MetadataRequest::KEY as i16).to_be_bytes());
    client.write(&begun).await;
    assert!(client.is_closed().await);
    running.serves_others().await;
}

/// The time that a request takes grows with what it names, not with its square.
#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_names_are_judged_in_no_time() {
    let running = Running::start("").await;
    let resource = |number: u32| AlterConfigsResource {
        resource_type: 2,
        resource_name: KafkaString::from(format!("{number:0>20}")),
        ..Default::default()
    };
    let alter = IncrementalAlterConfigsRequest {
        resources: (0..100_000).map(resource).collect(),
        ..Default::default()
    };
    let mut client = running.client().await;
    let answer = client.ask(&alter, 1).await;
    assert_eq!(answer.responses.len(), 100_000);
    let topic = |number: u32| CreatableTopic {
        name: KafkaString::from(format!("{number:0>20}")),
        num_partitions: 1,
        replication_factor: 1,
        ..Default::default()
    };
    let create = CreateTopicsRequest {
        topics: (0..100_000).map(topic).collect(),
        validate_only: true,
        ..Default::default()
    };
    let answer = client.ask(&create, 7).await;
    assert_eq!(answer.topics.len(), 100_000);
    assert_ne!(
        answer.topics[99_999].error_code,
        ErrorCode::InvalidRequest as i16
    );
    running.serves_others().await;
}
