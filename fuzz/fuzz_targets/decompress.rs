//! Every codec on any bytes: no more than the bound comes out, and what goes in whole comes out whole. A byte picks the codec.
#![no_main]

use libfuzzer_sys::fuzz_target;
use protocol::compression::{Codec, compress, decompress};

const SIZE_MAX: usize = 64 * 1024;

fuzz_target!(|bytes: &[u8]| {
    let Some((codec, bytes)) = bytes.split_first() else {
        return;
    };
    let Some(codec) = Codec::from_id(codec % 5) else {
        return;
    };
    let mut inflated = Vec::new();
    if decompress(codec, bytes, SIZE_MAX, &mut inflated).is_ok() {
        assert!(inflated.len() <= SIZE_MAX);
    }
    let mut compressed = Vec::new();
    if compress(codec, None, bytes, &mut compressed).is_ok() {
        let mut back = Vec::new();
        let outcome = decompress(codec, &compressed, bytes.len(), &mut back);
        assert!(outcome.is_ok() && back == bytes, "{codec:?}: {outcome:?}");
    }
});
