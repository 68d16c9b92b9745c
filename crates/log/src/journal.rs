//! The journal: the one thing that is appended to. Holds the logs, the queue of the next frame and the watermarks; `commit` writes,
//! `recover` opens, `store` reads. One per data folder.
//!
//! Locks, in the order in which they are taken: a log's state, the writer, the queue, the store. Wakers are called under none.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use parking_lot::{Condvar, Mutex, MutexGuard, RwLock};

use crate::clock::Clock;
use crate::commit::Writer;
use crate::disk::Disk;
use crate::frame;
use crate::log::{
    AppendError, Chunk, CommitError, Durability, Log, LogClass, LogConfig, LogId, ReadError, Ticket,
};
use crate::queue::{NewBatch, PendingFrame};
use crate::running_clock::RunningClock;
use crate::store::Store;

/// What a journal is made with.
pub struct JournalOptions {
    pub file_bytes: u64,
    /// A frame that has so many bytes is written even if nobody is in a hurry.
    pub frame_bytes_max: usize,
    pub tail_cache_bytes: usize,
    pub producer_id_expiration_ms: u64,
    pub producers_per_log_max: usize,
    /// Gives each file its salt.
    pub salts: Mutex<Box<dyn FnMut() -> [u8; 16] + Send>>,
}

impl JournalOptions {
    pub fn new(salts: Box<dyn FnMut() -> [u8; 16] + Send>) -> Self {
        Self {
            file_bytes: 64 << 20,
            frame_bytes_max: 8 << 20,
            tail_cache_bytes: 64 << 20,
            producer_id_expiration_ms: 86_400_000,
            producers_per_log_max: 10_000,
            salts: Mutex::new(salts),
        }
    }
}

/// Gives the state machines above the log in their stored form.
pub type SnapshotSource = Box<dyn Fn() -> Vec<(u32, Bytes)> + Send + Sync>;

pub struct Journal {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) options: JournalOptions,
    logs: RwLock<HashMap<LogId, Arc<Log>>>,
    pub(crate) queue: Mutex<Queue>,
    /// The commit thread waits here for work.
    pub(crate) work: Condvar,
    /// The maintenance thread waits here.
    pub(crate) upkeep: Condvar,
    /// With the writer's lock: the next file has been made, or cannot be.
    pub(crate) spare_made: Condvar,
    pub(crate) committer_waits: AtomicBool,
    pub(crate) written: AtomicU64,
    pub(crate) durable: AtomicU64,
    waiters: Mutex<Vec<(Ticket, Waker)>>,
    /// Why nothing is written any more.
    failure: RwLock<Option<String>>,
    pub(crate) writer: Mutex<Writer>,
    pub(crate) store: Store,
    pub(crate) running: RunningClock,
    pub(crate) snapshot_source: Mutex<Option<SnapshotSource>>,
    pub(crate) leader_epoch: AtomicI64,
    /// A log acknowledges from the page cache: syncing is a step of its own.
    pub(crate) has_os_logs: AtomicBool,
    pub(crate) frames: AtomicU64,
    pub(crate) syncs: AtomicU64,
    /// What keeps the folder ours.
    pub(crate) _lock: Box<dyn Send + Sync>,
}

/// What appends see of the journal.
pub(crate) struct Queue {
    pub(crate) frame: PendingFrame,
    /// The frame's times, taken with its first batch.
    pub(crate) wall_ms: i64,
    pub(crate) running_ms: u64,
    /// Bytes left in the active file, and whether the next one is ready.
    pub(crate) active_left: u64,
    pub(crate) spare_ready: bool,
    pub(crate) full: bool,
    pub(crate) closing: bool,
    pub(crate) closed: bool,
    frame_bytes_max: usize,
    now_ms: i64,
    room: Vec<Waker>,
}

/// A frame holds no more than this many times `frame_bytes_max`.
const FRAME_HARD_FACTOR: usize = 3;

impl Queue {
    pub(crate) fn new(
        frame: PendingFrame,
        active_left: u64,
        spare_ready: bool,
        frame_bytes_max: usize,
    ) -> Self {
        Self {
            frame,
            wall_ms: 0,
            running_ms: 0,
            active_left,
            spare_ready,
            full: false,
            closing: false,
            closed: false,
            frame_bytes_max,
            now_ms: 0,
            room: Vec::new(),
        }
    }

    /// Adds a batch to the frame, if there is room for it on the disk; answers the frame's sequence number.
    pub(crate) fn push(
        &mut self,
        log: &Arc<Log>,
        batch: &NewBatch<'_>,
        durability: Durability,
    ) -> Result<u64, AppendError> {
        let body_bytes = self.frame.body_bytes() + batch.bytes.len();
        let frame_bytes =
            frame::encoded_bytes(body_bytes, self.frame.runs.len() + 1, PREVIOUS_MAX) as u64;
        if !self.spare_ready && frame_bytes + FOOTER_RESERVE_BYTES > self.active_left {
            return Err(if self.full {
                AppendError::Full
            } else {
                AppendError::Busy
            });
        }
        if !self.frame.is_empty() && body_bytes > self.frame_bytes_max * FRAME_HARD_FACTOR {
            return Err(AppendError::Busy);
        }
        self.frame.push(log, batch);
        self.frame.wait_for(durability, self.now_ms);
        Ok(self.frame.sequence)
    }

    fn has_room(&self) -> bool {
        self.frame.body_bytes() < self.frame_bytes_max
            && (self.spare_ready || self.full || self.active_left > ROOM_WITHOUT_SPARE_BYTES)
    }

    pub(crate) fn take_room_waiters(&mut self, wake: &mut Vec<Waker>) {
        wake.append(&mut self.room);
    }
}

/// Entries that a frame's predecessor list has at most: a longer one is cut.
pub(crate) const PREVIOUS_MAX: usize = 4096;
/// Room kept in a file for its footer beside what the index says it needs.
pub(crate) const FOOTER_RESERVE_BYTES: u64 = 64 * 1024;
/// While the next file is being made, appends go on if the active one has this much left.
const ROOM_WITHOUT_SPARE_BYTES: u64 = 16 << 20;

/// What there is to tell of a journal.
#[derive(Clone, Debug, Default)]
pub struct Status {
    pub written: u64,
    pub durable: u64,
    pub frames: u64,
    pub syncs: u64,
    pub files: u64,
    pub bytes: u64,
    pub holes: u64,
    pub tail_cache_bytes: u64,
    pub failed: Option<String>,
    pub full: bool,
}

impl Journal {
    #[expect(
        clippy::too_many_arguments,
        reason = "the parts that recovery has made, each once"
    )]
    pub(crate) fn assemble(
        disk: Arc<dyn Disk>,
        clock: Arc<dyn Clock>,
        options: JournalOptions,
        lock: Box<dyn Send + Sync>,
        writer: Writer,
        store: Store,
        running: RunningClock,
        leader_epoch: i32,
    ) -> Self {
        let sequence = writer.last_sequence;
        let queue = Queue::new(
            PendingFrame::new(sequence + 1, 0),
            writer.left(&store),
            writer.spare.is_some(),
            options.frame_bytes_max,
        );
        Self {
            disk,
            clock,
            logs: RwLock::new(HashMap::new()),
            queue: Mutex::new(queue),
            work: Condvar::new(),
            upkeep: Condvar::new(),
            spare_made: Condvar::new(),
            committer_waits: AtomicBool::new(false),
            written: AtomicU64::new(sequence),
            durable: AtomicU64::new(sequence),
            waiters: Mutex::new(Vec::new()),
            failure: RwLock::new(None),
            writer: Mutex::new(writer),
            store,
            running,
            snapshot_source: Mutex::new(None),
            leader_epoch: AtomicI64::new(i64::from(leader_epoch)),
            has_os_logs: AtomicBool::new(false),
            frames: AtomicU64::new(0),
            syncs: AtomicU64::new(0),
            _lock: lock,
            options,
        }
    }

    /// The view of log `id` under `config`; an empty one if the journal has never seen it.
    pub fn open_log(self: &Arc<Self>, id: LogId, config: LogConfig) -> Arc<Log> {
        let log = self
            .logs
            .write()
            .entry(id)
            .or_insert_with(|| Arc::new(Log::new(id, Arc::downgrade(self), config)))
            .clone();
        log.set_config(config);
        log
    }

    pub fn log(&self, id: LogId) -> Option<Arc<Log>> {
        self.logs.read().get(&id).cloned()
    }

    /// Who adds the sections above the log's to each snapshot: tag and content.
    pub fn set_snapshot_source(&self, source: SnapshotSource) {
        *self.snapshot_source.lock() = Some(source);
    }

    pub fn log_ids(&self) -> Vec<LogId> {
        self.logs.read().keys().copied().collect()
    }

    pub(crate) fn remove_log(&self, id: LogId) -> Option<Arc<Log>> {
        let log = self.logs.write().remove(&id)?;
        log.mark_deleted();
        Some(log)
    }

    pub(crate) fn note_durability(&self, durability: Durability) {
        if durability == Durability::Os {
            self.has_os_logs.store(true, Ordering::Release);
        }
    }

    /// No batch may be larger: two must fit a file beside the tables.
    pub fn batch_bytes_max(&self) -> usize {
        usize::try_from(self.options.file_bytes / 2).unwrap_or(usize::MAX)
    }

    pub(crate) fn producers_per_log_max(&self) -> usize {
        self.options.producers_per_log_max
    }

    /// The queue, for one append.
    pub(crate) fn lock_queue(
        &self,
        _class: LogClass,
    ) -> Result<MutexGuard<'_, Queue>, AppendError> {
        let mut queue = self.queue.lock();
        if queue.closing {
            return Err(AppendError::Failed {
                reason: "the broker is stopping".to_owned(),
            });
        }
        if let Some(reason) = &*self.failure.read() {
            return Err(AppendError::Failed {
                reason: reason.clone(),
            });
        }
        if queue.frame.is_empty() {
            queue.wall_ms = self.clock.wall_ms();
            queue.now_ms = self.clock.monotonic_ms();
            queue.running_ms = self.running.now_ms(queue.now_ms.unsigned_abs());
        } else if queue.frame.interval_end_ms.is_none() {
            queue.now_ms = self.clock.monotonic_ms();
        }
        Ok(queue)
    }

    pub(crate) fn wake_committer(&self) {
        if self.committer_waits.load(Ordering::Acquire) {
            // The lock makes sure that the committer is past its look at the queue.
            drop(self.queue.lock());
            self.work.notify_all();
        }
    }

    /// Ready when the next frame takes more. Connections ask before they start a produce.
    pub fn poll_room(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut queue = self.queue.lock();
        if queue.has_room() || queue.closing || self.failure.read().is_some() {
            return Poll::Ready(());
        }
        if !queue.room.iter().any(|waker| waker.will_wake(cx.waker())) {
            queue.room.push(cx.waker().clone());
        }
        Poll::Pending
    }

    fn is_done(&self, ticket: &Ticket) -> bool {
        let mark = if ticket.durable {
            &self.durable
        } else {
            &self.written
        };
        mark.load(Ordering::Acquire) >= ticket.sequence
    }

    pub fn poll_committed(
        &self,
        ticket: &Ticket,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), CommitError>> {
        if self.is_done(ticket) {
            return Poll::Ready(Ok(()));
        }
        let mut waiters = self.waiters.lock();
        // Looked at again under the lock: what was published before it woke nobody of us.
        if self.is_done(ticket) {
            return Poll::Ready(Ok(()));
        }
        if let Some(reason) = &*self.failure.read() {
            return Poll::Ready(Err(CommitError {
                reason: reason.clone(),
            }));
        }
        let same = |(known, waker): &(Ticket, Waker)| {
            known.durable == ticket.durable
                && known.sequence == ticket.sequence
                && waker.will_wake(cx.waker())
        };
        if !waiters.iter().rev().take(4).any(same) {
            waiters.push((*ticket, cx.waker().clone()));
        }
        Poll::Pending
    }

    /// Takes the wakers of tickets that are done.
    pub(crate) fn take_done_waiters(&self, wake: &mut Vec<Waker>) {
        let mut waiters = self.waiters.lock();
        let (written, durable) = (
            self.written.load(Ordering::Acquire),
            self.durable.load(Ordering::Acquire),
        );
        wake.extend(
            waiters
                .extract_if(.., |(ticket, _)| {
                    ticket.sequence <= if ticket.durable { durable } else { written }
                })
                .map(|(_, waker)| waker),
        );
    }

    /// Nothing is written any more; everyone who waits is told.
    pub(crate) fn fail(&self, reason: String) {
        tracing::error!(%reason, "the journal is read-only now: check the disk, then restart; the start recovers everything acknowledged");
        self.failure.write().get_or_insert(reason);
        let mut wake: Vec<Waker> = self
            .waiters
            .lock()
            .drain(..)
            .map(|(_, waker)| waker)
            .collect();
        self.queue.lock().take_room_waiters(&mut wake);
        wake.into_iter().for_each(Waker::wake);
        self.work.notify_all();
    }

    pub(crate) fn failed(&self) -> bool {
        self.failure.read().is_some()
    }

    pub(crate) fn read(
        &self,
        log: LogId,
        from: i64,
        below: i64,
        max_bytes: usize,
        at_least_one: bool,
    ) -> Result<Vec<Chunk>, ReadError> {
        self.store.read(log, from, below, max_bytes, at_least_one)
    }

    /// Bytes that the file system still has.
    pub fn free_bytes(&self) -> std::io::Result<u64> {
        self.disk.free_bytes()
    }

    pub fn status(&self) -> Status {
        let (files, bytes) = self.store.files();
        let queue = self.queue.lock();
        Status {
            written: self.written.load(Ordering::Acquire),
            durable: self.durable.load(Ordering::Acquire),
            frames: self.frames.load(Ordering::Relaxed),
            syncs: self.syncs.load(Ordering::Relaxed),
            files,
            bytes,
            holes: 0,
            tail_cache_bytes: self.store.tail_cache_bytes(),
            failed: self.failure.read().clone(),
            full: queue.full,
        }
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal")
            .field("written", &self.written)
            .field("durable", &self.durable)
            .finish_non_exhaustive()
    }
}
