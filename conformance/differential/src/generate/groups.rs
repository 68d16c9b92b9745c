//! The classic group protocol: members that join, agree, live and leave; groups as admins see them.

use serde_json::{Value, json};

use super::dice::Dice;
use super::world::World;

pub(super) fn find_coordinator(dice: &mut Dice, world: &World) -> (&'static str, Value) {
    let keys =
        dice.some(|dice| dice.mostly(&[world.named("g"), world.named("h")], &[String::new()]));
    let request = json!({
        "key": dice.mostly(&[world.named("g")], &[String::new()]),
        "key_type": dice.mostly(&[0], &[3, -1]),
        "coordinator_keys": keys,
    });
    ("FindCoordinator", request)
}

pub(super) fn join_group(dice: &mut Dice, world: &World) -> (&'static str, Value) {
    let known = world.member(dice);
    let (group_id, member_id) = match dice.one_in(4) {
        true => (world.group(dice), json!("")),
        false => (known.group_id, known.member_id),
    };
    let protocols: Vec<Value> = dice
        .mostly(
            &[vec!["range"], vec!["range", "roundrobin"]],
            &[vec![], vec!["sticky"], vec![""]],
        )
        .into_iter()
        .map(|name| json!({"name": name, "metadata": dice.mostly(&["0001"], &["", "02"])}))
        .collect();
    let request = json!({
        "group_id": dice.mostly(&[group_id], &[String::new()]),
        "session_timeout_ms": dice.mostly(&[45_000, 1_800_000, 6000], &[5999, 1_800_001, 0, -1]),
        "rebalance_timeout_ms": 300_000,
        "member_id": member_id,
        "group_instance_id": dice.mostly(&[Value::Null], &[json!("i"), json!("i"), json!("j"), json!("")]),
        "protocol_type": dice.mostly(&["consumer"], &["connect", ""]),
        "protocols": protocols,
        "reason": dice.mostly(&[Value::Null], &[json!("because")]),
    });
    ("JoinGroup", request)
}

pub(super) fn sync_group(dice: &mut Dice, world: &World) -> (&'static str, Value) {
    let member = world.member(dice);
    let assignments = match dice.one_in(4) {
        true => vec![],
        false => {
            vec![json!({"member_id": member.member_id, "assignment": dice.pick(&["0a0b", ""])})]
        }
    };
    let request = json!({
        "group_id": dice.mostly(&[member.group_id], &[String::new(), world.named("h")]),
        "generation_id": generation(dice, member.generation_id),
        "member_id": member.member_id,
        "group_instance_id": instance(dice),
        "protocol_type": dice.mostly(&[json!("consumer"), Value::Null], &[json!("connect")]),
        "protocol_name": dice.mostly(&[json!("range"), Value::Null], &[json!("sticky")]),
        "assignments": assignments,
    });
    ("SyncGroup", request)
}

/// Mostly the member's own.
pub(super) fn generation(dice: &mut Dice, own: Value) -> Value {
    dice.mostly(
        &[own],
        &[json!(-1), json!(0), json!(1), json!(2), json!(99)],
    )
}

pub(super) fn instance(dice: &mut Dice) -> Value {
    dice.mostly(&[Value::Null], &[json!("i"), json!("j")])
}

pub(super) fn heartbeat(dice: &mut Dice, world: &World) -> (&'static str, Value) {
    let member = world.member(dice);
    let request = json!({
        "group_id": dice.mostly(&[member.group_id], &[String::new(), world.named("h")]),
        "generation_id": generation(dice, member.generation_id),
        "member_id": member.member_id,
        "group_instance_id": instance(dice),
    });
    ("Heartbeat", request)
}

pub(super) fn leave_group(dice: &mut Dice, world: &World) -> (&'static str, Value) {
    let member = world.member(dice);
    let members = dice.some(|dice| {
        let other = world.member(dice);
        json!({
            "member_id": dice.mostly(&[other.member_id], &[json!("")]),
            "group_instance_id": instance(dice),
            "reason": null,
        })
    });
    let request = json!({
        "group_id": dice.mostly(&[member.group_id], &[String::new(), world.named("h")]),
        "member_id": member.member_id,
        "members": members,
    });
    ("LeaveGroup", request)
}

pub(super) fn list_groups(dice: &mut Dice, _: &World) -> (&'static str, Value) {
    let states = [
        "Stable",
        "Empty",
        "PreparingRebalance",
        "CompletingRebalance",
        "Dead",
        "stable",
        "nonsense",
    ];
    let types = ["classic", "consumer", "Classic", "share", "nonsense"];
    let is_filtered = dice.one_in(2);
    let request = match is_filtered {
        true => json!({
            "states_filter": dice.some(|dice| dice.pick(&states)),
            "types_filter": dice.some(|dice| dice.pick(&types)),
        }),
        false => json!({}),
    };
    ("ListGroups", request)
}

pub(super) fn describe_groups(dice: &mut Dice, world: &World) -> (&'static str, Value) {
    let groups = dice.some(|dice| match dice.one_in(6) {
        true => dice.pick(&[String::new(), world.named("missing")]),
        false => world.group(dice),
    });
    let request = json!({"groups": groups, "include_authorized_operations": dice.one_in(3)});
    ("DescribeGroups", request)
}

pub(super) fn delete_groups(dice: &mut Dice, world: &World) -> (&'static str, Value) {
    let groups = dice.some(|dice| match dice.one_in(6) {
        true => dice.pick(&[String::new(), world.named("missing")]),
        false => world.group(dice),
    });
    ("DeleteGroups", json!({"groups_names": groups}))
}
