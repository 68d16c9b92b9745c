//! How a topic's own options change: one by one (`IncrementalAlterConfigs`) or as a whole (`AlterConfigs`, `CreateTopics`). Pure; the
//! controller checks what comes out. Called by the handlers of these APIs.

use std::collections::BTreeMap;

use protocol::error::ErrorCode;

use super::refusal::Refusal;
use crate::config::value::Kind;
use crate::config::{Config, TopicOptions};

/// What to do with one option (the numbers are Kafka's).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operation {
    Set,
    Delete,
    /// Adds elements to a list.
    Append,
    /// Takes elements from a list.
    Subtract,
}

impl Operation {
    fn from_number(number: i8) -> Option<Self> {
        [
            Operation::Set,
            Operation::Delete,
            Operation::Append,
            Operation::Subtract,
        ]
        .get(usize::try_from(number).ok()?)
        .copied()
    }
}

/// One change as it was asked for.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    pub name: &'a str,
    pub operation: i8,
    pub value: Option<&'a str>,
}

/// The options that a request gives as a whole: each once, none without a value.
pub fn whole<'a>(
    given: impl Iterator<Item = (&'a str, Option<&'a str>)>,
) -> Result<BTreeMap<String, String>, Refusal> {
    let mut options = BTreeMap::new();
    for (name, value) in given {
        let Some(value) = value else {
            return Err(null_value(name));
        };
        if options.insert(name.to_owned(), value.to_owned()).is_some() {
            return Err(duplicate(name));
        }
    }
    Ok(options)
}

/// Changes `options` as asked, or not at all.
pub fn apply(
    config: &Config,
    options: &mut BTreeMap<String, String>,
    changes: &[Change<'_>],
) -> Result<(), Refusal> {
    check(changes)?;
    let mut changed = options.clone();
    for change in changes {
        let operation = Operation::from_number(change.operation).ok_or_else(|| {
            Refusal::new(
                ErrorCode::InvalidRequest,
                format!("Unknown operation {} on {}", change.operation, change.name),
            )
        })?;
        let value = change.value.unwrap_or_default();
        match operation {
            Operation::Set => {
                changed.insert(change.name.to_owned(), value.to_owned());
            }
            Operation::Delete => {
                changed.remove(change.name);
            }
            Operation::Append | Operation::Subtract => {
                let list = changed_list(config, &changed, change.name, operation, value)?;
                changed.insert(change.name.to_owned(), list);
            }
        }
    }
    *options = changed;
    Ok(())
}

/// What makes a request senseless, whatever it is about: an option named twice, an option without a value.
pub fn check(changes: &[Change<'_>]) -> Result<(), Refusal> {
    let mut names: Vec<&str> = changes.iter().map(|change| change.name).collect();
    names.sort_unstable();
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(duplicate(pair[0]));
    }
    let is_delete =
        |change: &Change<'_>| Operation::from_number(change.operation) == Some(Operation::Delete);
    match changes
        .iter()
        .find(|change| change.value.is_none() && !is_delete(change))
    {
        Some(change) => Err(null_value(change.name)),
        None => Ok(()),
    }
}

fn changed_list(
    config: &Config,
    own: &BTreeMap<String, String>,
    name: &str,
    operation: Operation,
    value: &str,
) -> Result<String, Refusal> {
    let definition = TopicOptions::DEFINITIONS
        .iter()
        .find(|definition| definition.name == name);
    if definition.is_none_or(|definition| definition.kind != Kind::List) {
        let message = format!("Can't append to or subtract from {name}: its type is not LIST.");
        return Err(Refusal::new(ErrorCode::InvalidConfig, message));
    }
    let now = own
        .get(name)
        .cloned()
        .or_else(|| config.topic_defaults.get(name))
        .unwrap_or_default();
    let mut elements: Vec<&str> = elements(&now).collect();
    for element in self::elements(value) {
        match operation {
            Operation::Subtract => elements.retain(|present| *present != element),
            _ if elements.contains(&element) => {}
            _ => elements.push(element),
        }
    }
    Ok(elements.join(","))
}

fn elements(list: &str) -> impl Iterator<Item = &str> {
    list.split(',')
        .map(str::trim)
        .filter(|element| !element.is_empty())
}

fn duplicate(name: &str) -> Refusal {
    Refusal::new(
        ErrorCode::InvalidRequest,
        format!("The config {name} is given more than once."),
    )
}

fn null_value(name: &str) -> Refusal {
    Refusal::new(
        ErrorCode::InvalidRequest,
        format!("Null value not supported for {name}."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const SET: i8 = 0;
    const DELETE: i8 = 1;
    const APPEND: i8 = 2;
    const SUBTRACT: i8 = 3;

    fn options(text: &str) -> BTreeMap<String, String> {
        let pairs = text
            .split_whitespace()
            .filter_map(|pair| pair.split_once('='));
        pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }

    fn change(name: &'static str, operation: i8, value: &'static str) -> Change<'static> {
        Change {
            name,
            operation,
            value: (operation != DELETE).then_some(value),
        }
    }

    #[test]
    fn changes_one_by_one() {
        let policy = "cleanup.policy";
        for (before, changes, after) in [
            ("", vec![change("retention.ms", SET, "5")], "retention.ms=5"),
            (
                "retention.ms=5",
                vec![change("retention.ms", SET, "6")],
                "retention.ms=6",
            ),
            (
                "retention.ms=5 segment.ms=7",
                vec![change("retention.ms", DELETE, "")],
                "segment.ms=7",
            ),
            ("", vec![change("retention.ms", DELETE, "")], ""),
            (
                "",
                vec![change(policy, APPEND, "compact")],
                "cleanup.policy=delete,compact",
            ),
            (
                "cleanup.policy=compact",
                vec![change(policy, APPEND, "compact")],
                "cleanup.policy=compact",
            ),
            (
                "cleanup.policy=compact,delete",
                vec![change(policy, SUBTRACT, "delete")],
                "cleanup.policy=compact",
            ),
            (
                "",
                vec![change(policy, SUBTRACT, "delete")],
                "cleanup.policy=",
            ),
            (
                "",
                vec![
                    change("retention.ms", SET, "1"),
                    change("segment.ms", SET, "2"),
                ],
                "retention.ms=1 segment.ms=2",
            ),
        ] {
            let mut now = options(before);
            apply(&Config::default(), &mut now, &changes).unwrap();
            assert_eq!(now, options(after), "{before} {changes:?}");
        }
    }

    #[test]
    fn a_refused_change_leaves_all_as_it_was() {
        let no_value = Change {
            name: "retention.ms",
            operation: SET,
            value: None,
        };
        for (changes, code) in [
            (
                vec![
                    change("segment.ms", SET, "1"),
                    change("retention.ms", APPEND, "5"),
                ],
                ErrorCode::InvalidConfig,
            ),
            (
                vec![change("no.such", APPEND, "5")],
                ErrorCode::InvalidConfig,
            ),
            (
                vec![
                    change("segment.ms", SET, "1"),
                    change("segment.ms", DELETE, ""),
                ],
                ErrorCode::InvalidRequest,
            ),
            (vec![no_value], ErrorCode::InvalidRequest),
            (
                vec![change("retention.ms", 9, "1")],
                ErrorCode::InvalidRequest,
            ),
            (
                vec![change("retention.ms", -1, "1")],
                ErrorCode::InvalidRequest,
            ),
        ] {
            let mut now = options("retention.ms=5");
            let refusal = apply(&Config::default(), &mut now, &changes).unwrap_err();
            assert_eq!(
                (refusal.code, now),
                (code, options("retention.ms=5")),
                "{changes:?}"
            );
        }
    }

    #[test]
    fn whole_sets_name_each_option_once_and_with_a_value() {
        let both = [("retention.ms", Some("5")), ("segment.ms", Some("6"))];
        assert_eq!(
            whole(both.into_iter()).unwrap(),
            options("retention.ms=5 segment.ms=6")
        );
        assert_eq!(
            whole([("a", Some("1")), ("a", Some("1"))].into_iter())
                .unwrap_err()
                .code,
            ErrorCode::InvalidRequest
        );
        assert_eq!(
            whole([("a", None)].into_iter()).unwrap_err().code,
            ErrorCode::InvalidRequest
        );
    }
}
