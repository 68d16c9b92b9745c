//! RenewDelegationToken (key 39): generated from `definitions/039_renew_delegation_token.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct RenewDelegationTokenRequest {
    pub hmac: Bytes,
    pub renew_period_ms: i64,
}

impl RenewDelegationTokenRequest {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut it = Self::default();
        it.hmac = input.bytes(flexible)?;
        it.renew_period_ms = input.i64()?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 2;
        out.bytes(flexible, &self.hmac);
        out.i64(self.renew_period_ms);
        if flexible {
            out.uvarint(0);
        }
    }
}

impl Message for RenewDelegationTokenRequest {
    const VERSIONS: Versions = Versions { first: 1, last: 2 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

impl Request for RenewDelegationTokenRequest {
    const KEY: ApiKey = ApiKey::RenewDelegationToken;
    type Response = RenewDelegationTokenResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct RenewDelegationTokenResponse {
    pub error_code: i16,
    pub expiry_timestamp_ms: i64,
    pub throttle_time_ms: i32,
}

impl RenewDelegationTokenResponse {
    pub fn read(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        let flexible = version >= 2;
        let mut it = Self::default();
        it.error_code = input.i16()?;
        it.expiry_timestamp_ms = input.i64()?;
        it.throttle_time_ms = input.i32()?;
        if flexible {
            input.skip_tags()?;
        }
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, version: i16) {
        let flexible = version >= 2;
        out.i16(self.error_code);
        out.i64(self.expiry_timestamp_ms);
        out.i32(self.throttle_time_ms);
        if flexible {
            out.uvarint(0);
        }
    }
}

impl Message for RenewDelegationTokenResponse {
    const VERSIONS: Versions = Versions { first: 1, last: 2 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}
