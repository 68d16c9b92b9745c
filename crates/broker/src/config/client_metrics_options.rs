//! Every option of a subscription to client metrics (KIP-714), declared once. Read by `client_metrics`.

use super::table::options;
use super::value::Check::{Any, Range};

options! {
    /// A subscription's resolved options.
    pub struct ClientMetricsOptions {
        #[doc = "How often clients push, ms."]
        "interval.ms" => interval_ms: i32 = 300_000, Range(100, 3_600_000);
        #[doc = "Which clients are meant: ATTRIBUTE=PATTERN, a regular expression that the whole value must match; all must match. Attributes: client_instance_id, client_id, client_software_name, client_software_version, client_source_address, client_source_port. All clients when empty."]
        "match" => patterns: Vec<String> = Vec::new(), Any;
        #[doc = "Which metrics clients push: prefixes of their names, * for all, none when empty."]
        "metrics" => metrics: Vec<String> = Vec::new(), Any;
    }
}
