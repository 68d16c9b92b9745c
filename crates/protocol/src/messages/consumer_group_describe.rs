//! ConsumerGroupDescribe (key 69): generated from `definitions/069_consumer_group_describe.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConsumerGroupDescribeRequest {
    pub group_ids: Vec<KafkaString>,
    pub include_authorized_operations: bool,
}

impl ConsumerGroupDescribeRequest {
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

impl Message for ConsumerGroupDescribeRequest {
    const VERSIONS: Versions = Versions { first: 0, last: 1 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

impl Request for ConsumerGroupDescribeRequest {
    const KEY: ApiKey = ApiKey::ConsumerGroupDescribe;
    type Response = ConsumerGroupDescribeResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConsumerGroupDescribeResponse {
    pub throttle_time_ms: i32,
    pub groups: Vec<DescribedGroup>,
}

impl ConsumerGroupDescribeResponse {
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
    pub assignor_name: KafkaString,
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
            assignor_name: KafkaString::default(),
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
        it.assignor_name = input.string(flexible)?;
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
        out.string(flexible, &self.assignor_name);
        out.array(flexible, &self.members, |out, it| it.write(out, version));
        out.i32(self.authorized_operations);
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    pub member_id: KafkaString,
    pub instance_id: Option<KafkaString>,
    pub rack_id: Option<KafkaString>,
    pub member_epoch: i32,
    pub client_id: KafkaString,
    pub client_host: KafkaString,
    pub subscribed_topic_names: Vec<KafkaString>,
    pub subscribed_topic_regex: Option<KafkaString>,
    pub assignment: Assignment,
    pub target_assignment: Assignment,
    pub member_type: i8,
}

impl Default for Member {
    fn default() -> Self {
        Self {
            member_id: KafkaString::default(),
            instance_id: None,
            rack_id: None,
            member_epoch: 0,
            client_id: KafkaString::default(),
            client_host: KafkaString::default(),
            subscribed_topic_names: Vec::new(),
            subscribed_topic_regex: None,
            assignment: Assignment::default(),
            target_assignment: Assignment::default(),
            member_type: -1,
        }
    }
}

impl Member {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.member_id = input.string(flexible)?;
        it.instance_id = input.nullable_string(flexible)?;
        it.rack_id = input.nullable_string(flexible)?;
        it.member_epoch = input.i32()?;
        it.client_id = input.string(flexible)?;
        it.client_host = input.string(flexible)?;
        it.subscribed_topic_names = input.array(flexible, |input| input.string(flexible))?;
        it.subscribed_topic_regex = input.nullable_string(flexible)?;
        it.assignment = Assignment::read(input, version)?;
        it.target_assignment = Assignment::read(input, version)?;
        if version >= 1 {
            it.member_type = input.i8()?;
        }
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.string(flexible, &self.member_id);
        out.nullable_string(flexible, self.instance_id.as_deref());
        out.nullable_string(flexible, self.rack_id.as_deref());
        out.i32(self.member_epoch);
        out.string(flexible, &self.client_id);
        out.string(flexible, &self.client_host);
        out.array(flexible, &self.subscribed_topic_names, |out, it| {
            out.string(flexible, it)
        });
        out.nullable_string(flexible, self.subscribed_topic_regex.as_deref());
        self.assignment.write(out, version);
        self.target_assignment.write(out, version);
        if version >= 1 {
            out.i8(self.member_type);
        }
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Assignment {
    pub topic_partitions: Vec<TopicPartitions>,
}

impl Assignment {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.topic_partitions =
            input.array(flexible, |input| TopicPartitions::read(input, version))?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.array(flexible, &self.topic_partitions, |out, it| {
            it.write(out, version)
        });
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct TopicPartitions {
    pub topic_id: Uuid,
    pub topic_name: KafkaString,
    pub partitions: Vec<i32>,
}

impl TopicPartitions {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.topic_id = input.uuid()?;
        it.topic_name = input.string(flexible)?;
        it.partitions = input.array(flexible, Decoder::i32)?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        let flexible = true;
        out.uuid(self.topic_id);
        out.string(flexible, &self.topic_name);
        out.array(flexible, &self.partitions, |out, it| out.i32(*it));
        out.uvarint(0);
    }
}

impl Message for ConsumerGroupDescribeResponse {
    const VERSIONS: Versions = Versions { first: 0, last: 1 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}
