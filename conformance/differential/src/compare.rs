//! Where two answers differ, field by field. Used by `replay`.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

/// One field in which the answers differ; a side that has nothing there is null.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Such as `topics[seq7-a].partitions[0].error_code`; empty for the whole answer.
    pub path: String,
    pub kafka: Value,
    pub ottla: Value,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}: kafka {} ottla {}",
            self.path, self.kafka, self.ottla
        )
    }
}

/// Elements of arrays are told apart by the first of these that is different in all of them.
const KEYS: [&str; 10] = [
    "name",
    "topic",
    "topic_name",
    "resource_name",
    "group_id",
    "partition_index",
    "partition",
    "index",
    "api_key",
    "node_id",
];

pub fn differences(kafka: &Value, ottla: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", kafka, ottla, &mut found);
    found
}

fn compare(path: &str, kafka: &Value, ottla: &Value, found: &mut Vec<Difference>) {
    match (kafka, ottla) {
        (Value::Object(kafka_fields), Value::Object(ottla_fields)) => {
            let mut names: Vec<&String> = kafka_fields.keys().chain(ottla_fields.keys()).collect();
            names.sort_unstable();
            names.dedup();
            for name in names {
                let path = match path {
                    "" => name.clone(),
                    path => format!("{path}.{name}"),
                };
                compare(&path, &kafka[name.as_str()], &ottla[name.as_str()], found);
            }
        }
        (Value::Array(kafka_values), Value::Array(ottla_values)) => {
            for (key, kafka, ottla) in keyed_pairs(kafka_values, ottla_values) {
                let path = format!("{path}[{key}]");
                let [kafka, ottla] = [kafka, ottla].map(|side| side.unwrap_or(&Value::Null));
                compare(&path, kafka, ottla, found);
            }
        }
        (kafka, ottla) if kafka == ottla => {}
        (kafka, ottla) => found.push(Difference {
            path: path.to_owned(),
            kafka: kafka.clone(),
            ottla: ottla.clone(),
        }),
    }
}

type Pair<'a> = (Option<&'a Value>, Option<&'a Value>);

/// Elements that belong together, each side's own order kept within its keys.
pub(crate) fn pairs<'a>(left: &'a [Value], right: &'a [Value]) -> Vec<Pair<'a>> {
    let keyed = keyed_pairs(left, right).into_iter();
    keyed.map(|(_, left, right)| (left, right)).collect()
}

fn keyed_pairs<'a>(
    left: &'a [Value],
    right: &'a [Value],
) -> Vec<(String, Option<&'a Value>, Option<&'a Value>)> {
    let (left, right) = match (by_key(left), by_key(right)) {
        (Some(left), Some(right)) => (left, right),
        _ => (by_index(left), by_index(right)),
    };
    let mut keys: Vec<&String> = left.keys().chain(right.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter()
        .map(|key| (key.clone(), left.get(key).copied(), right.get(key).copied()))
        .collect()
}

fn by_key(values: &[Value]) -> Option<BTreeMap<String, &Value>> {
    KEYS.iter().find_map(|key| {
        let named: Option<BTreeMap<String, &Value>> = values
            .iter()
            .map(|value| match value.get(key)? {
                // A random one says nothing of which is which.
                Value::String(name) if !name.contains(['\u{1}', '%']) && name.len() < 256 => {
                    Some((name.clone(), value))
                }
                Value::Number(number) => Some((number.to_string(), value)),
                _ => None,
            })
            .collect();
        named.filter(|named| named.len() == values.len())
    })
}

fn by_index(values: &[Value]) -> BTreeMap<String, &Value> {
    let numbered = values.iter().enumerate();
    numbered
        .map(|(at, value)| (format!("#{at}"), value))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_difference_is_told_by_its_path() {
        let kafka = json!({"error_code": 0, "topics": [
            {"name": "a", "partitions": [{"index": 0, "offset": 5}]}, {"name": "b"}]});
        for (ottla, expected) in [
            (kafka.clone(), vec![]),
            (json!("closed"), vec![""]),
            (
                json!({"error_code": 3, "topics": [{"name": "b"}]}),
                vec!["error_code", "topics[a]"],
            ),
            (
                json!({"error_code": 0, "topics": [{"name": "b"},
                    {"name": "a", "partitions": [{"index": 0, "offset": 6}, {"index": 1}]}]}),
                vec!["topics[a].partitions[0].offset", "topics[a].partitions[1]"],
            ),
        ] {
            let found = differences(&kafka, &ottla);
            let paths: Vec<&str> = found.iter().map(|one| one.path.as_str()).collect();
            assert_eq!(paths, expected);
        }
    }
}
