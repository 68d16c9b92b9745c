//! log

pub mod disk;
pub mod fields;
pub mod file_id;
pub mod footer;
pub mod manifest;
pub mod manifest_event;
pub mod producers;
pub mod roll;
pub mod running_clock;
pub mod snapshot;
