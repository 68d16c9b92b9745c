//! IncrementalAlterConfigs (key 44), versions 0 and 1: changes some options of topics and of subscriptions to client
//! metrics, and leaves the others. Each resource changes as a
//! whole or not at all. Options of brokers are set at their start, and so are refused here.

use std::sync::Arc;

use protocol::messages::incremental_alter_configs::{
    AlterConfigsResource, AlterConfigsResourceResponse, IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse,
};

use super::config_resource::{self, ConfigResource};
use super::repeated::repeated;
use crate::broker::Broker;
use crate::dispatch::{Call, Response};
use crate::metadata::Refusal;
use crate::metadata::option_change::{self, Change};

pub(crate) async fn handle(
    broker: Arc<Broker>,
    call: Call,
    request: IncrementalAlterConfigsRequest,
) -> Response {
    let all = &request.resources;
    let twice = repeated(all.iter().map(named));
    let mut responses = Vec::with_capacity(all.len());
    for resource in all {
        let outcome = match twice.contains(&named(resource)) {
            true => Err(config_resource::named_twice()),
            false => alter(&broker, resource, request.validate_only).await,
        };
        let refusal = outcome.err();
        responses.push(AlterConfigsResourceResponse {
            error_code: refusal.as_ref().map_or(0, |refusal| refusal.code.into()),
            error_message: refusal.map(|refusal| refusal.message.into()),
            resource_type: resource.resource_type,
            resource_name: resource.resource_name.clone(),
        });
    }
    call.respond(&IncrementalAlterConfigsResponse {
        responses,
        ..Default::default()
    })
}

fn named(resource: &AlterConfigsResource) -> (i8, &str) {
    (resource.resource_type, &resource.resource_name)
}

async fn alter(
    broker: &Broker,
    asked: &AlterConfigsResource,
    validate_only: bool,
) -> Result<(), Refusal> {
    let changes: Vec<Change<'_>> = asked
        .configs
        .iter()
        .map(|config| Change {
            name: &config.name,
            operation: config.config_operation,
            value: config.value.as_deref(),
        })
        .collect();
    option_change::check(&changes)?;
    let resource = ConfigResource::new(
        asked.resource_type,
        &asked.resource_name,
        broker.config.options.node_id,
    )?;
    let change = |options: &mut _| option_change::apply(&broker.config, options, &changes);
    let controller = &broker.controller;
    match resource {
        ConfigResource::Topic(topic) => {
            controller
                .alter_topic_options(topic, change, validate_only)
                .await
        }
        ConfigResource::ClientMetrics(name) => {
            controller
                .alter_client_metrics(name, change, validate_only)
                .await
        }
        _ => config_resource::refuse_change(resource, changes.iter().map(|change| change.name)),
    }
}
