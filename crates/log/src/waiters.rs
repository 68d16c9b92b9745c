//! Who waits for which frame to be written or durable, and which frames were taken back. Tasks come
//! with tickets, the commit and sync steps take the wakers of those that are done.

use std::collections::BTreeMap;
use std::task::Waker;

use crate::options::Ticket;

#[derive(Debug, Default)]
pub(crate) struct Waiters {
    durable: BTreeMap<u64, Vec<Waker>>,
    written: BTreeMap<u64, Vec<Waker>>,
    /// The first frame of each cut, see [`Ticket::cuts`].
    cuts: Vec<u64>,
}

/// A task polls its tickets in a row; so far back its own waker is looked for.
const LOOK_BACK: usize = 4;

impl Waiters {
    pub(crate) fn add(&mut self, ticket: &Ticket, waker: &Waker) {
        let marks = match ticket.durable {
            true => &mut self.durable,
            false => &mut self.written,
        };
        let known = marks.entry(ticket.sequence).or_default();
        if !known
            .iter()
            .rev()
            .take(LOOK_BACK)
            .any(|known| known.will_wake(waker))
        {
            known.push(waker.clone());
        }
    }

    /// Whether the frame of this ticket was taken back.
    pub(crate) fn is_cut(&self, ticket: &Ticket) -> bool {
        // Of the cuts since, the first one decides: what it left standing was written then.
        let first = self.cuts.get(ticket.cuts as usize);
        first.is_some_and(|first| *first <= ticket.sequence)
    }

    /// The frames from `first` on are taken back; gives all who wait, to look again.
    pub(crate) fn cut(&mut self, first: u64, wake: &mut Vec<Waker>) {
        self.cuts.push(first);
        self.take_all(wake);
    }

    pub(crate) fn cut_count(&self) -> u32 {
        self.cuts.len() as u32
    }

    pub(crate) fn take_done(&mut self, written: u64, durable: u64, wake: &mut Vec<Waker>) {
        for (marks, done) in [(&mut self.written, written), (&mut self.durable, durable)] {
            while let Some(first) = marks.first_entry()
                && *first.key() <= done
            {
                wake.append(&mut first.remove());
            }
        }
    }

    pub(crate) fn take_all(&mut self, wake: &mut Vec<Waker>) {
        for marks in [&mut self.written, &mut self.durable] {
            wake.extend(std::mem::take(marks).into_values().flatten());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::task::Wake;

    use super::*;

    fn ticket(sequence: u64, durable: bool, cuts: u32) -> Ticket {
        Ticket {
            sequence,
            durable,
            cuts,
        }
    }

    struct Task;

    impl Wake for Task {
        fn wake(self: Arc<Self>) {}
    }

    fn done(waiters: &mut Waiters, written: u64, durable: u64) -> usize {
        let mut wake = Vec::new();
        waiters.take_done(written, durable, &mut wake);
        wake.len()
    }

    #[test]
    fn each_mark_wakes_its_own() {
        let mut waiters = Waiters::default();
        let waker = Waker::from(Arc::new(Task));
        for (sequence, durable) in [(1, true), (1, false), (2, true), (2, true), (3, false)] {
            waiters.add(&ticket(sequence, durable, 0), &waker);
        }
        assert_eq!(done(&mut waiters, 2, 0), 1);
        assert_eq!(done(&mut waiters, 2, 1), 1);
        assert_eq!(done(&mut waiters, 3, 2), 2, "one waker of a task is enough");
        assert_eq!(done(&mut waiters, 9, 9), 0);
    }

    #[test]
    fn sequences_that_are_given_again_are_told_apart() {
        let mut waiters = Waiters::default();
        let mut wake = Vec::new();
        waiters.cut(5, &mut wake);
        waiters.cut(7, &mut wake);
        for (sequence, cuts, is_cut) in [
            (4, 0, false),
            (5, 0, true),
            (6, 0, true),
            (5, 1, false),
            (6, 1, false),
            (7, 1, true),
            (7, 2, false),
        ] {
            let ticket = ticket(sequence, true, cuts);
            assert_eq!(waiters.is_cut(&ticket), is_cut, "{ticket:?}");
        }
        assert_eq!(waiters.cut_count(), 2);
    }
}
