//! Every option of a topic, declared once: its name, the broker option that gives its default, its check. Read through `TopicOptions`.

use protocol::compression::Codec;

use super::table::options;
use super::value::Check::{Any, AnyOf, Fraction, OneOf, Range};
use super::value::Durability;

const MAX: i64 = i64::MAX;
/// What Kafka calls the largest INT.
const INT_MAX: i64 = 2_147_483_647;

options! {
    /// A topic's resolved options: Kafka's defaults, overridden by the broker's, overridden by the topic's own.
    pub struct TopicOptions {
        #[doc = "What happens to old records: delete, compact, both, or nothing when empty. Compaction is not there yet: with compact, keys are asked for and every record is kept."]
        "cleanup.policy" / "log.cleanup.policy" => cleanup_policy: Vec<String> = vec!["delete".to_owned()], AnyOf(&["delete", "compact"]), NotYet;
        #[doc = "Compression of stored batches: producer keeps what the producer sent; with any other, a batch that came otherwise is compressed anew, which costs CPU and bounds its records by a hundred times max.message.bytes."]
        "compression.type" / "compression.type" => compression_type: String = "producer".to_owned(), OneOf(&["producer", "uncompressed", "gzip", "snappy", "lz4", "zstd"]);
        #[doc = "Level of gzip where compression.type asks for it, -1 for its default."]
        "compression.gzip.level" / "compression.gzip.level" => compression_gzip_level: i32 = -1, OneOf(&["-1", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
        #[doc = "Accepted for Kafka's sake; lz4 has one level here."]
        "compression.lz4.level" / "compression.lz4.level" => compression_lz4_level: i32 = 9, Range(1, 17), Idle;
        #[doc = "Level of zstd where compression.type asks for it."]
        "compression.zstd.level" / "compression.zstd.level" => compression_zstd_level: i32 = 3, Range(-131_072, 22);
        #[doc = "How long a deleted record's tombstone is kept in a compacted topic, ms."]
        "delete.retention.ms" / "log.cleaner.delete.retention.ms" => delete_retention_ms: i64 = 86_400_000, Range(0, MAX), NotYet;
        #[doc = "When a record counts as acknowledged: sync, an interval such as 100ms, or os."]
        "durability" / "durability" => durability: Durability = Durability::Sync, Any;
        #[doc = "Accepted for Kafka's sake; the journal frees space when nobody reads it any more."]
        "file.delete.delay.ms" / "log.segment.delete.delay.ms" => file_delete_delay_ms: i64 = 60_000, Range(0, MAX), Idle;
        #[doc = "Accepted for Kafka's sake; use durability."]
        "flush.messages" / "log.flush.interval.messages" => flush_messages: i64 = MAX, Range(1, MAX), Idle;
        #[doc = "Accepted for Kafka's sake; use durability."]
        "flush.ms" / "log.flush.interval.ms" => flush_ms: i64 = MAX, Range(0, MAX), Idle;
        #[doc = "Accepted for Kafka's sake; there is one replica."]
        "follower.replication.throttled.replicas" / "" => follower_replication_throttled_replicas: Vec<String> = Vec::new(), Any, Idle;
        #[doc = "Accepted for Kafka's sake; indexes are per run."]
        "index.interval.bytes" / "log.index.interval.bytes" => index_interval_bytes: i32 = 4096, Range(0, INT_MAX), Idle;
        #[doc = "Accepted for Kafka's sake; there is one replica."]
        "leader.replication.throttled.replicas" / "" => leader_replication_throttled_replicas: Vec<String> = Vec::new(), Any, Idle;
        #[doc = "Accepted for Kafka's sake; there is no tiered storage."]
        "local.retention.bytes" / "log.local.retention.bytes" => local_retention_bytes: i64 = -2, Range(-2, MAX), Idle;
        #[doc = "Accepted for Kafka's sake; there is no tiered storage."]
        "local.retention.ms" / "log.local.retention.ms" => local_retention_ms: i64 = -2, Range(-2, MAX), Idle;
        #[doc = "Longest time a record stays uncompacted, ms."]
        "max.compaction.lag.ms" / "log.cleaner.max.compaction.lag.ms" => max_compaction_lag_ms: i64 = MAX, Range(1, MAX), NotYet;
        #[doc = "Largest record batch, as sent, bytes."]
        "max.message.bytes" / "message.max.bytes" => max_message_bytes: i32 = 1_048_588, Range(0, INT_MAX);
        #[doc = "A record stamped later than now plus this is refused, ms."]
        "message.timestamp.after.max.ms" / "log.message.timestamp.after.max.ms" => message_timestamp_after_max_ms: i64 = 3_600_000, Range(0, MAX);
        #[doc = "A record stamped earlier than now minus this is refused, ms."]
        "message.timestamp.before.max.ms" / "log.message.timestamp.before.max.ms" => message_timestamp_before_max_ms: i64 = MAX, Range(0, MAX);
        #[doc = "Whose time a record carries: the producer's (CreateTime) or the broker's (LogAppendTime)."]
        "message.timestamp.type" / "log.message.timestamp.type" => message_timestamp_type: String = "CreateTime".to_owned(), OneOf(&["CreateTime", "LogAppendTime"]);
        #[doc = "Share of a log that must be dirty before it is compacted."]
        "min.cleanable.dirty.ratio" / "log.cleaner.min.cleanable.ratio" => min_cleanable_dirty_ratio: f64 = 0.5, Fraction, NotYet;
        #[doc = "Shortest time a record stays uncompacted, ms."]
        "min.compaction.lag.ms" / "log.cleaner.min.compaction.lag.ms" => min_compaction_lag_ms: i64 = 0, Range(0, MAX), NotYet;
        #[doc = "Accepted for Kafka's sake; there is one replica, and it is in sync."]
        "min.insync.replicas" / "min.insync.replicas" => min_insync_replicas: i32 = 1, Range(1, INT_MAX), Idle;
        #[doc = "Accepted for Kafka's sake; the journal always preallocates."]
        "preallocate" / "log.preallocate" => preallocate: bool = false, Any, Idle;
        #[doc = "Tiered storage of this topic; refused, as there is none."]
        "remote.storage.enable" / "" => remote_storage_enable: bool = false, Any;
        #[doc = "Accepted for Kafka's sake; there is no tiered storage."]
        "remote.log.copy.disable" / "" => remote_log_copy_disable: bool = false, Any, Idle;
        #[doc = "Accepted for Kafka's sake; there is no tiered storage."]
        "remote.log.delete.on.disable" / "" => remote_log_delete_on_disable: bool = false, Any, Idle;
        #[doc = "Largest size of a partition before its oldest segments go, bytes; -1 for none."]
        "retention.bytes" / "log.retention.bytes" => retention_bytes: i64 = -1, Range(-1, MAX);
        #[doc = "How long records are kept, ms; -1 for ever."]
        "retention.ms" / "log.retention.ms" => retention_ms: i64 = 604_800_000, Range(-1, MAX);
        #[doc = "Size at which a partition's segment is rolled, bytes: what is expired or compacted goes by whole segments."]
        "segment.bytes" / "log.segment.bytes" => segment_bytes: i32 = 1_073_741_824, Range(1_048_576, INT_MAX);
        #[doc = "Accepted for Kafka's sake."]
        "segment.index.bytes" / "log.index.size.max.bytes" => segment_index_bytes: i32 = 10_485_760, Range(4, INT_MAX), Idle;
        #[doc = "Random part taken off segment.ms, ms."]
        "segment.jitter.ms" / "log.roll.jitter.ms" => segment_jitter_ms: i64 = 0, Range(0, MAX), NotYet;
        #[doc = "Age at which a partition's segment is rolled, ms."]
        "segment.ms" / "log.roll.ms" => segment_ms: i64 = 604_800_000, Range(1, MAX);
        #[doc = "Accepted for Kafka's sake; there is one replica."]
        "unclean.leader.election.enable" / "unclean.leader.election.enable" => unclean_leader_election_enable: bool = false, Any, Idle;
    }
}

impl TopicOptions {
    pub fn deletes(&self) -> bool {
        self.cleanup_policy.iter().any(|policy| policy == "delete")
    }

    pub fn compacts(&self) -> bool {
        self.cleanup_policy.iter().any(|policy| policy == "compact")
    }

    /// What batches are stored under; none where they stay as the producer compressed them.
    pub fn codec(&self) -> Option<Codec> {
        match self.compression_type.as_str() {
            "uncompressed" => Some(Codec::None),
            "gzip" => Some(Codec::Gzip),
            "snappy" => Some(Codec::Snappy),
            "lz4" => Some(Codec::Lz4),
            "zstd" => Some(Codec::Zstd),
            _ => None,
        }
    }

    /// None for the codec's own default, and for one that has no levels.
    pub fn compression_level(&self, codec: Codec) -> Option<i32> {
        match codec {
            Codec::Gzip => Some(self.compression_gzip_level).filter(|level| *level > 0),
            Codec::Zstd => Some(self.compression_zstd_level),
            Codec::None | Codec::Snappy | Codec::Lz4 => None,
        }
    }

    pub fn log_append_time(&self) -> bool {
        self.message_timestamp_type == "LogAppendTime"
    }
}
