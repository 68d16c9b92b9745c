//! What one step of the state machine may touch besides its group, and what it leaves to the runtime: records to append and requests
//! to answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::error::ErrorCode;

use super::GroupsConfig;
use super::held::{Held, Meter, records_bytes};
use super::member::Member;
use super::record::Record;
use super::reply::Reply;
use super::request::{Now, OffsetFetch, Stamp, Token};
use super::timers::{Timer, TimerKey, Timers};

/// What the runtime has to do after a step.
#[derive(Debug, Default)]
#[must_use = "appends must be made and waiting requests answered"]
pub struct Effects {
    /// To append to the group's partition of `__consumer_offsets`, each followed by `Groups::appended` once it is durable or has
    /// failed. Appends of the same group must be made, and their outcomes told, in this order.
    pub appends: Vec<Append>,
    /// To answer now.
    pub replies: Vec<(Token, Reply)>,
}

#[derive(Clone, Debug)]
pub struct Append {
    pub id: AppendId,
    pub group_id: Arc<str>,
    /// To be stored all or none: in one batch.
    pub records: Arc<[Record]>,
    /// To be stored with them.
    pub stamp: Stamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppendId(pub u64);

/// The appends that the runtime has not told the outcome of.
#[derive(Debug, Default)]
pub(super) struct Appends {
    last: u64,
    pub(super) under_way: BTreeMap<AppendId, UnderWay>,
}

#[derive(Debug)]
pub(super) struct UnderWay {
    pub(super) group_id: Arc<str>,
    pub(super) records: Arc<[Record]>,
    pub(super) _held: Held,
    pub(super) running_ms: u64,
    pub(super) then: Then,
    /// OffsetFetch requests that wait for it.
    pub(super) fetches: Vec<(Token, OffsetFetch)>,
}

/// What an append's outcome decides.
#[derive(Debug)]
pub(super) enum Then {
    Nothing,
    /// The request is answered, with an error if the append failed.
    Reply(Token, Reply),
    /// The generation's assignment goes to the members, or they are told to join again.
    Assign,
    /// The join of the static member that came back is answered, or the old member is put back.
    Replace(Box<StaticReplacement>),
}

#[derive(Debug)]
pub(super) struct StaticReplacement {
    pub(super) token: Token,
    pub(super) generation: i32,
    pub(super) old_member_id: Arc<str>,
    pub(super) old_member: Member,
    pub(super) old_leader: Option<Arc<str>>,
    pub(super) new_member_id: Arc<str>,
    pub(super) skip_assignment: bool,
}

pub(super) struct Step<'a> {
    pub(super) now: Now,
    pub(super) config: &'a GroupsConfig,
    pub(super) meter: &'a Meter,
    pub(super) appends: &'a mut Appends,
    pub(super) effects: Effects,
    timers: &'a mut Timers,
}

impl<'a> Step<'a> {
    pub(super) fn new(
        now: Now,
        config: &'a GroupsConfig,
        meter: &'a Meter,
        appends: &'a mut Appends,
        timers: &'a mut Timers,
    ) -> Self {
        Self {
            now,
            config,
            meter,
            appends,
            effects: Effects::default(),
            timers,
        }
    }

    pub(super) fn reply(&mut self, token: Token, reply: Reply) {
        self.effects.replies.push((token, reply));
    }

    pub(super) fn append(
        &mut self,
        group_id: &Arc<str>,
        records: Vec<Record>,
        then: Then,
    ) -> AppendId {
        self.appends.last += 1;
        let id = AppendId(self.appends.last);
        let records: Arc<[Record]> = records.into();
        let under_way = UnderWay {
            group_id: Arc::clone(group_id),
            _held: self.meter.hold(records_bytes(&records)),
            records: Arc::clone(&records),
            running_ms: self.now.running_ms,
            then,
            fetches: Vec::new(),
        };
        self.appends.under_way.insert(id, under_way);
        self.effects.appends.push(Append {
            id,
            group_id: Arc::clone(group_id),
            records,
            stamp: self.now.stamp(),
        });
        id
    }

    /// Answers now, or once the last append of this step is durable, if there is one.
    pub(super) fn reply_when_durable(&mut self, token: Token, reply: Reply) {
        let last = self.effects.appends.last().map(|append| append.id);
        match last.and_then(|id| self.appends.under_way.get_mut(&id)) {
            Some(under_way) => {
                assert!(
                    matches!(under_way.then, Then::Nothing),
                    "one answer an append"
                );
                under_way.then = Then::Reply(token, reply);
            }
            None => self.reply(token, reply),
        }
    }

    pub(super) fn schedule(&mut self, group_id: &Arc<str>, timer: Timer, delay_ms: u64) {
        let key = TimerKey {
            group_id: Arc::clone(group_id),
            timer,
        };
        // At least a millisecond, so that a tick comes to its end.
        self.timers
            .set(key, self.now.monotonic_ms.saturating_add(delay_ms.max(1)));
    }

    pub(super) fn cancel(&mut self, group_id: &Arc<str>, timer: Timer) {
        self.timers.cancel(&TimerKey {
            group_id: Arc::clone(group_id),
            timer,
        });
    }
}

impl Appends {
    /// The newest append of a group that is under way.
    pub(super) fn newest_of(&mut self, group_id: &str) -> Option<&mut UnderWay> {
        self.under_way
            .values_mut()
            .rev()
            .find(|under_way| *under_way.group_id == *group_id)
    }

    /// Whether a group's metadata is being stored.
    pub(super) fn stores_group(&self, group_id: &str) -> bool {
        let mut of_group = self
            .under_way
            .values()
            .filter(|append| *append.group_id == *group_id);
        of_group.any(|append| {
            append
                .records
                .iter()
                .any(|record| record.metadata().is_some())
        })
    }
}

/// What a client is told when the coordinator could not store a record, so that its retry comes to the right place.
pub(super) fn append_error(error: ErrorCode) -> ErrorCode {
    match error {
        ErrorCode::UnknownTopicOrPartition
        | ErrorCode::NotEnoughReplicas
        | ErrorCode::RequestTimedOut => ErrorCode::CoordinatorNotAvailable,
        ErrorCode::NotLeaderOrFollower | ErrorCode::KafkaStorageError => ErrorCode::NotCoordinator,
        ErrorCode::MessageTooLarge
        | ErrorCode::RecordListTooLarge
        | ErrorCode::InvalidFetchSize => ErrorCode::UnknownServerError,
        other => other,
    }
}
