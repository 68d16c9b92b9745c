//! Reading `__consumer_offsets` back: every record behind the snapshot's position goes to the groups. Called by the coordinator when
//! it loads.

use bytes::Bytes;
use log::{Log, LogId, ReadError};
use protocol::batch::Batches;

use super::{RUNNING_MS_HEADER, Unreadable};
use crate::groups::{Groups, Record, Stamp};

/// Bytes of the offsets topic that are replayed at once.
const REPLAY_BYTES: usize = 4 * 1024 * 1024;

/// What cannot be read is passed over, told and counted: it costs what some groups committed last, not the start.
pub(super) fn replay(groups: &mut Groups, log: &Log, from: i64) -> Result<u64, Unreadable> {
    let mut next = from;
    let mut lost = Lost::default();
    while next < log.high_watermark() {
        let before = next;
        match log.read(next, log.high_watermark(), REPLAY_BYTES, true) {
            Ok(chunks) => {
                for chunk in chunks {
                    next = replay_batches(groups, &chunk, next, &mut lost);
                }
            }
            Err(ReadError::Damaged { last_offset, .. }) => {
                let offsets = (last_offset + 1).saturating_sub(next);
                lost.add(next, offsets.unsigned_abs(), &"damaged on the disk");
                next = last_offset + 1;
            }
            Err(error) => return Err(Unreadable(error.to_string())),
        }
        if next <= before {
            return Err(Unreadable(format!(
                "nothing can be read at offset {before}"
            )));
        }
    }
    lost.tell(log.id());
    Ok(lost.records)
}

/// Gives the offset behind the last batch.
fn replay_batches(groups: &mut Groups, bytes: &[u8], mut next: i64, lost: &mut Lost) -> i64 {
    for batch in Batches::new(bytes).map_while(Result::ok) {
        next = batch.header().next_offset();
        let mut scratch = Vec::new();
        let mut stamp = None;
        let records = match batch.records(REPLAY_BYTES, &mut scratch) {
            Ok(records) => records,
            Err(error) => {
                let records = batch.header().record_count.unsigned_abs();
                lost.add(batch.header().base_offset, records.into(), &error);
                continue;
            }
        };
        let mut left = u64::from(batch.header().record_count.unsigned_abs());
        for record in records {
            let record = match record {
                Ok(record) => record,
                // Nobody knows where the next one begins.
                Err(error) => {
                    lost.add(batch.header().base_offset, left, &error);
                    break;
                }
            };
            left = left.saturating_sub(1);
            stamp = stored_stamp(&record).or(stamp);
            let key = Bytes::copy_from_slice(record.key.unwrap_or_default());
            let value = record.value.map(Bytes::copy_from_slice);
            match Record::decode(&key, value.as_ref()) {
                Ok(Some(record)) => groups.replay(&record, stamp),
                Ok(None) => {}
                Err(error) => lost.add(record.offset, 1, &error),
            }
        }
    }
    next
}

/// What of a partition could not be read.
#[derive(Default)]
struct Lost {
    records: u64,
    /// Where, and why.
    first: Option<(i64, String)>,
}

impl Lost {
    fn add(&mut self, offset: i64, records: u64, why: &dyn std::fmt::Display) {
        self.records += records;
        self.first.get_or_insert_with(|| (offset, why.to_string()));
    }

    /// One line, however much it is.
    fn tell(&self, log: LogId) {
        if let Some((first_offset, reason)) = &self.first {
            tracing::error!(
                log,
                records = self.records,
                first_offset,
                reason,
                "group records cannot be read and are passed over: groups go on with what was committed before"
            );
        }
    }
}

/// Of the first record of each batch.
fn stored_stamp(record: &protocol::record::Record<'_>) -> Option<Stamp> {
    let header = record
        .headers()
        .find(|header| header.key == RUNNING_MS_HEADER)?;
    Some(Stamp {
        running_ms: u64::from_be_bytes(header.value?.try_into().ok()?),
        wall_ms: record.timestamp,
    })
}
