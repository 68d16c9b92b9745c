//! Where the trails of logs lead: for each log some of the files that hold it and the offsets there,
//! so that a reader far behind does not walk from the newest file at each read. A bounded cache of
//! facts found in footers; [`crate::segment`] walks and fills it.

use crate::file_id::FileId;
use crate::lru::Lru;

/// Of one log; a longer trail is remembered with gaps.
const WAYPOINTS_PER_LOG_MAX: usize = 1024;

/// A file on a log's trail. The name may be that of a file that has been replaced since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waypoint {
    pub first_base_offset: i64,
    pub end_offset: i64,
    pub file: FileId,
}

#[derive(Debug)]
pub struct TrailCache {
    /// By log id; each trail rises in offset.
    trails: Lru<u64, Vec<Waypoint>>,
}

/// Where to look for an offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// This file holds it, if it has not changed since.
    At(FileId),
    /// This file is newer; walk on from there.
    Above(FileId),
}

impl TrailCache {
    pub fn new(waypoints_max: usize) -> Self {
        Self {
            trails: Lru::new(waypoints_max),
        }
    }

    /// The best place to begin the search; `newest` is the log's newest sealed file.
    pub fn start(&mut self, log_id: u64, offset: i64, newest: FileId) -> Start {
        let trail = self.trails.get(log_id).map_or(&[][..], Vec::as_slice);
        let above = trail.partition_point(|point| point.first_base_offset <= offset);
        let at = above.checked_sub(1).and_then(|at| trail.get(at));
        match (at, trail.get(above)) {
            (Some(at), _) if offset < at.end_offset => Start::At(at.file),
            (_, Some(above)) => Start::Above(above.file),
            (_, None) => Start::Above(newest),
        }
    }

    pub fn insert(&mut self, log_id: u64, point: Waypoint) {
        let mut trail = self.trails.remove(log_id).unwrap_or_default();
        let at = trail.partition_point(|known| known.end_offset <= point.first_base_offset);
        let overlapped = trail[at..]
            .iter()
            .take_while(|known| known.first_base_offset < point.end_offset)
            .count();
        trail.splice(at..at + overlapped, [point]);
        if trail.len() > WAYPOINTS_PER_LOG_MAX {
            let mut keep = false;
            trail.retain(|_| {
                keep = !keep;
                keep
            });
        }
        let weight = trail.len();
        self.trails.insert(log_id, trail, weight);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const J: fn(u64) -> FileId = FileId::journal;

    fn point(first_base_offset: i64, end_offset: i64, file: u64) -> Waypoint {
        Waypoint {
            first_base_offset,
            end_offset,
            file: J(file),
        }
    }

    #[test]
    fn starts_as_near_as_it_can() {
        let mut cache = TrailCache::new(100);
        for point in [point(30, 40, 4), point(10, 20, 2), point(50, 55, 7)] {
            cache.insert(1, point);
        }
        use Start::{Above, At};
        for (offset, expected) in [
            (5, Above(J(2))),
            (10, At(J(2))),
            (19, At(J(2))),
            (20, Above(J(4))),
            (39, At(J(4))),
            (41, Above(J(7))),
            (55, Above(J(9))),
        ] {
            assert_eq!(cache.start(1, offset, J(9)), expected, "offset {offset}");
        }
        assert_eq!(cache.start(2, 0, J(9)), Above(J(9)));
    }

    #[test]
    fn a_merged_segment_takes_the_place_of_what_it_covers() {
        let mut cache = TrailCache::new(100);
        for i in 0..5 {
            cache.insert(1, point(i * 10, i * 10 + 10, i as u64 + 1));
        }
        let merged = Waypoint {
            first_base_offset: 10,
            end_offset: 40,
            file: FileId::merged(1),
        };
        cache.insert(1, merged);
        assert_eq!(cache.start(1, 5, J(9)), Start::At(J(1)));
        assert_eq!(cache.start(1, 10, J(9)), Start::At(FileId::merged(1)));
        assert_eq!(cache.start(1, 39, J(9)), Start::At(FileId::merged(1)));
        assert_eq!(cache.start(1, 40, J(9)), Start::At(J(5)));
    }

    #[test]
    fn long_trails_thin_out_and_idle_ones_go() {
        let mut cache = TrailCache::new(2 * WAYPOINTS_PER_LOG_MAX);
        for log_id in 0..9 {
            for i in 0..4 * WAYPOINTS_PER_LOG_MAX as i64 {
                cache.insert(log_id, point(i * 10, i * 10 + 10, i as u64 + 1));
            }
            assert_ne!(cache.start(log_id, 0, J(1 << 40)), Start::Above(J(1 << 40)));
        }
        let mut known = |log_id| cache.trails.get(log_id).map_or(0, Vec::len);
        let lengths: Vec<_> = (0..9).map(&mut known).collect();
        assert!(lengths.iter().sum::<usize>() <= 2 * WAYPOINTS_PER_LOG_MAX);
        assert_eq!(lengths[0], 0);
    }
}
