//! What the APIs about configuration speak of: a topic, a broker, and what else Kafka has options for. Used by the handlers that
//! describe and alter configs.

use protocol::error::ErrorCode;

use crate::metadata::{Refusal, topic_name};

/// The kind and name of what has options.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ConfigResource<'a> {
    Topic(&'a str),
    /// All brokers at once.
    AllBrokers,
    Broker,
    BrokerLogger,
    /// A subscription to client metrics.
    ClientMetrics(&'a str),
    Group,
}

impl<'a> ConfigResource<'a> {
    /// From Kafka's number of the kind; `node_id` is this broker's.
    pub(crate) fn new(kind: i8, name: &'a str, node_id: i32) -> Result<Self, Refusal> {
        let invalid = |message: String| Refusal::new(ErrorCode::InvalidRequest, message);
        match kind {
            2 => match topic_name::refuse(name) {
                Some(reason) => Err(Refusal::new(ErrorCode::InvalidTopicException, reason)),
                None => Ok(ConfigResource::Topic(name)),
            },
            4 if name.is_empty() => Ok(ConfigResource::AllBrokers),
            4 | 8 => match name.parse::<i32>() {
                Ok(id) if id != node_id => Err(invalid(format!(
                    "Unexpected broker id, expected {node_id}, but received {name}"
                ))),
                Ok(_) if kind == 4 => Ok(ConfigResource::Broker),
                Ok(_) => Ok(ConfigResource::BrokerLogger),
                Err(_) if name.is_empty() => Err(invalid("Broker id must not be empty".to_owned())),
                Err(_) => Err(invalid(format!(
                    "Node id must be an integer, but it is: {name}"
                ))),
            },
            16 | 32 if name.is_empty() => Err(invalid(
                "The name of the resource must not be empty".to_owned(),
            )),
            16 => Ok(ConfigResource::ClientMetrics(name)),
            32 => Ok(ConfigResource::Group),
            _ => Err(invalid(format!("Unknown resource type {kind}"))),
        }
    }
}

/// The answer to a change of what has no options that can be changed: what changes nothing is done, the rest says where to go instead.
pub(crate) fn refuse_change<'a>(
    resource: ConfigResource<'_>,
    mut names: impl Iterator<Item = &'a str>,
) -> Result<(), Refusal> {
    let Some(name) = names.next() else {
        return Ok(());
    };
    let (code, message) = match resource {
        ConfigResource::Topic(of) | ConfigResource::ClientMetrics(of) => (
            ErrorCode::InvalidRequest,
            format!("{name} of {of} cannot be changed this way"),
        ),
        ConfigResource::AllBrokers | ConfigResource::Broker => (
            ErrorCode::InvalidRequest,
            format!(
                "{name} cannot be changed while the broker runs: set it in server.properties or with --set and start the broker again"
            ),
        ),
        ConfigResource::BrokerLogger => (
            ErrorCode::InvalidConfig,
            format!(
                "logger {name} does not exist: what is logged is set by --log at the broker's start"
            ),
        ),
        ConfigResource::Group => (
            ErrorCode::InvalidConfig,
            format!("{name} cannot be set: groups have no options of their own"),
        ),
    };
    Err(Refusal::new(code, message))
}

/// A request that would change a resource twice changes it not at all.
pub(crate) fn named_twice() -> Refusal {
    Refusal::new(
        ErrorCode::InvalidRequest,
        "Each resource must appear at most once.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_by_kafkas_numbers() {
        use ConfigResource::{AllBrokers, Broker, BrokerLogger, ClientMetrics, Group, Topic};
        let invalid = Err(ErrorCode::InvalidRequest);
        for (kind, name, expected) in [
            (2, "t", Ok(Topic("t"))),
            (2, "not a name", Err(ErrorCode::InvalidTopicException)),
            (4, "", Ok(AllBrokers)),
            (4, "7", Ok(Broker)),
            (4, "8", invalid),
            (4, "seven", invalid),
            (8, "7", Ok(BrokerLogger)),
            (8, "", invalid),
            (16, "s", Ok(ClientMetrics("s"))),
            (16, "", invalid),
            (32, "g", Ok(Group)),
            (32, "", invalid),
            (0, "x", invalid),
            (-1, "x", invalid),
        ] {
            assert_eq!(
                ConfigResource::new(kind, name, 7).map_err(|refusal| refusal.code),
                expected,
                "{kind} {name:?}"
            );
        }
    }

    #[test]
    fn what_changes_nothing_is_done_and_the_rest_refused() {
        for (resource, code) in [
            (ConfigResource::AllBrokers, ErrorCode::InvalidRequest),
            (ConfigResource::Broker, ErrorCode::InvalidRequest),
            (ConfigResource::BrokerLogger, ErrorCode::InvalidConfig),
            (ConfigResource::Group, ErrorCode::InvalidConfig),
        ] {
            assert_eq!(refuse_change(resource, [].into_iter()), Ok(()));
            let refused = refuse_change(resource, ["option"].into_iter());
            assert_eq!(refused.map_err(|refusal| refusal.code), Err(code));
        }
    }
}
