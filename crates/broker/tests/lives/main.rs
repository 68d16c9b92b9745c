//! A whole broker on a simulated disk, one life after another with a power cut between.

#![cfg(test)]

mod clock_jumps;
mod damage;

use std::sync::Arc;

use broker::assembly::Parts;
use broker::broker::Broker;
use broker::config::Config;
use broker::groups::{CommitPartition, CommitTopic, Groups, OffsetCommit, Reply};
use broker::random::Random;
use log::ManualClock;
use log::disk::sim::SimDisk;
use protocol::Uuid;
use protocol::error::ErrorCode;
use tokio_util::task::TaskTracker;

const DAY_MS: u64 = 86_400_000;
const NOW_MS: i64 = 1_790_000_000_000;

/// A broker on `disk` until `life` is over; then the power goes.
fn live(disk: &mut SimDisk, wall_ms: i64, life: impl AsyncFnOnce(&Broker, &ManualClock)) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(async {
        let clock = Arc::new(ManualClock::new(wall_ms));
        let flags = [("offsets.topic.num.partitions", "2")];
        let flags = flags.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let parts = Parts {
            config: Arc::new(Config::load("", std::iter::empty(), flags).unwrap()),
            addresses: Vec::new(),
            clock: clock.clone(),
            random: Arc::new(Random::from_seed(7)),
        };
        let (journal, mut recovered) = parts.open_journal(Arc::new(disk.clone())).unwrap();
        let tasks = TaskTracker::new();
        let stepped = journal.clone();
        tasks.spawn(async move {
            loop {
                stepped.commit_step();
                stepped.sync_step();
                tokio::task::yield_now().await;
            }
        });
        let broker = parts.assemble(journal, &mut recovered).await.unwrap();
        let coordinator = broker.coordinator.clone();
        tasks.spawn(coordinator.run(broker.stopping.clone()));
        broker.ensure_offsets_topic().await;
        life(&broker, &clock).await;
    });
    *disk = disk.crash(3);
}

async fn commit(broker: &Broker, group: &str) {
    let commit = OffsetCommit {
        group_id: group.to_owned(),
        member_id: String::new(),
        group_instance_id: None,
        generation: -1,
        retention_ms: None,
        group_id_not_found: true,
        topics: vec![CommitTopic {
            name: "t".into(),
            topic_id: Uuid::ZERO,
            partitions: vec![CommitPartition {
                partition: 0,
                offset: 5,
                leader_epoch: -1,
                metadata: String::new(),
            }],
        }],
    };
    let answer = broker
        .coordinator
        .ask(|groups, now, token| groups.offset_commit(now, token, &commit));
    let Ok(Reply::OffsetCommit(reply)) = answer.await else {
        panic!("{group}: no answer");
    };
    assert_eq!(reply.topics[0].partitions, [(0, ErrorCode::None)]);
}

/// The groups that are left after a search for what has expired.
async fn left(broker: &Broker, clock: &ManualClock) -> Vec<String> {
    clock.advance_ms(600_000);
    broker.coordinator.step(Groups::tick);
    // The tombstones count once they are durable.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    let groups = broker.coordinator.look(|groups| groups.list(&[], &[]));
    groups
        .iter()
        .map(|group| group.group_id.to_string())
        .collect()
}
