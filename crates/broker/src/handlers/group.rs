//! What the group handlers share: text between wire and coordinator.

use protocol::KafkaString;

pub(super) fn optional(text: Option<&KafkaString>) -> Option<String> {
    text.map(ToString::to_string)
}

pub(super) fn wire(text: &str) -> KafkaString {
    KafkaString::from(text.to_owned())
}
