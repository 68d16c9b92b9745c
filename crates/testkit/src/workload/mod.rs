//! What clients do in a life: producers, a reader and a member of a group at once, each from its own seed, all noting what they are
//! promised. `verify` looks at everything after a start.

mod consume;
pub mod produce;
mod rotten;

use std::sync::Arc;
use std::time::Duration;

use log::disk::sim::Rng;
use parking_lot::Mutex;
use protocol::error::ErrorCode;
use protocol::messages::metadata::{MetadataRequest, MetadataRequestTopic};
use protocol::{KafkaString, Request};
use tokio::task::JoinSet;

use crate::client::{Client, NoAnswer};
use crate::history::{History, Place, Violation};
use crate::simulation::Life;

use consume::{Member, Reader};
use produce::Producer;
pub use rotten::Rotten;

/// Options of the simulated broker.
pub const OPTIONS: &[(&str, &str)] = &[
    ("num.partitions", "2"),
    // Two of the largest fit a journal file, which is small here.
    ("message.max.bytes", "65536"),
    ("offsets.topic.num.partitions", "3"),
    ("group.initial.rebalance.delay.ms", "20"),
];
/// As the options say.
const PARTITIONS: i32 = 2;
const TOPICS: &[&str] = &["apples", "pears", "plums"];
/// Nobody waits longer than this, in the simulation's time.
const ANSWER: Duration = Duration::from_secs(120);

pub struct Workload {
    pub history: Arc<Mutex<History>>,
    actors: Vec<Actor>,
    rng: Rng,
}

enum Actor {
    Producer(Producer),
    Reader(Reader),
    Member(Member),
}

/// Why an actor could not go on as it wanted.
#[derive(Debug, thiserror::Error)]
enum Stop {
    #[error(transparent)]
    Broken(#[from] Violation),
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
    #[error("{doing} was refused with {code:?}")]
    Refused {
        doing: &'static str,
        code: Option<ErrorCode>,
    },
}

fn check(doing: &'static str, code: i16) -> Result<(), Stop> {
    match ErrorCode::from_code(code) {
        Some(ErrorCode::None) => Ok(()),
        code => Err(Stop::Refused { doing, code }),
    }
}

/// Who acts: its connection, its choices, its notes.
struct Context {
    life: Life,
    client: Client,
    rng: Rng,
    history: Arc<Mutex<History>>,
}

impl Context {
    async fn ask<R: Request>(&mut self, request: &R, version: i16) -> Result<R::Response, Stop> {
        let asked = tokio::time::timeout(ANSWER, self.client.ask(request, version)).await;
        Ok(asked.map_err(|_| unanswered::<R>())??)
    }

    async fn receive<R: Request>(&mut self, version: i16) -> Result<R::Response, Stop> {
        let received = tokio::time::timeout(ANSWER, self.client.receive::<R>(version)).await;
        Ok(received.map_err(|_| unanswered::<R>())??)
    }

    fn reconnect(&mut self) {
        self.client = self.life.connect();
    }

    async fn pause(&mut self, ms_max: u64) {
        tokio::time::sleep(Duration::from_millis(self.rng.below(ms_max))).await;
    }

    fn choose_place(&mut self) -> Place {
        let topic = TOPICS[self.rng.below(TOPICS.len() as u64) as usize];
        (topic.to_owned(), self.rng.below(PARTITIONS as u64) as i32)
    }

    /// Asks for a topic, which creates it if it is not there.
    async fn find_topic(&mut self, name: &str) -> Result<(), Stop> {
        let topic = MetadataRequestTopic {
            name: Some(KafkaString::from(name.to_owned())),
            ..Default::default()
        };
        let request = MetadataRequest {
            topics: Some(vec![topic]),
            allow_auto_topic_creation: true,
            ..Default::default()
        };
        let response = self.ask(&request, 12).await?;
        for topic in &response.topics {
            check("looking for a topic", topic.error_code)?;
            let mut history = self.history.lock();
            history.saw_topic(name, topic.topic_id)?;
            for partition in &topic.partitions {
                let place = (name.to_owned(), partition.partition_index);
                history.saw_leader_epoch(&place, partition.leader_epoch)?;
            }
        }
        Ok(())
    }

    /// Goes on after what a broker without power, or a busy one, may do; a broken promise ends everything.
    fn bear(&mut self, outcome: Result<(), Stop>) -> Result<(), Violation> {
        match outcome {
            Ok(()) => Ok(()),
            Err(Stop::Broken(violation)) => Err(violation),
            Err(Stop::NoAnswer(NoAnswer::Malformed(what))) => Err(Violation(what)),
            Err(Stop::NoAnswer(NoAnswer::Io(_))) => {
                self.reconnect();
                Ok(())
            }
            Err(stop @ Stop::Refused { code, .. }) => match code {
                Some(code) if code.retriable() || !self.life.has_power() => Ok(()),
                // Whose answer was lost with the broker's voice.
                _ if self.life.has_failed() => Ok(()),
                _ => Err(Violation(stop.to_string())),
            },
        }
    }
}

fn unanswered<R: Request>() -> Violation {
    Violation(format!("{:?} was never answered", R::KEY))
}

impl Actor {
    async fn run(mut self, mut context: Context, rounds: u64) -> Result<Self, Violation> {
        for _ in 0..rounds {
            if context.life.has_failed() || !context.life.has_power() {
                break;
            }
            let outcome = match &mut self {
                Self::Producer(producer) => producer.round(&mut context).await,
                Self::Reader(reader) => reader.round(&mut context).await,
                Self::Member(member) => member.round(&mut context).await,
            };
            context.bear(outcome)?;
            context.pause(20).await;
        }
        if let Self::Member(member) = &mut self {
            member.forget();
        }
        Ok(self)
    }
}

impl Workload {
    pub fn new(seed: u64) -> Self {
        let history = Arc::new(Mutex::new(History::default()));
        let mut actors = Vec::new();
        for number in 0..4 {
            let producer = Producer::new(number, number % 2 == 0);
            if producer.is_idempotent() {
                history.lock().is_idempotent(producer.name());
            }
            actors.push(Actor::Producer(producer));
        }
        actors.push(Actor::Reader(Reader));
        actors.push(Actor::Member(Member::default()));
        Self {
            history,
            actors,
            rng: Rng::new(seed ^ 0x5eed),
        }
    }

    /// The power goes under `os`: what was acknowledged last may be lost. Idempotent producers, of whose
    /// batches the broker may know less than they do, begin anew.
    pub fn forgive_lost_ends(&mut self) {
        let mut history = self.history.lock();
        history.forgive_lost_ends();
        for actor in &mut self.actors {
            if let Actor::Producer(producer) = actor
                && producer.is_idempotent()
            {
                producer.begin_anew();
                history.is_idempotent(producer.name());
            }
        }
    }

    fn context(&mut self, life: &Life) -> Context {
        Context {
            life: life.clone(),
            client: life.connect(),
            rng: Rng::new(self.rng.next_u64()),
            history: self.history.clone(),
        }
    }

    /// Everyone acts at once until all have done their rounds or the power is gone.
    pub async fn run(&mut self, life: &Life, rounds: u64) -> Result<(), Violation> {
        let mut acting = JoinSet::new();
        for (index, actor) in std::mem::take(&mut self.actors).into_iter().enumerate() {
            let context = self.context(life);
            acting.spawn(async move { (index, actor.run(context, rounds).await) });
        }
        let mut done = Vec::new();
        while let Some(ended) = acting.join_next().await {
            let (index, actor) = ended.map_err(|error| Violation(error.to_string()))?;
            done.push((index, actor?));
        }
        done.sort_by_key(|(index, _)| *index);
        self.actors = done.into_iter().map(|(_, actor)| actor).collect();
        Ok(())
    }

    /// Holds all that the broker has against what was promised before. A power cut or a failing disk meanwhile ends it early.
    pub async fn verify(&mut self, life: &Life) -> Result<(), Violation> {
        let mut context = self.context(life);
        let outcome = consume::verify(&mut context).await;
        match outcome {
            Err(Stop::Broken(violation)) => Err(violation),
            Err(stop) if life.has_power() && !life.has_failed() => Err(Violation(stop.to_string())),
            _ => Ok(()),
        }
    }

    /// As [`Self::verify`] where bits have rotted: what was promised is there or is told to be damaged, and
    /// nothing is in its place.
    pub async fn verify_rotten(&mut self, life: &Life) -> Result<Rotten, Violation> {
        let mut context = self.context(life);
        match rotten::verify(&mut context).await {
            Ok(rotten) => Ok(rotten),
            Err(Stop::Broken(violation)) => Err(violation),
            Err(stop) => Err(Violation(stop.to_string())),
        }
    }
}
