//! PushTelemetry (key 72), version 0: metrics of a client; they are added to the broker's own (KIP-714).

use std::sync::Arc;

use protocol::Uuid;
use protocol::error::ErrorCode;
use protocol::messages::push_telemetry::{PushTelemetryRequest, PushTelemetryResponse};

use crate::broker::Broker;
use crate::dispatch::{Call, Response};

/// No request but a produce is larger than 4 MiB, with what goes around the metrics.
const BYTES_MAX: usize = 4 * 1024 * 1024 - 64 * 1024;

/// The id that Kafka keeps for its metadata topic: no client's.
const RESERVED_ID: Uuid = Uuid::from_bytes([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);

/// The most bytes of metrics in one push.
pub(super) fn bytes_max(broker: &Broker) -> usize {
    let configured = usize::try_from(broker.config.options.telemetry_max_bytes);
    configured.unwrap_or(0).min(BYTES_MAX)
}

pub(crate) async fn handle(
    broker: Arc<Broker>,
    call: Call,
    request: PushTelemetryRequest,
) -> Response {
    let outcome = push(&broker, &call, &request).await;
    call.respond(&PushTelemetryResponse {
        error_code: outcome.err().map_or(0, i16::from),
        ..Default::default()
    })
}

async fn push(
    broker: &Broker,
    call: &Call,
    request: &PushTelemetryRequest,
) -> Result<(), ErrorCode> {
    let instance = request.client_instance_id;
    if [Uuid::ZERO, RESERVED_ID].contains(&instance) {
        return Err(ErrorCode::InvalidRequest);
    }
    let bytes_max = bytes_max(broker);
    let codec = broker.client_metrics.check_push(
        broker.clock.monotonic_ms().unsigned_abs(),
        &broker.controller.image().client_metrics,
        &call.client(instance),
        request,
        bytes_max,
    )?;
    if request.metrics.is_empty() {
        return Ok(());
    }
    let take_in = || {
        broker
            .client_metrics
            .take_in(codec, &request.metrics, bytes_max)
    };
    broker.heavy_work.run(take_in).await
}
