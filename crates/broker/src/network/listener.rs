//! Listeners: bind, accept within the connection limits, spawn a connection each. Started by `server`, ends when the broker stops.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rustix::net::sockopt::set_socket_keepalive;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use super::connection::{Connection, End, Peer};
use crate::broker::Broker;
use crate::config::{Listener, connections_override};

/// Open connections, in all and by address.
#[derive(Default)]
pub struct Connections {
    open: Mutex<Counts>,
    /// Of warnings that one was refused.
    refusals: Seldom,
}

/// When to say what would else be said without end.
#[derive(Default)]
struct Seldom {
    said_at: Mutex<Option<Instant>>,
}

impl Seldom {
    const PAUSE: Duration = Duration::from_secs(60);

    fn is_time(&self, now: Instant) -> bool {
        let mut said_at = self.said_at.lock();
        let is_time = said_at.is_none_or(|said_at| now - said_at >= Self::PAUSE);
        if is_time {
            *said_at = Some(now);
        }
        is_time
    }
}

#[derive(Default)]
struct Counts {
    total: usize,
    by_address: HashMap<IpAddr, usize>,
}

/// One connection's place; given back when dropped.
struct Place {
    connections: Arc<Connections>,
    address: IpAddr,
}

impl Connections {
    pub fn open(&self) -> usize {
        self.open.lock().total
    }

    /// A place for `address`, unless a limit is reached.
    fn enter(
        self: &Arc<Self>,
        address: IpAddr,
        total_max: usize,
        by_address_max: usize,
    ) -> Option<Place> {
        let mut open = self.open.lock();
        let of_address = open.by_address.get(&address).copied().unwrap_or(0);
        if open.total >= total_max || of_address >= by_address_max {
            return None;
        }
        open.total += 1;
        open.by_address.insert(address, of_address + 1);
        Some(Place {
            connections: self.clone(),
            address,
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = self.connections.open.lock();
        open.total -= 1;
        if let Some(count) = open.by_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                open.by_address.remove(&self.address);
            }
        }
    }
}

/// An empty host means every address of the machine.
pub async fn bind(listener: &Listener) -> io::Result<TcpListener> {
    if listener.host.is_empty() {
        return match TcpListener::bind(("::", listener.port)).await {
            Ok(bound) => Ok(bound),
            // A machine without IPv6.
            Err(_) => TcpListener::bind(("0.0.0.0", listener.port)).await,
        };
    }
    TcpListener::bind((listener.host.as_str(), listener.port)).await
}

/// Accepts until the broker stops.
pub async fn accept(bound: TcpListener, index: usize, broker: Arc<Broker>, tasks: TaskTracker) {
    let stopping = broker.stopping.clone();
    let failures = Seldom::default();
    loop {
        let accepted = tokio::select! {
            biased;
            () = stopping.cancelled() => return,
            accepted = bound.accept() => accepted,
        };
        match accepted {
            Ok((stream, address)) => start(stream, address, index, &broker, &tasks),
            Err(error) => {
                // Out of file descriptors, say: others may close theirs meanwhile.
                if failures.is_time(Instant::now()) {
                    tracing::warn!(%error, "connections cannot be accepted");
                }
                let pause = tokio::time::sleep(Duration::from_millis(50));
                tokio::select! {
                    () = stopping.cancelled() => return,
                    () = pause => {}
                }
            }
        }
    }
}

fn start(
    stream: TcpStream,
    address: SocketAddr,
    index: usize,
    broker: &Arc<Broker>,
    tasks: &TaskTracker,
) {
    // A listener for every address sees IPv4 in IPv6's clothes.
    let ip = address.ip().to_canonical();
    let (total_max, by_address_max) = limits(broker, ip);
    let Some(place) = broker.connections.enter(ip, total_max, by_address_max) else {
        broker.metrics.connections_refused.inc();
        if broker.connections.refusals.is_time(Instant::now()) {
            tracing::warn!(%address, total_max, by_address_max, "connections are refused: a limit is reached");
        }
        return;
    };
    if prepare(&stream).is_err() {
        return;
    }
    let connection = Connection::new(
        stream,
        broker.clone(),
        Peer {
            address: Some(address),
            listener: index,
            software: Arc::default(),
        },
    );
    let broker = broker.clone();
    tasks.spawn(async move {
        let end = connection.await;
        drop(place);
        match end {
            End::ClientLeft | End::Idle | End::Stopped => {}
            End::Io(error) => tracing::debug!(%address, %error, "connection lost"),
            End::BadRequest(reason) => {
                broker.metrics.bad_requests.inc();
                tracing::info!(%address, %reason, "connection closed");
            }
        }
    });
}

fn prepare(stream: &TcpStream) -> io::Result<()> {
    // Answers are sent as soon as they are there.
    stream.set_nodelay(true)?;
    // A machine that is gone says so to nobody who waits with an answer for it.
    set_socket_keepalive(stream, true)?;
    Ok(())
}

fn limits(broker: &Broker, address: IpAddr) -> (usize, usize) {
    let options = &broker.config.options;
    let overrides = options.max_connections_per_ip_overrides.iter();
    let mut overrides = overrides.filter_map(|text| connections_override(text).ok());
    let own = overrides.find(|(overridden, _)| overridden.to_canonical() == address);
    let of_address = own.map_or(options.max_connections_per_ip, |(_, limit)| limit);
    let number = |limit: i32| usize::try_from(limit).unwrap_or(0);
    (number(options.max_connections), number(of_address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_on_is_said_once_a_minute() {
        let failures = Seldom::default();
        let start = Instant::now();
        for (seconds, expected) in [
            (0, true),
            (1, false),
            (59, false),
            (60, true),
            (119, false),
            (500, true),
        ] {
            let now = start + Duration::from_secs(seconds);
            assert_eq!(failures.is_time(now), expected, "{seconds}");
        }
    }

    #[tokio::test]
    async fn machines_that_are_gone_are_asked_for() {
        let bound = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let address = bound.local_addr().unwrap();
        let (client, accepted) = tokio::join!(TcpStream::connect(address), bound.accept());
        let (stream, _) = accepted.unwrap();
        prepare(&stream).unwrap();
        assert!(rustix::net::sockopt::socket_keepalive(&stream).unwrap());
        assert!(stream.nodelay().unwrap());
        drop(client);
    }
}
