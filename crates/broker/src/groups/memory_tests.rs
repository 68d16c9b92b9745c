//! What groups hold is counted and bounded: who is in goes on, who would make it grow beyond is sent away for a while.

use bytes::Bytes;
use protocol::error::ErrorCode;

use super::test_driver::*;
use super::*;

const MEMORY_BYTES: usize = 64 * 1024;

fn small() -> Driver {
    Driver::with(GroupsConfig {
        memory_bytes_max: MEMORY_BYTES,
        ..config()
    })
}

fn join_group(group_id: &str, client_id: &str) -> JoinGroup {
    JoinGroup {
        group_id: group_id.to_owned(),
        ..join(client_id, "")
    }
}

/// Joins one group after another until it is refused. Gives how many it joined.
fn join_until_refused(driver: &mut Driver, request: impl Fn(&str) -> JoinGroup) -> usize {
    for count in 0..1000 {
        let token = driver.join(request(&format!("hostile-{count}")));
        if driver.is_waiting(token) {
            continue;
        }
        let reply = driver.joined(token);
        match reply.error {
            ErrorCode::MemberIdRequired => {}
            error => {
                assert_eq!(error, ErrorCode::CoordinatorNotAvailable);
                return count;
            }
        }
    }
    panic!("nothing stops it")
}

#[test]
fn many_groups_fill_the_memory_and_no_more() {
    let mut driver = small();
    let ids = driver.stable(&["a", "b"]);
    let joined = join_until_refused(&mut driver, |group_id| join_group(group_id, "c"));
    assert!((10..50).contains(&joined), "{joined}");
    assert!(driver.groups.held_bytes() <= MEMORY_BYTES);
    assert_eq!(driver.groups.memory_refusals(), 1);
    assert_eq!(driver.groups.count(), joined + 1, "no group is left behind");

    // Who is in a group rebalances and commits as ever; another member finds no room.
    let a = driver.join(join("a", &ids[0]));
    let c = driver.join(join("c", ""));
    assert_eq!(driver.joined(c).error, ErrorCode::CoordinatorNotAvailable);
    let b = driver.join(join("b", &ids[1]));
    let generation = driver.joined(a).generation;
    assert_eq!(driver.joined(b).error, ErrorCode::None);
    let assigned = driver.sync(&sync(&ids[0], generation, &[(&ids[0], "a")]));
    assert_eq!(driver.synced(assigned).0, ErrorCode::None);

    // The hostile client does not answer: its groups go, and there is room again.
    for _ in 0..200 {
        driver.advance(SESSION_MS / 2);
        for id in &ids {
            driver.heartbeat(id, generation);
        }
    }
    let again = driver.join(join_group("calm", "d"));
    driver.advance(2 * DELAY_MS);
    assert_eq!(driver.joined(again).error, ErrorCode::None);
}

#[test]
fn ids_that_are_given_out_are_counted() {
    let mut driver = small();
    let name = "n".repeat(10_000);
    let request = |_: &str| JoinGroup {
        member_id_required: true,
        ..join(&name, "")
    };
    assert!(join_until_refused(&mut driver, request) < 7);
    driver.advance(SESSION_MS);
    assert_eq!(driver.groups.held_bytes(), 0, "nobody came");
}

#[test]
fn protocols_without_metadata_are_counted() {
    let mut driver = Driver::new();
    let names: Vec<String> = (0..10_000).map(|n| n.to_string()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut request = join("many", "");
    request.protocols = protocols(&names);
    for protocol in &mut request.protocols {
        protocol.metadata = Bytes::new();
    }
    let token = driver.join(request);
    assert_eq!(driver.joined(token).error, ErrorCode::InvalidRequest);
}

#[test]
fn commits_of_new_partitions_need_room_and_of_old_ones_none() {
    let mut driver = small();
    let mut commits = 0;
    let mut commit_to = |driver: &mut Driver, partition: i32, metadata: &str| {
        let mut request = commit("", -1, 7);
        request.topics[0].partitions[0].partition = partition;
        request.topics[0].partitions[0].metadata = metadata.to_owned();
        let token = driver.commit(&request);
        commits += 1;
        driver.committed(token)[0]
    };
    let note = "x".repeat(4000);
    let outcomes: Vec<ErrorCode> = (0..100)
        .map(|partition| commit_to(&mut driver, partition, &note))
        .collect();
    let stored = outcomes.iter().filter(|e| **e == ErrorCode::None).count();
    assert!((10..16).contains(&stored), "{stored}");
    assert_eq!(outcomes[99], ErrorCode::CoordinatorNotAvailable);
    assert_eq!(driver.offsets().len(), stored);
    assert!(driver.groups.held_bytes() <= MEMORY_BYTES);
    assert_eq!(commit_to(&mut driver, 0, &note), ErrorCode::None);

    // A restart counts what it finds.
    let held_bytes = driver.groups.held_bytes();
    driver.restart(driver.groups.config().clone());
    assert_eq!(driver.groups.held_bytes(), held_bytes);
    let deleted = driver.delete_group(GROUP);
    assert_eq!(driver.reply(deleted), Reply::DeleteGroup(ErrorCode::None));
    assert_eq!(driver.groups.held_bytes(), 0);
}

#[test]
fn commits_under_way_are_counted() {
    let mut driver = small();
    driver.settles = false;
    let note = "x".repeat(4000);
    for partition in 0..100 {
        let mut request = commit("", -1, 7);
        request.topics[0].partitions[0].partition = partition;
        request.topics[0].partitions[0].metadata.clone_from(&note);
        driver.commit(&request);
    }
    assert!((10..17).contains(&driver.appends.len()));
    assert!(driver.groups.held_bytes() <= MEMORY_BYTES);
}

#[test]
fn assignments_are_bounded_before_they_are_stored() {
    let large = "x".repeat((1 << 20) + 1);
    let some = "x".repeat(100_000);
    for (memory_bytes_max, assignment, expected) in [
        (usize::MAX, &large, ErrorCode::UnknownServerError),
        (MEMORY_BYTES, &some, ErrorCode::CoordinatorNotAvailable),
        (usize::MAX, &some, ErrorCode::None),
    ] {
        let mut driver = Driver::with(GroupsConfig {
            memory_bytes_max,
            ..config()
        });
        let ids = driver.stable(&["a", "b"]);
        let a = driver.join(join("a", &ids[0]));
        let b = driver.join(join("b", &ids[1]));
        let generation = driver.joined(a).generation;
        driver.joined(b);
        let records = driver.log.len();
        let b = driver.sync(&sync(&ids[1], generation, &[]));
        // Ids that are made up count for nothing.
        let assignments = [("nobody", &*large), (&*ids[1], &**assignment)];
        let a = driver.sync(&sync(&ids[0], generation, &assignments));
        assert_eq!(driver.synced(a).0, expected);
        assert_eq!(driver.synced(b).0, expected);
        let (stored, state) = match expected {
            ErrorCode::None => (1, "Stable"),
            _ => (0, "PreparingRebalance"),
        };
        assert_eq!(driver.log.len() - records, stored, "{expected:?}");
        assert_eq!(driver.state(), state);
    }
}
