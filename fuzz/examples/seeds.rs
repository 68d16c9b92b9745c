//! Fills `corpus/` with what Kafka and its clients wrote, for the fuzzer to start from: `cargo run --example seeds`.

use std::fs;
use std::io;
use std::path::Path;

use protocol::ApiKey;
use protocol::header::{RequestHeader, encode_response_header};
use protocol::wire::Encoder;

fn save(target: &str, name: &str, bytes: &[u8]) -> io::Result<()> {
    let folder = Path::new("corpus").join(target);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(name), bytes)
}

fn api(name: &str) -> Option<ApiKey> {
    let found = protocol::api::all().iter().find(|api| api.name == name);
    found.map(|api| api.key)
}

fn save_message(name: &str, version: i16, body: &[u8]) -> io::Result<()> {
    let file = format!("{name}-{version}");
    let mut out = Encoder::new();
    if let Some(key) = name.strip_suffix("Request").and_then(api) {
        let header = RequestHeader {
            api_key: key as i16,
            api_version: version,
            correlation_id: 1,
            client_id: Some("seed".into()),
        };
        header.encode(&mut out);
        save("request_decode", &file, &[&out.into_bytes(), body].concat())
    } else if let Some(key) = name.strip_suffix("Response").and_then(api) {
        out.i16(key as i16);
        out.i16(version);
        encode_response_header(&mut out, key, version, 1);
        save(
            "response_decode",
            &file,
            &[&out.into_bytes(), body].concat(),
        )
    } else {
        let number = fuzz::data_number(name).unwrap_or(u8::MAX);
        save(
            "data_decode",
            &file,
            &[&[number, version as u8], body].concat(),
        )
    }
}

fn main() -> io::Result<()> {
    for (name, version, body) in fuzz::golden() {
        save_message(name, version, &body)?;
    }
    for entry in fs::read_dir("../crates/protocol/tests/golden/batches")? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "bin") {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            save("batch", &name, &fs::read(&path)?)?;
        }
    }
    save("frame", "two", &[3, 100, 0, 0, 0, 1, 7, 0, 0, 0, 0])
}
