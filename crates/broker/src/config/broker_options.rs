//! Every option of the broker, declared once, under Kafka's names. Read by the whole crate through `Options`.

use super::table::options;
use super::value::Check::{Any, OneOf, Range};
use super::value::Durability;

const MAX: i64 = i64::MAX;
/// What Kafka calls the largest INT.
const INT_MAX: i64 = 2_147_483_647;

options! {
    /// The broker's resolved options. Settings are data: no component lives here.
    pub struct Options {
        #[doc = "The address or addresses to listen on, as NAME://HOST:PORT. Loopback only unless set: PLAINTEXT://:9092 opens it to the network."]
        "listeners" => listeners: Vec<String> = vec!["PLAINTEXT://127.0.0.1:9092".to_owned()], Any;
        #[doc = "The address clients are told to connect to, where it differs from listeners."]
        "advertised.listeners" => advertised_listeners: Vec<String> = Vec::new(), Any;
        #[doc = "The security protocol of each listener name. Only PLAINTEXT is served."]
        "listener.security.protocol.map" => listener_security_protocol_map: Vec<String> = Vec::new(), Any;
        #[doc = "Names of listeners that belong to a KRaft controller; Ottla needs none and leaves them closed."]
        "controller.listener.names" => controller_listener_names: Vec<String> = Vec::new(), Any;
        #[doc = "The id of this broker, as clients see it."]
        "node.id" => node_id: i32 = 1, Range(0, INT_MAX);
        #[doc = "The cluster id; made at the first start if not given, then kept with the data."]
        "cluster.id" => cluster_id: String = String::new(), Any;
        #[doc = "The rack of this broker, told to clients."]
        "broker.rack" => broker_rack: String = String::new(), Any;
        #[doc = "The folder of the data. One folder: the journal is one file after another."]
        "log.dirs" => log_dirs: Vec<String> = vec!["ottla-data".to_owned()], Any;
        #[doc = "When a record counts as acknowledged: sync (after an fdatasync), an interval such as 100ms (after the next of the syncs done once an interval; spares flash), or os (in the page cache, as Apache Kafka)."]
        "durability" => durability: Durability = Durability::Sync, Any;
        #[doc = "Partitions of a topic that is created without a number."]
        "num.partitions" => num_partitions: i32 = 1, Range(1, 1_000_000);
        #[doc = "Create a topic when a client asks for the metadata of one that does not exist."]
        "auto.create.topics.enable" => auto_create_topics_enable: bool = true, Any;
        #[doc = "Allow topics to be deleted."]
        "delete.topic.enable" => delete_topic_enable: bool = true, Any;
        #[doc = "Replication factor of a topic that is created without one."]
        "default.replication.factor" => default_replication_factor: i32 = 1, Range(1, 32_767);
        #[doc = "Accept a replication factor above the number of brokers (as one replica) instead of refusing it."]
        "replication.factor.above.brokers.accept" => replication_factor_above_brokers_accept: bool = false, Any;
        #[doc = "Partitions of the offsets topic; fixed once the topic exists."]
        "offsets.topic.num.partitions" => offsets_topic_num_partitions: i32 = 50, Range(1, 10_000);
        #[doc = "How long the committed offsets of a group without members are kept, minutes of running time: a wall clock that is set expires none."]
        "offsets.retention.minutes" => offsets_retention_minutes: i32 = 10_080, Range(1, INT_MAX);
        #[doc = "How often expired offsets are looked for, ms."]
        "offsets.retention.check.interval.ms" => offsets_retention_check_interval_ms: i64 = 600_000, Range(1, MAX);
        #[doc = "Largest metadata text of a committed offset, bytes."]
        "offset.metadata.max.bytes" => offset_metadata_max_bytes: i32 = 4096, Range(0, INT_MAX);
        #[doc = "How long the first rebalance of an empty group waits for more members, ms."]
        "group.initial.rebalance.delay.ms" => group_initial_rebalance_delay_ms: i32 = 3000, Range(0, INT_MAX);
        #[doc = "Shortest session timeout a group member may ask for, ms."]
        "group.min.session.timeout.ms" => group_min_session_timeout_ms: i32 = 6000, Range(1, INT_MAX);
        #[doc = "Longest session timeout a group member may ask for, ms."]
        "group.max.session.timeout.ms" => group_max_session_timeout_ms: i32 = 1_800_000, Range(1, INT_MAX);
        #[doc = "Most members of a group."]
        "group.max.size" => group_max_size: i32 = i32::MAX, Range(1, INT_MAX);
        #[doc = "How long the sequence state of an idle idempotent producer is kept, ms."]
        "producer.id.expiration.ms" => producer_id_expiration_ms: i32 = 86_400_000, Range(1, INT_MAX);
        #[doc = "Largest request, bytes."]
        "socket.request.max.bytes" => socket_request_max_bytes: i32 = 104_857_600, Range(1024, INT_MAX);
        #[doc = "Most open connections."]
        "max.connections" => max_connections: i32 = i32::MAX, Range(0, INT_MAX);
        #[doc = "Most open connections of one address."]
        "max.connections.per.ip" => max_connections_per_ip: i32 = i32::MAX, Range(0, INT_MAX);
        #[doc = "Exceptions to max.connections.per.ip, as ADDRESS:NUMBER."]
        "max.connections.per.ip.overrides" => max_connections_per_ip_overrides: Vec<String> = Vec::new(), Any;
        #[doc = "A connection idle for so long is closed, ms."]
        "connections.max.idle.ms" => connections_max_idle_ms: i64 = 600_000, Range(-1, MAX);
        #[doc = "Requests of one connection that may wait for their answer at once."]
        "max.in.flight.requests.per.connection" => max_in_flight_requests_per_connection: i32 = 1000, Range(1, 100_000);
        #[doc = "Memory for requests and answers under way, bytes. Connections wait for room; nothing is allocated beyond it."]
        "memory.budget.bytes" => memory_budget_bytes: i64 = 268_435_456, Range(8_388_608, MAX);
        #[doc = "Memory for the newest records, so that consumers at the tail read without a file, bytes."]
        "log.tail.cache.bytes" => log_tail_cache_bytes: i64 = 67_108_864, Range(0, MAX);
        #[doc = "Most bytes of one Fetch answer."]
        "fetch.max.bytes" => fetch_max_bytes: i32 = 57_671_680, Range(1024, INT_MAX);
        #[doc = "Incremental fetch sessions kept."]
        "max.incremental.fetch.session.cache.slots" => max_incremental_fetch_session_cache_slots: i32 = 1000, Range(0, 1_000_000);
        #[doc = "Most bytes of metrics that a client may push at once; above some 4 MiB it means those."]
        "telemetry.max.bytes" => telemetry_max_bytes: i32 = 1_048_576, Range(1, INT_MAX);
        #[doc = "Most partitions in one answer of DescribeTopicPartitions."]
        "max.request.partition.size.limit" => max_request_partition_size_limit: i32 = 2000, Range(1, INT_MAX);
        #[doc = "Size of a journal file, bytes. No record batch can be larger than half of it."]
        "journal.file.bytes" => journal_file_bytes: i64 = 67_108_864, Range(4_194_304, 1_073_741_824);
        #[doc = "How often retention looks for expired data, ms."]
        "log.retention.check.interval.ms" => log_retention_check_interval_ms: i64 = 300_000, Range(1, MAX);
        #[doc = "How age is counted for retention: running (the journal's own time; a clock that jumps expires nothing new) or wall (Kafka's rule)."]
        "log.retention.clock" => log_retention_clock: String = "running".to_owned(), OneOf(&["running", "wall"]);
        #[doc = "Address of /metrics, /livez and /readyz over HTTP, as HOST:PORT; empty for none."]
        "http.listener" => http_listener: String = "127.0.0.1:9644".to_owned(), Any;
        #[doc = "How long a graceful stop waits for requests under way, ms."]
        "shutdown.timeout.ms" => shutdown_timeout_ms: i64 = 10_000, Range(0, 600_000);
    }
}
