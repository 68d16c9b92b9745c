//! DescribeClientQuotas (key 48): generated from `definitions/048_describe_client_quotas.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeClientQuotasRequest {
    pub components: Vec<ComponentData>,
    pub strict: bool,
}

impl DescribeClientQuotasRequest {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 1;
        let mut it = Self::default();
        it.components = input.array(flexible, |input| ComponentData::read(input, version))?;
        it.strict = input.bool()?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 1;
        out.array(flexible, &self.components, |out, it| it.write(out, version));
        out.bool(self.strict);
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct ComponentData {
    pub entity_type: KafkaString,
    pub match_type: i8,
    pub matches: Option<KafkaString>,
}

impl Default for ComponentData {
    fn default() -> Self {
        Self {
            entity_type: KafkaString::default(),
            match_type: 0,
            matches: Some(Default::default()),
        }
    }
}

impl ComponentData {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 1;
        let mut it = Self::default();
        it.entity_type = input.string(flexible)?;
        it.match_type = input.i8()?;
        it.matches = input.nullable_string(flexible)?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 1;
        out.string(flexible, &self.entity_type);
        out.i8(self.match_type);
        out.nullable_string(flexible, self.matches.as_deref());
        if flexible {
            out.uvarint(0);
        }
    }
}

impl Message for DescribeClientQuotasRequest {
    const VERSIONS: Versions = Versions { first: 0, last: 1 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

impl Request for DescribeClientQuotasRequest {
    const KEY: ApiKey = ApiKey::DescribeClientQuotas;
    type Response = DescribeClientQuotasResponse;
}

#[derive(Clone, Debug, PartialEq)]
pub struct DescribeClientQuotasResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub error_message: Option<KafkaString>,
    pub entries: Option<Vec<EntryData>>,
}

impl Default for DescribeClientQuotasResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            error_message: Some(Default::default()),
            entries: Some(Default::default()),
        }
    }
}

impl DescribeClientQuotasResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 1;
        let mut it = Self::default();
        it.throttle_time_ms = input.i32()?;
        it.error_code = input.i16()?;
        it.error_message = input.nullable_string(flexible)?;
        it.entries = input.nullable_array(flexible, |input| EntryData::read(input, version))?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 1;
        out.i32(self.throttle_time_ms);
        out.i16(self.error_code);
        out.nullable_string(flexible, self.error_message.as_deref());
        out.nullable_array(flexible, self.entries.as_deref(), |out, it| {
            it.write(out, version)
        });
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct EntryData {
    pub entity: Vec<EntityData>,
    pub values: Vec<ValueData>,
}

impl EntryData {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 1;
        let mut it = Self::default();
        it.entity = input.array(flexible, |input| EntityData::read(input, version))?;
        it.values = input.array(flexible, |input| ValueData::read(input, version))?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 1;
        out.array(flexible, &self.entity, |out, it| it.write(out, version));
        out.array(flexible, &self.values, |out, it| it.write(out, version));
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct EntityData {
    pub entity_type: KafkaString,
    pub entity_name: Option<KafkaString>,
}

impl Default for EntityData {
    fn default() -> Self {
        Self {
            entity_type: KafkaString::default(),
            entity_name: Some(Default::default()),
        }
    }
}

impl EntityData {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 1;
        let mut it = Self::default();
        it.entity_type = input.string(flexible)?;
        it.entity_name = input.nullable_string(flexible)?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 1;
        out.string(flexible, &self.entity_type);
        out.nullable_string(flexible, self.entity_name.as_deref());
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ValueData {
    pub key: KafkaString,
    pub value: f64,
}

impl ValueData {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 1;
        let mut it = Self::default();
        it.key = input.string(flexible)?;
        it.value = input.f64()?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 1;
        out.string(flexible, &self.key);
        out.f64(self.value);
        if flexible {
            out.uvarint(0);
        }
    }
}

impl Message for DescribeClientQuotasResponse {
    const VERSIONS: Versions = Versions { first: 0, last: 1 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}
