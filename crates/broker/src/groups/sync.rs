//! SyncGroup: members ask for their assignment, the leader brings everybody's. It is stored before anyone is told.

use std::collections::BTreeMap;

use bytes::Bytes;
use protocol::KafkaString;
use protocol::error::ErrorCode;

use super::Groups;
use super::group::{Group, State};
use super::join::{GROUP_METADATA_BYTES_MAX, MEMBER_METADATA_BYTES_MAX};
use super::record::{GroupMetadata, Record};
use super::reply::{Reply, SyncReply};
use super::request::{Now, SyncGroup, Token};
use super::step::{AppendId, Effects, Step, Then};
use super::timers::Timer;

impl Groups {
    /// Answered at once, or when the leader's assignment is stored.
    pub fn sync(&mut self, now: Now, token: Token, request: &SyncGroup) -> Effects {
        let (groups, mut step) = self.step(now);
        let error = if request.group_id.is_empty() {
            ErrorCode::InvalidGroupId
        } else {
            match groups.get_mut(&*request.group_id) {
                Some(group) if group.state != State::Empty => {
                    group.sync(&mut step, token, request);
                    return step.effects;
                }
                _ => ErrorCode::UnknownMemberId,
            }
        };
        step.reply(token, Reply::Sync(SyncReply::error(error)));
        step.effects
    }
}

impl Group {
    fn sync(&mut self, step: &mut Step<'_>, token: Token, request: &SyncGroup) {
        if let Err(error) = self.check_sync(request) {
            return step.reply(token, Reply::Sync(SyncReply::error(error)));
        }
        self.pending_sync.remove(&*request.member_id);
        if self.pending_sync.is_empty() {
            step.cancel(&self.id, Timer::Sync);
        }
        self.park_sync(step, token, &request.member_id);
        if self.state == State::Stable {
            self.answer_syncs(step, ErrorCode::None);
        } else if self.is_leader(&request.member_id) && self.assignment_append.is_none() {
            // A leader that asks again while its assignment is being stored waits for that one.
            match self.assigned(step, &request.assignments) {
                Ok(metadata) => {
                    let record = Record::group(&self.id, Some(metadata));
                    self.assignment_append =
                        Some(step.append(&self.id, vec![record], Then::Assign));
                }
                // As if it could not be stored.
                Err(error) => {
                    self.fail_syncs(step, error);
                    self.prepare_rebalance(step);
                }
            }
        }
    }

    fn check_sync(&self, request: &SyncGroup) -> Result<(), ErrorCode> {
        self.validate_member(&request.member_id, request.group_instance_id.as_deref())?;
        let differ = |theirs: &Option<String>, ours: &Option<String>| {
            theirs.is_some() && ours.is_some() && theirs != ours
        };
        if request.generation != self.generation {
            Err(ErrorCode::IllegalGeneration)
        } else if differ(&request.protocol_type, &self.protocol_type)
            || differ(&request.protocol_name, &self.protocol_name)
        {
            Err(ErrorCode::InconsistentGroupProtocol)
        } else if self.state == State::PreparingRebalance {
            Err(ErrorCode::RebalanceInProgress)
        } else {
            Ok(())
        }
    }

    /// Lets a member's SyncGroup wait. Of two from the same member the older has lost its client: it is told to join again.
    fn park_sync(&mut self, step: &mut Step<'_>, token: Token, member_id: &str) {
        let Some(member) = self.members.get_mut(member_id) else {
            return;
        };
        if let Some(older) = member.awaiting_sync.replace(token) {
            step.reply(
                older,
                Reply::Sync(SyncReply::error(ErrorCode::RebalanceInProgress)),
            );
        }
    }

    /// The group with the leader's assignments; members it left out get nothing, ids it made up are passed over. Kafka tells of a
    /// record that is too large in the same code.
    fn assigned(
        &self,
        step: &Step<'_>,
        assignments: &[(KafkaString, Bytes)],
    ) -> Result<GroupMetadata, ErrorCode> {
        // The last one counts, if the leader named a member twice.
        let assigned: BTreeMap<&str, &Bytes> = assignments
            .iter()
            .filter(|(id, _)| self.members.contains_key(&**id))
            .map(|(id, bytes)| (&**id, bytes))
            .collect();
        let bytes: usize = assigned.values().map(|bytes| bytes.len()).sum();
        let largest = assigned.values().map(|bytes| bytes.len()).max();
        if bytes > GROUP_METADATA_BYTES_MAX || largest > Some(MEMBER_METADATA_BYTES_MAX) {
            return Err(ErrorCode::UnknownServerError);
        }
        let members = self.members.values();
        let old = members.map(|member| member.assignment.len()).sum();
        if !step.meter.has_room_for(old, bytes) {
            return Err(ErrorCode::CoordinatorNotAvailable);
        }
        let mut metadata = self.metadata();
        for member in &mut metadata.members {
            let bytes = assigned.get(&*member.member_id);
            // Copied, so that the request they came in is not kept for them.
            member.assignment = bytes.map_or_else(Bytes::new, |b| Bytes::copy_from_slice(b));
        }
        Ok(metadata)
    }

    /// The assignment is durable, or has failed. If another rebalance has begun meanwhile, it is of the past.
    pub(super) fn assignment_stored(
        &mut self,
        step: &mut Step<'_>,
        id: AppendId,
        records: &[Record],
        result: Result<(), ErrorCode>,
    ) {
        if self.assignment_append != Some(id) {
            return;
        }
        self.assignment_append = None;
        if let Err(error) = result {
            self.fail_syncs(step, error);
            return self.prepare_rebalance(step);
        }
        for assigned in records
            .iter()
            .filter_map(Record::metadata)
            .flat_map(|m| &m.members)
        {
            self.assign(&assigned.member_id, assigned.assignment.clone());
        }
        self.enter(State::Stable, step.now);
        self.answer_syncs(step, ErrorCode::None);
    }
}
