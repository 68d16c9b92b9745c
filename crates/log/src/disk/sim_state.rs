//! The state of a simulated disk: its files by name, live and durable, the faults it was told to make
//! and what it counted. [`super::sim`] performs operations on it.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use rustix::io::Errno;

use super::sim_file::{BLOCK_BYTES, SimBytes};

/// What an operation does, for faults and counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Op {
    Open,
    Read,
    Write,
    Sync,
    SetLen,
    Create,
    Rename,
    Remove,
    SyncFolder,
}

/// An error to return on command.
#[derive(Clone, Debug)]
pub struct Fault {
    pub op: Op,
    /// Only operations on files whose name contains this; empty: all.
    pub name_part: &'static str,
    /// How many matching operations still succeed.
    pub after: u64,
    /// How many fail then.
    pub times: u64,
    pub error: FaultError,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultError {
    Io,
    NoSpace,
}

/// What has happened so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Operations that change anything: the points at which a power cut makes a difference.
    pub changes: u64,
    pub syncs: u64,
    pub reads: u64,
    pub bytes_read: u64,
    pub bytes_written: u64,
}

#[derive(Clone, Debug)]
pub(super) struct State {
    pub(super) files: BTreeMap<u64, SimBytes>,
    /// Open files by inode, with how often each is open.
    pub(super) open: BTreeMap<u64, usize>,
    pub(super) next_inode: u64,
    pub(super) names: BTreeMap<String, u64>,
    pub(super) durable_names: BTreeMap<String, u64>,
    /// Changes of names since the last sync of the folder.
    pub(super) name_changes: Vec<NameChange>,
    pub(super) rng: Rng,
    pub(super) is_locked: bool,
    pub(super) torn_blocks: bool,
    pub(super) capacity_bytes: Option<u64>,
    pub(super) power_cut_at: Option<u64>,
    pub(super) faults: Vec<Fault>,
    pub(super) counts: Counts,
}

/// How a change that was just counted ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Succeeds,
    /// It happens, as far as a crash wants, and reports an error.
    PowerGoes,
    Fails(Errno),
    /// The power is off already.
    Nothing,
}

#[derive(Clone, Debug)]
pub(super) enum NameChange {
    Added {
        name: String,
        inode: u64,
    },
    Renamed {
        from: String,
        to: String,
        inode: u64,
    },
    Removed {
        name: String,
    },
}

impl State {
    pub(super) fn new(rng: Rng) -> Self {
        Self {
            files: BTreeMap::new(),
            open: BTreeMap::new(),
            next_inode: 1,
            names: BTreeMap::new(),
            durable_names: BTreeMap::new(),
            name_changes: Vec::new(),
            rng,
            is_locked: false,
            torn_blocks: false,
            capacity_bytes: None,
            power_cut_at: None,
            faults: Vec::new(),
            counts: Counts::default(),
        }
    }

    pub(super) fn crash(&self, mut rng: Rng) -> Self {
        let mut names = self.durable_names.clone();
        for change in &self.name_changes {
            if rng.coin() {
                change.apply(&mut names);
            }
        }
        let inodes: BTreeSet<u64> = names.values().copied().collect();
        let mut files = BTreeMap::new();
        for inode in inodes {
            if let Some(bytes) = self.files.get(&inode) {
                files.insert(inode, bytes.crash(&mut rng, self.torn_blocks));
            }
        }
        Self {
            files,
            next_inode: self.next_inode,
            durable_names: names.clone(),
            names,
            torn_blocks: self.torn_blocks,
            capacity_bytes: self.capacity_bytes,
            ..Self::new(rng)
        }
    }

    pub(super) fn named_file(&mut self, name: &str) -> Option<&mut SimBytes> {
        self.files.get_mut(self.names.get(name)?)
    }

    pub(super) fn file(&mut self, inode: u64) -> Result<&mut SimBytes, Errno> {
        self.files.get_mut(&inode).ok_or(Errno::BADF)
    }

    pub(super) fn new_inode(&mut self) -> u64 {
        let inode = self.next_inode;
        self.next_inode += 1;
        self.files.insert(inode, SimBytes::default());
        inode
    }

    pub(super) fn close(&mut self, inode: u64) {
        if let Some(count) = self.open.get_mut(&inode) {
            *count -= 1;
            if *count == 0 {
                self.open.remove(&inode);
                self.forget_unnamed();
            }
        }
    }

    pub(super) fn change_name(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.name_changes.push(change);
    }

    pub(super) fn sync_names(&mut self) {
        self.durable_names = self.names.clone();
        self.name_changes.clear();
        self.forget_unnamed();
    }

    /// Bytes that nobody has open and no name leads to, not even after a crash, are gone.
    fn forget_unnamed(&mut self) {
        if !self.name_changes.is_empty() {
            return;
        }
        let named: BTreeSet<u64> = self.names.values().copied().collect();
        let open = &self.open;
        self.files
            .retain(|inode, _| named.contains(inode) || open.contains_key(inode));
    }

    /// Counts an operation that changes something and says how it must end.
    pub(super) fn begin_change(&mut self, op: Op, name: &str) -> Outcome {
        let change = self.counts.changes;
        if self.is_off() {
            return Outcome::Nothing;
        }
        self.counts.changes += 1;
        match self.check_faults(op, name) {
            Err(error) => Outcome::Fails(error),
            Ok(()) if self.power_cut_at == Some(change) => Outcome::PowerGoes,
            Ok(()) => Outcome::Succeeds,
        }
    }

    pub(super) fn is_off(&self) -> bool {
        self.power_cut_at.is_some_and(|at| self.counts.changes > at)
    }

    pub(super) fn begin_read(&mut self, name: &str) -> Result<(), Errno> {
        if self.is_off() {
            return Err(Errno::IO);
        }
        self.counts.reads += 1;
        self.check_faults(Op::Read, name)
    }

    pub(super) fn begin_open(&mut self, name: &str) -> Result<(), Errno> {
        if self.is_off() {
            return Err(Errno::IO);
        }
        self.check_faults(Op::Open, name)
    }

    fn check_faults(&mut self, op: Op, name: &str) -> Result<(), Errno> {
        let mut error = None;
        for fault in &mut self.faults {
            if fault.op != op || !name.contains(fault.name_part) || fault.times == 0 {
                continue;
            }
            match fault.after {
                0 => {
                    fault.times -= 1;
                    error = Some(fault.error);
                }
                _ => fault.after -= 1,
            }
        }
        match error {
            None => Ok(()),
            Some(FaultError::Io) => Err(Errno::IO),
            Some(FaultError::NoSpace) => Err(Errno::NOSPC),
        }
    }

    pub(super) fn used_bytes(&self) -> u64 {
        let inodes: BTreeSet<&u64> = self.names.values().chain(self.open.keys()).collect();
        let files = inodes.into_iter().filter_map(|inode| self.files.get(inode));
        files
            .map(|bytes| bytes.len().next_multiple_of(BLOCK_BYTES))
            .sum()
    }

    /// Whether a file may reach so far within the capacity.
    pub(super) fn has_room(&self, inode: u64, position: u64, bytes: usize) -> bool {
        let Some(capacity) = self.capacity_bytes else {
            return true;
        };
        let end = position.saturating_add(bytes as u64);
        let old_end = self.files.get(&inode).map_or(0, SimBytes::len);
        let old_room = old_end.next_multiple_of(BLOCK_BYTES);
        let grow_bytes = end.next_multiple_of(BLOCK_BYTES).saturating_sub(old_room);
        grow_bytes == 0 || self.used_bytes().saturating_add(grow_bytes) <= capacity
    }
}

impl Outcome {
    pub(super) fn into_result(self) -> io::Result<()> {
        match self {
            Self::Succeeds => Ok(()),
            Self::PowerGoes | Self::Nothing => Err(Errno::IO.into()),
            Self::Fails(error) => Err(error.into()),
        }
    }
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<String, u64>) {
        match self {
            Self::Added { name, inode } => {
                names.insert(name.clone(), *inode);
            }
            Self::Renamed { from, to, inode } => {
                names.remove(from);
                names.insert(to.clone(), *inode);
            }
            Self::Removed { name } => {
                names.remove(name);
            }
        }
    }
}

/// SplitMix64: small, seeded, and good enough to choose what a crash leaves.
#[derive(Clone, Debug)]
pub struct Rng {
    state: u64,
}

impl Rng {
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    pub fn next_u64(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next_u64() % bound
    }

    pub fn coin(&mut self) -> bool {
        self.next_u64() & 1 == 1
    }
}
