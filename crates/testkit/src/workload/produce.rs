//! Producers. An idempotent one repeats what was not acknowledged, over connections and lives, until it is; a plain one moves on.

use std::collections::{BTreeMap, VecDeque};

use log::Clock;
use protocol::batch_builder::{BatchBuilder, BatchOptions, NewRecord};
use protocol::messages::init_producer_id::InitProducerIdRequest;
use protocol::messages::produce::{
    PartitionProduceData, PartitionProduceResponse, ProduceRequest, TopicProduceData,
};
use protocol::{KafkaString, Records};

use super::{Context, Stop, check};
use crate::history::{Place, Value, Violation};

pub(super) const VERSION: i16 = 9;
/// What a broker remembers of an idempotent producer, in batches.
const IN_FLIGHT_MAX: u64 = 5;

pub(super) struct Producer {
    name: String,
    idempotent: bool,
    id: Option<(i64, i16)>,
    partitions: BTreeMap<Place, Partition>,
}

/// What a producer knows of a partition.
#[derive(Default)]
struct Partition {
    next_number: u64,
    /// Not acknowledged yet, oldest first.
    pending: VecDeque<Batch>,
}

#[derive(Clone)]
struct Batch {
    first_number: u64,
    count: u64,
    timestamp: i64,
    /// Bytes behind the number in each record.
    padding: usize,
}

impl Producer {
    pub(super) fn new(number: u32, idempotent: bool) -> Self {
        Self {
            name: format!("producer-{number}"),
            idempotent,
            id: None,
            partitions: BTreeMap::new(),
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// As another producer, with a name and an id of its own.
    pub(super) fn begin_anew(&mut self) {
        self.name.push('+');
        self.id = None;
        self.partitions.clear();
    }

    pub(super) fn is_idempotent(&self) -> bool {
        self.idempotent
    }

    /// Sends some batches to a partition in one go, then takes their answers, or leaves before.
    pub(super) async fn round(&mut self, context: &mut Context) -> Result<(), Stop> {
        let place = context.choose_place();
        context.find_topic(&place.0).await?;
        if self.idempotent && self.id.is_none() {
            self.id = Some(new_producer_id(context).await?);
        }
        let partition = self.partitions.entry(place.clone()).or_default();
        partition.fill(context);
        let batches = partition.pending.clone();
        for batch in &batches {
            let request = request(&place, batch.encode(&self.name, self.id));
            context.client.send(&request, VERSION).await?;
        }
        if !self.idempotent {
            // Whether it was stored or not: it is not sent again.
            partition.pending.clear();
        }
        if context.rng.below(12) == 0 {
            context.pause(10).await;
            context.reconnect();
            return Ok(());
        }
        let mut refused = None;
        for batch in batches {
            let response = context.receive::<ProduceRequest>(VERSION).await?;
            let answers = response
                .responses
                .iter()
                .flat_map(|topic| &topic.partition_responses);
            let [answer] = answers.collect::<Vec<_>>()[..] else {
                return Err(Violation("one batch, but not one answer".to_owned()).into());
            };
            if let Err(stop) = note(context, &place, &self.name, &batch, answer) {
                refused.get_or_insert(stop);
            } else if refused.is_none() && self.idempotent {
                partition.pending.pop_front();
            }
        }
        refused.map_or(Ok(()), Err)
    }
}

impl Partition {
    fn fill(&mut self, context: &mut Context) {
        let wanted = 1 + context.rng.below(IN_FLIGHT_MAX) as usize;
        while self.pending.len() < wanted {
            let count = 1 + context.rng.below(4);
            self.pending.push_back(Batch {
                first_number: self.next_number,
                count,
                // A later life may find the clock set back by hours, and brokers refuse what is far ahead.
                timestamp: context.life.clock.wall_ms() - 86_400_000,
                padding: context.rng.below(1500) as usize,
            });
            self.next_number += count;
        }
    }
}

impl Batch {
    fn encode(&self, producer: &str, id: Option<(i64, i16)>) -> Vec<u8> {
        let mut options = BatchOptions::default();
        if let Some((id, epoch)) = id {
            options.producer_id = id;
            options.producer_epoch = epoch;
            options.base_sequence = i32::try_from(self.first_number).unwrap_or(0);
        }
        let mut builder = BatchBuilder::new(options);
        for value in self.values(producer) {
            let text = format!(
                "{} {} {}",
                value.producer,
                value.number,
                "x".repeat(self.padding)
            );
            let record = NewRecord {
                timestamp: self.timestamp,
                key: None,
                value: Some(text.as_bytes()),
                headers: &[],
            };
            let appended = builder.append(&record);
            assert!(appended.is_ok(), "small records fit");
        }
        builder.build().unwrap_or_default()
    }

    fn values<'a>(&self, producer: &'a str) -> impl Iterator<Item = Value> + use<'a> {
        let numbers = self.first_number..self.first_number + self.count;
        numbers.map(|number| Value {
            producer: producer.to_owned(),
            number,
        })
    }
}

/// Notes what an answer promises.
fn note(
    context: &mut Context,
    place: &Place,
    producer: &str,
    batch: &Batch,
    answer: &PartitionProduceResponse,
) -> Result<(), Stop> {
    check("a batch", answer.error_code)?;
    let mut history = context.history.lock();
    for (offset, value) in (answer.base_offset..).zip(batch.values(producer)) {
        history.saw_record(place, offset, &value)?;
    }
    Ok(())
}

async fn new_producer_id(context: &mut Context) -> Result<(i64, i16), Stop> {
    let request = InitProducerIdRequest {
        transactional_id: None,
        transaction_timeout_ms: 60_000,
        producer_id: -1,
        producer_epoch: -1,
        ..Default::default()
    };
    let response = context.ask(&request, 4).await?;
    check("asking for a producer id", response.error_code)?;
    context
        .history
        .lock()
        .saw_producer_id(response.producer_id)?;
    Ok((response.producer_id, response.producer_epoch))
}

/// A request with one batch.
pub fn request(place: &Place, batch: Vec<u8>) -> ProduceRequest {
    let data = PartitionProduceData {
        index: place.1,
        records: Some(Records::from(bytes::Bytes::from(batch))),
    };
    let topic = TopicProduceData {
        name: KafkaString::from(place.0.clone()),
        partition_data: vec![data],
        ..Default::default()
    };
    ProduceRequest {
        acks: -1,
        timeout_ms: 30_000,
        topic_data: vec![topic],
        ..Default::default()
    }
}
