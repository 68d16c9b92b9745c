//! Options as `DescribeConfigs` and the answer of `CreateTopics` tell them: each with its value, where the value comes from, and what
//! would take its place if that source went. Called by the handlers of both.

use std::collections::BTreeMap;

use super::table::Definition;
use super::value::Kind;
use super::{ClientMetricsOptions, Config, INTERVALS, Options, TopicOptions, alias};

/// Where a value comes from (the number is Kafka's, explicit and never reused).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i8)]
pub enum Source {
    Topic = 1,
    /// File, environment or flag at the broker's start.
    StaticBroker = 4,
    Default = 5,
    /// A subscription to client metrics.
    ClientMetrics = 7,
}

/// One of the places a value can come from, and the value there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Synonym {
    pub name: &'static str,
    pub value: String,
    pub source: Source,
}

/// An option and its value in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub name: &'static str,
    pub value: String,
    pub source: Source,
    /// Only a restart of the broker changes it.
    pub read_only: bool,
    pub kind: Kind,
    pub doc: &'static str,
    /// The value's sources, the one in force first.
    pub synonyms: Vec<Synonym>,
}

impl Entry {
    fn new(
        definition: &Definition,
        name: &'static str,
        value: String,
        synonyms: Vec<Synonym>,
    ) -> Self {
        Self {
            name,
            value,
            source: synonyms
                .first()
                .map_or(Source::Default, |synonym| synonym.source),
            read_only: false,
            kind: definition.kind,
            doc: definition.doc,
            synonyms,
        }
    }
}

/// Every option of a topic that sets `own` itself.
pub fn of_topic(config: &Config, own: &BTreeMap<String, String>) -> Vec<Entry> {
    let resolved = config.topic(own);
    let entry = |definition: &'static Definition| {
        let value = resolved.get(definition.name).unwrap_or_default();
        let own = own.contains_key(definition.name).then(|| Synonym {
            name: definition.name,
            value: value.clone(),
            source: Source::Topic,
        });
        let synonyms = own
            .into_iter()
            .chain(broker_synonyms(config, definition))
            .collect();
        Entry::new(definition, definition.name, value, synonyms)
    };
    TopicOptions::DEFINITIONS.iter().map(entry).collect()
}

/// Every option of a subscription to client metrics that sets `own`. As Kafka tells it, a default is no synonym here.
pub fn of_client_metrics(own: &BTreeMap<String, String>) -> Vec<Entry> {
    let entry = |definition: &'static Definition| {
        let own = own.get(definition.name).map(|value| Synonym {
            name: definition.name,
            value: value.clone(),
            source: Source::ClientMetrics,
        });
        let value = match &own {
            Some(own) => own.value.clone(),
            None => (definition.default)(),
        };
        Entry::new(
            definition,
            definition.name,
            value,
            own.into_iter().collect(),
        )
    };
    ClientMetricsOptions::DEFINITIONS
        .iter()
        .map(entry)
        .collect()
}

/// Every option of the broker, with the defaults it gives to topics.
pub fn of_broker(config: &Config) -> Vec<Entry> {
    let own = Options::DEFINITIONS.iter().map(|definition| {
        let value = config.options.get(definition.name).unwrap_or_default();
        let synonyms = given(config, definition.name)
            .into_iter()
            .chain([default(definition, definition.name)]);
        Entry::new(definition, definition.name, value, synonyms.collect())
    });
    let is_own = |name: &str| {
        Options::DEFINITIONS
            .iter()
            .any(|definition| definition.name == name)
    };
    let for_topics = TopicOptions::DEFINITIONS
        .iter()
        .filter(|definition| !definition.synonym.is_empty() && !is_own(definition.synonym));
    let for_topics = for_topics.map(|definition| {
        let value = config
            .topic_defaults
            .get(definition.name)
            .unwrap_or_default();
        Entry::new(
            definition,
            definition.synonym,
            value,
            broker_synonyms(config, definition),
        )
    });
    own.chain(for_topics)
        .map(|entry| Entry {
            read_only: true,
            ..entry
        })
        .collect()
}

/// Where the broker takes its default of a topic option from.
fn broker_synonyms(config: &Config, definition: &'static Definition) -> Vec<Synonym> {
    if definition.synonym.is_empty() {
        return vec![default(definition, definition.name)];
    }
    let coarser = INTERVALS
        .iter()
        .rev()
        .filter(|interval| interval.topic_option == definition.name);
    let names = std::iter::once(definition.synonym).chain(coarser.map(|interval| interval.name));
    names
        .filter_map(|name| given(config, name))
        .chain([default(definition, definition.synonym)])
        .collect()
}

fn given(config: &Config, name: &'static str) -> Option<Synonym> {
    let given = config.given.get(alias(name))?;
    Some(Synonym {
        name,
        value: given.value.clone(),
        source: Source::StaticBroker,
    })
}

fn default(definition: &'static Definition, name: &'static str) -> Synonym {
    Synonym {
        name,
        value: (definition.default)(),
        source: Source::Default,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(entries: &[Entry], name: &str) -> Entry {
        entries
            .iter()
            .find(|entry| entry.name == name)
            .unwrap_or_else(|| panic!("no {name}"))
            .clone()
    }

    fn config(file: &str) -> Config {
        Config::load(file, std::iter::empty(), []).unwrap()
    }

    #[test]
    fn a_topic_option_comes_from_the_topic_else_the_broker_else_the_default() {
        let own = BTreeMap::from([("retention.ms".to_owned(), "5".to_owned())]);
        let none = BTreeMap::new();
        use Source::{Default, StaticBroker, Topic};
        let (ms, hours, synonym) = ("log.retention.ms", "log.retention.hours", "retention.ms");
        let default = (ms, "604800000", Default);
        for (file, own, value, sources) in [
            ("", &none, "604800000", vec![default]),
            (
                "log.retention.ms=9",
                &none,
                "9",
                vec![(ms, "9", StaticBroker), default],
            ),
            (
                "log.retention.hours=1",
                &none,
                "3600000",
                vec![(hours, "1", StaticBroker), default],
            ),
            ("", &own, "5", vec![(synonym, "5", Topic), default]),
            (
                "log.retention.ms=9",
                &own,
                "5",
                vec![(synonym, "5", Topic), (ms, "9", StaticBroker), default],
            ),
        ] {
            let found = entry(&of_topic(&config(file), own), "retention.ms");
            let synonyms: Vec<_> = found
                .synonyms
                .iter()
                .map(|it| (it.name, it.value.as_str(), it.source))
                .collect();
            assert_eq!(
                (found.value.as_str(), synonyms),
                (value, sources.clone()),
                "{file}"
            );
            assert_eq!(
                (found.source, found.read_only, found.kind),
                (sources[0].2, false, Kind::Long)
            );
        }
    }

    #[test]
    fn a_broker_option_is_static_when_given_and_read_only_always() {
        let config = config("num.partitions=4\nbroker.id=7\nlog.segment.bytes=2000000");
        let entries = of_broker(&config);
        for (name, value, source) in [
            ("num.partitions", "4", Source::StaticBroker),
            ("node.id", "7", Source::StaticBroker),
            ("log.segment.bytes", "2000000", Source::StaticBroker),
            ("message.max.bytes", "1048588", Source::Default),
            ("delete.topic.enable", "true", Source::Default),
            ("durability", "sync", Source::Default),
        ] {
            let found = entry(&entries, name);
            assert_eq!(
                (found.value.as_str(), found.source, found.read_only),
                (value, source, true),
                "{name}"
            );
        }
    }

    #[test]
    fn no_name_is_told_twice() {
        let config = config("");
        for entries in [of_topic(&config, &BTreeMap::new()), of_broker(&config)] {
            let mut names: Vec<_> = entries.iter().map(|entry| entry.name).collect();
            names.sort_unstable();
            let all = names.len();
            names.dedup();
            assert_eq!(names.len(), all);
        }
    }
}
