//! What `Config::load_file` makes of a file, of variables and of flags, and what it refuses.

use super::value::Durability;
use super::*;

fn load(file: &str) -> Result<Config, ConfigError> {
    Config::load(file, std::iter::empty(), [])
}

#[test]
fn no_file_is_loopback_synced_and_named_like_kafkas_defaults() {
    let config = load("").unwrap();
    assert_eq!(config.listeners[0].host, "127.0.0.1");
    assert_eq!(config.topic_defaults.durability, Durability::Sync);
    assert_eq!(config.topic_defaults.retention_ms, 604_800_000);
    assert!(config.unknown.is_empty() && config.unused.is_empty());
}

#[test]
fn flags_win_over_environment_over_file() {
    let environment = [
        ("OTTLA_NUM_PARTITIONS", "3"),
        ("OTTLA_BROKER_ID", "7"),
        ("OTTLA_NUM_PARTITION", "9"),
        ("OTTLA_LOG", "info"),
        ("HOME", "/x"),
    ];
    let environment = environment
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .into_iter();
    let flags = [("num.partitions", "4"), ("log.dir", "flag")];
    let flags = flags.map(|(k, v)| (k.to_owned(), v.to_owned()));
    let config = Config::load(
        "num.partitions=2\nnode.id=5\nbroker.rack=r1\nlog.dirs=file",
        environment,
        flags,
    )
    .unwrap();
    assert_eq!(config.options.num_partitions, 4);
    assert_eq!(config.options.node_id, 7);
    assert_eq!(config.options.broker_rack, "r1");
    assert_eq!(config.options.log_dirs, ["flag"], "by whatever name");
    assert_eq!(config.unknown, ["OTTLA_NUM_PARTITION"]);
}

#[test]
fn a_stock_kraft_file_starts_and_its_idle_keys_are_named() {
    let config = load(
        "process.roles=broker,controller\nnode.id=1\nlisteners=PLAINTEXT://:9092,CONTROLLER://:9093\n\
         controller.listener.names=CONTROLLER\nlistener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT\n\
         num.network.threads=3\nlog.dirs=d\nlog.retention.hours=168\nlog.segment.bytes=1073741824\nnot.a.key=1",
    )
    .unwrap();
    assert_eq!(config.unused, ["num.network.threads", "process.roles"]);
    assert_eq!(config.unknown, ["not.a.key"]);
    assert_eq!(config.listeners.len(), 1);
}

#[test]
fn what_is_not_applied_is_told() {
    let config = load(
        "log.cleanup.policy=compact\nlog.flush.interval.ms=1000\nmin.insync.replicas=1\nlog.retention.ms=5",
    )
    .unwrap();
    assert_eq!(config.not_yet, ["log.cleanup.policy"]);
    assert_eq!(config.unused, ["log.flush.interval.ms"]);
}

#[test]
fn the_finer_unit_of_an_interval_wins() {
    for (file, retention_ms) in [
        ("log.retention.hours=1", 3_600_000),
        ("log.retention.hours=1\nlog.retention.minutes=2", 120_000),
        ("log.retention.hours=1\nlog.retention.ms=5", 5),
        ("log.retention.hours=-1", -1),
    ] {
        assert_eq!(
            load(file).unwrap().topic_defaults.retention_ms,
            retention_ms,
            "{file}"
        );
    }
}

#[test]
fn refusals_name_the_option_and_the_way_out() {
    for (file, expected) in [
        ("log.dirs=a,b", "exactly one folder"),
        ("num.partitions=0", "a number from 1"),
        ("num.partitions=many", "whole number"),
        ("log.segment.bytes=5", "log.segment.bytes=5"),
        ("message.max.bytes=99999999", "journal.file.bytes"),
        (
            "group.min.session.timeout.ms=9\ngroup.max.session.timeout.ms=8",
            "group.max.session.timeout.ms",
        ),
        ("durability=never", "100ms"),
        (
            "log.message.timestamp.type=LogAppendTime,CreateTime",
            "one of",
        ),
        ("log.message.timestamp.type=", "one of"),
        ("log.cleaner.min.cleanable.ratio=-5", "from 0 to 1"),
        ("log.cleanup.policy=delete,shrink", "a list of"),
        ("authorizer.class.name=Any", "not served yet"),
        ("sasl.enabled.mechanisms=PLAIN", "not served yet"),
        ("max.connections.per.ip.overrides=10.0.0.7", "ADDRESS:COUNT"),
        (
            "max.connections.per.ip.overrides=10.0.0.7:2,box:3",
            "ADDRESS:COUNT",
        ),
    ] {
        let error = load(file).unwrap_err().to_string();
        assert!(error.contains(expected), "{file}: {error}");
    }
}

#[test]
fn refusals_name_the_place_of_the_value() {
    let load = |file, variable: Option<(&str, &str)>, flag: Option<(&str, &str)>| {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let environment = variable.map(owned).into_iter();
        let error = Config::load_file("etc/a.properties", file, environment, flag.map(owned));
        error.unwrap_err().to_string()
    };
    for (file, variable, flag, expected) in [
        (
            "node.id=1\n\nnum.partitions=0",
            None,
            None,
            "etc/a.properties:3: num.partitions=0: expected a number from 1 to 1000000",
        ),
        (
            "num.partitions=1",
            Some(("OTTLA_NUM_PARTITIONS", "0")),
            None,
            "OTTLA_NUM_PARTITIONS: num.partitions=0: ",
        ),
        (
            "num.partitions=0",
            None,
            Some(("num.partitions", "many")),
            "--set: num.partitions=many: ",
        ),
        (
            "log.dir=a,b",
            None,
            None,
            "etc/a.properties:1: log.dirs=a,b: ",
        ),
        (
            "\nlog.roll.hours=0",
            None,
            None,
            "etc/a.properties:2: log.roll.hours=0: expected ",
        ),
        (
            "listeners=SSL://:9092",
            None,
            None,
            "etc/a.properties:1: listeners=SSL://:9092: ",
        ),
        (
            "\nsasl.enabled.mechanisms=PLAIN",
            None,
            None,
            "etc/a.properties:2: sasl.enabled.mechanisms=PLAIN: ",
        ),
        (
            "\n\ngroup.max.session.timeout.ms=5",
            None,
            None,
            "group.min.session.timeout.ms=6000: must not be above group.max.session.timeout.ms=5 (etc/a.properties:3)",
        ),
        (
            "message.max.bytes=99999999",
            None,
            None,
            "etc/a.properties:1: message.max.bytes=99999999: must not be above 33554432, half of journal.file.bytes=67108864 (the default)",
        ),
        (
            "node.id=1\n[broker]",
            None,
            None,
            "etc/a.properties:2: [broker]: a key has ",
        ),
    ] {
        let told = load(file, variable, flag);
        assert!(told.starts_with(expected), "{file}: {told}");
    }
}

#[test]
fn every_default_passes_its_own_check() {
    for definition in Options::DEFINITIONS.iter().chain(TopicOptions::DEFINITIONS) {
        assert!(
            definition.check.accepts(&(definition.default)()),
            "{}",
            definition.name
        );
    }
}
