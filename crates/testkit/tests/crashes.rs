//! Clients work against a broker that is killed, loses power or is stopped, life after life: whatever they were promised stays true.
//! `SEEDS` sets how many seeds are run, `SEED` runs one again.

#![expect(
    clippy::unwrap_used,
    reason = "a test's own functions may fail it as well"
)]

use log::disk::sim::Rng;
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

/// Runs one seed; gives how many records were seen and how many lives had a cut in them.
fn run(seed: u64) -> Result<(usize, u64), Violation> {
    let mut simulation = Simulation::new(seed, OPTIONS).unwrap();
    let torn_blocks = simulation.rng.coin();
    simulation.disk.set_torn_blocks(torn_blocks);
    if simulation.rng.below(4) == 0 {
        // A full disk refuses; it may take nothing back.
        let capacity_bytes = 4 * 1024 * 1024 + simulation.rng.below(1024 * 1024);
        simulation.disk.set_capacity_bytes(Some(capacity_bytes));
    }
    let mut workload = Workload::new(seed);
    let mut cuts = 0;
    for _ in 0..LIVES {
        let end = End::choose(&mut simulation.rng);
        if end == End::PowerCut {
            // The first of them are the start's own.
            let changes = simulation.rng.below(200);
            simulation.plan_power_cut(changes);
        }
        let rounds = 5 + simulation.rng.below(25);
        let lived = simulation.live(async |life| {
            workload.verify(life).await?;
            workload.run(life, rounds).await?;
            if end == End::Stop {
                life.stop().await;
            }
            Ok(())
        });
        match lived {
            Ok(outcome) => outcome?,
            Err(error) if simulation.has_power() => return Err(Violation(error.to_string())),
            Err(_) => {}
        }
        cuts += u64::from(!simulation.has_power());
        if matches!(end, End::PowerCut | End::PowerLoss) {
            simulation.lose_power();
        }
    }
    let verified = simulation.live(async |life| workload.verify(life).await);
    verified.map_err(|error| Violation(error.to_string()))??;
    Ok((workload.history.lock().record_count(), cuts))
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
    let (mut records, mut cuts) = (0, 0);
    for seed in seeds.clone() {
        // Shown if the run panics as well.
        println!("run this one again with SEED={seed}");
        match run(seed) {
            Ok((seen, cut)) => {
                records += seen;
                cuts += cut;
            }
            Err(violation) => panic!("{violation}; run it again with SEED={seed}"),
        }
    }
    println!("{records} records, {cuts} cuts");
    assert!(records > 0, "the workload has worked");
    assert!(cuts > 0 || seeds.count() == 1, "the power has gone");
}
