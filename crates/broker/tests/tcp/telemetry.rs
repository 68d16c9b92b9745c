//! Metrics that clients push: subscriptions as operators set them, what clients are asked for, and the sums that are shown.

use broker::metrics;
use bytes::Bytes;
use protocol::compression::{self, Codec};
use protocol::error::ErrorCode;
use protocol::messages::alter_configs::{
    AlterConfigsRequest, AlterConfigsResource as WholeResource, AlterableConfig as WholeConfig,
};
use protocol::messages::api_versions::ApiVersionsRequest;
use protocol::messages::describe_configs::{DescribeConfigsRequest, DescribeConfigsResource};
use protocol::messages::get_telemetry_subscriptions::{
    GetTelemetrySubscriptionsRequest, GetTelemetrySubscriptionsResponse,
};
use protocol::messages::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};
use protocol::messages::list_config_resources::ListConfigResourcesRequest;
use protocol::messages::push_telemetry::PushTelemetryRequest;
use protocol::{KafkaString, Uuid};

use crate::client::Client;
use crate::running::{Running, start_in};

/// Kafka's number of the kind.
const CLIENT_METRICS: i8 = 16;
const SET: i8 = 0;
const DELETE: i8 = 1;
const APPEND: i8 = 2;

type Changes = [(&'static str, i8, Option<&'static str>)];

async fn alter(client: &mut Client, name: &'static str, changes: &Changes) -> i16 {
    let config =
        |(name, operation, value): &(&'static str, i8, Option<&'static str>)| AlterableConfig {
            name: KafkaString::from(*name),
            config_operation: *operation,
            value: value.map(KafkaString::from),
        };
    let request = IncrementalAlterConfigsRequest {
        resources: vec![AlterConfigsResource {
            resource_type: CLIENT_METRICS,
            resource_name: KafkaString::from(name),
            configs: changes.iter().map(config).collect(),
        }],
        ..Default::default()
    };
    client.ask(&request, 1).await.responses[0].error_code
}

/// Each option with its value and source.
async fn described(client: &mut Client, name: &'static str) -> Vec<(String, String, i8)> {
    let request = DescribeConfigsRequest {
        resources: vec![DescribeConfigsResource {
            resource_type: CLIENT_METRICS,
            resource_name: KafkaString::from(name),
            configuration_keys: None,
        }],
        ..Default::default()
    };
    let answer = client.ask(&request, 4).await;
    assert_eq!(answer.results[0].error_code, 0);
    let entries = answer.results[0].configs.iter();
    entries
        .map(|entry| {
            let value = entry.value.as_deref().unwrap_or_default().to_owned();
            (entry.name.to_string(), value, entry.config_source)
        })
        .collect()
}

async fn listed(client: &mut Client) -> Vec<String> {
    let answer = client.ask(&ListConfigResourcesRequest::default(), 0).await;
    let names = answer.config_resources.iter();
    names.map(|one| one.resource_name.to_string()).collect()
}

fn entries(of: &[(&str, &str, i8)]) -> Vec<(String, String, i8)> {
    let owned = |(name, value, source): &(&str, &str, i8)| {
        ((*name).to_owned(), (*value).to_owned(), *source)
    };
    of.iter().map(owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn subscriptions_are_set_shown_kept_and_removed() {
    let running = Running::start("").await;
    let mut client = running.client().await;
    let (own, default) = (7, 5);
    let unset = entries(&[
        ("interval.ms", "300000", default),
        ("match", "", default),
        ("metrics", "", default),
    ]);
    assert_eq!(described(&mut client, "s").await, unset);
    let set = [
        ("metrics", SET, Some("a.")),
        ("match", SET, Some("client_id=x.*")),
    ];
    assert_eq!(alter(&mut client, "s", &set).await, 0);
    let refused = [("metrics", APPEND, Some("b."))];
    let config = i16::from(ErrorCode::InvalidConfig);
    assert_eq!(alter(&mut client, "s", &refused).await, config);
    let request = i16::from(ErrorCode::InvalidRequest);
    assert_eq!(alter(&mut client, "", &set).await, request);
    assert_eq!(
        alter(&mut client, "s", &[("interval.ms", SET, Some("1"))]).await,
        request
    );
    let shown = entries(&[
        ("interval.ms", "300000", default),
        ("match", "client_id=x.*", own),
        ("metrics", "a.", own),
    ]);
    assert_eq!(described(&mut client, "s").await, shown);

    let (server, folder) = running.into_parts();
    server.stop().await;
    let server = start_in(&folder, "").await.unwrap();
    let mut client = Client::connect(server.bound[0]).await;
    assert_eq!(described(&mut client, "s").await, shown);
    assert_eq!(listed(&mut client).await, ["s"]);
    // As a whole, and then nothing.
    for (config, names) in [(Some("metrics"), &["s"][..]), (None, &[])] {
        let config = config.map(|name| WholeConfig {
            name: KafkaString::from(name),
            value: Some(KafkaString::from("*")),
        });
        let whole = AlterConfigsRequest {
            resources: vec![WholeResource {
                resource_type: CLIENT_METRICS,
                resource_name: KafkaString::from("s"),
                configs: config.into_iter().collect(),
            }],
            ..Default::default()
        };
        assert_eq!(client.ask(&whole, 2).await.responses[0].error_code, 0);
        assert_eq!(listed(&mut client).await, names);
    }
    assert_eq!(
        alter(&mut client, "s", &[("metrics", DELETE, None)]).await,
        0
    );
}

fn message(number: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2, u8::try_from(content.len()).unwrap()];
    out.extend(content);
    out
}

/// `sent.total` has risen by `increase`, in OpenTelemetry's form.
fn pushed(increase: f64) -> Vec<u8> {
    let mut point = vec![4 << 3 | 1];
    point.extend(increase.to_le_bytes());
    let mut sum = message(1, &point);
    sum.extend([2 << 3, 1, 3 << 3, 1]);
    let metric = [message(1, b"sent.total"), message(7, &sum)].concat();
    message(1, &message(2, &message(2, &metric)))
}

async fn subscribe(client: &mut Client, instance: Uuid) -> GetTelemetrySubscriptionsResponse {
    let request = GetTelemetrySubscriptionsRequest {
        client_instance_id: instance,
    };
    client.ask(&request, 0).await
}

async fn push(client: &mut Client, request: &PushTelemetryRequest) -> i16 {
    client.ask(request, 0).await.error_code
}

fn is_shown(running: &Running, line: &str) -> bool {
    let text = metrics::render(&running.server.broker);
    text.lines().any(|shown| shown == line)
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_hear_of_telemetry_once_somebody_wants_it() {
    let running = Running::start("").await;
    let mut client = running.client().await;
    let set = [("metrics", SET, Some("a."))];
    let removed = [("metrics", DELETE, None)];
    for (changes, keys) in [(&[][..], &[][..]), (&set, &[71, 72]), (&removed, &[])] {
        assert_eq!(alter(&mut client, "s", changes).await, 0);
        let told = client.ask(&ApiVersionsRequest::default(), 0).await;
        let told = told.api_keys.iter().map(|api| api.api_key);
        let told: Vec<i16> = told.filter(|key| [71, 72].contains(key)).collect();
        assert_eq!(told, keys);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_clients_push_is_added_up_and_shown() {
    let running = Running::start("").await;
    let mut operator = running.client().await;
    let set = [
        ("metrics", SET, Some("sent.")),
        ("interval.ms", SET, Some("200000")),
        (
            "match",
            SET,
            Some("client_id=te.t,client_software_name=my-.*"),
        ),
    ];
    assert_eq!(alter(&mut operator, "s", &set).await, 0);

    for (n, codec) in Codec::ALL.into_iter().enumerate() {
        let mut client = running.client().await;
        // Before it says what it is, nobody means it.
        let nothing = subscribe(&mut client, Uuid::from_bytes([9; 16])).await;
        assert_eq!(
            (nothing.requested_metrics.len(), nothing.push_interval_ms),
            (0, 300_000)
        );
        let software = ApiVersionsRequest {
            client_software_name: KafkaString::from("my-client"),
            client_software_version: KafkaString::from("1.0"),
        };
        client.ask(&software, 3).await;
        let asked = subscribe(&mut client, Uuid::ZERO).await;
        assert_eq!(asked.error_code, 0);
        assert_ne!(asked.client_instance_id, Uuid::ZERO);
        assert_eq!(asked.requested_metrics, [KafkaString::from("sent.")]);
        assert_eq!(
            (asked.push_interval_ms, asked.telemetry_max_bytes),
            (200_000, 1_048_576)
        );
        assert_eq!(asked.accepted_compression_types, [4, 3, 1, 2]);
        assert!(asked.delta_temporality);
        let mut compressed = Vec::new();
        compression::compress(codec, None, &pushed(2.5), &mut compressed).unwrap();
        let request = PushTelemetryRequest {
            client_instance_id: asked.client_instance_id,
            subscription_id: asked.subscription_id,
            compression_type: codec as i8,
            metrics: Bytes::from(compressed),
            ..Default::default()
        };
        assert_eq!(push(&mut client, &request).await, 0, "{codec:?}");
        let early = i16::from(ErrorCode::ThrottlingQuotaExceeded);
        assert_eq!(push(&mut client, &request).await, early);
        let total = 2.5 * (n + 1) as f64;
        let line = format!("ottla_client_metric_total{{metric=\"sent.total\"}} {total}");
        assert!(is_shown(&running, &line), "{line}");
        assert!(is_shown(
            &running,
            &format!("ottla_client_metrics_throttled_total {}", n + 1)
        ));
    }
    assert!(is_shown(&running, "ottla_client_metrics_pushes_total 5"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_push_that_cannot_be_taken_says_why() {
    let running = Running::start("telemetry.max.bytes=100").await;
    let mut client = running.client().await;
    let asked = subscribe(&mut client, Uuid::from_bytes([3; 16])).await;
    assert_eq!((asked.error_code, asked.telemetry_max_bytes), (0, 100));
    let good = PushTelemetryRequest {
        client_instance_id: asked.client_instance_id,
        subscription_id: asked.subscription_id,
        metrics: Bytes::from(pushed(1.0)),
        ..Default::default()
    };
    let reserved = Uuid::from_bytes(1_u128.to_be_bytes());
    for (what, request, code) in [
        (
            "no instance",
            PushTelemetryRequest {
                client_instance_id: Uuid::ZERO,
                ..good.clone()
            },
            ErrorCode::InvalidRequest,
        ),
        (
            "an instance that is none",
            PushTelemetryRequest {
                client_instance_id: reserved,
                ..good.clone()
            },
            ErrorCode::InvalidRequest,
        ),
        (
            "another subscription",
            PushTelemetryRequest {
                subscription_id: asked.subscription_id + 1,
                ..good.clone()
            },
            ErrorCode::UnknownSubscriptionId,
        ),
        (
            "no codec",
            PushTelemetryRequest {
                compression_type: 5,
                ..good.clone()
            },
            ErrorCode::UnsupportedCompressionType,
        ),
        (
            "too much",
            PushTelemetryRequest {
                metrics: Bytes::from(vec![0; 101]),
                ..good.clone()
            },
            ErrorCode::TelemetryTooLarge,
        ),
        (
            "no metrics",
            PushTelemetryRequest {
                metrics: Bytes::from_static(b"\xff"),
                ..good.clone()
            },
            ErrorCode::InvalidRecord,
        ),
        (
            "not compressed as it says",
            PushTelemetryRequest {
                compression_type: 4,
                ..good.clone()
            },
            ErrorCode::InvalidRecord,
        ),
        ("what it should", good.clone(), ErrorCode::None),
    ] {
        // Each from a client that has just come, so that it is not too early.
        let mut client = running.client().await;
        assert_eq!(push(&mut client, &request).await, i16::from(code), "{what}");
    }
    assert!(is_shown(&running, "ottla_client_metrics_invalid_total 2"));
    assert!(is_shown(
        &running,
        "ottla_client_metrics_unknown_subscriptions_total 1"
    ));
    running.serves_others().await;
}
