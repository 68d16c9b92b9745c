//! Text of the protocol: UTF-8 in shared bytes, so that a name read from a request or kept by the broker is passed on without a copy.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

use bytes::Bytes;

#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct KafkaString(Bytes);

impl KafkaString {
    pub const fn from_static(text: &'static str) -> Self {
        Self(Bytes::from_static(text.as_bytes()))
    }

    /// None unless the bytes are UTF-8.
    pub fn from_utf8(bytes: Bytes) -> Option<Self> {
        std::str::from_utf8(&bytes).ok()?;
        Some(Self(bytes))
    }

    pub fn as_str(&self) -> &str {
        // Checked when it was made; what cannot be is answered with nothing rather than with a panic.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// A copy that does not keep the request's buffer alive.
    pub fn detached(&self) -> Self {
        Self(Bytes::copy_from_slice(&self.0))
    }
}

impl Deref for KafkaString {
    type Target = str;
    fn deref(&self) -> &str {
        self.as_str()
    }
}

/// UTF-8 orders as its bytes do, so that a map by text can be searched with any `&str`.
impl Borrow<str> for KafkaString {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl Hash for KafkaString {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl From<&'static str> for KafkaString {
    fn from(text: &'static str) -> Self {
        Self::from_static(text)
    }
}

impl From<String> for KafkaString {
    fn from(text: String) -> Self {
        Self(text.into())
    }
}

impl PartialEq<str> for KafkaString {
    fn eq(&self, other: &str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl PartialEq<&str> for KafkaString {
    fn eq(&self, other: &&str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl fmt::Display for KafkaString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self)
    }
}

impl fmt::Debug for KafkaString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}
