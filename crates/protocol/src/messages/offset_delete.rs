//! OffsetDelete (key 47): generated from `definitions/047_offset_delete.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetDeleteRequest {
    pub group_id: KafkaString,
    pub topics: Vec<OffsetDeleteRequestTopic>,
}

impl OffsetDeleteRequest {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = false;
        let mut it = Self::default();
        it.group_id = input.string(flexible)?;
        it.topics = input.array(flexible, |input| {
            OffsetDeleteRequestTopic::read(input, version)
        })?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = false;
        out.string(flexible, &self.group_id);
        out.array(flexible, &self.topics, |out, it| it.write(out, version));
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetDeleteRequestTopic {
    pub name: KafkaString,
    pub partitions: Vec<OffsetDeleteRequestPartition>,
}

impl OffsetDeleteRequestTopic {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = false;
        let mut it = Self::default();
        it.name = input.string(flexible)?;
        it.partitions = input.array(flexible, |input| {
            OffsetDeleteRequestPartition::read(input, version)
        })?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = false;
        out.string(flexible, &self.name);
        out.array(flexible, &self.partitions, |out, it| it.write(out, version));
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetDeleteRequestPartition {
    pub partition_index: i32,
}

impl OffsetDeleteRequestPartition {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let mut it = Self::default();
        it.partition_index = input.i32()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        out.i32(self.partition_index);
    }
}

impl Message for OffsetDeleteRequest {
    const VERSIONS: Versions = Versions { first: 0, last: 0 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

impl Request for OffsetDeleteRequest {
    const KEY: ApiKey = ApiKey::OffsetDelete;
    type Response = OffsetDeleteResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetDeleteResponse {
    pub error_code: i16,
    pub throttle_time_ms: i32,
    pub topics: Vec<OffsetDeleteResponseTopic>,
}

impl OffsetDeleteResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = false;
        let mut it = Self::default();
        it.error_code = input.i16()?;
        it.throttle_time_ms = input.i32()?;
        it.topics = input.array(flexible, |input| {
            OffsetDeleteResponseTopic::read(input, version)
        })?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = false;
        out.i16(self.error_code);
        out.i32(self.throttle_time_ms);
        out.array(flexible, &self.topics, |out, it| it.write(out, version));
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetDeleteResponseTopic {
    pub name: KafkaString,
    pub partitions: Vec<OffsetDeleteResponsePartition>,
}

impl OffsetDeleteResponseTopic {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = false;
        let mut it = Self::default();
        it.name = input.string(flexible)?;
        it.partitions = input.array(flexible, |input| {
            OffsetDeleteResponsePartition::read(input, version)
        })?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = false;
        out.string(flexible, &self.name);
        out.array(flexible, &self.partitions, |out, it| it.write(out, version));
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetDeleteResponsePartition {
    pub partition_index: i32,
    pub error_code: i16,
}

impl OffsetDeleteResponsePartition {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let mut it = Self::default();
        it.partition_index = input.i32()?;
        it.error_code = input.i16()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        out.i32(self.partition_index);
        out.i16(self.error_code);
    }
}

impl Message for OffsetDeleteResponse {
    const VERSIONS: Versions = Versions { first: 0, last: 0 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}
