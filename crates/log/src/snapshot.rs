//! Snapshots: the state as of one frame in a file of its own, so that a start replays the journal's
//! tail only. The maintenance step publishes them, the start loads them. What the sections hold is
//! their owners' business. Bytes: docs/formats.md, "Snapshot".

use std::io;

use bytes::Bytes;
use protocol::crc::{crc32c, crc32c_append};

use crate::disk::{Disk, DiskFile};
use crate::fields::{Fields, Truncated};

/// Section tags. Stored: never reuse a number.
pub const SECTION_FILES: u32 = 1;
pub const SECTION_LOGS: u32 = 2;
pub const SECTION_PRODUCERS: u32 = 3;
/// Sections of state machines above the log begin here.
pub const SECTION_STATE_MACHINES: u32 = 16;

/// Snapshots kept: should the newest turn out to be damaged, the other one takes its place.
pub const SNAPSHOTS_KEPT: usize = 2;

const MAGIC: &[u8; 8] = b"OTTLASNP";
const VERSION: u32 = 1;
const HEADER_BYTES: usize = 64;
const SECTION_HEADER_BYTES: usize = 16;
/// Written piece by piece, so that a large section is not copied whole.
const WRITE_BYTES: usize = 1 << 20;

/// State as of frame `header.sequence`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    pub header: SnapshotHeader,
    pub sections: Vec<Section>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SnapshotHeader {
    pub epoch: u32,
    /// The last frame whose effects are in the state.
    pub sequence: u64,
    /// Journal file and block of the next frame, where replay begins.
    pub file: u64,
    pub block: u64,
    pub running_ms: u64,
    pub append_time_ms: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    pub tag: u32,
    pub content: Bytes,
}

/// Why a file is no usable snapshot.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    #[error("the snapshot cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error("the file is no snapshot")]
    NotASnapshot,
    #[error("the snapshot has version {version}, which this program does not know")]
    UnknownVersion { version: u32 },
    #[error("the checksum over the snapshot's {part} is wrong")]
    Checksum { part: &'static str },
    #[error("bytes follow the snapshot's last section")]
    BytesBehind,
    #[error(transparent)]
    Truncated(#[from] Truncated),
}

/// Whether a snapshot is due: the journal's tail behind the last one takes longer to replay than it
/// is worth to write another (rule 12).
pub fn is_due(tail_bytes: u64, last_snapshot_bytes: u64, tail_bytes_min: u64) -> bool {
    tail_bytes > tail_bytes_min.max(last_snapshot_bytes.saturating_mul(8))
}

/// Writes a snapshot, makes it and its name durable, and then removes those beyond the two newest.
/// To be called once frame `snapshot.header.sequence` is durable (rule 4). Gives the file's size.
pub fn publish(disk: &dyn Disk, snapshot: &Snapshot) -> io::Result<u64> {
    let name = name(snapshot.header.sequence);
    let temporary = format!("{name}.tmp");
    if disk.names()?.contains(&temporary) {
        disk.remove(&temporary)?;
    }
    let file = disk.create(&temporary)?;
    let bytes = write(&*file, snapshot).inspect_err(|_| {
        // Best effort: else the next attempt removes it. On a full disk others need its room.
        let _ = disk.remove(&temporary);
    })?;
    file.sync_data()?;
    disk.rename(&temporary, &name)?;
    disk.sync_folder()?;
    for sequence in sequences(disk)?.into_iter().skip(SNAPSHOTS_KEPT) {
        disk.remove(&self::name(sequence))?;
    }
    Ok(bytes)
}

fn write(file: &dyn DiskFile, snapshot: &Snapshot) -> io::Result<u64> {
    let mut position = 0;
    let mut write = |bytes: &[u8]| -> io::Result<()> {
        for piece in bytes.chunks(WRITE_BYTES) {
            file.write_all_at(piece, position)?;
            position += piece.len() as u64;
        }
        Ok(())
    };
    write(&snapshot.header.encode(snapshot.sections.len()))?;
    for section in &snapshot.sections {
        write(&section.encode_header())?;
        write(&section.content)?;
    }
    Ok(position)
}

/// The newest snapshot that is whole and not beyond `sequence_max`, with its size, and what was wrong
/// with each newer one. The start, which learns the journal's end only by walking it, comes again
/// with a lower bound if the snapshot turns out to lie beyond.
pub fn load(disk: &dyn Disk, sequence_max: u64) -> io::Result<Loaded> {
    let mut loaded = Loaded::default();
    for sequence in sequences(disk)? {
        if sequence > sequence_max {
            continue;
        }
        match read(disk, sequence) {
            Ok((snapshot, bytes)) => {
                loaded.snapshot = Some(snapshot);
                loaded.bytes = bytes;
                break;
            }
            Err(error) => loaded.rejected.push((sequence, error)),
        }
    }
    Ok(loaded)
}

#[derive(Debug, Default)]
pub struct Loaded {
    pub snapshot: Option<Snapshot>,
    pub bytes: u64,
    pub rejected: Vec<(u64, SnapshotError)>,
}

/// Sequences of the snapshots in the folder, newest first.
pub fn sequences(disk: &dyn Disk) -> io::Result<Vec<u64>> {
    let names = disk.names()?;
    let mut sequences: Vec<u64> = names.iter().filter_map(|name| sequence_of(name)).collect();
    sequences.sort_unstable_by(|a, b| b.cmp(a));
    Ok(sequences)
}

/// Reads and checks one snapshot; gives its size too.
pub fn read(disk: &dyn Disk, sequence: u64) -> Result<(Snapshot, u64), SnapshotError> {
    let file = disk.open(&name(sequence))?;
    let bytes = file.size()?;
    // What is not as large as a header, or larger than memory can address, is no snapshot; all
    // other sizes are those of a file that the disk really holds.
    let len = usize::try_from(bytes).map_err(|_| SnapshotError::NotASnapshot)?;
    let mut content = vec![0; len];
    file.read_exact_at(&mut content, 0)?;
    let snapshot = Snapshot::decode(&Bytes::from(content))?;
    if snapshot.header.sequence != sequence {
        return Err(SnapshotError::NotASnapshot);
    }
    Ok((snapshot, bytes))
}

fn name(sequence: u64) -> String {
    format!("{sequence:016x}.snapshot")
}

fn sequence_of(file_name: &str) -> Option<u64> {
    let digits = file_name.strip_suffix(".snapshot")?;
    let sequence = u64::from_str_radix(digits, 16).ok()?;
    (name(sequence) == file_name).then_some(sequence)
}

impl Snapshot {
    /// The content of the section with `tag`; empty if there is none.
    pub fn section(&self, tag: u32) -> Bytes {
        let found = self.sections.iter().find(|section| section.tag == tag);
        found
            .map(|section| section.content.clone())
            .unwrap_or_default()
    }

    fn decode(bytes: &Bytes) -> Result<Self, SnapshotError> {
        let (header, section_count) = SnapshotHeader::decode(bytes)?;
        let mut rest = bytes.slice(HEADER_BYTES..);
        let mut sections = Vec::new();
        for _ in 0..section_count {
            let mut fields = Fields::new(&rest);
            let tag = fields.u32("section tag")?;
            let length = fields.count_u64(1, "section length")?;
            let crc = fields.u32("section checksum")?;
            let content = fields.bytes(length, "section")?;
            if section_crc(tag, content) != crc {
                return Err(SnapshotError::Checksum { part: "section" });
            }
            let content = rest.slice_ref(content);
            sections.push(Section { tag, content });
            rest = rest.slice(SECTION_HEADER_BYTES + length..);
        }
        if !rest.is_empty() {
            return Err(SnapshotError::BytesBehind);
        }
        Ok(Self { header, sections })
    }
}

impl SnapshotHeader {
    fn encode(&self, section_count: usize) -> Vec<u8> {
        let mut out = Vec::with_capacity(HEADER_BYTES);
        out.extend(MAGIC);
        out.extend(VERSION.to_le_bytes());
        out.extend(self.epoch.to_le_bytes());
        out.extend(self.sequence.to_le_bytes());
        out.extend(self.file.to_le_bytes());
        out.extend(self.block.to_le_bytes());
        out.extend(self.running_ms.to_le_bytes());
        out.extend(self.append_time_ms.to_le_bytes());
        out.extend((section_count as u32).to_le_bytes());
        out.extend(crc32c(&out).to_le_bytes());
        out
    }

    fn decode(bytes: &[u8]) -> Result<(Self, u32), SnapshotError> {
        let mut fields = Fields::new(bytes);
        if fields.bytes(MAGIC.len(), "magic")? != MAGIC {
            return Err(SnapshotError::NotASnapshot);
        }
        let version = fields.u32("version")?;
        let header = Self {
            epoch: fields.u32("epoch")?,
            sequence: fields.u64("sequence")?,
            file: fields.u64("file")?,
            block: fields.u64("block")?,
            running_ms: fields.u64("running time")?,
            append_time_ms: fields.i64("append time")?,
        };
        let section_count = fields.u32("section count")?;
        let covered = &bytes[..bytes.len() - fields.rest().len()];
        if fields.u32("header checksum")? != crc32c(covered) {
            return Err(SnapshotError::Checksum { part: "header" });
        }
        if version != VERSION {
            return Err(SnapshotError::UnknownVersion { version });
        }
        Ok((header, section_count))
    }
}

impl Section {
    fn encode_header(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(SECTION_HEADER_BYTES);
        out.extend(self.tag.to_le_bytes());
        out.extend((self.content.len() as u64).to_le_bytes());
        out.extend(section_crc(self.tag, &self.content).to_le_bytes());
        out
    }
}

/// Covers tag and length too: a section that only seemed missing would be taken for empty.
fn section_crc(tag: u32, content: &[u8]) -> u32 {
    let crc = crc32c_append(
        crc32c(&tag.to_le_bytes()),
        &(content.len() as u64).to_le_bytes(),
    );
    crc32c_append(crc, content)
}

#[cfg(test)]
#[path = "snapshot_tests.rs"]
mod tests;
