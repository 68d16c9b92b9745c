//! The data folder on a real file system. The only place of the crate that opens files.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{FallocateFlags, FlockOperation};

use super::{Disk, DiskFile};

#[derive(Debug)]
pub struct RealDisk {
    folder: PathBuf,
    /// The folder itself, to sync its names.
    handle: File,
}

#[derive(Debug)]
struct RealFile(File);

/// Holds the folder for this process while it lives.
#[derive(Debug)]
pub struct FolderLock {
    _file: File,
}

const LOCK_NAME: &str = "LOCK";

impl RealDisk {
    /// Opens the folder, making it if it is not there.
    #[expect(clippy::disallowed_methods, reason = "this is the door to files")]
    pub fn open(folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        if let Some(parent) = folder
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty())
        {
            // A young folder whose name is lost takes everything in it along.
            File::open(parent)?.sync_all()?;
        }
        Ok(Self {
            folder: folder.to_owned(),
            handle: File::open(folder)?,
        })
    }

    #[expect(clippy::disallowed_methods, reason = "this is the door to files")]
    fn open_with(&self, name: &str, options: &OpenOptions) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(RealFile(options.open(self.folder.join(name))?)))
    }
}

impl Disk for RealDisk {
    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.open_with(name, OpenOptions::new().read(true).write(true))
    }

    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        self.open_with(
            name,
            OpenOptions::new().read(true).write(true).create_new(true),
        )
    }

    #[expect(clippy::disallowed_methods, reason = "this is the door to files")]
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        std::fs::rename(self.folder.join(from), self.folder.join(to))
    }

    #[expect(clippy::disallowed_methods, reason = "this is the door to files")]
    fn remove(&self, name: &str) -> io::Result<()> {
        std::fs::remove_file(self.folder.join(name))
    }

    #[expect(clippy::disallowed_methods, reason = "this is the door to files")]
    fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.folder)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                names.extend(entry.file_name().into_string());
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    fn sync_folder(&self) -> io::Result<()> {
        self.handle.sync_all()
    }

    fn free_bytes(&self) -> io::Result<u64> {
        let found = rustix::fs::fstatvfs(&self.handle)?;
        Ok(found.f_bavail.saturating_mul(found.f_frsize))
    }

    #[expect(clippy::disallowed_methods, reason = "this is the door to files")]
    fn lock(&self) -> io::Result<Box<dyn Send + Sync>> {
        let path = self.folder.join(LOCK_NAME);
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive)?;
        Ok(Box::new(FolderLock { _file: file }))
    }
}

impl DiskFile for RealFile {
    fn size(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.len())
    }

    fn read_exact_at(&self, into: &mut [u8], position: u64) -> io::Result<()> {
        self.0.read_exact_at(into, position)
    }

    fn write_all_at(&self, bytes: &[u8], position: u64) -> io::Result<()> {
        self.0.write_all_at(bytes, position)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync_data()
    }

    fn allocate(&self, bytes: u64) -> io::Result<()> {
        match rustix::fs::fallocate(&self.0, FallocateFlags::empty(), 0, bytes) {
            // File systems that cannot reserve still take the size; there a full disk shows at a write.
            Err(rustix::io::Errno::OPNOTSUPP) => self.0.set_len(bytes.max(self.size()?)),
            other => Ok(other?),
        }
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.0.set_len(bytes)
    }

    fn link_count(&self) -> io::Result<u64> {
        Ok(self.0.metadata()?.nlink())
    }
}
