//! The simulation's clock: tokio's paused time, which moves when every task waits, and a wall clock on top of it.

use std::fmt;

use log::Clock;
use tokio::time::Instant;

pub struct SimClock {
    start: Instant,
    start_wall_ms: i64,
}

impl SimClock {
    /// Starts now; called inside the runtime whose time it is.
    pub fn new(start_wall_ms: i64) -> Self {
        Self {
            start: Instant::now(),
            start_wall_ms,
        }
    }
}

impl Clock for SimClock {
    fn monotonic_ms(&self) -> i64 {
        i64::try_from(self.start.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    fn wall_ms(&self) -> i64 {
        self.start_wall_ms.saturating_add(self.monotonic_ms())
    }
}

impl fmt::Debug for SimClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SimClock({} ms)", self.monotonic_ms())
    }
}
