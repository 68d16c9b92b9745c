//! SyncGroup (key 14): generated from `definitions/014_sync_group.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct SyncGroupRequest {
    pub group_id: KafkaString,
    pub generation_id: i32,
    pub member_id: KafkaString,
    pub group_instance_id: Option<KafkaString>,
    pub protocol_type: Option<KafkaString>,
    pub protocol_name: Option<KafkaString>,
    pub assignments: Vec<SyncGroupRequestAssignment>,
}

impl SyncGroupRequest {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut it = Self::default();
        it.group_id = input.string(flexible)?;
        it.generation_id = input.i32()?;
        it.member_id = input.string(flexible)?;
        if version >= 3 {
            it.group_instance_id = input.nullable_string(flexible)?;
        }
        if version >= 5 {
            it.protocol_type = input.nullable_string(flexible)?;
            it.protocol_name = input.nullable_string(flexible)?;
        }
        it.assignments = input.array(flexible, |input| {
            SyncGroupRequestAssignment::read(input, version)
        })?;
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
        if version >= 5 {
            out.nullable_string(flexible, self.protocol_type.as_deref());
            out.nullable_string(flexible, self.protocol_name.as_deref());
        }
        out.array(flexible, &self.assignments, |out, it| {
            it.write(out, version)
        });
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct SyncGroupRequestAssignment {
    pub member_id: KafkaString,
    pub assignment: Bytes,
}

impl SyncGroupRequestAssignment {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut it = Self::default();
        it.member_id = input.string(flexible)?;
        it.assignment = input.bytes(flexible)?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 4;
        out.string(flexible, &self.member_id);
        out.bytes(flexible, &self.assignment);
        if flexible {
            out.uvarint(0);
        }
    }
}

impl Message for SyncGroupRequest {
    const VERSIONS: Versions = Versions { first: 0, last: 5 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

impl Request for SyncGroupRequest {
    const KEY: ApiKey = ApiKey::SyncGroup;
    type Response = SyncGroupResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct SyncGroupResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub protocol_type: Option<KafkaString>,
    pub protocol_name: Option<KafkaString>,
    pub assignment: Bytes,
}

impl SyncGroupResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut it = Self::default();
        if version >= 1 {
            it.throttle_time_ms = input.i32()?;
        }
        it.error_code = input.i16()?;
        if version >= 5 {
            it.protocol_type = input.nullable_string(flexible)?;
            it.protocol_name = input.nullable_string(flexible)?;
        }
        it.assignment = input.bytes(flexible)?;
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
        if version >= 5 {
            out.nullable_string(flexible, self.protocol_type.as_deref());
            out.nullable_string(flexible, self.protocol_name.as_deref());
        }
        out.bytes(flexible, &self.assignment);
        if flexible {
            out.uvarint(0);
        }
    }
}

impl Message for SyncGroupResponse {
    const VERSIONS: Versions = Versions { first: 0, last: 5 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}
