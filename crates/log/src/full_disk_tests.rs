//! What a journal does without room on its disk: what goes on, what waits, and how it comes back by
//! itself once something is deleted.

use std::sync::Arc;

use crate::crash_tests::{batch, config, options, read_all};
use crate::disk::Disk;
use crate::disk::sim::{Fault, FaultError, Op, SimDisk};
use crate::{
    AppendError, AppendOptions, Appended, Durability, Journal, JournalOptions, Log, LogConfig,
    ManualClock,
};

const OPTIONS: AppendOptions = AppendOptions { leader_epoch: 0 };

fn open(disk: &SimDisk, options: JournalOptions) -> (Arc<Journal>, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(1_700_000_000_000));
    let opened = Journal::open(Arc::new(disk.clone()), clock.clone(), options);
    (opened.unwrap().0, clock)
}

fn append(log: &Arc<Log>, id: u64, value_bytes: usize) -> Result<Appended, AppendError> {
    log.append(&batch(id, 1, value_bytes, None), OPTIONS)
}

/// Appends and commits batches until so many are taken or the disk is full.
fn fill(journal: &Arc<Journal>, log: &Arc<Log>, batches: u64) -> u64 {
    let mut taken = 0;
    for id in 0..batches {
        match append(log, id, 3000) {
            Ok(_) => taken += 1,
            Err(error) => assert_eq!(error, AppendError::Full),
        }
        step(journal, 1);
    }
    taken
}

fn step(journal: &Arc<Journal>, steps: usize) {
    for _ in 0..steps {
        journal.commit_step();
        journal.sync_step();
        journal.maintenance_step();
    }
}

fn without_room(op: Op, name_part: &'static str) -> Fault {
    Fault {
        op,
        name_part,
        after: 0,
        times: u64::MAX,
        error: FaultError::NoSpace,
    }
}

#[test]
fn room_that_a_deleted_log_gives_back_is_taken_by_produces() {
    let disk = SimDisk::new(1);
    disk.set_capacity_bytes(Some(1200 << 10));
    let (journal, _) = open(&disk, options(1));
    let deleted = journal.open_log(4, config(Durability::Sync));
    assert_eq!(fill(&journal, &deleted, 150), 150);
    let user = journal.open_log(2, config(Durability::Sync));
    let taken = fill(&journal, &user, 400);
    assert!(taken < 300 && journal.status().full);
    journal.delete_logs(&[4]);
    step(&journal, 20);
    assert!(!journal.status().full);
    assert!(fill(&journal, &user, 20) == 20);
    assert_eq!(read_all(&user).len() as u64, taken + 20);
}

#[test]
fn a_snapshot_without_room_holds_up_nothing_else() {
    let disk = SimDisk::new(1);
    disk.set_capacity_bytes(Some(1200 << 10));
    let (journal, clock) = open(&disk, options(1));
    let deleted = journal.open_log(4, config(Durability::Sync));
    fill(&journal, &deleted, 150);
    disk.add_fault(without_room(Op::Write, ".snapshot"));
    let user = journal.open_log(2, config(Durability::Sync));
    let taken = fill(&journal, &user, 400);
    assert!(taken < 300 && journal.status().full);
    journal.delete_logs(&[4]);
    step(&journal, 20);
    assert!(!journal.status().full && journal.status().failed.is_none());
    let left_over = |name: &String| name.ends_with(".tmp");
    assert!(!disk.names().unwrap().iter().any(left_over));
    // It is not tried over and over, and tried again in time.
    let changes = disk.counts().changes;
    step(&journal, 5);
    assert_eq!(disk.counts().changes, changes);
    disk.clear_faults();
    clock.advance_ms(60_000);
    let before = disk.names().unwrap();
    step(&journal, 2);
    assert_ne!(disk.names().unwrap(), before, "a snapshot is there");
}

#[test]
fn a_footer_without_room_holds_up_nothing_else() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk, options(1));
    let deleted = journal.open_log(4, config(Durability::Sync));
    fill(&journal, &deleted, 200);
    let user = journal.open_log(2, config(Durability::Sync));
    let files = journal.status().files;
    for id in 0..40 {
        if journal.status().files == files {
            append(&user, id, 3000).unwrap();
            journal.commit_step();
        }
    }
    assert_eq!(journal.status().files, files + 1);
    // The spare still has room, the footer has not.
    disk.add_fault(Fault {
        after: 1,
        ..without_room(Op::SetLen, ".journal")
    });
    journal.delete_logs(&[4]);
    step(&journal, 5);
    assert!(journal.status().files < files && journal.status().failed.is_none());
    disk.clear_faults();
    assert!(fill(&journal, &user, 20) == 20);
}

#[test]
fn a_full_disk_is_left_alone_until_there_is_room() {
    let disk = SimDisk::new(1);
    disk.set_capacity_bytes(Some(800 << 10));
    let (journal, _) = open(&disk, options(1));
    let user = journal.open_log(2, config(Durability::Sync));
    fill(&journal, &user, 300);
    assert!(journal.status().full);
    let changes = disk.counts().changes;
    step(&journal, 5);
    assert_eq!(disk.counts().changes, changes);
}

#[test]
fn retention_that_finds_no_place_comes_again_soon() {
    let disk = SimDisk::new(1);
    let (journal, clock) = open(
        &disk,
        JournalOptions {
            retention_check_interval_ms: 300_000,
            ..options(1)
        },
    );
    let retained = LogConfig {
        deletes: true,
        retention_bytes: 20_000,
        ..config(Durability::Sync)
    };
    let log = journal.open_log(2, retained);
    disk.add_fault(without_room(Op::SetLen, ".journal"));
    journal.maintenance_step();
    fill(&journal, &log, 40);
    for _ in 0..100 {
        let _ = append(&log, 1, 8);
        journal.commit_step();
    }
    clock.advance_ms(300_001);
    journal.maintenance_step();
    disk.clear_faults();
    step(&journal, 2);
    assert_eq!(log.start_offset(), 0, "there was no place");
    clock.advance_ms(2000);
    step(&journal, 2);
    assert!(log.start_offset() > 0);
}

#[test]
fn dead_bytes_that_could_not_be_counted_are_counted_later() {
    let disk = SimDisk::new(1);
    let (journal, clock) = open(
        &disk,
        JournalOptions {
            footer_cache_bytes: 1,
            ..options(1)
        },
    );
    let deleted = journal.open_log(4, config(Durability::Sync));
    fill(&journal, &deleted, 200);
    let user = journal.open_log(2, config(Durability::Sync));
    fill(&journal, &user, 100);
    let files = journal.status().files;
    // Some error that says nothing about the file.
    disk.add_fault(without_room(Op::Read, ".journal"));
    journal.delete_logs(&[4]);
    step(&journal, 3);
    disk.clear_faults();
    assert_eq!(journal.status().files, files);
    clock.advance_ms(60_000);
    step(&journal, 20);
    let left = journal.status().files;
    assert!(left + 3 < files, "{left} of {files} files are left");
    assert_eq!(read_all(&user).len(), 100);
}
