//! Merging: what survives, trails across merged segments, power cuts, damage, full disks.

use super::*;
use crate::disk::sim::{Fault, FaultError, Op};
use crate::manifest::{FileSize, Manifest};
use crate::manifest_event::Hole;
use crate::merge_plan::MergeBounds;
use crate::segment_fixture::{Fixture, NewRun, run};

const J: fn(u64) -> FileId = FileId::journal;
const M: fn(u64) -> FileId = FileId::merged;

/// Six files with logs 1 (bulk), 2 (a trickle) and 3 (now and then).
fn six_files() -> Fixture {
    let mut fixture = Fixture::new();
    for number in 1..=6 {
        let bulk = NewRun {
            value_bytes: 2000,
            ..run(1, 4)
        };
        match number % 2 {
            0 => fixture.journal(&[&[bulk, run(2, 1)], &[bulk, run(3, 2)]]),
            _ => fixture.journal(&[&[bulk], &[run(2, 2), bulk]]),
        };
    }
    fixture
}

fn plan(sources: &[FileId]) -> MergePlan {
    MergePlan {
        sources: sources.to_vec(),
        live_bytes: 0,
    }
}

pub(super) fn merge(fixture: &Fixture, plan: MergePlan) -> Result<Option<Merged>, MergeError> {
    let number = fixture.manifest.write().next_merged();
    let file = MergedFile {
        number,
        salt: [number as u8; 16],
        created_ms: 0,
    };
    let disk = Arc::new(fixture.disk.clone());
    let start = |log_id| fixture.starts.get(&log_id).copied();
    let mut merge = Merge::start(&fixture.segments, disk, plan, file, start)?;
    for _ in 0..1000 {
        if merge.step(&fixture.segments, 3000)? {
            return merge.finish();
        }
    }
    panic!("the merge does not end");
}

/// What the maintenance step does once the event's frame is durable.
pub(super) fn install(fixture: &Fixture, merged: Merged) {
    let start = |log_id| fixture.starts.get(&log_id).copied();
    let size = FileSize {
        bytes: merged.bytes,
        live_bytes: merged.index.footer().live_bytes(start),
    };
    let sources = merged.plan.sources.clone();
    let mut manifest = fixture.manifest.write();
    manifest
        .install_merged(merged.number, &sources, size, 1)
        .unwrap();
    drop(manifest);
    fixture.segments.keep(merged.index);
    for file in sources {
        fixture.segments.close(file);
        fixture.disk.remove(&file.name()).unwrap();
        fixture.segments.forget(file);
        fixture.manifest.write().unlinked(file);
    }
}

pub(super) fn check_all(fixture: &Fixture) {
    for (log_id, start) in &fixture.starts {
        let end = fixture.ends[log_id];
        for offset in [*start, (*start + end) / 2] {
            let expected: Vec<_> = (offset..end).collect();
            assert_eq!(fixture.offsets(*log_id, offset), expected, "log {log_id}");
        }
    }
}

#[test]
fn survivors_move_and_every_log_reads_on() {
    for (_, starts, groups) in [
        (
            "bulk is gone",
            [(1, 48), (2, 0), (3, 0)],
            vec![vec![1, 2, 3, 4, 5]],
        ),
        (
            "in the middle",
            [(1, 16), (2, 0), (3, 0)],
            vec![vec![2, 3], vec![5]],
        ),
        (
            "starts inside runs",
            [(1, 10), (2, 4), (3, 1)],
            vec![vec![1, 2], vec![3, 4]],
        ),
        (
            "one after the other",
            [(1, 40), (2, 1), (3, 0)],
            vec![vec![1], vec![2], vec![3], vec![4]],
        ),
        (
            "nothing died",
            [(1, 0), (2, 0), (3, 0)],
            vec![vec![1, 2, 3, 4, 5, 6]],
        ),
    ] {
        let mut fixture = six_files();
        fixture.starts = starts.into();
        for group in groups {
            let files: Vec<_> = group.into_iter().map(J).collect();
            let merged = merge(&fixture, plan(&files)).unwrap().unwrap();
            check_all(&fixture);
            install(&fixture, merged);
            check_all(&fixture);
        }
        fixture.reopen();
        check_all(&fixture);
    }
}

#[test]
fn merged_segments_are_merged_again_and_trails_do_not_turn_back() {
    let mut fixture = six_files();
    fixture.starts = [(1, 10), (2, 3), (3, 1)].into();
    for sources in [
        vec![J(4), J(5)],
        vec![J(2), J(3)],
        vec![J(1), M(2), M(1)],
        vec![M(3), J(6)],
    ] {
        let merged = merge(&fixture, plan(&sources)).unwrap().unwrap();
        install(&fixture, merged);
        check_all(&fixture);
        fixture.reopen();
        check_all(&fixture);
    }
    let manifest = fixture.manifest.read();
    assert_eq!(
        manifest
            .files_by_age()
            .map(|(file, _)| file)
            .collect::<Vec<_>>(),
        [M(4)]
    );
    assert_eq!(
        fixture
            .segments
            .index(M(4))
            .unwrap()
            .footer()
            .log(1)
            .unwrap()
            .previous,
        Previous::None
    );
}

#[test]
fn moved_starts_are_counted_on_merged_segments_too() {
    let mut fixture = six_files();
    fixture.starts = [(1, 0), (2, 0), (3, 0)].into();
    let merged = merge(&fixture, plan(&[J(1), J(2), J(3)])).unwrap().unwrap();
    install(&fixture, merged);
    let live = |fixture: &Fixture| fixture.manifest.read().file(M(1)).unwrap().size.live_bytes;
    for (log_id, to) in [(1, 20), (2, 5), (3, 2), (1, 48)] {
        let from = fixture.starts.insert(log_id, to).unwrap();
        let dead = fixture
            .segments
            .dead_bytes(fixture.log(log_id), from..to)
            .unwrap();
        for (file, bytes) in dead {
            fixture.manifest.write().subtract_live(file, bytes);
        }
        let start = |log_id| fixture.starts.get(&log_id).copied();
        assert_eq!(live(&fixture), fixture.footer(M(1)).live_bytes(start));
    }
    assert_eq!(live(&fixture), 0);
}

#[test]
fn deletion_wins() {
    let mut fixture = six_files();
    fixture.starts = [(1, 48), (2, 0), (3, 0)].into();
    let merged = merge(&fixture, plan(&[J(1), J(2)])).unwrap().unwrap();
    // While it was copied log 2 was deleted and log 3 moved on.
    fixture.starts = [(1, 48), (3, 4)].into();
    install(&fixture, merged);
    assert_eq!(
        fixture.manifest.read().file(M(1)).unwrap().size.live_bytes,
        0
    );
    assert_eq!(fixture.manifest.read().dead(9).next(), Some(M(1)));
    // Nothing lived to begin with: there is no merged segment at all.
    fixture.starts = [(1, 48)].into();
    assert!(merge(&fixture, plan(&[J(3), J(4)])).unwrap().is_none());
    assert!(!fixture.disk.names().unwrap().contains(&M(2).name()));
}

#[test]
fn sources_without_footer_are_merged_too() {
    let mut fixture = six_files();
    fixture.starts = [(1, 40), (2, 0), (3, 0)].into();
    for number in [2, 3] {
        let bytes = fixture.manifest.read().file(J(number)).unwrap().size.bytes;
        fixture.disk.flip_bit(&J(number).name(), bytes - 4096, 0);
    }
    fixture.reopen();
    let merged = merge(&fixture, plan(&[J(2), J(3)])).unwrap().unwrap();
    install(&fixture, merged);
    fixture.reopen();
    check_all(&fixture);
}

#[test]
fn damage_is_neither_copied_nor_dropped() {
    let mut fixture = six_files();
    fixture.starts = [(1, 0), (2, 0), (3, 0)].into();
    let footer = fixture.footer(J(2));
    let position = footer.runs(footer.log(2).unwrap())[0].position;
    // The run was found whole once; the copy looks again.
    fixture.read(2, 2).unwrap();
    fixture.disk.flip_bit(&J(2).name(), position + 80, 0);
    let before = fixture.disk.names().unwrap();
    let error = merge(&fixture, plan(&[J(1), J(2)])).unwrap_err();
    assert!(
        matches!(error, MergeError::Source { file, .. } if file == J(2)),
        "{error}"
    );
    assert_eq!(fixture.disk.names().unwrap(), before);
    // Accepted as lost, it no longer stands in the way.
    fixture.manifest.write().accept_hole(Hole {
        file: J(2),
        first_sequence: 3,
        last_sequence: 3,
    });
    let merged = merge(&fixture, plan(&[J(1), J(2)])).unwrap().unwrap();
    install(&fixture, merged);
    fixture.reopen();
    assert_eq!(fixture.offsets(2, 0), [0, 1, 3, 4, 5, 6, 7, 8]);
    assert_eq!(fixture.offsets(1, 0).len(), 48);
}

#[test]
fn a_full_or_failing_disk_leaves_everything_as_it_was() {
    for (op, error) in [
        (Op::Write, FaultError::NoSpace),
        (Op::Sync, FaultError::Io),
        (Op::SyncFolder, FaultError::Io),
    ] {
        let mut fixture = six_files();
        fixture.starts = [(1, 0), (2, 0), (3, 0)].into();
        fixture.disk.add_fault(Fault {
            op,
            name_part: "",
            after: 0,
            times: 1,
            error,
        });
        let before = fixture.disk.names().unwrap();
        let failed = merge(&fixture, plan(&[J(1), J(2)])).unwrap_err();
        assert!(matches!(failed, MergeError::Write(_)), "{failed}");
        assert_eq!(fixture.disk.names().unwrap(), before);
        check_all(&fixture);
        let merged = merge(&fixture, plan(&[J(1), J(2)])).unwrap().unwrap();
        install(&fixture, merged);
        check_all(&fixture);
    }
}

#[test]
fn a_finished_merge_survives_any_power_cut() {
    let mut fixture = six_files();
    fixture.starts = [(1, 20), (2, 0), (3, 0)].into();
    for number in 1..=6 {
        fixture
            .disk
            .open(&J(number).name())
            .unwrap()
            .sync_data()
            .unwrap();
    }
    fixture.disk.sync_folder().unwrap();
    let durable = fixture.disk.crash(1);
    let before = fixture.disk.counts().changes;
    let merged = merge(&fixture, plan(&[J(3), J(4)])).unwrap().unwrap();
    let changes = fixture.disk.counts().changes - before;
    let original = (merged.bytes, merged.index.footer().clone());

    let manifest = fixture.manifest.read().clone();
    for cut in 0..=changes {
        for seed in 0..10 {
            let disk = durable.crash(seed);
            disk.set_torn_blocks(true);
            disk.set_power_cut_at(Some(cut));
            fixture.disk = disk.clone();
            *fixture.manifest.write() = manifest.clone();
            fixture.reopen();
            let merged = merge(&fixture, plan(&[J(3), J(4)]));
            assert_eq!(merged.is_ok(), cut == changes);
            fixture.disk = disk.crash(seed);
            fixture.reopen();
            check_all(&fixture);
            if let Ok(Some(merged)) = merged {
                // Reported as done: the file is whole after the cut.
                install_from_disk(&fixture, &merged, &original);
                check_all(&fixture);
            }
        }
    }
}

fn install_from_disk(fixture: &Fixture, merged: &Merged, original: &(u64, crate::footer::Footer)) {
    let size = FileSize {
        bytes: merged.bytes,
        live_bytes: 1,
    };
    let mut manifest = fixture.manifest.write();
    manifest
        .install_merged(merged.number, &merged.plan.sources, size, 1)
        .unwrap();
    drop(manifest);
    assert_eq!(merged.bytes, original.0);
    assert_eq!(fixture.footer(FileId::merged(merged.number)), original.1);
}

#[test]
fn memory_is_bounded_by_the_step() {
    let mut fixture = Fixture::new();
    let large = NewRun {
        value_bytes: 100 << 10,
        ..run(1, 4)
    };
    fixture.journal(&[&[large], &[large], &[large], &[large]]);
    fixture.starts = [(1, 0)].into();
    let file = MergedFile {
        number: 1,
        salt: [1; 16],
        created_ms: 0,
    };
    let disk = Arc::new(fixture.disk.clone());
    let start = |_| Some(0);
    let mut merge = Merge::start(&fixture.segments, disk, plan(&[J(1)]), file, start).unwrap();
    let mut steps = 0;
    while !merge.step(&fixture.segments, 1).unwrap() {
        assert!(merge.buffer.len() <= 2 << 20);
        steps += 1;
    }
    assert!(steps >= 1);
    merge.cancel();
    assert!(!fixture.disk.names().unwrap().contains(&M(1).name()));
}

#[test]
fn a_merge_packs_what_commits_left_sparse() {
    let mut fixture = Fixture::new();
    for _ in 0..3 {
        let frames: Vec<[NewRun; 1]> = (0..50).map(|_| [run(1, 1)]).collect();
        let frames: Vec<&[NewRun]> = frames.iter().map(<[NewRun; 1]>::as_slice).collect();
        fixture.journal(&frames);
    }
    fixture.starts = [(1, 0)].into();
    let excluded = BTreeSet::new();
    let bounds = MergeBounds {
        keep_from: 4,
        live_bytes_max: 1 << 26,
        excluded: &excluded,
    };
    let manifest: Manifest = fixture.manifest.read().clone();
    let chosen = MergePlan::choose(&manifest, &bounds).unwrap();
    assert_eq!(chosen.sources, [J(1), J(2), J(3)]);
    let merged = merge(&fixture, chosen).unwrap().unwrap();
    assert!(merged.bytes < 15 * BLOCK_BYTES as u64);
    install(&fixture, merged);
    check_all(&fixture);
    // And it is not merged over and over.
    assert_eq!(MergePlan::choose(&fixture.manifest.read(), &bounds), None);
}

#[test]
fn the_layout_on_disk_stays() {
    let mut fixture = Fixture::new();
    fixture.journal(&[&[run(2, 2), run(1, 1)], &[run(2, 1)]]);
    fixture.starts = [(1, 0), (2, 0)].into();
    merge(&fixture, plan(&[J(1)])).unwrap().unwrap();
    let bytes = fixture.disk.contents(&M(1).name()).unwrap();
    let golden = include_bytes!("../tests/golden/merged.v1.bin");
    assert!(
        bytes == golden,
        "a merged segment's bytes changed: raise the version, keep the fixture"
    );
}
