//! What Fetch needs beyond its handler: incremental sessions (`session`) and reading partitions against the limits of a request
//! (`read`).

pub mod read;
pub mod session;
