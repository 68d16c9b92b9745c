//! What a command on topics does to the metadata: pure decisions from an image and a request to a record or a refusal. Called by the
//! controller under its lock.

use std::collections::{BTreeMap, BTreeSet};

use log::LogId;
use protocol::Uuid;
use protocol::error::ErrorCode;

use super::image::{Image, Topic};
use super::record::MetadataRecord;
use super::refusal::Refusal;
use super::topic_name;
use crate::config::table::Effect;
use crate::config::{Config, TopicOptions};

/// A topic that someone wants. `-1` leaves a number to the broker's default.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewTopic {
    pub name: String,
    pub partitions: i32,
    pub replication_factor: i16,
    /// Brokers of each partition, when the caller assigns them himself.
    pub assignments: Vec<(i32, Vec<i32>)>,
    pub options: BTreeMap<String, String>,
}

/// Most partitions that one command may create: what Kafka's controller takes in one batch.
pub const PARTITIONS_PER_COMMAND_MAX: i32 = 10_000;

/// A topic as it is decided upon, before anything of it exists.
#[derive(Clone, Debug, PartialEq)]
pub struct DecidedTopic {
    pub name: String,
    pub id: Uuid,
    pub first_log: LogId,
    pub partitions: u32,
    pub options: BTreeMap<String, String>,
}

impl DecidedTopic {
    pub fn record(&self) -> MetadataRecord {
        MetadataRecord::Topic {
            name: self.name.clone(),
            id: self.id.to_string(),
            first_log: self.first_log,
            partitions: self.partitions,
            options: self.options.clone(),
        }
    }
}

/// Each topic by itself: one that is refused keeps none of the others.
pub fn create_topics(
    image: &Image,
    config: &Config,
    wanted: &[NewTopic],
    fresh_id: impl Fn() -> Uuid,
) -> Vec<Result<DecidedTopic, Refusal>> {
    let mut next_log = image.next_log;
    let mut partitions_left = PARTITIONS_PER_COMMAND_MAX.unsigned_abs();
    let mut decided = BTreeSet::new();
    let mut decide = |topic: &NewTopic| {
        let partitions = create_topic(image, config, topic)?;
        let key = topic_name::collision_key(&topic.name);
        if decided.contains(&key) {
            let message = format!(
                "Topic '{}' collides with another of this request.",
                topic.name
            );
            return Err(Refusal::new(ErrorCode::InvalidTopicException, message));
        }
        partitions_left = partitions_left.checked_sub(partitions).ok_or_else(|| {
            Refusal::new(
                ErrorCode::PolicyViolation,
                "Excessively large number of partitions per request.",
            )
        })?;
        decided.insert(key);
        let first_log = next_log;
        next_log += LogId::from(partitions);
        Ok(DecidedTopic {
            name: topic.name.clone(),
            id: fresh_id(),
            first_log,
            partitions,
            options: topic.options.clone(),
        })
    };
    wanted.iter().map(&mut decide).collect()
}

/// How many partitions `wanted` gets, if it may be created.
fn create_topic(image: &Image, config: &Config, wanted: &NewTopic) -> Result<u32, Refusal> {
    if let Some(reason) = topic_name::refuse(&wanted.name) {
        return Err(Refusal::new(ErrorCode::InvalidTopicException, reason));
    }
    if image.topic(&wanted.name).is_some() {
        return Err(Refusal::new(
            ErrorCode::TopicAlreadyExists,
            format!("Topic '{}' already exists.", wanted.name),
        ));
    }
    if let Some(other) = image.collision(&wanted.name) {
        let message = format!(
            "Topic '{}' collides with existing topic: {other}",
            wanted.name
        );
        return Err(Refusal::new(ErrorCode::InvalidTopicException, message));
    }
    check_topic_options(config, &wanted.options)?;
    let partitions = if wanted.assignments.is_empty() {
        check_replication_factor(config, wanted.replication_factor)?;
        match wanted.partitions {
            -1 => config.options.num_partitions,
            count => count,
        }
    } else {
        assigned_partitions(config, wanted)?
    };
    if partitions < 1 {
        return Err(Refusal::new(
            ErrorCode::InvalidPartitions,
            "Number of partitions was set to an invalid non-positive value.",
        ));
    }
    check_partition_count(partitions)?;
    Ok(partitions.unsigned_abs())
}

/// The record that brings `topic` to `count` partitions.
pub fn create_partitions(
    image: &Image,
    config: &Config,
    topic: &Topic,
    count: i32,
    assignments: Option<&[Vec<i32>]>,
) -> Result<MetadataRecord, Refusal> {
    refuse_internal(topic)?;
    let now = i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX);
    if count <= now {
        let message = match count == now {
            true => format!("Topic already has {now} partition(s)."),
            false => format!(
                "The topic {} currently has {now} partition(s); {count} would not be an increase.",
                topic.name
            ),
        };
        return Err(Refusal::new(ErrorCode::InvalidPartitions, message));
    }
    let more = count - now;
    check_partition_count(more)?;
    if let Some(assignments) = assignments {
        if assignments.len() != more.unsigned_abs() as usize {
            let message = format!(
                "Attempted to add {more} additional partition(s), but only {} assignment(s) were specified.",
                assignments.len()
            );
            return Err(Refusal::new(ErrorCode::InvalidReplicaAssignment, message));
        }
        for replicas in assignments {
            check_replicas(config, replicas)?;
        }
    }
    Ok(MetadataRecord::Partitions {
        topic_id: topic.id.to_string(),
        first_log: image.next_log,
        partitions: more.unsigned_abs(),
    })
}

/// The record that deletes a topic.
pub fn delete_topic(topic: &Topic) -> Result<MetadataRecord, Refusal> {
    refuse_internal(topic)?;
    Ok(MetadataRecord::TopicDeleted {
        topic_id: topic.id.to_string(),
    })
}

/// The broker's own topics hold what every group has committed: which partition has a group's records must
/// not change, and who deletes them means something else.
fn refuse_internal(topic: &Topic) -> Result<(), Refusal> {
    match topic.internal {
        false => Ok(()),
        true => Err(Refusal::new(
            ErrorCode::InvalidTopicException,
            format!(
                "{} is the broker's own: it can be neither deleted nor repartitioned.",
                topic.name
            ),
        )),
    }
}

/// The record that gives the topic `name` what `change` makes of its own options; none if they stay as they are. Options are looked at
/// before the topic, as Kafka does: who misspells both hears of the option.
pub fn change_topic_options(
    image: &Image,
    config: &Config,
    name: &str,
    change: impl FnOnce(&mut BTreeMap<String, String>) -> Result<(), Refusal>,
) -> Result<Option<MetadataRecord>, Refusal> {
    let topic = image.topic(name);
    let mut options = topic
        .map(|topic| topic.own_options.clone())
        .unwrap_or_default();
    change(&mut options)?;
    check_topic_options(config, &options)?;
    let Some(topic) = topic else {
        return Err(Refusal::new(
            ErrorCode::UnknownTopicOrPartition,
            format!("The topic '{name}' does not exist."),
        ));
    };
    Ok(
        (options != topic.own_options).then(|| MetadataRecord::TopicOptions {
            topic_id: topic.id.to_string(),
            options,
        }),
    )
}

/// What of a topic's own options is not applied yet, so that somebody can be told.
pub fn not_applied_yet(options: &BTreeMap<String, String>) -> Vec<&'static str> {
    let definitions = TopicOptions::DEFINITIONS.iter();
    let given =
        definitions.filter_map(|definition| Some((definition, options.get(definition.name)?)));
    given
        .filter(|(definition, value)| definition.effect_of(value) == Effect::NotYet)
        .map(|(definition, _)| definition.name)
        .collect()
}

/// A topic's options as they would be stored: known and valid, each by itself and together.
pub fn check_topic_options(
    config: &Config,
    options: &BTreeMap<String, String>,
) -> Result<TopicOptions, Refusal> {
    let invalid = |message: String| Refusal::new(ErrorCode::InvalidConfig, message);
    let mut resolved = config.topic_defaults.clone();
    for (name, text) in options {
        let known = resolved
            .set(name, text)
            .map_err(|error| invalid(error.to_string()))?;
        if !known {
            return Err(invalid(format!("Unknown topic config name: {name}")));
        }
    }
    if resolved.min_compaction_lag_ms > resolved.max_compaction_lag_ms {
        return Err(invalid(
            "min.compaction.lag.ms must not be above max.compaction.lag.ms".to_owned(),
        ));
    }
    let batch_bytes_max = config.options.journal_file_bytes / 2;
    if i64::from(resolved.max_message_bytes) > batch_bytes_max {
        return Err(invalid(format!(
            "max.message.bytes must not be above half of journal.file.bytes ({batch_bytes_max})"
        )));
    }
    if resolved.remote_storage_enable {
        return Err(invalid(
            "remote.storage.enable: tiered storage is not enabled in the cluster".to_owned(),
        ));
    }
    Ok(resolved)
}

fn check_partition_count(count: i32) -> Result<(), Refusal> {
    if count <= PARTITIONS_PER_COMMAND_MAX {
        return Ok(());
    }
    let message = format!(
        "Excessively large number of partitions per request: {count} is above {PARTITIONS_PER_COMMAND_MAX}"
    );
    Err(Refusal::new(ErrorCode::PolicyViolation, message))
}

fn check_replication_factor(config: &Config, asked: i16) -> Result<(), Refusal> {
    let factor = match asked {
        -1 => config.options.default_replication_factor,
        given => i32::from(given),
    };
    if factor < 1 {
        return Err(Refusal::new(
            ErrorCode::InvalidReplicationFactor,
            "Replication factor must be larger than 0, or -1 to use the default value.",
        ));
    }
    if factor > 1 && !config.options.replication_factor_above_brokers_accept {
        let message = format!(
            "Unable to replicate the partition {factor} time(s): only 1 broker is there (replication.factor.above.brokers.accept=true takes it as 1)"
        );
        return Err(Refusal::new(ErrorCode::InvalidReplicationFactor, message));
    }
    Ok(())
}

/// With assignments, partitions must be numbered from 0 without gaps, and the numbers themselves left at -1.
fn assigned_partitions(config: &Config, wanted: &NewTopic) -> Result<i32, Refusal> {
    if wanted.partitions != -1 {
        return Err(Refusal::new(
            ErrorCode::InvalidRequest,
            "A manual partition assignment was specified, but numPartitions was not set to -1.",
        ));
    }
    if wanted.replication_factor != -1 {
        return Err(Refusal::new(
            ErrorCode::InvalidRequest,
            "A manual partition assignment was specified, but replication factor was not set to -1.",
        ));
    }
    let mut indexes: Vec<i32> = wanted.assignments.iter().map(|(index, _)| *index).collect();
    indexes.sort_unstable();
    if indexes
        .iter()
        .zip(0..)
        .any(|(index, expected)| *index != expected)
    {
        return Err(Refusal::new(
            ErrorCode::InvalidReplicaAssignment,
            "partitions should be a consecutive 0-based integer sequence",
        ));
    }
    for (_, replicas) in &wanted.assignments {
        check_replicas(config, replicas)?;
    }
    Ok(i32::try_from(indexes.len()).unwrap_or(i32::MAX))
}

fn check_replicas(config: &Config, replicas: &[i32]) -> Result<(), Refusal> {
    let own = config.options.node_id;
    match replicas {
        [] => Err(Refusal::new(
            ErrorCode::InvalidReplicaAssignment,
            "The manual partition assignment includes an empty replica list.",
        )),
        [one] if *one == own => Ok(()),
        many => {
            let unknown = many.iter().find(|id| **id != own);
            let message = match unknown {
                Some(id) => format!(
                    "The manual partition assignment includes broker {id}, but no such broker is registered."
                ),
                None => format!(
                    "The manual partition assignment includes the broker {own} more than once."
                ),
            };
            Err(Refusal::new(ErrorCode::InvalidReplicaAssignment, message))
        }
    }
}

#[cfg(test)]
#[path = "decide_tests.rs"]
mod tests;
