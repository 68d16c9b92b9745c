//! Topics with a codec of their own: what comes otherwise is stored under it, record for record as it was sent; what breaks a rule on
//! the way is refused.

use protocol::batch::{Batch, BatchHeader, TimestampType};
use protocol::batch_builder::BatchOptions;
use protocol::compression::Codec;
use protocol::error::ErrorCode;

use crate::batches::{self, NOW_MS};
use crate::client::{self, Client};
use crate::running::Running;

const TYPES: [(&str, Codec); 5] = [
    ("uncompressed", Codec::None),
    ("gzip", Codec::Gzip),
    ("snappy", Codec::Snappy),
    ("lz4", Codec::Lz4),
    ("zstd", Codec::Zstd),
];

type Read = (i64, i64, Option<Vec<u8>>, Option<Vec<u8>>);

fn read(bytes: &[u8]) -> (BatchHeader, Vec<Read>) {
    let batch = Batch::single(bytes).unwrap();
    batch.check_crc().unwrap();
    let mut scratch = Vec::new();
    let records = batch.records(1 << 24, &mut scratch).unwrap();
    let owned = |bytes: Option<&[u8]>| bytes.map(<[u8]>::to_vec);
    let records = records.map(|record| {
        let record = record.unwrap();
        let (key, value) = (owned(record.key), owned(record.value));
        (record.offset, record.timestamp, key, value)
    });
    (*batch.header(), records.collect())
}

/// The one batch that begins at `offset`.
async fn stored(client: &mut Client, topic: &str, offset: i64) -> (BatchHeader, Vec<Read>) {
    let fetched = client.fetch_from(topic, offset).await;
    assert_eq!(fetched.error_code, 0);
    read(&fetched.records.unwrap_or_default().to_bytes().unwrap())
}

fn sent(codec: Codec, producer_id: i64) -> Vec<u8> {
    let options = BatchOptions {
        codec,
        producer_id,
        producer_epoch: 3,
        base_sequence: 0,
        ..Default::default()
    };
    let value = "a value that comes again and again ".repeat(50);
    let records = [
        (Some("a"), value.as_bytes(), NOW_MS + 5),
        (None, b"", NOW_MS + 9),
        (Some(""), b"short", NOW_MS),
    ];
    batches::build(options, &records)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_codec_becomes_every_other_and_the_records_stay() {
    let running = Running::start("").await;
    let mut client = running.client().await;
    for (kind, wanted) in TYPES {
        running.topic(kind, &[("compression.type", kind)]).await;
        for (number, codec) in (0..).zip(Codec::ALL) {
            let batch = sent(codec, 100 + number);
            let offset = client.produce(kind, &batch).await.unwrap();
            assert_eq!(offset, 3 * number, "{codec:?} to {kind}");
            // A retry is known by the producer's fields.
            assert_eq!(client.produce(kind, &batch).await.unwrap(), offset);
            let (header, records) = stored(&mut client, kind, offset).await;
            let (sent_header, sent_records) = read(&batch);
            let moved = sent_records
                .into_iter()
                .map(|(at, time, key, value)| (at + offset, time, key, value));
            assert_eq!(records, moved.collect::<Vec<_>>(), "{codec:?} to {kind}");
            assert_eq!(header.codec(), Ok(wanted), "{codec:?} to {kind}");
            let producer = |header: &BatchHeader| {
                let &BatchHeader {
                    producer_id,
                    producer_epoch,
                    base_sequence,
                    base_timestamp,
                    max_timestamp,
                    ..
                } = header;
                (
                    producer_id,
                    producer_epoch,
                    base_sequence,
                    base_timestamp,
                    max_timestamp,
                )
            };
            assert_eq!(producer(&header), producer(&sent_header));
        }
    }
    running.serves_others().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_brokers_time_and_the_brokers_default_count_as_well() {
    let running = Running::start("compression.type=zstd").await;
    let stamped = [("message.timestamp.type", "LogAppendTime")];
    running.topic("stamped", &stamped).await;
    let mut client = running.client().await;
    let offset = client.produce("stamped", &sent(Codec::Gzip, -1)).await;
    let (header, records) = stored(&mut client, "stamped", offset.unwrap()).await;
    assert_eq!(header.codec(), Ok(Codec::Zstd));
    assert_eq!(header.timestamp_type(), TimestampType::LogAppendTime);
    assert!(header.max_timestamp > NOW_MS);
    assert_eq!(records.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_older_than_zstd_are_told() {
    let running = Running::start("").await;
    running.topic("z", &[("compression.type", "zstd")]).await;
    let mut client = running.client().await;
    client.produce("z", &sent(Codec::None, -1)).await.unwrap();
    let request = client::fetch("z", &[client::partition(0, 0)]);
    for (version, code) in [(9, ErrorCode::UnsupportedCompressionType.into()), (10, 0)] {
        let fetched = client::only_fetched(client.ask(&request, version).await);
        assert_eq!(fetched.error_code, code, "version {version}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_level_costs_or_saves_bytes() {
    let running = Running::start("").await;
    let mut client = running.client().await;
    let words: Vec<String> = (0..20_000_u32)
        .map(|number| format!("{:x}", number.wrapping_mul(2_654_435_761) >> 12))
        .collect();
    let value = words.join(" ");
    let batch = batches::plain(&[("k", &value)]);
    for (codec, low, high) in [("gzip", "1", "9"), ("zstd", "-50", "19")] {
        let mut lengths = Vec::new();
        for level in [low, high] {
            let topic = format!("{codec}.{level}");
            let option = format!("compression.{codec}.level");
            let options = [("compression.type", codec), (option.as_str(), level)];
            running.topic(&topic, &options).await;
            client.produce(&topic, &batch).await.unwrap();
            lengths.push(stored(&mut client, &topic, 0).await.0.length);
        }
        assert!(lengths[0] > lengths[1], "{codec}: {lengths:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_a_rule_on_the_way_is_refused() {
    let running = Running::start("").await;
    let mut client = running.client().await;
    let limit = ("max.message.bytes", "100000");
    for (topic, options) in [
        ("small", vec![("compression.type", "uncompressed"), limit]),
        ("bomb", vec![("compression.type", "zstd"), limit]),
        (
            "keyed",
            vec![("compression.type", "lz4"), ("cleanup.policy", "compact")],
        ),
        (
            "timely",
            vec![
                ("compression.type", "gzip"),
                ("message.timestamp.before.max.ms", "1000"),
            ],
        ),
    ] {
        running.topic(topic, &options).await;
    }
    let large = "x".repeat(200_000);
    let huge = "x".repeat(20_000_000);
    let large = batches::compressed(Codec::Gzip, &[("k", &large)]);
    let huge = batches::compressed(Codec::Gzip, &[("k", &huge)]);
    let claiming = batches::claiming(sent(Codec::Gzip, -1), 4);
    for (topic, batch, code) in [
        ("small", &large, ErrorCode::MessageTooLarge),
        ("bomb", &huge, ErrorCode::MessageTooLarge),
        ("small", &claiming, ErrorCode::InvalidRecord),
        ("keyed", &sent(Codec::Gzip, -1), ErrorCode::InvalidRecord),
        (
            "timely",
            &sent(Codec::Zstd, -1),
            ErrorCode::InvalidTimestamp,
        ),
    ] {
        let refused = client.produce(topic, batch).await.unwrap_err();
        assert_eq!(refused.error_code, i16::from(code), "{topic}: {refused:?}");
    }
    assert_eq!(client.produce("bomb", &large).await, Ok(0));
    running.serves_others().await;
}

/// More of them than there are cores, at a level that takes its time.
#[tokio::test(flavor = "multi_thread")]
async fn others_are_served_meanwhile() {
    let running = Running::start("").await;
    let options = [
        ("compression.type", "zstd"),
        ("compression.zstd.level", "19"),
    ];
    running.topic("slow", &options).await;
    let value: String = (0..100_000_u32)
        .map(|number| char::from(b'a' + (number.wrapping_mul(2_654_435_761) >> 28) as u8))
        .collect();
    let batch = batches::plain(&[("k", &value)]);
    let mut clients = Vec::new();
    for _ in 0..8 {
        let mut client = running.client().await;
        for _ in 0..3 {
            client.send(&client::produce("slow", &batch), 9).await;
        }
        clients.push(client);
    }
    running.serves_others().await;
    for mut client in clients {
        for _ in 0..3 {
            let answer = client
                .receive::<protocol::messages::produce::ProduceRequest>(9)
                .await;
            let answer = client::only_partition(answer.unwrap());
            assert_eq!(answer.error_code, 0);
        }
    }
}
