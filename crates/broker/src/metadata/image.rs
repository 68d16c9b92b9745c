//! The cluster's metadata as an immutable image: topics by name and by id, options set at run time, counters. The controller makes a
//! new image from an old one and a record, and swaps it in; handlers read whichever they loaded, without a lock.

use std::collections::BTreeMap;
use std::sync::Arc;

use imbl::OrdMap;
use log::{Log, LogId};
use protocol::{KafkaString, Uuid};

use super::record::MetadataRecord;
use super::topic_name;
use crate::client_metrics::{Subscription, Subscriptions};
use crate::config::{Config, TopicOptions};

/// A topic as of one image.
#[derive(Clone)]
pub struct Topic {
    pub name: KafkaString,
    pub id: Uuid,
    pub internal: bool,
    /// What the topic sets itself.
    pub own_options: BTreeMap<String, String>,
    /// Own options over the broker's defaults.
    pub options: TopicOptions,
    /// One log a partition.
    pub partitions: Vec<Arc<Log>>,
}

impl Topic {
    pub fn partition(&self, index: i32) -> Option<&Arc<Log>> {
        self.partitions.get(usize::try_from(index).ok()?)
    }
}

/// Everything the metadata log says. A clone shares its maps; a change costs its own size.
#[derive(Clone, Default)]
pub struct Image {
    pub cluster_id: String,
    topics: OrdMap<KafkaString, Arc<Topic>>,
    names: OrdMap<Uuid, KafkaString>,
    /// Names as metrics see them, to find collisions.
    collisions: OrdMap<String, KafkaString>,
    /// Broker id as text, or empty for all brokers, to the options set at run time.
    pub broker_options: OrdMap<String, BTreeMap<String, String>>,
    pub client_metrics: Subscriptions,
    pub next_log: LogId,
    pub next_producer_id: i64,
    /// End offset of the part of the metadata log that this image has applied.
    pub end_offset: i64,
}

/// What an image needs of the world to follow a record: it opens logs and resolves options.
pub trait LogOpener {
    fn open(&self, id: LogId, topic: &str, options: &TopicOptions) -> Arc<Log>;
}

/// Log ids below this are the journal's own.
const FIRST_PARTITION_LOG: LogId = 2;

/// A record that does not fit the image: the metadata log is damaged.
#[derive(Clone, Debug, thiserror::Error)]
#[error("metadata log is not consistent: {0}")]
pub struct Inconsistent(String);

impl Image {
    pub fn empty() -> Self {
        Self {
            next_log: FIRST_PARTITION_LOG,
            ..Self::default()
        }
    }

    pub fn topic(&self, name: &str) -> Option<&Arc<Topic>> {
        self.topics.get(name)
    }

    pub fn topic_by_id(&self, id: Uuid) -> Option<&Arc<Topic>> {
        self.topics.get(self.names.get(&id)?)
    }

    /// Ascending by name.
    pub fn topics(&self) -> impl Iterator<Item = &Arc<Topic>> {
        self.topics.values()
    }

    pub fn topic_count(&self) -> usize {
        self.topics.len()
    }

    pub fn partition_count(&self) -> usize {
        self.topics
            .values()
            .map(|topic| topic.partitions.len())
            .sum()
    }

    /// The topic whose name metrics cannot tell from `name`.
    pub fn collision(&self, name: &str) -> Option<&KafkaString> {
        self.collisions.get(&topic_name::collision_key(name))
    }

    /// The image after `record`.
    pub fn apply(
        &self,
        record: &MetadataRecord,
        config: &Config,
        logs: &dyn LogOpener,
    ) -> Result<Self, Inconsistent> {
        let mut next = self.clone();
        next.end_offset += 1;
        match record {
            MetadataRecord::Cluster { id } => next.cluster_id.clone_from(id),
            MetadataRecord::Topic {
                name,
                id,
                first_log,
                partitions,
                options,
            } => {
                let id = topic_id(id)?;
                let resolved = config.topic(options);
                let open = |log: u64| logs.open(log, name, &resolved);
                let topic = Topic {
                    name: KafkaString::from(name.clone()),
                    id,
                    internal: topic_name::is_internal(name),
                    own_options: options.clone(),
                    partitions: log_range(*first_log, *partitions)?.map(open).collect(),
                    options: resolved.clone(),
                };
                if next.topics.contains_key(name.as_str()) {
                    return Err(Inconsistent(format!("topic {name} exists already")));
                }
                next.insert(topic);
                next.next_log = next.next_log.max(first_log + u64::from(*partitions));
            }
            MetadataRecord::Partitions {
                topic_id,
                first_log,
                partitions,
            } => {
                let mut topic = next.known(topic_id)?;
                let options = topic.options.clone();
                let more = log_range(*first_log, *partitions)?;
                topic
                    .partitions
                    .extend(more.map(|log| logs.open(log, &topic.name, &options)));
                next.insert(topic);
                next.next_log = next.next_log.max(first_log + u64::from(*partitions));
            }
            MetadataRecord::TopicDeleted { topic_id } => {
                let topic = next.known(topic_id)?;
                next.topics.remove(&topic.name);
                next.names.remove(&topic.id);
                next.collisions
                    .remove(&topic_name::collision_key(&topic.name));
            }
            MetadataRecord::TopicOptions { topic_id, options } => {
                let mut topic = next.known(topic_id)?;
                topic.own_options.clone_from(options);
                topic.options = config.topic(options);
                next.insert(topic);
            }
            MetadataRecord::BrokerOptions { broker, options } if options.is_empty() => {
                next.broker_options.remove(broker);
            }
            MetadataRecord::BrokerOptions { broker, options } => {
                next.broker_options.insert(broker.clone(), options.clone());
            }
            MetadataRecord::ClientMetrics { name, options } => {
                let all = &mut next.client_metrics.all;
                match options.is_empty() {
                    true => all.remove(name),
                    false => {
                        let subscription = Subscription::new(options.clone());
                        all.insert(name.clone(), Arc::new(subscription))
                    }
                };
                next.client_metrics.version = next.end_offset;
            }
            MetadataRecord::Logs { next: log } => next.next_log = next.next_log.max(*log),
            MetadataRecord::ProducerIds { next: id } => {
                next.next_producer_id = next.next_producer_id.max(*id)
            }
        }
        Ok(next)
    }

    fn insert(&mut self, topic: Topic) {
        let name = topic.name.clone();
        self.names.insert(topic.id, name.clone());
        self.collisions
            .insert(topic_name::collision_key(&name), name.clone());
        self.topics.insert(name, Arc::new(topic));
    }

    fn known(&self, id: &str) -> Result<Topic, Inconsistent> {
        let topic = self.topic_by_id(topic_id(id)?);
        topic
            .map(|topic| (**topic).clone())
            .ok_or_else(|| Inconsistent(format!("no topic has id {id}")))
    }

    /// The records that make this image from an empty one: its snapshot.
    pub fn records(&self) -> Vec<MetadataRecord> {
        let mut records = vec![MetadataRecord::Cluster {
            id: self.cluster_id.clone(),
        }];
        for topic in self.topics() {
            records.extend(topic_records(topic));
        }
        for (broker, options) in &self.broker_options {
            records.push(MetadataRecord::BrokerOptions {
                broker: broker.clone(),
                options: options.clone(),
            });
        }
        for (name, subscription) in &self.client_metrics.all {
            records.push(MetadataRecord::ClientMetrics {
                name: name.clone(),
                options: subscription.own_options.clone(),
            });
        }
        records.push(MetadataRecord::Logs {
            next: self.next_log,
        });
        records.push(MetadataRecord::ProducerIds {
            next: self.next_producer_id,
        });
        records
    }
}

/// A topic's logs are runs of consecutive ids, one for each time partitions were added.
fn topic_records(topic: &Topic) -> Vec<MetadataRecord> {
    let mut runs: Vec<(LogId, u32)> = Vec::new();
    for log in &topic.partitions {
        match runs.last_mut() {
            Some((first, count)) if *first + LogId::from(*count) == log.id() => *count += 1,
            _ => runs.push((log.id(), 1)),
        }
    }
    let mut records = Vec::new();
    for (at, (first_log, partitions)) in runs.into_iter().enumerate() {
        records.push(match at {
            0 => MetadataRecord::Topic {
                name: topic.name.to_string(),
                id: topic.id.to_string(),
                first_log,
                partitions,
                options: topic.own_options.clone(),
            },
            _ => MetadataRecord::Partitions {
                topic_id: topic.id.to_string(),
                first_log,
                partitions,
            },
        });
    }
    records
}

fn topic_id(text: &str) -> Result<Uuid, Inconsistent> {
    text.parse()
        .map_err(|_| Inconsistent(format!("'{text}' is no topic id")))
}

fn log_range(first: LogId, count: u32) -> Result<std::ops::Range<LogId>, Inconsistent> {
    let end = first.checked_add(LogId::from(count));
    let end = end.ok_or_else(|| Inconsistent(format!("log ids from {first} overflow")))?;
    if first < FIRST_PARTITION_LOG {
        return Err(Inconsistent(format!("log {first} is the journal's own")));
    }
    Ok(first..end)
}
