//! AddPartitionsToTxn (key 24): generated from `definitions/024_add_partitions_to_txn.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, PartialEq)]
pub struct AddPartitionsToTxnRequest {
    pub transactions: Vec<AddPartitionsToTxnTransaction>,
    pub v3_and_below_transactional_id: KafkaString,
    pub v3_and_below_producer_id: i64,
    pub v3_and_below_producer_epoch: i16,
    pub v3_and_below_topics: Vec<AddPartitionsToTxnTopic>,
}

impl Default for AddPartitionsToTxnRequest {
    fn default() -> Self {
        Self {
            transactions: Vec::new(),
            v3_and_below_transactional_id: KafkaString::from_static(""),
            v3_and_below_producer_id: 0,
            v3_and_below_producer_epoch: 0,
            v3_and_below_topics: Vec::new(),
        }
    }
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
        }
        if version <= 3 {
            it.v3_and_below_producer_id = input.i64()?;
        }
        if version <= 3 {
            it.v3_and_below_producer_epoch = input.i16()?;
        }
        if version <= 3 {
            it.v3_and_below_topics = input.array(flexible, |input| {
                AddPartitionsToTxnTopic::read(input, version)
            })?;
        }
        if flexible {
            input.tags(|_, _| Ok(false))?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 3;
        if version >= 4 {
            out.array(flexible, &self.transactions, |out, it| {
                it.write(out, version);
            });
        }
        if version <= 3 {
            out.string(flexible, &self.v3_and_below_transactional_id);
        }
        if version <= 3 {
            out.i64(self.v3_and_below_producer_id);
        }
        if version <= 3 {
            out.i16(self.v3_and_below_producer_epoch);
        }
        if version <= 3 {
            out.array(flexible, &self.v3_and_below_topics, |out, it| {
                it.write(out, version);
            });
        }
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct AddPartitionsToTxnTransaction {
    pub transactional_id: KafkaString,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub verify_only: bool,
    pub topics: Vec<AddPartitionsToTxnTopic>,
}

impl Default for AddPartitionsToTxnTransaction {
    fn default() -> Self {
        Self {
            transactional_id: KafkaString::from_static(""),
            producer_id: 0,
            producer_epoch: 0,
            verify_only: false,
            topics: Vec::new(),
        }
    }
}

impl AddPartitionsToTxnTransaction {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut it = Self::default();
        if version >= 4 {
            it.transactional_id = input.string(flexible)?;
        }
        if version >= 4 {
            it.producer_id = input.i64()?;
        }
        if version >= 4 {
            it.producer_epoch = input.i16()?;
        }
        if version >= 4 {
            it.verify_only = input.bool()?;
        }
        if version >= 4 {
            it.topics = input.array(flexible, |input| {
                AddPartitionsToTxnTopic::read(input, version)
            })?;
        }
        if flexible {
            input.tags(|_, _| Ok(false))?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 3;
        if version >= 4 {
            out.string(flexible, &self.transactional_id);
        }
        if version >= 4 {
            out.i64(self.producer_id);
        }
        if version >= 4 {
            out.i16(self.producer_epoch);
        }
        if version >= 4 {
            out.bool(self.verify_only);
        }
        if version >= 4 {
            out.array(flexible, &self.topics, |out, it| {
                it.write(out, version);
            });
        }
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct AddPartitionsToTxnTopic {
    pub name: KafkaString,
    pub partitions: Vec<i32>,
}

impl Default for AddPartitionsToTxnTopic {
    fn default() -> Self {
        Self {
            name: KafkaString::from_static(""),
            partitions: Vec::new(),
        }
    }
}

impl AddPartitionsToTxnTopic {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut it = Self::default();
        it.name = input.string(flexible)?;
        it.partitions = input.array(flexible, |input| input.i32())?;
        if flexible {
            input.tags(|_, _| Ok(false))?;
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

#[derive(Clone, Debug, PartialEq)]
pub struct AddPartitionsToTxnResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub results_by_transaction: Vec<AddPartitionsToTxnResult>,
    pub results_by_topic_v3_and_below: Vec<AddPartitionsToTxnTopicResult>,
}

impl Default for AddPartitionsToTxnResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            results_by_transaction: Vec::new(),
            results_by_topic_v3_and_below: Vec::new(),
        }
    }
}

impl AddPartitionsToTxnResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut it = Self::default();
        it.throttle_time_ms = input.i32()?;
        if version >= 4 {
            it.error_code = input.i16()?;
        }
        if version >= 4 {
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
            input.tags(|_, _| Ok(false))?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 3;
        out.i32(self.throttle_time_ms);
        if version >= 4 {
            out.i16(self.error_code);
        }
        if version >= 4 {
            out.array(flexible, &self.results_by_transaction, |out, it| {
                it.write(out, version);
            });
        }
        if version <= 3 {
            out.array(flexible, &self.results_by_topic_v3_and_below, |out, it| {
                it.write(out, version);
            });
        }
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct AddPartitionsToTxnResult {
    pub transactional_id: KafkaString,
    pub topic_results: Vec<AddPartitionsToTxnTopicResult>,
}

impl Default for AddPartitionsToTxnResult {
    fn default() -> Self {
        Self {
            transactional_id: KafkaString::from_static(""),
            topic_results: Vec::new(),
        }
    }
}

impl AddPartitionsToTxnResult {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut it = Self::default();
        if version >= 4 {
            it.transactional_id = input.string(flexible)?;
        }
        if version >= 4 {
            it.topic_results = input.array(flexible, |input| {
                AddPartitionsToTxnTopicResult::read(input, version)
            })?;
        }
        if flexible {
            input.tags(|_, _| Ok(false))?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 3;
        if version >= 4 {
            out.string(flexible, &self.transactional_id);
        }
        if version >= 4 {
            out.array(flexible, &self.topic_results, |out, it| {
                it.write(out, version);
            });
        }
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct AddPartitionsToTxnTopicResult {
    pub name: KafkaString,
    pub results_by_partition: Vec<AddPartitionsToTxnPartitionResult>,
}

impl Default for AddPartitionsToTxnTopicResult {
    fn default() -> Self {
        Self {
            name: KafkaString::from_static(""),
            results_by_partition: Vec::new(),
        }
    }
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
            input.tags(|_, _| Ok(false))?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 3;
        out.string(flexible, &self.name);
        out.array(flexible, &self.results_by_partition, |out, it| {
            it.write(out, version);
        });
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct AddPartitionsToTxnPartitionResult {
    pub partition_index: i32,
    pub partition_error_code: i16,
}

impl Default for AddPartitionsToTxnPartitionResult {
    fn default() -> Self {
        Self {
            partition_index: 0,
            partition_error_code: 0,
        }
    }
}

impl AddPartitionsToTxnPartitionResult {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 3;
        let mut it = Self::default();
        it.partition_index = input.i32()?;
        it.partition_error_code = input.i16()?;
        if flexible {
            input.tags(|_, _| Ok(false))?;
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
