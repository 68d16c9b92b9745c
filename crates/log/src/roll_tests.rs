//! Tables for virtual segments: when one begins, what expires, what clocks may do.

use super::*;

const HOUR_MS: u64 = 3_600_000;
const T0: i64 = 1_790_000_000_000;

fn at(
    base_offset: i64,
    bytes: u64,
    max_timestamp: i64,
    append_time_ms: i64,
    running_ms: u64,
) -> Arrival {
    Arrival {
        base_offset,
        last_offset: base_offset + 9,
        bytes,
        max_timestamp,
        append_time_ms,
        running_ms,
    }
}

#[test]
fn when_a_segment_begins() {
    let limits = RollLimits {
        segment_bytes: 1000,
        segment_ms: HOUR_MS,
    };
    let hour = HOUR_MS as i64;
    // The active segment's first batch: (bytes, timestamp) at running time 0; then the next batch.
    for (name, first, next, expected) in [
        ("fits", (400, T0), at(10, 600, T0, T0, 0), false),
        ("one byte too many", (400, T0), at(10, 601, T0, T0, 0), true),
        (
            "exactly the time",
            (1, T0),
            at(10, 1, T0 + hour, T0, 0),
            false,
        ),
        (
            "by the records' time",
            (1, T0),
            at(10, 1, T0 + hour + 1, T0, 0),
            true,
        ),
        (
            "the broker's own time does not count",
            (1, T0),
            at(10, 1, T0, T0, 9 * HOUR_MS),
            false,
        ),
        (
            "no timestamps: running time",
            (1, -1),
            at(10, 1, -1, T0, HOUR_MS + 1),
            true,
        ),
        (
            "no timestamps, too early",
            (1, -1),
            at(10, 1, T0, T0, HOUR_MS),
            false,
        ),
        (
            "timestamps that go back",
            (1, T0),
            at(10, 1, 0, T0, 0),
            false,
        ),
        (
            "1970, then its clock is set",
            (1, 0),
            at(10, 1, T0, T0, 0),
            true,
        ),
        (
            "hostile timestamps",
            (1, i64::MAX),
            at(10, 1, i64::MIN, T0, 0),
            false,
        ),
        (
            "hostile timestamps, up",
            (1, 0),
            at(10, 1, i64::MAX, T0, 0),
            true,
        ),
        (
            "offsets beyond 32 bits",
            (1, T0),
            at(i64::from(i32::MAX) - 8, 1, T0, T0, 0),
            true,
        ),
        (
            "last offset in 32 bits",
            (1, T0),
            at(i64::from(i32::MAX) - 9, 1, T0, T0, 0),
            false,
        ),
    ] {
        let mut log = VirtualSegments::default();
        let first = at(0, first.0, first.1, T0, 0);
        assert!(log.must_roll(&first, &limits), "{name}: an empty log");
        log.append(&first, true);
        assert_eq!(log.must_roll(&next, &limits), expected, "{name}");
    }
}

#[test]
fn a_batch_larger_than_a_segment_gets_one_of_its_own() {
    let limits = RollLimits {
        segment_bytes: 100,
        segment_ms: HOUR_MS,
    };
    let mut log = VirtualSegments::default();
    for i in 0..3 {
        let batch = at(i * 10, 500, T0, T0, 0);
        assert!(log.must_roll(&batch, &limits));
        log.append(&batch, true);
    }
    assert_eq!(log.segments().len(), 3);
}

#[test]
fn segments_are_bounded_in_number() {
    let limits = RollLimits {
        segment_bytes: 1,
        segment_ms: 0,
    };
    let mut log = VirtualSegments::default();
    for i in 0..SEGMENTS_MAX as i64 + 100 {
        let batch = at(i * 10, 500, T0 + i, T0, 0);
        let begins = log.must_roll(&batch, &limits);
        log.append(&batch, begins);
    }
    assert_eq!(log.segments().len(), SEGMENTS_MAX);
    assert_eq!(log.bytes(), (SEGMENTS_MAX as u64 + 100) * 500);
}

/// Segments of ten offsets each: (bytes, max timestamp, append time, running time).
fn log(segments: &[(u64, i64, i64, u64)]) -> VirtualSegments {
    let mut log = VirtualSegments::default();
    for (i, (bytes, timestamp, append, running)) in segments.iter().enumerate() {
        log.append(
            &at(i as i64 * 10, *bytes, *timestamp, *append, *running),
            true,
        );
    }
    log
}

fn ends(segments: usize) -> LogEnds {
    let end_offset = segments as i64 * 10;
    LogEnds {
        high_watermark: end_offset,
        end_offset,
    }
}

fn by_time(retention_ms: u64, clock: RetentionClock) -> Retention {
    Retention {
        retention_ms: Some(retention_ms),
        retention_bytes: None,
        clock,
    }
}

#[test]
fn what_expires_by_time() {
    use RetentionClock::{Running, Wall};
    let h = HOUR_MS as i64;
    let now = |running_h: u64, wall_ms| Now {
        running_ms: running_h * HOUR_MS,
        wall_ms,
    };
    // Every row: one segment (timestamp, append time, running hours), limit in hours, now.
    for (name, (timestamp, append, running_h), limit_h, now, running, wall) in [
        ("young", (T0, T0, 10), 2, now(11, T0 + h), false, false),
        (
            "exactly the limit",
            (T0, T0, 10),
            2,
            now(12, T0 + 2 * h),
            false,
            false,
        ),
        ("old", (T0, T0, 10), 2, now(13, T0 + 3 * h), true, true),
        (
            "late by an hour, both count it",
            (T0 - h, T0, 10),
            2,
            now(12, T0 + 2 * h),
            true,
            true,
        ),
        (
            "a device in 1970",
            (5, T0, 10),
            2,
            now(11, T0 + h),
            false,
            true,
        ),
        (
            "a device in 1970, in time",
            (5, T0, 10),
            2,
            now(13, T0 + 3 * h),
            true,
            true,
        ),
        (
            "from the future",
            (T0 + 900 * h, T0, 10),
            2,
            now(13, T0 + 3 * h),
            true,
            false,
        ),
        (
            "no timestamp",
            (-1, T0, 10),
            2,
            now(13, T0 + 3 * h),
            true,
            true,
        ),
        (
            "no timestamp, young",
            (-1, T0, 10),
            2,
            now(11, T0 + h),
            false,
            false,
        ),
        (
            "wall clock jumps nine years",
            (T0, T0, 10),
            2,
            now(10, T0 + 80_000 * h),
            false,
            true,
        ),
        (
            "wall clock falls back",
            (T0, T0, 10),
            2,
            now(13, 0),
            true,
            false,
        ),
        (
            "hostile",
            (i64::MAX, i64::MIN, 10),
            2,
            now(13, i64::MIN),
            true,
            false,
        ),
    ] {
        let log = log(&[(1, timestamp, append, running_h * HOUR_MS)]);
        for (clock, expected) in [(Running, running), (Wall, wall)] {
            let retention = by_time(limit_h * HOUR_MS, clock);
            let got = log.expired_end(&retention, now, ends(1));
            assert_eq!(got, expected.then_some(10), "{name} by {clock:?}");
        }
    }
}

#[test]
fn a_late_append_does_not_make_a_segment_younger_than_its_newest_record() {
    let h = HOUR_MS as i64;
    let mut log = log(&[(1, T0, T0, 0)]);
    log.append(&at(10, 1, T0 - h, T0 + h, HOUR_MS), false);
    let retention = by_time(2 * HOUR_MS, RetentionClock::Running);
    for (running_h, expected) in [(2, None), (3, Some(20))] {
        let now = Now {
            running_ms: running_h * HOUR_MS,
            wall_ms: 0,
        };
        assert_eq!(log.expired_end(&retention, now, ends(2)), expected);
    }
}

#[test]
fn what_expires_by_size_and_up_to_where() {
    let four = log(&[
        (100, T0, T0, 0),
        (100, T0, T0, 0),
        (50, T0, T0, 0),
        (100, T0, T0, 0),
    ]);
    let now = Now {
        running_ms: 0,
        wall_ms: T0,
    };
    for (name, limit, high_watermark, expected) in [
        ("fits", 350, 40, None),
        ("not a whole segment too much", 251, 40, None),
        ("one", 250, 40, Some(10)),
        ("two", 149, 40, Some(20)),
        ("three", 100, 40, Some(30)),
        ("one of the last is kept", 1, 40, Some(30)),
        ("all", 0, 40, Some(40)),
        ("only what is committed", 0, 39, Some(30)),
        ("nothing is committed", 0, 9, None),
    ] {
        let retention = Retention {
            retention_ms: None,
            retention_bytes: Some(limit),
            clock: RetentionClock::Running,
        };
        let ends = LogEnds {
            high_watermark,
            end_offset: 40,
        };
        assert_eq!(four.expired_end(&retention, now, ends), expected, "{name}");
    }
}

#[test]
fn expiry_goes_from_the_oldest_and_stops_at_the_first_that_stays() {
    let hour = HOUR_MS;
    let log = log(&[(10, -1, T0, 0), (10, -1, T0, 9 * hour), (10, -1, T0, 0)]);
    let retention = Retention {
        retention_bytes: Some(25),
        ..by_time(hour, RetentionClock::Running)
    };
    let now = Now {
        running_ms: 9 * hour,
        wall_ms: T0,
    };
    assert_eq!(log.expired_end(&retention, now, ends(3)), Some(10));
    let forever = Retention {
        retention_ms: None,
        retention_bytes: None,
        clock: RetentionClock::Wall,
    };
    assert_eq!(log.expired_end(&forever, now, ends(3)), None);
}

#[test]
fn segments_below_the_start_go() {
    for (start, left_bytes) in [(0, 111), (9, 111), (10, 110), (19, 110), (20, 100), (30, 0)] {
        let mut log = log(&[(1, 0, 0, 0), (10, 0, 0, 0), (100, 0, 0, 0)]);
        log.drop_below(start, 30);
        assert_eq!(log.bytes(), left_bytes, "{start}");
    }
    let mut log = log(&[(1, 0, 0, 0)]);
    log.drop_below(10, 10);
    // A run read back without the flag still finds a segment to go to.
    log.append(&at(10, 7, 0, 0, 0), false);
    assert_eq!(log.segments()[0].base_offset, 10);
}

#[test]
fn encodes_and_decodes() {
    let log = log(&[(1, 2, 3, 4), (5, -1, 7, 8)]);
    let mut bytes = Vec::new();
    log.encode(&mut bytes);
    assert_eq!(bytes.len(), 4 + 2 * SEGMENT_BYTES);
    assert_eq!(VirtualSegments::decode(&mut Fields::new(&bytes)), Ok(log));
    for cut in 0..bytes.len() {
        assert!(VirtualSegments::decode(&mut Fields::new(&bytes[..cut])).is_err());
    }
}
