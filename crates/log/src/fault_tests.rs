//! What a journal does when its disk misbehaves: a full disk, a failed sync, rot in any block, a start that is asked to read much.

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Waker};

use crate::crash_tests::{batch, config, is_acknowledged, options, read_all};
use crate::disk::Disk;
use crate::disk::sim::{Fault, FaultError, Op, SimDisk};
use crate::{
    AppendError, AppendOptions, Appended, Durability, Journal, JournalOptions, Log, LogClass,
    LogConfig, ManualClock, OpenError, ReadError, Recovered,
};

const OPTIONS: AppendOptions = AppendOptions { leader_epoch: 0 };

fn open_with(
    disk: &SimDisk,
    options: JournalOptions,
) -> Result<(Arc<Journal>, Recovered), OpenError> {
    let clock = Arc::new(ManualClock::new(1_700_000_000_000));
    Journal::open(Arc::new(disk.clone()), clock, options)
}

fn open(disk: &SimDisk, seed: u64) -> (Arc<Journal>, Recovered) {
    open_with(disk, options(seed)).unwrap()
}

fn append(log: &Arc<Log>, id: u64, value_bytes: usize) -> Result<Appended, AppendError> {
    log.append(&batch(id, 1, value_bytes, None), OPTIONS)
}

/// Appends and commits batches to one log; gives how many were taken.
fn fill(journal: &Arc<Journal>, log: &Arc<Log>, batches: u64) -> u64 {
    let mut taken = 0;
    for id in 0..batches {
        if append(log, id, 3000).is_ok() {
            taken += 1;
        }
        journal.commit_step();
        journal.maintenance_step();
    }
    taken
}

/// The frame that fills takes no more from users than it should; the broker's own logs are never crowded out.
#[test]
fn a_crowded_frame_makes_users_wait() {
    let (journal, _) = open(&SimDisk::new(1), 1);
    let frame_bytes_max = options(1).frame_bytes_max;
    let user = journal.open_log(2, config(Durability::Sync));
    let internal = LogConfig {
        class: LogClass::Internal,
        ..config(Durability::Sync)
    };
    let internal = journal.open_log(3, internal);
    append(&user, 0, 100).unwrap();
    // A large batch enters a frame that others have begun.
    append(&user, 1, 2 * frame_bytes_max).unwrap();
    assert_eq!(append(&user, 2, 100).unwrap_err(), AppendError::Busy);
    append(&internal, 0, 100).unwrap();
    let mut cx = Context::from_waker(Waker::noop());
    let mut room = pin!(user.room(100));
    assert!(room.as_mut().poll(&mut cx).is_pending());
    journal.commit_step();
    assert!(room.as_mut().poll(&mut cx).is_ready());
    append(&user, 2, 100).unwrap();
}

#[test]
fn a_full_disk_refuses_before_offsets_are_given_and_recovers_by_itself() {
    let disk = SimDisk::new(1);
    disk.set_capacity_bytes(Some(800 << 10));
    let (journal, _) = open(&disk, 1);
    let user = journal.open_log(2, config(Durability::Sync));
    let internal = LogConfig {
        class: LogClass::Internal,
        ..config(Durability::Sync)
    };
    let internal = journal.open_log(3, internal);
    let taken = fill(&journal, &user, 400);
    assert!((50..300).contains(&taken), "{taken} batches fitted");
    assert_eq!(append(&user, 0, 3000).unwrap_err(), AppendError::Full);
    assert!(journal.status().full && journal.status().failed.is_none());
    // The broker's own logs have the reserve.
    let appended = append(&internal, 0, 100).unwrap();
    journal.commit_step();
    assert!(is_acknowledged(&internal, &appended.ticket));
    disk.set_capacity_bytes(Some(100 << 20));
    journal.maintenance_step();
    assert!(!journal.status().full);
    let appended = append(&user, 0, 3000).unwrap();
    assert_eq!(appended.base_offset, taken as i64);
    journal.commit_step();
    assert_eq!(read_all(&user).len() as u64, taken + 1);
    drop(journal);
    let (journal, _) = open(&disk, 2);
    let user = journal.open_log(2, config(Durability::Sync));
    assert_eq!(read_all(&user).len() as u64, taken + 1);
}

#[test]
fn a_frame_that_finds_no_room_is_taken_back_with_all_it_did() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk, 1);
    journal.maintenance_step();
    let log = journal.open_log(2, config(Durability::Sync));
    let first = log.append(&batch(1, 2, 100, Some(0)), OPTIONS).unwrap();
    journal.commit_step();
    let lost = log.append(&batch(2, 2, 100, Some(2)), OPTIONS).unwrap();
    disk.add_fault(Fault {
        op: Op::Write,
        name_part: "journal",
        after: 0,
        times: 1,
        error: FaultError::NoSpace,
    });
    journal.commit_step();
    assert!(is_acknowledged(&log, &first.ticket));
    assert!(!is_acknowledged(&log, &lost.ticket));
    assert_eq!((log.end_offset(), log.high_watermark()), (2, 2));
    assert_eq!(append(&log, 9, 10).unwrap_err(), AppendError::Full);
    disk.clear_faults();
    journal.maintenance_step();
    // The producer sends it again: it is no duplicate.
    let again = log.append(&batch(2, 2, 100, Some(2)), OPTIONS).unwrap();
    assert!(!again.duplicate);
    assert_eq!(again.base_offset, 2);
    journal.commit_step();
    assert!(is_acknowledged(&log, &again.ticket));
    assert!(
        !is_acknowledged(&log, &lost.ticket),
        "an old ticket stays lost"
    );
    drop(journal);
    let (journal, _) = open(&disk, 2);
    let log = journal.open_log(2, config(Durability::Sync));
    assert_eq!(read_all(&log), [(0, 2, 1), (2, 4, 2)]);
}

#[test]
fn a_failed_sync_stops_all_writing() {
    for error in [FaultError::Io, FaultError::NoSpace] {
        let disk = SimDisk::new(1);
        let (journal, _) = open(&disk, 1);
        let log = journal.open_log(2, config(Durability::Sync));
        let kept = append(&log, 1, 100).unwrap();
        journal.commit_step();
        disk.add_fault(Fault {
            op: Op::Sync,
            name_part: "",
            after: 0,
            times: 1,
            error,
        });
        let lost = append(&log, 2, 100).unwrap();
        journal.commit_step();
        assert!(is_acknowledged(&log, &kept.ticket));
        assert!(!is_acknowledged(&log, &lost.ticket));
        assert!(matches!(
            append(&log, 3, 100),
            Err(AppendError::Failed { .. })
        ));
        assert_eq!(read_all(&log), [(0, 1, 1)], "reads go on");
        journal.close();
        drop(journal);
        let (journal, recovered) = open(&disk.crash(5), 2);
        assert!(!recovered.clean);
        let log = journal.open_log(2, config(Durability::Sync));
        assert_eq!(read_all(&log)[0], (0, 1, 1));
    }
}

#[test]
fn an_os_acknowledgement_waits_for_no_sync() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk, 1);
    journal.maintenance_step();
    let os = journal.open_log(2, config(Durability::Os));
    let sync = journal.open_log(3, config(Durability::Sync));
    let syncs = disk.counts().syncs;
    let fast = append(&os, 1, 100).unwrap();
    let slow = append(&sync, 2, 100).unwrap();
    journal.commit_step();
    assert_eq!(disk.counts().syncs, syncs);
    assert!(is_acknowledged(&os, &fast.ticket) && !is_acknowledged(&sync, &slow.ticket));
    assert_eq!((os.high_watermark(), sync.high_watermark()), (1, 0));
    journal.sync_step();
    assert!(is_acknowledged(&sync, &slow.ticket));
}

#[test]
fn what_a_start_reads_does_not_grow_with_what_is_stored() {
    let mut reads = Vec::new();
    for batches in [200, 2000] {
        let disk = SimDisk::new(1);
        let (journal, _) = open(&disk, 1);
        let log = journal.open_log(2, config(Durability::Sync));
        assert!(fill(&journal, &log, batches) >= batches * 9 / 10);
        drop(journal);
        let (journal, recovered) = open(&disk, 2);
        reads.push(recovered.bytes_read);
        let log = journal.open_log(2, config(Durability::Sync));
        assert!(read_all(&log).len() as u64 >= batches * 9 / 10);
    }
    assert!(reads.iter().all(|read| *read < 900 << 10), "{reads:?}");
}

#[test]
fn expired_and_deleted_records_give_their_files_back() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk, 1);
    let kept = journal.open_log(2, config(Durability::Sync));
    append(&kept, 77, 100).unwrap();
    let retained = LogConfig {
        deletes: true,
        ..config(Durability::Sync)
    };
    let short = journal.open_log(3, retained);
    let deleted = journal.open_log(4, config(Durability::Sync));
    fill(&journal, &deleted, 100);
    fill(&journal, &short, 300);
    journal.delete_logs(&[4]);
    assert!(deleted.is_deleted());
    for turn in 0..30 {
        let end = short.end_offset();
        let moved = journal.delete_before(3, end - 10).unwrap();
        append(&short, turn, 3000).unwrap();
        journal.commit_step();
        assert!(is_acknowledged(&short, &moved));
        fill(&journal, &short, 20);
    }
    let status = journal.status();
    assert!(status.files < 12, "{} files are left", status.files);
    let names = disk.names().unwrap();
    assert!(
        names.iter().any(|name| name.ends_with(".merged")),
        "{names:?}"
    );
    assert_eq!(read_all(&kept), [(0, 1, 77)]);
    drop(journal);
    let (journal, _) = open(&disk.crash(3), 2);
    journal.retain_only(&[2, 3]);
    assert_eq!(read_all(&journal.open_log(2, retained)), [(0, 1, 77)]);
    assert!(!read_all(&journal.open_log(3, retained)).is_empty());
}

/// A closed journal of some files, without a snapshot.
fn closed() -> SimDisk {
    let disk = SimDisk::new(1);
    let quiet = || JournalOptions {
        snapshot_tail_bytes_min: u64::MAX / 16,
        ..options(1)
    };
    let (journal, _) = open_with(&disk, quiet()).unwrap();
    for id in 0..60 {
        for log in 2..5 {
            append(&journal.open_log(log, config(Durability::Sync)), id, 1500).unwrap();
        }
        journal.commit_step();
        journal.maintenance_step();
    }
    journal.close();
    disk
}

#[test]
fn rot_anywhere_is_contained_and_told() {
    damage_anywhere_is_contained_and_told(|disk, name, block| {
        disk.flip_bit(name, block * 4096 + 40, 3);
    });
}

#[test]
fn a_block_anywhere_that_cannot_be_read_is_contained_and_told() {
    damage_anywhere_is_contained_and_told(|disk, name, block| {
        disk.set_unreadable(name, block * 4096);
    });
}

#[test]
fn a_device_that_reads_nothing_is_not_taken_for_an_empty_journal() {
    let disk = SimDisk::new(1);
    let large = |seed| JournalOptions {
        file_bytes: 8 << 20,
        ..options(seed)
    };
    let (journal, _) = open_with(&disk, large(1)).unwrap();
    let log = journal.open_log(2, config(Durability::Sync));
    fill(&journal, &log, 600);
    let dead = disk.crash(1);
    let bytes = dead.contents(JOURNAL_1).unwrap().len() as u64;
    for block in 2..bytes / 4096 {
        dead.set_unreadable(JOURNAL_1, block * 4096);
    }
    let error = open_with(&dead, large(2)).unwrap_err();
    assert!(matches!(error, OpenError::Io { .. }), "{error}");
}

const JOURNAL_1: &str = "0000000000000001.journal";

fn damage_anywhere_is_contained_and_told(damage: impl Fn(&SimDisk, &str, u64)) {
    let disk = closed();
    let (mut holes, mut damaged, mut refused, mut blocks) = (0, 0, 0, 0);
    for name in disk.names().unwrap() {
        let bytes = disk.contents(&name).unwrap().len() as u64;
        if !name.ends_with(".journal") || name.starts_with("spare") || name.starts_with("reserve") {
            continue;
        }
        for block in 0..bytes / 4096 {
            blocks += 1;
            let rotten = disk.crash(block);
            damage(&rotten, &name, block);
            let context = format!("{name} block {block}");
            let (journal, recovered) = match open_with(&rotten, options(2)) {
                Ok(opened) => opened,
                Err(error) => {
                    eprintln!("{context}: {error}");
                    refused += 1;
                    continue;
                }
            };
            holes += usize::from(!recovered.holes.is_empty());
            for id in 2..5 {
                let log = journal.open_log(id, config(Durability::Sync));
                assert_eq!(log.end_offset(), 60, "{context}: log {id}");
                let mut offset = 0;
                while offset < 60 {
                    match log.read(offset, i64::MAX, 2000, true) {
                        Ok(chunks) => {
                            assert!(!chunks.is_empty(), "{context}: log {id} at {offset}");
                            let bytes = chunks[0].clone();
                            let batch = protocol::batch::Batch::single(&bytes).unwrap();
                            assert_eq!(crate::crash_tests::id_of(&batch), offset as u64);
                            offset += 1;
                        }
                        Err(ReadError::Damaged { last_offset, .. }) => {
                            damaged += 1;
                            assert!(last_offset >= offset && last_offset < 60, "{context}");
                            offset = last_offset + 1;
                        }
                        Err(error) => panic!("{context}: {error}"),
                    }
                }
                assert_eq!(append(&log, 60, 10).unwrap().base_offset, 60, "{context}");
            }
        }
    }
    assert!(blocks > 70 && holes > blocks / 2, "{holes} of {blocks}");
    assert!(damaged > 60, "{damaged} damaged reads");
    assert_eq!(refused, 0, "a start was refused");
}
