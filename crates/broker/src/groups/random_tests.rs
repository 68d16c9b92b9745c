//! Clients that do what they like, under a seed: whatever happens, everybody is answered once, nobody gets what is another's, and a
//! restart finds what was there.

use std::collections::{BTreeMap, BTreeSet};

use protocol::error::ErrorCode;

use super::group::{Group, State};
use super::test_driver::*;
use super::*;

const CLIENTS: usize = 7;
const STEPS: usize = 600;
const SEEDS: u64 = 150;

/// SplitMix64.
struct Seed(u64);

impl Seed {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut x = self.0;
        x = (x ^ x >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ x >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (x ^ x >> 31) % end
    }

    fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Wish {
    #[default]
    Join,
    Sync,
    Heartbeat,
}

#[derive(Default)]
struct Client {
    /// Some for a static member.
    instance_id: Option<String>,
    member_id: String,
    generation: i32,
    /// Whom it assigns to, if it leads: member ids and names.
    members: Vec<(String, String)>,
    /// What it waits for. It may lose patience and ask anew.
    waits_for: Option<Token>,
    /// What a good client would do next.
    wish: Wish,
}

struct World {
    seed: Seed,
    driver: Driver,
    clients: Vec<Client>,
    /// Who was named leader of each generation; starts anew with the group.
    leaders: BTreeMap<i32, BTreeSet<String>>,
    last_generation: i32,
    /// A record of the group has failed, so the log is behind what members know.
    log_is_behind: bool,
}

fn limited() -> GroupsConfig {
    GroupsConfig {
        members_max: 5,
        ..config()
    }
}

impl World {
    fn new(seed: u64) -> Self {
        let client = |n: usize| Client {
            instance_id: n.is_multiple_of(3).then(|| format!("static{}", n / 3)),
            ..Client::default()
        };
        let mut driver = Driver::with(limited());
        driver.settles = false;
        Self {
            seed: Seed(seed),
            driver,
            clients: (0..CLIENTS).map(client).collect(),
            leaders: BTreeMap::new(),
            last_generation: 0,
            log_is_behind: false,
        }
    }

    fn step(&mut self) {
        let n = self.seed.below(CLIENTS as u64) as usize;
        match self.seed.below(200) {
            0..110 => self.behave(n),
            110..115 => {
                // As if started anew.
                self.clients[n].member_id.clear();
                self.join(n);
            }
            115..117 => self.sync(n),
            117..119 => self.heartbeat(n),
            119..120 => self.leave(n),
            120..135 => self.commit(n),
            135..140 => self.fetch(),
            140..142 => self.delete(),
            142..177 => self.append_ends(),
            177..199 => {
                let ms = [50, 500, 1000, DELAY_MS, SESSION_MS / 2];
                let ms = ms[self.seed.below(5) as usize];
                self.driver.advance(ms);
            }
            _ if self.seed.one_in(2) => self.restart(),
            _ if self.seed.one_in(2) => self.driver.advance(REBALANCE_MS),
            _ => self.driver.advance(4 * DAY_MS),
        }
        self.read_answers();
        self.check();
    }

    fn behave(&mut self, n: usize) {
        match self.clients[n].wish {
            _ if self.clients[n].waits_for.is_some() => {}
            Wish::Join => self.join(n),
            Wish::Sync => self.sync(n),
            Wish::Heartbeat => self.heartbeat(n),
        }
    }

    fn join(&mut self, n: usize) {
        let client = &self.clients[n];
        let mut request = join("c", &client.member_id);
        request.group_instance_id.clone_from(&client.instance_id);
        request.member_id_required = n % 2 == 1;
        request.skip_assignment = n % 2 == 1;
        let names: &[&str] = match self.seed.below(6) {
            0 => &["sticky", "range"],
            1 => &["range", "sticky"],
            _ => &["range"],
        };
        request.protocols = protocols(names);
        if self.seed.one_in(20) {
            request.member_id.clear();
        }
        self.clients[n].waits_for = Some(self.driver.join(request));
    }

    fn sync(&mut self, n: usize) {
        let client = &self.clients[n];
        let mut request = sync(&client.member_id, client.generation, &[]);
        let assignment = |(member_id, name): &(String, String)| {
            (
                member_id.clone(),
                format!("{name}@{}", client.generation).into(),
            )
        };
        let assignments = client.members.iter().map(assignment);
        request.assignments = assignments.map(|(id, bytes)| (id.into(), bytes)).collect();
        if !self.seed.one_in(10) {
            request.group_instance_id.clone_from(&client.instance_id);
        }
        self.clients[n].waits_for = Some(self.driver.sync(&request));
    }

    fn heartbeat(&mut self, n: usize) {
        let (member_id, generation) = (
            self.clients[n].member_id.clone(),
            self.clients[n].generation,
        );
        match self.driver.heartbeat(&member_id, generation) {
            ErrorCode::None => {}
            error => {
                self.clients[n].wish = Wish::Join;
                if error != ErrorCode::RebalanceInProgress {
                    self.clients[n].member_id.clear();
                }
            }
        }
    }

    fn leave(&mut self, n: usize) {
        let client = &mut self.clients[n];
        let member_id = std::mem::take(&mut client.member_id);
        client.wish = Wish::Join;
        let instance_id = client.instance_id.clone();
        self.driver.leave(&[(&member_id, instance_id.as_deref())]);
    }

    fn commit(&mut self, n: usize) {
        let offset = self.seed.below(1000) as i64;
        let mut request = if self.seed.one_in(3) {
            commit("", -1, offset)
        } else {
            commit(
                &self.clients[n].member_id,
                self.clients[n].generation,
                offset,
            )
        };
        request.topics.push(commit_topic("other", offset));
        request.retention_ms = self.seed.one_in(4).then_some(1000);
        self.driver.commit(&request);
    }

    fn fetch(&mut self) {
        let require_stable = self.seed.one_in(2);
        let group_id = GROUP.to_owned();
        self.driver.fetch(OffsetFetch {
            group_id,
            topics: None,
            require_stable,
        });
    }

    fn delete(&mut self) {
        if self.seed.one_in(2) {
            self.driver.delete_group(GROUP);
        } else if self.seed.one_in(2) {
            self.driver
                .offset_delete(&[("topic", &[0]), ("other", &[0, 1])]);
        } else {
            let effects = self
                .driver
                .groups
                .topic_deleted(self.driver.now, "other", topic_id());
            self.driver.take(effects);
        }
    }

    fn append_ends(&mut self) {
        let Some(append) = self.driver.appends.front() else {
            return;
        };
        let fails = self.seed.one_in(6);
        if append
            .records
            .iter()
            .any(|record| matches!(record, Record::Group { .. }))
        {
            self.log_is_behind = fails;
        }
        let result = if fails {
            Err(ErrorCode::KafkaStorageError)
        } else {
            Ok(())
        };
        self.driver.finish_append(result);
    }

    fn restart(&mut self) {
        while !self.driver.appends.is_empty() && self.seed.one_in(2) {
            self.append_ends();
        }
        self.driver.restart(limited());
        self.log_is_behind = false;
        self.leaders.clear();
        self.last_generation = 0;
    }

    fn read_answers(&mut self) {
        for n in 0..self.clients.len() {
            let answered = |token: &Token| !self.driver.is_waiting(*token);
            let Some(token) = self.clients[n].waits_for.take_if(|token| answered(token)) else {
                continue;
            };
            match self.driver.reply(token) {
                Reply::Join(reply) => self.joined(n, reply),
                Reply::Sync(reply) => self.synced(n, &reply),
                other => panic!("{other:?}"),
            }
        }
    }

    fn joined(&mut self, n: usize, reply: JoinReply) {
        let client = &mut self.clients[n];
        client.members.clear();
        client.wish = if reply.error == ErrorCode::None {
            Wish::Sync
        } else {
            Wish::Join
        };
        match reply.error {
            ErrorCode::None => {
                assert!(!reply.member_id.is_empty());
                let name = |member: &JoinMember| {
                    let name = member
                        .group_instance_id
                        .as_ref()
                        .unwrap_or(&member.member_id);
                    (member.member_id.to_string(), name.to_string())
                };
                if reply.leader == reply.member_id {
                    assert!(
                        reply
                            .members
                            .iter()
                            .any(|m| *m.member_id == *reply.member_id)
                    );
                    if !reply.skip_assignment {
                        client.members = reply.members.iter().map(name).collect();
                    }
                    let leader = client.instance_id.clone().unwrap_or(reply.leader.clone());
                    let leaders = self.leaders.entry(reply.generation).or_default();
                    leaders.insert(leader);
                    assert_eq!(leaders.len(), 1, "one leader a generation");
                } else {
                    assert!(reply.members.is_empty() && !reply.skip_assignment);
                }
                client.generation = reply.generation;
                client.member_id = reply.member_id;
            }
            ErrorCode::MemberIdRequired => client.member_id = reply.member_id,
            ErrorCode::RebalanceInProgress => {}
            _ => client.member_id.clear(),
        }
    }

    fn synced(&mut self, n: usize, reply: &SyncReply) {
        let client = &mut self.clients[n];
        client.wish = if reply.error == ErrorCode::None {
            Wish::Heartbeat
        } else {
            Wish::Join
        };
        match reply.error {
            ErrorCode::None if reply.assignment.is_empty() => {}
            ErrorCode::None => {
                let name = client.instance_id.as_ref().unwrap_or(&client.member_id);
                let expected = format!("{name}@{}", client.generation);
                assert_eq!(reply.assignment, expected, "an assignment of another");
            }
            ErrorCode::UnknownMemberId | ErrorCode::FencedInstanceId => client.member_id.clear(),
            _ => {}
        }
    }

    fn check(&mut self) {
        let Some(group) = self.driver.groups.groups.get(GROUP) else {
            self.leaders.clear();
            self.last_generation = 0;
            return;
        };
        check_group(group);
        if group.generation == 0 {
            self.leaders.clear();
            self.last_generation = 0;
        }
        assert!(group.generation >= self.last_generation, "generations grow");
        self.last_generation = group.generation;

        let settled = matches!(group.state, State::Stable | State::Empty);
        if settled
            && self.driver.appends.is_empty()
            && !self.log_is_behind
            && let Some(stored) = &group.stored
        {
            let live = GroupMetadata {
                state_since_ms: stored.state_since_ms,
                ..group.metadata()
            };
            assert_eq!(live, **stored, "what a restart would find");
        }
        if !self.seed.one_in(10) {
            return;
        }
        let mut replayed = Groups::new(limited());
        self.driver.replay_from(0, &mut replayed);
        let now = self.driver.now;
        let snapshot = self.driver.groups.snapshot(now);
        assert_eq!(replayed.snapshot(now), snapshot);
        let restored = Groups::restore(limited(), snapshot.clone());
        assert_eq!(restored.map(|groups| groups.snapshot(now)), Ok(snapshot));
    }

    /// Nobody asks for anything any more, and the disk is well again: everybody is answered, and all is over.
    fn end(&mut self) {
        self.driver.settles = true;
        self.driver.settle();
        self.driver.advance(15 * 60_000);
        assert_eq!(self.driver.waiting(), 0, "somebody waits for ever");
        assert!(["Empty", DEAD].contains(&self.driver.state()));
        self.driver.advance(8 * DAY_MS);
        assert_eq!(self.driver.state(), DEAD);
        assert_eq!(self.driver.groups.snapshot(self.driver.now).len(), 17);
        let check_ms = self.driver.now.monotonic_ms + limited().offsets_retention_check_interval_ms;
        assert!(
            self.driver
                .groups
                .next_deadline()
                .is_some_and(|due_ms| due_ms <= check_ms)
        );
        assert!(
            self.driver.groups.timers.next_deadline().is_none(),
            "a timer of nobody"
        );
    }
}

fn check_group(group: &Group) {
    assert_eq!(group.leader.is_some(), !group.members.is_empty());
    assert!(
        group
            .leader
            .iter()
            .all(|leader| group.members.contains_key(leader))
    );
    let awaiting = group
        .members
        .values()
        .filter(|member| member.awaiting_join.is_some())
        .count();
    assert_eq!(group.members_awaiting_join(), awaiting);
    let statics: BTreeMap<_, _> = group
        .members
        .iter()
        .filter_map(|(id, member)| Some((member.group_instance_id.clone()?, id.clone())))
        .collect();
    assert_eq!(group.static_members, statics);
    assert!(
        group
            .pending_sync
            .iter()
            .all(|id| group.members.contains_key(id))
    );
    assert!(
        group
            .pending_join
            .iter()
            .all(|id| !group.members.contains_key(id))
    );
    let syncs = group
        .members
        .values()
        .any(|member| member.awaiting_sync.is_some());
    match group.state {
        State::Empty => assert!(group.members.is_empty()),
        State::PreparingRebalance => assert!(!syncs),
        State::CompletingRebalance => assert_eq!(awaiting, 0),
        State::Stable => assert!(!syncs),
    }
    if !group.members.is_empty() {
        assert!(group.select_protocol().is_some());
    }
    assert!(!group.is_blank(), "forgotten at once");
    assert_eq!(group.held.bytes(), bytes_of(group));
}

fn bytes_of(group: &Group) -> usize {
    let members = group.members.iter();
    let members = members.map(|(id, member)| held::member_bytes(id, member));
    let pending = group.pending_join.iter().map(|id| held::pending_bytes(id));
    let topics = group.offsets.keys().map(|topic| held::topic_bytes(topic));
    let offsets = group.offsets.values().flat_map(BTreeMap::values);
    let offsets = offsets.map(|stored| held::offset_bytes(&stored.committed));
    held::GROUP_BYTES
        + group.id.len()
        + held::stored_bytes(group.stored.as_deref())
        + members
            .chain(pending)
            .chain(topics)
            .chain(offsets)
            .sum::<usize>()
}

#[test]
fn whatever_clients_do() {
    for seed in 0..SEEDS {
        let run = std::panic::catch_unwind(|| {
            let mut world = World::new(seed);
            for _ in 0..STEPS {
                world.step();
            }
            world.end();
            world.driver.log
        });
        let log = run.unwrap_or_else(|_| panic!("seed {seed} shows it"));
        if seed == 0 {
            let mut again = World::new(seed);
            (0..STEPS).for_each(|_| again.step());
            again.end();
            assert_eq!(log, again.driver.log, "a seed gives the same run twice");
        }
    }
}
