//! What survives a restart: records in Kafka's own bytes, groups replayed from the log or restored from a snapshot.

use std::sync::Arc;

use bytes::Bytes;
use protocol::Uuid;
use protocol::error::ErrorCode;

use super::test_driver::*;
use super::*;

/// Key and value of a record that Kafka wrote.
fn golden(name: &str) -> (Bytes, Option<Bytes>) {
    let row = include_str!("golden/records.txt")
        .lines()
        .map(|line| line.split(' ').collect::<Vec<_>>())
        .find(|row| row[0] == name)
        .unwrap_or_else(|| panic!("no golden record {name}"));
    let bytes = |hex: &str| -> Bytes {
        let byte = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        (0..hex.len()).step_by(2).map(byte).collect()
    };
    (bytes(row[1]), (row[2] != "-").then(|| bytes(row[2])))
}

fn offset(leader_epoch: i32, metadata: &str, topic_id: Uuid) -> Record {
    let offset = CommittedOffset {
        offset: 42,
        leader_epoch,
        metadata: metadata.to_owned(),
        commit_timestamp_ms: 1_700_000_000_000,
        expire_timestamp_ms: None,
        topic_id,
    };
    Record::offset(&GROUP.into(), &"topic".into(), 3, Some(offset))
}

fn with_retention() -> Record {
    let Record::Offset {
        group_id,
        topic,
        partition,
        offset: Some(offset),
    } = offset(-1, "note", Uuid::ZERO)
    else {
        panic!()
    };
    let offset = CommittedOffset {
        expire_timestamp_ms: Some(1_700_000_099_999),
        ..offset
    };
    Record::Offset {
        group_id,
        topic,
        partition,
        offset: Some(offset),
    }
}

fn member(member_id: &str, instance_id: Option<&str>) -> MemberMetadata {
    MemberMetadata {
        member_id: member_id.into(),
        group_instance_id: instance_id.map(Arc::from),
        client_id: "client".to_owned(),
        client_host: "/127.0.0.1".to_owned(),
        rebalance_timeout_ms: 60_000,
        session_timeout_ms: 10_000,
        subscription: Bytes::from_static(&[1, 2]),
        assignment: Bytes::from_static(&[3]),
    }
}

fn group(members: Vec<MemberMetadata>) -> Record {
    let metadata = GroupMetadata {
        protocol_type: "consumer".to_owned(),
        generation: 5,
        protocol_name: Some("range".to_owned()),
        leader: Some("client-1".into()),
        state_since_ms: None,
        members,
    };
    Record::group(&GROUP.into(), Some(metadata))
}

fn empty_group() -> Record {
    let metadata = GroupMetadata {
        protocol_type: "consumer".to_owned(),
        generation: 4,
        protocol_name: None,
        leader: None,
        state_since_ms: Some(1_700_000_000_000),
        members: vec![],
    };
    Record::group(&GROUP.into(), Some(metadata))
}

#[test]
fn records_are_written_as_kafka_writes_them() {
    let second = MemberMetadata {
        client_id: "c2".to_owned(),
        client_host: "/10.0.0.1".to_owned(),
        rebalance_timeout_ms: 300_000,
        session_timeout_ms: 45_000,
        subscription: Bytes::new(),
        assignment: Bytes::new(),
        ..member("one-2", Some("one"))
    };
    let id = GROUP.into();
    let rows = [
        ("offset", offset(5, "note", topic_id())),
        ("offset-no-id", offset(-1, "", Uuid::ZERO)),
        ("offset-retention", with_retention()),
        (
            "offset-tombstone",
            Record::offset(&id, &"topic".into(), 3, None),
        ),
        ("group-empty", empty_group()),
        ("group", group(vec![member("client-1", None), second])),
        ("group-tombstone", Record::group(&id, None)),
    ];
    for (name, record) in rows {
        let (key, value) = golden(name);
        assert_eq!(record.encode(), (key.clone(), value.clone()), "{name}");
        assert_eq!(
            Record::decode(&key, value.as_ref()),
            Ok(Some(record)),
            "{name}"
        );
    }
}

#[test]
fn older_and_newer_records_are_read() {
    let one = || group(vec![member("client-1", None)]);
    let old = MemberMetadata {
        rebalance_timeout_ms: 10_000,
        ..member("client-1", None)
    };
    let rows = [
        ("read-group-v0", group(vec![old])),
        ("read-group-v1", one()),
        ("read-group-v2", one()),
        ("read-group-v4", one()),
        ("read-offset-v0", offset(-1, "note", Uuid::ZERO)),
        ("read-offset-v2", offset(-1, "note", Uuid::ZERO)),
        ("read-offset-v3", offset(5, "note", Uuid::ZERO)),
    ];
    for (name, record) in rows {
        let (key, value) = golden(name);
        assert_eq!(
            Record::decode(&key, value.as_ref()),
            Ok(Some(record)),
            "{name}"
        );
    }
    let (key, value) = golden("read-offset-v0");
    let oldest_key = Bytes::from([&[0, 0], &key[2..]].concat());
    let read = Record::decode(&oldest_key, value.as_ref());
    assert_eq!(read, Ok(Some(offset(-1, "note", Uuid::ZERO))));
}

#[test]
fn other_records_are_passed_over_and_damaged_ones_refused() {
    let consumer_group = Bytes::from_static(&[0, 3, 0, 1, b'g']);
    let value = Bytes::from_static(&[0, 0, 1, 2, 3]);
    assert_eq!(Record::decode(&consumer_group, Some(&value)), Ok(None));
    assert_eq!(Record::decode(&consumer_group, None), Ok(None));
    assert_eq!(
        Record::decode(&Bytes::new(), None),
        Err(InvalidRecord::NoKind)
    );

    for name in ["group", "offset"] {
        let (key, value) = golden(name);
        let value = value.unwrap();
        for length in 0..key.len() {
            Record::decode(&key.slice(..length), Some(&value)).unwrap_err();
        }
        for length in 0..value.len() {
            Record::decode(&key, Some(&value.slice(..length))).unwrap_err();
        }
        let longer = Bytes::from([&value, &[0][..]].concat());
        Record::decode(&key, Some(&longer)).unwrap_err();
        let newer = Bytes::from([&[0, 99], &value[2..]].concat());
        Record::decode(&key, Some(&newer)).unwrap_err();
    }
}

#[test]
fn members_go_on_after_a_restart_with_sessions_anew() {
    let mut driver = Driver::new();
    let ids = driver.stable_with(vec![join("a", ""), static_join("one")]);
    driver.commit(&commit(&ids[0], 1, 42));
    driver.advance(SESSION_MS - 1);
    driver.restart(config());
    assert_eq!(
        (driver.state(), driver.member_ids()),
        ("Stable", ids.clone())
    );
    driver.advance(SESSION_MS - 1);
    assert_eq!(driver.heartbeat(&ids[0], 1), ErrorCode::None);
    let token = driver.sync(&sync(&ids[0], 1, &[]));
    assert_eq!(driver.synced(token), (ErrorCode::None, "a".into()));
    let token = driver.join(join("a", &ids[0]));
    assert!(driver.is_waiting(token), "still the leader");
    driver.advance(1);
    assert_eq!(
        driver.joined(token).members.len(),
        1,
        "the static member's session is over"
    );
    assert_eq!(driver.offsets(), [("topic".to_owned(), 0, 42)]);
}

#[test]
fn a_rebalance_does_not_survive_but_the_generation_before_it_does() {
    let mut driver = Driver::new();
    let ids = driver.stable(&["a"]);
    let b = driver.join(join("b", ""));
    driver.restart(config());
    assert_eq!(driver.joined(b).error, ErrorCode::NotCoordinator);
    assert_eq!((driver.state(), driver.generation()), ("Stable", 1));
    assert_eq!(driver.heartbeat(&ids[0], 1), ErrorCode::None);
}

#[test]
fn a_group_above_a_lowered_limit_rebalances_and_leaves_the_last_out() {
    let mut driver = Driver::new();
    let ids = driver.stable(&["a", "b", "c"]);
    driver.restart(GroupsConfig {
        members_max: 2,
        ..config()
    });
    assert_eq!(driver.state(), "PreparingRebalance");
    let tokens: Vec<Token> = ids.iter().map(|id| driver.join(join("x", id))).collect();
    let errors: Vec<ErrorCode> = tokens.into_iter().map(|t| driver.joined(t).error).collect();
    assert_eq!(
        errors,
        [
            ErrorCode::None,
            ErrorCode::None,
            ErrorCode::GroupMaxSizeReached
        ]
    );
}

#[test]
fn what_the_log_says_is_taken_as_far_as_it_makes_sense() {
    // Members without a protocol, a leader that is no member, an instance id twice: nobody writes that, nothing breaks.
    let mut driver = Driver::new();
    let Record::Group {
        metadata: Some(metadata),
        ..
    } = group(vec![
        member("m1", Some("one")),
        member("m2", Some("one")),
        MemberMetadata {
            session_timeout_ms: -5,
            ..member("m3", None)
        },
        member("m2", None),
    ])
    else {
        panic!()
    };
    let metadata = GroupMetadata {
        protocol_name: None,
        ..(*metadata).clone()
    };
    driver
        .log
        .push(Record::group(&GROUP.into(), Some(metadata)));
    driver.restart(config());
    assert_eq!((driver.state(), driver.member_ids().len()), ("Stable", 3));
    assert!(driver.groups.groups[GROUP].leader.is_some());
    driver.advance(SESSION_MS + REBALANCE_MS + 60_000);
    assert_eq!(driver.state(), "Empty");
}

fn busy_driver() -> Driver {
    let mut driver = Driver::new();
    let ids = driver.stable_with(vec![join("a", ""), static_join("one")]);
    driver.commit(&commit(&ids[0], 1, 42));
    for group in ["simple", "größe", ""] {
        let mut request = commit("", -1, 7);
        request.group_id = group.to_owned();
        request.retention_ms = (group == "simple").then_some(5);
        driver.commit(&request);
    }
    driver
}

#[test]
fn a_snapshot_holds_what_the_log_says() {
    let mut driver = busy_driver();
    // What is only in memory is not in it.
    driver.settles = false;
    driver.join(join("b", ""));
    driver.commit(&commit("", -1, 43));
    let now = driver.now;
    let snapshot = driver.groups.snapshot(now);
    let restored = Groups::restore(config(), snapshot.clone()).unwrap();
    assert_eq!(restored.snapshot(now), snapshot);
    let mut replayed = Groups::new(config());
    driver.replay_from(0, &mut replayed);
    assert_eq!(replayed.snapshot(now), snapshot);

    // The runtime may replay records that the snapshot holds already.
    for start in 0..driver.log.len() {
        let mut groups = Groups::restore(config(), snapshot.clone()).unwrap();
        driver.replay_from(start, &mut groups);
        assert_eq!(groups.snapshot(now), snapshot);
    }
    let blank = Groups::new(config()).snapshot(now);
    assert_eq!((blank[0], blank.len()), (2, 17));
}

#[test]
fn a_damaged_snapshot_is_refused() {
    let driver = busy_driver();
    let snapshot = driver.groups.snapshot(driver.now);
    let mut boundaries = 0;
    for length in 0..snapshot.len() {
        match Groups::restore(config(), snapshot.slice(..length)) {
            Ok(_) => boundaries += 1,
            Err(error) => assert_eq!(error, InvalidSnapshot::EndsEarly),
        }
    }
    assert_eq!(
        boundaries, 5,
        "only between records, which the checksum around it tells"
    );
    let mut newer = snapshot.to_vec();
    newer[0] = 3;
    let refused = Groups::restore(config(), newer.into()).unwrap_err();
    assert_eq!(refused, InvalidSnapshot::Version(3));
    let no_kind = Bytes::from_static(&[1, 0, 0, 0, 1, 0, 0, 0, 0, 0]);
    let refused = Groups::restore(config(), no_kind).unwrap_err();
    assert_eq!(refused, InvalidSnapshot::Record(InvalidRecord::NoKind));
}
