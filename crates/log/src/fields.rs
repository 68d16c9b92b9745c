//! Little-endian fields of the log's own formats: a reader that gives an error where the bytes end.
//! Every decoder of a stored structure in this crate reads through it, so that no length is trusted.

/// The bytes end before the named field does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the bytes end inside {field}")]
pub struct Truncated {
    pub field: &'static str,
}

/// Reads fields from the front of a slice.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The bytes not read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub fn bytes(&mut self, count: usize, field: &'static str) -> Result<&'a [u8], Truncated> {
        let (bytes, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or(Truncated { field })?;
        self.rest = rest;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], Truncated> {
        let (bytes, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or(Truncated { field })?;
        self.rest = rest;
        Ok(*bytes)
    }

    pub fn u8(&mut self, field: &'static str) -> Result<u8, Truncated> {
        self.array(field).map(u8::from_le_bytes)
    }

    pub fn u32(&mut self, field: &'static str) -> Result<u32, Truncated> {
        self.array(field).map(u32::from_le_bytes)
    }

    pub fn u64(&mut self, field: &'static str) -> Result<u64, Truncated> {
        self.array(field).map(u64::from_le_bytes)
    }

    pub fn i16(&mut self, field: &'static str) -> Result<i16, Truncated> {
        self.array(field).map(i16::from_le_bytes)
    }

    pub fn i32(&mut self, field: &'static str) -> Result<i32, Truncated> {
        self.array(field).map(i32::from_le_bytes)
    }

    pub fn i64(&mut self, field: &'static str) -> Result<i64, Truncated> {
        self.array(field).map(i64::from_le_bytes)
    }

    /// A count of entries that each take at least `entry_bytes`: one that the remaining bytes cannot
    /// hold is refused before anything is allocated for it.
    pub fn count_u32(
        &mut self,
        entry_bytes: usize,
        field: &'static str,
    ) -> Result<usize, Truncated> {
        let count = self.u32(field)?;
        self.check_count(u64::from(count), entry_bytes, field)
    }

    /// As [`Fields::count_u32`], for counts stored in eight bytes.
    pub fn count_u64(
        &mut self,
        entry_bytes: usize,
        field: &'static str,
    ) -> Result<usize, Truncated> {
        let count = self.u64(field)?;
        self.check_count(count, entry_bytes, field)
    }

    fn check_count(
        &self,
        count: u64,
        entry_bytes: usize,
        field: &'static str,
    ) -> Result<usize, Truncated> {
        let held = self.rest.len() / entry_bytes;
        match usize::try_from(count) {
            Ok(count) if count <= held => Ok(count),
            _ => Err(Truncated { field }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_to_the_last_byte_and_no_further() {
        let mut fields = Fields::new(&[1, 2, 0, 0, 0, 0xff, 0xff, 9]);
        assert_eq!(fields.u8("a"), Ok(1));
        assert_eq!(fields.u32("b"), Ok(2));
        assert_eq!(fields.i16("c"), Ok(-1));
        assert_eq!(fields.u32("d"), Err(Truncated { field: "d" }));
        assert_eq!(fields.bytes(1, "e"), Ok(&[9][..]));
        assert!(fields.is_empty());
    }

    #[test]
    fn a_count_must_fit_the_bytes_behind_it() {
        for (count, entry_bytes, fits) in [
            (0u32, 8, true),
            (2, 8, true),
            (3, 8, false),
            (u32::MAX, 1, false),
        ] {
            let mut bytes = count.to_le_bytes().to_vec();
            bytes.extend([0; 16]);
            let read = Fields::new(&bytes).count_u32(entry_bytes, "count");
            assert_eq!(read.is_ok(), fits, "{count} x {entry_bytes}");
        }
    }
}
