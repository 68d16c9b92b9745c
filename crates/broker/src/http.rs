//! The HTTP listener: `/metrics` for Prometheus, `/livez` and `/readyz` for whoever watches the process. Started by `server`.
//!
//! Few watch, and each asks anew: connections are limited in number and in time, whatever comes over them.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tokio::time::Sleep;

use crate::broker::Broker;
use crate::metrics;

const CONNECTIONS_MAX: usize = 64;
const CONNECTION_TIME_MAX: Duration = Duration::from_secs(60);

/// What `/` answers, for whoever comes without knowing.
const ENDPOINTS: &str = "\
Ottla, a broker of Apache Kafka's protocol. Clients connect to its `listeners`; here are:
/metrics  what it counts, for Prometheus
/livez    200 while the process serves
/readyz   200 while produces are taken, else 503 and the reason
";

/// Serves until the broker stops.
pub(crate) async fn serve(bound: TcpListener, broker: Arc<Broker>) {
    let stopping = broker.stopping.clone();
    let router = Router::new()
        .route(
            "/metrics",
            get(async |State(broker): State<Arc<Broker>>| metrics::render(&broker)),
        )
        .route("/", get(async || ENDPOINTS))
        .route("/livez", get(async || "alive\n"))
        .route("/readyz", get(ready))
        .with_state(broker);
    let limited = Limited {
        bound,
        places: Arc::new(Semaphore::new(CONNECTIONS_MAX)),
    };
    let served = axum::serve(limited, router)
        .with_graceful_shutdown(stopping.cancelled_owned())
        .await;
    if let Err(error) = served {
        tracing::warn!(%error, "the HTTP listener stopped");
    }
}

/// Ready means: produces are taken.
async fn ready(State(broker): State<Arc<Broker>>) -> (StatusCode, String) {
    let journal = broker.journal.status();
    if broker.stopping.is_cancelled() {
        return (StatusCode::SERVICE_UNAVAILABLE, "stopping\n".to_owned());
    }
    if let Some(reason) = journal.failed {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            format!("read-only: {reason}\n"),
        );
    }
    if journal.full {
        return (
            StatusCode::SERVICE_UNAVAILABLE,
            "the disk is full\n".to_owned(),
        );
    }
    (StatusCode::OK, "ready\n".to_owned())
}

/// Accepts when there is a place.
struct Limited {
    bound: TcpListener,
    places: Arc<Semaphore>,
}

impl Listener for Limited {
    type Io = Timed<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let place = self.places.clone().acquire_owned().await;
        let (stream, address) = Listener::accept(&mut self.bound).await;
        (Timed::new(stream, CONNECTION_TIME_MAX, place), address)
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.bound.local_addr()
    }
}

/// A connection that ends after its time.
struct Timed<S> {
    stream: S,
    end: Pin<Box<Sleep>>,
    /// Given back at the end; the places are never closed.
    _place: Result<OwnedSemaphorePermit, AcquireError>,
}

impl<S> Timed<S> {
    fn new(stream: S, time: Duration, place: Result<OwnedSemaphorePermit, AcquireError>) -> Self {
        Self {
            stream,
            end: Box::pin(tokio::time::sleep(time)),
            _place: place,
        }
    }

    fn check_time(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        match self.end.as_mut().poll(cx) {
            Poll::Ready(()) => Err(io::ErrorKind::TimedOut.into()),
            Poll::Pending => Ok(()),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Timed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check_time(cx)?;
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Timed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.check_time(cx)?;
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check_time(cx)?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn a_connection_ends_after_its_time_and_gives_its_place_back() {
        let places = Arc::new(Semaphore::new(1));
        let (mut client, stream) = tokio::io::duplex(100);
        let place = places.clone().acquire_owned().await;
        let mut timed = Timed::new(stream, Duration::from_millis(20), place);
        client.write_all(b"GET").await.unwrap();
        let mut read = Vec::new();
        let ended = timed.read_to_end(&mut read).await;
        assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert_eq!(read, b"GET");
        assert_eq!(places.available_permits(), 0);
        drop(timed);
        assert_eq!(places.available_permits(), 1);
    }
}
