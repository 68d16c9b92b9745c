//! The broker: listeners, handlers, partitions, coordinators, controller, metrics. Built on `log` (what is stored) and `protocol`
//! (what is said); it never meets the client crate.

pub mod config;
