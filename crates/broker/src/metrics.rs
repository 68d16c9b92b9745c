//! Counters and gauges, and their Prometheus text. Counted where things happen; read by the HTTP listener.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use protocol::api::{self, ApiKey};

use crate::broker::Broker;

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
    let mut out = String::with_capacity(4096);
    let mut one = |name: &str, kind: &str, help: &str, value: u64| {
        let _ = writeln!(
            out,
            "# HELP ottla_{name} {help}\n# TYPE ottla_{name} {kind}\nottla_{name} {value}"
        );
    };
    let image = broker.controller.image();
    let journal = broker.journal.status();
    one(
        "records_in_total",
        "counter",
        "Records appended.",
        metrics.records_in.get(),
    );
    one(
        "batches_in_total",
        "counter",
        "Record batches appended.",
        metrics.batches_in.get(),
    );
    one(
        "bytes_in_total",
        "counter",
        "Bytes of record batches appended.",
        metrics.bytes_in.get(),
    );
    one(
        "bytes_out_total",
        "counter",
        "Bytes of record batches fetched.",
        metrics.bytes_out.get(),
    );
    one(
        "connections",
        "gauge",
        "Open connections.",
        broker.connections.open() as u64,
    );
    one(
        "connections_refused_total",
        "counter",
        "Connections refused by a limit.",
        metrics.connections_refused.get(),
    );
    one(
        "bad_requests_total",
        "counter",
        "Connections closed for a request that could not be served.",
        metrics.bad_requests.get(),
    );
    one(
        "memory_budget_used_bytes",
        "gauge",
        "Memory reserved for requests and answers.",
        [&broker.requests, &broker.records, &broker.answers]
            .map(|budget| budget.used_bytes().unsigned_abs())
            .iter()
            .sum(),
    );
    one(
        "fetch_sessions",
        "gauge",
        "Incremental fetch sessions.",
        broker.fetch_sessions.lock().len() as u64,
    );
    one("topics", "gauge", "Topics.", image.topic_count() as u64);
    one(
        "partitions",
        "gauge",
        "Partitions.",
        image.partition_count() as u64,
    );
    one(
        "journal_frames_total",
        "counter",
        "Frames written since the start.",
        journal.frames,
    );
    one(
        "journal_syncs_total",
        "counter",
        "Syncs since the start.",
        journal.syncs,
    );
    one(
        "journal_files",
        "gauge",
        "Files of the journal.",
        journal.files,
    );
    one(
        "journal_bytes",
        "gauge",
        "Bytes of the journal's files.",
        journal.bytes,
    );
    one("journal_holes", "gauge", "Damaged ranges.", journal.holes);
    one(
        "journal_failed",
        "gauge",
        "1 when a failed write or sync has stopped all writing.",
        u64::from(journal.failed.is_some()),
    );
    one(
        "journal_full",
        "gauge",
        "1 when the disk is full.",
        u64::from(journal.full),
    );
    let _ = writeln!(
        out,
        "# HELP ottla_requests_total Requests by API.\n# TYPE ottla_requests_total counter"
    );
    for (api, count) in api::all()
        .iter()
        .zip(&metrics.requests)
        .filter(|(_, count)| count.get() > 0)
    {
        let _ = writeln!(
            out,
            "ottla_requests_total{{api=\"{}\"}} {}",
            api.name,
            count.get()
        );
    }
    out
}
