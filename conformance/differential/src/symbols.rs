//! Names for what each broker chooses for itself: topic ids, member ids, producer ids, fetch sessions, times. The first one seen of a
//! kind is `%u1` and so on, so that answers of equal structure are equal; a request that names one is sent with the broker's own value.

use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::compare;

/// What is chosen by the broker.
#[derive(Clone, Copy)]
pub(crate) enum Kind {
    Uuid,
    Producer,
    Session,
    /// A random part of a text, such as of a member id.
    Text,
}

impl Kind {
    fn letter(self) -> char {
        match self {
            Self::Uuid => 'u',
            Self::Producer => 'p',
            Self::Session => 's',
            Self::Text => 'm',
        }
    }
}

/// Not in any text of the protocol.
const MARK: char = '\u{1}';
/// A text with this many hexadecimal digits and hyphens is random.
const RANDOM_TEXT_BYTES: usize = 36;
/// No time in a request is as near to the clock's.
const NOW_MS: i64 = 2 * 60 * 60 * 1000;

/// A random value, to be named once its place among others is known.
pub(crate) fn mark(kind: Kind, value: &str) -> Value {
    format!("{MARK}{}{value}", kind.letter()).into()
}

/// The names of one sequence on one broker.
#[derive(Default)]
pub struct Symbols {
    names: HashMap<(char, String), String>,
    values: HashMap<String, String>,
    counts: HashMap<char, usize>,
    /// What the names of this sequence's topics and groups begin with.
    prefix: String,
}

impl Symbols {
    pub fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
            ..Self::default()
        }
    }

    /// The answer with names for what is random, in an order of its own, without what other sequences made. What has no name yet takes
    /// the one that stands at its place in `expected`.
    pub fn normalise(&mut self, mut answer: Value, expected: Option<&Value>) -> Value {
        self.order(&mut answer);
        if let Some(expected) = expected {
            self.take_names(&answer, expected);
        }
        self.name_all("", &mut answer);
        answer
    }

    fn take_names(&mut self, answer: &Value, expected: &Value) {
        match (answer, expected) {
            (Value::Array(answers), Value::Array(all_expected)) => {
                for (answer, expected) in compare::pairs(answers, all_expected) {
                    if let (Some(answer), Some(expected)) = (answer, expected) {
                        self.take_names(answer, expected);
                    }
                }
            }
            (Value::Object(answers), Value::Object(all_expected)) => {
                for (field, answer) in answers {
                    if let Some(expected) = all_expected.get(field) {
                        self.take_names(answer, expected);
                    }
                }
            }
            (Value::String(answer), Value::String(expected)) => {
                let found = match answer.strip_prefix(MARK) {
                    Some(marked) => marked.chars().next().map(|letter| (letter, &marked[1..])),
                    None => find_random(answer)
                        .map(|at| (Kind::Text.letter(), &answer[at..at + RANDOM_TEXT_BYTES])),
                };
                if let (Some((letter, value)), Some(name)) = (found, find_name(expected)) {
                    self.take_name(letter, value, name);
                }
            }
            _ => {}
        }
    }

    fn take_name(&mut self, letter: char, value: &str, name: &str) {
        let key = (letter, value.to_owned());
        let is_free = name.chars().nth(1) == Some(letter) && !self.values.contains_key(name);
        if is_free && !self.names.contains_key(&key) {
            self.names.insert(key, name.to_owned());
            self.values.insert(name.to_owned(), value.to_owned());
        }
    }

    /// Kafka answers in the order of its hash maps: none that a client could rely on.
    fn order(&self, value: &mut Value) {
        match value {
            Value::Array(values) => {
                values.retain(|value| !self.is_of_others(value));
                for value in values.iter_mut() {
                    self.order(value);
                }
                if values.iter().all(Value::is_object) && !values.iter().any(is_batch) {
                    values.sort_by_cached_key(|value| without_random(&value.to_string()));
                }
            }
            Value::Object(fields) => fields.values_mut().for_each(|value| self.order(value)),
            _ => {}
        }
    }

    fn is_of_others(&self, value: &Value) -> bool {
        ["name", "group_id", "topic_name", "topic"]
            .iter()
            .any(|field| {
                let name = value.get(field).and_then(Value::as_str).unwrap_or_default();
                let is_sequence = name
                    .strip_prefix("seq")
                    .is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()));
                is_sequence && !name.starts_with(&self.prefix) || name.starts_with("__settle")
            })
    }

    fn name_all(&mut self, field: &str, value: &mut Value) {
        match value {
            Value::Array(values) => values
                .iter_mut()
                .for_each(|value| self.name_all(field, value)),
            Value::Object(fields) => {
                fields.remove("throttle_time_ms");
                for (field, value) in fields.iter_mut() {
                    self.name_all(field, value);
                }
            }
            Value::String(text) => {
                let named = self.name_text(field, text);
                *text = named;
            }
            Value::Number(number) => {
                let number = number.as_i64().unwrap_or_default();
                if field == "port" {
                    *value = "%port".into();
                } else if is_now(number) {
                    *value = "%now".into();
                }
            }
            _ => {}
        }
    }

    fn name_text(&mut self, field: &str, text: &str) -> String {
        if let Some(marked) = text.strip_prefix(MARK) {
            let mut letters = marked.chars();
            let letter = letters.next().unwrap_or_default();
            return self.name(letter, letters.as_str());
        }
        match field {
            "cluster_id" => return "%cluster".to_owned(),
            // Kafka's own words are not copied: that there are some is compared.
            "error_message" | "batch_index_error_message" | "documentation" if !text.is_empty() => {
                return "…".to_owned();
            }
            _ => {}
        }
        match find_random(text) {
            Some(at) => {
                let (before, rest) = text.split_at(at);
                let (random, after) = rest.split_at(RANDOM_TEXT_BYTES);
                let name = self.name(Kind::Text.letter(), random);
                format!("{before}{name}{after}")
            }
            None => text.to_owned(),
        }
    }

    fn name(&mut self, letter: char, value: &str) -> String {
        let key = (letter, value.to_owned());
        if let Some(name) = self.names.get(&key) {
            return name.clone();
        }
        let count = self.counts.entry(letter).or_default();
        // A recording's names are taken, where it has one; numbers go on behind them.
        let name = loop {
            *count += 1;
            let name = format!("%{letter}{count}");
            if !self.values.contains_key(&name) {
                break name;
            }
        };
        self.names.insert(key, name.clone());
        self.values.insert(name.clone(), value.to_owned());
        name
    }

    /// The text with this broker's values in place of names; what has no value stays.
    pub(crate) fn resolve_text(&self, text: &str) -> String {
        let name = find_name(text);
        match name.and_then(|name| Some((name, self.values.get(name)?))) {
            Some((name, value)) => text.replacen(name, value, 1),
            None => text.to_owned(),
        }
    }

    /// A name without a value is an id that no broker gives.
    pub(crate) fn resolve_number(&self, name: &str) -> i64 {
        let value = self.values.get(name);
        value
            .and_then(|value| value.parse().ok())
            .unwrap_or(i64::from(i32::MAX))
    }
}

fn is_batch(value: &Value) -> bool {
    value.get("last_offset_delta").is_some()
}

fn is_now(number: i64) -> bool {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now_ms = now.map_or(0, |now| now.as_millis() as i64);
    (number - now_ms).abs() < NOW_MS
}

/// The name in a text, such as `%m1` in `differ-%m1`.
fn find_name(text: &str) -> Option<&str> {
    let at = text.find('%')?;
    let digits = text[at..].chars().skip(2);
    text.get(at..at + 2 + digits.take_while(char::is_ascii_digit).count())
}

/// Where a random text begins: groups of 8, 4, 4, 4 and 12 hexadecimal digits.
fn find_random(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let is_random = |window: &[u8]| {
        window.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
    };
    bytes.windows(RANDOM_TEXT_BYTES).position(is_random)
}

/// What an answer's order may depend on.
fn without_random(text: &str) -> String {
    let mut known = String::new();
    for piece in text.split('"') {
        // A control character is escaped in JSON.
        match piece.strip_prefix("\\u0001") {
            Some(_) => known.push('%'),
            None => match find_random(piece) {
                Some(at) => known.push_str(&piece[..at]),
                None => known.push_str(piece),
            },
        }
        known.push('"');
    }
    known
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn equal_structure_is_named_equally_whatever_the_ids_and_their_order() {
        let answer = |ids: [&str; 2], swapped: bool| {
            let mut topics = vec![
                json!({"name": "seq1-a", "topic_id": mark(Kind::Uuid, ids[0])}),
                json!({"name": "seq1-b", "topic_id": mark(Kind::Uuid, ids[1])}),
                json!({"name": "seq2-a", "topic_id": mark(Kind::Uuid, "another's")}),
            ];
            if swapped {
                topics.reverse();
            }
            json!({"topics": topics, "throttle_time_ms": 5})
        };
        let expected = json!({"topics": [
            {"name": "seq1-a", "topic_id": "%u1"},
            {"name": "seq1-b", "topic_id": "%u2"},
        ]});
        for (ids, swapped) in [(["x", "y"], false), (["y", "x"], false), (["x", "y"], true)] {
            let mut symbols = Symbols::new("seq1-");
            assert_eq!(symbols.normalise(answer(ids, swapped), None), expected);
            assert_eq!(symbols.resolve_text("%u2"), ids[1]);
        }
    }

    #[test]
    fn a_name_is_taken_from_its_place_in_the_recording() {
        let mut symbols = Symbols::new("seq1-");
        let early = json!({"topics": [{"name": "seq1-a", "topic_id": mark(Kind::Uuid, "x")}]});
        let expected = json!({"topics": [{"name": "seq1-a", "topic_id": "%u7"}]});
        assert_eq!(symbols.normalise(early, Some(&expected)), expected);
        let late = json!({"topic_id": mark(Kind::Uuid, "y")});
        let found = symbols.normalise(late, Some(&json!({"topic_id": "%u7"})));
        assert_eq!(found, json!({"topic_id": "%u1"}), "another id is no %u7");
    }

    #[test]
    fn a_member_id_keeps_what_is_not_random() {
        let mut symbols = Symbols::new("seq1-");
        let id = "differ-01234567-89ab-cdef-0123-456789abcdef";
        let found = symbols.normalise(json!({"member_id": id, "port": 9092}), None);
        assert_eq!(found, json!({"member_id": "differ-%m1", "port": "%port"}));
        assert_eq!(symbols.resolve_text("differ-%m1"), id);
        assert_eq!(symbols.resolve_text("%m2"), "%m2");
    }
}
