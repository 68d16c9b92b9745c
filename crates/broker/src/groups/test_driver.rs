//! Drives `Groups` in tests as the runtime would: keeps the clock, the log and the waiting requests, and sees that each is answered
//! exactly once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use protocol::error::ErrorCode;
use protocol::{KafkaString, Message, Uuid};

use super::*;

pub(super) const GROUP: &str = "group";
pub(super) const SESSION_MS: u64 = 10_000;
pub(super) const REBALANCE_MS: u64 = 60_000;
pub(super) const DELAY_MS: u64 = 3_000;
pub(super) const DAY_MS: u64 = 24 * 60 * 60 * 1000;

pub(super) struct Driver {
    pub(super) groups: Groups,
    pub(super) now: Now,
    /// What is durable.
    pub(super) log: Vec<Record>,
    /// Of the records that were appended, one each.
    pub(super) stamps: Vec<Stamp>,
    /// What is not yet.
    pub(super) appends: VecDeque<Append>,
    /// Appends are durable at once.
    pub(super) settles: bool,
    waiting: BTreeSet<Token>,
    answers: BTreeMap<Token, Reply>,
    last_token: u64,
    last_uuid: u128,
}

pub(super) fn config() -> GroupsConfig {
    GroupsConfig {
        members_max: 1000,
        initial_rebalance_delay_ms: DELAY_MS,
        session_timeout_ms_min: 6_000,
        session_timeout_ms_max: 1_800_000,
        offset_metadata_max: 4096,
        offsets_retention_ms: 7 * DAY_MS,
        offsets_retention_check_interval_ms: 600_000,
        memory_bytes_max: 32 << 20,
    }
}

/// A JoinGroup of version 3: a new member is let in at once.
pub(super) fn join(client_id: &str, member_id: &str) -> JoinGroup {
    JoinGroup {
        group_id: GROUP.to_owned(),
        member_id: member_id.to_owned(),
        group_instance_id: None,
        client_id: client_id.to_owned(),
        client_host: "/127.0.0.1".to_owned(),
        session_timeout_ms: SESSION_MS as i32,
        rebalance_timeout_ms: REBALANCE_MS as i32,
        protocol_type: "consumer".to_owned(),
        protocols: protocols(&["range"]),
        member_id_required: false,
        skip_assignment: false,
        member_uuid: 0,
    }
}

pub(super) fn static_join(instance_id: &str) -> JoinGroup {
    let mut request = join("client", "");
    request.group_instance_id = Some(instance_id.to_owned());
    request.skip_assignment = true;
    request
}

/// Protocols of these names, subscribed to "topic".
pub(super) fn protocols(names: &[&str]) -> Vec<Protocol> {
    let metadata = subscription(&["topic"]);
    names
        .iter()
        .map(|n| Protocol {
            name: (*n).to_owned(),
            metadata: metadata.clone(),
        })
        .collect()
}

pub(super) fn subscription(topics: &[&str]) -> Bytes {
    let subscription = protocol::messages::consumer_protocol::ConsumerProtocolSubscription {
        topics: topics
            .iter()
            .map(|topic| (*topic).to_owned().into())
            .collect(),
        ..Default::default()
    };
    let mut bytes = vec![0, 1];
    bytes.extend_from_slice(&subscription.to_bytes(1));
    bytes.into()
}

pub(super) fn sync(member_id: &str, generation: i32, assignments: &[(&str, &str)]) -> SyncGroup {
    let assigned = |(id, bytes): &(&str, &str)| {
        let bytes = Bytes::copy_from_slice(bytes.as_bytes());
        (KafkaString::from((*id).to_owned()), bytes)
    };
    SyncGroup {
        group_id: GROUP.to_owned(),
        member_id: member_id.to_owned(),
        group_instance_id: None,
        generation,
        protocol_type: None,
        protocol_name: None,
        assignments: assignments.iter().map(assigned).collect(),
    }
}

pub(super) fn commit(member_id: &str, generation: i32, offset: i64) -> OffsetCommit {
    OffsetCommit {
        group_id: GROUP.to_owned(),
        member_id: member_id.to_owned(),
        group_instance_id: None,
        generation,
        retention_ms: None,
        group_id_not_found: true,
        topics: vec![commit_topic("topic", offset)],
    }
}

/// An offset for partition 0.
pub(super) fn commit_topic(name: &str, offset: i64) -> CommitTopic {
    let partition = CommitPartition {
        partition: 0,
        offset,
        leader_epoch: 5,
        metadata: "note".to_owned(),
    };
    CommitTopic {
        name: name.into(),
        topic_id: topic_id(),
        partitions: vec![partition],
    }
}

pub(super) fn topic_id() -> Uuid {
    Uuid::from_bytes([7; 16])
}

/// A driver whose group is in a state, with members a (the leader) and b. In PreparingRebalance a has joined; generation 2 otherwise
/// where there are members.
pub(super) fn group_in(state: &str) -> (Driver, String, String) {
    let mut driver = Driver::new();
    if state == DEAD {
        return (driver, "a".to_owned(), "b".to_owned());
    }
    let ids = driver.stable(&["a", "b"]);
    let (a, b) = (ids[0].clone(), ids[1].clone());
    let rejoin = |driver: &mut Driver, id: &str| driver.join(join("x", id));
    match state {
        "Empty" => _ = driver.leave(&[(&a, None), (&b, None)]),
        "PreparingRebalance" => _ = rejoin(&mut driver, &a),
        _ => {
            rejoin(&mut driver, &a);
            rejoin(&mut driver, &b);
        }
    }
    if state == "Stable" {
        driver.sync(&sync(&b, 2, &[]));
        driver.sync(&sync(&a, 2, &[(&a, "A"), (&b, "B")]));
    }
    assert_eq!(driver.state(), state);
    (driver, a, b)
}

impl Driver {
    pub(super) fn new() -> Self {
        Self::with(config())
    }

    pub(super) fn with(config: GroupsConfig) -> Self {
        let mut groups = Groups::new(config);
        let now = Now {
            monotonic_ms: 1_000_000,
            running_ms: 5_000_000_000,
            wall_ms: 1_700_000_000_000,
        };
        let effects = groups.loaded(now);
        assert!(effects.appends.is_empty() && effects.replies.is_empty());
        Self {
            groups,
            now,
            log: Vec::new(),
            stamps: Vec::new(),
            appends: VecDeque::new(),
            settles: true,
            waiting: BTreeSet::new(),
            answers: BTreeMap::new(),
            last_token: 0,
            last_uuid: 0,
        }
    }

    /// Another process on the same log.
    pub(super) fn restart(&mut self, config: GroupsConfig) {
        self.appends.clear();
        for (token, reply) in self.groups.close() {
            self.answered(token, reply);
        }
        assert_eq!(self.waiting, BTreeSet::new(), "left unanswered");
        let mut groups = Groups::new(config);
        self.replay_from(0, &mut groups);
        self.groups = groups;
        let effects = self.groups.loaded(self.now);
        self.take(effects);
    }

    /// Takes in the log from its record `start` on.
    pub(super) fn replay_from(&self, start: usize, groups: &mut Groups) {
        for (index, record) in self.log.iter().enumerate().skip(start) {
            groups.replay(record, self.stamps.get(index).copied());
        }
    }

    pub(super) fn join(&mut self, mut request: JoinGroup) -> Token {
        self.last_uuid += 1;
        request.member_uuid = self.last_uuid;
        let token = self.token();
        let effects = self.groups.join(self.now, token, &request);
        self.take(effects);
        token
    }

    pub(super) fn sync(&mut self, request: &SyncGroup) -> Token {
        let token = self.token();
        let effects = self.groups.sync(self.now, token, request);
        self.take(effects);
        token
    }

    pub(super) fn heartbeat(&mut self, member_id: &str, generation: i32) -> ErrorCode {
        let request = Heartbeat {
            group_id: GROUP.to_owned(),
            member_id: member_id.to_owned(),
            group_instance_id: None,
            generation,
        };
        self.groups.heartbeat(self.now, &request)
    }

    /// Members as (member id, instance id).
    pub(super) fn leave(&mut self, members: &[(&str, Option<&str>)]) -> Token {
        let leaving = |(member_id, instance_id): &(&str, Option<&str>)| LeavingMember {
            member_id: (*member_id).to_owned(),
            group_instance_id: instance_id.map(str::to_owned),
        };
        let members = members.iter().map(leaving).collect();
        let token = self.token();
        let request = LeaveGroup {
            group_id: GROUP.to_owned(),
            members,
        };
        let effects = self.groups.leave(self.now, token, &request);
        self.take(effects);
        token
    }

    pub(super) fn commit(&mut self, request: &OffsetCommit) -> Token {
        let token = self.token();
        let effects = self.groups.offset_commit(self.now, token, request);
        self.take(effects);
        token
    }

    pub(super) fn fetch(&mut self, request: OffsetFetch) -> Token {
        let token = self.token();
        let effects = self.groups.offset_fetch(token, request);
        self.take(effects);
        token
    }

    pub(super) fn delete_group(&mut self, group_id: &str) -> Token {
        let token = self.token();
        let effects = self.groups.delete_group(self.now, token, group_id);
        self.take(effects);
        token
    }

    pub(super) fn offset_delete(&mut self, topics: &[(&str, &[i32])]) -> Token {
        let topics = topics
            .iter()
            .map(|(topic, ps)| (Arc::from(*topic), ps.to_vec()))
            .collect();
        let request = OffsetDelete {
            group_id: GROUP.to_owned(),
            topics,
        };
        let token = self.token();
        let effects = self.groups.offset_delete(self.now, token, &request);
        self.take(effects);
        token
    }

    /// Lets time pass, with a tick whenever one is due.
    pub(super) fn advance(&mut self, ms: u64) {
        let end_ms = self.now.monotonic_ms + ms;
        while let Some(due_ms) = self
            .groups
            .next_deadline()
            .filter(|due_ms| *due_ms <= end_ms)
        {
            self.set_clock(due_ms.max(self.now.monotonic_ms));
            let effects = self.groups.tick(self.now);
            self.take(effects);
            assert!(
                self.groups
                    .next_deadline()
                    .is_none_or(|next_ms| next_ms > self.now.monotonic_ms),
                "a tick leaves nothing due"
            );
        }
        self.set_clock(end_ms);
    }

    pub(super) fn set_clock(&mut self, monotonic_ms: u64) {
        self.now.wall_ms += (monotonic_ms - self.now.monotonic_ms) as i64;
        self.now.running_ms += monotonic_ms - self.now.monotonic_ms;
        self.now.monotonic_ms = monotonic_ms;
    }

    pub(super) fn take(&mut self, effects: Effects) {
        self.appends.extend(effects.appends);
        for (token, reply) in effects.replies {
            self.answered(token, reply);
        }
        if self.settles {
            self.settle();
        }
    }

    /// Everything appended so far, and what follows from it, is durable.
    pub(super) fn settle(&mut self) {
        while !self.appends.is_empty() {
            self.finish_append(Ok(()));
        }
    }

    /// The oldest append is durable, or has failed.
    pub(super) fn finish_append(&mut self, result: Result<(), ErrorCode>) {
        let Some(append) = self.appends.pop_front() else {
            panic!("nothing is appended")
        };
        if result.is_ok() {
            self.log.extend(append.records.iter().cloned());
            self.stamps.resize(self.log.len(), append.stamp);
        }
        let effects = self.groups.appended(self.now, append.id, result);
        self.appends.extend(effects.appends);
        for (token, reply) in effects.replies {
            self.answered(token, reply);
        }
    }

    fn token(&mut self) -> Token {
        self.last_token += 1;
        let token = Token(self.last_token);
        self.waiting.insert(token);
        token
    }

    fn answered(&mut self, token: Token, reply: Reply) {
        assert!(
            self.waiting.remove(&token),
            "{token:?} was answered already"
        );
        self.answers.insert(token, reply);
    }

    pub(super) fn is_waiting(&self, token: Token) -> bool {
        self.waiting.contains(&token)
    }

    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn reply(&mut self, token: Token) -> Reply {
        self.answers
            .remove(&token)
            .unwrap_or_else(|| panic!("{token:?} is not answered"))
    }

    pub(super) fn joined(&mut self, token: Token) -> JoinReply {
        match self.reply(token) {
            Reply::Join(reply) => reply,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn synced(&mut self, token: Token) -> (ErrorCode, Bytes) {
        match self.reply(token) {
            Reply::Sync(reply) => (reply.error, reply.assignment),
            other => panic!("{other:?}"),
        }
    }

    /// The errors of a leave, member by member.
    pub(super) fn left(&mut self, token: Token) -> Vec<ErrorCode> {
        match self.reply(token) {
            Reply::Leave(LeaveReply {
                error: ErrorCode::None,
                members,
            }) => members.iter().map(|member| member.error).collect(),
            Reply::Leave(reply) => vec![reply.error],
            other => panic!("{other:?}"),
        }
    }

    /// The errors of a commit, partition by partition.
    pub(super) fn committed(&mut self, token: Token) -> Vec<ErrorCode> {
        match self.reply(token) {
            Reply::OffsetCommit(reply) => {
                let partitions = reply.topics.iter().flat_map(|topic| &topic.partitions);
                partitions.map(|(_, error)| *error).collect()
            }
            other => panic!("{other:?}"),
        }
    }

    /// What is stored of the group: topic, partition and offset.
    pub(super) fn offsets(&mut self) -> Vec<(String, i32, i64)> {
        let request = OffsetFetch {
            group_id: GROUP.to_owned(),
            topics: None,
            require_stable: false,
        };
        let token = self.fetch(request);
        let Reply::OffsetFetch(reply) = self.reply(token) else {
            panic!("not a fetch")
        };
        let mut offsets = Vec::new();
        for topic in reply.topics {
            for found in topic.partitions {
                offsets.push((topic.name.to_string(), found.partition, found.offset));
            }
        }
        offsets
    }

    /// "Dead" if there is no group.
    pub(super) fn state(&self) -> &'static str {
        self.groups
            .describe(GROUP)
            .map_or(DEAD, |group| group.state)
    }

    pub(super) fn generation(&self) -> i32 {
        self.groups.groups[GROUP].generation
    }

    pub(super) fn member_ids(&self) -> Vec<String> {
        let members = self
            .groups
            .describe(GROUP)
            .map(|group| group.members)
            .unwrap_or_default();
        members
            .iter()
            .map(|member| member.member_id.to_string())
            .collect()
    }

    /// A stable group of dynamic members with these client ids, the first of them the leader, assigned their client ids. Returns
    /// their member ids.
    pub(super) fn stable(&mut self, client_ids: &[&str]) -> Vec<String> {
        let requests: Vec<JoinGroup> = client_ids.iter().map(|id| join(id, "")).collect();
        let ids = self.stable_with(requests);
        assert_eq!(self.state(), "Stable");
        ids
    }

    pub(super) fn stable_with(&mut self, requests: Vec<JoinGroup>) -> Vec<String> {
        let names: Vec<String> = requests
            .iter()
            .map(|request| {
                request
                    .group_instance_id
                    .clone()
                    .unwrap_or(request.client_id.clone())
            })
            .collect();
        let tokens: Vec<Token> = requests
            .into_iter()
            .map(|request| self.join(request))
            .collect();
        // The members that came after the first prolong the delay once.
        self.advance(2 * DELAY_MS);
        let joined: Vec<JoinReply> = tokens.into_iter().map(|token| self.joined(token)).collect();
        let ids: Vec<String> = joined.iter().map(|reply| reply.member_id.clone()).collect();
        let assignments: Vec<(&str, &str)> = ids
            .iter()
            .map(String::as_str)
            .zip(names.iter().map(String::as_str))
            .collect();
        let generation = joined[0].generation;
        for reply in joined.iter().rev() {
            let assignments = if reply.leader == reply.member_id {
                &assignments[..]
            } else {
                &[]
            };
            self.sync(&sync(&reply.member_id, generation, assignments));
        }
        ids
    }
}
