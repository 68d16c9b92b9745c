//! The command line: one mode per kind of load.

use std::net::SocketAddr;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

#[derive(Parser)]
#[command(about = "Loads a Kafka broker with prebuilt requests and judges its answers")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) mode: Mode,
    /// Print the report as one line of JSON.
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

#[derive(Subcommand)]
pub(crate) enum Mode {
    /// Produce with acks=all as fast as the broker acknowledges.
    Produce(ProduceArgs),
    /// Read a topic from its start, again and again.
    Fetch(FetchArgs),
    /// Produce once per second on each of many connections.
    Idle(IdleArgs),
}

/// What every load needs.
#[derive(Args, Clone)]
pub(crate) struct Target {
    /// The broker, as IP:PORT.
    #[arg(long)]
    pub(crate) address: SocketAddr,
    /// Process id of the broker, to report its CPU and memory.
    #[arg(long)]
    pub(crate) pid: Option<u32>,
    /// A topic to use and to keep; without it, a new one is created, and deleted at the end.
    #[arg(long)]
    pub(crate) topic: Option<String>,
    /// Create the topic given by --topic.
    #[arg(long, requires = "topic")]
    pub(crate) create: bool,
    /// Partitions of the topic.
    #[arg(long, default_value_t = 4)]
    pub(crate) partitions: i32,
    /// A setting of the topic, as NAME=VALUE.
    #[arg(long)]
    pub(crate) topic_config: Vec<String>,
}

/// What a request carries: one record batch for one partition.
#[derive(Args, Clone, Copy)]
pub(crate) struct Payload {
    /// Records per request.
    #[arg(long, default_value_t = 64)]
    pub(crate) records: i32,
    /// Bytes of a record's value.
    #[arg(long, default_value_t = 1024)]
    pub(crate) record_bytes: usize,
}

#[derive(Args)]
pub(crate) struct ProduceArgs {
    #[command(flatten)]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) payload: Payload,
    #[command(flatten)]
    pub(crate) time: MeasuredTime,
    #[arg(long, default_value_t = 4)]
    pub(crate) connections: usize,
    /// Requests a connection sends before it waits for the first answer.
    #[arg(long, default_value_t = 4)]
    pub(crate) in_flight: usize,
    /// Send so many requests in all, and measure from the first to the last, instead of a time.
    #[arg(long)]
    pub(crate) requests: Option<u64>,
    /// Up to so many connections have a thread each; more share one, with epoll.
    #[arg(long, default_value_t = 8)]
    pub(crate) threads_max: usize,
}

#[derive(Args)]
pub(crate) struct IdleArgs {
    #[command(flatten)]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) time: MeasuredTime,
    #[arg(long, default_value_t = 1000)]
    pub(crate) connections: usize,
    /// Bytes of the one record in a request.
    #[arg(long, default_value_t = 200)]
    pub(crate) record_bytes: usize,
}

#[derive(Args)]
pub(crate) struct FetchArgs {
    #[command(flatten)]
    pub(crate) target: Target,
    #[command(flatten)]
    pub(crate) payload: Payload,
    #[command(flatten)]
    pub(crate) time: MeasuredTime,
    #[arg(long, default_value_t = 4)]
    pub(crate) connections: usize,
    /// Fill the topic with so many MB first.
    #[arg(long, default_value_t = 0)]
    pub(crate) fill_mb: u64,
    /// max_bytes and partition_max_bytes of a request.
    #[arg(long, default_value_t = 1 << 20)]
    pub(crate) max_bytes: i32,
    /// Read the topic so many times instead of for a time.
    #[arg(long)]
    pub(crate) passes: Option<u64>,
    /// Check the CRC of every batch (costs the driver CPU).
    #[arg(long)]
    pub(crate) check_crc: bool,
}

#[derive(Args, Clone, Copy)]
pub(crate) struct MeasuredTime {
    #[arg(long, default_value_t = 5.0)]
    seconds: f64,
    /// Load before the measured time begins.
    #[arg(long, default_value_t = 1.0)]
    warmup_seconds: f64,
}

impl MeasuredTime {
    pub(crate) fn measured(self) -> Duration {
        Duration::from_secs_f64(self.seconds.clamp(0.1, 3600.0))
    }

    pub(crate) fn warmup(self) -> Duration {
        Duration::from_secs_f64(self.warmup_seconds.clamp(0.0, 3600.0))
    }
}
