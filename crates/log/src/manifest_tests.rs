//! Tables for the files' life: sealed, merged, dead, unlinked; and the snapshot section.

use proptest::prelude::*;

use super::*;

const J: fn(u64) -> FileId = FileId::journal;
const M: fn(u64) -> FileId = FileId::merged;

fn size(live_bytes: u64) -> FileSize {
    FileSize {
        bytes: 100,
        live_bytes,
    }
}

/// Journal files 1 to `count`, sealed and half alive.
fn sealed(count: u64) -> Manifest {
    let mut manifest = Manifest::default();
    for number in 1..=count {
        manifest.seal(number, size(50)).unwrap();
    }
    manifest
}

fn ages(manifest: &Manifest) -> Vec<FileId> {
    manifest.files_by_age().map(|(file, _)| file).collect()
}

#[test]
fn merged_segments_take_the_place_of_what_they_replace() {
    let mut manifest = sealed(6);
    manifest
        .install_merged(1, &[J(2), J(3)], size(70), 10)
        .unwrap();
    assert_eq!(ages(&manifest), [J(1), M(1), J(4), J(5), J(6)]);
    for (file, now) in [
        (J(1), Some(J(1))),
        (J(2), Some(M(1))),
        (J(3), Some(M(1))),
        (J(9), None),
    ] {
        assert_eq!(manifest.resolve(file), now);
    }
    for (file, older) in [
        (J(4), Some(M(1))),
        (M(1), Some(J(1))),
        (J(1), None),
        (J(7), Some(J(6))),
    ] {
        assert_eq!(manifest.older_than(file), older);
    }
    // Merged again: what the first one stood for leads to the second.
    manifest
        .install_merged(2, &[J(4), M(1)], size(70), 11)
        .unwrap();
    assert_eq!(ages(&manifest), [J(1), M(2), J(5), J(6)]);
    for file in [J(2), J(3), J(4), M(1), M(2)] {
        assert_eq!(manifest.resolve(file), Some(M(2)));
    }
    manifest.delete(M(2), 12).unwrap();
    for file in [J(2), J(4), M(1), M(2)] {
        assert_eq!(manifest.resolve(file), None);
    }
    assert_eq!(manifest.next_merged(), 3);
    assert_eq!(manifest.next_merged(), 4);
}

#[test]
fn nothing_goes_before_its_frame_is_durable_nor_while_a_snapshot_needs_it() {
    let mut manifest = sealed(6);
    for number in [2, 3, 5] {
        manifest.subtract_live(J(number), 1_000);
    }
    let dead = |manifest: &Manifest, keep_from| manifest.dead(keep_from).collect::<Vec<_>>();
    assert_eq!(dead(&manifest, 0), []);
    assert_eq!(dead(&manifest, 3), [J(2)]);
    assert_eq!(dead(&manifest, 6), [J(2), J(3), J(5)]);

    manifest.delete(J(2), 10).unwrap();
    manifest.delete(J(5), 11).unwrap();
    manifest
        .install_merged(1, &[J(3), J(4)], size(0), 12)
        .unwrap();
    assert_eq!(dead(&manifest, 0), [M(1)]);
    for (durable, keep_from, expected) in [
        (9, 7, vec![]),
        (10, 7, vec![J(2)]),
        (11, 7, vec![J(2), J(5)]),
        (11, 5, vec![J(2)]),
        (12, 7, vec![J(2), J(3), J(4), J(5)]),
        (12, 0, vec![]),
    ] {
        let got: Vec<_> = manifest.unlinkable(durable, keep_from).collect();
        assert_eq!(got, expected, "durable {durable}, keep from {keep_from}");
    }
    manifest.unlinked(J(2));
    assert_eq!(manifest.unlinkable(10, 7).next(), None);
}

#[test]
fn what_a_start_finds_and_does_not_know_is_an_orphan() {
    let mut manifest = sealed(4);
    manifest.delete(J(1), 10).unwrap();
    manifest.install_merged(1, &[J(2)], size(9), 11).unwrap();
    let manifest = Manifest::decode(&manifest.encode()).unwrap();
    for (found, keep_from, orphan) in [
        (J(1), 4, true),
        (J(2), 4, true),
        (J(2), 2, false),
        (J(3), 4, false),
        (J(5), 4, false),
        (M(1), 4, false),
        (M(2), 4, true),
    ] {
        assert_eq!(
            manifest.is_orphan(found, keep_from),
            orphan,
            "{found}, {keep_from}"
        );
    }
}

#[test]
fn holes_live_as_long_as_the_data_around_them() {
    let hole = Hole {
        file: J(2),
        first_sequence: 5,
        last_sequence: 6,
    };
    let mut manifest = sealed(3);
    manifest.accept_hole(hole);
    manifest.accept_hole(hole);
    assert_eq!(manifest.holes(), [hole]);
    manifest
        .install_merged(1, &[J(1), J(2)], size(1), 1)
        .unwrap();
    manifest.delete(J(3), 1).unwrap();
    assert_eq!(manifest.holes(), [hole]);
    manifest.delete(M(1), 2).unwrap();
    assert_eq!(manifest.holes(), []);
}

#[test]
fn events_that_do_not_fit_are_refused() {
    let mut manifest = sealed(2);
    let unknown = Err(ManifestError::UnknownFile { file: J(9) });
    assert_eq!(manifest.delete(J(9), 1), unknown);
    assert_eq!(
        manifest
            .clone()
            .install_merged(1, &[J(1), J(9)], size(1), 1),
        unknown
    );
    let empty = manifest.install_merged(1, &[], size(1), 1);
    assert_eq!(empty, Err(ManifestError::ReplacesNothing { file: M(1) }));
    assert_eq!(
        manifest.seal(2, size(1)),
        Err(ManifestError::FileTwice { file: J(2) })
    );
    manifest.install_merged(1, &[J(1)], size(1), 1).unwrap();
    let twice = manifest.install_merged(1, &[J(2)], size(1), 1);
    assert_eq!(twice, Err(ManifestError::FileTwice { file: M(1) }));
}

proptest! {
    /// Random lives; after each step the snapshot section brings the same state back.
    #[test]
    fn snapshots_bring_everything_back(steps in prop::collection::vec((0u8..4, 0usize..9), 0..60)) {
        let mut manifest = Manifest::default();
        let mut sealed = 0;
        for (frame, (step, at)) in steps.into_iter().enumerate() {
            let files = ages(&manifest);
            match (step, files.get(at)) {
                (0, Some(file)) => manifest.delete(*file, frame as u64).unwrap(),
                (1, Some(_)) => {
                    let group = &files[at..files.len().min(at + 3)];
                    let merged = manifest.next_merged();
                    manifest.install_merged(merged, group, size(at as u64), frame as u64).unwrap();
                    for file in group {
                        prop_assert_eq!(manifest.resolve(*file), Some(M(merged)));
                    }
                }
                _ => {
                    sealed += 1;
                    manifest.seal(sealed, size(at as u64)).unwrap();
                }
            }
            let bytes = manifest.encode();
            let mut restored = Manifest::decode(&bytes).unwrap();
            restored.gone = manifest.gone.clone();
            prop_assert_eq!(&restored, &manifest);
            for cut in 0..bytes.len() {
                prop_assert!(Manifest::decode(&bytes[..cut]).is_err());
            }
        }
    }

    #[test]
    fn any_bytes_decode_or_fail(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Manifest::decode(&bytes);
    }
}
