//! From a request's bytes to its handler, and from the handler's message to the answer's bytes. The table of what is served is here,
//! and nothing is advertised that is not in it. Called by the connection, once per request, in order.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use protocol::api::ApiKey;
use protocol::header::{self, RequestHeader};
use protocol::messages::delete_groups::DeleteGroupsRequest;
use protocol::messages::find_coordinator::FindCoordinatorRequest;
use protocol::messages::leave_group::LeaveGroupRequest;
use protocol::messages::offset_delete::OffsetDeleteRequest;
use protocol::wire::{DecodeError, Decoder, Encoder};
use protocol::{Chunk, KafkaString, Message, Request, Uuid};

use crate::broker::Broker;
use crate::budget::{Budget, Reservation};
use crate::client_metrics::Client;
use crate::handlers::{self, produce};
use crate::network::connection::Peer;
use crate::network::output::Output;
use crate::route_admin;

/// An API that is served, with its first and last version.
pub struct Served {
    pub key: ApiKey,
    pub min: i16,
    pub max: i16,
}

const fn serve(key: ApiKey, min: i16, max: i16) -> Served {
    Served { key, min, max }
}

/// Everything that is served, ascending by key.
pub const SERVED: &[Served] = &[
    serve(ApiKey::Produce, 3, 13),
    serve(ApiKey::Fetch, 4, 18),
    serve(ApiKey::ListOffsets, 1, 11),
    serve(ApiKey::Metadata, 0, 13),
    serve(ApiKey::OffsetCommit, 2, 10),
    serve(ApiKey::OffsetFetch, 1, 10),
    serve(ApiKey::FindCoordinator, 0, 6),
    serve(ApiKey::JoinGroup, 0, 9),
    serve(ApiKey::Heartbeat, 0, 4),
    serve(ApiKey::LeaveGroup, 0, 5),
    serve(ApiKey::SyncGroup, 0, 5),
    serve(ApiKey::DescribeGroups, 0, 6),
    serve(ApiKey::ListGroups, 0, 5),
    serve(ApiKey::ApiVersions, 0, 4),
    serve(ApiKey::CreateTopics, 2, 7),
    serve(ApiKey::DeleteTopics, 1, 6),
    serve(ApiKey::DeleteRecords, 0, 2),
    serve(ApiKey::InitProducerId, 0, 5),
    serve(ApiKey::OffsetForLeaderEpoch, 2, 4),
    serve(ApiKey::DescribeConfigs, 1, 4),
    serve(ApiKey::AlterConfigs, 0, 2),
    serve(ApiKey::AlterReplicaLogDirs, 1, 2),
    serve(ApiKey::DescribeLogDirs, 1, 5),
    serve(ApiKey::CreatePartitions, 0, 3),
    serve(ApiKey::DeleteGroups, 0, 2),
    serve(ApiKey::ElectLeaders, 0, 2),
    serve(ApiKey::IncrementalAlterConfigs, 0, 1),
    serve(ApiKey::AlterPartitionReassignments, 0, 1),
    serve(ApiKey::ListPartitionReassignments, 0, 0),
    serve(ApiKey::OffsetDelete, 0, 0),
    serve(ApiKey::DescribeQuorum, 0, 2),
    serve(ApiKey::UpdateFeatures, 0, 2),
    serve(ApiKey::DescribeCluster, 0, 2),
    serve(ApiKey::DescribeProducers, 0, 0),
    serve(ApiKey::UnregisterBroker, 0, 0),
    serve(ApiKey::GetTelemetrySubscriptions, 0, 0),
    serve(ApiKey::PushTelemetry, 0, 0),
    serve(ApiKey::ListConfigResources, 0, 1),
    serve(ApiKey::DescribeTopicPartitions, 0, 0),
];

/// Why a request costs its sender the connection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadRequest {
    #[error("a frame of {0} bytes: the limit is socket.request.max.bytes; is this a Kafka client?")]
    FrameSize(i32),
    #[error("a request of {bytes} bytes for API key {key}: only produces may be so large")]
    TooLarge { key: i16, bytes: usize },
    #[error("the request cannot be read: {0}")]
    Unreadable(DecodeError),
    #[error("API key {key} version {version} is not served; ApiVersions tells what is")]
    NotServed { key: i16, version: i16 },
    #[error(
        "the request asks for more than memory.budget.bytes allows in one answer; ask for less at once"
    )]
    AsksTooMuch,
    #[error("a produce request without acknowledgement failed; closing is the only way to tell")]
    AcksZeroFailed,
}

impl From<DecodeError> for BadRequest {
    fn from(error: DecodeError) -> Self {
        BadRequest::Unreadable(error)
    }
}

/// A request under way: what handlers know of it beside its message.
#[derive(Clone)]
pub struct Call {
    pub key: ApiKey,
    pub version: i16,
    pub correlation_id: i32,
    client_id: Option<KafkaString>,
    /// Of the body.
    request_bytes: usize,
    pub peer: Peer,
}

impl Call {
    /// For an answer that waits and needs no client: a slice of the request keeps its whole buffer from being filled again.
    fn without_client_id(&self) -> Self {
        Self {
            client_id: None,
            ..self.clone()
        }
    }

    pub fn client_id(&self) -> &str {
        self.client_id.as_deref().unwrap_or_default()
    }

    /// As Kafka shows it: the address behind a slash.
    pub fn client_host(&self) -> String {
        self.peer
            .address
            .map(|address| format!("/{}", address.ip().to_canonical()))
            .unwrap_or_default()
    }

    /// Whose metrics are meant, for subscriptions to them.
    pub fn client(&self, instance: Uuid) -> Client<'_> {
        let software = self.peer.software.get();
        Client {
            instance,
            client_id: self.client_id(),
            software_name: software.map_or("", |software| &software.name),
            software_version: software.map_or("", |software| &software.version),
            address: self.peer.address,
        }
    }

    /// The answer's bytes: size, header, message.
    pub fn respond<M: Message>(&self, message: &M) -> Response {
        let mut out = Encoder::with_capacity(128);
        out.i32(0);
        header::encode_response_header(&mut out, self.key, self.version, self.correlation_id);
        message.encode(&mut out, self.version);
        Response::new(out)
    }
}

/// An answer, encoded.
pub struct Response {
    /// Whole pieces, then the rest; the size is in front of the first.
    pieces: Vec<Chunk>,
    tail: BytesMut,
    reservation: Option<Reservation>,
}

impl Response {
    fn new(mut out: Encoder) -> Self {
        let size = out.len() - 4;
        out.patch_first_size(u32::try_from(size).unwrap_or(u32::MAX));
        let (pieces, tail) = out.into_parts();
        Self {
            pieces,
            tail,
            reservation: None,
        }
    }

    pub fn holding(mut self, reservation: Option<Reservation>) -> Self {
        self.reservation = reservation;
        self
    }

    pub fn bytes(&self) -> usize {
        self.pieces.iter().map(Chunk::len).sum::<usize>() + self.tail.len()
    }

    pub fn write_to(self, output: &mut Output) {
        for piece in self.pieces {
            output.push(piece);
        }
        output.put(self.tail);
        output.hold(self.reservation);
    }
}

/// A request that is being taken in, which may have to wait: nothing behind it is started before.
pub type Starting = Pin<Box<dyn Future<Output = Handled> + Send>>;

/// What became of a request.
pub enum Handled {
    Starting(Starting),
    Answer(Answer),
    /// acks=0: there is none.
    Nothing,
    Close(BadRequest),
}

/// An answer that is there or will be.
pub struct Answer {
    state: State,
    /// Memory of the request, given back with the answer.
    reservation: Option<Reservation>,
    /// What it holds while it waits for its turn.
    bytes: usize,
}

/// An answer up to this size needs no reservation: it is what a connection costs anyway.
const ANSWER_BYTES_FREE: usize = 16 * 1024;

enum State {
    Ready(Option<Response>),
    Produce(produce::Waiting),
    Later(Pin<Box<dyn Future<Output = Response> + Send>>),
}

impl Answer {
    fn ready(response: Response) -> Self {
        Self {
            bytes: response.bytes(),
            state: State::Ready(Some(response)),
            reservation: None,
        }
    }

    pub(crate) fn produce(waiting: produce::Waiting) -> Self {
        Self {
            bytes: waiting.bytes(),
            state: State::Produce(waiting),
            reservation: None,
        }
    }

    pub fn holding(mut self, reservation: Option<Reservation>) -> Self {
        self.reservation = reservation;
        self
    }

    pub fn is_produce(&self) -> bool {
        matches!(self.state, State::Produce(_))
    }

    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The answer's bytes, once. A produce's are written right behind what waits to be sent already.
    pub fn poll(
        &mut self,
        output: &mut Output,
        room: &Arc<Budget>,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let before = output.bytes();
        let response = match &mut self.state {
            State::Ready(response) => response.take(),
            State::Later(future) => Some(std::task::ready!(future.as_mut().poll(cx))),
            State::Produce(waiting) => {
                std::task::ready!(waiting.poll(cx));
                let call = waiting.call();
                output.encode(|out| {
                    header::encode_response_header(
                        out,
                        call.key,
                        call.version,
                        call.correlation_id,
                    );
                    waiting.response().encode(out, call.version);
                });
                None
            }
        };
        let is_counted = response
            .as_ref()
            .is_some_and(|response| response.reservation.is_some());
        if let Some(response) = response {
            response.write_to(output);
        }
        let bytes = output.bytes() - before;
        if !is_counted && bytes > ANSWER_BYTES_FREE {
            output.hold(Some(room.take(bytes)));
        }
        Poll::Ready(())
    }
}

/// Starts the request in `frame`.
pub fn handle(broker: &Arc<Broker>, peer: &Peer, frame: Bytes) -> Handled {
    match start(broker, peer, frame) {
        Ok(handled) => handled,
        Err(reason) => Handled::Close(reason),
    }
}

fn start(broker: &Arc<Broker>, peer: &Peer, frame: Bytes) -> Result<Handled, BadRequest> {
    let mut input = Decoder::new(frame);
    let header = RequestHeader::decode(&mut input)?;
    let (key, version) = (header.api_key, header.api_version);
    let not_served = BadRequest::NotServed { key, version };
    let Some(key) = ApiKey::from_key(key) else {
        return Err(not_served);
    };
    let mut call = Call {
        key,
        version,
        correlation_id: header.correlation_id,
        client_id: header.client_id,
        request_bytes: input.remaining(),
        peer: peer.clone(),
    };
    let served = SERVED
        .iter()
        .any(|api| api.key == key && (api.min..=api.max).contains(&version));
    if !served {
        if key != ApiKey::ApiVersions {
            return Err(not_served);
        }
        call.version = 0;
        return Ok(Handled::Answer(Answer::ready(
            handlers::api_versions::unsupported(&call),
        )));
    }
    broker.metrics.request(key);
    route(broker, call, input)
}

fn route(broker: &Arc<Broker>, call: Call, input: Decoder) -> Result<Handled, BadRequest> {
    let broker_now = &**broker;
    Ok(match call.key {
        ApiKey::Produce => Handled::Starting(Box::pin(produce::handle(
            broker.clone(),
            call.without_client_id(),
            body(&call, input)?,
        ))),
        ApiKey::Fetch => later(handlers::fetch::handle(
            broker.clone(),
            call.clone(),
            body(&call, input)?,
        )),
        ApiKey::ListOffsets => {
            handlers::list_offsets::handle(broker, call.clone(), body(&call, input)?)
        }
        ApiKey::Metadata => handlers::metadata::handle(broker, call.clone(), body(&call, input)?),
        ApiKey::ApiVersions => now(handlers::api_versions::handle(
            broker_now,
            &call,
            &body(&call, input)?,
        )),
        ApiKey::InitProducerId => later(handlers::init_producer_id::handle(
            broker.clone(),
            call.clone(),
            body(&call, input)?,
        )),
        ApiKey::OffsetForLeaderEpoch => {
            handlers::offset_for_leader_epoch::handle(broker, call.clone(), body(&call, input)?)
        }
        _ => return route_groups(broker, &call, input),
    })
}

/// What groups of consumers ask for.
fn route_groups(broker: &Arc<Broker>, call: &Call, input: Decoder) -> Result<Handled, BadRequest> {
    let broker_now = &**broker;
    Ok(match call.key {
        ApiKey::FindCoordinator => {
            let request: FindCoordinatorRequest = body(call, input)?;
            let asked = request.coordinator_keys.len();
            let answer = handlers::find_coordinator::handle(broker.clone(), call.clone(), request);
            listed(broker, call, asked, answer)
        }
        ApiKey::OffsetCommit => later(handlers::offset_commit::handle(
            broker.clone(),
            call.clone(),
            body(call, input)?,
        )),
        ApiKey::OffsetFetch => {
            handlers::offset_fetch::handle(broker, call.clone(), body(call, input)?)
        }
        ApiKey::JoinGroup => later(handlers::join_group::handle(
            broker.clone(),
            call.clone(),
            body(call, input)?,
        )),
        ApiKey::Heartbeat => now(handlers::heartbeat::handle(
            broker_now,
            call,
            &body(call, input)?,
        )),
        ApiKey::LeaveGroup => {
            let request: LeaveGroupRequest = body(call, input)?;
            let asked = request.members.len();
            let answer = handlers::leave_group::handle(broker.clone(), call.clone(), request);
            listed(broker, call, asked, answer)
        }
        ApiKey::SyncGroup => later(handlers::sync_group::handle(
            broker.clone(),
            call.clone(),
            body(call, input)?,
        )),
        ApiKey::DescribeGroups => {
            handlers::describe_groups::handle(broker, call.clone(), body(call, input)?)
        }
        ApiKey::DeleteGroups => {
            let request: DeleteGroupsRequest = body(call, input)?;
            let asked = request.groups_names.len();
            let answer = handlers::delete_groups::handle(broker.clone(), call.clone(), request);
            listed(broker, call, asked, answer)
        }
        ApiKey::OffsetDelete => {
            let request: OffsetDeleteRequest = body(call, input)?;
            let partitions = request.topics.iter().map(|topic| topic.partitions.len());
            let asked = request.topics.len() + partitions.sum::<usize>();
            let answer = handlers::offset_delete::handle(broker.clone(), call.clone(), request);
            listed(broker, call, asked, answer)
        }
        ApiKey::ListGroups => later(handlers::list_groups::handle(
            broker.clone(),
            call.clone(),
            body(call, input)?,
        )),
        _ => return route_admin::route(broker, call, input),
    })
}

/// A request's message. Bytes behind it are passed over, as Kafka does: librdkafka's Metadata from version 11 on ends with a field
/// that the version does not have.
pub(crate) fn body<R: Request>(call: &Call, mut input: Decoder) -> Result<R, BadRequest> {
    Ok(R::decode(&mut input, call.version)?)
}

/// Whether a request names more than there is, again and again, and so asks for more than answers may hold. What there is may all be
/// asked for at once.
pub(crate) fn asks_too_much(
    broker: &Broker,
    asked: usize,
    known: impl FnOnce() -> usize,
    bytes: usize,
) -> bool {
    bytes > broker.answers.total_bytes() && asked > known().saturating_add(NAMED_MAX)
}

/// Named twice, or not there: as many of these are nobody's attack.
const NAMED_MAX: usize = 16;

/// An entry of an answer that has one for each of the request, built and encoded.
const ENTRY_BYTES: usize = 512;

/// An answer that has an entry for each of the request. Nobody asks for as many as all answers together may hold.
pub(crate) fn listed(
    broker: &Broker,
    call: &Call,
    asked: usize,
    answer: impl Future<Output = Response> + Send + 'static,
) -> Handled {
    // What was named is named again.
    let bytes = asked.saturating_mul(ENTRY_BYTES) + call.request_bytes;
    if bytes > broker.answers.total_bytes() {
        return Handled::Close(BadRequest::AsksTooMuch);
    }
    let room = broker.answers.clone();
    later(async move { with_room(&room, bytes, answer).await })
}

pub(crate) fn now(response: Response) -> Handled {
    Handled::Answer(Answer::ready(response))
}

pub(crate) fn later(future: impl Future<Output = Response> + Send + 'static) -> Handled {
    Handled::Answer(Answer {
        state: State::Later(Box::pin(future)),
        reservation: None,
        bytes: 0,
    })
}

/// An answer that may be large is built once there is room for it; `bytes` is what building it takes at most.
pub(crate) async fn with_room(
    room: &Arc<Budget>,
    bytes: usize,
    build: impl Future<Output = Response>,
) -> Response {
    if bytes <= ANSWER_BYTES_FREE {
        return build.await;
    }
    let mut reservation = room.reserve(bytes).await;
    let response = build.await;
    reservation.settle(response.bytes());
    response.holding(Some(reservation))
}

#[cfg(test)]
#[path = "dispatch_reference_tests.rs"]
mod reference_tests;
