//! Finding a log's offsets in the sealed files: along the trail from newer to older files, from
//! whatever file near by the trail cache knows.
//!
//! ```text
//!  newest sealed --previous--> older --previous--> ... --> the log's start
//!   [first..end)               [first..end)
//! ```
//!
//! Not obvious:
//! - Footers name files that may have been replaced by a merged segment since; the manifest says by
//!   which. A name that leads nowhere is the trail's end: what it held is below the log's start.
//! - Offsets between the runs of two neighbours are a hole: frames were lost there.

use std::ops::Range;
use std::sync::Arc;

use crate::file_id::FileId;
use crate::footer::{LogEntry, Previous, RunEntry, run_at_offset};
use crate::segment::{Damaged, ReadError, SealedLog, Segments};
use crate::segment_index::SegmentIndex;
use crate::trail::{Start, Waypoint};

/// A run of a log in a sealed file.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) index: Arc<SegmentIndex>,
    pub(crate) entry: LogEntry,
    /// Which of the log's runs in this file.
    pub(crate) run: usize,
}

impl Place {
    /// The log's runs in this file.
    pub(crate) fn runs(&self) -> &[RunEntry] {
        self.index.footer().runs(&self.entry)
    }

    /// The place's run and those behind it.
    pub(crate) fn runs_from_here(&self) -> &[RunEntry] {
        self.runs().get(self.run..).unwrap_or_default()
    }

    fn base_offset(&self) -> i64 {
        let run = self.runs_from_here().first();
        run.map_or(i64::MAX, |run| run.base_offset)
    }
}

/// What a walk towards an offset came to.
#[derive(Debug, Default)]
struct Walk {
    /// The run that holds the offset, or the first above it.
    place: Option<Place>,
    /// The next older file with the log, if the walk saw that it ends below the offset.
    below: Option<FileId>,
    /// A file on the way whose index is lost.
    unindexed: Option<FileId>,
    /// A file that the trail named and that is gone.
    gone: Option<FileId>,
}

impl Segments {
    /// The run that holds `offset`; behind a hole that was accepted as lost, the first run above it.
    /// `None`: the offset lies above all sealed runs.
    pub(crate) fn locate(&self, log: SealedLog, offset: i64) -> Result<Option<Place>, ReadError> {
        let walk = self.walk(log, offset)?;
        let end_offset = match &walk.place {
            Some(place) if place.base_offset() <= offset => return Ok(walk.place),
            Some(place) => place.base_offset(),
            None if walk.unindexed.is_none() => return Ok(None),
            None => i64::MAX,
        };
        if let Some(file) = walk.gone {
            return Err(ReadError::Gone { file });
        }
        let above = walk
            .place
            .as_ref()
            .map_or(log.newest, |place| place.index.file);
        let manifest = self.manifest.read();
        if walk.place.is_some() && manifest.is_hole_accepted(walk.below, above) {
            return Ok(walk.place);
        }
        let damaged = Damaged {
            file: walk.unindexed.unwrap_or(above),
            log_id: log.log_id,
            first_offset: offset,
            end_offset,
        };
        Err(damaged.into())
    }

    /// As [`Self::locate`], but holes do not matter.
    pub(crate) fn locate_from(
        &self,
        log: SealedLog,
        offset: i64,
    ) -> Result<Option<Place>, ReadError> {
        Ok(self.walk(log, offset)?.place)
    }

    /// What a move of the log's start from `offsets.start` to `offsets.end` frees: bytes per file.
    pub fn dead_bytes(
        &self,
        log: SealedLog,
        offsets: Range<i64>,
    ) -> Result<Vec<(FileId, u64)>, ReadError> {
        let mut dead = Vec::new();
        let mut offset = offsets.start;
        while offset < offsets.end
            && let Some(place) = self.locate_from(log, offset)?
        {
            let runs = place.runs_from_here().iter();
            let ended = runs.take_while(|run| run.end_offset() <= offsets.end);
            let bytes: u64 = ended.map(|run| u64::from(run.bytes)).sum();
            if bytes > 0 {
                dead.push((place.index.file, bytes));
            }
            offset = place.entry.end_offset;
        }
        Ok(dead)
    }

    fn walk(&self, log: SealedLog, offset: i64) -> Result<Walk, ReadError> {
        let start = self.trails.lock().start(log.log_id, offset, log.newest);
        if let Start::At(file) = start
            && let Some(place) = self.place_at(log.log_id, offset, file)
        {
            return Ok(Walk {
                place: Some(place),
                ..Walk::default()
            });
        }
        let start = match start {
            Start::Above(file) => file,
            Start::At(_) => log.newest,
        };
        match self.walk_from(log.log_id, offset, start) {
            // A waypoint that was deleted since says nothing about where the trail ends.
            Ok(walk) if walk.place.is_none() && start != log.newest => {
                self.walk_from(log.log_id, offset, log.newest)
            }
            other => other,
        }
    }

    /// Whether `file`, or what replaced it, still holds the offset.
    fn place_at(&self, log_id: u64, offset: i64, file: FileId) -> Option<Place> {
        let file = self.manifest.read().resolve(file)?;
        let index = self.index(file).ok()?;
        let entry = *index.footer().log(log_id)?;
        let run = run_at_offset(index.footer().runs(&entry), offset);
        let place = Place { index, entry, run };
        (place.base_offset() <= offset).then_some(place)
    }

    fn walk_from(&self, log_id: u64, offset: i64, start: FileId) -> Result<Walk, ReadError> {
        let mut walk = Walk::default();
        let mut next = Some(start);
        let mut age_above = u64::MAX;
        while let Some(named) = next {
            let Some((file, age)) = self.resolve(named) else {
                walk.gone = Some(named);
                break;
            };
            // Footers that lead round in a circle would be a bug or a forgery; end there.
            if age >= age_above {
                break;
            }
            age_above = age;
            let index = match self.index(file) {
                Ok(index) => index,
                Err(ReadError::Unindexed { .. }) => {
                    walk.unindexed = Some(file);
                    next = self.manifest.read().older_than(file);
                    continue;
                }
                Err(error) => return Err(error),
            };
            let Some(entry) = index.footer().log(log_id).copied() else {
                next = self.manifest.read().older_than(file);
                continue;
            };
            self.trails.lock().insert(
                log_id,
                Waypoint {
                    first_base_offset: entry.first_base_offset,
                    end_offset: entry.end_offset,
                    file,
                },
            );
            if entry.end_offset <= offset {
                walk.below = Some(file);
                break;
            }
            let run = run_at_offset(index.footer().runs(&entry), offset);
            walk.place = Some(Place { index, entry, run });
            walk.unindexed = None;
            if entry.first_base_offset <= offset {
                walk.below = Some(file);
                break;
            }
            next = match entry.previous {
                Previous::None => None,
                Previous::File(previous) => Some(previous),
                Previous::Unknown => self.manifest.read().older_than(file),
            };
        }
        Ok(walk)
    }

    /// The file that a footer's name leads to now, and its age.
    fn resolve(&self, named: FileId) -> Option<(FileId, u64)> {
        let manifest = self.manifest.read();
        let file = manifest.resolve(named)?;
        Some((file, manifest.file(file)?.age))
    }
}
