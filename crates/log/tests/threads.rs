//! The journal with its own threads on a real file system: many appenders, readers that follow, a clean stop, a kill.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

use std::path::PathBuf;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::thread::Thread;

use log::disk::real::RealDisk;
use log::{
    AppendError, AppendOptions, Durability, Journal, JournalOptions, Log, LogClass, LogConfig,
    Recovered, SystemClock, Ticket,
};
use protocol::batch::Batches;
use protocol::batch_builder::{BatchBuilder, BatchOptions, NewRecord};

const LOGS: u64 = 50;
const APPENDERS: u64 = 3;
const BATCHES: u64 = 4000;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("ottla-log-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn wait(log: &Log, ticket: &Ticket) {
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut cx = Context::from_waker(&waker);
    while log
        .poll_committed(ticket, &mut cx)
        .map(Result::unwrap)
        .is_pending()
    {
        std::thread::park();
    }
}

fn open(folder: &Folder) -> (Arc<Journal>, Recovered) {
    let mut salts = 0u8;
    let salt = move || {
        salts = salts.wrapping_add(1);
        [salts; 16]
    };
    let options = JournalOptions {
        file_bytes: 4 << 20,
        frame_bytes_max: 256 << 10,
        tail_cache_bytes: 1 << 20,
        snapshot_tail_bytes_min: 4 << 20,
        ..JournalOptions::new(Box::new(salt))
    };
    let disk = Arc::new(RealDisk::open(&folder.0).unwrap());
    Journal::open(disk, Arc::new(SystemClock::default()), options).unwrap()
}

fn config(log: u64) -> LogConfig {
    let durability = match log % 5 {
        0 => Durability::IntervalMs(20),
        1 => Durability::Os,
        _ => Durability::Sync,
    };
    LogConfig {
        durability,
        class: LogClass::User,
        segment_bytes: 1 << 20,
        segment_ms: i64::MAX,
        retention_ms: -1,
        retention_bytes: -1,
        deletes: false,
    }
}

fn batch(value: u64) -> Vec<u8> {
    let mut builder = BatchBuilder::new(BatchOptions::default());
    let mut bytes = vec![b'.'; 700];
    bytes[..8].copy_from_slice(&value.to_le_bytes());
    let record = NewRecord {
        timestamp: 1,
        key: None,
        value: Some(&bytes),
        headers: &[],
    };
    builder.append(&record).unwrap();
    builder.build().unwrap()
}

/// Appends until every batch is in; gives each log's last ticket.
fn append_all(journal: &Arc<Journal>, appender: u64) {
    let mut last: Vec<Option<(Arc<Log>, Ticket)>> = (0..LOGS).map(|_| None).collect();
    for number in 0..BATCHES {
        let at = (number * 7 + appender) % LOGS;
        let log = journal.open_log(2 + at, config(2 + at));
        let bytes = batch(appender * BATCHES + number);
        let ticket = loop {
            match log.append(&bytes, AppendOptions { leader_epoch: 1 }) {
                Ok(appended) => break appended.ticket,
                Err(AppendError::Busy) => std::thread::yield_now(),
                Err(error) => panic!("{error}"),
            }
        };
        last[at as usize] = Some((log, ticket));
    }
    for (log, ticket) in last.into_iter().flatten() {
        wait(&log, &ticket);
    }
}

fn values(log: &Log) -> Vec<u64> {
    let mut values = Vec::new();
    let mut offset = log.start_offset();
    while offset < log.high_watermark() {
        for chunk in log.read(offset, i64::MAX, 100_000, true).unwrap() {
            for batch in Batches::new(&chunk) {
                let batch = batch.unwrap();
                assert_eq!(batch.header().base_offset, offset);
                offset = batch.header().next_offset();
                let mut scratch = Vec::new();
                let mut records = batch.records(1 << 20, &mut scratch).unwrap();
                let record = records.next().unwrap().unwrap();
                let value = record.value.unwrap().first_chunk().unwrap();
                values.push(u64::from_le_bytes(*value));
            }
        }
    }
    values
}

fn check(journal: &Arc<Journal>) {
    let mut all = Vec::new();
    for id in 2..2 + LOGS {
        let mut next = [0; APPENDERS as usize];
        for value in values(&journal.open_log(id, config(id))) {
            let appender = (value / BATCHES) as usize;
            assert!(
                value % BATCHES >= next[appender],
                "in each appender's order"
            );
            next[appender] = value % BATCHES + 1;
            all.push(value);
        }
    }
    all.sort_unstable();
    assert!(all.iter().copied().eq(0..APPENDERS * BATCHES), "each once");
}

/// Closes the journal, also if a check fails: its threads end then.
struct Close<'a>(&'a Journal);

impl Drop for Close<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Runs `work` beside the journal's threads.
fn run(journal: &Arc<Journal>, work: impl FnOnce()) {
    std::thread::scope(|scope| {
        for body in [Journal::run_commits, Journal::run_syncs] {
            scope.spawn(move || body(journal));
        }
        scope.spawn(|| journal.run_maintenance());
        let _close = Close(journal);
        work();
    });
}

#[test]
fn appenders_and_threads_and_a_restart() {
    let folder = Folder::new("threads");
    let (journal, _) = open(&folder);
    run(&journal, || {
        std::thread::scope(|scope| {
            for appender in 0..APPENDERS {
                let journal = &journal;
                scope.spawn(move || append_all(journal, appender));
            }
        });
        check(&journal);
    });
    assert_eq!(journal.status().failed, None);
    drop(journal);
    let (journal, recovered) = open(&folder);
    assert!(recovered.clean && recovered.holes.is_empty());
    assert!(
        recovered.bytes_read < 5 << 20,
        "{} bytes read to start",
        recovered.bytes_read
    );
    check(&journal);
    run(&journal, || check(&journal));
}
