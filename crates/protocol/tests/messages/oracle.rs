//! Random messages through the crate `kafka-protocol`: what we write it reads and writes again to the very same bytes.

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::{
    ApiKey as OracleKey, ConsumerProtocolAssignment, ConsumerProtocolSubscription, RequestKind,
    ResponseKind,
};
use kafka_protocol::protocol::{Decodable, Encodable};
use protocol::ApiKey;

use super::kind::{Role, every};
use super::random::Random;

/// Random values of each message and version.
const ROUNDS: u64 = 20;

/// What the oracle does not have. Exact: a row that is not needed fails. The bytes of `golden` cover these too.
const ORACLE_LACKS: &[(&str, i16)] = &[
    // New in Kafka 4.2 and 4.3; the oracle is made from 4.1.
    ("ListOffsetsRequest", 11),
    ("ListOffsetsResponse", 11),
    ("WriteTxnMarkersRequest", 2),
    ("WriteTxnMarkersResponse", 2),
    ("DescribeLogDirsRequest", 5),
    ("DescribeLogDirsResponse", 5),
    ("ShareFetchRequest", 2),
    ("ShareFetchResponse", 2),
    ("ShareAcknowledgeRequest", 2),
    ("ShareAcknowledgeResponse", 2),
    ("AddRaftVoterRequest", 1),
    ("AddRaftVoterResponse", 1),
    ("StreamsGroupHeartbeatRequest", 0),
    ("StreamsGroupHeartbeatResponse", 0),
    ("StreamsGroupDescribeRequest", 0),
    ("StreamsGroupDescribeResponse", 0),
    ("DescribeShareGroupOffsetsRequest", 1),
    ("DescribeShareGroupOffsetsResponse", 1),
    // Requests that were not stable in 4.1.
    ("OffsetCommitRequest", 10),
    ("OffsetFetchRequest", 10),
    ("InitProducerIdRequest", 6),
    // Records that the coordinator alone writes.
    ("OffsetCommitKey", 0),
    ("OffsetCommitValue", 0),
    ("OffsetCommitValue", 1),
    ("OffsetCommitValue", 2),
    ("OffsetCommitValue", 3),
    ("OffsetCommitValue", 4),
    ("GroupMetadataKey", 0),
    ("GroupMetadataValue", 0),
    ("GroupMetadataValue", 1),
    ("GroupMetadataValue", 2),
    ("GroupMetadataValue", 3),
    ("GroupMetadataValue", 4),
];

/// The bytes as the oracle writes what it read in `ours`; the reason if it cannot.
fn through_oracle(name: &str, role: Role, version: i16, ours: &Bytes) -> Result<Bytes, String> {
    let mut input = ours.clone();
    let mut theirs = BytesMut::new();
    let outcome = match role {
        Role::Request(key) => RequestKind::decode(oracle_key(key, version)?, &mut input, version)
            .and_then(|message| message.encode(&mut theirs, version)),
        Role::Response(key) => ResponseKind::decode(oracle_key(key, version)?, &mut input, version)
            .and_then(|message| message.encode(&mut theirs, version)),
        Role::Data if name == "ConsumerProtocolSubscription" => {
            ConsumerProtocolSubscription::decode(&mut input, version)
                .and_then(|message| message.encode(&mut theirs, version))
        }
        Role::Data if name == "ConsumerProtocolAssignment" => {
            ConsumerProtocolAssignment::decode(&mut input, version)
                .and_then(|message| message.encode(&mut theirs, version))
        }
        Role::Data => return Err("no such message".to_owned()),
    };
    outcome.map_err(|error| format!("{error:#}"))?;
    if input.is_empty() {
        Ok(theirs.freeze())
    } else {
        Err(format!("{} bytes were left", input.len()))
    }
}

fn oracle_key(key: ApiKey, version: i16) -> Result<OracleKey, String> {
    let key = OracleKey::try_from(key as i16).map_err(|()| "no such key".to_owned())?;
    let range = key.valid_versions();
    if (range.min..=range.max).contains(&version) {
        Ok(key)
    } else {
        Err(format!("it has versions {} to {}", range.min, range.max))
    }
}

#[test]
fn every_message_passes_the_oracle_unchanged() {
    let mut complaints = Vec::new();
    for (number, (kind, version)) in every().enumerate() {
        let lacks = ORACLE_LACKS.contains(&(kind.name, version));
        for round in 0..ROUNDS {
            let mut random = Random::new((number as u64) << 32 | round);
            let ours = (kind.random)(&mut random, version);
            let why = match through_oracle(kind.name, kind.role, version, &ours) {
                Ok(_) if lacks => "the oracle has it; take the row out".to_owned(),
                Ok(theirs) if theirs == ours => continue,
                Ok(theirs) => format!("ours {ours:02x?}, theirs {theirs:02x?}"),
                Err(_) if lacks => continue,
                Err(why) => why,
            };
            complaints.push(format!("{} {version}: {why}", kind.name));
            break;
        }
    }
    assert!(complaints.is_empty(), "\n{}", complaints.join("\n"));
}

#[test]
fn headers_have_the_oracles_versions() {
    for api in protocol::api::all() {
        for version in api.versions.first..=api.versions.last {
            let Ok(theirs) = oracle_key(api.key, version) else {
                continue;
            };
            let ours = (
                api.key.request_header_version(version),
                api.key.response_header_version(version),
            );
            let theirs = (
                theirs.request_header_version(version),
                theirs.response_header_version(version),
            );
            assert_eq!(ours, theirs, "{} {version}", api.name);
        }
    }
}
