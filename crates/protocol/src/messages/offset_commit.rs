//! OffsetCommit (key 8): generated from `definitions/008_offset_commit.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, PartialEq)]
pub struct OffsetCommitRequest {
    pub group_id: KafkaString,
    pub generation_id_or_member_epoch: i32,
    pub member_id: KafkaString,
    pub group_instance_id: Option<KafkaString>,
    pub retention_time_ms: i64,
    pub topics: Vec<OffsetCommitRequestTopic>,
}

impl Default for OffsetCommitRequest {
    fn default() -> Self {
        Self {
            group_id: KafkaString::default(),
            generation_id_or_member_epoch: -1,
            member_id: KafkaString::default(),
            group_instance_id: None,
            retention_time_ms: -1,
            topics: Vec::new(),
        }
    }
}

impl OffsetCommitRequest {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 8;
        let mut it = Self::default();
        it.group_id = input.string(flexible)?;
        it.generation_id_or_member_epoch = input.i32()?;
        it.member_id = input.string(flexible)?;
        if version >= 7 {
            it.group_instance_id = input.nullable_string(flexible)?;
        }
        if version <= 4 {
            it.retention_time_ms = input.i64()?;
        }
        it.topics = input.array(flexible, |input| {
            OffsetCommitRequestTopic::read(input, version)
        })?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 8;
        out.string(flexible, &self.group_id);
        out.i32(self.generation_id_or_member_epoch);
        out.string(flexible, &self.member_id);
        if version >= 7 {
            out.nullable_string(flexible, self.group_instance_id.as_deref());
        }
        if version <= 4 {
            out.i64(self.retention_time_ms);
        }
        out.array(flexible, &self.topics, |out, it| it.write(out, version));
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetCommitRequestTopic {
    pub name: KafkaString,
    pub topic_id: Uuid,
    pub partitions: Vec<OffsetCommitRequestPartition>,
}

impl OffsetCommitRequestTopic {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 8;
        let mut it = Self::default();
        if version <= 9 {
            it.name = input.string(flexible)?;
        }
        if version >= 10 {
            it.topic_id = input.uuid()?;
        }
        it.partitions = input.array(flexible, |input| {
            OffsetCommitRequestPartition::read(input, version)
        })?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 8;
        if version <= 9 {
            out.string(flexible, &self.name);
        }
        if version >= 10 {
            out.uuid(self.topic_id);
        }
        out.array(flexible, &self.partitions, |out, it| it.write(out, version));
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct OffsetCommitRequestPartition {
    pub partition_index: i32,
    pub committed_offset: i64,
    pub committed_leader_epoch: i32,
    pub committed_metadata: Option<KafkaString>,
}

impl Default for OffsetCommitRequestPartition {
    fn default() -> Self {
        Self {
            partition_index: 0,
            committed_offset: 0,
            committed_leader_epoch: -1,
            committed_metadata: Some(Default::default()),
        }
    }
}

impl OffsetCommitRequestPartition {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 8;
        let mut it = Self::default();
        it.partition_index = input.i32()?;
        it.committed_offset = input.i64()?;
        if version >= 6 {
            it.committed_leader_epoch = input.i32()?;
        }
        it.committed_metadata = input.nullable_string(flexible)?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 8;
        out.i32(self.partition_index);
        out.i64(self.committed_offset);
        if version >= 6 {
            out.i32(self.committed_leader_epoch);
        }
        out.nullable_string(flexible, self.committed_metadata.as_deref());
        if flexible {
            out.uvarint(0);
        }
    }
}

impl Message for OffsetCommitRequest {
    const VERSIONS: Versions = Versions { first: 2, last: 10 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

impl Request for OffsetCommitRequest {
    const KEY: ApiKey = ApiKey::OffsetCommit;
    type Response = OffsetCommitResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetCommitResponse {
    pub throttle_time_ms: i32,
    pub topics: Vec<OffsetCommitResponseTopic>,
}

impl OffsetCommitResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 8;
        let mut it = Self::default();
        if version >= 3 {
            it.throttle_time_ms = input.i32()?;
        }
        it.topics = input.array(flexible, |input| {
            OffsetCommitResponseTopic::read(input, version)
        })?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 8;
        if version >= 3 {
            out.i32(self.throttle_time_ms);
        }
        out.array(flexible, &self.topics, |out, it| it.write(out, version));
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetCommitResponseTopic {
    pub name: KafkaString,
    pub topic_id: Uuid,
    pub partitions: Vec<OffsetCommitResponsePartition>,
}

impl OffsetCommitResponseTopic {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 8;
        let mut it = Self::default();
        if version <= 9 {
            it.name = input.string(flexible)?;
        }
        if version >= 10 {
            it.topic_id = input.uuid()?;
        }
        it.partitions = input.array(flexible, |input| {
            OffsetCommitResponsePartition::read(input, version)
        })?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 8;
        if version <= 9 {
            out.string(flexible, &self.name);
        }
        if version >= 10 {
            out.uuid(self.topic_id);
        }
        out.array(flexible, &self.partitions, |out, it| it.write(out, version));
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetCommitResponsePartition {
    pub partition_index: i32,
    pub error_code: i16,
}

impl OffsetCommitResponsePartition {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 8;
        let mut it = Self::default();
        it.partition_index = input.i32()?;
        it.error_code = input.i16()?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 8;
        out.i32(self.partition_index);
        out.i16(self.error_code);
        if flexible {
            out.uvarint(0);
        }
    }
}

impl Message for OffsetCommitResponse {
    const VERSIONS: Versions = Versions { first: 2, last: 10 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}
