//! What may happen between two steps that threads of their own take: while a snapshot is gathered,
//! while a full file waits for its sync. And what a start makes of bytes that only look like the journal's.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use crate::checkpoint::Checkpoint;
use crate::clock::Clock;
use crate::crash_tests::{batch, config, is_acknowledged, options, read_all};
use crate::disk::Disk;
use crate::disk::sim::{Fault, FaultError, Op, SimDisk};
use crate::footer::FilePlace;
use crate::frame::{self, FRAME_HEADER_BYTES, FrameHeader};
use crate::frame_buffer::FrameBuffer;
use crate::{
    AppendOptions, Appended, Durability, Journal, JournalOptions, Log, LogConfig, ManualClock,
    OpenError, Recovered, snapshot,
};

fn try_open(
    disk: &SimDisk,
    options: JournalOptions,
) -> Result<(Arc<Journal>, Recovered), OpenError> {
    let clock = Arc::new(ManualClock::new(1_700_000_000_000));
    Journal::open(Arc::new(disk.clone()), clock, options)
}

fn open(disk: &SimDisk) -> (Arc<Journal>, Recovered) {
    try_open(disk, options(disk.counts().changes)).unwrap()
}

fn append(log: &Arc<Log>, id: u64, value_bytes: usize) -> Appended {
    let options = AppendOptions { leader_epoch: 0 };
    log.append(&batch(id, 1, value_bytes, None), options)
        .unwrap()
}

#[test]
fn a_log_born_while_a_snapshot_is_gathered_keeps_its_records() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk);
    let old = journal.open_log(2, config(Durability::Sync));
    append(&old, 1, 100);
    journal.commit_step();
    let begun = journal.begin_gathering().unwrap();
    let young = journal.open_log(3, config(Durability::Sync));
    let born = append(&young, 2, 100);
    journal.commit_step();
    assert!(is_acknowledged(&young, &born.ticket));
    let gathered = journal.finish_gathering(begun);
    snapshot::publish(&disk, &gathered.snapshot).unwrap();
    append(&young, 3, 100);
    journal.commit_step();
    drop(journal);
    let (journal, _) = open(&disk.crash(5));
    let young = journal.open_log(3, config(Durability::Sync));
    assert_eq!(read_all(&young), [(0, 1, 2), (1, 2, 3)]);
}

#[test]
fn a_log_deleted_while_a_snapshot_is_gathered_is_still_to_be_counted() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk);
    let log = journal.open_log(2, config(Durability::Sync));
    append(&log, 1, 100);
    journal.commit_step();
    for is_before in [true, false] {
        if is_before {
            journal.delete_logs(&[2]);
        }
        let begun = journal.begin_gathering().unwrap();
        journal.delete_logs(&[2]);
        let gathered = journal.finish_gathering(begun);
        let checkpoint = Checkpoint::decode(&gathered.snapshot).unwrap();
        assert!(!checkpoint.logs.contains_key(&2));
        assert!(checkpoint.books.deleted.contains_key(&2));
    }
}

/// A journal whose first file is full and not durable: a log that acknowledges from the page cache
/// has filled it, behind an event that moves log 2's start to offset 1.
fn full_and_not_durable(disk: &SimDisk) -> (Arc<Journal>, Appended) {
    let (journal, _) = open(disk);
    journal.maintenance_step();
    let quick = journal.open_log(9, config(Durability::Os));
    let log = journal.open_log(
        2,
        LogConfig {
            deletes: true,
            ..config(Durability::Sync)
        },
    );
    append(&log, 1, 100);
    append(&log, 2, 100);
    journal.commit_step();
    journal.sync_step();
    journal.delete_before(2, 1).unwrap();
    let waiting = append(&log, 3, 100);
    for id in 0..12 {
        append(&quick, id, 9000);
        journal.commit_step();
    }
    assert_eq!(journal.shared.store.full_files().len(), 1);
    (journal, waiting)
}

#[test]
fn a_snapshot_waits_for_the_events_of_a_full_file() {
    let disk = SimDisk::new(1);
    let (journal, _) = full_and_not_durable(&disk);
    journal.maintenance_step();
    assert!(
        journal.gather().is_none(),
        "it would begin behind the event"
    );
    journal.sync_step();
    journal.maintenance_step();
    let gathered = journal.gather().unwrap();
    journal.sync_step();
    snapshot::publish(&disk, &gathered.snapshot).unwrap();
    drop(journal);
    let (journal, _) = open(&disk.crash(7));
    let log = journal.open_log(2, config(Durability::Sync));
    assert_eq!(log.start_offset(), 1);
    assert_eq!(read_all(&log), [(1, 2, 2), (2, 3, 3)]);
}

#[test]
fn nobody_but_who_acknowledges_hears_of_a_failed_sync_first() {
    let disk = SimDisk::new(1);
    let (journal, waiting) = full_and_not_durable(&disk);
    // The next file is made ready.
    journal.maintenance_step();
    assert_eq!(journal.shared.store.full_files().len(), 1);
    disk.add_fault(Fault {
        op: Op::Sync,
        name_part: "",
        after: 0,
        times: 1,
        error: FaultError::Io,
    });
    // Linux tells of an error once for each descriptor: had the footer's sync been told of this one, the
    // next would have passed for a good one.
    journal.maintenance_step();
    assert!(journal.status().failed.is_none());
    journal.sync_step();
    assert!(journal.status().failed.is_some());
    let log = journal.log(2).unwrap();
    assert!(!is_acknowledged(&log, &waiting.ticket));
}

#[test]
fn a_merged_segment_that_cannot_be_opened_just_now_is_not_taken_for_dead() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk);
    let kept = journal.open_log(2, config(Durability::Sync));
    let short = journal.open_log(3, config(Durability::Sync));
    append(&kept, 77, 100);
    let has_merged = || {
        disk.names()
            .unwrap()
            .iter()
            .any(|name| name.ends_with(".merged"))
    };
    for turn in 0..500 {
        append(&short, turn, 3000);
        journal.commit_step();
        if turn % 20 == 19 {
            journal.delete_before(3, short.end_offset()).unwrap();
        }
        journal.maintenance_step();
        if has_merged() {
            break;
        }
    }
    assert!(has_merged());
    for turn in 0..3 {
        journal.maintenance_step();
        append(&short, turn, 100);
        journal.commit_step();
    }
    drop(journal);
    let disk = disk.crash(3);
    disk.add_fault(Fault {
        op: Op::Open,
        name_part: ".merged",
        after: 0,
        times: 1,
        error: FaultError::Io,
    });
    let refused = try_open(&disk, options(9)).map(|_| ());
    assert!(matches!(refused, Err(OpenError::Io { .. })), "{refused:?}");
    let (journal, _) = open(&disk);
    for _ in 0..20 {
        journal.maintenance_step();
        journal.commit_step();
    }
    let kept = journal.open_log(2, config(Durability::Sync));
    assert_eq!(read_all(&kept), [(0, 1, 77)]);
}

#[test]
fn what_looks_like_a_frame_is_not_read_further() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk);
    let log = journal.open_log(2, config(Durability::Sync));
    append(&log, 1, 100);
    journal.commit_step();
    drop(journal);
    let disk = disk.crash(1);
    let (_, honest) = open(&disk.crash(2));
    let name = disk.names().unwrap().remove(0);
    let file = disk.open(&name).unwrap();
    let place = FilePlace {
        number: 1,
        salt: [7; 16],
    };
    for block in 8..25 {
        let mut forged = FrameBuffer::with_capacity(0);
        forged.resize(FRAME_HEADER_BYTES);
        frame::finish(
            &mut forged,
            &FrameHeader::default(),
            &[],
            &[],
            &place,
            block,
        );
        // A run table of 20 KB.
        forged[80..84].copy_from_slice(&400u32.to_le_bytes());
        file.write_all_at(&forged, block * 4096).unwrap();
    }
    let (journal, recovered) = open(&disk);
    let more = recovered.bytes_read - honest.bytes_read;
    assert!(more < 5000, "{more} bytes more are read");
    let log = journal.open_log(2, config(Durability::Sync));
    assert_eq!(read_all(&log), [(0, 1, 1)]);
}

#[test]
fn a_thread_that_panics_fails_the_journal() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk);
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let _guard = journal.shared.fail_on_panic("commit");
        panic!("on purpose");
    }));
    assert!(ended.is_err());
    let failed = journal.status().failed.unwrap();
    assert!(failed.contains("commit thread"), "{failed}");
}

/// A clock on which everything takes a while.
#[derive(Debug, Default)]
struct SlowClock(AtomicI64);

impl Clock for SlowClock {
    fn wall_ms(&self) -> i64 {
        1_700_000_000_000
    }
    fn monotonic_ms(&self) -> i64 {
        self.0.fetch_add(30, Ordering::Relaxed)
    }
}

#[test]
fn counting_what_a_deletion_freed_does_not_hold_up_the_rest() {
    let disk = SimDisk::new(1);
    let clock = Arc::new(SlowClock::default());
    let (journal, _) = Journal::open(Arc::new(disk), clock, options(1)).unwrap();
    for id in 2..22 {
        append(&journal.open_log(id, config(Durability::Sync)), id, 100);
    }
    journal.commit_step();
    journal.delete_logs(&(2..22).collect::<Vec<_>>());
    journal.commit_step();
    let left = || journal.books.lock().deleted.len();
    journal.maintenance_step();
    assert!((10..20).contains(&left()), "{} are left", left());
    for _ in 0..20 {
        journal.maintenance_step();
    }
    assert_eq!(left(), 0);
}
