//! ApiVersions (key 18), versions 0 to 4: what is served, in which versions. An unknown version is answered in the form of version 0
//! with UNSUPPORTED_VERSION, so that any client can find one that works (KIP-511). From version 3 on also the cluster's features.

use protocol::api::ApiKey;
use protocol::error::ErrorCode;
use protocol::messages::api_versions::{
    ApiVersion, ApiVersionsRequest, ApiVersionsResponse, FinalizedFeatureKey, SupportedFeatureKey,
};

use super::features;
use crate::broker::Broker;
use crate::dispatch::{Call, Response, SERVED};
use crate::network::connection::Software;

/// Told once there is a subscription: until then no client need ask. As Kafka leaves them out until somebody receives metrics.
const TELEMETRY: [i16; 2] = [
    ApiKey::GetTelemetrySubscriptions as i16,
    ApiKey::PushTelemetry as i16,
];
/// A name or a version that is kept with its connection.
const SOFTWARE_LEN_MAX: usize = 128;

pub(crate) fn handle(broker: &Broker, call: &Call, request: &ApiVersionsRequest) -> Response {
    if call.version >= 3
        && !(is_software_name(&request.client_software_name)
            && is_software_name(&request.client_software_version))
    {
        return call.respond(&ApiVersionsResponse {
            error_code: ErrorCode::InvalidRequest.into(),
            ..Default::default()
        });
    }
    remember_software(call, request);
    let image = broker.controller.image();
    let features = features::SERVED.iter();
    let supported = features.clone().map(|feature| SupportedFeatureKey {
        name: feature.name.into(),
        min_version: feature.level,
        max_version: feature.level,
    });
    let finalized = features.map(|feature| FinalizedFeatureKey {
        name: feature.name.into(),
        min_version_level: feature.level,
        max_version_level: feature.level,
    });
    call.respond(&ApiVersionsResponse {
        api_keys: served()
            .filter(|api| !image.client_metrics.all.is_empty() || !TELEMETRY.contains(&api.api_key))
            .collect(),
        supported_features: supported.collect(),
        // Kafka's is an offset of its metadata log as well.
        finalized_features_epoch: image.end_offset,
        finalized_features: finalized.collect(),
        ..Default::default()
    })
}

/// Subscriptions to client metrics ask for it. Who says more of himself than this is remembered without.
fn remember_software(call: &Call, request: &ApiVersionsRequest) {
    let (name, version) = (
        &request.client_software_name,
        &request.client_software_version,
    );
    if call.version >= 3 && name.len().max(version.len()) <= SOFTWARE_LEN_MAX {
        call.peer.software.get_or_init(|| Software {
            name: name.to_string(),
            version: version.to_string(),
        });
    }
}

/// The answer to a version that nobody here speaks.
pub(crate) fn unsupported(call: &Call) -> Response {
    let own = served().filter(|api| api.api_key == ApiKey::ApiVersions as i16);
    call.respond(&ApiVersionsResponse {
        error_code: ErrorCode::UnsupportedVersion.into(),
        api_keys: own.collect(),
        ..Default::default()
    })
}

fn served() -> impl Iterator<Item = ApiVersion> {
    SERVED.iter().map(|api| ApiVersion {
        api_key: api.key as i16,
        // Older librdkafka turns compression off where Produce does not begin at 0 (KAFKA-18659).
        min_version: if api.key == ApiKey::Produce {
            0
        } else {
            api.min
        },
        max_version: api.max,
        ..Default::default()
    })
}

/// As Kafka asks of names and versions: letters and digits, with '.' and '-' between.
fn is_software_name(name: &str) -> bool {
    let ends_well = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    ends_well(name.chars().next())
        && ends_well(name.chars().next_back())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-'))
}

#[cfg(test)]
mod tests {
    use super::is_software_name;

    #[test]
    fn software_names() {
        for (name, good) in [
            ("librdkafka", true),
            ("apache-kafka-java", true),
            ("2.15.0", true),
            ("", false),
            ("-x", false),
            ("x y", false),
        ] {
            assert_eq!(is_software_name(name), good, "{name:?}");
        }
    }
}
