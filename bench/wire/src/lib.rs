//! Kafka's wire format, as far as driver and floor need it: primitives of the flexible encoding and framing. Knows nothing of the
//! house's own protocol crate, so that the driver judges that as well.
//!
//! In reading order: `Encoder`, `Decoder`, `Frames`, `api` (the one version of each API that the bench speaks).

pub mod api;
mod decoder;
mod encoder;
mod frames;

pub use decoder::{Decoder, Malformed};
pub use encoder::Encoder;
pub use frames::{FRAME_BYTES_MAX, Frames};
