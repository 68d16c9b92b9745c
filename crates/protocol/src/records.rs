//! The record bytes of a message: whole batches in one or more pieces, as they lie in a cache or a file or came over the wire. Never
//! copied on their way.

use std::fmt;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use bytes::{Bytes, BytesMut};

/// A stretch of an open file, which stays as it is while this is held.
#[derive(Clone)]
pub struct FileRange {
    file: Arc<dyn AsFd + Send + Sync>,
    position: u64,
    len: usize,
}

impl FileRange {
    pub fn new(file: Arc<dyn AsFd + Send + Sync>, position: u64, len: usize) -> Self {
        Self {
            file,
            position,
            len,
        }
    }

    pub fn fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    pub fn position(&self) -> u64 {
        self.position
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Leaves out what was sent.
    pub fn advance(&mut self, bytes: usize) {
        assert!(bytes <= self.len, "{bytes} of {}", self.len);
        self.position += bytes as u64;
        self.len -= bytes;
    }
}

impl fmt::Debug for FileRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes at {}", self.len, self.position)
    }
}

/// The same bytes of the same file.
impl PartialEq for FileRange {
    fn eq(&self, other: &Self) -> bool {
        let is_same = Arc::ptr_eq(&self.file, &other.file);
        is_same && (self.position, self.len) == (other.position, other.len)
    }
}

/// A piece of records.
#[derive(Clone, Debug, PartialEq)]
pub enum Chunk {
    Bytes(Bytes),
    /// For a file's reader to send without bringing them into memory of its own.
    File(FileRange),
}

impl Chunk {
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::File(range) => range.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What of it lies in memory of this process.
    pub fn memory_bytes(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::File(_) => 0,
        }
    }
}

/// Equal if cut into the same chunks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Records {
    chunks: Vec<Chunk>,
}

impl Records {
    pub fn len(&self) -> usize {
        self.chunks.iter().map(Chunk::len).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.chunks.iter().all(Chunk::is_empty)
    }

    pub fn memory_bytes(&self) -> usize {
        self.chunks.iter().map(Chunk::memory_bytes).sum()
    }

    pub fn chunks(&self) -> &[Chunk] {
        &self.chunks
    }

    /// In one piece; copies only if there are several. `None` if some lie in a file: never of a message that was received.
    pub fn to_bytes(&self) -> Option<Bytes> {
        let bytes = |chunk: &Chunk| match chunk {
            Chunk::Bytes(bytes) => Some(bytes.clone()),
            Chunk::File(_) => None,
        };
        let chunks: Vec<Bytes> = self.chunks.iter().map(bytes).collect::<Option<_>>()?;
        Some(match chunks.as_slice() {
            [] => Bytes::new(),
            [one] => one.clone(),
            many => {
                let mut whole = BytesMut::with_capacity(self.len());
                many.iter().for_each(|chunk| whole.extend_from_slice(chunk));
                whole.freeze()
            }
        })
    }
}

impl From<Bytes> for Records {
    fn from(bytes: Bytes) -> Self {
        Self {
            chunks: vec![Chunk::Bytes(bytes)],
        }
    }
}

impl FromIterator<Chunk> for Records {
    fn from_iter<I: IntoIterator<Item = Chunk>>(chunks: I) -> Self {
        Self {
            chunks: chunks.into_iter().collect(),
        }
    }
}
