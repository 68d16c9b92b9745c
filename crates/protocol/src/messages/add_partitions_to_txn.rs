//! AddPartitionsToTxn (key 24): generated from `definitions/024_add_partitions_to_txn.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct AddPartitionsToTxnRequest {
    pub transactions: Vec<AddPartitionsToTxnTransaction>,
    pub v3_and_below_transactional_id: KafkaString,
    pub v3_and_below_producer_id: i64,
    pub v3_and_below_producer_epoch: i16,
    pub v3_and_below_topics: Vec<AddPartitionsToTxnTopic>,
}

impl AddPartitionsToTxnRequest {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut it = Self::default();
        if version >= 4 {
            it.transactions = input.array(flexible, |input| {
                AddPartitionsToTxnTransaction::read(input, version)
            })?;
        }
        if version <= 3 {
            it.v3_and_below_transactional_id = input.string(flexible)?;
            it.v3_and_below_producer_id = input.i64()?;
            it.v3_and_below_producer_epoch = input.i16()?;
            it.v3_and_below_topics = input.array(flexible, |input| {
                AddPartitionsToTxnTopic::read(input, version)
            })?;
        }
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 3;
        if version >= 4 {
            out.array(flexible, &self.transactions, |out, it| {
                it.write(out, version)
            });
        }
        if version <= 3 {
            out.string(flexible, &self.v3_and_below_transactional_id);
            out.i64(self.v3_and_below_producer_id);
            out.i16(self.v3_and_below_producer_epoch);
            out.array(flexible, &self.v3_and_below_topics, |out, it| {
                it.write(out, version)
            });
        }
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct AddPartitionsToTxnTransaction {
    pub transactional_id: KafkaString,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub verify_only: bool,
    pub topics: Vec<AddPartitionsToTxnTopic>,
}

impl AddPartitionsToTxnTransaction {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.transactional_id = input.string(flexible)?;
        it.producer_id = input.i64()?;
        it.producer_epoch = input.i16()?;
        it.verify_only = input.bool()?;
        it.topics = input.array(flexible, |input| {
            AddPartitionsToTxnTopic::read(input, version)
        })?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.string(flexible, &self.transactional_id);
        out.i64(self.producer_id);
        out.i16(self.producer_epoch);
        out.bool(self.verify_only);
        out.array(flexible, &self.topics, |out, it| it.write(out, version));
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct AddPartitionsToTxnTopic {
    pub name: KafkaString,
    pub partitions: Vec<i32>,
}

impl AddPartitionsToTxnTopic {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut it = Self::default();
        it.name = input.string(flexible)?;
        it.partitions = input.array(flexible, Decoder::i32)?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 3;
        out.string(flexible, &self.name);
        out.array(flexible, &self.partitions, |out, it| out.i32(*it));
        if flexible {
            out.uvarint(0);
        }
    }
}

impl Message for AddPartitionsToTxnRequest {
    const VERSIONS: Versions = Versions { first: 0, last: 5 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

impl Request for AddPartitionsToTxnRequest {
    const KEY: ApiKey = ApiKey::AddPartitionsToTxn;
    type Response = AddPartitionsToTxnResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct AddPartitionsToTxnResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub results_by_transaction: Vec<AddPartitionsToTxnResult>,
    pub results_by_topic_v3_and_below: Vec<AddPartitionsToTxnTopicResult>,
}

impl AddPartitionsToTxnResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut it = Self::default();
        it.throttle_time_ms = input.i32()?;
        if version >= 4 {
            it.error_code = input.i16()?;
            it.results_by_transaction = input.array(flexible, |input| {
                AddPartitionsToTxnResult::read(input, version)
            })?;
        }
        if version <= 3 {
            it.results_by_topic_v3_and_below = input.array(flexible, |input| {
                AddPartitionsToTxnTopicResult::read(input, version)
            })?;
        }
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 3;
        out.i32(self.throttle_time_ms);
        if version >= 4 {
            out.i16(self.error_code);
            out.array(flexible, &self.results_by_transaction, |out, it| {
                it.write(out, version)
            });
        }
        if version <= 3 {
            out.array(flexible, &self.results_by_topic_v3_and_below, |out, it| {
                it.write(out, version)
            });
        }
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct AddPartitionsToTxnResult {
    pub transactional_id: KafkaString,
    pub topic_results: Vec<AddPartitionsToTxnTopicResult>,
}

impl AddPartitionsToTxnResult {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.transactional_id = input.string(flexible)?;
        it.topic_results = input.array(flexible, |input| {
            AddPartitionsToTxnTopicResult::read(input, version)
        })?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.string(flexible, &self.transactional_id);
        out.array(flexible, &self.topic_results, |out, it| {
            it.write(out, version)
        });
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct AddPartitionsToTxnTopicResult {
    pub name: KafkaString,
    pub results_by_partition: Vec<AddPartitionsToTxnPartitionResult>,
}

impl AddPartitionsToTxnTopicResult {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut it = Self::default();
        it.name = input.string(flexible)?;
        it.results_by_partition = input.array(flexible, |input| {
            AddPartitionsToTxnPartitionResult::read(input, version)
        })?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 3;
        out.string(flexible, &self.name);
        out.array(flexible, &self.results_by_partition, |out, it| {
            it.write(out, version)
        });
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct AddPartitionsToTxnPartitionResult {
    pub partition_index: i32,
    pub partition_error_code: i16,
}

impl AddPartitionsToTxnPartitionResult {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut it = Self::default();
        it.partition_index = input.i32()?;
        it.partition_error_code = input.i16()?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 3;
        out.i32(self.partition_index);
        out.i16(self.partition_error_code);
        if flexible {
            out.uvarint(0);
        }
    }
}

impl Message for AddPartitionsToTxnResponse {
    const VERSIONS: Versions = Versions { first: 0, last: 5 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}
