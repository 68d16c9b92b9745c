//! DescribeGroups (key 15): generated from `definitions/015_describe_groups.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeGroupsRequest {
    pub groups: Vec<KafkaString>,
    pub include_authorized_operations: bool,
}

impl DescribeGroupsRequest {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 5;
        let mut it = Self::default();
        it.groups = input.array(flexible, |input| input.string(flexible))?;
        if version >= 3 {
            it.include_authorized_operations = input.bool()?;
        }
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 5;
        out.array(flexible, &self.groups, |out, it| out.string(flexible, it));
        if version >= 3 {
            out.bool(self.include_authorized_operations);
        }
        if flexible {
            out.uvarint(0);
        }
    }
}

impl Message for DescribeGroupsRequest {
    const VERSIONS: Versions = Versions { first: 0, last: 6 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

impl Request for DescribeGroupsRequest {
    const KEY: ApiKey = ApiKey::DescribeGroups;
    type Response = DescribeGroupsResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeGroupsResponse {
    pub throttle_time_ms: i32,
    pub groups: Vec<DescribedGroup>,
}

impl DescribeGroupsResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 5;
        let mut it = Self::default();
        if version >= 1 {
            it.throttle_time_ms = input.i32()?;
        }
        it.groups = input.array(flexible, |input| DescribedGroup::read(input, version))?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 5;
        if version >= 1 {
            out.i32(self.throttle_time_ms);
        }
        out.array(flexible, &self.groups, |out, it| it.write(out, version));
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct DescribedGroup {
    pub error_code: i16,
    pub error_message: Option<KafkaString>,
    pub group_id: KafkaString,
    pub group_state: KafkaString,
    pub protocol_type: KafkaString,
    pub protocol_data: KafkaString,
    pub members: Vec<DescribedGroupMember>,
    pub authorized_operations: i32,
}

impl Default for DescribedGroup {
    fn default() -> Self {
        Self {
            error_code: 0,
            error_message: None,
            group_id: KafkaString::default(),
            group_state: KafkaString::default(),
            protocol_type: KafkaString::default(),
            protocol_data: KafkaString::default(),
            members: Vec::new(),
            authorized_operations: -2147483648,
        }
    }
}

impl DescribedGroup {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 5;
        let mut it = Self::default();
        it.error_code = input.i16()?;
        if version >= 6 {
            it.error_message = input.nullable_string(flexible)?;
        }
        it.group_id = input.string(flexible)?;
        it.group_state = input.string(flexible)?;
        it.protocol_type = input.string(flexible)?;
        it.protocol_data = input.string(flexible)?;
        it.members = input.array(flexible, |input| DescribedGroupMember::read(input, version))?;
        if version >= 3 {
            it.authorized_operations = input.i32()?;
        }
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 5;
        out.i16(self.error_code);
        if version >= 6 {
            out.nullable_string(flexible, self.error_message.as_deref());
        }
        out.string(flexible, &self.group_id);
        out.string(flexible, &self.group_state);
        out.string(flexible, &self.protocol_type);
        out.string(flexible, &self.protocol_data);
        out.array(flexible, &self.members, |out, it| it.write(out, version));
        if version >= 3 {
            out.i32(self.authorized_operations);
        }
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribedGroupMember {
    pub member_id: KafkaString,
    pub group_instance_id: Option<KafkaString>,
    pub client_id: KafkaString,
    pub client_host: KafkaString,
    pub member_metadata: Bytes,
    pub member_assignment: Bytes,
}

impl DescribedGroupMember {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 5;
        let mut it = Self::default();
        it.member_id = input.string(flexible)?;
        if version >= 4 {
            it.group_instance_id = input.nullable_string(flexible)?;
        }
        it.client_id = input.string(flexible)?;
        it.client_host = input.string(flexible)?;
        it.member_metadata = input.bytes(flexible)?;
        it.member_assignment = input.bytes(flexible)?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 5;
        out.string(flexible, &self.member_id);
        if version >= 4 {
            out.nullable_string(flexible, self.group_instance_id.as_deref());
        }
        out.string(flexible, &self.client_id);
        out.string(flexible, &self.client_host);
        out.bytes(flexible, &self.member_metadata);
        out.bytes(flexible, &self.member_assignment);
        if flexible {
            out.uvarint(0);
        }
    }
}

impl Message for DescribeGroupsResponse {
    const VERSIONS: Versions = Versions { first: 0, last: 6 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}
