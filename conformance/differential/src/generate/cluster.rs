//! The cluster and what it speaks.

use serde_json::{Value, json};

use super::dice::Dice;
use super::world::World;

pub(super) fn describe_cluster(dice: &mut Dice, _: &World) -> (&'static str, Value) {
    let request = json!({
        "include_cluster_authorized_operations": dice.one_in(2),
        "endpoint_type": dice.mostly(&[1], &[0, 2, 3]),
        "include_fenced_brokers": dice.one_in(3),
    });
    ("DescribeCluster", request)
}

pub(super) fn api_versions(dice: &mut Dice, _: &World) -> (&'static str, Value) {
    let request = json!({
        "client_software_name": dice.mostly(&["differ"], &["", "bad name", "-x"]),
        "client_software_version": dice.mostly(&["1.0"], &["", "bad version"]),
    });
    ("ApiVersions", request)
}
