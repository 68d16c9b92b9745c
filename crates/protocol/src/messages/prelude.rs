//! What every generated message uses.

pub(super) use bytes::Bytes;

pub(super) use super::ApiKey;
pub(super) use crate::api::Versions;
pub(super) use crate::message::{Message, Request};
pub(super) use crate::records::Records;
pub(super) use crate::text::KafkaString;
pub(super) use crate::uuid::Uuid;
pub(super) use crate::wire::{DecodeError, Decoder, Encoder};
