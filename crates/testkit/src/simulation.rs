//! Lives of one broker on one disk, each on a runtime of its own whose time is paused. Between lives the process is killed, loses power
//! or was stopped. Tests call it; `workload` runs inside a life.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use broker::assembly::{LoadError, Parts};
use broker::broker::{Address, Broker};
use broker::config::{Config, ConfigError};
use broker::network::connection::{Connection, Peer};
use broker::random::Random;
use log::disk::sim::{Rng, SimDisk};
use log::{Clock, Journal, OpenError};
use parking_lot::Mutex;
use protocol::KafkaString;
use tokio_util::task::TaskTracker;

use crate::client::Client;
use crate::clock::SimClock;
use crate::trace::Trace;

/// Bytes that a stream holds in one direction.
const STREAM_BYTES: usize = 64 * 1024;
const FIRST_WALL_MS: i64 = 1_700_000_000_000;

/// A broker's disk and what stays the same over its lives.
pub struct Simulation {
    pub disk: SimDisk,
    pub rng: Rng,
    pub trace: Trace,
    config: Arc<Config>,
    wall_ms: i64,
    connections: Arc<AtomicU64>,
    power_cut: Arc<PowerCut>,
}

/// Why a life did not begin.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Journal(#[from] OpenError),
    #[error(transparent)]
    Load(#[from] LoadError),
}

/// A broker that lives; clones share it.
#[derive(Clone)]
pub struct Life {
    pub broker: Arc<Broker>,
    pub clock: Arc<SimClock>,
    steps: Arc<Steps>,
    tasks: TaskTracker,
    trace: Trace,
    connections: Arc<AtomicU64>,
    disk: SimDisk,
    power_cut: Arc<PowerCut>,
}

impl Simulation {
    pub fn new(seed: u64, options: &[(&str, &str)]) -> Result<Self, ConfigError> {
        let flags = options
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let mut config = Config::load("", std::iter::empty(), flags)?;
        // Below what operators may choose, so that short runs fill files.
        config.options.journal_file_bytes = 512 * 1024;
        let mut rng = Rng::new(seed);
        Ok(Self {
            disk: SimDisk::new(rng.next_u64()),
            rng,
            trace: Trace::default(),
            config: Arc::new(config),
            wall_ms: FIRST_WALL_MS,
            connections: Arc::default(),
            power_cut: Arc::default(),
        })
    }

    /// Starts a broker on the disk and lives with it until `life` returns; then its process is killed.
    pub fn live<T>(&mut self, life: impl AsyncFnOnce(&Life) -> T) -> Result<T, StartError> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build();
        let runtime = runtime.map_err(|source| {
            let doing = "making the simulation's runtime".to_owned();
            OpenError::Io { doing, source }
        })?;
        let outcome = runtime.block_on(async {
            let clock = Arc::new(SimClock::new(self.wall_ms));
            let started = self.start(clock.clone()).await;
            let outcome = match started {
                Ok(started) => Ok(life(&started).await),
                Err(error) => Err(error),
            };
            self.wall_ms = clock.wall_ms();
            outcome
        });
        // The next life finds the machine's clock set anew, within an hour.
        let hour_ms = 3_600_000;
        let jump_ms = i64::try_from(self.rng.below(2 * hour_ms)).unwrap_or(0);
        self.wall_ms += jump_ms - 3_600_000;
        outcome
    }

    async fn start(&mut self, clock: Arc<SimClock>) -> Result<Life, StartError> {
        let parts = Parts {
            config: self.config.clone(),
            addresses: vec![Address {
                host: KafkaString::from("simulated"),
                port: 9092,
            }],
            clock: clock.clone(),
            random: Arc::new(Random::from_seed(self.rng.next_u64())),
        };
        let (journal, mut recovered) = parts.open_journal(Arc::new(self.disk.clone()))?;
        let tasks = TaskTracker::new();
        let steps = Arc::new(Steps {
            journal: journal.clone(),
            held: AtomicBool::new(false),
        });
        tasks.spawn(steps.clone().run(Rng::new(self.rng.next_u64())));
        let broker = parts.assemble(journal, &mut recovered).await?;
        tasks.spawn(broker.coordinator.clone().run(broker.stopping.clone()));
        Ok(Life {
            broker,
            clock,
            steps,
            tasks,
            trace: self.trace.clone(),
            connections: self.connections.clone(),
            disk: self.disk.clone(),
            power_cut: self.power_cut.clone(),
        })
    }

    /// The power will go inside a change of the disk, so many changes from now: in the start of the next life, if they are few.
    pub fn plan_power_cut(&self, changes: u64) {
        self.power_cut.plan(&self.disk, changes);
    }

    pub fn has_power(&self) -> bool {
        self.power_cut.is_ahead(&self.disk)
    }

    /// The power goes, after a life or inside it: what the disk had not synced is there or is not.
    pub fn lose_power(&mut self) {
        self.disk = self.disk.crash(self.rng.next_u64());
        self.power_cut = Arc::default();
    }
}

/// The change of the disk inside which the power goes, if one was chosen.
#[derive(Default)]
struct PowerCut {
    at: Mutex<Option<u64>>,
}

impl PowerCut {
    fn plan(&self, disk: &SimDisk, changes: u64) {
        let at = Some(disk.counts().changes + changes);
        *self.at.lock() = at;
        disk.set_power_cut_at(at);
    }

    fn is_ahead(&self, disk: &SimDisk) -> bool {
        self.at.lock().is_none_or(|at| disk.counts().changes <= at)
    }
}

impl Life {
    pub fn connect(&self) -> Client {
        let (ours, theirs) = tokio::io::duplex(STREAM_BYTES);
        let peer = Peer {
            address: None,
            listener: 0,
            software: Arc::default(),
        };
        self.tasks
            .spawn(Connection::new(theirs, self.broker.clone(), peer));
        let number = self.connections.fetch_add(1, Ordering::Relaxed);
        Client::new(ours, number, self.clock.clone(), self.trace.clone())
    }

    /// The journal takes appends and makes no step by itself, until [`Life::release_journal`].
    pub fn hold_journal(&self) {
        self.steps.held.store(true, Ordering::Relaxed);
    }

    pub fn release_journal(&self) {
        self.steps.held.store(false, Ordering::Relaxed);
    }

    pub fn disk(&self) -> &SimDisk {
        &self.disk
    }

    pub fn journal(&self) -> &Arc<Journal> {
        &self.steps.journal
    }

    /// The journal writes no more: the disk failed or lost power.
    pub fn has_failed(&self) -> bool {
        self.steps.journal.status().failed.is_some()
    }

    pub fn has_power(&self) -> bool {
        self.power_cut.is_ahead(&self.disk)
    }

    /// A clean stop. Clients must have left.
    pub async fn stop(&self) {
        self.broker.stopping.cancel();
        self.steps.held.store(true, Ordering::Relaxed);
        tokio::time::sleep(Duration::from_secs(1)).await;
        self.steps.journal.close();
    }
}

/// What the journal's threads do in production, one step at a time.
struct Steps {
    journal: Arc<Journal>,
    held: AtomicBool,
}

impl Steps {
    async fn run(self: Arc<Self>, mut rng: Rng) {
        loop {
            tokio::time::sleep(Duration::from_millis(1 + rng.below(3))).await;
            if self.held.load(Ordering::Relaxed) {
                continue;
            }
            let _did_something = match rng.below(8) {
                0..5 => self.journal.commit_step(),
                5 => self.journal.sync_step(),
                _ => self.journal.maintenance_step(),
            };
        }
    }
}
