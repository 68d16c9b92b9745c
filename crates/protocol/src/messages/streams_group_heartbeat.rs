//! StreamsGroupHeartbeat (key 88): generated from `definitions/088_streams_group_heartbeat.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, PartialEq)]
pub struct StreamsGroupHeartbeatRequest {
    pub group_id: KafkaString,
    pub member_id: KafkaString,
    pub member_epoch: i32,
    pub endpoint_information_epoch: i32,
    pub instance_id: Option<KafkaString>,
    pub rack_id: Option<KafkaString>,
    pub rebalance_timeout_ms: i32,
    pub topology: Option<Topology>,
    pub active_tasks: Option<Vec<TaskIds>>,
    pub standby_tasks: Option<Vec<TaskIds>>,
    pub warmup_tasks: Option<Vec<TaskIds>>,
    pub process_id: Option<KafkaString>,
    pub user_endpoint: Option<Endpoint>,
    pub client_tags: Option<Vec<KeyValue>>,
    pub task_offsets: Option<Vec<TaskOffset>>,
    pub task_end_offsets: Option<Vec<TaskOffset>>,
    pub shutdown_application: bool,
}

impl Default for StreamsGroupHeartbeatRequest {
    fn default() -> Self {
        Self {
            group_id: KafkaString::default(),
            member_id: KafkaString::default(),
            member_epoch: 0,
            endpoint_information_epoch: 0,
            instance_id: None,
            rack_id: None,
            rebalance_timeout_ms: -1,
            topology: None,
            active_tasks: None,
            standby_tasks: None,
            warmup_tasks: None,
            process_id: None,
            user_endpoint: None,
            client_tags: None,
            task_offsets: None,
            task_end_offsets: None,
            shutdown_application: false,
        }
    }
}

impl StreamsGroupHeartbeatRequest {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.group_id = input.string(flexible)?;
        it.member_id = input.string(flexible)?;
        it.member_epoch = input.i32()?;
        it.endpoint_information_epoch = input.i32()?;
        it.instance_id = input.nullable_string(flexible)?;
        it.rack_id = input.nullable_string(flexible)?;
        it.rebalance_timeout_ms = input.i32()?;
        it.topology = input.nullable(|input| Topology::read(input, version))?;
        it.active_tasks = input.nullable_array(flexible, |input| TaskIds::read(input, version))?;
        it.standby_tasks = input.nullable_array(flexible, |input| TaskIds::read(input, version))?;
        it.warmup_tasks = input.nullable_array(flexible, |input| TaskIds::read(input, version))?;
        it.process_id = input.nullable_string(flexible)?;
        it.user_endpoint = input.nullable(|input| Endpoint::read(input, version))?;
        it.client_tags = input.nullable_array(flexible, |input| KeyValue::read(input, version))?;
        it.task_offsets =
            input.nullable_array(flexible, |input| TaskOffset::read(input, version))?;
        it.task_end_offsets =
            input.nullable_array(flexible, |input| TaskOffset::read(input, version))?;
        it.shutdown_application = input.bool()?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.string(flexible, &self.group_id);
        out.string(flexible, &self.member_id);
        out.i32(self.member_epoch);
        out.i32(self.endpoint_information_epoch);
        out.nullable_string(flexible, self.instance_id.as_deref());
        out.nullable_string(flexible, self.rack_id.as_deref());
        out.i32(self.rebalance_timeout_ms);
        out.nullable(self.topology.as_ref(), |out, it| it.write(out, version));
        out.nullable_array(flexible, self.active_tasks.as_deref(), |out, it| {
            it.write(out, version)
        });
        out.nullable_array(flexible, self.standby_tasks.as_deref(), |out, it| {
            it.write(out, version)
        });
        out.nullable_array(flexible, self.warmup_tasks.as_deref(), |out, it| {
            it.write(out, version)
        });
        out.nullable_string(flexible, self.process_id.as_deref());
        out.nullable(self.user_endpoint.as_ref(), |out, it| {
            it.write(out, version)
        });
        out.nullable_array(flexible, self.client_tags.as_deref(), |out, it| {
            it.write(out, version)
        });
        out.nullable_array(flexible, self.task_offsets.as_deref(), |out, it| {
            it.write(out, version)
        });
        out.nullable_array(flexible, self.task_end_offsets.as_deref(), |out, it| {
            it.write(out, version)
        });
        out.bool(self.shutdown_application);
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Topology {
    pub epoch: i32,
    pub subtopologies: Vec<Subtopology>,
}

impl Topology {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.epoch = input.i32()?;
        it.subtopologies = input.array(flexible, |input| Subtopology::read(input, version))?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.i32(self.epoch);
        out.array(flexible, &self.subtopologies, |out, it| {
            it.write(out, version)
        });
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Subtopology {
    pub subtopology_id: KafkaString,
    pub source_topics: Vec<KafkaString>,
    pub source_topic_regex: Vec<KafkaString>,
    pub state_changelog_topics: Vec<TopicInfo>,
    pub repartition_sink_topics: Vec<KafkaString>,
    pub repartition_source_topics: Vec<TopicInfo>,
    pub copartition_groups: Vec<CopartitionGroup>,
}

impl Subtopology {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.subtopology_id = input.string(flexible)?;
        it.source_topics = input.array(flexible, |input| input.string(flexible))?;
        it.source_topic_regex = input.array(flexible, |input| input.string(flexible))?;
        it.state_changelog_topics =
            input.array(flexible, |input| TopicInfo::read(input, version))?;
        it.repartition_sink_topics = input.array(flexible, |input| input.string(flexible))?;
        it.repartition_source_topics =
            input.array(flexible, |input| TopicInfo::read(input, version))?;
        it.copartition_groups =
            input.array(flexible, |input| CopartitionGroup::read(input, version))?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.string(flexible, &self.subtopology_id);
        out.array(flexible, &self.source_topics, |out, it| {
            out.string(flexible, it)
        });
        out.array(flexible, &self.source_topic_regex, |out, it| {
            out.string(flexible, it)
        });
        out.array(flexible, &self.state_changelog_topics, |out, it| {
            it.write(out, version)
        });
        out.array(flexible, &self.repartition_sink_topics, |out, it| {
            out.string(flexible, it)
        });
        out.array(flexible, &self.repartition_source_topics, |out, it| {
            it.write(out, version)
        });
        out.array(flexible, &self.copartition_groups, |out, it| {
            it.write(out, version)
        });
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicInfo {
    pub name: KafkaString,
    pub partitions: i32,
    pub replication_factor: i16,
    pub topic_configs: Vec<KeyValue>,
}

impl TopicInfo {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.name = input.string(flexible)?;
        it.partitions = input.i32()?;
        it.replication_factor = input.i16()?;
        it.topic_configs = input.array(flexible, |input| KeyValue::read(input, version))?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.string(flexible, &self.name);
        out.i32(self.partitions);
        out.i16(self.replication_factor);
        out.array(flexible, &self.topic_configs, |out, it| {
            it.write(out, version)
        });
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct KeyValue {
    pub key: KafkaString,
    pub value: KafkaString,
}

impl KeyValue {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.key = input.string(flexible)?;
        it.value = input.string(flexible)?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        let flexible = true;
        out.string(flexible, &self.key);
        out.string(flexible, &self.value);
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct CopartitionGroup {
    pub source_topics: Vec<i16>,
    pub source_topic_regex: Vec<i16>,
    pub repartition_source_topics: Vec<i16>,
}

impl CopartitionGroup {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.source_topics = input.array(flexible, Decoder::i16)?;
        it.source_topic_regex = input.array(flexible, Decoder::i16)?;
        it.repartition_source_topics = input.array(flexible, Decoder::i16)?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        let flexible = true;
        out.array(flexible, &self.source_topics, |out, it| out.i16(*it));
        out.array(flexible, &self.source_topic_regex, |out, it| out.i16(*it));
        out.array(flexible, &self.repartition_source_topics, |out, it| {
            out.i16(*it)
        });
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct TaskIds {
    pub subtopology_id: KafkaString,
    pub partitions: Vec<i32>,
}

impl TaskIds {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.subtopology_id = input.string(flexible)?;
        it.partitions = input.array(flexible, Decoder::i32)?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        let flexible = true;
        out.string(flexible, &self.subtopology_id);
        out.array(flexible, &self.partitions, |out, it| out.i32(*it));
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Endpoint {
    pub host: KafkaString,
    pub port: u16,
}

impl Endpoint {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.host = input.string(flexible)?;
        it.port = input.u16()?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        let flexible = true;
        out.string(flexible, &self.host);
        out.u16(self.port);
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct TaskOffset {
    pub subtopology_id: KafkaString,
    pub partition: i32,
    pub offset: i64,
}

impl TaskOffset {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.subtopology_id = input.string(flexible)?;
        it.partition = input.i32()?;
        it.offset = input.i64()?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        let flexible = true;
        out.string(flexible, &self.subtopology_id);
        out.i32(self.partition);
        out.i64(self.offset);
        out.uvarint(0);
    }
}

impl Message for StreamsGroupHeartbeatRequest {
    const VERSIONS: Versions = Versions { first: 0, last: 0 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

impl Request for StreamsGroupHeartbeatRequest {
    const KEY: ApiKey = ApiKey::StreamsGroupHeartbeat;
    type Response = StreamsGroupHeartbeatResponse;
}

#[derive(Clone, Debug, PartialEq)]
pub struct StreamsGroupHeartbeatResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub error_message: Option<KafkaString>,
    pub member_id: KafkaString,
    pub member_epoch: i32,
    pub heartbeat_interval_ms: i32,
    pub acceptable_recovery_lag: i32,
    pub task_offset_interval_ms: i32,
    pub status: Option<Vec<Status>>,
    pub active_tasks: Option<Vec<ResponseTaskIds>>,
    pub standby_tasks: Option<Vec<ResponseTaskIds>>,
    pub warmup_tasks: Option<Vec<ResponseTaskIds>>,
    pub endpoint_information_epoch: i32,
    pub partitions_by_user_endpoint: Option<Vec<EndpointToPartitions>>,
}

impl Default for StreamsGroupHeartbeatResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            error_message: None,
            member_id: KafkaString::default(),
            member_epoch: 0,
            heartbeat_interval_ms: 0,
            acceptable_recovery_lag: 0,
            task_offset_interval_ms: 0,
            status: Some(Default::default()),
            active_tasks: None,
            standby_tasks: None,
            warmup_tasks: None,
            endpoint_information_epoch: 0,
            partitions_by_user_endpoint: None,
        }
    }
}

impl StreamsGroupHeartbeatResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.throttle_time_ms = input.i32()?;
        it.error_code = input.i16()?;
        it.error_message = input.nullable_string(flexible)?;
        it.member_id = input.string(flexible)?;
        it.member_epoch = input.i32()?;
        it.heartbeat_interval_ms = input.i32()?;
        it.acceptable_recovery_lag = input.i32()?;
        it.task_offset_interval_ms = input.i32()?;
        it.status = input.nullable_array(flexible, |input| Status::read(input, version))?;
        it.active_tasks =
            input.nullable_array(flexible, |input| ResponseTaskIds::read(input, version))?;
        it.standby_tasks =
            input.nullable_array(flexible, |input| ResponseTaskIds::read(input, version))?;
        it.warmup_tasks =
            input.nullable_array(flexible, |input| ResponseTaskIds::read(input, version))?;
        it.endpoint_information_epoch = input.i32()?;
        it.partitions_by_user_endpoint =
            input.nullable_array(flexible, |input| EndpointToPartitions::read(input, version))?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.i32(self.throttle_time_ms);
        out.i16(self.error_code);
        out.nullable_string(flexible, self.error_message.as_deref());
        out.string(flexible, &self.member_id);
        out.i32(self.member_epoch);
        out.i32(self.heartbeat_interval_ms);
        out.i32(self.acceptable_recovery_lag);
        out.i32(self.task_offset_interval_ms);
        out.nullable_array(flexible, self.status.as_deref(), |out, it| {
            it.write(out, version)
        });
        out.nullable_array(flexible, self.active_tasks.as_deref(), |out, it| {
            it.write(out, version)
        });
        out.nullable_array(flexible, self.standby_tasks.as_deref(), |out, it| {
            it.write(out, version)
        });
        out.nullable_array(flexible, self.warmup_tasks.as_deref(), |out, it| {
            it.write(out, version)
        });
        out.i32(self.endpoint_information_epoch);
        out.nullable_array(
            flexible,
            self.partitions_by_user_endpoint.as_deref(),
            |out, it| it.write(out, version),
        );
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Status {
    pub status_code: i8,
    pub status_detail: KafkaString,
}

impl Status {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.status_code = input.i8()?;
        it.status_detail = input.string(flexible)?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        let flexible = true;
        out.i8(self.status_code);
        out.string(flexible, &self.status_detail);
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResponseTaskIds {
    pub subtopology_id: KafkaString,
    pub partitions: Vec<i32>,
}

impl ResponseTaskIds {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.subtopology_id = input.string(flexible)?;
        it.partitions = input.array(flexible, Decoder::i32)?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        let flexible = true;
        out.string(flexible, &self.subtopology_id);
        out.array(flexible, &self.partitions, |out, it| out.i32(*it));
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct EndpointToPartitions {
    pub user_endpoint: ResponseEndpoint,
    pub active_partitions: Vec<TopicPartition>,
    pub standby_partitions: Vec<TopicPartition>,
}

impl EndpointToPartitions {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.user_endpoint = ResponseEndpoint::read(input, version)?;
        it.active_partitions =
            input.array(flexible, |input| TopicPartition::read(input, version))?;
        it.standby_partitions =
            input.array(flexible, |input| TopicPartition::read(input, version))?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        self.user_endpoint.write(out, version);
        out.array(flexible, &self.active_partitions, |out, it| {
            it.write(out, version)
        });
        out.array(flexible, &self.standby_partitions, |out, it| {
            it.write(out, version)
        });
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResponseEndpoint {
    pub host: KafkaString,
    pub port: u16,
}

impl ResponseEndpoint {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.host = input.string(flexible)?;
        it.port = input.u16()?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        let flexible = true;
        out.string(flexible, &self.host);
        out.u16(self.port);
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicPartition {
    pub topic: KafkaString,
    pub partitions: Vec<i32>,
}

impl TopicPartition {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.topic = input.string(flexible)?;
        it.partitions = input.array(flexible, Decoder::i32)?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        let flexible = true;
        out.string(flexible, &self.topic);
        out.array(flexible, &self.partitions, |out, it| out.i32(*it));
        out.uvarint(0);
    }
}

impl Message for StreamsGroupHeartbeatResponse {
    const VERSIONS: Versions = Versions { first: 0, last: 0 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}
