//! LeaveGroup: members go, by themselves or by an operator's hand, one or several at a time.

use std::sync::Arc;

use protocol::error::ErrorCode;

use super::Groups;
use super::group::{Group, State};
use super::reply::{LeaveReply, LeftMember, Reply};
use super::request::{LeaveGroup, LeavingMember, Now, Token};
use super::step::{Effects, Step};

impl Groups {
    /// Answered at once, or, if the group became empty, when that is stored.
    pub fn leave(&mut self, now: Now, token: Token, request: &LeaveGroup) -> Effects {
        let (groups, mut step) = self.step(now);
        if request.group_id.is_empty() {
            let reply = LeaveReply {
                error: ErrorCode::InvalidGroupId,
                members: Vec::new(),
            };
            step.reply(token, Reply::Leave(reply));
            return step.effects;
        }
        let left = |member: &LeavingMember, error| LeftMember {
            member_id: member.member_id.clone(),
            group_instance_id: member.group_instance_id.clone(),
            error,
        };
        let members = match groups.get_mut(&*request.group_id) {
            None => {
                let unknown = |member| left(member, ErrorCode::UnknownMemberId);
                request.members.iter().map(unknown).collect()
            }
            Some(group) => {
                let outcomes = group.leave(&mut step, &request.members);
                request
                    .members
                    .iter()
                    .zip(outcomes)
                    .map(|(m, error)| left(m, error))
                    .collect()
            }
        };
        let reply = LeaveReply {
            error: ErrorCode::None,
            members,
        };
        step.reply_when_durable(token, Reply::Leave(reply));
        let effects = step.effects;
        self.drop_if_blank(&request.group_id);
        effects
    }
}

impl Group {
    fn leave(&mut self, step: &mut Step<'_>, members: &[LeavingMember]) -> Vec<ErrorCode> {
        let members_before = self.members.len();
        let outcomes = members
            .iter()
            .map(|member| {
                self.leave_one(step, member)
                    .err()
                    .unwrap_or(ErrorCode::None)
            })
            .collect();
        match self.state {
            State::CompletingRebalance | State::Stable if self.members.len() < members_before => {
                self.prepare_rebalance(step);
            }
            State::PreparingRebalance => self.complete_join_if_all_joined(step),
            _ => {}
        }
        outcomes
    }

    fn leave_one(&mut self, step: &mut Step<'_>, member: &LeavingMember) -> Result<(), ErrorCode> {
        let instance_id = member.group_instance_id.as_deref();
        let member_id: Arc<str> = if member.member_id.is_empty() {
            // An operator removes a static member without knowing its id of the moment.
            let member_id = instance_id.and_then(|id| self.static_members.get(id));
            Arc::clone(member_id.ok_or(ErrorCode::UnknownMemberId)?)
        } else {
            if !self.pending_join.contains(&*member.member_id) {
                self.validate_member(&member.member_id, instance_id)?;
            }
            member.member_id.as_str().into()
        };
        self.remove_member(step, &member_id, ErrorCode::UnknownMemberId);
        Ok(())
    }
}
