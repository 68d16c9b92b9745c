//! The project's own tasks: `cargo xtask generate | tidy | test`. Anything cleverer than a line of the justfile is Rust here.

#![expect(
    clippy::disallowed_methods,
    reason = "a task works on the source tree; nothing of it runs in a simulation"
)]

mod arbitrary;
mod codec;
mod definition;
mod generate;
mod tidy;

use std::path::Path;
use std::process::{Command, ExitCode};

const USAGE: &str = "\
usage: cargo xtask TASK
  generate [--check]   write the protocol's messages from their definitions; with --check only tell what is stale
  tidy                 check the shape of the tree: crate arrows, file heads and lengths, the map
  test                 pass the tests of the whole workspace";

#[expect(
    clippy::print_stderr,
    reason = "a task speaks to the person who started it"
)]
fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words.as_slice() {
        ["generate"] => generate::run(&root, false),
        ["generate", "--check"] => generate::run(&root, true),
        ["tidy"] => tidy::run(&root),
        ["test", more @ ..] => test(&root, more),
        _ => Err(USAGE.to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("{reason}");
            ExitCode::FAILURE
        }
    }
}

/// The tests of every crate.
fn test(root: &Path, more: &[&str]) -> Result<(), String> {
    let status = Command::new(env!("CARGO"))
        .args(["test", "--workspace"])
        .args(more)
        .current_dir(root)
        .status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err("tests failed".to_owned()),
        Err(error) => Err(format!("cargo: {error}")),
    }
}
