//! Kafka's codecs, as clients of every language write and read them. Whatever the input claims, what
//! comes out is bounded while it is inflated: a bomb costs its sender an error and the broker nothing.

mod lz4;
mod snappy;

use std::io::{self, Read, Write};

use flate2::bufread::MultiGzDecoder;
use flate2::write::GzEncoder;

/// How the records of a batch are compressed. The numbers are Kafka's, never to be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Codec {
    None = 0,
    Gzip = 1,
    Snappy = 2,
    Lz4 = 3,
    Zstd = 4,
}

impl Codec {
    pub const ALL: [Self; 5] = [Self::None, Self::Gzip, Self::Snappy, Self::Lz4, Self::Zstd];

    /// The codec with this number in a batch's attributes.
    #[inline]
    pub fn from_id(id: u8) -> Option<Self> {
        Self::ALL.get(usize::from(id)).copied()
    }

    #[inline]
    pub const fn id(self) -> u8 {
        self as u8
    }

    /// Kafka's name in configs, such as `gzip`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Snappy => "snappy",
            Self::Lz4 => "lz4",
            Self::Zstd => "zstd",
        }
    }
}

/// Why records could not be inflated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecompressError {
    #[error("the records inflate to more than {size_max} bytes")]
    TooLarge { size_max: usize },
    #[error("the records are no valid {} stream", codec.name())]
    Corrupt { codec: Codec },
}

/// A codec library refused to compress, which only a lack of memory explains.
#[derive(Debug, thiserror::Error)]
#[error("compressing with {} failed", codec.name())]
pub struct CompressError {
    codec: Codec,
    source: io::Error,
}

/// Appends `input`, compressed, to `out`. `level` counts for gzip (1 to 9, by default 6) and zstd
/// (up to 22, by default 3), pulled into that range; the lz4 library has just one level.
pub fn compress(
    codec: Codec,
    level: Option<i32>,
    input: &[u8],
    out: &mut Vec<u8>,
) -> Result<(), CompressError> {
    match codec {
        Codec::None => {
            out.extend_from_slice(input);
            Ok(())
        }
        Codec::Gzip => compress_gzip(level, input, out),
        Codec::Snappy => snappy::compress(input, out),
        Codec::Lz4 => lz4::compress(input, out),
        Codec::Zstd => compress_zstd(level, input, out),
    }
    .map_err(|source| CompressError { codec, source })
}

/// Appends `input`, inflated, to `out`: at most `size_max` bytes. Memory grows with what is really
/// inflated, never with what a header claims. After an error `out` is as before.
pub fn decompress(
    codec: Codec,
    input: &[u8],
    size_max: usize,
    out: &mut Vec<u8>,
) -> Result<(), DecompressError> {
    let start = out.len();
    let mut output = Output {
        bytes: out,
        start,
        size_max,
    };
    let result = match codec {
        Codec::None => output.extend(input),
        // Java reads concatenated gzip members as one stream.
        Codec::Gzip => output.extend_from(codec, MultiGzDecoder::new(input)),
        Codec::Snappy => snappy::decompress(input, &mut output),
        Codec::Lz4 => lz4::decompress(input, &mut output),
        Codec::Zstd => match zstd::stream::read::Decoder::with_buffer(input) {
            Ok(reader) => output.extend_from(codec, reader),
            Err(_) => Err(DecompressError::Corrupt { codec }),
        },
    };
    if result.is_err() {
        out.truncate(start);
    }
    result
}

/// Where inflated bytes go, and how many of them there may be.
struct Output<'a> {
    bytes: &'a mut Vec<u8>,
    start: usize,
    size_max: usize,
}

impl Output<'_> {
    /// How many bytes may still come.
    fn room(&self) -> usize {
        self.size_max - (self.bytes.len() - self.start)
    }

    fn too_large(&self) -> DecompressError {
        DecompressError::TooLarge {
            size_max: self.size_max,
        }
    }

    fn extend(&mut self, bytes: &[u8]) -> Result<(), DecompressError> {
        if bytes.len() > self.room() {
            return Err(self.too_large());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn extend_from(&mut self, codec: Codec, reader: impl Read) -> Result<(), DecompressError> {
        // One byte beyond the bound tells "too large" from "fits exactly".
        let bound = (self.size_max as u64).saturating_add(1);
        match reader.take(bound).read_to_end(self.bytes) {
            Ok(size) if size > self.size_max => Err(self.too_large()),
            Ok(_) => Ok(()),
            Err(_) => Err(DecompressError::Corrupt { codec }),
        }
    }
}

fn compress_gzip(level: Option<i32>, input: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    let level = match level {
        Some(level) => flate2::Compression::new(level.clamp(1, 9).cast_unsigned()),
        None => flate2::Compression::default(),
    };
    let mut encoder = GzEncoder::new(out, level);
    encoder.write_all(input)?;
    encoder.finish()?;
    Ok(())
}

fn compress_zstd(level: Option<i32>, input: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    let level = match level {
        Some(level) => {
            let range = zstd::compression_level_range();
            level.clamp(*range.start(), *range.end())
        }
        None => zstd::DEFAULT_COMPRESSION_LEVEL,
    };
    let mut encoder = zstd::stream::write::Encoder::new(out, level)?;
    // Told the size, zstd takes tables that fit it and readers learn it from the frame.
    encoder.set_pledged_src_size(Some(input.len() as u64))?;
    encoder.write_all(input)?;
    encoder.finish()?;
    Ok(())
}

#[cfg(test)]
#[path = "compression/tests.rs"]
mod tests;
