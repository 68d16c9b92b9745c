//! One member of a group: what it told when it joined, what it was assigned, and which of its requests wait. Owned by its group.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;

use super::request::{JoinGroup, Protocol, Token};

#[derive(Clone, Debug)]
pub(super) struct Member {
    /// A static member has one and keeps it over its restarts.
    pub(super) group_instance_id: Option<Arc<str>>,
    pub(super) client_id: String,
    pub(super) client_host: String,
    pub(super) rebalance_timeout_ms: i32,
    pub(super) session_timeout_ms: i32,
    /// In the member's order of preference, each name once.
    pub(super) protocols: Vec<Protocol>,
    pub(super) assignment: Bytes,
    /// The JoinGroup that waits for the join phase to end. Set by the group, which counts those that wait.
    pub(super) awaiting_join: Option<Token>,
    /// The SyncGroup that waits for the leader's assignment.
    pub(super) awaiting_sync: Option<Token>,
    /// Has not been answered yet, so it cannot send heartbeats; a timeout of its own removes it.
    pub(super) is_new: bool,
}

impl Member {
    pub(super) fn new(request: &JoinGroup) -> Self {
        Self {
            group_instance_id: request.group_instance_id.as_deref().map(Arc::from),
            client_id: request.client_id.clone(),
            client_host: request.client_host.clone(),
            rebalance_timeout_ms: request.rebalance_timeout_ms,
            session_timeout_ms: request.session_timeout_ms,
            protocols: each_name_once(&request.protocols),
            assignment: Bytes::new(),
            awaiting_join: None,
            awaiting_sync: None,
            is_new: false,
        }
    }

    /// Whether the member joins with what the group knows of it already.
    pub(super) fn matches(&self, protocols: &[Protocol]) -> bool {
        self.protocols == each_name_once(protocols)
    }

    /// What the member has to say under a protocol; empty if it does not support it.
    pub(super) fn metadata(&self, protocol_name: &str) -> Bytes {
        let supported = self
            .protocols
            .iter()
            .find(|protocol| protocol.name == protocol_name);
        supported
            .map(|protocol| protocol.metadata.clone())
            .unwrap_or_default()
    }

    /// The candidate that the member prefers.
    pub(super) fn vote<'a>(&self, candidates: &BTreeSet<&'a str>) -> Option<&'a str> {
        self.protocols
            .iter()
            .find_map(|protocol| candidates.get(protocol.name.as_str()).copied())
    }

    /// Whether the end of its session says nothing about the member, because it waits for the coordinator and not the other way.
    pub(super) fn is_kept_waiting(&self) -> bool {
        !self.is_new && (self.awaiting_join.is_some() || self.awaiting_sync.is_some())
    }

    pub(super) fn is_static(&self) -> bool {
        self.group_instance_id.is_some()
    }
}

/// The first of each name: the group counts its members by protocol.
pub(super) fn each_name_once(protocols: &[Protocol]) -> Vec<Protocol> {
    let mut names = BTreeSet::new();
    protocols
        .iter()
        .filter(|protocol| names.insert(protocol.name.as_str()))
        .cloned()
        .collect()
}
