//! Metadata over its versions: all topics, none, by name, by id, created when asked for, wrong names.

use protocol::error::ErrorCode;
use protocol::messages::metadata::{
    MetadataRequest, MetadataRequestTopic, MetadataResponse, MetadataResponseTopic,
};
use protocol::{KafkaString, Uuid};

use crate::running::Running;

fn named(names: &[&str], allow_auto_topic_creation: bool) -> MetadataRequest {
    let topic = |name: &&str| MetadataRequestTopic {
        name: Some(KafkaString::from((*name).to_owned())),
        ..Default::default()
    };
    MetadataRequest {
        topics: Some(names.iter().map(topic).collect()),
        allow_auto_topic_creation,
        ..Default::default()
    }
}

fn names(answer: &MetadataResponse) -> Vec<&str> {
    answer
        .topics
        .iter()
        .map(|topic| topic.name.as_deref().unwrap_or_default())
        .collect()
}

fn code(topic: &MetadataResponseTopic) -> Option<ErrorCode> {
    (topic.error_code != 0).then(|| ErrorCode::try_from(topic.error_code).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn all_topics_or_none() {
    let running = Running::start("").await;
    running.topic_of("b", 3, &[]).await;
    running.topic("a", &[]).await;
    let mut client = running.client().await;
    let all = MetadataRequest {
        topics: None,
        ..Default::default()
    };
    let none = named(&[], true);
    for (what, request, version, expected) in [
        ("no list", &all, 13, &["a", "b"][..]),
        ("no list", &all, 1, &["a", "b"]),
        ("an empty list", &none, 13, &[]),
        ("an empty list", &none, 1, &[]),
        ("an empty list in the first version", &none, 0, &["a", "b"]),
    ] {
        let answer = client.ask(request, version).await;
        assert_eq!(names(&answer), expected, "{what}, version {version}");
        let [broker] = &answer.brokers[..] else {
            panic!("{answer:?}");
        };
        let port = i32::from(running.server.bound[0].port());
        assert_eq!((broker.host.as_str(), broker.port), ("127.0.0.1", port));
    }
    let answer = client.ask(&all, 13).await;
    let partitions = &answer.topics[1].partitions;
    assert_eq!(partitions.len(), 3);
    assert!(partitions.iter().all(|partition| partition.leader_id == 1));
    assert_eq!(partitions[2].replica_nodes, [1]);
    assert_eq!(partitions[2].isr_nodes, [1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_are_created_where_broker_and_client_allow_it() {
    for (broker_allows, client_allows) in [(true, true), (true, false), (false, true)] {
        let option = format!("auto.create.topics.enable={broker_allows}\nnum.partitions=2");
        let running = Running::start(&option).await;
        let mut client = running.client().await;
        let request = named(&["fresh", "fresh"], client_allows);
        let answer = client.ask(&request, 12).await;
        let created = broker_allows && client_allows;
        for topic in &answer.topics {
            let expected = (!created).then_some(ErrorCode::UnknownTopicOrPartition);
            assert_eq!(code(topic), expected, "{broker_allows} {client_allows}");
            assert_eq!(topic.partitions.len(), if created { 2 } else { 0 });
        }
        let known = running
            .server
            .broker
            .controller
            .image()
            .topic("fresh")
            .is_some();
        assert_eq!(known, created);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_names_are_told_and_never_created() {
    let running = Running::start("").await;
    running.topic("taken.name", &[]).await;
    let mut client = running.client().await;
    let long = "x".repeat(250);
    for name in ["", ".", "..", "a b", "a/b", "é", "taken_name", &long] {
        let answer = client.ask(&named(&[name], true), 12).await;
        let expected = Some(ErrorCode::InvalidTopicException);
        assert_eq!(code(&answer.topics[0]), expected, "{name:?}");
    }
    assert_eq!(running.server.broker.controller.image().topic_count(), 1);
    running.serves_others().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn topics_by_id() {
    let running = Running::start("").await;
    running.topic("t", &[]).await;
    let id = running
        .server
        .broker
        .controller
        .image()
        .topic("t")
        .unwrap()
        .id;
    let mut client = running.client().await;
    let by_id = |topic_id: Uuid| MetadataRequest {
        topics: Some(vec![MetadataRequestTopic {
            name: None,
            topic_id,
        }]),
        ..Default::default()
    };
    let found = client.ask(&by_id(id), 12).await;
    assert_eq!((names(&found), code(&found.topics[0])), (vec!["t"], None));
    assert_eq!(found.topics[0].topic_id, id);
    let unknown = client.ask(&by_id(Uuid::from_bytes([9; 16])), 12).await;
    assert_eq!(code(&unknown.topics[0]), Some(ErrorCode::UnknownTopicId));
    assert_eq!(unknown.topics[0].name, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_only_collides_is_unknown_unless_it_was_to_be_created() {
    let running = Running::start("").await;
    running.topic("a_b", &[]).await;
    let mut client = running.client().await;
    for (creates, expected) in [
        (false, ErrorCode::UnknownTopicOrPartition),
        (true, ErrorCode::InvalidTopicException),
    ] {
        let answer = client.ask(&named(&["a.b"], creates), 12).await;
        assert_eq!(code(&answer.topics[0]), Some(expected), "{creates}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn operations_are_told_to_who_asks() {
    let running = Running::start("").await;
    running.topic("t", &[]).await;
    let mut client = running.client().await;
    for asks in [false, true] {
        let request = MetadataRequest {
            include_cluster_authorized_operations: asks,
            include_topic_authorized_operations: asks,
            ..named(&["t", "unknown"], false)
        };
        let answer = client.ask(&request, 10).await;
        let of = |topic: &MetadataResponseTopic| topic.topic_authorized_operations != i32::MIN;
        assert_eq!(of(&answer.topics[0]), asks);
        assert_eq!(of(&answer.topics[1]), asks, "also of what is no topic");
        assert_eq!(answer.cluster_authorized_operations != i32::MIN, asks);
    }
}
