//! The one macro that declares options: a declaration gives the field, its default, its check and its documentation, and so also
//! what `DescribeConfigs`, `--help` and `docs/configuration.md` say. Used by `broker_options` and `topic_options`.

use super::value::{Check, Kind};

/// One option as others see it.
#[derive(Clone, Copy, Debug)]
pub struct Definition {
    pub name: &'static str,
    /// Topic options: the broker option that gives the default. Empty for broker options.
    pub synonym: &'static str,
    pub kind: Kind,
    pub default: fn() -> String,
    pub check: Check,
    pub expected: &'static str,
    pub effect: Effect,
    pub doc: &'static str,
}

/// What setting an option does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// What it says.
    Applied,
    /// Nothing, as there is nothing here that it could change; accepted for Kafka's sake.
    Idle,
    /// Nothing yet: accepted, stored, and warned of.
    NotYet,
}

impl Definition {
    /// What the one who sets the option to `value` must be told.
    pub fn effect_of(&self, value: &str) -> Effect {
        if value == (self.default)() {
            Effect::Applied
        } else {
            self.effect
        }
    }
}

macro_rules! options {
    (
        $(#[$outer:meta])*
        pub struct $type:ident {
            $( #[doc = $doc:literal] $name:literal $(/ $synonym:literal)? => $field:ident: $ty:ty = $default:expr, $check:expr $(, $effect:ident)?; )*
        }
    ) => {
        $(#[$outer])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $type {
            $( #[doc = $doc] pub $field: $ty, )*
        }

        impl Default for $type {
            fn default() -> Self {
                Self { $( $field: $default, )* }
            }
        }

        impl $type {
            pub const DEFINITIONS: &'static [$crate::config::table::Definition] = &[
                $( $crate::config::table::Definition {
                    name: $name,
                    synonym: concat!($($synonym)?),
                    kind: <$ty as $crate::config::value::Value>::KIND,
                    default: || { let value: $ty = $default; $crate::config::value::Value::print(&value) },
                    check: $check,
                    expected: <$ty as $crate::config::value::Value>::EXPECTED,
                    effect: [$($crate::config::table::Effect::$effect,)? $crate::config::table::Effect::Applied][0],
                    doc: $doc,
                }, )*
            ];

            /// Sets the option `name` from text; `Ok(false)` when there is no such option.
            pub fn set(&mut self, name: &str, text: &str) -> Result<bool, $crate::config::value::InvalidValue> {
                match name {
                    $( $name => self.$field = $crate::config::table::parse(name, text, $check)?, )*
                    _ => return Ok(false),
                }
                Ok(true)
            }

            /// The value of the option `name` as text.
            pub fn get(&self, name: &str) -> Option<String> {
                match name {
                    $( $name => Some($crate::config::value::Value::print(&self.$field)), )*
                    _ => None,
                }
            }
        }
    };
}
pub(super) use options;

pub(super) fn parse<T: super::value::Value>(
    name: &str,
    text: &str,
    check: Check,
) -> Result<T, super::value::InvalidValue> {
    let invalid = |expected: String| super::value::InvalidValue {
        name: name.to_owned(),
        value: text.to_owned(),
        expected,
    };
    let value = T::parse(text).ok_or_else(|| invalid(format!("expected {}", T::EXPECTED)))?;
    if check.accepts(text) {
        Ok(value)
    } else {
        Err(invalid(format!("expected {check}")))
    }
}
