//! TxnOffsetCommit (key 28): generated from `definitions/028_txn_offset_commit.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, PartialEq)]
pub struct TxnOffsetCommitRequest {
    pub transactional_id: KafkaString,
    pub group_id: KafkaString,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub generation_id: i32,
    pub member_id: KafkaString,
    pub group_instance_id: Option<KafkaString>,
    pub topics: Vec<TxnOffsetCommitRequestTopic>,
}

impl Default for TxnOffsetCommitRequest {
    fn default() -> Self {
        Self {
            transactional_id: KafkaString::default(),
            group_id: KafkaString::default(),
            producer_id: 0,
            producer_epoch: 0,
            generation_id: -1,
            member_id: KafkaString::default(),
            group_instance_id: None,
            topics: Vec::new(),
        }
    }
}

impl TxnOffsetCommitRequest {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut it = Self::default();
        it.transactional_id = input.string(flexible)?;
        it.group_id = input.string(flexible)?;
        it.producer_id = input.i64()?;
        it.producer_epoch = input.i16()?;
        if version >= 3 {
            it.generation_id = input.i32()?;
            it.member_id = input.string(flexible)?;
            it.group_instance_id = input.nullable_string(flexible)?;
        }
        it.topics = input.array(flexible, |input| {
            TxnOffsetCommitRequestTopic::read(input, version)
        })?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 3;
        out.string(flexible, &self.transactional_id);
        out.string(flexible, &self.group_id);
        out.i64(self.producer_id);
        out.i16(self.producer_epoch);
        if version >= 3 {
            out.i32(self.generation_id);
            out.string(flexible, &self.member_id);
            out.nullable_string(flexible, self.group_instance_id.as_deref());
        }
        out.array(flexible, &self.topics, |out, it| it.write(out, version));
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct TxnOffsetCommitRequestTopic {
    pub name: KafkaString,
    pub partitions: Vec<TxnOffsetCommitRequestPartition>,
}

impl TxnOffsetCommitRequestTopic {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut it = Self::default();
        it.name = input.string(flexible)?;
        it.partitions = input.array(flexible, |input| {
            TxnOffsetCommitRequestPartition::read(input, version)
        })?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 3;
        out.string(flexible, &self.name);
        out.array(flexible, &self.partitions, |out, it| it.write(out, version));
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct TxnOffsetCommitRequestPartition {
    pub partition_index: i32,
    pub committed_offset: i64,
    pub committed_leader_epoch: i32,
    pub committed_metadata: Option<KafkaString>,
}

impl Default for TxnOffsetCommitRequestPartition {
    fn default() -> Self {
        Self {
            partition_index: 0,
            committed_offset: 0,
            committed_leader_epoch: -1,
            committed_metadata: Some(Default::default()),
        }
    }
}

impl TxnOffsetCommitRequestPartition {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut it = Self::default();
        it.partition_index = input.i32()?;
        it.committed_offset = input.i64()?;
        if version >= 2 {
            it.committed_leader_epoch = input.i32()?;
        }
        it.committed_metadata = input.nullable_string(flexible)?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 3;
        out.i32(self.partition_index);
        out.i64(self.committed_offset);
        if version >= 2 {
            out.i32(self.committed_leader_epoch);
        }
        out.nullable_string(flexible, self.committed_metadata.as_deref());
        if flexible {
            out.uvarint(0);
        }
    }
}

impl Message for TxnOffsetCommitRequest {
    const VERSIONS: Versions = Versions { first: 0, last: 5 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

impl Request for TxnOffsetCommitRequest {
    const KEY: ApiKey = ApiKey::TxnOffsetCommit;
    type Response = TxnOffsetCommitResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct TxnOffsetCommitResponse {
    pub throttle_time_ms: i32,
    pub topics: Vec<TxnOffsetCommitResponseTopic>,
}

impl TxnOffsetCommitResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut it = Self::default();
        it.throttle_time_ms = input.i32()?;
        it.topics = input.array(flexible, |input| {
            TxnOffsetCommitResponseTopic::read(input, version)
        })?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 3;
        out.i32(self.throttle_time_ms);
        out.array(flexible, &self.topics, |out, it| it.write(out, version));
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct TxnOffsetCommitResponseTopic {
    pub name: KafkaString,
    pub partitions: Vec<TxnOffsetCommitResponsePartition>,
}

impl TxnOffsetCommitResponseTopic {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut it = Self::default();
        it.name = input.string(flexible)?;
        it.partitions = input.array(flexible, |input| {
            TxnOffsetCommitResponsePartition::read(input, version)
        })?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 3;
        out.string(flexible, &self.name);
        out.array(flexible, &self.partitions, |out, it| it.write(out, version));
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct TxnOffsetCommitResponsePartition {
    pub partition_index: i32,
    pub error_code: i16,
}

impl TxnOffsetCommitResponsePartition {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut it = Self::default();
        it.partition_index = input.i32()?;
        it.error_code = input.i16()?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 3;
        out.i32(self.partition_index);
        out.i16(self.error_code);
        if flexible {
            out.uvarint(0);
        }
    }
}

impl Message for TxnOffsetCommitResponse {
    const VERSIONS: Versions = Versions { first: 0, last: 5 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}
