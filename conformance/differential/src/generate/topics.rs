//! Topics: made, widened, deleted, described.

use anyhow::Result;
use serde_json::{Value, json};

use super::configs;
use super::dice::Dice;
use super::world::World;
use crate::session::Session;

/// What nearly every sequence begins with: two topics.
pub(super) fn open(session: &mut Session, dice: &mut Dice, world: &mut World) -> Result<()> {
    if dice.one_in(12) {
        return Ok(());
    }
    let topic = |name: &str, partitions: i64| json!({"name": world.named(name), "num_partitions": partitions, "replication_factor": 1});
    let topics = json!({"topics": [topic("a", 1), topic("b", 3)]});
    super::ask(session, dice, world, 0, "CreateTopics", topics)
}

pub(super) fn create_topics(dice: &mut Dice, world: &World) -> (&'static str, Value) {
    let topics = dice.some(|dice| new_topic(dice, world));
    let request = json!({
        "topics": topics,
        "timeout_ms": 60_000,
        "validate_only": dice.one_in(4),
    });
    ("CreateTopics", request)
}

fn new_topic(dice: &mut Dice, world: &World) -> Value {
    let long = "x".repeat(250 - world.named("").len());
    let name = match dice.one_in(4) {
        true => dice.pick(&[
            String::new(),
            ".".to_owned(),
            "..".to_owned(),
            world.named("with space"),
            world.named("dot.ted"),
            world.named("dot_ted"),
            world.named("ümlaut"),
            world.named(&long),
            world.named(&long[1..]),
            world.named("sl/ash"),
            "__consumer_offsets".to_owned(),
            "__cluster_metadata".to_owned(),
        ]),
        false => world.named(dice.pick(&["a", "b", "c", "d", "e"])),
    };
    let mut topic = json!({
        "name": name,
        "num_partitions": dice.mostly(&[1, 2, 3, -1], &[0, -2, i32::MIN]),
        "replication_factor": dice.mostly(&[1, -1], &[0, 2, -2, i16::MAX]),
    });
    if dice.one_in(4) {
        topic["configs"] = dice.some(configs::new_option).into();
    }
    if dice.one_in(4) {
        if !dice.one_in(4) {
            topic["num_partitions"] = (-1).into();
            topic["replication_factor"] = (-1).into();
        }
        topic["assignments"] = assignments(dice, 0).into();
    }
    topic
}

/// Replicas of partitions from `first` on.
fn assignments(dice: &mut Dice, first: i64) -> Vec<Value> {
    let mut next = first;
    dice.some(|dice| {
        let partition_index = dice.mostly(&[next], &[0, 5, -1]);
        next += 1;
        json!({"partition_index": partition_index, "broker_ids": brokers(dice)})
    })
}

fn brokers(dice: &mut Dice) -> Vec<i32> {
    dice.mostly(
        &[vec![1]],
        &[vec![], vec![2], vec![1, 1], vec![1, 2], vec![-1]],
    )
}

pub(super) fn create_partitions(dice: &mut Dice, world: &World) -> (&'static str, Value) {
    let topics = dice.some(|dice| {
        let mut topic = json!({
            "name": dice.mostly(
                &[world.named("a"), world.named("b"), world.named("c")],
                &[String::new(), world.named("missing"), world.named("bad name")],
            ),
            "count": dice.mostly(&[2, 3, 4, 5], &[0, 1, -1, i32::MIN]),
            "assignments": null,
        });
        if dice.one_in(3) {
            let assignments = dice.some(|dice| json!({"broker_ids": brokers(dice)}));
            topic["assignments"] = assignments.into();
        }
        topic
    });
    let request = json!({
        "topics": topics,
        "timeout_ms": 60_000,
        "validate_only": dice.one_in(4),
    });
    ("CreatePartitions", request)
}

pub(super) fn delete_topics(dice: &mut Dice, world: &World) -> (&'static str, Value) {
    // Up to version 5 by name, then either.
    let names = dice.some(|dice| world.named(dice.pick(&["a", "c", "d", "missing", ""])));
    let topics = match dice.one_in(3) {
        true => dice.distinct(
            "topic_id",
            |dice| json!({"name": null, "topic_id": world.topic_id(dice)}),
        ),
        false => names.iter().map(|name| json!({"name": name})).collect(),
    };
    let request = json!({"topics": topics, "topic_names": names, "timeout_ms": 60_000});
    ("DeleteTopics", request)
}

pub(super) fn metadata(dice: &mut Dice, world: &World) -> (&'static str, Value) {
    let topics = match dice.one_in(5) {
        true => Value::Null,
        // Clients know all of their topics by id, or all by name.
        false if dice.one_in(3) => dice
            .distinct(
                "topic_id",
                |dice| json!({"topic_id": world.topic_id(dice), "name": null}),
            )
            .into(),
        false => dice
            .distinct("name", |dice| {
                json!({"name": dice.mostly(
                    &[world.named("a"), world.named("b"), world.named("auto")],
                    &[world.named("bad name"), String::new(), world.named("missing")],
                )})
            })
            .into(),
    };
    let request = json!({
        "topics": topics,
        "allow_auto_topic_creation": dice.one_in(4),
        "include_cluster_authorized_operations": dice.one_in(3),
        "include_topic_authorized_operations": dice.one_in(3),
    });
    ("Metadata", request)
}

pub(super) fn describe_topic_partitions(dice: &mut Dice, world: &World) -> (&'static str, Value) {
    let topics = dice.some(|dice| {
        json!({"name": dice.mostly(&[world.named("a"), world.named("b"), world.named("c")],
            &[world.named("missing"), world.named("bad name"), String::new()])})
    });
    let mut request = json!({
        "topics": topics,
        "response_partition_limit": dice.mostly(&[2000, 1, 2], &[0, -1]),
    });
    if topics.is_empty() {
        // All topics: those of other sequences are among them and use up the limit.
        request["response_partition_limit"] = 2000.into();
        request["topics"] = json!([{"name": world.named("a")}]);
    }
    if dice.one_in(3) {
        request["cursor"] = json!({
            "topic_name": world.topic(dice),
            "partition_index": dice.mostly(&[0, 1], &[-1, 7]),
        });
    } else {
        request["cursor"] = Value::Null;
    }
    ("DescribeTopicPartitions", request)
}
