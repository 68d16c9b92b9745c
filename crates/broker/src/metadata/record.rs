//! The records of the cluster metadata log, and their form: one JSON object per record, so that `kafka-console-consumer` and a pair of
//! eyes can read what happened to a cluster. Written by the controller, replayed into the image.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// One change of the cluster's metadata. Field names are the stored form: never rename one, add with a default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum MetadataRecord {
    /// The cluster's id, made at its first start.
    Cluster { id: String },
    /// A topic with its first partitions: partition 0 is log `first_log`, partition 1 the next, and so on.
    Topic {
        name: String,
        id: String,
        first_log: u64,
        partitions: u32,
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        options: BTreeMap<String, String>,
    },
    /// More partitions of a topic, numbered on from those it has.
    Partitions {
        topic_id: String,
        first_log: u64,
        partitions: u32,
    },
    /// The topic is gone; its logs' ids are never used again.
    TopicDeleted { topic_id: String },
    /// All options that the topic sets itself.
    TopicOptions {
        topic_id: String,
        options: BTreeMap<String, String>,
    },
    /// All options that were set at run time for one broker, or for every broker when `broker` is empty.
    BrokerOptions {
        broker: String,
        options: BTreeMap<String, String>,
    },
    /// All options of a subscription to client metrics; without any it is gone.
    ClientMetrics {
        name: String,
        options: BTreeMap<String, String>,
    },
    /// Log ids below `next` have been given out. In snapshots, which do not tell of deleted topics.
    Logs { next: u64 },
    /// Producer ids below `next` may be in use.
    ProducerIds { next: i64 },
}

/// A stored record that cannot be read: written by a newer version, or damaged.
#[derive(Clone, Debug, thiserror::Error)]
#[error(
    "metadata record is not readable ({reason}); was this folder used by a newer version of Ottla?"
)]
pub struct UnreadableRecord {
    reason: String,
}

impl UnreadableRecord {
    pub(super) fn cut() -> Self {
        Self {
            reason: "it ends early".to_owned(),
        }
    }
}

impl MetadataRecord {
    pub fn encode(&self) -> Vec<u8> {
        // Maps with text keys and numbers: there is nothing in it that JSON cannot say.
        serde_json::to_vec(self).unwrap_or_default()
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, UnreadableRecord> {
        serde_json::from_slice(bytes).map_err(|error| UnreadableRecord {
            reason: error.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stored_form_is_what_the_document_shows() {
        let options = BTreeMap::from([("retention.ms".to_owned(), "1000".to_owned())]);
        for (record, stored) in [
            (
                MetadataRecord::Topic {
                    name: "t".into(),
                    id: "x".into(),
                    first_log: 7,
                    partitions: 3,
                    options: options.clone(),
                },
                r#"{"type":"topic","name":"t","id":"x","first_log":7,"partitions":3,"options":{"retention.ms":"1000"}}"#,
            ),
            (
                MetadataRecord::TopicDeleted {
                    topic_id: "x".into(),
                },
                r#"{"type":"topic_deleted","topic_id":"x"}"#,
            ),
            (
                MetadataRecord::ProducerIds { next: 2000 },
                r#"{"type":"producer_ids","next":2000}"#,
            ),
        ] {
            assert_eq!(String::from_utf8(record.encode()).unwrap(), stored);
            assert_eq!(MetadataRecord::decode(stored.as_bytes()).unwrap(), record);
        }
        assert!(MetadataRecord::decode(b"{\"type\":\"wormhole\"}").is_err());
        assert!(MetadataRecord::decode(b"\xff").is_err());
    }
}
