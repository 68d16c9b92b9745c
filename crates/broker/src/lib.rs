//! The broker: listeners, handlers, partitions, coordinators, controller, metrics. Built on `log` (what is stored) and `protocol`
//! (what is said); it never meets the client crate.
//!
//! In reading order: `config` (what it is told), `server` (start and stop), `assembly` and `broker` (its parts), `network`
//! (connections), `dispatch` and `route_admin` (from bytes to handlers), `handlers` (one file per API), `fetch` (reading), `metadata` and `controller`
//! (topics and options), `groups` and `coordinator` (consumer groups), `storage` (towards the journal), `budget` (memory), `client_metrics`, `metrics`
//! and `http`. The doors that a simulation closes: `runtime` (threads), `random`; the clock's and the disk's are in `log`.

pub mod assembly;
pub mod broker;
pub mod budget;
pub mod client_metrics;
pub mod config;
pub mod controller;
pub mod coordinator;
pub mod dispatch;
pub mod fetch;
pub mod groups;
mod handlers;
mod http;
pub mod metadata;
pub mod metrics;
pub mod network;
pub mod random;
mod records;
mod route_admin;
pub mod runtime;
pub mod server;
mod storage;
