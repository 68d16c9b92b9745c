//! The two phases of a rebalance: members join until all are there or time is up, then wait for the leader's assignment. Entered by
//! joins, leaves and lost members; driven on by the timers of both phases.

use std::sync::Arc;

use bytes::Bytes;
use protocol::error::ErrorCode;

use super::group::{Group, InitialDelay, State};
use super::record::Record;
use super::reply::{JoinReply, Reply, SyncReply};
use super::request::Now;
use super::step::{Step, Then};
use super::timers::Timer;

/// How soon a join phase that nobody joined ends again, at least: the timeout is the client's to choose.
const RETRY_MS_MIN: u64 = 1000;

impl Group {
    /// Begins a rebalance, or ends the join phase of the one under way if the last member missing has just come or gone.
    pub(super) fn rebalance(&mut self, step: &mut Step<'_>) {
        if self.state == State::PreparingRebalance {
            self.complete_join_if_all_joined(step);
        } else {
            self.prepare_rebalance(step);
        }
    }

    pub(super) fn prepare_rebalance(&mut self, step: &mut Step<'_>) {
        if self.state == State::CompletingRebalance {
            self.fail_syncs(step, ErrorCode::RebalanceInProgress);
        }
        self.assignment_append = None;
        self.pending_sync.clear();
        step.cancel(&self.id, Timer::Sync);

        let was_empty = self.state == State::Empty;
        self.enter(State::PreparingRebalance, step.now);
        if was_empty {
            let delay_ms = step.config.initial_rebalance_delay_ms;
            let remaining_ms = self.rebalance_timeout_ms().saturating_sub(delay_ms);
            self.initial_delay = Some(InitialDelay {
                delay_ms,
                remaining_ms,
                member_added: false,
            });
            step.schedule(&self.id, Timer::Join, delay_ms);
        } else if self.all_members_joined() {
            self.complete_join(step);
        } else {
            step.schedule(&self.id, Timer::Join, self.rebalance_timeout_ms());
        }
    }

    /// Ends the join phase if everybody is there. The first one of a group waits for its delay whoever is there.
    pub(super) fn complete_join_if_all_joined(&mut self, step: &mut Step<'_>) {
        if self.initial_delay.is_none() && self.all_members_joined() {
            self.complete_join(step);
        }
    }

    pub(super) fn on_join_timer(&mut self, step: &mut Step<'_>) {
        if self.state != State::PreparingRebalance {
            return;
        }
        match self.initial_delay {
            Some(delay) if delay.member_added && delay.remaining_ms > 0 => {
                let delay_ms = step
                    .config
                    .initial_rebalance_delay_ms
                    .min(delay.remaining_ms);
                let remaining_ms = delay.remaining_ms.saturating_sub(delay.delay_ms);
                self.initial_delay = Some(InitialDelay {
                    delay_ms,
                    remaining_ms,
                    member_added: false,
                });
                step.schedule(&self.id, Timer::Join, delay_ms);
            }
            _ => self.complete_join(step),
        }
    }

    /// Ends the join phase with who is there. Dynamic members that are not are removed; static ones stay until their session ends.
    pub(super) fn complete_join(&mut self, step: &mut Step<'_>) {
        step.cancel(&self.id, Timer::Join);
        self.initial_delay = None;
        let gone: Vec<Arc<str>> = self
            .members
            .iter()
            .filter(|(_, member)| member.awaiting_join.is_none() && !member.is_static())
            .map(|(id, _)| Arc::clone(id))
            .collect();
        for member_id in gone {
            self.remove_member(step, &member_id, ErrorCode::UnknownMemberId);
        }
        if !self.elect_joined_leader() && !self.members.is_empty() {
            // Only static members are left and none has joined: wait on, until one does or their sessions end.
            let timeout_ms = self.rebalance_timeout_ms().max(RETRY_MS_MIN);
            step.schedule(&self.id, Timer::Join, timeout_ms);
            return;
        }
        self.begin_generation(step.now);
        if self.state == State::Empty {
            let record = Record::group(&self.id, Some(self.metadata()));
            step.append(&self.id, vec![record], Then::Nothing);
        } else {
            self.answer_joins(step);
            step.schedule(&self.id, Timer::Sync, self.rebalance_timeout_ms());
        }
    }

    /// Makes sure that the leader is a member that has joined. False if there is none.
    fn elect_joined_leader(&mut self) -> bool {
        let joined = |id: &Arc<str>| {
            self.members
                .get(id)
                .is_some_and(|member| member.awaiting_join.is_some())
        };
        if self.leader.as_ref().is_some_and(joined) {
            return true;
        }
        let Some(leader) = self.members.keys().find(|id| joined(id)).cloned() else {
            return false;
        };
        self.leader = Some(leader);
        true
    }

    fn begin_generation(&mut self, now: Now) {
        self.generation = self.generation.checked_add(1).unwrap_or(1);
        self.protocol_name = self.select_protocol();
        self.subscribed_topics = self.compute_subscribed_topics();
        let next = if self.members.is_empty() {
            State::Empty
        } else {
            State::CompletingRebalance
        };
        self.enter(next, now);
    }

    fn answer_joins(&mut self, step: &mut Step<'_>) {
        let member_ids: Vec<Arc<str>> = self.members.keys().cloned().collect();
        for member_id in member_ids {
            let reply = self.join_reply(&member_id);
            self.answer_join(step, &member_id, reply);
            if let Some(member) = self.members.get_mut(&member_id) {
                member.is_new = false;
            }
            self.restart_session(step, &member_id);
            self.pending_sync.insert(member_id);
        }
    }

    /// The present generation, as told to a member.
    pub(super) fn join_reply(&self, member_id: &str) -> JoinReply {
        let members = if self.is_leader(member_id) {
            self.join_members()
        } else {
            Vec::new()
        };
        JoinReply {
            error: ErrorCode::None,
            generation: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol_name: self.protocol_name.clone(),
            leader: self.leader.as_deref().unwrap_or_default().to_owned(),
            skip_assignment: false,
            member_id: member_id.to_owned(),
            members,
        }
    }

    /// Members that have not asked for their assignment in all that time are gone.
    pub(super) fn on_sync_timer(&mut self, step: &mut Step<'_>) {
        let awaited = matches!(self.state, State::CompletingRebalance | State::Stable);
        if !awaited || self.pending_sync.is_empty() {
            return;
        }
        for member_id in std::mem::take(&mut self.pending_sync) {
            self.remove_member(step, &member_id, ErrorCode::UnknownMemberId);
        }
        self.prepare_rebalance(step);
    }

    /// Answers every waiting sync with an error and forgets the assignments.
    pub(super) fn fail_syncs(&mut self, step: &mut Step<'_>, error: ErrorCode) {
        let member_ids: Vec<Arc<str>> = self.members.keys().cloned().collect();
        for member_id in member_ids {
            self.assign(&member_id, Bytes::new());
        }
        self.answer_syncs(step, error);
    }

    /// Answers every waiting sync: with the member's assignment, or with an error.
    pub(super) fn answer_syncs(&mut self, step: &mut Step<'_>, error: ErrorCode) {
        let mut answered = Vec::new();
        for (member_id, member) in &mut self.members {
            let Some(token) = member.awaiting_sync.take() else {
                continue;
            };
            let reply = match error {
                ErrorCode::None => SyncReply {
                    error,
                    protocol_type: self.protocol_type.clone(),
                    protocol_name: self.protocol_name.clone(),
                    assignment: member.assignment.clone(),
                },
                error => SyncReply::error(error),
            };
            step.reply(token, Reply::Sync(reply));
            answered.push(Arc::clone(member_id));
        }
        // While they waited, the end of a session was passed over.
        for member_id in answered {
            self.restart_session(step, &member_id);
        }
    }

    /// Gives a member another session timeout from now.
    pub(super) fn restart_session(&self, step: &mut Step<'_>, member_id: &str) {
        if let Some((member_id, member)) = self.members.get_key_value(member_id) {
            let timeout_ms = u64::try_from(member.session_timeout_ms).unwrap_or(0);
            step.schedule(&self.id, Timer::Member(Arc::clone(member_id)), timeout_ms);
        }
    }

    /// The session of a member is over, or nobody has joined with an id that was given out.
    pub(super) fn on_member_timer(&mut self, step: &mut Step<'_>, member_id: &str) {
        match self.members.get(member_id) {
            Some(member) if member.is_kept_waiting() => return,
            Some(_) => {}
            None if self.pending_join.contains(member_id) => {}
            None => return,
        }
        let was_member = self
            .remove_member(step, member_id, ErrorCode::UnknownMemberId)
            .is_some();
        match self.state {
            State::PreparingRebalance if self.all_members_joined() => self.complete_join(step),
            State::CompletingRebalance | State::Stable if was_member => {
                self.prepare_rebalance(step);
            }
            _ => {}
        }
    }
}
