//! What Fetch needs beyond its handler: incremental sessions (`session`), reading partitions against the limits of a request (`read`),
//! and what a parked fetch watches (`watch`).

pub mod read;
pub mod session;
pub mod watch;
