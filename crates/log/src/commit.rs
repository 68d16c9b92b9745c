//! The commit step: takes the frame that has filled, writes it with one write, syncs, and publishes
//! what that acknowledges. While it works the next frame fills: batches grow with the load, without a
//! timer. Run by its own thread, or stepped by a simulation.
//!
//! As long as a log acknowledges from the page cache, syncing is a step of its own.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Waker;
use std::time::Duration;

use crate::disk::DiskFile;
use crate::frame::{FrameHeader, RUN_SKIPS_OFFSETS, flag};
use crate::frame_buffer::FrameBuffer;
use crate::journal::Journal;
use crate::log::Log;
use crate::manifest_event::Event;
use crate::options::{AppendError, LogId};
use crate::queue::PendingFrame;
use crate::room::NextFile;
use crate::writer::{self, PREVIOUS_MAX, ReadyFile, WriteError, Writer};

/// How often what nobody waits for is synced.
const BACKGROUND_SYNC: Duration = Duration::from_secs(1);
/// Without news the threads look around by themselves.
const IDLE: Duration = Duration::from_millis(500);
/// Written but unsynced bytes, in files: beyond, the commit step syncs before it goes on. So much the
/// next start may have to write again.
const UNSYNCED_FILES_MAX: u64 = 2;

/// A frame on its way to the disk.
struct Taken {
    frame: PendingFrame,
    /// It goes to the next file.
    rolls: bool,
    wall_ms: i64,
    running_ms: u64,
}

/// What a written frame acknowledges once it is durable.
#[derive(Debug)]
pub(crate) struct Written {
    sequence: u64,
    bytes: u64,
    ends: Vec<(Arc<Log>, i64)>,
    events: Vec<Event>,
}

impl Journal {
    /// Commits frame after frame until the journal is closed. The body of the commit thread.
    pub fn run_commits(&self) {
        let _guard = self.shared.fail_on_panic("commit");
        loop {
            let mut queue = self.shared.queue.lock();
            if queue.closed || self.shared.failure().is_some() {
                return;
            }
            let now_ms = self.shared.clock.monotonic_ms();
            if queue.frame.is_empty() || !queue.is_due(now_ms) {
                let end = queue
                    .frame
                    .interval_end_ms
                    .map(|end| end.saturating_sub(now_ms).max(1));
                let wait = end.map_or(IDLE, |ms| Duration::from_millis(ms.unsigned_abs()));
                self.shared.committer_waits.store(true, Ordering::SeqCst);
                self.shared.work.wait_for(&mut queue, wait);
                self.shared.committer_waits.store(false, Ordering::SeqCst);
                continue;
            }
            drop(queue);
            self.commit_step();
        }
    }

    /// Writes the frame that has filled, if it is time. True if one was written.
    pub fn commit_step(&self) -> bool {
        let mut writer = self.writer.lock();
        let Some(mut taken) = self.take_frame(&writer) else {
            return false;
        };
        taken.frame.arrange();
        let wants_sync = taken.frame.wants_sync || taken.frame.interval_end_ms.is_some();
        match self.write(&mut writer, &mut taken) {
            Ok(()) => {}
            Err(WriteError::NoSpace) => {
                self.cut(&writer, taken.frame);
                return true;
            }
            Err(WriteError::Failed { doing, error }) => {
                drop(writer);
                self.shared.fail(format!("{doing}: {error}"));
                return false;
            }
        }
        // Before anyone else may sync: what is durable must be known to be written.
        let (unsynced_bytes, wake) = self.publish_written(taken.frame);
        drop(writer);
        wake.into_iter().for_each(Waker::wake);
        let limit = UNSYNCED_FILES_MAX * self.shared.options.file_bytes;
        let is_full = self.shared.queue.lock().room.is_full();
        if !self.shared.syncs_apart.load(Ordering::Acquire) || unsynced_bytes > limit {
            self.sync();
        } else if is_full {
            // So that the next start finds room for what is not proven.
            self.sync();
            self.claim();
        } else if wants_sync {
            self.sync_wanted.store(true, Ordering::Release);
            // Whoever looked before that is waiting by now.
            drop(self.shared.queue.lock());
            self.shared.sync_work.notify_all();
        }
        true
    }

    fn take_frame(&self, writer: &Writer) -> Option<Taken> {
        let now_ms = self.shared.clock.monotonic_ms();
        let mut queue = self.shared.queue.lock();
        let is_due = !queue.frame.is_empty() && queue.is_due(now_ms);
        if !is_due || self.shared.failure().is_some() {
            return None;
        }
        let needed = queue.needed_bytes();
        let rolls = queue.room.take(needed);
        let mut buffer = queue.frame.split_rest(writer.previous.len());
        if buffer.capacity() < writer.frame_bytes {
            buffer = self.shared.store.take_buffer(writer.frame_bytes);
        }
        let next = PendingFrame::new(queue.frame.sequence + 1, buffer);
        let frame = std::mem::replace(&mut queue.frame, next);
        queue.previous_count = frame.runs.len().min(PREVIOUS_MAX);
        Some(Taken {
            frame,
            rolls,
            wall_ms: queue.wall_ms,
            running_ms: queue.running_ms,
        })
    }

    fn write(&self, writer: &mut Writer, taken: &mut Taken) -> Result<(), WriteError> {
        if taken.rolls {
            let next = self.take_next_file(writer)?;
            writer.roll(&*self.disk, &self.shared.store, next)?;
            self.shared.upkeep.notify_all();
        }
        let header = FrameHeader {
            append_time_ms: taken.wall_ms,
            running_ms: taken.running_ms,
            ..self.next_header(writer)
        };
        self.write_frame(writer, &mut taken.frame, header)
    }

    fn next_header(&self, writer: &Writer) -> FrameHeader {
        FrameHeader {
            flags: 0,
            epoch: writer.epoch.number,
            leader_epoch: self.shared.leader_epoch.load(Ordering::Acquire),
            sequence: writer.last_sequence + 1,
            durable_sequence: self.shared.durable.load(Ordering::Acquire),
            cut_sequence: writer.epoch.cut_sequence,
            opening_end: writer.epoch.opening_end,
            append_time_ms: 0,
            running_ms: 0,
            manifest_end: writer.manifest_end,
            metadata_end: writer.metadata_end,
        }
    }

    fn write_frame(
        &self,
        writer: &mut Writer,
        frame: &mut PendingFrame,
        mut header: FrameHeader,
    ) -> Result<(), WriteError> {
        assert!(
            frame.sequence == header.sequence,
            "frames are numbered without gaps"
        );
        // Frames vary: room as for the greatest of late.
        let wanted = frame.buffer.len() + frame.buffer.len() / 4;
        writer.frame_bytes = wanted.max(writer.frame_bytes - writer.frame_bytes / 8);
        writer.write(&self.shared.store, frame, &mut header)?;
        self.frames.fetch_add(1, Ordering::Relaxed);
        let left = writer.left();
        let mut queue = self.shared.queue.lock();
        // What the pending frame was promised stays so: it was judged by less.
        queue.room.set_left(left);
        Ok(())
    }

    /// The spare; the reserve if a full disk leaves nothing else; else a file made now.
    fn take_next_file(&self, writer: &Writer) -> Result<ReadyFile, WriteError> {
        let mut next = self.next_files.lock();
        // It may have been made ready since the room was taken.
        self.shared.queue.lock().room.clear_next();
        let number = writer.active.header.number + 1;
        if let Some(spare) = next.spare.take_if(|spare| spare.header.number == number) {
            return Ok(spare);
        }
        if let Some(reserve) = next.reserve.take() {
            let header = self.new_header(number, reserve.header.size);
            return writer::ready(&*self.disk, reserve.name, header, reserve.file);
        }
        let header = self.new_header(number, self.shared.options.file_bytes);
        writer::make_ready(&*self.disk, writer::SPARE_NAME, header)
    }

    /// Acknowledges what needs the write alone. Gives how many bytes are written and not synced, and who
    /// is to be woken.
    fn publish_written(&self, frame: PendingFrame) -> (u64, Vec<Waker>) {
        let mut wake = Vec::new();
        let ends = frame.runs.iter().zip(frame.logs);
        let ends: Vec<(Arc<Log>, i64)> = ends.map(|(run, log)| (log, run.end_offset())).collect();
        if self.shared.syncs_apart.load(Ordering::Acquire) {
            for (log, end) in ends.iter().filter(|(log, _)| log.acks_written()) {
                log.acknowledge(*end, &mut wake);
            }
        }
        let bytes = frame.runs.iter().map(|run| u64::from(run.bytes)).sum();
        let mut unsynced = self.unsynced.lock();
        unsynced.push_back(Written {
            sequence: frame.sequence,
            bytes,
            ends,
            events: frame.events,
        });
        let unsynced_bytes = unsynced.iter().map(|written| written.bytes).sum();
        drop(unsynced);
        self.shared.written.store(frame.sequence, Ordering::SeqCst);
        self.shared.take_done_waiters(&mut wake);
        self.shared.take_room_waiters(&mut wake);
        (unsynced_bytes, wake)
    }

    /// Syncs until the journal is closed. The body of the sync thread; it has work only while a log
    /// acknowledges from the page cache.
    pub fn run_syncs(&self) {
        let _guard = self.shared.fail_on_panic("sync");
        loop {
            {
                let mut queue = self.shared.queue.lock();
                if queue.closed || self.shared.failure().is_some() {
                    return;
                }
                if !self.sync_wanted.load(Ordering::Acquire) {
                    self.shared.sync_work.wait_for(&mut queue, BACKGROUND_SYNC);
                }
            }
            self.sync_step();
        }
    }

    /// Makes durable what is written. True if there was anything to do.
    pub fn sync_step(&self) -> bool {
        self.sync_wanted.store(false, Ordering::Release);
        let durable = self.shared.durable.load(Ordering::Acquire);
        if self.shared.written.load(Ordering::Acquire) > durable {
            return self.sync();
        }
        self.claim()
    }

    /// Syncs every file with unsynced frames, in order: nothing in a file is durable before all that
    /// came before it is.
    pub(crate) fn sync(&self) -> bool {
        let _only = self.syncing.lock();
        if self.shared.failure().is_some() {
            return false;
        }
        let files = self.writer.lock().take_unsynced();
        self.sync_files(files)
    }

    fn sync_files(&self, files: Vec<(Arc<dyn DiskFile>, u64)>) -> bool {
        for (file, sequence) in files {
            if let Err(error) = file.sync_data() {
                self.shared.fail(format!("syncing a frame: {error}"));
            }
            // Another thread may have been told of an error that this file's sync hides.
            if self.shared.failure().is_some() {
                return false;
            }
            self.syncs.fetch_add(1, Ordering::Relaxed);
            self.publish_durable(sequence);
        }
        true
    }

    fn publish_durable(&self, sequence: u64) {
        let mut wake = Vec::new();
        let mut unsynced = self.unsynced.lock();
        let count = unsynced.partition_point(|written| written.sequence <= sequence);
        let done: Vec<Written> = unsynced.drain(..count).collect();
        drop(unsynced);
        for written in done {
            // Before anybody hears that it is durable.
            self.apply_events(&written.events, written.sequence, &mut wake);
            for (log, end) in &written.ends {
                log.acknowledge(*end, &mut wake);
                if log.id() == crate::MANIFEST_LOG {
                    self.books.lock().applied = *end;
                }
            }
        }
        self.shared.durable.fetch_max(sequence, Ordering::SeqCst);
        self.shared.take_done_waiters(&mut wake);
        wake.into_iter().for_each(Waker::wake);
    }

    /// Says in an empty frame what is durable, if the last frame does not: without it, rot in a frame
    /// that was acknowledged long ago would pass for a torn tail.
    fn claim(&self) -> bool {
        let mut writer = self.writer.lock();
        let durable = self.shared.durable.load(Ordering::Acquire);
        let is_claimed = writer.claimed + 1 >= durable || durable < writer.last_sequence;
        // A closing frame will say it, and is to be the only one after the last sync.
        let is_closing = self.shared.queue.lock().closing;
        if is_claimed || is_closing || self.shared.failure().is_some() {
            return false;
        }
        match self.write_empty(&mut writer, 0) {
            Ok(true) => {
                drop(writer);
                self.sync()
            }
            Ok(false) | Err(WriteError::NoSpace) => false,
            Err(WriteError::Failed { doing, error }) => {
                drop(writer);
                self.shared.fail(format!("{doing}: {error}"));
                false
            }
        }
    }

    /// Writes a frame without batches. False if something waits to be written instead, or no room is left.
    fn write_empty(&self, writer: &mut Writer, flags: u8) -> Result<bool, WriteError> {
        let mut frame = PendingFrame::new(writer.last_sequence + 1, FrameBuffer::with_capacity(0));
        {
            let mut queue = self.shared.queue.lock();
            let fits = writer.takes_empty(flags == flag::CLOSING);
            if !queue.frame.is_empty() || !fits {
                return Ok(false);
            }
            queue.frame.sequence = frame.sequence + 1;
            queue.is_cutting = true;
        }
        let header = FrameHeader {
            flags,
            append_time_ms: self.shared.clock.wall_ms(),
            running_ms: self.shared.running_ms(),
            ..self.next_header(writer)
        };
        let written = self.write_frame(writer, &mut frame, header);
        let mut wake = Vec::new();
        {
            let mut queue = self.shared.queue.lock();
            queue.is_cutting = false;
            match written {
                Ok(()) => self.shared.written.store(frame.sequence, Ordering::SeqCst),
                Err(_) => queue.frame.sequence = frame.sequence,
            }
            queue.room_waiters.take(&mut wake);
        }
        wake.into_iter().for_each(Waker::wake);
        written.map(|()| true)
    }

    /// The disk took a frame not: it and the one that fills are taken back, with all that their
    /// batches did to their logs, before another append is admitted.
    fn cut(&self, writer: &Writer, frame: PendingFrame) {
        let first = frame.sequence;
        let pending = {
            let mut queue = self.shared.queue.lock();
            queue.is_cutting = true;
            let empty = PendingFrame::new(first, FrameBuffer::with_capacity(0));
            std::mem::replace(&mut queue.frame, empty)
        };
        let mut logs: BTreeMap<LogId, Cut> = BTreeMap::new();
        for frame in [&frame, &pending] {
            for (run, log) in frame.runs.iter().zip(&frame.logs) {
                let cut = logs.entry(run.log_id).or_insert_with(|| Cut {
                    log: log.clone(),
                    end: run.base_offset,
                    bytes: 0,
                    skips_offsets: run.flags & RUN_SKIPS_OFFSETS != 0,
                });
                cut.bytes += u64::from(run.bytes);
            }
        }
        for cut in logs.values() {
            cut.log.cut(first, cut.end, cut.bytes, cut.skips_offsets);
        }
        let mut wake = Vec::new();
        self.shared.cut_waiters(first, &mut wake);
        let events = frame.events.into_iter().chain(pending.events);
        self.books.lock().lost.extend(events);
        let has_spare = self.next_files.lock().spare.is_some();
        {
            let mut queue = self.shared.queue.lock();
            queue.is_cutting = false;
            queue.cuts += 1;
            queue.previous_count = writer.previous.len();
            queue.room.set_left(writer.left());
            queue.room.set_write_refused(true);
            if has_spare {
                queue.room.set_next(NextFile::Spare);
            }
            queue.room_waiters.take(&mut wake);
        }
        tracing::warn!(
            frames_from = first,
            "the disk is full: what could not be written is refused"
        );
        wake.into_iter().for_each(Waker::wake);
    }

    /// A clean stop: what waits is written, then a closing frame says that nothing is missing.
    pub fn close(&self) {
        {
            let mut queue = self.shared.queue.lock();
            if queue.closing {
                return;
            }
            queue.closing = true;
            queue.refusal.get_or_insert_with(|| AppendError::Failed {
                reason: "the broker is stopping".to_owned(),
            });
        }
        self.shared.work.notify_all();
        while self.commit_step() {}
        if self.sync() {
            self.close_upkeep();
            if let Err(error) = self.write_closing() {
                tracing::warn!(
                    ?error,
                    "no closing frame was written; the next start counts as unclean"
                );
            }
        }
        let mut wake = Vec::new();
        {
            let mut queue = self.shared.queue.lock();
            queue.closed = true;
            queue.room_waiters.take(&mut wake);
        }
        wake.into_iter().for_each(Waker::wake);
        self.shared.notify_threads();
    }

    /// Alone in its sync, behind everything that is durable: it is believed only so.
    fn write_closing(&self) -> Result<(), WriteError> {
        let mut writer = self.writer.lock();
        let is_durable = self.shared.durable.load(Ordering::Acquire) == writer.last_sequence;
        if !is_durable || !self.write_empty(&mut writer, flag::CLOSING)? {
            let error = io::Error::other("frames are left unwritten");
            let doing = "closing the journal";
            return Err(WriteError::Failed { doing, error });
        }
        let file = writer.active.file.clone();
        file.sync_data()
            .map_err(WriteError::of_sync("syncing the closing frame"))?;
        // The room behind is given back; should that fail, the file is only longer.
        let _ = file.set_len(writer.position);
        Ok(())
    }
}

/// What a log loses to a cut.
struct Cut {
    log: Arc<Log>,
    end: i64,
    bytes: u64,
    skips_offsets: bool,
}
