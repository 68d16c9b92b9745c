//! DescribeProducers (key 61): generated from `definitions/061_describe_producers.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeProducersRequest {
    pub topics: Vec<TopicRequest>,
}

impl DescribeProducersRequest {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.topics = input.array(flexible, |input| TopicRequest::read(input, version))?;
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
pub struct TopicRequest {
    pub name: KafkaString,
    pub partition_indexes: Vec<i32>,
}

impl TopicRequest {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.name = input.string(flexible)?;
        it.partition_indexes = input.array(flexible, Decoder::i32)?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        let flexible = true;
        out.string(flexible, &self.name);
        out.array(flexible, &self.partition_indexes, |out, it| out.i32(*it));
        out.uvarint(0);
    }
}

impl Message for DescribeProducersRequest {
    const VERSIONS: Versions = Versions { first: 0, last: 0 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

impl Request for DescribeProducersRequest {
    const KEY: ApiKey = ApiKey::DescribeProducers;
    type Response = DescribeProducersResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeProducersResponse {
    pub throttle_time_ms: i32,
    pub topics: Vec<TopicResponse>,
}

impl DescribeProducersResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.throttle_time_ms = input.i32()?;
        it.topics = input.array(flexible, |input| TopicResponse::read(input, version))?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.i32(self.throttle_time_ms);
        out.array(flexible, &self.topics, |out, it| it.write(out, version));
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicResponse {
    pub name: KafkaString,
    pub partitions: Vec<PartitionResponse>,
}

impl TopicResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.name = input.string(flexible)?;
        it.partitions = input.array(flexible, |input| PartitionResponse::read(input, version))?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.string(flexible, &self.name);
        out.array(flexible, &self.partitions, |out, it| it.write(out, version));
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct PartitionResponse {
    pub partition_index: i32,
    pub error_code: i16,
    pub error_message: Option<KafkaString>,
    pub active_producers: Vec<ProducerState>,
}

impl PartitionResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.partition_index = input.i32()?;
        it.error_code = input.i16()?;
        it.error_message = input.nullable_string(flexible)?;
        it.active_producers = input.array(flexible, |input| ProducerState::read(input, version))?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.i32(self.partition_index);
        out.i16(self.error_code);
        out.nullable_string(flexible, self.error_message.as_deref());
        out.array(flexible, &self.active_producers, |out, it| {
            it.write(out, version)
        });
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct ProducerState {
    pub producer_id: i64,
    pub producer_epoch: i32,
    pub last_sequence: i32,
    pub last_timestamp: i64,
    pub coordinator_epoch: i32,
    pub current_txn_start_offset: i64,
}

impl Default for ProducerState {
    fn default() -> Self {
        Self {
            producer_id: 0,
            producer_epoch: 0,
            last_sequence: -1,
            last_timestamp: -1,
            coordinator_epoch: 0,
            current_txn_start_offset: -1,
        }
    }
}

impl ProducerState {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let mut it = Self::default();
        it.producer_id = input.i64()?;
        it.producer_epoch = input.i32()?;
        it.last_sequence = input.i32()?;
        it.last_timestamp = input.i64()?;
        it.coordinator_epoch = input.i32()?;
        it.current_txn_start_offset = input.i64()?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        out.i64(self.producer_id);
        out.i32(self.producer_epoch);
        out.i32(self.last_sequence);
        out.i64(self.last_timestamp);
        out.i32(self.coordinator_epoch);
        out.i64(self.current_txn_start_offset);
        out.uvarint(0);
    }
}

impl Message for DescribeProducersResponse {
    const VERSIONS: Versions = Versions { first: 0, last: 0 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}
