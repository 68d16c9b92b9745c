//! ListGroups (key 16): generated from `definitions/016_list_groups.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListGroupsRequest {
    pub states_filter: Vec<KafkaString>,
    pub types_filter: Vec<KafkaString>,
}

impl ListGroupsRequest {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut it = Self::default();
        if version >= 4 {
            it.states_filter = input.array(flexible, |input| input.string(flexible))?;
        }
        if version >= 5 {
            it.types_filter = input.array(flexible, |input| input.string(flexible))?;
        }
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 3;
        if version >= 4 {
            out.array(flexible, &self.states_filter, |out, it| {
                out.string(flexible, it)
            });
        }
        if version >= 5 {
            out.array(flexible, &self.types_filter, |out, it| {
                out.string(flexible, it)
            });
        }
        if flexible {
            out.uvarint(0);
        }
    }
}

impl Message for ListGroupsRequest {
    const VERSIONS: Versions = Versions { first: 0, last: 5 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

impl Request for ListGroupsRequest {
    const KEY: ApiKey = ApiKey::ListGroups;
    type Response = ListGroupsResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListGroupsResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub groups: Vec<ListedGroup>,
}

impl ListGroupsResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut it = Self::default();
        if version >= 1 {
            it.throttle_time_ms = input.i32()?;
        }
        it.error_code = input.i16()?;
        it.groups = input.array(flexible, |input| ListedGroup::read(input, version))?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 3;
        if version >= 1 {
            out.i32(self.throttle_time_ms);
        }
        out.i16(self.error_code);
        out.array(flexible, &self.groups, |out, it| it.write(out, version));
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListedGroup {
    pub group_id: KafkaString,
    pub protocol_type: KafkaString,
    pub group_state: KafkaString,
    pub group_type: KafkaString,
}

impl ListedGroup {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut it = Self::default();
        it.group_id = input.string(flexible)?;
        it.protocol_type = input.string(flexible)?;
        if version >= 4 {
            it.group_state = input.string(flexible)?;
        }
        if version >= 5 {
            it.group_type = input.string(flexible)?;
        }
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 3;
        out.string(flexible, &self.group_id);
        out.string(flexible, &self.protocol_type);
        if version >= 4 {
            out.string(flexible, &self.group_state);
        }
        if version >= 5 {
            out.string(flexible, &self.group_type);
        }
        if flexible {
            out.uvarint(0);
        }
    }
}

impl Message for ListGroupsResponse {
    const VERSIONS: Versions = Versions { first: 0, last: 5 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}
