//! One sequence against one broker: its connections, its names for what is random, and the steps so far. Driven by `generate` when
//! Kafka's answers are recorded and by `replay` when they are compared.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::codec;
use crate::schema;
use crate::settle::Settler;
use crate::symbols::Symbols;

/// A request and what became of it. An answer is an object, or one of the words below.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    pub connection: usize,
    /// `COLLECT` instead of an API: the answer of the oldest request that waits.
    pub api: String,
    pub version: i16,
    pub request: Value,
    pub answer: Value,
}

pub const COLLECT: &str = "Collect";
/// The broker closed the connection.
pub const CLOSED: &str = "closed";
/// There is no answer yet: the request waits for other members of its group.
pub const WAITS: &str = "waits";
/// The request has no answer.
pub const NOTHING: &str = "nothing";

/// A broker that takes so long for what waits for nobody hangs.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long an answer that may have to wait for other members is waited for.
const BRIEF_PATIENCE: Duration = Duration::from_millis(500);
/// The same where it is known to have to: long enough for a wrong answer to come.
const FOREKNOWING_PATIENCE: Duration = Duration::from_millis(25);
const ANSWER_BYTES_MAX: usize = 64 << 20;

/// A sequence under way.
pub struct Session {
    address: String,
    /// What the names of its topics and groups begin with.
    pub prefix: String,
    connections: Vec<Option<Connection>>,
    waiting: VecDeque<Waiting>,
    symbols: Symbols,
    /// For a broker whose changes become visible after their answer.
    settler: Option<Settler>,
    pub steps: Vec<Step>,
}

/// A connection whose last request has no answer yet.
struct Waiting {
    connection: Connection,
    api: String,
    version: i16,
}

impl Session {
    pub fn new(address: &str, seed: u64, settler: Option<Settler>) -> Self {
        let prefix = format!("seq{seed}-");
        Self {
            address: address.to_owned(),
            symbols: Symbols::new(&prefix),
            prefix,
            connections: vec![None, None],
            waiting: VecDeque::new(),
            settler,
            steps: Vec::new(),
        }
    }

    /// Sends a request and notes what becomes of it.
    pub fn ask(
        &mut self,
        connection: usize,
        api: &str,
        version: i16,
        request: Value,
    ) -> Result<Value> {
        let patience = match api {
            "JoinGroup" | "SyncGroup" => BRIEF_PATIENCE,
            _ => PATIENCE,
        };
        self.step(connection, api, version, request, patience, None)
    }

    /// The answer of the oldest request that waits, which something since should have let go.
    pub fn collect(&mut self) -> Result<Value> {
        self.step(0, COLLECT, 0, Value::Null, BRIEF_PATIENCE, None)
    }

    pub fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Repeats a step of another broker's; its answer tells how long to wait.
    pub fn repeat(&mut self, step: &Step) -> Result<Value> {
        let patience = match step.answer == WAITS {
            true => FOREKNOWING_PATIENCE,
            false => PATIENCE,
        };
        self.step(
            step.connection,
            &step.api,
            step.version,
            step.request.clone(),
            patience,
            Some(&step.answer),
        )
    }

    /// The settler, for the next sequence; what this one made is removed.
    pub fn finish(mut self) -> Result<(Vec<Step>, Option<Settler>)> {
        let steps = std::mem::take(&mut self.steps);
        let all = json!({"topics": null, "allow_auto_topic_creation": false});
        let found = self.step(0, "Metadata", 12, all, PATIENCE, None)?;
        let topics = found["topics"].as_array().map_or(&[][..], Vec::as_slice);
        let own = topics.iter().filter(|topic| {
            let name = topic["name"].as_str();
            name.is_some_and(|name| name.starts_with(&self.prefix))
        });
        let own: Vec<Value> = own.map(|topic| json!({"name": topic["name"]})).collect();
        if !own.is_empty() {
            self.exchange(0, "DeleteTopics", 6, &json!({"topics": own}), PATIENCE)?;
        }
        Ok((steps, self.settler))
    }

    fn step(
        &mut self,
        connection: usize,
        api: &str,
        version: i16,
        request: Value,
        patience: Duration,
        expected: Option<&Value>,
    ) -> Result<Value> {
        let answer = match api {
            COLLECT => self.collect_within(patience),
            api => self.exchange(connection, api, version, &request, patience),
        };
        let answer = answer.with_context(|| format!("{api} v{version} {request}"))?;
        let answer = self.symbols.normalise(answer, expected);
        if let Some(settler) = &mut self.settler {
            settler.settle(api, &request, &answer)?;
        }
        self.steps.push(Step {
            connection,
            api: api.to_owned(),
            version,
            request,
            answer: answer.clone(),
        });
        Ok(answer)
    }

    fn exchange(
        &mut self,
        connection: usize,
        api: &str,
        version: i16,
        request: &Value,
        patience: Duration,
    ) -> Result<Value> {
        let slot = &mut self.connections[connection];
        let mut open = match slot.take() {
            Some(open) => open,
            None => Connection::open(&self.address)?,
        };
        let has_answer = api != "Produce" || request["acks"] != 0;
        let answer = match open.send(api, version, request, &self.symbols)? {
            Sent::Closed => CLOSED.into(),
            Sent::Whole if !has_answer => NOTHING.into(),
            Sent::Whole => open.receive(api, version, patience)?,
        };
        if answer == WAITS {
            self.waiting.push_back(Waiting {
                connection: open,
                api: api.to_owned(),
                version,
            });
        } else if answer != CLOSED {
            self.connections[connection] = Some(open);
        }
        Ok(answer)
    }

    fn collect_within(&mut self, patience: Duration) -> Result<Value> {
        let mut oldest = self.waiting.pop_front().context("nothing waits")?;
        let answer = oldest
            .connection
            .receive(&oldest.api, oldest.version, patience)?;
        if answer == WAITS {
            self.waiting.push_front(oldest);
        }
        Ok(answer)
    }
}

/// Whether a request went out.
pub(crate) enum Sent {
    Whole,
    Closed,
}

/// A connection with at most one request under way.
pub(crate) struct Connection {
    stream: TcpStream,
    correlation_id: i32,
}

impl Connection {
    pub(crate) fn open(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).with_context(|| address.to_owned())?;
        stream.set_nodelay(true)?;
        Ok(Self {
            stream,
            correlation_id: 0,
        })
    }

    pub(crate) fn send(
        &mut self,
        api: &str,
        version: i16,
        request: &Value,
        symbols: &Symbols,
    ) -> Result<Sent> {
        self.correlation_id += 1;
        let api = schema::api(api)?;
        let bytes = codec::encode_request(api, version, self.correlation_id, request, symbols)?;
        match self.stream.write_all(&bytes) {
            Ok(()) => Ok(Sent::Whole),
            Err(error) if is_closed(error.kind()) => Ok(Sent::Closed),
            Err(error) => Err(error.into()),
        }
    }

    /// The answer with its random values still marked, or one of the words.
    pub(crate) fn receive(&mut self, api: &str, version: i16, patience: Duration) -> Result<Value> {
        let mut size = [0; 4];
        self.stream.set_read_timeout(Some(patience))?;
        match self.stream.read_exact(&mut size) {
            Ok(()) => {}
            Err(error) if is_closed(error.kind()) => return Ok(CLOSED.into()),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                return Ok(WAITS.into());
            }
            Err(error) => return Err(error.into()),
        }
        let size = u32::from_be_bytes(size) as usize;
        if size > ANSWER_BYTES_MAX {
            bail!("an answer of {size} bytes");
        }
        let mut bytes = vec![0; size];
        self.stream.set_read_timeout(Some(PATIENCE))?;
        self.stream.read_exact(&mut bytes)?;
        let (correlation_id, answer) =
            codec::decode_response(schema::api(api)?, version, &bytes)
                .with_context(|| format!("the answer {}", codec::to_hex(&bytes)))?;
        if correlation_id != self.correlation_id {
            bail!("{correlation_id} answers {}", self.correlation_id);
        }
        Ok(answer)
    }
}

fn is_closed(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::UnexpectedEof
            | ErrorKind::ConnectionReset
            | ErrorKind::BrokenPipe
            | ErrorKind::ConnectionAborted
    )
}
