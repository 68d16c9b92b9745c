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

impl JournalThreads {
    pub fn start(journal: &Arc<Journal>) -> io::Result<Self> {
        let start = |name: &str, run: fn(&Journal)| {
            let journal = journal.clone();
            std::thread::Builder::new()
                .name(name.to_owned())
                .spawn(move || run(&journal))
        };
        let handles = vec![
            start("commit", Journal::run_commits)?,
            start("sync", Journal::run_syncs)?,
            start("maintenance", Journal::run_maintenance)?,
        ];
        Ok(Self { handles })
    }

    /// Waits for the threads of a closed journal.
    pub fn join(self) {
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
