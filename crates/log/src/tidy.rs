//! What the maintenance step does with dead bytes: counts them as logs' starts move, merges files that
//! are mostly dead, and unlinks or recycles those that are wholly so. The order is rule 1: nothing is
//! destroyed before the event that allows it is durable.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::disk::DiskFile;
use crate::file_id::FileId;
use crate::journal::Journal;
use crate::maintain::{NO_ROOM_PAUSE_MS, Upkeep, is_gone};
use crate::manifest_event::Event;
use crate::merge::{Merge, MergeError, MergedFile};
use crate::merge_plan::{MergeBounds, MergePlan};
use crate::options::LogId;
use crate::segment::SealedLog;
use crate::set_aside;
use crate::writer::{SPARE_NAME, WriteError};

/// Logs whose dead bytes are counted in one step.
const ACCOUNTED_PER_STEP: usize = 256;
/// And how long that may take: footers of very many small runs are large, and the next file must be ready in time.
const ACCOUNT_STEP_MS: i64 = 50;
/// Bytes that a merge copies in one step.
const MERGE_STEP_BYTES: usize = 4 << 20;
/// How long counting waits after a footer could not be read.
const ACCOUNT_PAUSE_MS: i64 = 30_000;

/// A log with bytes that are dead and still counted as live.
struct Unaccounted {
    log: LogId,
    from: i64,
    to: i64,
    newest_sealed: Option<FileId>,
    is_deleted: bool,
}

impl Journal {
    /// Subtracts what moved starts and deleted logs have freed from their files' live bytes.
    pub(crate) fn account(&self, upkeep: &mut Upkeep) {
        let now_ms = self.shared.clock.monotonic_ms();
        if now_ms < upkeep.account_not_before_ms {
            return;
        }
        for unaccounted in self.unaccounted() {
            let Unaccounted { log, from, to, .. } = unaccounted;
            let sealed = unaccounted.newest_sealed;
            let sealed = sealed.map(|newest| SealedLog {
                log_id: log,
                newest,
            });
            let dead = match sealed {
                Some(sealed) => self.shared.store.segments.dead_bytes(sealed, from..to),
                None => Ok(Vec::new()),
            };
            let dead = match dead {
                Ok(dead) => dead,
                Err(error) => {
                    // Its files stay until it is counted.
                    tracing::warn!(log, %error, "dead bytes cannot be counted yet");
                    upkeep.account_not_before_ms = now_ms + ACCOUNT_PAUSE_MS;
                    self.has_dead_bytes.store(true, Ordering::Release);
                    return;
                }
            };
            let mut books = self.books.lock();
            for (file, bytes) in dead {
                books.manifest.write().subtract_live(file, bytes);
            }
            if unaccounted.is_deleted {
                books.deleted.remove(&log);
            } else if self.log(log).is_some() && !books.deleted.contains_key(&log) {
                books.accounted.insert(log, to);
            } else if let Some(deleted) = books.deleted.get_mut(&log) {
                // Deleted meanwhile.
                deleted.from = to;
            }
            drop(books);
            if self.shared.clock.monotonic_ms() - now_ms >= ACCOUNT_STEP_MS {
                self.has_dead_bytes.store(true, Ordering::Release);
                return;
            }
        }
    }

    fn unaccounted(&self) -> Vec<Unaccounted> {
        if !self.has_dead_bytes.swap(false, Ordering::AcqRel) {
            return Vec::new();
        }
        let logs = self.logs();
        let books = self.books.lock();
        if !books.merges.is_empty() {
            // What a merge copied is counted when it is installed.
            self.has_dead_bytes.store(true, Ordering::Release);
            return Vec::new();
        }
        let deleted = books.deleted.iter().map(|(log, deleted)| Unaccounted {
            log: *log,
            from: deleted.from,
            to: deleted.end,
            newest_sealed: deleted.newest_sealed,
            is_deleted: true,
        });
        let moved = logs.iter().map(|log| Unaccounted {
            log: log.id(),
            from: books.accounted(log.id()),
            to: log.start_offset(),
            newest_sealed: log.newest_sealed(),
            is_deleted: false,
        });
        let moved = moved.filter(|moved| moved.to > moved.from);
        let found: Vec<Unaccounted> = deleted.chain(moved).take(ACCOUNTED_PER_STEP).collect();
        if found.len() == ACCOUNTED_PER_STEP {
            self.has_dead_bytes.store(true, Ordering::Release);
        }
        found
    }

    /// Asks for the deletion of files without a live byte.
    pub(crate) fn delete_dead_files(&self, upkeep: &mut Upkeep) {
        let keep_from = upkeep.keep_from();
        let dead: Vec<FileId> = {
            let books = self.books.lock();
            if !books.deleted.is_empty() && books.merges.is_empty() {
                // Counted first: a deleted log's trail leads through files that would go.
                Vec::new()
            } else {
                // What is being merged goes with its merge: the event names it.
                let merging = upkeep.merge.iter().flat_map(Merge::sources);
                let merged = books.merges.values();
                let merged = merged.flat_map(|merged| &merged.plan.sources);
                let taken = merging.chain(merged).chain(&upkeep.deleting);
                let taken: BTreeSet<FileId> = taken.copied().collect();
                let manifest = books.manifest.read();
                let dead = manifest.dead(keep_from);
                dead.filter(|file| !taken.contains(file)).collect()
            }
        };
        if dead.is_empty() {
            return;
        }
        let events = dead
            .iter()
            .map(|file| Event::FileDeleted { file: *file })
            .collect();
        if self.append_events(events).is_ok() {
            upkeep.deleting.extend(dead);
        }
    }

    /// Unlinks files whose deletion or replacement is durable.
    pub(crate) fn unlink_files(&self, upkeep: &mut Upkeep) -> Result<(), WriteError> {
        for file in self.unlinkable(upkeep) {
            upkeep.deleting.remove(&file);
            self.shared.store.segments.close(file);
            match self.disk.remove(&file.name()) {
                Err(error) if !is_gone(&error) => {
                    return Err(WriteError::of_write("removing a dead file")(error));
                }
                _ => self.forget_file(file),
            }
        }
        Ok(())
    }

    fn unlinkable(&self, upkeep: &Upkeep) -> Vec<FileId> {
        let durable = self.shared.durable.load(Ordering::Acquire);
        let books = self.books.lock();
        let manifest = books.manifest.read();
        manifest.unlinkable(durable, upkeep.keep_from()).collect()
    }

    fn forget_file(&self, file: FileId) {
        self.books.lock().manifest.write().unlinked(file);
        self.shared.store.segments.forget(file);
    }

    /// A dead journal file that nobody reads and that has one name only, as the next spare.
    pub(crate) fn recycle(&self, upkeep: &Upkeep) -> Option<Arc<dyn DiskFile>> {
        let file = self
            .unlinkable(upkeep)
            .into_iter()
            .find(|file| !file.is_merged())?;
        if !self.shared.store.segments.close(file) {
            return None;
        }
        self.disk.rename(&file.name(), SPARE_NAME).ok()?;
        self.forget_file(file);
        // Asked under a name that nobody takes for data: under the old one it might be linked right now.
        let handle = self.disk.open(SPARE_NAME).ok()?;
        (handle.link_count().ok()? == 1).then_some(handle)
    }

    /// Copies a piece of the merge under way, or looks for one to begin. True if there is more to do.
    pub(crate) fn merge_step(&self, upkeep: &mut Upkeep) -> Result<bool, WriteError> {
        let Some(mut merge) = upkeep.merge.take() else {
            return self.begin_merge(upkeep);
        };
        let segments = &self.shared.store.segments;
        let copied = merge.step(segments, MERGE_STEP_BYTES);
        let merged = match copied {
            Ok(false) => {
                upkeep.merge = Some(merge);
                return Ok(true);
            }
            Ok(true) => merge.finish(),
            Err(error) => Err(error),
        };
        match merged {
            Ok(Some(merged)) => self.install(merged),
            Ok(None) => {}
            Err(error) => return self.merge_failed(upkeep, error),
        }
        Ok(false)
    }

    fn begin_merge(&self, upkeep: &mut Upkeep) -> Result<bool, WriteError> {
        let now_ms = self.shared.clock.monotonic_ms();
        if now_ms < upkeep.merge_not_before_ms {
            return Ok(false);
        }
        let is_full = self.shared.queue.lock().room.is_full();
        let (plan, number) = {
            let books = self.books.lock();
            if !books.merges.is_empty() || !books.lost.is_empty() || !upkeep.deleting.is_empty() {
                return Ok(false);
            }
            let mut manifest = books.manifest.write();
            let mut excluded = upkeep.unmergeable.clone();
            let mut live_bytes_max = self.shared.options.file_bytes;
            if is_full {
                live_bytes_max = set_aside::merge_bytes_max(live_bytes_max);
                let files = manifest.files_by_age();
                let large = files.filter(|(_, state)| state.size.live_bytes > live_bytes_max);
                excluded.extend(large.map(|(file, _)| file));
            }
            let bounds = MergeBounds {
                keep_from: upkeep.keep_from(),
                live_bytes_max,
                excluded: &excluded,
            };
            let Some(plan) = MergePlan::choose(&manifest, &bounds) else {
                return Ok(false);
            };
            (plan, manifest.next_merged())
        };
        let file = MergedFile {
            number,
            salt: self.shared.options.salt(),
            created_ms: self.shared.clock.wall_ms(),
        };
        let live_from = |log| {
            let books = self.books.lock();
            books.live_from(log, self.log(log).is_some())
        };
        let segments = &self.shared.store.segments;
        match Merge::start(segments, self.disk.clone(), plan, file, live_from) {
            Ok(merge) => upkeep.merge = Some(merge),
            Err(error) => return self.merge_failed(upkeep, error),
        }
        Ok(true)
    }

    /// A merged segment is durable: asks that it takes its sources' place.
    fn install(&self, merged: crate::merge::Merged) {
        let (number, event) = (merged.number, merged.event());
        // First, so that it is there when the event takes effect.
        self.books.lock().merges.insert(number, merged);
        if self.append_events(vec![event]).is_err() {
            self.drop_merged(number);
        }
    }

    /// Gives up a merged segment that never came to count.
    pub(crate) fn drop_merged(&self, number: u64) {
        self.books.lock().merges.remove(&number);
        let id = FileId::merged(number);
        if let Err(error) = self.disk.remove(&id.name()) {
            tracing::warn!(file = %id, %error, "an unused merged segment stays until the next start");
        }
    }

    /// True if another one is under way with what room there is to borrow.
    fn merge_failed(&self, upkeep: &mut Upkeep, error: MergeError) -> Result<bool, WriteError> {
        match error {
            MergeError::Source { file, error } => {
                tracing::error!(%file, %error, "a damaged file cannot be merged");
                upkeep.unmergeable.insert(file);
                Ok(false)
            }
            MergeError::Write(error) => {
                match WriteError::of_write("writing a merged segment")(error) {
                    WriteError::NoSpace => {}
                    failed => return Err(failed),
                }
                if self.borrow_room(upkeep)? {
                    return self.begin_merge(upkeep);
                }
                let now_ms = self.shared.clock.monotonic_ms();
                upkeep.merge_not_before_ms = now_ms + NO_ROOM_PAUSE_MS;
                Ok(false)
            }
        }
    }
}
