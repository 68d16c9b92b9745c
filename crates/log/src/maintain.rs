//! The maintenance step: keeps the next file ready and gives full files their footers. Run by its own thread, or stepped by a
//! simulation.

use std::io;
use std::task::Waker;
use std::time::Duration;

use crate::commit::Full;
use crate::footer::BLOCK_BYTES;
use crate::journal::Journal;
use crate::log::LogId;

/// How often the thread looks around.
const PERIOD: Duration = Duration::from_millis(200);

impl Journal {
    /// Forgets logs: nobody reads or appends to them any more, and their ids are never used again.
    pub fn delete_logs(&self, ids: &[LogId]) {
        for id in ids {
            self.remove_log(*id);
        }
    }

    /// Deletes every log but these and the journal's own: what a crash left of a deletion.
    pub fn retain_only(&self, known: &[LogId]) {
        let orphans: Vec<LogId> = self
            .log_ids()
            .into_iter()
            .filter(|id| *id > crate::METADATA_LOG && !known.contains(id))
            .collect();
        self.delete_logs(&orphans);
    }

    /// Maintains until the journal is closed. The body of the maintenance thread.
    pub fn run_maintenance(&self) {
        loop {
            self.maintenance_step();
            let mut queue = self.queue.lock();
            if queue.closed || self.failed() {
                return;
            }
            if queue.spare_ready {
                self.upkeep.wait_for(&mut queue, PERIOD);
            }
        }
    }

    /// Does what is due: the next file, footers.
    pub fn maintenance_step(&self) {
        if self.failed() {
            return;
        }
        self.ready_spare();
        let full: Vec<Full> = std::mem::take(&mut self.writer.lock().to_seal);
        for file in full {
            if let Err(error) = self.seal(&file) {
                tracing::warn!(file = file.header.number, %error, "the footer could not be written; the next start indexes the file again");
            }
        }
    }

    fn ready_spare(&self) {
        let mut writer = self.writer.lock();
        if writer.spare.is_some() || self.queue.lock().closing {
            return;
        }
        // The commit step goes on meanwhile: the header is all it needs.
        let header = self.spare_header(&writer);
        writer.making_spare = true;
        drop(writer);
        let made = crate::commit::make_spare(&*self.disk, header);
        writer = self.writer.lock();
        writer.making_spare = false;
        let mut wake: Vec<Waker> = Vec::new();
        {
            let mut queue = self.queue.lock();
            match made {
                Ok(spare) => {
                    assert!(
                        spare.header.number == writer.header.number + 1,
                        "the commit step waits for a spare that is being made"
                    );
                    writer.spare = Some(spare);
                    queue.spare_ready = true;
                    queue.full = false;
                }
                Err(error) => {
                    if !queue.full {
                        tracing::warn!(%error, "no room for the next journal file: produces are refused until there is");
                    }
                    queue.full = true;
                }
            }
            queue.take_room_waiters(&mut wake);
        }
        drop(writer);
        self.spare_made.notify_all();
        wake.into_iter().for_each(Waker::wake);
    }

    /// Writes a full file's footer behind its last frame and gives back the room behind that.
    fn seal(&self, full: &Full) -> io::Result<()> {
        let sealed = self.store.sealed.read().get(&full.header.number).cloned();
        let Some(sealed) = sealed else { return Ok(()) };
        let start = full.position.next_multiple_of(BLOCK_BYTES as u64);
        let footer = sealed.footer.encode(&full.header.place(), start);
        full.file.write_all_at(&footer, start)?;
        full.file.sync_data()?;
        full.file.set_len(start + footer.len() as u64)
    }
}
