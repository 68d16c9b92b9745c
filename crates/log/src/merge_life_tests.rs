//! Random lives of many files: sealed, eaten by retention, deleted, merged, indexes lost and caches
//! emptied. After each step every log reads on from its start and every file's live bytes are exact.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::tests::{check_all, install, merge};
use crate::disk::Disk;
use crate::file_id::FileId;
use crate::merge_plan::{MergeBounds, MergePlan};
use crate::segment_fixture::{Fixture, NewRun, run};

#[derive(Clone, Debug)]
enum Step {
    /// A file whose frames hold runs of these logs (log, batches).
    Seal(Vec<Vec<(u64, i64)>>),
    /// A log's start moves by a part of what there is, in eighths.
    MoveStart(u64, i64),
    DeleteLog(u64),
    DeleteDead,
    Merge,
    LoseFooter(usize),
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    let frame = prop::collection::btree_map(1u64..5, 1i64..4, 1..4);
    let frame = frame.prop_map(|runs| runs.into_iter().collect::<Vec<_>>());
    prop_oneof![
        5 => prop::collection::vec(frame, 1..4).prop_map(Step::Seal),
        4 => (1u64..5, 1i64..9).prop_map(|(log, eighths)| Step::MoveStart(log, eighths)),
        1 => (1u64..5).prop_map(Step::DeleteLog),
        2 => Just(Step::DeleteDead),
        3 => Just(Step::Merge),
        1 => (0usize..20).prop_map(Step::LoseFooter),
        1 => Just(Step::Reopen),
    ]
}

fn apply(fixture: &mut Fixture, step: &Step) {
    match step {
        Step::Seal(frames) => seal(fixture, frames),
        Step::MoveStart(log_id, eighths) => {
            if let Some(start) = fixture.starts.get(log_id).copied() {
                let to = start + (fixture.ends[log_id] - start) * eighths / 8;
                free(fixture, *log_id, start..to);
                fixture.starts.insert(*log_id, to);
            }
        }
        Step::DeleteLog(log_id) => {
            if let Some(start) = fixture.starts.get(log_id).copied() {
                free(fixture, *log_id, start..i64::MAX);
                fixture.starts.remove(log_id);
            }
        }
        Step::DeleteDead => {
            let dead: Vec<FileId> = fixture.manifest.read().dead(u64::MAX).collect();
            for file in dead {
                fixture.manifest.write().delete(file, 1).unwrap();
                fixture.segments.close(file);
                fixture.disk.remove(&file.name()).unwrap();
                fixture.segments.forget(file);
            }
        }
        Step::Merge => {
            let excluded = BTreeSet::new();
            let bounds = MergeBounds {
                keep_from: u64::MAX,
                live_bytes_max: 1 << 20,
                excluded: &excluded,
            };
            let plan = MergePlan::choose(&fixture.manifest.read(), &bounds);
            if let Some(merged) = plan.and_then(|plan| merge(fixture, plan).unwrap()) {
                install(fixture, merged);
            }
        }
        Step::LoseFooter(at) => lose_footer(fixture, *at),
        Step::Reopen => fixture.reopen(),
    }
}

/// Logs that were deleted never come back under the same id.
fn seal(fixture: &mut Fixture, frames: &[Vec<(u64, i64)>]) {
    let is_alive =
        |log_id: &u64| fixture.starts.contains_key(log_id) || !fixture.ends.contains_key(log_id);
    let frames: Vec<Vec<NewRun>> = frames
        .iter()
        .map(|runs| runs.iter().filter(|(log_id, _)| is_alive(log_id)))
        .map(|runs| {
            runs.map(|(log_id, batches)| large_run(*log_id, *batches))
                .collect()
        })
        .collect();
    let frames: Vec<&[NewRun]> = frames.iter().map(Vec::as_slice).collect();
    for run in frames.iter().flat_map(|frame| frame.iter()) {
        fixture.starts.entry(run.log_id).or_insert(0);
    }
    fixture.journal(&frames);
}

/// Large enough that a file of a few is worth merging.
fn large_run(log_id: u64, batches: i64) -> NewRun {
    NewRun {
        value_bytes: 40 << 10,
        ..run(log_id, batches)
    }
}

fn free(fixture: &Fixture, log_id: u64, offsets: std::ops::Range<i64>) {
    let dead = fixture.segments.dead_bytes(fixture.log(log_id), offsets);
    for (file, bytes) in dead.unwrap() {
        fixture.manifest.write().subtract_live(file, bytes);
    }
}

fn lose_footer(fixture: &mut Fixture, at: usize) {
    let manifest = fixture.manifest.read();
    let mut journals = manifest
        .files_by_age()
        .filter(|(file, _)| !file.is_merged());
    let Some((file, state)) = journals.nth(at) else {
        return;
    };
    fixture
        .disk
        .flip_bit(&file.name(), state.size.bytes - 80, 0);
    drop(journals);
    drop(manifest);
    fixture.reopen();
}

fn check_live_bytes(fixture: &Fixture) {
    let start = |log_id| fixture.starts.get(&log_id).copied();
    let manifest = fixture.manifest.read().clone();
    for (file, state) in manifest.files_by_age() {
        let live_bytes = fixture.footer(file).live_bytes(start);
        assert_eq!(state.size.live_bytes, live_bytes, "{file}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn every_log_reads_on_whatever_happens_to_the_files(
        steps in prop::collection::vec(step(), 1..40),
    ) {
        let mut fixture = Fixture::new();
        for step in &steps {
            apply(&mut fixture, step);
            check_all(&fixture);
            check_live_bytes(&fixture);
        }
    }
}
