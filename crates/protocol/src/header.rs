//! What goes before a message: four bytes of size, then the header of a request or response in the form that API and version ask for.

use bytes::Bytes;

use crate::api::ApiKey;
use crate::text::KafkaString;
use crate::wire::{DecodeError, Decoder, Encoder};

/// The header of a request, in any form.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestHeader {
    pub api_key: i16,
    pub api_version: i16,
    pub correlation_id: i32,
    pub client_id: Option<KafkaString>,
}

impl RequestHeader {
    /// Reads the header and leaves the body. Of an API or version that nobody knows, only what all headers share is read: enough to
    /// answer.
    pub fn decode(input: &mut Decoder) -> Result<Self, DecodeError> {
        let api_key = input.i16()?;
        let api_version = input.i16()?;
        let correlation_id = input.i32()?;
        let mut header = Self {
            api_key,
            api_version,
            correlation_id,
            client_id: None,
        };
        let Some(key) =
            ApiKey::from_key(api_key).filter(|key| key.versions().contains(api_version))
        else {
            return Ok(header);
        };
        // The client id keeps the old encoding in every version.
        header.client_id = input.nullable_string(false)?;
        if key.request_header_version(api_version) >= 2 {
            input.skip_tags()?;
        }
        Ok(header)
    }

    pub fn encode(&self, out: &mut Encoder) {
        out.i16(self.api_key);
        out.i16(self.api_version);
        out.i32(self.correlation_id);
        out.nullable_string(false, self.client_id.as_deref());
        if ApiKey::from_key(self.api_key)
            .is_some_and(|key| key.request_header_version(self.api_version) >= 2)
        {
            out.uvarint(0);
        }
    }
}

/// Writes the header of a response.
pub fn encode_response_header(out: &mut Encoder, key: ApiKey, version: i16, correlation_id: i32) {
    out.i32(correlation_id);
    if key.response_header_version(version) >= 1 {
        out.uvarint(0);
    }
}

/// Reads the header of a response and leaves the body; answers the correlation id.
pub fn decode_response_header(
    input: &mut Decoder,
    key: ApiKey,
    version: i16,
) -> Result<i32, DecodeError> {
    let correlation_id = input.i32()?;
    if key.response_header_version(version) >= 1 {
        input.skip_tags()?;
    }
    Ok(correlation_id)
}

/// A request with header and size in front, as a client sends it.
pub fn frame_request<R: crate::Request>(
    request: &R,
    version: i16,
    correlation_id: i32,
    client_id: Option<KafkaString>,
) -> Bytes {
    let mut out = Encoder::new();
    let header = RequestHeader {
        api_key: R::KEY as i16,
        api_version: version,
        correlation_id,
        client_id,
    };
    header.encode(&mut out);
    request.encode(&mut out, version);
    let body = out.into_bytes();
    let mut frame = Vec::with_capacity(4 + body.len());
    // A message is below 2 GiB, or the encoder had refused it.
    frame.extend_from_slice(&(body.len() as u32).to_be_bytes());
    frame.extend_from_slice(&body);
    frame.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::messages::api_versions::ApiVersionsRequest;

    fn header(api_key: i16, api_version: i16, client_id: Option<&'static str>) -> RequestHeader {
        RequestHeader {
            api_key,
            api_version,
            correlation_id: 7,
            client_id: client_id.map(KafkaString::from),
        }
    }

    #[test]
    fn a_request_says_who_asks_in_either_form() {
        for (bytes, expected) in [
            (&b"\0\x03\0\x01\0\0\0\x07\xff\xff"[..], header(3, 1, None)),
            (b"\0\x03\0\x01\0\0\0\x07\0\x02me", header(3, 1, Some("me"))),
            (
                b"\0\x03\0\x09\0\0\0\x07\0\x02me\0",
                header(3, 9, Some("me")),
            ),
        ] {
            let mut input = Decoder::new(Bytes::from_static(bytes));
            assert_eq!(RequestHeader::decode(&mut input).as_ref(), Ok(&expected));
            assert_eq!(input.finish(), Ok(()));
            let mut out = Encoder::new();
            expected.encode(&mut out);
            assert_eq!(out.into_bytes(), bytes);
        }
    }

    #[test]
    fn tags_that_nobody_knows_are_passed_over() {
        let bytes = b"\0\x03\0\x09\0\0\0\x07\0\x02me\x01\x05\x02ab-";
        let mut input = Decoder::new(Bytes::from_static(bytes));
        let found = RequestHeader::decode(&mut input);
        assert_eq!(found, Ok(header(3, 9, Some("me"))));
        assert_eq!(input.remaining(), 1, "the body");
    }

    /// The client learns from the answer which versions there are; its own header may have any form.
    #[test]
    fn of_a_version_that_nobody_knows_the_correlation_id_is_read() {
        for (key, version) in [(18, 99), (18, -1), (3, 99), (4711, 0)] {
            let mut bytes = Vec::new();
            bytes.extend(i16::to_be_bytes(key));
            bytes.extend(i16::to_be_bytes(version));
            bytes.extend(b"\0\0\0\x07 whatever follows");
            let mut input = Decoder::new(bytes.into());
            let found = RequestHeader::decode(&mut input);
            assert_eq!(found, Ok(header(key, version, None)));
        }
    }

    #[test]
    fn a_framed_request_is_as_long_as_it_says() {
        let request = ApiVersionsRequest {
            client_software_name: "me".into(),
            client_software_version: "1".into(),
        };
        let frame = frame_request(&request, 3, 7, Some("me".into()));
        assert_eq!(
            frame,
            &b"\0\0\0\x13\0\x12\0\x03\0\0\0\x07\0\x02me\0\x03me\x021\0"[..]
        );
        assert_eq!(frame.len(), 4 + 0x13);
    }
}
