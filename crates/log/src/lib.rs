//! log

pub mod fields;
pub mod file_id;
pub mod footer;
pub mod producers;
pub mod roll;
pub mod running_clock;
