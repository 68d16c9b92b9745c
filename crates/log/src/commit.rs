//! The commit step: takes the frame that has filled, writes it with one write, syncs, and publishes what that acknowledges. The one
//! owner of the active file. Run by its own thread, or stepped by a simulation.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Waker;
use std::time::Duration;

use bytes::Bytes;

use crate::disk::DiskFile;
use crate::file_header::FileHeader;
use crate::file_id::FileId;
use crate::footer::{BLOCK_BYTES, FooterBuilder, FrameSpan, Previous, RunEntry};
use crate::frame::{self, FRAME_HEADER_BYTES, FrameHeader, Run, flag};
use crate::journal::{FOOTER_RESERVE_BYTES, Journal, PREVIOUS_MAX};
use crate::log::{Durability, Log, LogId};
use crate::queue::PendingFrame;
use crate::store::{ActiveFile, SealedFile, Store};

pub(crate) const SPARE_NAME: &str = "spare.journal";
/// Without a commit for so long, the commit thread looks around by itself.
/// How often what is acknowledged from the page cache is synced.
const BACKGROUND_SYNC: Duration = Duration::from_secs(1);
const IDLE: Duration = Duration::from_millis(500);

/// A file ready to become the active one.
#[derive(Debug)]
pub(crate) struct Spare {
    pub(crate) file: Arc<dyn DiskFile>,
    pub(crate) header: FileHeader,
}

/// The active file and what its next frame says.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) file: Arc<dyn DiskFile>,
    pub(crate) header: FileHeader,
    /// Where the next frame goes.
    pub(crate) position: u64,
    pub(crate) span: FrameSpan,
    pub(crate) last_sequence: u64,
    pub(crate) epoch: u32,
    /// Logs of the last frame, with their ends.
    pub(crate) previous: Vec<(LogId, i64)>,
    pub(crate) spare: Option<Spare>,
    /// The maintenance step is making it, without the lock.
    pub(crate) making_spare: bool,
    /// Files that are full and synced, and wait for their footer.
    pub(crate) to_seal: Vec<Full>,
    /// Bytes of the last frames: how much to allocate for the next.
    frame_bytes: usize,
}

#[derive(Debug)]
pub(crate) struct Full {
    pub(crate) header: FileHeader,
    pub(crate) file: Arc<dyn DiskFile>,
    pub(crate) index: FooterBuilder,
    pub(crate) span: FrameSpan,
    pub(crate) position: u64,
}

/// What a written frame acknowledges once it is durable.
struct Written {
    sequence: u64,
    ends: Vec<(Arc<Log>, i64)>,
}

impl Writer {
    pub(crate) fn new(
        file: Arc<dyn DiskFile>,
        header: FileHeader,
        position: u64,
        last_sequence: u64,
        spare: Option<Spare>,
    ) -> Self {
        Self {
            file,
            header,
            position,
            span: FrameSpan {
                first_sequence: last_sequence,
                last_sequence,
                first_append_ms: 0,
                last_append_ms: 0,
            },
            last_sequence,
            epoch: header.epoch,
            previous: Vec::new(),
            spare,
            making_spare: false,
            to_seal: Vec::new(),
            frame_bytes: 64 * 1024,
        }
    }

    /// Bytes left in the active file for frames.
    pub(crate) fn left(&self, store: &Store) -> u64 {
        let footer = store.active.read().index.encoded_bytes_with(0, 0) as u64;
        self.header.size.saturating_sub(self.position + footer)
    }
}

impl Journal {
    /// Commits frame after frame until the journal is closed. The body of the commit thread.
    pub fn run_commits(&self) {
        loop {
            {
                let mut queue = self.queue.lock();
                let now_ms = self.clock.monotonic_ms();
                while !queue.closing
                    && !queue.frame.is_due(now_ms, self.options.frame_bytes_max)
                    && queue.frame.interval_end_ms.is_none()
                {
                    self.committer_waits.store(true, Ordering::Release);
                    self.work.wait_for(&mut queue, IDLE);
                }
                self.committer_waits.store(false, Ordering::Release);
                if let Some(end) = queue.frame.interval_end_ms.filter(|_| {
                    !queue.closing && !queue.frame.is_due(now_ms, self.options.frame_bytes_max)
                }) {
                    let left = u64::try_from(end - now_ms).unwrap_or(0);
                    self.committer_waits.store(true, Ordering::Release);
                    self.work
                        .wait_for(&mut queue, Duration::from_millis(left.max(1)));
                    self.committer_waits.store(false, Ordering::Release);
                }
                if queue.closed || (queue.closing && queue.frame.is_empty()) {
                    return;
                }
            }
            if self.failed() {
                return;
            }
            self.commit_step();
        }
    }

    /// Syncs what nobody waits for, once a second. The body of the sync thread; it has work only while a log is `os`.
    pub fn run_syncs(&self) {
        loop {
            {
                let mut queue = self.queue.lock();
                if queue.closed || self.failed() {
                    return;
                }
                self.upkeep.wait_for(&mut queue, BACKGROUND_SYNC);
            }
            self.sync_step();
        }
    }

    /// Makes durable what is written. Frames that are written meanwhile wait for the next call.
    pub fn sync_step(&self) {
        let (file, sequence) = {
            let writer = self.writer.lock();
            (writer.file.clone(), writer.last_sequence)
        };
        if self.durable.load(Ordering::Acquire) >= sequence || self.failed() {
            return;
        }
        match file.sync_data() {
            Ok(()) => self.publish_durable(&Written {
                sequence,
                ends: Vec::new(),
            }),
            Err(error) => self.fail(format!("syncing: {error}")),
        }
    }

    /// Writes the frame that waits, if it is due. True if something was written.
    pub fn commit_step(&self) -> bool {
        let mut writer = self.writer.lock();
        let (frame, wall_ms, running_ms) = loop {
            let mut queue = self.queue.lock();
            let due = queue.closing
                || queue
                    .frame
                    .is_due(self.clock.monotonic_ms(), self.options.frame_bytes_max);
            if !due || queue.frame.is_empty() || self.failed() {
                return false;
            }
            if writer.making_spare && !self.fits(&writer, &queue.frame) {
                // Never two at making the next file: the name is one.
                drop(queue);
                self.spare_made.wait(&mut writer);
                continue;
            }
            let next = PendingFrame::new(queue.frame.sequence + 1, writer.frame_bytes);
            break (
                std::mem::replace(&mut queue.frame, next),
                queue.wall_ms,
                queue.running_ms,
            );
        };
        writer.frame_bytes = frame.buffer.len().next_power_of_two().max(16 * 1024);
        let header = FrameHeader {
            append_time_ms: wall_ms,
            running_ms,
            ..self.next_header(&writer)
        };
        let outcome = self.write(&mut writer, frame, &header);
        let written = match outcome {
            Ok(written) => written,
            Err(error) => {
                drop(writer);
                self.fail(format!("writing a frame: {error}"));
                return false;
            }
        };
        self.publish_written(&written);
        let file = writer.file.clone();
        let synced =
            if self.has_os_logs.load(Ordering::Acquire) && !self.someone_waits_for_sync(&written) {
                Ok(false)
            } else {
                file.sync_data().map(|()| true)
            };
        drop(writer);
        match synced {
            Ok(true) => self.publish_durable(&written),
            Ok(false) => {}
            Err(error) => self.fail(format!("syncing a frame: {error}")),
        }
        true
    }

    /// Whether the active file has room for the frame, and for its footer after that.
    fn fits(&self, writer: &Writer, frame: &PendingFrame) -> bool {
        let needed =
            frame::encoded_bytes(frame.body_bytes(), frame.runs.len(), writer.previous.len());
        let with_footer = needed + frame.runs.len() * footer_bytes_per_run();
        with_footer as u64 + FOOTER_RESERVE_BYTES <= writer.left(&self.store)
    }

    fn someone_waits_for_sync(&self, written: &Written) -> bool {
        written
            .ends
            .iter()
            .any(|(log, _)| log.config().durability != Durability::Os)
    }

    fn next_header(&self, writer: &Writer) -> FrameHeader {
        FrameHeader {
            epoch: writer.epoch,
            sequence: writer.last_sequence + 1,
            durable_sequence: self.durable.load(Ordering::Acquire),
            leader_epoch: i32::try_from(self.leader_epoch.load(Ordering::Acquire))
                .unwrap_or(i32::MAX),
            manifest_end: self
                .log(crate::MANIFEST_LOG)
                .map_or(0, |log| log.end_offset()),
            metadata_end: self
                .log(crate::METADATA_LOG)
                .map_or(0, |log| log.end_offset()),
            ..FrameHeader::default()
        }
    }

    /// Writes a frame behind the last one, rolling the file first if it does not fit.
    fn write(
        &self,
        writer: &mut Writer,
        mut frame: PendingFrame,
        header: &FrameHeader,
    ) -> io::Result<Written> {
        assert!(
            frame.sequence == header.sequence,
            "frames are numbered without gaps"
        );
        if !self.fits(writer, &frame) {
            self.roll(writer)?;
        }
        let position = writer.position;
        frame::finish(
            &mut frame.buffer,
            header,
            &frame.runs,
            &writer.previous,
            &writer.header.place(),
            position / BLOCK_BYTES as u64,
        );
        writer.file.write_all_at(&frame.buffer, position)?;
        writer.position += frame.buffer.len() as u64;
        writer.last_sequence = header.sequence;
        writer.span.last_sequence = header.sequence;
        writer.span.last_append_ms = header.append_time_ms;
        if writer.span.first_append_ms == 0 {
            writer.span.first_append_ms = header.append_time_ms;
        }
        writer.previous = ends_of(&frame.runs)
            .into_iter()
            .take(PREVIOUS_MAX)
            .collect();
        self.store
            .cache(writer.header.number, position, Bytes::from(frame.buffer));
        index_frame(
            &mut self.store.active.write().index,
            &frame.runs,
            position,
            header.append_time_ms,
        );
        self.frames.fetch_add(1, Ordering::Relaxed);
        let ends = frame
            .runs
            .iter()
            .zip(frame.logs)
            .map(|(run, log)| (log, run.end_offset()))
            .collect();
        let mut queue = self.queue.lock();
        queue.active_left = writer.left(&self.store);
        Ok(Written {
            sequence: header.sequence,
            ends,
        })
    }

    /// Goes on in the next file. The full one is synced first: nothing in the next may be acknowledged before it is durable.
    fn roll(&self, writer: &mut Writer) -> io::Result<()> {
        assert!(
            !writer.making_spare,
            "the commit step waits for a spare that is being made"
        );
        let spare = match writer.spare.take() {
            Some(spare) => spare,
            None => self.prepare_spare(writer)?,
        };
        writer.file.sync_data()?;
        self.disk
            .rename(SPARE_NAME, &FileId::journal(spare.header.number).name())?;
        self.disk.sync_folder()?;
        let next = ActiveFile {
            number: spare.header.number,
            file: spare.file.clone(),
            index: FooterBuilder::default(),
        };
        let full = Full {
            header: writer.header,
            file: writer.file.clone(),
            index: FooterBuilder::default(),
            span: writer.span,
            position: writer.position,
        };
        self.rolled(writer, full, next);
        writer.file = spare.file;
        writer.header = spare.header;
        writer.position = BLOCK_BYTES as u64;
        writer.span = FrameSpan {
            first_sequence: writer.last_sequence + 1,
            ..FrameSpan::default()
        };
        let mut queue = self.queue.lock();
        queue.spare_ready = false;
        self.upkeep.notify_all();
        queue.active_left = writer.left(&self.store);
        Ok(())
    }

    /// The full file is read by its index as a sealed one from now on; its footer is written by the maintenance step.
    fn rolled(&self, writer: &mut Writer, mut full: Full, next: ActiveFile) {
        let mut active = self.store.active.write();
        let done = std::mem::replace(&mut *active, next);
        full.index = done.index.clone();
        let sealed = self.sealed_file(&full, done.index);
        self.store
            .sealed
            .write()
            .insert(done.number, Arc::new(sealed));
        writer.to_seal.push(full);
    }

    fn sealed_file(&self, full: &Full, index: FooterBuilder) -> SealedFile {
        let previous: BTreeMap<LogId, FileId> = self.last_files(full.header.number);
        let footer = index.finish(
            full.span,
            |log| {
                previous
                    .get(&log)
                    .map_or(Previous::None, |file| Previous::File(*file))
            },
            |log| self.log(log).map(|log| log.start_offset()),
        );
        SealedFile {
            id: FileId::journal(full.header.number),
            file: full.file.clone(),
            footer,
            bytes: full.position,
        }
    }

    /// The newest file below `number` that holds each log.
    fn last_files(&self, number: u64) -> BTreeMap<LogId, FileId> {
        let mut last = BTreeMap::new();
        for (_, sealed) in self.store.sealed.read().range(..number) {
            last.extend(
                sealed
                    .footer
                    .logs()
                    .iter()
                    .map(|entry| (entry.log_id, sealed.id)),
            );
        }
        last
    }

    /// Makes the next file ready: room, header, durable under its spare name.
    fn prepare_spare(&self, writer: &Writer) -> io::Result<Spare> {
        make_spare(&*self.disk, self.spare_header(writer))
    }

    pub(crate) fn spare_header(&self, writer: &Writer) -> FileHeader {
        FileHeader {
            merged: false,
            epoch: writer.epoch,
            number: writer.header.number + 1,
            salt: (self.options.salts.lock())(),
            size: self.options.file_bytes,
            created_ms: self.clock.wall_ms(),
        }
    }

    /// Acknowledges what needs the write alone.
    fn publish_written(&self, written: &Written) {
        self.written.store(written.sequence, Ordering::Release);
        if !self.has_os_logs.load(Ordering::Acquire) {
            return;
        }
        let mut wake = Vec::new();
        for (log, end) in written
            .ends
            .iter()
            .filter(|(log, _)| log.config().durability == Durability::Os)
        {
            log.acknowledge(*end, &mut wake);
        }
        self.take_done_waiters(&mut wake);
        wake.into_iter().for_each(Waker::wake);
    }

    fn publish_durable(&self, written: &Written) {
        self.syncs.fetch_add(1, Ordering::Relaxed);
        let mut wake = Vec::new();
        for (log, end) in &written.ends {
            log.acknowledge(*end, &mut wake);
        }
        self.durable.fetch_max(written.sequence, Ordering::AcqRel);
        self.take_done_waiters(&mut wake);
        self.queue.lock().take_room_waiters(&mut wake);
        wake.into_iter().for_each(Waker::wake);
    }

    /// A clean stop: what waits is written, then a closing frame says that nothing is missing.
    pub fn close(&self) {
        self.queue.lock().closing = true;
        self.work.notify_all();
        while self.commit_step() {}
        let mut writer = self.writer.lock();
        while writer.making_spare {
            self.spare_made.wait(&mut writer);
        }
        if !self.failed()
            && let Err(error) = self.write_closing(&mut writer)
        {
            tracing::warn!(%error, "the closing frame was not written; the next start counts as unclean");
        }
        self.queue.lock().closed = true;
        drop(writer);
        self.work.notify_all();
    }

    fn write_closing(&self, writer: &mut Writer) -> io::Result<()> {
        writer.file.sync_data()?;
        self.durable.store(writer.last_sequence, Ordering::Release);
        let frame = PendingFrame::new(writer.last_sequence + 1, FRAME_HEADER_BYTES);
        let now_ms = self.clock.monotonic_ms().unsigned_abs();
        let header = FrameHeader {
            flags: flag::CLOSING,
            append_time_ms: self.clock.wall_ms(),
            running_ms: self.running.now_ms(now_ms),
            ..self.next_header(writer)
        };
        self.write(writer, frame, &header)?;
        writer.file.sync_data()
    }
}

/// Bytes that a run may add to the footer: an entry of its own, and at worst a log's.
fn footer_bytes_per_run() -> usize {
    96
}

/// Makes a file ready under the spare name.
pub(crate) fn make_spare(disk: &dyn crate::disk::Disk, header: FileHeader) -> io::Result<Spare> {
    match disk.remove(SPARE_NAME) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = disk.create(SPARE_NAME)?;
    file.allocate(header.size)?;
    file.write_all_at(&header.encode(), 0)?;
    file.sync_data()?;
    disk.sync_folder()?;
    Ok(Spare { file, header })
}

/// Adds a frame's runs to a file's index.
pub(crate) fn index_frame(
    index: &mut FooterBuilder,
    runs: &[Run],
    position: u64,
    append_time_ms: i64,
) {
    let mut at = position + FRAME_HEADER_BYTES as u64;
    for run in runs {
        index.add(
            run.log_id,
            RunEntry {
                base_offset: run.base_offset,
                position: at,
                bytes: run.bytes,
                offset_count: run.offset_count,
                max_timestamp: run.max_timestamp,
                checksum: run.checksum,
                append_time_s: u32::try_from(append_time_ms / 1000).unwrap_or(0),
            },
        );
        at += u64::from(run.bytes);
    }
}

/// The end of each log in these runs.
fn ends_of(runs: &[Run]) -> BTreeMap<LogId, i64> {
    runs.iter()
        .map(|run| (run.log_id, run.end_offset()))
        .collect()
}
