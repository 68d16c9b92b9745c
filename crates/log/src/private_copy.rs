//! A file that has more than one name is never changed in place (rule 6): whoever made the other name, a
//! backup or a copy of the folder by links, would see the change. The maintenance step copies it first.

use std::sync::Arc;

use crate::disk::{Disk, DiskFile};
use crate::footer::BLOCK_BYTES;
use crate::writer::{self, WriteError};

/// What is copied at once.
const COPY_BYTES: usize = 1 << 20;

/// The file named `name` itself if that is its only name, else a copy of its first `end` bytes that has
/// taken its name durably.
pub(crate) fn private(
    disk: &dyn Disk,
    name: &str,
    file: &Arc<dyn DiskFile>,
    end: u64,
) -> Result<Arc<dyn DiskFile>, WriteError> {
    let write = WriteError::of_write("copying a linked journal file");
    if file.link_count().map_err(&write)? == 1 {
        return Ok(file.clone());
    }
    let temporary = format!("{name}.tmp");
    writer::remove_if_there(disk, &temporary).map_err(&write)?;
    let copy = disk.create(&temporary).map_err(&write)?;
    let mut position = 0;
    while position < end {
        let bytes = (end - position).min(COPY_BYTES as u64) as usize;
        let read = read(&**file, position, bytes);
        copy.write_all_at(&read, position).map_err(&write)?;
        position += bytes as u64;
    }
    copy.sync_data()
        .map_err(WriteError::of_sync("syncing a copied journal file"))?;
    disk.rename(&temporary, name).map_err(&write)?;
    disk.sync_folder()
        .map_err(WriteError::of_sync("syncing the data folder"))?;
    tracing::info!(
        name,
        "the file is shared by a link: it was copied before it is changed"
    );
    Ok(copy)
}

/// What the medium does not give back is zero in the copy, which checksums tell from what was there.
fn read(file: &dyn DiskFile, position: u64, bytes: usize) -> Vec<u8> {
    let mut all = vec![0; bytes];
    if file.read_exact_at(&mut all, position).is_ok() {
        return all;
    }
    for (at, block) in (position..)
        .step_by(BLOCK_BYTES)
        .zip(all.chunks_mut(BLOCK_BYTES))
    {
        if file.read_exact_at(block, at).is_err() {
            block.fill(0);
        }
    }
    all
}
