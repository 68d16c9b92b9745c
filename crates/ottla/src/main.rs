//! The one binary: `ottla serve` runs the broker, the other verbs talk to one over Kafka's protocol. Parses the command line, puts the
//! parts together, turns outcomes into exit codes.

mod banner;
mod output;
mod serve;
mod topic;
mod wire;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use output::Output;
use serde_json::json;

/// Buffers of a megabyte come and go with every commit; the system's allocator would give each back to the kernel and fault it in anew.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Apache Kafka as one small program: every event is on disk before it is acknowledged.
#[derive(Parser)]
#[command(
    name = "ottla",
    version,
    after_help = "Examples:
  ottla                                        serve on 127.0.0.1:9092, data in ./ottla-data
  ottla serve --config server.properties       serve as a file says
  ottla serve --set listeners=PLAINTEXT://:9092 --set log.dirs=/var/lib/ottla
  OTTLA_NUM_PARTITIONS=4 ottla serve           any option also as an environment variable
  ottla topic create orders --partitions 6     ask a broker, this one or Apache Kafka"
)]
#[command(args_conflicts_with_subcommands = true)]
struct Cli {
    #[command(subcommand)]
    verb: Option<Verb>,
    #[command(flatten)]
    serve: serve::Arguments,
}

#[derive(Subcommand)]
enum Verb {
    /// Run the broker (also without a verb).
    Serve(serve::Arguments),
    /// Create, list, describe, alter and delete topics.
    Topic(topic::Arguments),
    /// Print the version.
    Version {
        /// The form of the answer.
        #[arg(long, value_enum, default_value_t)]
        output: Output,
    },
}

/// Exit codes: 0 done, 1 failed, 2 wrong command line (clap's own).
fn main() -> ExitCode {
    let cli = Cli::parse();
    match cli.verb {
        None => serve::run(&cli.serve),
        Some(Verb::Serve(arguments)) => serve::run(&arguments),
        Some(Verb::Topic(arguments)) => topic::run(&arguments),
        Some(Verb::Version { output }) => version(output),
    }
}

fn version(output: Output) -> ExitCode {
    let version = env!("CARGO_PKG_VERSION");
    output.print(
        &format!("ottla {version}\n"),
        &json!({ "name": "ottla", "version": version }),
    );
    ExitCode::SUCCESS
}
