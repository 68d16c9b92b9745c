//! InitProducerId (key 22), versions 0 to 5, idempotent producers only: an id that was never given out before, at epoch 0; a producer
//! that comes back with its own id (KIP-360) gets a fresh one as well, as it has no transactions that would need the old.

use std::sync::Arc;

use protocol::batch::{NO_PRODUCER_EPOCH, NO_PRODUCER_ID};
use protocol::error::ErrorCode;
use protocol::messages::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};

use crate::broker::Broker;
use crate::dispatch::{Call, Response};

pub(crate) async fn handle(
    broker: Arc<Broker>,
    call: Call,
    request: InitProducerIdRequest,
) -> Response {
    let failed = |code: ErrorCode| InitProducerIdResponse {
        error_code: code.into(),
        producer_epoch: -1,
        ..Default::default()
    };
    let id = request.transactional_id.as_ref();
    let has_id = request.producer_id != NO_PRODUCER_ID;
    let has_epoch = request.producer_epoch != NO_PRODUCER_EPOCH;
    if id.is_some_and(|id| id.is_empty()) || id.is_none() && has_id != has_epoch {
        return call.respond(&failed(ErrorCode::InvalidRequest));
    }
    if id.is_some() {
        broker.transactional_clients.warn(call.client_id());
        return call.respond(&failed(ErrorCode::UnsupportedVersion));
    }
    match broker.controller.new_producer_id().await {
        Ok(producer_id) => call.respond(&InitProducerIdResponse {
            producer_id,
            producer_epoch: 0,
            ..Default::default()
        }),
        Err(refusal) => call.respond(&failed(refusal.code)),
    }
}
