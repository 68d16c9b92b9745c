//! `ottla topic describe`.

use protocol::KafkaString;
use protocol::messages::describe_configs::{
    DescribeConfigsRequest, DescribeConfigsResource, DescribeConfigsResourceResult,
    DescribeConfigsResult,
};
use protocol::messages::metadata::{
    MetadataRequest, MetadataRequestTopic, MetadataResponsePartition, MetadataResponseTopic,
};
use serde_json::{Map, Value, json};

use super::list::replication_factor;
use super::table::table;
use super::{Answer, Refused, TOPIC_RESOURCE};
use crate::wire::{Connection, WireError};

#[derive(clap::Args)]
#[command(after_help = "Examples:
  ottla topic describe orders
  ottla topic describe orders --all
  ottla topic describe orders --output json")]
pub(super) struct Arguments {
    /// Names of the topics.
    #[arg(required = true, value_name = "TOPIC")]
    topics: Vec<String>,
    /// Tell every option, not only those that the topic sets itself.
    #[arg(long)]
    all: bool,
}

/// The first version in which to ask for a topic need not create it.
const NO_CREATION_SINCE: i16 = 4;
/// The first version that tells where a value comes from.
const SOURCES_SINCE: i16 = 1;

pub(super) fn run(connection: &mut Connection, arguments: &Arguments) -> Result<Answer, WireError> {
    let asked = |name: &String| MetadataRequestTopic {
        name: Some(name.clone().into()),
        ..Default::default()
    };
    let request = MetadataRequest {
        topics: Some(arguments.topics.iter().map(asked).collect()),
        allow_auto_topic_creation: false,
        ..Default::default()
    };
    let topics = connection.ask(&request, NO_CREATION_SINCE)?.topics;
    let mut answer = Answer::default();
    let mut known = Vec::with_capacity(topics.len());
    for topic in topics {
        let name = topic.name.clone().unwrap_or_default();
        match Refused::new("describe", &name, topic.error_code, None) {
            Some(refused) => answer.refused.push(refused),
            None => known.push((name, topic)),
        }
    }
    let configs = configs(connection, known.iter().map(|(name, _)| name))?;
    for (name, topic) in known {
        let found = configs.iter().find(|result| result.resource_name == name);
        let refused = found.and_then(|found| {
            Refused::new(
                "describe",
                &name,
                found.error_code,
                found.error_message.as_ref(),
            )
        });
        answer.refused.extend(refused);
        let options = found
            .map(|found| found.configs.as_slice())
            .unwrap_or_default();
        let options: Vec<_> = options
            .iter()
            .filter(|option| arguments.all || Source::of(option) == Source::Topic)
            .collect();
        answer.add(
            &text(&name, &topic, &options),
            json(&name, &topic, &options),
        );
    }
    Ok(answer)
}

fn configs<'a>(
    connection: &mut Connection,
    names: impl Iterator<Item = &'a KafkaString>,
) -> Result<Vec<DescribeConfigsResult>, WireError> {
    let resource = |name: &KafkaString| DescribeConfigsResource {
        resource_type: TOPIC_RESOURCE,
        resource_name: name.clone(),
        configuration_keys: None,
    };
    let request = DescribeConfigsRequest {
        resources: names.map(resource).collect(),
        ..Default::default()
    };
    if request.resources.is_empty() {
        return Ok(Vec::new());
    }
    Ok(connection.ask(&request, SOURCES_SINCE)?.results)
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Topic,
    Broker,
    Default,
}

impl Source {
    fn of(option: &DescribeConfigsResourceResult) -> Self {
        match option.config_source {
            1 => Source::Topic,
            5 => Source::Default,
            _ => Source::Broker,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Source::Topic => "topic",
            Source::Broker => "broker",
            Source::Default => "default",
        }
    }
}

fn value(option: &DescribeConfigsResourceResult) -> &str {
    option.value.as_deref().unwrap_or_default()
}

fn text(
    name: &str,
    topic: &MetadataResponseTopic,
    options: &[&DescribeConfigsResourceResult],
) -> String {
    let internal = if topic.is_internal { ", internal" } else { "" };
    let (partitions, replication_factor) = (topic.partitions.len(), replication_factor(topic));
    let mut text = format!(
        "{name}: partitions {partitions}, replication factor {replication_factor}, id {}{internal}\n",
        topic.topic_id
    );
    if !options.is_empty() {
        let rows: Vec<_> = options
            .iter()
            .map(|option| {
                vec![
                    option.name.to_string(),
                    value(option).to_owned(),
                    Source::of(option).name().to_owned(),
                ]
            })
            .collect();
        text += &(table("  ", &["OPTION", "VALUE", "SET BY"], &rows) + "\n");
    }
    let row = |partition: &MetadataResponsePartition| {
        vec![
            partition.partition_index.to_string(),
            partition.leader_id.to_string(),
            nodes(&partition.replica_nodes),
            nodes(&partition.isr_nodes),
        ]
    };
    let rows: Vec<_> = sorted_partitions(topic).into_iter().map(row).collect();
    text + &table("  ", &["PARTITION", "LEADER", "REPLICAS", "IN SYNC"], &rows)
}

fn json(
    name: &str,
    topic: &MetadataResponseTopic,
    options: &[&DescribeConfigsResourceResult],
) -> Value {
    let option = |option: &&DescribeConfigsResourceResult| {
        (
            option.name.to_string(),
            json!({ "value": value(option), "set_by": Source::of(option).name() }),
        )
    };
    let partition = |partition: &MetadataResponsePartition| {
        json!({
            "partition": partition.partition_index,
            "leader": partition.leader_id,
            "replicas": partition.replica_nodes,
            "in_sync": partition.isr_nodes,
        })
    };
    json!({
        "topic": name,
        "id": topic.topic_id.to_string(),
        "internal": topic.is_internal,
        "replication_factor": replication_factor(topic),
        "options": options.iter().map(option).collect::<Map<_, _>>(),
        "partitions": sorted_partitions(topic).into_iter().map(partition).collect::<Vec<_>>(),
    })
}

/// Kafka tells them in any order.
fn sorted_partitions(topic: &MetadataResponseTopic) -> Vec<&MetadataResponsePartition> {
    let mut partitions: Vec<_> = topic.partitions.iter().collect();
    partitions.sort_unstable_by_key(|partition| partition.partition_index);
    partitions
}

fn nodes(ids: &[i32]) -> String {
    ids.iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(",")
}
