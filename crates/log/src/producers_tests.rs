//! Tables for the producer state: sequences, epochs, duplicates, cuts, bounds, the snapshot form.

use proptest::prelude::*;
use protocol::batch::{MAGIC, NO_PRODUCER_ID};

use super::*;

const UNBOUNDED: usize = usize::MAX;

fn header(producer_id: i64, epoch: i16, base_sequence: i32, records: i32) -> BatchHeader {
    BatchHeader {
        base_offset: 0,
        length: 100,
        partition_leader_epoch: 0,
        magic: MAGIC,
        crc: 0,
        attributes: 0,
        last_offset_delta: records - 1,
        base_timestamp: 0,
        max_timestamp: 1000 + i64::from(base_sequence),
        producer_id,
        producer_epoch: epoch,
        base_sequence,
        record_count: records,
    }
}

/// A log that appends what the producers let through.
#[derive(Default)]
struct Log {
    producers: Producers,
    end: i64,
    frame: u64,
}

impl Log {
    fn send(&mut self, header: &BatchHeader) -> Result<Verdict, ProducerError> {
        let verdict = self.producers.check(header)?;
        if verdict == Verdict::Append {
            let batch = Appended {
                header,
                base_offset: self.end,
                frame_sequence: self.frame,
                running_ms: self.frame,
            };
            self.producers.record(&batch, UNBOUNDED);
            self.end += i64::from(header.record_count);
        }
        Ok(verdict)
    }
}

enum Expect {
    Appended,
    /// With the base offset it was stored at.
    Duplicate(i64),
    OutOfOrder(i32),
    StaleEpoch,
}
use Expect::{Appended as Yes, Duplicate, OutOfOrder, StaleEpoch};

/// Sends batches (epoch, base sequence, records) of one producer in turn.
fn check(name: &str, steps: &[(i16, i32, i32, Expect)]) {
    let mut log = Log::default();
    for (i, (epoch, base_sequence, records, expect)) in steps.iter().enumerate() {
        let got = log.send(&header(7, *epoch, *base_sequence, *records));
        let good = match (expect, &got) {
            (Yes, Ok(Verdict::Append)) => true,
            (Duplicate(base), Ok(Verdict::Duplicate(stored))) => {
                stored.base_offset == *base
                    && stored.last_offset == base + i64::from(*records) - 1
                    && stored.base_sequence == *base_sequence
            }
            (OutOfOrder(next), Err(ProducerError::OutOfOrderSequence { expected, got, .. })) => {
                expected == next && got == base_sequence
            }
            (StaleEpoch, Err(ProducerError::InvalidProducerEpoch { got, .. })) => got == epoch,
            _ => false,
        };
        assert!(good, "{name}, step {i}: {got:?}");
    }
}

#[test]
fn sequences_and_epochs() {
    const MAX: i32 = i32::MAX;
    check(
        "in order",
        &[(0, 0, 3, Yes), (0, 3, 1, Yes), (0, 4, 2, Yes)],
    );
    check("unknown: any sequence", &[(5, 42, 1, Yes), (5, 43, 1, Yes)]);
    check(
        "gap",
        &[(0, 0, 3, Yes), (0, 4, 1, OutOfOrder(3)), (0, 3, 1, Yes)],
    );
    check("behind", &[(0, 10, 3, Yes), (0, 9, 1, OutOfOrder(13))]);
    check("wrap", &[(0, MAX, 1, Yes), (0, 0, 1, Yes), (0, 1, 1, Yes)]);
    check(
        "wrap inside a batch",
        &[
            (0, MAX - 1, 4, Yes),
            (0, 2, 1, Yes),
            (0, MAX - 1, 4, Duplicate(0)),
        ],
    );
    check(
        "no wrap before the end",
        &[(0, MAX - 1, 1, Yes), (0, 0, 1, OutOfOrder(MAX))],
    );
    check(
        "duplicate",
        &[
            (0, 0, 3, Yes),
            (0, 3, 2, Yes),
            (0, 0, 3, Duplicate(0)),
            (0, 3, 2, Duplicate(3)),
        ],
    );
    check(
        "duplicate needs the same range",
        &[(0, 0, 3, Yes), (0, 0, 2, OutOfOrder(3))],
    );
    check(
        "five are kept",
        &[
            (0, 0, 1, Yes),
            (0, 1, 1, Yes),
            (0, 2, 1, Yes),
            (0, 3, 1, Yes),
            (0, 4, 1, Yes),
            (0, 0, 1, Duplicate(0)),
            (0, 5, 1, Yes),
            (0, 0, 1, OutOfOrder(6)),
            (0, 1, 1, Duplicate(1)),
        ],
    );
    check(
        "new epoch starts at 0",
        &[
            (0, 0, 3, Yes),
            (1, 3, 1, OutOfOrder(0)),
            (1, 0, 1, Yes),
            (1, 1, 1, Yes),
        ],
    );
    check(
        "old epoch is fenced, even its duplicates",
        &[
            (0, 0, 3, Yes),
            (1, 0, 1, Yes),
            (0, 3, 1, StaleEpoch),
            (0, 0, 3, StaleEpoch),
        ],
    );
    check(
        "a new epoch forgets the old batches",
        &[(0, 0, 3, Yes), (1, 0, 3, Yes), (1, 0, 3, Duplicate(3))],
    );
}

#[test]
fn batches_without_producer_are_not_remembered() {
    let mut log = Log::default();
    for _ in 0..2 {
        assert_eq!(
            log.send(&header(NO_PRODUCER_ID, -1, -1, 1)),
            Ok(Verdict::Append)
        );
    }
    assert!(log.producers.is_empty());
}

#[test]
fn a_duplicate_names_the_frame_it_waits_for() {
    let mut log = Log {
        frame: 9,
        ..Log::default()
    };
    log.send(&header(7, 0, 0, 1)).unwrap();
    log.frame = 10;
    log.send(&header(7, 0, 1, 1)).unwrap();
    for (sequence, frame) in [(0, 9), (1, 10)] {
        let Ok(Verdict::Duplicate(stored)) = log.send(&header(7, 0, sequence, 1)) else {
            panic!("not a duplicate");
        };
        assert_eq!(stored.frame_sequence, frame);
    }
}

/// Batches (frame, epoch, base sequence), then a cut, then what the next batch may be.
#[test]
fn a_cut_frame_gives_the_sequence_back() {
    type Sent = &'static [(u64, i16, i32)];
    type Row = (&'static str, Sent, u64, (i16, i32), bool);
    let rows: [Row; 10] = [
        (
            "retry of the cut batch",
            &[(1, 0, 0), (2, 0, 1)],
            2,
            (0, 1),
            true,
        ),
        (
            "the one behind it in the pipe",
            &[(1, 0, 0), (2, 0, 1)],
            2,
            (0, 2),
            false,
        ),
        (
            "first batch cut: unknown again",
            &[(2, 0, 5)],
            2,
            (0, 9),
            true,
        ),
        (
            "both unwritten frames",
            &[(1, 0, 0), (2, 0, 1), (3, 0, 2)],
            2,
            (0, 1),
            true,
        ),
        (
            "both, wrong next",
            &[(1, 0, 0), (2, 0, 1), (3, 0, 2)],
            2,
            (0, 3),
            false,
        ),
        (
            "only the second",
            &[(1, 0, 0), (2, 0, 1), (3, 0, 2)],
            3,
            (0, 2),
            true,
        ),
        ("epoch goes back", &[(1, 3, 0), (2, 4, 0)], 2, (3, 1), true),
        (
            "old epoch keeps its place",
            &[(1, 3, 0), (2, 4, 0)],
            2,
            (3, 2),
            false,
        ),
        ("untouched producer", &[(1, 0, 0)], 2, (0, 1), true),
        ("untouched, wrong next", &[(1, 0, 0)], 2, (0, 3), false),
    ];
    for (name, sent, first_cut, (epoch, sequence), appends) in rows {
        let mut log = Log::default();
        for (frame, epoch, sequence) in sent {
            log.frame = *frame;
            log.send(&header(7, *epoch, *sequence, 1)).unwrap();
        }
        log.producers.cut(first_cut);
        let got = log.producers.check(&header(7, epoch, sequence, 1));
        assert_eq!(got == Ok(Verdict::Append), appends, "{name}: {got:?}");
    }
}

#[test]
fn a_cut_that_takes_all_kept_batches_still_knows_the_sequence() {
    let mut log = Log {
        frame: 1,
        ..Log::default()
    };
    for sequence in 0..3 {
        log.send(&header(7, 0, sequence, 1)).unwrap();
    }
    log.frame = 2;
    for sequence in 3..9 {
        log.send(&header(7, 0, sequence, 1)).unwrap();
    }
    log.producers.cut(2);
    let bytes = encode_producers([(5, &log.producers)].into_iter());
    let restored = decode_producers(&bytes).unwrap().remove(&5).unwrap();
    for producers in [&log.producers, &restored] {
        assert_eq!(producers.check(&header(7, 0, 3, 1)), Ok(Verdict::Append));
        assert!(producers.check(&header(7, 0, 9, 1)).is_err());
    }
}

#[test]
fn idle_producers_expire() {
    let mut log = Log::default();
    for producer in 0..4 {
        log.frame = producer as u64 * 10;
        log.send(&header(producer, 0, 0, 1)).unwrap();
    }
    // Last appends at 0, 10, 20, 30; idle for exactly the limit is not yet expired.
    log.producers.expire(35, 15);
    let left: Vec<_> = log.producers.describe().map(|p| p.producer_id).collect();
    assert_eq!(left, [2, 3]);
}

#[test]
fn their_number_is_bounded_and_the_longest_idle_go_first() {
    let mut producers = Producers::default();
    for id in 0..10_000i64 {
        for (producer_id, sequence) in [(id, 0), (-1, -1)] {
            let header = header(producer_id, 0, sequence, 1);
            let running_ms = id as u64;
            let batch = Appended {
                header: &header,
                base_offset: id,
                frame_sequence: 1,
                running_ms,
            };
            producers.record(&batch, 64);
        }
        assert!(producers.len() <= 64);
    }
    let ids: Vec<_> = producers.describe().map(|p| p.producer_id).collect();
    assert!(ids.len() > 48);
    assert_eq!(ids, (10_000 - ids.len() as i64..10_000).collect::<Vec<_>>());
}

proptest! {
    #[test]
    fn snapshots_bring_everything_back(
        batches in prop::collection::vec((0u64..3, 0i64..4, 0i16..3, 1i32..5), 0..60),
    ) {
        let mut logs: BTreeMap<u64, Log> = BTreeMap::new();
        for (log_id, producer_id, epoch, records) in batches {
            let log = logs.entry(log_id).or_default();
            let next = log.producers.by_id.get(&producer_id).map_or(0, |p| {
                if p.epoch == epoch { p.last_sequence + 1 } else { 0 }
            });
            // Stale epochs are refused and leave no trace.
            let _ = log.send(&header(producer_id, epoch, next, records));
        }
        let bytes = encode_producers(logs.iter().map(|(id, log)| (*id, &log.producers)));
        let restored = decode_producers(&bytes).unwrap();
        let again = encode_producers(restored.iter().map(|(id, producers)| (*id, producers)));
        prop_assert_eq!(&again, &bytes);
        for (id, log) in &logs {
            let view = |p: &Producers| p.describe().collect::<Vec<_>>();
            prop_assert_eq!(view(&log.producers), restored.get(id).map(view).unwrap_or_default());
        }
        for cut in 0..bytes.len() {
            prop_assert!(decode_producers(&bytes[..cut]).is_err());
        }
    }

    #[test]
    fn any_bytes_decode_or_fail(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = decode_producers(&bytes);
    }
}
