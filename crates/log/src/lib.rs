//! The storage engine: one journal that everything is appended to, and a log as a view of it. It knows files through one small
//! interface and record batches through `protocol`; nothing of topics, requests or async runtimes. `docs/storage.md` has the design,
//! `docs/formats.md` the bytes.
//!
//! In reading order: `journal` (the whole), `log` (the view of one log), `queue` and `commit` (the way in), `store` and `tail_cache`
//! (the way out), `scan` and `recover` (a start), `maintain` (upkeep); `frame`, `file_header`, `footer` (the bytes); `producers`,
//! `epochs`, `roll`, `running_clock`, `manifest`, `snapshot` (state that is replayed); `disk` and `clock` (the doors).

pub mod clock;
mod commit;
pub mod disk;
pub mod epochs;
pub mod fields;
pub mod file_header;
pub mod file_id;
pub mod footer;
pub mod frame;
mod journal;
mod log;
pub mod lru;
mod maintain;
pub mod manifest;
pub mod manifest_event;
pub mod merge;
pub mod merge_plan;
pub mod open_files;
pub mod producers;
mod queue;
mod recover;
pub mod roll;
pub mod running_clock;
mod scan;
pub mod segment;
#[cfg(test)]
mod segment_fixture;
pub mod segment_index;
pub mod segment_read;
pub mod segment_walk;
pub mod snapshot;
mod store;
mod tail_cache;
pub mod trail;

pub use clock::{Clock, ManualClock, SystemClock};
pub use journal::{Journal, JournalOptions, SnapshotSource, Status};
pub use log::{
    AppendError, AppendOptions, Appended, Chunk, CommitError, Durability, Log, LogClass, LogConfig,
    LogId, ReadError, Ticket,
};
pub use recover::{OpenError, Recovered};

/// The journal's own log: which files and holes there are.
pub const MANIFEST_LOG: LogId = 0;
/// The log of the cluster's metadata.
pub const METADATA_LOG: LogId = 1;
