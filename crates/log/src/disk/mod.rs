//! The one door to files: a flat data folder as the log sees it. [`sim`] is a disk that loses power;
//! whatever the log writes or reads goes through [`Disk`] and [`DiskFile`].

use std::fmt;
use std::io;
use std::sync::Arc;

use protocol::FileRange;

pub(crate) mod bad_blocks;
pub mod real;
pub mod sim;
mod sim_file;
mod sim_state;

/// The data folder. Names are plain file names. A name is sure to outlive a power cut only after
/// [`Disk::sync_folder`].
pub trait Disk: fmt::Debug + Send + Sync {
    /// Opens a file for reading and writing.
    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;
    /// Makes a new, empty file; one of that name is an error.
    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>>;
    /// Renames a file, over another one if need be, atomically.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;
    fn remove(&self, name: &str) -> io::Result<()>;
    fn names(&self) -> io::Result<Vec<String>>;
    fn sync_folder(&self) -> io::Result<()>;
    /// Bytes that files may still take.
    fn free_bytes(&self) -> io::Result<u64>;
    /// Bytes of the whole file system, whoever has them.
    fn volume_bytes(&self) -> io::Result<u64>;
    /// Takes the folder for this process until the value is dropped; `WouldBlock` if another has it.
    fn lock(&self) -> io::Result<Box<dyn Send + Sync>>;
}

/// An open file, readable and writable from any thread. It keeps its bytes when it is renamed or
/// removed.
pub trait DiskFile: fmt::Debug + Send + Sync {
    fn size(&self) -> io::Result<u64>;
    /// Fills `into`; an end of the file before that is an error.
    fn read_exact_at(&self, into: &mut [u8], position: u64) -> io::Result<()>;
    /// So many bytes from `position` on; an end of the file before that is an error.
    fn read(&self, position: u64, bytes: usize) -> io::Result<Vec<u8>> {
        let mut read = vec![0; bytes];
        self.read_exact_at(&mut read, position)?;
        Ok(read)
    }
    /// Writes all of `bytes`. After an error any part of them may be there.
    fn write_all_at(&self, bytes: &[u8], position: u64) -> io::Result<()>;
    /// Writes whole blocks at a block, from memory that begins on one: past the page cache where the
    /// file system can. As little durable as any write before it is synced.
    fn write_blocks_at(&self, blocks: &[u8], position: u64) -> io::Result<()>;
    /// Makes bytes and length durable (fdatasync). After an error nobody knows what is durable.
    fn sync_data(&self) -> io::Result<()>;
    /// Grows the file to `bytes` with room that is really there; never shrinks it.
    fn allocate(&self, bytes: u64) -> io::Result<()>;
    fn set_len(&self, bytes: u64) -> io::Result<()>;
    /// A stretch of the file to be sent from it, if the file is one of the machine's.
    fn range(self: Arc<Self>, _position: u64, _bytes: usize) -> Option<FileRange> {
        None
    }
    /// Brings a stretch into the page cache, if it is not there; none of it into memory of this process.
    fn warm(&self, _position: u64, _bytes: usize) -> io::Result<()> {
        Ok(())
    }
    /// How many names lead to the file.
    fn link_count(&self) -> io::Result<u64>;
}
