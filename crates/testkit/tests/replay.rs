//! One seed is one run: whatever is found can be looked at again.

#![expect(
    clippy::unwrap_used,
    reason = "a test's own functions may fail it as well"
)]

use log::disk::sim::Counts;
use testkit::simulation::Simulation;
use testkit::trace::Event;
use testkit::workload::{OPTIONS, Workload};

fn run(seed: u64) -> (Vec<Event>, Vec<Counts>) {
    let mut simulation = Simulation::new(seed, OPTIONS).unwrap();
    let mut workload = Workload::new(seed);
    let mut counts = Vec::new();
    for _ in 0..3 {
        let lived = simulation.live(async |life| {
            workload.verify(life).await?;
            workload.run(life, 15).await
        });
        lived.unwrap().unwrap();
        counts.push(simulation.disk.counts());
        simulation.lose_power();
    }
    (simulation.trace.events(), counts)
}

#[test]
fn one_seed_is_one_run() {
    for seed in 0..3 {
        let (events, counts) = run(seed);
        let (again, counts_again) = run(seed);
        assert!(events.len() > 100, "only {} events", events.len());
        let differs = events
            .iter()
            .zip(&again)
            .position(|(one, other)| one != other);
        if let Some(at) = differs {
            panic!(
                "seed {seed}, event {at}:\n{:?}\n{:?}",
                events[at], again[at]
            );
        }
        assert_eq!(events.len(), again.len(), "seed {seed}");
        assert_eq!(counts, counts_again, "seed {seed}: the disk");
    }
}

#[test]
fn another_seed_is_another_run() {
    assert_ne!(run(1).0, run(2).0);
}
