//! Tables of what commands on topics lead to: a record, or a refusal with Kafka's code, the most important one first.

use std::sync::Arc;

use log::{Log, LogId};

use super::*;
use crate::metadata::LogOpener;

/// The tables' topics have no partitions, and so no logs.
struct NoLogs;

impl LogOpener for NoLogs {
    fn open(&self, id: LogId, topic: &str, _: &TopicOptions) -> Arc<Log> {
        panic!("log {id} of {topic}")
    }
}

fn config(file: &str) -> Config {
    Config::load(file, std::iter::empty(), []).unwrap()
}

/// An image with the topic `taken.name`.
fn image() -> Image {
    let record = MetadataRecord::Topic {
        name: "taken.name".to_owned(),
        id: Uuid::from_bytes([1; 16]).to_string(),
        first_log: 2,
        partitions: 0,
        options: BTreeMap::new(),
    };
    Image::empty()
        .apply(&record, &Config::default(), &NoLogs)
        .unwrap()
}

fn topic(name: &str, partitions: i32, replication_factor: i16) -> NewTopic {
    NewTopic {
        name: name.to_owned(),
        partitions,
        replication_factor,
        ..NewTopic::default()
    }
}

fn with_option(topic: NewTopic, name: &str, value: &str) -> NewTopic {
    NewTopic {
        options: BTreeMap::from([(name.to_owned(), value.to_owned())]),
        ..topic
    }
}

fn assigned(assignments: &[(i32, &[i32])]) -> NewTopic {
    let assignments = assignments
        .iter()
        .map(|(index, brokers)| (*index, brokers.to_vec()));
    NewTopic {
        assignments: assignments.collect(),
        ..topic("t", -1, -1)
    }
}

fn created(config: &Config, wanted: &NewTopic) -> Result<u32, ErrorCode> {
    create_topic(&image(), config, wanted).map_err(|refusal| refusal.code)
}

#[test]
fn topics_are_created_with_this_many_partitions_or_refused() {
    use ErrorCode::{
        InvalidConfig, InvalidPartitions, InvalidReplicationFactor, InvalidTopicException,
        PolicyViolation, TopicAlreadyExists,
    };
    let config = config("num.partitions=4");
    for (wanted, expected) in [
        (topic("t", 3, 1), Ok(3)),
        (topic("t", -1, -1), Ok(4)),
        (topic("t", 10_000, 1), Ok(10_000)),
        (topic("t", 10_001, 1), Err(PolicyViolation)),
        (topic("t", 0, 1), Err(InvalidPartitions)),
        (topic("t", -2, 1), Err(InvalidPartitions)),
        (topic("t", 1, 0), Err(InvalidReplicationFactor)),
        (topic("t", 1, -2), Err(InvalidReplicationFactor)),
        (topic("t", 1, 2), Err(InvalidReplicationFactor)),
        (topic("t", 0, 0), Err(InvalidReplicationFactor)),
        (topic("", 1, 1), Err(InvalidTopicException)),
        (topic("taken.name", 1, 1), Err(TopicAlreadyExists)),
        (topic("taken_name", 1, 1), Err(InvalidTopicException)),
        (with_option(topic("t", 1, 1), "retention.ms", "5"), Ok(1)),
        (with_option(topic("t", 1, 1), "durability", "100ms"), Ok(1)),
        (
            with_option(topic("t", 1, 1), "retention.ms", "soon"),
            Err(InvalidConfig),
        ),
        (
            with_option(topic("t", 1, 1), "retention.ms", "-2"),
            Err(InvalidConfig),
        ),
        (
            with_option(topic("t", 1, 1), "cleanup.policy", "never"),
            Err(InvalidConfig),
        ),
        (
            with_option(topic("t", 1, 1), "num.partitions", "1"),
            Err(InvalidConfig),
        ),
        (
            with_option(topic("t", 0, 9), "no.such", "1"),
            Err(InvalidConfig),
        ),
        (
            with_option(topic("taken.name", 0, 9), "no.such", "1"),
            Err(TopicAlreadyExists),
        ),
    ] {
        assert_eq!(created(&config, &wanted), expected, "{wanted:?}");
    }
    let lenient = self::config("replication.factor.above.brokers.accept=true");
    assert_eq!(created(&lenient, &topic("t", 1, 3)), Ok(1));
}

#[test]
fn topics_of_one_request_share_its_limit_and_no_name() {
    use ErrorCode::{InvalidPartitions, InvalidTopicException, PolicyViolation};
    let wanted = [
        topic("a.b", 6_000, 1),
        topic("a_b", 1, 1),
        topic("none", 0, 1),
        topic("many", 4_001, 1),
        topic("fits", 4_000, 1),
        topic("full", 1, 1),
    ];
    let fresh_id = || Uuid::from_bytes([9; 16]);
    let decided = create_topics(&image(), &Config::default(), &wanted, fresh_id);
    let logs: Vec<_> = decided
        .into_iter()
        .map(|outcome| {
            let topic = outcome.map_err(|refusal| refusal.code)?;
            Ok((topic.first_log, topic.partitions))
        })
        .collect();
    assert_eq!(
        logs,
        [
            Ok((2, 6_000)),
            Err(InvalidTopicException),
            Err(InvalidPartitions),
            Err(PolicyViolation),
            Ok((6_002, 4_000)),
            Err(PolicyViolation),
        ]
    );
}

#[test]
fn changed_options_are_looked_at_before_their_topic() {
    use ErrorCode::{InvalidConfig, InvalidRequest, UnknownTopicOrPartition};
    let set = |name: &'static str, value: &'static str| {
        move |options: &mut BTreeMap<String, String>| {
            options.insert(name.to_owned(), value.to_owned());
            Ok(())
        }
    };
    let change = |topic, name, value| {
        let decided = change_topic_options(&image(), &Config::default(), topic, set(name, value));
        decided.map_err(|refusal| refusal.code)
    };
    assert_eq!(
        change("missing", "retention.ms", "5"),
        Err(UnknownTopicOrPartition)
    );
    assert_eq!(
        change("missing", "retention.ms", "soon"),
        Err(InvalidConfig)
    );
    assert_eq!(change("missing", "no.such", "5"), Err(InvalidConfig));
    assert_eq!(change("taken.name", "no.such", "5"), Err(InvalidConfig));
    let changed = MetadataRecord::TopicOptions {
        topic_id: Uuid::from_bytes([1; 16]).to_string(),
        options: [("retention.ms".to_owned(), "5".to_owned())].into(),
    };
    assert_eq!(change("taken.name", "retention.ms", "5"), Ok(Some(changed)));
    let refused = |_: &mut _| Err(Refusal::new(InvalidRequest, "twice"));
    let decided = change_topic_options(&image(), &Config::default(), "missing", refused);
    assert_eq!(decided.map_err(|refusal| refusal.code), Err(InvalidRequest));
    let nothing = |_: &mut _| Ok(());
    let decided = change_topic_options(&image(), &Config::default(), "taken.name", nothing);
    assert_eq!(decided, Ok(None));
}

#[test]
fn assigned_partitions_are_numbered_from_zero_and_live_on_this_broker() {
    use ErrorCode::{InvalidReplicaAssignment, InvalidRequest};
    for (wanted, expected) in [
        (assigned(&[(0, &[1]), (1, &[1])]), Ok(2)),
        (assigned(&[(1, &[1]), (0, &[1])]), Ok(2)),
        (assigned(&[(1, &[1])]), Err(InvalidReplicaAssignment)),
        (
            assigned(&[(0, &[1]), (0, &[1])]),
            Err(InvalidReplicaAssignment),
        ),
        (assigned(&[(0, &[])]), Err(InvalidReplicaAssignment)),
        (assigned(&[(0, &[2])]), Err(InvalidReplicaAssignment)),
        (assigned(&[(0, &[1, 1])]), Err(InvalidReplicaAssignment)),
        (
            NewTopic {
                partitions: 1,
                ..assigned(&[(0, &[1])])
            },
            Err(InvalidRequest),
        ),
        (
            NewTopic {
                replication_factor: 1,
                ..assigned(&[(0, &[1])])
            },
            Err(InvalidRequest),
        ),
    ] {
        assert_eq!(created(&Config::default(), &wanted), expected, "{wanted:?}");
    }
}

#[test]
fn partitions_are_only_added() {
    use ErrorCode::{InvalidPartitions, InvalidReplicaAssignment, PolicyViolation};
    let image = image();
    let topic = image.topic("taken.name").unwrap();
    let here: &[Vec<i32>] = &[vec![1], vec![1]];
    let elsewhere: &[Vec<i32>] = &[vec![1], vec![7]];
    for (count, assignments, expected) in [
        (2, None, Ok(2)),
        (2, Some(here), Ok(2)),
        (2, Some(elsewhere), Err(InvalidReplicaAssignment)),
        (3, Some(here), Err(InvalidReplicaAssignment)),
        (0, None, Err(InvalidPartitions)),
        (-1, None, Err(InvalidPartitions)),
        (10_001, None, Err(PolicyViolation)),
    ] {
        let more = match create_partitions(&image, &Config::default(), topic, count, assignments) {
            Ok(MetadataRecord::Partitions { partitions, .. }) => Ok(partitions),
            Ok(other) => panic!("{other:?}"),
            Err(refusal) => Err(refusal.code),
        };
        assert_eq!(more, expected, "{count} {assignments:?}");
    }
}

#[test]
fn options_are_checked_together_as_well() {
    for (text, good) in [
        ("min.compaction.lag.ms=5 max.compaction.lag.ms=6", true),
        ("min.compaction.lag.ms=7 max.compaction.lag.ms=6", false),
        ("max.message.bytes=33554432", true),
        ("max.message.bytes=33554433", false),
        ("remote.storage.enable=true", false),
    ] {
        let pairs = text.split(' ').filter_map(|pair| pair.split_once('='));
        let options = pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let checked = check_topic_options(&Config::default(), &options);
        assert_eq!(
            checked.map_err(|refusal| refusal.code).err(),
            (!good).then_some(ErrorCode::InvalidConfig),
            "{text}"
        );
    }
}

#[test]
fn the_brokers_own_topics_stay_as_they_are() {
    let mut topic = Topic::clone(image().topic("taken.name").unwrap());
    assert!(delete_topic(&topic).is_ok());
    topic.internal = true;
    let refused = Some(ErrorCode::InvalidTopicException);
    let deleted = delete_topic(&topic).err();
    assert_eq!(deleted.map(|refusal| refusal.code), refused);
    let more = create_partitions(&image(), &Config::default(), &topic, 60, None).err();
    assert_eq!(more.map(|refusal| refusal.code), refused);
}
