//! Produce (key 0): generated from `definitions/000_produce.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProduceRequest {
    pub transactional_id: Option<KafkaString>,
    pub acks: i16,
    pub timeout_ms: i32,
    pub topic_data: Vec<TopicProduceData>,
}

impl ProduceRequest {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 9;
        let mut it = Self::default();
        it.transactional_id = input.nullable_string(flexible)?;
        it.acks = input.i16()?;
        it.timeout_ms = input.i32()?;
        it.topic_data = input.array(flexible, |input| TopicProduceData::read(input, version))?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 9;
        out.nullable_string(flexible, self.transactional_id.as_deref());
        out.i16(self.acks);
        out.i32(self.timeout_ms);
        out.array(flexible, &self.topic_data, |out, it| it.write(out, version));
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicProduceData {
    pub name: KafkaString,
    pub topic_id: Uuid,
    pub partition_data: Vec<PartitionProduceData>,
}

impl TopicProduceData {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 9;
        let mut it = Self::default();
        if version <= 12 {
            it.name = input.string(flexible)?;
        }
        if version >= 13 {
            it.topic_id = input.uuid()?;
        }
        it.partition_data =
            input.array(flexible, |input| PartitionProduceData::read(input, version))?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 9;
        if version <= 12 {
            out.string(flexible, &self.name);
        }
        if version >= 13 {
            out.uuid(self.topic_id);
        }
        out.array(flexible, &self.partition_data, |out, it| {
            it.write(out, version)
        });
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct PartitionProduceData {
    pub index: i32,
    pub records: Option<Records>,
}

impl PartitionProduceData {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 9;
        let mut it = Self::default();
        it.index = input.i32()?;
        it.records = input.nullable_records(flexible)?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 9;
        out.i32(self.index);
        out.nullable_records(flexible, self.records.as_ref());
        if flexible {
            out.uvarint(0);
        }
    }
}

impl Message for ProduceRequest {
    const VERSIONS: Versions = Versions { first: 3, last: 13 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

impl Request for ProduceRequest {
    const KEY: ApiKey = ApiKey::Produce;
    type Response = ProduceResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProduceResponse {
    pub responses: Vec<TopicProduceResponse>,
    pub throttle_time_ms: i32,
    pub node_endpoints: Vec<NodeEndpoint>,
}

impl ProduceResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 9;
        let mut it = Self::default();
        it.responses = input.array(flexible, |input| TopicProduceResponse::read(input, version))?;
        it.throttle_time_ms = input.i32()?;
        if flexible {
            input.tags(|tag, input| {
                match tag {
                    0 if version >= 10 => {
                        it.node_endpoints =
                            input.array(flexible, |input| NodeEndpoint::read(input, version))?
                    }
                    _ => return Ok(false),
                }
                Ok(true)
            })?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 9;
        out.array(flexible, &self.responses, |out, it| it.write(out, version));
        out.i32(self.throttle_time_ms);
        if flexible {
            let has_node_endpoints = version >= 10 && !self.node_endpoints.is_empty();
            out.uvarint(u32::from(has_node_endpoints));
            if has_node_endpoints {
                out.tag(0, |out| {
                    out.array(flexible, &self.node_endpoints, |out, it| {
                        it.write(out, version)
                    })
                });
            }
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicProduceResponse {
    pub name: KafkaString,
    pub topic_id: Uuid,
    pub partition_responses: Vec<PartitionProduceResponse>,
}

impl TopicProduceResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 9;
        let mut it = Self::default();
        if version <= 12 {
            it.name = input.string(flexible)?;
        }
        if version >= 13 {
            it.topic_id = input.uuid()?;
        }
        it.partition_responses = input.array(flexible, |input| {
            PartitionProduceResponse::read(input, version)
        })?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 9;
        if version <= 12 {
            out.string(flexible, &self.name);
        }
        if version >= 13 {
            out.uuid(self.topic_id);
        }
        out.array(flexible, &self.partition_responses, |out, it| {
            it.write(out, version)
        });
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct PartitionProduceResponse {
    pub index: i32,
    pub error_code: i16,
    pub base_offset: i64,
    pub log_append_time_ms: i64,
    pub log_start_offset: i64,
    pub record_errors: Vec<BatchIndexAndErrorMessage>,
    pub error_message: Option<KafkaString>,
    pub current_leader: LeaderIdAndEpoch,
}

impl Default for PartitionProduceResponse {
    fn default() -> Self {
        Self {
            index: 0,
            error_code: 0,
            base_offset: 0,
            log_append_time_ms: -1,
            log_start_offset: -1,
            record_errors: Vec::new(),
            error_message: None,
            current_leader: LeaderIdAndEpoch::default(),
        }
    }
}

impl PartitionProduceResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 9;
        let mut it = Self::default();
        it.index = input.i32()?;
        it.error_code = input.i16()?;
        it.base_offset = input.i64()?;
        it.log_append_time_ms = input.i64()?;
        if version >= 5 {
            it.log_start_offset = input.i64()?;
        }
        if version >= 8 {
            it.record_errors = input.array(flexible, |input| {
                BatchIndexAndErrorMessage::read(input, version)
            })?;
            it.error_message = input.nullable_string(flexible)?;
        }
        if flexible {
            input.tags(|tag, input| {
                match tag {
                    0 if version >= 10 => {
                        it.current_leader = LeaderIdAndEpoch::read(input, version)?
                    }
                    _ => return Ok(false),
                }
                Ok(true)
            })?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 9;
        out.i32(self.index);
        out.i16(self.error_code);
        out.i64(self.base_offset);
        out.i64(self.log_append_time_ms);
        if version >= 5 {
            out.i64(self.log_start_offset);
        }
        if version >= 8 {
            out.array(flexible, &self.record_errors, |out, it| {
                it.write(out, version)
            });
            out.nullable_string(flexible, self.error_message.as_deref());
        }
        if flexible {
            let has_current_leader =
                version >= 10 && self.current_leader != LeaderIdAndEpoch::default();
            out.uvarint(u32::from(has_current_leader));
            if has_current_leader {
                out.tag(0, |out| self.current_leader.write(out, version));
            }
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct BatchIndexAndErrorMessage {
    pub batch_index: i32,
    pub batch_index_error_message: Option<KafkaString>,
}

impl BatchIndexAndErrorMessage {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 9;
        let mut it = Self::default();
        it.batch_index = input.i32()?;
        it.batch_index_error_message = input.nullable_string(flexible)?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 9;
        out.i32(self.batch_index);
        out.nullable_string(flexible, self.batch_index_error_message.as_deref());
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct LeaderIdAndEpoch {
    pub leader_id: i32,
    pub leader_epoch: i32,
}

impl Default for LeaderIdAndEpoch {
    fn default() -> Self {
        Self {
            leader_id: -1,
            leader_epoch: -1,
        }
    }
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

impl Message for ProduceResponse {
    const VERSIONS: Versions = Versions { first: 3, last: 13 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}
