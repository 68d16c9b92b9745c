//! The manifest's log (log 0): appends its events, and lets them take effect once they are durable.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Waker;

use protocol::batch_builder::{BatchBuilder, BatchOptions, NewRecord};

use crate::journal::Journal;
use crate::log::Log;
use crate::manifest::FileSize;
use crate::manifest_event::{Event, Hole};
use crate::options::{AppendError, AppendOptions, LogConfig, LogId, Ticket};

/// Events that go into one batch.
const EVENTS_PER_BATCH_MAX: usize = 1000;

impl Journal {
    /// Appends events; they take effect when the ticket is done, all of a batch or none.
    pub(crate) fn append_events(&self, events: Vec<Event>) -> Result<Option<Ticket>, AppendError> {
        let log = self.open_log(crate::MANIFEST_LOG, LogConfig::MANIFEST);
        let now_ms = self.shared.clock.wall_ms();
        let mut ticket = None;
        for events in events.chunks(EVENTS_PER_BATCH_MAX) {
            let mut builder = BatchBuilder::new(BatchOptions::default());
            for event in events {
                let value = event.encode();
                let record = NewRecord {
                    timestamp: now_ms,
                    key: None,
                    value: Some(&value),
                    headers: &[],
                };
                let appended = builder.append(&record);
                assert!(appended.is_ok(), "events are far below a batch's limit");
            }
            let batch = builder.build();
            assert!(
                batch.is_ok(),
                "a batch without a codec cannot fail to compress"
            );
            let options = AppendOptions { leader_epoch: 0 };
            let batch = batch.unwrap_or_default();
            ticket = Some(log.append_events(&batch, options, events.to_vec())?.ticket);
        }
        Ok(ticket)
    }

    /// Moves a log's start: records below `offset` are gone once the ticket is done.
    pub fn delete_before(&self, log: LogId, offset: i64) -> Result<Ticket, AppendError> {
        self.delete_each_before(&[(log, offset)])?
            .ok_or(AppendError::Busy)
    }

    /// As [`Self::delete_before`] for many logs at once, with one ticket for all; none if there are none. Should it be refused, some
    /// may have moved.
    pub fn delete_each_before(
        &self,
        starts: &[(LogId, i64)],
    ) -> Result<Option<Ticket>, AppendError> {
        let moved = starts
            .iter()
            .map(|(log_id, start_offset)| Event::LogStartMoved {
                log_id: *log_id,
                start_offset: *start_offset,
            });
        self.append_events(moved.collect())
    }

    /// Accepts frames as lost for good: reads pass over them.
    pub fn accept_hole(&self, hole: Hole) -> Result<Ticket, AppendError> {
        self.append_events(vec![Event::HoleAccepted(hole)])?
            .ok_or(AppendError::Busy)
    }

    /// Logs that the caller no longer has: their bytes are dead.
    pub(crate) fn bury(&self, mut logs: Vec<Arc<Log>>) {
        {
            // At once, as a snapshot sees it: a log that is in neither would never be counted as dead.
            let mut books = self.books.lock();
            let mut known = self.logs.write();
            logs.retain(|log| known.remove(&log.id()).is_some());
            for log in &logs {
                books.delete_log(log.id(), log.end_offset(), log.newest_sealed());
            }
        }
        let stored = logs.iter().filter(|log| log.end_offset() > 0);
        let events: Vec<Event> = stored
            .map(|log| Event::LogDeleted { log_id: log.id() })
            .collect();
        self.has_dead_bytes.store(true, Ordering::Release);
        // Should it be refused, the maintenance step asks again.
        if self.append_events(events.clone()).is_err() {
            self.books.lock().lost.extend(events);
        }
    }

    /// The events of a frame are durable: they take effect.
    pub(crate) fn apply_events(&self, events: &[Event], sequence: u64, wake: &mut Vec<Waker>) {
        for event in events {
            if let Event::LogStartMoved {
                log_id,
                start_offset,
            } = event
                && let Some(log) = self.log(*log_id)
            {
                log.move_start(*start_offset, wake);
                self.has_dead_bytes.store(true, Ordering::Release);
            }
            if let Err(error) = self.apply_to_files(event, sequence) {
                // Files are only named by events of the one maintenance step.
                tracing::error!(?event, %error, "an event does not fit the files there are");
            }
        }
    }

    fn apply_to_files(
        &self,
        event: &Event,
        sequence: u64,
    ) -> Result<(), crate::manifest::ManifestError> {
        let mut books = self.books.lock();
        let merged = match event {
            Event::MergedInstalled { merged, .. } => books.merges.remove(merged),
            _ => None,
        };
        let size = merged.as_ref().map(|merged| FileSize {
            bytes: merged.bytes,
            live_bytes: merged.index.footer().live_bytes(|log| {
                let exists = self.log(log).is_some();
                books.live_from(log, exists)
            }),
        });
        books.apply_to_files(event, sequence, |_| size.unwrap_or_default())?;
        drop(books);
        if let Some(merged) = merged {
            self.shared.store.segments.keep(merged.index);
        }
        Ok(())
    }
}
