//! The door to threads: the journal's own (commit, sync, maintenance), the async runtime's, and work that would hold one of these up. A simulation steps the journal itself
//! and starts none.

use std::io;
use std::num::NonZero;
use std::sync::Arc;
use std::thread::JoinHandle;

use log::Journal;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::sync::Semaphore;

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
    turns: Semaphore,
}

impl Default for HeavyWork {
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
        Self {
            turns: Semaphore::new(cores),
        }
    }
}

impl HeavyWork {
    /// Waits for its turn without a thread, then works.
    pub async fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        let _turn = self.turns.acquire().await;
        wait_in_place(work)
    }
}

/// Work that keeps its thread, because it waits for a disk or is much: other connections go on meanwhile on another.
pub fn wait_in_place<T>(work: impl FnOnce() -> T) -> T {
    let is_threaded = Handle::try_current()
        .is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::MultiThread);
    match is_threaded {
        true => tokio::task::block_in_place(work),
        // A simulation: one thread, and nobody else to wait for.
        false => work(),
    }
}

/// The async runtime: a worker for each core.
pub fn asynchronous() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .thread_name("broker")
        .enable_all()
        .build()
}
