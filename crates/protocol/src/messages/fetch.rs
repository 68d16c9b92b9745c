//! Fetch (key 1): generated from `definitions/001_fetch.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, PartialEq)]
pub struct FetchRequest {
    pub cluster_id: Option<KafkaString>,
    pub replica_id: i32,
    pub replica_state: ReplicaState,
    pub max_wait_ms: i32,
    pub min_bytes: i32,
    pub max_bytes: i32,
    pub isolation_level: i8,
    pub session_id: i32,
    pub session_epoch: i32,
    pub topics: Vec<FetchTopic>,
    pub forgotten_topics_data: Vec<ForgottenTopic>,
    pub rack_id: KafkaString,
}

impl Default for FetchRequest {
    fn default() -> Self {
        Self {
            cluster_id: None,
            replica_id: -1,
            replica_state: ReplicaState::default(),
            max_wait_ms: 0,
            min_bytes: 0,
            max_bytes: 2147483647,
            isolation_level: 0,
            session_id: 0,
            session_epoch: -1,
            topics: Vec::new(),
            forgotten_topics_data: Vec::new(),
            rack_id: KafkaString::default(),
        }
    }
}

impl FetchRequest {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 12;
        let mut it = Self::default();
        if version <= 14 {
            it.replica_id = input.i32()?;
        }
        it.max_wait_ms = input.i32()?;
        it.min_bytes = input.i32()?;
        it.max_bytes = input.i32()?;
        it.isolation_level = input.i8()?;
        if version >= 7 {
            it.session_id = input.i32()?;
            it.session_epoch = input.i32()?;
        }
        it.topics = input.array(flexible, |input| FetchTopic::read(input, version))?;
        if version >= 7 {
            it.forgotten_topics_data =
                input.array(flexible, |input| ForgottenTopic::read(input, version))?;
        }
        if version >= 11 {
            it.rack_id = input.string(flexible)?;
        }
        if flexible {
            input.tags(|tag, input| {
                match tag {
                    0 if version >= 12 => it.cluster_id = input.nullable_string(flexible)?,
                    1 if version >= 15 => it.replica_state = ReplicaState::read(input, version)?,
                    _ => return Ok(false),
                }
                Ok(true)
            })?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 12;
        if version <= 14 {
            out.i32(self.replica_id);
        }
        out.i32(self.max_wait_ms);
        out.i32(self.min_bytes);
        out.i32(self.max_bytes);
        out.i8(self.isolation_level);
        if version >= 7 {
            out.i32(self.session_id);
            out.i32(self.session_epoch);
        }
        out.array(flexible, &self.topics, |out, it| it.write(out, version));
        if version >= 7 {
            out.array(flexible, &self.forgotten_topics_data, |out, it| {
                it.write(out, version)
            });
        }
        if version >= 11 {
            out.string(flexible, &self.rack_id);
        }
        if flexible {
            let has_cluster_id = version >= 12 && self.cluster_id.is_some();
            let has_replica_state = version >= 15 && self.replica_state != ReplicaState::default();
            out.uvarint(u32::from(has_cluster_id) + u32::from(has_replica_state));
            if has_cluster_id {
                out.tag(0, |out| {
                    out.nullable_string(flexible, self.cluster_id.as_deref())
                });
            }
            if has_replica_state {
                out.tag(1, |out| self.replica_state.write(out, version));
            }
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct ReplicaState {
    pub replica_id: i32,
    pub replica_epoch: i64,
}

impl Default for ReplicaState {
    fn default() -> Self {
        Self {
            replica_id: -1,
            replica_epoch: -1,
        }
    }
}

impl ReplicaState {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let mut it = Self::default();
        it.replica_id = input.i32()?;
        it.replica_epoch = input.i64()?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        out.i32(self.replica_id);
        out.i64(self.replica_epoch);
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct FetchTopic {
    pub topic: KafkaString,
    pub topic_id: Uuid,
    pub partitions: Vec<FetchPartition>,
}

impl FetchTopic {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 12;
        let mut it = Self::default();
        if version <= 12 {
            it.topic = input.string(flexible)?;
        }
        if version >= 13 {
            it.topic_id = input.uuid()?;
        }
        it.partitions = input.array(flexible, |input| FetchPartition::read(input, version))?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 12;
        if version <= 12 {
            out.string(flexible, &self.topic);
        }
        if version >= 13 {
            out.uuid(self.topic_id);
        }
        out.array(flexible, &self.partitions, |out, it| it.write(out, version));
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct FetchPartition {
    pub partition: i32,
    pub current_leader_epoch: i32,
    pub fetch_offset: i64,
    pub last_fetched_epoch: i32,
    pub log_start_offset: i64,
    pub partition_max_bytes: i32,
    pub replica_directory_id: Uuid,
    pub high_watermark: i64,
}

impl Default for FetchPartition {
    fn default() -> Self {
        Self {
            partition: 0,
            current_leader_epoch: -1,
            fetch_offset: 0,
            last_fetched_epoch: -1,
            log_start_offset: -1,
            partition_max_bytes: 0,
            replica_directory_id: Uuid::ZERO,
            high_watermark: 9223372036854775807,
        }
    }
}

impl FetchPartition {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 12;
        let mut it = Self::default();
        it.partition = input.i32()?;
        if version >= 9 {
            it.current_leader_epoch = input.i32()?;
        }
        it.fetch_offset = input.i64()?;
        if version >= 12 {
            it.last_fetched_epoch = input.i32()?;
        }
        if version >= 5 {
            it.log_start_offset = input.i64()?;
        }
        it.partition_max_bytes = input.i32()?;
        if flexible {
            input.tags(|tag, input| {
                match tag {
                    0 if version >= 17 => it.replica_directory_id = input.uuid()?,
                    1 if version >= 18 => it.high_watermark = input.i64()?,
                    _ => return Ok(false),
                }
                Ok(true)
            })?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 12;
        out.i32(self.partition);
        if version >= 9 {
            out.i32(self.current_leader_epoch);
        }
        out.i64(self.fetch_offset);
        if version >= 12 {
            out.i32(self.last_fetched_epoch);
        }
        if version >= 5 {
            out.i64(self.log_start_offset);
        }
        out.i32(self.partition_max_bytes);
        if flexible {
            let has_replica_directory_id = version >= 17 && self.replica_directory_id != Uuid::ZERO;
            let has_high_watermark = version >= 18 && self.high_watermark != 9223372036854775807;
            out.uvarint(u32::from(has_replica_directory_id) + u32::from(has_high_watermark));
            if has_replica_directory_id {
                out.tag(0, |out| out.uuid(self.replica_directory_id));
            }
            if has_high_watermark {
                out.tag(1, |out| out.i64(self.high_watermark));
            }
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ForgottenTopic {
    pub topic: KafkaString,
    pub topic_id: Uuid,
    pub partitions: Vec<i32>,
}

impl ForgottenTopic {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 12;
        let mut it = Self::default();
        if version <= 12 {
            it.topic = input.string(flexible)?;
        }
        if version >= 13 {
            it.topic_id = input.uuid()?;
        }
        it.partitions = input.array(flexible, Decoder::i32)?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 12;
        if version <= 12 {
            out.string(flexible, &self.topic);
        }
        if version >= 13 {
            out.uuid(self.topic_id);
        }
        out.array(flexible, &self.partitions, |out, it| out.i32(*it));
        if flexible {
            out.uvarint(0);
        }
    }
}

impl Message for FetchRequest {
    const VERSIONS: Versions = Versions { first: 4, last: 18 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

impl Request for FetchRequest {
    const KEY: ApiKey = ApiKey::Fetch;
    type Response = FetchResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct FetchResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub session_id: i32,
    pub responses: Vec<FetchableTopicResponse>,
    pub node_endpoints: Vec<NodeEndpoint>,
}

impl FetchResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 12;
        let mut it = Self::default();
        it.throttle_time_ms = input.i32()?;
        if version >= 7 {
            it.error_code = input.i16()?;
            it.session_id = input.i32()?;
        }
        it.responses = input.array(flexible, |input| {
            FetchableTopicResponse::read(input, version)
        })?;
        if flexible {
            input.tags(|tag, input| {
                match tag {
                    0 if version >= 16 => {
                        it.node_endpoints =
                            input.array(flexible, |input| NodeEndpoint::read(input, version))?
                    }
                    _ => return Ok(false),
                }
                Ok(true)
            })?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 12;
        out.i32(self.throttle_time_ms);
        if version >= 7 {
            out.i16(self.error_code);
            out.i32(self.session_id);
        }
        out.array(flexible, &self.responses, |out, it| it.write(out, version));
        if flexible {
            let has_node_endpoints = version >= 16 && !self.node_endpoints.is_empty();
            out.uvarint(u32::from(has_node_endpoints));
            if has_node_endpoints {
                out.tag(0, |out| {
                    out.array(flexible, &self.node_endpoints, |out, it| {
                        it.write(out, version)
                    })
                });
            }
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct FetchableTopicResponse {
    pub topic: KafkaString,
    pub topic_id: Uuid,
    pub partitions: Vec<PartitionData>,
}

impl FetchableTopicResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 12;
        let mut it = Self::default();
        if version <= 12 {
            it.topic = input.string(flexible)?;
        }
        if version >= 13 {
            it.topic_id = input.uuid()?;
        }
        it.partitions = input.array(flexible, |input| PartitionData::read(input, version))?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 12;
        if version <= 12 {
            out.string(flexible, &self.topic);
        }
        if version >= 13 {
            out.uuid(self.topic_id);
        }
        out.array(flexible, &self.partitions, |out, it| it.write(out, version));
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct PartitionData {
    pub partition_index: i32,
    pub error_code: i16,
    pub high_watermark: i64,
    pub last_stable_offset: i64,
    pub log_start_offset: i64,
    pub diverging_epoch: EpochEndOffset,
    pub current_leader: LeaderIdAndEpoch,
    pub snapshot_id: SnapshotId,
    pub aborted_transactions: Option<Vec<AbortedTransaction>>,
    pub preferred_read_replica: i32,
    pub records: Option<Records>,
}

impl Default for PartitionData {
    fn default() -> Self {
        Self {
            partition_index: 0,
            error_code: 0,
            high_watermark: 0,
            last_stable_offset: -1,
            log_start_offset: -1,
            diverging_epoch: EpochEndOffset::default(),
            current_leader: LeaderIdAndEpoch::default(),
            snapshot_id: SnapshotId::default(),
            aborted_transactions: Some(Default::default()),
            preferred_read_replica: -1,
            records: None,
        }
    }
}

impl PartitionData {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 12;
        let mut it = Self::default();
        it.partition_index = input.i32()?;
        it.error_code = input.i16()?;
        it.high_watermark = input.i64()?;
        it.last_stable_offset = input.i64()?;
        if version >= 5 {
            it.log_start_offset = input.i64()?;
        }
        it.aborted_transactions =
            input.nullable_array(flexible, |input| AbortedTransaction::read(input, version))?;
        if version >= 11 {
            it.preferred_read_replica = input.i32()?;
        }
        it.records = input.nullable_records(flexible)?;
        if flexible {
            input.tags(|tag, input| {
                match tag {
                    0 if version >= 12 => {
                        it.diverging_epoch = EpochEndOffset::read(input, version)?
                    }
                    1 if version >= 12 => {
                        it.current_leader = LeaderIdAndEpoch::read(input, version)?
                    }
                    2 if version >= 12 => it.snapshot_id = SnapshotId::read(input, version)?,
                    _ => return Ok(false),
                }
                Ok(true)
            })?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 12;
        out.i32(self.partition_index);
        out.i16(self.error_code);
        out.i64(self.high_watermark);
        out.i64(self.last_stable_offset);
        if version >= 5 {
            out.i64(self.log_start_offset);
        }
        out.nullable_array(flexible, self.aborted_transactions.as_deref(), |out, it| {
            it.write(out, version)
        });
        if version >= 11 {
            out.i32(self.preferred_read_replica);
        }
        out.nullable_records(flexible, self.records.as_ref());
        if flexible {
            let has_diverging_epoch =
                version >= 12 && self.diverging_epoch != EpochEndOffset::default();
            let has_current_leader =
                version >= 12 && self.current_leader != LeaderIdAndEpoch::default();
            let has_snapshot_id = version >= 12 && self.snapshot_id != SnapshotId::default();
            out.uvarint(
                u32::from(has_diverging_epoch)
                    + u32::from(has_current_leader)
                    + u32::from(has_snapshot_id),
            );
            if has_diverging_epoch {
                out.tag(0, |out| self.diverging_epoch.write(out, version));
            }
            if has_current_leader {
                out.tag(1, |out| self.current_leader.write(out, version));
            }
            if has_snapshot_id {
                out.tag(2, |out| self.snapshot_id.write(out, version));
            }
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct EpochEndOffset {
    pub epoch: i32,
    pub end_offset: i64,
}

impl Default for EpochEndOffset {
    fn default() -> Self {
        Self {
            epoch: -1,
            end_offset: -1,
        }
    }
}

impl EpochEndOffset {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let mut it = Self::default();
        it.epoch = input.i32()?;
        it.end_offset = input.i64()?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        out.i32(self.epoch);
        out.i64(self.end_offset);
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct LeaderIdAndEpoch {
    pub leader_id: i32,
    pub leader_epoch: i32,
}

impl Default for LeaderIdAndEpoch {
    fn default() -> Self {
        Self {
            leader_id: -1,
            leader_epoch: -1,
        }
    }
}

impl LeaderIdAndEpoch {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let mut it = Self::default();
        it.leader_id = input.i32()?;
        it.leader_epoch = input.i32()?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        out.i32(self.leader_id);
        out.i32(self.leader_epoch);
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct SnapshotId {
    pub end_offset: i64,
    pub epoch: i32,
}

impl Default for SnapshotId {
    fn default() -> Self {
        Self {
            end_offset: -1,
            epoch: -1,
        }
    }
}

impl SnapshotId {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let mut it = Self::default();
        it.end_offset = input.i64()?;
        it.epoch = input.i32()?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        out.i64(self.end_offset);
        out.i32(self.epoch);
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct AbortedTransaction {
    pub producer_id: i64,
    pub first_offset: i64,
}

impl AbortedTransaction {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 12;
        let mut it = Self::default();
        it.producer_id = input.i64()?;
        it.first_offset = input.i64()?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 12;
        out.i64(self.producer_id);
        out.i64(self.first_offset);
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct NodeEndpoint {
    pub node_id: i32,
    pub host: KafkaString,
    pub port: i32,
    pub rack: Option<KafkaString>,
}

impl NodeEndpoint {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.node_id = input.i32()?;
        it.host = input.string(flexible)?;
        it.port = input.i32()?;
        it.rack = input.nullable_string(flexible)?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        let flexible = true;
        out.i32(self.node_id);
        out.string(flexible, &self.host);
        out.i32(self.port);
        out.nullable_string(flexible, self.rack.as_deref());
        out.uvarint(0);
    }
}

impl Message for FetchResponse {
    const VERSIONS: Versions = Versions { first: 4, last: 18 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}
