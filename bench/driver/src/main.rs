//! Loads a Kafka broker with prebuilt requests over plain sockets, so that what is measured is the broker and not a client library.
//! Checks every answer; prints rates, latencies and the broker's CPU.
//!
//! In reading order: `cli`, `produce` (the load), `connection` (one pipelined connection), `crowd` (many connections on one
//! thread), `idle`, `fetch`; beside them `admin`, `batch`, `offsets`, `latency`, `process`, `report`.

mod admin;
mod batch;
mod cli;
mod connection;
mod crowd;
mod fetch;
mod idle;
mod latency;
mod offsets;
mod process;
mod produce;
mod report;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    match run(&cli::Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(cli: &cli::Cli) -> anyhow::Result<()> {
    raise_open_files()?;
    let report = match &cli.mode {
        cli::Mode::Produce(args) => produce::run(args)?,
        cli::Mode::Fetch(args) => fetch::run(args)?,
        cli::Mode::Idle(args) => idle::run(args)?,
    };
    report.print(cli.json)
}

/// A thousand connections are more than the usual soft limit of open files leaves room for.
fn raise_open_files() -> anyhow::Result<()> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let maximum = getrlimit(Resource::Nofile).maximum;
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    Ok(setrlimit(Resource::Nofile, raised)?)
}
