//! The groups' section of a journal snapshot: of which offsets topic it was taken, where replay of each partition goes on, and the
//! groups. Made and read by the coordinator.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use protocol::Uuid;

/// Tag in the journal's snapshot; stored, never reused. 17 did not say which topic its positions are of.
pub const SECTION: u32 = 18;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Section {
    /// Zero if there was no offsets topic.
    pub(super) topic_id: Uuid,
    /// By partition.
    pub(super) positions: Vec<i64>,
    /// None if there is no snapshot.
    pub(super) groups: Option<Bytes>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the snapshot ends early")]
pub(super) struct EndsEarly;

impl Section {
    pub(super) fn encode(&self) -> Bytes {
        let mut out = BytesMut::new();
        out.put_slice(self.topic_id.as_bytes());
        out.put_u32_le(u32::try_from(self.positions.len()).unwrap_or(0));
        for position in &self.positions {
            out.put_i64_le(*position);
        }
        out.put_slice(self.groups.as_deref().unwrap_or_default());
        out.freeze()
    }

    pub(super) fn decode(mut bytes: Bytes) -> Result<Self, EndsEarly> {
        let id = *bytes.first_chunk::<16>().ok_or(EndsEarly)?;
        bytes.advance(id.len());
        let count = bytes.try_get_u32_le().map_err(|_| EndsEarly)? as usize;
        if bytes.len() / 8 < count {
            return Err(EndsEarly);
        }
        let positions = (0..count).map(|_| bytes.get_i64_le()).collect();
        Ok(Self {
            topic_id: Uuid::from_bytes(id),
            positions,
            groups: Some(bytes),
        })
    }

    /// What of the snapshot counts for the offsets topic that is there now. Groups of another topic do not: they would outlive the
    /// records that made them.
    pub(super) fn for_topic(self, topic_id: Uuid) -> Self {
        if self.topic_id == topic_id {
            return self;
        }
        // Without one there were no groups either: the topic was made since.
        let is_another = self.topic_id != Uuid::ZERO;
        if is_another {
            tracing::error!(
                snapshot = %self.topic_id,
                topic = %topic_id,
                "the snapshot of the groups is of another offsets topic: groups are read from the topic alone"
            );
        }
        Self {
            topic_id,
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(byte: u8) -> Uuid {
        Uuid::from_bytes([byte; 16])
    }

    fn section(topic_id: Uuid) -> Section {
        Section {
            topic_id,
            positions: vec![5, 0, 700],
            groups: Some(Bytes::from_static(b"groups")),
        }
    }

    #[test]
    fn any_cut_in_front_of_the_groups_is_told() {
        let whole = section(id(3)).encode();
        assert_eq!(Section::decode(whole.clone()), Ok(section(id(3))));
        for end in 0..whole.len() - b"groups".len() {
            assert_eq!(Section::decode(whole.slice(..end)), Err(EndsEarly));
        }
    }

    #[test]
    fn positions_and_groups_count_for_their_own_topic_only() {
        for (what, found, topic_id, positions, has_groups) in [
            ("the same", section(id(3)), id(3), &[5, 0, 700][..], true),
            ("recreated", section(id(3)), id(4), &[], false),
            ("gone", section(id(3)), Uuid::ZERO, &[], false),
            ("made since", section(Uuid::ZERO), id(3), &[], false),
            ("no snapshot", Section::default(), id(3), &[], false),
        ] {
            let counts = found.for_topic(topic_id);
            assert_eq!(counts.positions, positions, "{what}");
            assert_eq!(counts.groups.is_some(), has_groups, "{what}");
        }
    }
}
