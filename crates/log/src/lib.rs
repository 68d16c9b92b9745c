//! log

pub mod fields;
pub mod producers;
pub mod roll;
pub mod running_clock;
