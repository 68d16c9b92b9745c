//! JoinGroup (key 11), versions 0 to 9: a member enters a group, or comes back to it, and waits until the group has gathered.

use std::sync::Arc;

use bytes::Bytes;
use protocol::error::ErrorCode;
use protocol::messages::join_group::{
    JoinGroupRequest, JoinGroupResponse, JoinGroupResponseMember,
};

use super::group::{optional, wire};
use crate::broker::Broker;
use crate::dispatch::{Call, Response};
use crate::groups::{JoinGroup, JoinReply, Protocol, Reply};

/// From this version on a member without an id is given one first.
const MEMBER_ID_REQUIRED_VERSION: i16 = 4;
const NULL_PROTOCOL_VERSION: i16 = 7;
const SKIP_ASSIGNMENT_VERSION: i16 = 9;

pub(crate) async fn handle(broker: Arc<Broker>, call: Call, request: JoinGroupRequest) -> Response {
    let version = call.version;
    let member_id = request.member_id.to_string();
    let join = JoinGroup {
        group_id: request.group_id.to_string(),
        member_id: member_id.clone(),
        group_instance_id: optional(request.group_instance_id.as_ref()),
        client_id: call.client_id().to_owned(),
        client_host: call.client_host(),
        session_timeout_ms: request.session_timeout_ms,
        rebalance_timeout_ms: if version == 0 {
            request.session_timeout_ms
        } else {
            request.rebalance_timeout_ms
        },
        protocol_type: request.protocol_type.to_string(),
        protocols: request
            .protocols
            .iter()
            .map(|protocol| Protocol {
                name: protocol.name.to_string(),
                metadata: Bytes::copy_from_slice(&protocol.metadata),
            })
            .collect(),
        member_id_required: version >= MEMBER_ID_REQUIRED_VERSION,
        skip_assignment: version >= SKIP_ASSIGNMENT_VERSION,
        member_uuid: u128::from_be_bytes(broker.random.bytes()),
    };
    drop(request);
    let answer = broker
        .coordinator
        .ask(|groups, now, token| groups.join(now, token, &join));
    let reply = answer.await;
    let Ok(Reply::Join(reply)) = reply else {
        let error_code = ErrorCode::CoordinatorNotAvailable.into();
        return call.respond(&JoinGroupResponse {
            error_code,
            member_id: member_id.into(),
            ..Default::default()
        });
    };
    call.respond(&response(version, reply))
}

fn response(version: i16, reply: JoinReply) -> JoinGroupResponse {
    let null_name = if version >= NULL_PROTOCOL_VERSION {
        None
    } else {
        Some(protocol::KafkaString::default())
    };
    JoinGroupResponse {
        error_code: reply.error.into(),
        generation_id: reply.generation,
        protocol_type: reply.protocol_type.map(Into::into),
        protocol_name: reply.protocol_name.map(Into::into).or(null_name),
        leader: reply.leader.into(),
        skip_assignment: reply.skip_assignment,
        member_id: reply.member_id.into(),
        members: reply
            .members
            .into_iter()
            .map(|member| JoinGroupResponseMember {
                member_id: wire(&member.member_id),
                group_instance_id: member.group_instance_id.as_deref().map(wire),
                metadata: member.metadata,
            })
            .collect(),
        ..Default::default()
    }
}
