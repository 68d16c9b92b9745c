//! Apache Kafka's recorded answers, held against a broker on a real disk and real sockets: conformance/differential records them.

#![expect(
    clippy::disallowed_methods,
    reason = "a test that cannot go on has failed; the broker is a real one, and documents are no data of a broker"
)]

use std::path::Path;
use std::sync::Arc;

use broker::config::Config;
use broker::random::Random;
use broker::server::Server;
use differential::fixture;
use differential::replay;
use differential::rules;
use log::SystemClock;

const THREADS: usize = 8;
/// Recorded sequences in which a difference is not judged yet. There may only be fewer.
const OPEN_MAX: usize = 128;

#[test]
fn answers_are_kafkas_but_for_what_is_meant() {
    let folder = std::env::temp_dir().join(format!("ottla-differential-{}", std::process::id()));
    let options = format!(
        "{}listeners=PLAINTEXT://127.0.0.1:0\nhttp.listener=\nlog.dirs={}\n",
        differential::OPTIONS,
        folder.display()
    );
    let config = Config::load(&options, std::iter::empty(), []).unwrap();
    let sequences = fixture::read(Path::new(fixture::PATH)).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let start = Server::start(
        config,
        Arc::new(SystemClock::default()),
        Arc::new(Random::from_seed(7)),
    );
    let server = runtime.block_on(start).unwrap();
    let address = server.bound[0].to_string();
    let report = replay::compare(&address, &sequences, THREADS).unwrap();
    runtime.block_on(server.stop());
    // What is left is the system's to clear.
    let _ = std::fs::remove_dir_all(&folder);
    assert!(report.mismatches.is_empty(), "{}", report.summary());
    assert_eq!(report.unused_rules(), [""; 0], "rules that nothing needs");
    assert!(report.sequences >= 600, "{} sequences", report.sequences);
}

#[test]
fn what_is_open_only_shrinks() {
    let open = fixture::read(Path::new(fixture::OPEN_PATH)).unwrap();
    assert!(open.len() <= OPEN_MAX, "{} sequences", open.len());
}

#[test]
fn what_is_meant_is_documented() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/compatibility.md");
    let found = std::fs::read_to_string(&path).unwrap();
    let made_elsewhere = found.split(rules::HEADING).next().unwrap();
    let made = format!("{made_elsewhere}{}", rules::document());
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &made).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap();
    assert!(
        found == made,
        "docs/compatibility.md is not up to date: UPDATE_DOCS=1 cargo test -p testkit documented"
    );
}
