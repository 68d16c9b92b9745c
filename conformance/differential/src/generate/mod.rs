//! From a seed to a sequence of requests: what an API takes is drawn from valid, borderline and invalid values, with names, ids and
//! epochs out of earlier answers. Called by `replay` while answers are recorded; a recording is replayed without it.

mod cluster;
mod configs;
mod dice;
mod groups;
mod offsets;
mod records;
mod topics;
mod world;

use anyhow::Result;
use serde_json::Value;

use crate::schema;
use crate::session::{CLOSED, Session, WAITS};
use dice::Dice;
use world::World;

/// Draws a request of one API.
type Draw = fn(&mut Dice, &World) -> (&'static str, Value);

/// What a sequence is about: APIs and how often each is drawn.
const THEMES: &[&[(Draw, u32)]] = &[
    // Topics.
    &[
        (topics::create_topics, 6),
        (topics::create_partitions, 3),
        (topics::delete_topics, 2),
        (topics::metadata, 5),
        (topics::describe_topic_partitions, 2),
        (cluster::describe_cluster, 1),
        (cluster::api_versions, 1),
    ],
    // Records.
    &[
        (topics::create_topics, 2),
        (records::init_producer_id, 2),
        (records::produce, 10),
        (records::fetch, 6),
        (records::list_offsets, 4),
        (records::offset_for_leader_epoch, 2),
        (records::delete_records, 1),
        (topics::metadata, 1),
        (topics::delete_topics, 1),
    ],
    // Groups.
    &[
        (topics::create_topics, 1),
        (groups::join_group, 6),
        (groups::sync_group, 5),
        (groups::heartbeat, 3),
        (groups::leave_group, 2),
        (offsets::offset_commit, 4),
        (offsets::offset_fetch, 3),
        (groups::list_groups, 2),
        (groups::describe_groups, 3),
        (groups::find_coordinator, 1),
        (groups::delete_groups, 1),
        (offsets::offset_delete, 1),
    ],
    // Configurations.
    &[
        (topics::create_topics, 2),
        (configs::describe_configs, 5),
        (configs::alter_configs, 3),
        (configs::incremental_alter_configs, 6),
    ],
    // Offsets, of groups without members.
    &[
        (topics::create_topics, 2),
        (offsets::offset_commit, 6),
        (offsets::offset_fetch, 6),
        (offsets::offset_delete, 3),
        (groups::delete_groups, 2),
        (groups::describe_groups, 2),
        (groups::list_groups, 1),
        (topics::delete_topics, 1),
        (groups::heartbeat, 1),
    ],
];

pub fn run(session: &mut Session, seed: u64) -> Result<()> {
    let mut dice = Dice::new(seed);
    let mut world = World::new(&session.prefix);
    let theme = THEMES[seed as usize % THEMES.len()];
    topics::open(session, &mut dice, &mut world)?;
    for _ in 0..dice.range(5, 30) {
        let (api, request) = dice.weighted(theme)(&mut dice, &world);
        let connection = usize::from(dice.one_in(3));
        ask(session, &mut dice, &mut world, connection, api, request)?;
        if session.is_waiting() && dice.one_in(2) {
            let answer = session.collect()?;
            world.learn("JoinGroup", &Value::Null, &answer);
        }
    }
    Ok(())
}

fn ask(
    session: &mut Session,
    dice: &mut Dice,
    world: &mut World,
    connection: usize,
    api: &'static str,
    request: Value,
) -> Result<()> {
    let versions = schema::api(api)?;
    // The newest is what most clients speak, but each is somebody's.
    let version = match dice.one_in(3) {
        true => versions.last,
        false => dice.range(i64::from(versions.first), i64::from(versions.last)) as i16,
    };
    let answer = session.ask(connection, api, version, request.clone())?;
    if answer != CLOSED && answer != WAITS {
        world.learn(api, &request, &answer);
    }
    Ok(())
}
