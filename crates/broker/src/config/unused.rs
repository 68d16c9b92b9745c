//! Kafka's broker keys that are known and have no meaning here, so that a stock `server.properties` starts and says in one line what
//! it does not need. Called by `Config::load`.

/// Exact keys and, ending in a dot, families of keys.
pub(super) const KEYS: &[&str] = &[
    "auto.leader.rebalance.enable",
    "background.threads",
    "controller.",
    "early.start.listeners",
    "inter.broker.",
    "leader.imbalance.",
    "log.cleaner.",
    "log.dir.failure.timeout.ms",
    "log.flush.",
    "log.message.downconversion.enable",
    "metadata.",
    "metric.reporters",
    "metrics.",
    "num.io.threads",
    "num.network.threads",
    "num.recovery.threads.per.data.dir",
    "num.replica.",
    "offsets.commit.timeout.ms",
    "offsets.load.buffer.size",
    "offsets.topic.compression.codec",
    "offsets.topic.replication.factor",
    "offsets.topic.segment.bytes",
    "process.roles",
    "queued.max.",
    "remote.",
    "replica.",
    "request.timeout.ms",
    "share.coordinator.",
    "socket.connection.setup.",
    "socket.listen.backlog.size",
    "socket.receive.buffer.bytes",
    "socket.send.buffer.bytes",
    "transaction.",
    "transactional.id.expiration.ms",
];

pub(super) fn is_kafkas(name: &str) -> bool {
    KEYS.iter()
        .any(|key| name == *key || (key.ends_with('.') && name.starts_with(key)))
}
