//! The group coordinator: the classic group protocol and committed offsets, as a state machine without I/O. Requests, timers and the
//! outcomes of appends come in; answers, and records for `__consumer_offsets`, go out. The runtime around it does what `Effects` says.
//!
//! In reading order: `request` and `reply` (what is asked and answered), `group` and `member` (what is kept), `join`, `rebalance`,
//! `sync`, `heartbeat`, `leave` (membership), `offsets`, `expiry`, `delete`, `describe` (the rest of the requests), `step` and `timers`
//! (what a step leaves to the runtime and to later), `held` (how much memory it all takes), `record` and `snapshot` (what survives a restart), `partition` (where it lies).
//!
//! - Every token is answered exactly once, with the coordinator's end (`close`) at the latest.
//! - What is durable changes by records alone, in the order of the log, while running as at a restart: `store`. Members, timers and
//!   waiting requests change at once.
//! - Two runs with the same calls leave the same effects in the same order: every map is ordered.

mod delete;
mod describe;
mod expiry;
mod group;
mod heartbeat;
mod held;
mod join;
mod leave;
mod member;
mod offsets;
mod partition;
mod rebalance;
mod record;
mod reply;
mod request;
mod snapshot;
mod step;
mod subscription;
mod sync;
mod timers;

#[cfg(test)]
mod classic_tests;
#[cfg(test)]
mod memory_tests;
#[cfg(test)]
mod offset_tests;
#[cfg(test)]
mod random_tests;
#[cfg(test)]
mod restart_tests;
#[cfg(test)]
mod static_tests;
#[cfg(test)]
mod test_driver;
#[cfg(test)]
mod transition_tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::error::ErrorCode;

pub use self::describe::{DEAD, DescribedGroup, DescribedMember, ListedGroup};
pub use self::partition::partition_of;
pub use self::record::{CommittedOffset, GroupMetadata, InvalidRecord, MemberMetadata, Record};
pub use self::reply::{
    CommittedTopic, DeletedOffsets, FetchedPartition, FetchedTopic, JoinMember, JoinReply,
    LeaveReply, LeftMember, OffsetCommitReply, OffsetDeleteReply, OffsetFetchReply, Reply,
    SyncReply,
};
pub use self::request::{
    CommitPartition, CommitTopic, FetchTopic, Heartbeat, JoinGroup, LeaveGroup, LeavingMember, Now,
    OffsetCommit, OffsetDelete, OffsetFetch, Protocol, Stamp, SyncGroup, Token,
};
pub use self::snapshot::InvalidSnapshot;
pub use self::step::{Append, AppendId, Effects};

use self::expiry::Search;
use self::group::{Group, StoredOffset};
use self::held::Meter;
use self::step::{Appends, Step, Then, append_error};
use self::timers::{Timer, Timers};

/// The options that the rules ask for.
#[derive(Clone, Debug)]
pub struct GroupsConfig {
    /// group.max.size
    pub members_max: usize,
    /// group.initial.rebalance.delay.ms
    pub initial_rebalance_delay_ms: u64,
    /// group.min.session.timeout.ms
    pub session_timeout_ms_min: i32,
    /// group.max.session.timeout.ms
    pub session_timeout_ms_max: i32,
    /// offset.metadata.max.bytes
    pub offset_metadata_max: usize,
    /// offsets.retention.minutes
    pub offsets_retention_ms: u64,
    /// offsets.retention.check.interval.ms
    pub offsets_retention_check_interval_ms: u64,
    /// What all groups together may hold, a share of memory.budget.bytes.
    pub memory_bytes_max: usize,
}

/// All groups of one coordinator, with their offsets.
///
/// Life: `new` or `restore`, then `replay` of the records behind the snapshot, then `loaded`; from then on requests, `tick` at
/// `next_deadline`, and `appended` for each append; `close` at the end.
#[derive(Debug)]
pub struct Groups {
    config: GroupsConfig,
    groups: BTreeMap<Arc<str>, Group>,
    timers: Timers,
    appends: Appends,
    meter: Meter,
    expiry: Search,
}

impl Groups {
    pub fn new(config: GroupsConfig) -> Self {
        Self {
            meter: Meter::new(config.memory_bytes_max),
            config,
            groups: BTreeMap::new(),
            timers: Timers::default(),
            appends: Appends::default(),
            expiry: Search::default(),
        }
    }

    pub fn config(&self) -> &GroupsConfig {
        &self.config
    }

    /// Bytes that all groups hold.
    pub fn held_bytes(&self) -> usize {
        self.meter.bytes()
    }

    /// How often a request was refused because they hold all they may.
    pub fn memory_refusals(&self) -> u64 {
        self.meter.refusals()
    }

    /// Takes in a record of `__consumer_offsets`, in the order of the log. Records may come again that a snapshot holds already. One
    /// without a stamp was not written here: it counts as new when the groups are loaded.
    pub fn replay(&mut self, record: &Record, stamp: Option<Stamp>) {
        self.store(record, stamp.map_or(u64::MAX, |stamp| stamp.running_ms));
    }

    /// The last record is replayed: groups come to life. Members get their whole session timeout anew, since nobody knows when they
    /// were last heard of.
    pub fn loaded(&mut self, now: Now) -> Effects {
        self.expiry.due_ms = Some(
            now.monotonic_ms
                .saturating_add(self.config.offsets_retention_check_interval_ms),
        );
        let (groups, mut step) = self.step(now);
        for group in groups.values_mut() {
            group.clamp_ages(now.running_ms);
            group.load_stored();
            for member_id in group.members.keys() {
                group.restart_session(&mut step, member_id);
            }
            if group.members.len() > step.config.members_max {
                // The limit was lowered: the last to join again are left out.
                group.prepare_rebalance(&mut step);
            }
        }
        step.effects
    }

    /// When `tick` is due, on the monotonic clock.
    pub fn next_deadline(&self) -> Option<u64> {
        self.timers
            .next_deadline()
            .into_iter()
            .chain(self.expiry.due_ms)
            .min()
    }

    /// Does what is due: sessions and rebalances that are over, offsets that have expired.
    pub fn tick(&mut self, now: Now) -> Effects {
        let mut effects = Effects::default();
        while let Some(due) = self.timers.pop_due(now.monotonic_ms) {
            let (groups, mut step) = self.step(now);
            let Some(group) = groups.get_mut(&due.group_id) else {
                continue;
            };
            match &due.timer {
                Timer::Join => group.on_join_timer(&mut step),
                Timer::Sync => group.on_sync_timer(&mut step),
                Timer::Member(member_id) => group.on_member_timer(&mut step, member_id),
            }
            effects.appends.append(&mut step.effects.appends);
            effects.replies.append(&mut step.effects.replies);
            self.drop_if_blank(&due.group_id);
        }
        self.expire_offsets(now, &mut effects);
        effects
    }

    /// An append is durable, or has failed and left nothing. Outcomes of one group are told in the order of its appends.
    pub fn appended(&mut self, now: Now, id: AppendId, result: Result<(), ErrorCode>) -> Effects {
        let append = self.appends.under_way.remove(&id);
        assert!(
            append.is_some(),
            "append {id:?} was not made, or told of twice"
        );
        let Some(append) = append else {
            return Effects::default();
        };
        if result.is_ok() {
            append
                .records
                .iter()
                .for_each(|record| self.store(record, append.running_ms));
        }
        let result = result.map_err(append_error);
        let (groups, mut step) = self.step(now);
        let group = groups.get_mut(&append.group_id);
        match (append.then, group) {
            (Then::Nothing, _) => {}
            (Then::Reply(token, reply), _) => {
                let reply = match result {
                    Ok(()) => reply,
                    Err(error) => reply.failed(error),
                };
                step.reply(token, reply);
            }
            (Then::Assign, Some(group)) => {
                group.assignment_stored(&mut step, id, &append.records, result);
            }
            (Then::Replace(replacement), Some(group)) => {
                group.static_member_stored(&mut step, *replacement, result);
            }
            (Then::Assign | Then::Replace(_), None) => {}
        }
        let mut effects = step.effects;
        for (token, fetch) in append.fetches {
            effects.replies.push((token, self.fetched(&fetch)));
        }
        effects
    }

    /// The coordinator goes, in order or not: whoever waits shall look for it again. Outcomes of appends matter no more; what is
    /// stored stays, for the last snapshot.
    pub fn close(&mut self) -> Vec<(Token, Reply)> {
        let error = ErrorCode::NotCoordinator;
        let mut replies = Vec::new();
        for (member_id, member) in self.groups.values().flat_map(|group| &group.members) {
            let join = member
                .awaiting_join
                .map(|token| (token, JoinReply::error(member_id, error)));
            replies.extend(join.map(|(token, reply)| (token, Reply::Join(reply))));
            let sync = member
                .awaiting_sync
                .map(|token| (token, SyncReply::error(error)));
            replies.extend(sync.map(|(token, reply)| (token, Reply::Sync(reply))));
        }
        for append in std::mem::take(&mut self.appends.under_way).into_values() {
            if let Then::Reply(token, reply) = append.then {
                replies.push((token, reply.failed(error)));
            }
            for (token, _) in append.fetches {
                let reply = OffsetFetchReply {
                    error,
                    topics: Vec::new(),
                };
                replies.push((token, Reply::OffsetFetch(reply)));
            }
        }
        replies
    }

    /// What a durable record changes.
    fn store(&mut self, record: &Record, running_ms: u64) {
        let group_id = record.group_id();
        let group = match self.groups.get_mut(group_id) {
            Some(group) => group,
            None if record.is_tombstone() => return,
            None => {
                let group = Group::new(Arc::clone(group_id), &self.meter);
                self.groups.entry(Arc::clone(group_id)).or_insert(group)
            }
        };
        match record {
            Record::Group {
                metadata: Some(metadata),
                ..
            } => {
                group.set_stored(Some(Arc::clone(metadata)));
                group.stored_running_ms = running_ms;
            }
            Record::Group { metadata: None, .. } => {
                group.set_stored(None);
                // Unless members came and went while it was deleted: then a newer record follows.
                if group.is_unused() && !self.appends.stores_group(group_id) {
                    group.forget_generations();
                }
            }
            Record::Offset {
                topic,
                partition,
                offset: Some(offset),
                ..
            } => {
                let stored = StoredOffset {
                    committed: offset.clone(),
                    since_running_ms: running_ms,
                };
                group.insert_offset(topic, *partition, stored);
            }
            Record::Offset {
                topic,
                partition,
                offset: None,
                ..
            } => {
                group.remove_offset(topic, *partition);
            }
        }
        self.drop_if_blank(group_id);
    }

    fn drop_if_blank(&mut self, group_id: &str) {
        if self.groups.get(group_id).is_some_and(Group::is_blank) {
            self.groups.remove(group_id);
        }
    }

    fn step(&mut self, now: Now) -> (&mut BTreeMap<Arc<str>, Group>, Step<'_>) {
        let step = Step::new(
            now,
            &self.config,
            &self.meter,
            &mut self.appends,
            &mut self.timers,
        );
        (&mut self.groups, step)
    }
}
