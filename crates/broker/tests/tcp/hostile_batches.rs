//! Record batches that lie, break or bomb: each is refused with Kafka's code, and what is refused leaves no trace in the log.

use protocol::KafkaString;
use protocol::batch_builder::BatchOptions;
use protocol::compression::Codec;
use protocol::error::ErrorCode;
use protocol::messages::api_versions::ApiVersionsRequest;
use protocol::messages::produce::PartitionProduceData;

use crate::batches::{self, NOW_MS};
use crate::client::{self, PRODUCE_VERSION};
use crate::running::Running;

#[tokio::test(flavor = "multi_thread")]
async fn bad_batches_are_refused_by_code_and_leave_no_trace() {
    use ErrorCode::{CorruptMessage, InvalidRecord, MessageTooLarge, UnsupportedVersion};
    let running = Running::start("").await;
    running.topic("t", &[]).await;
    running
        .topic("small", &[("max.message.bytes", "100")])
        .await;
    let good = batches::plain(&[("a", "1"), ("b", "2")]);
    let patched = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        bytes
    };
    let flagged = |options: BatchOptions| batches::with_options(options, &[("k", "v")]);
    let defaults = BatchOptions::default();
    let long = "x".repeat(200);
    for (what, topic, batch, code) in [
        (
            "last byte flipped",
            "t",
            patched(good.len() - 1, 0xff),
            CorruptMessage,
        ),
        (
            "CRC flipped",
            "t",
            patched(17, good[17] ^ 1),
            CorruptMessage,
        ),
        ("cut", "t", good[..good.len() - 1].to_vec(), InvalidRecord),
        ("header only", "t", good[..61].to_vec(), InvalidRecord),
        ("a few bytes", "t", good[..10].to_vec(), InvalidRecord),
        (
            "two batches",
            "t",
            [&good[..], &good[..]].concat(),
            InvalidRecord,
        ),
        ("nothing", "t", Vec::new(), InvalidRecord),
        (
            "too many records claimed",
            "t",
            batches::claiming(good.clone(), 3),
            InvalidRecord,
        ),
        (
            "too few records claimed",
            "t",
            batches::claiming(good.clone(), 1),
            InvalidRecord,
        ),
        (
            "no records claimed",
            "t",
            batches::claiming(good.clone(), 0),
            InvalidRecord,
        ),
        (
            "2^31 records claimed",
            "t",
            batches::claiming(good.clone(), i32::MAX),
            InvalidRecord,
        ),
        (
            "control",
            "t",
            flagged(BatchOptions {
                is_control: true,
                ..defaults
            }),
            InvalidRecord,
        ),
        (
            "transactional",
            "t",
            flagged(BatchOptions {
                is_transactional: true,
                producer_id: 1,
                producer_epoch: 0,
                base_sequence: 0,
                ..defaults
            }),
            UnsupportedVersion,
        ),
        (
            "too large",
            "small",
            batches::plain(&[("k", &long)]),
            MessageTooLarge,
        ),
    ] {
        let mut client = running.client().await;
        let refused = client.produce(topic, &batch).await.unwrap_err();
        assert_eq!(
            ErrorCode::try_from(refused.error_code).unwrap(),
            code,
            "{what}"
        );
        assert_eq!(refused.base_offset, -1, "{what}");
        assert!(refused.error_message.is_some(), "{what}");
    }
    let offset = running.client().await.produce("t", &good).await;
    assert_eq!(offset, Ok(0));
    running.serves_others().await;
}

/// A compressed batch is not inflated as a rule; one whose count its bytes can hardly hold is.
#[tokio::test(flavor = "multi_thread")]
async fn a_compressed_batch_cannot_claim_records_it_has_not() {
    let running = Running::start("").await;
    running.topic("t", &[]).await;
    let mut client = running.client().await;
    for codec in [Codec::Gzip, Codec::Snappy, Codec::Lz4, Codec::Zstd] {
        let batch = batches::compressed(codec, &[("a", "1"), ("b", "2")]);
        for count in [i32::MAX, 1_000_000, 10_000] {
            let lie = batches::claiming(batch.clone(), count);
            let refused = client.produce("t", &lie).await.unwrap_err();
            let code = ErrorCode::try_from(refused.error_code).unwrap();
            assert_eq!(code, ErrorCode::InvalidRecord, "{codec:?} {count}");
        }
    }
    // Many records in few bytes, truly: alike ones.
    let many = vec![("k", ""); 20_000];
    let mut next = 0;
    for codec in [Codec::Gzip, Codec::Zstd] {
        let batch = batches::compressed(codec, &many);
        assert_eq!(client.produce("t", &batch).await, Ok(next), "{codec:?}");
        next += 20_000;
    }
    running.serves_others().await;
}

/// A compacted topic needs a key in each record, so that its batches are inflated: within a bound.
#[tokio::test(flavor = "multi_thread")]
async fn decompression_bombs_are_refused() {
    let running = Running::start("").await;
    let options = [
        ("cleanup.policy", "compact"),
        ("max.message.bytes", "20000"),
    ];
    running.topic("compacted", &options).await;
    let mut client = running.client().await;
    let zeros = vec![0_u8; 4_000_000];
    for codec in [Codec::Gzip, Codec::Zstd] {
        let options = BatchOptions {
            codec,
            ..Default::default()
        };
        let bomb = batches::build(options, &[(Some("k"), &zeros, NOW_MS)]);
        assert!(bomb.len() < 20_000, "{codec:?}: {}", bomb.len());
        let refused = client.produce("compacted", &bomb).await.unwrap_err();
        let code = ErrorCode::try_from(refused.error_code).unwrap();
        assert!(
            matches!(
                code,
                ErrorCode::MessageTooLarge | ErrorCode::InvalidRecord | ErrorCode::CorruptMessage
            ),
            "{codec:?}: {code:?}"
        );
    }
    let good = batches::compressed(Codec::Zstd, &[("k", "v")]);
    assert_eq!(client.produce("compacted", &good).await, Ok(0));
    running.serves_others().await;
}

/// Batches are inflated in turn, and not where connections are served.
#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn inflating_holds_nobody_up() {
    let running = Running::start("").await;
    let compacted = ("cleanup.policy", "compact");
    running.topic_of("compacted", 30, &[compacted]).await;
    let zeros = vec![0_u8; 40_000_000];
    let options = BatchOptions {
        codec: Codec::Zstd,
        ..Default::default()
    };
    let batch = batches::build(options, &[(Some("k"), &zeros, NOW_MS)]);
    let mut request = client::produce("compacted", &batch);
    let only = request.topic_data[0].partition_data.remove(0);
    let partition = |index: i32| PartitionProduceData {
        index,
        ..only.clone()
    };
    request.topic_data[0].partition_data = (0..30).map(partition).collect();
    let mut inflates = running.client().await;
    inflates.send(&request, PRODUCE_VERSION).await;
    running
        .until("inflation has begun", |server| {
            broker::metrics::render(&server.broker).contains("\"Produce\"")
        })
        .await;
    let mut other = running.client().await;
    let small = ApiVersionsRequest::default();
    tokio::select! {
        biased;
        _ = inflates.receive_bytes() => panic!("the other waited"),
        _ = other.ask(&small, 0) => {}
    }
    let answer = inflates.receive_bytes().await.unwrap();
    assert!(!answer.is_empty());
    running.serves_others().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whole_requests_are_refused_for_acks_and_transactions() {
    let running = Running::start("").await;
    running.topic("t", &[]).await;
    let good = batches::plain(&[("a", "1")]);
    let mut client = running.client().await;
    for acks in [5, -2, i16::MAX] {
        let mut request = client::produce("t", &good);
        request.acks = acks;
        let answer = client::only_partition(client.ask(&request, PRODUCE_VERSION).await);
        let code = ErrorCode::try_from(answer.error_code).unwrap();
        assert_eq!(code, ErrorCode::InvalidRequiredAcks, "acks={acks}");
    }
    let mut request = client::produce("t", &good);
    request.transactional_id = Some(KafkaString::from("mine"));
    let answer = client::only_partition(client.ask(&request, PRODUCE_VERSION).await);
    assert_eq!(
        ErrorCode::try_from(answer.error_code).unwrap(),
        ErrorCode::UnsupportedVersion
    );
    assert_eq!(client.produce("t", &good).await, Ok(0));
    running.serves_others().await;
}

/// Without acknowledgement there is no answer, and closing is the only way to tell of an error.
#[tokio::test(flavor = "multi_thread")]
async fn a_failed_produce_without_acks_closes_the_connection() {
    let running = Running::start("").await;
    running.topic("t", &[]).await;
    let good = batches::plain(&[("a", "1")]);
    let mut client = running.client().await;
    let mut request = client::produce("t", &good);
    request.acks = 0;
    client.send(&request, PRODUCE_VERSION).await;
    // The next one is answered, so the first was taken in silence.
    assert_eq!(client.produce("t", &good).await, Ok(1));
    let mut request = client::produce("no-such-topic", &good);
    request.acks = 0;
    client.send(&request, PRODUCE_VERSION).await;
    assert!(client.is_closed().await);
    running.serves_others().await;
}
