//! Offsets: who may commit, what is fetched, what expires, what is deleted.

use protocol::Uuid;
use protocol::error::ErrorCode;

use super::test_driver::*;
use super::*;

fn fetch(topic: &str, topic_id: Uuid, require_stable: bool) -> OffsetFetch {
    let topic = FetchTopic {
        name: topic.into(),
        topic_id,
        partitions: vec![0, 9],
    };
    OffsetFetch {
        group_id: GROUP.to_owned(),
        topics: Some(vec![topic]),
        require_stable,
    }
}

/// Offsets, leader epochs and metadata of the partitions of the one topic asked for.
fn fetched(driver: &mut Driver, token: Token) -> Vec<(i64, i32, String)> {
    let Reply::OffsetFetch(reply) = driver.reply(token) else {
        panic!("not a fetch")
    };
    assert_eq!((reply.error, reply.topics.len()), (ErrorCode::None, 1));
    let partition = |p: &FetchedPartition| (p.offset, p.leader_epoch, p.metadata.clone());
    reply.topics[0].partitions.iter().map(partition).collect()
}

#[test]
fn who_may_commit() {
    let none = ErrorCode::None;
    // State of the group, whose member id, generation: error.
    #[rustfmt::skip]
    let rows = [
        ("Dead", "none", -1, none),
        ("Dead", "another", 1, ErrorCode::GroupIdNotFound),
        ("Empty", "none", -1, none),
        ("Empty", "another", -1, none),
        ("Empty", "another", 1, ErrorCode::UnknownMemberId),
        ("Stable", "none", -1, ErrorCode::UnknownMemberId),
        ("Stable", "member", 2, none),
        ("Stable", "member", 1, ErrorCode::IllegalGeneration),
        ("Stable", "member", -1, ErrorCode::IllegalGeneration),
        ("Stable", "another", 2, ErrorCode::UnknownMemberId),
        ("Stable", "none", 2, ErrorCode::UnknownMemberId),
        ("PreparingRebalance", "member", 1, none),
        ("PreparingRebalance", "member", 2, ErrorCode::IllegalGeneration),
        ("CompletingRebalance", "member", 2, ErrorCode::RebalanceInProgress),
        ("CompletingRebalance", "member", 1, ErrorCode::IllegalGeneration),
        ("CompletingRebalance", "none", -1, ErrorCode::UnknownMemberId),
    ];
    for (state, who, generation, expected) in rows {
        let (mut driver, member, _) = group_in(state);
        let member_id = match who {
            "member" => member.as_str(),
            "another" => "another",
            _ => "",
        };
        let token = driver.commit(&commit(member_id, generation, 42));
        assert_eq!(
            driver.committed(token),
            [expected],
            "{state} {who} {generation}"
        );
        let stored = if expected == none {
            vec![("topic".to_owned(), 0, 42)]
        } else {
            vec![]
        };
        assert_eq!(driver.offsets(), stored, "{state} {who} {generation}");
    }
}

#[test]
fn up_to_version_8_an_unknown_group_is_an_old_generation() {
    let mut driver = Driver::new();
    let mut request = commit("m", 3, 1);
    request.group_id_not_found = false;
    let token = driver.commit(&request);
    assert_eq!(driver.committed(token), [ErrorCode::IllegalGeneration]);
    request.generation = -1;
    request.group_id = "g".repeat(40_000);
    let token = driver.commit(&request);
    assert_eq!(driver.committed(token), [ErrorCode::InvalidGroupId]);
}

#[test]
fn a_commit_counts_when_it_is_durable() {
    let mut driver = Driver::new();
    driver.settles = false;
    let token = driver.commit(&commit("", -1, 1));
    assert!(driver.is_waiting(token));
    assert_eq!((driver.offsets(), driver.state()), (vec![], DEAD));
    driver.finish_append(Err(ErrorCode::KafkaStorageError));
    assert_eq!(driver.committed(token), [ErrorCode::NotCoordinator]);
    assert_eq!((driver.offsets(), driver.state()), (vec![], DEAD));
    let token = driver.commit(&commit("", -1, 2));
    driver.settle();
    assert_eq!(driver.committed(token), [ErrorCode::None]);
    assert_eq!(driver.offsets(), [("topic".to_owned(), 0, 2)]);
    assert_eq!(driver.state(), "Empty");
}

#[test]
fn metadata_has_a_limit_and_a_commit_may_be_in_part() {
    let mut driver = Driver::new();
    let mut request = commit("", -1, 1);
    let partition = |partition, metadata: &str, times| CommitPartition {
        partition,
        offset: 1,
        leader_epoch: -1,
        metadata: metadata.repeat(times),
    };
    request.topics[0].partitions = vec![
        partition(0, "x", 4096),
        partition(1, "x", 4097),
        partition(2, "ü", 4096),
    ];
    let token = driver.commit(&request);
    let too_large = ErrorCode::OffsetMetadataTooLarge;
    assert_eq!(
        driver.committed(token),
        [ErrorCode::None, too_large, ErrorCode::None]
    );
    assert_eq!(driver.offsets().len(), 2);

    let records = driver.log.len();
    request.topics[0].partitions.remove(0);
    request.topics[0].partitions.pop();
    let token = driver.commit(&request);
    assert_eq!(driver.committed(token), [too_large]);
    assert_eq!(driver.log.len(), records, "nothing to store");

    // In a failed commit the partition keeps the reason of its own.
    request.topics[0].partitions.push(partition(2, "", 0));
    driver.settles = false;
    let token = driver.commit(&request);
    driver.finish_append(Err(ErrorCode::MessageTooLarge));
    assert_eq!(
        driver.committed(token),
        [too_large, ErrorCode::UnknownServerError]
    );
}

#[test]
fn offsets_are_fetched_by_topic_or_all() {
    let mut driver = Driver::new();
    let mut request = commit("", -1, 42);
    request.topics.push(commit_topic("other", 43));
    driver.commit(&request);
    let nothing = (-1, -1, String::new());
    let found = (42, 5, "note".to_owned());
    let token = driver.fetch(fetch("topic", topic_id(), false));
    assert_eq!(
        fetched(&mut driver, token),
        [found.clone(), nothing.clone()]
    );
    let token = driver.fetch(fetch("topic", Uuid::ZERO, false));
    assert_eq!(fetched(&mut driver, token), [found, nothing.clone()]);
    // The topic was deleted and made again: what was committed is of no use for the new one.
    let token = driver.fetch(fetch("topic", Uuid::from_bytes([8; 16]), false));
    assert_eq!(
        fetched(&mut driver, token),
        [nothing.clone(), nothing.clone()]
    );
    let token = driver.fetch(fetch("unknown", Uuid::ZERO, true));
    assert_eq!(fetched(&mut driver, token), [nothing.clone(), nothing]);

    let all = OffsetFetch {
        group_id: GROUP.to_owned(),
        topics: None,
        require_stable: false,
    };
    let token = driver.fetch(all.clone());
    let Reply::OffsetFetch(reply) = driver.reply(token) else {
        panic!()
    };
    assert_eq!(reply.topics.len(), 2);
    assert_eq!(reply.topics[0].partitions[0].topic_id, topic_id());
    let token = driver.fetch(OffsetFetch {
        group_id: "unknown".to_owned(),
        ..all
    });
    let Reply::OffsetFetch(reply) = driver.reply(token) else {
        panic!()
    };
    assert_eq!((reply.error, reply.topics), (ErrorCode::None, vec![]));
}

#[test]
fn a_fetch_of_stable_offsets_waits_for_the_commits_before_it() {
    let mut driver = Driver::new();
    driver.settles = false;
    driver.commit(&commit("", -1, 1));
    let first = driver.fetch(fetch("topic", topic_id(), true));
    driver.commit(&commit("", -1, 2));
    let second = driver.fetch(fetch("topic", topic_id(), true));
    let at_once = driver.fetch(fetch("topic", topic_id(), false));
    assert_eq!(fetched(&mut driver, at_once)[0].0, -1);
    assert!(driver.is_waiting(first) && driver.is_waiting(second));
    driver.finish_append(Ok(()));
    assert_eq!(fetched(&mut driver, first)[0].0, 1);
    assert!(driver.is_waiting(second));
    driver.finish_append(Err(ErrorCode::KafkaStorageError));
    assert_eq!(
        fetched(&mut driver, second)[0].0,
        1,
        "the second commit did not count"
    );
}

#[test]
fn a_commit_is_a_sign_of_life() {
    let mut driver = Driver::new();
    let ids = driver.stable(&["a"]);
    for _ in 0..3 {
        driver.advance(SESSION_MS - 1);
        driver.commit(&commit(&ids[0], 1, 1));
    }
    assert_eq!(driver.state(), "Stable");
}

/// The check may come this much after the time is up.
const CHECK_MS: u64 = 600_000;

#[test]
fn offsets_of_a_group_without_members_expire_when_it_has_been_empty_long_enough() {
    let mut driver = Driver::new();
    let ids = driver.stable(&["a"]);
    driver.commit(&commit(&ids[0], 1, 1));
    for _ in 0..9 * DAY_MS / SESSION_MS {
        driver.advance(SESSION_MS - 1);
        driver.heartbeat(&ids[0], 1);
    }
    assert_eq!(driver.offsets().len(), 1, "subscribed");
    driver.leave(&[(&ids[0], None)]);
    driver.advance(7 * DAY_MS - 1);
    assert_eq!(driver.offsets().len(), 1);
    driver.advance(CHECK_MS + 1);
    assert_eq!((driver.offsets(), driver.state()), (vec![], DEAD));
    assert!(
        driver.log[driver.log.len() - 2..]
            .iter()
            .all(Record::is_tombstone)
    );
    driver.restart(config());
    assert_eq!(driver.state(), DEAD);
}

#[test]
fn offsets_of_topics_that_consumers_left_expire_while_others_stay() {
    let mut driver = Driver::new();
    let ids = driver.stable(&["a"]);
    let mut request = commit(&ids[0], 1, 1);
    request.topics.push(commit_topic("left", 2));
    driver.commit(&request);
    for _ in 0..(7 * DAY_MS + CHECK_MS) / (SESSION_MS - 1) + 1 {
        driver.advance(SESSION_MS - 1);
        driver.heartbeat(&ids[0], 1);
    }
    assert_eq!(driver.offsets(), [("topic".to_owned(), 0, 1)]);
    assert_eq!(driver.state(), "Stable");
}

#[test]
fn what_the_coordinator_cannot_read_it_does_not_expire() {
    for protocol_type in ["consumer", "connect"] {
        let mut driver = Driver::new();
        let mut request = join("a", "");
        request.protocol_type = protocol_type.to_owned();
        request.protocols = vec![Protocol {
            name: "p".to_owned(),
            metadata: "?".into(),
        }];
        request.session_timeout_ms = 1_800_000;
        let ids = driver.stable_with(vec![request]);
        driver.commit(&commit(&ids[0], 1, 1));
        for _ in 0..8 * DAY_MS / 1_000_000 {
            driver.advance(1_000_000);
            driver.heartbeat(&ids[0], 1);
        }
        assert_eq!(driver.offsets().len(), 1, "{protocol_type}");
        assert_eq!(driver.state(), "Stable");
    }
}

#[test]
fn offsets_of_a_group_that_only_holds_offsets_expire_one_by_one() {
    let mut driver = Driver::new();
    driver.commit(&commit("", -1, 1));
    driver.advance(DAY_MS);
    let mut request = commit("", -1, 2);
    request.topics = vec![commit_topic("later", 2)];
    driver.commit(&request);
    driver.advance(6 * DAY_MS + CHECK_MS);
    assert_eq!(driver.offsets(), [("later".to_owned(), 0, 2)]);
    driver.advance(DAY_MS);
    assert_eq!(driver.state(), DEAD);
}

#[test]
fn a_client_may_ask_for_a_retention_of_its_own() {
    let mut driver = Driver::new();
    let mut request = commit("", -1, 1);
    request.retention_ms = Some(2 * DAY_MS as i64);
    driver.commit(&request);
    let mut longer = commit("", -1, 1);
    longer.topics = vec![commit_topic("longer", 2)];
    longer.retention_ms = Some(i64::MAX);
    driver.commit(&longer);
    driver.restart(config());
    driver.advance(2 * DAY_MS - 1);
    assert_eq!(driver.offsets().len(), 2);
    driver.advance(CHECK_MS + 1);
    assert_eq!(driver.offsets(), [("longer".to_owned(), 0, 2)]);
    driver.advance(100 * DAY_MS);
    assert_eq!(driver.offsets().len(), 1);
}

#[test]
fn a_wall_clock_that_is_set_expires_nothing_and_keeps_nothing() {
    const YEARS_MS: i64 = 56 * 365 * DAY_MS as i64;
    for jump_ms in [YEARS_MS, -YEARS_MS, 8 * DAY_MS as i64, -8 * DAY_MS as i64] {
        let mut driver = Driver::new();
        let ids = driver.stable(&["a"]);
        driver.commit(&commit(&ids[0], 1, 1));
        driver.leave(&[(&ids[0], None)]);
        let mut alone = commit("", -1, 2);
        alone.group_id = "alone".to_owned();
        driver.commit(&alone);
        let mut own = commit("", -1, 3);
        own.group_id = "own".to_owned();
        own.retention_ms = Some(2 * DAY_MS as i64);
        driver.commit(&own);
        driver.now.wall_ms += jump_ms;
        driver.restart(config());
        driver.advance(2 * DAY_MS - 1);
        assert_eq!(driver.groups.list(&[], &[]).len(), 3, "{jump_ms}");
        driver.advance(CHECK_MS + 1);
        assert_eq!(driver.groups.list(&[], &[]).len(), 2, "{jump_ms}");
        driver.advance(5 * DAY_MS - CHECK_MS - 1);
        assert_eq!(driver.groups.list(&[], &[]).len(), 2, "{jump_ms}");
        driver.advance(CHECK_MS + 1);
        assert_eq!(driver.groups.list(&[], &[]).len(), 0, "{jump_ms}");
    }
}

#[test]
fn what_says_no_time_is_new_when_it_is_loaded() {
    let mut driver = Driver::new();
    driver.commit(&commit("", -1, 1));
    driver.stamps.clear();
    driver.restart(config());
    driver.advance(7 * DAY_MS - 1);
    assert_eq!(driver.offsets().len(), 1);
    driver.advance(CHECK_MS + 1);
    assert_eq!(driver.offsets().len(), 0);
}

#[test]
fn a_commit_under_way_is_not_expired() {
    let mut driver = Driver::new();
    driver.commit(&commit("", -1, 1));
    driver.settles = false;
    driver.advance(7 * DAY_MS - CHECK_MS / 2);
    driver.commit(&commit("", -1, 2));
    driver.advance(CHECK_MS);
    assert_eq!(driver.appends.len(), 1, "no tombstone behind the commit");
    driver.settle();
    assert_eq!(driver.offsets(), [("topic".to_owned(), 0, 2)]);
}

#[test]
fn a_great_many_expire_in_several_ticks() {
    let mut driver = Driver::new();
    for group in 0..30 {
        let mut request = commit("", -1, 1);
        request.group_id = format!("group{group:02}");
        let partition = request.topics[0].partitions[0].clone();
        let partitions = (0..1000).map(|p| CommitPartition {
            partition: p,
            ..partition.clone()
        });
        request.topics[0].partitions = partitions.collect();
        driver.commit(&request);
    }
    assert_eq!(driver.groups.list(&[], &[]).len(), 30);
    driver.set_clock(driver.now.monotonic_ms + 7 * DAY_MS);
    let effects = driver.groups.tick(driver.now);
    assert_eq!(effects.appends.len(), 10);
    assert_eq!(
        driver.groups.next_deadline(),
        Some(driver.now.monotonic_ms + 1)
    );
    driver.take(effects);
    driver.advance(2);
    assert_eq!(driver.groups.list(&[], &[]).len(), 0);
    assert_eq!(driver.log.len(), 60_000, "none is looked at twice");
    assert!(driver.groups.next_deadline().unwrap() > driver.now.monotonic_ms + CHECK_MS / 2);
}

#[test]
fn a_group_is_deleted_when_it_is_empty() {
    let mut driver = Driver::new();
    let deleted = |driver: &mut Driver, group_id: &str| {
        let token = driver.delete_group(group_id);
        driver.reply(token)
    };
    let error = Reply::DeleteGroup;
    assert_eq!(
        deleted(&mut driver, GROUP),
        error(ErrorCode::GroupIdNotFound)
    );
    let ids = driver.stable(&["a"]);
    driver.commit(&commit(&ids[0], 1, 1));
    assert_eq!(deleted(&mut driver, GROUP), error(ErrorCode::NonEmptyGroup));
    driver.leave(&[(&ids[0], None)]);

    driver.settles = false;
    let token = driver.delete_group(GROUP);
    driver.finish_append(Err(ErrorCode::NotEnoughReplicas));
    assert_eq!(
        driver.reply(token),
        error(ErrorCode::CoordinatorNotAvailable)
    );
    assert_eq!(driver.offsets().len(), 1);
    // A commit that is under way is deleted with the rest, one that comes after is not.
    let mut before = commit("", -1, 2);
    before.topics = vec![commit_topic("before", 2)];
    driver.commit(&before);
    let token = driver.delete_group(GROUP);
    let mut after = commit("", -1, 3);
    after.topics = vec![commit_topic("after", 3)];
    driver.commit(&after);
    driver.finish_append(Ok(()));
    assert!(driver.is_waiting(token));
    driver.finish_append(Ok(()));
    assert_eq!(driver.reply(token), error(ErrorCode::None));
    assert_eq!(driver.state(), DEAD);
    driver.settle();
    assert_eq!(driver.offsets(), [("after".to_owned(), 0, 3)]);
    driver.restart(config());
    assert_eq!(driver.offsets(), [("after".to_owned(), 0, 3)]);
}

#[test]
fn who_joins_while_a_group_is_deleted_keeps_it_alive() {
    let mut driver = Driver::new();
    let ids = driver.stable(&["a"]);
    driver.commit(&commit(&ids[0], 1, 1));
    driver.leave(&[(&ids[0], None)]);
    driver.settles = false;
    driver.delete_group(GROUP);
    let token = driver.join(join("b", ""));
    driver.settle();
    assert_eq!(
        (driver.state(), driver.offsets()),
        ("PreparingRebalance", vec![])
    );
    driver.advance(DELAY_MS);
    let reply = driver.joined(token);
    driver.sync(&sync(&reply.member_id, reply.generation, &[]));
    driver.settle();
    assert_eq!(driver.state(), "Stable");
    driver.restart(config());
    assert_eq!(
        (driver.state(), driver.generation()),
        ("Stable", reply.generation)
    );
}

#[test]
fn offsets_are_deleted_unless_subscribed_to() {
    let mut driver = Driver::new();
    let outcome = |driver: &mut Driver, topics: &[(&str, &[i32])]| {
        let token = driver.offset_delete(topics);
        let Reply::OffsetDelete(reply) = driver.reply(token) else {
            panic!()
        };
        let errors = reply.topics.iter().flat_map(|topic| &topic.partitions);
        (
            reply.error,
            errors.map(|(_, error)| *error).collect::<Vec<_>>(),
        )
    };
    let none = ErrorCode::None;
    assert_eq!(
        outcome(&mut driver, &[("topic", &[0])]),
        (ErrorCode::GroupIdNotFound, vec![])
    );
    let ids = driver.stable(&["a"]);
    let mut request = commit(&ids[0], 1, 1);
    request.topics.push(commit_topic("left", 2));
    driver.commit(&request);
    let topics: &[(&str, &[i32])] = &[("topic", &[0]), ("left", &[0, 0, 5])];
    let subscribed = ErrorCode::GroupSubscribedToTopic;
    assert_eq!(
        outcome(&mut driver, topics),
        (none, vec![subscribed, none, none, none])
    );
    assert_eq!(driver.offsets(), [("topic".to_owned(), 0, 1)]);
    assert_eq!(
        driver
            .log
            .iter()
            .filter(|record| record.is_tombstone())
            .count(),
        1
    );
    driver.leave(&[(&ids[0], None)]);
    assert_eq!(outcome(&mut driver, topics), (none, vec![none; 4]));
    assert_eq!((driver.offsets(), driver.state()), (vec![], "Empty"));
}

#[test]
fn offsets_of_a_living_group_that_does_not_consume_are_not_to_be_deleted() {
    let mut driver = Driver::new();
    let mut request = join("a", "");
    request.protocol_type = "connect".to_owned();
    driver.stable_with(vec![request]);
    let token = driver.offset_delete(&[("topic", &[0])]);
    let Reply::OffsetDelete(reply) = driver.reply(token) else {
        panic!()
    };
    assert_eq!(reply.error, ErrorCode::NonEmptyGroup);
}

#[test]
fn offsets_go_with_their_topic() {
    let mut driver = Driver::new();
    let mut request = commit("", -1, 1);
    request.topics.push(commit_topic("other", 2));
    let partition = request.topics[0].partitions[0].clone();
    request.topics[0].partitions.push(CommitPartition {
        partition: 1,
        ..partition
    });
    driver.commit(&request);
    request.topics.truncate(1);
    request.topics[0].topic_id = Uuid::from_bytes([8; 16]);
    request.topics[0].partitions.truncate(1);
    driver.commit(&request);
    let effects = driver.groups.topic_deleted(driver.now, "topic", topic_id());
    driver.take(effects);
    let newer = ("topic".to_owned(), 0, 1);
    assert_eq!(driver.offsets(), [("other".to_owned(), 0, 2), newer]);
    let effects = driver
        .groups
        .topic_deleted(driver.now, "unknown", topic_id());
    assert!(effects.appends.is_empty());
}
