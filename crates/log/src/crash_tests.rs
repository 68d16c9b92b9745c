//! Random workloads on a disk that loses power at every point in turn: what was acknowledged is there
//! after the next start, in order and once; what was not is there whole or not at all.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use protocol::batch::Batches;
use protocol::batch_builder::{BatchBuilder, BatchOptions, NewRecord};

use crate::disk::sim::{Rng, SimDisk};
use crate::durability_tests::seeds;
use crate::{
    AppendError, AppendOptions, Durability, Journal, JournalOptions, Log, LogClass, LogConfig,
    LogId, ManualClock, OpenError, Recovered, Ticket,
};

const LOGS: u64 = 6;
const PRODUCER: i64 = 7000;

pub(crate) fn options(seed: u64) -> JournalOptions {
    let mut rng = Rng::new(seed);
    let salts = move || {
        let mut salt = [0; 16];
        salt[..8].copy_from_slice(&rng.next_u64().to_le_bytes());
        salt[8..].copy_from_slice(&rng.next_u64().to_le_bytes());
        salt
    };
    JournalOptions {
        file_bytes: 128 << 10,
        frame_bytes_max: 16 << 10,
        tail_cache_bytes: 64 << 10,
        snapshot_tail_bytes_min: 200 << 10,
        retention_check_interval_ms: 1000,
        ..JournalOptions::new(Box::new(salts))
    }
}

pub(crate) fn config(durability: Durability) -> LogConfig {
    LogConfig {
        durability,
        class: LogClass::User,
        segment_bytes: 20_000,
        segment_ms: 1_000_000,
        retention_ms: -1,
        retention_bytes: 60_000,
        deletes: false,
    }
}

/// A batch of `records` records whose values say which it is.
pub(crate) fn batch(id: u64, records: u64, value_bytes: usize, sequence: Option<i32>) -> Vec<u8> {
    let mut builder = BatchBuilder::new(BatchOptions {
        producer_id: sequence.map_or(-1, |_| PRODUCER),
        producer_epoch: sequence.map_or(-1, |_| 0),
        base_sequence: sequence.unwrap_or(-1),
        ..BatchOptions::default()
    });
    let mut value = vec![id as u8; value_bytes.max(8)];
    value[..8].copy_from_slice(&id.to_le_bytes());
    for _ in 0..records {
        let record = NewRecord {
            timestamp: id as i64,
            key: None,
            value: Some(&value),
            headers: &[],
        };
        builder.append(&record).unwrap();
    }
    builder.build().unwrap()
}

pub(crate) fn id_of(batch: &protocol::batch::Batch<'_>) -> u64 {
    let mut scratch = Vec::new();
    let mut records = batch.records(1 << 20, &mut scratch).unwrap();
    let record = records.next().unwrap().unwrap();
    u64::from_le_bytes(*record.value.unwrap().first_chunk().unwrap())
}

pub(crate) fn is_acknowledged(log: &Log, ticket: &Ticket) -> bool {
    let mut cx = Context::from_waker(Waker::noop());
    matches!(log.poll_committed(ticket, &mut cx), Poll::Ready(Ok(())))
}

/// All batches of a log from its start on: base offset, next offset, id.
pub(crate) fn read_all(log: &Log) -> Vec<(i64, i64, u64)> {
    let mut found = Vec::new();
    let mut offset = log.start_offset();
    let end = log.high_watermark();
    while offset < end {
        let chunks = log.read(offset, end, 5000, true).unwrap();
        assert!(
            !chunks.is_empty(),
            "log {} ends at {offset}, not {end}",
            log.id()
        );
        for bytes in chunks {
            for batch in Batches::new(&bytes) {
                let batch = batch.unwrap();
                batch.check_crc().unwrap();
                let header = batch.header();
                assert!(
                    header.base_offset <= offset && offset < header.next_offset(),
                    "log {} has offsets {}..{} at {offset}",
                    log.id(),
                    header.base_offset,
                    header.next_offset()
                );
                offset = header.next_offset();
                found.push((header.base_offset, offset, id_of(&batch)));
            }
        }
    }
    found
}

/// What a log was told, and what came back.
#[derive(Clone, Debug, Default)]
struct Told {
    /// Base offset, next offset, id, sequence number.
    batches: Vec<(i64, i64, u64, i32)>,
    tickets: Vec<Option<Ticket>>,
    acknowledged: Vec<bool>,
    next_sequence: i32,
    /// A start that is sure, and the highest that was asked for.
    start: i64,
    start_asked: i64,
    start_ticket: Option<Ticket>,
    deleted: bool,
    durability: Option<Durability>,
}

struct World {
    disk: SimDisk,
    clock: Arc<ManualClock>,
    rng: Rng,
    told: BTreeMap<LogId, Told>,
    next_log: LogId,
    next_id: u64,
    leader_epoch: i32,
    durabilities: Vec<Durability>,
}

struct Running {
    journal: Arc<Journal>,
    logs: BTreeMap<LogId, Arc<Log>>,
}

impl World {
    fn new(seed: u64, durabilities: &[Durability]) -> Self {
        Self {
            disk: SimDisk::new(seed),
            clock: Arc::new(ManualClock::new(1_700_000_000_000)),
            rng: Rng::new(seed),
            told: BTreeMap::new(),
            next_log: 2,
            next_id: 1,
            leader_epoch: 0,
            durabilities: durabilities.to_vec(),
        }
    }

    fn open(&mut self) -> Result<(Running, Recovered), OpenError> {
        let options = options(self.rng.next_u64());
        let disk = Arc::new(self.disk.clone());
        let (journal, recovered) = Journal::open(disk, self.clock.clone(), options)?;
        let mut logs = BTreeMap::new();
        for (id, told) in &self.told {
            if !told.deleted {
                let durability = told.durability.unwrap();
                logs.insert(*id, journal.open_log(*id, config(durability)));
            }
        }
        Ok((Running { journal, logs }, recovered))
    }

    fn step(&mut self, running: &mut Running) {
        match self.rng.below(100) {
            0..=49 => self.append(running),
            50..=74 => drop(running.journal.commit_step()),
            75..=81 => drop(running.journal.sync_step()),
            82..=92 => drop(running.journal.maintenance_step()),
            93..=94 => self.clock.advance_ms(self.rng.below(1500)),
            95..=96 => self.move_start(running),
            97 => self.delete(running),
            _ => self.create(running),
        }
        self.note(running);
    }

    fn create(&mut self, running: &mut Running) {
        if running.logs.len() as u64 >= LOGS {
            return;
        }
        let id = self.next_log;
        self.next_log += 1;
        let at = self.rng.below(self.durabilities.len() as u64) as usize;
        let durability = self.durabilities[at];
        let told = self.told.entry(id).or_default();
        told.durability = Some(durability);
        running
            .logs
            .insert(id, running.journal.open_log(id, config(durability)));
    }

    fn pick(&mut self, running: &Running) -> Option<LogId> {
        let at = self.rng.below(LOGS) as usize;
        running.logs.keys().nth(at).copied()
    }

    fn append(&mut self, running: &Running) {
        let Some(id) = self.pick(running) else { return };
        let told = self.told.get_mut(&id).unwrap();
        let records = 1 + self.rng.below(4);
        let sequence = told.next_sequence;
        let bytes = batch(
            self.next_id,
            records,
            self.rng.below(900) as usize,
            Some(sequence),
        );
        let options = AppendOptions {
            leader_epoch: self.leader_epoch,
        };
        match running.logs[&id].append(&bytes, options) {
            Ok(appended) => {
                let expected = told.batches.last().map_or(0, |last| last.1);
                assert_eq!(
                    appended.base_offset, expected,
                    "log {id} goes on where it was"
                );
                assert!(!appended.duplicate);
                told.next_sequence += records as i32;
                let next = appended.last_offset + 1;
                told.batches
                    .push((appended.base_offset, next, self.next_id, sequence));
                told.tickets.push(Some(appended.ticket));
                told.acknowledged.push(false);
                self.next_id += 1;
            }
            Err(AppendError::Busy | AppendError::Failed { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }

    fn move_start(&mut self, running: &Running) {
        let Some(id) = self.pick(running) else { return };
        let told = self.told.get_mut(&id).unwrap();
        if told.start_ticket.is_some() {
            return;
        }
        let log = &running.logs[&id];
        let (start, end) = (log.start_offset(), log.high_watermark());
        let to = start + (end - start) / 2;
        if let Ok(ticket) = running.journal.delete_before(id, to) {
            told.start_asked = told.start_asked.max(to);
            told.start_ticket = Some(ticket);
        }
    }

    fn delete(&mut self, running: &mut Running) {
        let Some(id) = self.pick(running) else { return };
        running.journal.delete_logs(&[id]);
        running.logs.remove(&id);
        self.told.get_mut(&id).unwrap().deleted = true;
    }

    /// Looks which tickets are done.
    fn note(&mut self, running: &Running) {
        for (id, log) in &running.logs {
            let told = self.told.get_mut(id).unwrap();
            for (ticket, acknowledged) in told.tickets.iter_mut().zip(&mut told.acknowledged) {
                if let Some(asked) = ticket
                    && is_acknowledged(log, asked)
                {
                    *acknowledged = told.durability != Some(Durability::Os);
                    *ticket = None;
                }
            }
            if let Some(ticket) = told.start_ticket
                && is_acknowledged(log, &ticket)
            {
                told.start = told.start_asked;
                told.start_ticket = None;
                assert_eq!(log.start_offset(), told.start);
            }
        }
    }

    /// After a start: what is there, against what was told.
    fn check(&mut self, running: &Running, recovered: &Recovered, context: &str) {
        assert!(
            recovered.holes.is_empty(),
            "{context}: {:?}",
            recovered.holes
        );
        let known: Vec<LogId> = running.logs.keys().copied().collect();
        running.journal.retain_only(&known);
        let mut lost_any = false;
        for (id, log) in &running.logs {
            let told = self.told.get_mut(id).unwrap();
            let found = read_all(log);
            let end = log.end_offset();
            assert_eq!(end, log.high_watermark());
            assert!(
                (told.start..=told.start_asked.max(told.start)).contains(&log.start_offset()),
                "{context}: log {id} starts at {}, told {}..={}",
                log.start_offset(),
                told.start,
                told.start_asked
            );
            let mut found = found.into_iter().peekable();
            let mut kept = 0;
            for (at, (base, next, batch, _)) in told.batches.iter().enumerate() {
                if *next > end {
                    assert!(
                        !told.acknowledged[at],
                        "{context}: log {id} lost acknowledged offsets {base}..{next}, ends at {end}"
                    );
                    lost_any |= told.tickets[at].is_none();
                    continue;
                }
                kept += 1;
                if *next <= log.start_offset() {
                    continue;
                }
                assert_eq!(
                    found.next(),
                    Some((*base, *next, *batch)),
                    "{context}: log {id}"
                );
            }
            assert_eq!(
                found.next(),
                None,
                "{context}: log {id} has what nobody appended"
            );
            told.batches.truncate(kept);
            assert_eq!(
                told.batches.last().map_or(0, |last| last.1),
                end,
                "{context}: log {id}"
            );
            told.tickets = vec![None; kept];
            told.acknowledged = vec![true; kept];
            told.start = log.start_offset();
            told.start_asked = told.start;
            told.start_ticket = None;
            check_producer(log, told, context);
        }
        if lost_any {
            assert!(
                !recovered.clean,
                "{context}: what was seen is lost after a clean stop"
            );
        }
        assert!(recovered.leader_epoch >= self.leader_epoch, "{context}");
        assert!(
            recovered.clean || recovered.leader_epoch > self.leader_epoch,
            "{context}"
        );
        self.leader_epoch = recovered.leader_epoch;
    }
}

/// The last batch is known, the one after it is expected.
fn check_producer(log: &Arc<Log>, told: &mut Told, context: &str) {
    let Some((base, next, id, sequence)) = told.batches.last().copied() else {
        told.next_sequence = 0;
        return;
    };
    told.next_sequence = sequence + (next - base) as i32;
    if base < log.start_offset() {
        return;
    }
    let again = batch(id, (next - base) as u64, 8, Some(sequence));
    let appended = log.append(&again, AppendOptions { leader_epoch: 0 });
    let appended = appended.unwrap_or_else(|error| panic!("{context}: {error}"));
    assert!(
        appended.duplicate,
        "{context}: log {} forgot its producer",
        log.id()
    );
    assert_eq!(appended.base_offset, base, "{context}");
    let wrong = batch(id, 1, 8, Some(told.next_sequence + 1));
    let refused = log.append(&wrong, AppendOptions { leader_epoch: 0 });
    assert!(
        matches!(refused, Err(AppendError::OutOfOrderSequence { .. })),
        "{context}"
    );
}

const ALL: [Durability; 3] = [
    Durability::Sync,
    Durability::IntervalMs(300),
    Durability::Os,
];

/// Runs a workload, with the power cut at change `cut`. True if the cut came before its end.
fn run_cut(seed: u64, durabilities: &[Durability], steps: u64, cut: u64) -> bool {
    let mut world = World::new(seed, durabilities);
    world.disk.set_power_cut_at(Some(cut));
    if let Ok((mut running, _)) = world.open() {
        for _ in 0..steps {
            world.step(&mut running);
        }
    }
    let was_cut = world.disk.counts().changes > cut;
    recover_twice(&mut world, seed, cut);
    was_cut
}

/// Starts again, with the power cut in the middle of that too, then once more in peace.
fn recover_twice(world: &mut World, seed: u64, cut: u64) {
    let context = format!("seed {seed} cut {cut}");
    world.disk = world.disk.crash(seed ^ cut.rotate_left(17));
    let second = world.rng.below(40);
    world.disk.set_power_cut_at(Some(second));
    let opened = world.open();
    if let Ok((running, recovered)) = opened {
        world.check(&running, &recovered, &context);
    }
    let context = format!("{context}, {second}");
    world.disk = world.disk.crash(seed.rotate_left(9) ^ cut);
    let (mut running, recovered) = world
        .open()
        .unwrap_or_else(|error| panic!("{context}: {error}"));
    world.check(&running, &recovered, &context);
    // Life goes on, and ends without loss.
    for _ in 0..30 {
        world.step(&mut running);
    }
    let context = format!("{context}, killed");
    drop(running);
    let (running, recovered) = world
        .open()
        .unwrap_or_else(|error| panic!("{context}: {error}"));
    world.check(&running, &recovered, &context);
    running.journal.close();
    drop(running);
    let context = format!("{context}, closed");
    let (running, recovered) = world
        .open()
        .unwrap_or_else(|error| panic!("{context}: {error}"));
    assert!(recovered.clean, "{context}");
    world.check(&running, &recovered, &context);
}

#[test]
fn the_power_goes_at_every_point_of_a_synced_workload() {
    let mut cut = 0;
    while run_cut(1, &[Durability::Sync], 300, cut) {
        cut += 1;
    }
    assert!(cut > 100, "{cut} points");
}

#[test]
fn the_power_goes_at_every_point_of_a_mixed_workload() {
    let mut cut = 0;
    while run_cut(2, &ALL, 300, cut) {
        cut += 1;
    }
    assert!(cut > 60, "{cut} points");
}

#[test]
fn the_power_goes_at_random_points_of_long_workloads() {
    for seed in seeds(10..40) {
        println!("run this one again with SEED={seed}");
        let mut rng = Rng::new(seed);
        let mut world = World::new(seed, &ALL);
        world.disk.set_torn_blocks(seed % 2 == 0);
        for round in 0..6 {
            let context = format!("seed {seed} round {round}");
            let opened = world.open();
            if let Ok((mut running, recovered)) = opened {
                world.check(&running, &recovered, &context);
                let now = world.disk.counts().changes;
                world.disk.set_power_cut_at(Some(now + rng.below(600)));
                for _ in 0..2000 {
                    world.step(&mut running);
                }
            }
            world.disk = world.disk.crash(rng.next_u64());
        }
    }
}
