//! A seeded source of random field values: short texts, few elements, extremes more often than chance.

use bytes::Bytes;
use protocol::{KafkaString, Records, Uuid};

pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// SplitMix64 (Steele, Lea, Flood 2014).
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    pub(crate) fn bool(&mut self) -> bool {
        self.below(2) == 1
    }

    pub(crate) fn i8(&mut self) -> i8 {
        self.i64() as i8
    }

    pub(crate) fn i16(&mut self) -> i16 {
        self.i64() as i16
    }

    pub(crate) fn u16(&mut self) -> u16 {
        self.i64() as u16
    }

    pub(crate) fn i32(&mut self) -> i32 {
        self.i64() as i32
    }

    pub(crate) fn i64(&mut self) -> i64 {
        match self.below(8) {
            0 => 0,
            1 => -1,
            2 => i64::MAX,
            3 => i64::MIN,
            _ => self.next() as i64 >> self.below(60),
        }
    }

    pub(crate) fn f64(&mut self) -> f64 {
        self.i32().into()
    }

    pub(crate) fn uuid(&mut self) -> Uuid {
        Uuid::from_bytes((u128::from(self.next()) << 64 | u128::from(self.next())).to_be_bytes())
    }

    pub(crate) fn string(&mut self) -> KafkaString {
        const TEXTS: &[&str] = &["", "a", "events", "zwölf", "日本", "__consumer_offsets"];
        match self.below(7) {
            6 => KafkaString::from("x".repeat(self.below(200) as usize)),
            at => KafkaString::from(TEXTS[at as usize]),
        }
    }

    pub(crate) fn bytes(&mut self) -> Bytes {
        let len = self.below(40);
        (0..len).map(|_| self.next() as u8).collect()
    }

    pub(crate) fn records(&mut self) -> Option<Records> {
        self.option(Self::bytes).map(Records::from)
    }

    pub(crate) fn option<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.below(4) == 0 {
            None
        } else {
            Some(value(self))
        }
    }

    pub(crate) fn vec<T>(&mut self, mut element: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.below(4)).map(|_| element(self)).collect()
    }
}
