//! UpdateFeatures (key 57), versions 0 to 2: a feature can be brought to the level that it has; one that cannot refuses them all.

use std::collections::BTreeMap;

use protocol::KafkaString;
use protocol::error::ErrorCode;
use protocol::messages::update_features::{
    FeatureUpdateKey, UpdatableFeatureResult, UpdateFeaturesRequest, UpdateFeaturesResponse,
};

use super::features;
use crate::dispatch::{Call, Response};

/// Before it, a flag told whether the level may be a lower one.
const UPGRADE_TYPE_SINCE: i16 = 1;
const UPGRADE: i8 = 1;
const SAFE_DOWNGRADE: i8 = 2;

pub(crate) async fn handle(call: Call, request: UpdateFeaturesRequest) -> Response {
    // Of a feature that is named more than once, the last update counts.
    let updates: BTreeMap<&KafkaString, &FeatureUpdateKey> = request
        .feature_updates
        .iter()
        .map(|update| (&update.feature, update))
        .collect();
    let refused = updates.iter().find_map(|(name, update)| {
        let upgrade_type = upgrade_type(call.version, update);
        features::refuse(name, update.max_version_level, upgrade_type)
    });
    if let Some(reason) = refused {
        let message = format!(
            "The update failed for all features since the following feature had an error: {reason}"
        );
        return call.respond(&UpdateFeaturesResponse {
            error_code: ErrorCode::InvalidUpdateVersion.into(),
            error_message: Some(message.into()),
            ..Default::default()
        });
    }
    let results = request.feature_updates.into_iter();
    let done = results.map(|update| UpdatableFeatureResult {
        feature: update.feature,
        error_message: Some(KafkaString::from("NONE")),
        ..Default::default()
    });
    call.respond(&UpdateFeaturesResponse {
        error_message: None,
        results: done.collect(),
        ..Default::default()
    })
}

fn upgrade_type(version: i16, update: &FeatureUpdateKey) -> i8 {
    match (version >= UPGRADE_TYPE_SINCE, update.allow_downgrade) {
        (true, _) => update.upgrade_type,
        (false, true) => SAFE_DOWNGRADE,
        (false, false) => UPGRADE,
    }
}
