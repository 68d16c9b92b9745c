//! Start and stop of a broker on this machine: binds the listeners, starts the journal's threads and has `assembly` put the rest
//! together; on a stop drains connections and closes the journal cleanly. Called by the binary and by tests.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use log::disk::real::RealDisk;
use log::{Clock, OpenError, Recovered};
use protocol::KafkaString;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::assembly::{LoadError, Parts};
use crate::broker::{Address, Broker};
use crate::config::{Config, Listener};
use crate::http;
use crate::network::listener;
use crate::random::Random;
use crate::runtime::JournalThreads;

/// Why a broker does not start; each says what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(
        "the data folder {}: {}: {source}",
        .folder.display(),
        folder_advice(source)
    )]
    Folder { folder: PathBuf, source: io::Error },
    #[error(transparent)]
    Journal(#[from] OpenError),
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error(
        "cannot listen on {address}: {source}; {}",
        listen_advice(option, source)
    )]
    Listen {
        option: &'static str,
        address: String,
        source: io::Error,
    },
    #[error("the journal's threads cannot be started: {0}")]
    Threads(io::Error),
}

fn folder_advice(source: &io::Error) -> &'static str {
    match source.kind() {
        io::ErrorKind::AlreadyExists | io::ErrorKind::NotADirectory => {
            "there is a file, which is no folder; `log.dirs` names one that is, or is made"
        }
        io::ErrorKind::PermissionDenied => {
            "the user who runs this may not read and write there; give it to that user (chown), or name another by `log.dirs`"
        }
        io::ErrorKind::ReadOnlyFilesystem => {
            "its file system is mounted read-only; mount it for writing, or name another folder by `log.dirs`"
        }
        io::ErrorKind::StorageFull => {
            "its disk is full; make room, or name another folder by `log.dirs`"
        }
        _ => "cannot be opened; `log.dirs` chooses another",
    }
}

/// What comes before the first read of the journal, such as its lock, fails by the folder's fault.
fn journal_error(folder: PathBuf, error: OpenError) -> StartError {
    use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
    match error {
        OpenError::Io { source, .. }
            if matches!(source.kind(), PermissionDenied | ReadOnlyFilesystem) =>
        {
            StartError::Folder { folder, source }
        }
        error => StartError::Journal(error),
    }
}

fn listen_advice(option: &str, source: &io::Error) -> String {
    match source.kind() {
        io::ErrorKind::AddrInUse => {
            format!("is another broker running there? `{option}` chooses the address")
        }
        io::ErrorKind::AddrNotAvailable => {
            format!("that address is not this machine's; `{option}` chooses another")
        }
        _ => format!("`{option}` chooses the address"),
    }
}

/// A broker that serves.
pub struct Server {
    pub broker: Arc<Broker>,
    /// The bound addresses of the listeners, in the order of the configuration.
    pub bound: Vec<SocketAddr>,
    pub http: Option<SocketAddr>,
    pub recovered: Recovered,
    tasks: TaskTracker,
    threads: JournalThreads,
}

impl Server {
    pub async fn start(
        config: Config,
        clock: Arc<dyn Clock>,
        random: Arc<Random>,
    ) -> Result<Self, StartError> {
        let folder = PathBuf::from(config.options.log_dirs.join(","));
        let disk = RealDisk::open(&folder).map_err(|source| StartError::Folder {
            folder: folder.clone(),
            source,
        })?;
        // Bound first: who cannot listen has not touched the data.
        let listeners = bind_all(&config.listeners).await?;
        let http = bind_http(&config.options.http_listener).await?;
        let parts = Parts {
            addresses: addresses(&config.listeners, &listeners),
            config: Arc::new(config),
            clock,
            random,
        };
        let (journal, mut recovered) = parts
            .open_journal(Arc::new(disk))
            .map_err(|error| journal_error(folder, error))?;
        let threads = JournalThreads::start(&journal).map_err(StartError::Threads)?;
        let broker = match parts.assemble(journal.clone(), &mut recovered).await {
            Ok(broker) => broker,
            Err(error) => {
                threads.close(&journal);
                return Err(error.into());
            }
        };
        let bound = listeners
            .iter()
            .filter_map(|bound| bound.local_addr().ok())
            .collect();
        let http_address = http.as_ref().and_then(|bound| bound.local_addr().ok());
        let tasks = TaskTracker::new();
        let coordinator = broker.coordinator.clone().run(broker.stopping.clone());
        tasks.spawn(indispensable(coordinator, broker.stopping.clone()));
        for (index, bound) in listeners.into_iter().enumerate() {
            tasks.spawn(listener::accept(
                bound,
                index,
                broker.clone(),
                tasks.clone(),
            ));
        }
        if let Some(bound) = http {
            tasks.spawn(http::serve(bound, broker.clone()));
        }
        Ok(Self {
            broker,
            bound,
            http: http_address,
            recovered,
            tasks,
            threads,
        })
    }

    /// Ready when the broker stops by itself: a part of it failed that it cannot be without.
    pub async fn failed(&self) {
        self.broker.stopping.cancelled().await;
    }

    /// Takes no more requests, answers those under way, closes the journal.
    pub async fn stop(self) {
        self.stop_before(std::future::pending()).await;
    }

    /// As `stop`, but requests under way are waited for no longer once `hurry` is ready.
    pub async fn stop_before(self, hurry: impl Future<Output = ()>) {
        self.broker.stopping.cancel();
        self.tasks.close();
        let wait_ms = u64::try_from(self.broker.config.options.shutdown_timeout_ms).unwrap_or(0);
        let are_drained = tokio::select! {
            biased;
            () = self.tasks.wait() => true,
            () = tokio::time::sleep(Duration::from_millis(wait_ms)) => false,
            () = hurry => false,
        };
        if !are_drained {
            tracing::warn!(
                connections = self.broker.connections.open(),
                "stopped before every connection was drained"
            );
        }
        self.threads.close(&self.broker.journal);
    }
}

/// When the task ends, also by a fault of its own, so does the broker: without it, what is served would be wrong.
async fn indispensable(task: impl Future<Output = ()>, stopping: CancellationToken) {
    let _ends_all = stopping.drop_guard();
    task.await;
}

async fn bind_all(listeners: &[Listener]) -> Result<Vec<TcpListener>, StartError> {
    let mut bound = Vec::with_capacity(listeners.len());
    for listener in listeners {
        let address = format!("{}:{}", listener.host, listener.port);
        bound.push(
            listener::bind(listener)
                .await
                .map_err(|source| StartError::Listen {
                    option: "listeners",
                    address,
                    source,
                })?,
        );
    }
    Ok(bound)
}

async fn bind_http(address: &str) -> Result<Option<TcpListener>, StartError> {
    if address.is_empty() {
        return Ok(None);
    }
    let bound = TcpListener::bind(address).await;
    bound.map(Some).map_err(|source| StartError::Listen {
        option: "http.listener",
        address: address.to_owned(),
        source,
    })
}

/// What clients are told: the configured address, with the port that was bound where the configuration leaves it open.
fn addresses(listeners: &[Listener], bound: &[TcpListener]) -> Vec<Address> {
    let address = |(listener, bound): (&Listener, &TcpListener)| {
        let bound = bound
            .local_addr()
            .map(|address| address.port())
            .unwrap_or(listener.port);
        let host = match listener.advertised_host.as_str() {
            "" => host_name(),
            host => host.to_owned(),
        };
        let port = if listener.advertised_port == 0 {
            bound
        } else {
            listener.advertised_port
        };
        Address {
            host: KafkaString::from(host),
            port: i32::from(port),
        }
    };
    listeners.iter().zip(bound).map(address).collect()
}

/// A listener on every address is reached by the machine's name, as Kafka does.
fn host_name() -> String {
    rustix::system::uname()
        .nodename()
        .to_string_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_that_is_taken_names_the_option_that_chooses_it() {
        let taken = io::Error::from(io::ErrorKind::AddrInUse);
        let elsewhere = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for (option, source, expected) in [
            (
                "http.listener",
                taken,
                "another broker running there? `http.listener`",
            ),
            ("listeners", elsewhere, "not this machine's; `listeners`"),
        ] {
            let address = "127.0.0.1:1".to_owned();
            let error = StartError::Listen {
                option,
                address,
                source,
            };
            assert!(error.to_string().contains(expected), "{error}");
        }
    }

    #[test]
    fn a_folder_that_may_not_be_written_says_what_to_do() {
        for (kind, expected) in [
            (io::ErrorKind::PermissionDenied, "(chown)"),
            (io::ErrorKind::ReadOnlyFilesystem, "mounted read-only"),
        ] {
            let error = OpenError::Io {
                doing: "locking the data folder".to_owned(),
                source: kind.into(),
            };
            let told = journal_error(PathBuf::from("/x"), error).to_string();
            assert!(
                told.contains("folder /x: ") && told.contains(expected),
                "{told}"
            );
        }
    }

    #[tokio::test]
    async fn a_fault_in_an_indispensable_task_stops_the_broker() {
        let stopping = CancellationToken::new();
        let tasks = TaskTracker::new();
        let faulty = async { panic!("a fault, as the test wants it") };
        let task = tasks.spawn(indispensable(faulty, stopping.clone()));
        stopping.cancelled().await;
        assert!(task.await.unwrap_err().is_panic());
    }
}
