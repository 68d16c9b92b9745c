//! The answers around the load: versions, topics, leaders, offsets. Not measured; as short as the driver takes them.

use anyhow::{Result, bail};
use wire::api::{self, Api};
use wire::{Decoder, Encoder, Malformed};

use crate::connection::Floor;

const UNKNOWN_TOPIC_OR_PARTITION: i16 = 3;
const NODE_ID: i32 = 1;

/// The answer to anything but Produce.
pub(crate) fn answer(
    key: i16,
    version: i16,
    correlation_id: i32,
    body: &mut Decoder<'_>,
    floor: &Floor,
) -> Result<Vec<u8>> {
    let Some(api) = api::ALL
        .iter()
        .find(|api| (api.key, api.version) == (key, version))
    else {
        bail!("API {key} version {version} is not served");
    };
    let mut answer = Encoder::response(*api, correlation_id);
    match *api {
        api::API_VERSIONS => versions(&mut answer),
        api::METADATA => metadata(body, &mut answer, floor)?,
        api::CREATE_TOPICS => create_topics(body, &mut answer, floor)?,
        api::LIST_OFFSETS => list_offsets(body, &mut answer, floor)?,
        api::DELETE_TOPICS => delete_topics(body, &mut answer, floor)?,
        Api { name, .. } => bail!("{name} is not served"),
    }
    Ok(answer.finish())
}

fn versions(answer: &mut Encoder) {
    answer.i16(0);
    answer.array(api::ALL.len());
    for api in api::ALL {
        answer.i16(api.key);
        answer.i16(api.version);
        answer.i16(api.version);
        answer.tags();
    }
    answer.i32(0); // throttle time
    answer.tags();
}

fn metadata(body: &mut Decoder<'_>, answer: &mut Encoder, floor: &Floor) -> Result<(), Malformed> {
    answer.i32(0); // throttle time
    answer.array(1);
    answer.i32(NODE_ID);
    answer.string(&floor.address.ip().to_string());
    answer.i32(i32::from(floor.address.port()));
    answer.null(); // rack
    answer.tags();
    answer.null(); // cluster id
    answer.i32(NODE_ID);
    let topics = body.array()?;
    answer.array(topics);
    for _ in 0..topics {
        let name = body.string()?;
        body.tags()?;
        let topic = floor.topics.get(name);
        let partitions = topic.as_ref().map_or(0, |topic| topic.partitions());
        answer.i16(if topic.is_some() {
            0
        } else {
            UNKNOWN_TOPIC_OR_PARTITION
        });
        answer.string(name);
        answer.bool(false); // internal
        answer.array(partitions);
        (0..partitions).for_each(|partition| metadata_partition(answer, partition as i32));
        answer.i32(i32::MIN); // authorized operations: not asked for
        answer.tags();
    }
    answer.i32(i32::MIN);
    answer.tags();
    Ok(())
}

fn metadata_partition(answer: &mut Encoder, partition: i32) {
    answer.i16(0);
    answer.i32(partition);
    answer.i32(NODE_ID);
    answer.i32(0); // leader epoch
    for _replicas_isr in 0..2 {
        answer.array(1);
        answer.i32(NODE_ID);
    }
    answer.array(0); // offline replicas
    answer.tags();
}

/// The first topic of the request.
fn create_topics(
    body: &mut Decoder<'_>,
    answer: &mut Encoder,
    floor: &Floor,
) -> Result<(), Malformed> {
    body.array()?;
    let name = body.string()?;
    let partitions = body.i32()?;
    floor.topics.create(name, partitions);
    answer.i32(0); // throttle time
    answer.array(1);
    answer.string(name);
    answer.i16(0);
    answer.null(); // error message
    answer.i32(partitions);
    answer.i16(1); // replication factor
    answer.array(0); // configs
    answer.tags();
    answer.tags();
    Ok(())
}

/// The first topic of the request.
fn list_offsets(
    body: &mut Decoder<'_>,
    answer: &mut Encoder,
    floor: &Floor,
) -> Result<(), Malformed> {
    body.i32()?; // replica id
    body.i8()?; // isolation level
    body.array()?;
    let name = body.string()?;
    let topic = floor.topics.get(name);
    let partitions = body.array()?;
    answer.i32(0); // throttle time
    answer.array(1);
    answer.string(name);
    answer.array(partitions);
    for _ in 0..partitions {
        let partition = body.i32()?;
        body.i32()?; // leader epoch
        body.i64()?; // timestamp: always the latest
        body.tags()?;
        let end = topic.as_ref().and_then(|topic| topic.end(partition));
        answer.i32(partition);
        answer.i16(if end.is_some() {
            0
        } else {
            UNKNOWN_TOPIC_OR_PARTITION
        });
        answer.i64(-1); // timestamp
        answer.i64(end.unwrap_or(-1));
        answer.i32(0); // leader epoch
        answer.tags();
    }
    answer.tags();
    answer.tags();
    Ok(())
}

/// The first topic of the request.
fn delete_topics(
    body: &mut Decoder<'_>,
    answer: &mut Encoder,
    floor: &Floor,
) -> Result<(), Malformed> {
    body.array()?;
    let name = body.string()?;
    let existed = floor.topics.delete(name);
    answer.i32(0); // throttle time
    answer.array(1);
    answer.string(name);
    answer.i16(if existed {
        0
    } else {
        UNKNOWN_TOPIC_OR_PARTITION
    });
    answer.tags();
    answer.tags();
    Ok(())
}
