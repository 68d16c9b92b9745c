//! Listeners: bind, accept within the connection limits, spawn a connection each. Started by `server`, ends when the broker stops.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;

use super::connection::{Connection, End, Peer};
use crate::broker::Broker;
use crate::config::Listener;

/// Open connections, in all and by address.
#[derive(Default)]
pub struct Connections {
    open: Mutex<Counts>,
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
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
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
    let (total_max, by_address_max) = limits(broker, address.ip());
    let Some(place) = broker
        .connections
        .enter(address.ip(), total_max, by_address_max)
    else {
        broker.metrics.connections_refused.inc();
        return;
    };
    // Answers are sent as soon as they are there.
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let connection = Connection::new(
        stream,
        broker.clone(),
        Peer {
            address: Some(address),
            listener: index,
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

fn limits(broker: &Broker, address: IpAddr) -> (usize, usize) {
    let options = &broker.config.options;
    let own = options
        .max_connections_per_ip_overrides
        .iter()
        .filter_map(|text| text.rsplit_once(':'));
    let own = own
        .filter(|(host, _)| host.parse() == Ok(address))
        .find_map(|(_, limit)| limit.parse().ok());
    let number = |limit: i32| usize::try_from(limit).unwrap_or(0);
    (
        number(options.max_connections),
        own.unwrap_or(number(options.max_connections_per_ip)),
    )
}
