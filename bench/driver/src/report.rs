//! What a load reports, as text or as a line of JSON for `bench/run`. MB and GB are decimal.

use std::thread::sleep;
use std::time::Instant;

use anyhow::Result;
use serde::Serialize;

use crate::cli::Payload;
use crate::connection::Timeline;
use crate::latency::{Latencies, Percentiles};
use crate::process::Usage;

#[derive(Serialize)]
pub(crate) struct Report {
    mode: &'static str,
    seconds: f64,
    requests: u64,
    records: u64,
    /// Produced: bytes of values. Fetched: bytes of batches.
    mb: f64,
    requests_per_s: f64,
    records_per_s: f64,
    mb_per_s: f64,
    latency_ms: Option<Percentiles>,
    broker: Option<BrokerCosts>,
    driver_cpu_s: f64,
}

#[derive(Serialize)]
struct BrokerCosts {
    user_s: f64,
    system_s: f64,
    cpu_s_per_gb: f64,
    cpu_us_per_request: f64,
    cpu_s_per_million_records: f64,
    rss_mb: f64,
    rss_peak_mb: f64,
}

impl Report {
    pub(crate) fn new(mode: &'static str, requests: u64, seconds: f64) -> Self {
        Self {
            mode,
            seconds,
            requests,
            records: 0,
            mb: 0.0,
            requests_per_s: requests as f64 / seconds,
            records_per_s: 0.0,
            mb_per_s: 0.0,
            latency_ms: None,
            broker: None,
            driver_cpu_s: 0.0,
        }
    }

    /// Every request carried the same payload.
    pub(crate) fn carrying(self, payload: Payload) -> Self {
        let records = self.requests * payload.records as u64;
        self.having_read(records, records * payload.record_bytes as u64)
    }

    pub(crate) fn having_read(mut self, records: u64, bytes: u64) -> Self {
        self.records = records;
        self.mb = bytes as f64 / 1e6;
        self.records_per_s = records as f64 / self.seconds;
        self.mb_per_s = self.mb / self.seconds;
        self
    }

    pub(crate) fn with_latencies(mut self, latencies: &Latencies) -> Self {
        self.latency_ms = Some(latencies.ms());
        self
    }

    pub(crate) fn with_costs(mut self, costs: &Costs) -> Self {
        self.driver_cpu_s = costs.driver.1.cpu_s() - costs.driver.0.cpu_s();
        let Some((begin, end)) = costs.broker else {
            return self;
        };
        let cpu_s = end.cpu_s() - begin.cpu_s();
        self.broker = Some(BrokerCosts {
            user_s: end.user_s - begin.user_s,
            system_s: end.system_s - begin.system_s,
            cpu_s_per_gb: cpu_s / (self.mb / 1e3),
            cpu_us_per_request: cpu_s * 1e6 / self.requests as f64,
            cpu_s_per_million_records: cpu_s * 1e6 / self.records as f64,
            rss_mb: end.rss_mb,
            rss_peak_mb: end.rss_peak_mb,
        });
        self
    }

    pub(crate) fn print(&self, json: bool) -> Result<()> {
        if json {
            println!("{}", serde_json::to_string(self)?);
            return Ok(());
        }
        println!(
            "{}: {:.0} requests/s, {:.0} records/s, {:.1} MB/s ({} requests, {:.1} MB in {:.2} s)",
            self.mode,
            self.requests_per_s,
            self.records_per_s,
            self.mb_per_s,
            self.requests,
            self.mb,
            self.seconds
        );
        if let Some(ms) = self.latency_ms {
            println!(
                "latency: p50 {:.3} ms, p99 {:.3} ms, max {:.3} ms",
                ms.p50, ms.p99, ms.max
            );
        }
        if let Some(broker) = &self.broker {
            println!(
                "broker: {:.2} s user + {:.2} s system; {:.2} s/GB, {:.1} us/request, {:.2} s/million records; {:.0} MB resident, {:.0} MB at most",
                broker.user_s,
                broker.system_s,
                broker.cpu_s_per_gb,
                broker.cpu_us_per_request,
                broker.cpu_s_per_million_records,
                broker.rss_mb,
                broker.rss_peak_mb
            );
        }
        println!("driver: {:.2} s", self.driver_cpu_s);
        Ok(())
    }
}

/// What broker and driver have used up at the begin and at the end of the measured time.
pub(crate) struct Costs {
    pid: Option<u32>,
    broker: Option<(Usage, Usage)>,
    driver: (Usage, Usage),
}

impl Costs {
    pub(crate) fn of(pid: Option<u32>) -> Self {
        Self {
            pid,
            broker: None,
            driver: (Usage::default(), Usage::default()),
        }
    }

    pub(crate) fn begin(&mut self) -> Result<()> {
        self.driver.0 = Usage::of(std::process::id())?;
        if let Some(pid) = self.pid {
            let usage = Usage::of(pid)?;
            self.broker = Some((usage, usage));
        }
        Ok(())
    }

    pub(crate) fn end(&mut self) -> Result<()> {
        self.driver.1 = Usage::of(std::process::id())?;
        if let (Some(pid), Some((_, end))) = (self.pid, &mut self.broker) {
            *end = Usage::of(pid)?;
        }
        Ok(())
    }

    /// Waits through the timeline and takes both.
    pub(crate) fn during(&mut self, timeline: Timeline) -> Result<()> {
        sleep(timeline.begin.saturating_duration_since(Instant::now()));
        self.begin()?;
        sleep(timeline.end.saturating_duration_since(Instant::now()));
        self.end()
    }
}
