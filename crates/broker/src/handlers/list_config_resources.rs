//! ListConfigResources (key 74), versions 0 and 1: what has options, by kind. Version 0 asks for client metrics alone.

use std::sync::Arc;

use protocol::KafkaString;
use protocol::error::ErrorCode;
use protocol::messages::list_config_resources::{
    ConfigResource, ListConfigResourcesRequest, ListConfigResourcesResponse,
};

use crate::broker::Broker;
use crate::dispatch::{self, Call, Response};
use crate::metadata::Image;

/// Kafka's numbers of the kinds.
const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const BROKER_LOGGER: i8 = 8;
const CLIENT_METRICS: i8 = 16;
const GROUP: i8 = 32;
const ALL: &[i8] = &[TOPIC, BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP];

/// What a resource takes in the answer, built and encoded.
const RESOURCE_BYTES: usize = 640;

pub(crate) async fn handle(
    broker: Arc<Broker>,
    call: Call,
    request: ListConfigResourcesRequest,
) -> Response {
    let asked = match request.resource_types.as_slice() {
        _ if call.version == 0 => &[CLIENT_METRICS],
        [] => ALL,
        asked => asked,
    };
    if asked.iter().any(|kind| !ALL.contains(kind)) {
        return call.respond(&ListConfigResourcesResponse {
            error_code: ErrorCode::UnsupportedVersion.into(),
            ..Default::default()
        });
    }
    let image = broker.controller.image();
    let count = |kind: i8, count: usize| if asked.contains(&kind) { count } else { 0 };
    let topics = count(TOPIC, image.topic_count());
    let subscriptions = count(CLIENT_METRICS, image.client_metrics.all.len());
    let build = async { list(&broker, &image, &call, asked) };
    let bytes = (topics + subscriptions) * RESOURCE_BYTES;
    dispatch::with_room(&broker.answers, bytes, build).await
}

/// Groups have no options here.
fn list(broker: &Broker, image: &Image, call: &Call, asked: &[i8]) -> Response {
    let node_id = KafkaString::from(broker.config.options.node_id.to_string());
    let mut config_resources = Vec::new();
    for kind in [BROKER_LOGGER, BROKER] {
        if asked.contains(&kind) {
            config_resources.push(ConfigResource {
                resource_name: node_id.clone(),
                resource_type: kind,
            });
        }
    }
    if asked.contains(&TOPIC) {
        config_resources.extend(image.topics().map(|topic| ConfigResource {
            resource_name: topic.name.clone(),
            resource_type: TOPIC,
        }));
    }
    if asked.contains(&CLIENT_METRICS) {
        let names = image.client_metrics.all.keys();
        config_resources.extend(names.map(|name| ConfigResource {
            resource_name: name.clone().into(),
            resource_type: CLIENT_METRICS,
        }));
    }
    call.respond(&ListConfigResourcesResponse {
        config_resources,
        ..Default::default()
    })
}
