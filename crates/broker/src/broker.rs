//! The broker's parts in one place, shared by every connection. Put together by `server` at start.

use std::collections::BTreeSet;
use std::sync::Arc;

use log::{Clock, Journal};
use parking_lot::Mutex;
use protocol::KafkaString;
use tokio_util::sync::CancellationToken;

use crate::budget::Budget;
use crate::client_metrics::ClientMetrics;
use crate::config::Config;
use crate::controller::Controller;
use crate::coordinator::{Coordinator, OFFSETS_TOPIC};
use crate::fetch::session::SessionCache;
use crate::metadata::NewTopic;
use crate::metrics::Metrics;
use crate::network::connection::Peer;
use crate::network::listener::Connections;
use crate::random::Random;
use crate::runtime::HeavyWork;

/// What a transactional client is told.
pub const NO_TRANSACTIONS: &str = "transactions are not served by this version of Ottla; leave transactional.id unset (idempotence alone is served)";

/// Clients that asked for transactions: each is warned of once. Names of so many, cut to so many characters; whoever changes its name
/// again and again fills neither memory nor log.
#[derive(Default)]
pub struct TransactionalClients(Mutex<BTreeSet<String>>);

const CLIENTS_MAX: usize = 1000;
const CLIENT_ID_CHARS_MAX: usize = 100;

impl TransactionalClients {
    pub fn warn(&self, client_id: &str) {
        let client: String = client_id.chars().take(CLIENT_ID_CHARS_MAX).collect();
        if self.is_new(&client) {
            tracing::warn!(client, "refused: {NO_TRANSACTIONS}");
        }
    }

    fn is_new(&self, client: &str) -> bool {
        let mut told = self.0.lock();
        told.len() < CLIENTS_MAX && told.insert(client.to_owned())
    }
}

pub struct Broker {
    pub transactional_clients: TransactionalClients,
    pub config: Arc<Config>,
    pub journal: Arc<Journal>,
    pub controller: Controller,
    pub coordinator: Arc<Coordinator>,
    /// One for all partitions: raised by a start that may have lost acknowledged records.
    pub leader_epoch: i32,
    pub fetch_sessions: Mutex<SessionCache>,
    /// For requests, as long as they are handled.
    pub requests: Arc<Budget>,
    /// For the records of Fetch answers, which are small where nothing is left.
    pub records: Arc<Budget>,
    /// For answers that cannot be cut short.
    pub answers: Arc<Budget>,
    pub connections: Arc<Connections>,
    pub metrics: Metrics,
    pub client_metrics: ClientMetrics,
    pub heavy_work: HeavyWork,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<Random>,
    /// Where each listener is reached, in the order of the configuration; known once they are bound.
    pub addresses: Vec<Address>,
    pub stopping: CancellationToken,
}

/// An address that clients are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    pub host: KafkaString,
    pub port: i32,
}

impl Broker {
    /// The address for a client of `peer`'s listener.
    pub fn advertised(&self, peer: &Peer) -> Address {
        self.addresses
            .get(peer.listener)
            .cloned()
            .unwrap_or(Address {
                host: KafkaString::default(),
                port: -1,
            })
    }

    pub fn rack(&self) -> Option<KafkaString> {
        let rack = &self.config.options.broker_rack;
        (!rack.is_empty()).then(|| KafkaString::from(rack.clone()))
    }

    /// Groups need a place for their records; it is made when the first of them is looked for.
    pub async fn ensure_offsets_topic(&self) {
        if self.coordinator.has_topic() {
            return;
        }
        match self.create_automatically(OFFSETS_TOPIC).await {
            Ok(topic) => self.coordinator.use_topic(&topic),
            Err(refusal) => {
                tracing::warn!(%refusal, "the offsets topic cannot be created: groups wait")
            }
        }
    }

    /// The offsets topic as Kafka has it: compacted, so that the newest offset of each partition is kept for ever.
    pub fn internal_topic(&self, name: &str) -> NewTopic {
        let option = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        NewTopic {
            name: name.to_owned(),
            partitions: self.config.options.offsets_topic_num_partitions,
            replication_factor: -1,
            assignments: Vec::new(),
            options: [
                option("cleanup.policy", "compact"),
                option("segment.bytes", "104857600"),
                option("compression.type", "producer"),
            ]
            .into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transactional_client_is_warned_of_once_and_few_are_kept() {
        let clients = TransactionalClients::default();
        assert!(clients.is_new("a") && clients.is_new("b"));
        assert!(!clients.is_new("a"));
        let new = (0..2 * CLIENTS_MAX).filter(|name| clients.is_new(&name.to_string()));
        assert_eq!(new.count(), CLIENTS_MAX - 2);
        assert_eq!(clients.0.lock().len(), CLIENTS_MAX);
    }
}
