//! Configuration: Kafka's names in Kafka's `server.properties` form, overridden by environment and flags, parsed once into typed
//! values. `Config` is made by the binary at start and read by the whole broker.
//!
//! In reading order: `value` (types of values), `table` (how an option is declared), `broker_options`, `topic_options` and
//! `client_metrics_options` (the declarations), `reference_tests` (they make docs/configuration.md), `entries` (options as clients
//! are told), `properties` (the file), `origin` (where a value was given), `listener`, `unused` (Kafka's keys that mean nothing here).

pub mod broker_options;
pub mod client_metrics_options;
pub mod entries;
pub mod listener;
pub mod origin;
mod properties;
#[cfg(test)]
mod reference_tests;
pub mod table;
#[cfg(test)]
mod tests;
pub mod topic_options;
mod unused;
pub mod value;

use std::collections::BTreeMap;
use std::fmt::Display;
use std::net::IpAddr;

pub use broker_options::Options;
pub use client_metrics_options::ClientMetricsOptions;
pub use listener::Listener;
use origin::{Given, Origin};
use table::{Definition, Effect};
pub use topic_options::TopicOptions;
use value::InvalidValue;

/// Why a configuration is refused: where it was given, what, and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{given}: {advice}", .origin.as_ref().map(|origin| format!("{origin}: ")).unwrap_or_default())]
pub struct ConfigError {
    /// None for a default, which only another option's value can make wrong.
    pub origin: Option<Origin>,
    /// Empty for a line that sets none.
    pub option: String,
    /// `option=value`, or that line.
    pub given: String,
    pub advice: String,
}

impl ConfigError {
    fn new(option: &str, value: &str, advice: &str) -> Self {
        Self {
            origin: None,
            option: option.to_owned(),
            given: format!("{option}={value}"),
            advice: advice.to_owned(),
        }
    }
}

impl From<InvalidValue> for ConfigError {
    fn from(error: InvalidValue) -> Self {
        Self::new(&error.name, &error.value, &error.expected)
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
    pub given: BTreeMap<String, Given>,
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

/// What the file is called where only its text is known.
const FILE_NAME: &str = "server.properties";

impl Config {
    /// As `load_file`, for a text of no particular file.
    pub fn load(
        text: &str,
        environment: impl Iterator<Item = (String, String)>,
        flags: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        Self::load_file(FILE_NAME, text, environment, flags)
    }

    /// Later sources win: the file (the text of a `server.properties` and what to call it), then `environment`, then `flags`.
    pub fn load_file(
        path: &str,
        text: &str,
        environment: impl Iterator<Item = (String, String)>,
        flags: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let flags = flags.into_iter().map(|(name, value)| {
            let origin = Origin::Flag;
            (name, Given { value, origin })
        });
        let given = from_file(path, text)?
            .into_iter()
            .chain(from_environment(environment))
            .chain(flags);
        let mut config = Config {
            given: given
                .map(|(name, given)| (alias(&name).to_owned(), given))
                .collect(),
            ..Config::default()
        };
        let outcome = config.resolve().and_then(|()| config.check());
        match outcome {
            Ok(()) => Ok(config),
            Err(error) => Err(ConfigError {
                origin: config.origin(&error.option).cloned(),
                ..error
            }),
        }
    }

    /// Where the option `name` was given; None for a default.
    pub fn origin(&self, name: &str) -> Option<&Origin> {
        self.given.get(alias(name)).map(|given| &given.origin)
    }

    /// The option with its value, and where it was given, for a refusal of another option.
    fn beside(&self, name: &str, value: impl Display) -> String {
        match self.origin(name) {
            Some(origin) => format!("{name}={value} ({origin})"),
            None => format!("{name}={value} (the default)"),
        }
    }

    fn resolve(&mut self) -> Result<(), ConfigError> {
        for (name, Given { value: text, .. }) in &self.given {
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
                &format!(
                    "must not be above {}",
                    self.beside(
                        "group.max.session.timeout.ms",
                        options.group_max_session_timeout_ms
                    )
                ),
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
                &format!(
                    "must not be above {batch_bytes_max}, half of {}",
                    self.beside("journal.file.bytes", options.journal_file_bytes)
                ),
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

fn from_file(path: &str, text: &str) -> Result<Vec<(String, Given)>, ConfigError> {
    let origin = |line| Origin::File {
        path: path.to_owned(),
        line,
    };
    let properties = properties::parse(text).map_err(|malformed| ConfigError {
        origin: Some(origin(malformed.line)),
        option: String::new(),
        given: malformed.text.escape_debug().to_string(),
        advice: malformed.advice.to_owned(),
    })?;
    let given = properties.into_iter().map(|property| {
        let given = Given {
            value: property.value,
            origin: origin(property.line),
        };
        (property.key, given)
    });
    Ok(given.collect())
}

fn from_environment(
    variables: impl Iterator<Item = (String, String)>,
) -> impl Iterator<Item = (String, Given)> {
    let names: BTreeMap<String, &'static str> = option_names()
        .map(|name| (name.to_ascii_uppercase().replace(['.', '-'], "_"), name))
        .collect();
    variables.filter_map(move |(variable, value)| {
        let short = variable.strip_prefix(ENVIRONMENT_PREFIX)?;
        if short == LOG_FILTER {
            return None;
        }
        // A name that nobody knows is told as it was given.
        let name = names.get(short).map_or(&*variable, |name| name).to_owned();
        let origin = Origin::Environment(variable);
        Some((name, Given { value, origin }))
    })
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
    given: &BTreeMap<String, Given>,
    defaults: &mut TopicOptions,
) -> Result<(), ConfigError> {
    for interval in INTERVALS {
        let in_ms = TopicOptions::DEFINITIONS
            .iter()
            .find(|definition| definition.name == interval.topic_option);
        let Some(Given { value: text, .. }) = given.get(interval.name) else {
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
        let set = defaults.set(interval.topic_option, &ms.to_string());
        set.map_err(|error| ConfigError::new(interval.name, text, &error.expected))?;
    }
    Ok(())
}
