//! LeaveGroup (key 13), versions 0 to 5: members leave, or an operator takes them out by their ids (from version 3 on several).

use std::sync::Arc;

use protocol::error::ErrorCode;
use protocol::messages::leave_group::{LeaveGroupRequest, LeaveGroupResponse, MemberResponse};

use super::group::optional;
use crate::broker::Broker;
use crate::dispatch::{Call, Response};
use crate::groups::{LeaveGroup, LeavingMember, Reply};

const BATCHED_VERSION: i16 = 3;

pub(crate) async fn handle(
    broker: Arc<Broker>,
    call: Call,
    request: LeaveGroupRequest,
) -> Response {
    let batched = call.version >= BATCHED_VERSION;
    let members = if batched {
        let member = |member: &protocol::messages::leave_group::MemberIdentity| LeavingMember {
            member_id: member.member_id.to_string(),
            group_instance_id: optional(member.group_instance_id.as_ref()),
        };
        request.members.iter().map(member).collect()
    } else {
        vec![LeavingMember {
            member_id: request.member_id.to_string(),
            group_instance_id: None,
        }]
    };
    let leave = LeaveGroup {
        group_id: request.group_id.to_string(),
        members,
    };
    let answer = broker
        .coordinator
        .ask(|groups, now, token| groups.leave(now, token, &leave));
    let Ok(Reply::Leave(reply)) = answer.await else {
        let error_code = ErrorCode::CoordinatorNotAvailable.into();
        return call.respond(&LeaveGroupResponse {
            error_code,
            ..Default::default()
        });
    };
    let of_one = reply
        .members
        .first()
        .map_or(ErrorCode::None, |member| member.error);
    let error = if !batched && reply.error == ErrorCode::None {
        of_one
    } else {
        reply.error
    };
    let member = |member: crate::groups::LeftMember| MemberResponse {
        member_id: member.member_id.into(),
        group_instance_id: member.group_instance_id.map(Into::into),
        error_code: member.error.into(),
    };
    call.respond(&LeaveGroupResponse {
        error_code: error.into(),
        members: reply.members.into_iter().map(member).collect(),
        ..Default::default()
    })
}
