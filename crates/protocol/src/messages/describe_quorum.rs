//! DescribeQuorum (key 55): generated from `definitions/055_describe_quorum.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeQuorumRequest {
    pub topics: Vec<TopicData>,
}

impl DescribeQuorumRequest {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.topics = input.array(flexible, |input| TopicData::read(input, version))?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.array(flexible, &self.topics, |out, it| it.write(out, version));
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicData {
    pub topic_name: KafkaString,
    pub partitions: Vec<PartitionData>,
}

impl TopicData {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.topic_name = input.string(flexible)?;
        it.partitions = input.array(flexible, |input| PartitionData::read(input, version))?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.string(flexible, &self.topic_name);
        out.array(flexible, &self.partitions, |out, it| it.write(out, version));
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct PartitionData {
    pub partition_index: i32,
}

impl PartitionData {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let mut it = Self::default();
        it.partition_index = input.i32()?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        out.i32(self.partition_index);
        out.uvarint(0);
    }
}

impl Message for DescribeQuorumRequest {
    const VERSIONS: Versions = Versions { first: 0, last: 2 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

impl Request for DescribeQuorumRequest {
    const KEY: ApiKey = ApiKey::DescribeQuorum;
    type Response = DescribeQuorumResponse;
}

#[derive(Clone, Debug, PartialEq)]
pub struct DescribeQuorumResponse {
    pub error_code: i16,
    pub error_message: Option<KafkaString>,
    pub topics: Vec<ResponseTopicData>,
    pub nodes: Vec<Node>,
}

impl Default for DescribeQuorumResponse {
    fn default() -> Self {
        Self {
            error_code: 0,
            error_message: Some(Default::default()),
            topics: Vec::new(),
            nodes: Vec::new(),
        }
    }
}

impl DescribeQuorumResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.error_code = input.i16()?;
        if version >= 2 {
            it.error_message = input.nullable_string(flexible)?;
        }
        it.topics = input.array(flexible, |input| ResponseTopicData::read(input, version))?;
        if version >= 2 {
            it.nodes = input.array(flexible, |input| Node::read(input, version))?;
        }
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.i16(self.error_code);
        if version >= 2 {
            out.nullable_string(flexible, self.error_message.as_deref());
        }
        out.array(flexible, &self.topics, |out, it| it.write(out, version));
        if version >= 2 {
            out.array(flexible, &self.nodes, |out, it| it.write(out, version));
        }
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResponseTopicData {
    pub topic_name: KafkaString,
    pub partitions: Vec<ResponsePartitionData>,
}

impl ResponseTopicData {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.topic_name = input.string(flexible)?;
        it.partitions = input.array(flexible, |input| {
            ResponsePartitionData::read(input, version)
        })?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.string(flexible, &self.topic_name);
        out.array(flexible, &self.partitions, |out, it| it.write(out, version));
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct ResponsePartitionData {
    pub partition_index: i32,
    pub error_code: i16,
    pub error_message: Option<KafkaString>,
    pub leader_id: i32,
    pub leader_epoch: i32,
    pub high_watermark: i64,
    pub current_voters: Vec<ReplicaState>,
    pub observers: Vec<ReplicaState>,
}

impl Default for ResponsePartitionData {
    fn default() -> Self {
        Self {
            partition_index: 0,
            error_code: 0,
            error_message: Some(Default::default()),
            leader_id: 0,
            leader_epoch: 0,
            high_watermark: 0,
            current_voters: Vec::new(),
            observers: Vec::new(),
        }
    }
}

impl ResponsePartitionData {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.partition_index = input.i32()?;
        it.error_code = input.i16()?;
        if version >= 2 {
            it.error_message = input.nullable_string(flexible)?;
        }
        it.leader_id = input.i32()?;
        it.leader_epoch = input.i32()?;
        it.high_watermark = input.i64()?;
        it.current_voters = input.array(flexible, |input| ReplicaState::read(input, version))?;
        it.observers = input.array(flexible, |input| ReplicaState::read(input, version))?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.i32(self.partition_index);
        out.i16(self.error_code);
        if version >= 2 {
            out.nullable_string(flexible, self.error_message.as_deref());
        }
        out.i32(self.leader_id);
        out.i32(self.leader_epoch);
        out.i64(self.high_watermark);
        out.array(flexible, &self.current_voters, |out, it| {
            it.write(out, version)
        });
        out.array(flexible, &self.observers, |out, it| it.write(out, version));
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct ReplicaState {
    pub replica_id: i32,
    pub replica_directory_id: Uuid,
    pub log_end_offset: i64,
    pub last_fetch_timestamp: i64,
    pub last_caught_up_timestamp: i64,
}

impl Default for ReplicaState {
    fn default() -> Self {
        Self {
            replica_id: 0,
            replica_directory_id: Uuid::ZERO,
            log_end_offset: 0,
            last_fetch_timestamp: -1,
            last_caught_up_timestamp: -1,
        }
    }
}

impl ReplicaState {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let mut it = Self::default();
        it.replica_id = input.i32()?;
        if version >= 2 {
            it.replica_directory_id = input.uuid()?;
        }
        it.log_end_offset = input.i64()?;
        if version >= 1 {
            it.last_fetch_timestamp = input.i64()?;
            it.last_caught_up_timestamp = input.i64()?;
        }
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        out.i32(self.replica_id);
        if version >= 2 {
            out.uuid(self.replica_directory_id);
        }
        out.i64(self.log_end_offset);
        if version >= 1 {
            out.i64(self.last_fetch_timestamp);
            out.i64(self.last_caught_up_timestamp);
        }
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Node {
    pub node_id: i32,
    pub listeners: Vec<Listener>,
}

impl Node {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.node_id = input.i32()?;
        it.listeners = input.array(flexible, |input| Listener::read(input, version))?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.i32(self.node_id);
        out.array(flexible, &self.listeners, |out, it| it.write(out, version));
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listener {
    pub name: KafkaString,
    pub host: KafkaString,
    pub port: u16,
}

impl Listener {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.name = input.string(flexible)?;
        it.host = input.string(flexible)?;
        it.port = input.u16()?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        let flexible = true;
        out.string(flexible, &self.name);
        out.string(flexible, &self.host);
        out.u16(self.port);
        out.uvarint(0);
    }
}

impl Message for DescribeQuorumResponse {
    const VERSIONS: Versions = Versions { first: 0, last: 2 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}
