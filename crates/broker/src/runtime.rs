//! The door to threads: the journal's own (commit, sync, maintenance), the async runtime's, and work that would hold one of these up. A simulation steps the journal itself
//! and starts none.

use std::io;
use std::num::NonZero;
use std::sync::Arc;
use std::thread::JoinHandle;

use log::Journal;
use parking_lot::{Condvar, Mutex};
use tokio::runtime::{Handle, RuntimeFlavor};

/// The journal's threads; they end when the journal is closed.
pub struct JournalThreads {
    handles: Vec<JoinHandle<()>>,
}

/// The work of one thread, until the journal is closed.
type Run = fn(&Journal);

impl JournalThreads {
    /// All of them, or the journal is closed again.
    pub fn start(journal: &Arc<Journal>) -> io::Result<Self> {
        let mut threads = Self {
            handles: Vec::new(),
        };
        let runs: [(&str, Run); 3] = [
            ("commit", Journal::run_commits),
            ("sync", Journal::run_syncs),
            ("maintenance", Journal::run_maintenance),
        ];
        for (name, run) in runs {
            let running = journal.clone();
            let started = std::thread::Builder::new()
                .name(name.to_owned())
                .spawn(move || run(&running));
            match started {
                Ok(handle) => threads.handles.push(handle),
                Err(error) => {
                    threads.close(journal);
                    return Err(error);
                }
            }
        }
        Ok(threads)
    }

    /// Closes the journal and waits for the threads' end.
    pub fn close(self, journal: &Journal) {
        journal.close();
        for handle in self.handles {
            if handle.join().is_err() {
                tracing::error!(
                    "a journal thread ended by a fault of its own; the next start recovers"
                );
            }
        }
    }
}

/// Work that keeps a core busy for many milliseconds. Other connections go on meanwhile on other threads, and no more of it is done at
/// once than there are cores, which bounds its memory as well.
pub struct HeavyWork {
    free: Mutex<usize>,
    freed: Condvar,
}

impl Default for HeavyWork {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self {
            free: Mutex::new(cores),
            freed: Condvar::new(),
        }
    }
}

impl HeavyWork {
    pub fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        let is_threaded = Handle::try_current()
            .is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::MultiThread);
        match is_threaded {
            true => tokio::task::block_in_place(|| self.in_turn(work)),
            // A simulation: one thread, and nobody else to wait for.
            false => work(),
        }
    }

    fn in_turn<T>(&self, work: impl FnOnce() -> T) -> T {
        let mut free = self.free.lock();
        self.freed.wait_while(&mut free, |free| *free == 0);
        *free -= 1;
        drop(free);
        let _turn = Turn(self);
        work()
    }
}

/// Ends also where the work panics.
struct Turn<'a>(&'a HeavyWork);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.free.lock() += 1;
        self.0.freed.notify_one();
    }
}

/// The async runtime: a worker for each core.
pub fn asynchronous() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .thread_name("broker")
        .enable_all()
        .build()
}
