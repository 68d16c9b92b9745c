//! GetTelemetrySubscriptions (key 71): generated from `definitions/071_get_telemetry_subscriptions.txt` by `cargo xtask generate`.

use super::prelude::*;

#[derive(Clone, Debug, Default, PartialEq)]
pub struct GetTelemetrySubscriptionsRequest {
    pub client_instance_id: Uuid,
}

impl GetTelemetrySubscriptionsRequest {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let mut it = Self::default();
        it.client_instance_id = input.uuid()?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        out.uuid(self.client_instance_id);
        out.uvarint(0);
    }
}

impl Message for GetTelemetrySubscriptionsRequest {
    const VERSIONS: Versions = Versions { first: 0, last: 0 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}

impl Request for GetTelemetrySubscriptionsRequest {
    const KEY: ApiKey = ApiKey::GetTelemetrySubscriptions;
    type Response = GetTelemetrySubscriptionsResponse;
}

#[derive(Clone, Debug, Default, PartialEq)]
pub struct GetTelemetrySubscriptionsResponse {
    pub throttle_time_ms: i32,
    pub error_code: i16,
    pub client_instance_id: Uuid,
    pub subscription_id: i32,
    pub accepted_compression_types: Vec<i8>,
    pub push_interval_ms: i32,
    pub telemetry_max_bytes: i32,
    pub delta_temporality: bool,
    pub requested_metrics: Vec<KafkaString>,
}

impl GetTelemetrySubscriptionsResponse {
    pub fn read(input: &mut Decoder, _version: i16) -> Result<Self, DecodeError> {
        let flexible = true;
        let mut it = Self::default();
        it.throttle_time_ms = input.i32()?;
        it.error_code = input.i16()?;
        it.client_instance_id = input.uuid()?;
        it.subscription_id = input.i32()?;
        it.accepted_compression_types = input.array(flexible, Decoder::i8)?;
        it.push_interval_ms = input.i32()?;
        it.telemetry_max_bytes = input.i32()?;
        it.delta_temporality = input.bool()?;
        it.requested_metrics = input.array(flexible, |input| input.string(flexible))?;
        input.skip_tags()?;
        Ok(it)
    }

    pub fn write(&self, out: &mut Encoder, _version: i16) {
        let flexible = true;
        out.i32(self.throttle_time_ms);
        out.i16(self.error_code);
        out.uuid(self.client_instance_id);
        out.i32(self.subscription_id);
        out.array(flexible, &self.accepted_compression_types, |out, it| {
            out.i8(*it)
        });
        out.i32(self.push_interval_ms);
        out.i32(self.telemetry_max_bytes);
        out.bool(self.delta_temporality);
        out.array(flexible, &self.requested_metrics, |out, it| {
            out.string(flexible, it)
        });
        out.uvarint(0);
    }
}

impl Message for GetTelemetrySubscriptionsResponse {
    const VERSIONS: Versions = Versions { first: 0, last: 0 };
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError> {
        Self::read(input, version)
    }
    fn encode(&self, out: &mut Encoder, version: i16) {
        self.write(out, version);
    }
}
