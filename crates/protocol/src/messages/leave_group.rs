//! LeaveGroup (key 13): generated from `definitions/013_leave_group.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct LeaveGroupRequest {
    pub group_id: KafkaString,
    pub member_id: KafkaString,
    pub members: Vec<MemberIdentity>,
}

impl LeaveGroupRequest {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut it = Self::default();
        it.group_id = input.string(flexible)?;
        if version <= 2 {
            it.member_id = input.string(flexible)?;
        }
        if version >= 3 {
            it.members = input.array(flexible, |input| MemberIdentity::read(input, version))?;
        }
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 4;
        out.string(flexible, &self.group_id);
        if version <= 2 {
            out.string(flexible, &self.member_id);
        }
        if version >= 3 {
            out.array(flexible, &self.members, |out, it| it.write(out, version));
        }
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct MemberIdentity {
    pub member_id: KafkaString,
    pub group_instance_id: Option<KafkaString>,
    pub reason: Option<KafkaString>,
}

impl MemberIdentity {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut it = Self::default();
        it.member_id = input.string(flexible)?;
        it.group_instance_id = input.nullable_string(flexible)?;
        if version >= 5 {
            it.reason = input.nullable_string(flexible)?;
        }
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 4;
        out.string(flexible, &self.member_id);
        out.nullable_string(flexible, self.group_instance_id.as_deref());
        if version >= 5 {
            out.nullable_string(flexible, self.reason.as_deref());
        }
        if flexible {
            out.uvarint(0);
        }
    }
}

impl Message for LeaveGroupRequest {
    const VERSIONS: Versions = Versions { first: 0, last: 5 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

impl Request for LeaveGroupRequest {
    const KEY: ApiKey = ApiKey::LeaveGroup;
    type Response = LeaveGroupResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct LeaveGroupResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub members: Vec<MemberResponse>,
}

impl LeaveGroupResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut it = Self::default();
        if version >= 1 {
            it.throttle_time_ms = input.i32()?;
        }
        it.error_code = input.i16()?;
        if version >= 3 {
            it.members = input.array(flexible, |input| MemberResponse::read(input, version))?;
        }
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
        if version >= 3 {
            out.array(flexible, &self.members, |out, it| it.write(out, version));
        }
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct MemberResponse {
    pub member_id: KafkaString,
    pub group_instance_id: Option<KafkaString>,
    pub error_code: i16,
}

impl Default for MemberResponse {
    fn default() -> Self {
        Self {
            member_id: KafkaString::default(),
            group_instance_id: Some(Default::default()),
            error_code: 0,
        }
    }
}

impl MemberResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut it = Self::default();
        it.member_id = input.string(flexible)?;
        it.group_instance_id = input.nullable_string(flexible)?;
        it.error_code = input.i16()?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 4;
        out.string(flexible, &self.member_id);
        out.nullable_string(flexible, self.group_instance_id.as_deref());
        out.i16(self.error_code);
        if flexible {
            out.uvarint(0);
        }
    }
}

impl Message for LeaveGroupResponse {
    const VERSIONS: Versions = Versions { first: 0, last: 5 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}
