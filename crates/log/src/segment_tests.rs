//! Reading sealed files: trails, holes, bad footers, coalesced reads, verification.

use super::*;
use crate::disk::sim::{Fault, FaultError, Op};
use crate::footer::BLOCK_BYTES;
use crate::manifest_event::Hole;
use crate::segment_fixture::{Fixture, NewRun, batch_offsets, run};

const J: fn(u64) -> FileId = FileId::journal;

/// Five files; log 1 in all of them with ten offsets each, log 2 in the second and fourth.
fn five_files() -> Fixture {
    let mut fixture = Fixture::new();
    for number in 1..=5 {
        let timestamp = number * 100;
        let one = NewRun {
            timestamp,
            ..run(1, 5)
        };
        match number {
            2 | 4 => fixture.journal(&[&[one, run(2, 3)], &[run(2, 2), one]]),
            _ => fixture.journal(&[&[one], &[one]]),
        };
    }
    fixture
}

fn damaged(error: &ReadError) -> (FileId, i64, i64) {
    match error {
        ReadError::Damaged(damaged) => (damaged.file, damaged.first_offset, damaged.end_offset),
        other => panic!("not damage: {other}"),
    }
}

#[test]
fn reads_every_log_from_every_offset() {
    let fixture = five_files();
    for (log_id, end) in [(1, 50), (2, 10)] {
        for offset in 0..end {
            assert_eq!(
                fixture.offsets(log_id, offset),
                (offset..end).collect::<Vec<_>>()
            );
        }
        assert_eq!(fixture.read(log_id, end).unwrap(), None);
    }
}

#[test]
fn keeps_to_the_bounds_of_a_request() {
    let fixture = five_files();
    let size = crate::segment_fixture::batch(0, 0, 50).len();
    for (name, offset, offset_max, bytes_max, at_least_one, expected) in [
        ("all of the file", 0, 99, 1 << 20, true, 0..10),
        ("three batches", 2, 99, 3 * size, true, 2..5),
        ("across runs", 3, 99, 4 * size, true, 3..7),
        ("not a byte too many", 3, 99, 4 * size - 1, true, 3..6),
        ("at least one", 3, 99, 1, true, 3..4),
        ("not even one", 3, 99, 1, false, 3..3),
        ("up to an offset", 3, 5, 1 << 20, true, 3..5),
        ("nothing below the bound", 3, 3, 1 << 20, true, 3..3),
    ] {
        let request = ReadRequest {
            offset,
            offset_max,
            bytes_max,
            at_least_one,
            ranges: false,
        };
        let read = fixture
            .segments
            .read(fixture.log(1), &request)
            .unwrap()
            .unwrap();
        assert_eq!(
            batch_offsets(&read),
            expected.clone().collect::<Vec<_>>(),
            "{name}"
        );
        assert_eq!(read.next_offset, expected.end, "{name}");
        let bytes: usize = read.chunks.iter().map(Chunk::len).sum();
        assert_eq!(read.bytes, bytes, "{name}");
    }
}

#[test]
fn small_runs_near_each_other_are_read_at_once() {
    let mut fixture = Fixture::new();
    let frames: Vec<Vec<NewRun>> = (0..100).map(|_| vec![run(1, 1), run(2, 1)]).collect();
    let frames: Vec<&[NewRun]> = frames.iter().map(Vec::as_slice).collect();
    fixture.journal(&frames);
    fixture.read(1, 0).unwrap();
    let before = fixture.disk.counts().reads;
    let read = fixture.read(1, 0).unwrap().unwrap();
    assert_eq!(batch_offsets(&read).len(), 100);
    // 100 frames of a block each: two stretches of at most 256 KiB.
    assert_eq!(fixture.disk.counts().reads - before, 2);
    // What is given out does not hold on to what lay between.
    let held: usize = read.chunks.iter().map(Chunk::len).sum();
    assert!(held < 100 * 200);
}

#[test]
fn large_runs_are_read_whole() {
    let mut fixture = Fixture::new();
    let large = NewRun {
        value_bytes: 300 << 10,
        ..run(1, 3)
    };
    fixture.journal(&[&[large], &[large]]);
    assert_eq!(fixture.offsets(1, 0), (0..6).collect::<Vec<_>>());
    assert_eq!(fixture.offsets(1, 4), [4, 5]);
}

#[test]
fn finds_timestamps() {
    let fixture = five_files();
    for (timestamp, offsets, expected) in [
        (0, 0..50, Some(0)),
        (100, 0..50, Some(0)),
        (101, 0..50, Some(10)),
        (300, 0..50, Some(20)),
        (300, 25..50, Some(25)),
        (300, 33..50, Some(33)),
        (450, 0..50, Some(40)),
        (450, 0..40, None),
        (501, 0..50, None),
    ] {
        let found = fixture
            .segments
            .find_timestamp(fixture.log(1), timestamp, offsets.clone());
        let base = found.unwrap().map(|batch| {
            let read = Read {
                chunks: vec![Chunk::Bytes(batch)],
                ..Read::default()
            };
            batch_offsets(&read)[0]
        });
        assert_eq!(base, expected, "{timestamp} in {offsets:?}");
    }
}

#[test]
fn tells_which_bytes_a_moved_start_frees() {
    let fixture = five_files();
    let bytes = |file: u64, runs: std::ops::Range<usize>| {
        let footer = fixture.footer(J(file));
        let log = footer.log(1).unwrap();
        let runs = &footer.runs(log)[runs];
        (
            J(file),
            runs.iter().map(|run| u64::from(run.bytes)).sum::<u64>(),
        )
    };
    for (offsets, expected) in [
        (0..4, vec![]),
        (0..5, vec![bytes(1, 0..1)]),
        (0..14, vec![bytes(1, 0..2)]),
        (5..15, vec![bytes(1, 1..2), bytes(2, 0..1)]),
        (12..30, vec![bytes(2, 0..2), bytes(3, 0..2)]),
        (48..i64::MAX, vec![bytes(5, 1..2)]),
    ] {
        let dead = fixture
            .segments
            .dead_bytes(fixture.log(1), offsets.clone())
            .unwrap();
        assert_eq!(dead, expected, "{offsets:?}");
    }
}

#[test]
fn a_bad_footer_of_a_journal_file_is_built_again() {
    for bad in [vec![2], vec![4], vec![1, 2, 3, 4, 5]] {
        let mut fixture = five_files();
        for number in &bad {
            let bytes = fixture.manifest.read().file(J(*number)).unwrap().size.bytes;
            fixture.disk.flip_bit(&J(*number).name(), bytes - 4096, 0);
        }
        fixture.reopen();
        assert_eq!(
            fixture.offsets(1, 0),
            (0..50).collect::<Vec<_>>(),
            "{bad:?}"
        );
        assert_eq!(
            fixture.offsets(2, 0),
            (0..10).collect::<Vec<_>>(),
            "{bad:?}"
        );
    }
}

#[test]
fn a_rebuilt_footer_lists_the_same_runs() {
    let mut fixture = five_files();
    let good = fixture.footer(J(4));
    let bytes = fixture.manifest.read().file(J(4)).unwrap().size.bytes;
    fixture.disk.flip_bit(&J(4).name(), bytes - 4096, 0);
    fixture.reopen();
    let rebuilt = fixture.footer(J(4));
    for (a, b) in good.logs().iter().zip(rebuilt.logs()) {
        assert_eq!(good.runs(a), rebuilt.runs(b));
        assert_eq!((a.log_id, a.end_offset), (b.log_id, b.end_offset));
    }
    assert_eq!(rebuilt.span().first_sequence, 7);
    assert_eq!(rebuilt.span().last_sequence, 8);
}

#[test]
fn a_damaged_run_is_told_and_all_else_is_served() {
    let mut fixture = five_files();
    let footer = fixture.footer(J(3));
    let position = footer.runs(footer.log(1).unwrap())[1].position;
    // In the payload, under the batch's CRC; and in the offset, which only the run's checksum covers.
    for at in [position + 80, position + 7] {
        fixture.disk.flip_bit(&J(3).name(), at, 0);
        fixture.reopen();
        let read = fixture.read(1, 20).unwrap().unwrap();
        assert_eq!((batch_offsets(&read).len(), read.next_offset), (5, 25));
        let error = fixture.read(1, 25).unwrap_err();
        assert_eq!(damaged(&error), (J(3), 25, 30));
        assert_eq!(fixture.offsets(1, 30), (30..50).collect::<Vec<_>>());
        assert_eq!(fixture.offsets(2, 0), (0..10).collect::<Vec<_>>());
        fixture.disk.flip_bit(&J(3).name(), at, 0);
    }
    fixture.reopen();
    assert_eq!(fixture.offsets(1, 20).len(), 30);
}

#[test]
fn lost_frames_are_a_hole_until_it_is_accepted() {
    let mut fixture = five_files();
    let name = J(3).name();
    // Footer and second frame: the rebuilt index knows offsets 20 to 25 only.
    let bytes = fixture.manifest.read().file(J(3)).unwrap().size.bytes;
    fixture.disk.flip_bit(&name, bytes - 4096, 0);
    fixture.disk.flip_bit(&name, 2 * BLOCK_BYTES as u64 + 20, 0);
    fixture.reopen();
    assert_eq!(fixture.read(1, 22).unwrap().unwrap().next_offset, 25);
    let error = fixture.read(1, 26).unwrap_err();
    assert_eq!(damaged(&error), (J(4), 26, 30));
    let found = fixture.segments.find_timestamp(fixture.log(1), 350, 0..50);
    assert_eq!(damaged(&found.unwrap_err()), (J(4), 25, 30));
    fixture.manifest.write().accept_hole(Hole {
        file: J(3),
        first_sequence: 6,
        last_sequence: 6,
    });
    let expected: Vec<_> = (20..25).chain(30..50).collect();
    assert_eq!(fixture.offsets(1, 20), expected);
}

#[test]
fn an_accepted_damaged_run_is_passed_over() {
    let mut fixture = five_files();
    let footer = fixture.footer(J(3));
    let position = footer.runs(footer.log(1).unwrap())[0].position;
    fixture.disk.flip_bit(&J(3).name(), position + 80, 0);
    fixture.reopen();
    assert!(fixture.read(1, 20).is_err());
    fixture.manifest.write().accept_hole(Hole {
        file: J(3),
        first_sequence: 5,
        last_sequence: 5,
    });
    let expected: Vec<_> = (0..20).chain(25..50).collect();
    assert_eq!(fixture.offsets(1, 0), expected);
}

#[test]
fn a_file_without_header_takes_only_its_own_offsets_with_it() {
    let mut fixture = five_files();
    fixture.disk.flip_bit(&J(2).name(), 20, 0);
    fixture.reopen();
    assert_eq!(damaged(&fixture.read(1, 13).unwrap_err()), (J(2), 13, 20));
    assert_eq!(fixture.read(1, 5).unwrap().unwrap().next_offset, 10);
    assert_eq!(fixture.offsets(1, 20), (20..50).collect::<Vec<_>>());
    assert_eq!(fixture.offsets(2, 5), (5..10).collect::<Vec<_>>());
    assert_eq!(damaged(&fixture.read(2, 0).unwrap_err()), (J(2), 0, 5));
    // The newest file: nobody knows where its offsets end.
    fixture.disk.flip_bit(&J(5).name(), 20, 0);
    fixture.reopen();
    assert_eq!(
        damaged(&fixture.read(1, 45).unwrap_err()),
        (J(5), 45, i64::MAX)
    );
    assert_eq!(fixture.read(1, 35).unwrap().unwrap().next_offset, 40);
}

#[test]
fn deleted_files_end_the_trail() {
    let mut fixture = five_files();
    fixture.offsets(1, 0);
    for number in [1, 2, 3] {
        fixture.manifest.write().delete(J(number), 1).unwrap();
        assert!(fixture.segments.close(J(number)));
        fixture.disk.remove(&J(number).name()).unwrap();
        fixture.segments.forget(J(number));
    }
    for _ in 0..2 {
        let error = fixture.read(1, 15).unwrap_err();
        assert!(matches!(error, ReadError::Gone { .. }), "{error}");
        assert_eq!(fixture.offsets(1, 30), (30..50).collect::<Vec<_>>());
        assert_eq!(fixture.offsets(2, 5), (5..10).collect::<Vec<_>>());
        fixture.reopen();
    }
}

#[test]
fn runs_are_verified_once_until_their_index_is_forgotten() {
    let fixture = five_files();
    let index = fixture.segments.index(J(1)).unwrap();
    assert!(!index.is_verified(0));
    fixture.read(1, 0).unwrap();
    assert!(index.is_verified(0) && index.is_verified(1));
    // Rot that comes after the check goes unseen until then.
    let footer = fixture.footer(J(1));
    let position = footer.runs(footer.log(1).unwrap())[0].position;
    fixture.disk.flip_bit(&J(1).name(), position + 80, 0);
    fixture.read(1, 0).unwrap();
    fixture.segments.close(J(1));
    fixture.segments.forget(J(1));
    assert_eq!(damaged(&fixture.read(1, 0).unwrap_err()), (J(1), 0, 5));
}

#[test]
fn a_disk_error_is_not_damage() {
    let fixture = five_files();
    fixture.disk.add_fault(Fault {
        op: Op::Read,
        name_part: "1.journal",
        // Its header and footer are read first.
        after: 3,
        times: 1,
        error: FaultError::Io,
    });
    let error = fixture.read(1, 0).unwrap_err();
    assert!(
        matches!(error, ReadError::Io { file, .. } if file == J(1)),
        "{error}"
    );
    assert_eq!(fixture.offsets(1, 0).len(), 50);
}

#[test]
fn a_file_whose_index_cannot_be_read_hides_no_older_one() {
    for (block, lost) in [(0, true), (1, false)] {
        let fixture = five_files();
        // Of the header, or of the footer at the end.
        let bytes = fixture.disk.contents(&J(5).name()).unwrap().len() as u64;
        let position = if block == 0 { 0 } else { bytes - 4096 };
        fixture.disk.set_unreadable(&J(5).name(), position);
        for offset in 0..40 {
            let read = fixture.read(1, offset).unwrap().unwrap();
            assert!(read.next_offset > offset);
        }
        let newest = fixture.read(1, 45);
        assert_eq!(newest.is_err(), lost, "{newest:?}");
        if let Err(error) = newest {
            assert!(matches!(error, ReadError::Damaged(_)), "{error}");
        }
    }
}

#[test]
fn long_trails_with_small_caches() {
    let mut fixture = Fixture::with_limits(SegmentLimits {
        files_max: 2,
        footer_bytes_max: 2000,
        waypoints_max: 20,
    });
    for number in 0..60 {
        match number % 3 {
            0 => fixture.journal(&[&[run(1, 2)]]),
            1 => fixture.journal(&[&[run(2, 2), run(1, 1)]]),
            _ => fixture.journal(&[&[run(3, 1)]]),
        };
    }
    for log_id in 1..=3 {
        let end = fixture.ends[&log_id];
        assert_eq!(fixture.offsets(log_id, 0), (0..end).collect::<Vec<_>>());
    }
}
