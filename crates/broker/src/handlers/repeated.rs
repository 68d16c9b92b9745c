//! Which of the names in a request come more than once: what is asked twice about one thing is refused. Used by the handlers of lists.

use std::collections::BTreeSet;

pub(super) fn repeated<K: Ord + Copy>(names: impl IntoIterator<Item = K>) -> BTreeSet<K> {
    let mut seen = BTreeSet::new();
    let names = names.into_iter();
    names.filter(|name| !seen.insert(*name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_twice_or_more_is_named_once() {
        for (names, expected) in [
            (&[][..], &[][..]),
            (&["a", "b"], &[]),
            (&["a", "b", "a"], &["a"]),
            (&["b", "a", "b", "a", "b", "c"], &["a", "b"]),
        ] {
            let found: Vec<&str> = repeated(names.iter().copied()).into_iter().collect();
            assert_eq!(found, expected);
        }
    }
}
