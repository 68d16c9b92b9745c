//! Offset retention: from time to time, offsets that nobody has needed for so long are deleted, and groups that have nothing left.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::Arc;

use super::Groups;
use super::group::{Group, State};
use super::record::{CommittedOffset, Record};
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
            let records = group.expired(now.wall_ms, step.config.offsets_retention_ms, busy);
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
    /// Tombstones for the offsets that have expired, and for the group itself if it has nothing else. While it has records under way
    /// it stays, and so do the offsets that are being committed.
    fn expired(
        &self,
        wall_ms: i64,
        retention_ms: i64,
        under_way: Option<&BTreeSet<(Arc<str>, i32)>>,
    ) -> Vec<Record> {
        let mut records = Vec::new();
        let mut kept = under_way.is_some();
        let is_under_way = |topic: &Arc<str>, partition: i32| {
            under_way.is_some_and(|commits| commits.contains(&(Arc::clone(topic), partition)))
        };
        for (topic, offsets) in &self.offsets {
            for (partition, offset) in offsets {
                let expired = self.may_expire(topic, offset, wall_ms, retention_ms)
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
    /// that only hold offsets, from the commit. While a group rebalances nothing expires.
    fn may_expire(
        &self,
        topic: &str,
        offset: &CommittedOffset,
        wall_ms: i64,
        retention_ms: i64,
    ) -> bool {
        let committed_ms = offset.commit_timestamp_ms;
        let since_ms = match self.state {
            _ if self.is_subscribed_to(topic) => return false,
            _ if self.protocol_type.is_none() => committed_ms,
            State::Empty => self.state_since_ms.unwrap_or(committed_ms),
            State::Stable if self.uses_consumer_protocol() => committed_ms,
            State::PreparingRebalance | State::CompletingRebalance | State::Stable => return false,
        };
        match offset.expire_timestamp_ms {
            Some(expire_ms) => wall_ms >= expire_ms,
            None => wall_ms.saturating_sub(since_ms) >= retention_ms,
        }
    }
}
