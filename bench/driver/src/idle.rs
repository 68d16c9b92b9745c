//! The mode `idle`: many connections that send one small request a second each, evenly spread, whether or not the last one is
//! answered. Latencies count from when a request was due.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::admin::Admin;
use crate::batch;
use crate::cli::{IdleArgs, Payload};
use crate::connection::{Connection, SILENCE_MAX, Tally, Template, Timeline};
use crate::crowd::Poller;
use crate::produce::{shares, touch};
use crate::report::{Costs, Report};

const PERIOD: Duration = Duration::from_secs(1);
/// A broker that is further behind is not one that idles.
const IN_FLIGHT_MAX: usize = 16;

pub(crate) fn run(args: &IdleArgs) -> Result<Report> {
    let target = &args.target;
    let payload = Payload {
        records: 1,
        record_bytes: args.record_bytes,
    };
    let (mut admin, topic) = Admin::prepare(target)?;
    touch(&mut admin, &topic, target.address, payload)?;
    let begin_offsets = admin.end_offsets(&topic)?;
    let template = Template::new(&topic.name, &batch::build(1, args.record_bytes)?);
    let open = |partitions| Connection::open(target.address, &template, partitions, IN_FLIGHT_MAX);
    let connections = shares(topic.partitions, args.connections)
        .into_iter()
        .map(open)
        .collect::<Result<Vec<_>>>()?;
    ensure!(!connections.is_empty(), "nothing to send");
    let begin = Instant::now() + args.time.warmup();
    let timeline = Timeline {
        begin,
        end: begin + args.time.measured(),
    };
    let mut costs = Costs::of(target.pid);
    let tally = std::thread::scope(|scope| {
        let sampler = scope.spawn(|| costs.during(timeline));
        let tally = pace(connections, timeline);
        match sampler.join() {
            Ok(sampled) => sampled.and(tally),
            Err(_) => anyhow::bail!("a thread of the driver panicked"),
        }
    })?;
    tally
        .offsets
        .check(1, &begin_offsets, &admin.end_offsets(&topic)?)?;
    admin.delete_if_temporary(&topic)?;
    Ok(
        Report::new("idle", tally.answers, args.time.measured().as_secs_f64())
            .carrying(payload)
            .with_latencies(&tally.latencies)
            .with_costs(&costs),
    )
}

/// Sends on connection `i` at `i / connections` of every period.
fn pace(mut connections: Vec<Connection>, timeline: Timeline) -> Result<Tally> {
    let poller = Poller::new(&connections)?;
    for connection in &mut connections {
        connection.set_timeline(timeline, u64::MAX);
    }
    let step = PERIOD / connections.len() as u32;
    let mut due = Instant::now();
    let mut index = 0;
    let mut ready = Vec::new();
    while Instant::now() < timeline.end || !connections.iter().all(Connection::is_finished) {
        let now = Instant::now();
        ensure!(
            now < timeline.end + SILENCE_MAX,
            "no answer within {SILENCE_MAX:?}"
        );
        while due <= now && due < timeline.end {
            connections[index].send_due(due)?;
            index = (index + 1) % connections.len();
            due += step;
        }
        let wait = due
            .saturating_duration_since(Instant::now())
            .max(Duration::from_micros(50));
        poller.wait(wait.min(PERIOD), &mut ready)?;
        for &index in &ready {
            connections[index].drain()?;
        }
    }
    let mut all = Tally::new(timeline.begin);
    connections
        .into_iter()
        .for_each(|connection| all.merge(connection.into_tally()));
    Ok(all)
}
