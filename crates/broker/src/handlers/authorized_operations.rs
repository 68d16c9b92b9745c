//! What a client may do with a resource, as the bits of Kafka's operations. Nobody is asked who he is, so everybody may do everything.
//! Used by the handlers that describe topics, groups and the cluster.

/// Create, alter, describe, cluster action, describe and alter configs, idempotent write.
pub(crate) const CLUSTER: i32 = bits(&[5, 7, 8, 9, 10, 11, 12]);
/// Read, write, create, delete, alter, describe, describe and alter configs.
pub(crate) const TOPIC: i32 = bits(&[3, 4, 5, 6, 7, 8, 10, 11]);

/// Read, delete, describe, describe and alter configs.
pub(crate) const GROUP: i32 = bits(&[3, 6, 8, 10, 11]);

/// Operations by Kafka's numbers.
const fn bits(operations: &[u32]) -> i32 {
    let mut bits = 0;
    let mut at = 0;
    while at < operations.len() {
        bits |= 1 << operations[at];
        at += 1;
    }
    bits
}
