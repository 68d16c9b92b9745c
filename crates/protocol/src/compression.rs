//! Kafka's codecs. Whatever the input claims, what comes out is bounded while it is inflated.

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
