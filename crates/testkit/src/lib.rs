//! The whole broker in one thread under a seed: its tasks on a runtime with paused time, its journal stepped in seeded order, its disk
//! one that loses power, its clients at the other end of streams in memory. For tests only; a failing seed is run again as it was.
//!
//! In reading order: `simulation` (lives of a broker on one disk), `clock`, `trace`, `client` (Kafka's protocol, raw), `history` (what
//! clients were promised), `workload` (what they do).

pub mod client;
pub mod clock;
pub mod history;
pub mod simulation;
pub mod trace;
pub mod workload;
