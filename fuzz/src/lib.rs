//! What the fuzz targets share: all messages as a table, and what must hold of any bytes that one of them is read from. The table is
//! that of the protocol's own tests.

#[allow(dead_code, reason = "the tests use more of it")]
#[path = "../../crates/protocol/tests/messages"]
mod messages {
    #[allow(
        clippy::field_reassign_with_default,
        reason = "generated: one shape for all messages, whatever their fields"
    )]
    pub(crate) mod arbitrary;
    pub(crate) mod counting;
    pub(crate) mod kind;
    pub(crate) mod random;
}

use std::sync::LazyLock;

use bytes::Bytes;
use protocol::ApiKey;

use messages::counting::peak_of;
use messages::kind::{Kind, Role, all};
use messages::random::Random;

static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(all);

/// Valid requests by chance, for whoever sends them to a broker.
pub struct Source(Random);

impl Source {
    pub fn new(seed: u64, words: &'static [&'static str]) -> Self {
        Self(Random::with_words(seed, words))
    }

    pub fn below(&mut self, limit: u64) -> u64 {
        self.0.below(limit)
    }

    pub fn bytes(&mut self, len_max: u64) -> Vec<u8> {
        self.0.bytes(len_max)
    }

    /// A request's body. Of a version that has none, as the oldest of Produce, just bytes.
    pub fn request(&mut self, key: ApiKey, version: i16) -> Bytes {
        let has_it = |kind: &&Kind| {
            let versions = &kind.versions;
            kind.role == Role::Request(key) && (versions.first..=versions.last).contains(&version)
        };
        match KINDS.iter().find(has_it) {
            Some(kind) => (kind.random)(&mut self.0, version),
            None => self.0.bytes(100).into(),
        }
    }
}

fn check(role: Role, version: i16, body: Bytes) {
    if let Some(kind) = KINDS.iter().find(|kind| kind.role == role) {
        check_kind(kind, version, body);
    }
}

pub fn check_request(key: ApiKey, version: i16, body: Bytes) {
    check(Role::Request(key), version, body);
}

pub fn check_response(key: ApiKey, version: i16, body: Bytes) {
    check(Role::Response(key), version, body);
}

/// Of the messages that are no API's, the one with this number.
pub fn check_data(number: u8, version: i16, body: Bytes) {
    let mut data = KINDS.iter().filter(|kind| kind.role == Role::Data);
    if let Some(kind) = data.nth(number.into()) {
        check_kind(kind, version, body);
    }
}

/// Reading takes little memory, and what was read and written is read and written alike.
fn check_kind(kind: &Kind, version: i16, body: Bytes) {
    let memory_max = 32 * body.len() + 8 * 1024;
    let peak = peak_of(|| {
        let _ = (kind.read)(body.clone(), version);
    });
    assert!(peak <= memory_max, "{} {version}: {peak} bytes", kind.name);
    let Ok(once) = (kind.again)(body, version) else {
        return;
    };
    // Without the tags that nobody knows it may be too short for its arrays' memory.
    if let Ok(twice) = (kind.again)(once.clone(), version) {
        assert_eq!(once, twice, "{} {version}", kind.name);
    }
}

/// The bytes that Kafka wrote, to start from: name, version, bytes.
pub fn golden() -> impl Iterator<Item = (&'static str, i16, Vec<u8>)> {
    const LINES: &str = include_str!("../../crates/protocol/tests/golden/messages/messages.txt");
    LINES.lines().filter_map(|line| {
        let mut columns = line.split(' ');
        let (name, version, hex) = (columns.next()?, columns.next()?, columns.next()?);
        let bytes = (0..hex.len() / 2).map(|at| u8::from_str_radix(&hex[2 * at..2 * at + 2], 16));
        Some((
            name,
            version.parse().ok()?,
            bytes.collect::<Result<_, _>>().ok()?,
        ))
    })
}

/// The number by which `check_data` knows a message.
pub fn data_number(name: &str) -> Option<u8> {
    let mut data = KINDS.iter().filter(|kind| kind.role == Role::Data);
    data.position(|kind| kind.name == name)
        .and_then(|number| u8::try_from(number).ok())
}
