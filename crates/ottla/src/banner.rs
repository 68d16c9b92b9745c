//! What `ottla serve` tells the one who started it: one banner, and the keys of the configuration that do nothing.

use broker::config::Config;
use broker::config::origin::Origin;
use broker::config::value::Value;
use broker::server::Server;

#[expect(
    clippy::print_stderr,
    reason = "the binary speaks to its operator here and nowhere else"
)]
pub(crate) fn say(text: &str) {
    eprintln!("{text}");
}

/// Keys that do nothing are named once, in a line for each kind.
pub(crate) fn say_keys(config: &Config) {
    if !config.unused.is_empty() {
        say(&format!(
            "ottla: these keys are Kafka's and mean nothing here: {}",
            named(config, &config.unused)
        ));
    }
    if !config.not_yet.is_empty() {
        say(&format!(
            "ottla: WARNING: not applied by this version: {}",
            named(config, &config.not_yet)
        ));
    }
    if !config.unknown.is_empty() {
        say(&format!(
            "ottla: WARNING: unknown keys are ignored: {}",
            named(config, &config.unknown)
        ));
    }
}

/// The keys, each with the place it was given at.
fn named(config: &Config, keys: &[String]) -> String {
    let named = keys.iter().map(|key| match config.origin(key) {
        // What nobody knows is called by the variable's own name already.
        Some(Origin::Environment(variable)) if variable == key => key.to_owned(),
        Some(origin) => format!("{key} ({origin})"),
        None => key.to_owned(),
    });
    named.collect::<Vec<_>>().join(", ")
}

pub(crate) fn say_started(server: &Server) {
    let options = &server.broker.config.options;
    let addresses: Vec<String> = server.bound.iter().map(ToString::to_string).collect();
    let free = server.broker.journal.free_bytes().map_or_else(
        |_| "unknown".to_owned(),
        |bytes| format!("{} MiB", bytes >> 20),
    );
    say(&format!(
        "ottla {} ready on {} | data {} | durability {} | disk free {free}",
        env!("CARGO_PKG_VERSION"),
        addresses.join(", "),
        options.log_dirs.join(","),
        options.durability.print(),
    ));
    let is_open = server
        .bound
        .iter()
        .any(|address| !address.ip().is_loopback());
    if is_open {
        let told = server.broker.addresses.iter();
        let told: Vec<String> = told.map(|to| format!("{}:{}", to.host, to.port)).collect();
        say(&format!(
            "ottla: open to the network without authentication; clients are told to connect to {} (advertised.listeners)",
            told.join(", ")
        ));
    } else {
        say(
            "ottla: reachable from this machine only; --set listeners=PLAINTEXT://:9092 opens it to the network",
        );
    }
    if !server.recovered.clean {
        say(&format!(
            "ottla: the last run did not stop cleanly; recovered {} frames",
            server.recovered.frames
        ));
    }
}
