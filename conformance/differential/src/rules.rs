//! The differences that are meant, each with its reason: docs/compatibility.md shows the same list. Used by `replay`, which fails if one
//! of them is not met any more.

use serde_json::Value;

use crate::compare::Difference;
use crate::session::Step;

/// A difference that is meant.
pub struct Rule {
    /// As docs/compatibility.md names it.
    pub name: &'static str,
    /// Empty for any.
    pub api: &'static str,
    /// The field: the path without what is in brackets; with a `*` at its beginning or end for more.
    pub field: &'static str,
    pub holds: fn(&Step, &Difference) -> bool,
    pub reason: &'static str,
    /// What comes behind it in its sequence follows from it.
    pub ends: bool,
}

pub const RULES: &[Rule] = &[
    Rule {
        name: "durability is an option of topics",
        api: "",
        field: "*configs",
        holds: |_, difference| difference.path.contains("configs[durability]"),
        reason: "Ottla's own option: when a produce is acknowledged.",
        ends: false,
    },
    Rule {
        name: "min.insync.replicas is no altered option",
        api: "",
        field: "*configs*",
        holds: |_, difference| difference.path.contains("configs[min.insync.replicas]"),
        reason: "Kafka's controller sets it for the cluster when it is formatted, because of the eligible leader replicas, \
                 which one node has no use for. The value is the same, its source is not.",
        ends: false,
    },
    Rule {
        name: "errors are explained",
        api: "",
        field: "*error_message",
        holds: |_, difference| is_empty(&difference.kafka) && !is_empty(&difference.ottla),
        reason: "Where Kafka leaves a message out, Ottla says what is wrong.",
        ends: false,
    },
    Rule {
        name: "topics are made at once",
        api: "Metadata",
        field: "topics*",
        // Old versions cannot say that they do not want it.
        holds: |step, _| step.version < 4 || step.request["allow_auto_topic_creation"] != false,
        reason: "A topic that Metadata makes on demand is in the same answer; Kafka makes clients ask again.",
        ends: false,
    },
    Rule {
        name: "what is not served is not advertised",
        api: "ApiVersions",
        field: "api_keys",
        holds: |_, difference| difference.ottla.is_null(),
        reason: "The APIs that are listed above as not served.",
        ends: false,
    },
    Rule {
        name: "features",
        api: "ApiVersions",
        field: "*features*",
        holds: |_, _| true,
        reason: "The one feature told is metadata.version; its epoch is the broker's own.",
        ends: false,
    },
    Rule {
        name: "a fault inside of Kafka",
        api: "",
        field: "*",
        holds: |step, _| step.answer.to_string().contains("\"error_code\":-1,"),
        reason: "Where Kafka stumbles (UNKNOWN_SERVER_ERROR), as over a topic with neither name nor id or an operation on options that \
                 there is not, Ottla says what is wrong.",
        ends: false,
    },
    Rule {
        name: "where before what",
        api: "Produce",
        field: "responses.partition_responses.error_code",
        holds: |_, difference| is_one_of(&difference.ottla, &[3, 21, 100]) && difference.kafka != 0,
        reason: "A batch that is malformed, in a request with another fault: Kafka looks at the batch first, Ottla at topic, partition and \
                 acks.",
        ends: false,
    },
    Rule {
        name: "log start of what was refused",
        api: "Produce",
        field: "responses.partition_responses.log_start_offset",
        holds: |_, difference| difference.ottla == -1,
        reason: "Of a refused batch Ottla tells none; Kafka does after some refusals.",
        ends: false,
    },
    Rule {
        name: "options in order",
        api: "",
        field: "*error_code",
        holds: |step, difference| {
            let is_config = step.api.ends_with("Configs") || step.api == "CreateTopics";
            is_config
                && is_one_of(&difference.ottla, &[17, 38, 40, 42])
                && is_one_of(&difference.kafka, &[3, 37, 40, 42])
        },
        reason: "Of several faults in one topic or resource (its options, partitions, replicas, a name that is empty) another is told.",
        ends: false,
    },
    Rule {
        name: "by id before there were ids",
        api: "Metadata",
        field: "*",
        holds: |step, _| {
            (10..12).contains(&step.version) && step.answer["brokers"] == Value::Array(Vec::new())
        },
        reason: "Versions 10 and 11 have a place for a topic's id but no use for it: Kafka refuses the whole request, Ottla answers it.",
        ends: false,
    },
    Rule {
        name: "too short for a batch",
        api: "Produce",
        field: "responses.partition_responses.error_code",
        holds: |_, difference| difference.kafka == 2 && difference.ottla == 87,
        reason: "Bytes that cannot hold a batch are an invalid record to Ottla, a corrupt message to Kafka.",
        ends: false,
    },
    Rule {
        name: "an option given twice",
        api: "",
        field: "*",
        holds: |step, difference| {
            repeats_an_option(&step.request)
                && difference.path.ends_with(".error_code")
                && difference.kafka == 0
        },
        reason: "Kafka takes the last one where topics are made or altered as a whole; Ottla refuses.",
        ends: true,
    },
    Rule {
        name: "one spelling",
        api: "",
        field: "*configs.value",
        holds: |_, difference| {
            let [kafka, ottla] = [&difference.kafka, &difference.ottla]
                .map(|side| side.as_str().unwrap_or_default());
            kafka.eq_ignore_ascii_case(ottla) || ottla == format!("{kafka},{kafka}")
        },
        reason: "Booleans are shown in small letters, lists as they were given.",
        ends: false,
    },
    Rule {
        name: "synonyms that are not set",
        api: "DescribeConfigs",
        field: "results.configs.synonyms*",
        holds: |_, _| true,
        reason: "Ottla lists the broker's option and its default for each option of a topic; Kafka leaves out those without a \
                 default of their own, and lists log.retention.hours and log.roll.hours, which Ottla takes as other spellings.",
        ends: false,
    },
];

fn repeats_an_option(request: &Value) -> bool {
    let owners = ["topics", "resources"].map(|field| request[field].as_array());
    owners.into_iter().flatten().flatten().any(|owner| {
        let options = owner["configs"].as_array().map_or(&[][..], Vec::as_slice);
        let is_again = |(at, one): (usize, &Value)| {
            options[..at]
                .iter()
                .any(|other| other["name"] == one["name"])
        };
        options.iter().enumerate().any(is_again)
    })
}

fn is_one_of(value: &Value, codes: &[i64]) -> bool {
    value.as_i64().is_some_and(|code| codes.contains(&code))
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value == ""
}

/// Where this list begins in docs/compatibility.md; the rest of that file is made elsewhere.
pub const HEADING: &str = "\n## Deliberate differences\n";

/// The list as docs/compatibility.md shows it.
pub fn document() -> String {
    let mut text = format!(
        "{HEADING}\nFound by the [differential test](../conformance/differential/README.md), which fails at any other; a row that nothing \
         needs any more fails it too. Made from its list of rules.\n\n| difference | API | field | reason |\n|---|---|---|---|\n"
    );
    for rule in RULES {
        let api = if rule.api.is_empty() { "any" } else { rule.api };
        let field = rule.field.replace('*', "…");
        let Rule { name, reason, .. } = rule;
        text.push_str(&format!("| {name} | {api} | {field} | {reason} |\n"));
    }
    text
}

impl Rule {
    pub fn allows(&self, step: &Step, difference: &Difference) -> bool {
        let is_of_api = self.api.is_empty() || self.api == step.api;
        is_of_api && self.is_of_field(&difference.path) && (self.holds)(step, difference)
    }

    fn is_of_field(&self, path: &str) -> bool {
        let field = without_keys(path);
        let middle = self.field.trim_matches('*');
        match (self.field.starts_with('*'), self.field.ends_with('*')) {
            (true, true) => field.contains(middle),
            (true, false) => field.ends_with(middle),
            (false, true) => field.starts_with(middle),
            (false, false) => field == middle,
        }
    }
}

/// `topics[a].partitions[0].offset` is `topics.partitions.offset`.
pub fn without_keys(path: &str) -> String {
    let mut depth = 0;
    let mut field = String::new();
    for letter in path.chars() {
        match letter {
            '[' => depth += 1,
            ']' => depth -= 1,
            letter if depth == 0 => field.push(letter),
            _ => {}
        }
    }
    field
}
