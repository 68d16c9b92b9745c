//! GetTelemetrySubscriptions (key 71), version 0: which metrics a client is to push, and how often (KIP-714).

use protocol::compression::Codec;
use protocol::messages::get_telemetry_subscriptions::{
    GetTelemetrySubscriptionsRequest, GetTelemetrySubscriptionsResponse,
};
use protocol::{KafkaString, Uuid};

use super::push_telemetry;
use crate::broker::Broker;
use crate::dispatch::{Call, Response};

/// The best first.
const CODECS: [Codec; 4] = [Codec::Zstd, Codec::Lz4, Codec::Gzip, Codec::Snappy];

pub(crate) fn handle(
    broker: &Broker,
    call: &Call,
    request: &GetTelemetrySubscriptionsRequest,
) -> Response {
    let instance = match request.client_instance_id {
        Uuid::ZERO => broker.random.uuid(),
        known => known,
    };
    let image = broker.controller.image();
    let requested = broker.client_metrics.subscribe(
        broker.clock.monotonic_ms().unsigned_abs(),
        &image.client_metrics,
        &call.client(instance),
    );
    call.respond(&match requested {
        Ok(requested) => GetTelemetrySubscriptionsResponse {
            client_instance_id: instance,
            subscription_id: requested.subscription_id,
            accepted_compression_types: CODECS.map(|codec| codec as i8).to_vec(),
            push_interval_ms: requested.push_interval_ms,
            telemetry_max_bytes: i32::try_from(push_telemetry::bytes_max(broker))
                .unwrap_or(i32::MAX),
            delta_temporality: true,
            requested_metrics: requested
                .metrics
                .into_iter()
                .map(KafkaString::from)
                .collect(),
            ..Default::default()
        },
        Err(code) => GetTelemetrySubscriptionsResponse {
            error_code: code.into(),
            ..Default::default()
        },
    })
}
