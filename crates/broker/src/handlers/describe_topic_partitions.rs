//! DescribeTopicPartitions (key 75), version 0: topics in the order of their names, partitions up to a limit, and a cursor from where to
//! ask for the rest. Without names it tells all topics.

use protocol::error::ErrorCode;
use protocol::messages::describe_topic_partitions::{
    DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse,
    DescribeTopicPartitionsResponsePartition, DescribeTopicPartitionsResponseTopic, ResponseCursor,
};
use protocol::{KafkaString, Uuid};

use super::authorized_operations;
use crate::broker::Broker;
use crate::dispatch::{Call, Response};
use crate::metadata::{Image, Topic, topic_name};

pub(crate) fn handle(
    broker: &Broker,
    call: &Call,
    request: &DescribeTopicPartitionsRequest,
) -> Response {
    let image = broker.controller.image();
    let mut names = match request.topics.as_slice() {
        [] => image.topics().map(|topic| topic.name.clone()).collect(),
        asked => asked
            .iter()
            .map(|topic| topic.name.clone())
            .collect::<Vec<_>>(),
    };
    names.sort_unstable();
    names.dedup();
    if !is_valid(request) {
        let topics = names.into_iter().filter(|_| !request.topics.is_empty());
        let topics = topics
            .map(|name| failed(name, ErrorCode::InvalidRequest))
            .collect();
        return call.respond(&DescribeTopicPartitionsResponse {
            topics,
            ..Default::default()
        });
    }
    let counts = names.into_iter().map(|name| {
        let partitions = image.topic(&name).map(|topic| topic.partitions.len());
        (name, partitions)
    });
    let limit = request
        .response_partition_limit
        .min(broker.config.options.max_request_partition_size_limit);
    let from = request.cursor.as_ref().map(|cursor| Place {
        topic: cursor.topic_name.clone(),
        partition: index(cursor.partition_index),
    });
    let page = page(counts, from.as_ref(), index(limit).max(1));
    call.respond(&DescribeTopicPartitionsResponse {
        topics: page
            .slices
            .into_iter()
            .map(|slice| describe(broker, &image, slice))
            .collect(),
        next_cursor: page.next.map(|next| ResponseCursor {
            topic_name: next.topic,
            partition_index: wire_index(next.partition),
        }),
        ..Default::default()
    })
}

/// A cursor must be one that we could have given for these topics.
fn is_valid(request: &DescribeTopicPartitionsRequest) -> bool {
    request.cursor.as_ref().is_none_or(|cursor| {
        let is_asked = request.topics.is_empty()
            || request
                .topics
                .iter()
                .any(|topic| topic.name == cursor.topic_name);
        is_asked && cursor.partition_index >= 0
    })
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    topic: KafkaString,
    partition: usize,
}

/// Partitions `first..end` of a topic; none at all of one that does not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Slice {
    topic: KafkaString,
    partitions: Option<std::ops::Range<usize>>,
}

#[derive(Debug, PartialEq, Eq)]
struct Page {
    slices: Vec<Slice>,
    next: Option<Place>,
}

/// What one answer tells: of topics with their numbers of partitions, ascending by name, at most `limit` partitions from `from` on.
fn page(
    topics: impl Iterator<Item = (KafkaString, Option<usize>)>,
    from: Option<&Place>,
    limit: usize,
) -> Page {
    let mut page = Page {
        slices: Vec::new(),
        next: None,
    };
    let mut left = limit;
    let behind = |name: &KafkaString| from.is_none_or(|from| *name >= from.topic);
    for (topic, partitions) in topics.filter(|(name, _)| behind(name)) {
        let first = from
            .as_ref()
            .filter(|from| from.topic == topic)
            .map_or(0, |from| from.partition);
        if left == 0 {
            page.next = Some(Place {
                topic,
                partition: first,
            });
            return page;
        }
        let Some(partitions) = partitions else {
            page.slices.push(Slice {
                topic,
                partitions: None,
            });
            continue;
        };
        let end = partitions.min(first.saturating_add(left));
        left -= end.saturating_sub(first);
        page.slices.push(Slice {
            topic: topic.clone(),
            partitions: Some(first..end),
        });
        if end < partitions {
            page.next = Some(Place {
                topic,
                partition: end,
            });
            return page;
        }
    }
    page
}

fn describe(broker: &Broker, image: &Image, slice: Slice) -> DescribeTopicPartitionsResponseTopic {
    let known = image.topic(&slice.topic).zip(slice.partitions);
    let code = match topic_name::refuse(&slice.topic) {
        Some(_) => ErrorCode::InvalidTopicException,
        None => ErrorCode::UnknownTopicOrPartition,
    };
    let described = match known {
        Some((topic, partitions)) => describe_known(broker, topic, partitions),
        None => failed(slice.topic, code),
    };
    DescribeTopicPartitionsResponseTopic {
        topic_authorized_operations: authorized_operations::TOPIC,
        ..described
    }
}

fn describe_known(
    broker: &Broker,
    topic: &Topic,
    partitions: std::ops::Range<usize>,
) -> DescribeTopicPartitionsResponseTopic {
    let node_id = broker.config.options.node_id;
    let partition = |index: usize| DescribeTopicPartitionsResponsePartition {
        partition_index: wire_index(index),
        leader_id: node_id,
        leader_epoch: broker.leader_epoch,
        replica_nodes: vec![node_id],
        isr_nodes: vec![node_id],
        eligible_leader_replicas: Some(Vec::new()),
        last_known_elr: Some(Vec::new()),
        ..Default::default()
    };
    DescribeTopicPartitionsResponseTopic {
        name: Some(topic.name.clone()),
        topic_id: topic.id,
        is_internal: topic.internal,
        partitions: partitions.map(partition).collect(),
        ..Default::default()
    }
}

fn failed(name: KafkaString, code: ErrorCode) -> DescribeTopicPartitionsResponseTopic {
    DescribeTopicPartitionsResponseTopic {
        error_code: code.into(),
        name: Some(name),
        topic_id: Uuid::ZERO,
        ..Default::default()
    }
}

fn index(number: i32) -> usize {
    usize::try_from(number).unwrap_or(0)
}

fn wire_index(index: usize) -> i32 {
    i32::try_from(index).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(topic: &'static str, partition: usize) -> Place {
        Place {
            topic: topic.into(),
            partition,
        }
    }

    #[test]
    fn pages_by_limit_and_cursor() {
        let topics = [("a", Some(3)), ("b", None), ("c", Some(2)), ("d", Some(1))];
        for (from, limit, slices, next) in [
            (
                None,
                10,
                vec![
                    ("a", Some(0..3)),
                    ("b", None),
                    ("c", Some(0..2)),
                    ("d", Some(0..1)),
                ],
                None,
            ),
            (
                None,
                6,
                vec![
                    ("a", Some(0..3)),
                    ("b", None),
                    ("c", Some(0..2)),
                    ("d", Some(0..1)),
                ],
                None,
            ),
            (None, 2, vec![("a", Some(0..2))], Some(place("a", 2))),
            (None, 3, vec![("a", Some(0..3))], Some(place("b", 0))),
            (
                Some(place("a", 2)),
                2,
                vec![("a", Some(2..3)), ("b", None), ("c", Some(0..1))],
                Some(place("c", 1)),
            ),
            (
                Some(place("c", 1)),
                1,
                vec![("c", Some(1..2))],
                Some(place("d", 0)),
            ),
            (
                Some(place("bb", 1)),
                9,
                vec![("c", Some(0..2)), ("d", Some(0..1))],
                None,
            ),
            (Some(place("d", 0)), 9, vec![("d", Some(0..1))], None),
            (Some(place("z", 0)), 9, vec![], None),
        ] {
            let found = page(
                topics.iter().map(|(name, count)| ((*name).into(), *count)),
                from.as_ref(),
                limit,
            );
            let slices = slices
                .into_iter()
                .map(|(topic, partitions)| Slice {
                    topic: topic.into(),
                    partitions,
                })
                .collect();
            assert_eq!(found, Page { slices, next }, "{from:?} {limit}");
        }
    }

    #[test]
    fn a_cursor_behind_the_last_partition_finds_none() {
        let found = page([("a".into(), Some(3))].into_iter(), Some(&place("a", 7)), 9);
        assert_eq!(
            found.slices[0].partitions.clone().map(Iterator::count),
            Some(0)
        );
        assert_eq!(found.next, None);
    }
}
