//! Reading a log's batches from the sealed file that holds them: neighbouring runs with one read, each
//! run verified the first time (rule 9), whole batches given out.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use protocol::Chunk;
use protocol::batch::{Batch, Batches};

use crate::footer::{RunEntry, run_at_timestamp};
use crate::frame::run_is_whole;
use crate::segment::{Damaged, Read, ReadError, ReadRequest, SealedLog, Segments};
use crate::segment_walk::Place;

/// Runs of a log that lie within so many bytes of a file are read at once.
const READ_BYTES: u64 = 256 << 10;

/// A run of so many bytes is given as a stretch of its file where that may be: a smaller one is cheaper
/// to copy than to send by a call of its own.
const RANGE_BYTES_MIN: u32 = 32 << 10;

/// Runs of so many bytes together are copied at once by a merge.
const COPY_BYTES: usize = 1 << 20;

/// How often a read starts over because a file went while it looked.
const FILES_GONE_MAX: u32 = 3;

impl Segments {
    /// Reads batches from `request.offset` on, from one file. `None`: the offset lies above all sealed
    /// runs. What was accepted as lost is passed over.
    pub fn read(&self, log: SealedLog, request: &ReadRequest) -> Result<Option<Read>, ReadError> {
        let mut request = *request;
        let mut files_gone = 0;
        loop {
            match self.read_once(log, &request) {
                Err(ReadError::Damaged(damaged)) if self.is_accepted(&damaged) => {
                    request.offset = damaged.end_offset;
                }
                // Merged away between looking and reading: what took its place is known by now.
                Err(ReadError::Gone { .. }) if files_gone < FILES_GONE_MAX => files_gone += 1,
                other => return other,
            }
        }
    }

    fn read_once(&self, log: SealedLog, request: &ReadRequest) -> Result<Option<Read>, ReadError> {
        match self.locate(log, request.offset)? {
            Some(place) => self.read_file(&place, request).map(Some),
            None => Ok(None),
        }
    }

    /// The first batch within `offsets` that reaches to `timestamp` or later. Which of its records
    /// does, the records say.
    pub fn find_timestamp(
        &self,
        log: SealedLog,
        timestamp: i64,
        offsets: Range<i64>,
    ) -> Result<Option<Bytes>, ReadError> {
        let mut offset = offsets.start;
        while offset < offsets.end
            && let Some(place) = self.locate(log, offset)?
        {
            let runs = place.runs_from_here();
            let Some(at) = run_at_timestamp(runs, timestamp) else {
                offset = place.entry.end_offset;
                continue;
            };
            offset = runs[at].end_offset();
            let run = place.run + at;
            let bytes = match self.read_runs(&place, run..run + 1) {
                Ok(mut bytes) => bytes.pop().unwrap_or_default(),
                Err(ReadError::Damaged(damaged)) if self.is_accepted(&damaged) => continue,
                Err(error) => return Err(error),
            };
            let mut batches = Batches::new(&bytes).map_while(Result::ok);
            let found = batches.find(|batch| {
                let header = batch.header();
                header.max_timestamp >= timestamp && header.next_offset() > offsets.start
            });
            if let Some(batch) = found {
                let lies_within = batch.header().base_offset < offsets.end;
                return Ok(lies_within.then(|| bytes.slice_ref(batch.bytes())));
            }
        }
        Ok(None)
    }

    /// The next runs of a place for copying, as many as one read takes: verified whatever was found
    /// before, because the copy takes the place of the original. `None` stands for a damaged run that
    /// was accepted as lost.
    pub(crate) fn read_for_copy(&self, place: &Place) -> Result<Vec<Option<Bytes>>, ReadError> {
        let runs = place.runs_from_here();
        let range = place.run..place.run + group_len(runs, COPY_BYTES);
        let chunks = self.read_unverified(place, range)?;
        let verify = |(run, bytes): (&RunEntry, Bytes)| {
            if run_is_whole(&bytes, run.checksum) {
                return Ok(Some(bytes));
            }
            let damaged = self.damaged(place, run);
            match self.is_accepted(&damaged) {
                true => Ok(None),
                false => Err(damaged.into()),
            }
        };
        runs.iter().zip(chunks).map(verify).collect()
    }

    fn is_accepted(&self, damaged: &Damaged) -> bool {
        let manifest = self.manifest.read();
        manifest.is_hole_accepted(Some(damaged.file), damaged.file)
    }

    fn read_file(&self, place: &Place, request: &ReadRequest) -> Result<Read, ReadError> {
        let runs = place.runs();
        let mut taken = Taken::new(
            request,
            runs.get(place.run).map_or(0, |run| run.base_offset),
        );
        let mut at = place.run;
        while at < runs.len() && !taken.is_full {
            let took = match taken.takes_range(&runs[at]) {
                true => self.take_range(place, at, &mut taken),
                false => self.take_runs(place, at, &mut taken),
            };
            at += match took {
                Ok(took) => took,
                // What lies before the damage is given first.
                Err(_) if taken.read.bytes > 0 => break,
                Err(error) => return Err(error),
            };
            let is_gap = matches!((runs.get(at - 1), runs.get(at)), (Some(a), Some(b))
                if a.end_offset() != b.base_offset);
            if is_gap {
                break;
            }
        }
        Ok(taken.read)
    }

    /// Takes the run at `at`, and its neighbours with it, as bytes. Gives how many runs that were.
    fn take_runs(
        &self,
        place: &Place,
        at: usize,
        taken: &mut Taken<'_>,
    ) -> Result<usize, ReadError> {
        let runs = &place.runs()[at..];
        let group = &runs[..group_len(runs, taken.room())];
        // Of the neighbours those that are no ranges themselves.
        let behind = group.iter().skip(1);
        let len = 1 + behind.take_while(|run| !taken.is_large(run)).count();
        let chunks = self.read_runs(place, at..at + len)?;
        for bytes in &chunks {
            taken.take(bytes);
        }
        Ok(chunks.len())
    }

    /// Takes a run as a stretch of its file: verified (rule 9), which takes a read the first time, and in the
    /// page cache, so that whoever sends it waits for no disk.
    fn take_range(
        &self,
        place: &Place,
        at: usize,
        taken: &mut Taken<'_>,
    ) -> Result<usize, ReadError> {
        let (file, run) = (place.index.file, &place.runs()[at]);
        let (position, bytes) = (run.position, run.bytes as usize);
        let handle = self.open(file)?;
        let Some(range) = handle.clone().range(position, bytes) else {
            return self.take_runs(place, at, taken);
        };
        let number = place.entry.first_run as usize + at;
        if place.index.is_verified(number) {
            let warmed = handle.warm(position, bytes);
            warmed.map_err(|source| ReadError::from_io(file, source))?;
        } else {
            let read = handle.read(position, bytes);
            let read = read.map_err(|source| ReadError::from_io(file, source))?;
            if !run_is_whole(&read, run.checksum) {
                return Err(self.damaged(place, run).into());
            }
            place.index.set_verified(number);
        }
        taken.take_whole(run, Chunk::File(range));
        Ok(1)
    }

    /// The bytes of some of the log's runs in one file, by one read, verified. Ends before the first
    /// damaged run; an error if that is the first of all.
    fn read_runs(&self, place: &Place, range: Range<usize>) -> Result<Vec<Bytes>, ReadError> {
        let runs = place.runs().get(range.clone()).unwrap_or_default();
        let first_run = place.entry.first_run as usize + range.start;
        let mut chunks = self.read_unverified(place, range)?;
        for (i, (run, bytes)) in runs.iter().zip(&chunks).enumerate() {
            if place.index.is_verified(first_run + i) {
                continue;
            }
            if !run_is_whole(bytes, run.checksum) {
                if i == 0 {
                    return Err(self.damaged(place, run).into());
                }
                chunks.truncate(i);
                break;
            }
            place.index.set_verified(first_run + i);
        }
        Ok(chunks)
    }

    fn read_unverified(&self, place: &Place, range: Range<usize>) -> Result<Vec<Bytes>, ReadError> {
        let runs = place.runs().get(range).unwrap_or_default();
        let (Some(first), Some(last)) = (runs.first(), runs.last()) else {
            return Ok(Vec::new());
        };
        let file = place.index.file;
        let bytes = (last.end_position() - first.position) as usize;
        let read = self.open(file)?.read(first.position, bytes);
        let read = read.map_err(|source| ReadError::from_io(file, source))?;
        Ok(dense(&read.into(), runs))
    }

    fn damaged(&self, place: &Place, run: &RunEntry) -> Damaged {
        let damaged = Damaged {
            file: place.index.file,
            log_id: place.entry.log_id,
            first_offset: run.base_offset,
            end_offset: run.end_offset(),
        };
        tracing::error!(position = run.position, %damaged, "a run fails its checksum");
        damaged
    }
}

/// How many of `runs` to read at once: contiguous offsets, near each other, within `room` together.
fn group_len(runs: &[RunEntry], room: usize) -> usize {
    let Some(first) = runs.first() else { return 0 };
    let mut bytes = first.bytes as usize;
    let mut len = 1;
    for pair in runs.windows(2) {
        let [previous, run] = pair else { break };
        bytes += run.bytes as usize;
        let is_near = run.end_position() - first.position <= READ_BYTES;
        if !is_near || bytes > room || previous.end_offset() != run.base_offset {
            break;
        }
        len += 1;
    }
    len
}

/// The runs' bytes out of the stretch of the file that spans them. If most of that is other logs'
/// they are copied, so that a slice does not hold on to all of it.
fn dense(span: &Bytes, runs: &[RunEntry]) -> Vec<Bytes> {
    let start = runs.first().map_or(0, |run| run.position);
    let slice = |run: &RunEntry| {
        let at = (run.position - start) as usize;
        span.slice(at..at + run.bytes as usize)
    };
    let wanted: usize = runs.iter().map(|run| run.bytes as usize).sum();
    if wanted * 2 >= span.len() {
        return runs.iter().map(slice).collect();
    }
    let mut copy = BytesMut::with_capacity(wanted);
    for run in runs {
        copy.extend_from_slice(&slice(run));
    }
    let mut copy = copy.freeze();
    let mut next = |run: &RunEntry| copy.split_to(run.bytes as usize);
    runs.iter().map(&mut next).collect()
}

/// What a read has gathered so far.
struct Taken<'a> {
    request: &'a ReadRequest,
    read: Read,
    /// Nothing further may be taken.
    is_full: bool,
}

impl<'a> Taken<'a> {
    /// Begins at the request's offset, or behind a hole at the first run's.
    fn new(request: &'a ReadRequest, base_offset: i64) -> Self {
        Self {
            request,
            read: Read {
                next_offset: request.offset.max(base_offset),
                ..Read::default()
            },
            is_full: false,
        }
    }

    fn room(&self) -> usize {
        self.request.bytes_max.saturating_sub(self.read.bytes)
    }

    /// Whether the run is taken whole, and large enough to be sent from its file.
    fn takes_range(&self, run: &RunEntry) -> bool {
        self.is_large(run)
            && run.bytes as usize <= self.room()
            && run.base_offset >= self.read.next_offset
            && run.end_offset() <= self.request.offset_max
    }

    fn is_large(&self, run: &RunEntry) -> bool {
        self.request.ranges && run.bytes >= RANGE_BYTES_MIN
    }

    fn take_whole(&mut self, run: &RunEntry, chunk: Chunk) {
        self.read.bytes += chunk.len();
        self.read.next_offset = run.end_offset();
        self.read.chunks.push(chunk);
    }

    /// Takes the batches of a run from the next offset on, as many as may be.
    fn take(&mut self, run: &Bytes) {
        let (mut start, mut end) = (0, 0);
        for batch in Batches::new(run).map_while(Result::ok) {
            let header = batch.header();
            if self.is_full || !self.may_take(&batch, end - start) {
                self.is_full = true;
                break;
            }
            if header.next_offset() <= self.read.next_offset {
                start += batch.bytes().len();
            } else {
                self.read.next_offset = header.next_offset();
            }
            end += batch.bytes().len();
        }
        if end > start {
            self.read.bytes += end - start;
            self.read.chunks.push(Chunk::Bytes(run.slice(start..end)));
        }
    }

    fn may_take(&self, batch: &Batch<'_>, taken_of_run: usize) -> bool {
        let header = batch.header();
        if header.base_offset >= self.request.offset_max {
            return false;
        }
        let bytes = self.read.bytes + taken_of_run;
        let is_skipped = header.next_offset() <= self.read.next_offset;
        let is_first = bytes == 0 && self.request.at_least_one;
        is_skipped || is_first || bytes + batch.bytes().len() <= self.request.bytes_max
    }
}
