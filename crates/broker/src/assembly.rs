//! A broker put together from a disk, a clock and randomness: opens the journal, replays the metadata and the groups. Called by
//! `server` with the machine's own, by a simulation with its own; who calls it runs the journal's steps and brings the connections.

use std::sync::Arc;

use bytes::Bytes;
use log::disk::Disk;
use log::{Clock, Journal, JournalOptions, Log, OpenError, Recovered, RetentionClock};
use parking_lot::Mutex;
use protocol::Uuid;
use protocol::batch::Batches;
use tokio_util::sync::CancellationToken;

use crate::broker::{Address, Broker};
use crate::budget::Budget;
use crate::client_metrics::ClientMetrics;
use crate::config::Config;
use crate::controller::{Controller, JournalLogs, METADATA_LOG};
use crate::coordinator::{self, Coordinator, OFFSETS_TOPIC};
use crate::fetch::session::SessionCache;
use crate::metadata::{Image, MetadataRecord, snapshot};
use crate::random::Random;
use crate::runtime::HeavyWork;
use crate::{metrics, storage};

/// The parts of the memory budget for records that are fetched, and for answers that cannot be cut short; groups have
/// theirs, requests the rest.
const RECORDS_SHARE: i64 = 4;
const ANSWERS_SHARE: i64 = 4;

/// Stored state that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error(
        "the metadata log cannot be replayed: {0}; nothing was changed. Restore the folder from a copy, or ask for help with it"
    )]
    Metadata(String),
    #[error("{0}; nothing was changed. Restore the folder from a copy, or ask for help with it")]
    Groups(String),
}

/// What a broker is made of beside its journal.
pub struct Parts {
    pub config: Arc<Config>,
    /// Where each listener is reached, in the order of the configuration.
    pub addresses: Vec<Address>,
    pub clock: Arc<dyn Clock>,
    pub random: Arc<Random>,
}

impl Parts {
    /// The first half of a start. The second writes: before it, the journal's steps must be run by somebody.
    pub fn open_journal(
        &self,
        disk: Arc<dyn Disk>,
    ) -> Result<(Arc<Journal>, Recovered), OpenError> {
        let options = &self.config.options;
        let salts = self.random.clone();
        let options = JournalOptions {
            file_bytes: options.journal_file_bytes.unsigned_abs(),
            tail_cache_bytes: usize::try_from(options.log_tail_cache_bytes).unwrap_or(0),
            producer_id_expiration_ms: u64::from(options.producer_id_expiration_ms.unsigned_abs()),
            retention_clock: match options.log_retention_clock.as_str() {
                "wall" => RetentionClock::Wall,
                _ => RetentionClock::Running,
            },
            retention_check_interval_ms: options.log_retention_check_interval_ms.unsigned_abs(),
            ..JournalOptions::new(Box::new(move || salts.bytes()))
        };
        let (journal, recovered) = Journal::open(disk, self.clock.clone(), options)?;
        // Until there is a broker, or if there will be none, a snapshot keeps what the last one held.
        let sections = recovered.sections.clone();
        journal.set_snapshot_source(Box::new(move || sections.clone()));
        Ok((journal, recovered))
    }

    /// The second half: a broker that can take connections.
    pub async fn assemble(
        self,
        journal: Arc<Journal>,
        recovered: &mut Recovered,
    ) -> Result<Arc<Broker>, LoadError> {
        let metadata_log = journal.open_log(METADATA_LOG, storage::metadata_log_config());
        let sections = std::mem::take(&mut recovered.sections);
        let image = replay(
            &journal,
            &metadata_log,
            &self.config,
            section(&sections, snapshot::SECTION),
        )?;
        delete_orphans(&journal, &image);
        let coordinator = Coordinator::load(
            &self.config.options,
            section(&sections, coordinator::SECTION),
            image.topic(OFFSETS_TOPIC).map(|topic| &**topic),
            journal.clone(),
            self.clock.clone(),
            recovered.leader_epoch,
        );
        let coordinator =
            Arc::new(coordinator.map_err(|error| LoadError::Groups(error.to_string()))?);
        // A crash may have come between a topic's deletion and that of what was committed for it.
        coordinator.step(|groups, now| {
            let is_gone = |id| id != Uuid::ZERO && image.topic_by_id(id).is_none();
            groups.topics_gone(now, |_, id| is_gone(id))
        });
        let controller = Controller::new(
            journal.clone(),
            metadata_log,
            self.config.clone(),
            self.random.clone(),
            self.clock.clone(),
            image,
        );
        controller
            .ensure_cluster_id()
            .await
            .map_err(|refusal| LoadError::Metadata(refusal.message))?;
        let budget_bytes = self.config.options.memory_budget_bytes;
        let broker = Arc::new(Broker {
            transactional_clients: Default::default(),
            addresses: self.addresses,
            journal,
            controller,
            coordinator,
            leader_epoch: recovered.leader_epoch,
            fetch_sessions: Mutex::new(SessionCache::new(
                usize::try_from(
                    self.config
                        .options
                        .max_incremental_fetch_session_cache_slots,
                )
                .unwrap_or(0),
                i32::from_be_bytes(*self.random.bytes().first_chunk().unwrap_or(&[0; 4])),
            )),
            requests: Budget::new(
                budget_bytes
                    - budget_bytes / RECORDS_SHARE
                    - budget_bytes / ANSWERS_SHARE
                    - coordinator::memory_bytes(&self.config.options),
            ),
            records: Budget::new(budget_bytes / RECORDS_SHARE),
            answers: Budget::new(budget_bytes / ANSWERS_SHARE),
            connections: Arc::default(),
            metrics: metrics::Metrics::default(),
            client_metrics: ClientMetrics::default(),
            heavy_work: HeavyWork::default(),
            clock: self.clock,
            random: self.random,
            stopping: CancellationToken::new(),
            config: self.config,
        });
        snapshot_from(&broker);
        Ok(broker)
    }
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
) -> Result<Image, LoadError> {
    let failed = |reason: String| LoadError::Metadata(reason);
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
) -> Result<Image, LoadError> {
    let failed = |reason: &dyn std::fmt::Display| LoadError::Metadata(reason.to_string());
    let chunks = log
        .read(image.end_offset, log.high_watermark(), REPLAY_BYTES, true)
        .map_err(|error| failed(&error))?;
    let before = image.end_offset;
    for bytes in chunks {
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
