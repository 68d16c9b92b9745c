//! One shared buffer and one thread: whatever came in while the last commit was written and synced becomes the next one.
//!
//! Every commit starts on a block of its own, as in a journal that never rewrites what it has acknowledged. The file is used from
//! its start to its end, round and round, in one of two ways (`Blocks`).

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use anyhow::{Result, ensure};
use parking_lot::{Condvar, Mutex};
use rustix::fs::{FallocateFlags, fallocate, fdatasync};
use tokio::sync::Notify;

use crate::connection::Outbox;

const BLOCK_BYTES: usize = 4096;
const COMMIT_HEADER_BYTES: usize = 32;
const MAGIC: u64 = u64::from_be_bytes(*b"floor  1");
/// Connections wait while more than this waits for the disk.
const PENDING_BYTES_MAX: usize = 32 << 20;

/// What the journal writes over.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Blocks {
    /// Blocks that hold data already, as in a recycled file: a sync has nothing to flush but data.
    Written,
    /// Blocks that are allocated only, as in a new file: a sync must also record that they hold data now.
    Allocated,
}

pub(crate) struct Journal {
    pending: Mutex<Commit>,
    /// The journal's thread waits here.
    filled: Condvar,
    /// Readers wait here while `pending` is full.
    room: Notify,
    durable: AtomicU64,
}

/// One group commit.
struct Commit {
    number: u64,
    bytes: Vec<u8>,
    /// The connections that have something in it.
    waiting: Vec<Arc<Outbox>>,
    /// The journal's thread has nothing to do and must be woken.
    idle: bool,
}

impl Commit {
    fn new(number: u64) -> Self {
        Self {
            number,
            bytes: vec![0; COMMIT_HEADER_BYTES],
            waiting: Vec::new(),
            idle: false,
        }
    }

    fn is_empty(&self) -> bool {
        self.bytes.len() == COMMIT_HEADER_BYTES
    }

    fn clear(&mut self, number: u64) {
        self.number = number;
        self.bytes.truncate(COMMIT_HEADER_BYTES);
        self.waiting.clear();
    }

    /// Writes the header and fills up the last block.
    fn seal(&mut self) {
        let length = self.bytes.len() as u64;
        self.bytes[..8].copy_from_slice(&MAGIC.to_be_bytes());
        self.bytes[8..16].copy_from_slice(&self.number.to_be_bytes());
        self.bytes[16..24].copy_from_slice(&length.to_be_bytes());
        self.bytes
            .resize(self.bytes.len().next_multiple_of(BLOCK_BYTES), 0);
    }
}

impl Journal {
    pub(crate) fn start(path: &Path, file_bytes: u64, blocks: Blocks) -> Result<Arc<Self>> {
        let file_bytes = file_bytes.next_multiple_of(BLOCK_BYTES as u64);
        ensure!(
            file_bytes > 2 * PENDING_BYTES_MAX as u64,
            "a journal of {file_bytes} bytes is too small"
        );
        let file = OpenOptions::new()
            .create(true)
            .truncate(true)
            .read(true)
            .write(true)
            .open(path)?;
        prepare(&file, file_bytes, blocks)?;
        let journal = Arc::new(Self {
            pending: Mutex::new(Commit::new(1)),
            filled: Condvar::new(),
            room: Notify::new(),
            durable: AtomicU64::new(0),
        });
        let run = Arc::clone(&journal);
        thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || {
                if let Err(error) = run.commit_for_ever(&file, file_bytes, blocks) {
                    // After a failed write nothing may be acknowledged any more.
                    eprintln!("journal: {error}");
                    std::process::exit(1);
                }
            })?;
        Ok(journal)
    }

    /// Puts `batch` into the next commit and returns its number. `outbox` is woken when it is durable.
    pub(crate) async fn append(&self, batch: &[u8], outbox: &Arc<Outbox>) -> u64 {
        loop {
            let room = self.room.notified();
            if let Some(number) = self.try_append(batch, outbox) {
                return number;
            }
            room.await;
        }
    }

    fn try_append(&self, batch: &[u8], outbox: &Arc<Outbox>) -> Option<u64> {
        let mut pending = self.pending.lock();
        if pending.bytes.len() > PENDING_BYTES_MAX {
            return None;
        }
        pending.bytes.extend_from_slice(batch);
        if outbox.joins(pending.number) {
            pending.waiting.push(Arc::clone(outbox));
        }
        if std::mem::take(&mut pending.idle) {
            self.filled.notify_one();
        }
        Some(pending.number)
    }

    /// The number of the last durable commit.
    pub(crate) fn durable(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }

    fn commit_for_ever(&self, file: &File, file_bytes: u64, blocks: Blocks) -> Result<()> {
        let mut commit = Commit::new(0);
        let mut at = 0;
        loop {
            self.take_pending(&mut commit);
            commit.seal();
            let length = commit.bytes.len() as u64;
            if at + length > file_bytes {
                at = 0;
                if blocks == Blocks::Allocated {
                    prepare(file, file_bytes, blocks)?;
                }
            }
            file.write_all_at(&commit.bytes, at)?;
            fdatasync(file)?;
            at += length;
            self.durable.store(commit.number, Ordering::Release);
            commit.waiting.drain(..).for_each(|outbox| outbox.wake());
        }
    }

    /// Swaps the buffers, once there is something to write.
    fn take_pending(&self, commit: &mut Commit) {
        let mut pending = self.pending.lock();
        while pending.is_empty() {
            pending.idle = true;
            self.filled.wait(&mut pending);
        }
        commit.clear(pending.number + 1);
        std::mem::swap(&mut *pending, commit);
        let was_full = commit.bytes.len() > PENDING_BYTES_MAX;
        drop(pending);
        if was_full {
            self.room.notify_waiters();
        }
    }
}

fn prepare(file: &File, bytes: u64, blocks: Blocks) -> Result<()> {
    match blocks {
        Blocks::Allocated => {
            file.set_len(0)?;
            fallocate(file, FallocateFlags::empty(), 0, bytes)?;
        }
        Blocks::Written => {
            let zeros = vec![0; 1 << 20];
            for at in (0..bytes).step_by(zeros.len()) {
                let length = zeros.len().min((bytes - at) as usize);
                file.write_all_at(&zeros[..length], at)?;
            }
        }
    }
    Ok(file.sync_all()?)
}
