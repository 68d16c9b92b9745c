//! Latencies in buckets, each a 64th of a power of two wide: a percentile is right to 1.6 %, whatever its size.

use std::time::Duration;

use serde::Serialize;

const SUB_BITS: u32 = 6;
const SUB: u64 = 1 << SUB_BITS;
const BUCKETS: usize = (64 - SUB_BITS as usize + 1) << SUB_BITS;

pub(crate) struct Latencies {
    counts: Vec<u64>,
    total: u64,
    max_ns: u64,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub(crate) struct Percentiles {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) max: f64,
}

impl Latencies {
    pub(crate) fn new() -> Self {
        Self {
            counts: vec![0; BUCKETS],
            total: 0,
            max_ns: 0,
        }
    }

    pub(crate) fn add(&mut self, latency: Duration) {
        let ns = u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX);
        self.counts[bucket(ns)] += 1;
        self.total += 1;
        self.max_ns = self.max_ns.max(ns);
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
        self.total += other.total;
        self.max_ns = self.max_ns.max(other.max_ns);
    }

    pub(crate) fn ms(&self) -> Percentiles {
        let ms = |ns: u64| ns as f64 / 1e6;
        Percentiles {
            p50: ms(self.quantile_ns(0.50)),
            p99: ms(self.quantile_ns(0.99)),
            max: ms(self.max_ns),
        }
    }

    /// Upper edge of the bucket that holds the quantile.
    fn quantile_ns(&self, quantile: f64) -> u64 {
        let rank = (self.total as f64 * quantile).ceil() as u64;
        let mut seen = 0;
        for (bucket, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank.max(1) {
                return upper_edge(bucket).min(self.max_ns);
            }
        }
        self.max_ns
    }
}

fn bucket(ns: u64) -> usize {
    if ns < SUB {
        return ns as usize;
    }
    let shift = ns.ilog2() - SUB_BITS;
    (u64::from(shift) * SUB + (ns >> shift)) as usize
}

fn upper_edge(bucket: usize) -> u64 {
    let bucket = bucket as u64;
    if bucket < 2 * SUB {
        return bucket;
    }
    let shift = bucket / SUB - 1;
    let first = (bucket - shift * SUB) << shift;
    first + ((1 << shift) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_what_falls_into_it() {
        for ns in (0..63).flat_map(|bit| {
            [
                1u64 << bit,
                (1 << bit) + 1,
                (1 << bit) * 3 / 2,
                (2 << bit) - 1,
            ]
        }) {
            let edge = upper_edge(bucket(ns));
            assert!(edge >= ns && edge - ns <= ns / 60, "{ns} {edge}");
        }
        assert!(bucket(u64::MAX) < BUCKETS);
    }

    #[test]
    fn percentiles_of_a_known_row() {
        let mut latencies = Latencies::new();
        (1..=1000).for_each(|ms| latencies.add(Duration::from_millis(ms)));
        let ms = latencies.ms();
        assert!((500.0..510.0).contains(&ms.p50), "{ms:?}");
        assert!((990.0..1000.0).contains(&ms.p99), "{ms:?}");
        assert!((ms.max - 1000.0).abs() < 0.001, "{ms:?}");
    }
}
