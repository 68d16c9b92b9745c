//! consumer_protocol: generated from `definitions/consumer_protocol.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, PartialEq)]
pub struct ConsumerProtocolSubscription {
    pub topics: Vec<KafkaString>,
    pub user_data: Option<Bytes>,
    pub owned_partitions: Vec<TopicPartition>,
    pub generation_id: i32,
    pub rack_id: Option<KafkaString>,
}

impl Default for ConsumerProtocolSubscription {
    fn default() -> Self {
        Self {
            topics: Vec::new(),
            user_data: None,
            owned_partitions: Vec::new(),
            generation_id: -1,
            rack_id: None,
        }
    }
}

impl ConsumerProtocolSubscription {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = false;
        let mut it = Self::default();
        it.topics = input.array(flexible, |input| input.string(flexible))?;
        it.user_data = input.nullable_bytes(flexible)?;
        if version >= 1 {
            it.owned_partitions =
                input.array(flexible, |input| TopicPartition::read(input, version))?;
        }
        if version >= 2 {
            it.generation_id = input.i32()?;
        }
        if version >= 3 {
            it.rack_id = input.nullable_string(flexible)?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = false;
        out.array(flexible, &self.topics, |out, it| out.string(flexible, it));
        out.nullable_bytes(flexible, self.user_data.as_deref());
        if version >= 1 {
            out.array(flexible, &self.owned_partitions, |out, it| {
                it.write(out, version)
            });
        }
        if version >= 2 {
            out.i32(self.generation_id);
        }
        if version >= 3 {
            out.nullable_string(flexible, self.rack_id.as_deref());
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicPartition {
    pub topic: KafkaString,
    pub partitions: Vec<i32>,
}

impl TopicPartition {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let flexible = false;
        let mut it = Self::default();
        it.topic = input.string(flexible)?;
        it.partitions = input.array(flexible, Decoder::i32)?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        let flexible = false;
        out.string(flexible, &self.topic);
        out.array(flexible, &self.partitions, |out, it| out.i32(*it));
    }
}

impl Message for ConsumerProtocolSubscription {
    const VERSIONS: Versions = Versions { first: 0, last: 3 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConsumerProtocolAssignment {
    pub assigned_partitions: Vec<TopicPartition>,
    pub user_data: Option<Bytes>,
}

impl ConsumerProtocolAssignment {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = false;
        let mut it = Self::default();
        it.assigned_partitions =
            input.array(flexible, |input| TopicPartition::read(input, version))?;
        it.user_data = input.nullable_bytes(flexible)?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = false;
        out.array(flexible, &self.assigned_partitions, |out, it| {
            it.write(out, version)
        });
        out.nullable_bytes(flexible, self.user_data.as_deref());
    }
}

impl Message for ConsumerProtocolAssignment {
    const VERSIONS: Versions = Versions { first: 0, last: 3 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}
