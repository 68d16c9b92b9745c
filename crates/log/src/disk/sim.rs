//! A disk in memory that loses power: it keeps apart what reads see and what is durable, tears and
//! loses unsynced writes and folder entries by a seeded choice, fails on command, and counts. Tests
//! of this crate and the simulated broker run on it.
//!
//! One seed and one order of operations give one outcome. [`SimDisk::crash`] leaves the disk it is
//! called on alone and returns what a start after the cut would find, so that one run can be cut at
//! many points.

use std::io;
use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};
use rustix::io::Errno;

pub use super::sim_state::{Counts, Fault, FaultError, Op, Rng};
use super::sim_state::{NameChange, Outcome, State};
use super::{Disk, DiskFile};
use crate::footer::BLOCK_BYTES;

/// A simulated disk; clones share it.
#[derive(Clone, Debug)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
}

/// An open file. It keeps its bytes when the file is renamed or removed.
#[derive(Debug)]
pub struct SimFile {
    state: Arc<Mutex<State>>,
    inode: u64,
    name: String,
}

impl SimDisk {
    pub fn new(seed: u64) -> Self {
        Self::from_state(State::new(Rng::new(seed)))
    }

    fn from_state(state: State) -> Self {
        Self {
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// Lets a crash also leave blocks that are part old, part new (devices without power-loss
    /// protection do).
    pub fn set_torn_blocks(&self, torn_blocks: bool) {
        self.state.lock().torn_blocks = torn_blocks;
    }

    /// Writes and growth beyond so many bytes in all files fail with ENOSPC.
    pub fn set_capacity_bytes(&self, capacity_bytes: Option<u64>) {
        self.state.lock().capacity_bytes = capacity_bytes;
    }

    /// Cuts the power inside the change with this number (the first is 0, see [`Counts::changes`]):
    /// it happens but may be lost, and it and everything after it fails.
    pub fn set_power_cut_at(&self, change: Option<u64>) {
        self.state.lock().power_cut_at = change;
    }

    pub fn add_fault(&self, fault: Fault) {
        self.state.lock().faults.push(fault);
    }

    pub fn clear_faults(&self) {
        self.state.lock().faults.clear();
    }

    pub fn counts(&self) -> Counts {
        self.state.lock().counts
    }

    /// The disk that a start after a power cut at this moment would find. Capacity and the choice of
    /// torn blocks carry over; faults, the planned cut and the counts do not.
    pub fn crash(&self, seed: u64) -> Self {
        Self::from_state(self.state.lock().crash(Rng::new(seed)))
    }

    /// Flips one bit of a file's stored byte, as rot does.
    pub fn flip_bit(&self, name: &str, position: u64, bit: u8) {
        if let Some(bytes) = self.state.lock().named_file(name) {
            bytes.flip_bit(position, bit);
        }
    }

    /// Lets every read of a file's block at `position` fail, as a bad sector does.
    pub fn set_unreadable(&self, name: &str, position: u64) {
        if let Some(bytes) = self.state.lock().named_file(name) {
            bytes.set_unreadable(position);
        }
    }

    /// A file's bytes as reads see them, without counting as a read.
    pub fn contents(&self, name: &str) -> Option<Vec<u8>> {
        let mut state = self.state.lock();
        let bytes = state.named_file(name)?;
        let mut contents = vec![0; bytes.len() as usize];
        bytes.read(0, &mut contents);
        Some(contents)
    }

    /// Gives a file a second name, as a backup by hard links does.
    pub fn link(&self, from: &str, to: &str) {
        let mut state = self.state.lock();
        if let Some(inode) = state.names.get(from).copied() {
            let name = to.to_owned();
            state.change_name(NameChange::Added { name, inode });
        }
    }

    /// Performs a change of names as the plan for it says.
    fn change_names(
        &self,
        op: Op,
        name: &str,
        change: impl FnOnce(&mut State) -> Result<NameChange, Errno>,
    ) -> io::Result<()> {
        let mut state = self.state.lock();
        let outcome = state.begin_change(op, name);
        if matches!(outcome, Outcome::Succeeds | Outcome::PowerGoes) {
            let change = change(&mut state)?;
            state.change_name(change);
        }
        outcome.into_result()
    }

    fn open_inode(&self, name: &str) -> io::Result<SimFile> {
        let mut state = self.state.lock();
        state.begin_open(name)?;
        let inode = *state.names.get(name).ok_or(Errno::NOENT)?;
        *state.open.entry(inode).or_default() += 1;
        Ok(SimFile {
            state: Arc::clone(&self.state),
            inode,
            name: name.to_owned(),
        })
    }
}

impl Disk for SimDisk {
    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(self.open_inode(name)?))
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.change_names(Op::Create, name, |state| {
            if state.names.contains_key(name) {
                return Err(Errno::EXIST);
            }
            let name = name.to_owned();
            let inode = state.new_inode();
            Ok(NameChange::Added { name, inode })
        })?;
        self.open(name)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.change_names(Op::Rename, from, |state| {
            let inode = *state.names.get(from).ok_or(Errno::NOENT)?;
            let (from, to) = (from.to_owned(), to.to_owned());
            Ok(NameChange::Renamed { from, to, inode })
        })
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        self.change_names(Op::Remove, name, |state| {
            match state.names.contains_key(name) {
                true => Ok(NameChange::Removed {
                    name: name.to_owned(),
                }),
                false => Err(Errno::NOENT),
            }
        })
    }

    fn names(&self) -> io::Result<Vec<String>> {
        Ok(self.state.lock().names.keys().cloned().collect())
    }

    fn sync_folder(&self) -> io::Result<()> {
        let mut state = self.state.lock();
        let outcome = state.begin_change(Op::SyncFolder, "");
        if outcome == Outcome::Succeeds {
            state.counts.syncs += 1;
            state.sync_names();
        }
        // A cut inside may leave any of the changes, as if the sync had not begun.
        outcome.into_result()
    }

    fn free_bytes(&self) -> io::Result<u64> {
        let state = self.state.lock();
        Ok(match state.capacity_bytes {
            Some(capacity) => capacity.saturating_sub(state.used_bytes()),
            None => u64::MAX,
        })
    }

    fn volume_bytes(&self) -> io::Result<u64> {
        Ok(self.state.lock().capacity_bytes.unwrap_or(u64::MAX))
    }

    fn lock(&self) -> io::Result<Box<dyn Send + Sync>> {
        let mut state = self.state.lock();
        if std::mem::replace(&mut state.is_locked, true) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(SimLock {
            state: Arc::clone(&self.state),
        }))
    }
}

impl DiskFile for SimFile {
    fn size(&self) -> io::Result<u64> {
        Ok(self.lock().file(self.inode)?.len())
    }

    fn read_exact_at(&self, into: &mut [u8], position: u64) -> io::Result<()> {
        let mut state = self.lock();
        state.begin_read(&self.name)?;
        let file = state.file(self.inode)?;
        if !file.is_readable(position, into.len()) {
            return Err(Errno::IO.into());
        }
        let count = file.read(position, into);
        state.counts.bytes_read += count as u64;
        match count == into.len() {
            true => Ok(()),
            false => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }

    fn write_all_at(&self, bytes: &[u8], position: u64) -> io::Result<()> {
        let mut guard = self.lock();
        let state = &mut *guard;
        let mut outcome = state.begin_change(Op::Write, &self.name);
        if outcome != Outcome::Nothing && !state.has_room(self.inode, position, bytes.len()) {
            outcome = Outcome::Fails(Errno::NOSPC);
        }
        let room = state.has_room(self.inode, position, bytes.len());
        let written = match outcome {
            Outcome::Succeeds | Outcome::PowerGoes => bytes,
            Outcome::Fails(_) if room => &bytes[..state.rng.below(bytes.len() as u64 + 1) as usize],
            Outcome::Fails(_) | Outcome::Nothing => &[],
        };
        if let Some(file) = state.files.get_mut(&self.inode)
            && !written.is_empty()
        {
            file.write(position, written, &mut state.rng);
            state.counts.bytes_written += written.len() as u64;
        }
        outcome.into_result()
    }

    fn write_blocks_at(&self, blocks: &[u8], position: u64) -> io::Result<()> {
        let is_aligned = blocks.as_ptr().align_offset(BLOCK_BYTES) == 0;
        assert!(
            is_aligned && blocks.len().is_multiple_of(BLOCK_BYTES),
            "whole blocks"
        );
        self.write_all_at(blocks, position)
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut guard = self.lock();
        let state = &mut *guard;
        let outcome = state.begin_change(Op::Sync, &self.name);
        let file = state.files.get_mut(&self.inode).ok_or(Errno::BADF)?;
        match outcome {
            Outcome::Succeeds => {
                state.counts.syncs += 1;
                file.sync();
            }
            Outcome::Fails(_) => file.fail_sync(&mut state.rng),
            // What is dirty stays so: the crash chooses what this sync still wrote.
            Outcome::PowerGoes | Outcome::Nothing => {}
        }
        outcome.into_result()
    }

    fn allocate(&self, bytes: u64) -> io::Result<()> {
        self.resize(|old| old.max(bytes))
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.resize(|_| bytes)
    }

    fn link_count(&self) -> io::Result<u64> {
        let state = self.lock();
        let links = state.names.values().filter(|inode| **inode == self.inode);
        Ok(links.count() as u64)
    }
}

impl SimFile {
    fn resize(&self, new_len: impl FnOnce(u64) -> u64) -> io::Result<()> {
        let mut state = self.lock();
        let outcome = state.begin_change(Op::SetLen, &self.name);
        let new_len = new_len(state.file(self.inode)?.len());
        if outcome != Outcome::Nothing && !state.has_room(self.inode, new_len, 0) {
            return Err(Errno::NOSPC.into());
        }
        if matches!(outcome, Outcome::Succeeds | Outcome::PowerGoes) {
            state.file(self.inode)?.set_len(new_len);
        }
        outcome.into_result()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

/// Holds the folder until it is dropped.
#[derive(Debug)]
struct SimLock {
    state: Arc<Mutex<State>>,
}

impl Drop for SimLock {
    fn drop(&mut self) {
        self.state.lock().is_locked = false;
    }
}

impl Drop for SimFile {
    fn drop(&mut self) {
        self.lock().close(self.inode);
    }
}

#[cfg(test)]
#[path = "sim_tests.rs"]
mod tests;
