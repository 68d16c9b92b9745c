//! The journal: the one thing that is appended to. Holds the logs, the writer, the books; `commit`
//! writes, `maintain` keeps, `recover` opens. One per data folder.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use parking_lot::{Mutex, RwLock};

use crate::books::Books;
use crate::commit::Written;
use crate::disk::Disk;
use crate::file_header::FileHeader;
use crate::log::Log;
use crate::maintain::Upkeep;
use crate::options::{CommitError, LogConfig, LogId, Ticket};
use crate::shared::Shared;
use crate::wakers::Registration;
use crate::writer::{ReadyFile, Writer};

/// Gives the state machines above the log in their stored form: tags from 16 on, and content.
pub type SnapshotSource = Box<dyn Fn() -> Vec<(u32, Bytes)> + Send + Sync>;

pub struct Journal {
    pub(crate) shared: Arc<Shared>,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) logs: RwLock<HashMap<LogId, Arc<Log>>>,
    pub(crate) writer: Mutex<Writer>,
    /// Held while one is made: a roll that finds none waits for it.
    pub(crate) next_files: Mutex<NextFiles>,
    /// Held while files are synced, so that `durable` rises in order.
    pub(crate) syncing: Mutex<()>,
    pub(crate) sync_wanted: AtomicBool,
    /// Frames that are written and not durable.
    pub(crate) unsynced: Mutex<VecDeque<Written>>,
    pub(crate) books: Mutex<Books>,
    pub(crate) upkeep: Mutex<Upkeep>,
    snapshot_source: Mutex<Option<SnapshotSource>>,
    /// Logs that the journal has never seen may have lost all they had in a hole.
    pub(crate) unseen_logs_skip: AtomicBool,
    /// A start has moved or a log has gone.
    pub(crate) has_dead_bytes: AtomicBool,
    pub(crate) epoch: u32,
    pub(crate) frames: AtomicU64,
    pub(crate) syncs: AtomicU64,
    pub(crate) holes: AtomicU64,
    /// What keeps the folder ours.
    pub(crate) _lock: Box<dyn Send + Sync>,
}

/// Files that are ready to become the active one.
#[derive(Debug, Default)]
pub(crate) struct NextFiles {
    pub(crate) spare: Option<ReadyFile>,
    /// Room for the broker's own logs when the disk is full.
    pub(crate) reserve: Option<ReadyFile>,
}

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
    pub(crate) fn assemble(
        shared: Arc<Shared>,
        disk: Arc<dyn Disk>,
        lock: Box<dyn Send + Sync>,
        logs: HashMap<LogId, Arc<Log>>,
        writer: Writer,
        books: Books,
        upkeep: Upkeep,
    ) -> Self {
        Self {
            epoch: writer.epoch.number,
            shared,
            disk,
            logs: RwLock::new(logs),
            writer: Mutex::new(writer),
            next_files: Mutex::new(NextFiles::default()),
            syncing: Mutex::new(()),
            sync_wanted: AtomicBool::new(false),
            unsynced: Mutex::new(VecDeque::new()),
            books: Mutex::new(books),
            upkeep: Mutex::new(upkeep),
            snapshot_source: Mutex::new(None),
            unseen_logs_skip: AtomicBool::new(false),
            has_dead_bytes: AtomicBool::new(true),
            frames: AtomicU64::new(0),
            syncs: AtomicU64::new(0),
            holes: AtomicU64::new(0),
            _lock: lock,
        }
    }

    /// The view of log `id` under `config`; an empty one if the journal has never seen it.
    pub fn open_log(&self, id: LogId, config: LogConfig) -> Arc<Log> {
        let known = self.logs.read().get(&id).cloned();
        let log = known.unwrap_or_else(|| {
            let mut logs = self.logs.write();
            let new = || Arc::new(Log::new(id, self.shared.clone(), config));
            logs.entry(id).or_insert_with(new).clone()
        });
        log.set_config(config);
        log
    }

    pub fn log(&self, id: LogId) -> Option<Arc<Log>> {
        self.logs.read().get(&id).cloned()
    }

    pub fn log_ids(&self) -> Vec<LogId> {
        self.logs.read().keys().copied().collect()
    }

    pub(crate) fn logs(&self) -> Vec<Arc<Log>> {
        self.logs.read().values().cloned().collect()
    }

    /// Forgets logs: nobody reads or appends to them any more, their bytes are freed in time. Their
    /// ids must never be used again. What makes it last is the caller's own record of it, see
    /// [`Self::retain_only`].
    pub fn delete_logs(&self, ids: &[LogId]) {
        let mut wake = Vec::new();
        let named = ids.iter().filter(|id| **id > crate::METADATA_LOG);
        let logs: Vec<Arc<Log>> = named.filter_map(|id| self.log(*id)).collect();
        for log in &logs {
            log.mark_deleted(&mut wake);
        }
        self.bury(logs);
        wake.into_iter().for_each(Waker::wake);
    }

    /// Deletes every log but these and the journal's own: what a crash left of a deletion. To be
    /// called once at a start, with all the logs that the caller knows.
    pub fn retain_only(&self, known: &[LogId]) {
        let known: BTreeSet<LogId> = known.iter().copied().collect();
        let ids = self.log_ids();
        let orphans: Vec<LogId> = ids.into_iter().filter(|id| !known.contains(id)).collect();
        self.delete_logs(&orphans);
        if self.unseen_logs_skip.swap(false, Ordering::AcqRel) {
            let unseen = known.iter().filter_map(|id| self.log(*id));
            for log in unseen.filter(|log| log.end_offset() == 0) {
                log.state.lock().skips_offsets = true;
            }
        }
    }

    /// Who adds the sections above the log's to each snapshot.
    pub fn set_snapshot_source(&self, source: SnapshotSource) {
        *self.snapshot_source.lock() = Some(source);
    }

    pub(crate) fn sections_above(&self) -> Vec<(u32, Bytes)> {
        self.snapshot_source
            .lock()
            .as_ref()
            .map(|source| source())
            .unwrap_or_default()
    }

    /// Ready when the next frame takes more. Connections ask before they start a request; `waiter` is theirs to keep meanwhile.
    pub fn poll_room(&self, waiter: &mut Option<Registration>, cx: &mut Context<'_>) -> Poll<()> {
        self.shared.poll_room(waiter, cx)
    }

    /// Ready when the append behind `ticket` is acknowledged, or can no longer be.
    pub fn poll_committed(
        &self,
        ticket: &Ticket,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), CommitError>> {
        self.shared.poll_committed(ticket, cx)
    }

    /// Bytes that the file system still has.
    pub fn free_bytes(&self) -> std::io::Result<u64> {
        self.disk.free_bytes()
    }

    /// Bytes of the whole file system.
    pub fn volume_bytes(&self) -> std::io::Result<u64> {
        self.disk.volume_bytes()
    }

    pub(crate) fn new_header(&self, number: u64, size: u64) -> FileHeader {
        FileHeader {
            merged: false,
            epoch: self.epoch,
            number,
            salt: self.shared.options.salt(),
            size,
            created_ms: self.shared.clock.wall_ms(),
        }
    }

    /// The running time, for state machines above the log that count ages on it.
    pub fn running_ms(&self) -> u64 {
        self.shared.running_ms()
    }

    pub fn status(&self) -> Status {
        let (sealed, bytes) = {
            let books = self.books.lock();
            let manifest = books.manifest.read();
            let sizes = manifest.files_by_age().map(|(_, state)| state.size.bytes);
            (manifest.files_by_age().count() as u64, sizes.sum::<u64>())
        };
        let shared = &self.shared;
        let open = shared.store.open_count() as u64;
        Status {
            written: shared.written.load(Ordering::Acquire),
            durable: shared.durable.load(Ordering::Acquire),
            frames: self.frames.load(Ordering::Relaxed),
            syncs: self.syncs.load(Ordering::Relaxed),
            files: sealed + open,
            bytes: bytes + open * shared.options.file_bytes,
            holes: self.holes.load(Ordering::Relaxed),
            tail_cache_bytes: shared.store.tail_cache_bytes(),
            failed: shared.failure().cloned(),
            full: shared.queue.lock().room.is_full(),
        }
    }
}

impl fmt::Debug for Journal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal")
            .field("written", &self.shared.written)
            .field("durable", &self.shared.durable)
            .finish_non_exhaustive()
    }
}
