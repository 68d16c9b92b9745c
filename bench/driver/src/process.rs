//! CPU and memory of a process, from /proc.

use std::fs;

use anyhow::{Context, Result};
use rustix::param::clock_ticks_per_second;

#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    pub(crate) user_s: f64,
    pub(crate) system_s: f64,
    pub(crate) rss_mb: f64,
    pub(crate) rss_peak_mb: f64,
}

impl Usage {
    pub(crate) fn of(pid: u32) -> Result<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))
            .with_context(|| format!("no process {pid}"))?;
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let (user_s, system_s) = cpu_seconds(&stat).context("unknown form of /proc/PID/stat")?;
        Ok(Self {
            user_s,
            system_s,
            rss_mb: megabytes(&status, "VmRSS:"),
            rss_peak_mb: megabytes(&status, "VmHWM:"),
        })
    }

    pub(crate) fn cpu_s(&self) -> f64 {
        self.user_s + self.system_s
    }
}

/// Fields 14 and 15, counted behind the process's name, which may hold anything.
fn cpu_seconds(stat: &str) -> Option<(f64, f64)> {
    let behind_name = &stat[stat.rfind(')')? + 1..];
    let mut fields = behind_name.split_whitespace().skip(11);
    let mut seconds = || {
        let ticks: f64 = fields.next()?.parse().ok()?;
        Some(ticks / clock_ticks_per_second() as f64)
    };
    Some((seconds()?, seconds()?))
}

/// 0 where the line is missing: a process that is about to end has no memory any more.
fn megabytes(status: &str, name: &str) -> f64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or(0.0) * 1024.0 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_usage_is_plausible() {
        let usage = Usage::of(std::process::id()).unwrap();
        assert!(usage.rss_mb > 0.5 && usage.rss_peak_mb >= usage.rss_mb);
    }

    #[test]
    fn a_name_may_hold_spaces_and_brackets() {
        let ticks = clock_ticks_per_second();
        let stat = format!(
            "1 (a) b) c) S 1 2 3 4 5 6 7 8 9 10 {ticks} {} 0 0",
            2 * ticks
        );
        assert_eq!(cpu_seconds(&stat), Some((1.0, 2.0)));
    }
}
