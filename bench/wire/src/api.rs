//! The APIs of the bench, each in one version: the oldest or nearly oldest flexible one, topics by name.

/// Key and version of an API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Api {
    pub name: &'static str,
    pub key: i16,
    pub version: i16,
}

pub const PRODUCE: Api = api("Produce", 0, 9);
pub const FETCH: Api = api("Fetch", 1, 12);
pub const LIST_OFFSETS: Api = api("ListOffsets", 2, 6);
pub const METADATA: Api = api("Metadata", 3, 9);
pub const API_VERSIONS: Api = api("ApiVersions", 18, 3);
pub const CREATE_TOPICS: Api = api("CreateTopics", 19, 5);
pub const DELETE_TOPICS: Api = api("DeleteTopics", 20, 4);

pub const ALL: [Api; 7] = [
    PRODUCE,
    FETCH,
    LIST_OFFSETS,
    METADATA,
    API_VERSIONS,
    CREATE_TOPICS,
    DELETE_TOPICS,
];

const fn api(name: &'static str, key: i16, version: i16) -> Api {
    Api { name, key, version }
}
