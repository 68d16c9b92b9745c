//! `ottla topic create`.

use protocol::error::ErrorCode;
use protocol::messages::create_topics::{
    CreatableTopic, CreatableTopicConfig, CreatableTopicResult, CreateTopicsRequest,
};
use serde_json::json;

use super::{Answer, Refused};
use crate::serve::key_value;
use crate::wire::{Connection, REQUEST_TIMEOUT_MS, WireError};

#[derive(clap::Args)]
#[command(after_help = "Examples:
  ottla topic create orders
  ottla topic create orders payments --partitions 6 --replication-factor 1
  ottla topic create state --config cleanup.policy=compact --config segment.bytes=16777216
  ottla topic create orders --if-not-exists")]
pub(super) struct Arguments {
    /// Names of the topics.
    #[arg(required = true, value_name = "TOPIC")]
    topics: Vec<String>,
    /// Number of partitions of each; without it the broker's num.partitions.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(i32).range(1..))]
    partitions: Option<i32>,
    /// Copies of each partition; without it the broker's default.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(i16).range(1..))]
    replication_factor: Option<i16>,
    /// An option of the topics; may be given again.
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    config: Vec<(String, String)>,
    /// Leave a topic that exists as it is, and call that done.
    #[arg(long)]
    if_not_exists: bool,
}

/// The first version that leaves numbers to the broker.
const DEFAULTS_SINCE: i16 = 4;

pub(super) fn run(connection: &mut Connection, arguments: &Arguments) -> Result<Answer, WireError> {
    let config = |(name, value): &(String, String)| CreatableTopicConfig {
        name: name.clone().into(),
        value: Some(value.clone().into()),
    };
    let topic = |name: &String| CreatableTopic {
        name: name.clone().into(),
        num_partitions: arguments.partitions.unwrap_or(-1),
        replication_factor: arguments.replication_factor.unwrap_or(-1),
        configs: arguments.config.iter().map(config).collect(),
        ..Default::default()
    };
    let request = CreateTopicsRequest {
        topics: arguments.topics.iter().map(topic).collect(),
        timeout_ms: REQUEST_TIMEOUT_MS,
        validate_only: false,
    };
    let response = connection.ask(&request, DEFAULTS_SINCE)?;
    let mut answer = Answer::default();
    for result in response.topics {
        match Refused::new(
            "create",
            &result.name,
            result.error_code,
            result.error_message.as_ref(),
        ) {
            None => add_created(&mut answer, &result),
            Some(refused)
                if arguments.if_not_exists && refused.is(ErrorCode::TopicAlreadyExists) =>
            {
                answer.add(
                    &format!("{} exists already", result.name),
                    json!({ "topic": result.name.as_str(), "created": false }),
                );
            }
            Some(refused) => answer.refused.push(refused),
        }
    }
    Ok(answer)
}

fn add_created(answer: &mut Answer, result: &CreatableTopicResult) {
    let (name, partitions, replication_factor) = (
        &result.name,
        result.num_partitions,
        result.replication_factor,
    );
    answer.add(
        &format!("{name} created: partitions {partitions}, replication factor {replication_factor}, id {}", result.topic_id),
        json!({
            "topic": name.as_str(),
            "created": true,
            "id": result.topic_id.to_string(),
            "partitions": partitions,
            "replication_factor": replication_factor,
        }),
    );
}
