//! Where the broker's words meet the journal's: a topic's options as a log's, records as a batch. Called by the controller and the
//! coordinators.

use log::{Durability, LogClass, LogConfig};
use protocol::batch_builder::{BatchBuilder, BatchOptions, NewRecord};
use protocol::record::Header;

use crate::config::value;
use crate::config::{Options, TopicOptions};
use crate::metadata::topic_name;

/// How the journal is to keep the logs of a topic.
pub(crate) fn log_config(topic: &str, options: &TopicOptions, broker: &Options) -> LogConfig {
    let internal = topic_name::is_internal(topic);
    LogConfig {
        // What groups commit is worth as much as what topics hold: it follows the broker's choice.
        durability: durability(if internal {
            broker.durability
        } else {
            options.durability
        }),
        class: if internal {
            LogClass::Internal
        } else {
            LogClass::User
        },
        segment_bytes: i64::from(options.segment_bytes),
        segment_ms: options.segment_ms,
        retention_ms: options.retention_ms,
        retention_bytes: options.retention_bytes,
        deletes: options.deletes(),
    }
}

/// The metadata log is always synced, and kept for ever.
pub(crate) fn metadata_log_config() -> LogConfig {
    LogConfig {
        durability: Durability::Sync,
        class: LogClass::Metadata,
        segment_bytes: i64::MAX,
        segment_ms: i64::MAX,
        retention_ms: -1,
        retention_bytes: -1,
        deletes: false,
    }
}

fn durability(choice: value::Durability) -> Durability {
    match choice {
        value::Durability::Sync => Durability::Sync,
        value::Durability::IntervalMs(ms) => Durability::IntervalMs(ms),
        value::Durability::Os => Durability::Os,
    }
}

/// One batch of the broker's own records; `headers` go with the first.
pub(crate) fn batch(
    now_ms: i64,
    mut headers: &[Header<'_>],
    records: impl IntoIterator<Item = (Option<Vec<u8>>, Option<Vec<u8>>)>,
) -> Vec<u8> {
    let mut builder = BatchBuilder::new(BatchOptions::default());
    for (key, value) in records {
        let record = NewRecord {
            timestamp: now_ms,
            key: key.as_deref(),
            value: value.as_deref(),
            headers: std::mem::take(&mut headers),
        };
        let appended = builder.append(&record);
        assert!(
            appended.is_ok(),
            "the broker's own records are far below a batch's limit"
        );
    }
    let built = builder.build();
    assert!(
        built.is_ok(),
        "uncompressed batches cannot fail to compress"
    );
    built.unwrap_or_default()
}
