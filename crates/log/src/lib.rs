//! The storage engine: one journal that everything is appended to, and a log as a view of it. It knows files through one small
//! interface and record batches through `protocol`; nothing of topics, requests or async runtimes. `docs/storage.md` has the design,
//! `docs/formats.md` the bytes.
//!
//! In reading order: `journal` (the whole), `log` (the view of one log), `queue` and `commit` (the way in), `store` and `tail_cache`
//! (the way out), `scan` and `recover` (a start), `maintain` (upkeep); `frame`, `file_header`, `footer` (the bytes); `producers`,
//! `epochs`, `roll`, `running_clock`, `manifest`, `snapshot` (state that is replayed); `disk` and `clock` (the doors).

mod books;
mod chain;
mod checkpoint;
pub mod clock;
mod commit;
pub mod disk;
pub mod epochs;
pub mod fields;
pub mod file_header;
pub mod file_id;
pub mod footer;
pub mod frame;
pub mod frame_buffer;
mod journal;
mod log;
pub mod lru;
mod maintain;
pub mod manifest;
pub mod manifest_event;
mod manifest_log;
pub mod merge;
pub mod merge_plan;
pub mod open_files;
mod opening;
mod options;
mod private_copy;
pub mod producers;
mod queue;
mod recover;
mod replay;
pub mod roll;
mod room;
pub mod running_clock;
mod scan;
pub mod segment;
#[cfg(test)]
mod segment_fixture;
pub mod segment_index;
pub mod segment_read;
pub mod segment_walk;
mod set_aside;
mod shared;
pub mod snapshot;
mod store;
mod tail_cache;
mod tidy;
pub mod trail;
mod waiters;
mod wakers;
mod write_ahead;
mod writer;

pub use clock::{Clock, ManualClock, SystemClock};
pub use journal::{Journal, SnapshotSource, Status};
pub use log::Log;
pub use manifest_event::Hole;
pub use options::{
    AppendError, AppendOptions, Appended, CommitError, Durability, JournalOptions, LogClass,
    LogConfig, LogId, ReadError, Ticket,
};
pub use recover::{OpenError, Recovered};
pub use roll::RetentionClock;
pub use segment::ReadRequest;
pub use wakers::{Registration, Wakers};

/// The journal's own log: which files and holes there are.
pub const MANIFEST_LOG: LogId = 0;
/// The log of the cluster's metadata.
pub const METADATA_LOG: LogId = 1;

#[cfg(test)]
mod crash_tests;
#[cfg(test)]
mod durability_tests;
#[cfg(test)]
mod fault_tests;
#[cfg(test)]
mod full_disk_tests;
#[cfg(test)]
mod hole_tests;
#[cfg(test)]
mod interleaving_tests;
#[cfg(test)]
mod link_tests;
#[cfg(test)]
mod retention_tests;
#[cfg(test)]
mod rules_tests;
