//! Record batches as JSON: requests may hold any, also wrong ones; answers show all that a client can see. Used by `codec`.
//!
//! A batch of a request is `{"records": [[timestamp, key, value]], ..}`; whatever else its header holds follows from that unless it is
//! given. `{"hex": ".."}` in place of a batch is sent as it is.

use anyhow::{Context, Result, ensure};
use protocol::compression::{Codec, compress, decompress};
use serde_json::{Value, json};

use crate::codec::{from_hex, to_hex};
use crate::symbols::{Kind, Symbols, mark};

const HEADER_BYTES: usize = 61;
/// What the length in a batch's header does not count.
const LENGTH_OVERHEAD: usize = 12;
const INFLATED_BYTES_MAX: usize = 16 << 20;
/// A longer value is shown by its size and checksum.
const SHOWN_BYTES_MAX: usize = 48;

pub(crate) fn encode(batches: &Value, symbols: &Symbols) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    for batch in batches.as_array().context("records are batches")? {
        match batch.get("hex").and_then(Value::as_str) {
            Some(hex) => out.extend(from_hex(hex)?),
            None => out.extend(encode_batch(batch, symbols)?),
        }
    }
    Ok(out)
}

fn encode_batch(batch: &Value, symbols: &Symbols) -> Result<Vec<u8>> {
    let number = |name: &str, default: i64| match batch.get(name) {
        Some(Value::String(symbol)) => symbols.resolve_number(symbol),
        Some(value) => value.as_i64().unwrap_or(default),
        None => default,
    };
    let none = Vec::new();
    let records = batch.get("records").and_then(Value::as_array);
    let records = records.unwrap_or(&none);
    let times: Vec<i64> = records.iter().filter_map(|one| one[0].as_i64()).collect();
    let base_timestamp = times.first().copied().unwrap_or(-1);
    let max_timestamp = times.iter().max().copied().unwrap_or(-1);
    let mut body = Vec::new();
    for (delta, record) in records.iter().enumerate() {
        let time = record[0].as_i64().unwrap_or_default();
        write_record(
            &mut body,
            delta as i64,
            time.wrapping_sub(base_timestamp),
            record,
        );
    }
    let attributes = number("attributes", 0);
    let codec = Codec::from_id(attributes as u8 & 7).unwrap_or(Codec::None);
    let mut packed = Vec::new();
    compress(codec, None, &body, &mut packed)?;
    if number("cut", 0) > 0 {
        packed.truncate(packed.len().saturating_sub(number("cut", 0) as usize));
    }
    let count = records.len() as i64;
    let mut out = Vec::new();
    out.extend(number("base_offset", 0).to_be_bytes());
    let length = (HEADER_BYTES - LENGTH_OVERHEAD + packed.len()) as i64 + number("length_delta", 0);
    out.extend((length as i32).to_be_bytes());
    out.extend((number("leader_epoch", -1) as i32).to_be_bytes());
    out.push(number("magic", 2) as u8);
    out.extend([0; 4]);
    out.extend((attributes as i16).to_be_bytes());
    out.extend((number("last_offset_delta", count - 1) as i32).to_be_bytes());
    out.extend(number("base_timestamp", base_timestamp).to_be_bytes());
    out.extend(number("max_timestamp", max_timestamp).to_be_bytes());
    out.extend(number("producer_id", -1).to_be_bytes());
    out.extend((number("producer_epoch", -1) as i16).to_be_bytes());
    out.extend((number("base_sequence", -1) as i32).to_be_bytes());
    out.extend((number("count", count) as i32).to_be_bytes());
    out.extend(packed);
    let crc = crc32c(&out[21..]) ^ number("crc_xor", 0) as u32;
    out[17..21].copy_from_slice(&crc.to_be_bytes());
    Ok(out)
}

/// `[timestamp, key, value]`; a number as key or value is so many bytes.
fn write_record(out: &mut Vec<u8>, offset_delta: i64, timestamp_delta: i64, record: &Value) {
    let mut body = vec![0];
    varint(&mut body, timestamp_delta);
    varint(&mut body, offset_delta);
    for part in [&record[1], &record[2]] {
        let bytes = match part {
            Value::String(text) => Some(text.clone().into_bytes()),
            Value::Number(size) => Some(vec![b'x'; size.as_u64().unwrap_or_default() as usize]),
            _ => None,
        };
        varint(
            &mut body,
            bytes.as_ref().map_or(-1, |bytes| bytes.len() as i64),
        );
        body.extend(bytes.unwrap_or_default());
    }
    varint(&mut body, 0);
    varint(out, body.len() as i64);
    out.extend(body);
}

fn varint(out: &mut Vec<u8>, number: i64) {
    let mut rest = ((number << 1) ^ (number >> 63)) as u64;
    while rest >= 0x80 {
        out.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// The whole batches; what is cut off at the end is no part of what a client sees.
pub(crate) fn decode(mut bytes: &[u8]) -> Result<Value> {
    let mut batches = Vec::new();
    while let Some(length) = bytes.get(8..LENGTH_OVERHEAD) {
        let length = LENGTH_OVERHEAD + u32::from_be_bytes(length.try_into()?) as usize;
        let Some((batch, rest)) = bytes.split_at_checked(length) else {
            break;
        };
        batches.push(decode_batch(batch)?);
        bytes = rest;
    }
    Ok(Value::Array(batches))
}

fn decode_batch(batch: &[u8]) -> Result<Value> {
    ensure!(
        batch.len() >= HEADER_BYTES,
        "a batch of {} bytes",
        batch.len()
    );
    let int = |at: usize, bytes: usize| {
        let mut wide = [if batch[at] & 0x80 == 0 { 0 } else { 0xff }; 8];
        wide[8 - bytes..].copy_from_slice(&batch[at..at + bytes]);
        i64::from_be_bytes(wide)
    };
    let is_valid = u32::from_be_bytes(batch[17..21].try_into()?) == crc32c(&batch[21..]);
    let codec = Codec::from_id(batch[22] & 7).context("no codec has this number")?;
    let mut body = Vec::new();
    decompress(codec, &batch[HEADER_BYTES..], INFLATED_BYTES_MAX, &mut body)?;
    let producer_id = match int(43, 8) {
        id if id < 0 => id.into(),
        id => mark(Kind::Producer, &id.to_string()),
    };
    Ok(json!({
        "base_offset": int(0, 8),
        "leader_epoch": int(12, 4),
        "magic": int(16, 1),
        "crc_is_valid": is_valid,
        "attributes": int(21, 2),
        "last_offset_delta": int(23, 4),
        "base_timestamp": int(27, 8),
        "max_timestamp": int(35, 8),
        "producer_id": producer_id,
        "producer_epoch": int(51, 2),
        "base_sequence": int(53, 4),
        "count": int(57, 4),
        "records": shown(&body),
    }))
}

fn shown(bytes: &[u8]) -> String {
    match bytes.len() <= SHOWN_BYTES_MAX {
        true => to_hex(bytes),
        false => format!("{} bytes, CRC {:08x}", bytes.len(), crc32c(bytes)),
    }
}

fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc: u32, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0x82f6_3b78 & 0_u32.wrapping_sub(crc & 1))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_read_as_it_was_written() {
        for attributes in 0..5 {
            let asked =
                json!([{"records": [[5, "key", null], [7, null, 9]], "attributes": attributes}]);
            let bytes = encode(&asked, &Symbols::default()).unwrap();
            let found = decode(&bytes).unwrap();
            assert_eq!(found[0]["crc_is_valid"], json!(true));
            assert_eq!(found[0]["count"], json!(2));
            assert_eq!(found[0]["max_timestamp"], json!(7));
            assert_eq!(
                found[0]["records"],
                json!("12000000066b6579010020000402011278787878787878787800")
            );
            assert_eq!(decode(&bytes[..bytes.len() - 1]).unwrap(), json!([]));
        }
        assert_eq!(
            crc32c(b"123456789"),
            0xe306_9283,
            "the check value of CRC-32C"
        );
    }
}
