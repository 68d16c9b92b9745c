//! JoinGroup: who may join, under which id, and what that does to the group.

use std::sync::Arc;

use protocol::error::ErrorCode;

use super::group::{Group, State};
use super::held::{member_bytes, protocols_bytes};
use super::member::Member;
use super::record::{Record, TEXT_BYTES_MAX};
use super::reply::{JoinReply, Reply};
use super::request::{JoinGroup, Now, Token};
use super::step::{Effects, StaticReplacement, Step, Then};
use super::timers::Timer;
use super::{Groups, GroupsConfig};

/// How long a new member's JoinGroup waits. Without an id it cannot send heartbeats, and nobody sees its connection break; a
/// client that is still there tries again.
const NEW_MEMBER_JOIN_TIMEOUT_MS: u64 = 5 * 60 * 1000;
/// Ids given out that nobody has joined with yet, per group; a client can ask for them without end.
const PENDING_MEMBERS_MAX: usize = 50_000;
/// What a member may say of itself in all its protocols together, or be assigned, and all members of a group: the group's record
/// holds it.
pub(super) const MEMBER_METADATA_BYTES_MAX: usize = 1 << 20;
pub(super) const GROUP_METADATA_BYTES_MAX: usize = 16 << 20;
/// What makes a member id of a client id: a dash and a UUID.
const UUID_SUFFIX_BYTES: usize = 37;

impl Groups {
    /// A member joins, for the first time or again. Answered at once, or when the join phase ends.
    pub fn join(&mut self, now: Now, token: Token, request: &JoinGroup) -> Effects {
        let (groups, mut step) = self.step(now);
        if let Err(error) = check(request, step.config) {
            step.reply(
                token,
                Reply::Join(JoinReply::error(&request.member_id, error)),
            );
            return step.effects;
        }
        if !groups.contains_key(&*request.group_id) {
            if !request.member_id.is_empty() {
                let error = ErrorCode::UnknownMemberId;
                step.reply(
                    token,
                    Reply::Join(JoinReply::error(&request.member_id, error)),
                );
                return step.effects;
            }
            let id: Arc<str> = request.group_id.as_str().into();
            let group = Group::new(Arc::clone(&id), step.meter);
            groups.insert(id, group);
        }
        if let Some(group) = groups.get_mut(&*request.group_id) {
            group.join(&mut step, token, request);
        }
        let effects = step.effects;
        self.drop_if_blank(&request.group_id);
        effects
    }
}

fn check(request: &JoinGroup, config: &GroupsConfig) -> Result<(), ErrorCode> {
    let session_timeouts_ms = config.session_timeout_ms_min..=config.session_timeout_ms_max;
    let protocols = request.protocols.iter().map(|protocol| &protocol.name);
    let texts = [
        &request.client_id,
        &request.client_host,
        &request.protocol_type,
    ];
    let mut texts = texts
        .into_iter()
        .chain(&request.group_instance_id)
        .chain(protocols);
    if request.group_id.is_empty() || request.group_id.len() > TEXT_BYTES_MAX {
        Err(ErrorCode::InvalidGroupId)
    } else if texts.any(|text| text.len() > TEXT_BYTES_MAX - UUID_SUFFIX_BYTES)
        || protocols_bytes(&request.protocols) > MEMBER_METADATA_BYTES_MAX
    {
        Err(ErrorCode::InvalidRequest)
    } else if !session_timeouts_ms.contains(&request.session_timeout_ms) {
        Err(ErrorCode::InvalidSessionTimeout)
    } else {
        Ok(())
    }
}

impl Group {
    fn join(&mut self, step: &mut Step<'_>, token: Token, request: &JoinGroup) {
        if !self.has_room_for(request, step.config.members_max) {
            self.remove_member(step, &request.member_id, ErrorCode::UnknownMemberId);
            let reply = JoinReply::error("", ErrorCode::GroupMaxSizeReached);
            step.reply(token, Reply::Join(reply));
            if self.state == State::PreparingRebalance {
                self.complete_join_if_all_joined(step);
            }
        } else if !self.fits_in_memory(step, request) {
            // Clients look for the coordinator again after a while and go on: the room is others', and comes back.
            let error = ErrorCode::CoordinatorNotAvailable;
            let reply = JoinReply::error(&request.member_id, error);
            step.reply(token, Reply::Join(reply));
        } else if !self.supports(&request.protocol_type, &request.protocols) {
            let error = ErrorCode::InconsistentGroupProtocol;
            step.reply(
                token,
                Reply::Join(JoinReply::error(&request.member_id, error)),
            );
        } else if request.member_id.is_empty() {
            self.join_without_id(step, token, request);
        } else {
            self.join_with_id(step, token, request);
        }
    }

    /// While members join, those count that have joined: if the limit was lowered below the group's size, the last to come are left
    /// out. A static member that comes back takes no room but its own.
    fn has_room_for(&self, request: &JoinGroup, members_max: usize) -> bool {
        let others = self.members.iter();
        let others = others.filter(|(id, _)| ***id != *request.member_id);
        let others = others.map(|(_, member)| protocols_bytes(&member.protocols));
        if others.sum::<usize>() + protocols_bytes(&request.protocols) > GROUP_METADATA_BYTES_MAX {
            return false;
        }
        if self.pending_join.len() >= PENDING_MEMBERS_MAX && request.member_id.is_empty() {
            return false;
        }
        let member = self.member_known_as(request).map(|(_, member)| member);
        match self.state {
            State::Empty => true,
            State::PreparingRebalance => {
                member.is_some_and(|member| member.awaiting_join.is_some())
                    || self.members_awaiting_join() < members_max
            }
            State::CompletingRebalance | State::Stable => {
                member.is_some() || self.members.len() < members_max
            }
        }
    }

    /// The member that joins again: by its id, or by its instance id if it lost that.
    fn member_known_as(&self, request: &JoinGroup) -> Option<(&Arc<str>, &Member)> {
        let instance_id = request.group_instance_id.as_deref();
        let replaced = instance_id.filter(|_| request.member_id.is_empty());
        let replaced = replaced.and_then(|instance_id| self.static_members.get(instance_id));
        let member_id = replaced.map_or(&*request.member_id, |member_id| &**member_id);
        self.members.get_key_value(member_id)
    }

    /// Whether all groups together may hold what the member says of itself.
    fn fits_in_memory(&self, step: &Step<'_>, request: &JoinGroup) -> bool {
        let known = self.member_known_as(request);
        let assigned = known.map_or(0, |(_, member)| member.assignment.len());
        // A new id is as long as the client's name and a UUID, and an id that is sent is one that was given out.
        let id_bytes = known.map_or(request.client_id.len() + UUID_SUFFIX_BYTES, |(id, _)| {
            id.len()
        });
        let wanted = member_bytes("", &Member::new(request)) + id_bytes + assigned;
        let old = known.map_or(0, |(id, member)| member_bytes(id, member));
        step.meter.has_room_for(old, wanted)
    }

    fn join_without_id(&mut self, step: &mut Step<'_>, token: Token, request: &JoinGroup) {
        let instance_id = request.group_instance_id.as_deref();
        let name = instance_id.unwrap_or(&request.client_id);
        let member_id: Arc<str> = format!("{name}-{}", uuid(request.member_uuid)).into();

        let replaced = instance_id.and_then(|instance_id| self.static_members.get(instance_id));
        if let Some(old_member_id) = replaced.cloned() {
            self.replace_static_member(step, token, request, &old_member_id, member_id);
        } else if instance_id.is_none() && request.member_id_required {
            // A client that lost this answer asks for another id, and only this one is left behind, not a member.
            let timeout_ms = u64::try_from(request.session_timeout_ms).unwrap_or(0);
            step.schedule(&self.id, Timer::Member(Arc::clone(&member_id)), timeout_ms);
            let reply = JoinReply::error(&member_id, ErrorCode::MemberIdRequired);
            step.reply(token, Reply::Join(reply));
            self.expect_member(member_id);
        } else {
            self.add_joining_member(step, token, request, member_id);
        }
    }

    fn join_with_id(&mut self, step: &mut Step<'_>, token: Token, request: &JoinGroup) {
        let instance_id = request.group_instance_id.as_deref();
        if instance_id.is_none() && self.pending_join.contains(&*request.member_id) {
            let member_id = request.member_id.as_str().into();
            return self.add_joining_member(step, token, request, member_id);
        }
        let valid = self.validate_member(&request.member_id, instance_id);
        let member = match (valid, self.members.get(&*request.member_id)) {
            (Ok(()), Some(member)) => member,
            (result, _) => {
                let error = result.err().unwrap_or(ErrorCode::UnknownMemberId);
                let reply = JoinReply::error(&request.member_id, error);
                return step.reply(token, Reply::Join(reply));
            }
        };
        let rejoins = match self.state {
            State::Empty | State::PreparingRebalance => true,
            State::CompletingRebalance => !member.matches(&request.protocols),
            // A leader that joins again wants to assign anew: it may see what the coordinator does not, such as new partitions.
            State::Stable => {
                self.is_leader(&request.member_id) || !member.matches(&request.protocols)
            }
        };
        if rejoins {
            self.update_member(&request.member_id, request);
            self.park_join(step, &request.member_id, token);
            self.rebalance(step);
        } else {
            // The answer of this generation was lost, or a follower only wants to make sure.
            let reply = self.join_reply(&request.member_id);
            step.reply(token, Reply::Join(reply));
        }
    }

    fn add_joining_member(
        &mut self,
        step: &mut Step<'_>,
        token: Token,
        request: &JoinGroup,
        member_id: Arc<str>,
    ) {
        if let Some(delay) = &mut self.initial_delay {
            delay.member_added = true;
        }
        if self.members.is_empty() {
            self.protocol_type = Some(request.protocol_type.clone());
        }
        let member = Member {
            is_new: true,
            awaiting_join: Some(token),
            ..Member::new(request)
        };
        self.add_member(Arc::clone(&member_id), member);
        step.schedule(
            &self.id,
            Timer::Member(member_id),
            NEW_MEMBER_JOIN_TIMEOUT_MS,
        );
        self.rebalance(step);
    }

    /// A static member came back under a new id. The old id is fenced at once; in a stable group nothing else changes, provided
    /// that the group would choose the same protocol, and the member goes on with its assignment.
    fn replace_static_member(
        &mut self,
        step: &mut Step<'_>,
        token: Token,
        request: &JoinGroup,
        old_member_id: &Arc<str>,
        new_member_id: Arc<str>,
    ) {
        let old_leader = self.leader.clone();
        let new = Member {
            awaiting_join: Some(token),
            ..Member::new(request)
        };
        let Some(old_member) = self.exchange_member(step, old_member_id, &new_member_id, new)
        else {
            return;
        };
        match self.state {
            State::Stable if self.protocol_name == self.select_protocol() => {
                let replacement = StaticReplacement {
                    token,
                    generation: self.generation,
                    old_member_id: Arc::clone(old_member_id),
                    old_member,
                    old_leader,
                    new_member_id,
                    skip_assignment: request.skip_assignment,
                };
                let record = Record::group(&self.id, Some(self.metadata()));
                step.append(&self.id, vec![record], Then::Replace(Box::new(replacement)));
            }
            // Completing: the leader may assign to the old id already, and the new one would get nothing.
            _ => self.rebalance(step),
        }
    }

    /// Puts a member in another's place: its instance id, its assignment, its leadership.
    fn exchange_member(
        &mut self,
        step: &mut Step<'_>,
        old_member_id: &str,
        new_member_id: &Arc<str>,
        mut new: Member,
    ) -> Option<Member> {
        let was_leader = self.is_leader(old_member_id);
        let was_pending_sync = self.pending_sync.contains(old_member_id);
        let old = self.remove_member(step, old_member_id, ErrorCode::FencedInstanceId)?;
        new.assignment = old.assignment.clone();
        self.add_member(Arc::clone(new_member_id), new);
        if was_leader {
            self.leader = Some(Arc::clone(new_member_id));
        }
        if was_pending_sync {
            self.pending_sync.insert(Arc::clone(new_member_id));
        }
        self.restart_session(step, new_member_id);
        Some(old)
    }

    /// The record of a static member that came back is durable, or has failed. If a rebalance has begun meanwhile, its end answers
    /// the member and its record stores it.
    pub(super) fn static_member_stored(
        &mut self,
        step: &mut Step<'_>,
        replacement: StaticReplacement,
        result: Result<(), ErrorCode>,
    ) {
        let new_member_id = replacement.new_member_id;
        let waits = |member: &Member| member.awaiting_join == Some(replacement.token);
        if self.state != State::Stable
            || self.generation != replacement.generation
            || !self.members.get(&new_member_id).is_some_and(waits)
        {
            return;
        }
        let mut reply = self.join_reply(&new_member_id);
        if result.is_ok() && replacement.skip_assignment {
            reply.skip_assignment = self.is_leader(&new_member_id);
        } else {
            // A client that cannot skip the assignment must not take itself for the leader, or it would assign.
            reply.leader = replacement
                .old_leader
                .as_deref()
                .unwrap_or_default()
                .to_owned();
            reply.members = Vec::new();
        }
        match result {
            Ok(()) => {
                self.answer_join(step, &new_member_id, reply);
                self.restart_session(step, &new_member_id);
            }
            Err(error) => {
                let reply = JoinReply {
                    error,
                    member_id: String::new(),
                    ..reply
                };
                self.answer_join(step, &new_member_id, reply);
                let (old_member_id, old) = (replacement.old_member_id, replacement.old_member);
                self.exchange_member(step, &new_member_id, &old_member_id, old);
                if step.appends.newest_of(&self.id).is_some() {
                    // It may hold the new member, too.
                    let record = Record::group(&self.id, Some(self.metadata()));
                    step.append(&self.id, vec![record], Then::Nothing);
                }
            }
        }
    }
}

/// A version 4 UUID in its usual form.
fn uuid(random: u128) -> String {
    let bits = random & !(0xf << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62;
    let hex = format!("{bits:032x}");
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    format!(
        "{}-{}-{}-{}-{}",
        part(0, 8),
        part(8, 12),
        part(12, 16),
        part(16, 20),
        part(20, 32)
    )
}
