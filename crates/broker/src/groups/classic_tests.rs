//! Dynamic members: how groups form, rebalance and lose members.

use bytes::Bytes;
use protocol::error::ErrorCode;

use super::test_driver::*;
use super::*;

/// Keeps members alive while time passes.
fn advance_with_heartbeats(driver: &mut Driver, member_ids: &[&str], ms: u64) {
    let steps = ms / 1000;
    for _ in 0..steps {
        driver.advance(1000);
        for member_id in member_ids {
            let generation = driver.generation();
            driver.heartbeat(member_id, generation);
        }
    }
}

#[test]
fn two_members_form_a_group_a_third_joins_and_leaves() {
    let mut driver = Driver::new();
    let ids = driver.stable(&["a", "b"]);
    assert_eq!((driver.generation(), driver.state()), (1, "Stable"));

    let c = driver.join(join("c", ""));
    assert_eq!(driver.state(), "PreparingRebalance");
    assert_eq!(driver.heartbeat(&ids[0], 1), ErrorCode::RebalanceInProgress);
    let a = driver.join(join("a", &ids[0]));
    assert!(driver.is_waiting(c) && driver.is_waiting(a));
    let b = driver.join(join("b", &ids[1]));

    let (a, b, c) = (driver.joined(a), driver.joined(b), driver.joined(c));
    for reply in [&a, &b, &c] {
        assert_eq!((reply.error, reply.generation), (ErrorCode::None, 2));
        assert_eq!(reply.leader, ids[0]);
        assert_eq!(reply.protocol_name.as_deref(), Some("range"));
        assert_eq!(reply.protocol_type.as_deref(), Some("consumer"));
    }
    let told: Vec<&str> = a.members.iter().map(|member| &*member.member_id).collect();
    assert_eq!(told, [&*ids[0], &*ids[1], &*c.member_id]);
    assert!(
        b.members.is_empty() && c.members.is_empty(),
        "only the leader assigns"
    );

    let follower = driver.sync(&sync(&c.member_id, 2, &[]));
    assert!(driver.is_waiting(follower));
    assert_eq!(driver.heartbeat(&ids[1], 2), ErrorCode::None);
    let leader = driver.sync(&sync(
        &ids[0],
        2,
        &[(&ids[0], "A"), (&c.member_id, "C"), ("?", "X")],
    ));
    assert_eq!(driver.synced(leader), (ErrorCode::None, Bytes::from("A")));
    assert_eq!(driver.synced(follower), (ErrorCode::None, Bytes::from("C")));
    // The leader forgot b: it gets nothing, and is told so without error.
    let late = driver.sync(&sync(&ids[1], 2, &[]));
    assert_eq!(driver.synced(late), (ErrorCode::None, Bytes::new()));
    assert_eq!(driver.state(), "Stable");

    let leave = driver.leave(&[(&c.member_id, None)]);
    assert_eq!(driver.left(leave), [ErrorCode::None]);
    assert_eq!(driver.state(), "PreparingRebalance");
    let a = driver.join(join("a", &ids[0]));
    let b = driver.join(join("b", &ids[1]));
    assert_eq!(driver.joined(a).generation, 3);
    assert_eq!(driver.joined(b).generation, 3);
    assert_eq!(driver.member_ids(), ids);
}

#[test]
fn the_last_member_leaves_an_empty_group_that_is_stored() {
    let mut driver = Driver::new();
    let ids = driver.stable(&["a"]);
    driver.settles = false;
    let leave = driver.leave(&[(&ids[0], None)]);
    assert!(
        driver.is_waiting(leave),
        "not before the empty group is stored"
    );
    assert_eq!((driver.state(), driver.generation()), ("Empty", 2));
    driver.settle();
    assert_eq!(driver.left(leave), [ErrorCode::None]);
    let Some(Record::Group {
        metadata: Some(stored),
        ..
    }) = driver.log.last()
    else {
        panic!()
    };
    assert_eq!((stored.generation, &stored.protocol_name), (2, &None));
    assert_eq!(
        (stored.protocol_type.as_str(), stored.members.len()),
        ("consumer", 0)
    );

    let again = driver.join(join("a", ""));
    driver.settles = true;
    driver.advance(DELAY_MS);
    assert_eq!(driver.joined(again).generation, 3, "generations go on");
}

#[test]
fn a_failed_leave_tells_the_error_and_the_member_is_gone() {
    let mut driver = Driver::new();
    let ids = driver.stable(&["a"]);
    driver.settles = false;
    let leave = driver.leave(&[(&ids[0], None)]);
    driver.finish_append(Err(ErrorCode::KafkaStorageError));
    assert_eq!(driver.left(leave), [ErrorCode::NotCoordinator]);
    assert_eq!(driver.state(), "Empty");
}

#[test]
fn a_new_member_is_given_an_id_to_join_with() {
    let mut driver = Driver::new();
    let mut first = join("client", "");
    first.member_id_required = true;
    let token = driver.join(first.clone());
    let reply = driver.joined(token);
    assert_eq!(
        (reply.error, reply.generation),
        (ErrorCode::MemberIdRequired, -1)
    );
    assert_eq!(
        reply.member_id,
        "client-00000000-0000-4000-8000-000000000001"
    );
    assert_eq!(driver.state(), "Empty");

    let mut second = first.clone();
    second.member_id = reply.member_id.clone();
    second.group_instance_id = Some("static".to_owned());
    let token = driver.join(second.clone());
    assert_eq!(
        driver.joined(token).error,
        ErrorCode::UnknownMemberId,
        "it is no static member's"
    );
    second.group_instance_id = None;
    let token = driver.join(second);
    driver.advance(DELAY_MS);
    assert_eq!(driver.joined(token).member_id, reply.member_id);

    // An id that nobody comes back with holds up a rebalance no longer than a session.
    let token = driver.join(first);
    let lost = driver.joined(token);
    let sync_token = driver.sync(&sync(&reply.member_id, 1, &[(&reply.member_id, "x")]));
    assert_eq!(driver.synced(sync_token).0, ErrorCode::None);
    let token = driver.join(join("client", &reply.member_id));
    assert!(driver.is_waiting(token));
    driver.advance(SESSION_MS);
    assert_eq!(driver.joined(token).generation, 2);
    let token = driver.join(join("client", &lost.member_id));
    assert_eq!(driver.joined(token).error, ErrorCode::UnknownMemberId);
}

#[test]
fn a_group_that_nobody_came_to_is_forgotten() {
    let mut driver = Driver::new();
    let mut request = join("client", "");
    request.member_id_required = true;
    driver.join(request.clone());
    assert_eq!(driver.state(), "Empty");
    driver.advance(SESSION_MS);
    assert_eq!(driver.state(), DEAD);

    let token = driver.join(request.clone());
    let id = driver.joined(token).member_id;
    let leave = driver.leave(&[(&id, None)]);
    assert_eq!(driver.left(leave), [ErrorCode::None]);
    assert_eq!(driver.state(), DEAD);

    request.protocols = Vec::new();
    let token = driver.join(request);
    assert_eq!(
        driver.joined(token).error,
        ErrorCode::InconsistentGroupProtocol
    );
    assert_eq!(driver.state(), DEAD);
    assert_eq!(driver.log, []);
}

#[test]
fn the_first_rebalance_waits_longer_while_members_come() {
    let mut driver = Driver::new();
    let mut request = join("a", "");
    request.rebalance_timeout_ms = 8_000;
    let a = driver.join(request.clone());
    driver.advance(DELAY_MS - 1);
    let b = driver.join(request.clone());
    driver.advance(1);
    assert!(driver.is_waiting(a), "b came: three seconds more");
    let c = driver.join(request.clone());
    driver.advance(DELAY_MS);
    assert!(driver.is_waiting(a), "c came: the two that are left");
    let d = driver.join(request);
    driver.advance(1_999);
    assert!(driver.is_waiting(a));
    driver.advance(1);
    for token in [a, b, c, d] {
        assert_eq!(
            driver.joined(token).generation,
            1,
            "the rebalance timeout is over"
        );
    }
}

#[test]
fn the_first_rebalance_does_not_wait_without_need() {
    let mut driver = Driver::new();
    let a = driver.join(join("a", ""));
    driver.advance(DELAY_MS - 1);
    assert!(driver.is_waiting(a));
    driver.advance(1);
    assert_eq!(driver.joined(a).generation, 1);
}

#[test]
fn slow_members_are_left_behind() {
    let mut driver = Driver::new();
    let ids = driver.stable(&["a", "b"]);
    let a = driver.join(join("a", &ids[0]));
    advance_with_heartbeats(&mut driver, &[&ids[1]], REBALANCE_MS - 1000);
    assert!(driver.is_waiting(a));
    driver.advance(1000);
    let reply = driver.joined(a);
    assert_eq!((reply.generation, reply.members.len()), (2, 1));
    assert_eq!(driver.heartbeat(&ids[1], 1), ErrorCode::UnknownMemberId);
}

#[test]
fn a_leader_that_is_late_loses_the_lead() {
    let mut driver = Driver::new();
    let ids = driver.stable(&["a", "b"]);
    let mut changed = join("b", &ids[1]);
    changed.protocols = protocols(&["range", "roundrobin"]);
    let b = driver.join(changed);
    advance_with_heartbeats(&mut driver, &[&ids[0]], REBALANCE_MS);
    let reply = driver.joined(b);
    assert_eq!(
        (reply.leader.as_str(), reply.members.len()),
        (ids[1].as_str(), 1)
    );
}

#[test]
fn a_leader_that_dies_before_it_assigns_is_replaced() {
    let mut driver = Driver::new();
    let ids = driver.stable(&["a", "b"]);
    let a = driver.join(join("a", &ids[0]));
    let b = driver.join(join("b", &ids[1]));
    assert_eq!(driver.joined(a).generation, 2);
    assert_eq!(driver.joined(b).generation, 2);
    let waits = driver.sync(&sync(&ids[1], 2, &[]));
    // The session ends first: the leader sends no heartbeats.
    driver.advance(SESSION_MS);
    assert_eq!(driver.synced(waits).0, ErrorCode::RebalanceInProgress);
    let b = driver.join(join("b", &ids[1]));
    let reply = driver.joined(b);
    assert_eq!(
        (reply.generation, reply.leader.as_str()),
        (3, ids[1].as_str())
    );
}

#[test]
fn a_leader_that_lives_but_never_assigns_is_removed() {
    let mut driver = Driver::new();
    let ids = driver.stable(&["a", "b"]);
    driver.join(join("a", &ids[0]));
    driver.join(join("b", &ids[1]));
    let waits = driver.sync(&sync(&ids[1], 2, &[]));
    advance_with_heartbeats(&mut driver, &[&ids[0]], REBALANCE_MS);
    assert_eq!(driver.synced(waits).0, ErrorCode::RebalanceInProgress);
    assert_eq!(driver.member_ids(), [ids[1].clone()]);
    assert_eq!(driver.heartbeat(&ids[0], 2), ErrorCode::UnknownMemberId);
}

#[test]
fn a_cooperative_group_rebalances_twice() {
    let mut driver = Driver::new();
    let request = |member_id: &str, owned: &[&str]| {
        let mut request = join("x", member_id);
        let metadata = subscription(owned);
        request.protocols = vec![Protocol {
            name: "cooperative-sticky".to_owned(),
            metadata,
        }];
        request
    };
    let first = driver.join(request("", &[]));
    driver.advance(DELAY_MS);
    let a = driver.joined(first).member_id;
    driver.sync(&sync(&a, 1, &[(&a, "0,1")]));
    let second = driver.join(request("", &[]));
    driver.join(request(&a, &["0", "1"]));
    let b = driver.joined(second).member_id;
    let waits = driver.sync(&sync(&b, 2, &[]));
    driver.sync(&sync(&a, 2, &[(&a, "0"), (&b, "")]));
    assert_eq!(driver.synced(waits), (ErrorCode::None, Bytes::new()));
    // a has given up partition 1 and joins again, so that b may have it.
    let a_again = driver.join(request(&a, &["0"]));
    assert_eq!(driver.heartbeat(&b, 2), ErrorCode::RebalanceInProgress);
    let b_again = driver.join(request(&b, &[]));
    let reply = driver.joined(a_again);
    assert_eq!(reply.generation, 3);
    assert_eq!(
        reply.members[0].metadata,
        subscription(&["0"]),
        "what it says now"
    );
    assert_eq!(driver.joined(b_again).generation, 3);
    let waits = driver.sync(&sync(&b, 3, &[]));
    driver.sync(&sync(&a, 3, &[(&a, "0"), (&b, "1")]));
    assert_eq!(driver.synced(waits), (ErrorCode::None, Bytes::from("1")));
}

#[test]
fn the_protocol_is_the_one_that_most_prefer_of_those_that_all_support() {
    type Row = (&'static [&'static [&'static str]], &'static str);
    let rows: &[Row] = &[
        (&[&["range"]], "range"),
        (&[&["a", "b"], &["b", "a"], &["b", "a"]], "b"),
        (&[&["a", "b"], &["b", "a"]], "a"),
        (&[&["x", "a"], &["x", "a"], &["a"]], "a"),
        (&[&["b", "b", "a"], &["a", "b"], &["b"]], "b"),
    ];
    for (members, expected) in rows {
        let mut driver = Driver::new();
        let mut last = None;
        for names in *members {
            let mut request = join("m", "");
            request.protocols = protocols(names);
            last = Some(driver.join(request));
        }
        driver.advance(2 * DELAY_MS);
        let reply = driver.joined(last.unwrap());
        assert_eq!(
            reply.protocol_name.as_deref(),
            Some(*expected),
            "{members:?}"
        );
    }
}

#[test]
fn a_member_must_share_a_protocol() {
    let mut driver = Driver::new();
    let ids = driver.stable(&["a"]);
    let mut request = join("b", "");
    request.protocols = protocols(&["roundrobin"]);
    let b = driver.join(request.clone());
    assert_eq!(driver.joined(b).error, ErrorCode::InconsistentGroupProtocol);
    request.protocols = protocols(&["range"]);
    request.protocol_type = "connect".to_owned();
    let b = driver.join(request);
    assert_eq!(driver.joined(b).error, ErrorCode::InconsistentGroupProtocol);
    let mut request = join("a", &ids[0]);
    request.protocols = protocols(&["roundrobin"]);
    let a = driver.join(request);
    assert_eq!(driver.joined(a).error, ErrorCode::InconsistentGroupProtocol);
    assert_eq!(driver.state(), "Stable");
}

#[test]
fn a_lost_answer_can_be_asked_for_again() {
    let mut driver = Driver::new();
    let ids = driver.stable(&["a", "b"]);
    let follower = driver.join(join("b", &ids[1]));
    let reply = driver.joined(follower);
    assert_eq!(
        (reply.generation, reply.members.len()),
        (1, 0),
        "stable, nothing changed"
    );
    let leader = driver.join(join("a", &ids[0]));
    assert!(driver.is_waiting(leader), "a leader wants to assign anew");
    driver.join(join("b", &ids[1]));
    assert_eq!(driver.joined(leader).generation, 2);
    let again = driver.join(join("a", &ids[0]));
    let reply = driver.joined(again);
    assert_eq!((reply.generation, reply.members.len()), (2, 2));
    assert_eq!(driver.state(), "CompletingRebalance");

    let mut changed = join("b", &ids[1]);
    changed.protocols = protocols(&["range", "other"]);
    let changed = driver.join(changed);
    assert!(driver.is_waiting(changed));
    assert_eq!(driver.state(), "PreparingRebalance");
}

#[test]
fn of_two_requests_of_a_member_the_older_is_told_to_retry() {
    let mut driver = Driver::new();
    let ids = driver.stable(&["a", "b"]);
    let older = driver.join(join("a", &ids[0]));
    let newer = driver.join(join("a", &ids[0]));
    assert_eq!(driver.joined(older).error, ErrorCode::RebalanceInProgress);
    driver.join(join("b", &ids[1]));
    assert_eq!(driver.joined(newer).generation, 2);

    let older = driver.sync(&sync(&ids[1], 2, &[]));
    let newer = driver.sync(&sync(&ids[1], 2, &[]));
    assert_eq!(driver.synced(older).0, ErrorCode::RebalanceInProgress);
    driver.settles = false;
    let first = driver.sync(&sync(&ids[0], 2, &[(&ids[1], "first")]));
    let second = driver.sync(&sync(&ids[0], 2, &[(&ids[1], "second")]));
    assert_eq!(driver.synced(first).0, ErrorCode::RebalanceInProgress);
    assert_eq!(
        driver.appends.len(),
        1,
        "the assignment that is being stored holds"
    );
    driver.settle();
    assert_eq!(driver.synced(second).0, ErrorCode::None);
    assert_eq!(driver.synced(newer).1, "first");
}

#[test]
fn a_new_member_does_not_wait_for_ever() {
    let mut driver = Driver::new();
    let mut patient = join("a", "");
    patient.rebalance_timeout_ms = 3_600_000;
    let ids = driver.stable_with(vec![patient]);
    let b = driver.join(join("b", ""));
    let minutes_4 = 4 * 60_000;
    advance_with_heartbeats(&mut driver, &[&ids[0]], minutes_4);
    assert!(driver.is_waiting(b), "its session does not count yet");
    advance_with_heartbeats(&mut driver, &[&ids[0]], 60_000);
    let reply = driver.joined(b);
    assert_eq!(
        (reply.error, reply.member_id.as_str()),
        (ErrorCode::UnknownMemberId, "")
    );
    assert_eq!(driver.state(), "PreparingRebalance");
}

#[test]
fn a_group_has_room_for_so_many() {
    let mut driver = Driver::with(GroupsConfig {
        members_max: 2,
        ..config()
    });
    let ids = driver.stable(&["a", "b"]);
    let c = driver.join(join("c", ""));
    let reply = driver.joined(c);
    assert_eq!(
        (reply.error, reply.member_id.as_str()),
        (ErrorCode::GroupMaxSizeReached, "")
    );
    let a = driver.join(join("a", &ids[0]));
    let c = driver.join(join("c", ""));
    assert!(
        driver.is_waiting(a) && driver.is_waiting(c),
        "b may have gone"
    );
    let b = driver.join(join("b", &ids[1]));
    assert_eq!(
        driver.joined(b).error,
        ErrorCode::GroupMaxSizeReached,
        "and now it has"
    );
    assert_eq!(driver.joined(a).members.len(), 2);
}

#[test]
fn members_leave_several_at_once() {
    let mut driver = Driver::new();
    let ids = driver.stable(&["a", "b", "c"]);
    let leave = driver.leave(&[
        (&ids[1], None),
        ("nobody", None),
        (&ids[2], None),
        (&ids[2], None),
        ("", Some("nobody")),
        ("", None),
    ]);
    let unknown = ErrorCode::UnknownMemberId;
    let expected = [
        ErrorCode::None,
        unknown,
        ErrorCode::None,
        unknown,
        unknown,
        unknown,
    ];
    assert_eq!(driver.left(leave), expected);
    assert_eq!(driver.member_ids(), [ids[0].clone()]);
    assert_eq!(driver.state(), "PreparingRebalance");
    let a = driver.join(join("a", &ids[0]));
    assert_eq!(driver.joined(a).generation, 2);
}

#[test]
fn a_member_that_leaves_while_its_request_waits_is_answered() {
    let mut driver = Driver::new();
    let ids = driver.stable(&["a", "b"]);
    let a = driver.join(join("a", &ids[0]));
    driver.leave(&[(&ids[0], None)]);
    assert_eq!(driver.joined(a).error, ErrorCode::UnknownMemberId);
    let b = driver.join(join("b", &ids[1]));
    assert_eq!(driver.joined(b).leader, ids[1]);
    let c = driver.join(join("c", ""));
    driver.join(join("b", &ids[1]));
    let c = driver.joined(c).member_id;
    let waits = driver.sync(&sync(&c, 3, &[]));
    driver.leave(&[(&c, None)]);
    assert_eq!(driver.synced(waits).0, ErrorCode::UnknownMemberId);
}

#[test]
fn an_assignment_that_cannot_be_stored_makes_all_join_again() {
    let mut driver = Driver::new();
    let ids = driver.stable(&["a", "b"]);
    driver.join(join("a", &ids[0]));
    driver.join(join("b", &ids[1]));
    driver.settles = false;
    let b = driver.sync(&sync(&ids[1], 2, &[]));
    let a = driver.sync(&sync(&ids[0], 2, &[(&ids[0], "A"), (&ids[1], "B")]));
    assert!(driver.is_waiting(a) && driver.is_waiting(b));
    driver.finish_append(Err(ErrorCode::NotEnoughReplicas));
    assert_eq!(
        driver.synced(a),
        (ErrorCode::CoordinatorNotAvailable, Bytes::new())
    );
    assert_eq!(
        driver.synced(b),
        (ErrorCode::CoordinatorNotAvailable, Bytes::new())
    );
    assert_eq!(driver.state(), "PreparingRebalance");
    let a = driver.join(join("a", &ids[0]));
    driver.join(join("b", &ids[1]));
    assert_eq!(driver.joined(a).generation, 3);
}

#[test]
fn an_assignment_that_another_rebalance_overtook_is_of_no_use() {
    for result in [Ok(()), Err(ErrorCode::RequestTimedOut)] {
        let mut driver = Driver::new();
        let ids = driver.stable(&["a", "b"]);
        driver.join(join("a", &ids[0]));
        driver.join(join("b", &ids[1]));
        driver.settles = false;
        let a = driver.sync(&sync(&ids[0], 2, &[(&ids[0], "A")]));
        let c = driver.join(join("c", ""));
        assert_eq!(driver.synced(a).0, ErrorCode::RebalanceInProgress);
        let a = driver.join(join("a", &ids[0]));
        let b = driver.join(join("b", &ids[1]));
        driver.finish_append(result);
        assert_eq!(driver.state(), "CompletingRebalance");
        for token in [a, b, c] {
            assert_eq!(driver.joined(token).generation, 3);
        }
        let a = driver.sync(&sync(&ids[0], 3, &[(&ids[0], "A3")]));
        driver.settle();
        assert_eq!(driver.synced(a).1, "A3");
    }
}

#[test]
fn heartbeats_keep_a_session() {
    let mut driver = Driver::new();
    let ids = driver.stable(&["a"]);
    for _ in 0..5 {
        driver.advance(SESSION_MS - 1);
        assert_eq!(driver.heartbeat(&ids[0], 1), ErrorCode::None);
    }
    driver.advance(SESSION_MS);
    assert_eq!(driver.state(), "Empty");
}

#[test]
fn groups_are_listed_and_described() {
    let mut driver = Driver::new();
    let ids = driver.stable(&["a", "b"]);
    let mut simple = commit("", -1, 1);
    simple.group_id = "simple".to_owned();
    driver.commit(&simple);
    let names = |states: &[&str], types: &[&str], driver: &Driver| -> Vec<String> {
        let owned = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
        let listed = driver.groups.list(&owned(states), &owned(types));
        listed
            .iter()
            .map(|group| group.group_id.to_string())
            .collect()
    };
    type Row = (
        &'static [&'static str],
        &'static [&'static str],
        &'static [&'static str],
    );
    let rows: &[Row] = &[
        (&[], &[], &["group", "simple"]),
        (&["stable"], &[], &["group"]),
        (&[" EMPTY ", "Stable"], &["Classic"], &["group", "simple"]),
        (&["Dead"], &[], &[]),
        (&[], &["consumer"], &[]),
        (&[], &["nonsense"], &[]),
    ];
    for (states, types, expected) in rows {
        assert_eq!(
            names(states, types, &driver),
            *expected,
            "{states:?} {types:?}"
        );
    }
    let listed = driver.groups.list(&[], &[]);
    assert_eq!(
        (listed[0].protocol_type.as_str(), listed[0].group_type),
        ("consumer", "classic")
    );
    assert_eq!(listed[1].protocol_type, "");

    let group = driver.groups.describe(GROUP).unwrap();
    assert_eq!(
        (group.state, group.protocol_name.as_str()),
        ("Stable", "range")
    );
    let member = &group.members[1];
    assert_eq!(
        (&*member.member_id, member.client_id.as_str()),
        (&*ids[1], "b")
    );
    assert_eq!(member.client_host, "/127.0.0.1");
    assert_eq!(
        (&member.metadata, &member.assignment),
        (&subscription(&["topic"]), &"b".into())
    );
    driver.join(join("a", &ids[0]));
    let group = driver.groups.describe(GROUP).unwrap();
    assert_eq!(
        (group.state, group.protocol_name.as_str()),
        ("PreparingRebalance", "")
    );
    assert_eq!(group.members[1].metadata, "");
    assert_eq!(driver.groups.describe("none"), None);
}

#[test]
fn whoever_waits_is_answered_at_the_end() {
    let mut driver = Driver::new();
    driver.settles = false;
    let join_token = driver.join(join("a", ""));
    let mut other = commit("", -1, 1);
    other.group_id = "other".to_owned();
    let commit_token = driver.commit(&other);
    let fetch = OffsetFetch {
        group_id: "other".to_owned(),
        topics: None,
        require_stable: true,
    };
    let fetch_token = driver.fetch(fetch);
    driver.restart(config());
    assert_eq!(driver.waiting(), 0);
    assert_eq!(driver.joined(join_token).error, ErrorCode::NotCoordinator);
    assert_eq!(driver.committed(commit_token), [ErrorCode::NotCoordinator]);
    let Reply::OffsetFetch(reply) = driver.reply(fetch_token) else {
        panic!()
    };
    assert_eq!(reply.error, ErrorCode::NotCoordinator);
}

#[test]
fn what_members_say_of_themselves_is_bounded() {
    let mut driver = Driver::new();
    let saying = |client_id: &str, bytes: usize| {
        let mut request = join(client_id, "");
        request.protocols[0].metadata = vec![0; bytes].into();
        request
    };
    let token = driver.join(saying("talkative", (1 << 20) + 1));
    assert_eq!(driver.joined(token).error, ErrorCode::InvalidRequest);
    let mut refused = 0;
    for client in 0..20 {
        let token = driver.join(saying(&format!("client-{client}"), (1 << 20) - 200));
        refused += usize::from(!driver.is_waiting(token));
    }
    assert!((4..6).contains(&refused), "{refused} of 20 are refused");
}
