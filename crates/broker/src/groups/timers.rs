//! The deadlines of all groups in one order, so that the runtime sleeps until the first. Set and cancelled by the groups' rules,
//! taken by `Groups::tick`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TimerKey {
    pub(super) group_id: Arc<str>,
    pub(super) timer: Timer,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// The join phase ends: its initial delay or the rebalance timeout is over.
    Join,
    /// Members that have not synced by now are removed.
    Sync,
    /// The session of a member, or the time that an id given out waits to be joined with.
    Member(Arc<str>),
}

/// At most one deadline a key; both maps hold the same pairs.
#[derive(Debug, Default)]
pub(super) struct Timers {
    by_key: BTreeMap<TimerKey, u64>,
    by_deadline: BTreeSet<(u64, TimerKey)>,
}

impl Timers {
    pub(super) fn set(&mut self, key: TimerKey, deadline_ms: u64) {
        if let Some(old) = self.by_key.insert(key.clone(), deadline_ms) {
            self.by_deadline.remove(&(old, key.clone()));
        }
        self.by_deadline.insert((deadline_ms, key));
    }

    pub(super) fn cancel(&mut self, key: &TimerKey) {
        if let Some((key, deadline_ms)) = self.by_key.remove_entry(key) {
            self.by_deadline.remove(&(deadline_ms, key));
        }
    }

    pub(super) fn next_deadline(&self) -> Option<u64> {
        self.by_deadline
            .first()
            .map(|(deadline_ms, _)| *deadline_ms)
    }

    /// Takes the first timer that is due.
    pub(super) fn pop_due(&mut self, now_ms: u64) -> Option<TimerKey> {
        if self.next_deadline()? > now_ms {
            return None;
        }
        let (_, key) = self.by_deadline.pop_first()?;
        self.by_key.remove(&key);
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(group_id: &str, timer: Timer) -> TimerKey {
        TimerKey {
            group_id: group_id.into(),
            timer,
        }
    }

    #[test]
    fn timers_fire_in_order_of_their_last_deadline() {
        let mut timers = Timers::default();
        timers.set(key("a", Timer::Join), 30);
        timers.set(key("a", Timer::Member("m".into())), 10);
        timers.set(key("b", Timer::Sync), 20);
        timers.set(key("a", Timer::Join), 5);
        timers.cancel(&key("b", Timer::Sync));
        timers.cancel(&key("b", Timer::Join));

        assert_eq!(timers.next_deadline(), Some(5));
        assert_eq!(timers.pop_due(4), None);
        assert_eq!(timers.pop_due(5), Some(key("a", Timer::Join)));
        assert_eq!(timers.pop_due(9), None);
        assert_eq!(
            timers.pop_due(100),
            Some(key("a", Timer::Member("m".into())))
        );
        assert_eq!(timers.pop_due(100), None);
        assert_eq!(timers.next_deadline(), None);
        assert!(timers.by_key.is_empty() && timers.by_deadline.is_empty());
    }
}
