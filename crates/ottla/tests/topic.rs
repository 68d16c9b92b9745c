//! `ottla topic` against a broker, both as they are shipped: every verb, what it prints in both forms, what it refuses, its exit codes.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use serde_json::{Value, json};

const OTTLA: &str = env!("CARGO_BIN_EXE_ottla");

/// A broker of the test's own, killed at its end.
struct Broker {
    process: Child,
    /// Kept open: what the broker says at the end must go somewhere.
    _stderr: BufReader<ChildStderr>,
    data: PathBuf,
    address: String,
}

impl Broker {
    /// `name` tells the data of tests apart that run at the same time.
    fn start(name: &str, options: &[&str]) -> Self {
        let data = env::temp_dir().join(format!("ottla-topic-{name}-{}", std::process::id()));
        let mut command = Command::new(OTTLA);
        command.args([
            "serve",
            "--set",
            "listeners=PLAINTEXT://127.0.0.1:0",
            "--set",
            "http.listener=",
        ]);
        command.args(["--set", &format!("log.dirs={}", data.display())]);
        for option in options {
            command.args(["--set", option]);
        }
        let mut process = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(process.stderr.take().unwrap());
        let mut said = String::new();
        for _ in 0..20 {
            stderr.read_line(&mut said).unwrap();
            if let Some((_, rest)) = said.split_once("ready on ") {
                let address = rest.split_whitespace().next().unwrap().to_owned();
                return Self {
                    process,
                    _stderr: stderr,
                    data,
                    address,
                };
            }
        }
        process.kill().unwrap();
        process.wait().unwrap();
        panic!("the broker did not start: {said}");
    }

    fn topic(&self, line: &str) -> Ran {
        run(&format!("topic {line} --bootstrap-server {}", self.address))
    }

    /// The answer of a verb that succeeds, as JSON.
    fn json(&self, line: &str) -> Value {
        let ran = self.topic(&format!("{line} --output json"));
        assert_eq!(ran.code, 0, "{line}: {}", ran.stderr);
        serde_json::from_str(&ran.stdout).unwrap()
    }

    /// What a verb that fails says, all of which is on stderr.
    fn refusal(&self, line: &str) -> String {
        let ran = self.topic(line);
        assert_eq!(
            (ran.code, ran.stdout.as_str()),
            (1, ""),
            "{line}: {}",
            ran.stderr
        );
        ran.stderr
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.data);
    }
}

struct Ran {
    code: i32,
    stdout: String,
    stderr: String,
}

fn run(line: &str) -> Ran {
    let Output {
        status,
        stdout,
        stderr,
    } = Command::new(OTTLA)
        .args(line.split_whitespace())
        .env_remove("OTTLA_BOOTSTRAP_SERVER")
        .output()
        .unwrap();
    Ran {
        code: status.code().unwrap(),
        stdout: String::from_utf8(stdout).unwrap(),
        stderr: String::from_utf8(stderr).unwrap(),
    }
}

#[test]
fn topics_are_created_and_listed() {
    let broker = Broker::start("create", &["num.partitions=2"]);
    let created = broker
        .json("create orders --partitions 3 --replication-factor 1 --config retention.ms=5000");
    assert_eq!(created[0]["id"].as_str().unwrap().len(), 22);
    for (field, expected) in [
        ("topic", json!("orders")),
        ("created", json!(true)),
        ("partitions", json!(3)),
        ("replication_factor", json!(1)),
    ] {
        assert_eq!(created[0][field], expected, "{field}");
    }
    let ran = broker.topic("create a b");
    assert!(
        ran.stdout
            .starts_with("a created: partitions 2, replication factor 1, id "),
        "{}",
        ran.stdout
    );
    assert_eq!(ran.stdout.lines().count(), 2);

    let refusal = broker.refusal("create orders");
    assert!(
        refusal.contains("(TOPIC_ALREADY_EXISTS)") && refusal.contains("--if-not-exists"),
        "{refusal}"
    );
    assert_eq!(
        broker.json("create orders --if-not-exists"),
        json!([{ "topic": "orders", "created": false }])
    );
    for (line, expected) in [
        (
            "create c --replication-factor 3",
            "(INVALID_REPLICATION_FACTOR)",
        ),
        ("create c --config no.such=1", "(INVALID_CONFIG)"),
        ("create c --config retention.ms=soon", "(INVALID_CONFIG)"),
        ("create c!", "(INVALID_TOPIC_EXCEPTION)"),
        ("create c c", "(INVALID_REQUEST)"),
    ] {
        let refusal = broker.refusal(line);
        assert!(refusal.contains(expected), "{line}: {refusal}");
    }
    // One that is refused keeps none of the others.
    let both = broker.topic("create d orders");
    assert_eq!((both.code, both.stdout.starts_with("d created")), (1, true));

    let listed = broker.json("list");
    let names: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|topic| topic["topic"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["a", "b", "d", "orders"]);
    let orders =
        json!({ "topic": "orders", "partitions": 3, "replication_factor": 1, "internal": false });
    assert_eq!(listed[3], orders);
    let text = broker.topic("list").stdout;
    assert_eq!(text.lines().next(), Some("TOPIC   PARTITIONS  REPLICATION"));
    assert_eq!(text.lines().last(), Some("orders  3           1"));
}

#[test]
fn topics_are_described_and_altered() {
    let broker = Broker::start("alter", &["log.segment.bytes=2000000"]);
    broker.json("create orders --config retention.ms=5000");
    let described = broker.json("describe orders");
    assert_eq!(
        described[0]["options"],
        json!({ "retention.ms": { "value": "5000", "set_by": "topic" } })
    );
    assert_eq!(
        described[0]["partitions"],
        json!([{ "partition": 0, "leader": 1, "replicas": [1], "in_sync": [1] }])
    );
    let all = &broker.json("describe orders --all")[0]["options"];
    for (option, value, set_by) in [
        ("durability", "sync", "default"),
        ("max.message.bytes", "1048588", "default"),
        ("cleanup.policy", "delete", "default"),
        ("segment.bytes", "2000000", "broker"),
        ("retention.ms", "5000", "topic"),
    ] {
        assert_eq!(
            all[option],
            json!({ "value": value, "set_by": set_by }),
            "{option}"
        );
    }

    broker.json("alter orders --partitions 3 --config durability=100ms --config cleanup.policy=compact --delete-config retention.ms");
    let text = broker.topic("describe orders").stdout;
    for line in [
        "orders: partitions 3, replication factor 1",
        "  durability      100ms    topic",
        "  2          1       1         1",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    // Of two changes either both are made or none.
    let refusal = broker.refusal("alter orders --partitions 9 --config retention.ms=soon");
    assert!(refusal.contains("(INVALID_CONFIG)"), "{refusal}");
    let refusal = broker.refusal("alter orders --partitions 2 --config retention.ms=1");
    assert!(refusal.contains("(INVALID_PARTITIONS)"), "{refusal}");
    let now = broker.json("describe orders");
    assert_eq!(now[0]["partitions"].as_array().unwrap().len(), 3);
    assert_eq!(now[0]["options"]["retention.ms"], Value::Null);

    for line in [
        "describe nosuch",
        "alter nosuch --partitions 2",
        "alter nosuch --config retention.ms=1",
    ] {
        let refusal = broker.refusal(line);
        assert!(
            refusal.contains("(UNKNOWN_TOPIC_OR_PARTITION)")
                && refusal.contains("ottla topic list"),
            "{refusal}"
        );
    }
    assert_eq!(
        broker.json("alter nosuch --partitions 2 --if-exists"),
        json!([{ "topic": "nosuch", "altered": false }])
    );
    assert_eq!(
        broker.json("list").as_array().unwrap().len(),
        1,
        "nothing is created by asking"
    );
}

#[test]
fn topics_are_deleted() {
    let broker = Broker::start("delete", &[]);
    broker.json("create orders payments state");
    assert_eq!(broker.topic("delete orders").stdout, "orders deleted\n");
    let refusal = broker.refusal("delete orders");
    assert!(
        refusal.contains("(UNKNOWN_TOPIC_OR_PARTITION)"),
        "{refusal}"
    );
    let mut both = broker
        .json("delete orders payments --if-exists")
        .as_array()
        .unwrap()
        .clone();
    both.sort_by_key(|topic| topic["topic"].to_string());
    assert_eq!(
        both,
        [
            json!({ "topic": "orders", "deleted": false }),
            json!({ "topic": "payments", "deleted": true })
        ]
    );
    assert_eq!(broker.json("list")[0]["topic"], "state");
    // The name is free again, for another topic.
    broker.json("create orders");
}

#[test]
fn deletion_can_be_forbidden() {
    let broker = Broker::start("forbid", &["delete.topic.enable=false"]);
    broker.json("create orders");
    let refusal = broker.refusal("delete orders");
    assert!(
        refusal.contains("(TOPIC_DELETION_DISABLED)") && refusal.contains("delete.topic.enable"),
        "{refusal}"
    );
    assert_eq!(broker.json("list")[0]["topic"], "orders");
}

#[test]
fn a_wrong_command_line_is_code_two_and_a_missing_broker_code_one() {
    for (line, code, expected) in [
        ("topic", 2, "Usage"),
        ("topic create", 2, "<TOPIC>"),
        ("topic create a --partitions 0", 2, "--partitions"),
        ("topic create a --config nonsense", 2, "KEY=VALUE"),
        ("topic alter a", 2, "--partitions"),
        ("topic list --output xml", 2, "xml"),
        ("topic list --bootstrap-server nowhere", 2, "HOST:PORT"),
        // Nobody listens on port 1.
        (
            "topic list --bootstrap-server 127.0.0.1:1",
            1,
            "Is the broker running?",
        ),
    ] {
        let ran = run(line);
        assert_eq!((ran.code, ran.stdout.as_str()), (code, ""), "{line}");
        assert!(ran.stderr.contains(expected), "{line}: {}", ran.stderr);
    }
}

#[test]
fn help_shows_examples() {
    for verb in ["create", "list", "describe", "alter", "delete"] {
        let ran = run(&format!("topic {verb} --help"));
        assert!(
            ran.code == 0
                && ran
                    .stdout
                    .contains(&format!("Examples:\n  ottla topic {verb}")),
            "{}",
            ran.stdout
        );
    }
}

#[test]
fn the_version_is_told_in_both_forms() {
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(run("version").stdout, format!("ottla {version}\n"));
    let told: Value = serde_json::from_str(&run("version --output json").stdout).unwrap();
    assert_eq!(told, json!({ "name": "ottla", "version": version }));
}
