//! DescribeConfigs (key 32), versions 1 to 4: the options of topics, of subscriptions to client metrics and of this broker, with their sources. The broker's are read-only:
//! they are set at its start. For all brokers at once, loggers and groups nothing is set here, and so nothing is told.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::error::ErrorCode;
use protocol::messages::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResourceResult,
    DescribeConfigsResponse, DescribeConfigsResult, DescribeConfigsSynonym,
};

use super::config_resource::ConfigResource;
use crate::broker::Broker;
use crate::config::Config;
use crate::config::entries::{self, Entry};
use crate::dispatch::{self, BadRequest, Call, Handled, Response};
use crate::metadata::{Image, Refusal};

/// What the options of one resource take in an answer at most, with their documentation, built and encoded.
const RESOURCE_BYTES: usize = 32 * 1024;

pub(crate) fn handle(broker: &Arc<Broker>, call: Call, request: DescribeConfigsRequest) -> Handled {
    let bytes = request.resources.len().saturating_mul(RESOURCE_BYTES);
    let known = || broker.controller.image().topic_count();
    if dispatch::asks_too_much(broker, request.resources.len(), known, bytes) {
        return Handled::Close(BadRequest::AsksTooMuch);
    }
    let broker = broker.clone();
    dispatch::later(async move {
        let build = async { describe(&broker, &call, &request) };
        dispatch::with_room(&broker.answers, bytes, build).await
    })
}

fn describe(broker: &Broker, call: &Call, request: &DescribeConfigsRequest) -> Response {
    let image = broker.controller.image();
    let results = request.resources.iter().map(|resource| {
        let entries = entries_of(&broker.config, &image, resource);
        let refusal = entries.as_ref().err().cloned();
        let entries = entries.unwrap_or_default().into_iter();
        DescribeConfigsResult {
            error_code: refusal.as_ref().map_or(0, |refusal| refusal.code.into()),
            // Kafka has an empty text here where others have none.
            error_message: Some(
                refusal
                    .map(|refusal| refusal.message)
                    .unwrap_or_default()
                    .into(),
            ),
            resource_type: resource.resource_type,
            resource_name: resource.resource_name.clone(),
            configs: entries
                .filter(|entry| is_asked(resource, entry))
                .map(|entry| result(request, entry))
                .collect(),
        }
    });
    call.respond(&DescribeConfigsResponse {
        results: results.collect(),
        ..Default::default()
    })
}

fn entries_of(
    config: &Config,
    image: &Image,
    resource: &DescribeConfigsResource,
) -> Result<Vec<Entry>, Refusal> {
    match ConfigResource::new(
        resource.resource_type,
        &resource.resource_name,
        config.options.node_id,
    )? {
        ConfigResource::Topic(name) => match image.topic(name) {
            Some(topic) => Ok(entries::of_topic(config, &topic.own_options)),
            None => Err(Refusal::new(
                ErrorCode::UnknownTopicOrPartition,
                format!("The topic '{name}' does not exist."),
            )),
        },
        ConfigResource::Broker => Ok(entries::of_broker(config)),
        ConfigResource::ClientMetrics(name) => {
            let subscription = image.client_metrics.all.get(name);
            let own = subscription.map(|subscription| &subscription.own_options);
            Ok(entries::of_client_metrics(own.unwrap_or(&BTreeMap::new())))
        }
        ConfigResource::AllBrokers | ConfigResource::BrokerLogger | ConfigResource::Group => {
            Ok(Vec::new())
        }
    }
}

/// No keys at all ask for every key.
fn is_asked(resource: &DescribeConfigsResource, entry: &Entry) -> bool {
    let keys = resource.configuration_keys.as_deref().unwrap_or_default();
    keys.is_empty() || keys.iter().any(|key| *key == entry.name)
}

fn result(request: &DescribeConfigsRequest, entry: Entry) -> DescribeConfigsResourceResult {
    let synonyms = entry
        .synonyms
        .into_iter()
        .filter(|_| request.include_synonyms);
    let synonyms = synonyms.map(|synonym| DescribeConfigsSynonym {
        name: synonym.name.into(),
        value: Some(synonym.value.into()),
        source: synonym.source as i8,
    });
    DescribeConfigsResourceResult {
        name: entry.name.into(),
        value: Some(entry.value.into()),
        read_only: entry.read_only,
        config_source: entry.source as i8,
        is_sensitive: false,
        synonyms: synonyms.collect(),
        config_type: entry.kind as i8,
        documentation: request.include_documentation.then(|| entry.doc.into()),
    }
}
