//! `differential`: records what Apache Kafka answers, compares what Ottla answers. `run` beside it starts the brokers.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};
use differential::fixture::{self, Sequence};
use differential::replay::{self, Report};

#[derive(Parser)]
#[command(
    about = "The same requests to Apache Kafka and to Ottla, answers compared field by field"
)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Generate sequences and keep what Kafka answers
    Record {
        #[arg(long)]
        kafka: String,
        #[arg(long, default_value_t = 0)]
        first_seed: u64,
        #[arg(long)]
        sequences: u64,
        #[arg(long, default_value_t = 4)]
        threads: usize,
        #[arg(long, default_value = fixture::PATH)]
        fixtures: PathBuf,
    },
    /// Send what was recorded to Ottla
    Compare {
        #[arg(long)]
        ottla: String,
        #[arg(long, default_value_t = 8)]
        threads: usize,
        #[arg(long, default_value = fixture::PATH)]
        fixtures: PathBuf,
        /// Move the sequences that differ to this file: it is the list of what is open
        #[arg(long)]
        open: Option<PathBuf>,
        /// Only this sequence
        #[arg(long)]
        seed: Option<u64>,
    },
    /// Print a recorded sequence
    Show {
        seed: u64,
        #[arg(long, default_value = fixture::PATH)]
        fixtures: PathBuf,
    },
}

fn main() -> Result<ExitCode> {
    match Arguments::parse().verb {
        Verb::Record {
            kafka,
            first_seed,
            sequences,
            threads,
            fixtures,
        } => {
            let seeds: Vec<u64> = (first_seed..first_seed + sequences).collect();
            let recorded = replay::record(&kafka, &seeds, threads, true)?;
            let requests: usize = recorded.iter().map(|one| one.steps.len()).sum();
            fixture::write(&fixtures, &recorded)?;
            println!("recorded {sequences} sequences of {requests} requests");
            Ok(ExitCode::SUCCESS)
        }
        Verb::Compare {
            ottla,
            threads,
            fixtures,
            open,
            seed,
        } => {
            let mut sequences = fixture::read(&fixtures)?;
            sequences.retain(|one| seed.is_none_or(|seed| seed == one.seed));
            let report = replay::compare(&ottla, &sequences, threads)?;
            if let Some(open) = open {
                let is_open =
                    |one: &Sequence| report.mismatches.iter().any(|found| found.seed == one.seed);
                let (differing, equal): (Vec<_>, Vec<_>) = sequences.into_iter().partition(is_open);
                fixture::write(&open, &differing)?;
                fixture::write(&fixtures, &equal)?;
            }
            Ok(tell(&report, seed.is_none()))
        }
        Verb::Show { seed, fixtures } => {
            let sequences = fixture::read(&fixtures)?;
            let found = sequences.iter().find(|one| one.seed == seed);
            show(found.context("no such sequence")?);
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn tell(report: &Report, is_whole: bool) -> ExitCode {
    print!("{}", report.summary());
    let unused = if is_whole {
        report.unused_rules()
    } else {
        Vec::new()
    };
    for name in &unused {
        println!("rule not needed any more: {name}");
    }
    println!(
        "compared {} sequences, {} requests: {} sequences differ",
        report.sequences,
        report.requests,
        report.mismatches.len()
    );
    match report.mismatches.is_empty() && unused.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

fn show(sequence: &Sequence) {
    for (at, step) in sequence.steps.iter().enumerate() {
        let (connection, api, version) = (step.connection, &step.api, step.version);
        println!("{at} [{connection}] {api} v{version} {}", step.request);
        println!("    {}", step.answer);
    }
}
