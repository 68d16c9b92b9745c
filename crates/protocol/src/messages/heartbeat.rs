//! Heartbeat (key 12): generated from `definitions/012_heartbeat.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeartbeatRequest {
    pub group_id: KafkaString,
    pub generation_id: i32,
    pub member_id: KafkaString,
    pub group_instance_id: Option<KafkaString>,
}

impl HeartbeatRequest {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut it = Self::default();
        it.group_id = input.string(flexible)?;
        it.generation_id = input.i32()?;
        it.member_id = input.string(flexible)?;
        if version >= 3 {
            it.group_instance_id = input.nullable_string(flexible)?;
        }
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 4;
        out.string(flexible, &self.group_id);
        out.i32(self.generation_id);
        out.string(flexible, &self.member_id);
        if version >= 3 {
            out.nullable_string(flexible, self.group_instance_id.as_deref());
        }
        if flexible {
            out.uvarint(0);
        }
    }
}

impl Message for HeartbeatRequest {
    const VERSIONS: Versions = Versions { first: 0, last: 4 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

impl Request for HeartbeatRequest {
    const KEY: ApiKey = ApiKey::Heartbeat;
    type Response = HeartbeatResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct HeartbeatResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
}

impl HeartbeatResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut it = Self::default();
        if version >= 1 {
            it.throttle_time_ms = input.i32()?;
        }
        it.error_code = input.i16()?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 4;
        if version >= 1 {
            out.i32(self.throttle_time_ms);
        }
        out.i16(self.error_code);
        if flexible {
            out.uvarint(0);
        }
    }
}

impl Message for HeartbeatResponse {
    const VERSIONS: Versions = Versions { first: 0, last: 4 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}
