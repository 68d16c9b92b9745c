//! ListGroups (key 16), versions 0 to 5: the groups, from version 4 on by state, from 5 on by type.

use std::sync::Arc;

use protocol::messages::list_groups::{ListGroupsRequest, ListGroupsResponse, ListedGroup};

use super::group::wire;
use crate::broker::Broker;
use crate::dispatch::{self, Call, Response};
use crate::groups::Groups;

/// What a group takes in the answer, built and encoded.
const GROUP_BYTES: usize = 512;

pub(crate) async fn handle(
    broker: Arc<Broker>,
    call: Call,
    request: ListGroupsRequest,
) -> Response {
    let bytes = broker.coordinator.look(Groups::count) * GROUP_BYTES;
    let build = async { list(&broker, &call, &request) };
    dispatch::with_room(&broker.answers, bytes, build).await
}

fn list(broker: &Broker, call: &Call, request: &ListGroupsRequest) -> Response {
    let texts =
        |list: &[protocol::KafkaString]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
    let (states, types) = (texts(&request.states_filter), texts(&request.types_filter));
    let groups = broker
        .coordinator
        .look(|groups| groups.list(&states, &types));
    let groups = groups.into_iter().map(|group| ListedGroup {
        group_id: wire(&group.group_id),
        protocol_type: group.protocol_type.into(),
        group_state: group.state.into(),
        group_type: group.group_type.into(),
    });
    call.respond(&ListGroupsResponse {
        groups: groups.collect(),
        ..Default::default()
    })
}
