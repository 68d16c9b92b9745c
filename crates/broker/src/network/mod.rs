//! The network side: `listener` accepts, `connection` serves one client, `output` is what it still has to send, `stream` what it sends it
//! over.

pub mod connection;
pub mod listener;
pub mod output;
pub mod stream;
