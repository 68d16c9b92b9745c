//! ShareGroupHeartbeat (key 76): generated from `definitions/076_share_group_heartbeat.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ShareGroupHeartbeatRequest {
    pub group_id: KafkaString,
    pub member_id: KafkaString,
    pub member_epoch: i32,
    pub rack_id: Option<KafkaString>,
    pub subscribed_topic_names: Option<Vec<KafkaString>>,
}

impl ShareGroupHeartbeatRequest {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.group_id = input.string(flexible)?;
        it.member_id = input.string(flexible)?;
        it.member_epoch = input.i32()?;
        it.rack_id = input.nullable_string(flexible)?;
        it.subscribed_topic_names =
            input.nullable_array(flexible, |input| input.string(flexible))?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        let flexible = true;
        out.string(flexible, &self.group_id);
        out.string(flexible, &self.member_id);
        out.i32(self.member_epoch);
        out.nullable_string(flexible, self.rack_id.as_deref());
        out.nullable_array(
            flexible,
            self.subscribed_topic_names.as_deref(),
            |out, it| out.string(flexible, it),
        );
        out.uvarint(0);
    }
}

impl Message for ShareGroupHeartbeatRequest {
    const VERSIONS: Versions = Versions { first: 1, last: 1 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

impl Request for ShareGroupHeartbeatRequest {
    const KEY: ApiKey = ApiKey::ShareGroupHeartbeat;
    type Response = ShareGroupHeartbeatResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ShareGroupHeartbeatResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub error_message: Option<KafkaString>,
    pub member_id: Option<KafkaString>,
    pub member_epoch: i32,
    pub heartbeat_interval_ms: i32,
    pub assignment: Option<Assignment>,
}

impl ShareGroupHeartbeatResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.throttle_time_ms = input.i32()?;
        it.error_code = input.i16()?;
        it.error_message = input.nullable_string(flexible)?;
        it.member_id = input.nullable_string(flexible)?;
        it.member_epoch = input.i32()?;
        it.heartbeat_interval_ms = input.i32()?;
        it.assignment = input.nullable(|input| Assignment::read(input, version))?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.i32(self.throttle_time_ms);
        out.i16(self.error_code);
        out.nullable_string(flexible, self.error_message.as_deref());
        out.nullable_string(flexible, self.member_id.as_deref());
        out.i32(self.member_epoch);
        out.i32(self.heartbeat_interval_ms);
        out.nullable(self.assignment.as_ref(), |out, it| it.write(out, version));
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Assignment {
    pub topic_partitions: Vec<TopicPartitions>,
}

impl Assignment {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.topic_partitions =
            input.array(flexible, |input| TopicPartitions::read(input, version))?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.array(flexible, &self.topic_partitions, |out, it| {
            it.write(out, version)
        });
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicPartitions {
    pub topic_id: Uuid,
    pub partitions: Vec<i32>,
}

impl TopicPartitions {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.topic_id = input.uuid()?;
        it.partitions = input.array(flexible, Decoder::i32)?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        let flexible = true;
        out.uuid(self.topic_id);
        out.array(flexible, &self.partitions, |out, it| out.i32(*it));
        out.uvarint(0);
    }
}

impl Message for ShareGroupHeartbeatResponse {
    const VERSIONS: Versions = Versions { first: 1, last: 1 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}
