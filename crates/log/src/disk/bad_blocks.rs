//! Reads over a medium with bad blocks: what it does not give back is damage like rot. A start and the
//! indexing of a sealed file read so.

use std::cell::Cell;
use std::io;

use rustix::io::Errno;

/// More reads than this fail on a medium that is gone, not on one with bad blocks; an empty or
/// shorter journal must not come of it.
const BAD_READS_MAX: u32 = 256;

/// How many reads the medium has failed.
#[derive(Debug, Default)]
pub(crate) struct BadBlocks {
    count: Cell<u32>,
}

impl BadBlocks {
    /// The read's value; `None` if the medium does not give it back.
    pub(crate) fn contain<T>(&self, read: io::Result<T>) -> io::Result<Option<T>> {
        match read {
            Err(error) if is_bad_block(&error) && self.count.get() < BAD_READS_MAX => {
                self.count.set(self.count.get() + 1);
                Ok(None)
            }
            other => other.map(Some),
        }
    }

    pub(crate) fn count(&self) -> u32 {
        self.count.get()
    }
}

/// Whether the medium failed, and not the machine around it.
pub(crate) fn is_bad_block(error: &io::Error) -> bool {
    let errno = Errno::from_io_error(error);
    matches!(errno, Some(Errno::IO | Errno::NODATA))
}
