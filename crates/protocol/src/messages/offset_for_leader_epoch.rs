//! OffsetForLeaderEpoch (key 23): generated from `definitions/023_offset_for_leader_epoch.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, PartialEq)]
pub struct OffsetForLeaderEpochRequest {
    pub replica_id: i32,
    pub topics: Vec<OffsetForLeaderTopic>,
}

impl Default for OffsetForLeaderEpochRequest {
    fn default() -> Self {
        Self {
            replica_id: -2,
            topics: Vec::new(),
        }
    }
}

impl OffsetForLeaderEpochRequest {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut it = Self::default();
        if version >= 3 {
            it.replica_id = input.i32()?;
        }
        it.topics = input.array(flexible, |input| OffsetForLeaderTopic::read(input, version))?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 4;
        if version >= 3 {
            out.i32(self.replica_id);
        }
        out.array(flexible, &self.topics, |out, it| it.write(out, version));
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetForLeaderTopic {
    pub topic: KafkaString,
    pub partitions: Vec<OffsetForLeaderPartition>,
}

impl OffsetForLeaderTopic {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut it = Self::default();
        it.topic = input.string(flexible)?;
        it.partitions = input.array(flexible, |input| {
            OffsetForLeaderPartition::read(input, version)
        })?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 4;
        out.string(flexible, &self.topic);
        out.array(flexible, &self.partitions, |out, it| it.write(out, version));
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct OffsetForLeaderPartition {
    pub partition: i32,
    pub current_leader_epoch: i32,
    pub leader_epoch: i32,
}

impl Default for OffsetForLeaderPartition {
    fn default() -> Self {
        Self {
            partition: 0,
            current_leader_epoch: -1,
            leader_epoch: 0,
        }
    }
}

impl OffsetForLeaderPartition {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut it = Self::default();
        it.partition = input.i32()?;
        it.current_leader_epoch = input.i32()?;
        it.leader_epoch = input.i32()?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 4;
        out.i32(self.partition);
        out.i32(self.current_leader_epoch);
        out.i32(self.leader_epoch);
        if flexible {
            out.uvarint(0);
        }
    }
}

impl Message for OffsetForLeaderEpochRequest {
    const VERSIONS: Versions = Versions { first: 2, last: 4 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

impl Request for OffsetForLeaderEpochRequest {
    const KEY: ApiKey = ApiKey::OffsetForLeaderEpoch;
    type Response = OffsetForLeaderEpochResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetForLeaderEpochResponse {
    pub throttle_time_ms: i32,
    pub topics: Vec<OffsetForLeaderTopicResult>,
}

impl OffsetForLeaderEpochResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut it = Self::default();
        it.throttle_time_ms = input.i32()?;
        it.topics = input.array(flexible, |input| {
            OffsetForLeaderTopicResult::read(input, version)
        })?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 4;
        out.i32(self.throttle_time_ms);
        out.array(flexible, &self.topics, |out, it| it.write(out, version));
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetForLeaderTopicResult {
    pub topic: KafkaString,
    pub partitions: Vec<EpochEndOffset>,
}

impl OffsetForLeaderTopicResult {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut it = Self::default();
        it.topic = input.string(flexible)?;
        it.partitions = input.array(flexible, |input| EpochEndOffset::read(input, version))?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 4;
        out.string(flexible, &self.topic);
        out.array(flexible, &self.partitions, |out, it| it.write(out, version));
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct EpochEndOffset {
    pub error_code: i16,
    pub partition: i32,
    pub leader_epoch: i32,
    pub end_offset: i64,
}

impl Default for EpochEndOffset {
    fn default() -> Self {
        Self {
            error_code: 0,
            partition: 0,
            leader_epoch: -1,
            end_offset: -1,
        }
    }
}

impl EpochEndOffset {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut it = Self::default();
        it.error_code = input.i16()?;
        it.partition = input.i32()?;
        it.leader_epoch = input.i32()?;
        it.end_offset = input.i64()?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 4;
        out.i16(self.error_code);
        out.i32(self.partition);
        out.i32(self.leader_epoch);
        out.i64(self.end_offset);
        if flexible {
            out.uvarint(0);
        }
    }
}

impl Message for OffsetForLeaderEpochResponse {
    const VERSIONS: Versions = Versions { first: 2, last: 4 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}
