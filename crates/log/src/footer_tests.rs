//! Tables for footers: lookups, round trips, and bytes that are no footer of this file.

use proptest::prelude::*;

use super::*;

const PLACE: FilePlace = FilePlace {
    number: 12,
    salt: [7; 16],
};
const SPAN: FrameSpan = FrameSpan {
    first_sequence: 3,
    last_sequence: 90,
    first_append_ms: 1000,
    last_append_ms: 2000,
};

fn run(base_offset: i64, offset_count: u32, position: u64, bytes: u32) -> RunEntry {
    RunEntry {
        base_offset,
        position,
        bytes,
        offset_count,
        max_timestamp: base_offset * 10,
        checksum: 99,
        append_time_s: 5,
    }
}

fn build(runs: &[(u64, RunEntry)]) -> Footer {
    let mut builder = FooterBuilder::default();
    for (log_id, run) in runs {
        builder.add(*log_id, *run);
    }
    builder.finish(
        SPAN,
        |log_id| Previous::File(FileId::journal(log_id)),
        |_| Some(0),
    )
}

fn sample() -> Footer {
    build(&[
        (5, run(0, 10, 4096, 100)),
        (2, run(40, 2, 4196, 50)),
        (5, run(10, 5, 8192, 60)),
        (5, run(20, 1, 12288, 70)),
    ])
}

fn decode(bytes: &[u8], place: &FilePlace, start: u64) -> Result<Footer, FooterError> {
    let trailer = Trailer::decode(bytes, place, start + bytes.len() as u64)?;
    assert_eq!(trailer.start(), start);
    Footer::decode(&trailer, bytes)
}

#[test]
fn finds_runs_by_offset_and_timestamp() {
    let footer = sample();
    let log = footer.log(5).unwrap();
    assert_eq!((log.first_base_offset, log.end_offset), (0, 21));
    assert_eq!((log.live_bytes, log.max_timestamp), (230, 200));
    assert_eq!(footer.log(3), None);
    let runs = footer.runs(log);
    for (offset, expected) in [(0, 0), (9, 0), (10, 1), (14, 1), (15, 2), (20, 2), (21, 3)] {
        assert_eq!(run_at_offset(runs, offset), expected, "offset {offset}");
    }
    for (timestamp, expected) in [
        (-1, Some(0)),
        (0, Some(0)),
        (1, Some(1)),
        (200, Some(2)),
        (201, None),
    ] {
        assert_eq!(
            run_at_timestamp(runs, timestamp),
            expected,
            "timestamp {timestamp}"
        );
    }
    for (start, expected) in [(0, 230), (9, 230), (10, 130), (12, 130), (15, 70), (21, 0)] {
        assert_eq!(live_bytes(runs, start), expected, "start {start}");
    }
    let deleted = |log_id| (log_id == 2).then_some(0);
    assert_eq!(footer.live_bytes(deleted), 50);
}

#[test]
fn round_trips_and_fills_blocks() {
    for log_count in [0u64, 1, 30, 70, 71, 72, 500] {
        let runs: Vec<_> = (0..log_count * 3)
            .map(|i| (1 + i % log_count, run(i as i64, 1, 4096 + i * 10, 10)))
            .collect();
        let footer = build(&runs);
        let start = 10 * 4096;
        let bytes = footer.encode(&PLACE, start);
        assert!(bytes.len().is_multiple_of(BLOCK_BYTES));
        assert_eq!(bytes.len(), encoded_bytes(log_count as usize, runs.len()));
        assert_eq!(decode(&bytes, &PLACE, start), Ok(footer));
    }
}

#[test]
fn the_layout_on_disk_stays() {
    let bytes = sample().encode(&PLACE, 16384);
    let golden = include_bytes!("../tests/golden/footer.v1.bin");
    assert!(
        bytes == golden,
        "a footer's bytes changed: raise the version and keep the old fixture"
    );
}

#[test]
fn belongs_to_one_place() {
    let bytes = sample().encode(&PLACE, 16384);
    let other_number = FilePlace {
        number: 13,
        ..PLACE
    };
    let other_salt = FilePlace {
        salt: [8; 16],
        ..PLACE
    };
    for (place, start) in [(other_number, 16384), (other_salt, 16384), (PLACE, 20480)] {
        let file_bytes = start + bytes.len() as u64;
        let trailer = Trailer::decode(&bytes, &place, file_bytes);
        assert!(trailer.is_err(), "{place:?} at {start}: {trailer:?}");
    }
}

#[test]
fn every_flipped_bit_that_carries_meaning_is_seen() {
    let footer = sample();
    let start = 16384;
    let good = footer.encode(&PLACE, start);
    let meaningful = (0..2 * LOG_BYTES + 4 * RUN_BYTES).chain(4096 - 80..4096 - 4);
    for at in meaningful {
        for bit in 0..8 {
            let mut bytes = good.clone();
            bytes[at] ^= 1 << bit;
            let file_bytes = start + bytes.len() as u64;
            let got = Trailer::decode(&bytes, &PLACE, file_bytes)
                .and_then(|trailer| Footer::decode(&trailer, &bytes));
            assert!(got.is_err(), "byte {at}, bit {bit}");
        }
    }
}

#[test]
fn rules_hold_even_if_the_checksums_do() {
    type Break = fn(&mut Footer);
    let breaks: [(&str, Break); 9] = [
        ("logs unsorted", |f| f.logs.swap(0, 1)),
        ("log twice", |f| f.logs[1].log_id = f.logs[0].log_id),
        ("runs shared", |f| f.logs[1].first_run = 0),
        ("log without runs", |f| f.logs[1].run_count = 0),
        ("run without log", |f| f.logs[1].run_count -= 1),
        ("offsets overlap", |f| f.runs[2].base_offset = 9),
        ("end disagrees", |f| f.logs[0].end_offset += 1),
        ("run in the header", |f| f.runs[1].position = 0),
        ("run beyond the footer's start", |f| f.runs[3].bytes = 5000),
    ];
    for (name, break_it) in breaks {
        let mut footer = sample();
        break_it(&mut footer);
        let got = decode(&footer.encode(&PLACE, 16384), &PLACE, 16384);
        assert!(
            matches!(got, Err(FooterError::Malformed { .. })),
            "{name}: {got:?}"
        );
    }
}

#[test]
fn counts_that_lie_allocate_nothing() {
    let trailer = Trailer {
        span: SPAN,
        log_count: u32::MAX,
        run_count: u32::MAX,
        start: 4096,
        directory_crc: 0,
        runs_crc: 0,
    };
    assert!(Footer::decode(&trailer, &[0; 8192]).is_err());
    let bytes = trailer.encode(&PLACE);
    assert!(Trailer::decode(&bytes, &PLACE, 8192).is_err());
}

proptest! {
    #[test]
    fn any_bytes_are_a_footer_or_not(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Trailer::decode(&bytes, &PLACE, bytes.len() as u64);
        let trailer = Trailer {
            span: SPAN,
            log_count: u32::from(*bytes.first().unwrap_or(&0)),
            run_count: u32::from(*bytes.last().unwrap_or(&0)),
            start: 4096,
            directory_crc: crc32c(&[]),
            runs_crc: crc32c(&[]),
        };
        let _ = Footer::decode(&trailer, &bytes);
    }
}
