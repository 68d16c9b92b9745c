//! DescribeTopicPartitions (key 75): generated from `definitions/075_describe_topic_partitions.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, PartialEq)]
pub struct DescribeTopicPartitionsRequest {
    pub topics: Vec<TopicRequest>,
    pub response_partition_limit: i32,
    pub cursor: Option<Cursor>,
}

impl Default for DescribeTopicPartitionsRequest {
    fn default() -> Self {
        Self {
            topics: Vec::new(),
            response_partition_limit: 2000,
            cursor: None,
        }
    }
}

impl DescribeTopicPartitionsRequest {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.topics = input.array(flexible, |input| TopicRequest::read(input, version))?;
        it.response_partition_limit = input.i32()?;
        it.cursor = input.nullable(|input| Cursor::read(input, version))?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.array(flexible, &self.topics, |out, it| it.write(out, version));
        out.i32(self.response_partition_limit);
        out.nullable(self.cursor.as_ref(), |out, it| it.write(out, version));
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicRequest {
    pub name: KafkaString,
}

impl TopicRequest {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.name = input.string(flexible)?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        let flexible = true;
        out.string(flexible, &self.name);
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cursor {
    pub topic_name: KafkaString,
    pub partition_index: i32,
}

impl Cursor {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.topic_name = input.string(flexible)?;
        it.partition_index = input.i32()?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        let flexible = true;
        out.string(flexible, &self.topic_name);
        out.i32(self.partition_index);
        out.uvarint(0);
    }
}

impl Message for DescribeTopicPartitionsRequest {
    const VERSIONS: Versions = Versions { first: 0, last: 0 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

impl Request for DescribeTopicPartitionsRequest {
    const KEY: ApiKey = ApiKey::DescribeTopicPartitions;
    type Response = DescribeTopicPartitionsResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeTopicPartitionsResponse {
    pub throttle_time_ms: i32,
    pub topics: Vec<DescribeTopicPartitionsResponseTopic>,
    pub next_cursor: Option<ResponseCursor>,
}

impl DescribeTopicPartitionsResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.throttle_time_ms = input.i32()?;
        it.topics = input.array(flexible, |input| {
            DescribeTopicPartitionsResponseTopic::read(input, version)
        })?;
        it.next_cursor = input.nullable(|input| ResponseCursor::read(input, version))?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.i32(self.throttle_time_ms);
        out.array(flexible, &self.topics, |out, it| it.write(out, version));
        out.nullable(self.next_cursor.as_ref(), |out, it| it.write(out, version));
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct DescribeTopicPartitionsResponseTopic {
    pub error_code: i16,
    pub name: Option<KafkaString>,
    pub topic_id: Uuid,
    pub is_internal: bool,
    pub partitions: Vec<DescribeTopicPartitionsResponsePartition>,
    pub topic_authorized_operations: i32,
}

impl Default for DescribeTopicPartitionsResponseTopic {
    fn default() -> Self {
        Self {
            error_code: 0,
            name: Some(Default::default()),
            topic_id: Uuid::ZERO,
            is_internal: false,
            partitions: Vec::new(),
            topic_authorized_operations: -2147483648,
        }
    }
}

impl DescribeTopicPartitionsResponseTopic {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.error_code = input.i16()?;
        it.name = input.nullable_string(flexible)?;
        it.topic_id = input.uuid()?;
        it.is_internal = input.bool()?;
        it.partitions = input.array(flexible, |input| {
            DescribeTopicPartitionsResponsePartition::read(input, version)
        })?;
        it.topic_authorized_operations = input.i32()?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.i16(self.error_code);
        out.nullable_string(flexible, self.name.as_deref());
        out.uuid(self.topic_id);
        out.bool(self.is_internal);
        out.array(flexible, &self.partitions, |out, it| it.write(out, version));
        out.i32(self.topic_authorized_operations);
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct DescribeTopicPartitionsResponsePartition {
    pub error_code: i16,
    pub partition_index: i32,
    pub leader_id: i32,
    pub leader_epoch: i32,
    pub replica_nodes: Vec<i32>,
    pub isr_nodes: Vec<i32>,
    pub eligible_leader_replicas: Option<Vec<i32>>,
    pub last_known_elr: Option<Vec<i32>>,
    pub offline_replicas: Vec<i32>,
}

impl Default for DescribeTopicPartitionsResponsePartition {
    fn default() -> Self {
        Self {
            error_code: 0,
            partition_index: 0,
            leader_id: 0,
            leader_epoch: -1,
            replica_nodes: Vec::new(),
            isr_nodes: Vec::new(),
            eligible_leader_replicas: None,
            last_known_elr: None,
            offline_replicas: Vec::new(),
        }
    }
}

impl DescribeTopicPartitionsResponsePartition {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.error_code = input.i16()?;
        it.partition_index = input.i32()?;
        it.leader_id = input.i32()?;
        it.leader_epoch = input.i32()?;
        it.replica_nodes = input.array(flexible, Decoder::i32)?;
        it.isr_nodes = input.array(flexible, Decoder::i32)?;
        it.eligible_leader_replicas = input.nullable_array(flexible, Decoder::i32)?;
        it.last_known_elr = input.nullable_array(flexible, Decoder::i32)?;
        it.offline_replicas = input.array(flexible, Decoder::i32)?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        let flexible = true;
        out.i16(self.error_code);
        out.i32(self.partition_index);
        out.i32(self.leader_id);
        out.i32(self.leader_epoch);
        out.array(flexible, &self.replica_nodes, |out, it| out.i32(*it));
        out.array(flexible, &self.isr_nodes, |out, it| out.i32(*it));
        out.nullable_array(
            flexible,
            self.eligible_leader_replicas.as_deref(),
            |out, it| out.i32(*it),
        );
        out.nullable_array(flexible, self.last_known_elr.as_deref(), |out, it| {
            out.i32(*it)
        });
        out.array(flexible, &self.offline_replicas, |out, it| out.i32(*it));
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResponseCursor {
    pub topic_name: KafkaString,
    pub partition_index: i32,
}

impl ResponseCursor {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.topic_name = input.string(flexible)?;
        it.partition_index = input.i32()?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        let flexible = true;
        out.string(flexible, &self.topic_name);
        out.i32(self.partition_index);
        out.uvarint(0);
    }
}

impl Message for DescribeTopicPartitionsResponse {
    const VERSIONS: Versions = Versions { first: 0, last: 0 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}
