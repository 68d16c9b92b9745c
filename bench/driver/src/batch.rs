//! Record batches (format v2): one is built at start and sent over and over; those that a fetch returns are walked by their headers.

use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};

const HEADER_BYTES: usize = 61;
const CRC_AT: usize = 17;
/// The CRC covers everything behind itself.
const CRC_FROM: usize = 21;

/// A batch of `records` records without keys, `record_bytes` of printable noise each.
pub(crate) fn build(records: i32, record_bytes: usize) -> Result<Vec<u8>> {
    ensure!(records > 0, "a batch needs a record");
    let now_ms = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis() as i64;
    let mut batch = Vec::new();
    batch.extend_from_slice(&0i64.to_be_bytes()); // base offset
    batch.extend_from_slice(&0i32.to_be_bytes()); // length, set below
    batch.extend_from_slice(&(-1i32).to_be_bytes()); // leader epoch
    batch.push(2); // magic
    batch.extend_from_slice(&0u32.to_be_bytes()); // CRC, set below
    batch.extend_from_slice(&0i16.to_be_bytes()); // attributes
    batch.extend_from_slice(&(records - 1).to_be_bytes());
    batch.extend_from_slice(&now_ms.to_be_bytes()); // base timestamp
    batch.extend_from_slice(&now_ms.to_be_bytes()); // maximum timestamp
    batch.extend_from_slice(&(-1i64).to_be_bytes()); // producer id
    batch.extend_from_slice(&(-1i16).to_be_bytes()); // producer epoch
    batch.extend_from_slice(&(-1i32).to_be_bytes()); // base sequence
    batch.extend_from_slice(&records.to_be_bytes());
    let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
    for offset_delta in 0..records {
        let mut record = vec![0]; // attributes
        varint(&mut record, 0); // timestamp delta
        varint(&mut record, offset_delta);
        varint(&mut record, -1); // no key
        varint(&mut record, i32::try_from(record_bytes)?);
        record.extend((0..record_bytes).map(|_| noise.printable()));
        varint(&mut record, 0); // no headers
        varint(&mut batch, i32::try_from(record.len())?);
        batch.extend_from_slice(&record);
    }
    let length = i32::try_from(batch.len() - 12)?;
    batch[8..12].copy_from_slice(&length.to_be_bytes());
    let crc = crc32c(&batch[CRC_FROM..]);
    batch[CRC_AT..CRC_FROM].copy_from_slice(&crc.to_be_bytes());
    Ok(batch)
}

/// What a batch's header says.
pub(crate) struct Header {
    pub(crate) base_offset: i64,
    pub(crate) next_offset: i64,
    pub(crate) bytes: usize,
}

/// The header of the batch at the start of `bytes`; none if the batch is not there whole (a fetch may end in the middle of one).
pub(crate) fn first(bytes: &[u8], check_crc: bool) -> Result<Option<Header>> {
    let Some(header) = bytes.first_chunk::<HEADER_BYTES>() else {
        return Ok(None);
    };
    let length = usize::try_from(i32_at(header, 8))? + 12;
    ensure!(length >= HEADER_BYTES, "a batch of {length} bytes");
    ensure!(header[16] == 2, "a batch with magic {}", header[16]);
    let Some(batch) = bytes.get(..length) else {
        return Ok(None);
    };
    if check_crc {
        let stored = i32_at(header, CRC_AT) as u32;
        ensure!(
            crc32c(&batch[CRC_FROM..]) == stored,
            "a batch with a wrong CRC"
        );
    }
    let mut base_offset = [0; 8];
    base_offset.copy_from_slice(&header[..8]);
    let base_offset = i64::from_be_bytes(base_offset);
    let last_offset_delta = i64::from(i32_at(header, 23));
    let next_offset = base_offset
        .checked_add(last_offset_delta + 1)
        .context("a batch beyond the last offset")?;
    Ok(Some(Header {
        base_offset,
        next_offset,
        bytes: length,
    }))
}

fn i32_at(header: &[u8; HEADER_BYTES], at: usize) -> i32 {
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&header[at..at + 4]);
    i32::from_be_bytes(bytes)
}

fn varint(bytes: &mut Vec<u8>, value: i32) {
    let mut zigzag = ((value << 1) ^ (value >> 31)) as u32;
    while zigzag >= 0x80 {
        bytes.push(zigzag as u8 | 0x80);
        zigzag >>= 7;
    }
    bytes.push(zigzag as u8);
}

/// CRC-32C by the table: slow and plain, for it must not share a mistake with the broker's.
pub(crate) fn crc32c(bytes: &[u8]) -> u32 {
    static TABLE: [u32; 256] = table();
    let step = |crc: u32, byte: &u8| (crc >> 8) ^ TABLE[((crc ^ u32::from(*byte)) & 0xff) as usize];
    !bytes.iter().fold(!0, step)
}

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut crc = index as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc >> 1) ^ if crc & 1 == 1 { 0x82f6_3b78 } else { 0 };
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
}

/// Xorshift: the same bytes in every run.
struct Noise(u64);

impl Noise {
    fn printable(&mut self) -> u8 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        b' ' + (self.0 >> 32) as u8 % 95
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_crc_32c() {
        // The check value of the CRC catalogue.
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }

    #[test]
    fn a_built_batch_reads_back() {
        let batch = build(64, 1024).unwrap();
        let header = first(&batch, true).unwrap().unwrap();
        assert_eq!(
            (header.base_offset, header.next_offset, header.bytes),
            (0, 64, batch.len())
        );
        assert!(first(&batch[..batch.len() - 1], true).unwrap().is_none());
        let mut damaged = batch;
        damaged[100] ^= 1;
        assert!(first(&damaged, true).is_err());
    }
}
