//! Makes docs/configuration.md of the tables, and holds the file against them: `UPDATE_DOCS=1 cargo test -p broker reference` writes it.

use std::fmt::Write;
use std::path::Path;

use super::table::{Definition, Effect};
use super::value::{Check, Kind};
use super::{ClientMetricsOptions, INTERVALS, Options, TopicOptions, unused};

const HEAD: &str = "\
# Configuration

Made from the tables in `crates/broker/src/config`; do not edit it here.

Options carry Kafka's names where Kafka has them. They come from a file in `server.properties` form (`--config`), the environment
(`OTTLA_` in front, upper case, dots as underscores) and flags (`--set name=value`); later ones win. All are read once, at the start:
options of a running broker cannot be altered, options of topics can (`ottla topic`, `kafka-configs`, any admin client).

Nothing is ignored in silence. A broker that is given what means nothing here names it in one line at its start; what is not applied
yet, and what nobody knows, in a warning. An option of a topic that is not applied yet is stored, shown, and warned of in the log.
A value that does not fit refuses the start, or the request.
";

#[test]
fn the_file_says_what_the_tables_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    let made = document();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        write(&path, &made);
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == made,
        "docs/configuration.md is not up to date: UPDATE_DOCS=1 cargo test -p broker reference"
    );
}

#[expect(
    clippy::disallowed_methods,
    reason = "a document of the repository, no data of a broker"
)]
fn write(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
}

fn document() -> String {
    let mut out = String::from(HEAD);
    section(
        &mut out,
        "The broker",
        "Set in the file, the environment or by flag.",
    );
    for definition in Options::DEFINITIONS {
        row(&mut out, definition, definition.name);
    }
    section(
        &mut out,
        "Topics",
        "Set for one topic when it is created or altered. The broker's option of the name in brackets sets the default of all topics that \
         say nothing themselves.",
    );
    for definition in TopicOptions::DEFINITIONS {
        let name = match definition.synonym {
            "" => definition.name.to_owned(),
            synonym => format!("{} ({synonym})", definition.name),
        };
        row(&mut out, definition, &name);
    }
    out.push_str("\nIn coarser units, where the one in ms is not given:\n\n");
    for interval in INTERVALS {
        writeln!(out, "- `{}` for `{}`", interval.name, interval.topic_option).unwrap();
    }
    section(
        &mut out,
        "Subscriptions to client metrics",
        "Set for one subscription by `kafka-client-metrics` or any admin client (the resource CLIENT_METRICS). The sums that clients push \
         are shown at `/metrics`.",
    );
    for definition in ClientMetricsOptions::DEFINITIONS {
        row(&mut out, definition, definition.name);
    }
    out.push_str(
        "\n## Kafka's options that mean nothing here\n\nAccepted, so that a stock file starts, and named in one line at the start; \
         a dot at the end stands for every option that begins so.\n\n",
    );
    for key in unused::KEYS {
        writeln!(out, "- `{key}`").unwrap();
    }
    out
}

fn section(out: &mut String, title: &str, text: &str) {
    write!(
        out,
        "\n## {title}\n\n{text}\n\n| option | type | default | values | what it does |\n|---|---|---|---|---|\n"
    )
    .unwrap();
}

fn row(out: &mut String, definition: &Definition, name: &str) {
    let default = match (definition.default)().as_str() {
        "" => "none".to_owned(),
        value => format!("`{value}`"),
    };
    let values = match definition.check {
        Check::Any => definition.expected.to_owned(),
        Check::Range(..) | Check::Fraction | Check::OneOf(_) | Check::AnyOf(_) => {
            definition.check.to_string()
        }
    };
    let effect = match definition.effect {
        Effect::Applied => "",
        Effect::Idle => " **Means nothing here.**",
        Effect::NotYet => " **Not applied yet.**",
    };
    writeln!(
        out,
        "| `{name}` | {} | {default} | {values} | {}{effect} |",
        kind(definition.kind),
        definition.doc
    )
    .unwrap();
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Boolean => "boolean",
        Kind::String => "text",
        Kind::Int => "int",
        Kind::Long => "long",
        Kind::Double => "double",
        Kind::List => "list",
    }
}
