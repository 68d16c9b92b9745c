//! What a journal does without room on its disk: what goes on, what waits, and how it comes back by
//! itself once something is deleted.

use std::sync::Arc;

use crate::crash_tests::{batch, config, options, read_all};
use crate::disk::Disk;
use crate::disk::sim::{Fault, FaultError, Op, SimDisk};
use crate::{
    AppendError, AppendOptions, Appended, Durability, Journal, JournalOptions, Log, LogClass,
    LogConfig, ManualClock,
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
    disk.set_capacity_bytes(Some(1600 << 10));
    let (journal, clock) = open(&disk, options(1));
    let deleted = journal.open_log(4, config(Durability::Sync));
    fill(&journal, &deleted, 250);
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

fn used_bytes(disk: &SimDisk) -> u64 {
    disk.set_capacity_bytes(Some(1 << 40));
    (1 << 40) - disk.free_bytes().unwrap()
}

/// Others take what room is left.
fn leave_no_room(disk: &SimDisk) {
    let used = used_bytes(disk);
    disk.set_capacity_bytes(Some(used));
}

fn internal() -> LogConfig {
    LogConfig {
        class: LogClass::Internal,
        ..config(Durability::Sync)
    }
}

#[test]
fn a_start_finds_room_on_a_full_disk_again_and_again() {
    for durability in [Durability::Sync, Durability::Os] {
        let disk = SimDisk::new(1);
        let large = |seed| JournalOptions {
            file_bytes: 2 << 20,
            ..options(seed)
        };
        disk.set_capacity_bytes(Some(10 << 20));
        let (journal, _) = open(&disk, large(1));
        let user = journal.open_log(2, config(durability));
        let taken = fill(&journal, &user, 2500);
        assert!(taken < 2400 && journal.status().full);
        let offsets = journal.open_log(3, internal());
        // The broker's own records go on, in the reserve, until that is full too.
        let mut committed = 0;
        for id in 0..2000 {
            if append(&offsets, id, 1000).is_ok() {
                committed += 1;
            }
            journal.commit_step();
            journal.maintenance_step();
        }
        assert!(committed > 20);
        drop((journal, user, offsets));
        let mut disk = disk;
        for turn in 0..3 {
            disk = disk.crash(turn);
            leave_no_room(&disk);
            let (journal, _) = open(&disk, large(10 + turn));
            let user = journal.open_log(2, config(durability));
            let offsets = journal.open_log(3, internal());
            assert_eq!(read_all(&offsets).len(), committed, "start {turn}");
            assert_eq!(read_all(&user).len() as u64, taken, "start {turn}");
        }
        let (journal, _) = open(&disk, large(90));
        journal.delete_logs(&[2]);
        step(&journal, 30);
        assert!(!journal.status().full, "{durability:?}");
    }
}

/// A journal on a disk that is full to the last byte, whose files hold a little of log 3 and log 4.
fn full_of_two_logs(disk: &SimDisk, snapshot_tail_bytes_min: u64) -> (Arc<Journal>, u64) {
    let options = JournalOptions {
        file_bytes: 1 << 20,
        snapshot_tail_bytes_min,
        ..options(1)
    };
    disk.set_capacity_bytes(Some(12 << 20));
    let (journal, _) = open(disk, options);
    let kept = journal.open_log(3, internal());
    let bulk = journal.open_log(4, config(Durability::Sync));
    let mut count = 0;
    for id in 0..5000 {
        if id % 50 == 0 && append(&kept, id, 500).is_ok() {
            count += 1;
        }
        let _ = append(&bulk, id, 3000);
        step(&journal, 1);
        if journal.status().full {
            break;
        }
    }
    assert!(journal.status().full);
    leave_no_room(disk);
    (journal, count)
}

#[test]
fn merges_that_give_more_than_they_take_go_on_without_room() {
    let disk = SimDisk::new(1);
    let (journal, count) = full_of_two_logs(&disk, 200 << 10);
    let files = journal.status().files;
    journal.delete_logs(&[4]);
    step(&journal, 100);
    let status = journal.status();
    assert!(!status.full && status.failed.is_none());
    assert!(status.files <= files / 2, "{} of {files}", status.files);
    let kept = journal.open_log(3, internal());
    assert_eq!(read_all(&kept).len() as u64, count);
    let user = journal.open_log(5, config(Durability::Sync));
    assert_eq!(fill(&journal, &user, 400), 400);
}

#[test]
fn a_full_disk_makes_a_snapshot_due_that_lets_dead_files_go() {
    let disk = SimDisk::new(1);
    let (journal, count) = full_of_two_logs(&disk, u64::MAX / 16);
    let snapshots = || {
        let names = disk.names().unwrap();
        names.iter().filter(|n| n.ends_with(".snapshot")).count()
    };
    assert_eq!(snapshots(), 0);
    journal.delete_logs(&[4]);
    step(&journal, 100);
    assert_eq!(snapshots(), 2);
    assert!(!journal.status().full);
    drop(journal);
    let (journal, _) = open(&disk.crash(1), options(2));
    let kept = journal.open_log(3, internal());
    assert_eq!(read_all(&kept).len() as u64, count);
}

#[test]
fn the_first_file_that_comes_back_is_for_the_brokers_own_logs() {
    let disk = SimDisk::new(1);
    disk.set_capacity_bytes(Some(1200 << 10));
    let (journal, _) = open(&disk, options(1));
    let user = journal.open_log(2, config(Durability::Sync));
    let taken = fill(&journal, &user, 400);
    let offsets = journal.open_log(3, internal());
    let on_reserve = |name: &String| name == "reserve.journal";
    for id in 0..100 {
        if disk.names().unwrap().iter().any(on_reserve) {
            append(&offsets, id, 1000).unwrap();
            step(&journal, 1);
        }
    }
    // Room for one file, then for one more.
    let used = used_bytes(&disk);
    for (files, is_full) in [(1, true), (2, false)] {
        disk.set_capacity_bytes(Some(used + files * (128 << 10) + (64 << 10)));
        step(&journal, 3);
        assert_eq!(journal.status().full, is_full, "{files} files");
        append(&offsets, 0, 1000).unwrap();
    }
    assert_eq!(fill(&journal, &user, 5), 5);
    assert_eq!(read_all(&user).len() as u64, taken + 5);
}

#[test]
fn a_clean_stop_has_its_room_in_the_last_file() {
    // However full it is, and however many logs the last frame had that the closing one lists.
    for small_frames in 0..24 {
        let disk = SimDisk::new(1);
        let large = |seed| JournalOptions {
            file_bytes: 1 << 20,
            frame_bytes_max: 1 << 20,
            ..options(seed)
        };
        let (journal, _) = open(&disk, large(1));
        leave_no_room(&disk);
        let logs: Vec<Arc<Log>> = (2..1502)
            .map(|id| journal.open_log(id, config(Durability::Sync)))
            .collect();
        for id in 0..small_frames {
            append(&logs[0], id, 8).unwrap();
            journal.commit_step();
        }
        for turn in 0..20 {
            for log in &logs {
                let _ = append(log, turn, 8);
            }
            journal.commit_step();
        }
        journal.close();
        drop((journal, logs));
        disk.set_capacity_bytes(None);
        let clock = Arc::new(ManualClock::new(1_700_000_000_000));
        let opened = Journal::open(Arc::new(disk.clone()), clock, large(2)).unwrap();
        assert!(opened.1.clean, "{small_frames} small frames");
    }
}

#[test]
fn a_merge_borrows_what_is_set_aside() {
    let disk = SimDisk::new(1);
    let large = JournalOptions {
        file_bytes: 1 << 20,
        ..options(1)
    };
    let (journal, _) = open(&disk, large);
    let kept = journal.open_log(3, internal());
    let bulk = journal.open_log(4, config(Durability::Sync));
    for id in 0..1500 {
        if id % 50 == 0 {
            append(&kept, id, 500).unwrap();
        }
        append(&bulk, id, 3000).unwrap();
        step(&journal, 1);
    }
    journal.upkeep.lock().merge_not_before_ms = i64::MAX;
    journal.delete_logs(&[4]);
    step(&journal, 5);
    leave_no_room(&disk);
    let mut upkeep = journal.upkeep.lock();
    upkeep.merge_not_before_ms = 0;
    for _ in 0..5 {
        journal.merge_step(&mut upkeep).unwrap();
    }
    drop(upkeep);
    let merged = |name: &String| name.ends_with(".merged");
    assert!(disk.names().unwrap().iter().any(merged));
    step(&journal, 3);
    assert_eq!(read_all(&kept).len(), 30);
}
