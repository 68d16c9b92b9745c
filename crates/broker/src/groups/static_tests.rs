//! Static members: they come back under their instance id, and whoever holds it on their behalf is fenced.

use protocol::error::ErrorCode;

use super::test_driver::*;
use super::*;

fn stable(driver: &mut Driver) -> Vec<String> {
    let ids = driver.stable_with(vec![static_join("one"), static_join("two")]);
    assert_eq!((driver.state(), driver.generation()), ("Stable", 1));
    ids
}

fn with_instance(mut request: SyncGroup, instance_id: &str) -> SyncGroup {
    request.group_instance_id = Some(instance_id.to_owned());
    request
}

#[test]
fn a_follower_comes_back_without_a_rebalance() {
    let mut driver = Driver::new();
    let ids = stable(&mut driver);
    driver.settles = false;
    let token = driver.join(static_join("two"));
    assert!(driver.is_waiting(token), "not before its new id is stored");
    driver.settle();
    let reply = driver.joined(token);
    assert_eq!((reply.error, reply.generation), (ErrorCode::None, 1));
    assert_eq!(
        (reply.leader.as_str(), reply.skip_assignment),
        (ids[0].as_str(), false)
    );
    assert!(reply.member_id.starts_with("two-") && reply.member_id != ids[1]);
    assert_eq!(driver.state(), "Stable");

    let token = driver.sync(&with_instance(sync(&reply.member_id, 1, &[]), "two"));
    assert_eq!(
        driver.synced(token),
        (ErrorCode::None, "two".into()),
        "its old assignment"
    );
    let token = driver.sync(&with_instance(sync(&ids[1], 1, &[]), "two"));
    assert_eq!(driver.synced(token).0, ErrorCode::FencedInstanceId);
    assert_eq!(driver.heartbeat(&ids[1], 1), ErrorCode::UnknownMemberId);
    let request = Heartbeat {
        group_id: GROUP.to_owned(),
        member_id: ids[1].clone(),
        group_instance_id: Some("two".to_owned()),
        generation: 1,
    };
    assert_eq!(
        driver.groups.heartbeat(driver.now, &request),
        ErrorCode::FencedInstanceId
    );
    let mut request = commit(&ids[1], 1, 7);
    request.group_instance_id = Some("two".to_owned());
    let token = driver.commit(&request);
    assert_eq!(driver.committed(token), [ErrorCode::FencedInstanceId]);
    let mut request = static_join("two");
    request.member_id = ids[1].clone();
    let token = driver.join(request);
    assert_eq!(driver.joined(token).error, ErrorCode::FencedInstanceId);
}

#[test]
fn a_leader_comes_back_and_has_nothing_to_assign() {
    let mut driver = Driver::new();
    let ids = stable(&mut driver);
    let token = driver.join(static_join("one"));
    let reply = driver.joined(token);
    assert_eq!(reply.leader, reply.member_id);
    assert!(reply.skip_assignment);
    assert_eq!(reply.members.len(), 2, "it still watches the topics of all");
    assert_eq!(driver.state(), "Stable");

    // Clients before version 9 would assign: they are told that another leads.
    let mut request = static_join("one");
    request.skip_assignment = false;
    let token = driver.join(request);
    let older = driver.joined(token);
    assert_eq!(
        (older.leader.as_str(), older.skip_assignment),
        (reply.member_id.as_str(), false)
    );
    assert_ne!(older.member_id, older.leader);
    assert!(older.members.is_empty());
    assert_eq!(driver.member_ids(), [older.member_id, ids[1].clone()]);
}

#[test]
fn a_rejoin_with_the_id_is_like_any_other() {
    let mut driver = Driver::new();
    let ids = stable(&mut driver);
    let mut request = static_join("two");
    request.member_id = ids[1].clone();
    let token = driver.join(request);
    assert_eq!(driver.joined(token).generation, 1);
    let mut request = static_join("one");
    request.member_id = ids[0].clone();
    let token = driver.join(request);
    assert!(driver.is_waiting(token), "the leader wants to assign anew");
}

#[test]
fn a_changed_choice_of_protocol_rebalances() {
    let mut driver = Driver::new();
    let mut one = static_join("one");
    one.protocols = protocols(&["range", "sticky"]);
    let mut two = static_join("two");
    two.protocols = one.protocols.clone();
    driver.stable_with(vec![one, two]);
    let mut request = static_join("two");
    request.protocols = protocols(&["sticky"]);
    let token = driver.join(request);
    assert!(driver.is_waiting(token));
    assert_eq!(driver.state(), "PreparingRebalance");
    let mut other = static_join("one");
    other.protocols = protocols(&["range", "sticky"]);
    driver.join(other);
    let reply = driver.joined(token);
    assert_eq!(
        (reply.generation, reply.protocol_name.as_deref()),
        (2, Some("sticky"))
    );
}

#[test]
fn one_that_comes_back_while_the_leader_assigns_begins_again() {
    let mut driver = Driver::new();
    let ids = stable(&mut driver);
    let rejoin = |driver: &mut Driver, instance_id: &str, member_id: &str| {
        let mut request = static_join(instance_id);
        request.member_id = member_id.to_owned();
        driver.join(request)
    };
    let two = rejoin(&mut driver, "one", &ids[0]);
    rejoin(&mut driver, "two", &ids[1]);
    assert_eq!(driver.joined(two).generation, 2);
    let parked = driver.sync(&sync(&ids[1], 2, &[]));
    let token = driver.join(static_join("two"));
    assert_eq!(driver.synced(parked).0, ErrorCode::FencedInstanceId);
    assert_eq!(driver.state(), "PreparingRebalance");
    let one = rejoin(&mut driver, "one", &ids[0]);
    assert_eq!(driver.joined(token).generation, 3);
    assert_eq!(driver.joined(one).members.len(), 2);
}

#[test]
fn one_that_comes_back_during_a_join_phase_takes_its_place_in_it() {
    let mut driver = Driver::new();
    let ids = stable(&mut driver);
    let mut request = static_join("one");
    request.member_id = ids[0].clone();
    let one = driver.join(request);
    let two = driver.join(static_join("two"));
    assert_eq!(driver.joined(one).generation, 2);
    assert_eq!(driver.joined(two).generation, 2);

    let mut request = static_join("one");
    request.member_id = ids[0].clone();
    request.protocols = protocols(&["range", "other"]);
    let older = driver.join(request.clone());
    request.member_id = String::new();
    let newer = driver.join(request);
    let reply = driver.joined(older);
    assert_eq!(
        (reply.error, reply.member_id),
        (ErrorCode::FencedInstanceId, ids[0].clone())
    );
    assert!(driver.is_waiting(newer));
}

#[test]
fn a_record_that_cannot_be_stored_brings_the_old_member_back() {
    let mut driver = Driver::new();
    let ids = stable(&mut driver);
    driver.settles = false;
    let mut request = static_join("one");
    request.session_timeout_ms = 20_000;
    let token = driver.join(request);
    driver.finish_append(Err(ErrorCode::KafkaStorageError));
    let reply = driver.joined(token);
    assert_eq!(
        (reply.error, reply.member_id.as_str()),
        (ErrorCode::NotCoordinator, "")
    );
    assert_eq!(
        (reply.generation, reply.leader.as_str()),
        (1, ids[0].as_str())
    );
    assert_eq!(driver.member_ids(), ids);
    assert_eq!(driver.heartbeat(&ids[0], 1), ErrorCode::None);
    assert_eq!(
        driver.groups.groups[GROUP].leader.as_deref(),
        Some(&*ids[0])
    );
    assert_eq!(
        driver.groups.groups[GROUP].members[&*ids[0]].session_timeout_ms,
        10_000
    );
    assert_eq!(driver.appends.len(), 0);
}

#[test]
fn a_failure_is_put_right_in_the_records_that_follow_it() {
    let mut driver = Driver::new();
    let ids = stable(&mut driver);
    driver.settles = false;
    driver.join(static_join("one"));
    let two = driver.join(static_join("two"));
    driver.finish_append(Err(ErrorCode::KafkaStorageError));
    driver.settle();
    let two = driver.joined(two).member_id;
    assert_eq!(driver.member_ids(), [ids[0].clone(), two.clone()]);
    driver.restart(config());
    assert_eq!(driver.member_ids(), [ids[0].clone(), two]);
}

#[test]
fn a_rebalance_that_begins_before_the_record_is_stored_takes_the_member_along() {
    for result in [Ok(()), Err(ErrorCode::KafkaStorageError)] {
        let mut driver = Driver::new();
        let ids = stable(&mut driver);
        driver.settles = false;
        let one = driver.join(static_join("one"));
        let mut request = static_join("two");
        request.member_id = ids[1].clone();
        request.protocols = protocols(&["range", "other"]);
        let two = driver.join(request);
        let reply = driver.joined(one);
        assert_eq!((reply.error, reply.generation), (ErrorCode::None, 2));
        assert_eq!(driver.joined(two).generation, 2);
        driver.finish_append(result);
        assert_eq!(driver.state(), "CompletingRebalance");
        let token = driver.sync(&sync(&reply.member_id, 2, &[(&ids[1], "x")]));
        driver.settle();
        assert_eq!(driver.synced(token).0, ErrorCode::None);
    }
}

#[test]
fn one_that_does_not_join_stays_until_its_session_ends() {
    let mut driver = Driver::new();
    let ids = stable(&mut driver);
    let mut request = static_join("one");
    request.member_id = ids[0].clone();
    request.rebalance_timeout_ms = 4_000;
    let mut other = static_join("two");
    other.member_id = ids[1].clone();
    other.rebalance_timeout_ms = 4_000;
    driver.join(request.clone());
    driver.join(other);
    // Nobody has synced: joins again, and "two" does not come.
    request.protocols = protocols(&["range", "other"]);
    let token = driver.join(request);
    driver.advance(4_000);
    let reply = driver.joined(token);
    assert_eq!(
        (reply.generation, reply.members.len()),
        (3, 2),
        "two is still a member"
    );
    driver.sync(&sync(&ids[0], 3, &[(&ids[0], "all")]));
    assert_eq!(driver.state(), "Stable");
    // It does not ask for its assignment in time.
    driver.advance(4_000);
    assert_eq!(driver.member_ids(), [ids[0].clone()]);
    assert_eq!(driver.state(), "PreparingRebalance");
}

#[test]
fn a_join_phase_that_only_absent_static_members_are_left_of_waits_on() {
    let mut driver = Driver::new();
    let mut request = static_join("one");
    request.rebalance_timeout_ms = 0;
    let ids = driver.stable_with(vec![request, join("dynamic", "")]);
    driver.leave(&[(&ids[1], None)]);
    driver.advance(SESSION_MS / 2);
    assert_eq!(driver.state(), "PreparingRebalance");
    assert_eq!(driver.member_ids(), [ids[0].clone()]);
    driver.advance(SESSION_MS / 2);
    assert_eq!(driver.state(), "Empty");
}

#[test]
fn an_operator_removes_one_by_its_instance_id() {
    let mut driver = Driver::new();
    let ids = stable(&mut driver);
    let token = driver.leave(&[
        (&ids[0], Some("two")),
        ("", Some("two")),
        (&ids[1], Some("two")),
    ]);
    let expected = [
        ErrorCode::FencedInstanceId,
        ErrorCode::None,
        ErrorCode::UnknownMemberId,
    ];
    assert_eq!(driver.left(token), expected);
    assert_eq!(driver.member_ids(), [ids[0].clone()]);
    assert_eq!(driver.state(), "PreparingRebalance");
}

#[test]
fn coming_back_takes_no_room() {
    let mut driver = Driver::with(GroupsConfig {
        members_max: 2,
        ..config()
    });
    stable(&mut driver);
    let token = driver.join(static_join("two"));
    assert_eq!(driver.joined(token).error, ErrorCode::None);
    let token = driver.join(static_join("three"));
    assert_eq!(driver.joined(token).error, ErrorCode::GroupMaxSizeReached);
}

#[test]
fn one_that_came_back_before_it_asked_for_its_assignment_asks_under_its_new_id() {
    let mut driver = Driver::new();
    let requests = [static_join("one"), static_join("two")];
    let tokens = requests.map(|request| driver.join(request));
    driver.advance(2 * DELAY_MS);
    let [one, two] = tokens.map(|token| driver.joined(token).member_id);
    let token = driver.sync(&sync(&one, 1, &[(&one, "1"), (&two, "2")]));
    assert_eq!(driver.synced(token).1, "1");
    let token = driver.join(static_join("two"));
    let two = driver.joined(token).member_id;
    let token = driver.sync(&sync(&two, 1, &[]));
    assert_eq!(driver.synced(token).1, "2");
    for _ in 0..60 {
        driver.advance(2_000);
        driver.heartbeat(&one, 1);
        driver.heartbeat(&two, 1);
    }
    assert_eq!(
        (driver.state(), driver.generation()),
        ("Stable", 1),
        "nobody is missing"
    );
}
