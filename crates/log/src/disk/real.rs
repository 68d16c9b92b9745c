//! The data folder on a real file system. The only place of the crate that opens files.

use std::fs::{File, OpenOptions};
use std::io;
#[cfg(target_os = "linux")]
use std::num::NonZero;
#[cfg(target_os = "linux")]
use std::os::fd::AsRawFd;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use protocol::FileRange;
use rustix::buffer::spare_capacity;
use rustix::fs::{FallocateFlags, FlockOperation};
use rustix::io::retry_on_intr;

use super::{Disk, DiskFile};

#[derive(Debug)]
pub struct RealDisk {
    folder: PathBuf,
    /// The folder itself, to sync its names.
    handle: File,
}

#[derive(Debug)]
struct RealFile {
    file: File,
    /// The same file opened past the page cache, if the file system can; opened with the first use.
    direct: OnceLock<Option<File>>,
}

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
        let young = folder.ancestors().take_while(|path| !path.exists()).count();
        std::fs::create_dir_all(folder)?;
        // A young folder whose name is lost takes everything in it along.
        for parent in folder.ancestors().skip(1).take(young.max(1)) {
            let is_here = parent.as_os_str().is_empty();
            File::open(if is_here { Path::new(".") } else { parent })?.sync_all()?;
        }
        Ok(Self {
            folder: folder.to_owned(),
            handle: File::open(folder)?,
        })
    }

    #[expect(clippy::disallowed_methods, reason = "this is the door to files")]
    fn open_with(&self, name: &str, options: &OpenOptions) -> io::Result<Arc<dyn DiskFile>> {
        Ok(Arc::new(RealFile {
            file: options.open(self.folder.join(name))?,
            direct: OnceLock::new(),
        }))
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

    fn volume_bytes(&self) -> io::Result<u64> {
        let found = rustix::fs::fstatvfs(&self.handle)?;
        Ok(found.f_blocks.saturating_mul(found.f_frsize))
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

impl RealFile {
    fn direct(&self) -> Option<&File> {
        self.direct.get_or_init(|| open_direct(&self.file)).as_ref()
    }
}

/// Opens an open file once more, whatever its name is by now, so that writes go past the page cache.
#[cfg(target_os = "linux")]
#[expect(clippy::disallowed_methods, reason = "this is the door to files")]
fn open_direct(file: &File) -> Option<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let flags = rustix::fs::OFlags::DIRECT.bits();
    let mut options = OpenOptions::new();
    options.write(true).custom_flags(flags.cast_signed());
    options
        .open(format!("/proc/self/fd/{}", file.as_raw_fd()))
        .ok()
}

#[cfg(not(target_os = "linux"))]
fn open_direct(_: &File) -> Option<File> {
    None
}

impl AsFd for RealFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// Whether a byte can be read without waiting for the disk.
#[cfg(target_os = "linux")]
fn is_byte_cached(file: &File, position: u64) -> bool {
    use rustix::io::{Errno, ReadWriteFlags};
    let mut byte = [0];
    let mut into = [io::IoSliceMut::new(&mut byte)];
    match rustix::io::preadv2(file, &mut into, position, ReadWriteFlags::NOWAIT) {
        Ok(read) => read == 1,
        // Of a file system that knows no disk, or does not tell.
        Err(error) => error == Errno::OPNOTSUPP,
    }
}

impl DiskFile for RealFile {
    fn size(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read_exact_at(&self, into: &mut [u8], position: u64) -> io::Result<()> {
        self.file.read_exact_at(into, position)
    }

    /// Without zeroing what is about to be filled: that costs consumers of old data a seventh.
    fn read(&self, position: u64, bytes: usize) -> io::Result<Vec<u8>> {
        let mut read = Vec::with_capacity(bytes);
        while read.len() < bytes {
            let at = position + read.len() as u64;
            match rustix::io::pread(&self.file, spare_capacity(&mut read), at) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
        read.truncate(bytes);
        Ok(read)
    }

    fn write_all_at(&self, bytes: &[u8], position: u64) -> io::Result<()> {
        self.file.write_all_at(bytes, position)
    }

    fn write_blocks_at(&self, blocks: &[u8], position: u64) -> io::Result<()> {
        let mut written = 0;
        while let Some(direct) = self.direct().filter(|_| written < blocks.len()) {
            match direct.write_at(&blocks[written..], position + written as u64) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(bytes) => written += bytes,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Of larger blocks than ours, or left in the middle of one: the page cache takes the rest.
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => break,
                Err(error) => return Err(error),
            }
        }
        self.file
            .write_all_at(&blocks[written..], position + written as u64)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn allocate(&self, bytes: u64) -> io::Result<()> {
        let mode = FallocateFlags::empty();
        match retry_on_intr(|| rustix::fs::fallocate(&self.file, mode, 0, bytes)) {
            // File systems that cannot reserve still take the size; there a full disk shows at a write.
            Err(rustix::io::Errno::OPNOTSUPP) => self.file.set_len(bytes.max(self.size()?)),
            other => Ok(other?),
        }
    }

    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.file.set_len(bytes)
    }

    fn range(self: Arc<Self>, position: u64, bytes: usize) -> Option<FileRange> {
        Some(FileRange::new(self, position, bytes))
    }

    #[cfg(target_os = "linux")]
    fn warm(&self, position: u64, bytes: usize) -> io::Result<()> {
        let last = position + (bytes as u64).saturating_sub(1);
        if is_byte_cached(&self.file, position) && is_byte_cached(&self.file, last) {
            return Ok(());
        }
        let advised = NonZero::new(bytes as u64);
        rustix::fs::fadvise(&self.file, position, advised, rustix::fs::Advice::WillNeed)?;
        // Read one behind the other: with the last byte the others are there.
        self.file.read_exact_at(&mut [0], last)
    }

    fn link_count(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.nlink())
    }
}
