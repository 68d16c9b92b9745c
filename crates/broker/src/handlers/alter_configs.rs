//! AlterConfigs (key 33), versions 0 to 2: gives topics and subscriptions to client metrics a whole new set of options; what is not named falls back to its default. Options
//! of brokers are set at their start, and so are refused here.

use std::sync::Arc;

use protocol::messages::alter_configs::{
    AlterConfigsRequest, AlterConfigsResource, AlterConfigsResourceResponse, AlterConfigsResponse,
};

use super::config_resource::{self, ConfigResource};
use super::repeated::repeated;
use crate::broker::Broker;
use crate::dispatch::{Call, Response};
use crate::metadata::{Refusal, option_change};

pub(crate) async fn handle(
    broker: Arc<Broker>,
    call: Call,
    request: AlterConfigsRequest,
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
    call.respond(&AlterConfigsResponse {
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
    let whole = option_change::whole(
        asked
            .configs
            .iter()
            .map(|config| (config.name.as_str(), config.value.as_deref())),
    )?;
    let resource = ConfigResource::new(
        asked.resource_type,
        &asked.resource_name,
        broker.config.options.node_id,
    )?;
    let names: Vec<String> = whole.keys().cloned().collect();
    let change = |options: &mut _| {
        *options = whole;
        Ok(())
    };
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
        _ => config_resource::refuse_change(resource, names.iter().map(String::as_str)),
    }
}
