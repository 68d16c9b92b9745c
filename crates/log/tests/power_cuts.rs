//! The power is cut at every change that a workload makes to the disk, then again during the start that follows: whatever was
//! acknowledged is there afterwards, whole, in order and at its offset, and the journal opens.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use log::disk::sim::SimDisk;
use log::{
    AppendOptions, Durability, Journal, JournalOptions, LogClass, LogConfig, ManualClock,
    OpenError, Recovered, Ticket,
};
use protocol::batch::Batches;
use protocol::batch_builder::{BatchBuilder, BatchOptions, NewRecord};

const FILE_BYTES: u64 = 512 * 1024;
const CONFIG: LogConfig = LogConfig {
    durability: Durability::Sync,
    class: LogClass::User,
    segment_bytes: i64::MAX,
    segment_ms: i64::MAX,
    retention_ms: -1,
    retention_bytes: -1,
    deletes: false,
};

/// By log and offset: the values that were acknowledged.
type Acknowledged = BTreeMap<u64, BTreeMap<i64, Vec<u8>>>;

fn open(disk: &SimDisk, start: u8) -> Result<(Arc<Journal>, Recovered), OpenError> {
    let mut files = 0u8;
    let salts = move || {
        files = files.wrapping_add(1);
        let mut salt = [start; 16];
        salt[0] = files;
        salt
    };
    let options = JournalOptions {
        file_bytes: FILE_BYTES,
        frame_bytes_max: 32 * 1024,
        // Small, so that reads go to the files.
        tail_cache_bytes: 16 * 1024,
        ..JournalOptions::new(Box::new(salts))
    };
    Journal::open(
        Arc::new(disk.clone()),
        Arc::new(ManualClock::new(1_000_000)),
        options,
    )
}

fn batch(value: &[u8]) -> Vec<u8> {
    let mut builder = BatchBuilder::new(BatchOptions::default());
    let record = NewRecord {
        timestamp: 1_000_000,
        key: None,
        value: Some(value),
        headers: &[],
    };
    builder.append(&record).unwrap();
    builder.build().unwrap()
}

fn is_acknowledged(journal: &Journal, ticket: &Ticket) -> bool {
    let mut cx = Context::from_waker(Waker::noop());
    matches!(journal.poll_committed(ticket, &mut cx), Poll::Ready(Ok(())))
}

/// Appends to four logs in turn, commits, keeps what was acknowledged.
fn work(journal: &Arc<Journal>, acknowledged: &mut Acknowledged, rounds: u64, tag: u64) {
    for round in 0..rounds {
        let mut waiting = Vec::new();
        for id in (2..6u64).filter(|id| (round + id) % 3 != 0) {
            let filling = "x".repeat(((round * 977 + id * 331) % 6000) as usize);
            let value = format!("{tag}-{round}-{id}-{filling}").into_bytes();
            let log = journal.open_log(id, CONFIG);
            if let Ok(appended) = log.append(&batch(&value), AppendOptions { leader_epoch: 1 }) {
                waiting.push((id, appended, value));
            }
        }
        journal.commit_step();
        if round % 2 == 0 {
            journal.maintenance_step();
        }
        for (id, appended, value) in waiting {
            if is_acknowledged(journal, &appended.ticket) {
                acknowledged
                    .entry(id)
                    .or_default()
                    .insert(appended.base_offset, value);
            }
        }
    }
}

/// What a consumer sees of a log; that offsets have no gaps is checked on the way.
fn consume(journal: &Arc<Journal>, id: u64) -> Result<BTreeMap<i64, Vec<u8>>, String> {
    let mut seen = BTreeMap::new();
    let Some(log) = journal.log(id) else {
        return Ok(seen);
    };
    let mut next = log.start_offset();
    while next < log.high_watermark() {
        let before = next;
        for bytes in log
            .read(next, i64::MAX, 1 << 20, true)
            .map_err(|error| error.to_string())?
        {
            for batch in Batches::new(&bytes) {
                let batch = batch.map_err(|error| error.to_string())?;
                batch.check_crc().map_err(|error| error.to_string())?;
                if batch.header().base_offset != next {
                    return Err(format!(
                        "log {id}: at {next} stands {}",
                        batch.header().base_offset
                    ));
                }
                let mut scratch = Vec::new();
                for record in batch.records(1 << 20, &mut scratch).unwrap() {
                    let record = record.unwrap();
                    seen.insert(record.offset, record.value.unwrap().to_vec());
                }
                next = batch.header().next_offset();
            }
        }
        if next == before {
            return Err(format!("log {id}: nothing to read at {next}"));
        }
    }
    Ok(seen)
}

fn check(journal: &Arc<Journal>, acknowledged: &Acknowledged) -> Result<(), String> {
    for (id, records) in acknowledged {
        let seen = consume(journal, *id)?;
        for (offset, value) in records {
            if seen.get(offset) != Some(value) {
                return Err(format!(
                    "log {id}, offset {offset} was acknowledged and is not there"
                ));
            }
        }
    }
    Ok(())
}

/// One life: cut at change `first` of the work, at change `second` of the next start, then whole.
fn live(first: u64, second: u64, torn_blocks: bool) -> Result<(), String> {
    let seed = first * 2 + u64::from(torn_blocks);
    let disk = SimDisk::new(1);
    disk.set_torn_blocks(torn_blocks);
    disk.set_power_cut_at(Some(first));
    let mut acknowledged = Acknowledged::new();
    if let Ok((journal, _)) = open(&disk, 1) {
        work(&journal, &mut acknowledged, 120, 0);
    }
    let disk = disk.crash(seed + 7);
    disk.set_power_cut_at(Some(second));
    match open(&disk, 2) {
        Ok((journal, _)) => {
            // Past the cut nothing can be read either.
            match check(&journal, &acknowledged) {
                Err(error) if !error.contains("Input/output error") => {
                    return Err(format!("second start: {error}"));
                }
                _ => {}
            }
            work(&journal, &mut acknowledged, 6, 1);
        }
        Err(OpenError::Damaged { what, .. }) => {
            return Err(format!("second start refused: {what}"));
        }
        Err(_) => {}
    }
    let disk = disk.crash(seed + 13);
    let (journal, _) = open(&disk, 3).map_err(|error| format!("third start: {error}"))?;
    check(&journal, &acknowledged).map_err(|error| format!("third start: {error}"))?;
    work(&journal, &mut acknowledged, 6, 2);
    journal.close();
    drop(journal);
    let (journal, recovered) =
        open(&disk.crash(seed + 17), 4).map_err(|error| format!("fourth start: {error}"))?;
    if !recovered.clean {
        return Err("fourth start: a clean stop counts as unclean".to_owned());
    }
    check(&journal, &acknowledged).map_err(|error| format!("fourth start: {error}"))
}

fn cut_at_every_change(torn_blocks: bool) {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk, 1).unwrap();
    work(&journal, &mut Acknowledged::new(), 120, 0);
    let changes = disk.counts().changes;
    assert!(changes > 200, "the workload makes {changes} changes");
    let lives = (0..changes).map(|first| (first, first % 13));
    let failures: Vec<String> = lives
        .filter_map(|(first, second)| {
            live(first, second, torn_blocks)
                .err()
                .map(|error| format!("cut at {first}, then {second}: {error}"))
        })
        .collect();
    assert!(
        failures.is_empty(),
        "{} of {changes} lives failed, among them {:#?}",
        failures.len(),
        &failures[..failures.len().min(5)]
    );
}

#[test]
fn whole_blocks_are_lost_or_kept() {
    cut_at_every_change(false);
}

#[test]
fn blocks_are_torn_within() {
    cut_at_every_change(true);
}

#[test]
fn a_missing_first_file_is_told() {
    let disk = SimDisk::new(1);
    let (journal, _) = open(&disk, 1).unwrap();
    work(&journal, &mut Acknowledged::new(), 120, 0);
    drop(journal);
    log::disk::Disk::remove(&disk, "0000000000000001.journal").unwrap();
    let refused = open(&disk, 2).unwrap_err().to_string();
    assert!(refused.contains("missing"), "{refused}");
}

#[test]
fn crash_after_crash_keeps_no_room() {
    let mut disk = SimDisk::new(1);
    for start in 0..20 {
        drop(open(&disk, start).unwrap());
        disk = disk.crash(u64::from(start));
    }
    let names = log::disk::Disk::names(&disk).unwrap();
    let sizes = names
        .iter()
        .map(|name| disk.contents(name).map_or(0, |bytes| bytes.len() as u64));
    let bytes: u64 = sizes.sum();
    assert!(
        bytes < 4 * FILE_BYTES,
        "{bytes} bytes in {} files",
        names.len()
    );
}
