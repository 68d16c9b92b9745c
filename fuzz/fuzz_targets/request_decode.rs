//! A request as a broker reads it: header, then the body of that API and version.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use protocol::ApiKey;
use protocol::header::RequestHeader;
use protocol::wire::Decoder;

fuzz_target!(|bytes: &[u8]| {
    let bytes = Bytes::copy_from_slice(bytes);
    let mut input = Decoder::new(bytes.clone());
    let Ok(header) = RequestHeader::decode(&mut input) else {
        return;
    };
    let body = bytes.slice(bytes.len() - input.remaining()..);
    if let Some(key) = ApiKey::from_key(header.api_key) {
        fuzz::check_request(key, header.api_version, body);
    }
});
