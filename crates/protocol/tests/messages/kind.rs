//! All messages as one table, so that a test goes through them in a loop.

use std::fmt::Debug;

use bytes::Bytes;
use protocol::api::Versions;
use protocol::messages::*;
use protocol::wire::DecodeError;
use protocol::{ApiKey, Message, Request};

use super::arbitrary::{every_api, every_data};
use super::random::{Arbitrary, Random};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Role {
    Request(ApiKey),
    Response(ApiKey),
    Data,
}

pub(crate) struct Kind {
    pub(crate) name: &'static str,
    pub(crate) role: Role,
    pub(crate) versions: Versions,
    /// A random message, written; it reads back as the same value.
    pub(crate) random: fn(&mut Random, i16) -> Bytes,
    pub(crate) read: fn(Bytes, i16) -> Result<(), DecodeError>,
    /// Reads and writes again.
    pub(crate) again: fn(Bytes, i16) -> Result<Bytes, DecodeError>,
}

impl Kind {
    fn of<M: Message + Arbitrary + PartialEq + Debug>(name: &'static str, role: Role) -> Self {
        Self {
            name,
            role,
            versions: M::VERSIONS,
            random: |random, version| {
                let message = M::arbitrary(random, version);
                let bytes = message.to_bytes(version);
                let back = M::from_bytes(bytes.clone(), version);
                assert_eq!(back, Ok(message), "version {version}: {bytes:?}");
                bytes
            },
            read: |bytes, version| M::from_bytes(bytes, version).map(drop),
            again: |bytes, version| Ok(M::from_bytes(bytes, version)?.to_bytes(version)),
        }
    }
}

pub(crate) fn all() -> Vec<Kind> {
    let mut all = Vec::new();
    macro_rules! api {
        ($module:ident, $request:ident, $response:ident) => {
            let key = $module::$request::KEY;
            all.push(Kind::of::<$module::$request>(
                stringify!($request),
                Role::Request(key),
            ));
            all.push(Kind::of::<$module::$response>(
                stringify!($response),
                Role::Response(key),
            ));
        };
    }
    every_api!(api);
    macro_rules! data {
        ($module:ident, $type:ident) => {
            all.push(Kind::of::<$module::$type>(stringify!($type), Role::Data));
        };
    }
    every_data!(data);
    all
}

/// Every message in every version.
pub(crate) fn every() -> impl Iterator<Item = (Kind, i16)> {
    all().into_iter().flat_map(|kind| {
        let Versions { first, last } = kind.versions;
        (first..=last).map(move |version| (Kind { ..kind }, version))
    })
}
