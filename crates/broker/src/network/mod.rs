//! The network side: `listener` accepts, `connection` serves one client, `output` is what it still has to send.

pub mod connection;
pub mod listener;
pub mod output;
