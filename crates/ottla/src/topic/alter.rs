//! `ottla topic alter`: asks first whether all changes would be taken, so that of two kinds of change not only one is made.

use clap::ArgGroup;
use protocol::error::ErrorCode;
use protocol::messages::create_partitions::{CreatePartitionsRequest, CreatePartitionsTopic};
use protocol::messages::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};
use serde_json::json;

use super::{Answer, Refused, TOPIC_RESOURCE};
use crate::serve::key_value;
use crate::wire::{Connection, REQUEST_TIMEOUT_MS, WireError};

#[derive(clap::Args)]
#[command(
    group = ArgGroup::new("change").args(["partitions", "config", "delete_config"]).required(true).multiple(true),
    after_help = "Examples:
  ottla topic alter orders --partitions 12
  ottla topic alter orders --config retention.ms=3600000 --config durability=100ms
  ottla topic alter orders --delete-config retention.ms"
)]
pub(super) struct Arguments {
    /// Name of the topic.
    topic: String,
    /// The new number of partitions, more than there are. Keys may land in other partitions than before.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(i32).range(1..))]
    partitions: Option<i32>,
    /// An option to set; may be given again.
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    config: Vec<(String, String)>,
    /// An option to reset to the broker's default; may be given again.
    #[arg(long, value_name = "KEY")]
    delete_config: Vec<String>,
    /// Call it done if the topic does not exist.
    #[arg(long)]
    if_exists: bool,
}

const SET: i8 = 0;
const DELETE: i8 = 1;

pub(super) fn run(connection: &mut Connection, arguments: &Arguments) -> Result<Answer, WireError> {
    let mut answer = Answer::default();
    let name = arguments.topic.as_str();
    for validate_only in [true, false] {
        match alter(connection, arguments, validate_only)? {
            None => {}
            Some(refused)
                if arguments.if_exists && refused.is(ErrorCode::UnknownTopicOrPartition) =>
            {
                answer.add(
                    &format!("{name} does not exist"),
                    json!({ "topic": name, "altered": false }),
                );
                return Ok(answer);
            }
            Some(refused) => {
                answer.refused.push(refused);
                return Ok(answer);
            }
        }
    }
    answer.add(
        &format!("{name} altered"),
        json!({ "topic": name, "altered": true }),
    );
    Ok(answer)
}

fn alter(
    connection: &mut Connection,
    arguments: &Arguments,
    validate_only: bool,
) -> Result<Option<Refused>, WireError> {
    if let Some(count) = arguments.partitions {
        let refused = add_partitions(connection, &arguments.topic, count, validate_only)?;
        if refused.is_some() {
            return Ok(refused);
        }
    }
    let set = |(name, value): &(String, String)| AlterableConfig {
        name: name.clone().into(),
        config_operation: SET,
        value: Some(value.clone().into()),
    };
    let delete = |name: &String| AlterableConfig {
        name: name.clone().into(),
        config_operation: DELETE,
        value: None,
    };
    let configs: Vec<_> = arguments
        .config
        .iter()
        .map(set)
        .chain(arguments.delete_config.iter().map(delete))
        .collect();
    if configs.is_empty() {
        return Ok(None);
    }
    alter_configs(connection, &arguments.topic, configs, validate_only)
}

fn add_partitions(
    connection: &mut Connection,
    topic: &str,
    count: i32,
    validate_only: bool,
) -> Result<Option<Refused>, WireError> {
    let wanted = CreatePartitionsTopic {
        name: topic.to_owned().into(),
        count,
        assignments: None,
    };
    let request = CreatePartitionsRequest {
        topics: vec![wanted],
        timeout_ms: REQUEST_TIMEOUT_MS,
        validate_only,
    };
    let results = connection.ask(&request, 0)?.results;
    Ok(results.iter().find_map(|result| {
        Refused::new(
            "alter",
            topic,
            result.error_code,
            result.error_message.as_ref(),
        )
    }))
}

fn alter_configs(
    connection: &mut Connection,
    topic: &str,
    configs: Vec<AlterableConfig>,
    validate_only: bool,
) -> Result<Option<Refused>, WireError> {
    let resource = AlterConfigsResource {
        resource_type: TOPIC_RESOURCE,
        resource_name: topic.to_owned().into(),
        configs,
    };
    let request = IncrementalAlterConfigsRequest {
        resources: vec![resource],
        validate_only,
    };
    let responses = connection.ask(&request, 0)?.responses;
    Ok(responses.iter().find_map(|result| {
        Refused::new(
            "alter",
            topic,
            result.error_code,
            result.error_message.as_ref(),
        )
    }))
}
