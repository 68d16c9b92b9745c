//! Incremental fetch sessions (KIP-227): what a consumer asked for is remembered, so that a request names only what changed and an
//! answer only what is new. A pure cache of sessions; the fetch handler opens a context from it and closes the context with the
//! answer.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use protocol::error::ErrorCode;
use protocol::messages::fetch::{FetchPartition, FetchRequest, PartitionData};
use protocol::{KafkaString, Uuid};

/// Epoch of a request that opens a session, or asks without one.
const INITIAL_EPOCH: i32 = 0;
const FINAL_EPOCH: i32 = -1;
/// A session may be evicted for another when unused for so long.
const EVICTION_MS: i64 = 120_000;

/// Partitions that all sessions together remember at most: who asks for more is served without a session.
const PARTITIONS_MAX: usize = 1_000_000;

/// A topic as the request names it: by name before version 13, by id from then on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum TopicKey {
    Name(KafkaString),
    Id(Uuid),
}

/// One partition of a fetch, in the order in which it is to be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    pub topic: TopicKey,
    pub partition: i32,
    pub fetch_offset: i64,
    pub max_bytes: i32,
    pub current_leader_epoch: i32,
    pub last_fetched_epoch: i32,
}

/// What a fetch reads, and how its answer is made.
pub struct FetchContext {
    pub session_id: i32,
    /// Of the session, once it was opened for this fetch.
    epoch: i32,
    pub wanted: Vec<Wanted>,
    /// Only what changed is answered.
    pub incremental: bool,
}

struct Session {
    epoch: i32,
    by_id: bool,
    /// In the order of reading: what was answered with records goes to the end, so that every partition gets its turn.
    partitions: Vec<Cached>,
    created_ms: i64,
    used_ms: i64,
}

struct Cached {
    wanted: Wanted,
    high_watermark: i64,
    log_start_offset: i64,
    /// The last answer for it was an error, so a good one is news.
    was_error: bool,
}

pub struct SessionCache {
    slots: usize,
    sessions: BTreeMap<i32, Session>,
    next_id: i32,
}

impl SessionCache {
    /// `first_id` is random, so that ids of an earlier start are not taken for this one's.
    pub fn new(slots: usize, first_id: i32) -> Self {
        Self {
            slots,
            sessions: BTreeMap::new(),
            next_id: first_id.saturating_abs().max(1),
        }
    }

    pub fn len(&self) -> usize {
        self.sessions.len()
    }

    pub fn is_empty(&self) -> bool {
        self.sessions.is_empty()
    }

    /// What to read for `request`.
    pub fn open(
        &mut self,
        request: &FetchRequest,
        version: i16,
        now_ms: i64,
    ) -> Result<FetchContext, ErrorCode> {
        let by_id = version >= 13;
        if matches!(request.session_epoch, INITIAL_EPOCH | FINAL_EPOCH) {
            self.sessions.remove(&request.session_id);
            let wanted: Vec<Wanted> = wanted_of(request, by_id).collect();
            let opens = request.session_epoch == INITIAL_EPOCH && !wanted.is_empty();
            let session_id = if opens && self.has_room(wanted.len()) {
                self.insert(&wanted, by_id, now_ms)
            } else {
                0
            };
            return Ok(FetchContext {
                session_id,
                epoch: next_epoch(INITIAL_EPOCH),
                wanted,
                incremental: false,
            });
        }
        let session = self
            .sessions
            .get_mut(&request.session_id)
            .ok_or(ErrorCode::FetchSessionIdNotFound)?;
        if session.by_id != by_id {
            return Err(ErrorCode::FetchSessionTopicIdError);
        }
        if session.epoch != request.session_epoch {
            return Err(ErrorCode::InvalidFetchSessionEpoch);
        }
        session.epoch = next_epoch(session.epoch);
        session.used_ms = now_ms;
        session.change(request, by_id);
        if !self.has_room(0) {
            self.sessions.remove(&request.session_id);
            return Err(ErrorCode::FetchSessionIdNotFound);
        }
        let Some(session) = self.sessions.get(&request.session_id) else {
            return Err(ErrorCode::FetchSessionIdNotFound);
        };
        let epoch = session.epoch;
        let wanted: Vec<Wanted> = session
            .partitions
            .iter()
            .map(|cached| cached.wanted.clone())
            .collect();
        if wanted.is_empty() {
            self.sessions.remove(&request.session_id);
            return Ok(FetchContext {
                session_id: 0,
                epoch,
                wanted,
                incremental: false,
            });
        }
        Ok(FetchContext {
            session_id: request.session_id,
            epoch,
            wanted,
            incremental: true,
        })
    }

    /// Notes what is answered for a context; of an incremental one, keeps only what is news. `answers` are in the order of
    /// `context.wanted`; the result tells for each whether it is sent. Whoever opened the session again meanwhile has it now.
    pub fn close(
        &mut self,
        context: &FetchContext,
        answers: &[PartitionData],
    ) -> Result<Vec<bool>, ErrorCode> {
        let session = match self.sessions.get_mut(&context.session_id) {
            Some(session) if session.epoch == context.epoch => session,
            Some(_) if context.incremental => return Err(ErrorCode::InvalidFetchSessionEpoch),
            _ => return Ok(vec![true; answers.len()]),
        };
        let cached = std::mem::take(&mut session.partitions);
        let (mut stay, mut at_end, mut sent) = (
            Vec::with_capacity(cached.len()),
            Vec::new(),
            Vec::with_capacity(answers.len()),
        );
        // Partitions are in the context's order: nobody has opened the session since.
        for ((mut cached, wanted), answer) in cached.into_iter().zip(&context.wanted).zip(answers) {
            debug_assert_eq!(cached.wanted.partition, wanted.partition);
            let news = cached.note(answer);
            sent.push(news || !context.incremental);
            if has_records(answer) {
                at_end.push(cached)
            } else {
                stay.push(cached)
            }
        }
        stay.append(&mut at_end);
        session.partitions = stay;
        Ok(sent)
    }

    fn has_room(&self, more: usize) -> bool {
        let remembered = self
            .sessions
            .values()
            .map(|session| session.partitions.len());
        remembered.sum::<usize>() + more <= PARTITIONS_MAX
    }

    fn insert(&mut self, wanted: &[Wanted], by_id: bool, now_ms: i64) -> i32 {
        if self.sessions.len() >= self.slots && !self.evict(wanted.len(), now_ms) {
            return 0;
        }
        let mut id = self.next_id;
        while self.sessions.contains_key(&id) {
            id = id.checked_add(1).unwrap_or(1);
        }
        self.next_id = id.checked_add(1).unwrap_or(1);
        let partitions = wanted.iter().cloned().map(Cached::new).collect();
        let session = Session {
            epoch: next_epoch(INITIAL_EPOCH),
            by_id,
            partitions,
            created_ms: now_ms,
            used_ms: now_ms,
        };
        self.sessions.insert(id, session);
        id
    }

    /// Makes room for a session of `size` partitions: takes one that nobody uses, or an older one that is smaller.
    fn evict(&mut self, size: usize, now_ms: i64) -> bool {
        let stale = |session: &Session| now_ms - session.used_ms > EVICTION_MS;
        let smaller = |session: &Session| {
            now_ms - session.created_ms > EVICTION_MS && session.partitions.len() < size
        };
        let victim = self
            .sessions
            .iter()
            .find(|(_, session)| stale(session))
            .or_else(|| {
                let candidates = self.sessions.iter().filter(|(_, session)| smaller(session));
                candidates.min_by_key(|(_, session)| session.partitions.len())
            });
        let Some(id) = victim.map(|(id, _)| *id) else {
            return false;
        };
        self.sessions.remove(&id);
        true
    }
}

impl Session {
    fn change(&mut self, request: &FetchRequest, by_id: bool) {
        let mut places: BTreeMap<(TopicKey, i32), usize> = BTreeMap::new();
        for (at, cached) in self.partitions.iter().enumerate() {
            places.insert((cached.wanted.topic.clone(), cached.wanted.partition), at);
        }
        for wanted in wanted_of(request, by_id) {
            let place = (wanted.topic.clone(), wanted.partition);
            match places.entry(place) {
                Entry::Occupied(at) => self.partitions[*at.get()].wanted = wanted,
                Entry::Vacant(vacant) => {
                    vacant.insert(self.partitions.len());
                    self.partitions.push(Cached::new(wanted));
                }
            }
        }
        let forgotten: BTreeSet<(TopicKey, i32)> = forgotten_of(request, by_id).collect();
        if forgotten.is_empty() {
            return;
        }
        self.partitions.retain(|cached| {
            !forgotten.contains(&(cached.wanted.topic.clone(), cached.wanted.partition))
        });
    }
}

impl Cached {
    fn new(wanted: Wanted) -> Self {
        Self {
            wanted,
            high_watermark: -1,
            log_start_offset: -1,
            was_error: false,
        }
    }

    /// Whether the answer says anything that the consumer does not know yet.
    fn note(&mut self, answer: &PartitionData) -> bool {
        let is_error = answer.error_code != 0;
        let news = has_records(answer)
            || is_error
            || self.was_error
            || answer.high_watermark != self.high_watermark
            || answer.log_start_offset != self.log_start_offset
            || answer.diverging_epoch.epoch >= 0
            || answer.preferred_read_replica >= 0;
        self.was_error = is_error;
        self.high_watermark = answer.high_watermark;
        self.log_start_offset = answer.log_start_offset;
        news
    }
}

fn has_records(answer: &PartitionData) -> bool {
    answer
        .records
        .as_ref()
        .is_some_and(|records| !records.is_empty())
}

/// Epochs of a session run from 1; 0 opens one.
fn next_epoch(epoch: i32) -> i32 {
    epoch.checked_add(1).unwrap_or(1)
}

fn forgotten_of(request: &FetchRequest, by_id: bool) -> impl Iterator<Item = (TopicKey, i32)> + '_ {
    request.forgotten_topics_data.iter().flat_map(move |topic| {
        let key = if by_id {
            TopicKey::Id(topic.topic_id)
        } else {
            TopicKey::Name(topic.topic.clone())
        };
        let partitions = topic.partitions.iter();
        partitions.map(move |partition| (key.clone(), *partition))
    })
}

fn wanted_of(request: &FetchRequest, by_id: bool) -> impl Iterator<Item = Wanted> + '_ {
    request.topics.iter().flat_map(move |topic| {
        topic
            .partitions
            .iter()
            .map(move |partition: &FetchPartition| Wanted {
                topic: if by_id {
                    TopicKey::Id(topic.topic_id)
                } else {
                    TopicKey::Name(topic.topic.clone())
                },
                partition: partition.partition,
                fetch_offset: partition.fetch_offset,
                max_bytes: partition.partition_max_bytes,
                current_leader_epoch: partition.current_leader_epoch,
                last_fetched_epoch: partition.last_fetched_epoch,
            })
    })
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
