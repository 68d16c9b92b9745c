//! The sums of what clients pushed, by metric, over all clients since the start. Bounded: names come from outside.

use std::collections::BTreeMap;

const NAMES_MAX: usize = 1000;
const NAME_LEN_MAX: usize = 200;

#[derive(Debug, Default)]
pub(super) struct Totals {
    by_name: BTreeMap<String, f64>,
    dropped: u64,
}

impl Totals {
    pub(super) fn add(&mut self, sums: &[(&str, f64)]) {
        for (name, increase) in sums {
            if let Some(total) = self.by_name.get_mut(*name) {
                *total += increase;
            } else if self.by_name.len() < NAMES_MAX && is_name(name) {
                self.by_name.insert((*name).to_owned(), *increase);
            } else {
                self.dropped += 1;
            }
        }
    }

    pub(super) fn sums(&self) -> impl Iterator<Item = (String, f64)> {
        let sums = self.by_name.iter();
        sums.map(|(name, total)| (name.clone(), *total))
    }

    /// Sums that had no room, or no name to show.
    pub(super) fn dropped(&self) -> u64 {
        self.dropped
    }
}

/// As OpenTelemetry names metrics; nothing that a label would have to escape.
fn is_name(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
    !name.is_empty() && name.len() <= NAME_LEN_MAX && name.chars().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_grow_and_names_are_bounded() {
        let mut totals = Totals::default();
        totals.add(&[("a", 1.0), ("b\"", 1.0), ("", 1.0)]);
        totals.add(&[("a", 2.5)]);
        let names: Vec<String> = (0..NAMES_MAX).map(|n| format!("n{n}")).collect();
        let many: Vec<_> = names.iter().map(|name| (name.as_str(), 1.0)).collect();
        totals.add(&many);
        assert_eq!(totals.sums().count(), NAMES_MAX);
        assert_eq!(totals.sums().next(), Some(("a".to_owned(), 3.5)));
        assert_eq!(totals.dropped(), 3);
    }
}
