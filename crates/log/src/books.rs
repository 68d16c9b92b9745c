//! What the journal keeps of its files beside their bytes: the manifest, which bytes have been counted
//! as dead, and what is left of deleted logs. Changed by the manifest's events once they are durable
//! (never before: a full disk may take them back), and by the maintenance step; in each snapshot.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::RwLock;

use crate::fields::{Fields, Truncated};
use crate::file_id::FileId;
use crate::manifest::{FileSize, Manifest, ManifestError};
use crate::manifest_event::Event;
use crate::merge::Merged;
use crate::options::LogId;

#[derive(Debug, Default)]
pub(crate) struct Books {
    pub(crate) manifest: Arc<RwLock<Manifest>>,
    /// The manifest log's events below this offset are applied.
    pub(crate) applied: i64,
    /// Up to where each log's dead bytes have been subtracted from their files' live ones. They lag
    /// behind the logs' starts: footers have to be read for it.
    pub(crate) accounted: BTreeMap<LogId, i64>,
    /// Deleted logs whose bytes have not been subtracted yet.
    pub(crate) deleted: BTreeMap<LogId, DeletedLog>,
    /// Merged segments that wait for their event.
    pub(crate) merges: BTreeMap<u64, Merged>,
    /// Events that a full disk took back.
    pub(crate) lost: Vec<Event>,
}

/// What is left of a deleted log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DeletedLog {
    pub(crate) from: i64,
    pub(crate) end: i64,
    pub(crate) newest_sealed: Option<FileId>,
}

impl Books {
    pub(crate) fn accounted(&self, log: LogId) -> i64 {
        self.accounted.get(&log).copied().unwrap_or(0)
    }

    /// From where a log's bytes count as live in files there are; `None` if they do no more.
    pub(crate) fn live_from(&self, log: LogId, exists: bool) -> Option<i64> {
        match self.deleted.get(&log) {
            Some(deleted) => Some(deleted.from),
            None => exists.then(|| self.accounted(log)),
        }
    }

    /// The log's bytes are dead from now on; they are subtracted later.
    pub(crate) fn delete_log(&mut self, log: LogId, end: i64, newest_sealed: Option<FileId>) {
        let from = self.accounted.remove(&log).unwrap_or(0);
        self.deleted.entry(log).or_insert(DeletedLog {
            from,
            end,
            newest_sealed,
        });
    }

    /// Applies what an event does to the files.
    pub(crate) fn apply_to_files(
        &mut self,
        event: &Event,
        frame_sequence: u64,
        merged_size: impl FnOnce(u64) -> FileSize,
    ) -> Result<(), ManifestError> {
        let mut manifest = self.manifest.write();
        match event {
            Event::LogStartMoved { .. } | Event::LogDeleted { .. } => Ok(()),
            Event::MergedInstalled { merged, replaced } => {
                manifest.install_merged(*merged, replaced, merged_size(*merged), frame_sequence)
            }
            Event::FileDeleted { file } => manifest.delete(*file, frame_sequence),
            Event::HoleAccepted(hole) => {
                manifest.accept_hole(*hole);
                Ok(())
            }
        }
    }

    /// The snapshot section beside the manifest's own.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = self.applied.to_le_bytes().to_vec();
        out.extend((self.accounted.len() as u64).to_le_bytes());
        for (log, from) in &self.accounted {
            out.extend(log.to_le_bytes());
            out.extend(from.to_le_bytes());
        }
        out.extend((self.deleted.len() as u64).to_le_bytes());
        for (log, deleted) in &self.deleted {
            out.extend(log.to_le_bytes());
            out.extend(deleted.from.to_le_bytes());
            out.extend(deleted.end.to_le_bytes());
            let newest = deleted.newest_sealed.map_or(0, FileId::to_bits);
            out.extend(newest.to_le_bytes());
        }
        out
    }

    pub(crate) fn decode(files: &[u8], books: &[u8]) -> Result<Self, ManifestError> {
        let mut decoded = Self {
            manifest: Arc::new(RwLock::new(Manifest::decode(files)?)),
            ..Self::default()
        };
        decoded.decode_logs(&mut Fields::new(books))?;
        Ok(decoded)
    }

    fn decode_logs(&mut self, fields: &mut Fields<'_>) -> Result<(), Truncated> {
        self.applied = fields.i64("applied events")?;
        for _ in 0..fields.count_u64(16, "accounted logs")? {
            let log = fields.u64("log id")?;
            self.accounted.insert(log, fields.i64("accounted offset")?);
        }
        for _ in 0..fields.count_u64(32, "deleted logs")? {
            let log = fields.u64("log id")?;
            let from = fields.i64("accounted offset")?;
            let end = fields.i64("end offset")?;
            let newest = match fields.u64("newest file")? {
                0 => None,
                file => Some(FileId::from_bits(file)),
            };
            let deleted = DeletedLog {
                from,
                end,
                newest_sealed: newest,
            };
            self.deleted.insert(log, deleted);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_brings_it_back() {
        let mut books = Books {
            applied: 7,
            ..Books::default()
        };
        books.accounted.insert(5, 100);
        books.accounted.insert(6, 200);
        books.delete_log(6, 300, Some(FileId::journal(3)));
        books.delete_log(8, 10, None);
        let files = books.manifest.read().encode();
        let back = Books::decode(&files, &books.encode()).unwrap();
        assert_eq!(back.applied, 7);
        assert_eq!(back.accounted, books.accounted);
        assert_eq!(back.deleted, books.deleted);
        assert_eq!(back.live_from(5, true), Some(100));
        assert_eq!(back.live_from(6, false), Some(200));
        assert_eq!(back.live_from(7, true), Some(0));
        assert_eq!(back.live_from(9, false), None);
        for cut in 0..books.encode().len() {
            assert!(Books::decode(&files, &books.encode()[..cut]).is_err());
        }
    }
}
