//! Which of the files that a start finds count, up to which frame each does, and what is proven by
//! them. Pure: it decides by what `scan` found.
//!
//! Not obvious:
//! - A file that opens an epoch counts only if its first block says that the opening was complete, or
//!   something else proves it: else the older files decide, of which that opening had touched nothing.
//! - Frames above a later epoch's cut are not there: they are neither applied, nor bad, nor a proof.

use crate::footer::BLOCK_BYTES;
use crate::frame::{FrameHeader, flag};
use crate::scan::ScannedFile;

/// The files that count, oldest first, and what they prove.
#[derive(Debug, Default)]
pub(crate) struct Chain {
    pub(crate) files: Vec<ScannedFile>,
    /// Files of which nothing counts: openings and rolls that were cut, and what a later epoch cut off.
    pub(crate) uncounted: Vec<ScannedFile>,
    /// The highest frame that is durable by the word of a frame that counts.
    pub(crate) proven: u64,
    /// A bad frame up to here is damage, not a torn tail.
    pub(crate) kept: u64,
    pub(crate) epoch_max: u32,
    pub(crate) number_max: u64,
}

/// The snapshot from which the start goes on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Base {
    /// All frames up to here were durable when it was published.
    pub(crate) sequence: u64,
    pub(crate) epoch: u32,
    pub(crate) file: u64,
}

impl Chain {
    /// `scanned` in the order of their numbers.
    pub(crate) fn judge(scanned: Vec<ScannedFile>, base: Option<Base>) -> Self {
        let mut chain = Self::default();
        for file in &scanned {
            let frames = file.frames.iter().map(|found| found.frame.header.epoch);
            let seen = frames.fold(file.header.epoch, u32::max);
            chain.epoch_max = chain.epoch_max.max(seen);
            chain.number_max = chain.number_max.max(file.header.number);
        }
        chain.epoch_max = chain.epoch_max.max(base.map_or(0, |base| base.epoch));
        let counts: Vec<bool> = (0..scanned.len())
            .map(|at| counts(&scanned, at, base))
            .collect();
        for (mut file, counts) in scanned.into_iter().zip(counts) {
            if counts {
                chain.files.push(file);
            } else {
                file.frames.clear();
                chain.uncounted.push(file);
            }
        }
        chain.cut();
        chain.prove(base);
        chain
    }

    /// Whether the snapshot holds frames that a later epoch cut off.
    pub(crate) fn cuts_off(&self, base: Base) -> bool {
        let mut frames = self.files.iter().flat_map(|file| &file.frames);
        frames.any(|found| {
            let header = &found.frame.header;
            header.epoch > base.epoch && header.cut_sequence < base.sequence
        })
    }

    /// Drops the frames above the cut of a later epoch.
    fn cut(&mut self) {
        let mut limit = u64::MAX;
        let mut later: Option<FrameHeader> = None;
        for file in self.files.iter_mut().rev() {
            if let Some(later) = later.filter(|later| later.epoch > file.epoch()) {
                limit = limit.min(later.cut_sequence);
            }
            later = file
                .frames
                .first()
                .map(|found| found.frame.header)
                .or(later);
            file.frames.retain(|found| found.sequence() <= limit);
        }
        let (files, empty) = std::mem::take(&mut self.files)
            .into_iter()
            .partition(|file| !file.frames.is_empty());
        self.files = files;
        let empty: Vec<ScannedFile> = empty;
        self.uncounted.extend(empty);
        self.uncounted.sort_by_key(|file| file.header.number);
    }

    fn prove(&mut self, base: Option<Base>) {
        self.proven = base.map_or(0, |base| base.sequence);
        self.kept = self.proven;
        let headers = self.files.iter().flat_map(|file| &file.frames);
        for header in headers.map(|found| &found.frame.header) {
            self.proven = self
                .proven
                .max(header.durable_sequence)
                .max(header.cut_sequence);
            self.kept = self.kept.max(header.opening_end);
        }
        self.kept = self.kept.max(self.proven);
    }
}

fn counts(scanned: &[ScannedFile], at: usize, base: Option<Base>) -> bool {
    let file = &scanned[at];
    let Some(first) = file.frames.first() else {
        return false;
    };
    let is_base = base.is_some_and(|base| base.file == file.header.number);
    let before = scanned[..at]
        .iter()
        .rev()
        .find(|before| !before.frames.is_empty());
    let goes_on = before.is_some_and(|before| before.epoch() == file.epoch());
    if is_base || goes_on {
        return true;
    }
    let is_opened = first.position == BLOCK_BYTES as u64 && first.frame.header.is(flag::EPOCH);
    is_opened || is_proven_opened(scanned, at)
}

/// Whether a file whose opening frame is rotten was opened all the same.
fn is_proven_opened(scanned: &[ScannedFile], at: usize) -> bool {
    let file = &scanned[at];
    // A frame that was not part of the opening knows more to be durable than that did.
    let mut headers = file.frames.iter().map(|found| &found.frame.header);
    let goes_on = headers.any(|header| header.durable_sequence > header.cut_sequence);
    let rolled = scanned[at + 1..]
        .iter()
        .any(|later| later.epoch() == file.epoch());
    // The last file before is sealed only once the opening is complete.
    let before = at.checked_sub(1).map(|before| &scanned[before]);
    let sealed = before.is_some_and(|before| before.footer_start.is_some());
    goes_on || rolled || sealed
}
