//! The one folder that holds every partition, by the name that clients call it. Used by the handlers that describe and alter log dirs.

use crate::broker::Broker;

/// As an absolute path.
pub(super) fn path(broker: &Broker) -> String {
    let configured = broker.config.options.log_dirs.join(",");
    match std::path::absolute(&configured) {
        Ok(absolute) => absolute.to_string_lossy().into_owned(),
        Err(_) => configured,
    }
}
