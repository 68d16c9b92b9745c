//! AlterClientQuotas (key 49): generated from `definitions/049_alter_client_quotas.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlterClientQuotasRequest {
    pub entries: Vec<EntryData>,
    pub validate_only: bool,
}

impl AlterClientQuotasRequest {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 1;
        let mut it = Self::default();
        it.entries = input.array(flexible, |input| EntryData::read(input, version))?;
        it.validate_only = input.bool()?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 1;
        out.array(flexible, &self.entries, |out, it| it.write(out, version));
        out.bool(self.validate_only);
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct EntryData {
    pub entity: Vec<EntityData>,
    pub ops: Vec<OpData>,
}

impl EntryData {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 1;
        let mut it = Self::default();
        it.entity = input.array(flexible, |input| EntityData::read(input, version))?;
        it.ops = input.array(flexible, |input| OpData::read(input, version))?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 1;
        out.array(flexible, &self.entity, |out, it| it.write(out, version));
        out.array(flexible, &self.ops, |out, it| it.write(out, version));
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
pub struct OpData {
    pub key: KafkaString,
    pub value: f64,
    pub remove: bool,
}

impl OpData {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 1;
        let mut it = Self::default();
        it.key = input.string(flexible)?;
        it.value = input.f64()?;
        it.remove = input.bool()?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 1;
        out.string(flexible, &self.key);
        out.f64(self.value);
        out.bool(self.remove);
        if flexible {
            out.uvarint(0);
        }
    }
}

impl Message for AlterClientQuotasRequest {
    const VERSIONS: Versions = Versions { first: 0, last: 1 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

impl Request for AlterClientQuotasRequest {
    const KEY: ApiKey = ApiKey::AlterClientQuotas;
    type Response = AlterClientQuotasResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct AlterClientQuotasResponse {
    pub throttle_time_ms: i32,
    pub entries: Vec<ResponseEntryData>,
}

impl AlterClientQuotasResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 1;
        let mut it = Self::default();
        it.throttle_time_ms = input.i32()?;
        it.entries = input.array(flexible, |input| ResponseEntryData::read(input, version))?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 1;
        out.i32(self.throttle_time_ms);
        out.array(flexible, &self.entries, |out, it| it.write(out, version));
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct ResponseEntryData {
    pub error_code: i16,
    pub error_message: Option<KafkaString>,
    pub entity: Vec<ResponseEntityData>,
}

impl Default for ResponseEntryData {
    fn default() -> Self {
        Self {
            error_code: 0,
            error_message: Some(Default::default()),
            entity: Vec::new(),
        }
    }
}

impl ResponseEntryData {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 1;
        let mut it = Self::default();
        it.error_code = input.i16()?;
        it.error_message = input.nullable_string(flexible)?;
        it.entity = input.array(flexible, |input| ResponseEntityData::read(input, version))?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 1;
        out.i16(self.error_code);
        out.nullable_string(flexible, self.error_message.as_deref());
        out.array(flexible, &self.entity, |out, it| it.write(out, version));
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct ResponseEntityData {
    pub entity_type: KafkaString,
    pub entity_name: Option<KafkaString>,
}

impl Default for ResponseEntityData {
    fn default() -> Self {
        Self {
            entity_type: KafkaString::default(),
            entity_name: Some(Default::default()),
        }
    }
}

impl ResponseEntityData {
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

impl Message for AlterClientQuotasResponse {
    const VERSIONS: Versions = Versions { first: 0, last: 1 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}
