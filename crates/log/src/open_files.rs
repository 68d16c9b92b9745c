//! The open files of journal and merged segments, bounded in number. Readers share one handle per
//! file, which stays good when the file is renamed or removed under them.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Arc, Weak};

use parking_lot::Mutex;

use crate::disk::{Disk, DiskFile};
use crate::file_id::FileId;
use crate::lru::Lru;

#[derive(Debug)]
pub struct OpenFiles {
    disk: Arc<dyn Disk>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    kept: Lru<FileId, Arc<dyn DiskFile>>,
    /// Every handle that a reader may still hold, so that a file never has two.
    handed_out: BTreeMap<FileId, Weak<dyn DiskFile>>,
    /// Files that are about to lose their name and may not be opened again.
    closed: BTreeSet<FileId>,
}

impl OpenFiles {
    pub fn new(disk: Arc<dyn Disk>, files_max: usize) -> Self {
        Self {
            disk,
            state: Mutex::new(State {
                kept: Lru::new(files_max),
                handed_out: BTreeMap::new(),
                closed: BTreeSet::new(),
            }),
        }
    }

    pub fn get(&self, id: FileId) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.state.lock();
        if state.closed.contains(&id) {
            return Err(io::ErrorKind::NotFound.into());
        }
        if let Some(file) = state.kept.get(id) {
            return Ok(Arc::clone(file));
        }
        let file = match state.handed_out.get(&id).and_then(Weak::upgrade) {
            Some(file) => file,
            None => self.disk.open(&id.name())?,
        };
        state.kept.insert(id, Arc::clone(&file), 1);
        state.handed_out.retain(|_, file| file.strong_count() > 0);
        state.handed_out.insert(id, Arc::downgrade(&file));
        Ok(file)
    }

    /// Closes a file for good before it is unlinked or recycled. True if nobody reads it any more, so
    /// that its bytes may be written over. Tell [`Self::forget`] when its name is gone.
    pub fn close(&self, id: FileId) -> bool {
        let mut state = self.state.lock();
        state.closed.insert(id);
        state.kept.remove(id);
        let handle = state.handed_out.remove(&id);
        handle.is_none_or(|file| file.strong_count() == 0)
    }

    pub fn forget(&self, id: FileId) {
        self.state.lock().closed.remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::sim::SimDisk;

    const A: fn(u64) -> FileId = FileId::journal;

    fn files(count: u64, files_max: usize) -> OpenFiles {
        let disk = SimDisk::new(1);
        for number in 1..=count {
            disk.create(&A(number).name()).unwrap();
        }
        OpenFiles::new(Arc::new(disk), files_max)
    }

    #[test]
    fn keeps_the_last_used_open_and_one_handle_per_file() {
        let files = files(3, 2);
        let first = files.get(A(1)).unwrap();
        for number in [2, 3, 2, 3] {
            drop(files.get(A(number)).unwrap());
        }
        // The cache let go of file 1, but a reader has it: no second handle is made.
        assert!(Arc::ptr_eq(&first, &files.get(A(1)).unwrap()));
        drop(first);
        assert_eq!(files.state.lock().handed_out.len(), 2);
        assert!(files.get(A(9)).is_err());
    }

    #[test]
    fn a_file_that_is_read_may_not_be_recycled() {
        let files = files(3, 1);
        let reader = files.get(A(1)).unwrap();
        drop(files.get(A(2)).unwrap());
        for (number, idle) in [(1, false), (2, true), (3, true)] {
            assert_eq!(files.close(A(number)), idle, "file {number}");
            assert!(files.get(A(number)).is_err(), "closed is closed");
            files.forget(A(number));
            assert!(files.get(A(number)).is_ok());
        }
        drop(reader);
    }
}
