//! FindCoordinator (key 10): generated from `definitions/010_find_coordinator.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct FindCoordinatorRequest {
    pub key: KafkaString,
    pub key_type: i8,
    pub coordinator_keys: Vec<KafkaString>,
}

impl FindCoordinatorRequest {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut it = Self::default();
        if version <= 3 {
            it.key = input.string(flexible)?;
        }
        if version >= 1 {
            it.key_type = input.i8()?;
        }
        if version >= 4 {
            it.coordinator_keys = input.array(flexible, |input| input.string(flexible))?;
        }
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 3;
        if version <= 3 {
            out.string(flexible, &self.key);
        }
        if version >= 1 {
            out.i8(self.key_type);
        }
        if version >= 4 {
            out.array(flexible, &self.coordinator_keys, |out, it| {
                out.string(flexible, it)
            });
        }
        if flexible {
            out.uvarint(0);
        }
    }
}

impl Message for FindCoordinatorRequest {
    const VERSIONS: Versions = Versions { first: 0, last: 6 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

impl Request for FindCoordinatorRequest {
    const KEY: ApiKey = ApiKey::FindCoordinator;
    type Response = FindCoordinatorResponse;
}

#[derive(Clone, Debug, PartialEq)]
pub struct FindCoordinatorResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub error_message: Option<KafkaString>,
    pub node_id: i32,
    pub host: KafkaString,
    pub port: i32,
    pub coordinators: Vec<Coordinator>,
}

impl Default for FindCoordinatorResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            error_message: Some(Default::default()),
            node_id: 0,
            host: KafkaString::default(),
            port: 0,
            coordinators: Vec::new(),
        }
    }
}

impl FindCoordinatorResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut it = Self::default();
        if version >= 1 {
            it.throttle_time_ms = input.i32()?;
        }
        if version <= 3 {
            it.error_code = input.i16()?;
        }
        if (1..=3).contains(&version) {
            it.error_message = input.nullable_string(flexible)?;
        }
        if version <= 3 {
            it.node_id = input.i32()?;
            it.host = input.string(flexible)?;
            it.port = input.i32()?;
        }
        if version >= 4 {
            it.coordinators = input.array(flexible, |input| Coordinator::read(input, version))?;
        }
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
        if version <= 3 {
            out.i16(self.error_code);
        }
        if (1..=3).contains(&version) {
            out.nullable_string(flexible, self.error_message.as_deref());
        }
        if version <= 3 {
            out.i32(self.node_id);
            out.string(flexible, &self.host);
            out.i32(self.port);
        }
        if version >= 4 {
            out.array(flexible, &self.coordinators, |out, it| {
                it.write(out, version)
            });
        }
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Coordinator {
    pub key: KafkaString,
    pub node_id: i32,
    pub host: KafkaString,
    pub port: i32,
    pub error_code: i16,
    pub error_message: Option<KafkaString>,
}

impl Default for Coordinator {
    fn default() -> Self {
        Self {
            key: KafkaString::default(),
            node_id: 0,
            host: KafkaString::default(),
            port: 0,
            error_code: 0,
            error_message: Some(Default::default()),
        }
    }
}

impl Coordinator {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.key = input.string(flexible)?;
        it.node_id = input.i32()?;
        it.host = input.string(flexible)?;
        it.port = input.i32()?;
        it.error_code = input.i16()?;
        it.error_message = input.nullable_string(flexible)?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        let flexible = true;
        out.string(flexible, &self.key);
        out.i32(self.node_id);
        out.string(flexible, &self.host);
        out.i32(self.port);
        out.i16(self.error_code);
        out.nullable_string(flexible, self.error_message.as_deref());
        out.uvarint(0);
    }
}

impl Message for FindCoordinatorResponse {
    const VERSIONS: Versions = Versions { first: 0, last: 6 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}
