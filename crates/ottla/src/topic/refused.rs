//! What a broker refused, in words that name the cause and the next step.

use std::fmt;

use protocol::KafkaString;
use protocol::error::ErrorCode;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    /// What was tried, such as "create".
    action: &'static str,
    topic: String,
    code: i16,
    /// The broker's own words, if it has some.
    message: Option<String>,
}

impl Refused {
    /// None if `code` says that all went well.
    pub(super) fn new(
        action: &'static str,
        topic: &str,
        code: i16,
        message: Option<&KafkaString>,
    ) -> Option<Self> {
        let message = message
            .filter(|message| !message.is_empty())
            .map(ToString::to_string);
        (code != ErrorCode::None.code()).then(|| Self {
            action,
            topic: topic.to_owned(),
            code,
            message,
        })
    }

    pub(super) fn is(&self, code: ErrorCode) -> bool {
        self.code == code.code()
    }

    fn next_step(&self) -> Option<String> {
        let step = match ErrorCode::from_code(self.code)? {
            ErrorCode::TopicAlreadyExists => {
                let topic = &self.topic;
                return Some(format!(
                    "Look at it with: ottla topic describe {topic}; --if-not-exists makes this no error"
                ));
            }
            ErrorCode::UnknownTopicOrPartition => "See what there is with: ottla topic list",
            ErrorCode::InvalidTopicException => {
                "Use at most 249 letters, digits, '.', '_' and '-'; '.' and '_' count as the same"
            }
            ErrorCode::InvalidPartitions => "An existing topic can only be given more partitions",
            ErrorCode::InvalidReplicationFactor => {
                "Leave --replication-factor out to get the broker's default"
            }
            ErrorCode::InvalidConfig => {
                "See all options and their values with: ottla topic describe TOPIC --all"
            }
            ErrorCode::TopicDeletionDisabled => "Set delete.topic.enable=true at the broker",
            ErrorCode::NotController => "Name the controller's address with --bootstrap-server",
            code if code.retriable() => "Try again",
            _ => return None,
        };
        Some(step.to_owned())
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = ErrorCode::from_code(self.code);
        let name = code.map_or_else(
            || format!("error {}", self.code),
            |code| code.name().to_owned(),
        );
        let text = self
            .message
            .as_deref()
            .or(code.map(ErrorCode::text))
            .unwrap_or("the broker does not say why");
        write!(
            f,
            "cannot {} topic {}: {} ({name}).",
            self.action,
            self.topic,
            text.trim_end_matches('.')
        )?;
        match self.next_step() {
            Some(step) => write!(f, " {step}."),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_say_what_why_and_what_next() {
        let message = KafkaString::from("Topic 'a' already exists.");
        for (code, message, expected) in [
            (
                36,
                Some(&message),
                "cannot create topic a: Topic 'a' already exists (TOPIC_ALREADY_EXISTS). \
                 Look at it with: ottla topic describe a; --if-not-exists makes this no error.",
            ),
            (
                3,
                None,
                "cannot create topic a: this broker hosts no such topic or partition (UNKNOWN_TOPIC_OR_PARTITION). \
                 See what there is with: ottla topic list.",
            ),
            (
                999,
                None,
                "cannot create topic a: the broker does not say why (error 999).",
            ),
        ] {
            assert_eq!(
                Refused::new("create", "a", code, message)
                    .unwrap()
                    .to_string(),
                expected
            );
        }
        assert_eq!(Refused::new("create", "a", 0, None), None);
    }
}
