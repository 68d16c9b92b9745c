//! Waits until what Kafka has answered is also what it serves: its controller answers before its broker has applied the change. Used by
//! `session` while answers are recorded; Ottla is compared without it.

use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::session::{Connection, Sent};
use crate::symbols::Symbols;

const PATIENCE: Duration = Duration::from_secs(20);
/// A topic that is not made by then is not made at all.
const CREATION_PATIENCE: Duration = Duration::from_millis(300);
const PAUSE: Duration = Duration::from_millis(1);
/// COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR.
const UNAVAILABLE: [i64; 3] = [14, 15, 16];

/// A topic of its own, whose configuration is changed and looked at: changes are applied in order, and one that is visible has those
/// before it behind it.
pub struct Settler {
    connection: Connection,
    topic: String,
    changes: u64,
}

impl Settler {
    /// `number` tells settlers of one broker apart.
    pub fn new(address: &str, number: usize) -> Result<Self> {
        let mut settler = Self {
            connection: Connection::open(address)?,
            topic: format!("__settle{number}"),
            changes: 0,
        };
        let topic = json!({"name": settler.topic, "num_partitions": 1, "replication_factor": 1});
        settler.ask("CreateTopics", 7, &json!({"topics": [topic]}))?;
        settler.change_twice()?;
        Ok(settler)
    }

    pub(crate) fn settle(&mut self, api: &str, request: &Value, answer: &Value) -> Result<()> {
        match api {
            // Nothing was changed.
            api if api != "Metadata" && !answer.to_string().contains("\"error_code\":0") => Ok(()),
            "CreateTopics"
            | "DeleteTopics"
            | "CreatePartitions"
            | "AlterConfigs"
            | "IncrementalAlterConfigs"
            | "AlterClientQuotas"
            | "UpdateFeatures"
            | "AlterPartitionReassignments" => self.change_twice(),
            "Metadata"
                if request["allow_auto_topic_creation"] != false
                    && request["topics"].is_array() =>
            {
                self.await_creation(request)?;
                self.change_twice()
            }
            _ => Ok(()),
        }
    }

    /// The second change is seen only after the first was applied everywhere in the broker, not only in its metadata.
    fn change_twice(&mut self) -> Result<()> {
        self.change()?;
        self.change()
    }

    fn change(&mut self) -> Result<()> {
        self.changes += 1;
        let value = (3_600_000 + self.changes).to_string();
        let resource = json!({"resource_type": 2, "resource_name": self.topic,
            "configs": [{"name": "retention.ms", "config_operation": 0, "value": value}]});
        let look = json!({"resources": [{"resource_type": 2, "resource_name": self.topic,
            "configuration_keys": ["retention.ms"]}]});
        let begin = Instant::now();
        self.ask(
            "IncrementalAlterConfigs",
            1,
            &json!({"resources": [resource]}),
        )?;
        loop {
            let found = self.ask("DescribeConfigs", 4, &look)?;
            if found["results"][0]["configs"][0]["value"] == value.as_str() {
                return Ok(());
            }
            ensure!(
                begin.elapsed() < PATIENCE,
                "a change was not applied: {found}"
            );
            thread::sleep(PAUSE);
        }
    }

    /// Topics that a client's Metadata asks for are made behind its answer.
    fn await_creation(&mut self, request: &Value) -> Result<()> {
        let names: Vec<Value> = request["topics"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|topic| topic["name"].as_str().is_some_and(is_legal))
            .map(|topic| json!({"name": topic["name"]}))
            .collect();
        let look = json!({"topics": names, "allow_auto_topic_creation": false});
        let begin = Instant::now();
        while !names.is_empty() && begin.elapsed() < CREATION_PATIENCE {
            let found = self.ask("Metadata", 12, &look)?;
            let topics = found["topics"].as_array();
            if topics.is_some_and(|topics| topics.iter().all(|topic| topic["error_code"] == 0)) {
                break;
            }
            thread::sleep(PAUSE);
        }
        Ok(())
    }

    fn ask(&mut self, api: &str, version: i16, request: &Value) -> Result<Value> {
        let sent = self
            .connection
            .send(api, version, request, &Symbols::default())?;
        ensure!(matches!(sent, Sent::Whole), "the connection was closed");
        self.connection.receive(api, version, PATIENCE)
    }
}

/// Asks until the broker serves groups: what it keeps them in is made when it is first wanted.
pub fn await_groups(address: &str) -> Result<()> {
    let mut connection = Connection::open(address)?;
    let begin = Instant::now();
    // Enough that each partition of the offsets topic has some of them.
    for number in 0..32 {
        let group_id = format!("__settle{number}");
        for (api, version, request) in [
            (
                "FindCoordinator",
                4,
                json!({"coordinator_keys": [group_id]}),
            ),
            (
                "Heartbeat",
                4,
                json!({"group_id": group_id, "member_id": "nobody"}),
            ),
        ] {
            loop {
                connection.send(api, version, &request, &Symbols::default())?;
                let answer = connection.receive(api, version, PATIENCE)?;
                let errors = [
                    &answer["error_code"],
                    &answer["coordinators"][0]["error_code"],
                ];
                if !errors
                    .iter()
                    .any(|error| UNAVAILABLE.contains(&error.as_i64().unwrap_or(0)))
                {
                    break;
                }
                ensure!(begin.elapsed() < PATIENCE, "no groups are served: {answer}");
                thread::sleep(PAUSE);
            }
        }
    }
    Ok(())
}

fn is_legal(name: &str) -> bool {
    let is_letter = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    name.chars().all(is_letter) && (1..=249).contains(&name.len())
}
