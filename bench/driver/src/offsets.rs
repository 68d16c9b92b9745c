//! The judge of base offsets: what was acknowledged must fill each partition without gap or overlap.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};

/// The base offsets that one or all connections were given, per partition. Every batch has the same number of records, so that
/// first, last, number and sum tell whether one is missing or was given twice.
#[derive(Clone, Debug, Default)]
pub(crate) struct Offsets {
    spans: BTreeMap<i32, Span>,
}

#[derive(Clone, Debug)]
struct Span {
    first: i64,
    last: i64,
    batches: i64,
    sum: i128,
}

impl Offsets {
    /// One answer. On one connection a partition's offsets must rise.
    pub(crate) fn add(&mut self, partition: i32, base_offset: i64) -> Result<()> {
        let span = self.spans.entry(partition).or_insert(Span {
            first: base_offset,
            last: -1,
            batches: 0,
            sum: 0,
        });
        ensure!(
            base_offset > span.last,
            "partition {partition}: base offset {base_offset} after {}",
            span.last
        );
        span.last = base_offset;
        span.batches += 1;
        span.sum += i128::from(base_offset);
        Ok(())
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for (partition, more) in other.spans {
            match self.spans.get_mut(&partition) {
                None => drop(self.spans.insert(partition, more)),
                Some(span) => {
                    span.first = span.first.min(more.first);
                    span.last = span.last.max(more.last);
                    span.batches += more.batches;
                    span.sum += more.sum;
                }
            }
        }
    }

    /// Whether `records` per batch fill each partition from its `begin` to its `end` exactly.
    pub(crate) fn check(&self, records: i32, begin: &[i64], end: &[i64]) -> Result<()> {
        let records = i64::from(records);
        for (partition, (begin, end)) in begin.iter().zip(end).enumerate() {
            let Some(span) = self.spans.get(&(partition as i32)) else {
                ensure!(
                    begin == end,
                    "partition {partition}: ends at {end}, began at {begin}, got nothing"
                );
                continue;
            };
            let behind_last = span.last + records;
            ensure!(
                span.first == *begin,
                "partition {partition}: begins at {}, not {begin}",
                span.first
            );
            ensure!(
                behind_last == *end,
                "partition {partition}: ends at {end}, not {behind_last}"
            );
            ensure!(
                behind_last - span.first == span.batches * records
                    && span.sum * 2
                        == i128::from(span.first + span.last) * i128::from(span.batches),
                "partition {partition}: {} batches between {} and {}",
                span.batches,
                span.first,
                span.last
            );
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offsets(rows: &[i64]) -> Offsets {
        let mut offsets = Offsets::default();
        rows.iter().for_each(|base| offsets.add(0, *base).unwrap());
        offsets
    }

    #[test]
    fn only_a_filled_partition_passes() {
        for (connections, end, passes) in [
            (vec![vec![0, 10, 20]], 30, true),
            (vec![vec![0, 20], vec![10, 30]], 40, true),
            (vec![vec![0, 20]], 30, false),
            (vec![vec![0, 10], vec![10, 30]], 40, false),
            (vec![vec![0, 10]], 30, false),
            (vec![vec![10, 20]], 30, false),
            (vec![vec![]], 0, true),
            (vec![vec![]], 10, false),
        ] {
            let mut all = Offsets::default();
            connections.iter().for_each(|rows| all.merge(offsets(rows)));
            assert_eq!(
                all.check(10, &[0], &[end]).is_ok(),
                passes,
                "{connections:?} {end}"
            );
        }
    }

    #[test]
    fn a_connection_sees_rising_offsets() {
        let mut offsets = offsets(&[0, 10]);
        assert!(offsets.add(0, 10).is_err());
    }
}
