//! Which sealed journal files and merged segments exist, how much of each is alive, and which of them
//! may go: state that the journal's owner changes as files are sealed and events are durable, and that
//! a snapshot and the replayed events bring back. Pure; reading asks it where a replaced file went.
//!
//! Not obvious:
//! - Files have an age: the newest journal file whose data they hold. Only neighbours in age are
//!   merged, so that each log's trail still leads from newer to older without a gap.
//! - A file that is neither known nor replaced is gone, and with it all that a trail held behind it:
//!   whatever is live in an older file would have kept the newer one alive.
//! - Live bytes are exact if their owner remembers for each log up to which start it has subtracted,
//!   counts a file that is sealed or merged from that start, and takes snapshots when nothing is left.
//! - The entry of a replaced file stays as long as its merged segment does: footers still name it.

use std::collections::{BTreeMap, BTreeSet};

use crate::fields::{Fields, Truncated};
use crate::file_id::FileId;
use crate::manifest_event::{Hole, merged_number};

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    files: BTreeMap<FileId, FileState>,
    by_age: BTreeMap<u64, FileId>,
    /// Journal files and merged segments that a merged segment stands for now.
    replaced: BTreeMap<FileId, FileId>,
    next_merged: u64,
    holes: Vec<Hole>,
    /// Files that are to be unlinked once their event is durable, with the frame that carries it.
    gone: BTreeMap<FileId, u64>,
}

/// A sealed journal file or an installed merged segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileState {
    pub size: FileSize,
    /// The newest journal file whose data it holds.
    pub age: u64,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileSize {
    pub bytes: u64,
    /// Bytes of runs at or above their log's start.
    pub live_bytes: u64,
}

/// Events or a snapshot that do not fit the files there are: the manifest is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    #[error("an event names {file:?}, which is not there")]
    UnknownFile { file: FileId },
    #[error("{file:?} appears twice")]
    FileTwice { file: FileId },
    #[error("merged segment {file:?} replaces nothing")]
    ReplacesNothing { file: FileId },
    #[error(transparent)]
    Truncated(#[from] Truncated),
}

impl Manifest {
    pub fn file(&self, file: FileId) -> Option<&FileState> {
        self.files.get(&file)
    }

    /// The files from oldest to newest.
    pub fn files_by_age(&self) -> impl DoubleEndedIterator<Item = (FileId, &FileState)> + '_ {
        self.by_age
            .values()
            .filter_map(|file| Some((*file, self.files.get(file)?)))
    }

    /// The file that holds now what `file` held when a footer named it; `None` if that is gone.
    pub fn resolve(&self, file: FileId) -> Option<FileId> {
        let now = *self.replaced.get(&file).unwrap_or(&file);
        self.files.contains_key(&now).then_some(now)
    }

    /// The next older file; of a journal file that is not sealed yet, the newest sealed one before it.
    pub fn older_than(&self, file: FileId) -> Option<FileId> {
        let age = match self.files.get(&file) {
            Some(state) => state.age,
            None if !file.is_merged() => file.number(),
            None => return None,
        };
        self.by_age.range(..age).next_back().map(|(_, file)| *file)
    }

    pub fn holes(&self) -> &[Hole] {
        &self.holes
    }

    /// Whether a loss between two files, or in one, was accepted (event 5): reads pass over it.
    /// Without `older` it may be anywhere below `newer`.
    pub fn is_hole_accepted(&self, older: Option<FileId>, newer: FileId) -> bool {
        let age = |file| Some(self.files.get(&self.resolve(file)?)?.age);
        let first = older.map_or(Some(0), age);
        let (Some(first), Some(last)) = (first, age(newer)) else {
            return false;
        };
        let mut ages = self.holes.iter().filter_map(|hole| age(hole.file));
        ages.any(|age| (first..=last).contains(&age))
    }

    /// A journal file was sealed.
    pub fn seal(&mut self, number: u64, size: FileSize) -> Result<(), ManifestError> {
        self.insert(FileId::journal(number), FileState { size, age: number })
    }

    /// A number for a merged segment, never given before.
    pub fn next_merged(&mut self) -> u64 {
        self.next_merged = self.next_merged.max(1) + 1;
        self.next_merged - 1
    }

    /// Event 3, in frame `frame_sequence`. While events are replayed the merged segment may be gone
    /// already by a later event: its size is 0 until [`Self::set_size`].
    pub fn install_merged(
        &mut self,
        merged: u64,
        replaced: &[FileId],
        size: FileSize,
        frame_sequence: u64,
    ) -> Result<(), ManifestError> {
        let file = FileId::merged(merged);
        let mut age = None;
        for old in replaced {
            let state = self.remove(*old, frame_sequence)?;
            age = age.max(Some(state.age));
        }
        let age = age.ok_or(ManifestError::ReplacesNothing { file })?;
        let replaced: BTreeSet<FileId> = replaced.iter().copied().collect();
        for now in self.replaced.values_mut() {
            if replaced.contains(now) {
                *now = file;
            }
        }
        self.replaced
            .extend(replaced.iter().map(|old| (*old, file)));
        self.next_merged = self.next_merged.max(merged.saturating_add(1));
        self.insert(file, FileState { size, age })
    }

    /// Event 4, in frame `frame_sequence`.
    pub fn delete(&mut self, file: FileId, frame_sequence: u64) -> Result<(), ManifestError> {
        self.remove(file, frame_sequence)?;
        let stood_for = |old: &FileId| *old == file || self.replaced.get(old) == Some(&file);
        self.holes.retain(|hole| !stood_for(&hole.file));
        self.replaced.retain(|_, now| *now != file);
        Ok(())
    }

    /// Event 5.
    pub fn accept_hole(&mut self, hole: Hole) {
        if !self.holes.contains(&hole) {
            self.holes.push(hole);
        }
    }

    pub fn set_size(&mut self, file: FileId, size: FileSize) {
        if let Some(state) = self.files.get_mut(&file) {
            state.size = size;
        }
    }

    /// Bytes of `file` fell below their log's start, or their log was deleted.
    pub fn subtract_live(&mut self, file: FileId, bytes: u64) {
        if let Some(state) = self.files.get_mut(&file) {
            state.size.live_bytes = state.size.live_bytes.saturating_sub(bytes);
        }
    }

    /// Files for which event 4 may be appended now. `keep_from` is the journal file at which the older
    /// of the two snapshots would begin to replay: neither it nor a later one goes (rule 4).
    pub fn dead(&self, keep_from: u64) -> impl Iterator<Item = FileId> + '_ {
        self.files
            .iter()
            .filter(move |(file, state)| state.size.live_bytes == 0 && may_go(**file, keep_from))
            .map(|(file, _)| *file)
    }

    /// Files to unlink or recycle now: the frame that lets them go is durable (rule 1). Tell
    /// [`Self::unlinked`] afterwards.
    pub fn unlinkable(
        &self,
        durable_sequence: u64,
        keep_from: u64,
    ) -> impl Iterator<Item = FileId> + '_ {
        self.gone
            .iter()
            .filter(move |(file, frame)| **frame <= durable_sequence && may_go(**file, keep_from))
            .map(|(file, _)| *file)
    }

    pub fn unlinked(&mut self, file: FileId) {
        self.gone.remove(&file);
    }

    /// After a start has replayed all events: whether a file found in the folder is one that an
    /// earlier run should have unlinked, or a merged segment that was never installed.
    pub fn is_orphan(&self, found: FileId, keep_from: u64) -> bool {
        !self.files.contains_key(&found) && may_go(found, keep_from)
    }

    fn insert(&mut self, file: FileId, state: FileState) -> Result<(), ManifestError> {
        if self.files.contains_key(&file) || self.by_age.contains_key(&state.age) {
            return Err(ManifestError::FileTwice { file });
        }
        self.by_age.insert(state.age, file);
        self.files.insert(file, state);
        Ok(())
    }

    fn remove(&mut self, file: FileId, frame_sequence: u64) -> Result<FileState, ManifestError> {
        let unknown = ManifestError::UnknownFile { file };
        let state = self.files.remove(&file).ok_or(unknown)?;
        self.by_age.remove(&state.age);
        self.gone.insert(file, frame_sequence);
        Ok(state)
    }

    /// The snapshot section. The files to unlink are not in it: a start finds them in the folder.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = (self.files.len() as u32).to_le_bytes().to_vec();
        for (file, state) in &self.files {
            out.extend(file.to_bits().to_le_bytes());
            out.extend(state.size.bytes.to_le_bytes());
            out.extend(state.size.live_bytes.to_le_bytes());
        }
        out.extend((self.replaced.len() as u32).to_le_bytes());
        for (old, now) in &self.replaced {
            out.extend(old.to_bits().to_le_bytes());
            out.extend(now.number().to_le_bytes());
        }
        out.extend(self.next_merged.to_le_bytes());
        out.extend((self.holes.len() as u32).to_le_bytes());
        for hole in &self.holes {
            hole.encode(&mut out);
        }
        out
    }

    pub fn decode(bytes: &[u8]) -> Result<Self, ManifestError> {
        let mut fields = Fields::new(bytes);
        let mut sizes = Vec::new();
        for _ in 0..fields.count_u32(24, "file count")? {
            let file = FileId::from_bits(fields.u64("file")?);
            let bytes = fields.u64("file bytes")?;
            let live_bytes = fields.u64("live bytes")?;
            sizes.push((file, FileSize { bytes, live_bytes }));
        }
        let mut manifest = Self::default();
        let mut merged_ages: BTreeMap<FileId, u64> = BTreeMap::new();
        for _ in 0..fields.count_u32(16, "replaced count")? {
            let old = FileId::from_bits(fields.u64("replaced file")?);
            let now = FileId::merged(merged_number(&mut fields)?);
            manifest.replaced.insert(old, now);
            if !old.is_merged() {
                let age = merged_ages.entry(now).or_default();
                *age = old.number().max(*age);
            }
        }
        manifest.next_merged = merged_number(&mut fields)?;
        for _ in 0..fields.count_u32(24, "hole count")? {
            manifest.holes.push(Hole::decode(&mut fields)?);
        }
        for (file, size) in sizes {
            let age = match file.is_merged() {
                true => *merged_ages
                    .get(&file)
                    .ok_or(ManifestError::ReplacesNothing { file })?,
                false => file.number(),
            };
            manifest.insert(file, FileState { size, age })?;
        }
        Ok(manifest)
    }
}

/// Whether replay from the older snapshot can do without the file.
fn may_go(file: FileId, keep_from: u64) -> bool {
    file.is_merged() || file.number() < keep_from
}

#[cfg(test)]
#[path = "manifest_tests.rs"]
mod tests;
