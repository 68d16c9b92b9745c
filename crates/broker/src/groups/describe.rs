//! ListGroups and DescribeGroups: the groups as they are at this moment.

use std::sync::Arc;

use bytes::Bytes;

use super::Groups;
use super::group::{Group, State, StoredOffset};
use super::member::Member;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedGroup {
    pub group_id: Arc<str>,
    /// Empty for a group that only holds offsets.
    pub protocol_type: String,
    pub state: &'static str,
    pub group_type: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedGroup {
    pub group_id: Arc<str>,
    pub state: &'static str,
    pub protocol_type: String,
    /// The protocol in use; empty unless the group is stable.
    pub protocol_name: String,
    pub members: Vec<DescribedMember>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescribedMember {
    pub member_id: Arc<str>,
    pub group_instance_id: Option<Arc<str>>,
    pub client_id: String,
    pub client_host: String,
    /// Empty unless the group is stable.
    pub metadata: Bytes,
    pub assignment: Bytes,
}

/// The state of a group that does not exist.
pub const DEAD: &str = "Dead";

/// What a group, a member or an offset takes in an answer beside its texts.
const DESCRIBED_BYTES: usize = 256;

const CLASSIC: &str = "classic";

impl Groups {
    /// The groups in one of these states and of one of these types; an empty list leaves out nothing.
    pub fn list(&self, states: &[String], types: &[String]) -> Vec<ListedGroup> {
        let classic = types.is_empty() || types.iter().any(|t| t.eq_ignore_ascii_case(CLASSIC));
        let named = |group: &&Group| {
            let is = |state: &String| state.trim().eq_ignore_ascii_case(group.state.name());
            classic && (states.is_empty() || states.iter().any(is))
        };
        let listed = |group: &Group| ListedGroup {
            group_id: Arc::clone(&group.id),
            protocol_type: group.protocol_type.clone().unwrap_or_default(),
            state: group.state.name(),
            group_type: CLASSIC,
        };
        self.groups.values().filter(named).map(listed).collect()
    }

    pub fn count(&self) -> usize {
        self.groups.len()
    }

    /// What a description of the group takes at most, built and encoded.
    pub fn description_bytes(&self, group_id: &str) -> usize {
        let members = self.groups.get(group_id).map(|group| &group.members);
        let member = |(id, member): (&Arc<str>, &Member)| {
            let metadata = member
                .protocols
                .iter()
                .map(|protocol| protocol.metadata.len());
            let longest = metadata.max().unwrap_or(0);
            id.len() + longest + member.assignment.len() + DESCRIBED_BYTES
        };
        members.into_iter().flatten().map(member).sum::<usize>() + DESCRIBED_BYTES
    }

    /// What offsets of the group take in an answer at most, built and encoded: so many, or all there are.
    pub fn offsets_bytes(&self, group_id: &str, asked: Option<usize>) -> usize {
        let offsets = self.groups.get(group_id).map(|group| &group.offsets);
        let stored = offsets.into_iter().flatten().flat_map(|(_, found)| found);
        let bytes = |(_, stored): (&i32, &StoredOffset)| {
            2 * stored.committed.metadata.len() + DESCRIBED_BYTES
        };
        let bytes = stored.map(bytes);
        match asked {
            Some(asked) => asked.saturating_mul(bytes.max().unwrap_or(DESCRIBED_BYTES)),
            None => bytes.sum(),
        }
    }

    /// None if there is no such group: the answer is then state Dead, and from version 6 on GROUP_ID_NOT_FOUND.
    pub fn describe(&self, group_id: &str) -> Option<DescribedGroup> {
        let group = self.groups.get(group_id)?;
        let protocol_name = group
            .protocol_name
            .as_deref()
            .filter(|_| group.state == State::Stable);
        let members = group
            .members
            .iter()
            .map(|(member_id, member)| DescribedMember {
                member_id: Arc::clone(member_id),
                group_instance_id: member.group_instance_id.clone(),
                client_id: member.client_id.clone(),
                client_host: member.client_host.clone(),
                metadata: protocol_name
                    .map(|name| member.metadata(name))
                    .unwrap_or_default(),
                assignment: member.assignment.clone(),
            });
        Some(DescribedGroup {
            group_id: Arc::clone(&group.id),
            state: group.state.name(),
            protocol_type: group.protocol_type.clone().unwrap_or_default(),
            protocol_name: protocol_name.unwrap_or_default().to_owned(),
            members: members.collect(),
        })
    }
}
