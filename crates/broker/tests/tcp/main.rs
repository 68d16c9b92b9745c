//! The broker as its clients meet it: a real server on loopback ports of the system's choice, its data in a folder of the test's own,
//! raw clients that may say anything. The hostile ones first: whatever they do, a well-behaved one still produces and fetches.

#![cfg(test)]

mod batches;
mod client;
mod running;

mod hostile_batches;
mod hostile_connections;
mod hostile_frames;
mod hostile_lists;

mod administering;
mod clocks;
mod cluster;
mod deleting;
mod fetching;
mod metadata;
mod offsets;
mod pipelining;
mod producing;
mod recompressing;
mod starting;
mod telemetry;
