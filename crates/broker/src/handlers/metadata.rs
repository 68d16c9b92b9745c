//! Metadata (key 3), versions 0 to 13: the broker, the topics and their partitions; creates a topic that is asked for by name when
//! broker and request both allow it.

use std::sync::Arc;

use protocol::error::ErrorCode;
use protocol::messages::metadata::{
    MetadataRequest, MetadataRequestTopic, MetadataResponse, MetadataResponseBroker,
    MetadataResponsePartition, MetadataResponseTopic,
};
use protocol::{KafkaString, Uuid};

use crate::broker::Broker;
use crate::dispatch::{Call, Response};
use crate::metadata::{Image, NewTopic, Topic, topic_name};

pub(crate) async fn handle(broker: Arc<Broker>, call: Call, request: MetadataRequest) -> Response {
    let topics = match &request.topics {
        // Version 0 has no null list: there an empty one asks for all.
        Some(asked) if call.version > 0 || !asked.is_empty() => {
            asked_topics(&broker, asked, request.allow_auto_topic_creation).await
        }
        _ => broker
            .controller
            .image()
            .topics()
            .map(|topic| describe(&broker, topic))
            .collect(),
    };
    let address = broker.advertised(&call.peer);
    let response = MetadataResponse {
        brokers: vec![MetadataResponseBroker {
            node_id: broker.config.options.node_id,
            host: address.host,
            port: address.port,
            rack: broker.rack(),
            ..Default::default()
        }],
        cluster_id: Some(broker.controller.image().cluster_id.clone().into()),
        controller_id: broker.config.options.node_id,
        topics,
        ..Default::default()
    };
    call.respond(&response)
}

async fn asked_topics(
    broker: &Arc<Broker>,
    asked: &[MetadataRequestTopic],
    allow_creation: bool,
) -> Vec<MetadataResponseTopic> {
    let image = broker.controller.image();
    if allow_creation && broker.config.options.auto_create_topics_enable {
        create_missing(broker, &image, asked).await;
    }
    let image = broker.controller.image();
    asked
        .iter()
        .map(|topic| answer(broker, &image, topic))
        .collect()
}

/// What cannot be created is answered as unknown or by its name's fault below.
async fn create_missing(broker: &Arc<Broker>, image: &Image, asked: &[MetadataRequestTopic]) {
    let missing = asked
        .iter()
        .filter_map(|topic| topic.name.as_ref())
        .filter(|name| image.topic(name).is_none());
    for name in missing.filter(|name| topic_name::refuse(name).is_none()) {
        let outcome = broker.create_automatically(name).await;
        if let Err(refusal) = outcome {
            tracing::debug!(topic = %name, %refusal, "topic is not created automatically");
        }
    }
}

fn answer(broker: &Broker, image: &Image, asked: &MetadataRequestTopic) -> MetadataResponseTopic {
    let failed =
        |code: ErrorCode, name: Option<KafkaString>, topic_id: Uuid| MetadataResponseTopic {
            error_code: code.into(),
            name,
            topic_id,
            ..Default::default()
        };
    let Some(name) = &asked.name else {
        return match image.topic_by_id(asked.topic_id) {
            Some(topic) => describe(broker, topic),
            None => failed(ErrorCode::UnknownTopicId, None, asked.topic_id),
        };
    };
    if let Some(topic) = image.topic(name) {
        return describe(broker, topic);
    }
    let code =
        match topic_name::refuse(name).or_else(|| image.collision(name).map(ToString::to_string)) {
            Some(_) => ErrorCode::InvalidTopicException,
            None => ErrorCode::UnknownTopicOrPartition,
        };
    failed(code, Some(name.clone()), Uuid::ZERO)
}

fn describe(broker: &Broker, topic: &Topic) -> MetadataResponseTopic {
    let node_id = broker.config.options.node_id;
    let partition = |index: i32| MetadataResponsePartition {
        partition_index: index,
        leader_id: node_id,
        leader_epoch: broker.leader_epoch,
        replica_nodes: vec![node_id],
        isr_nodes: vec![node_id],
        ..Default::default()
    };
    MetadataResponseTopic {
        name: Some(topic.name.clone()),
        topic_id: topic.id,
        is_internal: topic.internal,
        partitions: (0..).take(topic.partitions.len()).map(partition).collect(),
        ..Default::default()
    }
}

impl Broker {
    /// A topic with the broker's defaults, or an internal one with its own.
    pub(crate) async fn create_automatically(
        &self,
        name: &str,
    ) -> Result<Arc<Topic>, crate::metadata::Refusal> {
        let wanted = match topic_name::is_internal(name) {
            true => self.internal_topic(name),
            false => NewTopic {
                name: name.to_owned(),
                partitions: -1,
                replication_factor: -1,
                ..NewTopic::default()
            },
        };
        let outcome = self.controller.create_topics(&[wanted], false).await.pop();
        match (outcome, self.controller.image().topic(name)) {
            // Another request may have been quicker.
            (Some(Err(refusal)), _) if refusal.code != ErrorCode::TopicAlreadyExists => {
                Err(refusal)
            }
            (_, Some(topic)) => Ok(topic.clone()),
            (_, None) => Err(crate::metadata::Refusal::new(
                ErrorCode::UnknownTopicOrPartition,
                "the topic was deleted at once",
            )),
        }
    }
}
