//! The control connection: checks the broker's versions, creates and deletes the topic, waits for its leaders, asks for its offsets.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use wire::api::{self, Api};
use wire::{Decoder, Encoder, Frames};

use crate::cli::Target;

const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
const READY_TIMEOUT: Duration = Duration::from_secs(60);
const POLL_INTERVAL: Duration = Duration::from_millis(10);
const LATEST: i64 = -1;

pub(crate) struct Admin {
    socket: TcpStream,
    incoming: Frames,
    correlation_id: i32,
}

/// The topic under load.
pub(crate) struct Topic {
    pub(crate) name: String,
    pub(crate) partitions: i32,
    /// Made by us for this load alone.
    temporary: bool,
}

impl Admin {
    /// Connects, and makes the topic ready to be written and read.
    pub(crate) fn prepare(target: &Target) -> Result<(Self, Topic)> {
        let mut admin = Self::connect(target.address)?;
        let needed = [
            (api::PRODUCE, true),
            (api::METADATA, true),
            (api::LIST_OFFSETS, true),
            (api::CREATE_TOPICS, target.create || target.topic.is_none()),
            (api::DELETE_TOPICS, target.topic.is_none()),
        ];
        admin.check_versions(
            needed
                .iter()
                .filter(|(_, needed)| *needed)
                .map(|(api, _)| *api),
        )?;
        let topic = match &target.topic {
            Some(name) => Topic {
                name: name.clone(),
                partitions: target.partitions,
                temporary: false,
            },
            None => Topic {
                name: format!(
                    "bench-{}",
                    SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos()
                ),
                partitions: target.partitions,
                temporary: true,
            },
        };
        if topic.temporary || target.create {
            admin.create(&topic, &target.topic_config)?;
        }
        admin.await_leaders(&topic)?;
        Ok((admin, topic))
    }

    fn connect(address: SocketAddr) -> Result<Self> {
        let socket =
            TcpStream::connect(address).with_context(|| format!("no broker at {address}"))?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(ANSWER_TIMEOUT))?;
        Ok(Self {
            socket,
            incoming: Frames::new(64 << 10),
            correlation_id: 0,
        })
    }

    /// One request, its fields written by `fields`; the answer's body is given to `read`.
    fn call<T>(
        &mut self,
        api: Api,
        fields: impl FnOnce(&mut Encoder),
        read: impl FnOnce(&mut Decoder<'_>) -> Result<T>,
    ) -> Result<T> {
        self.correlation_id += 1;
        let mut request = Encoder::request(api, self.correlation_id);
        fields(&mut request);
        self.socket.write_all(&request.finish())?;
        loop {
            if let Some(frame) = self.incoming.next_frame()? {
                let mut body = Decoder::new(frame);
                let answered = body.i32()?;
                ensure!(
                    answered == self.correlation_id,
                    "{}: answer to {answered}",
                    api.name
                );
                if api != api::API_VERSIONS {
                    body.tags()?;
                }
                return read(&mut body).with_context(|| format!("answer to {}", api.name));
            }
            let bytes = self.socket.read(self.incoming.space())?;
            ensure!(bytes > 0, "{}: the broker closed the connection", api.name);
            self.incoming.filled(bytes);
        }
    }

    fn check_versions(&mut self, needed: impl Iterator<Item = Api>) -> Result<()> {
        let fields = |request: &mut Encoder| {
            request.string("bench-driver");
            request.string(env!("CARGO_PKG_VERSION"));
            request.tags();
        };
        let ranges = self.call(api::API_VERSIONS, fields, |body| {
            check_error(body.i16()?, "ApiVersions")?;
            let mut ranges = Vec::new();
            for _ in 0..body.array()? {
                ranges.push((body.i16()?, body.i16()?..=body.i16()?));
                body.tags()?;
            }
            Ok(ranges)
        })?;
        for api in needed {
            let served = ranges
                .iter()
                .any(|(key, range)| *key == api.key && range.contains(&api.version));
            ensure!(
                served,
                "the broker does not serve {} version {}",
                api.name,
                api.version
            );
        }
        Ok(())
    }

    fn create(&mut self, topic: &Topic, configs: &[String]) -> Result<()> {
        let configs = configs
            .iter()
            .map(|config| {
                config
                    .split_once('=')
                    .with_context(|| format!("{config}: not NAME=VALUE"))
            })
            .collect::<Result<Vec<_>>>()?;
        let fields = |request: &mut Encoder| {
            request.array(1);
            request.string(&topic.name);
            request.i32(topic.partitions);
            request.i16(1);
            request.array(0);
            request.array(configs.len());
            for (name, value) in configs {
                request.string(name);
                request.string(value);
                request.tags();
            }
            request.tags();
            request.i32(ANSWER_TIMEOUT.as_millis() as i32);
            request.bool(false);
            request.tags();
        };
        self.call(api::CREATE_TOPICS, fields, |body| {
            body.i32()?;
            ensure!(body.array()? == 1, "not one topic");
            let name = body.string()?;
            check_error(body.i16()?, name)
        })
    }

    pub(crate) fn delete_if_temporary(&mut self, topic: &Topic) -> Result<()> {
        if !topic.temporary {
            return Ok(());
        }
        let fields = |request: &mut Encoder| {
            request.array(1);
            request.string(&topic.name);
            request.i32(ANSWER_TIMEOUT.as_millis() as i32);
            request.tags();
        };
        self.call(api::DELETE_TOPICS, fields, |body| {
            body.i32()?;
            ensure!(body.array()? == 1, "not one topic");
            let name = body.string()?;
            check_error(body.i16()?, name)
        })
    }

    /// Metadata first; then ListOffsets, because Kafka announces a leader a moment before it leads.
    fn await_leaders(&mut self, topic: &Topic) -> Result<()> {
        let begin = Instant::now();
        loop {
            let ready = match self.has_leaders(topic) {
                Ok(()) => self.end_offsets(topic).map(drop),
                Err(not_yet) => Err(not_yet),
            };
            match ready {
                Ok(()) => return Ok(()),
                Err(last) if begin.elapsed() > READY_TIMEOUT => {
                    return Err(last).context(format!("topic {} is not ready", topic.name));
                }
                Err(_) => sleep(POLL_INTERVAL),
            }
        }
    }

    fn has_leaders(&mut self, topic: &Topic) -> Result<()> {
        let fields = |request: &mut Encoder| {
            request.array(1);
            request.string(&topic.name);
            request.tags();
            request.bool(!topic.temporary); // the broker may create a topic that is only named
            request.bool(false);
            request.bool(false);
            request.tags();
        };
        self.call(api::METADATA, fields, |body| {
            body.i32()?;
            for _ in 0..body.array()? {
                body.i32()?;
                body.block()?;
                body.i32()?;
                body.block()?;
                body.tags()?;
            }
            body.block()?;
            body.i32()?;
            ensure!(body.array()? == 1, "not one topic");
            check_error(body.i16()?, "the topic")?;
            ensure!(body.string()? == topic.name, "another topic");
            body.bool()?;
            let partitions = body.array()?;
            ensure!(
                partitions == topic.partitions as usize,
                "{partitions} partitions, not {}",
                topic.partitions
            );
            for _ in 0..partitions {
                check_leader(body)?;
            }
            Ok(())
        })
    }

    /// The end offset of every partition, in their order.
    pub(crate) fn end_offsets(&mut self, topic: &Topic) -> Result<Vec<i64>> {
        let fields = |request: &mut Encoder| {
            request.i32(-1);
            request.i8(0);
            request.array(1);
            request.string(&topic.name);
            request.array(topic.partitions as usize);
            for partition in 0..topic.partitions {
                request.i32(partition);
                request.i32(-1);
                request.i64(LATEST);
                request.tags();
            }
            request.tags();
            request.tags();
        };
        self.call(api::LIST_OFFSETS, fields, |body| {
            body.i32()?;
            ensure!(body.array()? == 1, "not one topic");
            ensure!(body.string()? == topic.name, "another topic");
            let mut offsets = vec![None; topic.partitions as usize];
            for _ in 0..body.array()? {
                let partition = body.i32()?;
                check_error(body.i16()?, "a partition")?;
                body.i64()?;
                let offset = body.i64()?;
                body.i32()?;
                body.tags()?;
                let place = offsets
                    .get_mut(partition as usize)
                    .context("another partition")?;
                *place = Some(offset);
            }
            offsets
                .into_iter()
                .collect::<Option<Vec<_>>>()
                .context("a partition is missing")
        })
    }
}

/// One partition of a Metadata answer.
fn check_leader(body: &mut Decoder<'_>) -> Result<()> {
    check_error(body.i16()?, "a partition")?;
    let partition = body.i32()?;
    let leader = body.i32()?;
    body.i32()?;
    for _replicas_isr_offline in 0..3 {
        for _ in 0..body.array()? {
            body.i32()?;
        }
    }
    body.tags()?;
    ensure!(leader >= 0, "partition {partition} has no leader");
    Ok(())
}

/// Kafka's error code as an error.
pub(crate) fn check_error(code: i16, what: &str) -> Result<()> {
    if code != 0 {
        bail!("{what}: error code {code}");
    }
    Ok(())
}
