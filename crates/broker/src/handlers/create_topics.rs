//! CreateTopics (key 19), versions 2 to 7: each topic by itself, so that one refused takes none of the others with it; the answer comes
//! when they are durable. `timeout_ms` is not looked at: there is no other broker to wait for.

use std::collections::BTreeSet;
use std::sync::Arc;

use protocol::KafkaString;
use protocol::error::ErrorCode;
use protocol::messages::create_topics::{
    CreatableTopic, CreatableTopicConfigs, CreatableTopicResult, CreateTopicsRequest,
    CreateTopicsResponse,
};

use super::repeated::repeated;
use crate::broker::Broker;
use crate::config::{Config, entries};
use crate::dispatch::{Call, Response};
use crate::metadata::decide::DecidedTopic;
use crate::metadata::{Image, NewTopic, Refusal, option_change, topic_name};

/// The topic of Kafka's own metadata log; here that log is no topic.
const CLUSTER_METADATA_TOPIC: &str = "__cluster_metadata";

pub(crate) async fn handle(
    broker: Arc<Broker>,
    call: Call,
    request: CreateTopicsRequest,
) -> Response {
    let mut wanted = Vec::with_capacity(request.topics.len());
    let mut refused = Vec::new();
    let twice = repeated(request.topics.iter().map(|topic| topic.name.as_str()));
    let mut seen = BTreeSet::new();
    let image = broker.controller.image();
    for topic in request
        .topics
        .iter()
        .filter(|topic| seen.insert(topic.name.as_str()))
    {
        match new_topic(&image, topic, &twice) {
            Ok(topic) => wanted.push(topic),
            Err(refusal) => refused.push(failed(topic.name.clone(), &refusal)),
        }
    }
    let outcomes = broker
        .controller
        .create_topics(&wanted, request.validate_only)
        .await;
    let created = wanted
        .into_iter()
        .zip(outcomes)
        .map(|(wanted, outcome)| match outcome {
            Ok(topic) => created(&broker.config, topic),
            Err(refusal) => failed(wanted.name.into(), &refusal),
        });
    call.respond(&CreateTopicsResponse {
        topics: created.chain(refused).collect(),
        ..Default::default()
    })
}

/// What is refused before the controller decides.
fn new_topic(
    image: &Image,
    topic: &CreatableTopic,
    twice: &BTreeSet<&str>,
) -> Result<NewTopic, Refusal> {
    if twice.contains(topic.name.as_str()) {
        return Err(Refusal::new(
            ErrorCode::InvalidRequest,
            "Duplicate topic name.",
        ));
    }
    if topic.name == CLUSTER_METADATA_TOPIC {
        let message = format!("Creation of internal topic {CLUSTER_METADATA_TOPIC} is prohibited.");
        return Err(Refusal::new(ErrorCode::InvalidRequest, message));
    }
    // Before its options, as in Kafka; who makes it in the meantime is found out later.
    if image.topic(&topic.name).is_some() {
        let message = format!("Topic '{}' already exists.", topic.name);
        return Err(Refusal::new(ErrorCode::TopicAlreadyExists, message));
    }
    if let Some(reason) = topic_name::refuse(&topic.name) {
        return Err(Refusal::new(ErrorCode::InvalidTopicException, reason));
    }
    let options = topic
        .configs
        .iter()
        .map(|config| (config.name.as_str(), config.value.as_deref()));
    let options = option_change::whole(options).map_err(|refusal| Refusal {
        code: ErrorCode::InvalidConfig,
        ..refusal
    })?;
    Ok(NewTopic {
        name: topic.name.to_string(),
        partitions: topic.num_partitions,
        replication_factor: topic.replication_factor,
        assignments: topic
            .assignments
            .iter()
            .map(|assignment| (assignment.partition_index, assignment.broker_ids.clone()))
            .collect(),
        options,
    })
}

fn created(config: &Config, topic: DecidedTopic) -> CreatableTopicResult {
    let configs = entries::of_topic(config, &topic.options)
        .into_iter()
        .map(|entry| CreatableTopicConfigs {
            name: entry.name.into(),
            value: Some(entry.value.into()),
            read_only: entry.read_only,
            config_source: entry.source as i8,
            is_sensitive: false,
        });
    CreatableTopicResult {
        topic_id: topic.id,
        error_message: None,
        num_partitions: i32::try_from(topic.partitions).unwrap_or(i32::MAX),
        replication_factor: 1,
        configs: Some(configs.collect()),
        name: topic.name.into(),
        ..Default::default()
    }
}

fn failed(name: KafkaString, refusal: &Refusal) -> CreatableTopicResult {
    CreatableTopicResult {
        name,
        error_code: refusal.code.into(),
        error_message: Some(refusal.message.clone().into()),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use protocol::messages::create_topics::CreatableTopicConfig;

    use super::*;

    fn topic(
        name: &'static str,
        configs: &[(&'static str, Option<&'static str>)],
    ) -> CreatableTopic {
        let config = |(name, value): &(&'static str, Option<&'static str>)| CreatableTopicConfig {
            name: (*name).into(),
            value: value.map(KafkaString::from),
        };
        CreatableTopic {
            name: name.into(),
            configs: configs.iter().map(config).collect(),
            ..Default::default()
        }
    }

    #[test]
    fn what_needs_no_look_at_the_topics_is_refused_first() {
        let all = [
            topic("good", &[("retention.ms", Some("5"))]),
            topic("twice", &[]),
            topic("twice", &[]),
            topic(CLUSTER_METADATA_TOPIC, &[]),
            topic("null", &[("retention.ms", None)]),
        ];
        let twice = BTreeSet::from(["twice"]);
        let codes: Vec<_> = all
            .iter()
            .map(|topic| {
                new_topic(&Image::default(), topic, &twice)
                    .map_err(|refusal| refusal.code)
                    .err()
            })
            .collect();
        let invalid = Some(ErrorCode::InvalidRequest);
        assert_eq!(
            codes,
            [
                None,
                invalid,
                invalid,
                invalid,
                Some(ErrorCode::InvalidConfig)
            ]
        );
    }
}
