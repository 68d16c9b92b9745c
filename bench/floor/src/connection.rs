//! A connection: one task reads requests and hands batches to the journal, another writes the answers whose commits are durable.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anyhow::{Result, ensure};
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Notify;
use wire::{Decoder, Encoder, Frames, api};

use crate::answers;
use crate::journal::Journal;
use crate::topics::{Topic, Topics};

const CORRUPT_MESSAGE: i16 = 2;
const UNKNOWN_TOPIC_OR_PARTITION: i16 = 3;
const BATCH_HEADER_BYTES: usize = 61;
/// A client that leaves more answers unread is cut off.
const OUTBOX_BYTES_MAX: usize = 16 << 20;

pub(crate) struct Floor {
    pub(crate) address: SocketAddr,
    pub(crate) topics: Topics,
    pub(crate) journal: Arc<Journal>,
}

/// Answers in order, each with the commit that it waits for.
#[derive(Default)]
pub(crate) struct Outbox {
    answers: Mutex<Answers>,
    /// The last commit that this connection takes part in.
    joined: AtomicU64,
    closed: AtomicBool,
    wake: Notify,
}

#[derive(Default)]
struct Answers {
    bytes: Vec<u8>,
    /// Commit and length of each answer in `bytes`.
    waiting: VecDeque<(u64, usize)>,
}

impl Outbox {
    /// Whether this is the connection's first batch in the commit. Called under the journal's lock.
    pub(crate) fn joins(&self, commit: u64) -> bool {
        self.joined.swap(commit, Ordering::Relaxed) != commit
    }

    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    fn push(&self, commit: u64, answer: &[u8]) -> Result<()> {
        let mut answers = self.answers.lock();
        answers.bytes.extend_from_slice(answer);
        answers.waiting.push_back((commit, answer.len()));
        ensure!(
            answers.bytes.len() < OUTBOX_BYTES_MAX,
            "the client does not read its answers"
        );
        Ok(())
    }

    /// Moves the answers that are durable by now to `to`.
    fn take(&self, durable: u64, to: &mut Vec<u8>) {
        let mut answers = self.answers.lock();
        let mut length = 0;
        while let Some((_, bytes)) = answers
            .waiting
            .pop_front_if(|(commit, _)| *commit <= durable)
        {
            length += bytes;
        }
        to.extend(answers.bytes.drain(..length));
    }
}

pub(crate) async fn serve(socket: TcpStream, floor: Arc<Floor>) {
    let (reading, writing) = socket.into_split();
    let outbox = Arc::new(Outbox::default());
    tokio::spawn(write_answers(
        writing,
        Arc::clone(&outbox),
        Arc::clone(&floor.journal),
    ));
    let reader = Reader {
        floor,
        outbox: Arc::clone(&outbox),
        topic: None,
    };
    if let Err(error) = reader.run(reading).await {
        eprintln!("connection: {error:#}");
    }
    outbox.closed.store(true, Ordering::Release);
    outbox.wake();
}

async fn write_answers(mut socket: OwnedWriteHalf, outbox: Arc<Outbox>, journal: Arc<Journal>) {
    let mut bytes = Vec::new();
    loop {
        outbox.wake.notified().await;
        bytes.clear();
        outbox.take(journal.durable(), &mut bytes);
        let written = socket.write_all(&bytes).await;
        if written.is_err() || outbox.closed.load(Ordering::Acquire) {
            return;
        }
    }
}

struct Reader {
    floor: Arc<Floor>,
    outbox: Arc<Outbox>,
    /// The topic of the last request: there is hardly ever another.
    topic: Option<(String, Arc<Topic>)>,
}

impl Reader {
    async fn run(mut self, mut socket: OwnedReadHalf) -> Result<()> {
        let mut frames = Frames::new(64 << 10);
        loop {
            let bytes = socket.read(frames.space()).await?;
            if bytes == 0 {
                return Ok(());
            }
            frames.filled(bytes);
            while let Some(frame) = frames.next_frame()? {
                self.handle(frame).await?;
            }
        }
    }

    async fn handle(&mut self, frame: &[u8]) -> Result<()> {
        let mut body = Decoder::new(frame);
        let (key, version, correlation_id) = (body.i16()?, body.i16()?, body.i32()?);
        body.old_string()?;
        body.tags()?;
        if (key, version) == (api::PRODUCE.key, api::PRODUCE.version) {
            return self.produce(body, correlation_id).await;
        }
        let answer = answers::answer(key, version, correlation_id, &mut body, &self.floor)?;
        self.outbox.push(0, &answer)?;
        self.outbox.wake();
        Ok(())
    }

    /// One topic, one partition, one batch: what the driver sends.
    async fn produce(&mut self, mut body: Decoder<'_>, correlation_id: i32) -> Result<()> {
        body.block()?; // transactional id
        ensure!(body.i16()? != 0, "acks=0 is not served");
        body.i32()?; // timeout
        ensure!(body.array()? == 1, "more than one topic");
        let name = body.string()?;
        ensure!(body.array()? == 1, "more than one partition");
        let partition = body.i32()?;
        let batch = body.block()?;
        let (error, base_offset, commit) = match self.offsets(name, partition, batch) {
            Ok(base_offset) => (
                0,
                base_offset,
                self.floor.journal.append(batch, &self.outbox).await,
            ),
            Err(error) => (error, -1, 0),
        };
        let answer = produce_answer(correlation_id, name, partition, error, base_offset);
        self.outbox.push(commit, &answer)?;
        // The commit may have become durable before the answer was in the outbox.
        if self.floor.journal.durable() >= commit {
            self.outbox.wake();
        }
        Ok(())
    }

    /// The base offset for a good batch, or Kafka's error code.
    fn offsets(&mut self, name: &str, partition: i32, batch: &[u8]) -> Result<i64, i16> {
        let records = checked_records(batch).ok_or(CORRUPT_MESSAGE)?;
        if !matches!(&self.topic, Some((known, _)) if known == name) {
            let topic = self
                .floor
                .topics
                .get(name)
                .ok_or(UNKNOWN_TOPIC_OR_PARTITION)?;
            self.topic = Some((name.to_owned(), topic));
        }
        let topic = self.topic.as_ref().map(|(_, topic)| topic);
        topic
            .and_then(|topic| topic.append(partition, records))
            .ok_or(UNKNOWN_TOPIC_OR_PARTITION)
    }
}

/// The number of records that the header tells, if length and CRC are right.
fn checked_records(batch: &[u8]) -> Option<i64> {
    let header = batch.first_chunk::<BATCH_HEADER_BYTES>()?;
    let field = |at: usize| {
        header[at..]
            .first_chunk()
            .map(|bytes| i32::from_be_bytes(*bytes))
    };
    let length_fits = usize::try_from(field(8)?).ok()? + 12 == batch.len();
    let crc_fits = crc_fast::crc32_iscsi(&batch[21..]) == field(17)? as u32;
    (length_fits && crc_fits).then(|| i64::from(field(57).unwrap_or(0)))
}

fn produce_answer(
    correlation_id: i32,
    topic: &str,
    partition: i32,
    error: i16,
    base_offset: i64,
) -> Vec<u8> {
    let mut answer = Encoder::response(api::PRODUCE, correlation_id);
    answer.array(1);
    answer.string(topic);
    answer.array(1);
    answer.i32(partition);
    answer.i16(error);
    answer.i64(base_offset);
    answer.i64(-1); // log append time
    answer.i64(0); // log start offset
    answer.array(0); // record errors
    answer.null(); // error message
    answer.tags();
    answer.tags();
    answer.i32(0); // throttle time
    answer.tags();
    answer.finish()
}
