//! The HTTP listener: `/metrics` for Prometheus, `/livez` and `/readyz` for whoever watches the process. Started by `server`.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::net::TcpListener;

use crate::broker::Broker;
use crate::metrics;

/// Serves until the broker stops.
pub(crate) async fn serve(bound: TcpListener, broker: Arc<Broker>) {
    let stopping = broker.stopping.clone();
    let router = Router::new()
        .route(
            "/metrics",
            get(async |State(broker): State<Arc<Broker>>| metrics::render(&broker)),
        )
        .route("/livez", get(async || "alive\n"))
        .route("/readyz", get(ready))
        .with_state(broker);
    let served = axum::serve(bound, router)
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
