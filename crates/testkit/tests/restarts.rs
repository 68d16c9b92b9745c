//! A broker that was stopped in order starts from what its last snapshot holds.

use testkit::simulation::Simulation;
use testkit::workload::{OPTIONS, Workload};

#[test]
fn a_clean_stop_keeps_the_groups_offsets() {
    let mut simulation = Simulation::new(5, OPTIONS).unwrap();
    let mut workload = Workload::new(5);
    for _ in 0..3 {
        let lived = simulation.live(async |life| {
            workload.verify(life).await?;
            workload.run(life, 15).await?;
            life.stop().await;
            assert!(!life.has_failed());
            Ok::<(), testkit::history::Violation>(())
        });
        lived.unwrap().unwrap();
        let offsets = workload.history.lock().offset_places();
        assert!(!offsets.is_empty(), "the group has committed");
    }
}
