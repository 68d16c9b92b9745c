//! The one door to files.

pub mod sim;
mod sim_file;
mod sim_state;
