//! DescribeDelegationToken (key 41): generated from `definitions/041_describe_delegation_token.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, PartialEq)]
pub struct DescribeDelegationTokenRequest {
    pub owners: Option<Vec<DescribeDelegationTokenOwner>>,
}

impl Default for DescribeDelegationTokenRequest {
    fn default() -> Self {
        Self {
            owners: Some(Default::default()),
        }
    }
}

impl DescribeDelegationTokenRequest {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut it = Self::default();
        it.owners = input.nullable_array(flexible, |input| {
            DescribeDelegationTokenOwner::read(input, version)
        })?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 2;
        out.nullable_array(flexible, self.owners.as_deref(), |out, it| {
            it.write(out, version)
        });
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeDelegationTokenOwner {
    pub principal_type: KafkaString,
    pub principal_name: KafkaString,
}

impl DescribeDelegationTokenOwner {
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

impl Message for DescribeDelegationTokenRequest {
    const VERSIONS: Versions = Versions { first: 1, last: 3 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

impl Request for DescribeDelegationTokenRequest {
    const KEY: ApiKey = ApiKey::DescribeDelegationToken;
    type Response = DescribeDelegationTokenResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribeDelegationTokenResponse {
    pub error_code: i16,
    pub tokens: Vec<DescribedDelegationToken>,
    pub throttle_time_ms: i32,
}

impl DescribeDelegationTokenResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut it = Self::default();
        it.error_code = input.i16()?;
        it.tokens = input.array(flexible, |input| {
            DescribedDelegationToken::read(input, version)
        })?;
        it.throttle_time_ms = input.i32()?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 2;
        out.i16(self.error_code);
        out.array(flexible, &self.tokens, |out, it| it.write(out, version));
        out.i32(self.throttle_time_ms);
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribedDelegationToken {
    pub principal_type: KafkaString,
    pub principal_name: KafkaString,
    pub token_requester_principal_type: KafkaString,
    pub token_requester_principal_name: KafkaString,
    pub issue_timestamp: i64,
    pub expiry_timestamp: i64,
    pub max_timestamp: i64,
    pub token_id: KafkaString,
    pub hmac: Bytes,
    pub renewers: Vec<DescribedDelegationTokenRenewer>,
}

impl DescribedDelegationToken {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut it = Self::default();
        it.principal_type = input.string(flexible)?;
        it.principal_name = input.string(flexible)?;
        if version >= 3 {
            it.token_requester_principal_type = input.string(flexible)?;
            it.token_requester_principal_name = input.string(flexible)?;
        }
        it.issue_timestamp = input.i64()?;
        it.expiry_timestamp = input.i64()?;
        it.max_timestamp = input.i64()?;
        it.token_id = input.string(flexible)?;
        it.hmac = input.bytes(flexible)?;
        it.renewers = input.array(flexible, |input| {
            DescribedDelegationTokenRenewer::read(input, version)
        })?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 2;
        out.string(flexible, &self.principal_type);
        out.string(flexible, &self.principal_name);
        if version >= 3 {
            out.string(flexible, &self.token_requester_principal_type);
            out.string(flexible, &self.token_requester_principal_name);
        }
        out.i64(self.issue_timestamp);
        out.i64(self.expiry_timestamp);
        out.i64(self.max_timestamp);
        out.string(flexible, &self.token_id);
        out.bytes(flexible, &self.hmac);
        out.array(flexible, &self.renewers, |out, it| it.write(out, version));
        if flexible {
            out.uvarint(0);
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct DescribedDelegationTokenRenewer {
    pub principal_type: KafkaString,
    pub principal_name: KafkaString,
}

impl DescribedDelegationTokenRenewer {
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

impl Message for DescribeDelegationTokenResponse {
    const VERSIONS: Versions = Versions { first: 1, last: 3 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}
