//! The controller: the one writer of the cluster's metadata. A command decides on the newest image, appends its records to the
//! metadata log, waits until they are durable, and only then swaps the new image in, so that no client hears of what a power cut
//! can take back. Called by the admin handlers, by auto-creation and at start.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::Arc;

use arc_swap::ArcSwap;
use log::{AppendOptions, Clock, CommitError, Journal, Log, LogId};
use protocol::Uuid;
use protocol::error::ErrorCode;
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio_util::task::TaskTracker;

use crate::client_metrics::subscription;
use crate::config::{Config, TopicOptions};
use crate::metadata::decide::DecidedTopic;
use crate::metadata::{
    Image, LogOpener, MetadataRecord, NewTopic, Refusal, Topic, decide, topic_name,
};
use crate::random::Random;
use crate::storage;

/// The log of the cluster's metadata.
pub const METADATA_LOG: LogId = 1;
/// Producer ids are handed out from blocks, so that not each costs a record.
const PRODUCER_ID_BLOCK: i64 = 1000;

pub struct Controller {
    journal: Arc<Journal>,
    log: Arc<Log>,
    config: Arc<Config>,
    random: Arc<Random>,
    clock: Arc<dyn Clock>,
    image: Arc<ArcSwap<Image>>,
    /// Held through a whole command: commands are few, and each builds on the one before.
    commands: Arc<Mutex<ProducerIds>>,
    /// A command that has been appended is finished even if its client hangs up: the next one must see its image.
    tasks: TaskTracker,
}

/// The ids left of the block taken last.
#[derive(Default)]
struct ProducerIds {
    next: i64,
    end: i64,
}

/// Opens the logs of partitions in the journal.
pub struct JournalLogs {
    pub journal: Arc<Journal>,
    pub config: Arc<Config>,
}

impl LogOpener for JournalLogs {
    fn open(&self, id: LogId, topic: &str, options: &TopicOptions) -> Arc<Log> {
        self.journal.open_log(
            id,
            storage::log_config(topic, options, &self.config.options),
        )
    }
}

impl Controller {
    pub fn new(
        journal: Arc<Journal>,
        log: Arc<Log>,
        config: Arc<Config>,
        random: Arc<Random>,
        clock: Arc<dyn Clock>,
        image: Image,
    ) -> Self {
        let next = image.next_producer_id;
        Self {
            journal,
            log,
            config,
            random,
            clock,
            image: Arc::new(ArcSwap::from_pointee(image)),
            commands: Arc::new(Mutex::new(ProducerIds { next, end: next })),
            tasks: TaskTracker::new(),
        }
    }

    /// The newest image.
    pub fn image(&self) -> Arc<Image> {
        self.image.load_full()
    }

    /// Where every change of the metadata is.
    pub fn metadata_log(&self) -> &Log {
        &self.log
    }

    /// Creates each topic by itself: one that is refused keeps none of the others. With `validate_only` nothing is touched.
    pub async fn create_topics(
        &self,
        wanted: &[NewTopic],
        validate_only: bool,
    ) -> Vec<Result<DecidedTopic, Refusal>> {
        let commands = self.commands.clone().lock_owned().await;
        let mut image = self.image();
        let fresh_id = || self.random.uuid();
        let mut outcomes = decide::create_topics(&image, &self.config, wanted, fresh_id);
        if validate_only {
            return outcomes;
        }
        let mut records = Vec::new();
        for outcome in &mut outcomes {
            let Ok(topic) = outcome else { continue };
            warn_not_applied(&topic.name, &topic.options);
            let record = topic.record();
            match self.next_image(&image, &record) {
                Ok(next) => {
                    image = Arc::new(next);
                    records.push(record);
                }
                Err(refusal) => *outcome = Err(refusal),
            }
        }
        if let Err(refusal) = self.commit(commands, &records, image, |_| {}).await {
            for outcome in outcomes.iter_mut().filter(|outcome| outcome.is_ok()) {
                *outcome = Err(refusal.clone());
            }
        }
        outcomes
    }

    /// Removes topics that exist in the newest image; their logs follow once that is durable, and `gone` hears of them,
    /// whether or not somebody still waits for the answer.
    pub async fn delete_topics(
        &self,
        ids: &[Uuid],
        gone: impl FnOnce(&[Arc<Topic>]) + Send + 'static,
    ) -> Vec<Result<(), Refusal>> {
        let commands = self.commands.clone().lock_owned().await;
        let mut image = self.image();
        let mut records = Vec::new();
        let mut topics: Vec<Arc<Topic>> = Vec::new();
        let mut outcomes = Vec::with_capacity(ids.len());
        for id in ids {
            let Some(topic) = image.topic_by_id(*id).cloned() else {
                outcomes.push(Err(Refusal::new(
                    ErrorCode::UnknownTopicId,
                    "This server does not host this topic ID.",
                )));
                continue;
            };
            let deleted = decide::delete_topic(&topic).and_then(|record| {
                image = Arc::new(self.next_image(&image, &record)?);
                records.push(record);
                topics.push(topic);
                Ok(())
            });
            outcomes.push(deleted);
        }
        let journal = self.journal.clone();
        // The answer does not wait for the logs' own record: at a start, logs without a topic are deleted.
        let then = move |_: &mut ProducerIds| {
            let logs = topics.iter().flat_map(|topic| &topic.partitions);
            journal.delete_logs(&logs.map(|log| log.id()).collect::<Vec<LogId>>());
            gone(&topics);
        };
        if let Err(refusal) = self.commit(commands, &records, image, then).await {
            for outcome in outcomes.iter_mut().filter(|outcome| outcome.is_ok()) {
                *outcome = Err(refusal.clone());
            }
        }
        outcomes
    }

    /// Brings a topic to `count` partitions.
    pub async fn create_partitions(
        &self,
        name: &str,
        count: i32,
        assignments: Option<&[Vec<i32>]>,
        validate_only: bool,
    ) -> Result<(), Refusal> {
        let commands = self.commands.clone().lock_owned().await;
        let image = self.image();
        let Some(topic) = image.topic(name) else {
            return Err(Refusal::new(
                ErrorCode::UnknownTopicOrPartition,
                "This server does not host this topic-partition.",
            ));
        };
        let record = decide::create_partitions(&image, &self.config, topic, count, assignments)?;
        if validate_only {
            return Ok(());
        }
        let next = self.next_image(&image, &record)?;
        self.commit(commands, &[record], Arc::new(next), |_| {})
            .await
    }

    /// Replaces a topic's own options by what `change` makes of them.
    pub async fn alter_topic_options(
        &self,
        name: &str,
        change: impl FnOnce(&mut BTreeMap<String, String>) -> Result<(), Refusal>,
        validate_only: bool,
    ) -> Result<(), Refusal> {
        let commands = self.commands.clone().lock_owned().await;
        let image = self.image();
        let record = decide::change_topic_options(&image, &self.config, name, change)?;
        let Some(record) = record.filter(|_| !validate_only) else {
            return Ok(());
        };
        if let MetadataRecord::TopicOptions { options, .. } = &record {
            warn_not_applied(name, options);
        }
        let next = self.next_image(&image, &record)?;
        let changed = next.topic(name).cloned();
        let config = self.config.clone();
        let then = move |_: &mut ProducerIds| {
            for (topic, log) in changed
                .iter()
                .flat_map(|topic| topic.partitions.iter().map(move |log| (topic, log)))
            {
                log.set_config(storage::log_config(
                    &topic.name,
                    &topic.options,
                    &config.options,
                ));
            }
        };
        self.commit(commands, &[record], Arc::new(next), then).await
    }

    /// Replaces the options of a subscription to client metrics by what `change` makes of them; there need not have been one.
    pub async fn alter_client_metrics(
        &self,
        name: &str,
        change: impl FnOnce(&mut BTreeMap<String, String>) -> Result<(), Refusal>,
        validate_only: bool,
    ) -> Result<(), Refusal> {
        let commands = self.commands.clone().lock_owned().await;
        let image = self.image();
        let known = image.client_metrics.all.get(name);
        let own = known
            .map(|known| known.own_options.clone())
            .unwrap_or_default();
        let mut options = own.clone();
        change(&mut options)?;
        subscription::check(&options)?;
        if validate_only || options == own {
            return Ok(());
        }
        let record = MetadataRecord::ClientMetrics {
            name: name.to_owned(),
            options,
        };
        let next = self.next_image(&image, &record)?;
        self.commit(commands, &[record], Arc::new(next), |_| {})
            .await
    }

    /// A producer id that was never given out, also not before a crash.
    pub async fn new_producer_id(&self) -> Result<i64, Refusal> {
        let mut ids = self.commands.clone().lock_owned().await;
        if ids.next < ids.end {
            ids.next += 1;
            return Ok(ids.next - 1);
        }
        let image = self.image();
        let first = image.next_producer_id;
        let end = first + PRODUCER_ID_BLOCK;
        let record = MetadataRecord::ProducerIds { next: end };
        let next = self.next_image(&image, &record)?;
        let then = move |ids: &mut ProducerIds| {
            *ids = ProducerIds {
                next: first + 1,
                end,
            }
        };
        self.commit(ids, &[record], Arc::new(next), then).await?;
        Ok(first)
    }

    /// Gives the cluster its id at its first start.
    pub async fn ensure_cluster_id(&self) -> Result<(), Refusal> {
        let commands = self.commands.clone().lock_owned().await;
        let image = self.image();
        if !image.cluster_id.is_empty() {
            return Ok(());
        }
        let id = match self.config.options.cluster_id.as_str() {
            "" => self.random.uuid().to_string(),
            given => given.to_owned(),
        };
        let record = MetadataRecord::Cluster { id };
        let next = self.next_image(&image, &record)?;
        self.commit(commands, &[record], Arc::new(next), |_| {})
            .await
    }

    fn next_image(&self, image: &Image, record: &MetadataRecord) -> Result<Image, Refusal> {
        let logs = JournalLogs {
            journal: self.journal.clone(),
            config: self.config.clone(),
        };
        image
            .apply(record, &self.config, &logs)
            .map_err(|error| Refusal::new(ErrorCode::UnknownServerError, error.to_string()))
    }

    /// Appends, waits until durable, then shows the new image and does what is left to do. From the append on it goes on by itself:
    /// a client that hangs up drops the caller, and the next command must not decide on an image that the log has left behind.
    async fn commit(
        &self,
        mut commands: OwnedMutexGuard<ProducerIds>,
        records: &[MetadataRecord],
        next: Arc<Image>,
        then: impl FnOnce(&mut ProducerIds) + Send + 'static,
    ) -> Result<(), Refusal> {
        if records.is_empty() {
            return Ok(());
        }
        let encoded = records.iter().map(|record| (None, Some(record.encode())));
        let batch = storage::batch(self.clock.wall_ms(), &[], encoded);
        let appended = self.log.append(&batch, AppendOptions { leader_epoch: 0 });
        let appended = appended.map_err(|error| storage_failed(&error.to_string()))?;
        let (log, image) = (self.log.clone(), self.image.clone());
        let finished = self.tasks.spawn(async move {
            poll_fn(|cx| log.poll_committed(&appended.ticket, cx)).await?;
            image.store(next);
            then(&mut commands);
            Ok::<(), CommitError>(())
        });
        match finished.await {
            Ok(outcome) => outcome.map_err(|error| storage_failed(&error.to_string())),
            Err(error) => Err(storage_failed(&error.to_string())),
        }
    }
}

/// Clients are not told of such options, so the operator is.
fn warn_not_applied(topic: &str, options: &BTreeMap<String, String>) {
    let names = decide::not_applied_yet(options);
    if !names.is_empty() && !topic_name::is_internal(topic) {
        tracing::warn!(
            topic,
            options = names.join(", "),
            "topic options are stored and not applied by this version"
        );
    }
}

fn storage_failed(reason: &str) -> Refusal {
    Refusal::new(
        ErrorCode::KafkaStorageError,
        format!("the change could not be stored: {reason}"),
    )
}
