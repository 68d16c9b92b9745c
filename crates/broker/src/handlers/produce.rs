//! Produce (key 0), served from version 3; 0 to 2 are advertised for old clients' sake and refused when sent.
//!
//! Each partition's batch is judged, appended and answered by itself. Appends happen in the order of the requests of a connection,
//! before the next request is looked at; the answer waits for the commits. Transactional batches are refused until transactions
//! are there. With acks=0 there is no answer, and an error closes the connection, as that is the only way to tell.

use std::sync::Arc;
use std::task::{Context, Poll, ready};

use log::{AppendError, AppendOptions, Log, Ticket};
use protocol::error::ErrorCode;
use protocol::messages::produce::{
    BatchIndexAndErrorMessage, PartitionProduceData, PartitionProduceResponse, ProduceRequest,
    ProduceResponse, TopicProduceData, TopicProduceResponse,
};
use protocol::validate;

use super::prepare::Rules;
use crate::broker::Broker;
use crate::dispatch::{Answer, BadRequest, Call, Handled};
use crate::metadata::{Image, Topic};
use crate::records::RecordFault;

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

/// Appends every batch, waiting for the journal's room where it has none.
pub(crate) async fn handle(broker: Arc<Broker>, call: Call, request: ProduceRequest) -> Handled {
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
    for data in request.topic_data {
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
        waiting.response.responses.push(answer);
        for data in data.partition_data {
            let outcome = match find_partition(topic, waiting.call.version, data.index) {
                Ok(found) => match &refused {
                    Some(refused) => Err(refused.clone()),
                    None => append(&broker, found, &waiting.call, &data).await,
                },
                Err(unknown) => Err(unknown),
            };
            failed |= outcome.is_err();
            waiting.note(data.index, outcome);
        }
    }
    match acks {
        0 if failed => Handled::Close(BadRequest::AcksZeroFailed),
        0 => Handled::Nothing,
        _ => Handled::Answer(Answer::produce(waiting)),
    }
}

impl Waiting {
    /// Of the next partition of the last topic.
    fn note(&mut self, index: i32, outcome: Result<Appended, Refused>) {
        let topic = self.response.responses.len() - 1;
        let answers = &mut self.response.responses[topic].partition_responses;
        match outcome {
            Ok(appended) => {
                self.commits.push(Commit {
                    log: appended.log,
                    ticket: appended.ticket,
                    topic,
                    partition: answers.len(),
                });
                answers.push(appended.response);
            }
            Err(refused) => answers.push(refused.response(index)),
        }
    }

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
pub(super) struct Refused {
    pub(super) code: ErrorCode,
    pub(super) message: Option<String>,
    pub(super) records: Vec<RecordFault>,
}

impl Refused {
    pub(super) fn new(code: ErrorCode, message: impl Into<String>) -> Self {
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

/// Looked up before anything else is judged, as in Kafka.
fn find_partition(
    topic: Option<&Arc<Topic>>,
    version: i16,
    index: i32,
) -> Result<(&Topic, &Arc<Log>), Refused> {
    let Some(topic) = topic else {
        let code = if version >= 13 {
            ErrorCode::UnknownTopicId
        } else {
            ErrorCode::UnknownTopicOrPartition
        };
        return Err(Refused::new(code, "this broker hosts no such topic"));
    };
    topic.partition(index).map_or_else(
        || {
            let code = ErrorCode::UnknownTopicOrPartition;
            Err(Refused::new(code, "this broker hosts no such partition"))
        },
        |log| Ok((topic.as_ref(), log)),
    )
}

async fn append(
    broker: &Broker,
    (topic, log): (&Topic, &Arc<Log>),
    call: &Call,
    data: &PartitionProduceData,
) -> Result<Appended, Refused> {
    if topic.internal {
        return Err(Refused::new(
            ErrorCode::InvalidTopicException,
            "the topic is the broker's own",
        ));
    }
    let bytes = data
        .records
        .as_ref()
        .and_then(protocol::Records::to_bytes)
        .unwrap_or_default();
    let rules = Rules {
        options: &topic.options,
        version: call.version,
        now_ms: broker.clock.wall_ms(),
        heavy_work: &broker.heavy_work,
    };
    let prepared = rules.prepare(bytes).await?;
    let options = AppendOptions {
        leader_epoch: broker.leader_epoch,
    };
    let appended = loop {
        match log.append(&prepared.bytes, options) {
            // The frame is written and there is another, or the disk fails: it does not stay so.
            Err(AppendError::Busy) => log.room(prepared.bytes.len()).await,
            appended => break appended.map_err(append_refused)?,
        }
    };
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

/// The one place where an append's failure becomes Kafka's code.
fn append_refused(error: AppendError) -> Refused {
    let code = match &error {
        AppendError::OutOfOrderSequence { .. } => ErrorCode::OutOfOrderSequenceNumber,
        AppendError::InvalidProducerEpoch { .. } => ErrorCode::InvalidProducerEpoch,
        AppendError::TooLarge { .. } => ErrorCode::MessageTooLarge,
        AppendError::Deleted => ErrorCode::UnknownTopicOrPartition,
        AppendError::Busy | AppendError::Full | AppendError::Failed { .. } => {
            ErrorCode::KafkaStorageError
        }
    };
    Refused::new(code, error.to_string())
}
