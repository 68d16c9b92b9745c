//! ListPartitionReassignments (key 46), version 0: none is ever under way, with one broker.

use protocol::messages::list_partition_reassignments::{
    ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse,
};

use crate::dispatch::{Call, Response};

pub(crate) fn handle(call: &Call, _: &ListPartitionReassignmentsRequest) -> Response {
    call.respond(&ListPartitionReassignmentsResponse {
        error_message: None,
        ..Default::default()
    })
}
