//! `ottla serve`: reads the configuration, starts the broker, waits for a signal, stops it.

use std::fs;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use broker::config::Config;
use broker::random::Random;
use broker::runtime;
use broker::server::Server;
use log::SystemClock;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::banner;

#[derive(clap::Args)]
#[command(after_help = "Examples:
  ottla serve                                  on 127.0.0.1:9092, data in ./ottla-data
  ottla serve --config server.properties --set num.partitions=4
  ottla serve --set listeners=PLAINTEXT://:9092 --set advertised.listeners=PLAINTEXT://kafka.example:9092
  OTTLA_LOG_DIRS=/var/lib/ottla OTTLA_DURABILITY=100ms ottla serve --log info

Exit codes: 0 stopped by a signal, 1 failed, 2 wrong command line.")]
pub(crate) struct Arguments {
    /// A file in Kafka's server.properties form.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// One option, over file and environment; may be given again. Kafka's --override means the same.
    #[arg(long = "set", visible_alias = "override", value_name = "KEY=VALUE", value_parser = key_value)]
    set: Vec<(String, String)>,
    /// What is logged, in the form of RUST_LOG, such as info or broker=debug.
    #[arg(long, value_name = "FILTER", default_value = "warn", env = "OTTLA_LOG")]
    log: String,
}

pub(crate) fn key_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE")?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let filter = match EnvFilter::try_new(&arguments.log) {
        Ok(filter) => filter,
        Err(error) => {
            let text = &arguments.log;
            banner::say(&format!(
                "ottla: --log (or OTTLA_LOG) {text}: {error}; expected such as info or broker=debug"
            ));
            return ExitCode::FAILURE;
        }
    };
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // A file or a journal of the system's would keep the escape codes.
        .with_ansi(std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none())
        .init();
    match serve(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            banner::say(&format!("ottla: {reason}"));
            ExitCode::FAILURE
        }
    }
}

fn serve(arguments: &Arguments) -> Result<(), String> {
    let config = configuration(arguments)?;
    banner::say_keys(&config);
    raise_open_files_max();
    let runtime = runtime::asynchronous()
        .map_err(|error| format!("the runtime cannot be started: {error}"))?;
    runtime.block_on(async {
        let server = Server::start(
            config,
            Arc::new(SystemClock::default()),
            Arc::new(Random::from_system()),
        );
        let server = server.await.map_err(|error| error.to_string())?;
        banner::say_started(&server);
        let mut signals = Signals::watch()?;
        let signal = tokio::select! {
            biased;
            signal = signals.next() => Some(signal),
            () = server.failed() => None,
        };
        banner::say(&format!("{}: stopping", signal.unwrap_or("a fault")));
        // Whoever asks again does not wait for clients.
        let hurry = async {
            let signal = signals.next().await;
            banner::say(&format!("{signal} again: no longer waiting"));
        };
        server.stop_before(hurry).await;
        banner::say("stopped");
        let failed = "a part of the broker failed, as said above; start it again";
        signal.map(|_| ()).ok_or(failed.to_owned())
    })
}

fn configuration(arguments: &Arguments) -> Result<Config, String> {
    let path = arguments.config.as_deref();
    let text = path.map(read).transpose()?.unwrap_or_default();
    let path = path.unwrap_or(Path::new("")).display().to_string();
    let environment = environment()?.into_iter();
    Config::load_file(&path, &text, environment, arguments.set.clone())
        .map_err(|error| error.to_string())
}

fn environment() -> Result<Vec<(String, String)>, String> {
    // Others' variables may hold anything.
    let ours = std::env::vars_os().filter_map(|(name, value)| {
        let name = name.into_string().ok()?;
        name.starts_with("OTTLA_").then_some((name, value))
    });
    ours.map(|(name, value)| match value.into_string() {
        Ok(value) => Ok((name, value)),
        Err(value) => Err(format!("{name}={}: not UTF-8", value.display())),
    })
    .collect()
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("--config {}: {error}", path.display()))
}

/// Each connection takes a file. The soft limit is there for programs that cannot go beyond 1024; the hard one is the operator's.
fn raise_open_files_max() {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if setrlimit(Resource::Nofile, raised).is_err() {
        tracing::warn!(
            limit = limit.current,
            "the limit of open files could not be raised"
        );
    }
}

/// What asks the broker to stop.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn watch() -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("signals cannot be watched: {error}");
        Ok(Self {
            terminate: signal(SignalKind::terminate()).map_err(failed)?,
            interrupt: signal(SignalKind::interrupt()).map_err(failed)?,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            biased;
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}
