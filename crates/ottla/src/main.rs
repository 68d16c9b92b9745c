//! The one binary: `ottla serve` runs the broker, the other verbs talk to one over Kafka's protocol. Parses the command line, puts the
//! parts together, turns outcomes into exit codes.

mod banner;
mod serve;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Apache Kafka as one small program: every event is on disk before it is acknowledged.
#[derive(Parser)]
#[command(
    name = "ottla",
    version,
    after_help = "Examples:
  ottla                                        serve on 127.0.0.1:9092, data in ./ottla-data
  ottla serve --config server.properties       serve as a file says
  ottla serve --set listeners=PLAINTEXT://:9092 --set log.dirs=/var/lib/ottla
  OTTLA_NUM_PARTITIONS=4 ottla serve           any option also as an environment variable"
)]
struct Cli {
    #[command(subcommand)]
    verb: Option<Verb>,
}

#[derive(Subcommand)]
enum Verb {
    /// Run the broker (also without a verb).
    Serve(serve::Arguments),
    /// Print the version.
    Version,
}

/// Exit codes: 0 done, 1 failed, 2 wrong command line (clap's own).
fn main() -> ExitCode {
    match Cli::parse().verb {
        None => serve::run(&serve::Arguments::default()),
        Some(Verb::Serve(arguments)) => serve::run(&arguments),
        Some(Verb::Version) => version(),
    }
}

#[expect(clippy::print_stdout, reason = "the answer of the verb")]
fn version() -> ExitCode {
    println!("ottla {}", env!("CARGO_PKG_VERSION"));
    ExitCode::SUCCESS
}
