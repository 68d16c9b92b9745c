//! One connection that keeps a number of prebuilt produce requests in flight and judges every answer. Works on a blocking socket
//! (a thread of its own) as on one that does not block (`crowd`, `idle`).

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::ops::Range;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use wire::{Decoder, Encoder, Frames, api};

use crate::admin::check_error;
use crate::latency::Latencies;
use crate::offsets::Offsets;

/// No answer for so long: the broker hangs.
pub(crate) const SILENCE_MAX: Duration = Duration::from_secs(60);
/// Small requests are written together up to about this size.
const WRITE_BYTES: usize = 64 << 10;
const PRODUCE_TIMEOUT_MS: i32 = 30_000;

/// A produce request for one partition; correlation id and partition are patched before each sending.
pub(crate) struct Template {
    bytes: Vec<u8>,
    partition_at: usize,
}

impl Template {
    pub(crate) fn new(topic: &str, batch: &[u8]) -> Self {
        let mut request = Encoder::request(api::PRODUCE, 0);
        request.null(); // transactional id
        request.i16(-1); // acks: all
        request.i32(PRODUCE_TIMEOUT_MS);
        request.array(1);
        request.string(topic);
        request.array(1);
        let partition_at = request.position();
        request.i32(0);
        request.block(batch);
        request.tags();
        request.tags();
        request.tags();
        Self {
            bytes: request.finish(),
            partition_at,
        }
    }
}

/// When to send, and which answers count.
#[derive(Clone, Copy)]
pub(crate) struct Timeline {
    /// Answers between these two count; none is sent after the second.
    pub(crate) begin: Instant,
    pub(crate) end: Instant,
}

/// What a connection has to report.
pub(crate) struct Tally {
    /// Answers within the timeline; the latencies are theirs.
    pub(crate) answers: u64,
    pub(crate) latencies: Latencies,
    /// Of all answers, warm-up included.
    pub(crate) offsets: Offsets,
    pub(crate) last_answer: Instant,
}

impl Tally {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            answers: 0,
            latencies: Latencies::new(),
            offsets: Offsets::default(),
            last_answer: now,
        }
    }

    pub(crate) fn merge(&mut self, other: Self) {
        self.answers += other.answers;
        self.latencies.merge(&other.latencies);
        self.offsets.merge(other.offsets);
        self.last_answer = self.last_answer.max(other.last_answer);
    }
}

struct Sent {
    at: Instant,
    correlation_id: i32,
    partition: i32,
}

pub(crate) struct Connection {
    pub(crate) socket: TcpStream,
    /// Copies of the template, so that several small requests go in one write.
    outgoing: Vec<u8>,
    request_bytes: usize,
    partition_at: usize,
    /// The part of `outgoing` that is still to be written.
    unsent: Range<usize>,
    incoming: Frames,
    in_flight: VecDeque<Sent>,
    in_flight_max: usize,
    /// Written in turns.
    partitions: Vec<i32>,
    turn: usize,
    next_correlation_id: i32,
    /// Requests that may still be sent.
    quota: u64,
    timeline: Timeline,
    tally: Tally,
}

impl Connection {
    pub(crate) fn open(
        address: SocketAddr,
        template: &Template,
        partitions: Vec<i32>,
        in_flight_max: usize,
    ) -> Result<Self> {
        let socket =
            TcpStream::connect(address).with_context(|| format!("connect to {address}"))?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(SILENCE_MAX))?;
        socket.set_write_timeout(Some(SILENCE_MAX))?;
        let copies = (WRITE_BYTES / template.bytes.len()).clamp(1, in_flight_max.max(1));
        let now = Instant::now();
        Ok(Self {
            socket,
            outgoing: template.bytes.repeat(copies),
            request_bytes: template.bytes.len(),
            partition_at: template.partition_at,
            unsent: 0..0,
            incoming: Frames::new(8 << 10),
            in_flight: VecDeque::with_capacity(in_flight_max),
            in_flight_max,
            partitions,
            turn: 0,
            next_correlation_id: 0,
            quota: u64::MAX,
            timeline: Timeline {
                begin: now,
                end: now,
            },
            tally: Tally::new(now),
        })
    }

    pub(crate) fn set_timeline(&mut self, timeline: Timeline, quota: u64) {
        self.timeline = timeline;
        self.quota = quota;
    }

    /// The whole load of a connection that has a thread to itself.
    pub(crate) fn drive(mut self) -> Result<Tally> {
        loop {
            self.fill()?;
            if self.is_finished() {
                return Ok(self.tally);
            }
            ensure!(self.drain()?, "no answer within {SILENCE_MAX:?}");
        }
    }

    pub(crate) fn into_tally(self) -> Tally {
        self.tally
    }

    /// Everything sent is answered, and nothing more will be sent.
    pub(crate) fn is_finished(&self) -> bool {
        self.in_flight.is_empty() && (self.quota == 0 || Instant::now() >= self.timeline.end)
    }

    /// The socket took less than there was to write.
    pub(crate) fn is_blocked(&self) -> bool {
        !self.unsent.is_empty()
    }

    /// Sends until as many requests are in flight as may be.
    pub(crate) fn fill(&mut self) -> Result<()> {
        self.flush()?;
        while self.unsent.is_empty() {
            let room = self.in_flight_max - self.in_flight.len();
            let count = room.min(self.outgoing.len() / self.request_bytes);
            let count = count.min(usize::try_from(self.quota).unwrap_or(usize::MAX));
            let now = Instant::now();
            if count == 0 || now >= self.timeline.end {
                return Ok(());
            }
            self.send(count, now)?;
        }
        Ok(())
    }

    /// Sends one request that was due at `due`, however many are in flight; its latency counts from there.
    pub(crate) fn send_due(&mut self, due: Instant) -> Result<()> {
        ensure!(!self.is_blocked(), "the broker does not read");
        self.send(1, due)
    }

    fn send(&mut self, count: usize, at: Instant) -> Result<()> {
        for request in self
            .outgoing
            .chunks_exact_mut(self.request_bytes)
            .take(count)
        {
            let correlation_id = self.next_correlation_id;
            let partition = self.partitions[self.turn];
            request[Encoder::CORRELATION_AT..][..4].copy_from_slice(&correlation_id.to_be_bytes());
            request[self.partition_at..][..4].copy_from_slice(&partition.to_be_bytes());
            self.in_flight.push_back(Sent {
                at,
                correlation_id,
                partition,
            });
            self.next_correlation_id = correlation_id.wrapping_add(1);
            self.turn = (self.turn + 1) % self.partitions.len();
        }
        self.quota -= count as u64;
        self.unsent = 0..count * self.request_bytes;
        self.flush()
    }

    fn flush(&mut self) -> Result<()> {
        while !self.unsent.is_empty() {
            match self.socket.write(&self.outgoing[self.unsent.clone()]) {
                Ok(bytes) => self.unsent.start += bytes,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error).context("write"),
            }
        }
        Ok(())
    }

    /// Reads once and judges the answers that are there; false if nothing came.
    pub(crate) fn drain(&mut self) -> Result<bool> {
        let bytes = match self.socket.read(self.incoming.space()) {
            Ok(0) => bail!("the broker closed the connection"),
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(true),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(false),
            Err(error) => return Err(error).context("read"),
        };
        self.incoming.filled(bytes);
        let now = Instant::now();
        while let Some(frame) = self.incoming.next_frame()? {
            let sent = self.in_flight.pop_front().context("an answer to nothing")?;
            let base_offset = judge(frame, &sent)?;
            self.tally.offsets.add(sent.partition, base_offset)?;
            self.tally.last_answer = now;
            if now >= self.timeline.begin && now < self.timeline.end {
                self.tally.answers += 1;
                self.tally.latencies.add(now.duration_since(sent.at));
            }
        }
        Ok(true)
    }
}

/// The base offset that a produce answer gives; an error if it is not the right answer, or not a good one.
fn judge(frame: &[u8], sent: &Sent) -> Result<i64> {
    let mut body = Decoder::new(frame);
    let answered = body.i32()?;
    ensure!(
        answered == sent.correlation_id,
        "answer to {answered}, not to {}",
        sent.correlation_id
    );
    body.tags()?;
    ensure!(body.array()? == 1, "not one topic in a produce answer");
    body.block()?;
    ensure!(body.array()? == 1, "not one partition in a produce answer");
    let partition = body.i32()?;
    ensure!(
        partition == sent.partition,
        "partition {partition}, not {}",
        sent.partition
    );
    check_error(body.i16()?, "Produce")?;
    let base_offset = body.i64()?;
    body.i64()?; // log append time
    body.i64()?; // log start offset
    ensure!(body.array()? == 0, "record errors in a good answer");
    body.block()?; // error message
    body.tags()?;
    body.tags()?;
    body.i32()?; // throttle time
    body.tags()?;
    Ok(base_offset)
}
