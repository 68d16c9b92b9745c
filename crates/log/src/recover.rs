//! Opening a journal: finds the frames that count, replays them into the logs, and opens a new epoch. Nothing in the folder is changed
//! before the new epoch's opening is durable, so that a start that is cut leaves what the next one needs.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use protocol::batch::Batches;

use crate::clock::Clock;
use crate::commit::{self, SPARE_NAME, Spare, Writer};
use crate::disk::{Disk, DiskFile};
use crate::file_header::FileHeader;
use crate::file_id::FileId;
use crate::footer::{BLOCK_BYTES, FooterBuilder, FrameSpan, Previous};
use crate::frame::{self, FRAME_HEADER_BYTES, Frame, FrameHeader, RUN_BEGINS_SEGMENT, flag};
use crate::journal::{Journal, JournalOptions};
use crate::log::{Durability, LogClass, LogConfig, LogId};
use crate::producers;
use crate::roll::Arrival;
use crate::running_clock::{LastFrameTime, RunningClock};
use crate::scan::{self, Scanned, ScannedFile};
use crate::store::{ActiveFile, SealedFile, Store};

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
        "{file} is damaged: {what}. Nothing was changed; restore the folder from a copy, or move the file away to lose what it holds"
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
    pub frames: u64,
    pub bytes_read: u64,
}

fn io_error(doing: &str) -> impl Fn(io::Error) -> OpenError + '_ {
    move |source| OpenError::Io {
        doing: doing.to_owned(),
        source,
    }
}

impl Journal {
    pub fn open(
        disk: Arc<dyn Disk>,
        clock: Arc<dyn Clock>,
        options: JournalOptions,
    ) -> Result<(Arc<Self>, Recovered), OpenError> {
        let lock = disk.lock().map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => OpenError::Locked,
            _ => io_error("locking the data folder")(error),
        })?;
        let scanned = scan::scan(&*disk)?;
        let opening = Opening::decide(&scanned);
        let last = scanned.last_header.map(|header| LastFrameTime {
            running_ms: header.running_ms,
            append_time_ms: header.append_time_ms,
        });
        let monotonic_ms = clock.monotonic_ms();
        let running = RunningClock::resume(last, clock.wall_ms(), monotonic_ms.unsigned_abs());
        let header = FrameHeader {
            append_time_ms: clock.wall_ms(),
            running_ms: running.now_ms(monotonic_ms.unsigned_abs()),
            leader_epoch: opening.leader_epoch,
            ..FrameHeader::default()
        };
        let (writer, index) = opening
            .write(&*disk, &scanned, &options, header)
            .map_err(io_error("opening a new journal file"))?;
        give_back(&*disk, &scanned);
        let sealed = seal_all(&scanned, opening.proven);
        let active = ActiveFile {
            number: writer.header.number,
            file: writer.file.clone(),
            index,
        };
        let store = Store::new(active, sealed, options.tail_cache_bytes);
        let journal = Arc::new(Self::assemble(
            disk,
            clock,
            options,
            lock,
            writer,
            store,
            running,
            opening.leader_epoch,
        ));
        replay(&journal, &scanned);
        let recovered = Recovered {
            epoch: opening.epoch,
            leader_epoch: opening.leader_epoch,
            clean: opening.clean,
            logs: journal.log_ids(),
            sections: Vec::new(),
            frames: scanned
                .files
                .iter()
                .map(|file| file.frames.len() as u64)
                .sum(),
            bytes_read: scanned.bytes_read,
        };
        Ok((journal, recovered))
    }
}

/// How the new epoch begins.
struct Opening {
    epoch: u32,
    number: u64,
    /// Frames above this one are written again.
    proven: u64,
    clean: bool,
    leader_epoch: i32,
}

impl Opening {
    fn decide(scanned: &Scanned) -> Self {
        let epoch = scanned.epoch_max + 1;
        let clean = scanned
            .last_header
            .is_none_or(|header| header.flags & flag::CLOSING != 0);
        let before = scanned.last_header.map_or(0, |header| header.leader_epoch);
        Self {
            epoch,
            number: scanned.number_max + 1,
            // A closing frame holds nothing and is never written again.
            proven: if clean {
                scanned.last_sequence
            } else {
                scanned.proven
            },
            clean,
            leader_epoch: if clean {
                before
            } else {
                i32::try_from(epoch).unwrap_or(i32::MAX)
            },
        }
    }

    /// Writes the frames that are not proven behind block 1 of a new file, syncs, then the epoch's first frame into block 1, syncs.
    fn write(
        &self,
        disk: &dyn Disk,
        scanned: &Scanned,
        options: &JournalOptions,
        times: FrameHeader,
    ) -> io::Result<(Writer, FooterBuilder)> {
        let header = FileHeader {
            merged: false,
            epoch: self.epoch,
            number: self.number,
            salt: (options.salts.lock())(),
            size: options.file_bytes,
            created_ms: times.append_time_ms,
        };
        let Spare { file, header } = commit::make_spare(disk, header)?;
        disk.rename(SPARE_NAME, &FileId::journal(self.number).name())?;
        let mut index = FooterBuilder::default();
        let mut sequence = self.proven + 1;
        let mut position = 2 * BLOCK_BYTES as u64;
        for (source, found) in scanned
            .files
            .iter()
            .flat_map(|file| file.frames.iter().map(move |found| (file, found)))
        {
            if found.frame.header.sequence <= self.proven {
                continue;
            }
            sequence += 1;
            position = self.write_again(
                &*file, &header, source, found, sequence, position, &mut index,
            )?;
        }
        file.sync_data()?;
        disk.sync_folder()?;
        let mut first = vec![0; FRAME_HEADER_BYTES];
        let frame_header = FrameHeader {
            flags: flag::EPOCH,
            epoch: self.epoch,
            sequence: self.proven + 1,
            // What was written again counts as proven only once a later frame says so.
            durable_sequence: self.proven,
            cut_sequence: self.proven,
            ..times
        };
        frame::finish(&mut first, &frame_header, &[], &[], &header.place(), 1);
        file.write_all_at(&first, BLOCK_BYTES as u64)?;
        file.sync_data()?;
        let mut writer = Writer::new(file, header, position, sequence, None);
        writer.span = FrameSpan {
            first_sequence: self.proven + 1,
            last_sequence: sequence,
            first_append_ms: times.append_time_ms,
            last_append_ms: times.append_time_ms,
        };
        Ok((writer, index))
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one frame from one place to another"
    )]
    fn write_again(
        &self,
        file: &dyn DiskFile,
        header: &FileHeader,
        source: &ScannedFile,
        found: &scan::Found,
        sequence: u64,
        position: u64,
        index: &mut FooterBuilder,
    ) -> io::Result<u64> {
        let mut buffer = vec![0; FRAME_HEADER_BYTES + found.body_bytes];
        source.file.read_exact_at(&mut buffer, found.position)?;
        let old = &found.frame.header;
        let frame_header = FrameHeader {
            flags: flag::AGAIN,
            epoch: self.epoch,
            sequence,
            durable_sequence: self.proven,
            cut_sequence: 0,
            leader_epoch: self.leader_epoch,
            ..*old
        };
        frame::finish(
            &mut buffer,
            &frame_header,
            &found.frame.runs,
            &found.frame.previous,
            &header.place(),
            position / BLOCK_BYTES as u64,
        );
        file.write_all_at(&buffer, position)?;
        commit::index_frame(index, &found.frame.runs, position, old.append_time_ms);
        Ok(position + buffer.len() as u64)
    }
}

/// The room that earlier files took and did not use. Only after the opening is durable: until then the next start may need all of it.
fn give_back(disk: &dyn Disk, scanned: &Scanned) {
    for file in &scanned.files {
        let given = file.file.size().and_then(|size| {
            if size > file.end {
                file.file.set_len(file.end)
            } else {
                Ok(())
            }
        });
        if let Err(error) = given {
            tracing::warn!(number = file.header.number, %error, "a journal file keeps room that it does not use");
        }
    }
    for id in &scanned.uncounted {
        if let Err(error) = disk.remove(&id.name()) {
            tracing::warn!(file = %id, %error, "an empty journal file could not be removed");
        }
    }
}

/// The files of earlier epochs as they are read from now on: up to the frame that is proven.
fn seal_all(scanned: &Scanned, proven: u64) -> BTreeMap<u64, Arc<SealedFile>> {
    let mut sealed = BTreeMap::new();
    let mut last: BTreeMap<LogId, FileId> = BTreeMap::new();
    for file in &scanned.files {
        let mut index = FooterBuilder::default();
        let mut span = FrameSpan::default();
        for found in file
            .frames
            .iter()
            .filter(|found| found.frame.header.sequence <= proven)
        {
            let header = &found.frame.header;
            commit::index_frame(
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
        }
        let id = FileId::journal(file.header.number);
        let footer = index.finish(
            span,
            |log| {
                last.get(&log)
                    .map_or(Previous::None, |file| Previous::File(*file))
            },
            |_| Some(0),
        );
        last.extend(footer.logs().iter().map(|entry| (entry.log_id, id)));
        sealed.insert(
            file.header.number,
            Arc::new(SealedFile {
                id,
                file: file.file.clone(),
                footer,
                bytes: file.end,
            }),
        );
    }
    sealed
}

/// What a log is until the broker says how it wants it.
const UNCLAIMED: LogConfig = LogConfig {
    durability: Durability::Sync,
    class: LogClass::User,
    segment_bytes: i64::MAX,
    segment_ms: i64::MAX,
    retention_ms: -1,
    retention_bytes: -1,
    deletes: false,
};

/// Brings every log to where the frames leave it.
fn replay(journal: &Arc<Journal>, scanned: &Scanned) {
    for file in &scanned.files {
        for found in &file.frames {
            let header = &found.frame.header;
            for (run, headers) in found.frame.runs.iter().zip(&found.batches) {
                let log = journal
                    .log(run.log_id)
                    .unwrap_or_else(|| journal.open_log(run.log_id, UNCLAIMED));
                let arrival = Arrival {
                    base_offset: run.base_offset,
                    last_offset: run.end_offset() - 1,
                    bytes: u64::from(run.bytes),
                    max_timestamp: run.max_timestamp,
                    append_time_ms: header.append_time_ms,
                    running_ms: header.running_ms,
                };
                let mut state = log.state.lock();
                state
                    .segments
                    .append(&arrival, run.flags & RUN_BEGINS_SEGMENT != 0);
                for batch in headers {
                    state
                        .epochs
                        .append(batch.partition_leader_epoch, batch.base_offset);
                    let appended = producers::Appended {
                        header: batch,
                        base_offset: batch.base_offset,
                        // Durable before anyone is served.
                        frame_sequence: 0,
                        running_ms: header.running_ms,
                    };
                    state
                        .producers
                        .record(&appended, journal.producers_per_log_max());
                }
                drop(state);
                log.replay_end(run.end_offset());
            }
        }
    }
}

/// The headers of a run's batches.
pub(crate) fn batch_headers(run: &[u8]) -> Vec<protocol::batch::BatchHeader> {
    Batches::new(run)
        .map_while(Result::ok)
        .map(|batch| *batch.header())
        .collect()
}

/// A frame's runs with their bytes.
pub(crate) fn run_headers(frame: &Frame, bytes: &[u8]) -> Vec<Vec<protocol::batch::BatchHeader>> {
    frame
        .placed_runs()
        .map(|(run, start)| batch_headers(&bytes[start..start + run.bytes as usize]))
        .collect()
}
