//! The view of one log: its offsets, its producers, its segments; appending to the journal's queue and
//! reading back. What a partition is to the journal. Handed out by `Journal::open_log`.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use parking_lot::Mutex;
use protocol::Chunk;
use protocol::batch::{BatchHeader, HEADER_LEN};

use crate::epochs::LeaderEpochs;
use crate::file_id::FileId;
use crate::manifest_event::Event;
use crate::options::{
    AppendError, AppendOptions, Appended, CommitError, Durability, LogConfig, LogId, ReadError,
    Ticket,
};
use crate::producers::{self, ProducerView, Producers, StoredBatch, Verdict};
use crate::queue::{NewBatch, Queue};
use crate::roll::{Arrival, RollLimits, VirtualSegments};
use crate::segment::ReadRequest;
use crate::shared::Shared;
use crate::wakers::{Registration, Wakers};

/// Where a log goes on if nobody can know how far it reached into a hole.
pub(crate) const SKIPPED_OFFSETS: i64 = 1 << 32;

pub struct Log {
    id: LogId,
    pub(crate) shared: Arc<Shared>,
    pub(crate) state: Mutex<LogState>,
    start: AtomicI64,
    end: AtomicI64,
    high_watermark: AtomicI64,
    deleted: AtomicBool,
    /// Acknowledged when it is written.
    acks_written: AtomicBool,
    /// The newest sealed file that holds the log; 0 if none does.
    newest_sealed: AtomicU64,
    watchers: Arc<Wakers>,
}

/// What changes with an append, in the order of offsets.
#[derive(Debug)]
pub(crate) struct LogState {
    pub(crate) config: LogConfig,
    pub(crate) segments: VirtualSegments,
    pub(crate) producers: Producers,
    pub(crate) epochs: LeaderEpochs,
    /// The next append leaves out [`SKIPPED_OFFSETS`]: what was given may have been lost in a hole.
    pub(crate) skips_offsets: bool,
}

impl Log {
    pub(crate) fn new(id: LogId, shared: Arc<Shared>, config: LogConfig) -> Self {
        Self {
            id,
            shared,
            state: Mutex::new(LogState {
                config,
                segments: VirtualSegments::default(),
                producers: Producers::default(),
                epochs: LeaderEpochs::default(),
                skips_offsets: false,
            }),
            start: AtomicI64::new(0),
            end: AtomicI64::new(0),
            high_watermark: AtomicI64::new(0),
            deleted: AtomicBool::new(false),
            acks_written: AtomicBool::new(config.durability == Durability::Os),
            newest_sealed: AtomicU64::new(0),
            watchers: Arc::default(),
        }
    }

    pub fn id(&self) -> LogId {
        self.id
    }

    pub fn start_offset(&self) -> i64 {
        self.start.load(Ordering::Acquire)
    }

    /// The offset that the next record gets.
    pub fn end_offset(&self) -> i64 {
        self.end.load(Ordering::Acquire)
    }

    /// Records below are acknowledged, and shown to consumers.
    pub fn high_watermark(&self) -> i64 {
        self.high_watermark.load(Ordering::Acquire)
    }

    pub fn is_deleted(&self) -> bool {
        self.deleted.load(Ordering::Acquire)
    }

    pub fn config(&self) -> LogConfig {
        self.state.lock().config
    }

    pub fn set_config(&self, config: LogConfig) {
        self.state.lock().config = config;
        let acks_written = config.durability == Durability::Os;
        self.acks_written.store(acks_written, Ordering::Release);
        self.shared.note_durability(config.durability);
    }

    pub(crate) fn acks_written(&self) -> bool {
        self.acks_written.load(Ordering::Acquire)
    }

    /// Bytes of batches, in whole segments.
    pub fn size_bytes(&self) -> i64 {
        i64::try_from(self.state.lock().segments.bytes()).unwrap_or(i64::MAX)
    }

    pub fn producers(&self) -> Vec<ProducerView> {
        self.state.lock().producers.describe().collect()
    }

    pub fn producer_count(&self) -> usize {
        self.state.lock().producers.len()
    }

    /// The largest epoch not above `epoch`, and where it ended.
    pub fn end_offset_for_epoch(&self, epoch: i32) -> Option<(i32, i64)> {
        let current = self.shared.leader_epoch.load(Ordering::Acquire);
        let end = self.high_watermark();
        self.state.lock().epochs.end_of(epoch, current, end)
    }

    /// The leader epoch under which a record was appended.
    pub fn epoch_of(&self, offset: i64) -> Option<i32> {
        self.state.lock().epochs.epoch_of(offset)
    }

    pub fn latest_epoch(&self) -> Option<i32> {
        self.state.lock().epochs.latest()
    }

    /// Appends one record batch that the caller has validated. It is acknowledged when the ticket is.
    pub fn append(
        self: &Arc<Self>,
        bytes: &[u8],
        options: AppendOptions,
    ) -> Result<Appended, AppendError> {
        self.append_events(bytes, options, Vec::new())
    }

    /// As [`Self::append`]; `events` are what the batch says, if this is the manifest's log.
    pub(crate) fn append_events(
        self: &Arc<Self>,
        bytes: &[u8],
        options: AppendOptions,
        events: Vec<Event>,
    ) -> Result<Appended, AppendError> {
        let limit = self.shared.batch_bytes_max();
        let header = bytes.first_chunk::<HEADER_LEN>().map(BatchHeader::decode);
        let Some(header) = header.filter(|_| bytes.len() <= limit) else {
            let bytes = bytes.len();
            return Err(AppendError::TooLarge { bytes, limit });
        };
        let mut state = self.state.lock();
        if self.is_deleted() {
            return Err(AppendError::Deleted);
        }
        if let Verdict::Duplicate(stored) = state.producers.check(&header)? {
            return Ok(self.duplicate(&stored, state.config.durability));
        }
        let appended = self.push(&mut state, &header, bytes, options, events)?;
        drop(state);
        self.shared.wake_committer();
        Ok(appended)
    }

    fn duplicate(&self, stored: &StoredBatch, durability: Durability) -> Appended {
        Appended {
            base_offset: stored.base_offset,
            last_offset: stored.last_offset,
            log_start_offset: self.start_offset(),
            duplicate: true,
            ticket: Ticket {
                sequence: stored.frame_sequence,
                durable: durability != Durability::Os,
                cuts: self.shared.cuts.load(Ordering::SeqCst),
            },
        }
    }

    fn push(
        self: &Arc<Self>,
        state: &mut LogState,
        header: &BatchHeader,
        bytes: &[u8],
        options: AppendOptions,
        events: Vec<Event>,
    ) -> Result<Appended, AppendError> {
        let shared = &*self.shared;
        let skips_offsets = state.skips_offsets;
        let skipped = if skips_offsets { SKIPPED_OFFSETS } else { 0 };
        let base_offset = self.end.load(Ordering::Relaxed) + skipped;
        let last_offset = base_offset + i64::from(header.last_offset_delta);
        let mut queue = shared.queue.lock();
        queue.check(bytes.len(), state.config.class)?;
        if queue.frame.is_empty() {
            queue.wall_ms = shared.clock.wall_ms();
            queue.running_ms = shared.running_ms();
        }
        let arrival = Arrival {
            base_offset,
            last_offset,
            bytes: bytes.len() as u64,
            max_timestamp: header.max_timestamp,
            append_time_ms: queue.wall_ms,
            running_ms: queue.running_ms,
        };
        let limits = RollLimits {
            segment_bytes: state.config.segment_bytes.unsigned_abs(),
            segment_ms: state.config.segment_ms.unsigned_abs(),
        };
        let begins_segment = state.segments.must_roll(&arrival, &limits);
        let batch = NewBatch {
            bytes,
            base_offset,
            offset_count: (last_offset + 1 - base_offset) as u32,
            max_timestamp: header.max_timestamp,
            leader_epoch: options.leader_epoch,
            begins_segment,
            skips_offsets,
        };
        queue.frame.push(self, &batch);
        queue.frame.events.extend(events);
        let durability = state.config.durability;
        queue
            .frame
            .wait_for(durability, || shared.clock.monotonic_ms());
        let ticket = Ticket {
            sequence: queue.frame.sequence,
            durable: durability != Durability::Os,
            cuts: queue.cuts,
        };
        // Before the commit step can take the frame: the high watermark must never pass the end.
        self.end.store(last_offset + 1, Ordering::Release);
        drop(queue);
        state.skips_offsets = false;
        state.segments.append(&arrival, begins_segment);
        state.epochs.append(options.leader_epoch, base_offset);
        let appended = producers::Appended {
            header,
            base_offset,
            frame_sequence: ticket.sequence,
            running_ms: arrival.running_ms,
        };
        state
            .producers
            .record(&appended, shared.options.producers_per_log_max);
        Ok(Appended {
            base_offset,
            last_offset,
            log_start_offset: self.start_offset(),
            duplicate: false,
            ticket,
        })
    }

    /// Takes back what the frames from `first_frame` on carried: offsets from `end` on.
    pub(crate) fn cut(&self, first_frame: u64, end: i64, bytes: u64, skips_offsets: bool) {
        let mut state = self.state.lock();
        state.producers.cut(first_frame);
        state.segments.cut(end, bytes);
        state.epochs.cut(end);
        state.skips_offsets = skips_offsets;
        let skipped = if skips_offsets { SKIPPED_OFFSETS } else { 0 };
        self.end.store(end - skipped, Ordering::Release);
    }

    /// Ready when the append behind `ticket` is acknowledged, or can no longer be.
    pub fn poll_committed(
        &self,
        ticket: &Ticket,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), CommitError>> {
        self.shared.poll_committed(ticket, cx)
    }

    /// Wakes once when the high watermark or the start moves, or the log is deleted.
    pub fn watch_high_watermark(&self) -> Registration {
        self.watchers.place()
    }

    /// How many wait for it to move.
    pub fn watcher_count(&self) -> usize {
        self.watchers.len()
    }

    /// Ready when the next frame takes a batch of so many bytes, or says why it never will.
    pub async fn room(&self, bytes: usize) {
        let class = self.state.lock().config.class;
        let is_ready = |queue: &Queue| {
            queue.has_room() && !matches!(queue.check(bytes, class), Err(AppendError::Busy))
        };
        self.shared.room(is_ready).await;
    }

    /// Whole batches from the one that holds `from` on, below `below`, up to `max_bytes`; the first
    /// whatever its size if `at_least_one`.
    pub fn read(
        &self,
        from: i64,
        below: i64,
        max_bytes: usize,
        at_least_one: bool,
    ) -> Result<Vec<Bytes>, ReadError> {
        let request = ReadRequest {
            offset: from,
            offset_max: below,
            bytes_max: max_bytes,
            at_least_one,
            ranges: false,
        };
        let bytes = |chunk| match chunk {
            Chunk::Bytes(bytes) => bytes,
            Chunk::File(range) => unreachable!("nobody asked for {range:?}"),
        };
        Ok(self.read_chunks(&request)?.into_iter().map(bytes).collect())
    }

    /// As [`Self::read`]; large runs may be stretches of their files, which stay as they are while they
    /// are held.
    pub fn read_chunks(&self, request: &ReadRequest) -> Result<Vec<Chunk>, ReadError> {
        self.check_range(request.offset)?;
        let request = ReadRequest {
            offset_max: request.offset_max.min(self.high_watermark()),
            ..*request
        };
        let chunks = self.shared.store.read(self, &request);
        if chunks.is_err() {
            // Retention may have taken the offset, or the log have gone, while it was read.
            self.check_range(request.offset)?;
        }
        chunks
    }

    /// Whether a read from `offset` on may have to wait for the disk: what lies there is in a sealed file.
    pub fn is_sealed(&self, offset: i64) -> bool {
        offset < self.high_watermark() && !self.shared.store.is_open(self.id, offset)
    }

    fn check_range(&self, offset: i64) -> Result<(), ReadError> {
        if self.is_deleted() {
            return Err(ReadError::Deleted);
        }
        let (start, end) = (self.start_offset(), self.end_offset());
        if offset < start || offset > end {
            return Err(ReadError::OutOfRange { offset, start, end });
        }
        Ok(())
    }

    /// The first record at or after `timestamp` below `below`: its timestamp and offset.
    pub fn offset_for_timestamp(
        &self,
        timestamp: i64,
        below: i64,
    ) -> Result<Option<(i64, i64)>, ReadError> {
        let offsets = self.start_offset()..below.min(self.high_watermark());
        self.shared
            .store
            .offset_for_timestamp(self, timestamp, offsets)
    }

    /// The largest timestamp below `below` and the first offset that has it.
    pub fn max_timestamp(&self, below: i64) -> Result<Option<(i64, i64)>, ReadError> {
        let offsets = self.start_offset()..below.min(self.high_watermark());
        let segments = self.state.lock().segments.segments().to_vec();
        self.shared.store.max_timestamp(self, &segments, offsets)
    }

    pub(crate) fn newest_sealed(&self) -> Option<FileId> {
        match self.newest_sealed.load(Ordering::Acquire) {
            0 => None,
            file => Some(FileId::from_bits(file)),
        }
    }

    pub(crate) fn set_newest_sealed(&self, file: FileId) {
        self.newest_sealed.store(file.to_bits(), Ordering::Release);
    }

    /// Where the journal that was read back leaves the log: all of it is durable.
    pub(crate) fn set_end(&self, end: i64) {
        self.end.store(end, Ordering::Release);
        self.high_watermark.store(end, Ordering::Release);
    }

    /// Forgets what lies below `start`; whoever watches is to be woken.
    pub(crate) fn move_start(&self, start: i64, wake: &mut Vec<Waker>) {
        let mut state = self.state.lock();
        self.start.fetch_max(start, Ordering::AcqRel);
        state.segments.drop_below(start, self.end_offset());
        state.epochs.drop_below(start);
        drop(state);
        self.take_watchers(wake);
    }

    /// Shows records below `end`; whoever watches is to be woken.
    pub(crate) fn acknowledge(&self, end: i64, wake: &mut Vec<Waker>) {
        self.high_watermark.fetch_max(end, Ordering::AcqRel);
        self.take_watchers(wake);
    }

    pub(crate) fn take_watchers(&self, wake: &mut Vec<Waker>) {
        self.watchers.take(wake);
    }

    pub(crate) fn mark_deleted(&self, wake: &mut Vec<Waker>) {
        // Under the lock: no append is half way.
        let state = self.state.lock();
        self.deleted.store(true, Ordering::Release);
        drop(state);
        self.take_watchers(wake);
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log")
            .field("id", &self.id)
            .field("start", &self.start)
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}
