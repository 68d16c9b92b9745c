//! Topics and options as admin clients ask for them: what is only validated leaves no trace, what is refused says why.

use protocol::KafkaString;
use protocol::error::ErrorCode;
use protocol::messages::create_partitions::{CreatePartitionsRequest, CreatePartitionsTopic};
use protocol::messages::create_topics::{CreatableTopic, CreateTopicsRequest};
use protocol::messages::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};

use crate::running::Running;

/// Kafka's number of the kind.
const TOPIC: i8 = 2;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_only_validated_touches_nothing() {
    let running = Running::start("").await;
    running.topic("there", &[]).await;
    let journal = &running.server.broker.journal;
    let logs = journal.log_ids();
    let mut client = running.client().await;
    let topics = ["new", "there"].map(|name| CreatableTopic {
        name: KafkaString::from(name),
        num_partitions: 3,
        replication_factor: 1,
        ..Default::default()
    });
    let create = CreateTopicsRequest {
        topics: topics.to_vec(),
        timeout_ms: 1000,
        validate_only: true,
        ..Default::default()
    };
    let codes: Vec<_> = client
        .ask(&create, 7)
        .await
        .topics
        .into_iter()
        .map(|topic| (topic.num_partitions, topic.error_code))
        .collect();
    assert_eq!(codes, [(3, 0), (-1, ErrorCode::TopicAlreadyExists.into())]);
    let grow = CreatePartitionsRequest {
        topics: vec![CreatePartitionsTopic {
            name: KafkaString::from("there"),
            count: 5,
            assignments: None,
            ..Default::default()
        }],
        timeout_ms: 1000,
        validate_only: true,
        ..Default::default()
    };
    let grown = client.ask(&grow, 3).await;
    assert_eq!(grown.results[0].error_code, 0);
    let mut after = journal.log_ids();
    let mut before = logs;
    before.sort_unstable();
    after.sort_unstable();
    assert_eq!(before, after);
    assert!(
        running
            .server
            .broker
            .controller
            .image()
            .topic("new")
            .is_none()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_option_is_told_before_a_missing_topic() {
    let running = Running::start("").await;
    let mut client = running.client().await;
    for (name, value, expected) in [
        ("retention.ms", "soon", ErrorCode::InvalidConfig),
        ("retention.ms", "5", ErrorCode::UnknownTopicOrPartition),
    ] {
        let alter = IncrementalAlterConfigsRequest {
            resources: vec![AlterConfigsResource {
                resource_type: TOPIC,
                resource_name: KafkaString::from("missing"),
                configs: vec![AlterableConfig {
                    name: KafkaString::from(name),
                    value: Some(KafkaString::from(value)),
                    ..Default::default()
                }],
                ..Default::default()
            }],
            ..Default::default()
        };
        let answer = client.ask(&alter, 1).await;
        assert_eq!(
            answer.responses[0].error_code,
            i16::from(expected),
            "{value}"
        );
    }
}
