//! One frame of the journal: everything one group commit writes. Encoded by the commit step around
//! batches that lie in its buffer already; decoded and verified by recovery. Bytes: docs/formats.md.
//!
//! The batches come right behind the header, the run table and the predecessor list behind them, so
//! that a frame is filled front to back in one buffer and written at once.

use protocol::batch::{Batch, HEADER_LEN, LENGTH_OVERHEAD};
use protocol::crc::{crc32c, crc32c_append};

use crate::fields::Fields;
use crate::footer::{BLOCK_BYTES, FilePlace};
use crate::frame_buffer::FrameBuffer;

pub const FRAME_HEADER_BYTES: usize = 128;
pub const RUN_BYTES: usize = 48;
const PREVIOUS_BYTES: usize = 16;
const MAGIC: u32 = u32::from_le_bytes(*b"OFRM");
const VERSION: u8 = 1;
/// Bytes of the header under the checksum, which follows them and ends the header.
const CHECKED_BYTES: usize = FRAME_HEADER_BYTES - 4;
/// The first bytes of a batch, which hold its CRC and are not under it.
const BATCH_PREFIX_BYTES: usize = 21;

pub mod flag {
    /// The last frame of a clean stop.
    pub const CLOSING: u8 = 1;
    /// The first frame of an epoch; written last of those that open it.
    pub const EPOCH: u8 = 2;
    /// Written again after a crash.
    pub const AGAIN: u8 = 4;
}

/// A virtual segment of its log starts with this run.
pub const RUN_BEGINS_SEGMENT: u8 = 1;
/// Offsets were skipped before this run: nobody knew how far a hole had reached.
pub const RUN_SKIPS_OFFSETS: u8 = 2;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FrameHeader {
    pub flags: u8,
    pub epoch: u32,
    /// Leader epoch that partitions had when the frame was written.
    pub leader_epoch: i32,
    pub sequence: u64,
    /// The highest frame known durable when this one was written.
    pub durable_sequence: u64,
    /// The last frame of earlier epochs that counts.
    pub cut_sequence: u64,
    /// The last frame that the epoch's opening wrote, itself included.
    pub opening_end: u64,
    pub append_time_ms: i64,
    pub running_ms: u64,
    /// Ends of the two logs without which nothing is right, after this frame.
    pub manifest_end: i64,
    pub metadata_end: i64,
}

impl FrameHeader {
    pub fn is(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

/// Batches of one log, one behind the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run {
    pub log_id: u64,
    pub base_offset: i64,
    pub offset_count: u32,
    pub bytes: u32,
    pub max_timestamp: i64,
    pub checksum: u32,
    pub batch_count: u32,
    pub flags: u8,
}

impl Run {
    pub fn end_offset(&self) -> i64 {
        self.base_offset
            .saturating_add(i64::from(self.offset_count))
    }
}

/// The checksum of a run so far, with one more batch.
#[inline]
pub fn run_checksum(so_far: u32, batch: &[u8]) -> u32 {
    crc32c_append(so_far, &batch[..BATCH_PREFIX_BYTES])
}

/// The checksum of a run's bytes, whose batches are known to be well formed.
pub fn run_checksum_of(mut run: &[u8]) -> u32 {
    let mut so_far = 0;
    while run.len() >= HEADER_LEN {
        let length = run[8..12]
            .first_chunk()
            .map_or(0, |bytes| i32::from_be_bytes(*bytes));
        let len = (LENGTH_OVERHEAD + usize::try_from(length).unwrap_or(0)).min(run.len());
        so_far = run_checksum(so_far, run);
        run = &run[len..];
    }
    so_far
}

/// Where a frame stands: it is valid nowhere else.
fn place_crc(place: &FilePlace, block: u64) -> u32 {
    let crc = crc32c(&place.salt);
    let crc = crc32c_append(crc, &place.number.to_le_bytes());
    crc32c_append(crc, &block.to_le_bytes())
}

/// Completes the frame in `buffer`, which holds room for the header and the batches behind it: appends
/// the tables, pads to whole blocks, fills in the header.
pub fn finish(
    buffer: &mut FrameBuffer,
    header: &FrameHeader,
    runs: &[Run],
    previous: &[(u64, i64)],
    place: &FilePlace,
    block: u64,
) {
    let body_bytes = buffer.len() - FRAME_HEADER_BYTES;
    buffer.reserve(encoded_bytes(body_bytes, runs.len(), previous.len()) - buffer.len());
    let tables = buffer.len();
    for run in runs {
        encode_run(run, buffer);
    }
    for (log_id, end_offset) in previous {
        buffer.extend_from_slice(&log_id.to_le_bytes());
        buffer.extend_from_slice(&end_offset.to_le_bytes());
    }
    let fixed = encode_header(header, runs.len(), previous.len(), body_bytes, place);
    let crc = crc32c_append(place_crc(place, block), &fixed);
    let crc = crc32c_append(crc, &buffer[tables..]);
    buffer[..CHECKED_BYTES].copy_from_slice(&fixed);
    buffer[CHECKED_BYTES..FRAME_HEADER_BYTES].copy_from_slice(&crc.to_le_bytes());
    buffer.resize(buffer.len().next_multiple_of(BLOCK_BYTES));
}

fn encode_header(
    header: &FrameHeader,
    runs: usize,
    previous: usize,
    body_bytes: usize,
    place: &FilePlace,
) -> [u8; CHECKED_BYTES] {
    let mut out = [0; CHECKED_BYTES];
    let mut at = 0;
    let mut put = |bytes: &[u8]| {
        out[at..at + bytes.len()].copy_from_slice(bytes);
        at += bytes.len();
    };
    put(&MAGIC.to_le_bytes());
    put(&[VERSION, header.flags, 0, 0]);
    put(&header.epoch.to_le_bytes());
    put(&header.leader_epoch.to_le_bytes());
    put(&header.sequence.to_le_bytes());
    put(&header.durable_sequence.to_le_bytes());
    put(&header.cut_sequence.to_le_bytes());
    put(&header.opening_end.to_le_bytes());
    put(&header.append_time_ms.to_le_bytes());
    put(&header.running_ms.to_le_bytes());
    put(&header.manifest_end.to_le_bytes());
    put(&header.metadata_end.to_le_bytes());
    put(&(runs as u32).to_le_bytes());
    put(&(previous as u32).to_le_bytes());
    put(&(body_bytes as u32).to_le_bytes());
    put(&place.salt);
    out
}

fn encode_run(run: &Run, out: &mut FrameBuffer) {
    out.extend_from_slice(&run.log_id.to_le_bytes());
    out.extend_from_slice(&run.base_offset.to_le_bytes());
    out.extend_from_slice(&run.offset_count.to_le_bytes());
    out.extend_from_slice(&run.bytes.to_le_bytes());
    out.extend_from_slice(&run.max_timestamp.to_le_bytes());
    out.extend_from_slice(&run.checksum.to_le_bytes());
    out.extend_from_slice(&run.batch_count.to_le_bytes());
    out.extend_from_slice(&[run.flags, 0, 0, 0, 0, 0, 0, 0]);
}

fn decode_run(entry: &[u8]) -> Option<Run> {
    let mut fields = Fields::new(entry);
    Some(Run {
        log_id: fields.u64("log id").ok()?,
        base_offset: fields.i64("base offset").ok()?,
        offset_count: fields.u32("offset count").ok()?,
        bytes: fields.u32("bytes").ok()?,
        max_timestamp: fields.i64("max timestamp").ok()?,
        checksum: fields.u32("checksum").ok()?,
        batch_count: fields.u32("batch count").ok()?,
        flags: fields.u8("flags").ok()?,
    })
}

/// Bytes of a frame with so many body bytes, runs and predecessors: whole blocks.
pub fn encoded_bytes(body_bytes: usize, runs: usize, previous: usize) -> usize {
    (FRAME_HEADER_BYTES + body_bytes + runs * RUN_BYTES + previous * PREVIOUS_BYTES)
        .next_multiple_of(BLOCK_BYTES)
}

/// A frame's fixed part: enough to know how much to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameStart {
    pub header: FrameHeader,
    run_count: u32,
    previous_count: u32,
    pub body_bytes: u32,
    /// The file's salt once more: a rotten file header does not take the whole file along.
    pub salt: [u8; 16],
}

impl FrameStart {
    /// None unless these bytes begin like a frame. The checksum is not looked at yet.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut fields = Fields::new(bytes.get(..FRAME_HEADER_BYTES)?);
        let magic = fields.u32("magic").ok()?;
        let version = fields.u8("version").ok()?;
        if magic != MAGIC || version != VERSION {
            return None;
        }
        let flags = fields.u8("flags").ok()?;
        fields.bytes(2, "zero").ok()?;
        let header = FrameHeader {
            flags,
            epoch: fields.u32("epoch").ok()?,
            leader_epoch: fields.i32("leader epoch").ok()?,
            sequence: fields.u64("sequence").ok()?,
            durable_sequence: fields.u64("durable sequence").ok()?,
            cut_sequence: fields.u64("cut sequence").ok()?,
            opening_end: fields.u64("opening end").ok()?,
            append_time_ms: fields.i64("append time").ok()?,
            running_ms: fields.u64("running time").ok()?,
            manifest_end: fields.i64("manifest end").ok()?,
            metadata_end: fields.i64("metadata end").ok()?,
        };
        Some(Self {
            header,
            run_count: fields.u32("run count").ok()?,
            previous_count: fields.u32("previous count").ok()?,
            body_bytes: fields.u32("body bytes").ok()?,
            salt: *fields.bytes(16, "salt").ok()?.first_chunk()?,
        })
    }

    /// Where the tables begin in the frame.
    pub fn tables_start(&self) -> u64 {
        FRAME_HEADER_BYTES as u64 + u64::from(self.body_bytes)
    }

    pub fn tables_bytes(&self) -> u64 {
        u64::from(self.run_count) * RUN_BYTES as u64
            + u64::from(self.previous_count) * PREVIOUS_BYTES as u64
    }

    pub fn encoded_bytes(&self) -> u64 {
        (self.tables_start() + self.tables_bytes()).next_multiple_of(BLOCK_BYTES as u64)
    }
}

/// A frame whose header and tables passed their checksum.
#[derive(Clone, Debug)]
pub struct Frame {
    pub header: FrameHeader,
    pub runs: Vec<Run>,
    pub previous: Vec<(u64, i64)>,
}

impl Frame {
    /// Decodes a whole frame standing at `block` of the file at `place`. None unless the checksum over
    /// header and tables fits, and the runs fill the body.
    pub fn decode(bytes: &[u8], place: &FilePlace, block: u64) -> Option<Self> {
        let start = FrameStart::decode(bytes)?;
        let tables_start = usize::try_from(start.tables_start()).ok()?;
        let tables_bytes = usize::try_from(start.tables_bytes()).ok()?;
        let tables = bytes.get(tables_start..tables_start.checked_add(tables_bytes)?)?;
        Self::decode_parts(bytes, tables, place, block)
    }

    /// As [`Self::decode`], from the header and the tables alone.
    pub fn decode_parts(
        header: &[u8],
        tables: &[u8],
        place: &FilePlace,
        block: u64,
    ) -> Option<Self> {
        let start = FrameStart::decode(header)?;
        let stored = u32::from_le_bytes(*header[CHECKED_BYTES..].first_chunk()?);
        let crc = crc32c_append(place_crc(place, block), &header[..CHECKED_BYTES]);
        if crc32c_append(crc, tables) != stored {
            return None;
        }
        let runs_bytes = (start.run_count as usize).checked_mul(RUN_BYTES)?;
        let (runs, previous) = tables.split_at_checked(runs_bytes)?;
        let runs: Vec<Run> = runs.chunks_exact(RUN_BYTES).map_while(decode_run).collect();
        let filled: u64 = runs.iter().map(|run| u64::from(run.bytes)).sum();
        if runs.len() != start.run_count as usize || filled != u64::from(start.body_bytes) {
            return None;
        }
        let previous = previous.chunks_exact(PREVIOUS_BYTES).map_while(|entry| {
            let mut fields = Fields::new(entry);
            Some((fields.u64("log id").ok()?, fields.i64("end offset").ok()?))
        });
        Some(Self {
            header: start.header,
            runs,
            previous: previous.collect(),
        })
    }

    /// Each run with the place of its bytes in the frame.
    pub fn placed_runs(&self) -> impl Iterator<Item = (&Run, usize)> {
        let mut at = FRAME_HEADER_BYTES;
        self.runs.iter().map(move |run| {
            let start = at;
            at += run.bytes as usize;
            (run, start)
        })
    }

    /// Whether every batch is as it was written: its own CRC, and the run's checksum over what that
    /// leaves out.
    pub fn body_is_whole(&self, bytes: &[u8]) -> bool {
        self.placed_runs().all(|(run, start)| {
            bytes
                .get(start..start + run.bytes as usize)
                .is_some_and(|bytes| run_is_whole(bytes, run.checksum))
        })
    }
}

/// Whether the batches of a run are as they were written.
pub fn run_is_whole(mut bytes: &[u8], checksum: u32) -> bool {
    let mut so_far = 0;
    while bytes.len() >= HEADER_LEN {
        let Ok((batch, rest)) = Batch::split_first(bytes) else {
            return false;
        };
        if batch.check_crc().is_err() {
            return false;
        }
        so_far = run_checksum(so_far, batch.bytes());
        bytes = rest;
    }
    bytes.is_empty() && so_far == checksum
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: FilePlace = FilePlace {
        number: 7,
        salt: [9; 16],
    };

    fn frame() -> FrameBuffer {
        let header = FrameHeader {
            flags: flag::AGAIN,
            epoch: 3,
            leader_epoch: 2,
            sequence: 40,
            durable_sequence: 38,
            cut_sequence: 30,
            opening_end: 33,
            append_time_ms: -5,
            running_ms: 77,
            manifest_end: 4,
            metadata_end: 1 << 40,
        };
        let run = Run {
            log_id: 5,
            base_offset: 100,
            offset_count: 2,
            bytes: 50,
            max_timestamp: -1,
            checksum: 1,
            batch_count: 1,
            flags: RUN_BEGINS_SEGMENT,
        };
        let mut buffer = FrameBuffer::with_capacity(0);
        buffer.extend_from_slice(&[0xab; FRAME_HEADER_BYTES + 50]);
        finish(&mut buffer, &header, &[run], &[(6, 7)], &PLACE, 12);
        let frame = Frame::decode(&buffer, &PLACE, 12).unwrap();
        assert_eq!((frame.header, &*frame.runs), (header, &[run][..]));
        assert_eq!(frame.previous, [(6, 7)]);
        buffer
    }

    #[test]
    fn is_valid_in_its_place_only() {
        let bytes = frame();
        assert_eq!(bytes.len(), BLOCK_BYTES);
        assert!(Frame::decode(&bytes, &PLACE, 13).is_none(), "another block");
        let number = FilePlace { number: 8, ..PLACE };
        assert!(Frame::decode(&bytes, &number, 12).is_none(), "another file");
        let salt = FilePlace {
            salt: [8; 16],
            ..PLACE
        };
        assert!(
            Frame::decode(&bytes, &salt, 12).is_none(),
            "another use of the file"
        );
    }

    #[test]
    fn any_flipped_bit_of_header_and_tables_is_seen() {
        let bytes = frame();
        let body = FRAME_HEADER_BYTES..FRAME_HEADER_BYTES + 50;
        let end = body.end + RUN_BYTES + PREVIOUS_BYTES;
        for byte in (0..end).filter(|byte| !body.contains(byte)) {
            for bit in 0..8 {
                let mut flipped = bytes.to_vec();
                flipped[byte] ^= 1 << bit;
                assert!(
                    Frame::decode(&flipped, &PLACE, 12).is_none(),
                    "byte {byte} bit {bit}"
                );
            }
        }
    }

    #[test]
    fn lengths_that_lie_are_no_frame() {
        let bytes = frame();
        for count in [RUN_BYTES as u32, u32::MAX] {
            for at in [88, 92, 96] {
                let mut lying = bytes.to_vec();
                lying[at..at + 4].copy_from_slice(&count.to_le_bytes());
                assert!(Frame::decode(&lying, &PLACE, 12).is_none());
            }
        }
        assert!(Frame::decode(&bytes[..FRAME_HEADER_BYTES - 1], &PLACE, 12).is_none());
        assert!(Frame::decode(&bytes[..FRAME_HEADER_BYTES + 60], &PLACE, 12).is_none());
    }
}
