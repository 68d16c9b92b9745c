//! Names of the files that hold frames and runs: journal files and merged segments, in the one form
//! in which footers, the manifest and snapshots write them. Used wherever a file is named.

use std::fmt;

/// A journal file's number, or a merged segment's number with the top bit set. Journal files order
/// before merged segments; that order says nothing about age.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(u64);

const MERGED_BIT: u64 = 1 << 63;

impl FileId {
    pub fn journal(number: u64) -> Self {
        assert!(number & MERGED_BIT == 0, "file numbers have 63 bits");
        Self(number)
    }

    pub fn merged(number: u64) -> Self {
        assert!(number & MERGED_BIT == 0, "file numbers have 63 bits");
        Self(number | MERGED_BIT)
    }

    pub fn is_merged(self) -> bool {
        self.0 & MERGED_BIT != 0
    }

    /// The number without its kind.
    pub fn number(self) -> u64 {
        self.0 & !MERGED_BIT
    }

    /// The stored form.
    pub fn to_bits(self) -> u64 {
        self.0
    }

    pub fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The file's name in the data folder.
    pub fn name(self) -> String {
        self.to_string()
    }

    /// The id of a file with this name, if it is a journal file's or a merged segment's.
    pub fn from_name(name: &str) -> Option<Self> {
        let (digits, kind) = name.split_once('.')?;
        let number = u64::from_str_radix(digits, 16).ok()?;
        let id = match kind {
            "journal" if number & MERGED_BIT == 0 => Self::journal(number),
            "merged" if number & MERGED_BIT == 0 => Self::merged(number),
            _ => return None,
        };
        // Names that only read alike ("+1", upper case, fewer digits) are somebody else's.
        (id.name() == name).then_some(id)
    }
}

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_merged() {
            "merged"
        } else {
            "journal"
        };
        write!(f, "{:016x}.{kind}", self.number())
    }
}

impl fmt::Debug for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for (id, name) in [
            (FileId::journal(1), "0000000000000001.journal"),
            (FileId::journal(0xabc), "0000000000000abc.journal"),
            (FileId::merged(16), "0000000000000010.merged"),
        ] {
            assert_eq!(id.name(), name);
            assert_eq!(FileId::from_name(name), Some(id));
            assert_eq!(FileId::from_bits(id.to_bits()), id);
        }
        for name in [
            "",
            "spare.journal",
            "1.journal",
            "+000000000000001.journal",
            "0000000000000ABC.journal",
            "0000000000000001.snapshot",
            "0000000000000001.journal.tmp",
            "ffffffffffffffff.journal",
            "8000000000000000.merged",
        ] {
            assert_eq!(FileId::from_name(name), None, "{name}");
        }
    }
}
