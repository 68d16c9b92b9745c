//! The transition table: every event in every state, with the answer, the records and the state that follow.

use protocol::error::ErrorCode;

use super::test_driver::*;
use super::*;

const STATES: [&str; 5] = [
    DEAD,
    "Empty",
    "PreparingRebalance",
    "CompletingRebalance",
    "Stable",
];

/// What an event does: "wait" or the error answered, the number of records, and the state after it.
fn outcome(state: &str, event: &str) -> (String, usize, &'static str) {
    let (mut driver, a, b) = group_in(state);
    let records = driver.log.len();
    let generation = if STATES[3..].contains(&state) { 2 } else { 1 };
    let mut changed = join("b", &b);
    changed.protocols = protocols(&["range", "other"]);
    let token = match event {
        "new member joins" => driver.join(join("c", "")),
        "leader joins" => driver.join(join("a", &a)),
        "follower joins" => driver.join(join("b", &b)),
        "follower joins changed" => driver.join(changed),
        "stranger joins" => driver.join(join("c", "stranger")),
        "leader syncs" => driver.sync(&sync(&a, generation, &[(&a, "A"), (&b, "B")])),
        "follower syncs" => driver.sync(&sync(&b, generation, &[])),
        "follower syncs late" => driver.sync(&sync(&b, generation - 1, &[])),
        "leader leaves" => driver.leave(&[(&a, None)]),
        "follower leaves" => driver.leave(&[(&b, None)]),
        "all leave" => driver.leave(&[(&a, None), (&b, None)]),
        "follower heartbeats" => {
            let error = driver.heartbeat(&b, generation);
            return (
                error.name().to_owned(),
                driver.log.len() - records,
                driver.state(),
            );
        }
        "sessions end" => {
            driver.advance(SESSION_MS);
            return ("-".to_owned(), driver.log.len() - records, driver.state());
        }
        other => panic!("{other}"),
    };
    let answer = if driver.is_waiting(token) {
        "wait".to_owned()
    } else {
        let error = match driver.reply(token) {
            Reply::Join(reply) => reply.error,
            Reply::Sync(reply) => reply.error,
            Reply::Leave(reply) => reply.members[0].error,
            other => panic!("{other:?}"),
        };
        error.name().to_owned()
    };
    (answer, driver.log.len() - records, driver.state())
}

/// `answer records state`, the state left out where it does not change.
#[rustfmt::skip]
const TABLE: &[(&str, [&str; 5])] = &[
    // event                  Dead                    Empty                   PreparingRebalance             CompletingRebalance             Stable
    ("new member joins",      ["wait 0 Preparing",    "wait 0 Preparing",     "wait 0",                      "wait 0 Preparing",             "wait 0 Preparing"]),
    ("leader joins",          ["UNKNOWN_MEMBER_ID 0", "UNKNOWN_MEMBER_ID 0",  "wait 0",                      "NONE 0",                       "wait 0 Preparing"]),
    ("follower joins",        ["UNKNOWN_MEMBER_ID 0", "UNKNOWN_MEMBER_ID 0",  "NONE 0 Completing",           "NONE 0",                       "NONE 0"]),
    ("follower joins changed",["UNKNOWN_MEMBER_ID 0", "UNKNOWN_MEMBER_ID 0",  "NONE 0 Completing",           "wait 0 Preparing",             "wait 0 Preparing"]),
    ("stranger joins",        ["UNKNOWN_MEMBER_ID 0", "UNKNOWN_MEMBER_ID 0",  "UNKNOWN_MEMBER_ID 0",         "UNKNOWN_MEMBER_ID 0",          "UNKNOWN_MEMBER_ID 0"]),
    ("leader syncs",          ["UNKNOWN_MEMBER_ID 0", "UNKNOWN_MEMBER_ID 0",  "REBALANCE_IN_PROGRESS 0",     "NONE 1 Stable",                "NONE 0"]),
    ("follower syncs",        ["UNKNOWN_MEMBER_ID 0", "UNKNOWN_MEMBER_ID 0",  "REBALANCE_IN_PROGRESS 0",     "wait 0",                       "NONE 0"]),
    ("follower syncs late",   ["UNKNOWN_MEMBER_ID 0", "UNKNOWN_MEMBER_ID 0",  "ILLEGAL_GENERATION 0",        "ILLEGAL_GENERATION 0",         "ILLEGAL_GENERATION 0"]),
    ("follower heartbeats",   ["UNKNOWN_MEMBER_ID 0", "UNKNOWN_MEMBER_ID 0",  "REBALANCE_IN_PROGRESS 0",     "NONE 0",                       "NONE 0"]),
    ("leader leaves",         ["UNKNOWN_MEMBER_ID 0", "UNKNOWN_MEMBER_ID 0",  "NONE 0",                      "NONE 0 Preparing",             "NONE 0 Preparing"]),
    ("follower leaves",       ["UNKNOWN_MEMBER_ID 0", "UNKNOWN_MEMBER_ID 0",  "NONE 0 Completing",           "NONE 0 Preparing",             "NONE 0 Preparing"]),
    ("all leave",             ["UNKNOWN_MEMBER_ID 0", "UNKNOWN_MEMBER_ID 0",  "NONE 1 Empty",                "NONE 1 Empty",                 "NONE 1 Empty"]),
    ("sessions end",          ["- 0",                 "- 0",                  "- 0 Completing",              "- 1 Empty",                    "- 1 Empty"]),
];

#[test]
fn every_event_in_every_state() {
    for (event, row) in TABLE {
        for (state, expected) in STATES.into_iter().zip(row) {
            let (answer, records, after) = outcome(state, event);
            let mut actual = format!("{answer} {records}");
            if after != state {
                actual = format!("{actual} {}", after.replace("Rebalance", ""));
            }
            assert_eq!(actual, *expected, "{event} in {state}");
        }
    }
}

#[test]
fn requests_that_no_group_would_take() {
    let mut driver = Driver::new();
    let invalid = |change: fn(&mut JoinGroup), expected: ErrorCode, driver: &mut Driver| {
        let mut request = join("a", "");
        change(&mut request);
        let token = driver.join(request);
        let reply = driver.joined(token);
        assert_eq!((reply.error, reply.generation), (expected, -1));
    };
    use ErrorCode::{
        InconsistentGroupProtocol, InvalidGroupId, InvalidRequest, InvalidSessionTimeout,
    };
    invalid(|r| r.group_id.clear(), InvalidGroupId, &mut driver);
    invalid(
        |r| r.group_id = "g".repeat(32_768),
        InvalidGroupId,
        &mut driver,
    );
    invalid(
        |r| r.session_timeout_ms = 5_999,
        InvalidSessionTimeout,
        &mut driver,
    );
    invalid(
        |r| r.session_timeout_ms = 1_800_001,
        InvalidSessionTimeout,
        &mut driver,
    );
    invalid(
        |r| r.protocol_type.clear(),
        InconsistentGroupProtocol,
        &mut driver,
    );
    invalid(
        |r| r.client_id = "c".repeat(32_767),
        InvalidRequest,
        &mut driver,
    );
    invalid(
        |r| r.protocols[0].name = "p".repeat(32_768),
        InvalidRequest,
        &mut driver,
    );

    let mut request = sync("m", 1, &[]);
    request.group_id.clear();
    let token = driver.sync(&request);
    assert_eq!(driver.synced(token).0, InvalidGroupId);
    let heartbeat = Heartbeat {
        group_id: String::new(),
        member_id: "m".to_owned(),
        group_instance_id: None,
        generation: 1,
    };
    assert_eq!(
        driver.groups.heartbeat(driver.now, &heartbeat),
        InvalidGroupId
    );
    assert_eq!(driver.groups.list(&[], &[]), []);
}

#[test]
fn a_sync_must_name_the_protocol_of_the_group() {
    let mut driver = Driver::new();
    let ids = driver.stable(&["a"]);
    let some = |text: &str| Some(text.to_owned());
    let rows = [
        (some("consumer"), some("range"), ErrorCode::None),
        (None, some("range"), ErrorCode::None),
        (
            some("connect"),
            some("range"),
            ErrorCode::InconsistentGroupProtocol,
        ),
        (
            some("consumer"),
            some("sticky"),
            ErrorCode::InconsistentGroupProtocol,
        ),
    ];
    for (protocol_type, protocol_name, expected) in rows {
        let request = SyncGroup {
            protocol_type,
            protocol_name,
            ..sync(&ids[0], 1, &[])
        };
        let token = driver.sync(&request);
        assert_eq!(driver.synced(token).0, expected, "{request:?}");
    }
}
