//! Repeatable choice. Used by everything that draws a request.

use serde_json::Value;

/// SplitMix64: small, and the same everywhere.
pub(crate) struct Dice {
    state: u64,
}

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            state: seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x6f74_746c_6100,
        }
    }

    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Both ends included.
    pub(crate) fn range(&mut self, first: i64, last: i64) -> i64 {
        let span = (last - first + 1) as u64;
        first + (self.next() % span) as i64
    }

    pub(crate) fn one_in(&mut self, times: u64) -> bool {
        self.next().is_multiple_of(times)
    }

    pub(crate) fn pick<T: Clone>(&mut self, values: &[T]) -> T {
        values[self.next() as usize % values.len()].clone()
    }

    pub(crate) fn weighted<T: Copy>(&mut self, values: &[(T, u32)]) -> T {
        let sum: u32 = values.iter().map(|(_, weight)| weight).sum();
        let mut at = (self.next() % u64::from(sum)) as u32;
        for (value, weight) in values {
            if at < *weight {
                return *value;
            }
            at -= weight;
        }
        values[0].0
    }

    /// Mostly one of the good values, sometimes one of the odd ones.
    pub(crate) fn mostly<T: Clone>(&mut self, good: &[T], odd: &[T]) -> T {
        match self.one_in(8) {
            true => self.pick(odd),
            false => self.pick(good),
        }
    }

    /// As `some`, but none with the same `field` twice: no client asks so, and answers to it follow from how a broker keeps its maps.
    pub(crate) fn distinct(
        &mut self,
        field: &str,
        draw: impl FnMut(&mut Self) -> Value,
    ) -> Vec<Value> {
        let mut seen = Vec::new();
        let mut values = self.some(draw);
        values.retain(|value| {
            let is_new = !seen.contains(&value[field]);
            seen.push(value[field].clone());
            is_new
        });
        values
    }

    /// As `distinct`, but never none.
    pub(crate) fn distinct_some(
        &mut self,
        field: &str,
        mut draw: impl FnMut(&mut Self) -> Value,
    ) -> Vec<Value> {
        let values = self.distinct(field, &mut draw);
        match values.is_empty() {
            true => vec![draw(self)],
            false => values,
        }
    }

    /// One to three of what `draw` gives; rarely none.
    pub(crate) fn some<T>(&mut self, mut draw: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let count = match self.range(0, 19) {
            0 => 0,
            1..=13 => 1,
            14..=17 => 2,
            _ => 3,
        };
        (0..count).map(|_| draw(self)).collect()
    }
}
