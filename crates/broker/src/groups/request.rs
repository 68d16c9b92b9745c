//! What the coordinator is asked: the fields of the wire requests that its rules look at. Handlers fill these in, apply what depends
//! on the request's version, and hand them to `Groups`.

use std::sync::Arc;

use bytes::Bytes;
use protocol::{KafkaString, Uuid};

/// Names one waiting request. The runtime gives each a number of its own; `Groups` answers each exactly once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub u64);

/// The time of a step. Sessions and rebalances run on the monotonic clock, offset retention on the running time, which goes on across
/// restarts and does not jump. The wall clock only stamps what is stored, for those who read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    pub monotonic_ms: u64,
    pub running_ms: u64,
    pub wall_ms: i64,
}

impl Now {
    pub fn stamp(self) -> Stamp {
        Stamp {
            running_ms: self.running_ms,
            wall_ms: self.wall_ms,
        }
    }
}

/// When a record was stored: the running time goes on from the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    pub running_ms: u64,
    pub wall_ms: i64,
}

/// One way of assigning that a member supports, with what it has to say under it. The coordinator does not read the metadata, but
/// for the subscribed topics of consumers. It is kept as long as the member: not a slice of a much larger buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Protocol {
    pub name: String,
    pub metadata: Bytes,
}

#[derive(Clone, Debug)]
pub struct JoinGroup {
    pub group_id: String,
    /// Empty for a member that has no id yet.
    pub member_id: String,
    pub group_instance_id: Option<String>,
    pub client_id: String,
    pub client_host: String,
    pub session_timeout_ms: i32,
    /// The session timeout where the request has no such field (version 0).
    pub rebalance_timeout_ms: i32,
    pub protocol_type: String,
    pub protocols: Vec<Protocol>,
    /// From version 4 on a member without id is only given one, and joins again with it.
    pub member_id_required: bool,
    /// From version 9 on a returning static leader can be told that there is nothing to assign.
    pub skip_assignment: bool,
    /// Random; becomes part of the member id if a new one is needed.
    pub member_uuid: u128,
}

#[derive(Clone, Debug)]
pub struct SyncGroup {
    pub group_id: String,
    pub member_id: String,
    pub group_instance_id: Option<String>,
    pub generation: i32,
    /// From version 5 on.
    pub protocol_type: Option<String>,
    /// From version 5 on.
    pub protocol_name: Option<String>,
    /// From the leader: member ids and their assignments. What of it is kept is copied.
    pub assignments: Vec<(KafkaString, Bytes)>,
}

#[derive(Clone, Debug)]
pub struct Heartbeat {
    pub group_id: String,
    pub member_id: String,
    pub group_instance_id: Option<String>,
    pub generation: i32,
}

#[derive(Clone, Debug)]
pub struct LeaveGroup {
    pub group_id: String,
    pub members: Vec<LeavingMember>,
}

/// A member by its id, or by its instance id alone when an operator removes it.
#[derive(Clone, Debug)]
pub struct LeavingMember {
    pub member_id: String,
    pub group_instance_id: Option<String>,
}

#[derive(Clone, Debug)]
pub struct OffsetCommit {
    pub group_id: String,
    pub member_id: String,
    pub group_instance_id: Option<String>,
    /// -1 from a client that manages its partitions itself.
    pub generation: i32,
    /// From versions 2 to 4, when not -1.
    pub retention_ms: Option<i64>,
    /// Up to version 8 an unknown group is told as ILLEGAL_GENERATION.
    pub group_id_not_found: bool,
    pub topics: Vec<CommitTopic>,
}

#[derive(Clone, Debug)]
pub struct CommitTopic {
    pub name: Arc<str>,
    /// Zero if the topic does not exist.
    pub topic_id: Uuid,
    pub partitions: Vec<CommitPartition>,
}

#[derive(Clone, Debug)]
pub struct CommitPartition {
    pub partition: i32,
    pub offset: i64,
    /// -1 if unknown.
    pub leader_epoch: i32,
    pub metadata: String,
}

#[derive(Clone, Debug)]
pub struct OffsetFetch {
    pub group_id: String,
    /// None asks for every offset of the group.
    pub topics: Option<Vec<FetchTopic>>,
    /// Wait for the commits that are under way.
    pub require_stable: bool,
}

#[derive(Clone, Debug)]
pub struct FetchTopic {
    pub name: Arc<str>,
    /// Offsets stored for another topic of this name are passed over. Zero skips the check.
    pub topic_id: Uuid,
    pub partitions: Vec<i32>,
}

#[derive(Clone, Debug)]
pub struct OffsetDelete {
    pub group_id: String,
    pub topics: Vec<(Arc<str>, Vec<i32>)>,
}
