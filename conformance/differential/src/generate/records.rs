//! Records: written, read, looked up.

use serde_json::{Value, json};

use super::dice::Dice;
use super::world::World;

/// Long ago for any clock, and for no retention: brokers of a comparison keep everything.
const TIME_MS: i64 = 1_700_000_000_000;

pub(super) fn init_producer_id(dice: &mut Dice, world: &World) -> (&'static str, Value) {
    let (producer_id, producer_epoch) = match dice.one_in(3) {
        true => world.producer(dice),
        false => dice.mostly(
            &[(json!(-1), json!(-1))],
            &[(json!(-1), json!(0)), (json!(5), json!(-1))],
        ),
    };
    // Transactions are another comparison's.
    let request = json!({
        "transactional_id": dice.mostly(&[Value::Null], &[json!("")]),
        "transaction_timeout_ms": dice.mostly(&[60_000], &[0, -1]),
        "producer_id": producer_id,
        "producer_epoch": producer_epoch,
    });
    ("InitProducerId", request)
}

pub(super) fn produce(dice: &mut Dice, world: &World) -> (&'static str, Value) {
    let topics = dice.distinct("topic_id", |dice| {
        let name = world.topic(dice);
        let id = match dice.one_in(10) {
            true => world.topic_id(dice),
            false => world.id_of(&name),
        };
        let partitions = dice.distinct_some("index", |dice| {
            json!({"index": dice.mostly(&[0], &[1, 2, 3, -1]), "records": batches(dice, world)})
        });
        json!({"name": name, "topic_id": id, "partition_data": partitions})
    });
    let request = json!({
        "acks": dice.mostly(&[-1, -1, 1], &[0, 2, -2]),
        "timeout_ms": dice.mostly(&[30_000], &[1000]),
        "topic_data": topics,
    });
    ("Produce", request)
}

fn batches(dice: &mut Dice, world: &World) -> Value {
    match dice.range(0, 24) {
        0 | 1 => json!([]),
        2 => json!([batch(dice, world), batch(dice, world)]),
        3 => {
            json!([{"hex": dice.pick(&["00", "0000000000000000", "000000000000000000000000", "0000000000000000ffffffff"])}])
        }
        _ => json!([batch(dice, world)]),
    }
}

fn batch(dice: &mut Dice, world: &World) -> Value {
    let records = (0..dice.range(1, 4)).map(|at| {
        let time = TIME_MS + at + dice.range(0, 1000);
        let key = dice.pick(&[Value::Null, json!("k"), json!("l"), json!("")]);
        let value = dice.mostly(
            &[json!("v"), json!(100), Value::Null],
            &[json!(1900), json!("")],
        );
        json!([time, key, value])
    });
    let records: Vec<Value> = records.collect();
    let mut batch = json!({"records": records});
    if dice.one_in(3) {
        batch["attributes"] = dice.range(0, 4).into();
    }
    if dice.one_in(2) {
        let (producer_id, producer_epoch) = world.producer(dice);
        batch["producer_id"] = producer_id;
        batch["producer_epoch"] = producer_epoch;
        batch["base_sequence"] = dice
            .mostly(&[0, 0, 1, 2, 3, 4, 6], &[-1, i32::MAX, 100])
            .into();
    }
    if dice.one_in(5) {
        spoil(dice, &mut batch);
    }
    batch
}

/// One thing wrong, or merely unusual.
fn spoil(dice: &mut Dice, batch: &mut Value) {
    let (field, value) = dice.pick(&[
        ("crc_xor", json!(1)),
        ("magic", json!(1)),
        ("magic", json!(0)),
        ("magic", json!(3)),
        ("magic", json!(-1)),
        ("length_delta", json!(1)),
        ("length_delta", json!(-1)),
        ("length_delta", json!(-1000)),
        ("length_delta", json!(1_000_000)),
        ("count", json!(0)),
        ("count", json!(-1)),
        ("count", json!(9)),
        ("last_offset_delta", json!(-1)),
        ("last_offset_delta", json!(9)),
        ("base_offset", json!(7)),
        ("base_offset", json!(-1)),
        ("leader_epoch", json!(0)),
        ("leader_epoch", json!(5)),
        ("attributes", json!(16)),
        ("attributes", json!(32)),
        ("attributes", json!(48)),
        ("attributes", json!(8)),
        ("attributes", json!(5)),
        ("attributes", json!(7)),
        ("attributes", json!(64)),
        ("attributes", json!(128)),
        ("max_timestamp", json!(0)),
        ("max_timestamp", json!(-1)),
        ("base_timestamp", json!(-1)),
        ("base_timestamp", json!(4_000_000_000_000_i64)),
        ("records", json!([])),
        ("records", json!([[-1, null, "v"]])),
        ("records", json!([[4_000_000_000_000_i64, null, "future"]])),
        ("records", json!([[TIME_MS, null, 1_048_600]])),
        ("cut", json!(1)),
        ("cut", json!(3)),
    ]);
    batch[field] = value;
}

pub(super) fn fetch(dice: &mut Dice, world: &World) -> (&'static str, Value) {
    let topics: Vec<Value> = dice.distinct("topic_id", |dice| fetch_topic(dice, world));
    let (session_id, session_epoch) = match dice.one_in(3) {
        false => dice.mostly(
            &[(json!(0), -1)],
            &[(json!(0), 1), (json!(9), 1), (json!(9), -1)],
        ),
        true if world.sessions.is_empty() => (json!(0), 0),
        true => {
            let session = dice.pick(&world.sessions);
            (session, dice.pick(&[1, 1, 1, 2, 3, -1, 0]))
        }
    };
    let mut request = json!({
        "replica_id": -1,
        "max_wait_ms": dice.mostly(&[0], &[1, 5]),
        "min_bytes": dice.mostly(&[0, 1], &[-1]),
        "max_bytes": dice.mostly(&[1 << 20], &[0, 1, 150]),
        "isolation_level": dice.mostly(&[0, 1], &[0]),
        "session_id": session_id,
        "session_epoch": session_epoch,
        "topics": topics,
        "rack_id": dice.mostly(&[""], &["somewhere"]),
    });
    if dice.one_in(10) {
        let name = world.topic(dice);
        let id = world.id_of(&name);
        request["forgotten_topics_data"] =
            json!([{"topic": name, "topic_id": id, "partitions": [0]}]);
    }
    ("Fetch", request)
}

fn fetch_topic(dice: &mut Dice, world: &World) -> Value {
    let name = world.topic(dice);
    let id = match dice.one_in(10) {
        true => world.topic_id(dice),
        false => world.id_of(&name),
    };
    let partitions = dice.distinct_some("partition", |dice| {
        json!({
            "partition": dice.mostly(&[0], &[1, 2, 3, -1]),
            "current_leader_epoch": dice.mostly(&[-1, 0], &[1, -2, 7]),
            "fetch_offset": dice.mostly(&[0, 0, 1, 2], &[-1, 5, 100]),
            "last_fetched_epoch": dice.mostly(&[-1], &[0, 1]),
            "log_start_offset": -1,
            "partition_max_bytes": dice.mostly(&[1 << 20], &[0, 1, 150, -1]),
        })
    });
    json!({"topic": name, "topic_id": id, "partitions": partitions})
}

pub(super) fn list_offsets(dice: &mut Dice, world: &World) -> (&'static str, Value) {
    let topics = dice.distinct("name", |dice| {
        let partitions = dice.distinct_some("partition_index", |dice| {
            json!({
                "partition_index": dice.mostly(&[0], &[1, 2, 3, -1]),
                "current_leader_epoch": dice.mostly(&[-1, 0], &[1, -2]),
                "timestamp": dice.mostly(
                    &[-1, -2, -3, TIME_MS, TIME_MS + 500, TIME_MS + 1100, 0],
                    &[-4, -5, -6, -7, i64::MAX],
                ),
            })
        });
        json!({"name": world.topic(dice), "partitions": partitions})
    });
    let request = json!({
        "replica_id": dice.mostly(&[-1], &[-2]),
        "isolation_level": dice.mostly(&[0, 1], &[0]),
        "topics": topics,
        "timeout_ms": 5000,
    });
    ("ListOffsets", request)
}

pub(super) fn offset_for_leader_epoch(dice: &mut Dice, world: &World) -> (&'static str, Value) {
    let topics = dice.distinct("topic", |dice| {
        let partitions = dice.distinct_some("partition", |dice| {
            json!({
                "partition": dice.mostly(&[0], &[1, 2, 3, -1]),
                "current_leader_epoch": dice.mostly(&[-1, 0], &[1, -2]),
                "leader_epoch": dice.mostly(&[0, 0, 1], &[-1, 5, -2]),
            })
        });
        json!({"topic": world.topic(dice), "partitions": partitions})
    });
    let request = json!({"replica_id": -2, "topics": topics});
    ("OffsetForLeaderEpoch", request)
}

pub(super) fn delete_records(dice: &mut Dice, world: &World) -> (&'static str, Value) {
    let topics = dice.distinct("name", |dice| {
        let partitions = dice.distinct_some("partition_index", |dice| {
            json!({
                "partition_index": dice.mostly(&[0], &[1, 3, -1]),
                "offset": dice.mostly(&[0, 1, 2, -1], &[100, -2]),
            })
        });
        json!({"name": world.topic(dice), "partitions": partitions})
    });
    (
        "DeleteRecords",
        json!({"topics": topics, "timeout_ms": 5000}),
    )
}
