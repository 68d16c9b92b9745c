//! Offsets of groups: committed, asked for, deleted.

use serde_json::{Value, json};

use super::dice::Dice;
use super::groups::{generation, instance};
use super::world::World;

pub(super) fn offset_commit(dice: &mut Dice, world: &World) -> (&'static str, Value) {
    let member = world.member(dice);
    let (group_id, member_id, generation_id) = match dice.one_in(2) {
        true => (world.group(dice), json!(""), json!(-1)),
        false => {
            let generation_id = generation(dice, member.generation_id);
            (member.group_id, member.member_id, generation_id)
        }
    };
    let topics = dice.distinct("topic_id", |dice| {
        let name = world.topic(dice);
        let partitions = dice.distinct_some("partition_index", |dice| {
            json!({
                "partition_index": dice.mostly(&[0, 1], &[3, 100, -1]),
                "committed_offset": dice.mostly(&[0, 5, 7], &[-1, -2, i64::MAX]),
                "committed_leader_epoch": dice.mostly(&[-1, 0], &[5, -2]),
                "committed_metadata": dice.mostly(
                    &[Value::Null, json!(""), json!("about")],
                    &[json!("m".repeat(4096)), json!("m".repeat(4097))],
                ),
            })
        });
        json!({"name": name, "topic_id": world.id_of(&name), "partitions": partitions})
    });
    let request = json!({
        // The group without a name is every sequence's.
        "group_id": group_id,
        "generation_id_or_member_epoch": generation_id,
        "member_id": member_id,
        "group_instance_id": instance(dice),
        "retention_time_ms": -1,
        "topics": topics,
    });
    ("OffsetCommit", request)
}

pub(super) fn offset_fetch(dice: &mut Dice, world: &World) -> (&'static str, Value) {
    let mut topics = topics(dice, world);
    // Before there were batches of groups there were no topic ids.
    for topic in topics.as_array_mut().into_iter().flatten() {
        topic
            .as_object_mut()
            .map(|fields| fields.remove("topic_id"));
    }
    let groups = dice.distinct("group_id", |dice| {
        json!({
            "group_id": dice.mostly(&[world.named("g"), world.named("h")], &[String::new(), world.named("missing")]),
            "member_id": dice.mostly(&[Value::Null], &[json!(""), json!("nobody")]),
            "member_epoch": dice.mostly(&[-1], &[0, 1]),
            "topics": self::topics(dice, world),
        })
    });
    let request = json!({
        "group_id": dice.mostly(&[world.named("g"), world.named("h")], &[String::new(), world.named("missing")]),
        "topics": topics,
        "groups": groups,
        "require_stable": dice.one_in(2),
    });
    ("OffsetFetch", request)
}

/// Null asks for all.
fn topics(dice: &mut Dice, world: &World) -> Value {
    if dice.one_in(3) {
        return Value::Null;
    }
    let topics = dice.distinct("topic_id", |dice| {
        let name = world.topic(dice);
        let partitions = dice.mostly(&[vec![0], vec![0, 1]], &[vec![3, 0], vec![100], vec![-1]]);
        json!({"name": name, "topic_id": world.id_of(&name), "partition_indexes": partitions})
    });
    topics.into()
}

pub(super) fn offset_delete(dice: &mut Dice, world: &World) -> (&'static str, Value) {
    let topics = dice.distinct("name", |dice| {
        let partitions = dice.distinct_some(
            "partition_index",
            |dice| json!({"partition_index": dice.mostly(&[0, 1], &[3, 100, -1])}),
        );
        json!({"name": world.topic(dice), "partitions": partitions})
    });
    let request = json!({
        "group_id": dice.mostly(&[world.named("g"), world.named("h")], &[String::new(), world.named("missing")]),
        "topics": topics,
    });
    ("OffsetDelete", request)
}
