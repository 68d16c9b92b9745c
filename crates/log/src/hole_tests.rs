//! Rules 7 and 9 of storage.md: frames that rot away between good ones. Who lost what is known from the
//! frame behind; where it cannot be known no offset is given twice; what is rotten is never given out.

use std::sync::Arc;

use crate::crash_tests::{batch, read_all};
use crate::disk::sim::SimDisk;
use crate::log::SKIPPED_OFFSETS;
use crate::rules_tests::{
    append, frame_of, open, open_log, quiet, rot_frame, scan, small, try_open,
};
use crate::writer::PREVIOUS_MAX;
use crate::{AppendOptions, Journal, Log, LogId, OpenError, ReadError};

/// A closed journal of one frame for each of these lists of logs. Their sequences are 2, 3, ...
fn frames(lists: &[&[LogId]]) -> SimDisk {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk, quiet(1));
    for (id, logs) in (0..).zip(lists) {
        frame_of(&journal, logs, id);
    }
    journal.close();
    disk
}

fn opened(disk: &SimDisk, seed: u64, known: &[LogId]) -> Arc<Journal> {
    let (journal, recovered) = open(disk, quiet(seed));
    assert_eq!(recovered.holes.len(), 1);
    for id in known {
        open_log(&journal, *id);
    }
    journal.retain_only(known);
    journal
}

fn lost(log: &Log, from: i64) -> Option<(i64, i64)> {
    match log.read(from, i64::MAX, 5000, true) {
        Err(ReadError::Damaged {
            first_offset,
            last_offset,
            ..
        }) => Some((first_offset, last_offset)),
        Ok(_) => None,
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn the_frame_behind_a_hole_says_who_lost_what() {
    let disk = frames(&[&[2, 3], &[2, 3], &[2, 4], &[5]]);
    rot_frame(&disk, 1, 4);
    let journal = opened(&disk, 2, &[2, 3, 4, 5, 6]);
    let (second, fourth) = (open_log(&journal, 2), open_log(&journal, 4));
    assert_eq!((second.end_offset(), fourth.end_offset()), (3, 1));
    assert_eq!(lost(&second, 0), None);
    assert_eq!(lost(&second, 2), Some((2, 2)));
    assert_eq!(lost(&fourth, 0), Some((0, 0)));
    // All offsets are known: none is left out, none is given twice.
    for (id, end) in [(2, 3), (3, 2), (4, 1), (5, 1), (6, 0)] {
        assert_eq!(
            append(&open_log(&journal, id), 9, 10).base_offset,
            end,
            "log {id}"
        );
    }
}

#[test]
fn behind_several_bad_frames_offsets_jump_ahead() {
    let disk = frames(&[&[2, 3, 5], &[2, 4], &[2], &[3]]);
    rot_frame(&disk, 1, 3);
    rot_frame(&disk, 1, 4);
    let mut disk = disk;
    // Neither starts nor power cuts forget it.
    for start in 2..5 {
        drop(opened(&disk, start, &[2, 3, 4, 5]));
        disk = disk.crash(start);
    }
    let journal = opened(&disk, 9, &[2, 3, 4, 5]);
    for (id, base) in [
        // The frame behind names its last offset, but who knows which frames held it.
        (2, 3 + SKIPPED_OFFSETS),
        // It goes on behind the hole.
        (3, 2),
        // All it ever had is lost.
        (4, SKIPPED_OFFSETS),
        (5, 1 + SKIPPED_OFFSETS),
    ] {
        let log = open_log(&journal, id);
        assert_eq!(append(&log, 8, 10).base_offset, base, "log {id}");
        assert_eq!(append(&log, 9, 10).base_offset, base + 1, "log {id}");
    }
    assert!(journal.commit_step());
    drop(journal);
    // A jump is no damage to the next start.
    let journal = opened(&disk.crash(3), 10, &[2, 3, 4, 5]);
    let second = open_log(&journal, 2);
    assert_eq!(second.end_offset(), 5 + SKIPPED_OFFSETS);
    assert_eq!(lost(&second, 1), Some((1, 2 + SKIPPED_OFFSETS)));
    assert_eq!(lost(&second, 3 + SKIPPED_OFFSETS), None);
    assert_eq!(append(&second, 10, 10).base_offset, 5 + SKIPPED_OFFSETS);
}

/// A frame names only so many predecessors: of more logs than that some may have lost what nobody names.
#[test]
fn behind_a_frame_of_very_many_logs_offsets_jump_ahead() {
    let large = |seed| crate::JournalOptions {
        file_bytes: 4 << 20,
        frame_bytes_max: 2 << 20,
        ..quiet(seed)
    };
    let logs: Vec<LogId> = (2..PREVIOUS_MAX as u64 + 100).collect();
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk, large(1));
    for log in &logs {
        append(&open_log(&journal, *log), 1, 8);
    }
    assert!(journal.commit_step());
    frame_of(&journal, &[2], 2);
    journal.close();
    drop(journal);
    rot_frame(&disk, 1, 2);
    let (journal, recovered) = open(&disk, large(2));
    assert_eq!(recovered.holes.len(), 1);
    for log in &logs {
        open_log(&journal, *log);
    }
    journal.retain_only(&logs);
    let mut unnamed = 0;
    for id in &logs[1..] {
        let base = append(&open_log(&journal, *id), 3, 8).base_offset;
        assert!(base >= SKIPPED_OFFSETS, "log {id} gives offset {base}");
        unnamed += usize::from(base == SKIPPED_OFFSETS);
    }
    assert!(unnamed > 50, "{unnamed} logs were not named");
}

#[test]
fn who_lost_records_starts_its_producers_anew() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk, quiet(1));
    let options = AppendOptions { leader_epoch: 0 };
    for sequence in 0..3 {
        let log = open_log(&journal, 2);
        log.append(&batch(7, 1, 100, Some(sequence)), options)
            .unwrap();
        journal.commit_step();
    }
    frame_of(&journal, &[3], 1);
    journal.close();
    drop(journal);
    rot_frame(&disk, 1, 4);
    let journal = opened(&disk, 2, &[2, 3]);
    // Its producer was told of the lost batch and goes on behind it.
    let log = open_log(&journal, 2);
    let next = log.append(&batch(7, 1, 100, Some(3)), options).unwrap();
    assert!(!next.duplicate);
    assert_eq!(next.base_offset, 3);
}

/// Once the frames around the hole are only in snapshots.
#[test]
fn snapshots_know_who_must_jump() {
    let mut disk = frames(&[&[2], &[2, 4], &[2], &[3]]);
    rot_frame(&disk, 1, 3);
    rot_frame(&disk, 1, 4);
    for start in 2..4 {
        let (journal, _) = open(&disk, small(start));
        for id in 0..40 {
            append(&open_log(&journal, 3), id, 9000);
            journal.commit_step();
            journal.maintenance_step();
        }
        drop(journal);
        disk = disk.crash(start);
    }
    let (journal, recovered) = open(&disk, small(9));
    assert!(recovered.holes.is_empty(), "it lies before the snapshot");
    let logs = [2, 4].map(|id| open_log(&journal, id));
    journal.retain_only(&[2, 3, 4]);
    for (log, base) in logs.iter().zip([3 + SKIPPED_OFFSETS, SKIPPED_OFFSETS]) {
        let id = log.id();
        assert_eq!(append(log, 8, 10).base_offset, base, "log {id}");
    }
}

#[test]
fn a_hole_in_the_metadata_refuses_the_start() {
    for log in [0, 1] {
        let disk = frames(&[&[1, 2], &[log, 2], &[2]]);
        rot_frame(&disk, 1, 3);
        match try_open(&disk, quiet(2)) {
            Err(OpenError::Damaged { what, .. }) => {
                assert!(what.contains(&format!("of log {log} are lost")), "{what}");
            }
            other => panic!("log {log}: {other:?}"),
        }
    }
}

/// Rule 9: whatever holds it, open or sealed, merged or in a frame of its own, a rotten run is told.
#[test]
fn what_rots_while_the_broker_runs_is_never_given_out() {
    let disk = SimDisk::new(1);
    let options = crate::JournalOptions {
        tail_cache_bytes: 0,
        ..small(1)
    };
    let (journal, _) = open(&disk, options);
    let log = open_log(&journal, 2);
    for id in 0..80 {
        append(&log, id, 3000);
        journal.commit_step();
        journal.maintenance_step();
    }
    let active = journal.status().files;
    let (mut told, mut files) = (0, 0);
    for number in 1..=active {
        files += 1;
        for found in scan(&disk, number).frames {
            let Some(run) = found.frame.runs.iter().find(|run| run.log_id == 2) else {
                continue;
            };
            let (offset, position) = (run.base_offset, found.position + 2000);
            disk.flip_bit(&format!("{number:016x}.journal"), position, 5);
            assert_eq!(lost(&log, offset), Some((offset, offset)), "file {number}");
            told += 1;
        }
    }
    assert!(told == 80 && files > 2, "{told} of 80 in {files} files");
}

/// Lost for good, by the operator's word: reads pass over it, and nothing else changes.
#[test]
fn an_accepted_hole_is_passed_over() {
    let disk = frames(&[&[2, 3], &[2, 3], &[2, 3], &[3]]);
    rot_frame(&disk, 1, 3);
    let (journal, recovered) = open(&disk, quiet(2));
    let log = open_log(&journal, 2);
    assert_eq!(lost(&log, 1), Some((1, 1)));
    journal.accept_hole(recovered.holes[0]).unwrap();
    journal.commit_step();
    assert_eq!(read_all_but_holes(&log), [0, 2]);
    drop(journal);
    let (journal, _) = open(&disk.crash(1), quiet(3));
    assert_eq!(read_all_but_holes(&open_log(&journal, 2)), [0, 2]);
}

fn read_all_but_holes(log: &Log) -> Vec<i64> {
    let mut bases = Vec::new();
    let mut next = 0;
    while next < log.high_watermark() {
        let chunks = log.read(next, i64::MAX, 1, true).unwrap();
        let bytes = chunks[0].clone();
        let batch = protocol::batch::Batch::single(&bytes).unwrap();
        bases.push(batch.header().base_offset);
        next = batch.header().next_offset();
    }
    bases
}

#[test]
fn reads_around_a_hole_give_everything_else() {
    let disk = frames(&[&[2], &[2], &[2]]);
    let (journal, _) = open(&disk, quiet(2));
    assert_eq!(
        read_all(&open_log(&journal, 2)),
        [(0, 1, 0), (1, 2, 1), (2, 3, 2)]
    );
    drop(journal);
    rot_frame(&disk, 1, 3);
    let (journal, _) = open(&disk, quiet(3));
    let log = open_log(&journal, 2);
    assert_eq!(
        [lost(&log, 0), lost(&log, 1), lost(&log, 2)],
        [None, Some((1, 1)), None]
    );
}
