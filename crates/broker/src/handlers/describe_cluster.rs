//! DescribeCluster (key 60), versions 0 to 2: the one broker there is, which is its own controller.

use protocol::error::ErrorCode;
use protocol::messages::describe_cluster::{
    DescribeClusterBroker, DescribeClusterRequest, DescribeClusterResponse,
};

use super::authorized_operations;
use crate::broker::Broker;
use crate::dispatch::{Call, Response};

const BROKERS: i8 = 1;
const CONTROLLERS: i8 = 2;

pub(crate) fn handle(broker: &Broker, call: &Call, request: &DescribeClusterRequest) -> Response {
    let refused = match request.endpoint_type {
        BROKERS => None,
        CONTROLLERS => Some((
            ErrorCode::MismatchedEndpointType,
            "The request was sent to an endpoint of type BROKER; connect to it as to a broker",
        )),
        _ => Some((
            ErrorCode::UnsupportedEndpointType,
            "Unsupported endpoint type",
        )),
    };
    if let Some((code, message)) = refused {
        return call.respond(&DescribeClusterResponse {
            error_code: code.into(),
            error_message: Some(message.into()),
            ..Default::default()
        });
    }
    let address = broker.advertised(&call.peer);
    let node_id = broker.config.options.node_id;
    let mut response = DescribeClusterResponse {
        endpoint_type: BROKERS,
        cluster_id: broker.controller.image().cluster_id.clone().into(),
        controller_id: node_id,
        brokers: vec![DescribeClusterBroker {
            broker_id: node_id,
            host: address.host,
            port: address.port,
            rack: broker.rack(),
            ..Default::default()
        }],
        ..Default::default()
    };
    if request.include_cluster_authorized_operations {
        response.cluster_authorized_operations = authorized_operations::CLUSTER;
    }
    call.respond(&response)
}
