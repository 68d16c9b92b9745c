//! ShareGroupDescribe (key 77): generated from `definitions/077_share_group_describe.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ShareGroupDescribeRequest {
    pub group_ids: Vec<KafkaString>,
    pub include_authorized_operations: bool,
}

impl ShareGroupDescribeRequest {
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

impl Message for ShareGroupDescribeRequest {
    const VERSIONS: Versions = Versions { first: 1, last: 1 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

impl Request for ShareGroupDescribeRequest {
    const KEY: ApiKey = ApiKey::ShareGroupDescribe;
    type Response = ShareGroupDescribeResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ShareGroupDescribeResponse {
    pub throttle_time_ms: i32,
    pub groups: Vec<DescribedGroup>,
}

impl ShareGroupDescribeResponse {
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

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Member {
    pub member_id: KafkaString,
    pub rack_id: Option<KafkaString>,
    pub member_epoch: i32,
    pub client_id: KafkaString,
    pub client_host: KafkaString,
    pub subscribed_topic_names: Vec<KafkaString>,
    pub assignment: Assignment,
}

impl Member {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.member_id = input.string(flexible)?;
        it.rack_id = input.nullable_string(flexible)?;
        it.member_epoch = input.i32()?;
        it.client_id = input.string(flexible)?;
        it.client_host = input.string(flexible)?;
        it.subscribed_topic_names = input.array(flexible, |input| input.string(flexible))?;
        it.assignment = Assignment::read(input, version)?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.string(flexible, &self.member_id);
        out.nullable_string(flexible, self.rack_id.as_deref());
        out.i32(self.member_epoch);
        out.string(flexible, &self.client_id);
        out.string(flexible, &self.client_host);
        out.array(flexible, &self.subscribed_topic_names, |out, it| {
            out.string(flexible, it)
        });
        self.assignment.write(out, version);
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

impl Message for ShareGroupDescribeResponse {
    const VERSIONS: Versions = Versions { first: 1, last: 1 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}
