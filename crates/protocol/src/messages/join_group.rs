//! JoinGroup (key 11): generated from `definitions/011_join_group.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, PartialEq)]
pub struct JoinGroupRequest {
    pub group_id: KafkaString,
    pub session_timeout_ms: i32,
    pub rebalance_timeout_ms: i32,
    pub member_id: KafkaString,
    pub group_instance_id: Option<KafkaString>,
    pub protocol_type: KafkaString,
    pub protocols: Vec<JoinGroupRequestProtocol>,
    pub reason: Option<KafkaString>,
}

impl Default for JoinGroupRequest {
    fn default() -> Self {
        Self {
            group_id: KafkaString::default(),
            session_timeout_ms: 0,
            rebalance_timeout_ms: -1,
            member_id: KafkaString::default(),
            group_instance_id: None,
            protocol_type: KafkaString::default(),
            protocols: Vec::new(),
            reason: None,
        }
    }
}

impl JoinGroupRequest {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 6;
        let mut it = Self::default();
        it.group_id = input.string(flexible)?;
        it.session_timeout_ms = input.i32()?;
        if version >= 1 {
            it.rebalance_timeout_ms = input.i32()?;
        }
        it.member_id = input.string(flexible)?;
        if version >= 5 {
            it.group_instance_id = input.nullable_string(flexible)?;
        }
        it.protocol_type = input.string(flexible)?;
        it.protocols = input.array(flexible, |input| {
            JoinGroupRequestProtocol::read(input, version)
        })?;
        if version >= 8 {
            it.reason = input.nullable_string(flexible)?;
        }
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 6;
        out.string(flexible, &self.group_id);
        out.i32(self.session_timeout_ms);
        if version >= 1 {
            out.i32(self.rebalance_timeout_ms);
        }
        out.string(flexible, &self.member_id);
        if version >= 5 {
            out.nullable_string(flexible, self.group_instance_id.as_deref());
        }
        out.string(flexible, &self.protocol_type);
        out.array(flexible, &self.protocols, |out, it| it.write(out, version));
        if version >= 8 {
            out.nullable_string(flexible, self.reason.as_deref());
        }
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct JoinGroupRequestProtocol {
    pub name: KafkaString,
    pub metadata: Bytes,
}

impl JoinGroupRequestProtocol {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 6;
        let mut it = Self::default();
        it.name = input.string(flexible)?;
        it.metadata = input.bytes(flexible)?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 6;
        out.string(flexible, &self.name);
        out.bytes(flexible, &self.metadata);
        if flexible {
            out.uvarint(0);
        }
    }
}

impl Message for JoinGroupRequest {
    const VERSIONS: Versions = Versions { first: 0, last: 9 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

impl Request for JoinGroupRequest {
    const KEY: ApiKey = ApiKey::JoinGroup;
    type Response = JoinGroupResponse;
}

#[derive(Clone, Debug, PartialEq)]
pub struct JoinGroupResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub generation_id: i32,
    pub protocol_type: Option<KafkaString>,
    pub protocol_name: Option<KafkaString>,
    pub leader: KafkaString,
    pub skip_assignment: bool,
    pub member_id: KafkaString,
    pub members: Vec<JoinGroupResponseMember>,
}

impl Default for JoinGroupResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            generation_id: -1,
            protocol_type: None,
            protocol_name: Some(Default::default()),
            leader: KafkaString::default(),
            skip_assignment: false,
            member_id: KafkaString::default(),
            members: Vec::new(),
        }
    }
}

impl JoinGroupResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 6;
        let mut it = Self::default();
        if version >= 2 {
            it.throttle_time_ms = input.i32()?;
        }
        it.error_code = input.i16()?;
        it.generation_id = input.i32()?;
        if version >= 7 {
            it.protocol_type = input.nullable_string(flexible)?;
        }
        it.protocol_name = if version >= 7 {
            input.nullable_string(flexible)
        } else {
            input.string(flexible).map(Some)
        }?;
        it.leader = input.string(flexible)?;
        if version >= 9 {
            it.skip_assignment = input.bool()?;
        }
        it.member_id = input.string(flexible)?;
        it.members = input.array(flexible, |input| {
            JoinGroupResponseMember::read(input, version)
        })?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 6;
        if version >= 2 {
            out.i32(self.throttle_time_ms);
        }
        out.i16(self.error_code);
        out.i32(self.generation_id);
        if version >= 7 {
            out.nullable_string(flexible, self.protocol_type.as_deref());
        }
        if version >= 7 {
            out.nullable_string(flexible, self.protocol_name.as_deref())
        } else {
            out.string(flexible, self.protocol_name.as_deref().unwrap_or_default())
        };
        out.string(flexible, &self.leader);
        if version >= 9 {
            out.bool(self.skip_assignment);
        }
        out.string(flexible, &self.member_id);
        out.array(flexible, &self.members, |out, it| it.write(out, version));
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct JoinGroupResponseMember {
    pub member_id: KafkaString,
    pub group_instance_id: Option<KafkaString>,
    pub metadata: Bytes,
}

impl JoinGroupResponseMember {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 6;
        let mut it = Self::default();
        it.member_id = input.string(flexible)?;
        if version >= 5 {
            it.group_instance_id = input.nullable_string(flexible)?;
        }
        it.metadata = input.bytes(flexible)?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 6;
        out.string(flexible, &self.member_id);
        if version >= 5 {
            out.nullable_string(flexible, self.group_instance_id.as_deref());
        }
        out.bytes(flexible, &self.metadata);
        if flexible {
            out.uvarint(0);
        }
    }
}

impl Message for JoinGroupResponse {
    const VERSIONS: Versions = Versions { first: 0, last: 9 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}
