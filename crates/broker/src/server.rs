//! Start and stop of a broker: opens the journal, replays the metadata, binds the listeners, and on a stop drains connections and
//! closes the journal cleanly. Called by the binary and by tests.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use log::disk::{Disk, real::RealDisk};
use log::{Clock, Journal, JournalOptions, Log, OpenError, Recovered};
use parking_lot::Mutex;
use protocol::KafkaString;
use protocol::batch::Batches;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::broker::{Address, Broker};
use crate::budget::Budget;
use crate::config::{Config, Listener};
use crate::controller::{Controller, JournalLogs, METADATA_LOG};
use crate::coordinator::{self, Coordinator, OFFSETS_TOPIC};
use crate::fetch::session::SessionCache;
use crate::metadata::{Image, MetadataRecord, snapshot};
use crate::network::listener;
use crate::random::Random;
use crate::runtime::JournalThreads;
use crate::{http, metrics, storage};

/// Why a broker does not start; each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("the data folder {folder} cannot be opened: {source}", folder = .folder.display())]
    Folder { folder: PathBuf, source: io::Error },
    #[error(transparent)]
    Journal(#[from] OpenError),
    #[error(
        "the metadata log cannot be replayed: {0}; nothing was changed. Restore the folder from a copy, or ask for help with it"
    )]
    Metadata(String),
    #[error("{0}; nothing was changed. Restore the folder from a copy, or ask for help with it")]
    Groups(String),
    #[error(
        "cannot listen on {address}: {source}; is another broker running there? `listeners` chooses the address"
    )]
    Listen { address: String, source: io::Error },
    #[error("the journal's threads cannot be started: {0}")]
    Threads(io::Error),
}

/// A broker that serves.
pub struct Server {
    pub broker: Arc<Broker>,
    /// The bound addresses of the listeners, in the order of the configuration.
    pub bound: Vec<SocketAddr>,
    pub http: Option<SocketAddr>,
    pub recovered: Recovered,
    tasks: TaskTracker,
    threads: JournalThreads,
}

impl Server {
    pub async fn start(
        config: Config,
        clock: Arc<dyn Clock>,
        random: Arc<Random>,
    ) -> Result<Self, StartError> {
        let folder = PathBuf::from(config.options.log_dirs.join(","));
        let disk =
            RealDisk::open(&folder).map_err(|source| StartError::Folder { folder, source })?;
        // Bound first: who cannot listen has not touched the data.
        let listeners = bind_all(&config.listeners).await?;
        let http = bind_http(&config.options.http_listener).await?;
        let config = Arc::new(config);
        let (journal, mut recovered) =
            open_journal(Arc::new(disk), clock.clone(), &random, &config)?;
        let threads = JournalThreads::start(&journal).map_err(StartError::Threads)?;
        let metadata_log = journal.open_log(METADATA_LOG, storage::metadata_log_config());
        let sections = std::mem::take(&mut recovered.sections);
        let image = replay(
            &journal,
            &metadata_log,
            &config,
            section(&sections, snapshot::SECTION),
        )?;
        delete_orphans(&journal, &image);
        let coordinator = Coordinator::load(
            &config.options,
            section(&sections, coordinator::SECTION),
            image.topic(OFFSETS_TOPIC).map(|topic| &**topic),
            clock.clone(),
            recovered.leader_epoch,
        );
        let coordinator =
            Arc::new(coordinator.map_err(|error| StartError::Groups(error.to_string()))?);
        let controller = Controller::new(
            journal.clone(),
            metadata_log,
            config.clone(),
            random.clone(),
            clock.clone(),
            image,
        );
        controller
            .ensure_cluster_id()
            .await
            .map_err(|refusal| StartError::Metadata(refusal.message))?;
        let broker = Arc::new(Broker {
            addresses: addresses(&config.listeners, &listeners),
            journal,
            controller,
            coordinator,
            leader_epoch: recovered.leader_epoch,
            fetch_sessions: Mutex::new(SessionCache::new(
                usize::try_from(config.options.max_incremental_fetch_session_cache_slots)
                    .unwrap_or(0),
                i32::from_be_bytes(*random.bytes().first_chunk().unwrap_or(&[0; 4])),
            )),
            budget: Budget::new(config.options.memory_budget_bytes),
            connections: Arc::default(),
            metrics: metrics::Metrics::default(),
            clock,
            random,
            stopping: CancellationToken::new(),
            config,
        });
        snapshot_from(&broker);
        let bound = listeners
            .iter()
            .filter_map(|bound| bound.local_addr().ok())
            .collect();
        let http_address = http.as_ref().and_then(|bound| bound.local_addr().ok());
        let tasks = TaskTracker::new();
        tasks.spawn(broker.coordinator.clone().run(broker.stopping.clone()));
        for (index, bound) in listeners.into_iter().enumerate() {
            tasks.spawn(listener::accept(
                bound,
                index,
                broker.clone(),
                tasks.clone(),
            ));
        }
        if let Some(bound) = http {
            tasks.spawn(http::serve(bound, broker.clone()));
        }
        Ok(Self {
            broker,
            bound,
            http: http_address,
            recovered,
            tasks,
            threads,
        })
    }

    /// Takes no more requests, answers those under way, closes the journal.
    pub async fn stop(self) {
        self.broker.stopping.cancel();
        self.tasks.close();
        let wait_ms = u64::try_from(self.broker.config.options.shutdown_timeout_ms).unwrap_or(0);
        if tokio::time::timeout(Duration::from_millis(wait_ms), self.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!(
                connections = self.broker.connections.open(),
                "stopped before every connection was drained"
            );
        }
        self.broker.journal.close();
        self.threads.join();
    }
}

async fn bind_all(listeners: &[Listener]) -> Result<Vec<TcpListener>, StartError> {
    let mut bound = Vec::with_capacity(listeners.len());
    for listener in listeners {
        let address = format!("{}:{}", listener.host, listener.port);
        bound.push(
            listener::bind(listener)
                .await
                .map_err(|source| StartError::Listen { address, source })?,
        );
    }
    Ok(bound)
}

async fn bind_http(address: &str) -> Result<Option<TcpListener>, StartError> {
    if address.is_empty() {
        return Ok(None);
    }
    let bound = TcpListener::bind(address).await;
    bound.map(Some).map_err(|source| StartError::Listen {
        address: address.to_owned(),
        source,
    })
}

/// What clients are told: the configured address, with the port that was bound where the configuration leaves it open.
fn addresses(listeners: &[Listener], bound: &[TcpListener]) -> Vec<Address> {
    let address = |(listener, bound): (&Listener, &TcpListener)| {
        let bound = bound
            .local_addr()
            .map(|address| address.port())
            .unwrap_or(listener.port);
        let host = match listener.advertised_host.as_str() {
            "" => host_name(),
            host => host.to_owned(),
        };
        let port = if listener.advertised_port == 0 {
            bound
        } else {
            listener.advertised_port
        };
        Address {
            host: KafkaString::from(host),
            port: i32::from(port),
        }
    };
    listeners.iter().zip(bound).map(address).collect()
}

/// A listener on every address is reached by the machine's name, as Kafka does.
fn host_name() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

fn open_journal(
    disk: Arc<dyn Disk>,
    clock: Arc<dyn Clock>,
    random: &Arc<Random>,
    config: &Config,
) -> Result<(Arc<Journal>, Recovered), OpenError> {
    let salts = random.clone();
    let options = JournalOptions {
        file_bytes: config.options.journal_file_bytes.unsigned_abs(),
        tail_cache_bytes: usize::try_from(config.options.log_tail_cache_bytes).unwrap_or(0),
        producer_id_expiration_ms: u64::from(
            config.options.producer_id_expiration_ms.unsigned_abs(),
        ),
        ..JournalOptions::new(Box::new(move || salts.bytes()))
    };
    Journal::open(disk, clock, options)
}

fn section(sections: &[(u32, Bytes)], tag: u32) -> Option<Bytes> {
    sections
        .iter()
        .find(|(found, _)| *found == tag)
        .map(|(_, section)| section.clone())
}

/// The image from its snapshot and the records behind it.
fn replay(
    journal: &Arc<Journal>,
    log: &Log,
    config: &Arc<Config>,
    section: Option<Bytes>,
) -> Result<Image, StartError> {
    let failed = |reason: String| StartError::Metadata(reason);
    let logs = JournalLogs {
        journal: journal.clone(),
        config: config.clone(),
    };
    let mut image = Image::empty();
    if let Some(section) = section {
        let snapshot = snapshot::decode(section).map_err(|error| failed(error.to_string()))?;
        for record in &snapshot.records {
            image = image
                .apply(record, config, &logs)
                .map_err(|error| failed(error.to_string()))?;
        }
        image.end_offset = snapshot.end_offset;
    }
    while image.end_offset < log.high_watermark() {
        image = replay_some(image, log, config, &logs)?;
    }
    Ok(image)
}

/// Bytes of the metadata log that are replayed at once.
const REPLAY_BYTES: usize = 4 * 1024 * 1024;

fn replay_some(
    mut image: Image,
    log: &Log,
    config: &Config,
    logs: &JournalLogs,
) -> Result<Image, StartError> {
    let failed = |reason: &dyn std::fmt::Display| StartError::Metadata(reason.to_string());
    let chunks = log
        .read(image.end_offset, log.high_watermark(), REPLAY_BYTES, true)
        .map_err(|error| failed(&error))?;
    let before = image.end_offset;
    for chunk in chunks {
        let bytes = chunk.into_bytes();
        for batch in Batches::new(&bytes) {
            let batch = batch.map_err(|error| failed(&error))?;
            let mut scratch = Vec::new();
            let records = batch
                .records(REPLAY_BYTES, &mut scratch)
                .map_err(|error| failed(&error))?;
            for record in records {
                let record = record.map_err(|error| failed(&error))?;
                if record.offset < image.end_offset {
                    continue;
                }
                let record = MetadataRecord::decode(record.value.unwrap_or_default())
                    .map_err(|error| failed(&error))?;
                image = image
                    .apply(&record, config, logs)
                    .map_err(|error| failed(&error))?;
            }
        }
    }
    if image.end_offset == before {
        return Err(failed(&format!("nothing can be read at offset {before}")));
    }
    Ok(image)
}

/// Logs whose topic is gone: a crash fell between the topic's deletion and theirs.
fn delete_orphans(journal: &Journal, image: &Image) {
    let mut known = vec![METADATA_LOG];
    known.extend(
        image
            .topics()
            .flat_map(|topic| topic.partitions.iter().map(|log| log.id())),
    );
    journal.retain_only(&known);
}

/// The journal's snapshots hold the broker's state machines as well.
fn snapshot_from(broker: &Arc<Broker>) {
    let weak = Arc::downgrade(broker);
    broker.journal.set_snapshot_source(Box::new(move || {
        let Some(broker) = weak.upgrade() else {
            return Vec::new();
        };
        vec![
            (
                snapshot::SECTION,
                snapshot::encode(&broker.controller.image()),
            ),
            (coordinator::SECTION, broker.coordinator.snapshot()),
        ]
    }));
}
