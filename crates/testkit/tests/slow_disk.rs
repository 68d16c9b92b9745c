//! A disk that takes its time to give old data holds up who asked for that, and nobody else: with one thread for all connections a
//! producer is answered while a consumer waits for the disk.

#![cfg(test)]

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use broker::assembly::Parts;
use broker::broker::{Address, Broker};
use broker::config::Config;
use broker::network::connection::{Connection, Peer};
use broker::random::Random;
use broker::runtime::JournalThreads;
use bytes::Bytes;
use log::disk::real::RealDisk;
use log::disk::{Disk, DiskFile};
use log::{Journal, SystemClock};
use parking_lot::{Condvar, Mutex};
use protocol::batch_builder::{BatchBuilder, BatchOptions, NewRecord};
use protocol::header::frame_request;
use protocol::messages::fetch::{FetchPartition, FetchRequest, FetchTopic};
use protocol::messages::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};
use protocol::{KafkaString, Records};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;

/// Nothing here takes so long unless it hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// Holds up reads while it is closed.
#[derive(Debug, Default)]
struct Gate {
    state: Mutex<GateState>,
    opened: Condvar,
    somebody_waits: Notify,
}

#[derive(Debug, Default)]
struct GateState {
    is_closed: bool,
    /// Somebody lost patience.
    is_broken: bool,
}

impl Gate {
    fn pass(&self) {
        let mut state = self.state.lock();
        while state.is_closed && !state.is_broken {
            self.somebody_waits.notify_one();
            state.is_broken = self.opened.wait_for(&mut state, PATIENCE).timed_out();
        }
    }

    fn close(&self) {
        self.state.lock().is_closed = true;
    }

    /// Whether nobody had to open it before.
    fn open(&self) -> bool {
        let mut state = self.state.lock();
        state.is_closed = false;
        self.opened.notify_all();
        !state.is_broken
    }
}

#[derive(Debug)]
struct SlowDisk {
    disk: RealDisk,
    gate: Arc<Gate>,
}

#[derive(Debug)]
struct SlowFile {
    file: Arc<dyn DiskFile>,
    gate: Arc<Gate>,
}

impl SlowDisk {
    fn slow(&self, file: Arc<dyn DiskFile>) -> Arc<dyn DiskFile> {
        let gate = self.gate.clone();
        Arc::new(SlowFile { file, gate })
    }
}

impl Disk for SlowDisk {
    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        Ok(self.slow(self.disk.open(name)?))
    }
    fn create(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        Ok(self.slow(self.disk.create(name)?))
    }
    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.disk.rename(from, to)
    }
    fn remove(&self, name: &str) -> io::Result<()> {
        self.disk.remove(name)
    }
    fn names(&self) -> io::Result<Vec<String>> {
        self.disk.names()
    }
    fn sync_folder(&self) -> io::Result<()> {
        self.disk.sync_folder()
    }
    fn free_bytes(&self) -> io::Result<u64> {
        self.disk.free_bytes()
    }
    fn volume_bytes(&self) -> io::Result<u64> {
        self.disk.volume_bytes()
    }
    fn lock(&self) -> io::Result<Box<dyn Send + Sync>> {
        self.disk.lock()
    }
}

impl DiskFile for SlowFile {
    fn size(&self) -> io::Result<u64> {
        self.file.size()
    }
    fn read_exact_at(&self, into: &mut [u8], position: u64) -> io::Result<()> {
        self.gate.pass();
        self.file.read_exact_at(into, position)
    }
    fn write_all_at(&self, bytes: &[u8], position: u64) -> io::Result<()> {
        self.file.write_all_at(bytes, position)
    }
    fn write_blocks_at(&self, blocks: &[u8], position: u64) -> io::Result<()> {
        self.file.write_blocks_at(blocks, position)
    }
    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }
    fn allocate(&self, bytes: u64) -> io::Result<()> {
        self.file.allocate(bytes)
    }
    fn set_len(&self, bytes: u64) -> io::Result<()> {
        self.file.set_len(bytes)
    }
    fn link_count(&self) -> io::Result<u64> {
        self.file.link_count()
    }
}

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Closes the journal, also if the test fails: its threads end then.
struct Close(Arc<Journal>);

impl Drop for Close {
    fn drop(&mut self) {
        self.0.close();
    }
}

fn connect(broker: &Arc<Broker>, tasks: &TaskTracker) -> DuplexStream {
    let (ours, theirs) = tokio::io::duplex(1 << 20);
    let peer = Peer {
        address: None,
        listener: 0,
        software: Arc::default(),
    };
    tasks.spawn(Connection::new(theirs, broker.clone(), peer));
    ours
}

async fn answer(stream: &mut DuplexStream) -> Vec<u8> {
    let bytes = stream.read_u32().await.unwrap();
    let mut answer = vec![0; bytes as usize];
    stream.read_exact(&mut answer).await.unwrap();
    answer
}

/// A batch of 100 kB, acknowledged.
async fn produce(stream: &mut DuplexStream) {
    let mut builder = BatchBuilder::new(BatchOptions::default());
    let value = vec![b'x'; 100_000];
    let record = NewRecord {
        timestamp: 1_700_000_000_000,
        key: None,
        value: Some(&value),
        headers: &[],
    };
    builder.append(&record).unwrap();
    let request = ProduceRequest {
        acks: -1,
        topic_data: vec![TopicProduceData {
            name: KafkaString::from("t"),
            partition_data: vec![PartitionProduceData {
                records: Some(Records::from(Bytes::from(builder.build().unwrap()))),
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    let frame = frame_request(&request, 9, 1, None);
    stream.write_all(&frame).await.unwrap();
    answer(stream).await;
}

fn fetch() -> Bytes {
    let request = FetchRequest {
        max_bytes: 50_000,
        session_epoch: -1,
        topics: vec![FetchTopic {
            topic: KafkaString::from("t"),
            partitions: vec![FetchPartition {
                partition_max_bytes: 50_000,
                ..Default::default()
            }],
            ..Default::default()
        }],
        ..Default::default()
    };
    frame_request(&request, 12, 1, None)
}

async fn a_producer_is_answered_meanwhile(disk: SlowDisk) {
    let gate = disk.gate.clone();
    let mut config = Config::load("", std::iter::empty(), []).unwrap();
    config.options.journal_file_bytes = 4 << 20;
    let parts = Parts {
        config: Arc::new(config),
        addresses: vec![Address {
            host: KafkaString::from("localhost"),
            port: 9092,
        }],
        clock: Arc::new(SystemClock::default()),
        random: Arc::new(Random::from_seed(1)),
    };
    let (journal, mut recovered) = parts.open_journal(Arc::new(disk)).unwrap();
    let _threads = JournalThreads::start(&journal).unwrap();
    let _close = Close(journal.clone());
    let broker = parts.assemble(journal.clone(), &mut recovered).await;
    let broker = broker.unwrap();
    let topic = broker::metadata::NewTopic {
        name: "t".to_owned(),
        partitions: 1,
        replication_factor: 1,
        ..Default::default()
    };
    let created = broker.controller.create_topics(&[topic], false).await;
    assert!(created[0].is_ok(), "{:?}", created[0].as_ref().err());
    let tasks = TaskTracker::new();
    let mut producer = connect(&broker, &tasks);
    // More than the first file takes.
    for _ in 0..60 {
        produce(&mut producer).await;
    }
    while journal.maintenance_step() {}
    let image = broker.controller.image();
    assert!(image.topic("t").unwrap().partition(0).unwrap().is_sealed(0));

    gate.close();
    let mut consumer = connect(&broker, &tasks);
    consumer.write_all(&fetch()).await.unwrap();
    gate.somebody_waits.notified().await;
    produce(&mut producer).await;
    assert!(
        gate.open(),
        "the producer had to wait for the consumer's disk"
    );
    assert!(answer(&mut consumer).await.len() > 100_000);
}

#[test]
fn who_waits_for_the_disk_holds_up_nobody_else() {
    let name = format!("ottla-slow-disk-{}", std::process::id());
    let folder = Folder(std::env::temp_dir().join(name));
    let disk = SlowDisk {
        disk: RealDisk::open(&folder.0).unwrap(),
        gate: Arc::default(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(a_producer_is_answered_meanwhile(disk));
}
