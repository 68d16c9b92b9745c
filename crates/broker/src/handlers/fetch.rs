//! Fetch (key 1), versions 4 to 18.
//!
//! Reads partitions in the order of the request or session; the first that has records gives at least one whole batch, whatever the
//! limits. An answer waits until `min_bytes` are there or `max_wait_ms` is over, woken by the commits of the partitions it reads.
//! Consumers see records below the high watermark only: what a power cut cannot take back.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::Duration;

use protocol::KafkaString;
use protocol::messages::fetch::{
    FetchRequest, FetchResponse, FetchableTopicResponse, PartitionData,
};

use crate::broker::Broker;
use crate::budget::Reservation;
use crate::dispatch::{Call, Response};
use crate::fetch::read::{self, Limits, Round, Target};
use crate::fetch::session::{FetchContext, TopicKey};
use crate::fetch::watch::Watch;
use crate::runtime;

/// Isolation level of a consumer that wants committed records only.
const READ_COMMITTED: i8 = 1;
/// Reserved from the budget at most, before it is known what there is to read.
const ESTIMATE_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Where nothing is left of the budget an answer is small rather than late: others may hold theirs for a while.
const UNRESERVED_BYTES_MAX: usize = 64 * 1024;

pub(crate) async fn handle(broker: Arc<Broker>, call: Call, request: FetchRequest) -> Response {
    let now_ms = broker.clock.monotonic_ms();
    let opened = broker
        .fetch_sessions
        .lock()
        .open(&request, call.version, now_ms);
    let context = match opened {
        Ok(context) => context,
        Err(code) => {
            return call.respond(&FetchResponse {
                error_code: code.into(),
                ..Default::default()
            });
        }
    };
    let image = broker.controller.image();
    let targets: Vec<Target> = context
        .wanted
        .iter()
        .map(|wanted| read::find(&image, wanted, call.version))
        .collect();
    let limits = Limits {
        max_bytes: usize::try_from(request.max_bytes.min(broker.config.options.fetch_max_bytes))
            .unwrap_or(0),
        read_committed: request.isolation_level == READ_COMMITTED,
        leader_epoch: broker.leader_epoch,
    };
    let (round, reservation) = wait_for_records(&broker, &request, &targets, &limits).await;
    broker.metrics.fetched(round.bytes);
    let closed = broker.fetch_sessions.lock().close(&context, &round.answers);
    let mut response = FetchResponse {
        session_id: context.session_id,
        ..Default::default()
    };
    match closed {
        Ok(sent) => response.responses = by_topic(&context, targets, round.answers, &sent),
        Err(code) => response.error_code = code.into(),
    }
    call.respond(&response).holding(Some(reservation))
}

/// Looks, and looks again when commits have brought enough, until there is enough or the time is over.
async fn wait_for_records(
    broker: &Arc<Broker>,
    request: &FetchRequest,
    targets: &[Target],
    limits: &Limits,
) -> (Round, Reservation) {
    // More than may be given would never be there.
    let min_bytes = usize::try_from(request.min_bytes).unwrap_or(0);
    let min_bytes = min_bytes.min(limits.max_bytes);
    let max_wait = Duration::from_millis(u64::try_from(request.max_wait_ms).unwrap_or(0));
    let mut deadline = std::pin::pin!(tokio::time::sleep(max_wait));
    let mut stopping = std::pin::pin!(broker.stopping.cancelled());
    let estimate = estimate(targets, limits);
    let mut watch: Option<Watch<'_>> = None;
    let mut first_batch_bytes = None;
    let mut waiter = None;
    poll_fn(|cx| {
        loop {
            let over = max_wait.is_zero()
                || deadline.as_mut().poll(cx).is_ready()
                || stopping.as_mut().poll(cx).is_ready();
            if let Some(watch) = &mut watch {
                // Registered before the look: a commit between look and registration would wake nobody.
                watch.register(cx.waker());
                if !over && !watch.is_worth_a_look(min_bytes) {
                    return Poll::Pending;
                }
            }
            let mut reservation = match first_batch_bytes {
                None => broker.records.reserve_up_to(estimate),
                Some(bytes) => ready!(broker.records.poll_reserve(bytes, &mut waiter, cx)),
            };
            let granted = reservation.bytes().max(UNRESERVED_BYTES_MAX);
            let look = || read::read_all(targets, &limits.at_most(granted));
            let round = match read::may_wait_for_disk(targets) {
                true => runtime::wait_in_place(look),
                false => look(),
            };
            let enough = round.bytes >= min_bytes || (granted < min_bytes && round.bytes > 0);
            if over || targets.is_empty() || round.answer_now || enough {
                // Near enough: what is left of it may be less than the next batch.
                if granted < estimate && round.bytes > granted / 2 {
                    reservation.note_shortage();
                }
                if round.bytes <= granted || first_batch_bytes.is_some() {
                    reservation.settle(round.memory_bytes);
                    return Poll::Ready((round, reservation));
                }
                // The first batch comes whole, once there is room for it.
                if let Some(whole) = broker.records.try_reserve(round.bytes) {
                    return Poll::Ready((round, whole));
                }
                first_batch_bytes = Some(round.bytes);
                watch = None;
                continue;
            }
            watch = Some(Watch::new(targets, &round));
        }
    })
    .await
}

fn estimate(targets: &[Target], limits: &Limits) -> usize {
    let wanted = targets
        .iter()
        .map(|target| usize::try_from(target.wanted.max_bytes).unwrap_or(0));
    wanted
        .fold(0, usize::saturating_add)
        .min(limits.max_bytes)
        .min(ESTIMATE_BYTES_MAX)
}

/// Neighbours of one topic share an entry of the answer.
fn by_topic(
    context: &FetchContext,
    targets: Vec<Target>,
    answers: Vec<PartitionData>,
    sent: &[bool],
) -> Vec<FetchableTopicResponse> {
    let mut topics: Vec<FetchableTopicResponse> = Vec::new();
    let mut last: Option<&TopicKey> = None;
    for (((wanted, target), answer), sent) in
        context.wanted.iter().zip(targets).zip(answers).zip(sent)
    {
        if !sent {
            continue;
        }
        if last != Some(&wanted.topic) {
            last = Some(&wanted.topic);
            topics.push(topic_answer(&wanted.topic, target.topic));
        }
        if let Some(topic) = topics.last_mut() {
            topic.partitions.push(answer);
        }
    }
    topics
}

fn topic_answer(key: &TopicKey, name: Option<KafkaString>) -> FetchableTopicResponse {
    let mut answer = FetchableTopicResponse::default();
    match key {
        TopicKey::Name(asked) => answer.topic = name.unwrap_or_else(|| asked.clone()),
        TopicKey::Id(id) => answer.topic_id = *id,
    }
    answer
}
