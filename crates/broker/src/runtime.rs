//! The door to threads: the journal's own (commit, sync, maintenance) and the async runtime's. A simulation steps the journal itself
//! and starts none.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use log::Journal;

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

/// The async runtime: a worker for each core.
pub fn asynchronous() -> io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .thread_name("broker")
        .enable_all()
        .build()
}
