//! Heartbeat (key 12), versions 0 to 4: a member says that it lives, and hears whether it must join again.

use protocol::messages::heartbeat::{HeartbeatRequest, HeartbeatResponse};

use super::group::optional;
use crate::broker::Broker;
use crate::dispatch::{Call, Response};
use crate::groups::Heartbeat;

pub(crate) fn handle(broker: &Broker, call: &Call, request: &HeartbeatRequest) -> Response {
    let heartbeat = Heartbeat {
        group_id: request.group_id.to_string(),
        member_id: request.member_id.to_string(),
        group_instance_id: optional(request.group_instance_id.as_ref()),
        generation: request.generation_id,
    };
    let code = broker
        .coordinator
        .now(|groups, now| groups.heartbeat(now, &heartbeat));
    call.respond(&HeartbeatResponse {
        error_code: code.into(),
        ..Default::default()
    })
}
