//! The answer of a verb on stdout, as text for people or JSON for programs. Used by the verbs that answer something.

use std::io::{self, Write};

use clap::ValueEnum;
use serde_json::Value;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    #[default]
    Text,
    /// For programs: one JSON value.
    Json,
}

impl Output {
    /// Prints one of the two. A reader that went away early has seen what it wanted.
    pub(crate) fn print(self, text: &str, json: &Value) {
        let whole = match self {
            Output::Text => text.to_owned(),
            Output::Json => format!("{json:#}\n"),
        };
        let _ = io::stdout().lock().write_all(whole.as_bytes());
    }
}
