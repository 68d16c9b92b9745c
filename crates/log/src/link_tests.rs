//! Rule 6 of storage.md: what a backup by hard links shares with the journal is never changed under it.

use std::collections::BTreeMap;

use crate::crash_tests::{config, is_acknowledged, read_all};
use crate::disk::Disk;
use crate::disk::sim::SimDisk;
use crate::file_id::FileId;
use crate::rules_tests::{append, frame_of, open, open_log, quiet, small, tend};
use crate::{AppendError, AppendOptions, Durability, LogClass, LogConfig};

/// Gives every file a second name, and keeps what it holds.
fn back_up(disk: &SimDisk, mark: &str) -> BTreeMap<String, Vec<u8>> {
    let mut kept = BTreeMap::new();
    for name in disk.names().unwrap() {
        // Room set aside holds nothing that could change.
        if name.starts_with("backup") || name.ends_with(".room") {
            continue;
        }
        let link = format!("backup-{mark}-{name}");
        disk.link(&name, &link);
        kept.insert(link, disk.contents(&name).unwrap());
    }
    disk.sync_folder().unwrap();
    kept
}

fn check(disk: &SimDisk, kept: &BTreeMap<String, Vec<u8>>) {
    for (link, bytes) in kept {
        assert!(
            disk.contents(link).as_ref() == Some(bytes),
            "{link} has changed"
        );
    }
}

/// Sealed, cut, emptied, merged, used again: none of it is done to a file that has a second name.
#[test]
fn a_backup_by_links_does_not_change() {
    for is_clean in [true, false] {
        let disk = SimDisk::new(1);
        let (journal, _) = open(&disk, small(1));
        tend(&journal, &disk, Durability::Sync);
        if is_clean {
            journal.close();
        }
        drop(journal);
        let first = back_up(&disk, "1");
        assert!(first.keys().any(|name| name.ends_with(".merged")));
        let (journal, _) = open(&disk, small(2));
        tend(&journal, &disk, Durability::Sync);
        let ids = read_all(&open_log(&journal, 2));
        drop(journal);
        check(&disk, &first);
        let disk = disk.crash(1);
        let second = back_up(&disk, "2");
        let (journal, _) = open(&disk, small(3));
        assert_eq!(read_all(&open_log(&journal, 2)), ids);
        tend(&journal, &disk, Durability::Sync);
        check(&disk, &first);
        check(&disk, &second);
    }
}

/// A file that is copied before it is sealed is whole afterwards, whenever the power goes.
#[test]
fn sealing_a_linked_file_survives_power_cuts() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk, quiet(1));
    for id in 0..6 {
        frame_of(&journal, &[2, 3], id);
    }
    drop(journal);
    back_up(&disk, "1");
    let seal = |disk: &SimDisk| {
        let (journal, _) = open(disk, quiet(2));
        journal.maintenance_step();
        frame_of(&journal, &[4], 9);
        journal.maintenance_step();
        read_all(&open_log(&journal, 2))
    };
    let whole = disk.crash(0);
    let records = seal(&whole);
    assert_eq!(records.len(), 6);
    for cut in 0..whole.counts().changes {
        let disk = disk.crash(0);
        disk.set_power_cut_at(Some(cut));
        // Past the cut nothing works.
        if let Ok((journal, _)) = crate::rules_tests::try_open(&disk, quiet(2)) {
            journal.maintenance_step();
        }
        assert_eq!(seal(&disk.crash(cut)), records, "cut {cut}");
    }
}

/// What a full disk falls back on is not somebody else's file.
#[test]
fn the_reserve_is_used_only_if_nobody_shares_it() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk, small(1));
    frame_of(&journal, &[2], 1);
    journal.maintenance_step();
    journal.close();
    drop(journal);
    let kept = back_up(&disk, "1");
    assert!(kept.contains_key("backup-1-reserve.journal"));
    let (journal, _) = open(&disk, small(2));
    journal.maintenance_step();
    let user = open_log(&journal, 2);
    disk.set_capacity_bytes(Some(1));
    let internal = LogConfig {
        class: LogClass::Internal,
        ..config(Durability::Sync)
    };
    let internal = journal.open_log(3, internal);
    let options = AppendOptions { leader_epoch: 0 };
    let bytes = crate::crash_tests::batch(1, 1, 9000, None);
    let mut fills = 0;
    while user.append(&bytes, options).is_ok() {
        journal.commit_step();
        journal.maintenance_step();
        fills += 1;
        assert!(fills < 100, "the disk is full");
    }
    assert_eq!(user.append(&bytes, options).unwrap_err(), AppendError::Full);
    for id in 0..8 {
        let appended = append(&internal, id, 9000);
        journal.commit_step();
        assert!(
            is_acknowledged(&internal, &appended.ticket),
            "the reserve is there"
        );
    }
    check(&disk, &kept);
}

/// The spare that the last run left, as well.
#[test]
fn the_spare_is_used_only_if_nobody_shares_it() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk, quiet(1));
    frame_of(&journal, &[2], 1);
    journal.maintenance_step();
    drop(journal);
    let kept = back_up(&disk, "1");
    assert!(kept.contains_key("backup-1-spare.journal"));
    let (journal, _) = open(&disk, quiet(2));
    frame_of(&journal, &[2], 2);
    check(&disk, &kept);
    assert_eq!(read_all(&open_log(&journal, 2)).len(), 2);
}

/// A dead file becomes the next spare if it has one name, else it only loses this one.
#[test]
fn a_dead_file_is_used_again_only_if_nobody_shares_it() {
    for is_linked in [false, true] {
        let disk = SimDisk::new(1);
        let (journal, _) = open(&disk, small(1));
        let log = open_log(&journal, 2);
        let active = || journal.writer.lock().active.header.number;
        let next = |turn| {
            append(&log, turn, 9000);
            let _ = journal.delete_before(2, log.high_watermark());
            journal.commit_step();
        };
        let mut turn = 0;
        let mut dead: Vec<FileId> = Vec::new();
        while dead.is_empty() {
            next(turn);
            journal.maintenance_step();
            turn += 1;
            assert!(turn < 100, "files die");
            dead.extend(&journal.upkeep.lock().deleting);
            dead.retain(|file| !file.is_merged());
        }
        // Their deletion becomes durable, and the spare is used, between two looks.
        let before = active();
        while active() == before {
            next(turn);
            turn += 1;
        }
        let mut kept = BTreeMap::new();
        if is_linked {
            kept = back_up(&disk, "1");
            // It is the active one and goes on.
            kept.retain(|link, _| !link.ends_with(&crate::rules_tests::name(active())));
        }
        journal.maintenance_step();
        let names = disk.names().unwrap();
        assert!(
            !names.contains(&dead[0].name()),
            "it is gone from the journal"
        );
        assert!(names.contains(&"spare.journal".to_owned()));
        for _ in 0..20 {
            next(turn);
            journal.maintenance_step();
            turn += 1;
        }
        check(&disk, &kept);
    }
}
