//! IncrementalAlterConfigs (key 44): generated from `definitions/044_incremental_alter_configs.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct IncrementalAlterConfigsRequest {
    pub resources: Vec<AlterConfigsResource>,
    pub validate_only: bool,
}

impl IncrementalAlterConfigsRequest {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 1;
        let mut it = Self::default();
        it.resources = input.array(flexible, |input| AlterConfigsResource::read(input, version))?;
        it.validate_only = input.bool()?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 1;
        out.array(flexible, &self.resources, |out, it| it.write(out, version));
        out.bool(self.validate_only);
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlterConfigsResource {
    pub resource_type: i8,
    pub resource_name: KafkaString,
    pub configs: Vec<AlterableConfig>,
}

impl AlterConfigsResource {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 1;
        let mut it = Self::default();
        it.resource_type = input.i8()?;
        it.resource_name = input.string(flexible)?;
        it.configs = input.array(flexible, |input| AlterableConfig::read(input, version))?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 1;
        out.i8(self.resource_type);
        out.string(flexible, &self.resource_name);
        out.array(flexible, &self.configs, |out, it| it.write(out, version));
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct AlterableConfig {
    pub name: KafkaString,
    pub config_operation: i8,
    pub value: Option<KafkaString>,
}

impl Default for AlterableConfig {
    fn default() -> Self {
        Self {
            name: KafkaString::default(),
            config_operation: 0,
            value: Some(Default::default()),
        }
    }
}

impl AlterableConfig {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 1;
        let mut it = Self::default();
        it.name = input.string(flexible)?;
        it.config_operation = input.i8()?;
        it.value = input.nullable_string(flexible)?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 1;
        out.string(flexible, &self.name);
        out.i8(self.config_operation);
        out.nullable_string(flexible, self.value.as_deref());
        if flexible {
            out.uvarint(0);
        }
    }
}

impl Message for IncrementalAlterConfigsRequest {
    const VERSIONS: Versions = Versions { first: 0, last: 1 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

impl Request for IncrementalAlterConfigsRequest {
    const KEY: ApiKey = ApiKey::IncrementalAlterConfigs;
    type Response = IncrementalAlterConfigsResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct IncrementalAlterConfigsResponse {
    pub throttle_time_ms: i32,
    pub responses: Vec<AlterConfigsResourceResponse>,
}

impl IncrementalAlterConfigsResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 1;
        let mut it = Self::default();
        it.throttle_time_ms = input.i32()?;
        it.responses = input.array(flexible, |input| {
            AlterConfigsResourceResponse::read(input, version)
        })?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 1;
        out.i32(self.throttle_time_ms);
        out.array(flexible, &self.responses, |out, it| it.write(out, version));
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct AlterConfigsResourceResponse {
    pub error_code: i16,
    pub error_message: Option<KafkaString>,
    pub resource_type: i8,
    pub resource_name: KafkaString,
}

impl Default for AlterConfigsResourceResponse {
    fn default() -> Self {
        Self {
            error_code: 0,
            error_message: Some(Default::default()),
            resource_type: 0,
            resource_name: KafkaString::default(),
        }
    }
}

impl AlterConfigsResourceResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 1;
        let mut it = Self::default();
        it.error_code = input.i16()?;
        it.error_message = input.nullable_string(flexible)?;
        it.resource_type = input.i8()?;
        it.resource_name = input.string(flexible)?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 1;
        out.i16(self.error_code);
        out.nullable_string(flexible, self.error_message.as_deref());
        out.i8(self.resource_type);
        out.string(flexible, &self.resource_name);
        if flexible {
            out.uvarint(0);
        }
    }
}

impl Message for IncrementalAlterConfigsResponse {
    const VERSIONS: Versions = Versions { first: 0, last: 1 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}
