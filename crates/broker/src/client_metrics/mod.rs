//! Metrics that clients push (KIP-714): who is asked for which, and the sums of what came. Called by the handlers of telemetry, by the
//! controller for what operators set, and by `metrics` to show it.
//!
//! In reading order: `subscription` (what operators set), `instances` (clients and the pace of their pushes), `otlp` (what a push
//! says), `totals` (sums over all clients).

mod instances;
mod otlp;
pub mod subscription;
mod totals;

use parking_lot::Mutex;
use protocol::compression::{self, Codec};
use protocol::error::ErrorCode;
use protocol::messages::push_telemetry::PushTelemetryRequest;

pub use instances::Asked;
pub use subscription::{Client, Requested, Subscription, Subscriptions};

use crate::metrics::Counter;
use instances::{Instances, Push};
use totals::Totals;

/// A push may inflate to so many times what it may have compressed.
const INFLATED_FACTOR: usize = 16;

#[derive(Default)]
pub struct ClientMetrics {
    instances: Mutex<Instances>,
    totals: Mutex<Totals>,
    pub pushes: Counter,
    pub push_bytes: Counter,
    /// Pushed too early.
    pub throttled: Counter,
    pub unknown_subscriptions: Counter,
    /// Pushes that could not be read.
    pub invalid: Counter,
}

impl ClientMetrics {
    /// What `client` is to push, and how often.
    pub fn subscribe(
        &self,
        now_ms: u64,
        subscriptions: &Subscriptions,
        client: &Client<'_>,
    ) -> Result<Requested, ErrorCode> {
        let requested = subscriptions.requested_of(client);
        let asked = Asked::new(client, subscriptions.version, &requested);
        let outcome = self.instances.lock().subscribe(now_ms, &asked);
        self.count(outcome)?;
        Ok(requested)
    }

    /// Whether a push is taken; what it says is for `take_in`.
    pub fn check_push(
        &self,
        now_ms: u64,
        subscriptions: &Subscriptions,
        client: &Client<'_>,
        request: &PushTelemetryRequest,
        bytes_max: usize,
    ) -> Result<Codec, ErrorCode> {
        let codec = u8::try_from(request.compression_type).ok();
        let codec = codec.and_then(Codec::from_id);
        let push = Push {
            subscription_id: request.subscription_id,
            terminating: request.terminating,
            has_known_codec: codec.is_some(),
            is_too_large: request.metrics.len() > bytes_max,
        };
        let requested = subscriptions.requested_of(client);
        let asked = Asked::new(client, subscriptions.version, &requested);
        let outcome = self.instances.lock().push(now_ms, &asked, &push);
        self.count(outcome)?;
        Ok(codec.unwrap_or(Codec::None))
    }

    /// Adds up what a push says. It costs CPU: not for a thread that others wait for.
    pub fn take_in(&self, codec: Codec, bytes: &[u8], bytes_max: usize) -> Result<(), ErrorCode> {
        self.pushes.inc();
        self.push_bytes.add(bytes.len() as u64);
        let mut inflated = Vec::new();
        let bytes = match codec {
            Codec::None => Ok(bytes),
            codec => {
                let inflated_max = bytes_max.saturating_mul(INFLATED_FACTOR);
                compression::decompress(codec, bytes, inflated_max, &mut inflated)
                    .map(|()| inflated.as_slice())
                    .map_err(|error| error.to_string())
            }
        };
        let sums = bytes.and_then(|bytes| otlp::sums(bytes).map_err(|error| error.to_string()));
        match sums {
            Ok(sums) => {
                self.totals.lock().add(&sums);
                Ok(())
            }
            Err(reason) => {
                tracing::debug!(reason, "metrics of a client cannot be read");
                self.invalid.inc();
                Err(ErrorCode::InvalidRecord)
            }
        }
    }

    /// The sums by metric, and how many data points had no room.
    pub fn totals(&self) -> (Vec<(String, f64)>, u64) {
        let totals = self.totals.lock();
        (totals.sums().collect(), totals.dropped())
    }

    fn count(&self, outcome: Result<(), ErrorCode>) -> Result<(), ErrorCode> {
        match outcome {
            Err(ErrorCode::ThrottlingQuotaExceeded) => self.throttled.inc(),
            Err(ErrorCode::UnknownSubscriptionId) => self.unknown_subscriptions.inc(),
            _ => {}
        }
        outcome
    }
}
