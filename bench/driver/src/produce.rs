//! The mode `produce`: as many requests as the broker acknowledges. Also fills the topic that `fetch` reads.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::admin::{Admin, Topic};
use crate::batch;
use crate::cli::{Payload, ProduceArgs};
use crate::connection::{Connection, Tally, Template, Timeline};
use crate::crowd;
use crate::report::{Costs, Report};

/// "Without a limit", as far as a bench goes.
const FOR_EVER: Duration = Duration::from_secs(3600);

pub(crate) fn run(args: &ProduceArgs) -> Result<Report> {
    let target = &args.target;
    let (mut admin, topic) = Admin::prepare(target)?;
    if args.requests.is_none() {
        touch(&mut admin, &topic, target.address, args.payload)?;
    }
    let begin_offsets = admin.end_offsets(&topic)?;
    let load = Load {
        address: target.address,
        payload: args.payload,
        connections: args.connections,
        in_flight: args.in_flight,
        threads_max: args.threads_max,
    };
    let connections = load.open(&topic)?;
    let mut costs = Costs::of(target.pid);
    let now = Instant::now();
    let (tally, seconds) = match args.requests {
        Some(requests) => {
            costs.begin()?;
            let timeline = Timeline {
                begin: now,
                end: now + FOR_EVER,
            };
            let tally = load.drive(connections, timeline, requests, || Ok(()))?;
            costs.end()?;
            let seconds = tally.last_answer.duration_since(now).as_secs_f64();
            (tally, seconds)
        }
        None => {
            let begin = now + args.time.warmup();
            let timeline = Timeline {
                begin,
                end: begin + args.time.measured(),
            };
            let tally = load.drive(connections, timeline, u64::MAX, || costs.during(timeline))?;
            (tally, args.time.measured().as_secs_f64())
        }
    };
    tally.offsets.check(
        args.payload.records,
        &begin_offsets,
        &admin.end_offsets(&topic)?,
    )?;
    admin.delete_if_temporary(&topic)?;
    Ok(Report::new("produce", tally.answers, seconds)
        .carrying(args.payload)
        .with_latencies(&tally.latencies)
        .with_costs(&costs))
}

/// One request to every partition before the measuring begins: Kafka makes a partition's files at its first record, which takes it
/// longer than a thousand others.
pub(crate) fn touch(
    admin: &mut Admin,
    topic: &Topic,
    address: SocketAddr,
    payload: Payload,
) -> Result<()> {
    fill(
        admin,
        topic,
        address,
        payload,
        u64::from(topic.partitions.unsigned_abs()),
    )
}

/// Fills the topic with `requests` requests.
pub(crate) fn fill(
    admin: &mut Admin,
    topic: &Topic,
    address: SocketAddr,
    payload: Payload,
    requests: u64,
) -> Result<()> {
    let load = Load {
        address,
        payload,
        connections: 4,
        in_flight: 4,
        threads_max: 4,
    };
    let begin_offsets = admin.end_offsets(topic)?;
    let now = Instant::now();
    let timeline = Timeline {
        begin: now,
        end: now + FOR_EVER,
    };
    let tally = load.drive(load.open(topic)?, timeline, requests, || Ok(()))?;
    tally
        .offsets
        .check(payload.records, &begin_offsets, &admin.end_offsets(topic)?)
}

struct Load {
    address: SocketAddr,
    payload: Payload,
    connections: usize,
    in_flight: usize,
    threads_max: usize,
}

impl Load {
    fn open(&self, topic: &Topic) -> Result<Vec<Connection>> {
        ensure!(
            self.connections > 0 && self.in_flight > 0,
            "nothing to send"
        );
        let batch = batch::build(self.payload.records, self.payload.record_bytes)?;
        let template = Template::new(&topic.name, &batch);
        let open =
            |partitions| Connection::open(self.address, &template, partitions, self.in_flight);
        shares(topic.partitions, self.connections)
            .into_iter()
            .map(open)
            .collect()
    }

    /// Runs all connections; `meanwhile` runs on the calling thread.
    fn drive(
        &self,
        mut connections: Vec<Connection>,
        timeline: Timeline,
        requests: u64,
        meanwhile: impl FnOnce() -> Result<()>,
    ) -> Result<Tally> {
        let count = connections.len() as u64;
        for (index, connection) in connections.iter_mut().enumerate() {
            let rest = u64::from((index as u64) < requests % count);
            connection.set_timeline(timeline, requests / count + rest);
        }
        let one_thread_each = connections.len() <= self.threads_max;
        let tallies = thread::scope(|scope| {
            let threads: Vec<_> = if one_thread_each {
                let drive = |connection: Connection| scope.spawn(|| Ok(vec![connection.drive()?]));
                connections.into_iter().map(drive).collect()
            } else {
                vec![scope.spawn(|| crowd::drive(connections))]
            };
            meanwhile()?;
            let join = |thread: thread::ScopedJoinHandle<'_, Result<Vec<Tally>>>| {
                thread
                    .join()
                    .ok()
                    .context("a thread of the driver panicked")?
            };
            threads.into_iter().map(join).collect::<Result<Vec<_>>>()
        })?;
        let mut all = Tally::new(timeline.begin);
        tallies
            .into_iter()
            .flatten()
            .for_each(|tally| all.merge(tally));
        Ok(all)
    }
}

/// The partitions of each connection: its own, as long as there are enough for all.
pub(crate) fn shares(partitions: i32, connections: usize) -> Vec<Vec<i32>> {
    let share = |connection: usize| {
        let own: Vec<i32> = (0..partitions)
            .skip(connection)
            .step_by(connections)
            .collect();
        if own.is_empty() {
            vec![(connection % partitions.max(1) as usize) as i32]
        } else {
            own
        }
    };
    (0..connections).map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_connection_has_a_share() {
        assert_eq!(shares(4, 2), [vec![0, 2], vec![1, 3]]);
        assert_eq!(shares(2, 3), [vec![0], vec![1], vec![0]]);
    }
}
