//! The mode `fetch`: reads a topic from its start to its end, again and again, one blocking connection per thread.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use wire::{Decoder, Encoder, Frames, api};

use crate::admin::{Admin, Topic, check_error};
use crate::batch;
use crate::cli::FetchArgs;
use crate::connection::{SILENCE_MAX, Timeline};
use crate::latency::Latencies;
use crate::produce::{fill, shares};
use crate::report::{Costs, Report};

pub(crate) fn run(args: &FetchArgs) -> Result<Report> {
    let target = &args.target;
    let (mut admin, topic) = Admin::prepare(target)?;
    let request_bytes = args.payload.records as u64 * args.payload.record_bytes as u64;
    if args.fill_mb > 0 {
        let requests = (args.fill_mb * 1_000_000).div_ceil(request_bytes.max(1));
        fill(&mut admin, &topic, target.address, args.payload, requests)?;
    }
    let ends = admin.end_offsets(&topic)?;
    let readers = shares(topic.partitions, args.connections)
        .into_iter()
        .map(|partitions| Reader::open(target.address, &topic, partitions, &ends, args))
        .collect::<Result<Vec<_>>>()?;
    let begin = Instant::now();
    let mut costs = Costs::of(target.pid);
    let (tally, seconds) = match args.passes {
        Some(passes) => {
            costs.begin()?;
            let tally = join(readers, |reader| reader.read_passes(passes), || Ok(()))?;
            costs.end()?;
            ensure!(
                tally.records > 0 || ends.iter().all(|end| *end == 0),
                "nothing was read"
            );
            (tally, begin.elapsed().as_secs_f64())
        }
        None => {
            ensure!(
                ends.iter().any(|end| *end > 0),
                "topic {} is empty: use --fill-mb",
                topic.name
            );
            let begin = begin + args.time.warmup();
            let timeline = Timeline {
                begin,
                end: begin + args.time.measured(),
            };
            let tally = join(
                readers,
                |reader| reader.read_until(timeline),
                || costs.during(timeline),
            )?;
            (tally, args.time.measured().as_secs_f64())
        }
    };
    admin.delete_if_temporary(&topic)?;
    Ok(Report::new("fetch", tally.answers, seconds)
        .having_read(tally.records, tally.bytes)
        .with_latencies(&tally.latencies)
        .with_costs(&costs))
}

/// Runs `read` on a thread per reader, and `meanwhile` on this one.
fn join(
    readers: Vec<Reader>,
    read: impl Fn(Reader) -> Result<Tally> + Copy + Send,
    meanwhile: impl FnOnce() -> Result<()>,
) -> Result<Tally> {
    thread::scope(|scope| {
        let start = |reader| scope.spawn(move || read(reader));
        let threads: Vec<_> = readers.into_iter().map(start).collect();
        meanwhile()?;
        let mut all = Tally::new();
        for thread in threads {
            let tally = thread
                .join()
                .ok()
                .context("a thread of the driver panicked")??;
            all.merge(&tally);
        }
        Ok(all)
    })
}

struct Tally {
    answers: u64,
    records: u64,
    /// Of whole batches.
    bytes: u64,
    latencies: Latencies,
}

impl Tally {
    fn new() -> Self {
        Self {
            answers: 0,
            records: 0,
            bytes: 0,
            latencies: Latencies::new(),
        }
    }

    fn merge(&mut self, other: &Self) {
        self.answers += other.answers;
        self.records += other.records;
        self.bytes += other.bytes;
        self.latencies.merge(&other.latencies);
    }
}

/// A partition, and how far it has been read.
struct Place {
    partition: i32,
    next: i64,
    end: i64,
}

struct Reader {
    socket: TcpStream,
    incoming: Frames,
    request: Vec<u8>,
    partition_at: usize,
    offset_at: usize,
    check_crc: bool,
    correlation_id: i32,
    places: Vec<Place>,
    tally: Tally,
}

impl Reader {
    fn open(
        address: SocketAddr,
        topic: &Topic,
        partitions: Vec<i32>,
        ends: &[i64],
        args: &FetchArgs,
    ) -> Result<Self> {
        let socket =
            TcpStream::connect(address).with_context(|| format!("connect to {address}"))?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(SILENCE_MAX))?;
        let place = |partition: i32| Place {
            partition,
            next: 0,
            end: ends[partition as usize],
        };
        let (request, partition_at, offset_at) = fetch_request(&topic.name, args.max_bytes);
        Ok(Self {
            socket,
            incoming: Frames::new(128 << 10),
            request,
            partition_at,
            offset_at,
            check_crc: args.check_crc,
            correlation_id: 0,
            places: partitions
                .into_iter()
                .map(place)
                .filter(|place| place.end > 0)
                .collect(),
            tally: Tally::new(),
        })
    }

    /// Reads every partition from its start to its end, `passes` times.
    fn read_passes(mut self, passes: u64) -> Result<Tally> {
        for _ in 0..passes {
            for index in 0..self.places.len() {
                self.places[index].next = 0;
                while self.places[index].next < self.places[index].end {
                    let begin = Instant::now();
                    let answer = self.fetch(index)?;
                    self.count(answer, begin, Instant::now());
                }
            }
        }
        Ok(self.tally)
    }

    /// Reads the partitions in turns, each from its start again once its end is reached.
    fn read_until(mut self, timeline: Timeline) -> Result<Tally> {
        let mut index = 0;
        loop {
            let sent = Instant::now();
            if self.places.is_empty() || sent >= timeline.end {
                return Ok(self.tally);
            }
            let answer = self.fetch(index)?;
            let now = Instant::now();
            if now >= timeline.begin && now < timeline.end {
                self.count(answer, sent, now);
            }
            let place = &mut self.places[index];
            if place.next >= place.end {
                place.next = 0;
            }
            index = (index + 1) % self.places.len();
        }
    }

    fn count(&mut self, answer: Answer, sent: Instant, now: Instant) {
        self.tally.answers += 1;
        self.tally.records += answer.records;
        self.tally.bytes += answer.bytes;
        self.tally.latencies.add(now.duration_since(sent));
    }

    /// One round trip; moves the place forward.
    fn fetch(&mut self, index: usize) -> Result<Answer> {
        let place = &mut self.places[index];
        self.correlation_id = self.correlation_id.wrapping_add(1);
        self.request[Encoder::CORRELATION_AT..][..4]
            .copy_from_slice(&self.correlation_id.to_be_bytes());
        self.request[self.partition_at..][..4].copy_from_slice(&place.partition.to_be_bytes());
        self.request[self.offset_at..][..8].copy_from_slice(&place.next.to_be_bytes());
        self.socket.write_all(&self.request)?;
        loop {
            if let Some(frame) = self.incoming.next_frame()? {
                return judge(frame, self.correlation_id, place, self.check_crc);
            }
            let bytes = self.socket.read(self.incoming.space())?;
            ensure!(bytes > 0, "the broker closed the connection");
            self.incoming.filled(bytes);
        }
    }
}

/// A fetch request for one partition, and where partition and offset are in it.
fn fetch_request(topic: &str, max_bytes: i32) -> (Vec<u8>, usize, usize) {
    let mut request = Encoder::request(api::FETCH, 0);
    request.i32(-1); // replica id
    request.i32(500); // max_wait_ms
    request.i32(1); // min_bytes
    request.i32(max_bytes);
    request.i8(0); // isolation level
    request.i32(0); // session id
    request.i32(-1); // session epoch: none
    request.array(1);
    request.string(topic);
    request.array(1);
    let partition_at = request.position();
    request.i32(0);
    request.i32(-1); // current leader epoch
    let offset_at = request.position();
    request.i64(0);
    request.i32(-1); // last fetched epoch
    request.i64(-1); // log start offset
    request.i32(max_bytes);
    request.tags();
    request.tags();
    request.array(0); // forgotten topics
    request.string(""); // rack
    request.tags();
    (request.finish(), partition_at, offset_at)
}

#[derive(Clone, Copy)]
struct Answer {
    records: u64,
    bytes: u64,
}

/// Checks that the answer goes on where the last one ended, without a gap.
fn judge(frame: &[u8], correlation_id: i32, place: &mut Place, check_crc: bool) -> Result<Answer> {
    let mut batches = batches_of(frame, correlation_id, place)?;
    let begin = place.next;
    let length = batches.len();
    while let Some(header) = batch::first(batches, check_crc)? {
        // The first batch may begin before the offset asked for.
        let follows = header.base_offset == place.next
            || place.next == begin && header.base_offset < begin && header.next_offset > begin;
        ensure!(
            follows,
            "partition {}: a batch from {} to {} after {}",
            place.partition,
            header.base_offset,
            header.next_offset,
            place.next
        );
        place.next = header.next_offset;
        batches = &batches[header.bytes..];
    }
    ensure!(
        place.next > begin,
        "partition {}: nothing at {begin}",
        place.partition
    );
    Ok(Answer {
        records: (place.next - begin) as u64,
        bytes: (length - batches.len()) as u64,
    })
}

/// The record batches in a fetch answer.
fn batches_of<'a>(frame: &'a [u8], correlation_id: i32, place: &Place) -> Result<&'a [u8]> {
    let mut body = Decoder::new(frame);
    let answered = body.i32()?;
    ensure!(
        answered == correlation_id,
        "answer to {answered}, not to {correlation_id}"
    );
    body.tags()?;
    body.i32()?; // throttle time
    check_error(body.i16()?, "Fetch")?;
    body.i32()?; // session id
    ensure!(body.array()? == 1, "not one topic in a fetch answer");
    body.block()?;
    ensure!(body.array()? == 1, "not one partition in a fetch answer");
    let partition = body.i32()?;
    ensure!(
        partition == place.partition,
        "partition {partition}, not {}",
        place.partition
    );
    check_error(body.i16()?, "Fetch of a partition")?;
    let high_watermark = body.i64()?;
    ensure!(
        high_watermark >= place.end,
        "partition {partition}: high watermark {high_watermark} fell from {}",
        place.end
    );
    body.i64()?; // last stable offset
    body.i64()?; // log start offset
    ensure!(
        body.array()? == 0,
        "aborted transactions where there were none"
    );
    body.i32()?; // preferred read replica
    Ok(body.block()?)
}
