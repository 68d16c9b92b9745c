//! The memory budget: bounds, in bytes, on requests being read and answers not yet sent. Who allocates reserves first, waits where
//! nothing is left, and gives back when an answer is gone.
//!
//! There are two, so that nobody can wait for himself: a request that holds its part of one waits for its answer's part of the other,
//! which comes back whenever a client reads or is given up.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;

pub struct Budget {
    free_bytes: AtomicI64,
    total_bytes: i64,
    waiting: Mutex<Vec<Waker>>,
}

/// A part of the budget; given back when dropped.
pub struct Reservation {
    budget: Arc<Budget>,
    bytes: i64,
}

impl Budget {
    pub fn new(total_bytes: i64) -> Arc<Self> {
        Arc::new(Self {
            free_bytes: AtomicI64::new(total_bytes),
            total_bytes,
            waiting: Mutex::new(Vec::new()),
        })
    }

    pub fn total_bytes(&self) -> usize {
        usize::try_from(self.total_bytes).unwrap_or(0)
    }

    pub fn used_bytes(&self) -> i64 {
        self.total_bytes - self.free_bytes.load(Ordering::Relaxed)
    }

    /// Takes `bytes` if they are free. A wish above the whole budget is granted when nothing else is taken, so that no request that
    /// passed the size check waits for ever.
    pub fn try_reserve(self: &Arc<Self>, bytes: usize) -> Option<Reservation> {
        let bytes = i64::try_from(bytes)
            .unwrap_or(i64::MAX)
            .min(self.total_bytes);
        let take = |free: i64| (free >= bytes).then_some(free - bytes);
        self.free_bytes
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, take)
            .ok()?;
        Some(Reservation {
            budget: self.clone(),
            bytes,
        })
    }

    /// For bytes that are there already: counted even if more is taken than there is, so that others wait until it is given back.
    pub fn take(self: &Arc<Self>, bytes: usize) -> Reservation {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.free_bytes.fetch_sub(bytes, Ordering::AcqRel);
        Reservation {
            budget: self.clone(),
            bytes,
        }
    }

    /// As `try_reserve`, once there is room.
    pub async fn reserve(self: &Arc<Self>, bytes: usize) -> Reservation {
        poll_fn(|cx| self.poll_reserve(bytes, cx)).await
    }

    /// As `try_reserve`; when nothing is left the task is woken once something is given back.
    pub fn poll_reserve(self: &Arc<Self>, bytes: usize, cx: &mut Context<'_>) -> Poll<Reservation> {
        if let Some(reservation) = self.try_reserve(bytes) {
            return Poll::Ready(reservation);
        }
        {
            let mut waiting = self.waiting.lock();
            if !waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
                waiting.push(cx.waker().clone());
            }
        }
        // What was given back between the first look and the registration has woken nobody.
        match self.try_reserve(bytes) {
            Some(reservation) => Poll::Ready(reservation),
            None => Poll::Pending,
        }
    }
}

impl Reservation {
    /// Gives back what is beyond `bytes`.
    pub fn shrink_to(&mut self, bytes: usize) {
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX).min(self.bytes);
        drop(Self {
            budget: self.budget.clone(),
            bytes: self.bytes - bytes,
        });
        self.bytes = bytes;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budget
            .free_bytes
            .fetch_add(self.bytes, Ordering::AcqRel);
        let waiting = std::mem::take(&mut *self.budget.waiting.lock());
        for waker in waiting {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Wake, Waker};

    use super::*;

    struct Idle;

    impl Wake for Idle {
        fn wake(self: Arc<Self>) {}
    }

    #[test]
    fn what_is_given_back_can_be_taken_again() {
        let budget = Budget::new(100);
        let first = budget.try_reserve(60).unwrap();
        assert!(budget.try_reserve(60).is_none());
        assert_eq!(budget.used_bytes(), 60);
        drop(first);
        let whole = budget.try_reserve(1_000_000).unwrap();
        assert!(budget.try_reserve(1).is_none());
        drop(whole);
        assert_eq!(budget.used_bytes(), 0);
    }

    #[test]
    fn what_is_there_already_counts_and_lets_others_wait() {
        let budget = Budget::new(100);
        let large = budget.take(150);
        assert_eq!(budget.used_bytes(), 150);
        assert!(budget.try_reserve(1).is_none());
        drop(large);
        assert_eq!(budget.used_bytes(), 0);
        assert!(budget.try_reserve(100).is_some());
    }

    #[test]
    fn who_waits_is_registered_once_and_woken() {
        let budget = Budget::new(10);
        let taken = budget.try_reserve(10).unwrap();
        // Its own waker: whether two of `Waker::noop` wake the same is the compiler's choice.
        let waker = Waker::from(Arc::new(Idle));
        let mut cx = Context::from_waker(&waker);
        assert!(budget.poll_reserve(1, &mut cx).is_pending());
        assert!(budget.poll_reserve(1, &mut cx).is_pending());
        assert_eq!(budget.waiting.lock().len(), 1);
        drop(taken);
        assert!(budget.waiting.lock().is_empty());
        assert!(budget.poll_reserve(1, &mut cx).is_ready());
    }
}
