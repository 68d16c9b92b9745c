//! A map that forgets what was used longest ago once its entries weigh too much. Open files, footers
//! and trails are kept in one each, so that none of them grows with the data stored.

use std::collections::BTreeMap;

#[derive(Debug)]
pub struct Lru<K, V> {
    entries: BTreeMap<K, Entry<V>>,
    by_use: BTreeMap<u64, K>,
    next_use: u64,
    weight: usize,
    weight_max: usize,
}

#[derive(Debug)]
struct Entry<V> {
    value: V,
    weight: usize,
    last_use: u64,
}

impl<K: Copy + Ord, V> Lru<K, V> {
    pub fn new(weight_max: usize) -> Self {
        Self {
            entries: BTreeMap::new(),
            by_use: BTreeMap::new(),
            next_use: 0,
            weight: 0,
            weight_max,
        }
    }

    pub fn get(&mut self, key: K) -> Option<&V> {
        let entry = self.entries.get_mut(&key)?;
        self.by_use.remove(&entry.last_use);
        entry.last_use = self.next_use;
        self.by_use.insert(self.next_use, key);
        self.next_use += 1;
        Some(&entry.value)
    }

    /// Keeps a value, in place of an older one; a single one may outweigh the bound.
    pub fn insert(&mut self, key: K, value: V, weight: usize) {
        self.remove(key);
        while self.weight.saturating_add(weight) > self.weight_max
            && let Some((_, oldest)) = self.by_use.first_key_value()
        {
            self.remove(*oldest);
        }
        self.weight += weight;
        self.by_use.insert(self.next_use, key);
        let last_use = self.next_use;
        self.next_use += 1;
        let entry = Entry {
            value,
            weight,
            last_use,
        };
        self.entries.insert(key, entry);
    }

    pub fn remove(&mut self, key: K) -> Option<V> {
        let entry = self.entries.remove(&key)?;
        self.by_use.remove(&entry.last_use);
        self.weight -= entry.weight;
        Some(entry.value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forgets_what_was_used_longest_ago() {
        let mut lru = Lru::new(10);
        for (key, weight) in [(1, 4), (2, 4), (3, 2)] {
            lru.insert(key, key * 10, weight);
        }
        assert_eq!(lru.get(1), Some(&10));
        lru.insert(4, 40, 3);
        assert_eq!(lru.get(2), None);
        for (key, value) in [(1, 10), (3, 30), (4, 40)] {
            assert_eq!(lru.get(key), Some(&value));
        }
        // One that is too heavy for all the room still has it to itself.
        lru.insert(5, 50, 99);
        assert_eq!(lru.get(4), None);
        assert_eq!(lru.get(5), Some(&50));
        lru.insert(5, 51, 1);
        lru.insert(6, 60, 9);
        assert_eq!(lru.get(5), Some(&51));
        assert_eq!(lru.get(6), Some(&60));
        assert_eq!(lru.remove(5), Some(51));
        assert_eq!(lru.weight, 9);
        assert_eq!(lru.by_use.len(), 1);
    }
}
