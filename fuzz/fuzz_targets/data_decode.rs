//! What groups keep in their topic and members send each other. A byte each for which of them and its version, then its bytes.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let [number, version, body @ ..] = bytes {
        fuzz::check_data(*number, (*version).into(), Bytes::copy_from_slice(body));
    }
});
