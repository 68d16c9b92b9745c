//! The one thing the coordinator reads of a consumer's join metadata: the topics it subscribes to. Offsets of these do not expire.

use bytes::Bytes;
use protocol::messages::consumer_protocol::ConsumerProtocolSubscription;
use protocol::wire::Decoder;

/// The protocol type of consumers.
pub(super) const CONSUMER_PROTOCOL: &str = "consumer";

/// The topics of a consumer's subscription, or none if the bytes are no subscription.
///
/// Every version begins with version 0's fields: version, topics, user data. What later ones append (owned partitions, generation,
/// rack) is for the leader alone.
pub(super) fn subscribed_topics(metadata: &Bytes) -> Option<Vec<String>> {
    let mut bytes = Decoder::new(metadata.clone());
    let version = bytes.i16().ok()?;
    if version < 0 {
        return None;
    }
    let subscription = ConsumerProtocolSubscription::read(&mut bytes, 0).ok()?;
    Some(
        subscription
            .topics
            .iter()
            .map(|topic| topic.as_str().to_owned())
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_read_and_anything_else_refused() {
        let two_topics = b"\0\0\0\0\0\x02\0\x01a\0\x02bc\xff\xff\xff\xff";
        let with_user_data = b"\0\x01\0\0\0\x01\0\x01a\0\0\0\x02xy\0\0\0\0";
        let rows: &[(&[u8], Option<&[&str]>)] = &[
            (two_topics, Some(&["a", "bc"])),
            (with_user_data, Some(&["a"])),
            (
                b"\0\x03\0\0\0\0\xff\xff\xff\xff\0\0\0\0\0\0\0\x07\xff\xff",
                Some(&[]),
            ),
            (b"", None),
            (b"\0\0", None),
            (b"\xff\xff\0\0\0\0\xff\xff\xff\xff", None),
            (b"\0\0\x7f\xff\xff\xff\0\x01a", None),
            (b"\0\0\xff\xff\xff\xff\0\x01a", None),
            (b"\0\0\0\0\0\x01\xff\xff\xff\xff\xff\xff", None),
            (b"\0\0\0\0\0\x01\0\x09a\xff\xff\xff\xff", None),
            (b"\0\0\0\0\0\x01\0\x01\xff\xff\xff\xff\xff", None),
            (b"\0\0\0\0\0\x01\0\x01a", None),
            (b"\0\0\0\0\0\x01\0\x01a\0\0\0\x09x", None),
            (b"\0\0\0\0\0\x01\0\x01a\xff\xff\xff\xfe", None),
        ];
        for (bytes, expected) in rows {
            let expected = expected.map(|topics| topics.iter().map(|t| (*t).to_owned()).collect());
            assert_eq!(
                subscribed_topics(&Bytes::from_static(bytes)),
                expected,
                "{bytes:?}"
            );
        }
    }
}
