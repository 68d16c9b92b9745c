//! InitProducerId (key 22): generated from `definitions/022_init_producer_id.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, PartialEq)]
pub struct InitProducerIdRequest {
    pub transactional_id: Option<KafkaString>,
    pub transaction_timeout_ms: i32,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub enable_2pc: bool,
    pub keep_prepared_txn: bool,
}

impl Default for InitProducerIdRequest {
    fn default() -> Self {
        Self {
            transactional_id: Some(Default::default()),
            transaction_timeout_ms: 0,
            producer_id: -1,
            producer_epoch: -1,
            enable_2pc: false,
            keep_prepared_txn: false,
        }
    }
}

impl InitProducerIdRequest {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut it = Self::default();
        it.transactional_id = input.nullable_string(flexible)?;
        it.transaction_timeout_ms = input.i32()?;
        if version >= 3 {
            it.producer_id = input.i64()?;
            it.producer_epoch = input.i16()?;
        }
        if version >= 6 {
            it.enable_2pc = input.bool()?;
            it.keep_prepared_txn = input.bool()?;
        }
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 2;
        out.nullable_string(flexible, self.transactional_id.as_deref());
        out.i32(self.transaction_timeout_ms);
        if version >= 3 {
            out.i64(self.producer_id);
            out.i16(self.producer_epoch);
        }
        if version >= 6 {
            out.bool(self.enable_2pc);
            out.bool(self.keep_prepared_txn);
        }
        if flexible {
            out.uvarint(0);
        }
    }
}

impl Message for InitProducerIdRequest {
    const VERSIONS: Versions = Versions { first: 0, last: 6 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

impl Request for InitProducerIdRequest {
    const KEY: ApiKey = ApiKey::InitProducerId;
    type Response = InitProducerIdResponse;
}

#[derive(Clone, Debug, PartialEq)]
pub struct InitProducerIdResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub producer_id: i64,
    pub producer_epoch: i16,
    pub ongoing_txn_producer_id: i64,
    pub ongoing_txn_producer_epoch: i16,
}

impl Default for InitProducerIdResponse {
    fn default() -> Self {
        Self {
            throttle_time_ms: 0,
            error_code: 0,
            producer_id: -1,
            producer_epoch: 0,
            ongoing_txn_producer_id: -1,
            ongoing_txn_producer_epoch: -1,
        }
    }
}

impl InitProducerIdResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut it = Self::default();
        it.throttle_time_ms = input.i32()?;
        it.error_code = input.i16()?;
        it.producer_id = input.i64()?;
        it.producer_epoch = input.i16()?;
        if version >= 6 {
            it.ongoing_txn_producer_id = input.i64()?;
            it.ongoing_txn_producer_epoch = input.i16()?;
        }
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 2;
        out.i32(self.throttle_time_ms);
        out.i16(self.error_code);
        out.i64(self.producer_id);
        out.i16(self.producer_epoch);
        if version >= 6 {
            out.i64(self.ongoing_txn_producer_id);
            out.i16(self.ongoing_txn_producer_epoch);
        }
        if flexible {
            out.uvarint(0);
        }
    }
}

impl Message for InitProducerIdResponse {
    const VERSIONS: Versions = Versions { first: 0, last: 6 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}
