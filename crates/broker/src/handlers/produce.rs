//! Produce (key 0), served from version 3; 0 to 2 are advertised for old clients' sake and refused when sent.
//!
//! Each partition's batch is judged, appended and answered by itself. Appends happen in the order of the requests of a connection,
//! before the next request is looked at; the answer waits for the commits. Transactional batches are refused until transactions
//! are there. With acks=0 there is no answer, and an error closes the connection, as that is the only way to tell.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use log::{AppendError, AppendOptions, Log, Ticket};
use protocol::batch::{self, Batch, NO_TIMESTAMP, TimestampType};
use protocol::compression::Codec;
use protocol::error::ErrorCode;
use protocol::messages::produce::{
    BatchIndexAndErrorMessage, PartitionProduceData, PartitionProduceResponse, ProduceRequest,
    ProduceResponse, TopicProduceData, TopicProduceResponse,
};
use protocol::validate;

use crate::broker::Broker;
use crate::config::TopicOptions;
use crate::dispatch::{Answer, BadRequest, Call, Handled};
use crate::metadata::{Image, Topic};
use crate::records::{self, RecordFault};

/// First version that may carry zstd.
const ZSTD_VERSION: i16 = 7;
/// A record without key, value and headers.
const RECORD_BYTES_MIN: u64 = 7;
/// Records that are smaller than this many times their compressed size are taken on their word.
const EXPECTED_COMPRESSION_MAX: u64 = 8;

/// What a partition takes in an answer at most, but for the words of a refusal's records.
const PARTITION_BYTES: usize = size_of::<PartitionProduceResponse>() + size_of::<Commit>() + 128;

/// An answer that waits for commits.
pub(crate) struct Waiting {
    call: Call,
    response: ProduceResponse,
    commits: Vec<Commit>,
    /// Commits before this one are done.
    done: usize,
}

struct Commit {
    log: Arc<Log>,
    ticket: Ticket,
    topic: usize,
    partition: usize,
}

pub(crate) fn handle(broker: &Arc<Broker>, call: Call, request: ProduceRequest) -> Handled {
    let acks = request.acks;
    let partitions = request
        .topic_data
        .iter()
        .map(|topic| topic.partition_data.len());
    if partitions.sum::<usize>() * PARTITION_BYTES > broker.answers.total_bytes() {
        return Handled::Close(BadRequest::AsksTooMuch);
    }
    let image = broker.controller.image();
    let mut waiting = Waiting {
        call,
        response: ProduceResponse::default(),
        commits: Vec::new(),
        done: 0,
    };
    let refused = refuse_whole(&request);
    let mut failed = false;
    waiting
        .response
        .responses
        .reserve_exact(request.topic_data.len());
    for (at, data) in request.topic_data.into_iter().enumerate() {
        let topic = find_topic(&image, waiting.call.version, &data);
        let mut answer = TopicProduceResponse {
            topic_id: data.topic_id,
            ..Default::default()
        };
        // The image's own name where there is one: it does not keep the request's buffer alive.
        answer.name = topic.map_or(data.name, |topic| topic.name.clone());
        answer
            .partition_responses
            .reserve_exact(data.partition_data.len());
        for (partition, data) in data.partition_data.into_iter().enumerate() {
            let outcome = match &refused {
                Some(refused) => Err(refused.clone()),
                None => append(broker, topic, &waiting.call, &data),
            };
            failed |= outcome.is_err();
            answer.partition_responses.push(match outcome {
                Ok(Appended {
                    log,
                    ticket,
                    response,
                }) => {
                    waiting.commits.push(Commit {
                        log,
                        ticket,
                        topic: at,
                        partition,
                    });
                    response
                }
                Err(refused) => refused.response(data.index),
            });
        }
        waiting.response.responses.push(answer);
    }
    match acks {
        0 if failed => Handled::Close(BadRequest::AcksZeroFailed),
        0 => Handled::Nothing,
        _ => Handled::Answer(Answer::produce(waiting)),
    }
}

impl Waiting {
    /// Ready when every batch of the request is committed or failed.
    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        while let Some(commit) = self.commits.get(self.done) {
            if let Err(error) = ready!(commit.log.poll_committed(&commit.ticket, cx)) {
                let response = &mut self.response.responses[commit.topic].partition_responses
                    [commit.partition];
                *response = Refused::new(ErrorCode::KafkaStorageError, error.to_string())
                    .response(response.index);
            }
            self.done += 1;
        }
        Poll::Ready(())
    }

    /// What it holds while it waits.
    pub(crate) fn bytes(&self) -> usize {
        let topics = &self.response.responses;
        let partitions = topics
            .iter()
            .map(|topic| topic.partition_responses.len())
            .sum::<usize>();
        topics.len() * size_of::<TopicProduceResponse>()
            + partitions * size_of::<PartitionProduceResponse>()
            + self.commits.len() * size_of::<Commit>()
    }

    pub(crate) fn call(&self) -> &Call {
        &self.call
    }

    pub(crate) fn response(&self) -> &ProduceResponse {
        &self.response
    }
}

/// Why a partition's batch was not appended.
#[derive(Clone)]
struct Refused {
    code: ErrorCode,
    message: Option<String>,
    records: Vec<RecordFault>,
}

impl Refused {
    fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self {
            code,
            message: Some(message.into()),
            records: Vec::new(),
        }
    }

    fn response(self, index: i32) -> PartitionProduceResponse {
        let fault = |fault: RecordFault| BatchIndexAndErrorMessage {
            batch_index: fault.index,
            batch_index_error_message: Some(fault.message.into()),
        };
        PartitionProduceResponse {
            index,
            error_code: self.code.into(),
            base_offset: -1,
            record_errors: self.records.into_iter().map(fault).collect(),
            error_message: self.message.map(Into::into),
            ..Default::default()
        }
    }
}

impl From<validate::BatchError> for Refused {
    fn from(error: validate::BatchError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

fn refuse_whole(request: &ProduceRequest) -> Option<Refused> {
    if !matches!(request.acks, -1..=1) {
        return Some(Refused::new(
            ErrorCode::InvalidRequiredAcks,
            "acks must be -1, 0 or 1",
        ));
    }
    request.transactional_id.as_ref().map(|_| {
        Refused::new(
            ErrorCode::UnsupportedVersion,
            crate::broker::NO_TRANSACTIONS,
        )
    })
}

fn find_topic<'a>(
    image: &'a Image,
    version: i16,
    data: &TopicProduceData,
) -> Option<&'a Arc<Topic>> {
    if version >= 13 {
        image.topic_by_id(data.topic_id)
    } else {
        image.topic(&data.name)
    }
}

struct Appended {
    log: Arc<Log>,
    ticket: Ticket,
    response: PartitionProduceResponse,
}

fn append(
    broker: &Broker,
    topic: Option<&Arc<Topic>>,
    call: &Call,
    data: &PartitionProduceData,
) -> Result<Appended, Refused> {
    let Some(topic) = topic else {
        let code = if call.version >= 13 {
            ErrorCode::UnknownTopicId
        } else {
            ErrorCode::UnknownTopicOrPartition
        };
        return Err(Refused::new(code, "this broker hosts no such topic"));
    };
    let Some(log) = topic.partition(data.index) else {
        return Err(Refused::new(
            ErrorCode::UnknownTopicOrPartition,
            "this broker hosts no such partition",
        ));
    };
    if topic.internal {
        return Err(Refused::new(
            ErrorCode::InvalidTopicException,
            "the topic is the broker's own",
        ));
    }
    let bytes = data
        .records
        .as_ref()
        .map(protocol::Records::to_bytes)
        .unwrap_or_default();
    let prepared = prepare(&topic.options, call.version, bytes, broker.clock.wall_ms())?;
    let appended = log.append(
        &prepared.bytes,
        AppendOptions {
            leader_epoch: broker.leader_epoch,
        },
    );
    let appended = appended.map_err(append_refused)?;
    broker
        .metrics
        .produced(prepared.records, prepared.bytes.len());
    Ok(Appended {
        log: log.clone(),
        ticket: appended.ticket,
        response: PartitionProduceResponse {
            index: data.index,
            base_offset: appended.base_offset,
            log_append_time_ms: prepared.log_append_time_ms,
            log_start_offset: appended.log_start_offset,
            ..Default::default()
        },
    })
}

struct Prepared {
    bytes: Bytes,
    records: i32,
    /// −1 unless the topic stamps its records itself.
    log_append_time_ms: i64,
}

/// Judges a batch by the topic's rules; patches what the rules give to the broker.
fn prepare(
    options: &TopicOptions,
    version: i16,
    bytes: Bytes,
    now_ms: i64,
) -> Result<Prepared, Refused> {
    if bytes.is_empty() {
        return Err(Refused::new(
            ErrorCode::InvalidRecord,
            "a partition needs exactly one record batch",
        ));
    }
    let batch = Batch::single(&bytes)?;
    check_size(options, bytes.len())?;
    batch.check_crc()?;
    let header = batch.header();
    validate::check_client_header(header)?;
    if header.is_transactional() {
        return Err(Refused::new(
            ErrorCode::UnsupportedVersion,
            crate::broker::NO_TRANSACTIONS,
        ));
    }
    if version < ZSTD_VERSION && header.codec()? == Codec::Zstd {
        return Err(Refused::new(
            ErrorCode::UnsupportedCompressionType,
            "zstd needs Produce version 7 or later",
        ));
    }
    let max_timestamp = check_records(options, &batch, now_ms)?;
    let records = header.record_count;
    if options.log_append_time() {
        let bytes = restamped(&bytes, TimestampType::LogAppendTime, now_ms);
        return Ok(Prepared {
            bytes,
            records,
            log_append_time_ms: now_ms,
        });
    }
    // A producer that states another maximum than its records have would mislead searches by time.
    let bytes = match max_timestamp {
        Some(found) if found != header.max_timestamp => {
            restamped(&bytes, TimestampType::CreateTime, found)
        }
        _ => bytes,
    };
    Ok(Prepared {
        bytes,
        records,
        log_append_time_ms: NO_TIMESTAMP,
    })
}

fn restamped(bytes: &[u8], kind: TimestampType, max_timestamp: i64) -> Bytes {
    let mut copy = bytes.to_vec();
    batch::set_max_timestamp(&mut copy, kind, max_timestamp);
    copy.into()
}

fn check_size(options: &TopicOptions, bytes: usize) -> Result<(), Refused> {
    let above = |limit: i32| i64::try_from(bytes).unwrap_or(i64::MAX) > i64::from(limit);
    if above(options.max_message_bytes) {
        let message = format!(
            "the batch of {bytes} bytes exceeds max.message.bytes={}",
            options.max_message_bytes
        );
        return Err(Refused::new(ErrorCode::MessageTooLarge, message));
    }
    if above(options.segment_bytes) {
        let message = format!(
            "the batch of {bytes} bytes exceeds segment.bytes={}",
            options.segment_bytes
        );
        return Err(Refused::new(ErrorCode::RecordListTooLarge, message));
    }
    Ok(())
}

/// Walks the records of an uncompressed batch; a compressed one is inflated only where a rule of the topic asks for its records.
/// Answers the largest timestamp where the records were seen.
fn check_records(
    options: &TopicOptions,
    batch: &Batch<'_>,
    now_ms: i64,
) -> Result<Option<i64>, Refused> {
    let header = batch.header();
    let earliest = now_ms.saturating_sub(options.message_timestamp_before_max_ms);
    let latest = now_ms.saturating_add(options.message_timestamp_after_max_ms);
    let by_create_time = !options.log_append_time();
    let keyed = options.compacts();
    let bounded_below = by_create_time && options.message_timestamp_before_max_ms != i64::MAX;
    let compressed = header.codec()? != Codec::None;
    if compressed && !keyed && !bounded_below && !claims_too_much(batch) {
        if by_create_time && header.max_timestamp > latest {
            return Err(out_of_range(latest));
        }
        return Ok(None);
    }
    let inflated;
    let payload = if compressed {
        inflated = records::inflate(batch, options.max_message_bytes)?;
        inflated.as_slice()
    } else {
        batch.payload()
    };
    let seen = validate::walk_records(header, payload)?;
    if keyed && seen.null_keys > 0 {
        let faults = records::without_key(header, payload);
        let message =
            "One or more records have been rejected: a compacted topic needs a key in every record"
                .to_owned();
        return Err(Refused {
            code: ErrorCode::InvalidRecord,
            message: Some(message),
            records: faults,
        });
    }
    let too_old = seen.min_timestamp != NO_TIMESTAMP && seen.min_timestamp < earliest;
    if by_create_time && (too_old || seen.max_timestamp > latest) {
        let faults = records::outside_time(header, payload, earliest, latest);
        let message = "One or more records have been rejected due to invalid timestamp".to_owned();
        return Err(Refused {
            code: ErrorCode::InvalidTimestamp,
            message: Some(message),
            records: faults,
        });
    }
    Ok(Some(seen.max_timestamp))
}

/// A compressed batch whose count of records its bytes can hardly hold: it is inflated and counted, or a few bytes would move the
/// log's end by two billion offsets. What passes unseen claims about a record a byte at most.
fn claims_too_much(batch: &Batch<'_>) -> bool {
    let records_bytes = u64::from(batch.header().record_count.unsigned_abs()) * RECORD_BYTES_MIN;
    records_bytes > batch.payload().len() as u64 * EXPECTED_COMPRESSION_MAX
}

fn out_of_range(latest: i64) -> Refused {
    Refused::new(
        ErrorCode::InvalidTimestamp,
        format!("the batch's largest timestamp is later than {latest}"),
    )
}

/// The one place where an append's failure becomes Kafka's code.
fn append_refused(error: AppendError) -> Refused {
    let code = match &error {
        AppendError::OutOfOrderSequence { .. } => ErrorCode::OutOfOrderSequenceNumber,
        AppendError::InvalidProducerEpoch { .. } => ErrorCode::InvalidProducerEpoch,
        AppendError::TooLarge { .. } => ErrorCode::MessageTooLarge,
        AppendError::Deleted => ErrorCode::UnknownTopicOrPartition,
        _ => ErrorCode::KafkaStorageError,
    };
    Refused::new(code, error.to_string())
}
