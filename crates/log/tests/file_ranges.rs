//! Large runs given as stretches of their file: what they hold, when they are not given, and that they stay.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and damages files behind the journal's back"
)]

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

use log::disk::real::RealDisk;
use log::{
    AppendOptions, Durability, Journal, JournalOptions, Log, LogClass, LogConfig, ReadError,
    ReadRequest, SystemClock,
};
use protocol::Chunk;
use protocol::batch_builder::{BatchBuilder, BatchOptions, NewRecord};

const FILE_BYTES: u64 = 1 << 20;
const VALUE_BYTES: usize = 20_000;
const CONFIG: LogConfig = LogConfig {
    durability: Durability::Sync,
    class: LogClass::User,
    segment_bytes: 1 << 20,
    segment_ms: i64::MAX,
    retention_ms: -1,
    retention_bytes: -1,
    deletes: false,
};

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("ottla-log-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        Self(folder)
    }

    fn open(&self) -> Arc<Journal> {
        let mut salts = 0u8;
        let salt = move || {
            salts += 1;
            [salts; 16]
        };
        let options = JournalOptions {
            file_bytes: FILE_BYTES,
            tail_cache_bytes: 64 << 10,
            ..JournalOptions::new(Box::new(salt))
        };
        let disk = Arc::new(RealDisk::open(&self.0).unwrap());
        let clock = Arc::new(SystemClock::default());
        Journal::open(disk, clock, options).unwrap().0
    }

    /// Takes all files out of the page cache, as reading others would in time.
    fn cool(&self) {
        for entry in std::fs::read_dir(&self.0).unwrap() {
            let file = File::open(entry.unwrap().path()).unwrap();
            file.sync_all().unwrap();
            rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed).unwrap();
        }
    }

    /// Flips a bit of the first value that begins with these bytes, wherever it lies.
    fn damage(&self, value: &[u8]) {
        for entry in std::fs::read_dir(&self.0).unwrap() {
            let path = entry.unwrap().path();
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes.windows(value.len()).position(|bytes| bytes == value);
            if let Some(at) = found {
                let file = File::options().write(true).open(&path).unwrap();
                file.write_all_at(&[value[0] ^ 1], at as u64).unwrap();
                return;
            }
        }
        unreachable!("the value is in some file");
    }
}

fn value(number: usize) -> Vec<u8> {
    let mut value = format!("value {number:06} ").into_bytes();
    value.resize(VALUE_BYTES, b'.');
    value
}

fn step(journal: &Journal) {
    while journal.commit_step() || journal.maintenance_step() {}
}

/// Three batches a frame, as many frames as fill some files.
fn fill(journal: &Arc<Journal>, log: &Arc<Log>, frames: usize) {
    for frame in 0..frames {
        for batch in 0..3 {
            let mut builder = BatchBuilder::new(BatchOptions::default());
            let value = value(frame * 3 + batch);
            let record = NewRecord {
                timestamp: 1,
                key: None,
                value: Some(&value),
                headers: &[],
            };
            builder.append(&record).unwrap();
            let bytes = builder.build().unwrap();
            log.append(&bytes, AppendOptions { leader_epoch: 1 })
                .unwrap();
        }
        step(journal);
    }
}

fn request(offset: i64, bytes_max: usize) -> ReadRequest {
    ReadRequest {
        offset,
        offset_max: i64::MAX,
        bytes_max,
        at_least_one: true,
        ranges: true,
    }
}

/// What a reader gets to see, and how many of the chunks are stretches of files.
fn bytes(chunks: &[Chunk]) -> (Vec<u8>, usize) {
    let mut all = Vec::new();
    let mut ranges = 0;
    for chunk in chunks {
        match chunk {
            Chunk::Bytes(bytes) => all.extend_from_slice(bytes),
            Chunk::File(range) => {
                ranges += 1;
                let file = File::from(range.fd().try_clone_to_owned().unwrap());
                let mut bytes = vec![0; range.len()];
                file.read_exact_at(&mut bytes, range.position()).unwrap();
                all.extend_from_slice(&bytes);
            }
        }
    }
    (all, ranges)
}

#[test]
fn ranges_hold_what_a_read_gives() {
    let folder = Folder::new("ranges");
    let journal = folder.open();
    let log = journal.open_log(7, CONFIG);
    fill(&journal, &log, 40);
    let one = log.read(0, i64::MAX, 0, true).unwrap()[0].len();
    for (name, offset, bytes_max, ranges) in [
        ("whole runs", 0, 6 * one, 2),
        ("once more", 0, 6 * one, 2),
        ("not a byte too many", 0, 6 * one - 1, 1),
        ("from the middle of a run", 1, 6 * one, 1),
        ("too few for a run", 3, 2 * one, 0),
    ] {
        let chunks = log.read_chunks(&request(offset, bytes_max)).unwrap();
        let (found, found_ranges) = bytes(&chunks);
        let expected = log.read(offset, i64::MAX, bytes_max, true).unwrap();
        assert!(found == expected.concat(), "{name}");
        assert_eq!(found_ranges, ranges, "{name}");
        folder.cool();
    }
}

#[test]
fn a_damaged_run_is_not_given_as_a_range() {
    let folder = Folder::new("ranges-damaged");
    let journal = folder.open();
    let log = journal.open_log(7, CONFIG);
    fill(&journal, &log, 40);
    folder.damage(&value(4)[..13]);
    let (before, ranges) = bytes(&log.read_chunks(&request(0, 1 << 20)).unwrap());
    assert_eq!(ranges, 1);
    assert!(before == log.read(0, 3, 1 << 20, true).unwrap().concat());
    let damaged = log.read_chunks(&request(3, 1 << 20));
    assert!(
        matches!(
            damaged,
            Err(ReadError::Damaged {
                first_offset: 3,
                last_offset: 5,
                ..
            })
        ),
        "{damaged:?}"
    );
}

/// Whoever sends a range has it as it was, whatever becomes of the log and of its files.
#[test]
fn a_range_outlives_its_log() {
    let folder = Folder::new("ranges-held");
    let journal = folder.open();
    let log = journal.open_log(7, CONFIG);
    fill(&journal, &log, 40);
    let chunks = log.read_chunks(&request(0, 200_000)).unwrap();
    let (before, ranges) = bytes(&chunks);
    assert!(ranges > 0);
    journal.delete_logs(&[7]);
    step(&journal);
    let other = journal.open_log(8, CONFIG);
    fill(&journal, &other, 60);
    assert!(bytes(&chunks).0 == before);
}
