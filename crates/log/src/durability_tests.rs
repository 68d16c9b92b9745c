//! What `sync`, an interval and `os` promise, held against random lives that end by a kill, a power cut or
//! a stop. `SEEDS` sets how many seeds are run, `SEED` runs one again.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use crate::crash_tests::{batch, config, is_acknowledged, options, read_all};
use crate::disk::sim::{Rng, SimDisk};
use crate::{
    AppendError, AppendOptions, Durability, Journal, Log, LogId, ManualClock, Recovered, Ticket,
};

const INTERVAL_MS: u32 = 300;
const KINDS: [Durability; 3] = [
    Durability::Sync,
    Durability::IntervalMs(INTERVAL_MS),
    Durability::Os,
];

/// The seeds to run.
pub(crate) fn seeds(default: Range<u64>) -> Range<u64> {
    let number = |name| std::env::var(name).ok()?.parse::<u64>().ok();
    match (number("SEED"), number("SEEDS")) {
        (Some(seed), _) => seed..seed + 1,
        (None, Some(count)) => default.start..default.start + count,
        (None, None) => default,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Kill,
    PowerCut,
    Stop,
}

#[derive(Clone, Debug)]
struct Told {
    base: i64,
    next: i64,
    id: u64,
    ticket: Option<Ticket>,
    /// By its log's own rule.
    acknowledged: bool,
    /// When it was appended.
    at_ms: u64,
}

struct World {
    disk: SimDisk,
    rng: Rng,
    kinds: Vec<Durability>,
    told: BTreeMap<LogId, Vec<Told>>,
    next_id: u64,
    leader_epoch: i32,
    starts: u64,
    lost: u64,
}

struct Life {
    journal: Arc<Journal>,
    logs: BTreeMap<LogId, Arc<Log>>,
    clock: Arc<ManualClock>,
    now_ms: u64,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let count = 1 + rng.below(5);
        let kinds = (0..count).map(|_| KINDS[rng.below(3) as usize]).collect();
        let disk = SimDisk::new(rng.next_u64());
        disk.set_torn_blocks(rng.coin());
        Self {
            disk,
            rng,
            kinds,
            told: BTreeMap::new(),
            next_id: 1,
            leader_epoch: -1,
            starts: 0,
            lost: 0,
        }
    }

    fn start(&mut self) -> (Life, Recovered) {
        self.starts += 1;
        let clock = Arc::new(ManualClock::new(1_700_000_000_000));
        let options = options(self.rng.next_u64());
        let disk = Arc::new(self.disk.clone());
        let (journal, recovered) = Journal::open(disk, clock.clone(), options).unwrap();
        let logs = (2..).zip(&self.kinds);
        let logs = logs.map(|(id, kind)| (id, journal.open_log(id, config(*kind))));
        let life = Life {
            logs: logs.collect(),
            journal,
            clock,
            now_ms: 0,
        };
        (life, recovered)
    }

    fn step(&mut self, life: &mut Life) {
        match self.rng.below(20) {
            0..10 => self.append(life),
            10..14 => drop(life.journal.commit_step()),
            14..16 => drop(life.journal.sync_step()),
            16 => drop(life.journal.maintenance_step()),
            _ => {
                let ms = self.rng.below(100);
                life.now_ms += ms;
                life.clock.advance_ms(ms);
            }
        }
        self.note(life);
    }

    fn append(&mut self, life: &Life) {
        let id = 2 + self.rng.below(self.kinds.len() as u64);
        let records = 1 + self.rng.below(3);
        let bytes = batch(self.next_id, records, self.rng.below(2000) as usize, None);
        let leader_epoch = self.leader_epoch;
        match life.logs[&id].append(&bytes, AppendOptions { leader_epoch }) {
            Ok(appended) => {
                let told = self.told.entry(id).or_default();
                assert_eq!(
                    appended.base_offset,
                    told.last().map_or(0, |told| told.next)
                );
                told.push(Told {
                    base: appended.base_offset,
                    next: appended.last_offset + 1,
                    id: self.next_id,
                    ticket: Some(appended.ticket),
                    acknowledged: false,
                    at_ms: life.now_ms,
                });
                self.next_id += 1;
            }
            Err(AppendError::Busy | AppendError::Failed { .. }) => {}
            Err(error) => panic!("{error}"),
        }
    }

    /// Nothing is acknowledged, nor shown, before its rule allows it.
    fn note(&mut self, life: &Life) {
        let status = life.journal.status();
        for (id, told) in &mut self.told {
            let log = &life.logs[id];
            let is_os = log.config().durability == Durability::Os;
            let allowed = if is_os {
                status.written
            } else {
                status.durable
            };
            let high_watermark = log.high_watermark();
            for told in told.iter_mut() {
                let Some(ticket) = told.ticket else { continue };
                told.acknowledged |= is_acknowledged(log, &ticket);
                if told.acknowledged {
                    assert!(ticket.sequence <= allowed, "log {id}: {told:?}, {status:?}");
                    assert!(told.next <= high_watermark, "log {id}: not shown: {told:?}");
                }
                if told.next <= high_watermark {
                    assert!(ticket.sequence <= allowed, "log {id}: shown: {told:?}");
                }
            }
        }
    }

    /// What was waiting too long when the commit step last had its chance.
    fn check_intervals(&self, life: &Life) {
        for (id, told) in &self.told {
            let Durability::IntervalMs(ms) = life.logs[id].config().durability else {
                continue;
            };
            for told in told {
                let is_over = told.at_ms + u64::from(ms) <= life.now_ms;
                assert!(
                    told.acknowledged || !is_over,
                    "log {id}: {told:?} at {}",
                    life.now_ms
                );
            }
        }
    }

    fn end(&mut self, life: Life, end: End) {
        let durable = life.journal.status().durable;
        if end == End::Stop {
            life.journal.close();
        }
        let keeps = |told: &Told, kind: Durability| match end {
            End::Stop => true,
            // The page cache outlives a process.
            End::Kill => told.acknowledged,
            End::PowerCut => {
                let is_durable = told.ticket.is_none_or(|ticket| ticket.sequence <= durable);
                is_durable || (told.acknowledged && kind != Durability::Os)
            }
        };
        let mut kept: BTreeMap<LogId, i64> = BTreeMap::new();
        for (id, told) in &self.told {
            let kind = life.logs[id].config().durability;
            let last = told.iter().rev().find(|told| keeps(told, kind));
            kept.insert(*id, last.map_or(0, |told| told.next));
        }
        drop(life);
        if end == End::PowerCut {
            self.disk = self.disk.crash(self.rng.next_u64());
        }
        let (life, recovered) = self.start();
        self.check(&life, &recovered, &kept, end);
    }

    /// Of each log there is what was kept for sure, and what may have been lost is lost from the end.
    fn check(&mut self, life: &Life, recovered: &Recovered, kept: &BTreeMap<LogId, i64>, end: End) {
        assert!(recovered.holes.is_empty(), "{:?}", recovered.holes);
        assert!(recovered.clean == (end == End::Stop));
        let before = self.leader_epoch;
        assert!(recovered.clean || recovered.leader_epoch > before);
        for (id, told) in &mut self.told {
            let log = &life.logs[id];
            let end = log.end_offset();
            assert_eq!(end, log.high_watermark(), "log {id}");
            assert!(
                end >= kept[id],
                "log {id} ends at {end}, {} was kept",
                kept[id]
            );
            let lost = told
                .iter()
                .filter(|told| told.next > end && told.acknowledged);
            let lost = lost.count() as u64;
            self.lost += lost;
            told.retain(|told| told.next <= end);
            let expected = told.iter().map(|told| (told.base, told.next, told.id));
            let expected: Vec<_> = expected.collect();
            assert_eq!(read_all(log), expected, "log {id}");
            if lost > 0 {
                // A consumer that read what is gone asks where its epoch ended.
                assert!(recovered.leader_epoch > before, "log {id}");
                let ended = log.end_offset_for_epoch(before);
                assert!(
                    ended.is_none_or(|(_, ended)| ended == end),
                    "log {id}: {ended:?}"
                );
            }
            for told in told {
                told.ticket = None;
                told.acknowledged = true;
            }
        }
        self.leader_epoch = recovered.leader_epoch;
    }
}

/// Gives how many acknowledged batches power cuts took from `os` logs.
fn run(seed: u64) -> u64 {
    let mut world = World::new(seed);
    for _ in 0..5 {
        let (mut life, recovered) = world.start();
        world.leader_epoch = recovered.leader_epoch;
        for _ in 0..world.rng.below(300) {
            world.step(&mut life);
        }
        if world.rng.coin() {
            // Whoever waits for an interval has its answer by then.
            for _ in 0..3 {
                life.journal.commit_step();
                life.journal.sync_step();
            }
            world.note(&life);
            world.check_intervals(&life);
        }
        let end = [End::Kill, End::PowerCut, End::Stop][world.rng.below(3) as usize];
        world.end(life, end);
    }
    world.lost
}

#[test]
fn each_rule_keeps_what_it_promises() {
    let seeds = seeds(0..150);
    let mut lost = 0;
    for seed in seeds.clone() {
        println!("run this one again with SEED={seed}");
        lost += run(seed);
    }
    println!("power cuts took {lost} batches that `os` had acknowledged");
    assert!(lost > 0 || seeds.count() < 10, "the test can tell");
}

/// One write, one sync, for all that an interval brings, unless somebody else is in a hurry.
#[test]
fn an_interval_is_one_write() {
    let disk = SimDisk::new(1);
    let clock = Arc::new(ManualClock::new(1_700_000_000_000));
    let (journal, _) = Journal::open(Arc::new(disk.clone()), clock.clone(), options(1)).unwrap();
    journal.maintenance_step();
    let slow = journal.open_log(2, config(Durability::IntervalMs(INTERVAL_MS)));
    let append = |log: &Arc<Log>| {
        let options = AppendOptions { leader_epoch: 0 };
        log.append(&batch(1, 1, 100, None), options).unwrap().ticket
    };
    let before = disk.counts();
    let mut tickets = Vec::new();
    for _ in 0..29 {
        tickets.push(append(&slow));
        assert!(!journal.commit_step());
        assert_eq!(slow.high_watermark(), 0);
        clock.advance_ms(10);
    }
    assert_eq!(disk.counts(), before);
    clock.advance_ms(10);
    assert!(journal.commit_step());
    assert!(tickets.iter().all(|ticket| is_acknowledged(&slow, ticket)));
    let after = disk.counts();
    assert_eq!(
        (after.changes - before.changes, after.syncs - before.syncs),
        (2, 1)
    );
    // A `sync` log takes them along.
    let waiting = append(&slow);
    assert!(!journal.commit_step());
    let fast = journal.open_log(3, config(Durability::Sync));
    append(&fast);
    assert!(journal.commit_step());
    assert!(is_acknowledged(&slow, &waiting));
}
