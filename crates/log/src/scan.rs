//! Finding the frames that count: walks the journal's files in order and tells a torn tail from damage. Reads only; what to do with
//! the result is `recover`'s.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::batch::BatchHeader;

use crate::disk::{Disk, DiskFile};
use crate::file_header::FileHeader;
use crate::file_id::FileId;
use crate::footer::{BLOCK_BYTES, FilePlace};
use crate::frame::{FRAME_HEADER_BYTES, Frame, FrameHeader, FrameStart, flag};
use crate::log::LogId;
use crate::recover::{self, OpenError};

/// A frame that counts.
pub(crate) struct Found {
    pub(crate) position: u64,
    pub(crate) frame: Frame,
    pub(crate) body_bytes: usize,
    /// Headers of the batches of each run.
    pub(crate) batches: Vec<Vec<BatchHeader>>,
}

pub(crate) struct ScannedFile {
    pub(crate) file: Arc<dyn DiskFile>,
    pub(crate) header: FileHeader,
    pub(crate) frames: Vec<Found>,
    /// Where the last frame that counts ends.
    pub(crate) end: u64,
}

#[derive(Default)]
pub(crate) struct Scanned {
    /// Files with frames that count, oldest first.
    pub(crate) files: Vec<ScannedFile>,
    /// The highest numbers seen in any file, whether it counts or not.
    pub(crate) number_max: u64,
    pub(crate) epoch_max: u32,
    pub(crate) last_sequence: u64,
    pub(crate) last_header: Option<FrameHeader>,
    /// Everything up to here was durable by a frame's own word.
    pub(crate) proven: u64,
    pub(crate) bytes_read: u64,
    /// Files that hold nothing: their making was cut.
    pub(crate) uncounted: Vec<FileId>,
}

/// A file before its frames are judged.
struct Candidate {
    file: Arc<dyn DiskFile>,
    header: FileHeader,
    bytes: u64,
    /// Its frames above this one were cut by a later epoch.
    limit: u64,
}

pub(crate) fn scan(disk: &dyn Disk) -> Result<Scanned, OpenError> {
    let mut scanned = Scanned::default();
    let candidates = candidates(disk, &mut scanned)?;
    let mut ends: BTreeMap<LogId, i64> = BTreeMap::new();
    if let Some(first) = candidates.first()
        && let Some(sequence) =
            read_frame(first, BLOCK_BYTES as u64).map(|read| read.frame.header.sequence)
        && sequence != 1
    {
        let what = format!("its first frame is number {sequence}: the files before it are missing");
        return Err(OpenError::Damaged {
            file: FileId::journal(first.header.number).name(),
            what,
        });
    }
    for (at, candidate) in candidates.iter().enumerate() {
        let done = scan_file(candidate, &candidates[at + 1..], &mut scanned, &mut ends)?;
        scanned.files.push(done.file);
        if done.torn {
            break;
        }
    }
    Ok(scanned)
}

/// The files that count, with the cut that later epochs made in them.
fn candidates(disk: &dyn Disk, scanned: &mut Scanned) -> Result<Vec<Candidate>, OpenError> {
    let names = disk.names().map_err(io("listing the data folder"))?;
    let mut files: Vec<FileId> = names
        .iter()
        .filter_map(|name| FileId::from_name(name))
        .filter(|id| !id.is_merged())
        .collect();
    files.sort_unstable_by_key(|id| id.number());
    let mut found: Vec<Candidate> = Vec::new();
    for id in files {
        let name = id.name();
        let file = disk.open(&name).map_err(io("opening a journal file"))?;
        let bytes = file.size().map_err(io("reading a journal file"))?;
        let mut block = vec![0; BLOCK_BYTES];
        let whole = bytes >= BLOCK_BYTES as u64 && file.read_exact_at(&mut block, 0).is_ok();
        let Some(header) =
            FileHeader::decode(&block).filter(|header| whole && header.number == id.number())
        else {
            // The header is durable before the file gets its name.
            return Err(OpenError::Damaged {
                file: name,
                what: "its header cannot be read".to_owned(),
            });
        };
        scanned.number_max = scanned.number_max.max(header.number);
        scanned.epoch_max = scanned.epoch_max.max(header.epoch);
        let candidate = Candidate {
            file,
            header,
            bytes,
            limit: u64::MAX,
        };
        let Some(first) = read_frame(&candidate, BLOCK_BYTES as u64) else {
            if !proves_more(&candidate, 2 * BLOCK_BYTES as u64, 0, header.epoch) {
                // An opening or a roll that was cut: nothing in it was acknowledged. Later starts went on behind it.
                scanned.uncounted.push(id);
                continue;
            }
            return Err(OpenError::Damaged {
                file: name,
                what: "its first frame cannot be read".to_owned(),
            });
        };
        let first = first.frame.header;
        if first.flags & flag::EPOCH != 0 {
            for earlier in &mut found {
                earlier.limit = earlier.limit.min(first.cut_sequence);
            }
        }
        found.push(candidate);
    }
    Ok(found)
}

fn io(doing: &'static str) -> impl Fn(std::io::Error) -> OpenError {
    move |source| OpenError::Io {
        doing: doing.to_owned(),
        source,
    }
}

struct Done {
    file: ScannedFile,
    /// The journal ends in this file.
    torn: bool,
}

fn scan_file(
    candidate: &Candidate,
    later: &[Candidate],
    scanned: &mut Scanned,
    ends: &mut BTreeMap<LogId, i64>,
) -> Result<Done, OpenError> {
    let name = FileId::journal(candidate.header.number).name();
    let mut file = ScannedFile {
        file: candidate.file.clone(),
        header: candidate.header,
        frames: Vec::new(),
        end: BLOCK_BYTES as u64,
    };
    let mut position = BLOCK_BYTES as u64;
    loop {
        let expected = scanned.last_sequence + 1;
        let next = if expected > candidate.limit {
            None
        } else {
            read_frame(candidate, position)
        };
        let read = match next {
            Some(read) if read.frame.header.sequence == expected => read,
            _ => break,
        };
        if !read.is_whole {
            break;
        }
        check_order(&read.frame, ends).map_err(|what| OpenError::Damaged {
            file: name.clone(),
            what,
        })?;
        scanned.bytes_read += read.bytes;
        scanned.proven = scanned.proven.max(read.frame.header.durable_sequence);
        scanned.last_sequence = read.frame.header.sequence;
        scanned.last_header = Some(read.frame.header);
        file.frames.push(Found {
            position,
            frame: read.frame,
            body_bytes: read.body_bytes,
            batches: read.batches,
        });
        position += read.bytes;
        file.end = position;
        if file.frames.len() == 1 && file.frames[0].frame.header.flags & flag::EPOCH != 0 {
            position = position.max(2 * BLOCK_BYTES as u64);
        }
    }
    let next_sequence = scanned.last_sequence + 1;
    if next_sequence > candidate.limit {
        return Ok(Done { file, torn: false });
    }
    let goes_on = later.first().is_some_and(|next| {
        read_frame(next, BLOCK_BYTES as u64)
            .is_some_and(|first| first.frame.header.sequence == next_sequence)
    });
    if goes_on {
        return Ok(Done { file, torn: false });
    }
    let proves = |other: &Candidate, from| proves_more(other, from, next_sequence, u32::MAX);
    if proves(candidate, position + BLOCK_BYTES as u64)
        || later.iter().any(|other| proves(other, BLOCK_BYTES as u64))
    {
        let what = format!(
            "frame {next_sequence} at byte {position} cannot be read, and a later frame calls it durable"
        );
        return Err(OpenError::Damaged { file: name, what });
    }
    Ok(Done { file, torn: true })
}

/// Frames never carry anything but a log's next offsets.
fn check_order(frame: &Frame, ends: &mut BTreeMap<LogId, i64>) -> Result<(), String> {
    for run in &frame.runs {
        let end = ends.entry(run.log_id).or_insert(run.base_offset);
        if *end != run.base_offset {
            return Err(format!(
                "log {} goes on at offset {} after {end}",
                run.log_id, run.base_offset
            ));
        }
        *end = run.end_offset();
    }
    Ok(())
}

struct Read {
    frame: Frame,
    bytes: u64,
    body_bytes: usize,
    batches: Vec<Vec<BatchHeader>>,
    /// Every batch is as it was written.
    is_whole: bool,
}

/// The frame at `position`, if its header and tables are valid there.
fn read_frame(candidate: &Candidate, position: u64) -> Option<Read> {
    let place: FilePlace = candidate.header.place();
    let mut start = [0; FRAME_HEADER_BYTES];
    candidate.file.read_exact_at(&mut start, position).ok()?;
    let start = FrameStart::decode(&start)?;
    let bytes = start.encoded_bytes();
    if position.checked_add(bytes)? > candidate.bytes {
        return None;
    }
    let mut whole = vec![0; usize::try_from(bytes).ok()?];
    candidate.file.read_exact_at(&mut whole, position).ok()?;
    let frame = Frame::decode(&whole, &place, position / BLOCK_BYTES as u64)?;
    let is_whole = frame.body_is_whole(&whole);
    let batches = if is_whole {
        recover::run_headers(&frame, &whole)
    } else {
        Vec::new()
    };
    Some(Read {
        frame,
        bytes,
        body_bytes: start.body_bytes as usize,
        batches,
        is_whole,
    })
}

/// Whether a valid frame from `from` on calls `sequence` durable, or is of `epoch` beyond what its opening wrote.
fn proves_more(candidate: &Candidate, from: u64, sequence: u64, epoch: u32) -> bool {
    let mut position = from;
    while position + BLOCK_BYTES as u64 <= candidate.bytes {
        match read_frame(candidate, position) {
            Some(read) => {
                let header = read.frame.header;
                if sequence > 0 && header.durable_sequence >= sequence {
                    return true;
                }
                if sequence == 0 && header.epoch == epoch && header.flags & flag::AGAIN == 0 {
                    return true;
                }
                position += read.bytes;
            }
            None => position += BLOCK_BYTES as u64,
        }
    }
    false
}
