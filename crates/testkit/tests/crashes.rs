//! Clients work against a broker that is killed, loses power or is stopped, life after life, under any durability, on disks that fail
//! now and then: whatever they were promised stays true. `SEEDS` sets how many seeds are run, `SEED` runs one again.

#![expect(
    clippy::unwrap_used,
    reason = "a test's own functions may fail it as well"
)]

use log::disk::sim::{Fault, FaultError, Op, Rng};
use testkit::history::Violation;
use testkit::simulation::Simulation;
use testkit::workload::{OPTIONS, Workload};

const LIVES: u64 = 6;
const SEEDS: u64 = 12;

/// How a life ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    /// The power goes inside one of the disk's changes.
    PowerCut,
    /// The power goes while nothing is being written.
    PowerLoss,
    Kill,
    Stop,
}

impl End {
    fn choose(rng: &mut Rng) -> Self {
        match rng.below(8) {
            0..4 => Self::PowerCut,
            4..6 => Self::PowerLoss,
            6 => Self::Kill,
            _ => Self::Stop,
        }
    }
}

/// An error of the disk at some point of a life; after it the disk may be well again or stay as it is.
fn fault(rng: &mut Rng) -> Fault {
    let ops = [
        Op::Write,
        Op::Sync,
        Op::Read,
        Op::SetLen,
        Op::Create,
        Op::Rename,
        Op::Remove,
        Op::SyncFolder,
    ];
    Fault {
        op: ops[rng.below(ops.len() as u64) as usize],
        name_part: "",
        after: rng.below(40),
        times: [1, 3, u64::MAX][rng.below(3) as usize],
        error: FaultError::Io,
    }
}

/// What the seeds have seen.
#[derive(Debug, Default)]
struct Seen {
    records: usize,
    /// Lives in which the power went.
    cuts: u64,
    /// Lives in which the journal failed.
    failures: u64,
    /// Records that power cuts took under `os`.
    lost: usize,
}

/// Runs one seed.
fn run(seed: u64, seen: &mut Seen) -> Result<(), Violation> {
    let mut choices = Rng::new(seed ^ 0xd15c);
    let durability = ["sync", "sync", "25ms", "os"][choices.below(4) as usize];
    let mut options = OPTIONS.to_vec();
    options.push(("durability", durability));
    let mut simulation = Simulation::new(seed, &options).unwrap();
    let torn_blocks = simulation.rng.coin();
    simulation.disk.set_torn_blocks(torn_blocks);
    if simulation.rng.below(4) == 0 {
        // A full disk refuses; it may take nothing back.
        let capacity_bytes = 4 * 1024 * 1024 + simulation.rng.below(1024 * 1024);
        simulation.disk.set_capacity_bytes(Some(capacity_bytes));
    }
    let mut workload = Workload::new(seed);
    for _ in 0..LIVES {
        let fault = (choices.below(3) == 0).then(|| fault(&mut choices));
        let end = End::choose(&mut simulation.rng);
        if end == End::PowerCut {
            // The first of them are the start's own.
            let changes = simulation.rng.below(200);
            simulation.plan_power_cut(changes);
        }
        let rounds = 5 + simulation.rng.below(25);
        // A read that fails at a start is another matter: that looks like rot.
        let is_early = |fault: &Fault| fault.op != Op::Read && fault.after.is_multiple_of(4);
        let (early, late): (Vec<Fault>, Vec<Fault>) = fault.into_iter().partition(is_early);
        let may_fail = !early.is_empty();
        for fault in early {
            simulation.disk.add_fault(fault);
        }
        let lived = simulation.live(async |life| {
            workload.verify(life).await?;
            for fault in late {
                life.disk().add_fault(fault);
            }
            workload.run(life, rounds).await?;
            seen.failures += u64::from(life.has_failed() && life.has_power());
            if end == End::Stop {
                life.stop().await;
            }
            Ok(())
        });
        match lived {
            Ok(outcome) => outcome?,
            Err(error) if simulation.has_power() && !may_fail => {
                return Err(Violation(error.to_string()));
            }
            Err(_) => {}
        }
        simulation.disk.clear_faults();
        seen.cuts += u64::from(!simulation.has_power());
        if matches!(end, End::PowerCut | End::PowerLoss) {
            simulation.lose_power();
            if durability == "os" {
                workload.forgive_lost_ends();
            }
        }
    }
    let verified = simulation.live(async |life| workload.verify(life).await);
    verified.map_err(|error| Violation(error.to_string()))??;
    let history = workload.history.lock();
    seen.records += history.record_count();
    seen.lost += history.lost_count();
    Ok(())
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn promises_survive_crashes() {
    let seeds = match number("SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("SEEDS").unwrap_or(SEEDS),
    };
    let mut seen = Seen::default();
    for seed in seeds.clone() {
        // Shown if the run panics as well.
        println!("run this one again with SEED={seed}");
        if let Err(violation) = run(seed, &mut seen) {
            panic!("{violation}; run it again with SEED={seed}");
        }
    }
    println!("{seen:?}");
    assert!(seen.records > 0, "the workload has worked");
    let is_one = seeds.count() == 1;
    assert!(is_one || (seen.cuts > 0 && seen.failures > 0), "{seen:?}");
}
