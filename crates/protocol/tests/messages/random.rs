//! A seeded source of random field values: short texts, few elements, extremes and defaults more often than chance.

use std::cmp::Ordering;

use bytes::Bytes;
use protocol::{KafkaString, Records, Uuid};

/// A random value with fields of `version` alone set: the others do not survive a round trip.
pub(crate) trait Arbitrary: Sized {
    fn arbitrary(random: &mut Random, version: i16) -> Self;
}

pub(crate) struct Random {
    state: u64,
    dense: Option<Dense>,
    /// Texts that mean something to whoever reads the message.
    words: &'static [&'static str],
}

/// Everything about as small as it can be, but for arrays at one depth.
struct Dense {
    /// Arrays that are open above.
    depth: usize,
    many_at: usize,
    elements: usize,
}

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            state: seed,
            dense: None,
            words: &[],
        }
    }

    /// A source of the smallest values, but `elements` of them in each array that lies within `many_at - 1` others.
    pub(crate) fn dense(many_at: usize, elements: usize) -> Self {
        Self {
            state: 0,
            dense: Some(Dense {
                depth: 0,
                many_at,
                elements,
            }),
            words: &[],
        }
    }

    /// As [`Self::new`], with every other text out of `words`.
    #[cfg_attr(test, expect(dead_code, reason = "for the fuzzer of a running broker"))]
    pub(crate) fn with_words(seed: u64, words: &'static [&'static str]) -> Self {
        Self {
            words,
            ..Self::new(seed)
        }
    }

    pub(crate) fn any<T: Arbitrary>(&mut self, version: i16) -> T {
        T::arbitrary(self, version)
    }

    /// SplitMix64 (Steele, Lea, Flood 2014).
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        // The first choice is always the smallest.
        match self.dense {
            Some(_) => 0,
            None => self.next() % limit,
        }
    }

    pub(crate) fn bytes(&mut self, len_max: u64) -> Vec<u8> {
        let len = self.below(len_max + 1);
        (0..len).map(|_| self.next() as u8).collect()
    }
}

macro_rules! integers {
    ($($type:ty)*) => {$(
        impl Arbitrary for $type {
            fn arbitrary(random: &mut Random, _: i16) -> Self {
                match random.below(8) {
                    // As most defaults are.
                    0 | 1 => 0,
                    2 => (-1i64) as Self,
                    3 => Self::MAX,
                    4 => Self::MIN,
                    _ => (random.next() >> random.below(60)) as Self,
                }
            }
        }
    )*};
}
integers!(i8 i16 u16 i32 i64);

impl Arbitrary for bool {
    fn arbitrary(random: &mut Random, _: i16) -> Self {
        random.below(2) == 1
    }
}

impl Arbitrary for f64 {
    fn arbitrary(random: &mut Random, version: i16) -> Self {
        random.any::<i32>(version).into()
    }
}

impl Arbitrary for Uuid {
    fn arbitrary(random: &mut Random, _: i16) -> Self {
        match random.below(4) {
            0 => Self::ZERO,
            _ => Self::from_bytes(std::array::from_fn(|_| random.next() as u8)),
        }
    }
}

impl Arbitrary for KafkaString {
    fn arbitrary(random: &mut Random, _: i16) -> Self {
        if !random.words.is_empty() && random.below(2) == 0 {
            return random.words[random.below(random.words.len() as u64) as usize].into();
        }
        match random.below(8) {
            0 if random.dense.is_some() => "line".into(),
            0 => "".into(),
            1 => "zwölf 日本 🦀".into(),
            // Beyond 127 bytes a compact length takes two.
            2 => "x".repeat(100 + random.below(100) as usize).into(),
            _ => format!("text-{}", random.below(1_000_000)).into(),
        }
    }
}

impl Arbitrary for Bytes {
    fn arbitrary(random: &mut Random, _: i16) -> Self {
        random.bytes(40).into()
    }
}

impl Arbitrary for Records {
    fn arbitrary(random: &mut Random, _: i16) -> Self {
        // Some larger than what the encoder copies.
        let len_max = [0, 40, 3000][random.below(3) as usize];
        Bytes::from(random.bytes(len_max)).into()
    }
}

impl<T: Arbitrary> Arbitrary for Option<T> {
    fn arbitrary(random: &mut Random, version: i16) -> Self {
        match random.below(4) {
            // Null, unless there is an array to fill.
            0 if random.dense.is_none() => None,
            _ => Some(random.any(version)),
        }
    }
}

impl<T: Arbitrary> Arbitrary for Vec<T> {
    fn arbitrary(random: &mut Random, version: i16) -> Self {
        let mut len = random.below(4) as usize;
        if let Some(dense) = &mut random.dense {
            dense.depth += 1;
            len = match dense.depth.cmp(&dense.many_at) {
                Ordering::Less => 1,
                Ordering::Equal => dense.elements,
                Ordering::Greater => 0,
            };
        }
        let elements = (0..len).map(|_| random.any(version)).collect();
        if let Some(dense) = &mut random.dense {
            dense.depth -= 1;
        }
        elements
    }
}
