//! What the simulated disk may and must lose, over many seeds.

use std::collections::BTreeSet;

use super::*;

const SEEDS: u64 = 200;
const BLOCK: usize = 4096;

fn kind(result: io::Result<()>) -> Option<i32> {
    result.err().map(|error| error.raw_os_error().unwrap_or(-1))
}

const EIO: Option<i32> = Some(5);
const ENOSPC: Option<i32> = Some(28);

/// A disk with file "a" of `blocks` blocks of ones, all of it durable.
fn disk_with_ones(blocks: usize) -> (SimDisk, Arc<dyn DiskFile>) {
    let disk = SimDisk::new(1);
    let file = disk.create("a").unwrap();
    file.write_all_at(&vec![1; blocks * BLOCK], 0).unwrap();
    file.sync_data().unwrap();
    disk.sync_folder().unwrap();
    (disk, file)
}

/// What crashes of `disk` leave of file "a".
fn outcomes(disk: &SimDisk) -> BTreeSet<Option<Vec<u8>>> {
    (0..SEEDS)
        .map(|seed| disk.crash(seed).contents("a"))
        .collect()
}

#[test]
fn what_is_synced_stays() {
    let (disk, _file) = disk_with_ones(3);
    assert_eq!(outcomes(&disk), [Some(vec![1; 3 * BLOCK])].into());
}

#[test]
fn unsynced_blocks_are_old_or_new_each_for_itself() {
    let (disk, file) = disk_with_ones(2);
    file.write_all_at(&[2; 2 * BLOCK], 0).unwrap();
    let mut expected = BTreeSet::new();
    for (a, b) in [(1, 1), (1, 2), (2, 1), (2, 2)] {
        expected.insert(Some([[a; BLOCK], [b; BLOCK]].concat()));
    }
    assert_eq!(outcomes(&disk), expected);
    file.sync_data().unwrap();
    assert_eq!(outcomes(&disk), [Some(vec![2; 2 * BLOCK])].into());
}

#[test]
fn torn_blocks_mix_old_and_new() {
    let (disk, file) = disk_with_ones(1);
    disk.set_torn_blocks(true);
    file.write_all_at(&[2; BLOCK], 0).unwrap();
    let outcomes = outcomes(&disk);
    assert!(outcomes.len() > SEEDS as usize / 5);
    for bytes in outcomes.into_iter().flatten() {
        let changes = bytes.windows(2).filter(|pair| pair[0] != pair[1]).count();
        assert!(changes <= 1 && bytes.iter().all(|byte| matches!(byte, 1 | 2)));
    }
}

#[test]
fn a_block_written_twice_may_be_left_at_the_first_write() {
    let (disk, _file) = disk_with_ones(1);
    let mut left = BTreeSet::new();
    for seed in 0..SEEDS {
        let disk = disk.crash(seed);
        let file = disk.open("a").unwrap();
        file.write_all_at(&[2; BLOCK], 0).unwrap();
        file.write_all_at(&[3; BLOCK], 0).unwrap();
        left.insert(disk.crash(seed).contents("a").unwrap()[0]);
    }
    assert_eq!(left, [1, 2, 3].into());
}

#[test]
fn unsynced_lengths_are_old_or_new_and_new_room_is_zero() {
    let (disk, file) = disk_with_ones(1);
    file.allocate(3 * BLOCK as u64).unwrap();
    file.allocate(BLOCK as u64).unwrap();
    assert_eq!(file.size().unwrap(), 3 * BLOCK as u64);
    let grown = [[1; BLOCK], [0; BLOCK], [0; BLOCK]].concat();
    assert_eq!(
        outcomes(&disk),
        [Some(vec![1; BLOCK]), Some(grown.clone())].into()
    );
    file.sync_data().unwrap();
    assert_eq!(outcomes(&disk), [Some(grown)].into());
    // Shrunk and grown again: what was cut off does not come back to reads.
    file.set_len(5).unwrap();
    file.set_len(8).unwrap();
    assert_eq!(disk.contents("a"), Some(vec![1, 1, 1, 1, 1, 0, 0, 0]));
    file.sync_data().unwrap();
    let expected = Some(vec![1, 1, 1, 1, 1, 0, 0, 0]);
    assert_eq!(outcomes(&disk), [expected].into());
}

#[test]
fn names_are_lost_or_kept_until_the_folder_is_synced() {
    let names = |disk: &SimDisk| -> BTreeSet<Vec<String>> {
        (0..SEEDS)
            .map(|seed| disk.crash(seed).names().unwrap())
            .collect()
    };
    let sets = |sets: &[&[&str]]| -> BTreeSet<Vec<String>> {
        let owned = |set: &&[&str]| set.iter().map(ToString::to_string).collect();
        sets.iter().map(owned).collect()
    };
    let (disk, _file) = disk_with_ones(1);
    disk.create("b").unwrap();
    assert_eq!(names(&disk), sets(&[&["a"], &["a", "b"]]));
    disk.sync_folder().unwrap();
    disk.rename("b", "c").unwrap();
    assert_eq!(names(&disk), sets(&[&["a", "b"], &["a", "c"]]));
    disk.sync_folder().unwrap();
    disk.remove("a").unwrap();
    assert_eq!(names(&disk), sets(&[&["a", "c"], &["c"]]));
    disk.sync_folder().unwrap();
    assert_eq!(names(&disk), sets(&[&["c"]]));
}

#[test]
fn a_rename_over_a_file_leaves_one_of_the_two() {
    let (disk, _file) = disk_with_ones(1);
    let new = disk.create("b").unwrap();
    new.write_all_at(&[2; BLOCK], 0).unwrap();
    new.sync_data().unwrap();
    disk.sync_folder().unwrap();
    disk.rename("b", "a").unwrap();
    assert_eq!(
        outcomes(&disk),
        [Some(vec![1; BLOCK]), Some(vec![2; BLOCK])].into()
    );
}

#[test]
fn after_a_failed_sync_reads_look_well_and_a_crash_takes_the_bytes() {
    let (disk, file) = disk_with_ones(1);
    let mut left = BTreeSet::new();
    for value in 2..40 {
        file.write_all_at(&[value; BLOCK], 0).unwrap();
        disk.clear_faults();
        disk.add_fault(Fault {
            op: Op::Sync,
            name_part: "",
            after: 0,
            times: 1,
            error: FaultError::Io,
        });
        assert_eq!(kind(file.sync_data()), EIO);
        assert_eq!(disk.contents("a").unwrap()[0], value);
        // A sync that succeeds later does not bring the block back.
        file.sync_data().unwrap();
        for seed in 0..4 {
            left.insert(disk.crash(seed).contents("a").unwrap()[0] == value);
        }
    }
    assert_eq!(left, [false, true].into());
}

#[test]
fn faults_come_when_told_and_only_then() {
    let disk = SimDisk::new(1);
    let a = disk.create("a").unwrap();
    let b = disk.create("b").unwrap();
    disk.add_fault(Fault {
        op: Op::Write,
        name_part: "a",
        after: 2,
        times: 2,
        error: FaultError::NoSpace,
    });
    let wrote: Vec<_> = (0..6).map(|i| kind(a.write_all_at(&[i; 10], 0))).collect();
    assert_eq!(wrote, [None, None, ENOSPC, ENOSPC, None, None]);
    assert_eq!(kind(b.write_all_at(&[1], 0)), None);
    disk.add_fault(Fault {
        op: Op::Read,
        name_part: "",
        after: 1,
        times: u64::MAX,
        error: FaultError::Io,
    });
    let read: Vec<_> = (0..3)
        .map(|_| kind(a.read_exact_at(&mut [0; 10], 0)))
        .collect();
    assert_eq!(read, [None, EIO, EIO]);
    disk.clear_faults();
    assert_eq!(kind(a.read_exact_at(&mut [0; 10], 0)), None);
    assert!(a.read_exact_at(&mut [0; 11], 0).is_err());
}

#[test]
fn a_full_disk_refuses_growth_and_takes_rewrites() {
    let disk = SimDisk::new(1);
    disk.set_capacity_bytes(Some(3 * BLOCK as u64));
    let a = disk.create("a").unwrap();
    a.allocate(2 * BLOCK as u64).unwrap();
    let b = disk.create("b").unwrap();
    assert_eq!(kind(b.allocate(2 * BLOCK as u64)), ENOSPC);
    assert_eq!(kind(b.write_all_at(&[1; BLOCK + 1], 0)), ENOSPC);
    assert_eq!(kind(b.write_all_at(&[1; BLOCK], 0)), None);
    assert_eq!(kind(a.write_all_at(&[1; 2 * BLOCK], 0)), None);
    assert_eq!(disk.free_bytes().unwrap(), 0);
    // Removed but open: the room comes back when it is closed.
    disk.remove("a").unwrap();
    assert_eq!(disk.free_bytes().unwrap(), 0);
    drop(a);
    assert_eq!(disk.free_bytes().unwrap(), 2 * BLOCK as u64);
}

/// Cuts a small run of writes, syncs and a rename at every change.
#[test]
fn power_cuts_at_every_change() {
    let run = |disk: &SimDisk| -> io::Result<u8> {
        let file = disk.create("tmp")?;
        file.write_all_at(&[1; 2 * BLOCK], 0)?;
        file.sync_data()?;
        disk.rename("tmp", "a")?;
        disk.sync_folder()?;
        for value in 2..5 {
            file.write_all_at(&[value; 2 * BLOCK], 0)?;
            file.sync_data()?;
        }
        Ok(4)
    };
    let whole = SimDisk::new(7);
    run(&whole).unwrap();
    let changes = whole.counts().changes;
    assert_eq!(changes, 11);
    for cut in 0..changes {
        for seed in 0..20 {
            let disk = SimDisk::new(7);
            disk.set_power_cut_at(Some(cut));
            assert!(run(&disk).is_err());
            assert!(disk.open("a").is_err() && disk.create("z").is_err());
            let left = disk.crash(seed);
            // The folder is durable after change 4; value v after change 2v + 2.
            let durable = if cut > 4 { 1 + (cut - 5) as u8 / 2 } else { 0 };
            match left.contents("a") {
                None => assert_eq!(durable, 0, "cut {cut}"),
                Some(bytes) => {
                    let written = durable + 1;
                    let known = |byte: &u8| *byte == durable.max(1) || *byte == written;
                    assert!(bytes.iter().all(known), "cut {cut}, seed {seed}");
                }
            }
            let file = left.create("after").unwrap();
            file.write_all_at(&[1], 0).unwrap();
        }
    }
}

#[test]
fn one_seed_has_one_outcome() {
    let run = || {
        let (disk, file) = disk_with_ones(8);
        disk.set_torn_blocks(true);
        for i in 0..20u8 {
            file.write_all_at(&[i; 3 * BLOCK], u64::from(i) * 1000)
                .unwrap();
        }
        disk.create("b").unwrap();
        let left = disk.crash(3);
        (left.names().unwrap(), left.contents("a"), disk.counts())
    };
    assert_eq!(run(), run());
}

#[test]
fn rot_is_seen_and_stays() {
    let (disk, _file) = disk_with_ones(2);
    disk.flip_bit("a", 5000, 3);
    for disk in [disk.clone(), disk.crash(1)] {
        let bytes = disk.contents("a").unwrap();
        assert_eq!((bytes[4999], bytes[5000]), (1, 9));
    }
}

#[test]
fn names_can_share_a_file() {
    let (disk, file) = disk_with_ones(1);
    assert_eq!(file.link_count().unwrap(), 1);
    disk.link("a", "backup");
    assert_eq!(file.link_count().unwrap(), 2);
    disk.remove("a").unwrap();
    assert_eq!(file.link_count().unwrap(), 1);
    assert_eq!(disk.contents("backup"), Some(vec![1; BLOCK]));
}

#[test]
fn the_folder_has_one_holder_and_a_crash_lets_go() {
    let disk = SimDisk::new(1);
    let lock = disk.lock().unwrap();
    assert!(disk.lock().is_err());
    assert!(disk.crash(1).lock().is_ok());
    drop(lock);
    assert!(disk.lock().is_ok());
}
