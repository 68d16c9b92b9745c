//! The maintenance step, the journal's housekeeping: the next file, footers, snapshots, retention, and
//! which files may go. Run by its own thread, or stepped by a simulation. `tidy` has what happens to
//! files that are mostly or wholly dead.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Waker;
use std::time::Duration;

use crate::MANIFEST_LOG;
use crate::checkpoint::Gathered;
use crate::file_header::FileHeader;
use crate::file_id::FileId;
use crate::footer::Previous;
use crate::journal::{Journal, NextFiles};
use crate::log::Log;
use crate::manifest::FileSize;
use crate::manifest_event::Event;
use crate::merge::Merge;
use crate::merge_plan;
use crate::options::LogId;
use crate::private_copy;
use crate::roll::{LogEnds, Now, Retention};
use crate::room::NextFile;
use crate::segment_index::SegmentIndex;
use crate::set_aside::SetAside;
use crate::snapshot;
use crate::store::OpenFile;
use crate::writer::{self, RESERVE_NAME, ReadyFile, SPARE_NAME, WriteError};

/// How often the thread looks around.
const PERIOD: Duration = Duration::from_millis(200);
/// A clean stop writes a snapshot if the next start had more than this to replay.
const CLOSING_TAIL_BYTES: u64 = 1 << 20;
/// Free room that lets writes be tried again after the disk refused one.
const FREE_BYTES_MIN: u64 = 16 << 20;
/// How long what found no room waits before it is tried again.
pub(crate) const NO_ROOM_PAUSE_MS: i64 = 30_000;
/// How long retention waits for a journal that takes nothing at the moment.
const RETENTION_PAUSE_MS: i64 = 1000;

/// What the maintenance step is about.
#[derive(Debug, Default)]
pub(crate) struct Upkeep {
    /// The newest whole snapshots, newest first.
    snapshots: Vec<Published>,
    snapshot_bytes: u64,
    /// `Writer::bytes_written` when the last one was gathered.
    snapshot_at: u64,
    gathered: Option<(Gathered, u64)>,
    snapshot_not_before_ms: i64,
    retention_not_before_ms: i64,
    pub(crate) account_not_before_ms: i64,
    /// Files whose deletion waits to be durable.
    pub(crate) deleting: BTreeSet<FileId>,
    pub(crate) set_aside: SetAside,
    pub(crate) merge: Option<Merge>,
    pub(crate) merge_not_before_ms: i64,
    /// Files that turned out to be damaged when they were to be merged.
    pub(crate) unmergeable: BTreeSet<FileId>,
}

#[derive(Clone, Copy, Debug)]
struct Published {
    sequence: u64,
    /// Where it begins to replay.
    file: u64,
    /// The manifest's events below are in it, if this run has written it.
    applied: Option<i64>,
}

impl Upkeep {
    /// `snapshots`, newest first: sequence, file, bytes.
    pub(crate) fn new(snapshots: Vec<(u64, u64, u64)>) -> Self {
        let published = snapshots.iter().map(|(sequence, file, _)| Published {
            sequence: *sequence,
            file: *file,
            applied: None,
        });
        Self {
            snapshots: published.collect(),
            snapshot_bytes: snapshots.first().map_or(0, |(_, _, bytes)| *bytes),
            ..Self::default()
        }
    }

    /// The journal file at which the older of the two snapshots begins to replay: neither it nor a
    /// later one may go (rule 4).
    pub(crate) fn keep_from(&self) -> u64 {
        self.snapshots.get(1).map_or(0, |older| older.file)
    }
}

impl Journal {
    /// Maintains until the journal is closed. The body of the maintenance thread.
    pub fn run_maintenance(&self) {
        let _guard = self.shared.fail_on_panic("maintenance");
        loop {
            let has_more = self.maintenance_step();
            let mut queue = self.shared.queue.lock();
            if queue.closed || self.shared.failure().is_some() {
                return;
            }
            if !has_more {
                self.shared.upkeep.wait_for(&mut queue, PERIOD);
            }
        }
    }

    /// Does a bounded piece of what is due. True if there is more to do at once.
    pub fn maintenance_step(&self) -> bool {
        if self.shared.failure().is_some() || self.shared.queue.lock().closing {
            return false;
        }
        let mut upkeep = self.upkeep.lock();
        let done = self.maintain(&mut upkeep);
        drop(upkeep);
        match done {
            Ok(has_more) => has_more,
            // What needs room is tried again when there is some.
            Err(WriteError::NoSpace) => false,
            Err(WriteError::Failed { doing, error }) => {
                self.shared.fail(format!("{doing}: {error}"));
                false
            }
        }
    }

    fn maintain(&self, upkeep: &mut Upkeep) -> Result<bool, WriteError> {
        self.ready_next_files(upkeep)?;
        // What needs room must not hold up what gives some back.
        if_there_is_room(self.seal_full_files())?;
        self.take_up_lost_events(upkeep);
        if_there_is_room(self.snapshot(upkeep))?;
        self.retain(upkeep);
        self.account(upkeep);
        self.delete_dead_files(upkeep);
        self.unlink_files(upkeep)?;
        self.merge_step(upkeep)
    }

    /// What a clean stop still does. Best effort: nothing depends on it.
    pub(crate) fn close_upkeep(&self) {
        let mut upkeep = self.upkeep.lock();
        if let Some(merge) = upkeep.merge.take() {
            merge.cancel();
        }
        let tail_bytes = self.writer.lock().bytes_written - upkeep.snapshot_at;
        if tail_bytes < CLOSING_TAIL_BYTES {
            return;
        }
        let closed = self.seal_full_files().and_then(|()| {
            upkeep.gathered = self.gather().map(|gathered| (gathered, tail_bytes));
            self.publish(&mut upkeep)
        });
        if let Err(error) = closed {
            tracing::warn!(
                ?error,
                "no snapshot at the stop; the next start replays more"
            );
        }
    }

    /// Keeps the next file ready, and room set aside for a full disk.
    fn ready_next_files(&self, upkeep: &mut Upkeep) -> Result<(), WriteError> {
        let writer = self.writer.lock();
        let number = writer.active.header.number + 1;
        let mut next = self.next_files.lock();
        drop(writer);
        let is_ready = next
            .spare
            .as_ref()
            .is_some_and(|spare| spare.header.number == number);
        if is_ready && next.reserve.is_some() && !self.shared.queue.lock().room.is_full() {
            return Ok(());
        }
        if !is_ready {
            let stale = next.spare.take();
            match self.make_spare(upkeep, number, stale) {
                Ok(spare) => next.spare = Some(spare),
                Err(WriteError::NoSpace) => {}
                Err(failed) => return Err(failed),
            }
        }
        if next.spare.is_some() && next.reserve.is_none() {
            next.reserve = self.make_reserve()?;
        }
        self.tell_room(&next);
        drop(next);
        if_there_is_room(self.set_room_aside(upkeep))
    }

    fn set_room_aside(&self, upkeep: &mut Upkeep) -> Result<(), WriteError> {
        if upkeep.merge.is_some() {
            // It may have borrowed.
            return Ok(());
        }
        let (file_bytes, snapshot_bytes) = (self.shared.options.file_bytes, upkeep.snapshot_bytes);
        let set_aside = &mut upkeep.set_aside;
        set_aside.keep(&*self.disk, file_bytes, snapshot_bytes)
    }

    /// Frees room for what gives more back. False if there is none left to borrow.
    pub(crate) fn borrow_room(&self, upkeep: &mut Upkeep) -> Result<bool, WriteError> {
        let lent = upkeep.set_aside.lend(self.shared.options.file_bytes);
        lent.map_err(WriteError::of_sync("giving back room set aside"))
    }

    fn make_spare(
        &self,
        upkeep: &Upkeep,
        number: u64,
        stale: Option<ReadyFile>,
    ) -> Result<ReadyFile, WriteError> {
        let header = self.new_header(number, self.shared.options.file_bytes);
        let kept = stale.map(|stale| (stale.file, stale.written_end));
        let recycled = || self.recycle(upkeep).map(|file| (file, header.size));
        let Some((file, written_end)) = kept.or_else(recycled) else {
            return self.make_file(SPARE_NAME, header);
        };
        let ready = writer::ready(&*self.disk, SPARE_NAME, header, file);
        let ready = ready.map(|ready| ReadyFile {
            written_end,
            ..ready
        });
        if ready.is_err() {
            // Best effort: what it takes is free for another.
            let _ = self.disk.remove(SPARE_NAME);
        }
        ready
    }

    /// Not even begun where there is no room: a full disk would be asked over and over.
    fn make_file(&self, name: &'static str, header: FileHeader) -> Result<ReadyFile, WriteError> {
        let free_bytes = self.disk.free_bytes().unwrap_or(u64::MAX);
        if free_bytes < header.size {
            return Err(WriteError::NoSpace);
        }
        writer::make_ready(&*self.disk, name, header)
    }

    fn make_reserve(&self) -> Result<Option<ReadyFile>, WriteError> {
        let size = self.shared.options.file_bytes;
        let header = self.new_header(0, size);
        let kept = self.disk.open(RESERVE_NAME).ok();
        let kept = kept.filter(|file| {
            let is_whole = file.size().is_ok_and(|bytes| bytes == size);
            is_whole && file.link_count().is_ok_and(|links| links == 1)
        });
        if let Some(file) = kept {
            let name = RESERVE_NAME;
            return Ok(Some(ReadyFile {
                file,
                header,
                name,
                written_end: 0,
            }));
        }
        match self.make_file(RESERVE_NAME, header) {
            Ok(made) => Ok(Some(made)),
            Err(WriteError::NoSpace) => Ok(None),
            Err(failed) => Err(failed),
        }
    }

    /// Lets appends know what room there is.
    fn tell_room(&self, next: &NextFiles) {
        let free_bytes = self.disk.free_bytes().unwrap_or(u64::MAX);
        let mut wake: Vec<Waker> = Vec::new();
        {
            let mut queue = self.shared.queue.lock();
            let was_full = queue.room.is_full();
            if next.spare.is_some() && next.reserve.is_some() {
                queue.room.set_next(NextFile::Spare);
                if free_bytes >= FREE_BYTES_MIN {
                    queue.room.set_write_refused(false);
                }
            } else if next.spare.is_some() || next.reserve.is_some() {
                // The last one is for the broker's own logs: without them nothing is deleted.
                queue.room.set_next(NextFile::Reserve);
            } else {
                queue.room.set_full();
            }
            if queue.room.is_full() && !was_full {
                tracing::warn!(
                    "no room for the next journal file: produces are refused until there is"
                );
            }
            if queue.has_room() {
                queue.room_waiters.take(&mut wake);
            }
        }
        wake.into_iter().for_each(Waker::wake);
    }

    /// Gives full files their footers, oldest first, once their frames are durable: before, another
    /// thread may be syncing them, and only one of two is told of an error; and a snapshot, which
    /// begins behind them, would miss the manifest's events in them.
    fn seal_full_files(&self) -> Result<(), WriteError> {
        let durable = self.shared.durable.load(Ordering::SeqCst);
        for file in self.shared.store.full_files() {
            let last = file.full.lock().map_or(0, |(span, _)| span.last_sequence);
            if last > durable {
                break;
            }
            self.seal(&file)?;
        }
        Ok(())
    }

    /// Writes a full file's footer behind its last frame and gives back the room behind that. The
    /// truncation is durable before a snapshot lets a start begin behind this file.
    fn seal(&self, open: &OpenFile) -> Result<(), WriteError> {
        let Some((span, end)) = *open.full.lock() else {
            return Ok(());
        };
        let id = FileId::journal(open.header.number);
        let place = open.header.place();
        let index = open.index.read().clone();
        let previous = |log| {
            let newest = self.log(log).and_then(|log| log.newest_sealed());
            newest.map_or(Previous::None, Previous::File)
        };
        let footer = {
            let books = self.books.lock();
            index.finish(span, previous, |log| self.live_from_unburied(&books, log))
        };
        let bytes = footer.encode(&place, end);
        let write = WriteError::of_write("writing a footer");
        let sync = WriteError::of_sync("syncing a sealed file");
        let file = private_copy::private(&*self.disk, &id.name(), &open.file, end)?;
        file.write_all_at(&bytes, end).map_err(&write)?;
        file.sync_data().map_err(&sync)?;
        let bytes = end + bytes.len() as u64;
        file.set_len(bytes).map_err(&write)?;
        file.sync_data().map_err(&sync)?;
        {
            let books = self.books.lock();
            // Counted again: starts may have moved since.
            let live_bytes = footer.live_bytes(|log| self.live_from_unburied(&books, log));
            let size = FileSize { bytes, live_bytes };
            if let Err(error) = books.manifest.write().seal(open.header.number, size) {
                tracing::error!(%id, %error, "a sealed file is known already");
            }
            for log in footer
                .logs()
                .iter()
                .filter_map(|entry| self.log(entry.log_id))
            {
                log.set_newest_sealed(id);
            }
        }
        self.shared
            .store
            .segments
            .keep(SegmentIndex::new(id, footer));
        self.shared.store.sealed(open.header.number);
        Ok(())
    }

    /// From where a log counts as alive in a file that is being sealed. A deleted log's bytes there
    /// are never counted, so never subtracted.
    fn live_from_unburied(&self, books: &crate::books::Books, log: LogId) -> Option<i64> {
        let exists = self.log(log).is_some() && !books.deleted.contains_key(&log);
        exists.then(|| books.accounted(log))
    }

    /// Writes a snapshot when one is due, as soon as what it holds is durable.
    fn snapshot(&self, upkeep: &mut Upkeep) -> Result<(), WriteError> {
        if upkeep.gathered.is_some() {
            return self.publish(upkeep);
        }
        if self.shared.clock.monotonic_ms() < upkeep.snapshot_not_before_ms {
            return Ok(());
        }
        let written = self.writer.lock().bytes_written;
        let tail_bytes = written - upkeep.snapshot_at;
        let minimum = self.shared.options.snapshot_tail_bytes_min;
        let is_due = snapshot::is_due(tail_bytes, upkeep.snapshot_bytes, minimum);
        if is_due || self.holds_back_room(upkeep) {
            upkeep.gathered = self.gather().map(|gathered| (gathered, written));
            return self.publish(upkeep);
        }
        Ok(())
    }

    /// Whether the disk is full while files could go that the older snapshot still needs.
    fn holds_back_room(&self, upkeep: &Upkeep) -> bool {
        let is_full = self.shared.queue.lock().room.is_full();
        is_full && {
            let books = self.books.lock();
            let manifest = books.manifest.read();
            merge_plan::has_held_back(&manifest, upkeep.keep_from())
        }
    }

    fn publish(&self, upkeep: &mut Upkeep) -> Result<(), WriteError> {
        let Some((gathered, written)) = upkeep.gathered.take() else {
            return Ok(());
        };
        if self.shared.cuts.load(Ordering::SeqCst) != gathered.cuts {
            // It holds what a full disk has taken back.
            return Ok(());
        }
        let header = gathered.snapshot.header;
        if self.shared.durable.load(Ordering::SeqCst) < header.sequence {
            upkeep.gathered = Some((gathered, written));
            return Ok(());
        }
        if upkeep
            .snapshots
            .first()
            .is_some_and(|newest| newest.sequence >= header.sequence)
        {
            if self.holds_back_room(upkeep) {
                // A snapshot is called by its last frame, so there must be another one.
                let start = self.log(MANIFEST_LOG).map_or(0, |log| log.start_offset());
                let _ = self.delete_before(MANIFEST_LOG, start);
            }
            return Ok(());
        }
        let publish = || {
            let published = snapshot::publish(&*self.disk, &gathered.snapshot);
            published.map_err(WriteError::of_write("writing a snapshot"))
        };
        let mut published = publish();
        if matches!(published, Err(WriteError::NoSpace)) && self.borrow_room(upkeep)? {
            published = publish();
        }
        let bytes = published.inspect_err(|_| {
            // The older ones stay, and the tail grows.
            let now_ms = self.shared.clock.monotonic_ms();
            upkeep.snapshot_not_before_ms = now_ms + NO_ROOM_PAUSE_MS;
        })?;
        upkeep.snapshot_bytes = bytes;
        upkeep.snapshot_at = written;
        let published = Published {
            sequence: header.sequence,
            file: header.file,
            applied: Some(gathered.applied),
        };
        upkeep.snapshots.insert(0, published);
        upkeep.snapshots.truncate(snapshot::SNAPSHOTS_KEPT);
        self.trim_manifest(upkeep);
        Ok(())
    }

    /// The manifest's events that both snapshots hold are needed no more.
    fn trim_manifest(&self, upkeep: &Upkeep) {
        let Some(applied) = upkeep.snapshots.get(1).and_then(|older| older.applied) else {
            return;
        };
        let start = self.log(MANIFEST_LOG).map_or(0, |log| log.start_offset());
        if applied > start {
            // Should it be refused, the next snapshot asks again.
            let _ = self.delete_before(MANIFEST_LOG, applied);
        }
    }

    /// Moves the starts of logs whose oldest segments have expired, and forgets idle producers.
    fn retain(&self, upkeep: &mut Upkeep) {
        let now_ms = self.shared.clock.monotonic_ms();
        if now_ms < upkeep.retention_not_before_ms {
            return;
        }
        let now = Now {
            running_ms: self.shared.running_ms(),
            wall_ms: self.shared.clock.wall_ms(),
        };
        let mut moved = Vec::new();
        for log in self.logs() {
            if let Some(start_offset) = self.expired_end(&log, now) {
                let log_id = log.id();
                moved.push(Event::LogStartMoved {
                    log_id,
                    start_offset,
                });
            }
        }
        let interval = self.shared.options.retention_check_interval_ms;
        let pause_ms = match self.append_events(moved) {
            Ok(_) => i64::try_from(interval).unwrap_or(i64::MAX),
            Err(error) => {
                tracing::debug!(%error, "retention waits for the journal");
                RETENTION_PAUSE_MS
            }
        };
        upkeep.retention_not_before_ms = now_ms.saturating_add(pause_ms);
    }

    fn expired_end(&self, log: &Arc<Log>, now: Now) -> Option<i64> {
        let options = &self.shared.options;
        let mut state = log.state.lock();
        let expiration_ms = options.producer_id_expiration_ms;
        state.producers.expire(now.running_ms, expiration_ms);
        if !state.config.deletes {
            return None;
        }
        let retention = Retention {
            retention_ms: u64::try_from(state.config.retention_ms).ok(),
            retention_bytes: u64::try_from(state.config.retention_bytes).ok(),
            clock: options.retention_clock,
        };
        let ends = LogEnds {
            high_watermark: log.high_watermark(),
            end_offset: log.end_offset(),
        };
        state.segments.expired_end(&retention, now, ends)
    }

    /// What a full disk took back and must be said again.
    fn take_up_lost_events(&self, upkeep: &mut Upkeep) {
        let lost = std::mem::take(&mut self.books.lock().lost);
        let mut again = Vec::new();
        for event in lost {
            match event {
                Event::LogDeleted { .. } => again.push(event),
                Event::FileDeleted { file } => {
                    upkeep.deleting.remove(&file);
                }
                Event::MergedInstalled { merged, .. } => self.drop_merged(merged),
                // Asked for again by whoever wanted it.
                Event::LogStartMoved { .. } | Event::HoleAccepted(_) => {}
            }
        }
        if self.append_events(again.clone()).is_err() {
            self.books.lock().lost.extend(again);
        }
    }
}

/// What finds no room is tried again when there is some.
fn if_there_is_room(done: Result<(), WriteError>) -> Result<(), WriteError> {
    match done {
        Err(WriteError::NoSpace) => Ok(()),
        other => other,
    }
}

pub(crate) fn is_gone(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound
}
