//! `retention.ms` through the journal: ages count on its own running time, whatever the wall clock does
//! while the broker runs or between two starts; by Kafka's rule if that is chosen.

use std::sync::Arc;

use crate::crash_tests::{batch, config, options, read_all};
use crate::disk::sim::SimDisk;
use crate::{
    AppendOptions, Durability, Journal, JournalOptions, Log, LogConfig, ManualClock, ReadError,
    RetentionClock,
};

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;
const Y1970: i64 = 5_000;
const Y2026: i64 = 1_790_000_000_000;

/// A journal whose one log keeps an hour, in segments of two batches.
struct World {
    disk: SimDisk,
    clock: Arc<ManualClock>,
    retention_clock: RetentionClock,
    running: Option<(Arc<Journal>, Arc<Log>)>,
    starts: u64,
}

impl World {
    fn new(wall_ms: i64, retention_clock: RetentionClock) -> Self {
        let mut world = Self {
            disk: SimDisk::new(1),
            clock: Arc::new(ManualClock::new(wall_ms)),
            retention_clock,
            running: None,
            starts: 0,
        };
        world.start();
        world
    }

    fn start(&mut self) {
        self.running = None;
        self.starts += 1;
        let options = JournalOptions {
            retention_clock: self.retention_clock,
            ..options(self.starts)
        };
        let disk = Arc::new(self.disk.clone());
        let (journal, _) = Journal::open(disk, self.clock.clone(), options).unwrap();
        let log = journal.open_log(
            2,
            LogConfig {
                segment_bytes: 2_500,
                retention_ms: HOUR_MS.cast_signed(),
                retention_bytes: -1,
                deletes: true,
                ..config(Durability::Sync)
            },
        );
        self.running = Some((journal, log));
    }

    /// The machine stands still for a while and starts with its clock set to `wall_ms`.
    fn restart_at(&mut self, wall_ms: i64, closes: bool) {
        if let Some((journal, _)) = self.running.take()
            && closes
        {
            journal.close();
        }
        self.disk = self.disk.crash(self.starts);
        self.clock = Arc::new(ManualClock::new(wall_ms));
        self.start();
    }

    fn log(&self) -> &Arc<Log> {
        &self.running.as_ref().unwrap().1
    }

    /// Records with this timestamp, a segment full.
    fn append(&self, timestamp: i64) {
        for _ in 0..2 {
            let bytes = batch(timestamp.cast_unsigned(), 1, 1000, None);
            let options = AppendOptions { leader_epoch: 0 };
            self.log().append(&bytes, options).unwrap();
        }
        self.tend();
    }

    fn tend(&self) {
        let (journal, _) = self.running.as_ref().unwrap();
        for _ in 0..3 {
            journal.commit_step();
            journal.maintenance_step();
        }
    }

    /// Time goes by; where the log begins then.
    fn start_offset_after(&self, ms: u64) -> i64 {
        self.clock.advance_ms(ms);
        self.tend();
        self.log().start_offset()
    }
}

/// What the records of a wall clock are, that then is set to another time while the broker runs.
#[test]
fn a_clock_that_is_set_expires_nothing_early_and_nothing_late() {
    for (name, before, after) in [
        ("set right after a start in 1970", Y1970, Y2026),
        ("lost its battery", Y2026, Y1970),
        ("two days on", Y2026, Y2026 + 2 * DAY_MS.cast_signed()),
        ("two days back", Y2026, Y2026 - 2 * DAY_MS.cast_signed()),
    ] {
        let world = World::new(before, RetentionClock::Running);
        world.append(before);
        world.clock.set_wall_ms(after);
        assert_eq!(world.start_offset_after(2000), 0, "{name}: at once");
        world.append(after);
        assert_eq!(world.start_offset_after(59 * MINUTE_MS), 0, "{name}");
        assert_eq!(
            world.start_offset_after(2 * MINUTE_MS),
            4,
            "{name}: an hour is over"
        );
        assert!(read_all(world.log()).is_empty());
    }
}

#[test]
fn a_clock_that_is_set_between_two_starts_expires_nothing_early() {
    for closes in [true, false] {
        for (name, before, after) in [
            ("set right", Y1970, Y2026),
            ("lost its battery", Y2026, Y1970),
            ("a little back", Y2026, Y2026 - 1000),
            (
                "a month and a day on",
                Y2026,
                Y2026 + 31 * DAY_MS.cast_signed(),
            ),
        ] {
            let mut world = World::new(before, RetentionClock::Running);
            world.append(before);
            world.restart_at(after, closes);
            assert_eq!(world.start_offset_after(2000), 0, "{name}: at once");
            world.append(after);
            assert_eq!(world.start_offset_after(59 * MINUTE_MS), 0, "{name}");
            // What the first had lived before the stop is not forgotten.
            assert_eq!(world.start_offset_after(2 * MINUTE_MS), 4, "{name}");
        }
    }
}

#[test]
fn a_plausible_stop_counts() {
    for (stop_ms, expected) in [(30 * MINUTE_MS, 0), (61 * MINUTE_MS, 2), (20 * DAY_MS, 2)] {
        let mut world = World::new(Y2026, RetentionClock::Running);
        world.append(Y2026);
        world.restart_at(Y2026 + stop_ms.cast_signed(), true);
        assert_eq!(world.start_offset_after(2000), expected, "{stop_ms} ms");
    }
}

#[test]
fn old_records_expire_segment_by_segment_and_stay_away() {
    let mut world = World::new(Y2026, RetentionClock::Running);
    let mut wall_ms = Y2026;
    for segment in 0..6 {
        world.append(wall_ms);
        wall_ms += 20 * MINUTE_MS.cast_signed();
        let start = world.start_offset_after(20 * MINUTE_MS);
        // A segment lives as long as its last record, an hour; looked at every twenty minutes.
        assert_eq!(start, (2 * (segment - 2)).max(0), "segment {segment}");
    }
    let start = world.log().start_offset();
    assert_eq!(read_all(world.log()).len() as i64, 12 - start);
    assert!(matches!(
        world.log().read(0, i64::MAX, 1000, true),
        Err(ReadError::OutOfRange { .. })
    ));
    for closes in [false, true] {
        world.restart_at(wall_ms, closes);
        assert_eq!(world.log().start_offset(), start, "it does not come back");
    }
    assert_eq!(
        world.start_offset_after(2 * HOUR_MS),
        12,
        "the active one goes as well"
    );
    world.append(Y2026);
    assert_eq!(world.log().end_offset(), 14, "offsets go on");
}

/// A device that lives in 1970, or ahead of its time, under a broker whose clock is right.
#[test]
fn timestamps_that_cannot_be_true_are_no_age() {
    for (timestamp, minutes) in [
        (0, 60),
        (Y2026 + 10 * DAY_MS.cast_signed(), 60),
        // It was half an hour old when it came.
        (Y2026 - 30 * MINUTE_MS.cast_signed(), 30),
    ] {
        let world = World::new(Y2026, RetentionClock::Running);
        world.append(timestamp);
        assert_eq!(
            world.start_offset_after((minutes - 1) * MINUTE_MS),
            0,
            "{timestamp}"
        );
        assert_eq!(world.start_offset_after(2 * MINUTE_MS), 2, "{timestamp}");
    }
}

#[test]
fn by_the_wall_clock_a_jump_expires_at_once() {
    let world = World::new(Y1970, RetentionClock::Wall);
    world.append(Y1970);
    assert_eq!(world.start_offset_after(2000), 0);
    world.clock.set_wall_ms(Y2026);
    assert_eq!(world.start_offset_after(2000), 2);
    world.append(Y2026);
    world.clock.set_wall_ms(Y1970);
    assert_eq!(
        world.start_offset_after(5 * HOUR_MS),
        2,
        "they are of the future"
    );
}
