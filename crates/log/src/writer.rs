//! The active file and what its next frame says: writes frames one behind the other and goes on in the
//! next file when one is full. Owned by the commit step.

use std::io;
use std::sync::Arc;

use crate::disk::{Disk, DiskFile};
use crate::file_header::FileHeader;
use crate::file_id::FileId;
use crate::footer::{BLOCK_BYTES, FooterBuilder, FrameSpan, RunEntry};
use crate::frame::{self, FRAME_HEADER_BYTES, FrameHeader, Run};
use crate::frame_buffer::FrameBuffer;
use crate::options::LogId;
use crate::queue::PendingFrame;
use crate::store::{OpenFile, Store};
use crate::write_ahead::WriteAhead;

pub(crate) const SPARE_NAME: &str = "spare.journal";
pub(crate) const RESERVE_NAME: &str = "reserve.journal";
/// Entries that a frame's predecessor list has at most: a longer one is cut.
pub(crate) const PREVIOUS_MAX: usize = 4096;
/// Kept free in each file for the footer's trailer and rounding.
const SLACK_BYTES: u64 = 2 * BLOCK_BYTES as u64;

/// How this start began, as each of its frames says.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Epoch {
    pub(crate) number: u32,
    pub(crate) cut_sequence: u64,
    pub(crate) opening_end: u64,
}

#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) active: Arc<OpenFile>,
    /// Where the next frame goes.
    pub(crate) position: u64,
    pub(crate) ahead: WriteAhead,
    pub(crate) span: FrameSpan,
    pub(crate) last_sequence: u64,
    pub(crate) epoch: Epoch,
    /// Logs of the last frame that had any, with their ends.
    pub(crate) previous: Vec<(LogId, i64)>,
    pub(crate) manifest_end: i64,
    pub(crate) metadata_end: i64,
    /// What the last frame calls durable.
    pub(crate) claimed: u64,
    /// Full files that are not synced yet, with their last frame.
    pub(crate) unsynced: Vec<(Arc<dyn DiskFile>, u64)>,
    /// Bytes of frames: how much to allocate for the next, and for a snapshot to be due.
    pub(crate) frame_bytes: usize,
    pub(crate) bytes_written: u64,
}

/// A file ready to become the active one.
#[derive(Debug)]
pub(crate) struct ReadyFile {
    pub(crate) file: Arc<dyn DiskFile>,
    pub(crate) header: FileHeader,
    pub(crate) name: &'static str,
    /// Its blocks up to here held data before.
    pub(crate) written_end: u64,
}

/// Why a frame is not written.
#[derive(Debug)]
pub(crate) enum WriteError {
    /// The disk has no room. Nothing before the frame is touched.
    NoSpace,
    /// What is on the disk now, only the next start can tell.
    Failed {
        doing: &'static str,
        error: io::Error,
    },
}

impl WriteError {
    /// Of a write: without room nothing is lost. Of a sync it may be, whatever the error says.
    pub(crate) fn of_write(doing: &'static str) -> impl Fn(io::Error) -> Self {
        move |error| match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::NoSpace,
            _ => Self::Failed { doing, error },
        }
    }

    pub(crate) fn of_sync(doing: &'static str) -> impl Fn(io::Error) -> Self {
        move |error| Self::Failed { doing, error }
    }
}

/// Bytes that frames and their index may take in a file.
pub(crate) fn file_room(file_bytes: u64) -> u64 {
    file_bytes.saturating_sub(BLOCK_BYTES as u64 + SLACK_BYTES)
}

impl Writer {
    /// Bytes left in the active file for frames and their index, besides a closing frame.
    pub(crate) fn left(&self) -> u64 {
        self.free().saturating_sub(self.empty_frame_bytes())
    }

    /// Whether a frame without batches fits, if need be with a closing one behind it.
    pub(crate) fn takes_empty(&self, is_closing: bool) -> bool {
        let frames = if is_closing { 1 } else { 2 };
        self.free() >= frames * self.empty_frame_bytes()
    }

    fn empty_frame_bytes(&self) -> u64 {
        frame::encoded_bytes(0, 0, self.previous.len()) as u64
    }

    fn free(&self) -> u64 {
        let footer = self.active.index.read().encoded_bytes_with(0, 0) as u64;
        let used = self.position + footer + SLACK_BYTES;
        self.active.header.size.saturating_sub(used)
    }

    /// Writes a frame behind the last one.
    pub(crate) fn write(
        &mut self,
        store: &Store,
        frame: &mut PendingFrame,
        header: &mut FrameHeader,
    ) -> Result<(), WriteError> {
        for run in &frame.runs {
            match run.log_id {
                crate::MANIFEST_LOG => header.manifest_end = run.end_offset(),
                crate::METADATA_LOG => header.metadata_end = run.end_offset(),
                _ => {}
            }
        }
        let place = self.active.header.place();
        let position = self.position;
        let block = position / BLOCK_BYTES as u64;
        let body = FRAME_HEADER_BYTES..frame.buffer.len();
        frame::finish(
            &mut frame.buffer,
            header,
            &frame.runs,
            &self.previous,
            &place,
            block,
        );
        if let Err(error) = self.write_blocks(frame) {
            frame.buffer.truncate(body.end);
            return Err(WriteError::of_write("writing a frame")(error));
        }
        self.wrote(header, frame.buffer.len() as u64);
        if !frame.runs.is_empty() {
            self.previous = ends_of(&frame.runs);
        }
        let mut index = self.active.index.write();
        index_frame(&mut index, &frame.runs, position, header.append_time_ms);
        drop(index);
        let buffer = std::mem::replace(&mut frame.buffer, FrameBuffer::with_capacity(0));
        store.cache(self.active.header.number, position, buffer.freeze());
        Ok(())
    }

    fn write_blocks(&mut self, frame: &PendingFrame) -> io::Result<()> {
        let (file, header) = (&self.active.file, &self.active.header);
        let bytes = &*frame.buffer;
        if frame.wants_sync {
            let range = self.position..self.position + bytes.len() as u64;
            let zeros = self.ahead.zeros(&range, header.size);
            if !zeros.is_empty() {
                file.write_blocks_at(zeros, range.end)?;
            }
        }
        // What is synced at once has nothing to gain from the page cache, which costs more than all the
        // rest of a big frame's way.
        match frame.wants_sync || frame.interval_end_ms.is_some() {
            true => file.write_blocks_at(bytes, self.position),
            false => file.write_all_at(bytes, self.position),
        }
    }

    fn wrote(&mut self, header: &FrameHeader, bytes: u64) {
        self.position += bytes;
        self.bytes_written += bytes;
        self.last_sequence = header.sequence;
        self.claimed = header.durable_sequence;
        self.manifest_end = header.manifest_end;
        self.metadata_end = header.metadata_end;
        if self.span.first_sequence == 0 {
            self.span.first_sequence = header.sequence;
            self.span.first_append_ms = header.append_time_ms;
        }
        self.span.last_sequence = header.sequence;
        self.span.last_append_ms = header.append_time_ms;
    }

    /// Goes on in `next`. The full file must be synced before anything in the next is acknowledged.
    pub(crate) fn roll(
        &mut self,
        disk: &dyn Disk,
        store: &Store,
        next: ReadyFile,
    ) -> Result<(), WriteError> {
        let name = FileId::journal(next.header.number).name();
        let renamed = disk.rename(next.name, &name);
        renamed.map_err(WriteError::of_write("naming the next journal file"))?;
        let synced = disk.sync_folder();
        synced.map_err(WriteError::of_sync("syncing the data folder"))?;
        *self.active.full.lock() = Some((self.span, self.position));
        self.unsynced
            .push((self.active.file.clone(), self.last_sequence));
        self.ahead.begin_file(next.written_end);
        let active = Arc::new(OpenFile::new(
            next.header,
            next.file,
            FooterBuilder::default(),
        ));
        store.roll(active.clone());
        self.active = active;
        self.position = BLOCK_BYTES as u64;
        self.span = FrameSpan::default();
        Ok(())
    }

    /// The files that hold frames which are not synced, each with its last frame, in order.
    pub(crate) fn take_unsynced(&mut self) -> Vec<(Arc<dyn DiskFile>, u64)> {
        let mut files = std::mem::take(&mut self.unsynced);
        files.push((self.active.file.clone(), self.last_sequence));
        files
    }
}

/// Makes a file of `header.size` bytes ready under `name`. What could not be synced is not used.
pub(crate) fn make_ready(
    disk: &dyn Disk,
    name: &'static str,
    header: FileHeader,
) -> Result<ReadyFile, WriteError> {
    let write = WriteError::of_write("preparing a journal file");
    remove_if_there(disk, name).map_err(&write)?;
    let file = disk.create(name).map_err(&write)?;
    let ready = ready(disk, name, header, file);
    if ready.is_err() {
        // Best effort: the next attempt removes it.
        let _ = disk.remove(name);
    }
    ready
}

/// Gives an open file a new header and as many bytes as that says.
pub(crate) fn ready(
    disk: &dyn Disk,
    name: &'static str,
    header: FileHeader,
    file: Arc<dyn DiskFile>,
) -> Result<ReadyFile, WriteError> {
    let write = WriteError::of_write("preparing a journal file");
    file.allocate(header.size).map_err(&write)?;
    file.write_all_at(&header.encode(), 0).map_err(&write)?;
    file.sync_data()
        .map_err(WriteError::of_sync("syncing the next journal file"))?;
    disk.sync_folder()
        .map_err(WriteError::of_sync("syncing the data folder"))?;
    Ok(ReadyFile {
        file,
        header,
        name,
        written_end: 0,
    })
}

pub(crate) fn remove_if_there(disk: &dyn Disk, name: &str) -> io::Result<()> {
    match disk.remove(name) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
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
        index.add(run.log_id, entry(run, at, append_time_ms));
        at += u64::from(run.bytes);
    }
}

pub(crate) fn entry(run: &Run, position: u64, append_time_ms: i64) -> RunEntry {
    RunEntry {
        base_offset: run.base_offset,
        position,
        bytes: run.bytes,
        offset_count: run.offset_count,
        max_timestamp: run.max_timestamp,
        checksum: run.checksum,
        append_time_s: u32::try_from(append_time_ms / 1000).unwrap_or(0),
    }
}

/// The end of each log in these runs, bounded.
pub(crate) fn ends_of(runs: &[Run]) -> Vec<(LogId, i64)> {
    let mut ends: Vec<(LogId, i64)> = runs
        .iter()
        .map(|run| (run.log_id, run.end_offset()))
        .collect();
    ends.sort_unstable();
    // Of each log the last.
    let mut last: Vec<(LogId, i64)> = Vec::with_capacity(ends.len().min(PREVIOUS_MAX));
    for (log, end) in ends {
        if let Some(newest) = last.last_mut()
            && newest.0 == log
        {
            newest.1 = end;
        } else if last.len() < PREVIOUS_MAX {
            last.push((log, end));
        }
    }
    last
}
