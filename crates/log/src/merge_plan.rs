//! Which files to merge: those whose few survivors (offset commits are in nearly every file) keep the
//! whole from being released. Pure; the maintenance step asks it and then lets [`crate::merge`] copy.
//!
//! Only neighbours in age are merged, see [`crate::manifest`]. A small merged segment beside them is
//! taken along, but only if what is copied anyway is as much as it holds: so a byte is copied again
//! only as its segment doubles.

use std::collections::BTreeSet;

use crate::file_id::FileId;
use crate::manifest::{FileState, Manifest};

/// Each source's footer is in memory while it is merged.
const SOURCES_MAX: usize = 64;

/// Header, footer and padding of a merged segment are not worth copying it for.
const OVERHEAD_BYTES: u64 = 64 << 10;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergePlan {
    /// Neighbours in age, oldest first.
    pub sources: Vec<FileId>,
    /// Bytes that will be copied.
    pub live_bytes: u64,
}

/// What may be merged.
#[derive(Clone, Debug)]
pub struct MergeBounds<'a> {
    /// The journal file at which the older of the two snapshots would begin to replay.
    pub keep_from: u64,
    /// How large a merged segment may become.
    pub live_bytes_max: u64,
    /// Files that turned out to be damaged.
    pub excluded: &'a BTreeSet<FileId>,
}

impl MergePlan {
    /// The oldest neighbours worth merging.
    pub fn choose(manifest: &Manifest, bounds: &MergeBounds<'_>) -> Option<Self> {
        let files: Vec<(FileId, FileState)> = manifest
            .files_by_age()
            .map(|(file, state)| (file, *state))
            .collect();
        let may_merge = |(file, state): &(FileId, FileState)| {
            state.age < bounds.keep_from && !bounds.excluded.contains(file)
        };
        let first = files
            .iter()
            .position(|file| may_merge(file) && is_sparse(file))?;
        let mut group = Group {
            files: first..first + 1,
            live_bytes: files[first].1.size.live_bytes,
            live_bytes_max: bounds.live_bytes_max,
        };
        while let Some(next) = files.get(group.files.end)
            && may_merge(next)
            && is_sparse(next)
            && group.has_room(next)
        {
            group.live_bytes += next.1.size.live_bytes;
            group.files.end += 1;
        }
        while let Some(older) = group.files.start.checked_sub(1).and_then(|i| files.get(i))
            && may_merge(older)
            && group.takes_along(older)
        {
            group.live_bytes += older.1.size.live_bytes;
            group.files.start -= 1;
        }
        while let Some(newer) = files.get(group.files.end)
            && may_merge(newer)
            && group.takes_along(newer)
        {
            group.live_bytes += newer.1.size.live_bytes;
            group.files.end += 1;
        }
        Some(Self {
            sources: files[group.files].iter().map(|(file, _)| *file).collect(),
            live_bytes: group.live_bytes,
        })
    }

    /// Whether all sources are still there: else the merge is thrown away.
    pub fn is_valid(&self, manifest: &Manifest) -> bool {
        let mut sources = self.sources.iter();
        sources.all(|file| manifest.file(*file).is_some())
    }
}

/// Whether a file could go, or be merged, but for the snapshot that begins at `keep_from`.
pub fn has_held_back(manifest: &Manifest, keep_from: u64) -> bool {
    let mut held_back = manifest
        .files_by_age()
        .filter(|(_, state)| state.age >= keep_from);
    held_back.any(|(file, state)| {
        let is_dead = state.size.live_bytes == 0 && !file.is_merged();
        is_dead || is_sparse(&(file, *state))
    })
}

/// Whether a file's survivors are few. A merged segment of tiny runs is up to two thirds index, and
/// would be no smaller if it were merged again.
fn is_sparse((file, state): &(FileId, FileState)) -> bool {
    let live_bytes = state.size.live_bytes;
    let factor = if file.is_merged() { 4 } else { 2 };
    live_bytes > 0 && live_bytes.saturating_mul(factor) + OVERHEAD_BYTES < state.size.bytes
}

/// Neighbours that are going to be merged.
struct Group {
    files: std::ops::Range<usize>,
    live_bytes: u64,
    live_bytes_max: u64,
}

impl Group {
    fn has_room(&self, (_, state): &(FileId, FileState)) -> bool {
        self.live_bytes + state.size.live_bytes <= self.live_bytes_max
            && self.files.len() < SOURCES_MAX
    }

    fn takes_along(&self, file: &(FileId, FileState)) -> bool {
        // Journal files are small where starts follow each other closely.
        let is_small = file.0.is_merged() || file.1.size.bytes <= self.live_bytes_max / 16;
        is_small && file.1.size.live_bytes <= self.live_bytes && self.has_room(file)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::manifest::FileSize;

    const MIB: u64 = 1 << 20;

    /// Builds files of 100 MiB from oldest to newest: `j40` a journal file with 40 MiB alive, `m40` a
    /// merged segment like that, `p40` and `i40` a merged segment and a journal file of 40 MiB.
    fn manifest(files: &str) -> Manifest {
        let mut manifest = Manifest::default();
        for (i, file) in files.split_whitespace().enumerate() {
            let number = i as u64 + 1;
            let (kind, live) = file.split_at(1);
            let live_bytes = live.parse::<u64>().unwrap() * MIB;
            let bytes = match kind {
                "p" | "i" => live_bytes,
                _ => 100 * MIB,
            };
            let size = FileSize { bytes, live_bytes };
            manifest.seal(number, size).unwrap();
            if kind == "m" || kind == "p" {
                let merged = manifest.next_merged();
                let replaced = [FileId::journal(number)];
                manifest.install_merged(merged, &replaced, size, 0).unwrap();
            }
        }
        manifest
    }

    #[test]
    fn what_is_merged() {
        // Files, where the older snapshot begins, the most to copy, and the ages that are merged.
        for (files, keep_from, live_bytes_max, expected) in [
            ("", 9, 100, ""),
            ("j90 j80 j50", 9, 100, ""),
            ("j90 j40 j80", 9, 100, "2"),
            ("j0 j40 j0", 9, 100, "2"),
            ("j10 j20 j90 j5", 9, 100, "1 2"),
            ("j49 j49 j49", 9, 100, "1 2"),
            ("j49 j49", 9, 10, "1"),
            ("j10 j10 j10", 3, 100, "1 2"),
            ("j10 j10", 1, 100, ""),
            ("m24 m24", 9, 100, "1 2"),
            ("m25 m25", 9, 100, ""),
            // Packed merged segments come along when small, on either side.
            ("p10 j10 j10", 9, 100, "1 2 3"),
            ("p30 j10 j10", 9, 100, "2 3"),
            ("p30 p15 j10 j10", 9, 100, "1 2 3 4"),
            ("j10 p10 j10", 9, 100, "1 2"),
            ("j10 p11", 9, 100, "1"),
            ("p40 j45", 9, 60, "2"),
            ("i6 j10 i6 i7", 9, 96, "1 2 3"),
            // Alone they are left in peace.
            ("p10 p10 p10", 9, 100, ""),
        ] {
            let manifest = manifest(files);
            let excluded = BTreeSet::new();
            let bounds = MergeBounds {
                keep_from,
                live_bytes_max: live_bytes_max * MIB,
                excluded: &excluded,
            };
            let plan = MergePlan::choose(&manifest, &bounds);
            let ages: Vec<_> = plan
                .iter()
                .flat_map(|plan| &plan.sources)
                .map(|file| manifest.file(*file).unwrap().age.to_string())
                .collect();
            assert_eq!(ages.join(" "), expected, "{files}");
            assert!(plan.is_none_or(|plan| plan.is_valid(&manifest)));
        }
    }

    #[test]
    fn damaged_files_are_left_alone_and_part_their_neighbours() {
        let mut manifest = manifest("j10 j10 j10");
        let excluded = [FileId::journal(2)].into();
        let bounds = MergeBounds {
            keep_from: 9,
            live_bytes_max: 100 * MIB,
            excluded: &excluded,
        };
        let plan = MergePlan::choose(&manifest, &bounds).unwrap();
        assert_eq!(plan.sources, [FileId::journal(1)]);
        manifest.delete(FileId::journal(1), 1).unwrap();
        assert!(!plan.is_valid(&manifest));
        let plan = MergePlan::choose(&manifest, &bounds).unwrap();
        assert_eq!(plan.sources, [FileId::journal(3)]);
    }

    #[test]
    fn sources_are_bounded_in_number() {
        let manifest = manifest(&"j1 ".repeat(200));
        let excluded = BTreeSet::new();
        let bounds = MergeBounds {
            keep_from: 999,
            live_bytes_max: u64::MAX,
            excluded: &excluded,
        };
        let plan = MergePlan::choose(&manifest, &bounds).unwrap();
        assert_eq!(plan.sources.len(), SOURCES_MAX);
    }
}
