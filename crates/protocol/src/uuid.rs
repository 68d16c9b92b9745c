//! Kafka's form of a UUID: 16 bytes, shown as 22 characters of URL-safe base64 (RFC 4648) without padding.

use std::fmt;
use std::str::FromStr;

#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Uuid([u8; 16]);

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const TEXT_LEN: usize = 22;

impl Uuid {
    /// Stands for no id.
    pub const ZERO: Self = Self([0; 16]);

    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = u128::from_be_bytes(self.0);
        // 128 bits in groups of six from the top; the last group has two bits and four zeros.
        for group in 0..TEXT_LEN as u32 {
            let bits = if group < 21 {
                number >> (122 - 6 * group)
            } else {
                number << 4
            };
            write!(f, "{}", char::from(ALPHABET[(bits & 0x3f) as usize]))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an id has 22 characters of URL-safe base64")]
pub struct InvalidUuid;

impl FromStr for Uuid {
    type Err = InvalidUuid;

    fn from_str(text: &str) -> Result<Self, InvalidUuid> {
        if text.len() != TEXT_LEN {
            return Err(InvalidUuid);
        }
        let mut number = 0u128;
        for (group, character) in text.bytes().enumerate() {
            let bits = ALPHABET
                .iter()
                .position(|c| *c == character)
                .ok_or(InvalidUuid)? as u128;
            match group {
                0..21 => number |= bits << (122 - 6 * group),
                _ if bits & 0x0f == 0 => number |= bits >> 4,
                _ => return Err(InvalidUuid),
            }
        }
        Ok(Self(number.to_be_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_shows() {
        let counting = Uuid::from_bytes([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);
        for (id, text) in [
            (Uuid::ZERO, "AAAAAAAAAAAAAAAAAAAAAA"),
            (Uuid::from_bytes([0xff; 16]), "_____________________w"),
            (counting, "AAECAwQFBgcICQoLDA0ODw"),
        ] {
            assert_eq!(id.to_string(), text);
            assert_eq!(text.parse(), Ok(id));
        }
        for wrong in [
            "",
            "AAAAAAAAAAAAAAAAAAAAA",
            "AAAAAAAAAAAAAAAAAAAAAB",
            "AAAAAAAAAAAAAAAAAAAA+A",
            "ÄÄÄÄÄÄÄÄÄÄÄ",
        ] {
            assert_eq!(wrong.parse::<Uuid>(), Err(InvalidUuid), "{wrong}");
        }
    }
}
