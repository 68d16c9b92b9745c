//! Configuration: Kafka's names in Kafka's `server.properties` form, overridden by environment and flags, parsed once into typed
//! values. `Config` is made by the binary at start and read by the whole broker.
//!
//! In reading order: `value` (types of values), `table` (how an option is declared), `broker_options`, `topic_options` and
//! `client_metrics_options` (the declarations), `reference_tests` (they make docs/configuration.md), `entries` (options as clients are told), `properties` (the file), `listener`, `unused` (Kafka's keys that mean nothing
//! here).

pub mod broker_options;
pub mod client_metrics_options;
pub mod entries;
pub mod listener;
mod properties;
#[cfg(test)]
mod reference_tests;
pub mod table;
pub mod topic_options;
mod unused;
pub mod value;

use std::collections::BTreeMap;
use std::net::IpAddr;

pub use broker_options::Options;
pub use client_metrics_options::ClientMetricsOptions;
pub use listener::Listener;
use table::{Definition, Effect};
pub use topic_options::TopicOptions;
use value::InvalidValue;

/// Why a configuration is refused: the option, what was given, what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{option}={given}: {advice}")]
pub struct ConfigError {
    pub option: String,
    pub given: String,
    pub advice: String,
}

impl ConfigError {
    fn new(option: &str, given: &str, advice: &str) -> Self {
        Self {
            option: option.to_owned(),
            given: given.to_owned(),
            advice: advice.to_owned(),
        }
    }
}

impl From<InvalidValue> for ConfigError {
    fn from(error: InvalidValue) -> Self {
        Self {
            option: error.name,
            given: error.value,
            advice: error.expected,
        }
    }
}

/// The broker's whole configuration, checked.
#[derive(Clone, Debug, Default)]
pub struct Config {
    pub options: Options,
    /// What a topic gets that says nothing of its own.
    pub topic_defaults: TopicOptions,
    pub listeners: Vec<Listener>,
    /// What file, environment and flags set, as they set it: the static source in `DescribeConfigs`.
    pub given: BTreeMap<String, String>,
    /// Kafka's keys that were given and mean nothing here.
    pub unused: Vec<String>,
    /// Keys that were given and are not applied yet.
    pub not_yet: Vec<String>,
    /// Keys that nobody knows.
    pub unknown: Vec<String>,
}

/// Prefix of the environment's variables: `num.partitions` is `OTTLA_NUM_PARTITIONS`.
const ENVIRONMENT_PREFIX: &str = "OTTLA_";
/// Behind the prefix, what the log shows: the binary's own.
const LOG_FILTER: &str = "LOG";

impl Config {
    /// Later sources win: `file` (the text of a `server.properties`), then `environment`, then `flags`.
    pub fn load(
        file: &str,
        environment: impl Iterator<Item = (String, String)>,
        flags: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let names: BTreeMap<String, &'static str> = option_names()
            .map(|name| (name.to_ascii_uppercase().replace(['.', '-'], "_"), name))
            .collect();
        let from_environment = environment.filter_map(|(key, value)| {
            let short = key.strip_prefix(ENVIRONMENT_PREFIX)?;
            let name = names.get(short).map(|name| (*name).to_owned());
            // A name that nobody knows is told as it was given.
            (short != LOG_FILTER).then(|| (name.unwrap_or(key), value))
        });
        let given = properties::parse(file)
            .into_iter()
            .chain(from_environment)
            .chain(flags);
        let mut config = Config {
            given: given
                .map(|(name, value)| (alias(&name).to_owned(), value))
                .collect(),
            ..Config::default()
        };
        config.resolve()?;
        config.check()?;
        Ok(config)
    }

    fn resolve(&mut self) -> Result<(), ConfigError> {
        for (name, text) in &self.given {
            refuse_protection(name, text)?;
            let known = self.options.set(name, text)?
                | set_topic_default(&mut self.topic_defaults, name, text)?;
            if !known && !is_interval(name) {
                let list = if unused::is_kafkas(name) {
                    &mut self.unused
                } else {
                    &mut self.unknown
                };
                list.push(name.to_owned());
            }
            let value = |definition: &Definition| self.topic_defaults.get(definition.name);
            let effect = topic_option_of(name)
                .and_then(|definition| Some(definition.effect_of(&value(definition)?)));
            match effect {
                Some(Effect::Idle) => self.unused.push(name.to_owned()),
                Some(Effect::NotYet) => self.not_yet.push(name.to_owned()),
                Some(Effect::Applied) | None => {}
            }
        }
        set_intervals(&self.given, &mut self.topic_defaults)?;
        self.topic_defaults.durability = self.options.durability;
        self.listeners = listener::listeners(&self.options)?;
        Ok(())
    }

    /// Relations between options, which no single option's check can see.
    fn check(&self) -> Result<(), ConfigError> {
        let options = &self.options;
        if options.log_dirs.len() != 1 {
            return Err(ConfigError::new(
                "log.dirs",
                &options.log_dirs.join(","),
                "name exactly one folder: Ottla keeps one journal, so that one sync covers every partition; join several disks below it (RAID, LVM)",
            ));
        }
        if options.group_min_session_timeout_ms > options.group_max_session_timeout_ms {
            return Err(ConfigError::new(
                "group.min.session.timeout.ms",
                &options.group_min_session_timeout_ms.to_string(),
                "must not be above group.max.session.timeout.ms",
            ));
        }
        for text in &options.max_connections_per_ip_overrides {
            connections_override(text)?;
        }
        let batch_bytes_max = options.journal_file_bytes / 2;
        if i64::from(self.topic_defaults.max_message_bytes) > batch_bytes_max {
            return Err(ConfigError::new(
                "message.max.bytes",
                &self.topic_defaults.max_message_bytes.to_string(),
                &format!("must not be above half of journal.file.bytes ({batch_bytes_max})"),
            ));
        }
        Ok(())
    }

    /// A topic's options: the broker's defaults under the topic's own.
    pub fn topic(&self, own: &BTreeMap<String, String>) -> TopicOptions {
        let mut options = self.topic_defaults.clone();
        for (name, text) in own {
            // What was stored had been checked; a value that a newer version no longer takes falls back to the default.
            if options.set(name, text).is_err() {
                tracing::warn!(
                    option = name,
                    value = text,
                    "stored topic option is not valid any more; using the default"
                );
            }
        }
        options
    }
}

/// Older or shorter names of options.
const ALIASES: [(&str, &str); 2] = [("log.dir", "log.dirs"), ("broker.id", "node.id")];

fn alias(name: &str) -> &str {
    let found = ALIASES.iter().find(|(other, _)| *other == name);
    found.map_or(name, |(_, name)| name)
}

/// Whoever asks for protection must not be served without.
fn refuse_protection(name: &str, text: &str) -> Result<(), ConfigError> {
    let names = ["authorizer.class.name", "super.users"];
    let asks = names.contains(&name) || name.starts_with("sasl.") || name.starts_with("ssl.");
    if !asks || text.trim().is_empty() {
        return Ok(());
    }
    Err(ConfigError::new(
        name,
        text,
        "authentication, authorization and encryption are not served yet: take the key out only where the network alone may protect the broker",
    ))
}

/// An entry of `max.connections.per.ip.overrides`: an address and how many connections it may have.
pub fn connections_override(text: &str) -> Result<(IpAddr, i32), ConfigError> {
    let entry = text.rsplit_once(':').and_then(|(host, limit)| {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        Some((host.parse().ok()?, limit.trim().parse().ok()?))
    });
    entry.filter(|(_, limit)| *limit >= 0).ok_or_else(|| {
        ConfigError::new(
            "max.connections.per.ip.overrides",
            text,
            "expected ADDRESS:COUNT, such as 10.0.0.7:200",
        )
    })
}

fn option_names() -> impl Iterator<Item = &'static str> {
    let topic = TopicOptions::DEFINITIONS
        .iter()
        .map(|definition| definition.synonym);
    let own = Options::DEFINITIONS
        .iter()
        .map(|definition| definition.name);
    own.chain(topic)
        .chain(INTERVALS.iter().map(|interval| interval.name))
        .chain(ALIASES.iter().map(|(other, _)| *other))
        .filter(|name| !name.is_empty())
}

/// The topic option whose broker-wide default the broker option `name` sets.
pub fn topic_option_of(name: &str) -> Option<&'static Definition> {
    TopicOptions::DEFINITIONS
        .iter()
        .find(|definition| !definition.synonym.is_empty() && definition.synonym == name)
}

fn set_topic_default(
    defaults: &mut TopicOptions,
    name: &str,
    text: &str,
) -> Result<bool, InvalidValue> {
    match topic_option_of(name) {
        Some(definition) => defaults
            .set(definition.name, text)
            .map_err(|error| InvalidValue {
                name: name.to_owned(),
                ..error
            }),
        None => Ok(false),
    }
}

/// A broker option in hours or minutes that gives way to the one in ms.
struct Interval {
    name: &'static str,
    unit_ms: i64,
    topic_option: &'static str,
}

/// Coarser units first: the finer one wins.
const INTERVALS: &[Interval] = &[
    Interval {
        name: "log.retention.hours",
        unit_ms: 3_600_000,
        topic_option: "retention.ms",
    },
    Interval {
        name: "log.retention.minutes",
        unit_ms: 60_000,
        topic_option: "retention.ms",
    },
    Interval {
        name: "log.roll.hours",
        unit_ms: 3_600_000,
        topic_option: "segment.ms",
    },
    Interval {
        name: "log.roll.jitter.hours",
        unit_ms: 3_600_000,
        topic_option: "segment.jitter.ms",
    },
];

fn is_interval(name: &str) -> bool {
    INTERVALS.iter().any(|interval| interval.name == name)
}

fn set_intervals(
    given: &BTreeMap<String, String>,
    defaults: &mut TopicOptions,
) -> Result<(), ConfigError> {
    for interval in INTERVALS {
        let in_ms = TopicOptions::DEFINITIONS
            .iter()
            .find(|definition| definition.name == interval.topic_option);
        let Some(text) = given.get(interval.name) else {
            continue;
        };
        if in_ms.is_some_and(|definition| given.contains_key(definition.synonym)) {
            continue;
        }
        let units: i64 = table::parse(
            interval.name,
            text,
            value::Check::Range(-1, i64::MAX / interval.unit_ms),
        )?;
        let ms = if units < 0 {
            -1
        } else {
            units * interval.unit_ms
        };
        defaults.set(interval.topic_option, &ms.to_string())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
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
    fn every_default_passes_its_own_check() {
        for definition in Options::DEFINITIONS.iter().chain(TopicOptions::DEFINITIONS) {
            assert!(
                definition.check.accepts(&(definition.default)()),
                "{}",
                definition.name
            );
        }
    }
}
