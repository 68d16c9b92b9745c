//! What all messages have in common. Implemented by the generated ones, used by whoever sends or takes one.

use bytes::Bytes;

use crate::api::{ApiKey, Versions};
use crate::wire::{DecodeError, Decoder, Encoder, Fault};

/// A message in all its versions. A field that a version does not have keeps its default when read and is left out when written.
pub trait Message: Sized {
    const VERSIONS: Versions;

    /// Reads the fields of `version`; what follows them is left.
    fn decode(input: &mut Decoder, version: i16) -> Result<Self, DecodeError>;

    fn encode(&self, out: &mut Encoder, version: i16);

    /// Reads a whole message: a version there is, and nothing behind it.
    fn from_bytes(bytes: Bytes, version: i16) -> Result<Self, DecodeError> {
        if !Self::VERSIONS.contains(version) {
            return Err(DecodeError {
                at: 0,
                fault: Fault::UnknownVersion,
            });
        }
        let mut input = Decoder::new(bytes);
        let message = Self::decode(&mut input, version)?;
        input.finish()?;
        Ok(message)
    }

    fn to_bytes(&self, version: i16) -> Bytes {
        let mut out = Encoder::new();
        self.encode(&mut out, version);
        out.into_bytes()
    }
}

/// A message that asks for another.
pub trait Request: Message {
    const KEY: ApiKey;
    type Response: Message;
}
