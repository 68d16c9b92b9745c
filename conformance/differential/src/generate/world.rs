//! What earlier answers have told, for requests to come: topic ids, producers, members, sessions. All in the words of `symbols`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::dice::Dice;

/// No broker gives this one.
const UNKNOWN_ID: &str = "AAAAAAAAAAAAAAAAAAAB7w";
const NO_ID: &str = "AAAAAAAAAAAAAAAAAAAAAA";

#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) group_id: String,
    pub(crate) member_id: Value,
    pub(crate) generation_id: Value,
}

#[derive(Default)]
pub(crate) struct World {
    prefix: String,
    /// By name.
    topic_ids: BTreeMap<String, Value>,
    /// Id and epoch.
    pub(crate) producers: Vec<(Value, Value)>,
    pub(crate) members: Vec<Member>,
    pub(crate) sessions: Vec<Value>,
}

impl World {
    pub(crate) fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
            ..Self::default()
        }
    }

    pub(crate) fn named(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// The name of a topic that mostly exists.
    pub(crate) fn topic(&self, dice: &mut Dice) -> String {
        match dice.one_in(9) {
            true => self.named("missing"),
            false => self.named(dice.pick(&["a", "a", "b", "c"])),
        }
    }

    pub(crate) fn topic_id(&self, dice: &mut Dice) -> Value {
        let ids: Vec<&Value> = self.topic_ids.values().collect();
        match dice.one_in(9) || ids.is_empty() {
            true => dice.pick(&[UNKNOWN_ID, NO_ID]).into(),
            false => dice.pick(&ids).clone(),
        }
    }

    /// The id of a topic by its name, as a client that has seen its metadata knows it.
    pub(crate) fn id_of(&self, name: &str) -> Value {
        match self.topic_ids.get(name) {
            Some(id) => id.clone(),
            None => UNKNOWN_ID.into(),
        }
    }

    pub(crate) fn group(&self, dice: &mut Dice) -> String {
        self.named(dice.pick(&["g", "g", "g", "h"]))
    }

    /// A member to speak as: mostly one that was, in its own group.
    pub(crate) fn member(&self, dice: &mut Dice) -> Member {
        if self.members.is_empty() || dice.one_in(10) {
            return Member {
                group_id: self.group(dice),
                member_id: dice.pick(&["", "nobody"]).into(),
                generation_id: dice.pick(&[-1, 0, 1]).into(),
            };
        }
        let newest = self.members.len() - 1;
        let at = match dice.one_in(4) {
            true => dice.range(0, newest as i64) as usize,
            false => newest,
        };
        self.members[at].clone()
    }

    pub(crate) fn producer(&self, dice: &mut Dice) -> (Value, Value) {
        match self.producers.is_empty() || dice.one_in(10) {
            true => dice.pick(&[(json!(-1), json!(-1)), (json!(1_i64 << 50), json!(0))]),
            false => dice.pick(&self.producers),
        }
    }

    pub(crate) fn learn(&mut self, api: &str, request: &Value, answer: &Value) {
        match api {
            "Metadata" | "CreateTopics" => {
                for topic in answer["topics"].as_array().into_iter().flatten() {
                    let (name, id) = (topic["name"].as_str(), topic["topic_id"].as_str());
                    if let (Some(name), Some(id)) = (name, id)
                        && id.starts_with('%')
                        && name.starts_with(&self.prefix)
                    {
                        self.topic_ids.insert(name.to_owned(), id.into());
                    }
                }
            }
            "InitProducerId" if answer["error_code"] == 0 => {
                let producer = (
                    answer["producer_id"].clone(),
                    answer["producer_epoch"].clone(),
                );
                self.producers.push(producer);
            }
            "JoinGroup"
                if answer["member_id"]
                    .as_str()
                    .is_some_and(|id| !id.is_empty()) =>
            {
                let group_id = match request["group_id"].as_str() {
                    Some(group_id) => group_id.to_owned(),
                    None => self.named("g"),
                };
                self.members.push(Member {
                    group_id,
                    member_id: answer["member_id"].clone(),
                    generation_id: answer["generation_id"].clone(),
                });
            }
            "Fetch" if answer["session_id"].is_string() => {
                self.sessions.push(answer["session_id"].clone());
            }
            _ => {}
        }
    }
}
