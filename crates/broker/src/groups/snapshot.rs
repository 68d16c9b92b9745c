//! The coordinator's durable state in one piece, so that a restart does not read the whole history: the records that a perfectly
//! compacted log would hold. Taken and kept by the runtime, which also checks the bytes.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::record::{InvalidRecord, Record};
use super::{Groups, GroupsConfig};

/// In front of every snapshot. A new number for every change of what follows; an old one keeps its meaning.
const VERSION: u8 = 1;

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

impl Groups {
    /// What is durable at this moment: version (1 byte), then for each record key length (4), key, value length (4), value. Lengths
    /// are big-endian.
    pub fn snapshot(&self) -> Bytes {
        let mut bytes = BytesMut::new();
        bytes.put_u8(VERSION);
        for record in self.stored_records() {
            let (key, value) = record.encode();
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
        match snapshot
            .try_get_u8()
            .map_err(|_| InvalidSnapshot::EndsEarly)?
        {
            VERSION => {}
            other => return Err(InvalidSnapshot::Version(other)),
        }
        while !snapshot.is_empty() {
            let key = split_part(&mut snapshot)?;
            let value = split_part(&mut snapshot)?;
            if let Some(record) = Record::decode(&key, Some(&value))? {
                groups.replay(&record);
            }
        }
        Ok(groups)
    }

    /// The newest durable record of every key.
    fn stored_records(&self) -> impl Iterator<Item = Record> {
        self.groups.values().flat_map(|group| {
            let metadata = group.stored.iter().map(|metadata| Record::Group {
                group_id: group.id.clone(),
                metadata: Some(metadata.clone()),
            });
            let offsets = group.offsets.iter().flat_map(|(topic, offsets)| {
                offsets.iter().map(|(partition, offset)| {
                    Record::offset(&group.id, topic, *partition, Some(offset.clone()))
                })
            });
            metadata.chain(offsets)
        })
    }
}

fn split_part(snapshot: &mut Bytes) -> Result<Bytes, InvalidSnapshot> {
    let length = snapshot
        .try_get_u32()
        .map_err(|_| InvalidSnapshot::EndsEarly)? as usize;
    if length > snapshot.len() {
        return Err(InvalidSnapshot::EndsEarly);
    }
    Ok(snapshot.split_to(length))
}
