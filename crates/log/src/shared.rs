//! What a journal and its logs share: the queue, the marks of what is written and durable, who waits
//! for them, and the way to the bytes.
//!
//! Locks, in the order in which they are taken: syncing, the writer, the next files, a log's state, the
//! books, the queue; the store's and the waiters' are taken last. Wakers are called under none.

use std::future::poll_fn;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};

use parking_lot::{Condvar, Mutex};

use crate::clock::Clock;
use crate::options::{AppendError, CommitError, Durability, JournalOptions, Ticket};
use crate::queue::Queue;
use crate::running_clock::RunningClock;
use crate::store::Store;
use crate::waiters::Waiters;
use crate::wakers::Registration;

pub(crate) struct Shared {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) options: JournalOptions,
    pub(crate) running: RunningClock,
    pub(crate) queue: Mutex<Queue>,
    /// The commit thread waits here, with the queue.
    pub(crate) work: Condvar,
    /// The sync thread waits here.
    pub(crate) sync_work: Condvar,
    /// The maintenance thread waits here.
    pub(crate) upkeep: Condvar,
    pub(crate) committer_waits: AtomicBool,
    /// The highest frame that is written.
    pub(crate) written: AtomicU64,
    /// The highest frame that is durable.
    pub(crate) durable: AtomicU64,
    /// As the queue's.
    pub(crate) cuts: AtomicU32,
    waiters: Mutex<Waiters>,
    /// Why nothing is written any more.
    failure: OnceLock<String>,
    pub(crate) store: Store,
    pub(crate) leader_epoch: AtomicI32,
    /// A log acknowledges from the page cache: syncing is a step of its own, so that such an
    /// acknowledgement never waits for it.
    pub(crate) syncs_apart: AtomicBool,
}

impl Shared {
    pub(crate) fn new(
        clock: Arc<dyn Clock>,
        options: JournalOptions,
        running: RunningClock,
        queue: Queue,
        store: Store,
        leader_epoch: i32,
    ) -> Self {
        let last_sequence = queue.frame.sequence - 1;
        Self {
            clock,
            options,
            running,
            queue: Mutex::new(queue),
            work: Condvar::new(),
            sync_work: Condvar::new(),
            upkeep: Condvar::new(),
            committer_waits: AtomicBool::new(false),
            written: AtomicU64::new(last_sequence),
            durable: AtomicU64::new(last_sequence),
            cuts: AtomicU32::new(0),
            waiters: Mutex::new(Waiters::default()),
            failure: OnceLock::new(),
            store,
            leader_epoch: AtomicI32::new(leader_epoch),
            syncs_apart: AtomicBool::new(false),
        }
    }

    pub(crate) fn running_ms(&self) -> u64 {
        self.running
            .now_ms(self.clock.monotonic_ms().unsigned_abs())
    }

    pub(crate) fn note_durability(&self, durability: Durability) {
        if durability == Durability::Os {
            self.syncs_apart.store(true, Ordering::Release);
        }
    }

    /// No batch may be larger: one must fit a file beside the tables.
    pub(crate) fn batch_bytes_max(&self) -> usize {
        usize::try_from(self.options.file_bytes / 2).unwrap_or(usize::MAX)
    }

    pub(crate) fn wake_committer(&self) {
        if self.committer_waits.load(Ordering::SeqCst) {
            // The lock makes sure that the committer is past its look at the queue.
            drop(self.queue.lock());
            self.work.notify_all();
        }
    }

    /// Ready when the next frame takes more. Connections ask before they start a request.
    pub(crate) fn poll_room(
        &self,
        waiter: &mut Option<Registration>,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        self.poll_room_that(Queue::has_room, waiter, cx)
    }

    pub(crate) async fn room(&self, is_ready: impl Fn(&Queue) -> bool) {
        let mut waiter = None;
        poll_fn(|cx| self.poll_room_that(&is_ready, &mut waiter, cx)).await;
    }

    fn poll_room_that(
        &self,
        is_ready: impl Fn(&Queue) -> bool,
        waiter: &mut Option<Registration>,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let queue = self.queue.lock();
        if is_ready(&queue) {
            drop(queue);
            *waiter = None;
            return Poll::Ready(());
        }
        let waiter = waiter.get_or_insert_with(|| queue.room_waiters.place());
        waiter.register(cx.waker());
        Poll::Pending
    }

    /// Takes who waits for room, if there is some.
    pub(crate) fn take_room_waiters(&self, wake: &mut Vec<Waker>) {
        let queue = self.queue.lock();
        if queue.has_room() {
            queue.room_waiters.take(wake);
        }
    }

    fn is_done(&self, ticket: &Ticket) -> bool {
        let mark = match ticket.durable {
            true => &self.durable,
            false => &self.written,
        };
        // In this order: a sequence is given again only after the count of cuts has risen.
        let reached = mark.load(Ordering::SeqCst) >= ticket.sequence;
        reached && self.cuts.load(Ordering::SeqCst) == ticket.cuts
    }

    pub(crate) fn poll_committed(
        &self,
        ticket: &Ticket,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), CommitError>> {
        if self.is_done(ticket) {
            return Poll::Ready(Ok(()));
        }
        let mut waiters = self.waiters.lock();
        // Looked at again under the lock: what was published before woke nobody of us.
        if waiters.is_cut(ticket) {
            let reason = "the disk is full".to_owned();
            return Poll::Ready(Err(CommitError { reason }));
        }
        let mark = match ticket.durable {
            true => self.durable.load(Ordering::SeqCst),
            false => self.written.load(Ordering::SeqCst),
        };
        if mark >= ticket.sequence {
            return Poll::Ready(Ok(()));
        }
        if let Some(reason) = self.failure.get() {
            let reason = reason.clone();
            return Poll::Ready(Err(CommitError { reason }));
        }
        waiters.add(ticket, cx.waker());
        Poll::Pending
    }

    /// Takes the wakers of tickets that are done.
    pub(crate) fn take_done_waiters(&self, wake: &mut Vec<Waker>) {
        let written = self.written.load(Ordering::SeqCst);
        let durable = self.durable.load(Ordering::SeqCst);
        self.waiters.lock().take_done(written, durable, wake);
    }

    /// The frames from `first` on are taken back: their tickets fail.
    pub(crate) fn cut_waiters(&self, first: u64, wake: &mut Vec<Waker>) {
        let mut waiters = self.waiters.lock();
        waiters.cut(first, wake);
        self.cuts.store(waiters.cut_count(), Ordering::SeqCst);
    }

    /// Nothing is written any more; everyone who waits is told.
    pub(crate) fn fail(&self, reason: String) {
        tracing::error!(%reason, "the journal is read-only now: check the disk, then restart; the start recovers everything acknowledged");
        let mut wake = Vec::new();
        {
            let mut queue = self.queue.lock();
            if !queue.closing {
                queue.refusal = Some(AppendError::Failed {
                    reason: reason.clone(),
                });
            }
            queue.room_waiters.take(&mut wake);
        }
        // Set before the waiters are taken: whoever comes later sees it.
        let _ = self.failure.set(reason);
        self.waiters.lock().take_all(&mut wake);
        wake.into_iter().for_each(Waker::wake);
        self.notify_threads();
    }

    /// To be held by a thread of the journal: should it panic, nobody waits for it in vain.
    pub(crate) fn fail_on_panic(&self, thread: &'static str) -> FailOnPanic<'_> {
        FailOnPanic {
            shared: self,
            thread,
        }
    }

    pub(crate) fn failure(&self) -> Option<&String> {
        self.failure.get()
    }

    pub(crate) fn notify_threads(&self) {
        self.work.notify_all();
        self.sync_work.notify_all();
        self.upkeep.notify_all();
    }
}

pub(crate) struct FailOnPanic<'a> {
    shared: &'a Shared,
    thread: &'static str,
}

impl Drop for FailOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let thread = self.thread;
            self.shared
                .fail(format!("the {thread} thread ended by a fault of its own"));
        }
    }
}
