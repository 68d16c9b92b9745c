//! Heartbeat: a member is alive, and hears whether it has to join again.

use protocol::error::ErrorCode;

use super::Groups;
use super::group::{Group, State};
use super::request::{Heartbeat, Now};
use super::step::Step;

impl Groups {
    pub fn heartbeat(&mut self, now: Now, request: &Heartbeat) -> ErrorCode {
        if request.group_id.is_empty() {
            return ErrorCode::InvalidGroupId;
        }
        let (groups, mut step) = self.step(now);
        match groups.get(&*request.group_id) {
            Some(group) => group
                .heartbeat(&mut step, request)
                .err()
                .unwrap_or(ErrorCode::None),
            None => ErrorCode::UnknownMemberId,
        }
    }
}

impl Group {
    fn heartbeat(&self, step: &mut Step<'_>, request: &Heartbeat) -> Result<(), ErrorCode> {
        self.validate_member(&request.member_id, request.group_instance_id.as_deref())?;
        if request.generation != self.generation {
            return Err(ErrorCode::IllegalGeneration);
        }
        self.restart_session(step, &request.member_id);
        match self.state {
            State::PreparingRebalance => Err(ErrorCode::RebalanceInProgress),
            // Clients begin with heartbeats before they have their assignment.
            State::Empty | State::CompletingRebalance | State::Stable => Ok(()),
        }
    }
}
