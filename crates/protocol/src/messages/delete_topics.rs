//! DeleteTopics (key 20): generated from `definitions/020_delete_topics.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeleteTopicsRequest {
    pub topics: Vec<DeleteTopicState>,
    pub topic_names: Vec<KafkaString>,
    pub timeout_ms: i32,
}

impl DeleteTopicsRequest {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut it = Self::default();
        if version >= 6 {
            it.topics = input.array(flexible, |input| DeleteTopicState::read(input, version))?;
        }
        if version <= 5 {
            it.topic_names = input.array(flexible, |input| input.string(flexible))?;
        }
        it.timeout_ms = input.i32()?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 4;
        if version >= 6 {
            out.array(flexible, &self.topics, |out, it| it.write(out, version));
        }
        if version <= 5 {
            out.array(flexible, &self.topic_names, |out, it| {
                out.string(flexible, it)
            });
        }
        out.i32(self.timeout_ms);
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeleteTopicState {
    pub name: Option<KafkaString>,
    pub topic_id: Uuid,
}

impl DeleteTopicState {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.name = input.nullable_string(flexible)?;
        it.topic_id = input.uuid()?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        let flexible = true;
        out.nullable_string(flexible, self.name.as_deref());
        out.uuid(self.topic_id);
        out.uvarint(0);
    }
}

impl Message for DeleteTopicsRequest {
    const VERSIONS: Versions = Versions { first: 1, last: 6 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

impl Request for DeleteTopicsRequest {
    const KEY: ApiKey = ApiKey::DeleteTopics;
    type Response = DeleteTopicsResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeleteTopicsResponse {
    pub throttle_time_ms: i32,
    pub responses: Vec<DeletableTopicResult>,
}

impl DeleteTopicsResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut it = Self::default();
        it.throttle_time_ms = input.i32()?;
        it.responses = input.array(flexible, |input| DeletableTopicResult::read(input, version))?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 4;
        out.i32(self.throttle_time_ms);
        out.array(flexible, &self.responses, |out, it| it.write(out, version));
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct DeletableTopicResult {
    pub name: Option<KafkaString>,
    pub topic_id: Uuid,
    pub error_code: i16,
    pub error_message: Option<KafkaString>,
}

impl Default for DeletableTopicResult {
    fn default() -> Self {
        Self {
            name: Some(Default::default()),
            topic_id: Uuid::ZERO,
            error_code: 0,
            error_message: None,
        }
    }
}

impl DeletableTopicResult {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 4;
        let mut it = Self::default();
        it.name = if version >= 6 {
            input.nullable_string(flexible)
        } else {
            input.string(flexible).map(Some)
        }?;
        if version >= 6 {
            it.topic_id = input.uuid()?;
        }
        it.error_code = input.i16()?;
        if version >= 5 {
            it.error_message = input.nullable_string(flexible)?;
        }
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 4;
        if version >= 6 {
            out.nullable_string(flexible, self.name.as_deref())
        } else {
            out.string(flexible, self.name.as_deref().unwrap_or_default())
        };
        if version >= 6 {
            out.uuid(self.topic_id);
        }
        out.i16(self.error_code);
        if version >= 5 {
            out.nullable_string(flexible, self.error_message.as_deref());
        }
        if flexible {
            out.uvarint(0);
        }
    }
}

impl Message for DeleteTopicsResponse {
    const VERSIONS: Versions = Versions { first: 1, last: 6 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}
