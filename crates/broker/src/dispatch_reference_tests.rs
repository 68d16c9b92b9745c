//! Makes docs/compatibility.md of the table of what is served, and holds the file against it: `UPDATE_DOCS=1 cargo test -p broker
//! reference` writes it.

use std::fmt::Write;
use std::path::Path;

use protocol::api::{self, ApiKey};

use super::SERVED;

const HEAD: &str = "\
# Compatibility

Made from the table of what is served in `crates/broker/src/dispatch.rs`; do not edit it here.

Held against Apache Kafka 4.3 with one node: its versions of each API, its error codes, its answers where a cluster of one has little to
tell. What is served is served in every version that Kafka 4.3 has, and nothing is advertised that is not served. Texts of errors are our
own; codes are Kafka's. [conformance/](../conformance/README.md) has the clients that judge it.

## Served

| key | API | versions | where it differs |
|---|---|---|---|
";

const NOT_SERVED_HEAD: &str = "
## Not served

A client that asks for one of these finds it missing in ApiVersions; one that sends it nevertheless loses its connection.

| key | API | Kafka 4.3 | belongs to |
|---|---|---|---|
";

/// Deliberate differences.
const DIFFERENCES: &[(ApiKey, &str)] = &[
    (
        ApiKey::Produce,
        "Batches of transactions are refused. Before v3 shown as served and refused, as Kafka does for old clients' sake.",
    ),
    (
        ApiKey::Fetch,
        "read_committed reads what read_uncommitted does: there are no transactions.",
    ),
    (
        ApiKey::ApiVersions,
        "The one feature told is metadata.version, at Kafka 4.3's level. Telemetry is told once there is a subscription to client metrics.",
    ),
    (ApiKey::DeleteTopics, "The offsets topic cannot be deleted."),
    (
        ApiKey::InitProducerId,
        "A transactional.id is refused, with the reason.",
    ),
    (
        ApiKey::DescribeConfigs,
        "Options of the broker are all read-only; loggers and groups have none.",
    ),
    (
        ApiKey::AlterConfigs,
        "Options of brokers, loggers and groups are refused: a broker's are set at its start.",
    ),
    (
        ApiKey::IncrementalAlterConfigs,
        "Options of brokers, loggers and groups are refused: a broker's are set at its start.",
    ),
    (
        ApiKey::AlterReplicaLogDirs,
        "There is one log dir: partitions can stay there.",
    ),
    (
        ApiKey::CreatePartitions,
        "The offsets topic keeps its partitions.",
    ),
    (
        ApiKey::DescribeQuorum,
        "The one voter is reached at the broker's own listener, and its directory has no id; the leader epoch counts unclean starts.",
    ),
    (
        ApiKey::UpdateFeatures,
        "metadata.version has one level, Kafka 4.3's.",
    ),
    (
        ApiKey::UnregisterBroker,
        "The one broker there is cannot be unregistered.",
    ),
    (
        ApiKey::GetTelemetrySubscriptions,
        "Metrics are received without a plugin, and a thousand counters of clients are shown at /metrics.",
    ),
];

/// What each API that is not served is a part of, by ranges of keys.
const AREAS: &[(i16, i16, &str)] = &[
    (17, 17, "SASL"),
    (24, 28, "transactions"),
    (29, 31, "ACLs"),
    (36, 36, "SASL"),
    (38, 41, "delegation tokens"),
    (48, 49, "quotas"),
    (50, 51, "SASL"),
    (65, 66, "transactions"),
    (68, 69, "the newer groups (KIP-848)"),
    (76, 79, "share groups"),
    (80, 81, "more than one broker"),
    (88, 89, "streams groups"),
    (90, 92, "share groups"),
];

/// Versions that Kafka has and does not serve: unstable.
const UNSTABLE: &[(ApiKey, i16)] = &[(ApiKey::InitProducerId, 6)];

fn kafkas_last(api: &api::Api) -> i16 {
    match UNSTABLE.iter().find(|(key, _)| *key == api.key) {
        Some((_, unstable)) => unstable - 1,
        None => api.versions.last,
    }
}

#[test]
fn what_is_served_is_served_in_every_version_and_in_order() {
    for served in SERVED {
        let kafka = served.key.api();
        assert_eq!(
            (served.min, served.max),
            (kafka.versions.first, kafkas_last(kafka)),
            "{}",
            kafka.name
        );
    }
    assert!(SERVED.is_sorted_by_key(|served| served.key as i16));
}

#[test]
fn the_file_says_what_the_table_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/compatibility.md");
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    // What follows is made of the differential test's rules.
    let differences = found.find("\n## Deliberate differences");
    let made = document() + differences.map_or("", |at| &found[at..]);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        write(&path, &made);
    }
    let found = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == made,
        "docs/compatibility.md is not up to date: UPDATE_DOCS=1 cargo test -p broker reference"
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
    for served in SERVED {
        let found = DIFFERENCES.iter().find(|(key, _)| *key == served.key);
        let difference = found.map_or("", |(_, difference)| difference);
        let (key, name) = (served.key as i16, served.key.name());
        let versions = versions(served.min, served.max);
        writeln!(out, "| {key} | {name} | {versions} | {difference} |").unwrap();
    }
    out.push_str(NOT_SERVED_HEAD);
    let is_served = |key: ApiKey| SERVED.iter().any(|served| served.key == key);
    for api in api::all().iter().filter(|api| !is_served(api.key)) {
        let key = api.key as i16;
        let area = AREAS
            .iter()
            .find(|(first, last, _)| (*first..=*last).contains(&key))
            .unwrap_or_else(|| panic!("{} is served, or a part of something", api.name));
        let versions = versions(api.versions.first, kafkas_last(api));
        writeln!(out, "| {key} | {} | {versions} | {} |", api.name, area.2).unwrap();
    }
    out
}

fn versions(first: i16, last: i16) -> String {
    match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    }
}
