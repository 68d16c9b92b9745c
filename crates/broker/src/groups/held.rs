//! What the groups of one coordinator hold in memory, in bytes: members and what they say of themselves, ids given out, offsets, and
//! records that are being stored. Counted where it comes and goes; asked before more is taken in, since groups cost a client nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::member::Member;
use super::record::{CommittedOffset, GroupMetadata, Record};
use super::request::Protocol;

/// Beside its texts: what each takes with its places in maps, timers and the record that stores it.
pub(super) const GROUP_BYTES: usize = 1024;
const MEMBER_BYTES: usize = 1024;
const PROTOCOL_BYTES: usize = 128;
const PENDING_BYTES: usize = 512;
const TOPIC_BYTES: usize = 128;
const OFFSET_BYTES: usize = 192;

/// The sum of all groups, and its limit.
#[derive(Debug)]
pub(super) struct Meter {
    sum: Arc<AtomicUsize>,
    bytes_max: usize,
    refusals: AtomicU64,
}

/// The part of one group, or of one append; given back when dropped.
#[derive(Debug, Default)]
pub(super) struct Held {
    sum: Arc<AtomicUsize>,
    bytes: usize,
}

impl Meter {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self {
            sum: Arc::default(),
            bytes_max,
            refusals: AtomicU64::new(0),
        }
    }

    pub(super) fn hold(&self, bytes: usize) -> Held {
        let sum = Arc::clone(&self.sum);
        let mut held = Held { sum, bytes: 0 };
        held.exchange(0, bytes);
        held
    }

    /// Whether `new` bytes may take the place of `old`. What does not grow always may, so that those who are in go on.
    pub(super) fn has_room_for(&self, old: usize, new: usize) -> bool {
        let grown = self.bytes().saturating_sub(old).saturating_add(new);
        let has_room = new <= old || grown <= self.bytes_max;
        if !has_room {
            self.refusals.fetch_add(1, Ordering::Relaxed);
        }
        has_room
    }

    pub(super) fn bytes(&self) -> usize {
        self.sum.load(Ordering::Relaxed)
    }

    pub(super) fn refusals(&self) -> u64 {
        self.refusals.load(Ordering::Relaxed)
    }
}

impl Held {
    /// Something else is held now: `new` bytes for `old` ones.
    pub(super) fn exchange(&mut self, old: usize, new: usize) {
        assert!(old <= self.bytes, "what is given back was counted");
        self.bytes = self.bytes - old + new;
        self.sum.fetch_add(new, Ordering::Relaxed);
        self.sum.fetch_sub(old, Ordering::Relaxed);
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.sum.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

pub(super) fn protocols_bytes(protocols: &[Protocol]) -> usize {
    let bytes = |one: &Protocol| PROTOCOL_BYTES + 2 * one.name.len() + one.metadata.len();
    protocols.iter().map(bytes).sum()
}

pub(super) fn member_bytes(member_id: &str, member: &Member) -> usize {
    MEMBER_BYTES
        + member_id.len()
        + member.group_instance_id.as_deref().map_or(0, str::len)
        + member.client_id.len()
        + member.client_host.len()
        + protocols_bytes(&member.protocols)
        + member.assignment.len()
}

pub(super) fn pending_bytes(member_id: &str) -> usize {
    PENDING_BYTES + member_id.len()
}

pub(super) fn topic_bytes(topic: &str) -> usize {
    TOPIC_BYTES + topic.len()
}

pub(super) fn offset_bytes(offset: &CommittedOffset) -> usize {
    OFFSET_BYTES + offset.metadata.len()
}

/// As it was stored: it may differ from what the members say by now.
pub(super) fn stored_bytes(metadata: Option<&GroupMetadata>) -> usize {
    let members = metadata.into_iter().flat_map(|stored| &stored.members);
    let member = |member: &super::record::MemberMetadata| {
        MEMBER_BYTES / 4
            + member.client_id.len()
            + member.client_host.len()
            + member.subscription.len()
            + member.assignment.len()
    };
    members.map(member).sum()
}

/// While they are being stored.
pub(super) fn records_bytes(records: &[Record]) -> usize {
    let bytes = |record: &Record| match record {
        Record::Group { metadata, .. } => OFFSET_BYTES + stored_bytes(metadata.as_deref()),
        Record::Offset { offset, .. } => offset.as_ref().map_or(OFFSET_BYTES, offset_bytes),
    };
    records.iter().map(bytes).sum()
}
