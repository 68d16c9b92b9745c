//! The runtime around `groups`: appends its records to `__consumer_offsets`, tells it when they are durable and what time it is, and
//! carries its answers to the requests that wait. Called by the group handlers; one task of its own does what is due later.

mod replay;
mod section;

use std::collections::{BTreeMap, VecDeque};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use log::{AppendError, AppendOptions, Clock, Journal, Log, Ticket};
use parking_lot::Mutex;
use protocol::Uuid;
use protocol::error::ErrorCode;
use protocol::record::Header;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub use self::section::SECTION;

use self::replay::replay;
use self::section::Section;
use crate::config::Options;
use crate::groups::{
    Append, AppendId, Effects, Groups, GroupsConfig, Now, Reply, Token, partition_of,
};
use crate::metadata::Topic;
use crate::storage;

pub const OFFSETS_TOPIC: &str = "__consumer_offsets";
/// The running time when a batch was appended, on its first record: Kafka's stamps are the wall clock's, which may be set.
const RUNNING_MS_HEADER: &[u8] = b"ottla.running.ms";
/// The groups' part of the memory budget, an eighth.
const MEMORY_SHARE: i64 = 8;

pub struct Coordinator {
    inner: Mutex<Inner>,
    /// Its running time is the groups' as well: frames of every log carry it on, while groups may be silent for months.
    journal: Arc<Journal>,
    clock: Arc<dyn Clock>,
    leader_epoch: i32,
    unreadable_records: u64,
}

struct Inner {
    groups: Groups,
    /// The offsets topic and its partitions, once it exists.
    topic_id: Uuid,
    logs: Vec<Arc<Log>>,
    waiting: BTreeMap<Token, oneshot::Sender<Reply>>,
    last_token: u64,
    /// In the order in which they were made, which is the order in which they become durable.
    appends: VecDeque<UnderWay>,
    /// The task that does what is due later.
    task: Option<Waker>,
    closed: bool,
}

struct UnderWay {
    id: AppendId,
    partition: usize,
    outcome: Outcome,
}

enum Outcome {
    Waits {
        log: Arc<Log>,
        ticket: Ticket,
        base_offset: i64,
    },
    Failed(ErrorCode),
}

/// A snapshot of the groups that cannot be read, or an offsets topic that is not there to be read.
#[derive(Debug, thiserror::Error)]
#[error("the groups' state cannot be read: {0}")]
pub struct Unreadable(String);

fn unreadable(error: impl std::fmt::Display) -> Unreadable {
    Unreadable(error.to_string())
}

pub fn groups_config(options: &Options) -> GroupsConfig {
    GroupsConfig {
        members_max: usize::try_from(options.group_max_size).unwrap_or(usize::MAX),
        initial_rebalance_delay_ms: u64::from(
            options.group_initial_rebalance_delay_ms.unsigned_abs(),
        ),
        session_timeout_ms_min: options.group_min_session_timeout_ms,
        session_timeout_ms_max: options.group_max_session_timeout_ms,
        offset_metadata_max: usize::try_from(options.offset_metadata_max_bytes).unwrap_or(0),
        offsets_retention_ms: u64::from(options.offsets_retention_minutes.unsigned_abs()) * 60_000,
        offsets_retention_check_interval_ms: options
            .offsets_retention_check_interval_ms
            .unsigned_abs(),
        memory_bytes_max: usize::try_from(memory_bytes(options)).unwrap_or(0),
    }
}

/// The part of the memory budget that groups may hold.
pub fn memory_bytes(options: &Options) -> i64 {
    options.memory_budget_bytes / MEMORY_SHARE
}

impl Coordinator {
    /// Groups as the snapshot and the offsets topic leave them.
    pub fn load(
        options: &Options,
        section: Option<Bytes>,
        topic: Option<&Topic>,
        journal: Arc<Journal>,
        clock: Arc<dyn Clock>,
        leader_epoch: i32,
    ) -> Result<Self, Unreadable> {
        let config = groups_config(options);
        let topic_id = topic.map(|topic| topic.id).unwrap_or_default();
        let section = match section {
            Some(bytes) => Section::decode(bytes).map_err(unreadable)?,
            None => Section::default(),
        };
        let section = section.for_topic(topic_id);
        let mut groups = match section.groups {
            Some(groups) => Groups::restore(config, groups).map_err(unreadable)?,
            None => Groups::new(config),
        };
        let logs = topic
            .map(|topic| topic.partitions.clone())
            .unwrap_or_default();
        let mut unreadable_records = 0;
        for (partition, log) in logs.iter().enumerate() {
            let position = section.positions.get(partition).copied().unwrap_or(0);
            let from = position.max(log.start_offset());
            unreadable_records += replay(&mut groups, log, from)?;
        }
        let inner = Inner {
            groups,
            topic_id,
            logs,
            waiting: BTreeMap::new(),
            last_token: 0,
            appends: VecDeque::new(),
            task: None,
            closed: false,
        };
        let coordinator = Self {
            inner: Mutex::new(inner),
            journal,
            clock,
            leader_epoch,
            unreadable_records,
        };
        coordinator.step(Groups::loaded);
        Ok(coordinator)
    }

    /// The offsets topic has been created.
    pub fn use_topic(&self, topic: &Topic) {
        let mut inner = self.inner.lock();
        if inner.logs.is_empty() {
            inner.topic_id = topic.id;
            inner.logs.clone_from(&topic.partitions);
        }
    }

    /// How many records of the offsets topic could not be read when it was loaded.
    pub fn unreadable_records(&self) -> u64 {
        self.unreadable_records
    }

    pub fn has_topic(&self) -> bool {
        !self.inner.lock().logs.is_empty()
    }

    /// Looks at the groups.
    pub fn look<T>(&self, look: impl FnOnce(&Groups) -> T) -> T {
        look(&self.inner.lock().groups)
    }

    /// A request that is answered at once.
    pub fn now<T>(&self, request: impl FnOnce(&mut Groups, Now) -> T) -> T {
        let now = self.time();
        request(&mut self.inner.lock().groups, now)
    }

    /// A request that may wait for others, for a timer or for the disk. The answer never comes when the broker stops.
    pub fn ask(
        &self,
        request: impl FnOnce(&mut Groups, Now, Token) -> Effects,
    ) -> oneshot::Receiver<Reply> {
        let (answer, answered) = oneshot::channel();
        let now = self.time();
        let mut inner = self.inner.lock();
        if !inner.closed {
            inner.last_token += 1;
            let token = Token(inner.last_token);
            inner.waiting.insert(token, answer);
            let effects = request(&mut inner.groups, now, token);
            self.perform(&mut inner, effects);
            // The deadline may be an earlier one now.
            inner.wake_task();
        }
        answered
    }

    /// Something happened that groups must know of and nobody waits for.
    pub fn step(&self, step: impl FnOnce(&mut Groups, Now) -> Effects) {
        let now = self.time();
        let mut inner = self.inner.lock();
        let effects = step(&mut inner.groups, now);
        self.perform(&mut inner, effects);
    }

    fn time(&self) -> Now {
        Now {
            monotonic_ms: self.clock.monotonic_ms().unsigned_abs(),
            running_ms: self.journal.running_ms(),
            wall_ms: self.clock.wall_ms(),
        }
    }

    fn perform(&self, inner: &mut Inner, effects: Effects) {
        for append in effects.appends {
            let partition =
                usize::try_from(partition_of(&append.group_id, inner.partitions())).unwrap_or(0);
            let outcome = self.append(inner.logs.get(partition), &append);
            inner.appends.push_back(UnderWay {
                id: append.id,
                partition,
                outcome,
            });
        }
        for (token, reply) in effects.replies {
            if let Some(waiting) = inner.waiting.remove(&token) {
                // Who hung up meanwhile needs no answer.
                let _ = waiting.send(reply);
            }
        }
        if !inner.appends.is_empty() {
            inner.wake_task();
        }
    }

    fn append(&self, log: Option<&Arc<Log>>, append: &Append) -> Outcome {
        let Some(log) = log else {
            return Outcome::Failed(ErrorCode::CoordinatorNotAvailable);
        };
        let encoded = append.records.iter().map(|record| {
            let (key, value) = record.encode();
            (Some(key.to_vec()), value.map(|value| value.to_vec()))
        });
        let running_ms = append.stamp.running_ms.to_be_bytes();
        let header = Header {
            key: RUNNING_MS_HEADER,
            value: Some(&running_ms),
        };
        let batch = storage::batch(append.stamp.wall_ms, &[header], encoded);
        match log.append(
            &batch,
            AppendOptions {
                leader_epoch: self.leader_epoch,
            },
        ) {
            Ok(appended) => Outcome::Waits {
                log: log.clone(),
                ticket: appended.ticket,
                base_offset: appended.base_offset,
            },
            Err(error) => {
                tracing::warn!(%error, "a group's record could not be appended");
                Outcome::Failed(append_code(&error))
            }
        }
    }

    /// Tells the groups of durable appends and of the time. The body of the coordinator's task.
    pub async fn run(self: Arc<Self>, stopping: CancellationToken) {
        let mut stop = pin!(stopping.cancelled());
        let mut timer = pin!(tokio::time::sleep(Duration::ZERO));
        poll_fn(|cx| {
            if stop.as_mut().poll(cx).is_ready() {
                return Poll::Ready(());
            }
            let due_ms = self.do_what_is_due(cx);
            let now_ms = self.time().monotonic_ms;
            let wait = due_ms.map_or(Duration::from_secs(3600), |due| {
                Duration::from_millis(due.saturating_sub(now_ms))
            });
            timer.as_mut().reset(Instant::now() + wait);
            if timer.as_mut().poll(cx).is_ready() {
                cx.waker().wake_by_ref();
            }
            Poll::Pending
        })
        .await;
        self.close();
    }

    /// Answers when there is something to do again.
    fn do_what_is_due(&self, cx: &mut Context<'_>) -> Option<u64> {
        let mut inner = self.inner.lock();
        inner.task = Some(cx.waker().clone());
        while let Some(result) = inner.poll_first_append(cx) {
            let Some(done) = inner.appends.pop_front() else {
                break;
            };
            let effects = inner.groups.appended(self.time(), done.id, result);
            self.perform(&mut inner, effects);
        }
        let now = self.time();
        if inner
            .groups
            .next_deadline()
            .is_some_and(|due| due <= now.monotonic_ms)
        {
            let effects = inner.groups.tick(now);
            self.perform(&mut inner, effects);
        }
        inner.groups.next_deadline()
    }

    fn close(&self) {
        let mut inner = self.inner.lock();
        inner.closed = true;
        // The groups stay: the snapshot of a clean stop is still to be made of them.
        let replies = inner.groups.close();
        self.perform(
            &mut inner,
            Effects {
                appends: Vec::new(),
                replies,
            },
        );
    }

    /// The section of a snapshot.
    pub fn snapshot(&self) -> Bytes {
        let now = self.time();
        let inner = self.inner.lock();
        let mut positions: Vec<i64> = inner.logs.iter().map(|log| log.end_offset()).collect();
        for append in &inner.appends {
            if let Outcome::Waits { base_offset, .. } = append.outcome
                && let Some(position) = positions.get_mut(append.partition)
            {
                // Not in the groups' state yet: replayed again.
                *position = base_offset.min(*position);
            }
        }
        let section = Section {
            topic_id: inner.topic_id,
            positions,
            groups: Some(inner.groups.snapshot(now)),
        };
        section.encode()
    }
}

impl Inner {
    fn partitions(&self) -> i32 {
        i32::try_from(self.logs.len()).unwrap_or(i32::MAX)
    }

    fn wake_task(&mut self) {
        if let Some(task) = &self.task {
            task.wake_by_ref();
        }
    }

    /// The outcome of the oldest append, once it is known.
    fn poll_first_append(&self, cx: &mut Context<'_>) -> Option<Result<(), ErrorCode>> {
        match &self.appends.front()?.outcome {
            Outcome::Failed(code) => Some(Err(*code)),
            Outcome::Waits { log, ticket, .. } => match log.poll_committed(ticket, cx) {
                Poll::Pending => None,
                Poll::Ready(outcome) => Some(outcome.map_err(|_| ErrorCode::KafkaStorageError)),
            },
        }
    }
}

/// As Kafka's log would say it; what the client hears, the groups decide.
fn append_code(error: &AppendError) -> ErrorCode {
    match error {
        AppendError::TooLarge { .. } => ErrorCode::MessageTooLarge,
        AppendError::Busy => ErrorCode::CoordinatorNotAvailable,
        AppendError::Full
        | AppendError::Failed { .. }
        | AppendError::Deleted
        | AppendError::OutOfOrderSequence { .. }
        | AppendError::InvalidProducerEpoch { .. } => ErrorCode::KafkaStorageError,
    }
}
