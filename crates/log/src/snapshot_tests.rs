//! Snapshots: bytes, publishing under power cuts, falling back to the older one.

use proptest::prelude::*;

use super::*;
use crate::disk::sim::SimDisk;

fn snapshot(sequence: u64) -> Snapshot {
    let section = |tag, content: Vec<u8>| Section {
        tag,
        content: content.into(),
    };
    Snapshot {
        header: SnapshotHeader {
            epoch: 3,
            sequence,
            file: 12,
            block: 7,
            running_ms: 1000,
            append_time_ms: 1_790_000_000_000,
        },
        sections: vec![
            section(SECTION_FILES, vec![1, 2, 3]),
            section(SECTION_LOGS, vec![]),
            section(SECTION_STATE_MACHINES, vec![9; 5000 + sequence as usize]),
        ],
    }
}

fn encoded() -> Vec<u8> {
    let disk = SimDisk::new(1);
    publish(&disk, &snapshot(2)).unwrap();
    disk.contents(&name(2)).unwrap()
}

#[test]
fn publishes_and_loads() {
    let disk = SimDisk::new(1);
    let none = load(&disk, u64::MAX).unwrap();
    assert!(none.snapshot.is_none() && none.rejected.is_empty());
    for sequence in [5, 9, 300] {
        let bytes = publish(&disk, &snapshot(sequence)).unwrap();
        let loaded = load(&disk, u64::MAX).unwrap();
        assert_eq!(loaded.bytes, bytes);
        assert_eq!(loaded.snapshot, Some(snapshot(sequence)));
    }
    assert_eq!(sequences(&disk).unwrap(), [300, 9]);
    for (sequence_max, expected) in [(300, Some(300)), (299, Some(9)), (9, Some(9)), (8, None)] {
        let loaded = load(&disk, sequence_max).unwrap();
        let sequence = loaded.snapshot.map(|snapshot| snapshot.header.sequence);
        assert_eq!(sequence, expected, "not beyond {sequence_max}");
    }
    assert_eq!(snapshot(1).section(SECTION_FILES), vec![1, 2, 3]);
    assert_eq!(snapshot(1).section(99), vec![]);
}

#[test]
fn every_flipped_bit_sends_the_start_to_the_older_one() {
    let disk = SimDisk::new(1);
    publish(&disk, &snapshot(1)).unwrap();
    let bytes = publish(&disk, &snapshot(2)).unwrap();
    for position in (0..150).chain([bytes - 1]) {
        let bit = (position % 8) as u8;
        disk.flip_bit(&name(2), position, bit);
        let loaded = load(&disk, u64::MAX).unwrap();
        assert_eq!(
            loaded.snapshot.unwrap().header.sequence,
            1,
            "byte {position}"
        );
        assert_eq!(loaded.rejected.len(), 1);
        disk.flip_bit(&name(2), position, bit);
    }
}

#[test]
fn power_cuts_while_publishing_leave_the_old_or_the_new() {
    let whole = SimDisk::new(1);
    for sequence in 1..=2 {
        publish(&whole, &snapshot(sequence)).unwrap();
    }
    let before = whole.counts().changes;
    publish(&whole, &snapshot(3)).unwrap();
    for cut in before..whole.counts().changes {
        for seed in 0..30 {
            let disk = SimDisk::new(seed);
            disk.set_torn_blocks(true);
            for sequence in 1..=2 {
                publish(&disk, &snapshot(sequence)).unwrap();
            }
            disk.set_power_cut_at(Some(cut));
            assert!(publish(&disk, &snapshot(3)).is_err());
            let left = disk.crash(seed);
            let loaded = load(&left, u64::MAX).unwrap();
            let sequence = loaded.snapshot.unwrap().header.sequence;
            assert!(sequence == 2 || sequence == 3, "cut {cut}, seed {seed}");
            assert!(
                loaded.rejected.is_empty(),
                "a name that shows is whole: cut {cut}"
            );
            assert!(
                sequences(&left).unwrap().len() >= 2,
                "two are kept: cut {cut}"
            );
            // The next one goes through, whatever was left lying about.
            publish(&left, &snapshot(3)).unwrap();
        }
    }
}

#[test]
fn when_one_is_due() {
    const MIB: u64 = 1 << 20;
    for (tail, last, due) in [
        (0, 0, false),
        (64 * MIB, 0, false),
        (64 * MIB + 1, 0, true),
        (65 * MIB, 8 * MIB, true),
        (65 * MIB, 9 * MIB, false),
        (73 * MIB, 9 * MIB, true),
        (u64::MAX, u64::MAX, false),
    ] {
        assert_eq!(
            is_due(tail, last, 64 * MIB),
            due,
            "tail {tail}, last {last}"
        );
    }
}

#[test]
fn the_layout_on_disk_stays() {
    let golden = include_bytes!("../tests/golden/snapshot.v1.bin");
    assert!(
        encoded() == golden,
        "a snapshot's bytes changed: raise the version, keep the fixture"
    );
}

#[test]
fn lengths_that_lie_allocate_nothing() {
    let good = encoded();
    for cut in 0..good.len() {
        assert!(
            Snapshot::decode(&Bytes::copy_from_slice(&good[..cut])).is_err(),
            "{cut}"
        );
    }
    let mut long = good.clone();
    long.push(0);
    assert!(matches!(
        Snapshot::decode(&long.into()),
        Err(SnapshotError::BytesBehind)
    ));
    let mut huge = SnapshotHeader::default().encode(u32::MAX as usize);
    huge.extend([0xff; 16]);
    assert!(matches!(
        Snapshot::decode(&huge.into()),
        Err(SnapshotError::Truncated(_))
    ));
}

proptest! {
    #[test]
    fn any_bytes_are_a_snapshot_or_not(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut framed = SnapshotHeader::default().encode(2);
        framed.extend(&bytes);
        prop_assert!(Snapshot::decode(&bytes.into()).is_err());
        let _ = Snapshot::decode(&framed.into());
    }
}
