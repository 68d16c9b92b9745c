//! One group of the classic protocol: its members, its generation and its committed offsets, and the changes of these that keep the
//! counts right. The rules for when to change what are in the files named after the requests.
//!
//! ```text
//!            first member joins                    all joined, or time is up
//!   Empty ───────────────────────► PreparingRebalance ─────────────────────► CompletingRebalance
//!     ▲                              ▲    │      ▲                                │        │
//!     └──────────────────────────────│────┘      └──── a member comes or goes ────┘        │
//!            no member is left       │                                                     │
//!                                    └──────────────── Stable ◄────────────────────────────┘
//!                                 a member comes or goes       the leader's assignment is stored
//! ```
//!
//! - There is a leader if and only if there are members, and it is one of them.
//! - All members share at least one protocol, so that a protocol can always be chosen.
//! - `awaiting_join` counts the members whose JoinGroup waits; joins wait in PreparingRebalance only, or for the record of a static
//!   member that came back while Stable.
//! - Syncs wait in CompletingRebalance only.
//! - `stored` and `offsets` are what the durable records say: what a restart would find.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use bytes::Bytes;
use protocol::error::ErrorCode;

use super::held::{
    GROUP_BYTES, Held, Meter, member_bytes, offset_bytes, pending_bytes, stored_bytes, topic_bytes,
};
use super::member::{Member, each_name_once};
use super::record::{CommittedOffset, GroupMetadata, MemberMetadata};
use super::reply::{JoinMember, JoinReply, Reply, SyncReply};
use super::request::{JoinGroup, Now, Protocol, Token};
use super::step::{AppendId, Step};
use super::subscription::{CONSUMER_PROTOCOL, subscribed_topics};
use super::timers::Timer;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Empty,
    PreparingRebalance,
    CompletingRebalance,
    Stable,
}

#[derive(Debug)]
pub(super) struct Group {
    pub(super) id: Arc<str>,
    pub(super) state: State,
    /// Wall clock; none if the records did not say.
    pub(super) state_since_ms: Option<i64>,
    /// The same on the running time, which alone decides.
    pub(super) state_since_running_ms: Option<u64>,
    pub(super) generation: i32,
    /// None until the first member joins: such a group only holds offsets.
    pub(super) protocol_type: Option<String>,
    pub(super) protocol_name: Option<String>,
    pub(super) leader: Option<Arc<str>>,
    pub(super) members: BTreeMap<Arc<str>, Member>,
    /// Group instance ids and the member ids they stand for at present.
    pub(super) static_members: BTreeMap<Arc<str>, Arc<str>>,
    /// Ids given out that nobody has joined with yet.
    pub(super) pending_join: BTreeSet<Arc<str>>,
    /// Members that have not asked for their assignment in this generation.
    pub(super) pending_sync: BTreeSet<Arc<str>>,
    /// None if unknown: not consumers, or not to be parsed.
    pub(super) subscribed_topics: Option<BTreeSet<String>>,
    pub(super) initial_delay: Option<InitialDelay>,
    /// The append that stores this generation's assignment.
    pub(super) assignment_append: Option<AppendId>,
    pub(super) stored: Option<Arc<GroupMetadata>>,
    /// When it was, on the running time.
    pub(super) stored_running_ms: u64,
    pub(super) offsets: BTreeMap<Arc<str>, BTreeMap<i32, StoredOffset>>,
    /// What all of this takes.
    pub(super) held: Held,
    awaiting_join: usize,
    /// How many members support each protocol.
    supporters: BTreeMap<String, usize>,
}

/// A committed offset, and when it was stored, on the running time.
#[derive(Clone, Debug)]
pub(super) struct StoredOffset {
    pub(super) committed: CommittedOffset,
    pub(super) since_running_ms: u64,
}

/// The first rebalance of an empty group waits for more members than the first, and longer while they come.
#[derive(Clone, Copy, Debug)]
pub(super) struct InitialDelay {
    pub(super) delay_ms: u64,
    /// How far it can still be extended.
    pub(super) remaining_ms: u64,
    pub(super) member_added: bool,
}

impl State {
    /// The name in ListGroups and DescribeGroups.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::PreparingRebalance => "PreparingRebalance",
            Self::CompletingRebalance => "CompletingRebalance",
            Self::Stable => "Stable",
        }
    }
}

impl Group {
    pub(super) fn new(id: Arc<str>, meter: &Meter) -> Self {
        let held = meter.hold(GROUP_BYTES + id.len());
        Self::holding(id, held)
    }

    fn holding(id: Arc<str>, held: Held) -> Self {
        Self {
            id,
            state: State::Empty,
            state_since_ms: None,
            state_since_running_ms: None,
            generation: 0,
            protocol_type: None,
            protocol_name: None,
            leader: None,
            members: BTreeMap::new(),
            static_members: BTreeMap::new(),
            pending_join: BTreeSet::new(),
            pending_sync: BTreeSet::new(),
            subscribed_topics: None,
            initial_delay: None,
            assignment_append: None,
            stored: None,
            stored_running_ms: 0,
            offsets: BTreeMap::new(),
            held,
            awaiting_join: 0,
            supporters: BTreeMap::new(),
        }
    }

    /// Becomes the group that the stored metadata tells of. Its members have no sessions yet.
    pub(super) fn load_stored(&mut self) {
        let Some(stored) = self.stored.clone() else {
            return;
        };
        let stored_running_ms = self.stored_running_ms;
        self.forget_generations();
        self.set_stored(Some(Arc::clone(&stored)));
        self.stored_running_ms = stored_running_ms;
        self.state_since_ms = stored.state_since_ms;
        self.state_since_running_ms = stored.state_since_ms.map(|_| stored_running_ms);
        self.generation = stored.generation;
        self.protocol_type = Some(stored.protocol_type.clone()).filter(|name| !name.is_empty());
        self.protocol_name.clone_from(&stored.protocol_name);
        for member in &stored.members {
            let name = stored.protocol_name.clone().unwrap_or_default();
            self.add_member(Arc::clone(&member.member_id), member.to_member(name));
        }
        if let Some(leader) = &stored.leader
            && self.members.contains_key(&**leader)
        {
            self.leader = Some(Arc::clone(leader));
        }
        self.state = if self.members.is_empty() {
            State::Empty
        } else {
            State::Stable
        };
        self.subscribed_topics = self.compute_subscribed_topics();
    }

    /// Nothing is left but offsets: the next member to join begins with generation 1.
    pub(super) fn forget_generations(&mut self) {
        assert!(
            self.members.is_empty() && self.pending_join.is_empty(),
            "nobody is forgotten with a generation"
        );
        self.set_stored(None);
        let offsets = std::mem::take(&mut self.offsets);
        let held = std::mem::take(&mut self.held);
        *self = Self {
            offsets,
            ..Self::holding(Arc::clone(&self.id), held)
        };
    }

    /// What to store of the group as it is.
    pub(super) fn metadata(&self) -> GroupMetadata {
        let name = self.protocol_name.as_deref().unwrap_or_default();
        let stored = |(id, member): (&Arc<str>, &Member)| MemberMetadata::new(id, member, name);
        GroupMetadata {
            protocol_type: self.protocol_type.clone().unwrap_or_default(),
            generation: self.generation,
            protocol_name: self.protocol_name.clone(),
            leader: self.leader.clone(),
            state_since_ms: self.state_since_ms,
            members: self.members.iter().map(stored).collect(),
        }
    }

    /// Whether the group holds nothing worth keeping and nothing of it is stored.
    pub(super) fn is_blank(&self) -> bool {
        self.state == State::Empty
            && self.generation == 0
            && self.pending_join.is_empty()
            && self.stored.is_none()
            && self.offsets.is_empty()
    }

    /// Whether the group stands and falls with its offsets: nobody is in it, nobody was told to join it.
    pub(super) fn is_unused(&self) -> bool {
        self.state == State::Empty && self.pending_join.is_empty()
    }

    pub(super) fn is_leader(&self, member_id: &str) -> bool {
        self.leader.as_deref() == Some(member_id)
    }

    pub(super) fn uses_consumer_protocol(&self) -> bool {
        self.protocol_type.as_deref() == Some(CONSUMER_PROTOCOL)
    }

    /// Consumers whose subscription could not be read count as subscribed to everything.
    pub(super) fn is_subscribed_to(&self, topic: &str) -> bool {
        match &self.subscribed_topics {
            Some(topics) => topics.contains(topic),
            None => self.uses_consumer_protocol(),
        }
    }

    /// The longest that any member wants to wait for the others.
    pub(super) fn rebalance_timeout_ms(&self) -> u64 {
        let longest = self
            .members
            .values()
            .map(|member| member.rebalance_timeout_ms)
            .max();
        longest.and_then(|ms| u64::try_from(ms).ok()).unwrap_or(0)
    }

    pub(super) fn members_awaiting_join(&self) -> usize {
        self.awaiting_join
    }

    pub(super) fn all_members_joined(&self) -> bool {
        self.awaiting_join == self.members.len() && self.pending_join.is_empty()
    }

    /// Whether the ids belong together and to a member of the group.
    pub(super) fn validate_member(
        &self,
        member_id: &str,
        group_instance_id: Option<&str>,
    ) -> Result<(), ErrorCode> {
        if let Some(instance_id) = group_instance_id {
            match self.static_members.get(instance_id) {
                None => return Err(ErrorCode::UnknownMemberId),
                Some(current) if **current != *member_id => {
                    return Err(ErrorCode::FencedInstanceId);
                }
                Some(_) => {}
            }
        }
        if self.members.contains_key(member_id) {
            Ok(())
        } else {
            Err(ErrorCode::UnknownMemberId)
        }
    }

    /// Whether a member with these protocols would leave the group with one that all support.
    pub(super) fn supports(&self, protocol_type: &str, protocols: &[Protocol]) -> bool {
        if self.state == State::Empty {
            return !protocol_type.is_empty() && !protocols.is_empty();
        }
        let by_all =
            |name: &str| self.supporters.get(name).copied().unwrap_or(0) == self.members.len();
        self.protocol_type.as_deref() == Some(protocol_type)
            && protocols.iter().any(|protocol| by_all(&protocol.name))
    }

    /// The protocol that most members prefer among those that all support; of equals the first by name. None without members.
    pub(super) fn select_protocol(&self) -> Option<String> {
        let all = self.members.len();
        let candidates: BTreeSet<&str> = self
            .supporters
            .iter()
            .filter(|(_, supporters)| **supporters == all)
            .map(|(name, _)| name.as_str())
            .collect();
        let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
        for vote in self
            .members
            .values()
            .filter_map(|member| member.vote(&candidates))
        {
            *votes.entry(vote).or_default() += 1;
        }
        let most = votes.values().copied().max()?;
        votes
            .into_iter()
            .find(|(_, count)| *count == most)
            .map(|(name, _)| name.to_owned())
    }

    /// What the leader is told of the members.
    pub(super) fn join_members(&self) -> Vec<JoinMember> {
        let name = self.protocol_name.as_deref().unwrap_or_default();
        let tell = |(id, member): (&Arc<str>, &Member)| JoinMember {
            member_id: Arc::clone(id),
            group_instance_id: member.group_instance_id.clone(),
            metadata: member.metadata(name),
        };
        self.members.iter().map(tell).collect()
    }

    /// The topics that the members subscribe to, as far as the coordinator can know.
    pub(super) fn compute_subscribed_topics(&self) -> Option<BTreeSet<String>> {
        if !self.uses_consumer_protocol() {
            return None;
        }
        let name = match &self.protocol_name {
            Some(name) => name,
            None if self.members.is_empty() => return Some(BTreeSet::new()),
            None => return None,
        };
        let mut topics = BTreeSet::new();
        for member in self.members.values() {
            topics.extend(subscribed_topics(&member.metadata(name))?);
        }
        Some(topics)
    }

    pub(super) fn enter(&mut self, state: State, now: Now) {
        self.state = state;
        self.state_since_ms = Some(now.wall_ms);
        self.state_since_running_ms = Some(now.running_ms);
    }

    pub(super) fn set_stored(&mut self, stored: Option<Arc<GroupMetadata>>) {
        let old = std::mem::replace(&mut self.stored, stored);
        self.held.exchange(
            stored_bytes(old.as_deref()),
            stored_bytes(self.stored.as_deref()),
        );
    }

    pub(super) fn insert_offset(&mut self, topic: &Arc<str>, partition: i32, offset: StoredOffset) {
        if !self.offsets.contains_key(topic) {
            self.held.exchange(0, topic_bytes(topic));
        }
        let partitions = self.offsets.entry(Arc::clone(topic)).or_default();
        let new_bytes = offset_bytes(&offset.committed);
        let old = partitions.insert(partition, offset);
        let old_bytes = old.map_or(0, |old| offset_bytes(&old.committed));
        self.held.exchange(old_bytes, new_bytes);
    }

    pub(super) fn remove_offset(&mut self, topic: &str, partition: i32) {
        let Some(partitions) = self.offsets.get_mut(topic) else {
            return;
        };
        if let Some(old) = partitions.remove(&partition) {
            self.held.exchange(offset_bytes(&old.committed), 0);
        }
        if partitions.is_empty() {
            self.offsets.remove(topic);
            self.held.exchange(topic_bytes(topic), 0);
        }
    }

    pub(super) fn assign(&mut self, member_id: &str, assignment: Bytes) {
        if let Some(member) = self.members.get_mut(member_id) {
            let old = std::mem::replace(&mut member.assignment, assignment);
            self.held.exchange(old.len(), member.assignment.len());
        }
    }

    /// An id is given out.
    pub(super) fn expect_member(&mut self, member_id: Arc<str>) {
        let bytes = pending_bytes(&member_id);
        if self.pending_join.insert(member_id) {
            self.held.exchange(0, bytes);
        }
    }

    fn expect_no_more(&mut self, member_id: &str) {
        if self.pending_join.remove(member_id) {
            self.held.exchange(pending_bytes(member_id), 0);
        }
    }

    pub(super) fn add_member(&mut self, member_id: Arc<str>, member: Member) {
        self.expect_no_more(&member_id);
        self.held.exchange(0, member_bytes(&member_id, &member));
        if let Some(instance_id) = &member.group_instance_id {
            self.static_members
                .insert(Arc::clone(instance_id), Arc::clone(&member_id));
        }
        self.count_supporters(&member.protocols);
        self.awaiting_join += usize::from(member.awaiting_join.is_some());
        self.leader.get_or_insert_with(|| Arc::clone(&member_id));
        if let Some(replaced) = self.members.insert(Arc::clone(&member_id), member) {
            self.forget(&member_id, &replaced);
        }
    }

    /// Takes a member out and answers what it waits for with `error`. Also forgets an id that was only given out.
    pub(super) fn remove_member(
        &mut self,
        step: &mut Step<'_>,
        member_id: &str,
        error: ErrorCode,
    ) -> Option<Member> {
        self.expect_no_more(member_id);
        self.pending_sync.remove(member_id);
        step.cancel(&self.id, Timer::Member(member_id.into()));

        let mut member = self.members.remove(member_id)?;
        self.forget(member_id, &member);
        if let Some(instance_id) = &member.group_instance_id
            && self
                .static_members
                .get(instance_id)
                .is_some_and(|id| **id == *member_id)
        {
            self.static_members.remove(instance_id);
        }
        if self.is_leader(member_id) {
            self.leader = self.members.keys().next().cloned();
        }
        if let Some(token) = member.awaiting_join.take() {
            // A fenced member learns under which id it was known; a removed one shall come back without.
            let told = if error == ErrorCode::FencedInstanceId {
                member_id
            } else {
                ""
            };
            step.reply(token, Reply::Join(JoinReply::error(told, error)));
        }
        if let Some(token) = member.awaiting_sync.take() {
            step.reply(token, Reply::Sync(SyncReply::error(error)));
        }
        Some(member)
    }

    /// Takes over what a member says when it joins again.
    pub(super) fn update_member(&mut self, member_id: &str, request: &JoinGroup) {
        let Some(member) = self.members.get_mut(member_id) else {
            return;
        };
        let protocols = each_name_once(&request.protocols);
        let old_bytes = member_bytes(member_id, member);
        let old = std::mem::replace(&mut member.protocols, protocols.clone());
        self.held
            .exchange(old_bytes, member_bytes(member_id, member));
        member.rebalance_timeout_ms = request.rebalance_timeout_ms;
        member.session_timeout_ms = request.session_timeout_ms;
        self.count_supporters(&protocols);
        self.discount_supporters(&old);
    }

    /// Lets a member's JoinGroup wait. Of two from the same member the older has lost its client: it is told to try again.
    pub(super) fn park_join(&mut self, step: &mut Step<'_>, member_id: &str, token: Token) {
        let Some(member) = self.members.get_mut(member_id) else {
            return;
        };
        match member.awaiting_join.replace(token) {
            Some(older) => {
                let reply = JoinReply::error(member_id, ErrorCode::RebalanceInProgress);
                step.reply(older, Reply::Join(reply));
            }
            None => self.awaiting_join += 1,
        }
    }

    pub(super) fn answer_join(&mut self, step: &mut Step<'_>, member_id: &str, reply: JoinReply) {
        let Some(member) = self.members.get_mut(member_id) else {
            return;
        };
        if let Some(token) = member.awaiting_join.take() {
            self.awaiting_join -= 1;
            step.reply(token, Reply::Join(reply));
        }
    }

    fn forget(&mut self, member_id: &str, member: &Member) {
        self.held.exchange(member_bytes(member_id, member), 0);
        self.discount_supporters(&member.protocols);
        self.awaiting_join -= usize::from(member.awaiting_join.is_some());
    }

    fn count_supporters(&mut self, protocols: &[Protocol]) {
        for protocol in protocols {
            *self.supporters.entry(protocol.name.clone()).or_default() += 1;
        }
    }

    fn discount_supporters(&mut self, protocols: &[Protocol]) {
        for protocol in protocols {
            if let Some(count) = self.supporters.get_mut(&protocol.name) {
                *count -= 1;
                if *count == 0 {
                    self.supporters.remove(&protocol.name);
                }
            }
        }
    }
}
