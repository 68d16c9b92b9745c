//! The clients that were asked for metrics: who may push, and when. A state machine without I/O; what it holds is bounded, and a client
//! that was forgotten begins anew.

use std::net::SocketAddr;

use log::lru::Lru;
use protocol::Uuid;
use protocol::error::ErrorCode;

use super::subscription::{Client, Requested};

const INSTANCES_MAX: usize = 16_384;
/// A client that says nothing for so long, and for three of its intervals, is forgotten.
const IDLE_MS_MAX: u64 = 60_000;

pub(super) struct Instances {
    by_id: Lru<Uuid, Instance>,
}

impl Default for Instances {
    fn default() -> Self {
        Self {
            by_id: Lru::new(INSTANCES_MAX),
        }
    }
}

/// Who asks, and what the subscriptions want of it now.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    instance: Uuid,
    connection: Option<SocketAddr>,
    version: i64,
    subscription_id: i32,
    push_interval_ms: u64,
}

impl Asked {
    pub fn new(client: &Client<'_>, version: i64, requested: &Requested) -> Self {
        Self {
            instance: client.instance,
            connection: client.address,
            version,
            subscription_id: requested.subscription_id,
            push_interval_ms: u64::try_from(requested.push_interval_ms).unwrap_or(0),
        }
    }
}

/// A push, by what it is judged by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Push {
    pub(super) subscription_id: i32,
    pub(super) terminating: bool,
    pub(super) has_known_codec: bool,
    pub(super) is_too_large: bool,
}

#[derive(Clone, Debug)]
struct Instance {
    /// As of the subscriptions' version that it was made under.
    asked: Asked,
    last_seen_ms: u64,
    last_get_ms: Option<u64>,
    last_push_ms: Option<u64>,
    last_error: ErrorCode,
    terminating: bool,
}

impl Instances {
    /// A client asks what to push: once an interval, or after an error that asking heals.
    pub(super) fn subscribe(&mut self, now_ms: u64, asked: &Asked) -> Result<(), ErrorCode> {
        self.with(now_ms, asked, |instance| {
            let last_ms = instance.last_get_ms.max(instance.last_push_ms);
            let heals = [
                ErrorCode::UnknownSubscriptionId,
                ErrorCode::UnsupportedCompressionType,
            ];
            if !instance.is_interval_over(now_ms, last_ms) && !heals.contains(&instance.last_error)
            {
                return Err(ErrorCode::ThrottlingQuotaExceeded);
            }
            instance.last_get_ms = Some(now_ms);
            instance.last_error = ErrorCode::None;
            Ok(())
        })
    }

    /// A client pushes: once after it asked, then once an interval, and whenever it ends.
    pub(super) fn push(
        &mut self,
        now_ms: u64,
        asked: &Asked,
        push: &Push,
    ) -> Result<(), ErrorCode> {
        self.with(now_ms, asked, |instance| {
            let outcome = instance.judge(now_ms, push);
            instance.terminating = push.terminating;
            instance.last_error = outcome.err().unwrap_or(ErrorCode::None);
            outcome
        })
    }

    /// A client that comes by another connection, or after the subscriptions changed, begins anew.
    fn with<T>(&mut self, now_ms: u64, asked: &Asked, step: impl FnOnce(&mut Instance) -> T) -> T {
        let known = self.by_id.remove(asked.instance);
        let is_same = |instance: &Instance| {
            let idle_ms_max = IDLE_MS_MAX.max(instance.asked.push_interval_ms.saturating_mul(3));
            instance.asked.version == asked.version
                && instance.asked.connection == asked.connection
                && now_ms.saturating_sub(instance.last_seen_ms) < idle_ms_max
        };
        let mut instance = known.filter(is_same).unwrap_or(Instance {
            asked: *asked,
            last_seen_ms: now_ms,
            last_get_ms: None,
            last_push_ms: None,
            last_error: ErrorCode::None,
            terminating: false,
        });
        instance.last_seen_ms = now_ms;
        let outcome = step(&mut instance);
        // Beyond the bound, one that was seen longest ago goes.
        self.by_id.insert(asked.instance, instance, 1);
        outcome
    }
}

impl Instance {
    fn judge(&mut self, now_ms: u64, push: &Push) -> Result<(), ErrorCode> {
        if self.terminating {
            return Err(ErrorCode::InvalidRequest);
        }
        // What follows a question at once is no matter of the pace: clients spread their first pushes.
        let is_first = self.last_get_ms > self.last_push_ms;
        if is_first || self.is_interval_over(now_ms, self.last_push_ms) {
            self.last_push_ms = Some(now_ms);
        } else if !push.terminating {
            return Err(ErrorCode::ThrottlingQuotaExceeded);
        }
        if push.subscription_id != self.asked.subscription_id {
            return Err(ErrorCode::UnknownSubscriptionId);
        }
        if !push.has_known_codec {
            return Err(ErrorCode::UnsupportedCompressionType);
        }
        if push.is_too_large {
            return Err(ErrorCode::TelemetryTooLarge);
        }
        Ok(())
    }

    fn is_interval_over(&self, now_ms: u64, last_ms: Option<u64>) -> bool {
        last_ms.is_none_or(|last| now_ms.saturating_sub(last) >= self.asked.push_interval_ms)
    }
}

#[cfg(test)]
mod tests {
    use ErrorCode::{
        InvalidRequest, ThrottlingQuotaExceeded, UnknownSubscriptionId, UnsupportedCompressionType,
    };

    use super::*;

    fn asked(instance: u8) -> Asked {
        Asked {
            instance: Uuid::from_bytes([instance; 16]),
            connection: None,
            version: 1,
            subscription_id: 42,
            push_interval_ms: 1000,
        }
    }

    const PUSH: Push = Push {
        subscription_id: 42,
        terminating: false,
        has_known_codec: true,
        is_too_large: false,
    };

    /// What a client does, and when.
    enum Step {
        Get,
        Push(Push),
    }
    use Step::Get;

    #[test]
    fn the_pace_is_an_interval() {
        let unknown = Push {
            subscription_id: 41,
            ..PUSH
        };
        let last = Push {
            terminating: true,
            ..PUSH
        };
        let no_codec = Push {
            has_known_codec: false,
            ..PUSH
        };
        let large = Push {
            is_too_large: true,
            ..PUSH
        };
        for (what, steps) in [
            (
                "asks twice",
                vec![
                    (0, Get, None),
                    (999, Get, Some(ThrottlingQuotaExceeded)),
                    (1000, Get, None),
                ],
            ),
            (
                "pushes after it asked, then once an interval",
                vec![
                    (0, Get, None),
                    (1, Step::Push(PUSH), None),
                    (1000, Step::Push(PUSH), Some(ThrottlingQuotaExceeded)),
                    (1001, Step::Push(PUSH), None),
                ],
            ),
            ("pushes unasked", vec![(0, Step::Push(PUSH), None)]),
            (
                "asks again after a change that it did not know of",
                vec![
                    (0, Get, None),
                    (1, Step::Push(unknown), Some(UnknownSubscriptionId)),
                    (2, Get, None),
                    (3, Step::Push(PUSH), None),
                ],
            ),
            (
                "asks for another codec",
                vec![
                    (0, Get, None),
                    (1, Step::Push(no_codec), Some(UnsupportedCompressionType)),
                    (2, Get, None),
                ],
            ),
            (
                "ends early, and then it has ended",
                vec![
                    (0, Get, None),
                    (1, Step::Push(PUSH), None),
                    (2, Step::Push(last), None),
                    (3, Step::Push(last), Some(InvalidRequest)),
                ],
            ),
            (
                "pushes too much",
                vec![
                    (0, Get, None),
                    (1, Step::Push(large), Some(ErrorCode::TelemetryTooLarge)),
                ],
            ),
            (
                "is forgotten when it was silent for long",
                vec![
                    (0, Get, None),
                    (1, Step::Push(last), None),
                    (60_001, Step::Push(PUSH), None),
                ],
            ),
        ] {
            let mut instances = Instances::default();
            for (at_ms, step, error) in steps {
                let outcome = match step {
                    Get => instances.subscribe(at_ms, &asked(1)),
                    Step::Push(push) => instances.push(at_ms, &asked(1), &push),
                };
                assert_eq!(outcome.err(), error, "{what}, at {at_ms}");
            }
        }
    }

    #[test]
    fn a_change_of_subscriptions_or_connection_is_a_new_beginning() {
        let mut instances = Instances::default();
        assert_eq!(instances.subscribe(0, &asked(1)), Ok(()));
        let changed = Asked {
            version: 2,
            ..asked(1)
        };
        assert_eq!(instances.subscribe(1, &changed), Ok(()));
        let elsewhere = Asked {
            connection: Some(SocketAddr::from(([127, 0, 0, 1], 5))),
            ..changed
        };
        assert_eq!(instances.subscribe(2, &elsewhere), Ok(()));
    }

    #[test]
    fn who_came_longest_ago_is_forgotten_where_there_is_no_room() {
        let mut instances = Instances::default();
        let nth = |n: usize| Asked {
            instance: Uuid::from_bytes((n as u128).to_be_bytes()),
            ..asked(0)
        };
        for n in 0..=INSTANCES_MAX {
            assert_eq!(instances.subscribe(0, &nth(n)), Ok(()));
        }
        let again = instances.subscribe(1, &nth(1));
        assert_eq!(again, Err(ThrottlingQuotaExceeded), "it is remembered");
        assert_eq!(instances.subscribe(1, &nth(0)), Ok(()));
    }
}
