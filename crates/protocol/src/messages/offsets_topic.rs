//! offsets_topic: generated from `definitions/offsets_topic.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetCommitKey {
    pub group: KafkaString,
    pub topic: KafkaString,
    pub partition: i32,
}

impl OffsetCommitKey {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let flexible = false;
        let mut it = Self::default();
        it.group = input.string(flexible)?;
        it.topic = input.string(flexible)?;
        it.partition = input.i32()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        let flexible = false;
        out.string(flexible, &self.group);
        out.string(flexible, &self.topic);
        out.i32(self.partition);
    }
}

impl Message for OffsetCommitKey {
    const VERSIONS: Versions = Versions { first: 0, last: 0 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct OffsetCommitValue {
    pub offset: i64,
    pub leader_epoch: i32,
    pub metadata: KafkaString,
    pub commit_timestamp: i64,
    pub expire_timestamp: i64,
    pub topic_id: Uuid,
}

impl Default for OffsetCommitValue {
    fn default() -> Self {
        Self {
            offset: 0,
            leader_epoch: -1,
            metadata: KafkaString::default(),
            commit_timestamp: 0,
            expire_timestamp: -1,
            topic_id: Uuid::ZERO,
        }
    }
}

impl OffsetCommitValue {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut it = Self::default();
        it.offset = input.i64()?;
        if version >= 3 {
            it.leader_epoch = input.i32()?;
        }
        it.metadata = input.string(flexible)?;
        it.commit_timestamp = input.i64()?;
        if version == 1 {
            it.expire_timestamp = input.i64()?;
        }
        if flexible {
            input.tags(|tag, input| {
                match tag {
                    0 if version >= 4 => it.topic_id = input.uuid()?,
                    _ => return Ok(false),
                }
                Ok(true)
            })?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 4;
        out.i64(self.offset);
        if version >= 3 {
            out.i32(self.leader_epoch);
        }
        out.string(flexible, &self.metadata);
        out.i64(self.commit_timestamp);
        if version == 1 {
            out.i64(self.expire_timestamp);
        }
        if flexible {
            let has_topic_id = version >= 4 && self.topic_id != Uuid::ZERO;
            out.uvarint(u32::from(has_topic_id));
            if has_topic_id {
                out.tag(0, |out| out.uuid(self.topic_id));
            }
        }
    }
}

impl Message for OffsetCommitValue {
    const VERSIONS: Versions = Versions { first: 0, last: 4 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroupMetadataKey {
    pub group: KafkaString,
}

impl GroupMetadataKey {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let flexible = false;
        let mut it = Self::default();
        it.group = input.string(flexible)?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        let flexible = false;
        out.string(flexible, &self.group);
    }
}

impl Message for GroupMetadataKey {
    const VERSIONS: Versions = Versions { first: 0, last: 0 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct GroupMetadataValue {
    pub protocol_type: KafkaString,
    pub generation: i32,
    pub protocol: Option<KafkaString>,
    pub leader: Option<KafkaString>,
    pub current_state_timestamp: i64,
    pub members: Vec<MemberMetadata>,
}

impl Default for GroupMetadataValue {
    fn default() -> Self {
        Self {
            protocol_type: KafkaString::default(),
            generation: 0,
            protocol: Some(Default::default()),
            leader: Some(Default::default()),
            current_state_timestamp: -1,
            members: Vec::new(),
        }
    }
}

impl GroupMetadataValue {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut it = Self::default();
        it.protocol_type = input.string(flexible)?;
        it.generation = input.i32()?;
        it.protocol = input.nullable_string(flexible)?;
        it.leader = input.nullable_string(flexible)?;
        if version >= 2 {
            it.current_state_timestamp = input.i64()?;
        }
        it.members = input.array(flexible, |input| MemberMetadata::read(input, version))?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 4;
        out.string(flexible, &self.protocol_type);
        out.i32(self.generation);
        out.nullable_string(flexible, self.protocol.as_deref());
        out.nullable_string(flexible, self.leader.as_deref());
        if version >= 2 {
            out.i64(self.current_state_timestamp);
        }
        out.array(flexible, &self.members, |out, it| it.write(out, version));
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct MemberMetadata {
    pub member_id: KafkaString,
    pub group_instance_id: Option<KafkaString>,
    pub client_id: KafkaString,
    pub client_host: KafkaString,
    pub rebalance_timeout: i32,
    pub session_timeout: i32,
    pub subscription: Bytes,
    pub assignment: Bytes,
}

impl Default for MemberMetadata {
    fn default() -> Self {
        Self {
            member_id: KafkaString::default(),
            group_instance_id: None,
            client_id: KafkaString::default(),
            client_host: KafkaString::default(),
            rebalance_timeout: -1,
            session_timeout: 0,
            subscription: Bytes::default(),
            assignment: Bytes::default(),
        }
    }
}

impl MemberMetadata {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut it = Self::default();
        it.member_id = input.string(flexible)?;
        if version >= 3 {
            it.group_instance_id = input.nullable_string(flexible)?;
        }
        it.client_id = input.string(flexible)?;
        it.client_host = input.string(flexible)?;
        if version >= 1 {
            it.rebalance_timeout = input.i32()?;
        }
        it.session_timeout = input.i32()?;
        it.subscription = input.bytes(flexible)?;
        it.assignment = input.bytes(flexible)?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 4;
        out.string(flexible, &self.member_id);
        if version >= 3 {
            out.nullable_string(flexible, self.group_instance_id.as_deref());
        }
        out.string(flexible, &self.client_id);
        out.string(flexible, &self.client_host);
        if version >= 1 {
            out.i32(self.rebalance_timeout);
        }
        out.i32(self.session_timeout);
        out.bytes(flexible, &self.subscription);
        out.bytes(flexible, &self.assignment);
        if flexible {
            out.uvarint(0);
        }
    }
}

impl Message for GroupMetadataValue {
    const VERSIONS: Versions = Versions { first: 0, last: 4 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}
