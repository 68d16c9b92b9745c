//! A server for one test, and the well-behaved client that every hostile test ends with.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use broker::config::Config;
use broker::metadata::NewTopic;
use broker::random::Random;
use broker::server::{Server, StartError};
use log::{Clock, SystemClock};

use crate::batches;
use crate::client::Client;

/// Nothing here takes so long unless it hangs.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A data folder of the test's own, removed at its end.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!(
            "ottla-tcp-{}-{}",
            std::process::id(),
            NEXT.fetch_add(1, Ordering::Relaxed)
        );
        Self(std::env::temp_dir().join(name))
    }

    /// As a power cut would leave it, when everything is durable.
    #[expect(clippy::disallowed_methods, reason = "a copy behind the broker's back")]
    pub(crate) fn copy(&self) -> Self {
        let copy = Self::new();
        std::fs::create_dir_all(&copy.0).unwrap();
        for entry in std::fs::read_dir(&self.0).unwrap() {
            let entry = entry.unwrap();
            std::fs::copy(entry.path(), copy.0.join(entry.file_name())).unwrap();
        }
        copy
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What is left is the system's to clear.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(crate) async fn start_in(folder: &Folder, options: &str) -> Result<Server, StartError> {
    start_at(folder, options, Arc::new(SystemClock::default())).await
}

/// As `start_in`, at a time of the test's choice.
pub(crate) async fn start_at(
    folder: &Folder,
    options: &str,
    clock: Arc<dyn Clock>,
) -> Result<Server, StartError> {
    let fixed = format!(
        "listeners=PLAINTEXT://127.0.0.1:0\nhttp.listener=127.0.0.1:0\njournal.file.bytes=4194304\nlog.dirs={}\n",
        folder.0.display()
    );
    let config = Config::load(&(fixed + options), std::iter::empty(), []).unwrap();
    assert_eq!(config.unknown, [""; 0], "options are spelt right");
    Server::start(config, clock, Arc::new(Random::from_seed(7))).await
}

/// A server that serves until the test is over.
pub(crate) struct Running {
    pub(crate) server: Server,
    folder: Folder,
}

impl Running {
    /// `options` as lines of a `server.properties`.
    pub(crate) async fn start(options: &str) -> Self {
        let folder = Folder::new();
        let server = start_in(&folder, options).await.unwrap();
        Self { server, folder }
    }

    /// For a test that stops its server itself.
    pub(crate) fn into_parts(self) -> (Server, Folder) {
        (self.server, self.folder)
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(self.server.bound[0]).await
    }

    /// A topic of one partition.
    pub(crate) async fn topic(&self, name: &str, options: &[(&str, &str)]) {
        self.topic_of(name, 1, options).await;
    }

    pub(crate) async fn topic_of(&self, name: &str, partitions: i32, options: &[(&str, &str)]) {
        let option = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let wanted = NewTopic {
            name: name.to_owned(),
            partitions,
            replication_factor: 1,
            options: options.iter().map(option).collect(),
            ..NewTopic::default()
        };
        let controller = &self.server.broker.controller;
        if let Err(refusal) = controller.create_topics(&[wanted], false).await.remove(0) {
            panic!("{name}: {refusal}");
        }
    }

    /// What every hostile client must leave possible.
    pub(crate) async fn serves_others(&self) {
        if self
            .server
            .broker
            .controller
            .image()
            .topic("calm")
            .is_none()
        {
            self.topic("calm", &[]).await;
        }
        let mut client = self.client().await;
        let batch = batches::plain(&[("key", "value")]);
        let offset = client.produce("calm", &batch).await.unwrap();
        let found = client.fetch_from("calm", offset).await;
        assert_eq!(found.error_code, 0);
        let bytes = found.records.unwrap_or_default().to_bytes().unwrap();
        assert_eq!(bytes.len(), batch.len());
        assert_eq!(
            bytes[21..],
            batch[21..],
            "what is behind the CRC is the producer's own"
        );
    }

    /// Polls until `holds`, giving others their turn.
    pub(crate) async fn until(&self, what: &str, mut holds: impl FnMut(&Server) -> bool) {
        let waited = tokio::time::timeout(PATIENCE, async {
            while !holds(&self.server) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        });
        assert!(waited.await.is_ok(), "in vain: {what}");
    }
}
