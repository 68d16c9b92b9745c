//! Which partition of `__consumer_offsets` holds a group. Asked by FindCoordinator and by the runtime for each append.

/// Kafka's rule: Java's hash of the group id, its absolute value, modulo. Changing it would lose every stored group.
pub fn partition_of(group_id: &str, partitions: i32) -> i32 {
    let add = |hash: i32, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit));
    let hash = group_id.encode_utf16().fold(0, add);
    // The smallest number has no absolute value; Kafka takes 0.
    hash.checked_abs().unwrap_or(0) % partitions.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_lie_where_java_puts_them() {
        // "polygenelubricants" has the smallest hash there is, -2^31.
        let rows = [
            ("", 0),
            ("a", 47),
            ("ab", 5),
            ("console-consumer-12345", 6),
            ("polygenelubricants", 0),
            ("größe", 7),
            ("😀", 49),
        ];
        for (group_id, partition) in rows {
            assert_eq!(partition_of(group_id, 50), partition, "{group_id}");
        }
    }
}
