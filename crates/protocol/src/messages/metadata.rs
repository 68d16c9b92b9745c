//! Metadata (key 3): generated from `definitions/003_metadata.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, PartialEq)]
pub struct MetadataRequest {
    pub topics: Option<Vec<MetadataRequestTopic>>,
    pub allow_auto_topic_creation: bool,
    pub include_cluster_authorized_operations: bool,
    pub include_topic_authorized_operations: bool,
}

impl Default for MetadataRequest {
    fn default() -> Self {
        Self {
            topics: Some(Default::default()),
            allow_auto_topic_creation: true,
            include_cluster_authorized_operations: false,
            include_topic_authorized_operations: false,
        }
    }
}

impl MetadataRequest {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 9;
        let mut it = Self::default();
        it.topics = if version >= 1 {
            input.nullable_array(flexible, |input| MetadataRequestTopic::read(input, version))
        } else {
            input
                .array(flexible, |input| MetadataRequestTopic::read(input, version))
                .map(Some)
        }?;
        if version >= 4 {
            it.allow_auto_topic_creation = input.bool()?;
        }
        if (8..=10).contains(&version) {
            it.include_cluster_authorized_operations = input.bool()?;
        }
        if version >= 8 {
            it.include_topic_authorized_operations = input.bool()?;
        }
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 9;
        if version >= 1 {
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
        if version >= 4 {
            out.bool(self.allow_auto_topic_creation);
        }
        if (8..=10).contains(&version) {
            out.bool(self.include_cluster_authorized_operations);
        }
        if version >= 8 {
            out.bool(self.include_topic_authorized_operations);
        }
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct MetadataRequestTopic {
    pub topic_id: Uuid,
    pub name: Option<KafkaString>,
}

impl Default for MetadataRequestTopic {
    fn default() -> Self {
        Self {
            topic_id: Uuid::ZERO,
            name: Some(Default::default()),
        }
    }
}

impl MetadataRequestTopic {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 9;
        let mut it = Self::default();
        if version >= 10 {
            it.topic_id = input.uuid()?;
        }
        it.name = if version >= 10 {
            input.nullable_string(flexible)
        } else {
            input.string(flexible).map(Some)
        }?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 9;
        if version >= 10 {
            out.uuid(self.topic_id);
        }
        if version >= 10 {
            out.nullable_string(flexible, self.name.as_deref())
        } else {
            out.string(flexible, self.name.as_deref().unwrap_or_default())
        };
        if flexible {
            out.uvarint(0);
        }
    }
}

impl Message for MetadataRequest {
    const VERSIONS: Versions = Versions { first: 0, last: 13 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

impl Request for MetadataRequest {
    const KEY: ApiKey = ApiKey::Metadata;
    type Response = MetadataResponse;
}

#[derive(Clone, Debug, PartialEq)]
pub struct MetadataResponse {
    pub throttle_time_ms: i32,
    pub brokers: Vec<MetadataResponseBroker>,
    pub cluster_id: Option<KafkaString>,
    pub controller_id: i32,
    pub topics: Vec<MetadataResponseTopic>,
    pub cluster_authorized_operations: i32,
    pub error_code: i16,
}

impl Default for MetadataResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            brokers: Vec::new(),
            cluster_id: None,
            controller_id: -1,
            topics: Vec::new(),
            cluster_authorized_operations: -2147483648,
            error_code: 0,
        }
    }
}

impl MetadataResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 9;
        let mut it = Self::default();
        if version >= 3 {
            it.throttle_time_ms = input.i32()?;
        }
        it.brokers = input.array(flexible, |input| {
            MetadataResponseBroker::read(input, version)
        })?;
        if version >= 2 {
            it.cluster_id = input.nullable_string(flexible)?;
        }
        if version >= 1 {
            it.controller_id = input.i32()?;
        }
        it.topics = input.array(flexible, |input| {
            MetadataResponseTopic::read(input, version)
        })?;
        if (8..=10).contains(&version) {
            it.cluster_authorized_operations = input.i32()?;
        }
        if version >= 13 {
            it.error_code = input.i16()?;
        }
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 9;
        if version >= 3 {
            out.i32(self.throttle_time_ms);
        }
        out.array(flexible, &self.brokers, |out, it| it.write(out, version));
        if version >= 2 {
            out.nullable_string(flexible, self.cluster_id.as_deref());
        }
        if version >= 1 {
            out.i32(self.controller_id);
        }
        out.array(flexible, &self.topics, |out, it| it.write(out, version));
        if (8..=10).contains(&version) {
            out.i32(self.cluster_authorized_operations);
        }
        if version >= 13 {
            out.i16(self.error_code);
        }
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct MetadataResponseBroker {
    pub node_id: i32,
    pub host: KafkaString,
    pub port: i32,
    pub rack: Option<KafkaString>,
}

impl MetadataResponseBroker {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 9;
        let mut it = Self::default();
        it.node_id = input.i32()?;
        it.host = input.string(flexible)?;
        it.port = input.i32()?;
        if version >= 1 {
            it.rack = input.nullable_string(flexible)?;
        }
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 9;
        out.i32(self.node_id);
        out.string(flexible, &self.host);
        out.i32(self.port);
        if version >= 1 {
            out.nullable_string(flexible, self.rack.as_deref());
        }
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct MetadataResponseTopic {
    pub error_code: i16,
    pub name: Option<KafkaString>,
    pub topic_id: Uuid,
    pub is_internal: bool,
    pub partitions: Vec<MetadataResponsePartition>,
    pub topic_authorized_operations: i32,
}

impl Default for MetadataResponseTopic {
    fn default() -> Self {
        Self {
            error_code: 0,
            name: Some(Default::default()),
            topic_id: Uuid::ZERO,
            is_internal: false,
            partitions: Vec::new(),
            topic_authorized_operations: -2147483648,
        }
    }
}

impl MetadataResponseTopic {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 9;
        let mut it = Self::default();
        it.error_code = input.i16()?;
        it.name = if version >= 12 {
            input.nullable_string(flexible)
        } else {
            input.string(flexible).map(Some)
        }?;
        if version >= 10 {
            it.topic_id = input.uuid()?;
        }
        if version >= 1 {
            it.is_internal = input.bool()?;
        }
        it.partitions = input.array(flexible, |input| {
            MetadataResponsePartition::read(input, version)
        })?;
        if version >= 8 {
            it.topic_authorized_operations = input.i32()?;
        }
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 9;
        out.i16(self.error_code);
        if version >= 12 {
            out.nullable_string(flexible, self.name.as_deref())
        } else {
            out.string(flexible, self.name.as_deref().unwrap_or_default())
        };
        if version >= 10 {
            out.uuid(self.topic_id);
        }
        if version >= 1 {
            out.bool(self.is_internal);
        }
        out.array(flexible, &self.partitions, |out, it| it.write(out, version));
        if version >= 8 {
            out.i32(self.topic_authorized_operations);
        }
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct MetadataResponsePartition {
    pub error_code: i16,
    pub partition_index: i32,
    pub leader_id: i32,
    pub leader_epoch: i32,
    pub replica_nodes: Vec<i32>,
    pub isr_nodes: Vec<i32>,
    pub offline_replicas: Vec<i32>,
}

impl Default for MetadataResponsePartition {
    fn default() -> Self {
        Self {
            error_code: 0,
            partition_index: 0,
            leader_id: 0,
            leader_epoch: -1,
            replica_nodes: Vec::new(),
            isr_nodes: Vec::new(),
            offline_replicas: Vec::new(),
        }
    }
}

impl MetadataResponsePartition {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 9;
        let mut it = Self::default();
        it.error_code = input.i16()?;
        it.partition_index = input.i32()?;
        it.leader_id = input.i32()?;
        if version >= 7 {
            it.leader_epoch = input.i32()?;
        }
        it.replica_nodes = input.array(flexible, Decoder::i32)?;
        it.isr_nodes = input.array(flexible, Decoder::i32)?;
        if version >= 5 {
            it.offline_replicas = input.array(flexible, Decoder::i32)?;
        }
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 9;
        out.i16(self.error_code);
        out.i32(self.partition_index);
        out.i32(self.leader_id);
        if version >= 7 {
            out.i32(self.leader_epoch);
        }
        out.array(flexible, &self.replica_nodes, |out, it| out.i32(*it));
        out.array(flexible, &self.isr_nodes, |out, it| out.i32(*it));
        if version >= 5 {
            out.array(flexible, &self.offline_replicas, |out, it| out.i32(*it));
        }
        if flexible {
            out.uvarint(0);
        }
    }
}

impl Message for MetadataResponse {
    const VERSIONS: Versions = Versions { first: 0, last: 13 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}
