//! APIs by key: name, versions, encodings, and which header goes with which version.

use crate::messages::APIS;
pub use crate::messages::ApiKey;

/// First and last version, both served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    pub first: i16,
    pub last: i16,
}

impl Versions {
    pub fn contains(self, version: i16) -> bool {
        (self.first..=self.last).contains(&version)
    }
}

/// What Kafka 4.3 has of an API.
#[derive(Clone, Copy, Debug)]
pub struct Api {
    pub key: ApiKey,
    pub name: &'static str,
    pub versions: Versions,
    /// The first version in the flexible encoding.
    pub flexible: Option<i16>,
}

/// Every API that is defined, ascending by key.
pub fn all() -> &'static [Api] {
    APIS
}

impl ApiKey {
    pub fn from_key(key: i16) -> Option<Self> {
        APIS.binary_search_by_key(&key, |api| api.key as i16)
            .ok()
            .map(|at| APIS[at].key)
    }

    pub fn api(self) -> &'static Api {
        let at = APIS.partition_point(|api| api.key < self);
        &APIS[at]
    }

    pub fn name(self) -> &'static str {
        self.api().name
    }

    pub fn versions(self) -> Versions {
        self.api().versions
    }

    pub fn is_flexible(self, version: i16) -> bool {
        self.api().flexible.is_some_and(|first| version >= first)
    }

    /// Header version of a request.
    pub fn request_header_version(self, version: i16) -> i16 {
        if self.is_flexible(version) { 2 } else { 1 }
    }

    /// Header version of a response. ApiVersions keeps the old one for ever, as its client does not yet know what we speak (KIP-511).
    pub fn response_header_version(self, version: i16) -> i16 {
        i16::from(self != ApiKey::ApiVersions && self.is_flexible(version))
    }
}
