//! One seed is one run: whatever is found can be looked at again.

#![expect(
    clippy::unwrap_used,
    reason = "a test's own functions may fail it as well"
)]

use log::disk::Disk;
use log::disk::sim::Counts;
use testkit::simulation::Simulation;
use testkit::trace::Event;
use testkit::workload::{OPTIONS, Workload};

/// What a run leaves: all that went over the wire, what the disk did in each life, the files at the end.
#[derive(PartialEq)]
struct Run {
    events: Vec<Event>,
    counts: Vec<Counts>,
    files: Vec<(String, Option<Vec<u8>>)>,
}

fn run(seed: u64) -> Run {
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
    let names = simulation.disk.names().unwrap().into_iter();
    let files = names.map(|name| {
        let contents = simulation.disk.contents(&name);
        (name, contents)
    });
    Run {
        events: simulation.trace.events(),
        counts,
        files: files.collect(),
    }
}

#[test]
fn one_seed_is_one_run() {
    for seed in 0..3 {
        let (one, other) = (run(seed), run(seed));
        let count = one.events.len();
        assert!(count > 100, "only {count} events");
        let mut pairs = one.events.iter().zip(&other.events);
        if let Some((one, other)) = pairs.find(|(one, other)| one != other) {
            panic!("seed {seed}:\n{one:?}\n{other:?}");
        }
        assert_eq!(count, other.events.len(), "seed {seed}");
        assert_eq!(one.counts, other.counts, "seed {seed}: the disk");
        assert!(!one.files.is_empty());
        assert!(one.files == other.files, "seed {seed}: the files");
    }
}

#[test]
fn another_seed_is_another_run() {
    assert!(run(1) != run(2));
}
