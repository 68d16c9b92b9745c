//! One by one the rules of storage.md that keep acknowledged data from being lost, doubled, brought back
//! or put in a wrong place: each test fails without its rule's defence. The table there names them.

use std::sync::Arc;

use crate::crash_tests::{batch, config, is_acknowledged, options, read_all};
use crate::disk::Disk;
use crate::disk::sim::{Fault, FaultError, Op, SimDisk};
use crate::frame;
use crate::frame_buffer::FrameBuffer;
use crate::scan::{ScannedFile, Scanner};
use crate::{
    AppendOptions, Appended, Durability, Journal, JournalOptions, Log, LogId, ManualClock,
    OpenError, ReadError, Recovered,
};

const BLOCK: u64 = 4096;

/// A snapshot with every second file.
pub(crate) fn small(seed: u64) -> JournalOptions {
    JournalOptions {
        snapshot_tail_bytes_min: 60 << 10,
        ..options(seed)
    }
}

/// No snapshot knows what the frames hold.
pub(crate) fn quiet(seed: u64) -> JournalOptions {
    JournalOptions {
        snapshot_tail_bytes_min: u64::MAX / 16,
        ..options(seed)
    }
}

pub(crate) fn try_open(
    disk: &SimDisk,
    options: JournalOptions,
) -> Result<(Arc<Journal>, Recovered), OpenError> {
    let clock = Arc::new(ManualClock::new(1_700_000_000_000));
    Journal::open(Arc::new(disk.clone()), clock, options)
}

pub(crate) fn open(disk: &SimDisk, options: JournalOptions) -> (Arc<Journal>, Recovered) {
    try_open(disk, options).unwrap()
}

pub(crate) fn open_log(journal: &Journal, id: LogId) -> Arc<Log> {
    journal.open_log(id, config(Durability::Sync))
}

pub(crate) fn append(log: &Arc<Log>, id: u64, value_bytes: usize) -> Appended {
    let options = AppendOptions { leader_epoch: 0 };
    log.append(&batch(id, 1, value_bytes, None), options)
        .unwrap()
}

/// One frame with a batch for each of these logs.
pub(crate) fn frame_of(journal: &Journal, logs: &[LogId], id: u64) {
    for log in logs {
        append(&open_log(journal, *log), id, 100);
    }
    assert!(journal.commit_step());
}

pub(crate) fn scan(disk: &SimDisk, number: u64) -> ScannedFile {
    Scanner::new(disk).scan(number).unwrap()
}

pub(crate) fn name(number: u64) -> String {
    format!("{number:016x}.journal")
}

/// Spoils the header of the frame with this sequence.
pub(crate) fn rot_frame(disk: &SimDisk, number: u64, sequence: u64) {
    let scanned = scan(disk, number);
    let mut frames = scanned.frames.iter();
    let found = frames.find(|found| found.sequence() == sequence).unwrap();
    disk.flip_bit(&name(number), found.position + 40, 3);
}

fn snapshots(disk: &SimDisk) -> Vec<String> {
    let mut names = disk.names().unwrap();
    names.retain(|name| name.ends_with(".snapshot"));
    names
}

/// A life in which one log's few records keep the files that another has left: merges, deletions, files
/// that are used again.
pub(crate) struct Tended {
    /// Records of log 2 that are durable for sure.
    pub(crate) kept: Vec<u64>,
    /// Records of log 3 below are durable for sure.
    pub(crate) short_end: i64,
    pub(crate) merged: bool,
}

const TURNS: u64 = 150;

pub(crate) fn tend(journal: &Arc<Journal>, disk: &SimDisk, durability: Durability) -> Tended {
    let mut tended = Tended {
        kept: Vec::new(),
        short_end: 0,
        merged: false,
    };
    let kept = journal.open_log(2, config(durability));
    let short = journal.open_log(3, config(durability));
    let options = AppendOptions { leader_epoch: 0 };
    let mut waiting: Vec<(u64, bool, Appended)> = Vec::new();
    for turn in 0..TURNS {
        let few = (turn % 9 == 0).then(|| kept.append(&batch(turn, 1, 100, None), options));
        waiting.extend(few.and_then(Result::ok).map(|told| (turn, true, told)));
        let many = short.append(&batch(turn, 1, 9000, None), options);
        waiting.extend(many.ok().map(|told| (turn, false, told)));
        journal.commit_step();
        if turn % 3 == 0 {
            journal.sync_step();
        }
        let durable = journal.status().durable;
        for (id, is_kept, told) in
            waiting.extract_if(.., |(_, _, told)| told.ticket.sequence <= durable)
        {
            if is_kept {
                tended.kept.push(id);
            } else {
                tended.short_end = told.last_offset + 1;
            }
        }
        if turn % 8 == 7 {
            let _ = journal.delete_before(3, (short.high_watermark() - 4).max(0));
        }
        journal.maintenance_step();
        let names = disk.names().unwrap();
        tended.merged |= names.iter().any(|name| name.ends_with(".merged"));
    }
    tended
}

/// Every record that was durable is there: of log 2 all, of log 3 those that its start has left.
fn check_tended(journal: &Arc<Journal>, tended: &Tended, context: &str) {
    let (kept, short) = (open_log(journal, 2), open_log(journal, 3));
    let ids: Vec<u64> = read_all(&kept).iter().map(|(_, _, id)| *id).collect();
    assert!(
        ids.starts_with(&tended.kept),
        "{context}: log 2 has {ids:?}"
    );
    for (base, _, id) in read_all(&short) {
        assert_eq!(base.unsigned_abs(), id, "{context}: log 3");
    }
    assert!(short.end_offset() >= tended.short_end, "{context}: log 3");
}

fn cut_while_tending(durability: Durability) {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk, small(1));
    let whole = tend(&journal, &disk, durability);
    assert!(whole.merged, "files were merged");
    let made = journal.writer.lock().active.header.number;
    let files = journal.status().files;
    assert!(
        files + 2 < made,
        "{files} of {made} files are left: {:?}",
        disk.names()
    );
    for cut in (0..disk.counts().changes).step_by(3) {
        let disk = SimDisk::new(1);
        disk.set_power_cut_at(Some(cut));
        let Ok((journal, _)) = try_open(&disk, small(1)) else {
            continue;
        };
        let tended = tend(&journal, &disk, durability);
        let disk = disk.crash(cut);
        let context = format!("{durability:?}, cut {cut}");
        let (journal, recovered) = open(&disk, small(2));
        assert!(
            recovered.holes.is_empty(),
            "{context}: {:?}",
            recovered.holes
        );
        check_tended(&journal, &tended, &context);
        let names = disk.names().unwrap();
        let books = journal.books.lock();
        for (file, _) in books.manifest.read().files_by_age() {
            assert!(names.contains(&file.name()), "{context}: {file} is missing");
        }
    }
}

/// Rule 1 (and 5: the names of files): the power goes at every third change of a life with merges, deletions
/// and files that are used again.
#[test]
fn nothing_is_destroyed_before_what_takes_its_place_is_durable() {
    cut_while_tending(Durability::Sync);
}

#[test]
fn nothing_is_destroyed_before_what_takes_its_place_is_durable_while_syncs_lag() {
    cut_while_tending(Durability::Os);
}

/// Rule 2: a page that failed its sync reads back well, until the next power cut.
#[test]
fn what_a_start_accepts_survives_the_next_power_cut() {
    for seed in 0..20 {
        let disk = SimDisk::new(seed);
        let (journal, _) = open(&disk, quiet(1));
        for id in 0..3 {
            frame_of(&journal, &[2], id);
        }
        disk.add_fault(Fault {
            op: Op::Sync,
            name_part: "",
            after: 0,
            times: 1,
            error: FaultError::Io,
        });
        frame_of(&journal, &[2], 3);
        assert!(journal.status().failed.is_some());
        drop(journal);
        let (journal, _) = open(&disk, quiet(2));
        let shown = read_all(&open_log(&journal, 2));
        assert_eq!(shown.len(), 4, "the page cache has it");
        drop(journal);
        let (journal, _) = open(&disk.crash(seed), quiet(3));
        assert_eq!(read_all(&open_log(&journal, 2)), shown, "seed {seed}");
    }
}

/// Rule 2: `os` claims after a sync what is durable, so that rot cannot pass for a torn tail.
#[test]
fn rot_in_what_os_has_synced_is_no_torn_tail() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk, quiet(1));
    let log = journal.open_log(2, config(Durability::Os));
    for id in 0..2 {
        append(&log, id, 100);
        assert!(journal.commit_step());
    }
    assert!(journal.sync_step(), "both are synced");
    let sequence = journal.status().durable;
    assert!(journal.sync_step(), "and claimed");
    drop(journal);
    let disk = disk.crash(1);
    rot_frame(&disk, 1, sequence);
    let (journal, recovered) = open(&disk, quiet(2));
    assert_eq!(recovered.holes.len(), 1, "the loss is told");
    let log = open_log(&journal, 2);
    assert_eq!(
        append(&log, 8, 100).base_offset,
        2,
        "no offset is given twice"
    );
}

/// Puts a frame behind a journal's last one that says what that says, under the next sequence.
fn repeat_last_frame(disk: &SimDisk, number: u64) {
    let scanned = scan(disk, number);
    let last = scanned.frames.last().unwrap();
    let position = last.position + last.bytes;
    let contents = disk.contents(&name(number)).unwrap();
    let from = last.position as usize;
    let body: usize = last.frame.runs.iter().map(|run| run.bytes as usize).sum();
    let mut buffer = FrameBuffer::with_capacity(0);
    buffer.extend_from_slice(&contents[from..from + frame::FRAME_HEADER_BYTES + body]);
    let header = frame::FrameHeader {
        sequence: last.sequence() + 1,
        ..last.frame.header
    };
    let place = scanned.header.place();
    let frame = &last.frame;
    let block = position / BLOCK;
    frame::finish(
        &mut buffer,
        &header,
        &frame.runs,
        &frame.previous,
        &place,
        block,
    );
    scanned.file.write_all_at(&buffer, position).unwrap();
    scanned.file.sync_data().unwrap();
}

/// Rule 3.
#[test]
fn old_records_in_a_new_frame_are_refused() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk, quiet(1));
    frame_of(&journal, &[2], 1);
    frame_of(&journal, &[2], 2);
    drop(journal);
    repeat_last_frame(&disk, 1);
    match try_open(&disk, quiet(2)) {
        Err(OpenError::Damaged { what, .. }) => {
            assert!(what.contains("log 2 goes on at offset 1 after 2"), "{what}");
        }
        other => panic!("{other:?}"),
    }
}

/// Rule 4.
#[test]
fn a_snapshot_waits_until_what_it_holds_is_durable() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk, small(1));
    let log = journal.open_log(2, config(Durability::Os));
    for id in 0..16 {
        append(&log, id, 3000);
        journal.commit_step();
    }
    let status = journal.status();
    assert!(status.written > status.durable);
    journal.maintenance_step();
    assert!(snapshots(&disk).is_empty(), "{:?}", snapshots(&disk));
    journal.sync_step();
    journal.maintenance_step();
    assert_eq!(snapshots(&disk).len(), 1);
}

/// Rule 4: a snapshot of a future that a later start has cut off, which was not there to be seen then.
#[test]
fn a_snapshot_beyond_the_recovered_end_is_rejected() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk, small(1));
    frame_of(&journal, &[2], 0);
    let before = disk.crash(1);
    let log = open_log(&journal, 2);
    for id in 100..116 {
        append(&log, id, 3000);
        journal.commit_step();
        journal.maintenance_step();
    }
    let late = snapshots(&disk).pop().unwrap();
    let (journal, _) = open(&before, small(2));
    frame_of(&journal, &[2], 1);
    drop(journal);
    let planted = before.create(&late).unwrap();
    planted
        .write_all_at(&disk.contents(&late).unwrap(), 0)
        .unwrap();
    let (journal, recovered) = open(&before, small(3));
    assert!(recovered.holes.is_empty(), "{:?}", recovered.holes);
    let log = open_log(&journal, 2);
    assert_eq!(read_all(&log), [(0, 1, 0), (1, 2, 1)]);
    assert!(snapshots(&before).is_empty(), "it is gone");
}

/// Rule 4: without the newest snapshot the older one and all that it needs are there.
#[test]
fn the_older_snapshot_suffices() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk, small(1));
    let log = open_log(&journal, 2);
    let mut tried = 0;
    for turn in 0..100 {
        append(&log, turn, 9000);
        let _ = journal.delete_before(2, log.high_watermark());
        journal.commit_step();
        journal.maintenance_step();
        let disk = disk.crash(turn);
        let [_, newest] = &snapshots(&disk)[..] else {
            continue;
        };
        disk.flip_bit(newest, 100, 0);
        let (journal, recovered) = open(&disk, small(2));
        assert!(
            recovered.holes.is_empty(),
            "turn {turn}: {:?}",
            recovered.holes
        );
        assert_eq!(open_log(&journal, 2).end_offset().unsigned_abs(), turn + 1);
        tried += 1;
    }
    assert!(tried > 50, "{tried} times");
}

/// Rule 5: what was written elsewhere is no frame here, not even in the same file.
#[test]
fn a_frame_that_stands_elsewhere_is_not_believed() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk, quiet(1));
    frame_of(&journal, &[2], 1);
    frame_of(&journal, &[2], 2);
    drop(journal);
    // As a misplaced write or a device that answers with another block would leave it.
    let contents = disk.contents(&name(1)).unwrap();
    let scanned = scan(&disk, 1);
    let last = scanned.frames.last().unwrap();
    let from = last.position as usize;
    let frame = &contents[from..from + last.bytes as usize];
    let before = &scanned.frames[scanned.frames.len() - 2];
    scanned.file.write_all_at(frame, before.position).unwrap();
    scanned.file.sync_data().unwrap();
    let (journal, recovered) = open(&disk, quiet(2));
    assert_eq!(recovered.holes.len(), 1);
    let log = open_log(&journal, 2);
    assert!(matches!(
        log.read(0, i64::MAX, 1000, true),
        Err(ReadError::Damaged { last_offset: 0, .. })
    ));
    assert_eq!(log.read(1, i64::MAX, 1000, true).unwrap().len(), 1);
}

/// Rule 8: the epoch that an unclean start shows is never shown again by another.
#[test]
fn the_epoch_is_durable_before_anybody_sees_it() {
    let mut disk = SimDisk::new(1);
    let mut shown = Vec::new();
    for start in 0..12 {
        let (journal, recovered) = open(&disk, quiet(start));
        assert!(
            start == 0
                || (!recovered.clean && recovered.leader_epoch == recovered.epoch.cast_signed())
        );
        shown.push(recovered.leader_epoch);
        // With `os` this record is seen, and lost.
        append(&journal.open_log(2, config(Durability::Os)), start, 100);
        journal.commit_step();
        disk = disk.crash(start);
    }
    assert!(shown.is_sorted_by(|one, other| one < other), "{shown:?}");
}

/// Rule 8: a hole is an unclean start, even after a clean stop.
#[test]
fn a_hole_raises_the_leader_epoch() {
    let disk = SimDisk::new(1);
    let (journal, first) = open(&disk, quiet(1));
    for id in 0..3 {
        frame_of(&journal, &[2], id);
    }
    journal.close();
    drop(journal);
    rot_frame(&disk, 1, 3);
    let (journal, second) = open(&disk, quiet(2));
    assert_eq!(second.holes.len(), 1);
    assert!(!second.clean && second.leader_epoch > first.leader_epoch);
    journal.close();
    drop(journal);
    let (_, third) = open(&disk, quiet(3));
    assert!(third.leader_epoch >= second.leader_epoch);
}

/// Rule 10: what is sealed keeps no room that it does not use, nor does the last file of a clean stop.
#[test]
fn sealing_gives_back_what_a_file_did_not_use() {
    let disk = SimDisk::new(1);
    for start in 0..10 {
        let (journal, _) = open(&disk, quiet(start));
        frame_of(&journal, &[2], start);
        journal.maintenance_step();
        if start % 2 == 0 {
            let active = journal.writer.lock().active.header.number;
            journal.close();
            let left = disk.contents(&name(active)).unwrap().len();
            assert!(left < 10 * BLOCK as usize, "{left} bytes in the last file");
        }
        drop(journal);
    }
    let names = disk.names().unwrap();
    let size = |name: &String| disk.contents(name).unwrap().len() as u64;
    let full = names
        .iter()
        .filter(|name| size(name) >= quiet(0).file_bytes);
    let full: Vec<&String> = full.collect();
    assert!(full.len() <= 3, "active, spare and reserve, but {full:?}");
}

/// Rule 10: a disk that is full to the last byte lets the broker start, read and delete.
#[test]
fn a_start_needs_no_more_than_the_last_run_left() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk, quiet(1));
    frame_of(&journal, &[2], 1);
    journal.maintenance_step();
    drop(journal);
    let names = disk.names().unwrap();
    let used: usize = names
        .iter()
        .map(|name| disk.contents(name).unwrap().len())
        .sum();
    disk.set_capacity_bytes(Some(used as u64));
    for start in 2..8 {
        let (journal, _) = open(&disk, quiet(start));
        let log = open_log(&journal, 2);
        assert_eq!(read_all(&log), [(0, 1, 1)], "start {start}");
        let moved = journal.delete_before(2, 0).unwrap();
        journal.commit_step();
        assert!(is_acknowledged(&log, &moved), "start {start}");
        journal.maintenance_step();
    }
}

/// Rule 10: without spare and reserve, and no room for a file of the usual size.
#[test]
fn a_start_that_finds_little_room_makes_a_small_file() {
    let large = |seed| JournalOptions {
        file_bytes: 1 << 20,
        ..quiet(seed)
    };
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk, large(1));
    frame_of(&journal, &[2], 1);
    drop(journal);
    for name in ["spare.journal", "reserve.journal"] {
        let _ = disk.remove(name);
    }
    let names = disk.names().unwrap();
    let sizes = names.iter().map(|name| disk.contents(name).unwrap().len());
    let used: usize = sizes.sum();
    disk.set_capacity_bytes(Some(used as u64 + (200 << 10)));
    let (journal, _) = open(&disk, large(2));
    let log = open_log(&journal, 2);
    assert_eq!(read_all(&log), [(0, 1, 1)]);
    let moved = journal.delete_before(2, 1).unwrap();
    journal.commit_step();
    assert!(is_acknowledged(&log, &moved));
}

/// Rule 11: a log that goes while its records are being moved is not counted in what they are moved to.
#[test]
fn a_deletion_during_a_merge_wins() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk, small(1));
    let short = open_log(&journal, 3);
    for turn in 0..400 {
        if turn < 20 {
            append(&open_log(&journal, 2), turn, 500);
        }
        append(&short, turn, 3000);
        journal.commit_step();
        let _ = journal.delete_before(3, short.high_watermark() - 1);
        journal.maintenance_step();
        if !journal.books.lock().merges.is_empty() {
            // Copied, and not installed.
            journal.delete_logs(&[2]);
            break;
        }
    }
    assert!(journal.log(2).is_none(), "a merge was caught");
    for turn in 0..60 {
        append(&short, 1000 + turn, 3000);
        let _ = journal.delete_before(3, short.high_watermark() - 1);
        journal.commit_step();
        journal.maintenance_step();
    }
    let names = disk.names().unwrap();
    assert!(
        !names.iter().any(|name| name.ends_with(".merged")),
        "nothing lives in it: {names:?}"
    );
    drop(journal);
    let (journal, _) = open(&disk.crash(1), small(2));
    assert!(journal.log(2).is_none(), "it does not come back");
}
