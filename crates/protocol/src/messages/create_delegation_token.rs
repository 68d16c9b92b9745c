//! CreateDelegationToken (key 38): generated from `definitions/038_create_delegation_token.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, PartialEq)]
pub struct CreateDelegationTokenRequest {
    pub owner_principal_type: Option<KafkaString>,
    pub owner_principal_name: Option<KafkaString>,
    pub renewers: Vec<CreatableRenewers>,
    pub max_lifetime_ms: i64,
}

impl Default for CreateDelegationTokenRequest {
    fn default() -> Self {
        Self {
            owner_principal_type: Some(Default::default()),
            owner_principal_name: Some(Default::default()),
            renewers: Vec::new(),
            max_lifetime_ms: 0,
        }
    }
}

impl CreateDelegationTokenRequest {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut it = Self::default();
        if version >= 3 {
            it.owner_principal_type = input.nullable_string(flexible)?;
            it.owner_principal_name = input.nullable_string(flexible)?;
        }
        it.renewers = input.array(flexible, |input| CreatableRenewers::read(input, version))?;
        it.max_lifetime_ms = input.i64()?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 2;
        if version >= 3 {
            out.nullable_string(flexible, self.owner_principal_type.as_deref());
            out.nullable_string(flexible, self.owner_principal_name.as_deref());
        }
        out.array(flexible, &self.renewers, |out, it| it.write(out, version));
        out.i64(self.max_lifetime_ms);
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct CreatableRenewers {
    pub principal_type: KafkaString,
    pub principal_name: KafkaString,
}

impl CreatableRenewers {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut it = Self::default();
        it.principal_type = input.string(flexible)?;
        it.principal_name = input.string(flexible)?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 2;
        out.string(flexible, &self.principal_type);
        out.string(flexible, &self.principal_name);
        if flexible {
            out.uvarint(0);
        }
    }
}

impl Message for CreateDelegationTokenRequest {
    const VERSIONS: Versions = Versions { first: 1, last: 3 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

impl Request for CreateDelegationTokenRequest {
    const KEY: ApiKey = ApiKey::CreateDelegationToken;
    type Response = CreateDelegationTokenResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct CreateDelegationTokenResponse {
    pub error_code: i16,
    pub principal_type: KafkaString,
    pub principal_name: KafkaString,
    pub token_requester_principal_type: KafkaString,
    pub token_requester_principal_name: KafkaString,
    pub issue_timestamp_ms: i64,
    pub expiry_timestamp_ms: i64,
    pub max_timestamp_ms: i64,
    pub token_id: KafkaString,
    pub hmac: Bytes,
    pub throttle_time_ms: i32,
}

impl CreateDelegationTokenResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut it = Self::default();
        it.error_code = input.i16()?;
        it.principal_type = input.string(flexible)?;
        it.principal_name = input.string(flexible)?;
        if version >= 3 {
            it.token_requester_principal_type = input.string(flexible)?;
            it.token_requester_principal_name = input.string(flexible)?;
        }
        it.issue_timestamp_ms = input.i64()?;
        it.expiry_timestamp_ms = input.i64()?;
        it.max_timestamp_ms = input.i64()?;
        it.token_id = input.string(flexible)?;
        it.hmac = input.bytes(flexible)?;
        it.throttle_time_ms = input.i32()?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 2;
        out.i16(self.error_code);
        out.string(flexible, &self.principal_type);
        out.string(flexible, &self.principal_name);
        if version >= 3 {
            out.string(flexible, &self.token_requester_principal_type);
            out.string(flexible, &self.token_requester_principal_name);
        }
        out.i64(self.issue_timestamp_ms);
        out.i64(self.expiry_timestamp_ms);
        out.i64(self.max_timestamp_ms);
        out.string(flexible, &self.token_id);
        out.bytes(flexible, &self.hmac);
        out.i32(self.throttle_time_ms);
        if flexible {
            out.uvarint(0);
        }
    }
}

impl Message for CreateDelegationTokenResponse {
    const VERSIONS: Versions = Versions { first: 1, last: 3 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}
