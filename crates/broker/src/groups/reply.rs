//! What the coordinator answers, typed by request, and how an answer turns into an error when its records could not be stored.

use std::sync::Arc;

use bytes::Bytes;
use protocol::Uuid;
use protocol::error::ErrorCode;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    Join(JoinReply),
    Sync(SyncReply),
    Leave(LeaveReply),
    OffsetCommit(OffsetCommitReply),
    OffsetFetch(OffsetFetchReply),
    OffsetDelete(OffsetDeleteReply),
    DeleteGroup(ErrorCode),
}

/// Protocol type and name are none on errors; version 6 and lower write the name as "".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinReply {
    pub error: ErrorCode,
    pub generation: i32,
    pub protocol_type: Option<String>,
    pub protocol_name: Option<String>,
    pub leader: String,
    pub skip_assignment: bool,
    pub member_id: String,
    /// For the leader: whom it assigns to.
    pub members: Vec<JoinMember>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JoinMember {
    pub member_id: Arc<str>,
    pub group_instance_id: Option<Arc<str>>,
    pub metadata: Bytes,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncReply {
    pub error: ErrorCode,
    pub protocol_type: Option<String>,
    pub protocol_name: Option<String>,
    pub assignment: Bytes,
}

/// Up to version 2 the one member's error is the answer's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaveReply {
    pub error: ErrorCode,
    pub members: Vec<LeftMember>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftMember {
    pub member_id: String,
    pub group_instance_id: Option<String>,
    pub error: ErrorCode,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OffsetCommitReply {
    pub topics: Vec<CommittedTopic>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedTopic {
    pub name: Arc<str>,
    pub topic_id: Uuid,
    pub partitions: Vec<(i32, ErrorCode)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OffsetFetchReply {
    pub error: ErrorCode,
    pub topics: Vec<FetchedTopic>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedTopic {
    pub name: Arc<str>,
    pub partitions: Vec<FetchedPartition>,
}

/// Offset and leader epoch are -1 where nothing is committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchedPartition {
    pub partition: i32,
    pub offset: i64,
    pub leader_epoch: i32,
    pub metadata: String,
    /// The topic that the offset was committed for; zero if unknown. Who asked for all offsets must pass over those of another
    /// topic than the one that bears the name today.
    pub topic_id: Uuid,
    pub error: ErrorCode,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OffsetDeleteReply {
    pub error: ErrorCode,
    pub topics: Vec<DeletedOffsets>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeletedOffsets {
    pub topic: Arc<str>,
    pub partitions: Vec<(i32, ErrorCode)>,
}

impl Reply {
    /// The same answer when its records could not be stored.
    pub(super) fn failed(self, error: ErrorCode) -> Self {
        match self {
            Self::Join(reply) => Self::Join(JoinReply::error(&reply.member_id, error)),
            Self::Sync(_) => Self::Sync(SyncReply::error(error)),
            Self::Leave(_) => Self::Leave(LeaveReply {
                error,
                members: Vec::new(),
            }),
            Self::OffsetCommit(mut reply) => {
                for (_, outcome) in reply
                    .topics
                    .iter_mut()
                    .flat_map(|topic| &mut topic.partitions)
                {
                    if *outcome == ErrorCode::None {
                        *outcome = error;
                    }
                }
                Self::OffsetCommit(reply)
            }
            Self::OffsetFetch(_) => Self::OffsetFetch(OffsetFetchReply {
                error,
                topics: Vec::new(),
            }),
            Self::OffsetDelete(_) => Self::OffsetDelete(OffsetDeleteReply {
                error,
                topics: Vec::new(),
            }),
            Self::DeleteGroup(_) => Self::DeleteGroup(error),
        }
    }
}

impl JoinReply {
    pub(super) fn error(member_id: &str, error: ErrorCode) -> Self {
        Self {
            error,
            generation: -1,
            protocol_type: None,
            protocol_name: None,
            leader: String::new(),
            skip_assignment: false,
            member_id: member_id.to_owned(),
            members: Vec::new(),
        }
    }
}

impl SyncReply {
    pub(super) fn error(error: ErrorCode) -> Self {
        Self {
            error,
            protocol_type: None,
            protocol_name: None,
            assignment: Bytes::new(),
        }
    }
}
