//! ListTransactions (key 66): generated from `definitions/066_list_transactions.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, PartialEq)]
pub struct ListTransactionsRequest {
    pub state_filters: Vec<KafkaString>,
    pub producer_id_filters: Vec<i64>,
    pub duration_filter: i64,
    pub transactional_id_pattern: Option<KafkaString>,
}

impl Default for ListTransactionsRequest {
    fn default() -> Self {
        Self {
            state_filters: Vec::new(),
            producer_id_filters: Vec::new(),
            duration_filter: -1,
            transactional_id_pattern: None,
        }
    }
}

impl ListTransactionsRequest {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.state_filters = input.array(flexible, |input| input.string(flexible))?;
        it.producer_id_filters = input.array(flexible, Decoder::i64)?;
        if version >= 1 {
            it.duration_filter = input.i64()?;
        }
        if version >= 2 {
            it.transactional_id_pattern = input.nullable_string(flexible)?;
        }
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.array(flexible, &self.state_filters, |out, it| {
            out.string(flexible, it)
        });
        out.array(flexible, &self.producer_id_filters, |out, it| out.i64(*it));
        if version >= 1 {
            out.i64(self.duration_filter);
        }
        if version >= 2 {
            out.nullable_string(flexible, self.transactional_id_pattern.as_deref());
        }
        out.uvarint(0);
    }
}

impl Message for ListTransactionsRequest {
    const VERSIONS: Versions = Versions { first: 0, last: 2 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

impl Request for ListTransactionsRequest {
    const KEY: ApiKey = ApiKey::ListTransactions;
    type Response = ListTransactionsResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct ListTransactionsResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub unknown_state_filters: Vec<KafkaString>,
    pub transaction_states: Vec<TransactionState>,
}

impl ListTransactionsResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.throttle_time_ms = input.i32()?;
        it.error_code = input.i16()?;
        it.unknown_state_filters = input.array(flexible, |input| input.string(flexible))?;
        it.transaction_states =
            input.array(flexible, |input| TransactionState::read(input, version))?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = true;
        out.i32(self.throttle_time_ms);
        out.i16(self.error_code);
        out.array(flexible, &self.unknown_state_filters, |out, it| {
            out.string(flexible, it)
        });
        out.array(flexible, &self.transaction_states, |out, it| {
            it.write(out, version)
        });
        out.uvarint(0);
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct TransactionState {
    pub transactional_id: KafkaString,
    pub producer_id: i64,
    pub transaction_state: KafkaString,
}

impl TransactionState {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.transactional_id = input.string(flexible)?;
        it.producer_id = input.i64()?;
        it.transaction_state = input.string(flexible)?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        let flexible = true;
        out.string(flexible, &self.transactional_id);
        out.i64(self.producer_id);
        out.string(flexible, &self.transaction_state);
        out.uvarint(0);
    }
}

impl Message for ListTransactionsResponse {
    const VERSIONS: Versions = Versions { first: 0, last: 2 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}
