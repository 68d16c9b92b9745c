//! What reading knows of one sealed file: its footer, and which of its runs have been verified since
//! the footer was loaded (rule 9). A journal file whose footer is bad is indexed again from its
//! frames; a merged segment has none, there a bad footer is damage.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::disk::DiskFile;
use crate::disk::bad_blocks::{BadBlocks, is_bad_block};
use crate::file_header::FileHeader;
use crate::file_id::FileId;
use crate::footer::{
    BLOCK_BYTES, FilePlace, Footer, FooterBuilder, FooterError, FrameSpan, Previous, RunEntry,
    Trailer,
};
use crate::frame::{FRAME_HEADER_BYTES, Frame, FrameStart};

#[derive(Debug)]
pub struct SegmentIndex {
    pub file: FileId,
    footer: Footer,
    /// A bit for each run of the footer.
    verified: Vec<AtomicU64>,
}

#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    #[error(transparent)]
    Io(#[from] io::Error),
    /// Asked twice.
    #[error("the disk does not give it back: {0}")]
    BadBlock(io::Error),
    #[error("the file's header is not that of {file:?}")]
    Header { file: FileId },
    #[error(transparent)]
    Footer(#[from] FooterError),
}

impl IndexError {
    /// Of what was tried before.
    fn lasting(self) -> Self {
        match self {
            Self::Io(error) if is_bad_block(&error) => Self::BadBlock(error),
            other => other,
        }
    }
}

impl SegmentIndex {
    pub fn new(file: FileId, footer: Footer) -> Self {
        let words = footer.run_count().div_ceil(64);
        Self {
            file,
            footer,
            verified: (0..words).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// Reads the index of a sealed file that is `bytes` long.
    pub fn load(id: FileId, file: &dyn DiskFile, bytes: u64) -> Result<Self, IndexError> {
        let place = twice(|| read_place(id, file))?;
        match twice(|| read_footer(file, &place, bytes)) {
            Ok(footer) => Ok(Self::new(id, footer)),
            Err(error @ (IndexError::Footer(_) | IndexError::BadBlock(_))) if !id.is_merged() => {
                tracing::warn!(file = %id, %error, "the footer is bad; indexing the frames again");
                let footer = index_frames(file, &place, bytes).map_err(IndexError::lasting)?;
                Ok(Self::new(id, footer))
            }
            Err(error) => Err(error),
        }
    }

    pub fn footer(&self) -> &Footer {
        &self.footer
    }

    pub fn memory_bytes(&self) -> usize {
        self.footer.memory_bytes() + self.verified.len() * 8
    }

    /// Whether the footer's run with this index was found whole before.
    pub fn is_verified(&self, run: usize) -> bool {
        let word = self.verified.get(run / 64);
        word.is_some_and(|word| word.load(Ordering::Relaxed) & (1 << (run % 64)) != 0)
    }

    pub fn set_verified(&self, run: usize) {
        if let Some(word) = self.verified.get(run / 64) {
            word.fetch_or(1 << (run % 64), Ordering::Relaxed);
        }
    }
}

/// An error that passes is no damage; a block that cannot be read a second time either is.
fn twice<T>(read: impl Fn() -> Result<T, IndexError>) -> Result<T, IndexError> {
    match read() {
        Err(IndexError::Io(error)) if is_bad_block(&error) => {}
        other => return other,
    }
    read().map_err(IndexError::lasting)
}

fn read_place(id: FileId, file: &dyn DiskFile) -> Result<FilePlace, IndexError> {
    let mut block = vec![0; BLOCK_BYTES];
    file.read_exact_at(&mut block, 0)?;
    match FileHeader::decode(&block) {
        Some(header) if header.merged == id.is_merged() && header.number == id.number() => {
            Ok(header.place())
        }
        _ => Err(IndexError::Header { file: id }),
    }
}

fn read_footer(file: &dyn DiskFile, place: &FilePlace, bytes: u64) -> Result<Footer, IndexError> {
    let mut last = vec![0; BLOCK_BYTES];
    file.read_exact_at(&mut last, bytes.saturating_sub(BLOCK_BYTES as u64))?;
    let trailer = Trailer::decode(&last, place, bytes)?;
    // The trailer's start lies in the file, so the footer is no larger than what the disk holds.
    let mut footer = vec![0; (bytes - trailer.start()) as usize];
    file.read_exact_at(&mut footer, trailer.start())?;
    Ok(Footer::decode(&trailer, &footer)?)
}

/// Builds the footer of a journal file again. Everything between the header and the footer is frames,
/// so whatever block does not start a valid one is lost. Where a log goes on in older files is unknown.
pub fn index_frames(
    file: &dyn DiskFile,
    place: &FilePlace,
    bytes: u64,
) -> Result<Footer, IndexError> {
    let mut builder = FooterBuilder::default();
    let mut span = FrameSpan::default();
    let bad_blocks = BadBlocks::default();
    let mut block = 1;
    while let Some(position) = block_position(block, bytes) {
        let read = bad_blocks.contain(read_frame(file, place, block, bytes - position))?;
        let Some((frame, frame_bytes)) = read.flatten() else {
            block += 1;
            continue;
        };
        for (run, at) in frame.placed_runs() {
            // Runs that overlap what came before cannot be believed, whatever their checksums say.
            let is_next = builder
                .runs(run.log_id)
                .last()
                .is_none_or(|last| last.end_offset() <= run.base_offset);
            if is_next && run.bytes > 0 && run.offset_count > 0 {
                let entry = RunEntry {
                    base_offset: run.base_offset,
                    position: position + at as u64,
                    bytes: run.bytes,
                    offset_count: run.offset_count,
                    max_timestamp: run.max_timestamp,
                    checksum: run.checksum,
                    append_time_s: (frame.header.append_time_ms / 1000) as u32,
                };
                builder.add(run.log_id, entry);
            }
        }
        if span.first_sequence == 0 {
            span.first_sequence = frame.header.sequence;
            span.first_append_ms = frame.header.append_time_ms;
        }
        span.last_sequence = frame.header.sequence;
        span.last_append_ms = frame.header.append_time_ms;
        block += frame_bytes / BLOCK_BYTES as u64;
    }
    Ok(builder.finish(span, |_| Previous::Unknown, |_| Some(0)))
}

/// Where a block starts, if a frame's header fits behind it.
fn block_position(block: u64, bytes: u64) -> Option<u64> {
    let position = block.checked_mul(BLOCK_BYTES as u64)?;
    (position + FRAME_HEADER_BYTES as u64 <= bytes).then_some(position)
}

/// The valid frame at `block`, with its size; no larger than the `room` to the file's end.
fn read_frame(
    file: &dyn DiskFile,
    place: &FilePlace,
    block: u64,
    room: u64,
) -> io::Result<Option<(Frame, u64)>> {
    let position = block * BLOCK_BYTES as u64;
    let mut start = vec![0; FRAME_HEADER_BYTES];
    file.read_exact_at(&mut start, position)?;
    let start = FrameStart::decode(&start).filter(|start| start.salt == place.salt);
    let Some(frame_bytes) = start.map(|start| start.encoded_bytes()) else {
        return Ok(None);
    };
    if frame_bytes > room {
        return Ok(None);
    }
    let mut bytes = vec![0; frame_bytes as usize];
    file.read_exact_at(&mut bytes, position)?;
    let frame = Frame::decode(&bytes, place, block);
    Ok(frame.map(|frame| (frame, frame_bytes)))
}
