//! protocol

pub mod batch;
pub mod batch_builder;
pub mod compression;
pub mod crc;
pub mod error;
pub mod record;
pub mod validate;
pub mod varint;
