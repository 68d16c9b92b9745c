//! A raw client of Kafka's protocol over a stream in memory: a request goes out, an answer comes in. It may pipeline; it never retries.

use std::io;
use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use log::Clock;
use protocol::header::{decode_response_header, frame_request};
use protocol::wire::Decoder;
use protocol::{KafkaString, Message, Request};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::clock::SimClock;
use crate::trace::{Direction, Event, Trace};

pub struct Client {
    stream: DuplexStream,
    /// What has come in and was not taken yet: a wait that is given up loses nothing.
    input: BytesMut,
    sent: i32,
    received: i32,
    connection: u64,
    clock: Arc<SimClock>,
    trace: Trace,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    #[error("the connection is gone: {0}")]
    Io(#[from] io::Error),
    #[error("the answer is not one: {0}")]
    Malformed(String),
}

impl Client {
    pub(crate) fn new(
        stream: DuplexStream,
        connection: u64,
        clock: Arc<SimClock>,
        trace: Trace,
    ) -> Self {
        Self {
            stream,
            input: BytesMut::new(),
            sent: 0,
            received: 0,
            connection,
            clock,
            trace,
        }
    }

    /// Sends a request and waits for its answer; none other may be under way.
    pub async fn ask<R: Request>(
        &mut self,
        request: &R,
        version: i16,
    ) -> Result<R::Response, NoAnswer> {
        self.send(request, version).await?;
        self.receive::<R>(version).await
    }

    pub async fn send<R: Request>(&mut self, request: &R, version: i16) -> Result<(), NoAnswer> {
        self.sent += 1;
        let client_id = Some(KafkaString::from("testkit"));
        let frame = frame_request(request, version, self.sent, client_id);
        self.note(Direction::Request, &frame);
        Ok(self.stream.write_all(&frame).await?)
    }

    /// The answer to the oldest request under way, which was an `R` of this version.
    pub async fn receive<R: Request>(&mut self, version: i16) -> Result<R::Response, NoAnswer> {
        let frame = self.frame().await?;
        self.note(Direction::Answer, &frame);
        self.received += 1;
        let malformed = |error: protocol::wire::DecodeError| NoAnswer::Malformed(error.to_string());
        let mut input = Decoder::new(frame);
        let correlation_id =
            decode_response_header(&mut input, R::KEY, version).map_err(malformed)?;
        if correlation_id != self.received {
            let what = format!(
                "answer {correlation_id} instead of answer {}",
                self.received
            );
            return Err(NoAnswer::Malformed(what));
        }
        let response = R::Response::decode(&mut input, version).map_err(malformed)?;
        input.finish().map_err(malformed)?;
        Ok(response)
    }

    async fn frame(&mut self) -> io::Result<Bytes> {
        loop {
            if let Some(size) = self.input.first_chunk::<4>() {
                let size = u32::from_be_bytes(*size) as usize;
                if self.input.len() >= 4 + size {
                    self.input.advance(4);
                    return Ok(self.input.split_to(size).freeze());
                }
            }
            if self.stream.read_buf(&mut self.input).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }

    fn note(&self, direction: Direction, bytes: &Bytes) {
        self.trace.add(Event {
            at_ms: self.clock.wall_ms(),
            connection: self.connection,
            direction,
            bytes: bytes.clone(),
        });
    }
}
