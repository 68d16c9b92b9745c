//! The types a configuration value can have: parsing, printing and checking of one value. Used by the option tables.

use std::fmt;

/// What `DescribeConfigs` calls the type of a value (the number is Kafka's, explicit and never reused).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i8)]
pub enum Kind {
    Boolean = 1,
    String = 2,
    Int = 3,
    Long = 5,
    Double = 6,
    List = 7,
}

/// A value that does not fit its option: says which, what it was and what would fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Invalid value {value} for configuration {name}: {expected}")]
pub struct InvalidValue {
    pub name: String,
    pub value: String,
    pub expected: String,
}

/// A Rust type that an option can have.
pub trait Value: Sized {
    const KIND: Kind;
    /// What is expected where `text` does not parse.
    const EXPECTED: &'static str;
    fn parse(text: &str) -> Option<Self>;
    fn print(&self) -> String;
}

/// The limits of one option, beyond its type.
#[derive(Clone, Copy, Debug)]
pub enum Check {
    Any,
    /// Smallest and largest value, both allowed.
    Range(i64, i64),
    /// A part of one.
    Fraction,
    /// One of these.
    OneOf(&'static [&'static str]),
    /// A list of any of these.
    AnyOf(&'static [&'static str]),
}

impl Check {
    /// `text` has parsed as the option's type already.
    pub fn accepts(self, text: &str) -> bool {
        match self {
            Check::Any => true,
            Check::Range(low, high) => text
                .trim()
                .parse::<i64>()
                .is_ok_and(|number| (low..=high).contains(&number)),
            Check::Fraction => text
                .trim()
                .parse::<f64>()
                .is_ok_and(|part| (0.0..=1.0).contains(&part)),
            Check::OneOf(allowed) => allowed.contains(&text.trim()),
            Check::AnyOf(allowed) => elements(text).all(|element| allowed.contains(&element)),
        }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Check::Any => write!(f, "any value"),
            Check::Range(low, i64::MAX) => write!(f, "a number of at least {low}"),
            Check::Range(low, high) => write!(f, "a number from {low} to {high}"),
            Check::Fraction => write!(f, "a number from 0 to 1"),
            Check::OneOf(allowed) => write!(f, "one of {}", allowed.join(", ")),
            Check::AnyOf(allowed) => write!(f, "a list of {}", allowed.join(", ")),
        }
    }
}

fn elements(list: &str) -> impl Iterator<Item = &str> {
    list.split(',')
        .map(str::trim)
        .filter(|element| !element.is_empty())
}

impl Value for bool {
    const KIND: Kind = Kind::Boolean;
    const EXPECTED: &'static str = "true or false";
    fn parse(text: &str) -> Option<Self> {
        match text.trim() {
            t if t.eq_ignore_ascii_case("true") => Some(true),
            t if t.eq_ignore_ascii_case("false") => Some(false),
            _ => None,
        }
    }
    fn print(&self) -> String {
        self.to_string()
    }
}

impl Value for i32 {
    const KIND: Kind = Kind::Int;
    const EXPECTED: &'static str = "a whole number of 32 bits";
    fn parse(text: &str) -> Option<Self> {
        text.trim().parse().ok()
    }
    fn print(&self) -> String {
        self.to_string()
    }
}

impl Value for i64 {
    const KIND: Kind = Kind::Long;
    const EXPECTED: &'static str = "a whole number of 64 bits";
    fn parse(text: &str) -> Option<Self> {
        text.trim().parse().ok()
    }
    fn print(&self) -> String {
        self.to_string()
    }
}

impl Value for f64 {
    const KIND: Kind = Kind::Double;
    const EXPECTED: &'static str = "a number";
    fn parse(text: &str) -> Option<Self> {
        text.trim()
            .parse()
            .ok()
            .filter(|number: &f64| number.is_finite())
    }
    fn print(&self) -> String {
        format!("{self:?}")
    }
}

impl Value for String {
    const KIND: Kind = Kind::String;
    const EXPECTED: &'static str = "a text";
    fn parse(text: &str) -> Option<Self> {
        Some(text.trim().to_owned())
    }
    fn print(&self) -> String {
        self.clone()
    }
}

impl Value for Vec<String> {
    const KIND: Kind = Kind::List;
    const EXPECTED: &'static str = "a list separated by commas";
    fn parse(text: &str) -> Option<Self> {
        Some(elements(text).map(str::to_owned).collect())
    }
    fn print(&self) -> String {
        self.join(",")
    }
}

/// When a record counts as acknowledged: the plain choice behind the option `durability`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// After an fdatasync that covers it.
    Sync,
    /// After the next of the syncs that happen once an interval.
    IntervalMs(u32),
    /// When it is in the page cache, as Apache Kafka does.
    Os,
}

impl Value for Durability {
    const KIND: Kind = Kind::String;
    const EXPECTED: &'static str = "sync, os, or an interval from 1ms to 60s such as 100ms";
    fn parse(text: &str) -> Option<Self> {
        let interval_ms = |text: &str| {
            let (number, unit_ms) = match text.strip_suffix("ms") {
                Some(number) => (number, 1),
                None => (text.strip_suffix('s')?, 1000),
            };
            let ms = number.parse::<u32>().ok()?.checked_mul(unit_ms)?;
            (1..=60_000).contains(&ms).then_some(ms)
        };
        match text.trim() {
            "sync" => Some(Durability::Sync),
            "os" => Some(Durability::Os),
            other => interval_ms(other).map(Durability::IntervalMs),
        }
    }
    fn print(&self) -> String {
        match self {
            Durability::Sync => "sync".to_owned(),
            Durability::Os => "os".to_owned(),
            Durability::IntervalMs(ms) => format!("{ms}ms"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durability_reads_what_it_prints_and_refuses_the_rest() {
        for (text, expected) in [
            ("sync", Some(Durability::Sync)),
            ("os", Some(Durability::Os)),
            ("100ms", Some(Durability::IntervalMs(100))),
            ("2s", Some(Durability::IntervalMs(2000))),
            ("0ms", None),
            ("61s", None),
            ("9999999s", None),
            ("-5ms", None),
            ("fsync", None),
            ("", None),
        ] {
            assert_eq!(Durability::parse(text), expected, "{text:?}");
        }
        assert_eq!(Durability::IntervalMs(2000).print(), "2000ms");
    }

    #[test]
    fn checks_bind_numbers_and_every_element_of_a_list() {
        assert!(Check::Range(1, i64::MAX).accepts("1"));
        assert!(!Check::Range(1, i64::MAX).accepts("0"));
        let policies = Check::AnyOf(&["delete", "compact"]);
        assert!(policies.accepts("compact, delete"));
        assert!(policies.accepts(""));
        assert!(!policies.accepts("compact,never"));
    }
}
