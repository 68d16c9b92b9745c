//! What went over the wire, with its time: two runs of one seed are the same run if their traces are equal.

use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub at_ms: i64,
    /// The connection, numbered in the order in which they were made.
    pub connection: u64,
    pub direction: Direction,
    pub bytes: Bytes,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    Request,
    Answer,
}

/// Events in their order; clones share them.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    events: Arc<Mutex<Vec<Event>>>,
}

impl Trace {
    pub(crate) fn add(&self, event: Event) {
        self.events.lock().push(event);
    }

    pub fn events(&self) -> Vec<Event> {
        self.events.lock().clone()
    }
}
