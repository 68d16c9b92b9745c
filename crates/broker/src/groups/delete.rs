//! Deletion on request: DeleteGroups, OffsetDelete, and the offsets of a topic that is gone.

use std::collections::BTreeSet;
use std::sync::Arc;

use protocol::Uuid;
use protocol::error::ErrorCode;

use super::Groups;
use super::group::{Group, State};
use super::record::Record;
use super::reply::{DeletedOffsets, OffsetDeleteReply, Reply};
use super::request::{Now, OffsetDelete, Token};
use super::step::{Appends, Effects, Then};

impl Groups {
    /// Deletes a group that has no members, with its offsets. Answered when that is stored.
    pub fn delete_group(&mut self, now: Now, token: Token, group_id: &str) -> Effects {
        let (groups, mut step) = self.step(now);
        let error = match groups.get(group_id) {
            None => Some(ErrorCode::GroupIdNotFound),
            Some(group) if group.state != State::Empty => Some(ErrorCode::NonEmptyGroup),
            Some(_) => None,
        };
        if let Some(error) = error {
            step.reply(token, Reply::DeleteGroup(error));
            return step.effects;
        }
        if let Some(group) = groups.get_mut(group_id) {
            for member_id in group.pending_join.clone() {
                group.remove_member(&mut step, &member_id, ErrorCode::UnknownMemberId);
            }
            let mut partitions = commits_under_way(step.appends, group_id);
            partitions.extend(offsets_of(group));
            let mut records: Vec<Record> = partitions
                .iter()
                .map(|(topic, partition)| Record::offset(&group.id, topic, *partition, None))
                .collect();
            records.push(Record::group(&group.id, None));
            let reply = Reply::DeleteGroup(ErrorCode::None);
            step.append(&group.id, records, Then::Reply(token, reply));
        }
        let effects = step.effects;
        self.drop_if_blank(group_id);
        effects
    }

    /// Deletes offsets of topics that nobody in the group subscribes to. Answered when that is stored.
    pub fn offset_delete(&mut self, now: Now, token: Token, request: &OffsetDelete) -> Effects {
        let (groups, mut step) = self.step(now);
        let group = match groups.get(&*request.group_id) {
            _ if request.group_id.is_empty() => Err(ErrorCode::InvalidGroupId),
            None => Err(ErrorCode::GroupIdNotFound),
            Some(group) if group.state != State::Empty && !group.uses_consumer_protocol() => {
                Err(ErrorCode::NonEmptyGroup)
            }
            Some(group) => Ok(group),
        };
        let group = match group {
            Ok(group) => group,
            Err(error) => {
                let reply = OffsetDeleteReply {
                    error,
                    topics: Vec::new(),
                };
                step.reply(token, Reply::OffsetDelete(reply));
                return step.effects;
            }
        };
        let mut stored = commits_under_way(step.appends, &group.id);
        stored.extend(offsets_of(group));
        let mut records = Vec::new();
        let mut topics = Vec::with_capacity(request.topics.len());
        for (topic, partitions) in &request.topics {
            let error = match group.is_subscribed_to(topic) {
                true => ErrorCode::GroupSubscribedToTopic,
                false => ErrorCode::None,
            };
            for partition in partitions.iter().filter(|_| error == ErrorCode::None) {
                if stored.remove(&(Arc::clone(topic), *partition)) {
                    records.push(Record::offset(&group.id, topic, *partition, None));
                }
            }
            let partitions = partitions.iter().map(|partition| (*partition, error));
            topics.push(DeletedOffsets {
                topic: Arc::clone(topic),
                partitions: partitions.collect(),
            });
        }
        let reply = Reply::OffsetDelete(OffsetDeleteReply {
            error: ErrorCode::None,
            topics,
        });
        if !records.is_empty() {
            step.append(&group.id, records, Then::Nothing);
        }
        step.reply_when_durable(token, reply);
        step.effects
    }

    /// Deletes what was committed for a topic that is deleted.
    pub fn topic_deleted(&mut self, now: Now, topic: &str, topic_id: Uuid) -> Effects {
        let is_gone = |name: &str, id| name == topic && [Uuid::ZERO, topic_id].contains(&id);
        self.topics_gone(now, is_gone)
    }

    /// Deletes what was committed for topics that are no more, by name and id.
    pub fn topics_gone(&mut self, now: Now, is_gone: impl Fn(&str, Uuid) -> bool) -> Effects {
        let (groups, mut step) = self.step(now);
        for group in groups.values() {
            let offsets = group.offsets.iter().flat_map(|(topic, offsets)| {
                offsets
                    .iter()
                    .map(move |(partition, offset)| (topic, *partition, offset))
            });
            let records: Vec<Record> = offsets
                .filter(|(topic, _, offset)| is_gone(topic, offset.committed.topic_id))
                .map(|(topic, partition, _)| Record::offset(&group.id, topic, partition, None))
                .collect();
            if !records.is_empty() {
                step.append(&group.id, records, Then::Nothing);
            }
        }
        step.effects
    }
}

type TopicPartition = (Arc<str>, i32);

fn offsets_of(group: &Group) -> impl Iterator<Item = TopicPartition> {
    group.offsets.iter().flat_map(|(topic, offsets)| {
        offsets
            .keys()
            .map(move |partition| (Arc::clone(topic), *partition))
    })
}

/// The partitions that a group has commits under way for: they will be there when the deletion is.
fn commits_under_way(appends: &Appends, group_id: &str) -> BTreeSet<TopicPartition> {
    let of_group = appends
        .under_way
        .values()
        .filter(|append| *append.group_id == *group_id);
    of_group
        .flat_map(|append| append.records.iter())
        .filter_map(Record::committed)
        .collect()
}
