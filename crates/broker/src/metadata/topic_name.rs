//! Which names a topic may have. Called wherever a topic is created or asked for.

/// Longest topic name, characters.
pub const LENGTH_MAX: usize = 249;

/// Why a name is refused, in words for the one who chose it.
pub fn refuse(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("the topic name is empty".to_owned());
    }
    if name == "." || name == ".." {
        return Some(format!("the topic name cannot be '{name}'"));
    }
    if name.len() > LENGTH_MAX {
        return Some(format!(
            "the topic name has {} characters; at most {LENGTH_MAX} are allowed",
            name.len()
        ));
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    (!name.chars().all(allowed))
        .then(|| format!("the topic name '{name}' has characters other than ASCII letters, digits, '.', '_' and '-'"))
}

/// `.` and `_` mean the same in metric names, so two topics may not differ in these alone.
pub fn collision_key(name: &str) -> String {
    name.replace('.', "_")
}

/// Topics that the broker keeps its own state in.
pub fn is_internal(name: &str) -> bool {
    matches!(
        name,
        "__consumer_offsets" | "__transaction_state" | "__share_group_state"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_by_kafkas_rules() {
        for (name, good) in [
            ("a", true),
            ("A.b_c-9", true),
            ("", false),
            (".", false),
            ("..", false),
            ("...", true),
            ("a b", false),
            ("ä", false),
            ("a/b", false),
        ] {
            assert_eq!(refuse(name).is_none(), good, "{name:?}");
        }
        assert!(refuse(&"x".repeat(249)).is_none());
        assert!(refuse(&"x".repeat(250)).is_some());
        assert_eq!(collision_key("a.b"), collision_key("a_b"));
    }
}
