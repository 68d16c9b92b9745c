//! What clients were promised or shown, over all lives of a broker: nothing of it may change later. `workload` notes it as answers come;
//! after each start the whole of every log is held against it.

use std::collections::{BTreeMap, BTreeSet};

use protocol::Uuid;

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Violation(pub String);

/// Topic and partition.
pub type Place = (String, i32);

/// The value of a record: who sent it, and which of theirs for this partition it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Value {
    pub producer: String,
    pub number: u64,
}

#[derive(Debug, Default)]
pub struct History {
    topics: BTreeMap<String, Uuid>,
    producer_ids: BTreeSet<i64>,
    /// Records that were acknowledged or read.
    records: BTreeMap<Place, BTreeMap<i64, Value>>,
    high_watermarks: BTreeMap<Place, i64>,
    offsets: BTreeMap<Place, Committed>,
    /// Producers that repeat a batch until it is acknowledged: theirs have no gaps.
    idempotent: BTreeSet<String>,
    leader_epochs: BTreeMap<Place, i32>,
    /// Partitions that may have lost their end to a power cut, with the leader epoch before it.
    forgiven: BTreeMap<Place, i32>,
    lost: usize,
}

/// A group's offset of a partition.
#[derive(Clone, Copy, Debug)]
struct Committed {
    /// The newest that was acknowledged or read; −1 before.
    shown: i64,
    /// The newest that was sent.
    sent: i64,
}

fn broken<T>(what: String) -> Result<T, Violation> {
    Err(Violation(what))
}

impl History {
    pub fn topics(&self) -> impl Iterator<Item = (&String, &Uuid)> {
        self.topics.iter()
    }

    pub fn places(&self) -> Vec<Place> {
        self.records.keys().cloned().collect()
    }

    /// How many records were acknowledged or read.
    pub fn record_count(&self) -> usize {
        self.records.values().map(BTreeMap::len).sum()
    }

    /// The first offset from `from` on of which the record is known.
    pub fn next_record(&self, place: &Place, from: i64) -> Option<i64> {
        let (offset, _) = self.records.get(place)?.range(from..).next()?;
        Some(*offset)
    }

    pub fn high_watermark(&self, place: &Place) -> i64 {
        self.high_watermarks.get(place).copied().unwrap_or(0)
    }

    /// How many records that were acknowledged or read have been lost where that is allowed.
    pub fn lost_count(&self) -> usize {
        self.lost
    }

    /// The power goes under `os`: of each partition the end may be lost, and of the groups' offsets.
    pub fn forgive_lost_ends(&mut self) {
        for place in self.records.keys() {
            let epoch = self.leader_epochs.get(place).copied().unwrap_or(-1);
            self.forgiven.entry(place.clone()).or_insert(epoch);
        }
        for committed in self.offsets.values_mut() {
            committed.shown = -1;
        }
    }

    /// A leader epoch never goes back.
    pub fn saw_leader_epoch(&mut self, place: &Place, epoch: i32) -> Result<(), Violation> {
        let known = self.leader_epochs.entry(place.clone()).or_insert(epoch);
        if epoch < *known {
            return broken(format!(
                "the leader epoch of {place:?} was {known} and is {epoch}"
            ));
        }
        *known = epoch;
        Ok(())
    }

    /// Takes note of what a partition has lost. Consumers must be able to tell: its epoch has risen.
    fn forgive(&mut self, place: &Place, high_watermark: i64) -> Result<(), Violation> {
        let Some(epoch_before) = self.forgiven.remove(place) else {
            return Ok(());
        };
        let Some(records) = self.records.get_mut(place) else {
            return Ok(());
        };
        let lost = records.split_off(&high_watermark).len();
        self.lost += lost;
        let shown = self.high_watermarks.entry(place.clone()).or_default();
        let went_back = *shown > high_watermark;
        *shown = high_watermark.min(*shown);
        let epoch = self.leader_epochs.get(place).copied().unwrap_or(-1);
        if (lost > 0 || went_back) && epoch <= epoch_before {
            return broken(format!(
                "{place:?} lost {lost} records and its leader epoch is still {epoch}"
            ));
        }
        Ok(())
    }

    pub fn is_idempotent(&mut self, producer: &str) {
        self.idempotent.insert(producer.to_owned());
    }

    pub fn saw_topic(&mut self, name: &str, id: Uuid) -> Result<(), Violation> {
        let known = *self.topics.entry(name.to_owned()).or_insert(id);
        if known != id {
            return broken(format!("topic {name} was {known} and is {id} now"));
        }
        Ok(())
    }

    pub fn saw_producer_id(&mut self, id: i64) -> Result<(), Violation> {
        if !self.producer_ids.insert(id) {
            return broken(format!("producer id {id} was given out twice"));
        }
        Ok(())
    }

    pub fn saw_record(
        &mut self,
        place: &Place,
        offset: i64,
        value: &Value,
    ) -> Result<(), Violation> {
        let records = self.records.entry(place.clone()).or_default();
        let known = records.entry(offset).or_insert_with(|| value.clone());
        if known != value {
            return broken(format!(
                "{place:?} had {known:?} at offset {offset} and has {value:?} now"
            ));
        }
        Ok(())
    }

    /// High watermarks of one partition may be seen out of order, but none may be taken back by a crash.
    pub fn saw_high_watermark(&mut self, place: &Place, high_watermark: i64) {
        let known = self.high_watermarks.entry(place.clone()).or_default();
        *known = high_watermark.max(*known);
    }

    pub fn sends_offset(&mut self, place: &Place, offset: i64) {
        self.committed(place).sent = offset;
    }

    pub fn saw_offset(&mut self, place: &Place, offset: i64) -> Result<(), Violation> {
        let committed = self.committed(place);
        let Committed { shown, sent } = *committed;
        committed.shown = offset;
        if !(shown..=sent).contains(&offset) {
            return broken(format!(
                "the group's offset of {place:?} was {shown}, {sent} was sent, and {offset} is read"
            ));
        }
        Ok(())
    }

    pub fn offset_places(&self) -> Vec<Place> {
        self.offsets.keys().cloned().collect()
    }

    fn committed(&mut self, place: &Place) -> &mut Committed {
        let none = Committed {
            shown: -1,
            sent: -1,
        };
        self.offsets.entry(place.clone()).or_insert(none)
    }

    /// Holds a whole log against what was promised of it.
    pub fn check(
        &mut self,
        place: &Place,
        log: &[(i64, Value)],
        high_watermark: i64,
    ) -> Result<(), Violation> {
        self.forgive(place, high_watermark)?;
        let shown = self.high_watermark(place);
        if high_watermark < shown {
            return broken(format!(
                "the high watermark of {place:?} went back from {shown} to {high_watermark}"
            ));
        }
        if !log.iter().map(|(offset, _)| *offset).eq(0..high_watermark) {
            let offsets: Vec<i64> = log.iter().map(|(offset, _)| *offset).collect();
            return broken(format!(
                "{place:?} has not every offset below {high_watermark} once: {offsets:?}"
            ));
        }
        if let Some((offset, value)) = self
            .records
            .get(place)
            .and_then(BTreeMap::last_key_value)
            .filter(|(offset, _)| **offset >= high_watermark)
        {
            return broken(format!("{place:?} lost {value:?} at offset {offset}"));
        }
        let mut newest: BTreeMap<&str, u64> = BTreeMap::new();
        for (offset, value) in log {
            self.saw_record(place, *offset, value)?;
            let before = newest.insert(&value.producer, value.number);
            let is_next = if self.idempotent.contains(&value.producer) {
                value.number == before.map_or(0, |before| before + 1)
            } else {
                before.is_none_or(|before| before < value.number)
            };
            if !is_next {
                return broken(format!(
                    "{place:?} has {value:?} at offset {offset} behind number {before:?}"
                ));
            }
        }
        self.saw_high_watermark(place, high_watermark);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(number: u64) -> Value {
        Value {
            producer: "p".to_owned(),
            number,
        }
    }

    fn check(history: &mut History, log: &[(i64, u64)]) -> Result<(), Violation> {
        let log: Vec<_> = log
            .iter()
            .map(|(at, number)| (*at, value(*number)))
            .collect();
        history.check(&("t".to_owned(), 0), &log, log.len() as i64)
    }

    fn known() -> History {
        let mut history = History::default();
        history
            .saw_record(&("t".to_owned(), 0), 1, &value(3))
            .unwrap();
        check(&mut history, &[(0, 1), (1, 3), (2, 9)]).unwrap();
        history
    }

    #[test]
    fn broken_promises_are_noticed() {
        for (log, what) in [
            (&[(0, 1), (1, 3)][..], "went back"),
            (&[(0, 1), (1, 4), (2, 9)], "had"),
            (&[(0, 1), (1, 3), (3, 9)], "every offset"),
            (&[(0, 1), (1, 3), (2, 9), (3, 9)], "behind number"),
        ] {
            let found = check(&mut known(), log).unwrap_err();
            assert!(found.0.contains(what), "{log:?}: {found}");
        }
        let mut history = known();
        history.is_idempotent("p");
        let found = check(&mut history, &[(0, 1), (1, 3), (2, 9)]).unwrap_err();
        assert!(found.0.contains("behind number None"), "a gap: {found}");
    }

    #[test]
    fn a_lost_end_is_forgiven_once_and_only_with_a_new_epoch() {
        let place = ("t".to_owned(), 0);
        for (epoch, is_fine) in [(3, false), (4, true)] {
            let mut history = known();
            history.saw_leader_epoch(&place, 3).unwrap();
            history.forgive_lost_ends();
            history.saw_leader_epoch(&place, epoch).unwrap();
            assert_eq!(check(&mut history, &[(0, 1)]).is_ok(), is_fine);
            assert_eq!(history.lost_count(), 2);
            assert!(check(&mut history, &[]).is_err(), "only once");
            assert!(history.saw_leader_epoch(&place, 2).is_err());
        }
    }

    #[test]
    fn offsets_only_go_on() {
        let place = ("t".to_owned(), 0);
        let mut history = History::default();
        history.saw_offset(&place, -1).unwrap();
        history.sends_offset(&place, 5);
        history.saw_offset(&place, 5).unwrap();
        history.sends_offset(&place, 9);
        assert!(history.saw_offset(&place, 4).is_err());
    }
}
