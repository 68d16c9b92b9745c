//! `ottla topic list`.

use protocol::messages::metadata::{MetadataRequest, MetadataResponseTopic};
use serde_json::json;

use super::table::table;
use super::{Answer, Refused};
use crate::wire::{Connection, WireError};

#[derive(clap::Args)]
#[command(after_help = "Examples:
  ottla topic list
  ottla topic list --exclude-internal --output json")]
pub(super) struct Arguments {
    /// Leave out the topics that the broker keeps its own state in.
    #[arg(long)]
    exclude_internal: bool,
}

/// The first version in which no list asks for all topics.
const ALL_SINCE: i16 = 1;

pub(super) fn run(connection: &mut Connection, arguments: &Arguments) -> Result<Answer, WireError> {
    let request = MetadataRequest {
        topics: None,
        ..Default::default()
    };
    let mut topics = connection.ask(&request, ALL_SINCE)?.topics;
    topics.retain(|topic| !(arguments.exclude_internal && topic.is_internal));
    topics.sort_by(|a, b| a.name.cmp(&b.name));
    let mut answer = Answer::default();
    let mut rows = Vec::with_capacity(topics.len());
    for topic in topics {
        let name = topic.name.clone().unwrap_or_default();
        if let Some(refused) = Refused::new("list", &name, topic.error_code, None) {
            answer.refused.push(refused);
            continue;
        }
        let (partitions, replication_factor) = (topic.partitions.len(), replication_factor(&topic));
        rows.push(vec![
            name.to_string(),
            partitions.to_string(),
            replication_factor.to_string(),
        ]);
        answer.json.push(json!({
            "topic": name.as_str(),
            "partitions": partitions,
            "replication_factor": replication_factor,
            "internal": topic.is_internal,
        }));
    }
    answer.text = table("", &["TOPIC", "PARTITIONS", "REPLICATION"], &rows) + "\n";
    Ok(answer)
}

/// As Kafka's tools count it: the copies of the first partition.
pub(super) fn replication_factor(topic: &MetadataResponseTopic) -> usize {
    topic
        .partitions
        .first()
        .map_or(0, |partition| partition.replica_nodes.len())
}
