//! The first block of a journal file or merged segment: number, salt, epoch. Written when the file is made ready, believed only with
//! its checksum. Used by the journal's writer and by recovery.

use protocol::crc::crc32c;

use crate::fields::Fields;
use crate::footer::{BLOCK_BYTES, FilePlace};

const JOURNAL_MAGIC: [u8; 8] = *b"OTTLAJNL";
const MERGED_MAGIC: [u8; 8] = *b"OTTLAMRG";
const VERSION: u32 = 1;
/// Bytes under the checksum, which follows them.
const CHECKED_BYTES: usize = 56;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileHeader {
    pub merged: bool,
    pub epoch: u32,
    pub number: u64,
    pub salt: [u8; 16],
    pub size: u64,
    pub created_ms: i64,
}

impl FileHeader {
    pub fn place(&self) -> FilePlace {
        FilePlace {
            number: self.number,
            salt: self.salt,
        }
    }

    pub fn encode(&self) -> Vec<u8> {
        let mut block = Vec::with_capacity(BLOCK_BYTES);
        block.extend_from_slice(if self.merged {
            &MERGED_MAGIC
        } else {
            &JOURNAL_MAGIC
        });
        block.extend_from_slice(&VERSION.to_le_bytes());
        block.extend_from_slice(&self.epoch.to_le_bytes());
        block.extend_from_slice(&self.number.to_le_bytes());
        block.extend_from_slice(&self.salt);
        block.extend_from_slice(&self.size.to_le_bytes());
        block.extend_from_slice(&self.created_ms.to_le_bytes());
        block.extend_from_slice(&crc32c(&block).to_le_bytes());
        block.resize(BLOCK_BYTES, 0);
        block
    }

    /// None unless the block is a header of this version, whole.
    pub fn decode(block: &[u8]) -> Option<Self> {
        let checked = block.get(..CHECKED_BYTES)?;
        let merged = match checked.first_chunk::<8>()? {
            magic if *magic == JOURNAL_MAGIC => false,
            magic if *magic == MERGED_MAGIC => true,
            _ => return None,
        };
        let mut fields = Fields::new(&block[8..]);
        let version = fields.u32("version").ok()?;
        let epoch = fields.u32("epoch").ok()?;
        let number = fields.u64("number").ok()?;
        let salt = *fields.bytes(16, "salt").ok()?.first_chunk::<16>()?;
        let size = fields.u64("size").ok()?;
        let created_ms = fields.i64("created").ok()?;
        let crc = fields.u32("crc").ok()?;
        (version == VERSION && crc == crc32c(checked)).then_some(Self {
            merged,
            epoch,
            number,
            salt,
            size,
            created_ms,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_flipped_bit_makes_it_unreadable() {
        let header = FileHeader {
            merged: false,
            epoch: 3,
            number: 9,
            salt: [7; 16],
            size: 1 << 26,
            created_ms: 5,
        };
        let block = header.encode();
        assert_eq!(block.len(), BLOCK_BYTES);
        assert_eq!(FileHeader::decode(&block), Some(header));
        for bit in 0..(CHECKED_BYTES + 4) * 8 {
            let mut flipped = block.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(FileHeader::decode(&flipped), None, "bit {bit}");
        }
        assert_eq!(FileHeader::decode(&block[..40]), None);
    }
}
