//! Topics, as far as offsets need them: the end of every partition, in memory only.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use parking_lot::Mutex;

pub(crate) const PARTITIONS_MAX: i32 = 100_000;

/// The end offsets of a topic's partitions.
pub(crate) struct Topic {
    ends: Vec<AtomicI64>,
}

impl Topic {
    /// Gives `records` offsets away and returns the first.
    pub(crate) fn append(&self, partition: i32, records: i64) -> Option<i64> {
        let end = self.ends.get(usize::try_from(partition).ok()?)?;
        Some(end.fetch_add(records, Ordering::Relaxed))
    }

    pub(crate) fn end(&self, partition: i32) -> Option<i64> {
        let end = self.ends.get(usize::try_from(partition).ok()?)?;
        Some(end.load(Ordering::Relaxed))
    }

    pub(crate) fn partitions(&self) -> usize {
        self.ends.len()
    }
}

#[derive(Default)]
pub(crate) struct Topics {
    by_name: Mutex<HashMap<String, Arc<Topic>>>,
}

impl Topics {
    pub(crate) fn get(&self, name: &str) -> Option<Arc<Topic>> {
        self.by_name.lock().get(name).cloned()
    }

    pub(crate) fn create(&self, name: &str, partitions: i32) {
        let ends = (0..partitions.clamp(1, PARTITIONS_MAX))
            .map(|_| AtomicI64::new(0))
            .collect();
        self.by_name
            .lock()
            .insert(name.to_owned(), Arc::new(Topic { ends }));
    }

    pub(crate) fn delete(&self, name: &str) -> bool {
        self.by_name.lock().remove(name).is_some()
    }
}
