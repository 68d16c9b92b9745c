//! StreamsGroupDescribe (key 89): generated from `definitions/089_streams_group_describe.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct StreamsGroupDescribeRequest {
    pub group_ids: Vec<KafkaString>,
    pub include_authorized_operations: bool,
}

impl StreamsGroupDescribeRequest {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.group_ids = input.array(flexible, |input| input.string(flexible))?;
        it.include_authorized_operations = input.bool()?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        let flexible = true;
        out.array(flexible, &self.group_ids, |out, it| {
            out.string(flexible, it)
        });
        out.bool(self.include_authorized_operations);
        out.uvarint(0);
    }
}

impl Message for StreamsGroupDescribeRequest {
    const VERSIONS: Versions = Versions { first: 0, last: 0 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

impl Request for StreamsGroupDescribeRequest {
    const KEY: ApiKey = ApiKey::StreamsGroupDescribe;
    type Response = StreamsGroupDescribeResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct StreamsGroupDescribeResponse {
    pub throttle_time_ms: i32,
    pub groups: Vec<DescribedGroup>,
}

impl StreamsGroupDescribeResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.throttle_time_ms = input.i32()?;
        it.groups = input.array(flexible, |input| DescribedGroup::read(input, version))?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.i32(self.throttle_time_ms);
        out.array(flexible, &self.groups, |out, it| it.write(out, version));
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct DescribedGroup {
    pub error_code: i16,
    pub error_message: Option<KafkaString>,
    pub group_id: KafkaString,
    pub group_state: KafkaString,
    pub group_epoch: i32,
    pub assignment_epoch: i32,
    pub topology: Option<Topology>,
    pub members: Vec<Member>,
    pub authorized_operations: i32,
}

impl Default for DescribedGroup {
    fn default() -> Self {
        Self {
            error_code: 0,
            error_message: None,
            group_id: KafkaString::default(),
            group_state: KafkaString::default(),
            group_epoch: 0,
            assignment_epoch: 0,
            topology: None,
            members: Vec::new(),
            authorized_operations: -2147483648,
        }
    }
}

impl DescribedGroup {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.error_code = input.i16()?;
        it.error_message = input.nullable_string(flexible)?;
        it.group_id = input.string(flexible)?;
        it.group_state = input.string(flexible)?;
        it.group_epoch = input.i32()?;
        it.assignment_epoch = input.i32()?;
        it.topology = input.nullable(|input| Topology::read(input, version))?;
        it.members = input.array(flexible, |input| Member::read(input, version))?;
        it.authorized_operations = input.i32()?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.i16(self.error_code);
        out.nullable_string(flexible, self.error_message.as_deref());
        out.string(flexible, &self.group_id);
        out.string(flexible, &self.group_state);
        out.i32(self.group_epoch);
        out.i32(self.assignment_epoch);
        out.nullable(self.topology.as_ref(), |out, it| it.write(out, version));
        out.array(flexible, &self.members, |out, it| it.write(out, version));
        out.i32(self.authorized_operations);
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Topology {
    pub epoch: i32,
    pub subtopologies: Option<Vec<Subtopology>>,
}

impl Topology {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.epoch = input.i32()?;
        it.subtopologies =
            input.nullable_array(flexible, |input| Subtopology::read(input, version))?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.i32(self.epoch);
        out.nullable_array(flexible, self.subtopologies.as_deref(), |out, it| {
            it.write(out, version)
        });
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Subtopology {
    pub subtopology_id: KafkaString,
    pub source_topics: Vec<KafkaString>,
    pub repartition_sink_topics: Vec<KafkaString>,
    pub state_changelog_topics: Vec<TopicInfo>,
    pub repartition_source_topics: Vec<TopicInfo>,
}

impl Subtopology {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.subtopology_id = input.string(flexible)?;
        it.source_topics = input.array(flexible, |input| input.string(flexible))?;
        it.repartition_sink_topics = input.array(flexible, |input| input.string(flexible))?;
        it.state_changelog_topics =
            input.array(flexible, |input| TopicInfo::read(input, version))?;
        it.repartition_source_topics =
            input.array(flexible, |input| TopicInfo::read(input, version))?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.string(flexible, &self.subtopology_id);
        out.array(flexible, &self.source_topics, |out, it| {
            out.string(flexible, it)
        });
        out.array(flexible, &self.repartition_sink_topics, |out, it| {
            out.string(flexible, it)
        });
        out.array(flexible, &self.state_changelog_topics, |out, it| {
            it.write(out, version)
        });
        out.array(flexible, &self.repartition_source_topics, |out, it| {
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
pub struct Member {
    pub member_id: KafkaString,
    pub member_epoch: i32,
    pub instance_id: Option<KafkaString>,
    pub rack_id: Option<KafkaString>,
    pub client_id: KafkaString,
    pub client_host: KafkaString,
    pub topology_epoch: i32,
    pub process_id: KafkaString,
    pub user_endpoint: Option<Endpoint>,
    pub client_tags: Vec<KeyValue>,
    pub task_offsets: Vec<TaskOffset>,
    pub task_end_offsets: Vec<TaskOffset>,
    pub assignment: Assignment,
    pub target_assignment: Assignment,
    pub is_classic: bool,
}

impl Member {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.member_id = input.string(flexible)?;
        it.member_epoch = input.i32()?;
        it.instance_id = input.nullable_string(flexible)?;
        it.rack_id = input.nullable_string(flexible)?;
        it.client_id = input.string(flexible)?;
        it.client_host = input.string(flexible)?;
        it.topology_epoch = input.i32()?;
        it.process_id = input.string(flexible)?;
        it.user_endpoint = input.nullable(|input| Endpoint::read(input, version))?;
        it.client_tags = input.array(flexible, |input| KeyValue::read(input, version))?;
        it.task_offsets = input.array(flexible, |input| TaskOffset::read(input, version))?;
        it.task_end_offsets = input.array(flexible, |input| TaskOffset::read(input, version))?;
        it.assignment = Assignment::read(input, version)?;
        it.target_assignment = Assignment::read(input, version)?;
        it.is_classic = input.bool()?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.string(flexible, &self.member_id);
        out.i32(self.member_epoch);
        out.nullable_string(flexible, self.instance_id.as_deref());
        out.nullable_string(flexible, self.rack_id.as_deref());
        out.string(flexible, &self.client_id);
        out.string(flexible, &self.client_host);
        out.i32(self.topology_epoch);
        out.string(flexible, &self.process_id);
        out.nullable(self.user_endpoint.as_ref(), |out, it| {
            it.write(out, version)
        });
        out.array(flexible, &self.client_tags, |out, it| {
            it.write(out, version)
        });
        out.array(flexible, &self.task_offsets, |out, it| {
            it.write(out, version)
        });
        out.array(flexible, &self.task_end_offsets, |out, it| {
            it.write(out, version)
        });
        self.assignment.write(out, version);
        self.target_assignment.write(out, version);
        out.bool(self.is_classic);
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

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Assignment {
    pub active_tasks: Vec<TaskIds>,
    pub standby_tasks: Vec<TaskIds>,
    pub warmup_tasks: Vec<TaskIds>,
}

impl Assignment {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.active_tasks = input.array(flexible, |input| TaskIds::read(input, version))?;
        it.standby_tasks = input.array(flexible, |input| TaskIds::read(input, version))?;
        it.warmup_tasks = input.array(flexible, |input| TaskIds::read(input, version))?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.array(flexible, &self.active_tasks, |out, it| {
            it.write(out, version)
        });
        out.array(flexible, &self.standby_tasks, |out, it| {
            it.write(out, version)
        });
        out.array(flexible, &self.warmup_tasks, |out, it| {
            it.write(out, version)
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

impl Message for StreamsGroupDescribeResponse {
    const VERSIONS: Versions = Versions { first: 0, last: 0 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}
