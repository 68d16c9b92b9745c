//! Subscriptions to client metrics as operators set them (`kafka-client-metrics`, or the configs of the resource CLIENT_METRICS): which
//! metrics, how often, of which clients. The metadata image holds them; `instances` asks what a client is meant by.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

use protocol::error::ErrorCode;
use protocol::{Uuid, crc};
use regex::bytes::{Regex, RegexBuilder};

use crate::config::ClientMetricsOptions;
use crate::metadata::Refusal;

/// Stands for every metric.
const ALL: &str = "*";
/// What a compiled pattern may take.
const PATTERN_BYTES_MAX: usize = 256 * 1024;

/// One client, by what subscriptions can match.
#[derive(Clone, Copy, Debug)]
pub struct Client<'a> {
    pub instance: Uuid,
    pub client_id: &'a str,
    pub software_name: &'a str,
    pub software_version: &'a str,
    pub address: Option<SocketAddr>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Attribute {
    Instance,
    ClientId,
    SoftwareName,
    SoftwareVersion,
    Address,
    Port,
}

impl Attribute {
    fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "client_instance_id" => Self::Instance,
            "client_id" => Self::ClientId,
            "client_software_name" => Self::SoftwareName,
            "client_software_version" => Self::SoftwareVersion,
            "client_source_address" => Self::Address,
            "client_source_port" => Self::Port,
            _ => return None,
        })
    }

    fn of(self, client: &Client<'_>) -> String {
        let of_address = |tell: fn(SocketAddr) -> String| client.address.map(tell);
        match self {
            Self::Instance => client.instance.to_string(),
            Self::ClientId => client.client_id.to_owned(),
            Self::SoftwareName => client.software_name.to_owned(),
            Self::SoftwareVersion => client.software_version.to_owned(),
            Self::Address => {
                of_address(|address| address.ip().to_canonical().to_string()).unwrap_or_default()
            }
            Self::Port => of_address(|address| address.port().to_string()).unwrap_or_default(),
        }
    }
}

type Patterns = BTreeMap<Attribute, Regex>;

/// One subscription.
#[derive(Debug)]
pub struct Subscription {
    /// As they were set.
    pub own_options: BTreeMap<String, String>,
    options: ClientMetricsOptions,
    /// None if one is not to be read: then nobody is meant.
    patterns: Option<Patterns>,
}

impl Subscription {
    /// From options that `check` let pass.
    pub fn new(own_options: BTreeMap<String, String>) -> Self {
        let mut options = ClientMetricsOptions::default();
        for (name, value) in &own_options {
            // What does not fit keeps its default.
            let _ = options.set(name, value);
        }
        Self {
            patterns: patterns(&options.patterns).ok(),
            options,
            own_options,
        }
    }

    fn means(&self, client: &Client<'_>) -> bool {
        let matches = |(attribute, pattern): (&Attribute, &Regex)| {
            pattern.is_match(attribute.of(client).as_bytes())
        };
        self.patterns
            .as_ref()
            .is_some_and(|patterns| patterns.iter().all(matches))
    }
}

/// Why a subscription cannot have these options.
pub fn check(own_options: &BTreeMap<String, String>) -> Result<(), Refusal> {
    let is_known = |name: &str| {
        let mut known = ClientMetricsOptions::DEFINITIONS.iter();
        known.any(|definition| definition.name == name)
    };
    if let Some(name) = own_options.keys().find(|name| !is_known(name)) {
        let message = format!("Unknown client metrics configuration: {name}");
        return Err(Refusal::new(ErrorCode::InvalidRequest, message));
    }
    let mut options = ClientMetricsOptions::default();
    for (name, value) in own_options {
        if let Err(error) = options.set(name, value) {
            // A number out of its range is the request's fault, what is no number the value's.
            let code = match value.trim().parse::<i32>() {
                Ok(_) => ErrorCode::InvalidRequest,
                Err(_) => ErrorCode::InvalidConfig,
            };
            return Err(Refusal::new(code, error.to_string()));
        }
    }
    patterns(&options.patterns).map(|_| ())
}

fn patterns(list: &[String]) -> Result<Patterns, Refusal> {
    list.iter()
        .map(|text| {
            pattern(text).ok_or_else(|| {
                Refusal::new(
                    ErrorCode::InvalidConfig,
                    format!("Illegal client matching pattern: {text}"),
                )
            })
        })
        .collect()
}

/// From `ATTRIBUTE=PATTERN`; characters are bytes and classes ASCII's, as clients' ids and versions are.
fn pattern(text: &str) -> Option<(Attribute, Regex)> {
    let (name, expression) = text.split_once('=')?;
    let expression = expression.trim();
    if expression.is_empty() || expression.contains('=') {
        return None;
    }
    // By itself first: a lone parenthesis must not pair with those around it.
    let build = |expression: &str| {
        RegexBuilder::new(expression)
            .unicode(false)
            .size_limit(PATTERN_BYTES_MAX)
            .build()
            .ok()
    };
    build(expression)?;
    let whole = build(&format!(r"\A(?:{expression})\z"))?;
    Some((Attribute::from_name(name.trim())?, whole))
}

/// Every subscription there is.
#[derive(Clone, Debug, Default)]
pub struct Subscriptions {
    /// By name.
    pub all: imbl::OrdMap<String, Arc<Subscription>>,
    /// Rises with each change.
    pub version: i64,
}

/// What a client is to push.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requested {
    pub subscription_id: i32,
    pub metrics: Vec<String>,
    pub push_interval_ms: i32,
}

impl Subscriptions {
    /// What all subscriptions that mean the client ask for together, as often as the most impatient of them.
    pub fn requested_of(&self, client: &Client<'_>) -> Requested {
        let mut metrics = BTreeSet::new();
        let mut push_interval_ms = ClientMetricsOptions::default().interval_ms;
        for subscription in self.all.values().filter(|one| one.means(client)) {
            metrics.extend(subscription.options.metrics.iter().map(String::as_str));
            push_interval_ms = push_interval_ms.min(subscription.options.interval_ms);
        }
        if metrics.contains(ALL) {
            metrics = BTreeSet::from([ALL]);
        }
        Requested {
            subscription_id: subscription_id(&metrics, push_interval_ms, client.instance),
            metrics: metrics.into_iter().map(str::to_owned).collect(),
            push_interval_ms,
        }
    }
}

/// Another one wherever anything differs that the client was told.
fn subscription_id(metrics: &BTreeSet<&str>, push_interval_ms: i32, instance: Uuid) -> i32 {
    let mut sum = crc::crc32c(instance.as_bytes());
    sum = crc::crc32c_append(sum, &push_interval_ms.to_be_bytes());
    for metric in metrics {
        sum = crc::crc32c_append(sum, metric.as_bytes());
        sum = crc::crc32c_append(sum, b"\0");
    }
    sum.cast_signed()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        pairs.iter().map(own).collect()
    }

    const CLIENT: Client<'_> = Client {
        instance: Uuid::from_bytes([7; 16]),
        client_id: "sensor-12",
        software_name: "apache-kafka-java",
        software_version: "4.3.1",
        address: None,
    };

    #[test]
    fn options_are_refused_with_kafkas_codes() {
        let (request, config) = (ErrorCode::InvalidRequest, ErrorCode::InvalidConfig);
        for (name, value, code) in [
            ("metrics", "org.apache.kafka.", None),
            ("metrics", "", None),
            ("interval.ms", "100", None),
            ("interval.ms", "5", Some(request)),
            ("interval.ms", "3600001", Some(request)),
            ("interval.ms", "x", Some(config)),
            ("foo", "1", Some(request)),
            ("match", "client_id=a.*", None),
            ("match", " client_id = a ", None),
            ("match", "client_id=a,client_id=b", None),
            ("match", "foo=a", Some(config)),
            ("match", "client_id=[", Some(config)),
            ("match", "client_id=a)|(b", Some(config)),
            ("match", "client_id=(a{1000}){1000}", Some(config)),
            ("match", "client_id", Some(config)),
            ("match", "client_id=", Some(config)),
            ("match", "client_id=a=b", Some(config)),
        ] {
            let found = check(&options(&[(name, value)])).err();
            assert_eq!(found.map(|refusal| refusal.code), code, "{name}={value}");
        }
    }

    #[test]
    fn a_subscription_means_whom_all_its_patterns_match() {
        for (patterns, means) in [
            ("", true),
            ("client_id=sensor-.*", true),
            ("client_id=sensor", false),
            (r"client_id=sensor-\d+,client_software_name=apache-.*", true),
            ("client_id=sensor-.*,client_software_version=3.*", false),
            ("client_id=a|sensor-12", true),
            ("client_source_port=.+", false),
            ("client_instance_id=BwcHBwcHBwcHBwcHBwcHBw", true),
        ] {
            let subscription = Subscription::new(options(&[("match", patterns)]));
            assert_eq!(subscription.means(&CLIENT), means, "{patterns}");
        }
    }

    #[test]
    fn a_client_is_asked_for_what_all_its_subscriptions_want() {
        let requested = |of: &[&[(&str, &str)]]| {
            let named = of.iter().enumerate();
            let named =
                named.map(|(n, own)| (n.to_string(), Arc::new(Subscription::new(options(own)))));
            let subscriptions = Subscriptions {
                all: named.collect(),
                version: 1,
            };
            subscriptions.requested_of(&CLIENT)
        };
        let nothing = requested(&[]);
        assert_eq!(
            (nothing.metrics.len(), nothing.push_interval_ms),
            (0, 300_000)
        );
        let both = requested(&[
            &[("metrics", "b.,a."), ("interval.ms", "1000")],
            &[("metrics", "a."), ("interval.ms", "5000")],
            &[
                ("metrics", "c."),
                ("interval.ms", "100"),
                ("match", "client_id=x"),
            ],
        ]);
        assert_eq!(
            (both.metrics.join(" "), both.push_interval_ms),
            ("a. b.".to_owned(), 1000)
        );
        assert_ne!(both.subscription_id, nothing.subscription_id);
        let all = requested(&[&[("metrics", "b.")], &[("metrics", "*")]]);
        assert_eq!(all.metrics, ["*"]);
    }
}
