//! What lies in the journal's files: every valid frame, and whether a footer ends the file. Reads
//! headers and tables only, judges nothing. A start scans the files from its snapshot's on.

use std::cell::Cell;
use std::io;
use std::sync::Arc;

use crate::disk::bad_blocks::BadBlocks;
use crate::disk::{Disk, DiskFile};
use crate::file_header::FileHeader;
use crate::file_id::FileId;
use crate::footer::{BLOCK_BYTES, FilePlace, Trailer};
use crate::frame::{FRAME_HEADER_BYTES, Frame, FrameStart};
use crate::recover::OpenError;

const BLOCK: u64 = BLOCK_BYTES as u64;
/// What a search for the next frame reads at once.
const SEARCH_BYTES: usize = 1 << 20;

#[derive(Debug)]
pub(crate) struct ScannedFile {
    pub(crate) header: FileHeader,
    pub(crate) file: Arc<dyn DiskFile>,
    pub(crate) bytes: u64,
    /// Where the footer begins, if there is one.
    pub(crate) footer_start: Option<u64>,
    /// The valid frames, in the order of their places.
    pub(crate) frames: Vec<FoundFrame>,
}

#[derive(Debug)]
pub(crate) struct FoundFrame {
    pub(crate) position: u64,
    pub(crate) bytes: u64,
    pub(crate) frame: Frame,
}

impl FoundFrame {
    pub(crate) fn sequence(&self) -> u64 {
        self.frame.header.sequence
    }
}

impl ScannedFile {
    pub(crate) fn id(&self) -> FileId {
        FileId::journal(self.header.number)
    }

    /// The epoch under which its frames were written; the header's if it has none.
    pub(crate) fn epoch(&self) -> u32 {
        let first = self.frames.first();
        first.map_or(self.header.epoch, |found| found.frame.header.epoch)
    }
}

/// Reads for a start, and counts what it reads.
#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    disk: &'a dyn Disk,
    pub(crate) bytes_read: Cell<u64>,
    bad_blocks: BadBlocks,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(disk: &'a dyn Disk) -> Self {
        Self {
            disk,
            bytes_read: Cell::new(0),
            bad_blocks: BadBlocks::default(),
        }
    }

    /// False if the medium does not give the bytes back.
    fn read(&self, file: &dyn DiskFile, into: &mut [u8], at: u64) -> io::Result<bool> {
        let read = self.bad_blocks.contain(file.read_exact_at(into, at))?;
        self.bytes_read
            .set(self.bytes_read.get() + into.len() as u64);
        Ok(read.is_some())
    }

    /// As much as the medium gives back: a block that it does not is zero.
    fn read_blocks(&self, file: &dyn DiskFile, into: &mut [u8], at: u64) -> io::Result<()> {
        if self.read(file, into, at)? {
            return Ok(());
        }
        let mut position = at;
        for block in into.chunks_mut(BLOCK_BYTES) {
            if !self.read(file, block, position)? {
                block.fill(0);
            }
            position += BLOCK;
        }
        Ok(())
    }

    pub(crate) fn scan(&self, number: u64) -> Result<ScannedFile, OpenError> {
        let name = FileId::journal(number).name();
        let reading = |source| OpenError::Io {
            doing: format!("reading {name}"),
            source,
        };
        let file = self.disk.open(&name).map_err(reading)?;
        let bytes = file.size().map_err(reading)?;
        let header = self.header(&*file, number, bytes).map_err(reading)?;
        let Some(header) = header else {
            // Header and name are durable before the first frame: this was not a power cut.
            let what = "its header cannot be read".to_owned();
            return Err(OpenError::Damaged { file: name, what });
        };
        let mut scanned = ScannedFile {
            header,
            file,
            bytes,
            footer_start: None,
            frames: Vec::new(),
        };
        self.footer(&mut scanned).map_err(reading)?;
        self.frames(&mut scanned).map_err(reading)?;
        let bad_reads = self.bad_blocks.count();
        if bad_reads > 0 {
            tracing::error!(file = %name, bad_reads, "the disk does not give back all blocks of the journal");
        }
        Ok(scanned)
    }

    /// The file's header; if that is rotten, what the first frame says of it.
    fn header(
        &self,
        file: &dyn DiskFile,
        number: u64,
        bytes: u64,
    ) -> io::Result<Option<FileHeader>> {
        if bytes < BLOCK {
            return Ok(None);
        }
        let mut block = vec![0; BLOCK_BYTES];
        self.read_blocks(file, &mut block, 0)?;
        let header = FileHeader::decode(&block);
        if let Some(header) = header.filter(|header| header.number == number && !header.merged) {
            return Ok(Some(header));
        }
        if bytes < 2 * BLOCK {
            return Ok(None);
        }
        self.read_blocks(file, &mut block, BLOCK)?;
        let Some(start) = FrameStart::decode(&block) else {
            return Ok(None);
        };
        let header = FileHeader {
            merged: false,
            epoch: start.header.epoch,
            number,
            salt: start.salt,
            size: bytes,
            created_ms: 0,
        };
        let first = self.frame(file, &header.place(), BLOCK, bytes)?;
        Ok(first.map(|_| header))
    }

    fn footer(&self, scanned: &mut ScannedFile) -> io::Result<()> {
        if !scanned.bytes.is_multiple_of(BLOCK) {
            return Ok(());
        }
        let mut last = vec![0; BLOCK_BYTES];
        self.read_blocks(&*scanned.file, &mut last, scanned.bytes - BLOCK)?;
        let trailer = Trailer::decode(&last, &scanned.header.place(), scanned.bytes);
        scanned.footer_start = trailer.ok().map(|trailer| trailer.start());
        Ok(())
    }

    fn frames(&self, scanned: &mut ScannedFile) -> io::Result<()> {
        let place = scanned.header.place();
        let end = scanned.footer_start.unwrap_or(scanned.bytes);
        let mut position = BLOCK;
        while position + BLOCK <= end {
            match self.frame(&*scanned.file, &place, position, end)? {
                Some(found) => {
                    position += found.bytes;
                    scanned.frames.push(found);
                }
                None => match self.next_frame(&*scanned.file, &place, position + BLOCK, end)? {
                    Some(found) => {
                        position = found.position + found.bytes;
                        scanned.frames.push(found);
                    }
                    None => break,
                },
            }
        }
        Ok(())
    }

    /// The first valid frame at or behind `from`.
    fn next_frame(
        &self,
        file: &dyn DiskFile,
        place: &FilePlace,
        from: u64,
        end: u64,
    ) -> io::Result<Option<FoundFrame>> {
        let mut chunk = vec![0; SEARCH_BYTES];
        let mut position = from;
        while position + BLOCK <= end {
            let len = (end - position).min(SEARCH_BYTES as u64) as usize;
            let chunk = &mut chunk[..len];
            self.read_blocks(file, chunk, position)?;
            for (block, bytes) in chunk.chunks_exact(BLOCK_BYTES).enumerate() {
                // A client's bytes may look like a frame; the salt, which it cannot know, ends that here.
                if FrameStart::decode(bytes).is_none_or(|start| start.salt != place.salt) {
                    continue;
                }
                let at = position + block as u64 * BLOCK;
                if let Some(found) = self.frame(file, place, at, end)? {
                    return Ok(Some(found));
                }
            }
            position += (len as u64).next_multiple_of(BLOCK);
        }
        Ok(None)
    }

    /// The frame at `position`, if its header and tables are valid there.
    fn frame(
        &self,
        file: &dyn DiskFile,
        place: &FilePlace,
        position: u64,
        end: u64,
    ) -> io::Result<Option<FoundFrame>> {
        let mut header = [0; FRAME_HEADER_BYTES];
        if !self.read(file, &mut header, position)? {
            return Ok(None);
        }
        let Some(start) = FrameStart::decode(&header).filter(|start| start.salt == place.salt)
        else {
            return Ok(None);
        };
        let bytes = start.encoded_bytes();
        if position
            .checked_add(bytes)
            .is_none_or(|frame_end| frame_end > end)
        {
            return Ok(None);
        }
        // Within the file, so bounded by what the disk really holds.
        let mut tables = vec![0; start.tables_bytes() as usize];
        if !self.read(file, &mut tables, position + start.tables_start())? {
            return Ok(None);
        }
        let frame = Frame::decode_parts(&header, &tables, place, position / BLOCK);
        Ok(frame.map(|frame| FoundFrame {
            position,
            bytes,
            frame,
        }))
    }

    /// The frame's bytes, if every batch in it is as it was written.
    pub(crate) fn body(
        &self,
        file: &dyn DiskFile,
        found: &FoundFrame,
    ) -> Result<Option<Vec<u8>>, OpenError> {
        let mut bytes = vec![0; found.bytes as usize];
        let read = self.read(file, &mut bytes, found.position);
        let is_read = read.map_err(|source| OpenError::Io {
            doing: "reading a frame".to_owned(),
            source,
        })?;
        Ok((is_read && found.frame.body_is_whole(&bytes)).then_some(bytes))
    }
}
