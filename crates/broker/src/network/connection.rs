//! One client's connection: bytes in, requests decoded and started in order, answers out in the same order. Requests are pipelined:
//! the next is started while earlier ones wait for their commit. Spawned by the listener, ends when the client leaves, errs, idles
//! too long, or the broker stops.
//!
//! Bounds: the input buffer holds one frame (its bytes reserved from the budget before they are allocated), the answers under way
//! are limited in number, and nothing more is read while answers wait to be sent.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::time::{Instant, Sleep};
use tokio_util::sync::WaitForCancellationFutureOwned;

use super::output::Output;
use crate::broker::Broker;
use crate::budget::Reservation;
use crate::dispatch::{self, Answer, Handled};

/// Read at least this much at once; grows while reads fill the buffer.
const READ_BYTES_MIN: usize = 4 * 1024;
const READ_BYTES_MAX: usize = 256 * 1024;
/// Frames up to this size need no reservation: it is what a connection costs anyway.
const FRAME_BYTES_FREE: usize = 64 * 1024;
/// A frame that took from the budget and stops coming for so long costs the connection.
const FRAME_STALL_MAX: Duration = Duration::from_secs(30);
/// No further request is started while answers hold so many bytes, or so many wait to be sent.
const OUTPUT_BYTES_MAX: usize = 1024 * 1024;

/// Who is at the other end, for handlers, logs and metrics.
#[derive(Clone, Debug)]
pub struct Peer {
    pub address: Option<SocketAddr>,
    /// Index of the listener in the configuration: decides which address clients are told.
    pub listener: usize,
}

/// Why a connection ended.
#[derive(Debug)]
pub enum End {
    ClientLeft,
    Idle,
    Stopped,
    BadRequest(dispatch::BadRequest),
    Io(io::Error),
}

pub struct Connection<S> {
    stream: S,
    broker: Arc<Broker>,
    peer: Peer,
    input: BytesMut,
    read_bytes: usize,
    reserved: Option<Reservation>,
    answers: VecDeque<Answer>,
    /// What they hold.
    answers_bytes: usize,
    output: Output,
    idle: Pin<Box<Sleep>>,
    idle_after: Option<Duration>,
    active_at: Instant,
    stop: Pin<Box<WaitForCancellationFutureOwned>>,
    /// No more requests are read; what was started is still answered.
    draining: Option<End>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
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
            answers: VecDeque::new(),
            answers_bytes: 0,
            output: Output::default(),
            idle: Box::pin(tokio::time::sleep_until(
                now + idle_after.unwrap_or(Duration::from_secs(86_400)),
            )),
            idle_after,
            active_at: now,
            stop: Box::pin(broker.stopping.clone().cancelled_owned()),
            draining: None,
            broker,
        }
    }

    /// One round over everything that can move; true if something did.
    fn poll_round(&mut self, cx: &mut Context<'_>) -> Result<bool, End> {
        let mut moved = false;
        if self.draining.is_none() {
            if self.stop.as_mut().poll(cx).is_ready() {
                self.draining = Some(End::Stopped);
            } else {
                moved |= self.poll_requests(cx)?;
            }
        }
        moved |= self.poll_answers(cx);
        moved |= self.poll_output(cx)?;
        if self.answers.is_empty()
            && self.output.is_empty()
            && let Some(end) = self.draining.take()
        {
            return Err(end);
        }
        Ok(moved)
    }

    fn may_start(&self) -> bool {
        let in_flight_max = self
            .broker
            .config
            .options
            .max_in_flight_requests_per_connection;
        self.answers.len() < in_flight_max.unsigned_abs() as usize
            && self.answers_bytes + self.output.bytes() < OUTPUT_BYTES_MAX
    }

    /// Starts every request that is there whole, then reads.
    fn poll_requests(&mut self, cx: &mut Context<'_>) -> Result<bool, End> {
        let mut moved = false;
        while self.draining.is_none() && self.may_start() {
            let Some(frame_bytes) = self.frame_bytes()? else {
                if self.poll_read(READ_BYTES_MIN, cx)? {
                    moved = true
                } else {
                    break;
                }
                continue;
            };
            if self.input.len() < 4 + frame_bytes {
                if !self.poll_room(frame_bytes, cx)
                    || !self.poll_read(4 + frame_bytes - self.input.len(), cx)?
                {
                    break;
                }
                moved = true;
                continue;
            }
            if self.broker.poll_journal_room(cx).is_pending() {
                break;
            }
            self.start_request(frame_bytes);
            moved = true;
        }
        Ok(moved)
    }

    /// The length of the frame at the head of the input, once it is known.
    fn frame_bytes(&self) -> Result<Option<usize>, End> {
        let Some(length) = self.input.first_chunk::<4>() else {
            return Ok(None);
        };
        let length = i32::from_be_bytes(*length);
        if length < 0 || length > self.broker.config.options.socket_request_max_bytes {
            return Err(End::BadRequest(dispatch::BadRequest::FrameSize(length)));
        }
        Ok(Some(length.unsigned_abs() as usize))
    }

    /// Whether a frame of this size may be buffered.
    fn poll_room(&mut self, frame_bytes: usize, cx: &mut Context<'_>) -> bool {
        if frame_bytes <= FRAME_BYTES_FREE || self.reserved.is_some() {
            return true;
        }
        match self.broker.budget.poll_reserve(frame_bytes, cx) {
            Poll::Ready(reservation) => {
                self.reserved = Some(reservation);
                // The timer may be set for much later.
                if let Some(due) = self.idle_due() {
                    self.idle.as_mut().reset(due);
                }
                true
            }
            Poll::Pending => false,
        }
    }

    /// True if bytes came in.
    fn poll_read(&mut self, wanted: usize, cx: &mut Context<'_>) -> Result<bool, End> {
        self.input.reserve(wanted.max(self.read_bytes));
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

    fn start_request(&mut self, frame_bytes: usize) {
        self.input.advance(4);
        let frame = self.input.split_to(frame_bytes).freeze();
        match dispatch::handle(&self.broker, &self.peer, frame) {
            Handled::Answer(answer) => {
                let answer = answer.of_frame(frame_bytes, self.reserved.take());
                self.answers_bytes += answer.bytes();
                self.answers.push_back(answer);
            }
            Handled::Nothing => self.reserved = None,
            // What was asked before is answered before the connection closes.
            Handled::Close(reason) => self.draining = Some(End::BadRequest(reason)),
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
        match self.output.poll_send(&mut self.stream, cx) {
            Poll::Pending => Ok(false),
            Poll::Ready(Ok(())) => {
                self.active_at = Instant::now();
                Ok(true)
            }
            Poll::Ready(Err(error)) => Err(End::Io(error)),
        }
    }

    /// When the connection counts as idle, if nothing moves until then. A frame that takes from the budget must come without long
    /// breaks.
    fn idle_due(&self) -> Option<Instant> {
        let idle_after = match (&self.reserved, self.idle_after) {
            (Some(_), idle_after) => idle_after.unwrap_or(FRAME_STALL_MAX).min(FRAME_STALL_MAX),
            (None, idle_after) => idle_after?,
        };
        Some(self.active_at + idle_after)
    }

    /// Whether the next move is the client's: to send a request or to read an answer.
    fn waits_for_client(&self) -> bool {
        // A frame that is whole waits for the journal, one that needs a reservation and has none for the budget.
        let frame_waits = match self.frame_bytes() {
            Ok(Some(bytes)) => {
                self.input.len() >= 4 + bytes
                    || (bytes > FRAME_BYTES_FREE && self.reserved.is_none())
            }
            _ => false,
        };
        !self.output.is_empty() || (self.answers.is_empty() && !frame_waits)
    }

    /// The timer is not moved at every request: when it fires it looks at how long ago the last activity was.
    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(mut due) = self.idle_due() else {
            return Poll::Pending;
        };
        while self.idle.as_mut().poll(cx).is_ready() {
            if Instant::now() >= due && self.waits_for_client() {
                return Poll::Ready(());
            }
            due = due.max(Instant::now() + Duration::from_millis(100));
            self.idle.as_mut().reset(due);
        }
        Poll::Pending
    }
}

/// Rounds before the connection lets others run on its thread.
const ROUNDS_MAX: usize = 16;

impl<S: AsyncRead + AsyncWrite + Unpin> Future for Connection<S> {
    type Output = End;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<End> {
        for _ in 0..ROUNDS_MAX {
            match self.poll_round(cx) {
                Err(end) => return Poll::Ready(end),
                Ok(true) => {}
                Ok(false) => return self.poll_idle(cx).map(|()| End::Idle),
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}
