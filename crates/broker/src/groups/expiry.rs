//! Offset retention: from time to time, offsets that nobody has needed for so long are deleted, and groups that have nothing left.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use super::Groups;
use super::group::{Group, State, StoredOffset};
use super::record::Record;
use super::request::Now;
use super::step::{Effects, Then};

/// Tombstones of one tick, but for the last group's. What is left follows in the next, so that a million dead offsets do not hold
/// up the living.
const TOMBSTONES_PER_TICK: usize = 10_000;
/// Tombstones of one append: a batch must not become too large.
const TOMBSTONES_PER_APPEND: usize = 1000;

/// Where the search stands.
#[derive(Debug, Default)]
pub(super) struct Search {
    /// When it begins or goes on; none before the groups are loaded.
    pub(super) due_ms: Option<u64>,
    /// The first group that it has not looked at.
    from: Option<Arc<str>>,
}

impl Groups {
    /// Goes on with the search for what has expired, if it is time.
    pub(super) fn expire_offsets(&mut self, now: Now, effects: &mut Effects) {
        if self
            .expiry
            .due_ms
            .is_none_or(|due_ms| due_ms > now.monotonic_ms)
        {
            return;
        }
        let from = self
            .expiry
            .from
            .take()
            .map_or(Bound::Unbounded, Bound::Included);
        let (groups, mut step) = self.step(now);
        let mut under_way: BTreeMap<Arc<str>, BTreeSet<(Arc<str>, i32)>> = BTreeMap::new();
        for append in step.appends.under_way.values() {
            let committed = append.records.iter().filter_map(Record::committed);
            under_way
                .entry(Arc::clone(&append.group_id))
                .or_default()
                .extend(committed);
        }
        let mut left = TOMBSTONES_PER_TICK;
        let mut stopped_at = None;
        let mut forgotten = Vec::new();
        for (id, group) in groups.range::<Arc<str>, _>((from, Bound::Unbounded)) {
            if left == 0 {
                stopped_at = Some(Arc::clone(id));
                break;
            }
            let busy = under_way.get(id);
            let records = group.expired(now.running_ms, step.config.offsets_retention_ms, busy);
            left = left.saturating_sub(records.len());
            for records in records.chunks(TOMBSTONES_PER_APPEND) {
                step.append(id, records.to_vec(), Then::Nothing);
            }
            if records.is_empty()
                && busy.is_none()
                && group.is_unused()
                && group.stored.is_none()
                && group.offsets.is_empty()
            {
                forgotten.push(Arc::clone(id));
            }
        }
        effects.appends.append(&mut step.effects.appends);
        for id in forgotten {
            self.groups.remove(&id);
        }
        let pause_ms = match stopped_at {
            Some(_) => 1,
            None => self.config.offsets_retention_check_interval_ms,
        };
        self.expiry.from = stopped_at;
        self.expiry.due_ms = Some(now.monotonic_ms.saturating_add(pause_ms));
    }
}

impl Group {
    /// Nothing was stored later than now: what says so, or does not say, is as old as this moment.
    pub(super) fn clamp_ages(&mut self, now_ms: u64) {
        self.stored_running_ms = self.stored_running_ms.min(now_ms);
        for offset in self.offsets.values_mut().flat_map(BTreeMap::values_mut) {
            offset.since_running_ms = offset.since_running_ms.min(now_ms);
        }
    }

    /// Tombstones for the offsets that have expired, and for the group itself if it has nothing else. While it has records under way
    /// it stays, and so do the offsets that are being committed.
    fn expired(
        &self,
        now_ms: u64,
        retention_ms: u64,
        under_way: Option<&BTreeSet<(Arc<str>, i32)>>,
    ) -> Vec<Record> {
        let mut records = Vec::new();
        let mut kept = under_way.is_some();
        let is_under_way = |topic: &Arc<str>, partition: i32| {
            under_way.is_some_and(|commits| commits.contains(&(Arc::clone(topic), partition)))
        };
        for (topic, offsets) in &self.offsets {
            for (partition, offset) in offsets {
                let expired = self.may_expire(topic, offset, now_ms, retention_ms)
                    && !is_under_way(topic, *partition);
                if expired {
                    records.push(Record::offset(&self.id, topic, *partition, None));
                } else {
                    kept = true;
                }
            }
        }
        if !kept && self.is_unused() && self.stored.is_some() {
            records.push(Record::group(&self.id, None));
        }
        records
    }

    /// Retention counts from the moment the group became empty; of topics that the consumers of a group have left, and of groups
    /// that only hold offsets, from the commit. All on the running time: a wall clock that is set expires nothing. While a group rebalances nothing expires.
    fn may_expire(
        &self,
        topic: &str,
        offset: &StoredOffset,
        now_ms: u64,
        retention_ms: u64,
    ) -> bool {
        let committed_ms = offset.since_running_ms;
        let since_ms = match self.state {
            _ if self.is_subscribed_to(topic) => return false,
            _ if self.protocol_type.is_none() => committed_ms,
            State::Empty => self.state_since_running_ms.unwrap_or(committed_ms),
            State::Stable if self.uses_consumer_protocol() => committed_ms,
            State::PreparingRebalance | State::CompletingRebalance | State::Stable => return false,
        };
        match offset.committed.own_retention_ms() {
            Some(own_ms) => now_ms.saturating_sub(committed_ms) >= own_ms,
            None => now_ms.saturating_sub(since_ms) >= retention_ms,
        }
    }
}
