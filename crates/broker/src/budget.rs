//! The memory budget: bounds, in bytes, on requests being read and answers not yet sent. Who allocates reserves first, waits where
//! nothing is left, and gives back when an answer is gone.
//!
//! There are three, so that nobody waits for himself and no kind of client for another: one for requests, one for the records of
//! fetches, one for all other answers. A request that holds its part of one waits for its answer's part of another, which comes back
//! whenever a client reads or is given up.

use std::future::poll_fn;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::task::{Context, Poll};

use log::{Registration, Wakers};

pub struct Budget {
    free_bytes: AtomicI64,
    total_bytes: i64,
    waiting: Arc<Wakers>,
    /// How often somebody went on with less than there was use for.
    shortages: AtomicU64,
}

/// A part of the budget; given back when dropped.
pub struct Reservation {
    budget: Arc<Budget>,
    bytes: i64,
    /// As the budget's, when it was taken.
    shortages: u64,
}

impl Budget {
    pub fn new(total_bytes: i64) -> Arc<Self> {
        Arc::new(Self {
            free_bytes: AtomicI64::new(total_bytes),
            total_bytes,
            waiting: Arc::default(),
            shortages: AtomicU64::new(0),
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
        let bytes = amount(bytes).min(self.total_bytes);
        let take = |free: i64| (free >= bytes).then_some(free - bytes);
        self.free_bytes
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, take)
            .ok()?;
        Some(self.reservation(bytes))
    }

    /// Takes `bytes`, or what is left of them.
    pub fn reserve_up_to(self: &Arc<Self>, bytes: usize) -> Reservation {
        let granted = |free: i64| amount(bytes).min(free).max(0);
        let take = |free: i64| Some(free - granted(free));
        let free = self
            .free_bytes
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, take)
            .unwrap_or_else(|free| free);
        self.reservation(granted(free))
    }

    /// For bytes that are there already: counted even if more is taken than there is, so that others wait until it is given back.
    pub fn take(self: &Arc<Self>, bytes: usize) -> Reservation {
        let bytes = amount(bytes);
        self.free_bytes.fetch_sub(bytes, Ordering::AcqRel);
        self.reservation(bytes)
    }

    /// As `try_reserve`, once there is room.
    pub async fn reserve(self: &Arc<Self>, bytes: usize) -> Reservation {
        let mut waiter = None;
        poll_fn(|cx| self.poll_reserve(bytes, &mut waiter, cx)).await
    }

    /// As `try_reserve`; when nothing is left the task is woken once something is given back. `waiter` is the caller's to keep while it
    /// waits.
    pub fn poll_reserve(
        self: &Arc<Self>,
        bytes: usize,
        waiter: &mut Option<Registration>,
        cx: &mut Context<'_>,
    ) -> Poll<Reservation> {
        let mut reservation = self.try_reserve(bytes);
        if reservation.is_none() {
            let waiter = waiter.get_or_insert_with(|| self.waiting.place());
            waiter.register(cx.waker());
            // What was given back between the first look and the registration has woken nobody.
            reservation = self.try_reserve(bytes);
        }
        match reservation {
            Some(reservation) => {
                *waiter = None;
                Poll::Ready(reservation)
            }
            None => Poll::Pending,
        }
    }

    pub fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    fn reservation(self: &Arc<Self>, bytes: i64) -> Reservation {
        Reservation {
            budget: self.clone(),
            bytes,
            shortages: self.shortages.load(Ordering::Relaxed),
        }
    }
}

fn amount(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

impl Reservation {
    pub fn bytes(&self) -> usize {
        usize::try_from(self.bytes).unwrap_or(0)
    }

    /// From now on for so many bytes, which are there: gives back what is beyond, or counts what was not asked for.
    pub fn settle(&mut self, bytes: usize) {
        let more = amount(bytes) - self.bytes;
        self.bytes = amount(bytes);
        match more > 0 {
            true => {
                self.budget.free_bytes.fetch_sub(more, Ordering::AcqRel);
            }
            false => drop(self.budget.reservation(-more)),
        }
    }

    /// There was use for more: those who have theirs for longer are asked to hurry.
    pub fn note_shortage(&mut self) {
        self.shortages = self.budget.shortages.fetch_add(1, Ordering::Relaxed) + 1;
    }

    /// Whether others wait for it, or had to do with less since it was taken.
    pub fn is_wanted(&self) -> bool {
        let shortages = self.budget.shortages.load(Ordering::Relaxed);
        shortages > self.shortages || self.budget.has_waiting()
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.bytes == 0 {
            return;
        }
        self.budget
            .free_bytes
            .fetch_add(self.bytes, Ordering::AcqRel);
        let mut wake = Vec::new();
        self.budget.waiting.take(&mut wake);
        wake.into_iter().for_each(std::task::Waker::wake);
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use super::*;

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
    fn who_takes_what_is_left_takes_no_more() {
        let budget = Budget::new(100);
        let most = budget.reserve_up_to(70);
        let rest = budget.reserve_up_to(70);
        let nothing = budget.reserve_up_to(70);
        assert_eq!((most.bytes(), rest.bytes(), nothing.bytes()), (70, 30, 0));
        let over = budget.take(10);
        assert_eq!(budget.reserve_up_to(1).bytes(), 0);
        drop((most, rest, nothing, over));
        assert_eq!(budget.used_bytes(), 0);
    }

    #[test]
    fn a_reservation_settles_on_what_there_is() {
        let budget = Budget::new(100);
        let mut reservation = budget.reserve_up_to(50);
        for bytes in [20, 80, 130, 0] {
            reservation.settle(bytes);
            assert_eq!(budget.used_bytes(), i64::try_from(bytes).unwrap());
        }
        drop(reservation);
        assert_eq!(budget.used_bytes(), 0);
    }

    #[test]
    fn what_is_held_is_wanted_when_somebody_waits_or_did_with_less() {
        let budget = Budget::new(100);
        let most = budget.take(80);
        assert!(!most.is_wanted());
        let mut waiter = None;
        let mut cx = Context::from_waker(Waker::noop());
        assert!(budget.poll_reserve(60, &mut waiter, &mut cx).is_pending());
        assert!(most.is_wanted());
        // Who waited has left.
        drop(waiter);
        assert!(!most.is_wanted());
        let mut later = budget.reserve_up_to(50);
        later.note_shortage();
        assert!(most.is_wanted() && !later.is_wanted());
    }

    #[test]
    fn who_waits_is_registered_once_and_woken() {
        let budget = Budget::new(10);
        let taken = budget.try_reserve(10).unwrap();
        let mut waiter = None;
        let mut cx = Context::from_waker(Waker::noop());
        assert!(budget.poll_reserve(1, &mut waiter, &mut cx).is_pending());
        assert!(budget.poll_reserve(1, &mut waiter, &mut cx).is_pending());
        assert_eq!(budget.waiting.len(), 1);
        drop(taken);
        assert!(budget.waiting.is_empty());
        assert!(budget.poll_reserve(1, &mut waiter, &mut cx).is_ready());
    }
}
