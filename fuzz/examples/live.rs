//! Requests of every API, whole and mutated, against a running broker, beside a well-behaved client: nothing may crash, leak, grow
//! without end, or hold up others. `cargo run --release --example live -- HOST:PORT PID SECONDS [SEED]`; the exit code is 0 if so.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use protocol::batch_builder::{BatchBuilder, BatchOptions, NewRecord};
use protocol::header::{RequestHeader, decode_response_header, frame_request};
use protocol::messages::api_versions::ApiVersionsRequest;
use protocol::messages::create_topics::{CreatableTopic, CreateTopicsRequest};
use protocol::messages::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
use protocol::wire::{Decoder, Encoder};
use protocol::{ApiKey, KafkaString, Message, Records, Request};

const ATTACKERS: u64 = 8;
/// What takes memory because it is there, and what slows others because it was asked to.
const LEFT_OUT: [ApiKey; 3] = [
    ApiKey::CreateTopics,
    ApiKey::CreatePartitions,
    ApiKey::AlterClientQuotas,
];
/// Names that are there, so that requests reach further than the first check.
const WORDS: &[&str] = &["t0", "t1", "t2", "group", "member", "range", "consumer"];
const PROBE_TOPIC: &str = "probe";
const ANSWER_TIME_MAX: Duration = Duration::from_millis(200);
const PROBE_TIME_MAX: Duration = Duration::from_secs(10);
const PROBE_PAUSE: Duration = Duration::from_millis(20);
const BASELINE: Duration = Duration::from_secs(5);
/// Beside the broker's budget: caches, and what the allocator keeps.
const RSS_BYTES_MAX: u64 = 768 << 20;
/// Files and connections that may be open for reasons of the broker's own.
const FDS_MORE_MAX: usize = 64;

#[derive(Default)]
struct Counts {
    sent: AtomicU64,
    answered: AtomicU64,
    closed: AtomicU64,
    unanswered: AtomicU64,
}

fn main() -> io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, pid, seconds, rest @ ..] = arguments.as_slice() else {
        return Err(io::Error::other("usage: live HOST:PORT PID SECONDS [SEED]"));
    };
    let parse = |text: &str| text.parse::<u64>().map_err(io::Error::other);
    let address: SocketAddr = address.parse().map_err(io::Error::other)?;
    let (pid, seconds) = (parse(pid)?, parse(seconds)?);
    let seed = rest.first().map_or(Ok(1), |seed| parse(seed))?;

    let served = served(address)?;
    for topic in WORDS[..3].iter().chain([&PROBE_TOPIC]) {
        create(address, topic)?;
    }
    let before = probe_for(address, BASELINE, &AtomicBool::new(false))?;
    let (rss_before, fds_before) = (rss_bytes(pid)?, fds(pid)?);
    let (counts, stop) = (Counts::default(), AtomicBool::new(false));
    let (rss_max, during) = std::thread::scope(|scope| {
        for attacker in 0..ATTACKERS {
            let (served, counts, stop) = (&served, &counts, &stop);
            let seed = seed.wrapping_mul(1000) + attacker;
            scope.spawn(move || attack(address, served, seed, counts, stop));
        }
        let watch = scope.spawn(|| watch(address, pid, Duration::from_secs(seconds), &stop));
        let probe = scope.spawn(|| probe_for(address, Duration::MAX, &stop));
        let rss_max = watch
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the watch failed")));
        stop.store(true, Ordering::Relaxed);
        let during = probe
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the probe failed")));
        (rss_max, during)
    });
    let (rss_max, during) = (rss_max?, during?);
    // What was closed is gone by then.
    let after = probe_for(address, BASELINE, &AtomicBool::new(false))?;
    let (rss_after, fds_after) = (rss_bytes(pid)?, fds(pid)?);

    let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
    println!(
        "{} requests: {} answered, {} cost their connection, {} unanswered in time",
        get(&counts.sent),
        get(&counts.answered),
        get(&counts.closed),
        get(&counts.unanswered)
    );
    for (when, times) in [("before", &before), ("during", &during), ("after", &after)] {
        println!(
            "probe {when}: {} round trips, p50 {:.2} ms, p99 {:.2} ms",
            times.len(),
            quantile_ms(times, 0.5),
            quantile_ms(times, 0.99)
        );
    }
    println!(
        "resident MB: {} before, {} at most, {} after; open files: {fds_before} before, {fds_after} after",
        rss_before >> 20,
        rss_max >> 20,
        rss_after >> 20
    );
    if rss_max > RSS_BYTES_MAX || fds_after > fds_before + FDS_MORE_MAX {
        return Err(io::Error::other("the broker grew"));
    }
    Ok(())
}

/// Sends requests until it is told to stop; whatever becomes of them is counted.
fn attack(
    address: SocketAddr,
    served: &[(ApiKey, i16, i16)],
    seed: u64,
    counts: &Counts,
    stop: &AtomicBool,
) {
    let mut random = fuzz::Source::new(seed, WORDS);
    while !stop.load(Ordering::Relaxed) {
        // Out of ports for a moment, say; whether the broker is gone, the probe sees.
        let Ok(mut stream) = connect(address, ANSWER_TIME_MAX) else {
            std::thread::sleep(PROBE_PAUSE);
            continue;
        };
        for _ in 0..random.below(50) {
            let (key, first, last) = served[random.below(served.len() as u64) as usize];
            let version = first + random.below((last - first + 1) as u64) as i16;
            let frame = frame(&mut random, key, version);
            counts.sent.fetch_add(1, Ordering::Relaxed);
            let reads = random.below(20) > 0;
            let outcome = stream.write_all(&frame).and_then(|()| match reads {
                true => read_frame(&mut stream).map(drop),
                false => Ok(()),
            });
            let (count, goes_on) = match outcome.map_err(|error| error.kind()) {
                Ok(()) if !reads => continue,
                Ok(()) => (&counts.answered, true),
                Err(io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    (&counts.unanswered, false)
                }
                Err(_) => (&counts.closed, false),
            };
            count.fetch_add(1, Ordering::Relaxed);
            if !goes_on {
                break;
            }
        }
    }
}

/// A request as it should be, or nearly so.
fn frame(random: &mut fuzz::Source, key: ApiKey, version: i16) -> Vec<u8> {
    let mut out = Encoder::new();
    let header = RequestHeader {
        api_key: key as i16,
        api_version: version,
        correlation_id: 1,
        client_id: Some("live".into()),
    };
    header.encode(&mut out);
    let mut message = out.into_bytes().to_vec();
    message.extend(random.request(key, version));
    for _ in 0..random.below(4) {
        mutate(random, &mut message);
    }
    let len = match random.below(100) {
        0 => random.below(1 << 31) as u32,
        _ => message.len() as u32,
    };
    [&len.to_be_bytes()[..], &message].concat()
}

fn mutate(random: &mut fuzz::Source, message: &mut Vec<u8>) {
    let at = random.below(message.len() as u64 + 1) as usize;
    match random.below(6) {
        0 if at < message.len() => message[at] ^= 1 << random.below(8),
        1 => message.truncate(at),
        2 => {
            let more = random.bytes(40);
            message.splice(at..at, more);
        }
        // A length or a count that is out of all proportion, in either encoding.
        3 if at + 4 <= message.len() => {
            let extreme = [i32::MAX, i32::MIN, -1, 1 << 24][random.below(4) as usize];
            message[at..at + 4].copy_from_slice(&extreme.to_be_bytes());
        }
        4 if at + 5 <= message.len() => {
            message[at..at + 5].copy_from_slice(&[0xff, 0xff, 0xff, 0xff, 0x0f]);
        }
        5 => {
            let from = random.below(at as u64 + 1) as usize;
            let again = message[from..at].to_vec();
            message.splice(at..at, again);
        }
        _ => {}
    }
}

/// Looks at the broker every second, and makes the topics again that somebody deleted. Gives the largest resident set.
fn watch(address: SocketAddr, pid: u64, time: Duration, stop: &AtomicBool) -> io::Result<u64> {
    let (began, mut largest) = (Instant::now(), 0);
    while began.elapsed() < time && !stop.load(Ordering::Relaxed) {
        largest = largest.max(rss_bytes(pid)?);
        for topic in &WORDS[..3] {
            create(address, topic)?;
        }
        std::thread::sleep(Duration::from_secs(1));
    }
    Ok(largest)
}

/// A client that produces a record at a time: how long each took.
fn probe_for(address: SocketAddr, time: Duration, stop: &AtomicBool) -> io::Result<Vec<Duration>> {
    let mut builder = BatchBuilder::new(BatchOptions::default());
    let record = NewRecord {
        timestamp: 1,
        key: None,
        value: Some(b"probe"),
        headers: &[],
    };
    builder.append(&record).map_err(io::Error::other)?;
    let batch = Bytes::from(builder.build().map_err(io::Error::other)?);
    let request = ProduceRequest {
        acks: -1,
        timeout_ms: 10_000,
        topic_data: vec![TopicProduceData {
            name: PROBE_TOPIC.into(),
            partition_data: vec![PartitionProduceData {
                records: Some(Records::from(batch)),
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    let mut stream = connect(address, PROBE_TIME_MAX)?;
    let (began, mut times) = (Instant::now(), Vec::new());
    while began.elapsed() < time && !stop.load(Ordering::Relaxed) {
        let asked = Instant::now();
        let answer = ask(&mut stream, &request, 9)?;
        times.push(asked.elapsed());
        let code = answer.responses[0].partition_responses[0].error_code;
        if code != 0 {
            return Err(io::Error::other(format!("the probe was refused: {code}")));
        }
        std::thread::sleep(PROBE_PAUSE);
    }
    times.sort_unstable();
    Ok(times)
}

fn quantile_ms(sorted: &[Duration], quantile: f64) -> f64 {
    let at = (sorted.len() as f64 * quantile) as usize;
    sorted
        .get(at.min(sorted.len().saturating_sub(1)))
        .map_or(0.0, |time| time.as_secs_f64() * 1e3)
}

fn served(address: SocketAddr) -> io::Result<Vec<(ApiKey, i16, i16)>> {
    let answer = ask(
        &mut connect(address, PROBE_TIME_MAX)?,
        &ApiVersionsRequest::default(),
        0,
    )?;
    let apis = answer.api_keys.iter().filter_map(|api| {
        let key = ApiKey::from_key(api.api_key)?;
        (!LEFT_OUT.contains(&key)).then_some((key, api.min_version, api.max_version))
    });
    Ok(apis.collect())
}

fn create(address: SocketAddr, topic: &str) -> io::Result<()> {
    let request = CreateTopicsRequest {
        topics: vec![CreatableTopic {
            name: KafkaString::from(topic.to_owned()),
            num_partitions: 4,
            replication_factor: 1,
            ..Default::default()
        }],
        timeout_ms: 10_000,
        ..Default::default()
    };
    // It may be there already.
    ask(&mut connect(address, PROBE_TIME_MAX)?, &request, 5).map(drop)
}

fn connect(address: SocketAddr, patience: Duration) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&address, PROBE_TIME_MAX)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(patience))?;
    stream.set_write_timeout(Some(patience))?;
    Ok(stream)
}

fn ask<R: Request>(stream: &mut TcpStream, request: &R, version: i16) -> io::Result<R::Response> {
    stream.write_all(&frame_request(request, version, 1, None))?;
    let mut input = Decoder::new(read_frame(stream)?.into());
    decode_response_header(&mut input, R::KEY, version).map_err(io::Error::other)?;
    R::Response::decode(&mut input, version).map_err(io::Error::other)
}

fn read_frame(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut len = [0; 4];
    stream.read_exact(&mut len)?;
    let mut answer = vec![0; u32::from_be_bytes(len) as usize];
    stream.read_exact(&mut answer)?;
    Ok(answer)
}

fn rss_bytes(pid: u64) -> io::Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    Ok(kilobytes.unwrap_or(0) << 10)
}

fn fds(pid: u64) -> io::Result<usize> {
    Ok(fs::read_dir(format!("/proc/{pid}/fd"))?.count())
}
