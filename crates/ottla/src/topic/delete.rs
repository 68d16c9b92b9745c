//! `ottla topic delete`.

use protocol::error::ErrorCode;
use protocol::messages::delete_topics::{DeleteTopicState, DeleteTopicsRequest};
use serde_json::json;

use super::{Answer, Refused};
use crate::wire::{Connection, REQUEST_TIMEOUT_MS, WireError};

#[derive(clap::Args)]
#[command(after_help = "Examples:
  ottla topic delete orders
  ottla topic delete orders payments --if-exists")]
pub(super) struct Arguments {
    /// Names of the topics.
    #[arg(required = true, value_name = "TOPIC")]
    topics: Vec<String>,
    /// Call it done if a topic does not exist.
    #[arg(long)]
    if_exists: bool,
}

pub(super) fn run(connection: &mut Connection, arguments: &Arguments) -> Result<Answer, WireError> {
    let state = |name: &String| DeleteTopicState {
        name: Some(name.clone().into()),
        ..Default::default()
    };
    let request = DeleteTopicsRequest {
        // Which of the two is sent depends on the version.
        topics: arguments.topics.iter().map(state).collect(),
        topic_names: arguments
            .topics
            .iter()
            .map(|name| name.clone().into())
            .collect(),
        timeout_ms: REQUEST_TIMEOUT_MS,
    };
    let response = connection.ask(&request, 0)?;
    let mut answer = Answer::default();
    for result in response.responses {
        let name = result.name.unwrap_or_default();
        match Refused::new(
            "delete",
            &name,
            result.error_code,
            result.error_message.as_ref(),
        ) {
            None => answer.add(
                &format!("{name} deleted"),
                json!({ "topic": name.as_str(), "deleted": true }),
            ),
            Some(refused)
                if arguments.if_exists && refused.is(ErrorCode::UnknownTopicOrPartition) =>
            {
                answer.add(
                    &format!("{name} does not exist"),
                    json!({ "topic": name.as_str(), "deleted": false }),
                );
            }
            Some(refused) => answer.refused.push(refused),
        }
    }
    Ok(answer)
}
