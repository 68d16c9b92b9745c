//! DescribeGroups (key 15), versions 0 to 6: members and assignments of classic groups. A group that is not there is described as
//! dead; from version 6 on that is an error.

use std::sync::Arc;

use protocol::KafkaString;
use protocol::error::ErrorCode;
use protocol::messages::describe_groups::{
    DescribeGroupsRequest, DescribeGroupsResponse, DescribedGroup, DescribedGroupMember,
};

use super::authorized_operations;
use super::group::wire;
use crate::broker::Broker;
use crate::dispatch::{self, BadRequest, Call, Handled, Response};
use crate::groups::{self, DEAD, Groups};

const NOT_FOUND_VERSION: i16 = 6;

pub(crate) fn handle(broker: &Arc<Broker>, call: Call, request: DescribeGroupsRequest) -> Handled {
    let bytes = broker.coordinator.look(|groups| {
        let bytes = request.groups.iter().map(|id| groups.description_bytes(id));
        bytes.fold(0, usize::saturating_add)
    });
    let known = || broker.coordinator.look(Groups::count);
    if dispatch::asks_too_much(broker, request.groups.len(), known, bytes) {
        return Handled::Close(BadRequest::AsksTooMuch);
    }
    let broker = broker.clone();
    dispatch::later(async move {
        let build = async { describe(&broker, &call, &request) };
        dispatch::with_room(&broker.answers, bytes, build).await
    })
}

fn describe(broker: &Broker, call: &Call, request: &DescribeGroupsRequest) -> Response {
    let describe = |id: &KafkaString| match broker.coordinator.look(|groups| groups.describe(id)) {
        Some(group) => described(group),
        None => unknown(call.version, id),
    };
    let authorized = |mut group: DescribedGroup| {
        if request.include_authorized_operations && group.error_code == 0 {
            group.authorized_operations = authorized_operations::GROUP;
        }
        group
    };
    let groups = request.groups.iter().map(describe).map(authorized);
    call.respond(&DescribeGroupsResponse {
        groups: groups.collect(),
        ..Default::default()
    })
}

fn described(group: groups::DescribedGroup) -> DescribedGroup {
    let member = |member: groups::DescribedMember| DescribedGroupMember {
        member_id: wire(&member.member_id),
        group_instance_id: member.group_instance_id.as_deref().map(wire),
        client_id: member.client_id.into(),
        client_host: member.client_host.into(),
        member_metadata: member.metadata,
        member_assignment: member.assignment,
    };
    DescribedGroup {
        group_id: wire(&group.group_id),
        group_state: group.state.into(),
        protocol_type: group.protocol_type.into(),
        protocol_data: group.protocol_name.into(),
        members: group.members.into_iter().map(member).collect(),
        ..Default::default()
    }
}

fn unknown(version: i16, id: &KafkaString) -> DescribedGroup {
    let mut group = DescribedGroup {
        group_id: id.clone(),
        group_state: DEAD.into(),
        ..Default::default()
    };
    if version >= NOT_FOUND_VERSION {
        group.error_code = ErrorCode::GroupIdNotFound.into();
        group.error_message = Some(format!("Group {id} not found.").into());
    }
    group
}
