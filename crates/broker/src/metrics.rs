//! Counters and gauges, and their Prometheus text. Counted where things happen; read by the HTTP listener.

use std::fmt::{Display, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};

use log::Status;
use protocol::api::{self, ApiKey};

use crate::broker::Broker;
use crate::client_metrics::ClientMetrics;
use crate::groups::Groups;

#[derive(Default)]
pub struct Counter(AtomicU64);

impl Counter {
    pub fn inc(&self) {
        self.add(1);
    }

    pub fn add(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

pub struct Metrics {
    /// By place in the table of APIs.
    requests: Vec<Counter>,
    records_in: Counter,
    batches_in: Counter,
    bytes_in: Counter,
    bytes_out: Counter,
    pub connections_refused: Counter,
    pub bad_requests: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            requests: api::all().iter().map(|_| Counter::default()).collect(),
            records_in: Counter::default(),
            batches_in: Counter::default(),
            bytes_in: Counter::default(),
            bytes_out: Counter::default(),
            connections_refused: Counter::default(),
            bad_requests: Counter::default(),
        }
    }
}

impl Metrics {
    pub fn request(&self, key: ApiKey) {
        let at = api::all().partition_point(|api| api.key < key);
        self.requests[at].inc();
    }

    /// One batch was appended.
    pub fn produced(&self, records: i32, bytes: usize) {
        self.records_in.add(u64::from(records.unsigned_abs()));
        self.batches_in.inc();
        self.bytes_in.add(bytes as u64);
    }

    pub fn fetched(&self, bytes: usize) {
        self.bytes_out.add(bytes as u64);
    }
}

/// Everything there is to tell, in Prometheus' text form (version 0.0.4).
pub fn render(broker: &Broker) -> String {
    let metrics = &broker.metrics;
    let image = broker.controller.image();
    let budgets = [&broker.requests, &broker.records, &broker.answers];
    let reserved = budgets.map(|budget| budget.used_bytes().unsigned_abs());
    let mut out = Text::default();
    out.counter(
        "records_in_total",
        "Records appended.",
        metrics.records_in.get(),
    );
    out.counter(
        "batches_in_total",
        "Record batches appended.",
        metrics.batches_in.get(),
    );
    out.counter(
        "bytes_in_total",
        "Bytes of record batches appended.",
        metrics.bytes_in.get(),
    );
    out.counter(
        "bytes_out_total",
        "Bytes of record batches fetched.",
        metrics.bytes_out.get(),
    );
    out.gauge(
        "connections",
        "Open connections.",
        broker.connections.open() as u64,
    );
    let refused = metrics.connections_refused.get();
    out.counter(
        "connections_refused_total",
        "Connections refused by a limit.",
        refused,
    );
    let help = "Connections closed for a request that could not be served.";
    out.counter("bad_requests_total", help, metrics.bad_requests.get());
    let help = "Memory reserved for requests and answers.";
    out.gauge("memory_budget_used_bytes", help, reserved.iter().sum());
    let sessions = broker.fetch_sessions.lock().len() as u64;
    out.gauge("fetch_sessions", "Incremental fetch sessions.", sessions);
    out.gauge("topics", "Topics.", image.topic_count() as u64);
    out.gauge("partitions", "Partitions.", image.partition_count() as u64);
    clients(&mut out, &broker.client_metrics);
    let groups = |groups: &Groups| {
        let counted = [groups.count(), groups.held_bytes()].map(|count| count as u64);
        (counted, groups.memory_refusals())
    };
    let ([count, held_bytes], refusals) = broker.coordinator.look(groups);
    out.gauge("groups", "Groups.", count);
    let help = "Memory that groups hold: members, assignments, offsets.";
    out.gauge("groups_memory_bytes", help, held_bytes);
    let help =
        "Joins, assignments and commits refused because groups hold all the memory they may.";
    out.counter("groups_memory_refusals_total", help, refusals);
    let help = "Records of groups that could not be read at the start.";
    let unreadable = broker.coordinator.unreadable_records();
    out.counter("groups_unreadable_records_total", help, unreadable);
    journal(&mut out, &broker.journal.status());
    requests(&mut out, metrics);
    out.0
}

/// What clients push of themselves.
fn clients(out: &mut Text, clients: &ClientMetrics) {
    let (sums, dropped) = clients.totals();
    for (name, help, counter) in [
        ("pushes", "Pushes of clients' metrics.", &clients.pushes),
        (
            "push_bytes",
            "Bytes of clients' metrics, as pushed.",
            &clients.push_bytes,
        ),
        (
            "throttled",
            "Clients' requests that came too early.",
            &clients.throttled,
        ),
        (
            "unknown_subscriptions",
            "Pushes under subscriptions that have changed.",
            &clients.unknown_subscriptions,
        ),
        (
            "invalid",
            "Pushes that could not be read.",
            &clients.invalid,
        ),
    ] {
        out.counter(&format!("client_metrics_{name}_total"), help, counter.get());
    }
    let help = "Sums of clients' metrics that had no room.";
    out.counter("client_metrics_dropped_total", help, dropped);
    let help = "What clients count of themselves, over all clients.";
    out.head("client_metric_total", "counter", help);
    for (name, total) in sums {
        out.sample(
            "client_metric_total",
            &format!("{{metric=\"{name}\"}}"),
            total,
        );
    }
}

fn journal(out: &mut Text, status: &Status) {
    out.counter(
        "journal_frames_total",
        "Frames written since the start.",
        status.frames,
    );
    out.counter(
        "journal_syncs_total",
        "Syncs since the start.",
        status.syncs,
    );
    out.gauge("journal_files", "Files of the journal.", status.files);
    out.gauge(
        "journal_bytes",
        "Bytes of the journal's files.",
        status.bytes,
    );
    out.gauge("journal_holes", "Damaged ranges.", status.holes);
    let help = "1 when a failed write or sync has stopped all writing.";
    out.gauge("journal_failed", help, u64::from(status.failed.is_some()));
    out.gauge(
        "journal_full",
        "1 when the disk is full.",
        u64::from(status.full),
    );
}

fn requests(out: &mut Text, metrics: &Metrics) {
    out.head("requests_total", "counter", "Requests by API.");
    for (api, count) in api::all().iter().zip(&metrics.requests) {
        if count.get() > 0 {
            let labels = format!("{{api=\"{}\"}}", api.name);
            out.sample("requests_total", &labels, count.get());
        }
    }
}

/// The text as it grows. Writing to memory cannot fail.
#[derive(Default)]
struct Text(String);

impl Text {
    fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.head(name, "counter", help);
        self.sample(name, "", value);
    }

    fn gauge(&mut self, name: &str, help: &str, value: u64) {
        self.head(name, "gauge", help);
        self.sample(name, "", value);
    }

    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let _ = writeln!(
            self.0,
            "# HELP ottla_{name} {help}\n# TYPE ottla_{name} {kind}"
        );
    }

    fn sample(&mut self, name: &str, labels: &str, value: impl Display) {
        let _ = writeln!(self.0, "ottla_{name}{labels} {value}");
    }
}
