//! Tasks that wait for the same thing to move. Each has a place that it gives up when it is dropped, so that those who leave take their
//! waker with them. Used by logs, by the queue for its room, and by the broker's memory budget.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Waker;

use parking_lot::Mutex;

#[derive(Debug, Default)]
pub struct Wakers {
    waiting: Mutex<BTreeMap<u64, Waker>>,
    next: AtomicU64,
}

/// One task's place; it wakes the task once for each time that it is registered.
pub struct Registration {
    wakers: Arc<Wakers>,
    number: u64,
}

impl Wakers {
    /// A place, not registered yet.
    pub fn place(self: &Arc<Self>) -> Registration {
        Registration {
            wakers: self.clone(),
            number: self.next.fetch_add(1, Ordering::Relaxed),
        }
    }

    /// Takes everyone who waits, to be woken.
    pub fn take(&self, wake: &mut Vec<Waker>) {
        wake.extend(std::mem::take(&mut *self.waiting.lock()).into_values());
    }

    pub fn is_empty(&self) -> bool {
        self.waiting.lock().is_empty()
    }

    pub fn len(&self) -> usize {
        self.waiting.lock().len()
    }
}

impl Registration {
    /// Who registers looks again after it: what moved before has woken nobody.
    pub fn register(&self, waker: &Waker) {
        let mut waiting = self.wakers.waiting.lock();
        match waiting.get_mut(&self.number) {
            Some(known) => known.clone_from(waker),
            None => {
                waiting.insert(self.number, waker.clone());
            }
        }
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.wakers.waiting.lock().remove(&self.number);
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Registration({})", self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_leaves_takes_its_waker_along() {
        let wakers = Arc::new(Wakers::default());
        let stays = wakers.place();
        stays.register(Waker::noop());
        for _ in 0..1000 {
            let leaves = wakers.place();
            leaves.register(Waker::noop());
            leaves.register(Waker::noop());
            assert_eq!(wakers.len(), 2);
        }
        let mut wake = Vec::new();
        wakers.take(&mut wake);
        assert_eq!((wake.len(), wakers.len()), (1, 0));
        // What was taken is registered anew or not at all.
        drop(stays);
        assert!(wakers.is_empty());
    }
}
