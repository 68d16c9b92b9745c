//! The features of the cluster: Kafka's names and levels for what brokers agree on. ApiVersions tells them, UpdateFeatures would change
//! them. Only what is served whole is here: a client that finds a feature finalized acts on it.

/// What is served of a feature. Each is finalized at its one level: nothing has to be agreed on with other brokers.
pub(super) struct Feature {
    pub(super) name: &'static str,
    pub(super) level: i16,
}

/// Kafka 4.3's.
pub(super) const SERVED: &[Feature] = &[Feature {
    name: "metadata.version",
    level: 30,
}];

/// The names that Kafka 4.3 knows: what is not served of them is at level 0.
const KNOWN: &[&str] = &[
    "eligible.leader.replicas.version",
    "group.version",
    "kraft.version",
    "metadata.version",
    "share.version",
    "streams.version",
    "transaction.version",
];

/// The kinds of updates that Kafka has beside the upgrade: to a lower level without and with loss of metadata.
const UPGRADE_TYPES: std::ops::RangeInclusive<i8> = 1..=3;

/// Why a feature cannot be brought to `level`. It can only stay where it is.
pub(super) fn refuse(name: &str, level: i16, upgrade_type: i8) -> Option<String> {
    let served = SERVED.iter().find(|feature| feature.name == name);
    let reason = match served {
        _ if !UPGRADE_TYPES.contains(&upgrade_type) => {
            "The controller does not support the given upgrade type.".to_owned()
        }
        _ if level < 0 => "A feature version cannot be less than 0.".to_owned(),
        Some(feature) if feature.level == level => return None,
        Some(Feature { level, .. }) => format!("Only version {level} is supported."),
        None if level != 0 => "This broker does not support this feature.".to_owned(),
        None if KNOWN.contains(&name) => return None,
        None => format!("Feature {name} not found."),
    };
    Some(format!(
        "Invalid update version {level} for feature {name}. {reason}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_stay_where_they_are() {
        for (name, level, upgrade_type, reason) in [
            ("metadata.version", 30, 1, None),
            ("metadata.version", 30, 2, None),
            ("metadata.version", 29, 3, Some("Only version 30")),
            ("metadata.version", 0, 2, Some("Only version 30")),
            ("metadata.version", 30, 9, Some("upgrade type")),
            ("metadata.version", 30, 0, Some("upgrade type")),
            ("metadata.version", -1, 1, Some("less than 0")),
            ("transaction.version", 0, 1, None),
            ("transaction.version", 2, 1, Some("does not support")),
            ("foo", 1, 1, Some("does not support")),
            ("foo", 0, 1, Some("not found")),
        ] {
            let found = refuse(name, level, upgrade_type);
            let matches = match (&found, reason) {
                (Some(found), Some(reason)) => found.contains(reason),
                (found, reason) => found.is_none() && reason.is_none(),
            };
            assert!(matches, "{name} {level} {upgrade_type}: {found:?}");
        }
    }
}
