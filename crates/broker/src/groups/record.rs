//! The records of `__consumer_offsets` that classic groups and offsets are made of, in Kafka's own formats, so that Kafka's tools
//! can read them. Written by the coordinator, read back at a restart.

use std::sync::Arc;

use bytes::{BufMut, Bytes, BytesMut};
use protocol::messages::offsets_topic as wire;
use protocol::wire::{DecodeError, Encoder};
use protocol::{KafkaString, Message, Uuid};

use super::member::Member;
use super::request::Protocol;

/// Kinds of record, the first two bytes of a key. Offsets were of kind 0 before they were of kind 1; the key is the same.
const OFFSET_KINDS: [i16; 2] = [0, 1];
const GROUP_KIND: i16 = 2;
/// Versions of values, the first two bytes of a value: those that Kafka 4.3 writes.
const GROUP_VERSION: i16 = 3;
const OFFSET_VERSION: i16 = 4;
/// The one version that holds a retention, but no leader epoch and no topic id.
const OFFSET_WITH_RETENTION_VERSION: i16 = 1;
/// What a text in a record can hold.
pub(super) const TEXT_BYTES_MAX: usize = i16::MAX as usize;

/// A key with its value; no value deletes the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Record {
    Group {
        group_id: Arc<str>,
        metadata: Option<Arc<GroupMetadata>>,
    },
    Offset {
        group_id: Arc<str>,
        topic: Arc<str>,
        partition: i32,
        offset: Option<CommittedOffset>,
    },
}

/// A group as its last generation was stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMetadata {
    /// Empty if nobody ever joined.
    pub protocol_type: String,
    pub generation: i32,
    pub protocol_name: Option<String>,
    pub leader: Option<Arc<str>>,
    pub state_since_ms: Option<i64>,
    pub members: Vec<MemberMetadata>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberMetadata {
    pub member_id: Arc<str>,
    pub group_instance_id: Option<Arc<str>>,
    pub client_id: String,
    pub client_host: String,
    pub rebalance_timeout_ms: i32,
    pub session_timeout_ms: i32,
    /// What the member said under the chosen protocol.
    pub subscription: Bytes,
    pub assignment: Bytes,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommittedOffset {
    pub offset: i64,
    /// -1 if unknown.
    pub leader_epoch: i32,
    pub metadata: String,
    pub commit_timestamp_ms: i64,
    /// The client's own retention, if it asked for one.
    pub expire_timestamp_ms: Option<i64>,
    /// Zero if unknown.
    pub topic_id: Uuid,
}

/// A record of a kind we know that is not as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidRecord {
    #[error("the record has no key, or one too short to name its kind")]
    NoKind,
    #[error("the value is too short to name its version")]
    NoVersion,
    #[error("a field is not as it should be: {0}")]
    Field(#[from] DecodeError),
}

impl Record {
    /// Key and value as they are stored.
    pub fn encode(&self) -> (Bytes, Option<Bytes>) {
        match self {
            Self::Group { group_id, metadata } => {
                let key = wire::GroupMetadataKey {
                    group: text(group_id),
                };
                let value = metadata
                    .as_ref()
                    .map(|metadata| prefixed(GROUP_VERSION, &metadata.to_wire(), GROUP_VERSION));
                (prefixed(GROUP_KIND, &key, 0), value)
            }
            Self::Offset {
                group_id,
                topic,
                partition,
                offset,
            } => {
                let key = wire::OffsetCommitKey {
                    group: text(group_id),
                    topic: text(topic),
                    partition: *partition,
                };
                let value = offset.as_ref().map(|offset| {
                    let version = offset.version();
                    prefixed(version, &offset.to_wire(), version)
                });
                (prefixed(OFFSET_KINDS[1], &key, 0), value)
            }
        }
    }

    /// Reads a record back. None for a kind that classic groups do not have.
    pub fn decode(key: &Bytes, value: Option<&Bytes>) -> Result<Option<Self>, InvalidRecord> {
        let (kind, key) = split_prefix(key).ok_or(InvalidRecord::NoKind)?;
        let value = match value {
            Some(value) => Some(split_prefix(value).ok_or(InvalidRecord::NoVersion)?),
            None => None,
        };
        if OFFSET_KINDS.contains(&kind) {
            let key = wire::OffsetCommitKey::from_bytes(key, 0)?;
            let offset = value.map(|(version, value)| CommittedOffset::read(value, version));
            return Ok(Some(Self::Offset {
                group_id: key.group.as_str().into(),
                topic: key.topic.as_str().into(),
                partition: key.partition,
                offset: offset.transpose()?,
            }));
        }
        if kind != GROUP_KIND {
            return Ok(None);
        }
        let key = wire::GroupMetadataKey::from_bytes(key, 0)?;
        let metadata = value.map(|(version, value)| GroupMetadata::read(value, version));
        let metadata = metadata.transpose()?.map(Arc::new);
        Ok(Some(Self::Group {
            group_id: key.group.as_str().into(),
            metadata,
        }))
    }

    pub(super) fn group(group_id: &Arc<str>, metadata: Option<GroupMetadata>) -> Self {
        Self::Group {
            group_id: Arc::clone(group_id),
            metadata: metadata.map(Arc::new),
        }
    }

    pub(super) fn offset(
        group_id: &Arc<str>,
        topic: &Arc<str>,
        partition: i32,
        offset: Option<CommittedOffset>,
    ) -> Self {
        let (group_id, topic) = (Arc::clone(group_id), Arc::clone(topic));
        Self::Offset {
            group_id,
            topic,
            partition,
            offset,
        }
    }

    pub fn group_id(&self) -> &Arc<str> {
        match self {
            Self::Group { group_id, .. } | Self::Offset { group_id, .. } => group_id,
        }
    }

    pub fn is_tombstone(&self) -> bool {
        match self {
            Self::Group { metadata, .. } => metadata.is_none(),
            Self::Offset { offset, .. } => offset.is_none(),
        }
    }

    pub(super) fn metadata(&self) -> Option<&GroupMetadata> {
        match self {
            Self::Group { metadata, .. } => metadata.as_deref(),
            Self::Offset { .. } => None,
        }
    }

    /// The partition that an offset is committed for.
    pub(super) fn committed(&self) -> Option<(Arc<str>, i32)> {
        match self {
            Self::Offset {
                topic,
                partition,
                offset: Some(_),
                ..
            } => Some((Arc::clone(topic), *partition)),
            Self::Group { .. } | Self::Offset { .. } => None,
        }
    }
}

impl MemberMetadata {
    pub(super) fn new(member_id: &Arc<str>, member: &Member, protocol_name: &str) -> Self {
        Self {
            member_id: Arc::clone(member_id),
            group_instance_id: member.group_instance_id.clone(),
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            rebalance_timeout_ms: member.rebalance_timeout_ms,
            session_timeout_ms: member.session_timeout_ms,
            subscription: member.metadata(protocol_name),
            assignment: member.assignment.clone(),
        }
    }

    /// The member as the record knows it: of its protocols only the chosen one.
    pub(super) fn to_member(&self, protocol_name: String) -> Member {
        Member {
            group_instance_id: self.group_instance_id.clone(),
            client_id: self.client_id.clone(),
            client_host: self.client_host.clone(),
            rebalance_timeout_ms: self.rebalance_timeout_ms,
            session_timeout_ms: self.session_timeout_ms,
            protocols: vec![Protocol {
                name: protocol_name,
                metadata: self.subscription.clone(),
            }],
            assignment: self.assignment.clone(),
            awaiting_join: None,
            awaiting_sync: None,
            is_new: false,
        }
    }
}

impl GroupMetadata {
    fn to_wire(&self) -> wire::GroupMetadataValue {
        let member = |member: &MemberMetadata| wire::MemberMetadata {
            member_id: text(&member.member_id),
            group_instance_id: member.group_instance_id.as_deref().map(text),
            client_id: text(&member.client_id),
            client_host: text(&member.client_host),
            rebalance_timeout: member.rebalance_timeout_ms,
            session_timeout: member.session_timeout_ms,
            subscription: member.subscription.clone(),
            assignment: member.assignment.clone(),
        };
        wire::GroupMetadataValue {
            protocol_type: text(&self.protocol_type),
            generation: self.generation,
            protocol: self.protocol_name.as_deref().map(text),
            leader: self.leader.as_deref().map(text),
            current_state_timestamp: self.state_since_ms.unwrap_or(-1),
            members: self.members.iter().map(member).collect(),
        }
    }

    fn read(value: Bytes, version: i16) -> Result<Self, DecodeError> {
        let value = wire::GroupMetadataValue::from_bytes(value, version)?;
        let member = |member: wire::MemberMetadata| MemberMetadata {
            member_id: member.member_id.as_str().into(),
            group_instance_id: member.group_instance_id.map(|id| id.as_str().into()),
            client_id: member.client_id.as_str().to_owned(),
            client_host: member.client_host.as_str().to_owned(),
            rebalance_timeout_ms: match member.rebalance_timeout {
                // Version 0 had none.
                -1 => member.session_timeout,
                timeout_ms => timeout_ms,
            },
            session_timeout_ms: member.session_timeout,
            // Copied, so that the batch they came in is not kept for them.
            subscription: Bytes::copy_from_slice(&member.subscription),
            assignment: Bytes::copy_from_slice(&member.assignment),
        };
        Ok(Self {
            protocol_type: value.protocol_type.as_str().to_owned(),
            generation: value.generation,
            protocol_name: value.protocol.map(|name| name.as_str().to_owned()),
            leader: value.leader.map(|id| id.as_str().into()),
            state_since_ms: Some(value.current_state_timestamp).filter(|ms| *ms != -1),
            members: value.members.into_iter().map(member).collect(),
        })
    }
}

impl CommittedOffset {
    /// How long the client wants it kept, if it asked for a time of its own.
    pub(super) fn own_retention_ms(&self) -> Option<u64> {
        let expire_ms = self.expire_timestamp_ms?;
        u64::try_from(expire_ms.saturating_sub(self.commit_timestamp_ms))
            .ok()
            .or(Some(0))
    }

    fn version(&self) -> i16 {
        match self.expire_timestamp_ms {
            Some(_) => OFFSET_WITH_RETENTION_VERSION,
            None => OFFSET_VERSION,
        }
    }

    fn to_wire(&self) -> wire::OffsetCommitValue {
        wire::OffsetCommitValue {
            offset: self.offset,
            leader_epoch: self.leader_epoch,
            metadata: text(&self.metadata),
            commit_timestamp: self.commit_timestamp_ms,
            expire_timestamp: self.expire_timestamp_ms.unwrap_or(-1),
            topic_id: self.topic_id,
        }
    }

    fn read(value: Bytes, version: i16) -> Result<Self, DecodeError> {
        let value = wire::OffsetCommitValue::from_bytes(value, version)?;
        Ok(Self {
            offset: value.offset,
            leader_epoch: value.leader_epoch,
            metadata: value.metadata.as_str().to_owned(),
            commit_timestamp_ms: value.commit_timestamp,
            expire_timestamp_ms: Some(value.expire_timestamp).filter(|ms| *ms != -1),
            topic_id: value.topic_id,
        })
    }
}

fn text(text: &str) -> KafkaString {
    debug_assert!(
        text.len() <= TEXT_BYTES_MAX,
        "requests are checked for what records can hold"
    );
    KafkaString::from(text.to_owned())
}

fn prefixed(prefix: i16, message: &impl Message, version: i16) -> Bytes {
    let mut bytes = BytesMut::new();
    bytes.put_i16(prefix);
    let mut out = Encoder::behind(bytes);
    message.encode(&mut out, version);
    out.into_bytes()
}

fn split_prefix(bytes: &Bytes) -> Option<(i16, Bytes)> {
    let prefix = bytes.first_chunk::<2>()?;
    Some((i16::from_be_bytes(*prefix), bytes.slice(2..)))
}
