//! Opening a journal: takes the folder, finds the frames that count, replays them, opens a new epoch,
//! and only then clears away what no longer counts.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;

use crate::chain::{Base, Chain};
use crate::checkpoint::{Checkpoint, StoredLog};
use crate::clock::Clock;
use crate::disk::Disk;
use crate::file_id::FileId;
use crate::footer::{BLOCK_BYTES, FooterBuilder, FrameSpan};
use crate::frame::flag;
use crate::frame_buffer::FrameBuffer;
use crate::journal::Journal;
use crate::log::Log;
use crate::maintain::{Upkeep, is_gone};
use crate::manifest::FileSize;
use crate::manifest_event::Hole;
use crate::opening::Opening;
use crate::options::{JournalOptions, LogConfig, LogId};
use crate::queue::{PendingFrame, Queue};
use crate::replay::Replay;
use crate::room::Room;
use crate::running_clock::{LastFrameTime, RunningClock};
use crate::scan::{ScannedFile, Scanner};
use crate::segment::{SegmentLimits, Segments};
use crate::shared::Shared;
use crate::snapshot::{self, Snapshot};
use crate::store::{OpenFile, Store};
use crate::writer::{self, Writer};
use crate::{MANIFEST_LOG, METADATA_LOG};

/// Why a journal cannot be opened; each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(
        "another broker holds the data folder; stop it, or give this one a folder of its own (log.dirs)"
    )]
    Locked,
    #[error("{doing}: {source}")]
    Io { doing: String, source: io::Error },
    #[error(
        "{file} is damaged: {what}. Nothing was changed; restore the folder from a copy, or move it away to begin anew"
    )]
    Damaged { file: String, what: String },
}

/// What a start found.
#[derive(Debug, Default)]
pub struct Recovered {
    pub epoch: u32,
    /// The leader epoch of every partition from now on.
    pub leader_epoch: i32,
    /// The last run ended with a clean stop, or there was none.
    pub clean: bool,
    pub logs: Vec<LogId>,
    /// The broker's sections of the snapshot that was used.
    pub sections: Vec<(u32, Bytes)>,
    /// Frames that were replayed.
    pub frames: u64,
    pub bytes_read: u64,
    /// What is lost to damage.
    pub holes: Vec<Hole>,
    pub millis: u64,
}

fn io(doing: &'static str) -> impl Fn(io::Error) -> OpenError {
    move |source| OpenError::Io {
        doing: doing.to_owned(),
        source,
    }
}

impl Journal {
    /// Opens the journal in `disk`'s folder, making it if there is none.
    pub fn open(
        disk: Arc<dyn Disk>,
        clock: Arc<dyn Clock>,
        options: JournalOptions,
    ) -> Result<(Arc<Self>, Recovered), OpenError> {
        let begun_ms = clock.monotonic_ms();
        let lock = disk.lock().map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => OpenError::Locked,
            _ => io("locking the data folder")(error),
        })?;
        let scanner = Scanner::new(&*disk);
        let mut found = Found::look(&scanner, &*disk)?;
        let first_sequence = found.checkpoint.first_sequence;
        let mut replay = Replay::new(
            &scanner,
            std::mem::take(&mut found.checkpoint),
            found.base.map_or(0, |base| base.sequence),
            options.producers_per_log_max,
        );
        replay.run(&mut found.chain)?;
        let start = Start::decide(&found, &replay, first_sequence, &*clock);
        let writer = start.open_epoch(&*disk, &options, &found.chain, &replay)?;
        // From here on what no longer counts may go.
        found.clear(&*disk, start.cut_sequence, &replay.state)?;
        let bytes_read = scanner.bytes_read.get();
        let recovered = Recovered {
            epoch: start.epoch,
            leader_epoch: start.leader_epoch,
            clean: start.clean,
            logs: replay.state.logs.keys().copied().collect(),
            sections: std::mem::take(&mut replay.state.sections_above),
            frames: replay.frames,
            bytes_read,
            holes: std::mem::take(&mut replay.holes),
            millis: 0,
        };
        let state = std::mem::take(&mut replay.state);
        let parts = Parts {
            disk: disk.clone(),
            clock: clock.clone(),
            options,
            lock,
            start,
            state,
        };
        let journal = parts.assemble(found, writer)?;
        journal
            .holes
            .store(recovered.holes.len() as u64, Ordering::Relaxed);
        let millis = (clock.monotonic_ms() - begun_ms).unsigned_abs();
        Ok((
            Arc::new(journal),
            Recovered {
                millis,
                ..recovered
            },
        ))
    }
}

/// What is in the folder.
#[derive(Debug)]
struct Found {
    chain: Chain,
    base: Option<Base>,
    checkpoint: Checkpoint,
    base_time: Option<LastFrameTime>,
    /// Whole snapshots, newest first: sequence, file at which each begins to replay, bytes.
    snapshots: Vec<(u64, u64, u64)>,
    /// Snapshots that cannot be read or do not fit.
    rejected: Vec<u64>,
}

impl Found {
    fn look(scanner: &Scanner<'_>, disk: &dyn Disk) -> Result<Self, OpenError> {
        let names = disk.names().map_err(io("listing the data folder"))?;
        let mut numbers: Vec<u64> = Vec::new();
        let files = names.iter().filter_map(|name| FileId::from_name(name));
        numbers.extend(files.filter(|id| !id.is_merged()).map(FileId::number));
        numbers.sort_unstable();
        let (whole, mut rejected) = read_snapshots(disk)?;
        let snapshots = whole.iter().map(|(snapshot, bytes)| {
            let header = &snapshot.header;
            (header.sequence, header.file, *bytes)
        });
        let mut snapshots: Vec<(u64, u64, u64)> = snapshots.collect();
        for (snapshot, _) in &whole {
            let header = &snapshot.header;
            let base = Base {
                sequence: header.sequence,
                epoch: header.epoch,
                file: header.file,
            };
            let chain = scan(scanner, &numbers, Some(base))?;
            if chain.cuts_off(base) {
                // It was taken by an epoch whose end was cut off below it.
                rejected.push(header.sequence);
                snapshots.retain(|(sequence, _, _)| *sequence != header.sequence);
                continue;
            }
            let decoded = Checkpoint::decode(snapshot);
            let checkpoint = decoded.map_err(|error| OpenError::Damaged {
                file: format!("{:016x}.snapshot", header.sequence),
                what: error.to_string(),
            })?;
            return Ok(Self {
                chain,
                base: Some(base),
                checkpoint,
                base_time: Some(LastFrameTime {
                    running_ms: header.running_ms,
                    append_time_ms: header.append_time_ms,
                }),
                snapshots,
                rejected,
            });
        }
        let has_more = !rejected.is_empty() || names.iter().any(|name| name.ends_with(".merged"));
        Self::from_the_beginning(scan(scanner, &numbers, None)?, rejected, has_more)
    }

    /// Without a snapshot every frame since the first must be there.
    fn from_the_beginning(
        chain: Chain,
        rejected: Vec<u64>,
        has_more: bool,
    ) -> Result<Self, OpenError> {
        let first = chain.files.first().and_then(|file| file.frames.first());
        let is_whole = match first {
            Some(first) => first.sequence() == 1 || chain.files[0].header.number == 1,
            None => {
                !has_more
                    && chain
                        .uncounted
                        .iter()
                        .all(|file| file.footer_start.is_none())
            }
        };
        if !is_whole {
            return Err(OpenError::Damaged {
                file: "the data folder".to_owned(),
                what: "its first files are missing, and no snapshot tells what they held"
                    .to_owned(),
            });
        }
        Ok(Self {
            chain,
            base: None,
            checkpoint: Checkpoint {
                first_sequence: 1,
                ..Checkpoint::default()
            },
            base_time: None,
            snapshots: Vec::new(),
            rejected,
        })
    }

    /// Removes what the new epoch leaves behind.
    fn clear(&self, disk: &dyn Disk, cut: u64, state: &Checkpoint) -> Result<(), OpenError> {
        let mut gone: Vec<String> = Vec::new();
        let counts = |file: &&ScannedFile| file.frames.iter().any(|found| found.sequence() <= cut);
        let cut_off = self.chain.files.iter().filter(|file| !counts(file));
        let uncounted = self.chain.uncounted.iter().chain(cut_off);
        gone.extend(uncounted.map(|file| file.id().name()));
        gone.extend(
            self.rejected
                .iter()
                .map(|sequence| format!("{sequence:016x}.snapshot")),
        );
        let first = self.base.map_or(0, |base| base.file);
        let manifest = state.books.manifest.read();
        for name in disk.names().map_err(io("listing the data folder"))? {
            let orphan = FileId::from_name(&name).is_some_and(|id| {
                let is_older = id.is_merged() || id.number() < first;
                is_older && manifest.file(id).is_none()
            });
            if orphan || name.ends_with(".tmp") {
                gone.push(name);
            }
        }
        gone.sort_unstable();
        gone.dedup();
        for name in &gone {
            writer::remove_if_there(disk, name).map_err(io("removing what no longer counts"))?;
        }
        if !gone.is_empty() {
            disk.sync_folder().map_err(io("syncing the data folder"))?;
        }
        Ok(())
    }
}

type WholeSnapshots = Vec<(Snapshot, u64)>;

/// The snapshots that are whole, newest first, with their sizes, and those that are not.
fn read_snapshots(disk: &dyn Disk) -> Result<(WholeSnapshots, Vec<u64>), OpenError> {
    let sequences = snapshot::sequences(disk).map_err(io("listing snapshots"))?;
    let (mut whole, mut rejected) = (Vec::new(), Vec::new());
    for sequence in sequences {
        match snapshot::read(disk, sequence) {
            Ok(snapshot) => whole.push(snapshot),
            Err(error) => {
                tracing::error!(sequence, %error, "a snapshot is damaged");
                rejected.push(sequence);
            }
        }
    }
    Ok((whole, rejected))
}

fn scan(scanner: &Scanner<'_>, numbers: &[u64], base: Option<Base>) -> Result<Chain, OpenError> {
    let first = base.map_or(0, |base| base.file);
    let numbers = numbers.iter().filter(|number| **number >= first);
    let files: Result<Vec<ScannedFile>, OpenError> =
        numbers.map(|number| scanner.scan(*number)).collect();
    Ok(Chain::judge(files?, base))
}

/// How the new epoch begins.
#[derive(Debug)]
struct Start {
    epoch: u32,
    number: u64,
    cut_sequence: u64,
    clean: bool,
    leader_epoch: i32,
    running: RunningClock,
    wall_ms: i64,
    running_ms: u64,
}

impl Start {
    fn decide(found: &Found, replay: &Replay<'_>, first_sequence: u64, clock: &dyn Clock) -> Self {
        let chain = &found.chain;
        let epoch = chain.epoch_max + 1;
        let is_new = found.base.is_none() && replay.last_header.is_none();
        let closed = replay
            .last_header
            .is_some_and(|header| header.is(flag::CLOSING));
        let clean = (closed || is_new) && replay.holes.is_empty();
        let before = match replay.last_header {
            Some(header) => header.leader_epoch,
            None => replay.state.leader_epoch,
        };
        let last_time = replay.last_header.map(|header| LastFrameTime {
            running_ms: header.running_ms,
            append_time_ms: header.append_time_ms,
        });
        let (wall_ms, monotonic_ms) = (clock.wall_ms(), clock.monotonic_ms().unsigned_abs());
        let running = RunningClock::resume(last_time.or(found.base_time), wall_ms, monotonic_ms);
        let base_file = found.base.map_or(0, |base| base.file);
        Self {
            epoch,
            number: chain.number_max.max(base_file) + 1,
            cut_sequence: chain
                .proven
                .max(first_sequence - 1)
                .min(replay.last_sequence),
            clean,
            leader_epoch: match clean {
                true => before,
                false => i32::try_from(epoch).unwrap_or(i32::MAX),
            },
            running,
            wall_ms,
            running_ms: running.now_ms(monotonic_ms),
        }
    }

    fn open_epoch(
        &self,
        disk: &dyn Disk,
        options: &JournalOptions,
        chain: &Chain,
        replay: &Replay<'_>,
    ) -> Result<Writer, OpenError> {
        let end = |log: LogId| replay.state.logs.get(&log).map_or(0, |log| log.end);
        let opening = Opening {
            epoch: self.epoch,
            number: self.number,
            leader_epoch: self.leader_epoch,
            cut_sequence: self.cut_sequence,
            files: &chain.files,
            append_time_ms: self.wall_ms,
            running_ms: self.running_ms,
            manifest_end: end(MANIFEST_LOG),
            metadata_end: end(METADATA_LOG),
        };
        let mut writer = opening.write(disk, options)?;
        writer.previous = replay.previous.clone();
        let bytes = chain
            .files
            .iter()
            .flat_map(|file| &file.frames)
            .map(|found| found.bytes);
        writer.bytes_written = bytes.sum();
        Ok(writer)
    }
}

/// What the journal is put together from.
struct Parts {
    disk: Arc<dyn Disk>,
    clock: Arc<dyn Clock>,
    options: JournalOptions,
    lock: Box<dyn Send + Sync>,
    start: Start,
    state: Checkpoint,
}

impl Parts {
    fn assemble(self, found: Found, writer: Writer) -> Result<Journal, OpenError> {
        let state = self.state;
        let options = self.options;
        let limits = SegmentLimits {
            files_max: options.open_files_max,
            footer_bytes_max: options.footer_cache_bytes,
            waypoints_max: options.footer_cache_bytes / 256,
        };
        let manifest = state.books.manifest.clone();
        let segments = Segments::new(self.disk.clone(), manifest, limits);
        size_merged(&*self.disk, &segments, &state)?;
        let store = Store::new(writer.active.clone(), segments, options.tail_cache_bytes);
        for file in found.chain.files {
            if let Some(full) = full_file(file, self.start.cut_sequence) {
                store.add_full(full);
            }
        }
        let room = Room::new(writer.left(), writer::file_room(options.file_bytes));
        let frame = PendingFrame::new(writer.last_sequence + 1, FrameBuffer::with_capacity(0));
        let mut queue = Queue::new(frame, room, options.frame_bytes_max);
        queue.previous_count = writer.previous.len();
        let shared = Arc::new(Shared::new(
            self.clock,
            options,
            self.start.running,
            queue,
            store,
            self.start.leader_epoch,
        ));
        let skip = state.unseen_logs_skip;
        let logs = state.logs.into_iter();
        let logs: HashMap<LogId, Arc<Log>> = logs
            .map(|(id, stored)| (id, Arc::new(log(id, stored, shared.clone()))))
            .collect();
        let upkeep = Upkeep::new(found.snapshots);
        let journal = Journal::assemble(
            shared,
            self.disk,
            self.lock,
            logs,
            writer,
            state.books,
            upkeep,
        );
        journal.unseen_logs_skip.store(skip, Ordering::Release);
        Ok(journal)
    }
}

fn log(id: LogId, stored: StoredLog, shared: Arc<Shared>) -> Log {
    let log = Log::new(id, shared, LogConfig::UNCLAIMED);
    log.set_end(stored.end);
    let mut wake = Vec::new();
    log.move_start(stored.start, &mut wake);
    if let Some(file) = stored.newest_sealed {
        log.set_newest_sealed(file);
    }
    let mut state = log.state.lock();
    state.segments = stored.segments;
    state.epochs = stored.epochs;
    state.producers = stored.producers;
    state.skips_offsets = stored.skips_offsets;
    drop(state);
    log
}

/// A file of an earlier epoch up to the cut; it waits for its footer.
fn full_file(scanned: ScannedFile, cut_sequence: u64) -> Option<OpenFile> {
    let mut index = FooterBuilder::default();
    let mut span = FrameSpan::default();
    let mut end = BLOCK_BYTES as u64;
    let frames = scanned
        .frames
        .iter()
        .filter(|found| found.sequence() <= cut_sequence);
    for found in frames {
        let header = &found.frame.header;
        writer::index_frame(
            &mut index,
            &found.frame.runs,
            found.position,
            header.append_time_ms,
        );
        if span.first_sequence == 0 {
            span.first_sequence = header.sequence;
            span.first_append_ms = header.append_time_ms;
        }
        span.last_sequence = header.sequence;
        span.last_append_ms = header.append_time_ms;
        end = found.position + found.bytes;
    }
    if span.first_sequence == 0 {
        return None;
    }
    let file = OpenFile::new(scanned.header, scanned.file, index);
    *file.full.lock() = Some((span, end));
    Some(file)
}

/// Merged segments whose event was just replayed: how large they are and how much of each lives.
fn size_merged(disk: &dyn Disk, segments: &Segments, state: &Checkpoint) -> Result<(), OpenError> {
    let manifest = &state.books.manifest;
    let unsized_files: BTreeSet<FileId> = {
        let manifest = manifest.read();
        let files = manifest
            .files_by_age()
            .filter(|(_, file)| file.size.bytes == 0);
        files.map(|(file, _)| file).collect()
    };
    for file in unsized_files {
        let bytes = match disk.open(&file.name()).and_then(|file| file.size()) {
            Ok(bytes) => bytes,
            Err(error) if is_gone(&error) => {
                tracing::error!(%file, "a merged segment is missing: what it held cannot be read");
                0
            }
            // It may be read well another time; nothing that must not be undone has been done yet.
            Err(error) => return Err(io("looking at a merged segment")(error)),
        };
        let size = |live_bytes| FileSize { bytes, live_bytes };
        // Without its index nobody knows what lives in it: it never counts as dead.
        manifest.write().set_size(file, size(LIVE_BYTES_UNKNOWN));
        if let Ok(index) = segments.index(file) {
            let live = |log| state.books.live_from(log, state.logs.contains_key(&log));
            manifest
                .write()
                .set_size(file, size(index.footer().live_bytes(live)));
        }
    }
    Ok(())
}

/// More than any file holds, and than is ever subtracted.
const LIVE_BYTES_UNKNOWN: u64 = u64::MAX / 4;
