//! SyncGroup (key 14), versions 0 to 5: the leader hands in the assignment, every member waits for its part.

use std::sync::Arc;

use protocol::error::ErrorCode;
use protocol::messages::sync_group::{SyncGroupRequest, SyncGroupResponse};

use super::group::optional;
use crate::broker::Broker;
use crate::dispatch::{Call, Response};
use crate::groups::{Reply, SyncGroup};

/// From here on members tell the protocol that they were told.
const PROTOCOL_TOLD_VERSION: i16 = 5;

pub(crate) async fn handle(broker: Arc<Broker>, call: Call, request: SyncGroupRequest) -> Response {
    let is_untold = request.protocol_type.is_none() || request.protocol_name.is_none();
    if call.version >= PROTOCOL_TOLD_VERSION && is_untold {
        return call.respond(&SyncGroupResponse {
            error_code: ErrorCode::InconsistentGroupProtocol.into(),
            ..Default::default()
        });
    }
    let sync = SyncGroup {
        group_id: request.group_id.to_string(),
        member_id: request.member_id.to_string(),
        group_instance_id: optional(request.group_instance_id.as_ref()),
        generation: request.generation_id,
        protocol_type: optional(request.protocol_type.as_ref()),
        protocol_name: optional(request.protocol_name.as_ref()),
        assignments: request
            .assignments
            .into_iter()
            .map(|one| (one.member_id, one.assignment))
            .collect(),
    };
    let answer = broker
        .coordinator
        .ask(|groups, now, token| groups.sync(now, token, &sync));
    // The members' wait may be long.
    drop(sync);
    let Ok(Reply::Sync(reply)) = answer.await else {
        let error_code = ErrorCode::CoordinatorNotAvailable.into();
        return call.respond(&SyncGroupResponse {
            error_code,
            ..Default::default()
        });
    };
    call.respond(&SyncGroupResponse {
        error_code: reply.error.into(),
        protocol_type: reply.protocol_type.map(Into::into),
        protocol_name: reply.protocol_name.map(Into::into),
        assignment: reply.assignment,
        ..Default::default()
    })
}
