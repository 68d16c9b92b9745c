//! Under which leader epoch each record of a log was appended: where each epoch began. Lets a consumer see that its history and ours
//! part ways. Owned by the log's state.

use crate::fields::{Fields, Truncated};

/// Epoch and first offset, both ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LeaderEpochs {
    starts: Vec<(i32, i64)>,
}

impl LeaderEpochs {
    /// A batch was appended under `epoch`.
    pub fn append(&mut self, epoch: i32, base_offset: i64) {
        if self.starts.last().is_none_or(|(last, _)| *last < epoch) {
            self.starts.push((epoch, base_offset));
        }
    }

    pub fn latest(&self) -> Option<i32> {
        self.starts.last().map(|(epoch, _)| *epoch)
    }

    /// The largest epoch not above `epoch` and its end: where the next began, or `end` of the log, where
    /// the `current` one begins if nothing was appended under it yet. An epoch that retention has
    /// taken ended where what is left begins: who was there lost nothing.
    pub fn end_of(&self, epoch: i32, current: i32, end: i64) -> Option<(i32, i64)> {
        if !(0..current).contains(&epoch) {
            return (epoch == current).then_some((epoch, end));
        }
        let next = self.starts.partition_point(|(known, _)| *known <= epoch);
        let found = next.checked_sub(1).map_or(epoch, |at| self.starts[at].0);
        let end = self.starts.get(next).map_or(end, |(_, start)| *start);
        Some((found, end))
    }

    pub fn epoch_of(&self, offset: i64) -> Option<i32> {
        let next = self.starts.partition_point(|(_, start)| *start <= offset);
        self.starts
            .get(next.checked_sub(1)?)
            .map(|(epoch, _)| *epoch)
    }

    /// Forgets epochs that ended below the log's start; the one that covers it begins there from now on.
    pub fn drop_below(&mut self, start: i64) {
        let gone = self
            .starts
            .partition_point(|(_, first)| *first <= start)
            .saturating_sub(1);
        self.starts.drain(..gone);
        if let Some((_, first)) = self.starts.first_mut() {
            *first = (*first).max(start);
        }
    }

    /// Takes back what was appended from `end` on.
    pub fn cut(&mut self, end: i64) {
        self.starts.retain(|(_, first)| *first < end);
    }

    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&(self.starts.len() as u32).to_le_bytes());
        for (epoch, start) in &self.starts {
            out.extend_from_slice(&epoch.to_le_bytes());
            out.extend_from_slice(&start.to_le_bytes());
        }
    }

    pub fn decode(fields: &mut Fields<'_>) -> Result<Self, Truncated> {
        let count = fields.count_u32(12, "leader epoch count")?;
        let mut starts = Vec::with_capacity(count);
        for _ in 0..count {
            starts.push((fields.i32("leader epoch")?, fields.i64("epoch start")?));
        }
        Ok(Self { starts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_where_the_next_epoch_begins() {
        let mut epochs = LeaderEpochs::default();
        assert_eq!(epochs.end_of(5, 5, 0), Some((5, 0)), "nothing was appended");
        assert_eq!(epochs.end_of(3, 5, 0), Some((3, 0)));
        for (epoch, base) in [(1, 0), (1, 10), (3, 20), (3, 25), (2, 30), (4, 40)] {
            epochs.append(epoch, base);
        }
        for (asked, expected) in [
            (-1, None),
            (0, Some((0, 0))),
            (1, Some((1, 20))),
            (2, Some((1, 20))),
            (3, Some((3, 40))),
            (4, Some((4, 50))),
            (6, Some((4, 50))),
            (7, Some((7, 50))),
            (8, None),
        ] {
            assert_eq!(epochs.end_of(asked, 7, 50), expected, "{asked}");
        }
        assert_eq!(epochs.epoch_of(19), Some(1));
        assert_eq!(epochs.epoch_of(20), Some(3));
        epochs.drop_below(22);
        assert_eq!(epochs.end_of(1, 7, 50), Some((1, 22)), "retention took it");
        assert_eq!(epochs.epoch_of(22), Some(3));
        let mut stored = Vec::new();
        epochs.encode(&mut stored);
        assert_eq!(LeaderEpochs::decode(&mut Fields::new(&stored)), Ok(epochs));
    }
}
