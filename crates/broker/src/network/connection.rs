//! One client's connection: bytes in, requests decoded and started in order, answers out in the same order. As in Kafka one request is
//! handled at a time, but for produces: the next of them is started while earlier ones wait for their commit. Spawned by the listener,
//! ends when the client leaves, errs, idles too long, or the broker stops.
//!
//! Bounds: the input buffer holds one frame, reserved from the budget before it is allocated and in time; behind a request that is
//! handled only little more is read; produces under way are limited in number and bytes, and nothing is started while much waits to be
//! sent. Who holds memory that others need must send and read on.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use log::Registration;
use protocol::api::ApiKey;
use tokio::io::AsyncReadExt;
use tokio::time::{Instant, Sleep};
use tokio_util::sync::WaitForCancellationFutureOwned;

use super::output::Output;
use super::stream::Stream;
use crate::broker::Broker;
use crate::budget::Reservation;
use crate::dispatch::{self, Answer, BadRequest, Handled, Starting};

/// Read at least this much at once; grows while reads fill the buffer.
const READ_BYTES_MIN: usize = 4 * 1024;
const READ_BYTES_MAX: usize = 256 * 1024;
/// Frames up to this size need no reservation: it is what a connection costs anyway.
const FRAME_BYTES_FREE: usize = 64 * 1024;
/// Only produces carry much. What asks for a hundred thousand partitions is smaller than this.
const OTHER_FRAME_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Where a request has memory reserved for it, its message is decoded within so many times its bytes.
const DECODED_FACTOR: usize = protocol::wire::MEMORY_FACTOR + 1;
/// A frame that took from the budget has so long to come, and a second more for each so many bytes.
const FRAME_TIME_MAX: Duration = Duration::from_secs(30);
const FRAME_BYTES_PER_SECOND: u64 = 1024 * 1024;
/// Answers that hold what others need are read on within this time, by so many bytes.
const READER_STALL_MAX: Duration = Duration::from_secs(30);
const READER_BYTES_MIN: u64 = 1024 * 1024;
/// How often it is asked whether others need what a slow reader holds.
const RECHECK: Duration = Duration::from_secs(1);
/// No answer is waited for longer where nothing is sent or received meanwhile.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(3600);
/// Behind a request that cannot be served, what was asked before is answered and read within this time.
const DRAIN_TIME_MAX: Duration = Duration::from_secs(30);
/// No further request is started while answers hold so many bytes, or so many wait to be sent.
const OUTPUT_BYTES_MAX: usize = 1024 * 1024;

/// Who is at the other end, for handlers, logs and metrics.
#[derive(Clone, Debug)]
pub struct Peer {
    pub address: Option<SocketAddr>,
    /// Index of the listener in the configuration: decides which address clients are told.
    pub listener: usize,
    /// What the client says it is, once it has.
    pub software: Arc<OnceLock<Software>>,
}

/// A client's name and version of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Software {
    pub name: String,
    pub version: String,
}

/// Why a connection ended.
#[derive(Debug)]
pub enum End {
    ClientLeft,
    Idle,
    Stopped,
    BadRequest(BadRequest),
    Io(io::Error),
}

pub struct Connection<S> {
    stream: S,
    broker: Arc<Broker>,
    peer: Peer,
    input: BytesMut,
    read_bytes: usize,
    reserved: Option<Reservation>,
    /// When the frame with the reservation must be there.
    frame_due: Option<Instant>,
    /// A request that is being taken in: nothing else is started until it is.
    starting: Option<Starting>,
    /// Of produces, or of one other request.
    answers: VecDeque<Answer>,
    /// What they hold.
    answers_bytes: usize,
    output: Output,
    /// Since when the reader is slow, and how much was sent then.
    slow_since: Option<(Instant, u64)>,
    timer: Pin<Box<Sleep>>,
    idle_after: Option<Duration>,
    active_at: Instant,
    stop: Pin<Box<WaitForCancellationFutureOwned>>,
    budget_waiter: Option<Registration>,
    room_waiter: Option<Registration>,
    /// No more requests are read; what was started is still answered.
    draining: Option<Draining>,
}

struct Draining {
    end: End,
    since: Instant,
}

/// The frame at the head of the input.
#[derive(Clone, Copy)]
struct Head {
    bytes: usize,
    key: i16,
}

impl<S: Stream> Connection<S> {
    pub fn new(stream: S, broker: Arc<Broker>, peer: Peer) -> Self {
        let idle_ms = broker.config.options.connections_max_idle_ms;
        let idle_after = u64::try_from(idle_ms).ok().map(Duration::from_millis);
        let now = Instant::now();
        Self {
            stream,
            peer,
            input: BytesMut::new(),
            read_bytes: READ_BYTES_MIN,
            reserved: None,
            frame_due: None,
            starting: None,
            answers: VecDeque::new(),
            answers_bytes: 0,
            output: Output::default(),
            slow_since: None,
            timer: Box::pin(tokio::time::sleep_until(
                now + idle_after.unwrap_or(Duration::from_secs(86_400)),
            )),
            idle_after,
            active_at: now,
            stop: Box::pin(broker.stopping.clone().cancelled_owned()),
            budget_waiter: None,
            room_waiter: None,
            draining: None,
            broker,
        }
    }

    /// One round over everything that can move; true if something did.
    fn poll_round(&mut self, cx: &mut Context<'_>) -> Result<bool, End> {
        let mut moved = self.poll_starting(cx);
        if self.draining.is_none() {
            if self.stop.as_mut().poll(cx).is_ready() {
                self.drain(End::Stopped);
            } else {
                moved |= self.poll_requests(cx)?;
            }
        }
        moved |= self.poll_answers(cx);
        moved |= self.poll_output(cx)?;
        if self.starting.is_none()
            && self.answers.is_empty()
            && self.output.is_empty()
            && let Some(draining) = self.draining.take()
        {
            return Err(draining.end);
        }
        Ok(moved)
    }

    fn drain(&mut self, end: End) {
        let since = Instant::now();
        self.draining = Some(Draining { end, since });
    }

    /// Takes in what is there: starts requests in their turn, then reads.
    fn poll_requests(&mut self, cx: &mut Context<'_>) -> Result<bool, End> {
        let mut moved = false;
        while self.draining.is_none() {
            if !self.may_take() {
                // The client waits for us meanwhile.
                self.frame_due = None;
                break;
            }
            let went_on = match self.head()? {
                head if !self.is_turn(head) => self.poll_little(cx)?,
                None => self.poll_read(READ_BYTES_MIN.max(self.read_bytes), cx)?,
                Some(head) if self.input.len() < 4 + head.bytes => self.poll_frame(head, cx)?,
                Some(head) => self.poll_start(head, cx),
            };
            if !went_on {
                break;
            }
            moved = true;
        }
        Ok(moved)
    }

    /// A little is read behind what is handled: it is noticed when the client leaves.
    fn poll_little(&mut self, cx: &mut Context<'_>) -> Result<bool, End> {
        Ok(self.input.len() < FRAME_BYTES_FREE && self.poll_read(READ_BYTES_MIN, cx)?)
    }

    fn poll_frame(&mut self, head: Head, cx: &mut Context<'_>) -> Result<bool, End> {
        let missing = 4 + head.bytes - self.input.len();
        Ok(self.poll_reserved(head, cx) && self.poll_read(missing.max(self.read_bytes), cx)?)
    }

    /// Starts the request at the head, which is there whole, once the journal has room.
    fn poll_start(&mut self, head: Head, cx: &mut Context<'_>) -> bool {
        self.frame_due = None;
        let journal = &self.broker.journal;
        if journal.poll_room(&mut self.room_waiter, cx).is_pending() {
            return false;
        }
        self.input.advance(4);
        let frame = self.input.split_to(head.bytes).freeze();
        let handled = dispatch::handle(&self.broker, &self.peer, frame);
        self.take_in(handled);
        self.poll_starting(cx);
        // The next in line may have its turn at once.
        self.poll_answers(cx);
        true
    }

    fn may_take(&self) -> bool {
        let options = &self.broker.config.options;
        let in_flight_max = options.max_in_flight_requests_per_connection.unsigned_abs() as usize;
        self.answers.len() < in_flight_max
            && self.answers_bytes + self.output.bytes() < OUTPUT_BYTES_MAX
    }

    /// Whether the request at the head may be started before what is under way is answered.
    fn is_turn(&self, head: Option<Head>) -> bool {
        let under_way = self.answers.back();
        let behind_produces = under_way.is_some_and(Answer::is_produce)
            && head.is_none_or(|head| head.key == ApiKey::Produce as i16);
        self.starting.is_none() && (under_way.is_none() || behind_produces)
    }

    /// The frame that comes next, once its length and kind are there.
    fn head(&self) -> Result<Option<Head>, End> {
        let Some(length) = self.input.first_chunk::<4>() else {
            return Ok(None);
        };
        let bad = |reason| Err(End::BadRequest(reason));
        let length = i32::from_be_bytes(*length);
        // The key alone takes two.
        if length < 2 || length > self.broker.config.options.socket_request_max_bytes {
            return bad(BadRequest::FrameSize(length));
        }
        let Some([.., high, low]) = self.input.first_chunk::<6>() else {
            return Ok(None);
        };
        let key = i16::from_be_bytes([*high, *low]);
        let bytes = length.unsigned_abs() as usize;
        if key != ApiKey::Produce as i16 && bytes > OTHER_FRAME_BYTES_MAX {
            return bad(BadRequest::TooLarge { key, bytes });
        }
        Ok(Some(Head { bytes, key }))
    }

    /// Whether the frame may be buffered.
    fn poll_reserved(&mut self, head: Head, cx: &mut Context<'_>) -> bool {
        if head.bytes <= FRAME_BYTES_FREE {
            return true;
        }
        if self.reserved.is_none() {
            let bytes = match head.key == ApiKey::Produce as i16 {
                true => head.bytes,
                false => head.bytes * DECODED_FACTOR,
            };
            let budget = &self.broker.requests;
            match budget.poll_reserve(bytes, &mut self.budget_waiter, cx) {
                Poll::Ready(reservation) => self.reserved = Some(reservation),
                Poll::Pending => return false,
            }
        }
        if self.frame_due.is_none() {
            let seconds = head.bytes as u64 / FRAME_BYTES_PER_SECOND;
            self.frame_due = Some(Instant::now() + FRAME_TIME_MAX + Duration::from_secs(seconds));
        }
        true
    }

    /// True if bytes came in.
    fn poll_read(&mut self, wanted: usize, cx: &mut Context<'_>) -> Result<bool, End> {
        self.input.reserve(wanted);
        let read = pin!(self.stream.read_buf(&mut self.input)).poll(cx);
        match read {
            Poll::Pending => {
                if self.input.is_empty() && self.answers.is_empty() {
                    // An idle connection keeps no buffer.
                    self.input = BytesMut::new();
                    self.read_bytes = READ_BYTES_MIN;
                }
                Ok(false)
            }
            // Nobody is left to read answers.
            Poll::Ready(Ok(0)) => Err(End::ClientLeft),
            Poll::Ready(Ok(bytes)) => {
                if bytes >= self.read_bytes {
                    self.read_bytes = (self.read_bytes * 2).min(READ_BYTES_MAX);
                }
                self.active_at = Instant::now();
                Ok(true)
            }
            Poll::Ready(Err(error)) => Err(End::Io(error)),
        }
    }

    fn poll_starting(&mut self, cx: &mut Context<'_>) -> bool {
        let Some(starting) = &mut self.starting else {
            return false;
        };
        let Poll::Ready(handled) = starting.as_mut().poll(cx) else {
            return false;
        };
        self.starting = None;
        self.take_in(handled);
        true
    }

    fn take_in(&mut self, handled: Handled) {
        match handled {
            Handled::Starting(starting) => self.starting = Some(starting),
            Handled::Answer(answer) => {
                self.answers_bytes += answer.bytes();
                self.answers.push_back(answer.holding(self.reserved.take()));
            }
            Handled::Nothing => self.reserved = None,
            // What was asked before is answered before the connection closes.
            Handled::Close(reason) => self.drain(End::BadRequest(reason)),
        }
    }

    /// Encodes the answers at the head that are ready.
    fn poll_answers(&mut self, cx: &mut Context<'_>) -> bool {
        let mut moved = false;
        while self.output.bytes() < OUTPUT_BYTES_MAX {
            let Some(first) = self.answers.front_mut() else {
                break;
            };
            let room = &self.broker.answers;
            if first.poll(&mut self.output, room, cx).is_pending() {
                break;
            }
            self.answers_bytes -= first.bytes();
            self.answers.pop_front();
            moved = true;
        }
        moved
    }

    fn poll_output(&mut self, cx: &mut Context<'_>) -> Result<bool, End> {
        if self.output.is_empty() {
            return Ok(false);
        }
        let sent_before = self.output.sent();
        let polled = self.output.poll_send(&mut self.stream, cx);
        let sent = self.output.sent();
        if sent > sent_before {
            self.active_at = Instant::now();
        }
        match polled {
            Poll::Pending => {
                let is_slow = |(_, then): &(Instant, u64)| sent - then < READER_BYTES_MIN;
                let since = self.slow_since.filter(is_slow);
                self.slow_since = since.or_else(|| Some((Instant::now(), sent)));
                Ok(false)
            }
            Poll::Ready(Ok(())) => {
                self.slow_since = None;
                Ok(true)
            }
            Poll::Ready(Err(error)) => Err(End::Io(error)),
        }
    }

    /// Whether the next move is the client's: to send a request or to read an answer.
    fn waits_for_client(&self) -> bool {
        // A frame that is whole waits for the journal, one that needs a reservation and has none for the budget.
        let frame_waits = match self.head() {
            Ok(Some(head)) => {
                self.input.len() >= 4 + head.bytes
                    || (head.bytes > FRAME_BYTES_FREE && self.reserved.is_none())
            }
            _ => false,
        };
        let is_served = self.starting.is_some() || !self.answers.is_empty() || frame_waits;
        !self.output.is_empty() || !is_served
    }

    /// When the connection ends if nothing moves until then.
    fn due(&self) -> Option<Instant> {
        let idle = self.idle_after.map(|idle_after| {
            let after = match self.waits_for_client() {
                true => idle_after,
                false => idle_after.max(ANSWER_TIME_MAX),
            };
            self.active_at + after
        });
        // A stop has a time of its own.
        let drained = self.draining.as_ref();
        let drained = drained.filter(|draining| !matches!(draining.end, End::Stopped));
        let drained = drained.map(|draining| draining.since + DRAIN_TIME_MAX);
        let all = [idle, drained, self.frame_due];
        all.into_iter().flatten().min()
    }

    /// When the connection ends if others need what its answers hold.
    fn reader_due(&self) -> Option<Instant> {
        let (since, _) = self.slow_since.filter(|_| self.output.holds())?;
        Some(since + READER_STALL_MAX)
    }

    /// The timer is not moved at every request: when it fires it looks at what is due by then.
    fn poll_due(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let (due, reader_due) = (self.due(), self.reader_due());
        let Some(mut next) = due.into_iter().chain(reader_due).min() else {
            return Poll::Pending;
        };
        if next < self.timer.deadline() {
            self.timer.as_mut().reset(next);
        }
        while self.timer.as_mut().poll(cx).is_ready() {
            let now = Instant::now();
            let is_past = |due: Instant| due <= now;
            let in_the_way = reader_due.is_some_and(is_past) && self.output.is_in_the_way();
            if in_the_way || due.is_some_and(is_past) {
                return Poll::Ready(());
            }
            next = next.max(now + RECHECK);
            self.timer.as_mut().reset(next);
        }
        Poll::Pending
    }
}

/// Rounds before the connection lets others run on its thread.
const ROUNDS_MAX: usize = 16;

impl<S: Stream> Future for Connection<S> {
    type Output = End;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<End> {
        for _ in 0..ROUNDS_MAX {
            match self.poll_round(cx) {
                Err(end) => return Poll::Ready(end),
                Ok(true) => {}
                Ok(false) => return self.poll_due(cx).map(|()| End::Idle),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
