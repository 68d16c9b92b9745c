//! Every message in every version, random, against the crate `kafka-protocol` as oracle: what we write it reads and writes again to
//! the same bytes, and what it writes we read back to the same value. And on our own: every cut of every encoding is told.

#![expect(clippy::panic, reason = "a test fails by it")]

#[expect(
    clippy::field_reassign_with_default,
    reason = "generated: one shape for all messages, whatever their fields"
)]
mod arbitrary;
mod random;

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::{ApiKey as OracleKey, RequestKind, ResponseKind};
use protocol::{Message, Request};
use random::{Arbitrary, Random};

/// Random values of each message and version.
const ROUNDS: u64 = 12;

/// What the oracle does not have or has otherwise: key, first and last version, why. Exact: a row that is not needed fails.
const ORACLE_LACKS: &[(i16, i16, i16, &str)] = &[
    (2, 11, 11, "ListOffsets 11 came with Kafka 4.2"),
    (
        8,
        10,
        10,
        "OffsetCommit 10 was not stable in Kafka 4.1, where the oracle ends",
    ),
    (9, 10, 10, "OffsetFetch 10, likewise"),
    (22, 6, 6, "InitProducerId 6 is not stable"),
    (27, 2, 2, "WriteTxnMarkers 2 came with Kafka 4.2"),
    (35, 5, 5, "DescribeLogDirs 5 came with Kafka 4.3"),
    (78, 2, 2, "ShareFetch 2 came with Kafka 4.2"),
    (79, 2, 2, "ShareAcknowledge 2 came with Kafka 4.2"),
    (80, 1, 1, "AddRaftVoter 1 came with Kafka 4.2"),
    (88, 0, 0, "streams groups"),
    (89, 0, 0, "streams groups"),
    (90, 1, 1, "DescribeShareGroupOffsets 1 came with Kafka 4.2"),
];

fn oracle_lacks(key: i16, version: i16) -> bool {
    ORACLE_LACKS
        .iter()
        .any(|(lacks, first, last, _)| *lacks == key && (*first..=*last).contains(&version))
}

/// One message through the oracle; the complaint if it disagrees.
fn through_oracle(is_request: bool, key: i16, version: i16, ours: &Bytes) -> Result<Bytes, String> {
    let oracle_key = OracleKey::try_from(key).map_err(|()| "no such key".to_owned())?;
    let range = oracle_key.valid_versions();
    if version < range.min || version > range.max {
        return Err(format!("it has versions {} to {}", range.min, range.max));
    }
    let mut input = ours.clone();
    let mut theirs = BytesMut::new();
    let outcome = if is_request {
        RequestKind::decode(oracle_key, &mut input, version)
            .and_then(|message| message.encode(&mut theirs, version))
    } else {
        ResponseKind::decode(oracle_key, &mut input, version)
            .and_then(|message| message.encode(&mut theirs, version))
    };
    outcome.map_err(|error| error.to_string())?;
    Ok(theirs.freeze())
}

fn round_trips<M: Message + Arbitrary + PartialEq + std::fmt::Debug>(
    is_request: bool,
    key: i16,
    complaints: &mut Vec<String>,
) {
    for version in M::VERSIONS.first..=M::VERSIONS.last {
        let mut disagrees = None;
        for seed in 0..ROUNDS {
            let mut random = Random::new(seed << 32 | (version as u64) << 16 | key as u64);
            let value = M::arbitrary(&mut random, version);
            let ours = value.to_bytes(version);
            match M::from_bytes(ours.clone(), version) {
                Ok(back) => assert_eq!(back, value, "key {key} version {version} seed {seed}"),
                Err(error) => panic!("key {key} version {version} seed {seed}: {error}: {value:?}"),
            }
            for end in 0..ours.len() {
                assert!(
                    M::from_bytes(ours.slice(..end), version).is_err(),
                    "key {key} version {version}: cut at {end} of {}",
                    ours.len()
                );
            }
            match through_oracle(is_request, key, version, &ours) {
                // Tagged fields may come in another order or be left out when they are defaults: then the value decides.
                Ok(theirs)
                    if theirs == ours
                        || M::from_bytes(theirs.clone(), version).as_ref() == Ok(&value) => {}
                Ok(theirs) => disagrees = Some(format!("ours {ours:02x?}, theirs {theirs:02x?}")),
                Err(error) => disagrees = Some(error),
            }
        }
        match (disagrees, oracle_lacks(key, version)) {
            (Some(why), false) => complaints.push(format!(
                "key {key} version {version} (request: {is_request}): {why}"
            )),
            (None, true) if is_request => complaints.push(format!(
                "key {key} version {version}: the oracle has it; take the row out"
            )),
            _ => {}
        }
    }
}

#[test]
fn every_api_agrees_with_the_oracle() {
    let mut complaints = Vec::new();
    macro_rules! each {
        ($module:ident, $request:ident, $response:ident) => {
            let key = protocol::messages::$module::$request::KEY as i16;
            round_trips::<protocol::messages::$module::$request>(true, key, &mut complaints);
            round_trips::<protocol::messages::$module::$response>(false, key, &mut complaints);
        };
    }
    arbitrary::every_api!(each);
    assert!(
        complaints.is_empty(),
        "{} complaints:\n{}",
        complaints.len(),
        complaints.join("\n")
    );
}

#[test]
fn every_other_message_reads_what_it_writes() {
    macro_rules! each {
        ($module:ident, $type:ident) => {
            type Data = protocol::messages::$module::$type;
            for version in Data::VERSIONS.first..=Data::VERSIONS.last {
                for seed in 0..ROUNDS {
                    let value = Data::arbitrary(&mut Random::new(seed), version);
                    assert_eq!(
                        Data::from_bytes(value.to_bytes(version), version).as_ref(),
                        Ok(&value),
                        "version {version}"
                    );
                }
            }
        };
    }
    macro_rules! apart {
        ($module:ident, $type:ident) => {{
            each!($module, $type);
        }};
    }
    arbitrary::every_data!(apart);
}
