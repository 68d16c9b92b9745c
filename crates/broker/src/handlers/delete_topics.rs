//! DeleteTopics (key 20), versions 1 to 6: by name, from version 6 by name or id. A topic is gone for everybody when the answer comes;
//! the room it took is given back after.

use std::collections::BTreeMap;
use std::sync::Arc;

use protocol::error::ErrorCode;
use protocol::messages::delete_topics::{
    DeletableTopicResult, DeleteTopicsRequest, DeleteTopicsResponse,
};
use protocol::{KafkaString, Uuid};

use crate::broker::Broker;
use crate::dispatch::{Call, Response};
use crate::metadata::{Image, Refusal};

/// How the caller names a topic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    Name(KafkaString),
    Id(Uuid),
    /// Neither, or both at once.
    Unclear(Option<KafkaString>, Uuid),
}

/// Before this version there is no code of its own for disabled deletion.
const DELETION_DISABLED_SINCE: i16 = 3;
const IDS_SINCE: i16 = 6;

pub(crate) async fn handle(
    broker: Arc<Broker>,
    call: Call,
    request: DeleteTopicsRequest,
) -> Response {
    let targets = targets(call.version, request);
    let respond = |responses| {
        call.respond(&DeleteTopicsResponse {
            responses,
            ..Default::default()
        })
    };
    if !broker.config.options.delete_topic_enable {
        let disabled = deletion_disabled(call.version);
        return respond(
            targets
                .iter()
                .map(|target| refused(target, &disabled))
                .collect(),
        );
    }
    let Resolved {
        found,
        refused: mut responses,
    } = resolve(&broker.controller.image(), &targets);
    let ids: Vec<Uuid> = found.keys().copied().collect();
    let coordinator = broker.coordinator.clone();
    let outcomes = broker.controller.delete_topics(&ids, move |topics| {
        // What groups have committed for them goes as well.
        for topic in topics {
            coordinator.step(|groups, now| groups.topic_deleted(now, &topic.name, topic.id));
        }
    });
    let outcomes = outcomes.await;
    for ((id, (target, name)), outcome) in found.into_iter().zip(outcomes) {
        responses.push(match outcome {
            Ok(()) => DeletableTopicResult {
                name: Some(name),
                topic_id: id,
                ..Default::default()
            },
            // Somebody was quicker.
            Err(refusal) if refusal.code == ErrorCode::UnknownTopicId => {
                refused(target, &unknown(target))
            }
            Err(refusal) => refused(target, &refusal),
        });
    }
    respond(responses)
}

fn targets(version: i16, request: DeleteTopicsRequest) -> Vec<Target> {
    if version < IDS_SINCE {
        return request.topic_names.into_iter().map(Target::Name).collect();
    }
    let target = |(name, id): (Option<KafkaString>, Uuid)| match name {
        Some(name) if id == Uuid::ZERO => Target::Name(name),
        None if id != Uuid::ZERO => Target::Id(id),
        name => Target::Unclear(name, id),
    };
    request
        .topics
        .into_iter()
        .map(|topic| target((topic.name, topic.topic_id)))
        .collect()
}

/// Topics to delete, by id, with how each was asked for and its name; and the answers to what cannot be.
struct Resolved<'a> {
    found: BTreeMap<Uuid, (&'a Target, KafkaString)>,
    refused: Vec<DeletableTopicResult>,
}

fn resolve<'a>(image: &Image, targets: &'a [Target]) -> Resolved<'a> {
    let invalid = |message: &str| Refusal::new(ErrorCode::InvalidRequest, message);
    let mut counts: BTreeMap<&Target, usize> = BTreeMap::new();
    for target in targets {
        *counts.entry(target).or_default() += 1;
    }
    let mut resolved = Resolved {
        found: BTreeMap::new(),
        refused: Vec::new(),
    };
    for (target, count) in counts {
        let topic = match target {
            Target::Unclear(None, _) => Err(invalid("Neither topic name nor id were specified.")),
            Target::Unclear(Some(_), _) => {
                Err(invalid("You may not specify both topic name and topic id."))
            }
            Target::Name(_) if count > 1 => Err(invalid("Duplicate topic name.")),
            Target::Id(_) if count > 1 => Err(invalid("Duplicate topic id.")),
            Target::Name(name) => image.topic(name).ok_or_else(|| unknown(target)),
            Target::Id(id) => image.topic_by_id(*id).ok_or_else(|| unknown(target)),
        };
        match topic {
            Ok(topic) if resolved.found.contains_key(&topic.id) => {
                resolved.refused.push(refused(
                    target,
                    &invalid("The topic is named by its name and by its id as well."),
                ));
            }
            Ok(topic) => {
                resolved
                    .found
                    .insert(topic.id, (target, topic.name.clone()));
            }
            Err(refusal) => resolved.refused.push(refused(target, &refusal)),
        }
    }
    resolved
}

fn unknown(target: &Target) -> Refusal {
    match target {
        Target::Id(_) => Refusal::new(
            ErrorCode::UnknownTopicId,
            "This server does not host this topic ID.",
        ),
        _ => Refusal::new(
            ErrorCode::UnknownTopicOrPartition,
            "This server does not host this topic-partition.",
        ),
    }
}

fn deletion_disabled(version: i16) -> Refusal {
    let code = if version < DELETION_DISABLED_SINCE {
        ErrorCode::InvalidRequest
    } else {
        ErrorCode::TopicDeletionDisabled
    };
    Refusal::new(
        code,
        "Topic deletion is disabled: the broker runs with delete.topic.enable=false.",
    )
}

fn refused(target: &Target, refusal: &Refusal) -> DeletableTopicResult {
    let (name, topic_id) = match target {
        Target::Name(name) => (Some(name.clone()), Uuid::ZERO),
        Target::Id(id) => (None, *id),
        Target::Unclear(name, id) => (name.clone(), *id),
    };
    DeletableTopicResult {
        name,
        topic_id,
        error_code: refusal.code.into(),
        error_message: Some(refusal.message.clone().into()),
    }
}

#[cfg(test)]
mod tests {
    use log::{Log, LogId};

    use super::*;
    use crate::config::{Config, TopicOptions};
    use crate::metadata::{LogOpener, MetadataRecord};

    /// The test's topics have no partitions.
    struct NoLogs;

    impl LogOpener for NoLogs {
        fn open(&self, id: LogId, topic: &str, _: &TopicOptions) -> Arc<Log> {
            panic!("log {id} of {topic}")
        }
    }

    fn id(byte: u8) -> Uuid {
        Uuid::from_bytes([byte; 16])
    }

    fn image_with(topics: &[(&str, Uuid)]) -> Image {
        topics.iter().fold(Image::empty(), |image, (name, id)| {
            let record = MetadataRecord::Topic {
                name: (*name).to_owned(),
                id: id.to_string(),
                first_log: 2,
                partitions: 0,
                options: BTreeMap::new(),
            };
            image.apply(&record, &Config::default(), &NoLogs).unwrap()
        })
    }

    #[test]
    fn each_target_is_found_or_refused_for_its_own_reason() {
        let image = image_with(&[("a", id(1)), ("b", id(2))]);
        let name = |name: &'static str| Target::Name(name.into());
        for (targets, found, refused) in [
            (vec![name("a")], vec![id(1)], vec![]),
            (
                vec![name("b"), Target::Id(id(1))],
                vec![id(1), id(2)],
                vec![],
            ),
            (
                vec![name("a"), name("z")],
                vec![id(1)],
                vec![ErrorCode::UnknownTopicOrPartition],
            ),
            (
                vec![Target::Id(id(9))],
                vec![],
                vec![ErrorCode::UnknownTopicId],
            ),
            (
                vec![name("a"), name("a"), name("b")],
                vec![id(2)],
                vec![ErrorCode::InvalidRequest],
            ),
            (
                vec![Target::Id(id(1)), Target::Id(id(1))],
                vec![],
                vec![ErrorCode::InvalidRequest],
            ),
            (
                vec![name("a"), Target::Id(id(1))],
                vec![id(1)],
                vec![ErrorCode::InvalidRequest],
            ),
            (
                vec![Target::Unclear(None, Uuid::ZERO)],
                vec![],
                vec![ErrorCode::InvalidRequest],
            ),
            (
                vec![Target::Unclear(Some("a".into()), id(1))],
                vec![],
                vec![ErrorCode::InvalidRequest],
            ),
        ] {
            let resolved = resolve(&image, &targets);
            let codes: Vec<_> = resolved
                .refused
                .iter()
                .map(|result| ErrorCode::from_code(result.error_code).unwrap())
                .collect();
            assert_eq!(
                (resolved.found.into_keys().collect::<Vec<_>>(), codes),
                (found, refused),
                "{targets:?}"
            );
        }
    }

    #[test]
    fn old_clients_hear_of_disabled_deletion_in_the_code_they_know() {
        assert_eq!(deletion_disabled(1).code, ErrorCode::InvalidRequest);
        assert_eq!(deletion_disabled(6).code, ErrorCode::TopicDeletionDisabled);
    }
}
