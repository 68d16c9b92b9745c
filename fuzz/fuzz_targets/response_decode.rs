//! A response as a client reads it. Two bytes each for the key and version that the client asked for, then header and body.
#![no_main]

use bytes::{Buf, Bytes};
use libfuzzer_sys::fuzz_target;
use protocol::ApiKey;
use protocol::header::decode_response_header;
use protocol::wire::Decoder;

fuzz_target!(|bytes: &[u8]| {
    let mut bytes = Bytes::copy_from_slice(bytes);
    let (Ok(key), Ok(version)) = (bytes.try_get_i16(), bytes.try_get_i16()) else {
        return;
    };
    let Some(key) = ApiKey::from_key(key).filter(|key| key.versions().contains(version)) else {
        return;
    };
    let mut input = Decoder::new(bytes.clone());
    if decode_response_header(&mut input, key, version).is_ok() {
        let body = bytes.slice(bytes.len() - input.remaining()..);
        fuzz::check_response(key, version, body);
    }
});
