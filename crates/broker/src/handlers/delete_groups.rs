//! DeleteGroups (key 42), versions 0 to 2: deletes groups without members, with what they committed; each by itself.

use std::collections::BTreeSet;
use std::sync::Arc;

use protocol::error::ErrorCode;
use protocol::messages::delete_groups::{
    DeletableGroupResult, DeleteGroupsRequest, DeleteGroupsResponse,
};

use crate::broker::Broker;
use crate::dispatch::{Call, Response};
use crate::groups::Reply;

pub(crate) async fn handle(
    broker: Arc<Broker>,
    call: Call,
    request: DeleteGroupsRequest,
) -> Response {
    let mut seen = BTreeSet::new();
    // All are asked before the first is waited for: one sync serves them all.
    let asked: Vec<_> = request
        .groups_names
        .into_iter()
        .filter(|group_id| seen.insert(group_id.clone()))
        .map(|group_id| {
            let answer = broker
                .coordinator
                .ask(|groups, now, token| groups.delete_group(now, token, &group_id));
            (group_id, answer)
        })
        .collect();
    let mut results = Vec::with_capacity(asked.len());
    for (group_id, answer) in asked {
        let error = match answer.await {
            Ok(Reply::DeleteGroup(error)) => error,
            _ => ErrorCode::CoordinatorNotAvailable,
        };
        results.push(DeletableGroupResult {
            group_id,
            error_code: error.into(),
        });
    }
    call.respond(&DeleteGroupsResponse {
        results,
        ..Default::default()
    })
}
