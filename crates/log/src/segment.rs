//! The sealed journal files and merged segments, for reading: bounded caches of open files, indexes
//! and trails. [`crate::segment_walk`] finds where a log's offsets lie, [`crate::segment_read`] reads
//! them. The log view comes here for what the active file does not hold.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use parking_lot::{Mutex, RwLock};
use protocol::Chunk;

use crate::disk::{Disk, DiskFile};
use crate::file_id::FileId;
use crate::lru::Lru;
use crate::manifest::Manifest;
use crate::open_files::OpenFiles;
use crate::segment_index::{IndexError, SegmentIndex};
use crate::trail::TrailCache;

/// Bounds of what reading keeps in memory.
#[derive(Clone, Copy, Debug)]
pub struct SegmentLimits {
    pub files_max: usize,
    pub footer_bytes_max: usize,
    pub waypoints_max: usize,
}

/// The sealed files, for reading.
#[derive(Debug)]
pub struct Segments {
    pub(crate) manifest: Arc<RwLock<Manifest>>,
    files: OpenFiles,
    indexes: Mutex<Lru<FileId, Arc<SegmentIndex>>>,
    pub(crate) trails: Mutex<TrailCache>,
    /// Files whose index was found lost, so that it is said once.
    unindexed: Mutex<BTreeSet<FileId>>,
}

/// A log as far as it is sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealedLog {
    pub log_id: u64,
    /// The newest sealed file that holds the log.
    pub newest: FileId,
}

#[derive(Clone, Copy, Debug)]
pub struct ReadRequest {
    pub offset: i64,
    /// Batches that begin here or above are not given.
    pub offset_max: i64,
    pub bytes_max: usize,
    /// Whether the first batch is given even if it alone exceeds `bytes_max`.
    pub at_least_one: bool,
    /// Whether large runs may be given as stretches of their file, to be sent from there.
    pub ranges: bool,
}

/// Whole batches, the first one of which holds the offset asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Read {
    pub chunks: Vec<Chunk>,
    pub bytes: usize,
    /// Where the next read goes on. Below the end of the file there may be more to read at once.
    pub next_offset: i64,
}

/// Bytes that were acknowledged and are lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{file} is damaged: offsets {first_offset} to {end_offset} (exclusive) of log {log_id} are lost"
)]
pub struct Damaged {
    pub file: FileId,
    pub log_id: u64,
    pub first_offset: i64,
    pub end_offset: i64,
}

#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("{file} cannot be read: {source}")]
    Io { file: FileId, source: io::Error },
    #[error(transparent)]
    Damaged(#[from] Damaged),
    /// Neither footer nor frames say what the file holds.
    #[error("{file} is damaged: its index is lost")]
    Unindexed { file: FileId },
    /// The file was removed meanwhile: look at the log's start offset again.
    #[error("{file} is gone")]
    Gone { file: FileId },
}

impl Segments {
    pub fn new(
        disk: Arc<dyn Disk>,
        manifest: Arc<RwLock<Manifest>>,
        limits: SegmentLimits,
    ) -> Self {
        Self {
            manifest,
            files: OpenFiles::new(disk, limits.files_max),
            indexes: Mutex::new(Lru::new(limits.footer_bytes_max)),
            trails: Mutex::new(TrailCache::new(limits.waypoints_max)),
            unindexed: Mutex::new(BTreeSet::new()),
        }
    }

    /// The index of a sealed file that the manifest knows.
    pub fn index(&self, file: FileId) -> Result<Arc<SegmentIndex>, ReadError> {
        if let Some(index) = self.indexes.lock().get(file) {
            return Ok(Arc::clone(index));
        }
        if self.unindexed.lock().contains(&file) {
            return Err(ReadError::Unindexed { file });
        }
        let Some(bytes) = self
            .manifest
            .read()
            .file(file)
            .map(|state| state.size.bytes)
        else {
            return Err(ReadError::Gone { file });
        };
        let handle = self.open(file)?;
        let index = SegmentIndex::load(file, &*handle, bytes).map_err(|error| match error {
            IndexError::Io(source) => ReadError::from_io(file, source),
            IndexError::Header { .. } | IndexError::Footer(_) | IndexError::BadBlock(_) => {
                tracing::error!(%file, %error, "the index of a sealed file is lost");
                self.unindexed.lock().insert(file);
                ReadError::Unindexed { file }
            }
        })?;
        Ok(self.keep(index))
    }

    /// Keeps the index of a file that was just sealed or merged, so that it is not read back.
    pub fn keep(&self, index: SegmentIndex) -> Arc<SegmentIndex> {
        let index = Arc::new(index);
        let weight = index.memory_bytes();
        self.indexes
            .lock()
            .insert(index.file, Arc::clone(&index), weight);
        index
    }

    /// Lets go of a file that is about to be unlinked or recycled. True if nobody reads it, so that
    /// it may be recycled. Tell [`Self::forget`] once its name is gone.
    pub fn close(&self, file: FileId) -> bool {
        self.indexes.lock().remove(file);
        self.files.close(file)
    }

    pub fn forget(&self, file: FileId) {
        self.files.forget(file);
    }

    pub(crate) fn open(&self, file: FileId) -> Result<Arc<dyn DiskFile>, ReadError> {
        self.files
            .get(file)
            .map_err(|source| ReadError::from_io(file, source))
    }
}

impl ReadError {
    pub(crate) fn from_io(file: FileId, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::NotFound => Self::Gone { file },
            // The file is shorter than the manifest or its footer says.
            io::ErrorKind::UnexpectedEof => Self::Unindexed { file },
            _ => Self::Io { file, source },
        }
    }
}

#[cfg(test)]
#[path = "segment_tests.rs"]
mod tests;
