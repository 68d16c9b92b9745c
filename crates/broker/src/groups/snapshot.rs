//! The coordinator's durable state in one piece, so that a restart does not read the whole history: the records that a perfectly
//! compacted log would hold. Taken and kept by the runtime, which also checks the bytes.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::record::{InvalidRecord, Record};
use super::request::Now;
use super::{Groups, GroupsConfig};

/// In front of every snapshot. A new number for every change of what follows; an old one keeps its meaning. The first had no stamps.
const VERSION: u8 = 2;
const VERSION_WITHOUT_STAMPS: u8 = 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSnapshot {
    #[error(
        "the snapshot is of version {0}, which this program cannot read: replay the log instead"
    )]
    Version(u8),
    #[error("the snapshot ends early")]
    EndsEarly,
    #[error("a record in the snapshot cannot be read: {0}")]
    Record(#[from] InvalidRecord),
}

impl From<bytes::TryGetError> for InvalidSnapshot {
    fn from(_: bytes::TryGetError) -> Self {
        InvalidSnapshot::EndsEarly
    }
}

impl Groups {
    /// What is durable at this moment: version (1 byte), running time (8) and wall clock (8), then for each record the running time
    /// when it was stored (8), key length (4), key, value length (4), value. Numbers are big-endian.
    pub fn snapshot(&self, now: Now) -> Bytes {
        let mut bytes = BytesMut::new();
        bytes.put_u8(VERSION);
        bytes.put_u64(now.running_ms);
        bytes.put_i64(now.wall_ms);
        for (record, running_ms) in self.stored_records() {
            let (key, value) = record.encode();
            bytes.put_u64(running_ms);
            for part in [key, value.unwrap_or_default()] {
                bytes.put_u32(u32::try_from(part.len()).unwrap_or(u32::MAX));
                bytes.put_slice(&part);
            }
        }
        bytes.freeze()
    }

    /// The groups of a snapshot; `replay` and `loaded` come next.
    pub fn restore(config: GroupsConfig, mut snapshot: Bytes) -> Result<Self, InvalidSnapshot> {
        let mut groups = Self::new(config);
        let version = snapshot.try_get_u8()?;
        let stamped = match version {
            VERSION => true,
            VERSION_WITHOUT_STAMPS => false,
            other => return Err(InvalidSnapshot::Version(other)),
        };
        if stamped {
            // When it was taken: for those who look into it.
            snapshot.try_get_u64()?;
            snapshot.try_get_i64()?;
        }
        while !snapshot.is_empty() {
            let running_ms = match stamped {
                true => snapshot.try_get_u64()?,
                false => u64::MAX,
            };
            let key = split_part(&mut snapshot)?;
            let value = split_part(&mut snapshot)?;
            if let Some(record) = Record::decode(&key, Some(&value))? {
                groups.store(&record, running_ms);
            }
        }
        Ok(groups)
    }

    /// The newest durable record of every key, and when it was stored.
    fn stored_records(&self) -> impl Iterator<Item = (Record, u64)> {
        self.groups.values().flat_map(|group| {
            let metadata = group.stored.iter().map(|metadata| {
                let record = Record::Group {
                    group_id: group.id.clone(),
                    metadata: Some(metadata.clone()),
                };
                (record, group.stored_running_ms)
            });
            let offsets = group.offsets.iter().flat_map(|(topic, offsets)| {
                offsets.iter().map(|(partition, stored)| {
                    let committed = Some(stored.committed.clone());
                    let record = Record::offset(&group.id, topic, *partition, committed);
                    (record, stored.since_running_ms)
                })
            });
            metadata.chain(offsets)
        })
    }
}

fn split_part(snapshot: &mut Bytes) -> Result<Bytes, InvalidSnapshot> {
    let length = snapshot.try_get_u32()? as usize;
    if length > snapshot.len() {
        return Err(InvalidSnapshot::EndsEarly);
    }
    Ok(snapshot.split_to(length))
}
