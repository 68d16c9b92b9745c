//! DescribeShareGroupOffsets (key 90): generated from `definitions/090_describe_share_group_offsets.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeShareGroupOffsetsRequest {
    pub groups: Vec<DescribeShareGroupOffsetsRequestGroup>,
}

impl DescribeShareGroupOffsetsRequest {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.groups = input.array(flexible, |input| {
            DescribeShareGroupOffsetsRequestGroup::read(input, version)
        })?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.array(flexible, &self.groups, |out, it| it.write(out, version));
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct DescribeShareGroupOffsetsRequestGroup {
    pub group_id: KafkaString,
    pub topics: Option<Vec<DescribeShareGroupOffsetsRequestTopic>>,
}

impl Default for DescribeShareGroupOffsetsRequestGroup {
    fn default() -> Self {
        Self {
            group_id: KafkaString::default(),
            topics: Some(Default::default()),
        }
    }
}

impl DescribeShareGroupOffsetsRequestGroup {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.group_id = input.string(flexible)?;
        it.topics = input.nullable_array(flexible, |input| {
            DescribeShareGroupOffsetsRequestTopic::read(input, version)
        })?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.string(flexible, &self.group_id);
        out.nullable_array(flexible, self.topics.as_deref(), |out, it| {
            it.write(out, version)
        });
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeShareGroupOffsetsRequestTopic {
    pub topic_name: KafkaString,
    pub partitions: Vec<i32>,
}

impl DescribeShareGroupOffsetsRequestTopic {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.topic_name = input.string(flexible)?;
        it.partitions = input.array(flexible, Decoder::i32)?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        let flexible = true;
        out.string(flexible, &self.topic_name);
        out.array(flexible, &self.partitions, |out, it| out.i32(*it));
        out.uvarint(0);
    }
}

impl Message for DescribeShareGroupOffsetsRequest {
    const VERSIONS: Versions = Versions { first: 0, last: 1 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

impl Request for DescribeShareGroupOffsetsRequest {
    const KEY: ApiKey = ApiKey::DescribeShareGroupOffsets;
    type Response = DescribeShareGroupOffsetsResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeShareGroupOffsetsResponse {
    pub throttle_time_ms: i32,
    pub groups: Vec<DescribeShareGroupOffsetsResponseGroup>,
}

impl DescribeShareGroupOffsetsResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.throttle_time_ms = input.i32()?;
        it.groups = input.array(flexible, |input| {
            DescribeShareGroupOffsetsResponseGroup::read(input, version)
        })?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.i32(self.throttle_time_ms);
        out.array(flexible, &self.groups, |out, it| it.write(out, version));
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeShareGroupOffsetsResponseGroup {
    pub group_id: KafkaString,
    pub topics: Vec<DescribeShareGroupOffsetsResponseTopic>,
    pub error_code: i16,
    pub error_message: Option<KafkaString>,
}

impl DescribeShareGroupOffsetsResponseGroup {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.group_id = input.string(flexible)?;
        it.topics = input.array(flexible, |input| {
            DescribeShareGroupOffsetsResponseTopic::read(input, version)
        })?;
        it.error_code = input.i16()?;
        it.error_message = input.nullable_string(flexible)?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.string(flexible, &self.group_id);
        out.array(flexible, &self.topics, |out, it| it.write(out, version));
        out.i16(self.error_code);
        out.nullable_string(flexible, self.error_message.as_deref());
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeShareGroupOffsetsResponseTopic {
    pub topic_name: KafkaString,
    pub topic_id: Uuid,
    pub partitions: Vec<DescribeShareGroupOffsetsResponsePartition>,
}

impl DescribeShareGroupOffsetsResponseTopic {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.topic_name = input.string(flexible)?;
        it.topic_id = input.uuid()?;
        it.partitions = input.array(flexible, |input| {
            DescribeShareGroupOffsetsResponsePartition::read(input, version)
        })?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.string(flexible, &self.topic_name);
        out.uuid(self.topic_id);
        out.array(flexible, &self.partitions, |out, it| it.write(out, version));
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct DescribeShareGroupOffsetsResponsePartition {
    pub partition_index: i32,
    pub start_offset: i64,
    pub leader_epoch: i32,
    pub lag: i64,
    pub error_code: i16,
    pub error_message: Option<KafkaString>,
}

impl Default for DescribeShareGroupOffsetsResponsePartition {
    fn default() -> Self {
        Self {
            partition_index: 0,
            start_offset: 0,
            leader_epoch: 0,
            lag: -1,
            error_code: 0,
            error_message: None,
        }
    }
}

impl DescribeShareGroupOffsetsResponsePartition {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.partition_index = input.i32()?;
        it.start_offset = input.i64()?;
        it.leader_epoch = input.i32()?;
        if version >= 1 {
            it.lag = input.i64()?;
        }
        it.error_code = input.i16()?;
        it.error_message = input.nullable_string(flexible)?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.i32(self.partition_index);
        out.i64(self.start_offset);
        out.i32(self.leader_epoch);
        if version >= 1 {
            out.i64(self.lag);
        }
        out.i16(self.error_code);
        out.nullable_string(flexible, self.error_message.as_deref());
        out.uvarint(0);
    }
}

impl Message for DescribeShareGroupOffsetsResponse {
    const VERSIONS: Versions = Versions { first: 0, last: 1 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}
