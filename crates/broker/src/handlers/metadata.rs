//! Metadata (key 3), versions 0 to 13: the broker, the topics and their partitions; creates a topic that is asked for by name when
//! broker and request both allow it.

use std::sync::Arc;

use protocol::error::ErrorCode;
use protocol::messages::metadata::{
    MetadataRequest, MetadataRequestTopic, MetadataResponse, MetadataResponseBroker,
    MetadataResponsePartition, MetadataResponseTopic,
};
use protocol::{KafkaString, Uuid};

use super::authorized_operations;
use crate::broker::Broker;
use crate::dispatch::{self, BadRequest, Call, Handled, Response};
use crate::metadata::{Image, NewTopic, Topic, topic_name};

/// What a topic and a partition take in an answer, built and encoded.
const TOPIC_BYTES: usize = size_of::<MetadataResponseTopic>() + 2 * topic_name::LENGTH_MAX;
const PARTITION_BYTES: usize = size_of::<MetadataResponsePartition>() + 128;

pub(crate) fn handle(broker: &Arc<Broker>, call: Call, request: MetadataRequest) -> Handled {
    // Version 0 has no null list: there an empty one asks for all.
    let asked = request
        .topics
        .filter(|asked| call.version > 0 || !asked.is_empty());
    let asked = asked.map(each_once);
    // What there is may all be asked for at once; what there is not comes from the request alone.
    let image = broker.controller.image();
    let unknown = asked
        .iter()
        .flatten()
        .filter(|asked| find(&image, asked).is_none())
        .count();
    if unknown.saturating_mul(TOPIC_BYTES) > broker.answers.total_bytes() {
        return Handled::Close(BadRequest::AsksTooMuch);
    }
    let creates = request.allow_auto_topic_creation;
    let wishes = Wishes {
        creates: creates && broker.config.options.auto_create_topics_enable,
        cluster_operations: request.include_cluster_authorized_operations,
        topic_operations: request.include_topic_authorized_operations,
    };
    dispatch::later(answered(broker.clone(), call, asked, wishes))
}

/// What a client wants beside the topics' description.
#[derive(Clone, Copy)]
struct Wishes {
    /// Topics that are missing.
    creates: bool,
    cluster_operations: bool,
    topic_operations: bool,
}

async fn answered(
    broker: Arc<Broker>,
    call: Call,
    asked: Option<Vec<MetadataRequestTopic>>,
    wishes: Wishes,
) -> Response {
    if let Some(asked) = asked.as_ref().filter(|_| wishes.creates) {
        create_missing(&broker, &broker.controller.image(), asked).await;
    }
    let image = broker.controller.image();
    let partitions = match &asked {
        Some(asked) => asked
            .iter()
            .filter_map(|asked| find(&image, asked))
            .map(|topic| topic.partitions.len())
            .sum(),
        None => image.partition_count(),
    };
    let topics = asked.as_ref().map_or(image.topic_count(), Vec::len);
    let bytes = topics * TOPIC_BYTES + partitions * PARTITION_BYTES;
    dispatch::with_room(&broker.answers, bytes, async {
        let mut topics: Vec<MetadataResponseTopic> = match &asked {
            Some(asked) => asked
                .iter()
                .map(|topic| answer(&broker, &image, topic, wishes.creates))
                .collect(),
            None => image
                .topics()
                .map(|topic| describe(&broker, topic))
                .collect(),
        };
        // Also of a name that is no topic's; an id that is none has nothing to be allowed.
        let unknown_id: i16 = ErrorCode::UnknownTopicId.into();
        let described = topics
            .iter_mut()
            .filter(|topic| topic.error_code != unknown_id);
        for topic in described.filter(|_| wishes.topic_operations) {
            topic.topic_authorized_operations = authorized_operations::TOPIC;
        }
        respond(&broker, &call, &image, topics, wishes)
    })
    .await
}

fn respond(
    broker: &Broker,
    call: &Call,
    image: &Image,
    topics: Vec<MetadataResponseTopic>,
    wishes: Wishes,
) -> Response {
    let address = broker.advertised(&call.peer);
    let mut response = MetadataResponse {
        brokers: vec![MetadataResponseBroker {
            node_id: broker.config.options.node_id,
            host: address.host,
            port: address.port,
            rack: broker.rack(),
            ..Default::default()
        }],
        cluster_id: Some(image.cluster_id.clone().into()),
        controller_id: broker.config.options.node_id,
        topics,
        ..Default::default()
    };
    if wishes.cluster_operations {
        response.cluster_authorized_operations = authorized_operations::CLUSTER;
    }
    call.respond(&response)
}

/// Who names a topic twice hears of it once, as Kafka does.
fn each_once(mut asked: Vec<MetadataRequestTopic>) -> Vec<MetadataRequestTopic> {
    // In place: a request is as large as its client likes.
    let named = |topic: &MetadataRequestTopic| (topic.name.clone(), topic.topic_id);
    asked.sort_unstable_by_key(named);
    asked.dedup_by_key(|topic| named(topic));
    asked
}

fn find<'a>(image: &'a Image, asked: &MetadataRequestTopic) -> Option<&'a Arc<Topic>> {
    match &asked.name {
        Some(name) => image.topic(name),
        None => image.topic_by_id(asked.topic_id),
    }
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

fn answer(
    broker: &Broker,
    image: &Image,
    asked: &MetadataRequestTopic,
    creates: bool,
) -> MetadataResponseTopic {
    let failed =
        |code: ErrorCode, name: Option<KafkaString>, topic_id: Uuid| MetadataResponseTopic {
            error_code: code.into(),
            name,
            topic_id,
            ..Default::default()
        };
    if let Some(topic) = find(image, asked) {
        return describe(broker, topic);
    }
    let Some(name) = &asked.name else {
        return failed(ErrorCode::UnknownTopicId, None, asked.topic_id);
    };
    // A name that only collides with another is at fault where the topic was to be created.
    let collides = || creates && image.collision(name).is_some();
    let code = match topic_name::refuse(name).is_some() || collides() {
        true => ErrorCode::InvalidTopicException,
        false => ErrorCode::UnknownTopicOrPartition,
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
