//! CreateTopics (key 19): generated from `definitions/019_create_topics.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, PartialEq)]
pub struct CreateTopicsRequest {
    pub topics: Vec<CreatableTopic>,
    pub timeout_ms: i32,
    pub validate_only: bool,
}

impl Default for CreateTopicsRequest {
    fn default() -> Self {
        Self {
            topics: Vec::new(),
            timeout_ms: 60000,
            validate_only: false,
        }
    }
}

impl CreateTopicsRequest {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 5;
        let mut it = Self::default();
        it.topics = input.array(flexible, |input| CreatableTopic::read(input, version))?;
        it.timeout_ms = input.i32()?;
        it.validate_only = input.bool()?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 5;
        out.array(flexible, &self.topics, |out, it| it.write(out, version));
        out.i32(self.timeout_ms);
        out.bool(self.validate_only);
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct CreatableTopic {
    pub name: KafkaString,
    pub num_partitions: i32,
    pub replication_factor: i16,
    pub assignments: Vec<CreatableReplicaAssignment>,
    pub configs: Vec<CreatableTopicConfig>,
}

impl CreatableTopic {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 5;
        let mut it = Self::default();
        it.name = input.string(flexible)?;
        it.num_partitions = input.i32()?;
        it.replication_factor = input.i16()?;
        it.assignments = input.array(flexible, |input| {
            CreatableReplicaAssignment::read(input, version)
        })?;
        it.configs = input.array(flexible, |input| CreatableTopicConfig::read(input, version))?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 5;
        out.string(flexible, &self.name);
        out.i32(self.num_partitions);
        out.i16(self.replication_factor);
        out.array(flexible, &self.assignments, |out, it| {
            it.write(out, version)
        });
        out.array(flexible, &self.configs, |out, it| it.write(out, version));
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct CreatableReplicaAssignment {
    pub partition_index: i32,
    pub broker_ids: Vec<i32>,
}

impl CreatableReplicaAssignment {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 5;
        let mut it = Self::default();
        it.partition_index = input.i32()?;
        it.broker_ids = input.array(flexible, Decoder::i32)?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 5;
        out.i32(self.partition_index);
        out.array(flexible, &self.broker_ids, |out, it| out.i32(*it));
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreatableTopicConfig {
    pub name: KafkaString,
    pub value: Option<KafkaString>,
}

impl Default for CreatableTopicConfig {
    fn default() -> Self {
        Self {
            name: KafkaString::default(),
            value: Some(Default::default()),
        }
    }
}

impl CreatableTopicConfig {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 5;
        let mut it = Self::default();
        it.name = input.string(flexible)?;
        it.value = input.nullable_string(flexible)?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 5;
        out.string(flexible, &self.name);
        out.nullable_string(flexible, self.value.as_deref());
        if flexible {
            out.uvarint(0);
        }
    }
}

impl Message for CreateTopicsRequest {
    const VERSIONS: Versions = Versions { first: 2, last: 7 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

impl Request for CreateTopicsRequest {
    const KEY: ApiKey = ApiKey::CreateTopics;
    type Response = CreateTopicsResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct CreateTopicsResponse {
    pub throttle_time_ms: i32,
    pub topics: Vec<CreatableTopicResult>,
}

impl CreateTopicsResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 5;
        let mut it = Self::default();
        it.throttle_time_ms = input.i32()?;
        it.topics = input.array(flexible, |input| CreatableTopicResult::read(input, version))?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 5;
        out.i32(self.throttle_time_ms);
        out.array(flexible, &self.topics, |out, it| it.write(out, version));
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreatableTopicResult {
    pub name: KafkaString,
    pub topic_id: Uuid,
    pub error_code: i16,
    pub error_message: Option<KafkaString>,
    pub topic_config_error_code: i16,
    pub num_partitions: i32,
    pub replication_factor: i16,
    pub configs: Option<Vec<CreatableTopicConfigs>>,
}

impl Default for CreatableTopicResult {
    fn default() -> Self {
        Self {
            name: KafkaString::default(),
            topic_id: Uuid::ZERO,
            error_code: 0,
            error_message: Some(Default::default()),
            topic_config_error_code: 0,
            num_partitions: -1,
            replication_factor: -1,
            configs: Some(Default::default()),
        }
    }
}

impl CreatableTopicResult {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 5;
        let mut it = Self::default();
        it.name = input.string(flexible)?;
        if version >= 7 {
            it.topic_id = input.uuid()?;
        }
        it.error_code = input.i16()?;
        it.error_message = input.nullable_string(flexible)?;
        if version >= 5 {
            it.num_partitions = input.i32()?;
            it.replication_factor = input.i16()?;
            it.configs = input.nullable_array(flexible, |input| {
                CreatableTopicConfigs::read(input, version)
            })?;
        }
        if flexible {
            input.tags(|tag, input| {
                match tag {
                    0 if version >= 5 => it.topic_config_error_code = input.i16()?,
                    _ => return Ok(false),
                }
                Ok(true)
            })?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 5;
        out.string(flexible, &self.name);
        if version >= 7 {
            out.uuid(self.topic_id);
        }
        out.i16(self.error_code);
        out.nullable_string(flexible, self.error_message.as_deref());
        if version >= 5 {
            out.i32(self.num_partitions);
            out.i16(self.replication_factor);
            out.nullable_array(flexible, self.configs.as_deref(), |out, it| {
                it.write(out, version)
            });
        }
        if flexible {
            let has_topic_config_error_code = version >= 5 && self.topic_config_error_code != 0;
            out.uvarint(u32::from(has_topic_config_error_code));
            if has_topic_config_error_code {
                out.tag(0, |out| out.i16(self.topic_config_error_code));
            }
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct CreatableTopicConfigs {
    pub name: KafkaString,
    pub value: Option<KafkaString>,
    pub read_only: bool,
    pub config_source: i8,
    pub is_sensitive: bool,
}

impl Default for CreatableTopicConfigs {
    fn default() -> Self {
        Self {
            name: KafkaString::default(),
            value: Some(Default::default()),
            read_only: false,
            config_source: -1,
            is_sensitive: false,
        }
    }
}

impl CreatableTopicConfigs {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.name = input.string(flexible)?;
        it.value = input.nullable_string(flexible)?;
        it.read_only = input.bool()?;
        it.config_source = input.i8()?;
        it.is_sensitive = input.bool()?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        let flexible = true;
        out.string(flexible, &self.name);
        out.nullable_string(flexible, self.value.as_deref());
        out.bool(self.read_only);
        out.i8(self.config_source);
        out.bool(self.is_sensitive);
        out.uvarint(0);
    }
}

impl Message for CreateTopicsResponse {
    const VERSIONS: Versions = Versions { first: 2, last: 7 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}
