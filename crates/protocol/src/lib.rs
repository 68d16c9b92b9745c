//! Kafka's wire protocol, both directions: messages, framing, record batches, compression, error codes. Bytes in, bytes out; it knows
//! no time, files, sockets or runtime.
//!
//! In reading order: `wire` (primitives), `text`, `uuid`, `records` (what fields are made of), `message` and `api` (what messages have
//! in common), `messages` (one module per API, generated from `definitions/`), `frame` and `header` (what goes before a message), then `batch`,
//! `validate`, `record`, `batch_builder`, `compression`, `crc`, `varint` (what records are stored and sent in), and `error`.

pub mod api;
pub mod batch;
pub mod batch_builder;
pub mod compression;
pub mod crc;
pub mod error;
pub mod frame;
pub mod header;
pub mod message;
#[expect(
    clippy::field_reassign_with_default,
    reason = "generated: one shape for all messages, whatever their fields"
)]
pub mod messages;
pub mod record;
mod records;
mod text;
mod uuid;
pub mod validate;
pub mod varint;
pub mod wire;

pub use api::ApiKey;
pub use message::{Message, Request};
pub use records::{Chunk, FileRange, Records};
pub use text::KafkaString;
pub use uuid::{InvalidUuid, Uuid};
