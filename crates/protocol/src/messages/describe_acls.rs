//! DescribeAcls (key 29): generated from `definitions/029_describe_acls.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, PartialEq)]
pub struct DescribeAclsRequest {
    pub resource_type_filter: i8,
    pub resource_name_filter: Option<KafkaString>,
    pub pattern_type_filter: i8,
    pub principal_filter: Option<KafkaString>,
    pub host_filter: Option<KafkaString>,
    pub operation: i8,
    pub permission_type: i8,
}

impl Default for DescribeAclsRequest {
    fn default() -> Self {
        Self {
            resource_type_filter: 0,
            resource_name_filter: Some(Default::default()),
            pattern_type_filter: 3,
            principal_filter: Some(Default::default()),
            host_filter: Some(Default::default()),
            operation: 0,
            permission_type: 0,
        }
    }
}

impl DescribeAclsRequest {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut it = Self::default();
        it.resource_type_filter = input.i8()?;
        it.resource_name_filter = input.nullable_string(flexible)?;
        it.pattern_type_filter = input.i8()?;
        it.principal_filter = input.nullable_string(flexible)?;
        it.host_filter = input.nullable_string(flexible)?;
        it.operation = input.i8()?;
        it.permission_type = input.i8()?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 2;
        out.i8(self.resource_type_filter);
        out.nullable_string(flexible, self.resource_name_filter.as_deref());
        out.i8(self.pattern_type_filter);
        out.nullable_string(flexible, self.principal_filter.as_deref());
        out.nullable_string(flexible, self.host_filter.as_deref());
        out.i8(self.operation);
        out.i8(self.permission_type);
        if flexible {
            out.uvarint(0);
        }
    }
}

impl Message for DescribeAclsRequest {
    const VERSIONS: Versions = Versions { first: 1, last: 3 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

impl Request for DescribeAclsRequest {
    const KEY: ApiKey = ApiKey::DescribeAcls;
    type Response = DescribeAclsResponse;
}

#[derive(Clone, Debug, PartialEq)]
pub struct DescribeAclsResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub error_message: Option<KafkaString>,
    pub resources: Vec<DescribeAclsResource>,
}

impl Default for DescribeAclsResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            error_message: Some(Default::default()),
            resources: Vec::new(),
        }
    }
}

impl DescribeAclsResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut it = Self::default();
        it.throttle_time_ms = input.i32()?;
        it.error_code = input.i16()?;
        it.error_message = input.nullable_string(flexible)?;
        it.resources = input.array(flexible, |input| DescribeAclsResource::read(input, version))?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 2;
        out.i32(self.throttle_time_ms);
        out.i16(self.error_code);
        out.nullable_string(flexible, self.error_message.as_deref());
        out.array(flexible, &self.resources, |out, it| it.write(out, version));
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct DescribeAclsResource {
    pub resource_type: i8,
    pub resource_name: KafkaString,
    pub pattern_type: i8,
    pub acls: Vec<AclDescription>,
}

impl Default for DescribeAclsResource {
    fn default() -> Self {
        Self {
            resource_type: 0,
            resource_name: KafkaString::default(),
            pattern_type: 3,
            acls: Vec::new(),
        }
    }
}

impl DescribeAclsResource {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut it = Self::default();
        it.resource_type = input.i8()?;
        it.resource_name = input.string(flexible)?;
        it.pattern_type = input.i8()?;
        it.acls = input.array(flexible, |input| AclDescription::read(input, version))?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 2;
        out.i8(self.resource_type);
        out.string(flexible, &self.resource_name);
        out.i8(self.pattern_type);
        out.array(flexible, &self.acls, |out, it| it.write(out, version));
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct AclDescription {
    pub principal: KafkaString,
    pub host: KafkaString,
    pub operation: i8,
    pub permission_type: i8,
}

impl AclDescription {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut it = Self::default();
        it.principal = input.string(flexible)?;
        it.host = input.string(flexible)?;
        it.operation = input.i8()?;
        it.permission_type = input.i8()?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 2;
        out.string(flexible, &self.principal);
        out.string(flexible, &self.host);
        out.i8(self.operation);
        out.i8(self.permission_type);
        if flexible {
            out.uvarint(0);
        }
    }
}

impl Message for DescribeAclsResponse {
    const VERSIONS: Versions = Versions { first: 1, last: 3 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}
