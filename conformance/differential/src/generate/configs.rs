//! Options of topics and of the broker: shown and altered.

use serde_json::{Value, json};

use super::dice::Dice;
use super::world::World;

const TOPIC: i8 = 2;

/// Names with values that are good and values that are not.
const OPTIONS: &[(&str, &[&str])] = &[
    (
        "cleanup.policy",
        &[
            "delete",
            "compact",
            "compact,delete",
            "",
            "nonsense",
            "delete,delete",
            " compact ",
        ],
    ),
    (
        "compression.type",
        &[
            "producer",
            "gzip",
            "zstd",
            "lz4",
            "snappy",
            "uncompressed",
            "none",
            "GZIP",
        ],
    ),
    ("compression.gzip.level", &["-1", "1", "9", "0", "10"]),
    ("compression.lz4.level", &["1", "17", "9", "0", "18"]),
    (
        "compression.zstd.level",
        &["3", "22", "23", "-131072", "-131073"],
    ),
    ("delete.retention.ms", &["86400000", "0", "-1", "x"]),
    ("file.delete.delay.ms", &["60000", "0", "-1"]),
    ("flush.messages", &["1", "0", "9223372036854775807"]),
    ("flush.ms", &["1000", "0", "-1"]),
    ("index.interval.bytes", &["4096", "0", "-1", "2147483648"]),
    (
        "max.compaction.lag.ms",
        &["1", "0", "9223372036854775807", "-1"],
    ),
    ("max.message.bytes", &["1000000", "0", "-1", "2147483647"]),
    ("message.timestamp.after.max.ms", &["3600000", "0", "-1"]),
    (
        "message.timestamp.before.max.ms",
        &["9223372036854775807", "0", "-1"],
    ),
    (
        "message.timestamp.type",
        &["CreateTime", "LogAppendTime", "createtime", ""],
    ),
    (
        "min.cleanable.dirty.ratio",
        &["0.5", "0", "1", "1.1", "-0.1", "x"],
    ),
    ("min.compaction.lag.ms", &["0", "5", "-1"]),
    ("min.insync.replicas", &["1", "2", "0"]),
    ("preallocate", &["true", "false", "TRUE", "yes"]),
    ("retention.bytes", &["-1", "1000000", "-2", "0"]),
    (
        "retention.ms",
        &["-1", "0", "604800000", "-2", "", " 5 ", "5.0"],
    ),
    (
        "segment.bytes",
        &["1048576", "1048575", "14", "1073741824", "2147483648"],
    ),
    ("segment.index.bytes", &["10485760", "4", "3"]),
    ("segment.jitter.ms", &["0", "5", "-1"]),
    ("segment.ms", &["604800000", "1", "0"]),
    (
        "unclean.leader.election.enable",
        &["false", "true", "maybe"],
    ),
    ("remote.storage.enable", &["false", "true"]),
    ("local.retention.ms", &["-2", "-1", "5", "-3"]),
    ("local.retention.bytes", &["-2", "-1", "5", "-3"]),
    (
        "leader.replication.throttled.replicas",
        &["*", "", "0:1", "x"],
    ),
    (
        "follower.replication.throttled.replicas",
        &["*", "", "0:1,1:1"],
    ),
    ("no.such.option", &["1", ""]),
    ("message.format.version", &["3.0"]),
    ("message.downconversion.enable", &["true", "false"]),
    ("", &["1"]),
];

fn option(dice: &mut Dice) -> (&'static str, Value) {
    // Plain ones often enough that requests succeed as a whole.
    if dice.one_in(2) {
        let (name, value) = dice.pick(&[
            ("retention.ms", "3600000"),
            ("cleanup.policy", "compact"),
            ("max.message.bytes", "2000"),
            ("compression.type", "lz4"),
            ("segment.bytes", "2097152"),
        ]);
        return (name, value.into());
    }
    let (name, values) = dice.pick(OPTIONS);
    let value = match dice.one_in(12) {
        true => Value::Null,
        false => dice.pick(values).into(),
    };
    (name, value)
}

/// Of a topic to be made.
pub(super) fn new_option(dice: &mut Dice) -> Value {
    let (name, value) = option(dice);
    json!({"name": name, "value": value})
}

/// One that is wrong in kind spoils Kafka's whole answer: it is asked for alone.
fn odd_alone(resources: Vec<Value>) -> Vec<Value> {
    let odd = resources.iter().find(|one| one["resource_type"] != TOPIC);
    match odd {
        Some(odd) => vec![odd.clone()],
        None => resources,
    }
}

fn resource(dice: &mut Dice, world: &World) -> (i8, String) {
    match dice.one_in(8) {
        false => (TOPIC, world.topic(dice)),
        true => dice.pick(&[
            (TOPIC, String::new()),
            (TOPIC, world.named("bad name")),
            (4, "2".to_owned()),
            (4, "x".to_owned()),
            (8, "1x".to_owned()),
            (0, world.named("a")),
            (1, world.named("a")),
            (3, world.named("a")),
            (77, world.named("a")),
        ]),
    }
}

pub(super) fn describe_configs(dice: &mut Dice, world: &World) -> (&'static str, Value) {
    let resources = dice.distinct("resource_name", |dice| {
        let (kind, name) = resource(dice, world);
        let keys = match dice.one_in(2) {
            true => Value::Null,
            false => dice.some(|dice| dice.pick(OPTIONS).0).into(),
        };
        json!({"resource_type": kind, "resource_name": name, "configuration_keys": keys})
    });
    let request = json!({
        "resources": odd_alone(resources),
        "include_synonyms": dice.one_in(2),
        "include_documentation": dice.one_in(4),
    });
    ("DescribeConfigs", request)
}

pub(super) fn alter_configs(dice: &mut Dice, world: &World) -> (&'static str, Value) {
    let resources = dice.distinct("resource_name", |dice| {
        let (kind, name) = resource(dice, world);
        json!({"resource_type": kind, "resource_name": name, "configs": dice.some(new_option)})
    });
    let request = json!({"resources": odd_alone(resources), "validate_only": dice.one_in(4)});
    ("AlterConfigs", request)
}

pub(super) fn incremental_alter_configs(dice: &mut Dice, world: &World) -> (&'static str, Value) {
    let resources = dice.distinct("resource_name", |dice| {
        let (kind, name) = resource(dice, world);
        let configs = dice.some(|dice| {
            let (name, value) = option(dice);
            let operation = dice.mostly(&[0, 0, 1, 2, 3], &[4, -1]);
            json!({"name": name, "config_operation": operation, "value": value})
        });
        json!({"resource_type": kind, "resource_name": name, "configs": configs})
    });
    let request = json!({"resources": odd_alone(resources), "validate_only": dice.one_in(4)});
    ("IncrementalAlterConfigs", request)
}
