//! The image's section of a journal snapshot: the offset it stands for, then its records. Made by the controller, read at start.

use bytes::{Buf, BufMut, Bytes, BytesMut};

use super::image::Image;
use super::record::{MetadataRecord, UnreadableRecord};

/// Tag of the section in the journal's snapshot; stored, never reused.
pub const SECTION: u32 = 16;

/// What a section holds.
pub struct Snapshot {
    pub end_offset: i64,
    pub records: Vec<MetadataRecord>,
}

pub fn encode(image: &Image) -> Bytes {
    let mut out = BytesMut::new();
    out.put_i64_le(image.end_offset);
    for record in image.records() {
        let value = record.encode();
        out.put_u32_le(u32::try_from(value.len()).unwrap_or(u32::MAX));
        out.put_slice(&value);
    }
    out.freeze()
}

pub fn decode(mut section: Bytes) -> Result<Snapshot, UnreadableRecord> {
    if section.len() < 8 {
        return Err(UnreadableRecord::cut());
    }
    let end_offset = section.get_i64_le();
    let mut records = Vec::new();
    while !section.is_empty() {
        let bytes = section
            .try_get_u32_le()
            .map_err(|_| UnreadableRecord::cut())? as usize;
        if bytes > section.len() {
            return Err(UnreadableRecord::cut());
        }
        records.push(MetadataRecord::decode(&section.split_to(bytes))?);
    }
    Ok(Snapshot {
        end_offset,
        records,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use log::{Log, LogId};

    use super::*;
    use crate::client_metrics::Subscription;
    use crate::config::{Config, TopicOptions};
    use crate::metadata::LogOpener;

    struct NoLogs;

    impl LogOpener for NoLogs {
        fn open(&self, id: LogId, topic: &str, _: &TopicOptions) -> Arc<Log> {
            panic!("log {id} of {topic}")
        }
    }

    #[test]
    fn any_cut_of_a_section_is_told() {
        let mut image = Image::empty();
        image.cluster_id = "c".to_owned();
        image.end_offset = 42;
        let options = [("metrics".to_owned(), "*".to_owned())];
        let subscription = Subscription::new(options.into());
        image
            .client_metrics
            .all
            .insert("s".to_owned(), Arc::new(subscription));
        let whole = encode(&image);
        let snapshot = decode(whole.clone()).unwrap();
        assert_eq!(snapshot.end_offset, 42);
        assert_eq!(snapshot.records, image.records());
        let ends: Vec<usize> = (0..whole.len())
            .filter(|end| decode(whole.slice(..*end)).is_ok())
            .collect();
        // Only the borders between records are not visible here; the section's checksum lies below.
        assert_eq!(ends.len(), image.records().len(), "{ends:?}");
    }

    #[test]
    fn log_ids_of_deleted_topics_are_not_given_out_again() {
        let mut image = Image::empty();
        image.next_log = 77;
        let config = Config::default();
        let records = decode(encode(&image)).unwrap().records;
        let restored = records.iter().fold(Image::empty(), |image, record| {
            image.apply(record, &config, &NoLogs).unwrap()
        });
        assert_eq!(restored.next_log, 77);
    }
}
