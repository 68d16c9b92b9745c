//! DescribeConfigs (key 32): generated from `definitions/032_describe_configs.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeConfigsRequest {
    pub resources: Vec<DescribeConfigsResource>,
    pub include_synonyms: bool,
    pub include_documentation: bool,
}

impl DescribeConfigsRequest {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut it = Self::default();
        it.resources = input.array(flexible, |input| {
            DescribeConfigsResource::read(input, version)
        })?;
        it.include_synonyms = input.bool()?;
        if version >= 3 {
            it.include_documentation = input.bool()?;
        }
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 4;
        out.array(flexible, &self.resources, |out, it| it.write(out, version));
        out.bool(self.include_synonyms);
        if version >= 3 {
            out.bool(self.include_documentation);
        }
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct DescribeConfigsResource {
    pub resource_type: i8,
    pub resource_name: KafkaString,
    pub configuration_keys: Option<Vec<KafkaString>>,
}

impl Default for DescribeConfigsResource {
    fn default() -> Self {
        Self {
            resource_type: 0,
            resource_name: KafkaString::default(),
            configuration_keys: Some(Default::default()),
        }
    }
}

impl DescribeConfigsResource {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut it = Self::default();
        it.resource_type = input.i8()?;
        it.resource_name = input.string(flexible)?;
        it.configuration_keys = input.nullable_array(flexible, |input| input.string(flexible))?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 4;
        out.i8(self.resource_type);
        out.string(flexible, &self.resource_name);
        out.nullable_array(flexible, self.configuration_keys.as_deref(), |out, it| {
            out.string(flexible, it)
        });
        if flexible {
            out.uvarint(0);
        }
    }
}

impl Message for DescribeConfigsRequest {
    const VERSIONS: Versions = Versions { first: 1, last: 4 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

impl Request for DescribeConfigsRequest {
    const KEY: ApiKey = ApiKey::DescribeConfigs;
    type Response = DescribeConfigsResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeConfigsResponse {
    pub throttle_time_ms: i32,
    pub results: Vec<DescribeConfigsResult>,
}

impl DescribeConfigsResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut it = Self::default();
        it.throttle_time_ms = input.i32()?;
        it.results = input.array(flexible, |input| {
            DescribeConfigsResult::read(input, version)
        })?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 4;
        out.i32(self.throttle_time_ms);
        out.array(flexible, &self.results, |out, it| it.write(out, version));
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct DescribeConfigsResult {
    pub error_code: i16,
    pub error_message: Option<KafkaString>,
    pub resource_type: i8,
    pub resource_name: KafkaString,
    pub configs: Vec<DescribeConfigsResourceResult>,
}

impl Default for DescribeConfigsResult {
    fn default() -> Self {
        Self {
            error_code: 0,
            error_message: Some(Default::default()),
            resource_type: 0,
            resource_name: KafkaString::default(),
            configs: Vec::new(),
        }
    }
}

impl DescribeConfigsResult {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut it = Self::default();
        it.error_code = input.i16()?;
        it.error_message = input.nullable_string(flexible)?;
        it.resource_type = input.i8()?;
        it.resource_name = input.string(flexible)?;
        it.configs = input.array(flexible, |input| {
            DescribeConfigsResourceResult::read(input, version)
        })?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 4;
        out.i16(self.error_code);
        out.nullable_string(flexible, self.error_message.as_deref());
        out.i8(self.resource_type);
        out.string(flexible, &self.resource_name);
        out.array(flexible, &self.configs, |out, it| it.write(out, version));
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct DescribeConfigsResourceResult {
    pub name: KafkaString,
    pub value: Option<KafkaString>,
    pub read_only: bool,
    pub config_source: i8,
    pub is_sensitive: bool,
    pub synonyms: Vec<DescribeConfigsSynonym>,
    pub config_type: i8,
    pub documentation: Option<KafkaString>,
}

impl Default for DescribeConfigsResourceResult {
    fn default() -> Self {
        Self {
            name: KafkaString::default(),
            value: Some(Default::default()),
            read_only: false,
            config_source: -1,
            is_sensitive: false,
            synonyms: Vec::new(),
            config_type: 0,
            documentation: Some(Default::default()),
        }
    }
}

impl DescribeConfigsResourceResult {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut it = Self::default();
        it.name = input.string(flexible)?;
        it.value = input.nullable_string(flexible)?;
        it.read_only = input.bool()?;
        it.config_source = input.i8()?;
        it.is_sensitive = input.bool()?;
        it.synonyms = input.array(flexible, |input| {
            DescribeConfigsSynonym::read(input, version)
        })?;
        if version >= 3 {
            it.config_type = input.i8()?;
            it.documentation = input.nullable_string(flexible)?;
        }
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 4;
        out.string(flexible, &self.name);
        out.nullable_string(flexible, self.value.as_deref());
        out.bool(self.read_only);
        out.i8(self.config_source);
        out.bool(self.is_sensitive);
        out.array(flexible, &self.synonyms, |out, it| it.write(out, version));
        if version >= 3 {
            out.i8(self.config_type);
            out.nullable_string(flexible, self.documentation.as_deref());
        }
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct DescribeConfigsSynonym {
    pub name: KafkaString,
    pub value: Option<KafkaString>,
    pub source: i8,
}

impl Default for DescribeConfigsSynonym {
    fn default() -> Self {
        Self {
            name: KafkaString::default(),
            value: Some(Default::default()),
            source: 0,
        }
    }
}

impl DescribeConfigsSynonym {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut it = Self::default();
        it.name = input.string(flexible)?;
        it.value = input.nullable_string(flexible)?;
        it.source = input.i8()?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 4;
        out.string(flexible, &self.name);
        out.nullable_string(flexible, self.value.as_deref());
        out.i8(self.source);
        if flexible {
            out.uvarint(0);
        }
    }
}

impl Message for DescribeConfigsResponse {
    const VERSIONS: Versions = Versions { first: 1, last: 4 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}
