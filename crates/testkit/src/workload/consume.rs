//! Who reads: at random places, as a member of a group that commits, and everything after a start.

use std::collections::BTreeMap;

use bytes::Bytes;
use protocol::KafkaString;
use protocol::batch::Batches;
use protocol::messages::fetch::{FetchPartition, FetchRequest, FetchTopic, PartitionData};
use protocol::messages::find_coordinator::FindCoordinatorRequest;
use protocol::messages::join_group::{JoinGroupRequest, JoinGroupRequestProtocol};
use protocol::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use protocol::messages::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopics,
};
use protocol::messages::sync_group::{SyncGroupRequest, SyncGroupRequestAssignment};

use super::{Context, PARTITIONS, Stop, check};
use crate::history::{Place, Value, Violation};

const GROUP: &str = "gatherers";
const FETCH_VERSION: i16 = 12;
const BATCH_BYTES_MAX: usize = 1024 * 1024;

/// Reads at random places.
pub(super) struct Reader;

impl Reader {
    pub(super) async fn round(&mut self, context: &mut Context) -> Result<(), Stop> {
        let place = context.choose_place();
        context.find_topic(&place.0).await?;
        let shown = context.history.lock().high_watermark(&place);
        let offset = context.rng.below(shown.unsigned_abs() + 1).cast_signed();
        fetch(context, &place, offset, 50).await.map(drop)
    }
}

/// The one member of a group: joins in each life, goes on where the group has committed.
#[derive(Default)]
pub(super) struct Member {
    joined: Option<Joined>,
    /// Where it reads next.
    positions: BTreeMap<Place, i64>,
}

struct Joined {
    member_id: KafkaString,
    generation: i32,
}

impl Member {
    pub(super) async fn round(&mut self, context: &mut Context) -> Result<(), Stop> {
        let place = context.choose_place();
        context.find_topic(&place.0).await?;
        let Some(joined) = &self.joined else {
            self.joined = Some(join(context).await?);
            return Ok(());
        };
        let position = match self.positions.get(&place) {
            Some(position) => *position,
            None => committed(context, &place).await?.max(0),
        };
        let (records, _) = fetch(context, &place, position, 100).await?;
        let next = records.last().map_or(position, |(offset, _)| offset + 1);
        self.positions.insert(place.clone(), next);
        if next > position {
            commit(context, joined, &place, next).await?;
        }
        Ok(())
    }

    /// The life ends.
    pub(super) fn forget(&mut self) {
        self.joined = None;
        self.positions.clear();
    }
}

/// Records from an offset on, with the high watermark; all that is shown is noted.
pub(super) async fn fetch(
    context: &mut Context,
    place: &Place,
    offset: i64,
    max_wait_ms: i32,
) -> Result<(Vec<(i64, Value)>, i64), Stop> {
    let partition = FetchPartition {
        partition: place.1,
        current_leader_epoch: -1,
        fetch_offset: offset,
        last_fetched_epoch: -1,
        log_start_offset: -1,
        partition_max_bytes: 64 * 1024,
        ..Default::default()
    };
    let topic = FetchTopic {
        topic: KafkaString::from(place.0.clone()),
        partitions: vec![partition],
        ..Default::default()
    };
    let request = FetchRequest {
        replica_id: -1,
        max_wait_ms,
        min_bytes: 1,
        max_bytes: 1024 * 1024,
        session_epoch: -1,
        topics: vec![topic],
        ..Default::default()
    };
    let response = context.ask(&request, FETCH_VERSION).await?;
    check("a fetch", response.error_code)?;
    let found = response
        .responses
        .iter()
        .flat_map(|topic| &topic.partitions);
    let [found] = found.collect::<Vec<_>>()[..] else {
        return Err(Violation("one partition was asked for, not one answered".to_owned()).into());
    };
    check("fetching a partition", found.error_code)?;
    let records = decode(place, found, offset)?;
    let mut history = context.history.lock();
    for (offset, value) in &records {
        history.saw_record(place, *offset, value)?;
    }
    history.saw_high_watermark(place, found.high_watermark);
    Ok((records, found.high_watermark))
}

/// The records at and behind `from`, which must be below the high watermark.
fn decode(place: &Place, found: &PartitionData, from: i64) -> Result<Vec<(i64, Value)>, Violation> {
    let malformed =
        |what: &dyn std::fmt::Display| Violation(format!("{place:?} at {from}: {what}"));
    let bytes = found
        .records
        .as_ref()
        .and_then(protocol::Records::to_bytes)
        .unwrap_or_default();
    let mut records = Vec::new();
    for batch in Batches::new(&bytes) {
        let batch = batch.map_err(|error| malformed(&error))?;
        batch.check_crc().map_err(|error| malformed(&error))?;
        let mut scratch = Vec::new();
        for record in batch
            .records(BATCH_BYTES_MAX, &mut scratch)
            .map_err(|error| malformed(&error))?
        {
            let record = record.map_err(|error| malformed(&error))?;
            if record.offset >= found.high_watermark {
                return Err(malformed(&"records above the high watermark"));
            }
            let value = parse(record.value.unwrap_or_default());
            let value = value.ok_or_else(|| malformed(&"a record that nobody has sent"))?;
            if record.offset >= from {
                records.push((record.offset, value));
            }
        }
    }
    Ok(records)
}

fn parse(value: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(value).ok()?;
    let mut words = text.split(' ');
    Some(Value {
        producer: words.next()?.to_owned(),
        number: words.next()?.parse().ok()?,
    })
}

async fn join(context: &mut Context) -> Result<Joined, Stop> {
    let find = FindCoordinatorRequest {
        coordinator_keys: vec![KafkaString::from(GROUP)],
        ..Default::default()
    };
    for coordinator in &context.ask(&find, 4).await?.coordinators {
        check("finding the coordinator", coordinator.error_code)?;
    }
    let protocol = JoinGroupRequestProtocol {
        name: KafkaString::from("range"),
        metadata: Bytes::from_static(b"metadata"),
    };
    let mut join = JoinGroupRequest {
        group_id: KafkaString::from(GROUP),
        session_timeout_ms: 6_000,
        rebalance_timeout_ms: 6_000,
        protocol_type: KafkaString::from("consumer"),
        protocols: vec![protocol],
        ..Default::default()
    };
    // The first answer gives the id to join with.
    join.member_id = context.ask(&join, 9).await?.member_id;
    let joined = context.ask(&join, 9).await?;
    check("joining the group", joined.error_code)?;
    let assignment = SyncGroupRequestAssignment {
        member_id: joined.member_id.clone(),
        assignment: Bytes::from_static(b"all"),
    };
    let leads = joined.leader == joined.member_id;
    let sync = SyncGroupRequest {
        group_id: KafkaString::from(GROUP),
        generation_id: joined.generation_id,
        member_id: joined.member_id.clone(),
        protocol_type: joined.protocol_type.clone(),
        protocol_name: joined.protocol_name.clone(),
        assignments: if leads { vec![assignment] } else { Vec::new() },
        ..Default::default()
    };
    check("syncing the group", context.ask(&sync, 5).await?.error_code)?;
    Ok(Joined {
        member_id: joined.member_id,
        generation: joined.generation_id,
    })
}

async fn commit(
    context: &mut Context,
    joined: &Joined,
    place: &Place,
    offset: i64,
) -> Result<(), Stop> {
    let partition = OffsetCommitRequestPartition {
        partition_index: place.1,
        committed_offset: offset,
        committed_leader_epoch: -1,
        ..Default::default()
    };
    let topic = OffsetCommitRequestTopic {
        name: KafkaString::from(place.0.clone()),
        partitions: vec![partition],
        ..Default::default()
    };
    let request = OffsetCommitRequest {
        group_id: KafkaString::from(GROUP),
        generation_id_or_member_epoch: joined.generation,
        member_id: joined.member_id.clone(),
        topics: vec![topic],
        ..Default::default()
    };
    context.history.lock().sends_offset(place, offset);
    let response = context.ask(&request, 8).await?;
    for partition in response.topics.iter().flat_map(|topic| &topic.partitions) {
        check("committing an offset", partition.error_code)?;
        context.history.lock().saw_offset(place, offset)?;
    }
    Ok(())
}

/// The group's offset, −1 for none.
async fn committed(context: &mut Context, place: &Place) -> Result<i64, Stop> {
    let topic = OffsetFetchRequestTopics {
        name: KafkaString::from(place.0.clone()),
        partition_indexes: vec![place.1],
        ..Default::default()
    };
    let group = OffsetFetchRequestGroup {
        group_id: KafkaString::from(GROUP),
        member_epoch: -1,
        topics: Some(vec![topic]),
        ..Default::default()
    };
    let request = OffsetFetchRequest {
        groups: vec![group],
        ..Default::default()
    };
    let response = context.ask(&request, 8).await?;
    let mut offset = -1;
    for group in &response.groups {
        check("fetching a group's offsets", group.error_code)?;
        for partition in group.topics.iter().flat_map(|topic| &topic.partitions) {
            check("fetching an offset", partition.error_code)?;
            offset = partition.committed_offset;
            context.history.lock().saw_offset(place, offset)?;
        }
    }
    Ok(offset)
}

/// Reads everything there is and holds it against the history.
pub(super) async fn verify(context: &mut Context) -> Result<(), Stop> {
    let topics: Vec<String> = context
        .history
        .lock()
        .topics()
        .map(|(name, _)| name.clone())
        .collect();
    for topic in topics {
        context.find_topic(&topic).await?;
        for partition in 0..PARTITIONS {
            let place = (topic.clone(), partition);
            let mut log = Vec::new();
            let high_watermark = loop {
                let next = log.last().map_or(0, |(offset, _)| offset + 1);
                let (records, high_watermark) = fetch(context, &place, next, 0).await?;
                if records.is_empty() {
                    break high_watermark;
                }
                log.extend(records);
            };
            context.history.lock().check(&place, &log, high_watermark)?;
        }
    }
    let places = context.history.lock().offset_places();
    for place in places {
        committed(context, &place).await?;
    }
    Ok(())
}
