//! Bytes that Kafka 4.3.1 wrote, a message of every kind and version: each is read and written again to the very same bytes. The
//! program that made them lies beside them in `tests/golden/messages`.

use std::collections::BTreeSet;

use bytes::Bytes;
use protocol::Message;
use protocol::messages::consumer_protocol::ConsumerProtocolAssignment;
use protocol::messages::fetch::FetchRequest;
use protocol::messages::offset_fetch::OffsetFetchResponse;
use protocol::wire::{DecodeError, Fault};

use super::kind::{Kind, all, every};

const GOLDEN: &str = include_str!("../golden/messages/messages.txt");

/// Name, version and bytes of each line.
fn lines() -> impl Iterator<Item = (&'static str, i16, Bytes)> {
    GOLDEN.lines().map(|line| {
        let mut columns = line.split(' ');
        let mut column = || columns.next().unwrap();
        let (name, version) = (column(), column().parse().unwrap());
        (name, version, unhex(column()))
    })
}

fn unhex(text: &str) -> Bytes {
    let digits: Vec<u8> = text
        .chars()
        .map(|digit| digit.to_digit(16).unwrap() as u8)
        .collect();
    digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect()
}

fn bytes_of(wanted: &str, version: i16) -> Bytes {
    let mut found = lines().filter(|(name, of, _)| *name == wanted && *of == version);
    found.next().unwrap().2
}

#[test]
fn kafkas_own_bytes_are_read_and_written_alike() {
    let kinds = all();
    let kind = |name| -> &Kind { kinds.iter().find(|kind| kind.name == name).unwrap() };
    for (name, version, theirs) in lines() {
        let ours = (kind(name).again)(theirs.clone(), version);
        assert_eq!(ours, Ok(theirs), "{name} {version}");
    }
}

#[test]
fn there_are_bytes_of_every_message_and_version() {
    let theirs: BTreeSet<(&str, i16)> = lines().map(|(name, of, _)| (name, of)).collect();
    let ours: BTreeSet<(&str, i16)> = every().map(|(kind, of)| (kind.name, of)).collect();
    assert_eq!(ours, theirs);
}

fn read<M: Message>(name: &str, version: i16) -> Result<M, DecodeError> {
    M::from_bytes(bytes_of(name, version), version)
}

#[test]
fn an_assignment_of_version_0_names_its_partitions() -> Result<(), DecodeError> {
    let found: ConsumerProtocolAssignment = read("ConsumerProtocolAssignment", 0)?;
    assert_eq!(found.assigned_partitions.len(), 1);
    assert_eq!(found.assigned_partitions[0].topic, "äe6d");
    assert_eq!(found.assigned_partitions[0].partitions, [61463]);
    assert_eq!(found.user_data.as_deref(), Some(&[0xc7, 0xd5, 0x8f][..]));
    Ok(())
}

#[test]
fn an_offset_answer_by_group_has_its_values_in_their_places() -> Result<(), DecodeError> {
    let found: OffsetFetchResponse = read("OffsetFetchResponse", 8)?;
    assert_eq!(found.throttle_time_ms, 4051);
    assert_eq!(found.groups[0].group_id, "älm8e");
    assert_eq!(found.groups[0].error_code, -11065);
    let second = &found.groups[0].topics[0].partitions[1];
    assert_eq!(second.partition_index, 47634);
    assert_eq!(second.committed_offset, 2_545_005_422_173_048_996);
    assert_eq!(second.committed_leader_epoch, 43136);
    assert_eq!(second.metadata.as_deref(), Some("ä1nbv"));
    assert_eq!(second.error_code, 13131);
    Ok(())
}

#[test]
fn tagged_fields_are_found_wherever_they_are() -> Result<(), DecodeError> {
    let found: FetchRequest = read("FetchRequest", 17)?;
    assert_eq!(found.cluster_id.as_deref(), Some("ä3605"));
    assert_eq!(found.replica_state.replica_id, 57275);
    assert_eq!(found.replica_state.replica_epoch, 8_002_725_696_216_722_142);
    let partition = &found.topics[0].partitions[0];
    let directory = partition.replica_directory_id.to_string();
    assert_eq!(directory, "3NbuEXPrK_DvMKKwzguzew");
    assert_eq!(partition.fetch_offset, 5_868_569_724_300_500_387);
    assert_eq!(found.rack_id, "äacl9");
    Ok(())
}

#[test]
fn a_message_says_what_is_wrong_with_it() {
    let whole = bytes_of("FetchRequest", 17);
    let more: Bytes = [&whole[..], &[0]].concat().into();
    for (bytes, version, fault) in [
        (more, 17, Fault::TrailingBytes),
        (whole.slice(..3), 17, Fault::EndsEarly),
        (whole.clone(), 3, Fault::UnknownVersion),
        (whole, 19, Fault::UnknownVersion),
    ] {
        let found = FetchRequest::from_bytes(bytes, version);
        assert_eq!(found.map_err(|error| error.fault), Err(fault));
    }
}
