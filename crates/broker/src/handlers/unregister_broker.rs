//! UnregisterBroker (key 64), version 0: no other broker is registered, and the one that is there stays.

use protocol::error::ErrorCode;
use protocol::messages::unregister_broker::{UnregisterBrokerRequest, UnregisterBrokerResponse};

use crate::broker::Broker;
use crate::dispatch::{Call, Response};

pub(crate) fn handle(broker: &Broker, call: &Call, request: &UnregisterBrokerRequest) -> Response {
    let id = request.broker_id;
    let (code, message) = match id == broker.config.options.node_id {
        true => (
            ErrorCode::InvalidRequest,
            format!("Broker {id} is the whole cluster and cannot leave it: stop it instead"),
        ),
        false => (
            ErrorCode::BrokerIdNotRegistered,
            format!("Broker ID {id} is not currently registered"),
        ),
    };
    call.respond(&UnregisterBrokerResponse {
        error_code: code.into(),
        error_message: Some(message.into()),
        ..Default::default()
    })
}
