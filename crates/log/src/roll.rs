//! The virtual segments of one log: where they begin (`segment.bytes`, `segment.ms`), which of them
//! retention takes, and the size that clients are told. Pure; the log view owns one list per log and
//! moves the log's start to what [`VirtualSegments::expired_end`] answers.

use crate::fields::{Fields, Truncated};

/// More segments than this are not begun by time or size: each costs memory and snapshot bytes,
/// and a `segment.ms` of 1 would otherwise begin one for every batch.
const SEGMENTS_MAX: usize = 10_000;

/// One stretch of a log between two roll points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VirtualSegment {
    pub base_offset: i64,
    /// Bytes of its record batches.
    pub bytes: u64,
    /// Max timestamp of its first batch, from which `segment.ms` counts; negative if that had none.
    pub first_timestamp: i64,
    pub max_timestamp: i64,
    pub created_running_ms: u64,
    pub last_append_ms: i64,
    pub last_running_ms: u64,
}

/// The segments of a log, oldest first. The last one is active; none is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VirtualSegments {
    segments: Vec<VirtualSegment>,
}

/// A batch, or a run of batches of one frame, that goes to the log's end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    pub base_offset: i64,
    pub last_offset: i64,
    pub bytes: u64,
    pub max_timestamp: i64,
    pub append_time_ms: i64,
    pub running_ms: u64,
}

/// `segment.bytes` and `segment.ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RollLimits {
    pub segment_bytes: u64,
    pub segment_ms: u64,
}

/// `retention.ms` and `retention.bytes`, where `None` keeps forever, and whose clock counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    pub retention_ms: Option<u64>,
    pub retention_bytes: Option<u64>,
    pub clock: RetentionClock,
}

/// The option `log.retention.clock`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetentionClock {
    /// The journal's running time; a timestamp counts only if it could be true.
    Running,
    /// Kafka's rule: the wall clock against the largest timestamp, whatever it claims.
    Wall,
}

/// The moment for which retention is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    pub running_ms: u64,
    pub wall_ms: i64,
}

/// How far a log reaches; retention stays at or below the high watermark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogEnds {
    pub high_watermark: i64,
    pub end_offset: i64,
}

impl VirtualSegments {
    /// Whether the arriving batch must begin a segment.
    pub fn must_roll(&self, arrival: &Arrival, limits: &RollLimits) -> bool {
        let Some(active) = self.segments.last() else {
            return true;
        };
        // Readers may keep offsets relative to a segment's base in 32 bits.
        if arrival.last_offset.saturating_sub(active.base_offset) > i64::from(i32::MAX) {
            return true;
        }
        let is_full = active.bytes.saturating_add(arrival.bytes) > limits.segment_bytes;
        let waited_ms = match active.first_timestamp >= 0 {
            true => arrival.max_timestamp.saturating_sub(active.first_timestamp),
            false => (arrival.running_ms.saturating_sub(active.created_running_ms))
                .try_into()
                .unwrap_or(i64::MAX),
        };
        let is_old = u64::try_from(waited_ms).is_ok_and(|waited| waited > limits.segment_ms);
        (is_full || is_old) && self.segments.len() < SEGMENTS_MAX
    }

    /// Adds what went to the log's end. `begins_segment` is the answer of [`Self::must_roll`], or
    /// the run's flag when it is read back at a start.
    pub fn append(&mut self, arrival: &Arrival, begins_segment: bool) {
        if let Some(active) = self.segments.last_mut()
            && !begins_segment
        {
            active.bytes = active.bytes.saturating_add(arrival.bytes);
            active.max_timestamp = active.max_timestamp.max(arrival.max_timestamp);
            active.last_append_ms = arrival.append_time_ms;
            active.last_running_ms = arrival.running_ms;
            return;
        }
        self.segments.push(VirtualSegment {
            base_offset: arrival.base_offset,
            bytes: arrival.bytes,
            first_timestamp: arrival.max_timestamp,
            max_timestamp: arrival.max_timestamp,
            created_running_ms: arrival.running_ms,
            last_append_ms: arrival.append_time_ms,
            last_running_ms: arrival.running_ms,
        });
    }

    /// The end of the last segment that retention takes now, where the log's start should move.
    /// As in Kafka the active segment goes too once even its newest record is old; the log's next
    /// batch then begins a new one.
    pub fn expired_end(&self, retention: &Retention, now: Now, ends: LogEnds) -> Option<i64> {
        let mut excess = match retention.retention_bytes {
            Some(retention_bytes) => self.bytes().checked_sub(retention_bytes),
            None => None,
        };
        let mut expired_end = None;
        for (i, segment) in self.segments.iter().enumerate() {
            let end = self.end_of(i, ends.end_offset);
            let is_surplus = excess.is_some_and(|excess| excess >= segment.bytes);
            let is_old = retention
                .retention_ms
                .is_some_and(|limit| segment.is_older_than(limit, retention.clock, now));
            if end > ends.high_watermark || !(is_surplus || is_old) {
                break;
            }
            excess = excess.map(|excess| excess.saturating_sub(segment.bytes));
            expired_end = Some(end);
        }
        expired_end
    }

    /// Drops the segments that end at or below the log's new start.
    pub fn drop_below(&mut self, start_offset: i64, end_offset: i64) {
        let dropped = (0..self.segments.len())
            .take_while(|i| self.end_of(*i, end_offset) <= start_offset)
            .count();
        self.segments.drain(..dropped);
    }

    /// Takes back what was appended from `end_offset` on: `bytes` of batches that were never written.
    /// What they did to the last segment's times stays until the next start.
    pub fn cut(&mut self, end_offset: i64, mut bytes: u64) {
        while let Some(last) = self.segments.last_mut() {
            if last.base_offset < end_offset {
                last.bytes = last.bytes.saturating_sub(bytes);
                return;
            }
            bytes = bytes.saturating_sub(last.bytes);
            self.segments.pop();
        }
    }

    /// The log's size as clients see it: bytes of batches, whole segments.
    pub fn bytes(&self) -> u64 {
        self.segments
            .iter()
            .fold(0, |sum, segment| sum.saturating_add(segment.bytes))
    }

    pub fn segments(&self) -> &[VirtualSegment] {
        &self.segments
    }

    fn end_of(&self, index: usize, log_end: i64) -> i64 {
        match self.segments.get(index + 1) {
            Some(next) => next.base_offset,
            None => log_end,
        }
    }

    /// Appends the list's form in a snapshot.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend((self.segments.len() as u32).to_le_bytes());
        for segment in &self.segments {
            out.extend(segment.base_offset.to_le_bytes());
            out.extend(segment.bytes.to_le_bytes());
            out.extend(segment.first_timestamp.to_le_bytes());
            out.extend(segment.max_timestamp.to_le_bytes());
            out.extend(segment.created_running_ms.to_le_bytes());
            out.extend(segment.last_append_ms.to_le_bytes());
            out.extend(segment.last_running_ms.to_le_bytes());
        }
    }

    pub fn decode(fields: &mut Fields<'_>) -> Result<Self, Truncated> {
        let count = fields.count_u32(SEGMENT_BYTES, "virtual segment count")?;
        let mut segments = Vec::with_capacity(count);
        for _ in 0..count {
            segments.push(VirtualSegment {
                base_offset: fields.i64("segment base offset")?,
                bytes: fields.u64("segment bytes")?,
                first_timestamp: fields.i64("segment first timestamp")?,
                max_timestamp: fields.i64("segment max timestamp")?,
                created_running_ms: fields.u64("segment created")?,
                last_append_ms: fields.i64("segment last append")?,
                last_running_ms: fields.u64("segment last append")?,
            });
        }
        Ok(Self { segments })
    }
}

/// Bytes of a segment in a snapshot.
const SEGMENT_BYTES: usize = 56;

impl VirtualSegment {
    fn is_older_than(&self, limit_ms: u64, clock: RetentionClock, now: Now) -> bool {
        match clock {
            RetentionClock::Running => self.age_ms(limit_ms, now.running_ms) > limit_ms,
            RetentionClock::Wall => {
                let born_ms = match self.max_timestamp >= 0 {
                    true => self.max_timestamp,
                    false => self.last_append_ms,
                };
                let age_ms = now.wall_ms.saturating_sub(born_ms);
                u64::try_from(age_ms).is_ok_and(|age_ms| age_ms > limit_ms)
            }
        }
    }

    /// How old the newest record is: the time since the last append, and how old the largest
    /// timestamp was then. A timestamp from the future, or one that had already expired when it
    /// arrived (a device that lives in 1970), says nothing about age.
    fn age_ms(&self, limit_ms: u64, now_running_ms: u64) -> u64 {
        let since_append_ms = now_running_ms.saturating_sub(self.last_running_ms);
        let behind_ms = match self.max_timestamp >= 0 {
            true => self.last_append_ms.saturating_sub(self.max_timestamp),
            false => 0,
        };
        match u64::try_from(behind_ms) {
            Ok(behind_ms) if behind_ms <= limit_ms => since_append_ms.saturating_add(behind_ms),
            _ => since_append_ms,
        }
    }
}

#[cfg(test)]
#[path = "roll_tests.rs"]
mod tests;
