//! ShareAcknowledge (key 79): generated from `definitions/079_share_acknowledge.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, PartialEq)]
pub struct ShareAcknowledgeRequest {
    pub group_id: Option<KafkaString>,
    pub member_id: Option<KafkaString>,
    pub share_session_epoch: i32,
    pub is_renew_ack: bool,
    pub topics: Vec<AcknowledgeTopic>,
}

impl Default for ShareAcknowledgeRequest {
    fn default() -> Self {
        Self {
            group_id: None,
            member_id: Some(Default::default()),
            share_session_epoch: 0,
            is_renew_ack: false,
            topics: Vec::new(),
        }
    }
}

impl ShareAcknowledgeRequest {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.group_id = input.nullable_string(flexible)?;
        it.member_id = input.nullable_string(flexible)?;
        it.share_session_epoch = input.i32()?;
        if version >= 2 {
            it.is_renew_ack = input.bool()?;
        }
        it.topics = input.array(flexible, |input| AcknowledgeTopic::read(input, version))?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.nullable_string(flexible, self.group_id.as_deref());
        out.nullable_string(flexible, self.member_id.as_deref());
        out.i32(self.share_session_epoch);
        if version >= 2 {
            out.bool(self.is_renew_ack);
        }
        out.array(flexible, &self.topics, |out, it| it.write(out, version));
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct AcknowledgeTopic {
    pub topic_id: Uuid,
    pub partitions: Vec<AcknowledgePartition>,
}

impl AcknowledgeTopic {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.topic_id = input.uuid()?;
        it.partitions =
            input.array(flexible, |input| AcknowledgePartition::read(input, version))?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.uuid(self.topic_id);
        out.array(flexible, &self.partitions, |out, it| it.write(out, version));
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct AcknowledgePartition {
    pub partition_index: i32,
    pub acknowledgement_batches: Vec<AcknowledgementBatch>,
}

impl AcknowledgePartition {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.partition_index = input.i32()?;
        it.acknowledgement_batches =
            input.array(flexible, |input| AcknowledgementBatch::read(input, version))?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.i32(self.partition_index);
        out.array(flexible, &self.acknowledgement_batches, |out, it| {
            it.write(out, version)
        });
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct AcknowledgementBatch {
    pub first_offset: i64,
    pub last_offset: i64,
    pub acknowledge_types: Vec<i8>,
}

impl AcknowledgementBatch {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.first_offset = input.i64()?;
        it.last_offset = input.i64()?;
        it.acknowledge_types = input.array(flexible, Decoder::i8)?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        let flexible = true;
        out.i64(self.first_offset);
        out.i64(self.last_offset);
        out.array(flexible, &self.acknowledge_types, |out, it| out.i8(*it));
        out.uvarint(0);
    }
}

impl Message for ShareAcknowledgeRequest {
    const VERSIONS: Versions = Versions { first: 1, last: 2 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

impl Request for ShareAcknowledgeRequest {
    const KEY: ApiKey = ApiKey::ShareAcknowledge;
    type Response = ShareAcknowledgeResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ShareAcknowledgeResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub error_message: Option<KafkaString>,
    pub acquisition_lock_timeout_ms: i32,
    pub responses: Vec<ShareAcknowledgeTopicResponse>,
    pub node_endpoints: Vec<NodeEndpoint>,
}

impl ShareAcknowledgeResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.throttle_time_ms = input.i32()?;
        it.error_code = input.i16()?;
        it.error_message = input.nullable_string(flexible)?;
        if version >= 2 {
            it.acquisition_lock_timeout_ms = input.i32()?;
        }
        it.responses = input.array(flexible, |input| {
            ShareAcknowledgeTopicResponse::read(input, version)
        })?;
        it.node_endpoints = input.array(flexible, |input| NodeEndpoint::read(input, version))?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.i32(self.throttle_time_ms);
        out.i16(self.error_code);
        out.nullable_string(flexible, self.error_message.as_deref());
        if version >= 2 {
            out.i32(self.acquisition_lock_timeout_ms);
        }
        out.array(flexible, &self.responses, |out, it| it.write(out, version));
        out.array(flexible, &self.node_endpoints, |out, it| {
            it.write(out, version)
        });
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ShareAcknowledgeTopicResponse {
    pub topic_id: Uuid,
    pub partitions: Vec<PartitionData>,
}

impl ShareAcknowledgeTopicResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.topic_id = input.uuid()?;
        it.partitions = input.array(flexible, |input| PartitionData::read(input, version))?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.uuid(self.topic_id);
        out.array(flexible, &self.partitions, |out, it| it.write(out, version));
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct PartitionData {
    pub partition_index: i32,
    pub error_code: i16,
    pub error_message: Option<KafkaString>,
    pub current_leader: LeaderIdAndEpoch,
}

impl PartitionData {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.partition_index = input.i32()?;
        it.error_code = input.i16()?;
        it.error_message = input.nullable_string(flexible)?;
        it.current_leader = LeaderIdAndEpoch::read(input, version)?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.i32(self.partition_index);
        out.i16(self.error_code);
        out.nullable_string(flexible, self.error_message.as_deref());
        self.current_leader.write(out, version);
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct LeaderIdAndEpoch {
    pub leader_id: i32,
    pub leader_epoch: i32,
}

impl LeaderIdAndEpoch {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let mut it = Self::default();
        it.leader_id = input.i32()?;
        it.leader_epoch = input.i32()?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        out.i32(self.leader_id);
        out.i32(self.leader_epoch);
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeEndpoint {
    pub node_id: i32,
    pub host: KafkaString,
    pub port: i32,
    pub rack: Option<KafkaString>,
}

impl NodeEndpoint {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.node_id = input.i32()?;
        it.host = input.string(flexible)?;
        it.port = input.i32()?;
        it.rack = input.nullable_string(flexible)?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        let flexible = true;
        out.i32(self.node_id);
        out.string(flexible, &self.host);
        out.i32(self.port);
        out.nullable_string(flexible, self.rack.as_deref());
        out.uvarint(0);
    }
}

impl Message for ShareAcknowledgeResponse {
    const VERSIONS: Versions = Versions { first: 1, last: 2 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}
