//! Copies what still lives in some neighbouring files into one merged segment, sorted by log. The
//! maintenance step drives it, a bounded piece at a time, and then appends the event that puts the
//! merged segment in their place; until then nothing but the file itself exists.
//!
//! Order (rules 1 and 11): write, sync the file, sync the folder; then the event; once that is durable
//! the manifest changes and the sources may go. Live bytes are counted again when it changes.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use crate::disk::{Disk, DiskFile};
use crate::file_header::FileHeader;
use crate::file_id::FileId;
use crate::footer::{BLOCK_BYTES, FooterBuilder, FrameSpan, Previous, RunEntry, run_at_offset};
use crate::manifest_event::Event;
use crate::merge_plan::MergePlan;
use crate::segment::{ReadError, Segments};
use crate::segment_index::SegmentIndex;
use crate::segment_walk::Place;

const WRITE_BYTES: usize = 1 << 20;

/// A merged segment in the making.
#[derive(Debug)]
pub struct Merge {
    plan: MergePlan,
    header: FileHeader,
    id: FileId,
    file: Arc<dyn DiskFile>,
    disk: Arc<dyn Disk>,
    /// What is left to copy, last first.
    places: Vec<Place>,
    /// Where the trail of each log goes on behind the sources.
    previous: BTreeMap<u64, Previous>,
    span: FrameSpan,
    builder: FooterBuilder,
    buffer: Vec<u8>,
    /// Where the buffer's first byte goes.
    position: u64,
}

/// A merged segment that is durable and waits for its event.
#[derive(Debug)]
pub struct Merged {
    pub plan: MergePlan,
    pub number: u64,
    pub bytes: u64,
    pub index: SegmentIndex,
}

/// What a merged segment is called.
#[derive(Clone, Copy, Debug)]
pub struct MergedFile {
    /// From [`crate::manifest::Manifest::next_merged`].
    pub number: u64,
    pub salt: [u8; 16],
    pub created_ms: i64,
}

#[derive(Debug, thiserror::Error)]
pub enum MergeError {
    /// A source cannot be read: leave it out of the next plan.
    #[error("{file} cannot be merged: {error}")]
    Source { file: FileId, error: ReadError },
    /// The merged segment cannot be written, perhaps because the disk is full. What there was of it
    /// is removed.
    #[error("a merged segment cannot be written: {0}")]
    Write(#[from] io::Error),
}

impl Merge {
    /// Begins a merge. `start_offset` tells from where each log lives (`None`: it is deleted).
    pub fn start(
        segments: &Segments,
        disk: Arc<dyn Disk>,
        plan: MergePlan,
        file: MergedFile,
        start_offset: impl Fn(u64) -> Option<i64>,
    ) -> Result<Self, MergeError> {
        let mut sources = Vec::with_capacity(plan.sources.len());
        for file in &plan.sources {
            let index = segments.index(*file);
            sources.push(index.map_err(|error| MergeError::Source { file: *file, error })?);
        }
        let survivors = Survivors::of(&sources, start_offset);
        let id = FileId::merged(file.number);
        Ok(Self {
            plan,
            header: FileHeader {
                merged: true,
                epoch: 0,
                number: file.number,
                salt: file.salt,
                size: 0,
                created_ms: file.created_ms,
            },
            id,
            file: disk.create(&id.name())?,
            disk,
            places: survivors.places,
            previous: survivors.previous,
            span: survivors.span,
            builder: FooterBuilder::default(),
            buffer: Vec::with_capacity(WRITE_BYTES),
            position: BLOCK_BYTES as u64,
        })
    }

    /// Copies about `bytes_max` bytes more. True when all is copied.
    pub fn step(&mut self, segments: &Segments, bytes_max: usize) -> Result<bool, MergeError> {
        let mut bytes = 0;
        while bytes < bytes_max
            && let Some(mut place) = self.places.pop()
        {
            match self.copy(segments, &mut place) {
                Ok(copied) => bytes += copied,
                Err(error) => return Err(self.abandon(error)),
            }
            if !place.runs_from_here().is_empty() {
                self.places.push(place);
            }
        }
        Ok(self.places.is_empty())
    }

    /// Completes the file and makes it and its name durable. `None` if everything died meanwhile and
    /// the sources can go without anything in their place.
    pub fn finish(mut self) -> Result<Option<Merged>, MergeError> {
        assert!(
            self.places.is_empty(),
            "a merge is finished once all is copied"
        );
        if self.builder.run_count() == 0 {
            self.remove();
            return Ok(None);
        }
        let previous = |log_id| *self.previous.get(&log_id).unwrap_or(&Previous::Unknown);
        let footer = std::mem::take(&mut self.builder).finish(self.span, previous, |_| Some(0));
        let end = self.position + self.buffer.len() as u64;
        let start = end.next_multiple_of(BLOCK_BYTES as u64);
        self.buffer.resize((start - self.position) as usize, 0);
        self.buffer
            .extend(footer.encode(&self.header.place(), start));
        self.header.size = self.position + self.buffer.len() as u64;
        if let Err(error) = self.write_end() {
            return Err(self.abandon(error.into()));
        }
        Ok(Some(Merged {
            number: self.header.number,
            bytes: self.header.size,
            index: SegmentIndex::new(self.id, footer),
            plan: self.plan,
        }))
    }

    /// The files that it is going to stand for.
    pub fn sources(&self) -> &[FileId] {
        &self.plan.sources
    }

    /// Gives the merge up and removes its file.
    pub fn cancel(self) {
        self.remove();
    }

    /// Copies the place's next runs and moves it on; gives their bytes.
    fn copy(&mut self, segments: &Segments, place: &mut Place) -> Result<usize, MergeError> {
        let file = place.index.file;
        let log_id = place.entry.log_id;
        let read = segments.read_for_copy(place);
        let chunks = read.map_err(|error| MergeError::Source { file, error })?;
        let mut copied = 0;
        for (run, bytes) in place.runs_from_here().iter().zip(&chunks) {
            let Some(bytes) = bytes else { continue };
            let last = self.builder.runs(log_id).last();
            if last.is_some_and(|last| last.end_offset() > run.base_offset) {
                let error = ReadError::Unindexed { file };
                return Err(MergeError::Source { file, error });
            }
            let entry = RunEntry {
                position: self.position + self.buffer.len() as u64,
                ..*run
            };
            self.builder.add(log_id, entry);
            self.buffer.extend_from_slice(bytes);
            copied += bytes.len();
        }
        place.run += chunks.len();
        if self.buffer.len() >= WRITE_BYTES {
            self.write_buffer()?;
        }
        Ok(copied)
    }

    fn write_buffer(&mut self) -> io::Result<()> {
        self.file.write_all_at(&self.buffer, self.position)?;
        self.position += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    fn write_end(&mut self) -> io::Result<()> {
        self.write_buffer()?;
        self.file.write_all_at(&self.header.encode(), 0)?;
        self.file.sync_data()?;
        self.disk.sync_folder()
    }

    fn abandon(&self, error: MergeError) -> MergeError {
        self.remove();
        error
    }

    /// A file that stays because this fails is an orphan, which the next start removes.
    fn remove(&self) {
        if let Err(error) = self.disk.remove(&self.id.name()) {
            tracing::warn!(file = %self.id, %error, "an unfinished merged segment stays until the next start");
        }
    }
}

impl Merged {
    /// The event that puts it in the place of its sources.
    pub fn event(&self) -> Event {
        Event::MergedInstalled {
            merged: self.number,
            replaced: self.plan.sources.clone(),
        }
    }
}

/// What is alive in some files.
struct Survivors {
    places: Vec<Place>,
    previous: BTreeMap<u64, Previous>,
    span: FrameSpan,
}

impl Survivors {
    /// `sources` are neighbours, oldest first.
    fn of(sources: &[Arc<SegmentIndex>], start_offset: impl Fn(u64) -> Option<i64>) -> Self {
        let logs = sources.iter().flat_map(|index| index.footer().logs());
        let log_ids: BTreeSet<u64> = logs.map(|log| log.log_id).collect();
        let mut survivors = Self {
            places: Vec::new(),
            previous: BTreeMap::new(),
            span: FrameSpan::default(),
        };
        for log_id in log_ids {
            let Some(start) = start_offset(log_id) else {
                continue;
            };
            let with_log = sources
                .iter()
                .filter_map(|index| Some((index, *index.footer().log(log_id)?)));
            for (index, entry) in with_log {
                // The oldest source that holds the log knows where it goes on, dead or alive: the
                // trails of the others lead back to these same sources.
                survivors.previous.entry(log_id).or_insert(entry.previous);
                let run = run_at_offset(index.footer().runs(&entry), start);
                let index = Arc::clone(index);
                let place = Place { index, entry, run };
                if !place.runs_from_here().is_empty() {
                    survivors.places.push(place);
                }
            }
        }
        survivors.places.reverse();
        let spans = || sources.iter().map(|index| index.footer().span());
        survivors.span.first_append_ms = spans().map(|s| s.first_append_ms).min().unwrap_or(0);
        survivors.span.last_append_ms = spans().map(|s| s.last_append_ms).max().unwrap_or(0);
        survivors
    }
}

#[cfg(test)]
#[path = "merge_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "merge_life_tests.rs"]
mod life_tests;
