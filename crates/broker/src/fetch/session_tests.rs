//! Fetch sessions told as requests and what they lead to (KIP-227).

use bytes::Bytes;
use protocol::Records;
use protocol::messages::fetch::{FetchTopic, ForgottenTopic};

use super::*;

const BY_NAME: i16 = 12;
const BY_ID: i16 = 13;

/// A request of session `id` at `epoch` for partitions of the topic `t`.
fn request(id: i32, epoch: i32, partitions: &[i32]) -> FetchRequest {
    let partition = |index: &i32| FetchPartition {
        partition: *index,
        fetch_offset: i64::from(*index) * 10,
        partition_max_bytes: 100,
        ..Default::default()
    };
    let topic = FetchTopic {
        topic: KafkaString::from("t"),
        topic_id: Uuid::from_bytes([3; 16]),
        partitions: partitions.iter().map(partition).collect(),
    };
    FetchRequest {
        session_id: id,
        session_epoch: epoch,
        topics: (!partitions.is_empty())
            .then_some(topic)
            .into_iter()
            .collect(),
        ..Default::default()
    }
}

fn forgetting(mut request: FetchRequest, topic: &'static str, partitions: &[i32]) -> FetchRequest {
    request.forgotten_topics_data.push(ForgottenTopic {
        topic: KafkaString::from(topic),
        topic_id: Uuid::from_bytes([3; 16]),
        partitions: partitions.to_vec(),
    });
    request
}

fn answer(index: i32, high_watermark: i64, records: usize) -> PartitionData {
    PartitionData {
        partition_index: index,
        high_watermark,
        records: Some(Records::from(Bytes::from(vec![0; records]))),
        ..Default::default()
    }
}

fn failed(index: i32) -> PartitionData {
    PartitionData {
        error_code: ErrorCode::OffsetOutOfRange.into(),
        ..answer(index, -1, 0)
    }
}

fn indexes(context: &FetchContext) -> Vec<i32> {
    context
        .wanted
        .iter()
        .map(|wanted| wanted.partition)
        .collect()
}

fn opened(cache: &mut SessionCache, partitions: &[i32], now_ms: i64) -> i32 {
    cache
        .open(&request(0, 0, partitions), BY_NAME, now_ms)
        .unwrap()
        .session_id
}

fn refused(cache: &mut SessionCache, request: &FetchRequest, version: i16) -> Option<ErrorCode> {
    cache.open(request, version, 0).err()
}

#[test]
fn a_session_remembers_what_was_asked_for() {
    let mut cache = SessionCache::new(10, 5);
    let id = opened(&mut cache, &[0, 1, 2], 0);
    assert_eq!(id, 5);
    let mut step = |epoch, request: FetchRequest, expected: &[i32]| {
        let context = cache.open(&request, BY_NAME, 0).unwrap();
        assert_eq!(indexes(&context), expected, "epoch {epoch}");
        assert_eq!((context.session_id, context.incremental), (id, true));
    };
    step(1, request(id, 1, &[]), &[0, 1, 2]);
    step(2, request(id, 2, &[3]), &[0, 1, 2, 3]);
    step(3, request(id, 3, &[1, 3]), &[0, 1, 2, 3]);
    step(4, forgetting(request(id, 4, &[]), "t", &[0, 2, 9]), &[1, 3]);
    step(5, forgetting(request(id, 5, &[]), "other", &[1]), &[1, 3]);
    // Named twice is there once.
    step(6, request(id, 6, &[7, 7]), &[1, 3, 7]);
}

#[test]
fn a_change_replaces_what_was_known_of_a_partition() {
    let mut cache = SessionCache::new(10, 5);
    let id = opened(&mut cache, &[1], 0);
    let mut change = request(id, 1, &[1]);
    change.topics[0].partitions[0].fetch_offset = 99;
    change.topics[0].partitions[0].partition_max_bytes = 7;
    let wanted = cache.open(&change, BY_NAME, 0).unwrap().wanted.remove(0);
    assert_eq!((wanted.fetch_offset, wanted.max_bytes), (99, 7));
}

#[test]
fn sessions_are_refused_by_id_epoch_and_way_of_naming() {
    use ErrorCode::{FetchSessionIdNotFound, FetchSessionTopicIdError, InvalidFetchSessionEpoch};
    let mut cache = SessionCache::new(10, 5);
    let id = opened(&mut cache, &[0], 0);
    for (asked, version, expected) in [
        (request(id + 1, 1, &[]), BY_NAME, FetchSessionIdNotFound),
        (request(0, 1, &[]), BY_NAME, FetchSessionIdNotFound),
        (request(id, 2, &[]), BY_NAME, InvalidFetchSessionEpoch),
        (
            request(id, i32::MAX, &[]),
            BY_NAME,
            InvalidFetchSessionEpoch,
        ),
        (request(id, 1, &[]), BY_ID, FetchSessionTopicIdError),
    ] {
        assert_eq!(
            refused(&mut cache, &asked, version),
            Some(expected),
            "{asked:?}"
        );
    }
    // None of these moved the session.
    assert_eq!(refused(&mut cache, &request(id, 1, &[]), BY_NAME), None);
    // A repeated request is one of an earlier epoch.
    let again = refused(&mut cache, &request(id, 1, &[]), BY_NAME);
    assert_eq!(again, Some(InvalidFetchSessionEpoch));
}

#[test]
fn a_session_ends_when_asked_to_and_when_nothing_is_left() {
    for (last, epoch) in [
        (request(5, -1, &[]), 1),
        (request(5, -1, &[0]), 1),
        (request(5, 0, &[]), 1),
        (forgetting(request(5, 1, &[]), "t", &[0]), 2),
    ] {
        let mut cache = SessionCache::new(10, 5);
        opened(&mut cache, &[0], 0);
        let context = cache.open(&last, BY_NAME, 0).unwrap();
        assert_eq!(
            (context.session_id, context.incremental),
            (0, false),
            "{last:?}"
        );
        assert!(cache.is_empty());
        let after = refused(&mut cache, &request(5, epoch, &[]), BY_NAME);
        assert_eq!(after, Some(ErrorCode::FetchSessionIdNotFound));
    }
}

#[test]
fn an_opening_request_replaces_the_session_it_names() {
    let mut cache = SessionCache::new(10, 5);
    let first = opened(&mut cache, &[0], 0);
    let second = cache.open(&request(first, 0, &[1]), BY_NAME, 0).unwrap();
    assert_eq!(second.session_id, first + 1);
    assert_eq!(cache.len(), 1);
}

#[test]
fn only_news_is_answered() {
    let mut cache = SessionCache::new(10, 5);
    let first = cache.open(&request(0, 0, &[0, 1]), BY_NAME, 0).unwrap();
    let sent = cache
        .close(&first, &[answer(0, 4, 0), answer(1, 4, 0)])
        .unwrap();
    assert_eq!(sent, [true, true], "the first answer is whole");
    let rounds = [
        (
            "nothing",
            [answer(0, 4, 0), answer(1, 4, 0)],
            [false, false],
        ),
        (
            "a commit",
            [answer(0, 5, 0), answer(1, 4, 0)],
            [true, false],
        ),
        (
            "the same again",
            [answer(0, 5, 0), answer(1, 4, 0)],
            [false, false],
        ),
        ("an error", [answer(0, 5, 0), failed(1)], [false, true]),
        (
            "the error still",
            [answer(0, 5, 0), failed(1)],
            [false, true],
        ),
        (
            "the error is over",
            [answer(0, 5, 0), answer(1, 4, 0)],
            [false, true],
        ),
        ("records", [answer(0, 5, 0), answer(1, 4, 9)], [false, true]),
    ];
    for (epoch, (what, answers, expected)) in (1..).zip(rounds) {
        let context = cache
            .open(&request(first.session_id, epoch, &[]), BY_NAME, 0)
            .unwrap();
        assert_eq!(cache.close(&context, &answers).unwrap(), expected, "{what}");
    }
}

/// Who was answered with records goes to the end, so that a limit on bytes starves nobody.
#[test]
fn partitions_take_turns() {
    let mut cache = SessionCache::new(10, 5);
    let id = opened(&mut cache, &[0, 1, 2], 0);
    let mut orders = Vec::new();
    for epoch in 1..5 {
        let context = cache.open(&request(id, epoch, &[]), BY_NAME, 0).unwrap();
        let order = indexes(&context);
        let answers: Vec<PartitionData> = order
            .iter()
            .enumerate()
            .map(|(place, index)| answer(*index, 9, usize::from(place == 0)))
            .collect();
        cache.close(&context, &answers).unwrap();
        orders.push(order);
    }
    assert_eq!(orders, [[0, 1, 2], [1, 2, 0], [2, 0, 1], [0, 1, 2]]);
}

#[test]
fn a_full_cache_evicts_the_stale_then_the_smaller_and_else_opens_none() {
    let late = EVICTION_MS + 1;
    for (what, partitions, at_ms, evicted) in [
        ("all are young", &[0, 1, 2][..], 10, None),
        ("the stale one goes", &[0][..], late + 50, Some(1)),
        ("the smaller one goes", &[0, 1, 2][..], late, Some(1)),
        ("none is smaller", &[0][..], late, None),
    ] {
        let mut cache = SessionCache::new(2, 1);
        opened(&mut cache, &[0], 0);
        opened(&mut cache, &[0, 1], 0);
        // Both are used again, the first one earlier.
        for (id, used_ms) in [(1, 20), (2, 60)] {
            cache.open(&request(id, 1, &[]), BY_NAME, used_ms).unwrap();
        }
        let id = opened(&mut cache, partitions, at_ms);
        assert_eq!(id, if evicted.is_some() { 3 } else { 0 }, "{what}");
        for old in [1, 2] {
            let gone = cache.open(&request(old, 2, &[]), BY_NAME, at_ms).is_err();
            assert_eq!(gone, evicted == Some(old), "{what}: session {old}");
        }
        assert_eq!(cache.len(), 2);
    }
}

#[test]
fn sessions_remember_a_bounded_number_of_partitions() {
    let many: Vec<i32> = (0..i32::try_from(PARTITIONS_MAX).unwrap() - 1).collect();
    let mut cache = SessionCache::new(10, 1);
    let large = opened(&mut cache, &many, 0);
    assert_eq!(large, 1);
    let last = opened(&mut cache, &[0], 0);
    assert_eq!(last, 2);
    assert_eq!(opened(&mut cache, &[0], 0), 0, "served without a session");
    let grown = refused(&mut cache, &request(last, 1, &[1]), BY_NAME);
    assert_eq!(grown, Some(ErrorCode::FetchSessionIdNotFound));
    assert_eq!(cache.len(), 1);
}

#[test]
fn epochs_and_ids_wrap_to_one() {
    assert_eq!(next_epoch(i32::MAX), 1);
    let mut cache = SessionCache::new(10, i32::MAX);
    assert_eq!(opened(&mut cache, &[0], 0), i32::MAX);
    assert_eq!(opened(&mut cache, &[0], 0), 1);
    assert_eq!(SessionCache::new(1, i32::MIN).next_id, i32::MAX);
}

/// Two connections of one session: who opens it last has it, and the other is told, as Kafka does.
#[test]
fn a_fetch_whose_session_was_opened_again_leaves_it_alone() {
    let mut cache = SessionCache::new(10, 1);
    let first = cache.open(&request(0, 0, &[0, 1]), BY_ID, 0).unwrap();
    let id = first.session_id;
    cache
        .close(&first, &[answer(0, 4, 0), answer(1, 4, 0)])
        .unwrap();
    let parked = cache.open(&request(id, 1, &[]), BY_ID, 0).unwrap();
    let other = forgetting(request(id, 2, &[2, 3]), "t", &[0]);
    let other = cache.open(&other, BY_ID, 0).unwrap();
    let late = cache.close(&parked, &[answer(0, 5, 9), answer(1, 5, 0)]);
    assert_eq!(late, Err(ErrorCode::InvalidFetchSessionEpoch));
    let answers = [answer(1, 5, 0), answer(2, 5, 0), answer(3, 5, 0)];
    assert_eq!(cache.close(&other, &answers).unwrap(), [true; 3]);
    let next = cache.open(&request(id, 3, &[]), BY_ID, 0).unwrap();
    let partitions: Vec<i32> = next.wanted.iter().map(|wanted| wanted.partition).collect();
    assert_eq!(partitions, [1, 2, 3]);
}
