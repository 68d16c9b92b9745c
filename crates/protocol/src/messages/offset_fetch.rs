//! OffsetFetch (key 9): generated from `definitions/009_offset_fetch.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchRequest {
    pub group_id: KafkaString,
    pub topics: Option<Vec<OffsetFetchRequestTopic>>,
    pub groups: Vec<OffsetFetchRequestGroup>,
    pub require_stable: bool,
}

impl Default for OffsetFetchRequest {
    fn default() -> Self {
        Self {
            group_id: KafkaString::default(),
            topics: Some(Default::default()),
            groups: Vec::new(),
            require_stable: false,
        }
    }
}

impl OffsetFetchRequest {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 6;
        let mut it = Self::default();
        if version <= 7 {
            it.group_id = input.string(flexible)?;
            it.topics = if version >= 2 {
                input.nullable_array(flexible, |input| {
                    OffsetFetchRequestTopic::read(input, version)
                })
            } else {
                input
                    .array(flexible, |input| {
                        OffsetFetchRequestTopic::read(input, version)
                    })
                    .map(Some)
            }?;
        }
        if version >= 8 {
            it.groups = input.array(flexible, |input| {
                OffsetFetchRequestGroup::read(input, version)
            })?;
        }
        if version >= 7 {
            it.require_stable = input.bool()?;
        }
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 6;
        if version <= 7 {
            out.string(flexible, &self.group_id);
            if version >= 2 {
                out.nullable_array(flexible, self.topics.as_deref(), |out, it| {
                    it.write(out, version)
                })
            } else {
                out.array(
                    flexible,
                    self.topics.as_deref().unwrap_or_default(),
                    |out, it| it.write(out, version),
                )
            };
        }
        if version >= 8 {
            out.array(flexible, &self.groups, |out, it| it.write(out, version));
        }
        if version >= 7 {
            out.bool(self.require_stable);
        }
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetFetchRequestTopic {
    pub name: KafkaString,
    pub partition_indexes: Vec<i32>,
}

impl OffsetFetchRequestTopic {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 6;
        let mut it = Self::default();
        it.name = input.string(flexible)?;
        it.partition_indexes = input.array(flexible, Decoder::i32)?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 6;
        out.string(flexible, &self.name);
        out.array(flexible, &self.partition_indexes, |out, it| out.i32(*it));
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchRequestGroup {
    pub group_id: KafkaString,
    pub member_id: Option<KafkaString>,
    pub member_epoch: i32,
    pub topics: Option<Vec<OffsetFetchRequestTopics>>,
}

impl Default for OffsetFetchRequestGroup {
    fn default() -> Self {
        Self {
            group_id: KafkaString::default(),
            member_id: None,
            member_epoch: -1,
            topics: Some(Default::default()),
        }
    }
}

impl OffsetFetchRequestGroup {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.group_id = input.string(flexible)?;
        if version >= 9 {
            it.member_id = input.nullable_string(flexible)?;
            it.member_epoch = input.i32()?;
        }
        it.topics = input.nullable_array(flexible, |input| {
            OffsetFetchRequestTopics::read(input, version)
        })?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.string(flexible, &self.group_id);
        if version >= 9 {
            out.nullable_string(flexible, self.member_id.as_deref());
            out.i32(self.member_epoch);
        }
        out.nullable_array(flexible, self.topics.as_deref(), |out, it| {
            it.write(out, version)
        });
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetFetchRequestTopics {
    pub name: KafkaString,
    pub topic_id: Uuid,
    pub partition_indexes: Vec<i32>,
}

impl OffsetFetchRequestTopics {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        if version <= 9 {
            it.name = input.string(flexible)?;
        }
        if version >= 10 {
            it.topic_id = input.uuid()?;
        }
        it.partition_indexes = input.array(flexible, Decoder::i32)?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        if version <= 9 {
            out.string(flexible, &self.name);
        }
        if version >= 10 {
            out.uuid(self.topic_id);
        }
        out.array(flexible, &self.partition_indexes, |out, it| out.i32(*it));
        out.uvarint(0);
    }
}

impl Message for OffsetFetchRequest {
    const VERSIONS: Versions = Versions { first: 1, last: 10 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

impl Request for OffsetFetchRequest {
    const KEY: ApiKey = ApiKey::OffsetFetch;
    type Response = OffsetFetchResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetFetchResponse {
    pub throttle_time_ms: i32,
    pub topics: Vec<OffsetFetchResponseTopic>,
    pub error_code: i16,
    pub groups: Vec<OffsetFetchResponseGroup>,
}

impl OffsetFetchResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 6;
        let mut it = Self::default();
        if version >= 3 {
            it.throttle_time_ms = input.i32()?;
        }
        if version <= 7 {
            it.topics = input.array(flexible, |input| {
                OffsetFetchResponseTopic::read(input, version)
            })?;
        }
        if (2..=7).contains(&version) {
            it.error_code = input.i16()?;
        }
        if version >= 8 {
            it.groups = input.array(flexible, |input| {
                OffsetFetchResponseGroup::read(input, version)
            })?;
        }
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 6;
        if version >= 3 {
            out.i32(self.throttle_time_ms);
        }
        if version <= 7 {
            out.array(flexible, &self.topics, |out, it| it.write(out, version));
        }
        if (2..=7).contains(&version) {
            out.i16(self.error_code);
        }
        if version >= 8 {
            out.array(flexible, &self.groups, |out, it| it.write(out, version));
        }
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetFetchResponseTopic {
    pub name: KafkaString,
    pub partitions: Vec<OffsetFetchResponsePartition>,
}

impl OffsetFetchResponseTopic {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 6;
        let mut it = Self::default();
        it.name = input.string(flexible)?;
        it.partitions = input.array(flexible, |input| {
            OffsetFetchResponsePartition::read(input, version)
        })?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 6;
        out.string(flexible, &self.name);
        out.array(flexible, &self.partitions, |out, it| it.write(out, version));
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchResponsePartition {
    pub partition_index: i32,
    pub committed_offset: i64,
    pub committed_leader_epoch: i32,
    pub metadata: Option<KafkaString>,
    pub error_code: i16,
}

impl Default for OffsetFetchResponsePartition {
    fn default() -> Self {
        Self {
            partition_index: 0,
            committed_offset: 0,
            committed_leader_epoch: -1,
            metadata: Some(Default::default()),
            error_code: 0,
        }
    }
}

impl OffsetFetchResponsePartition {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 6;
        let mut it = Self::default();
        it.partition_index = input.i32()?;
        it.committed_offset = input.i64()?;
        if version >= 5 {
            it.committed_leader_epoch = input.i32()?;
        }
        it.metadata = input.nullable_string(flexible)?;
        it.error_code = input.i16()?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 6;
        out.i32(self.partition_index);
        out.i64(self.committed_offset);
        if version >= 5 {
            out.i32(self.committed_leader_epoch);
        }
        out.nullable_string(flexible, self.metadata.as_deref());
        out.i16(self.error_code);
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetFetchResponseGroup {
    pub group_id: KafkaString,
    pub topics: Vec<OffsetFetchResponseTopics>,
    pub error_code: i16,
}

impl OffsetFetchResponseGroup {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.group_id = input.string(flexible)?;
        it.topics = input.array(flexible, |input| {
            OffsetFetchResponseTopics::read(input, version)
        })?;
        it.error_code = input.i16()?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.string(flexible, &self.group_id);
        out.array(flexible, &self.topics, |out, it| it.write(out, version));
        out.i16(self.error_code);
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct OffsetFetchResponseTopics {
    pub name: KafkaString,
    pub topic_id: Uuid,
    pub partitions: Vec<OffsetFetchResponsePartitions>,
}

impl OffsetFetchResponseTopics {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        if version <= 9 {
            it.name = input.string(flexible)?;
        }
        if version >= 10 {
            it.topic_id = input.uuid()?;
        }
        it.partitions = input.array(flexible, |input| {
            OffsetFetchResponsePartitions::read(input, version)
        })?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        if version <= 9 {
            out.string(flexible, &self.name);
        }
        if version >= 10 {
            out.uuid(self.topic_id);
        }
        out.array(flexible, &self.partitions, |out, it| it.write(out, version));
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct OffsetFetchResponsePartitions {
    pub partition_index: i32,
    pub committed_offset: i64,
    pub committed_leader_epoch: i32,
    pub metadata: Option<KafkaString>,
    pub error_code: i16,
}

impl Default for OffsetFetchResponsePartitions {
    fn default() -> Self {
        Self {
            partition_index: 0,
            committed_offset: 0,
            committed_leader_epoch: -1,
            metadata: Some(Default::default()),
            error_code: 0,
        }
    }
}

impl OffsetFetchResponsePartitions {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.partition_index = input.i32()?;
        it.committed_offset = input.i64()?;
        it.committed_leader_epoch = input.i32()?;
        it.metadata = input.nullable_string(flexible)?;
        it.error_code = input.i16()?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        let flexible = true;
        out.i32(self.partition_index);
        out.i64(self.committed_offset);
        out.i32(self.committed_leader_epoch);
        out.nullable_string(flexible, self.metadata.as_deref());
        out.i16(self.error_code);
        out.uvarint(0);
    }
}

impl Message for OffsetFetchResponse {
    const VERSIONS: Versions = Versions { first: 1, last: 10 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}
