//! `ottla topic`: creates, lists, describes, alters and deletes the topics of a broker, over Kafka's protocol. One file for each verb;
//! here are what they share and the way out: answers to stdout, refusals to stderr, exit codes.

mod alter;
mod create;
mod delete;
mod describe;
mod list;
mod refused;
mod table;

use std::process::ExitCode;

use clap::Subcommand;
use serde_json::Value;

use crate::banner;
use crate::output::Output;
use crate::wire::{Connection, WireError};
use refused::Refused;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  ottla topic create orders --partitions 6 --config retention.ms=86400000
  ottla topic list --output json
  ottla topic describe orders
  ottla topic alter orders --config durability=100ms --delete-config retention.ms
  ottla topic delete orders
  OTTLA_BOOTSTRAP_SERVER=kafka.example:9092 ottla topic list

Exit codes: 0 done, 1 failed, 2 wrong command line.")]
pub(crate) struct Arguments {
    /// The broker to ask, Ottla's or Apache Kafka's.
    #[arg(
        long,
        global = true,
        value_name = "HOST:PORT",
        env = "OTTLA_BOOTSTRAP_SERVER",
        default_value = "127.0.0.1:9092",
        value_parser = host_and_port
    )]
    bootstrap_server: String,
    /// The form of the answer.
    #[arg(long, global = true, value_enum, default_value_t)]
    output: Output,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Create topics.
    Create(create::Arguments),
    /// List all topics.
    List(list::Arguments),
    /// Tell partitions and options of topics.
    Describe(describe::Arguments),
    /// Add partitions to a topic, set or reset its options.
    Alter(alter::Arguments),
    /// Delete topics with all their records.
    Delete(delete::Arguments),
}

/// Kafka's number for the options of a topic.
const TOPIC_RESOURCE: i8 = 2;

/// What a verb has to say: of what was done both forms, of the rest why not.
#[derive(Debug, Default)]
struct Answer {
    text: String,
    json: Vec<Value>,
    refused: Vec<Refused>,
}

impl Answer {
    fn add(&mut self, text: &str, json: Value) {
        self.text.push_str(text);
        self.text.push('\n');
        self.json.push(json);
    }
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let answer = match ask(arguments) {
        Ok(answer) => answer,
        Err(error) => {
            banner::say(&format!("ottla: {error}"));
            return ExitCode::FAILURE;
        }
    };
    arguments
        .output
        .print(&answer.text, &Value::Array(answer.json));
    for refused in &answer.refused {
        banner::say(&format!("ottla: {refused}"));
    }
    if answer.refused.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn ask(arguments: &Arguments) -> Result<Answer, WireError> {
    let mut connection = Connection::open(&arguments.bootstrap_server)?;
    match &arguments.verb {
        Verb::Create(arguments) => create::run(&mut connection, arguments),
        Verb::List(arguments) => list::run(&mut connection, arguments),
        Verb::Describe(arguments) => describe::run(&mut connection, arguments),
        Verb::Alter(arguments) => alter::run(&mut connection, arguments),
        Verb::Delete(arguments) => delete::run(&mut connection, arguments),
    }
}

fn host_and_port(text: &str) -> Result<String, String> {
    let port = text
        .rsplit_once(':')
        .filter(|(host, _)| !host.is_empty())
        .and_then(|(_, port)| port.parse::<u16>().ok());
    port.map(|_| text.to_owned())
        .ok_or_else(|| "expected HOST:PORT, such as 127.0.0.1:9092".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_host_and_a_port() {
        for (text, good) in [
            ("127.0.0.1:9092", true),
            ("kafka.example:1", true),
            ("[::1]:9092", true),
            ("localhost", false),
            (":9092", false),
            ("localhost:", false),
            ("localhost:99999", false),
            ("localhost:kafka", false),
        ] {
            assert_eq!(host_and_port(text).is_ok(), good, "{text}");
        }
    }
}
