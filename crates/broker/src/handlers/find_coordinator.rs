//! FindCoordinator (key 10), versions 0 to 6: this broker coordinates every group. Transactions and share groups are refused with the
//! reason until they are there.

use std::sync::Arc;

use protocol::KafkaString;
use protocol::error::ErrorCode;
use protocol::messages::find_coordinator::{
    Coordinator, FindCoordinatorRequest, FindCoordinatorResponse,
};

use crate::broker::{Broker, NO_TRANSACTIONS};
use crate::dispatch::{Call, Response};

const GROUP: i8 = 0;
const TRANSACTION: i8 = 1;
/// From here on keys come in batches.
const BATCHED_VERSION: i16 = 4;

pub(crate) async fn handle(
    broker: Arc<Broker>,
    call: Call,
    request: FindCoordinatorRequest,
) -> Response {
    if request.key_type == GROUP {
        broker.ensure_offsets_topic().await;
    }
    if call.version >= BATCHED_VERSION {
        let coordinators = request
            .coordinator_keys
            .iter()
            .map(|key| find(&broker, &call, request.key_type, key));
        return call.respond(&FindCoordinatorResponse {
            coordinators: coordinators.collect(),
            ..Default::default()
        });
    }
    let found = find(&broker, &call, request.key_type, &request.key);
    let is_found = found.error_code == 0;
    call.respond(&FindCoordinatorResponse {
        error_code: found.error_code,
        // Where one key is asked for, success is told in words as well.
        error_message: match is_found {
            true => Some(ErrorCode::None.name().into()),
            false => found.error_message,
        },
        node_id: found.node_id,
        host: found.host,
        port: found.port,
        ..Default::default()
    })
}

/// The code with which a client gives up at once. librdkafka, which asks one key at a time, tries again on every other; the Java
/// client shows our message with the one that says what is the matter.
fn transactions_refused(version: i16) -> ErrorCode {
    if version < BATCHED_VERSION {
        ErrorCode::TransactionalIdAuthorizationFailed
    } else {
        ErrorCode::UnsupportedVersion
    }
}

fn find(broker: &Broker, call: &Call, key_type: i8, key: &KafkaString) -> Coordinator {
    let refused = match key_type {
        GROUP => None,
        TRANSACTION => {
            broker.transactional_clients.warn(call.client_id());
            Some((transactions_refused(call.version), NO_TRANSACTIONS))
        }
        _ => Some((
            ErrorCode::InvalidRequest,
            "this broker coordinates consumer groups only",
        )),
    };
    if let Some((code, message)) = refused {
        return Coordinator {
            key: key.clone(),
            node_id: -1,
            port: -1,
            error_code: code.into(),
            error_message: Some(KafkaString::from(message)),
            ..Default::default()
        };
    }
    if !broker.coordinator.has_topic() {
        let error_code = ErrorCode::CoordinatorNotAvailable.into();
        return Coordinator {
            key: key.clone(),
            node_id: -1,
            port: -1,
            error_code,
            ..Default::default()
        };
    }
    let address = broker.advertised(&call.peer);
    Coordinator {
        key: key.clone(),
        node_id: broker.config.options.node_id,
        host: address.host,
        port: address.port,
        ..Default::default()
    }
}
