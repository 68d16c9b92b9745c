//! The journal's own running time: it counts while the journal is open, on the monotonic clock, and
//! goes on across stops by a wall-clock gap that is plausible. Retention counts ages on it, so that a
//! wall clock that jumps expires nothing. Frames carry it; the journal owns one of these.

/// A longer stop than this is rather a wall clock that was set than a broker that stood still.
const GAP_MS_MAX: i64 = 30 * 24 * 60 * 60 * 1000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunningClock {
    running_ms: u64,
    /// The monotonic clock when the running time stood there.
    monotonic_ms: u64,
}

/// The two times of the last frame that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastFrameTime {
    pub running_ms: u64,
    pub append_time_ms: i64,
}

impl RunningClock {
    /// Starts at nothing in an empty folder, else goes on from the last frame.
    pub fn resume(last: Option<LastFrameTime>, wall_ms: i64, monotonic_ms: u64) -> Self {
        let running_ms = match last {
            None => 0,
            Some(last) => {
                let gap_ms = wall_ms.saturating_sub(last.append_time_ms);
                let counted_ms = match gap_ms {
                    0..=GAP_MS_MAX => gap_ms as u64,
                    _ => 0,
                };
                last.running_ms.saturating_add(counted_ms)
            }
        };
        Self {
            running_ms,
            monotonic_ms,
        }
    }

    pub fn now_ms(&self, monotonic_ms: u64) -> u64 {
        self.running_ms
            .saturating_add(monotonic_ms.saturating_sub(self.monotonic_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goes_on_across_restarts() {
        const DAY_MS: i64 = 24 * 60 * 60 * 1000;
        let y2026 = 1_790_000_000_000;
        let y2017 = 1_490_000_000_000;
        let frame = |running_ms, append_time_ms| {
            Some(LastFrameTime {
                running_ms,
                append_time_ms,
            })
        };
        for (name, last, wall_ms, expected) in [
            ("empty folder", None, y2026, 0),
            ("at once", frame(500, y2026), y2026, 500),
            (
                "stopped for an hour",
                frame(500, y2026),
                y2026 + 3_600_000,
                3_600_500,
            ),
            (
                "30 days",
                frame(0, y2026),
                y2026 + 30 * DAY_MS,
                30 * DAY_MS as u64,
            ),
            (
                "31 days are not believed",
                frame(500, y2026),
                y2026 + 31 * DAY_MS,
                500,
            ),
            (
                "clock set right by nine years",
                frame(500, y2017),
                y2026,
                500,
            ),
            ("clock lost", frame(500, y2026), 0, 500),
            ("a little back", frame(500, y2026), y2026 - 1, 500),
            (
                "hostile numbers",
                frame(u64::MAX, i64::MIN),
                i64::MAX,
                u64::MAX,
            ),
        ] {
            let clock = RunningClock::resume(last, wall_ms, 70);
            assert_eq!(clock.now_ms(70), expected, "{name}");
            assert_eq!(clock.now_ms(80), expected.saturating_add(10), "{name}");
            assert_eq!(clock.now_ms(60), expected, "{name}: never backwards");
        }
    }
}
