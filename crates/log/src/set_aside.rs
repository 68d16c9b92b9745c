//! Room set aside for a full disk, in a file that nobody reads: a start takes of it what its first file
//! needs, and merges and snapshots borrow of it, since they let more room go than they take. The
//! maintenance step keeps it as large as it should be.

use std::io;
use std::sync::Arc;

use crate::disk::{Disk, DiskFile};
use crate::writer::WriteError;

const SET_ASIDE_NAME: &str = "set-aside.room";
/// What is kept for starts, as a part of a journal file, and what is there to borrow.
const PARTS: u64 = 4;
/// Survivors that a merge may copy with what it can borrow: of tiny runs most is index.
const MERGE_PARTS: u64 = 4;

/// The running journal's view of it.
#[derive(Debug, Default)]
pub(crate) struct SetAside {
    file: Option<Arc<dyn DiskFile>>,
    bytes: u64,
}

impl SetAside {
    /// Grows it to what files of `file_bytes` and snapshots of `snapshot_bytes` ask for, if the disk
    /// has so much.
    pub(crate) fn keep(
        &mut self,
        disk: &dyn Disk,
        file_bytes: u64,
        snapshot_bytes: u64,
    ) -> Result<(), WriteError> {
        let part = file_bytes / PARTS;
        let wanted = part + part.max(snapshot_bytes.saturating_mul(2));
        if self.bytes >= wanted {
            return Ok(());
        }
        let write = WriteError::of_write("setting room aside");
        let file = match &self.file {
            Some(file) => file,
            None => self.file.insert(open(disk).map_err(&write)?),
        };
        self.bytes = file.size().map_err(&write)?;
        let free_bytes = disk.free_bytes().unwrap_or(u64::MAX);
        if free_bytes < wanted.saturating_sub(self.bytes) {
            return Ok(());
        }
        file.allocate(wanted).map_err(&write)?;
        // Else a power cut gives it to others.
        let sync = WriteError::of_sync("syncing room set aside");
        file.sync_data().map_err(&sync)?;
        disk.sync_folder().map_err(&sync)?;
        self.bytes = wanted;
        Ok(())
    }

    /// Lets go of all but what starts need. False if that is gone already.
    pub(crate) fn lend(&mut self, file_bytes: u64) -> io::Result<bool> {
        let kept = file_bytes / PARTS;
        let Some(file) = self.file.as_ref().filter(|_| self.bytes > kept) else {
            return Ok(false);
        };
        shrink(&**file, kept)?;
        self.bytes = kept;
        Ok(true)
    }
}

/// The survivors that a merge on a full disk may have.
pub(crate) fn merge_bytes_max(file_bytes: u64) -> u64 {
    file_bytes / PARTS / MERGE_PARTS
}

/// Frees `bytes` for a start's first file, as far as they are there. The rest stays for the next
/// start, should this one not live long enough to set more aside.
pub(crate) fn take(disk: &dyn Disk, bytes: u64) -> io::Result<()> {
    let file = open(disk)?;
    shrink(&*file, file.size()?.saturating_sub(bytes))
}

fn open(disk: &dyn Disk) -> io::Result<Arc<dyn DiskFile>> {
    match disk.open(SET_ASIDE_NAME) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => disk.create(SET_ASIDE_NAME),
        opened => opened,
    }
}

/// The sync lets file systems use the room again that hold it back until then.
fn shrink(file: &dyn DiskFile, bytes: u64) -> io::Result<()> {
    file.set_len(bytes)?;
    file.sync_data()
}
