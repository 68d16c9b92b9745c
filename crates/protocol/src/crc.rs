//! CRC-32C, the checksum of record batches and of everything the log stores.
//! `crc-fast` uses the widest carry-less multiply the CPU has and falls back to tables elsewhere.

use crc_fast::{CrcAlgorithm, Digest};

/// The CRC-32C of `bytes`.
#[inline]
pub fn crc32c(bytes: &[u8]) -> u32 {
    crc_fast::crc32_iscsi(bytes)
}

/// The CRC-32C of some bytes followed by `bytes`, where `crc` is that of the bytes before.
#[inline]
pub fn crc32c_append(crc: u32, bytes: &[u8]) -> u32 {
    // The running state is the checksum before its final inversion.
    let mut digest = Digest::new_with_init_state(CrcAlgorithm::Crc32Iscsi, u64::from(!crc));
    digest.update(bytes);
    digest.finalize() as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Check values of the algorithm's catalogue entry and of RFC 3720, appendix B.4.
    #[test]
    fn matches_published_values() {
        let ascending: Vec<u8> = (0..32).collect();
        for (bytes, expected) in [
            (&b""[..], 0),
            (b"123456789", 0xe306_9283),
            (&[0; 32], 0x8a91_36aa),
            (&[0xff; 32], 0x62a8_ab43),
            (&ascending, 0x46dd_794e),
        ] {
            assert_eq!(crc32c(bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn appending_equals_one_pass_at_every_split() {
        let bytes: Vec<u8> = (0..700u32).map(|i| ((i * 31) >> 2) as u8).collect();
        for split in 0..=bytes.len() {
            let (head, tail) = bytes.split_at(split);
            assert_eq!(crc32c_append(crc32c(head), tail), crc32c(&bytes), "{split}");
        }
        assert_eq!(crc32c_append(0, &bytes), crc32c(&bytes));
    }
}
