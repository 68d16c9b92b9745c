//! Record batches as a producer sends them: every rule, then every record. The CRC is put right, or nothing would get past it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use protocol::batch::{Batch, Batches};
use protocol::crc::crc32c;
use protocol::validate::{check_client_header, walk_records};

const INFLATED_BYTES_MAX: usize = 1 << 20;
const CRC_AT: usize = 17;

fuzz_target!(|bytes: &[u8]| {
    // As they are: a run of batches in a fetched chunk.
    let read: usize = Batches::new(bytes)
        .map_while(Result::ok)
        .map(|batch| batch.bytes().len())
        .sum();
    assert!(read <= bytes.len());
    // As one batch with a right CRC.
    let mut bytes = bytes.to_vec();
    if let Some((head, covered)) = bytes.split_at_mut_checked(CRC_AT + 4) {
        head[CRC_AT..].copy_from_slice(&crc32c(covered).to_be_bytes());
    }
    let Ok(batch) = Batch::single(&bytes) else {
        return;
    };
    assert_eq!(batch.check_crc(), Ok(()));
    let header = batch.header();
    let judged = check_client_header(header);
    let mut scratch = Vec::new();
    let Ok(records) = batch.inflate(INFLATED_BYTES_MAX, &mut scratch) else {
        return;
    };
    assert!(records.len() <= INFLATED_BYTES_MAX.max(bytes.len()));
    let walked = walk_records(header, records).is_ok();
    let mut again = Vec::new();
    let Ok(found) = batch.records(INFLATED_BYTES_MAX, &mut again) else {
        return;
    };
    let mut whole = 0;
    for record in found.take_while(Result::is_ok).flatten() {
        whole += 1;
        record.headers().for_each(drop);
    }
    if walked && judged.is_ok() {
        assert_eq!(whole, header.record_count, "the walk passed all records");
    }
});
