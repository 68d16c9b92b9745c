//! `cargo xtask tidy`: the shape of the tree, checked like code. Run by the tests as well.
//!
//! Crates point downwards only; every file opens with a `//!` head, is not too long and belongs to a module; ARCHITECTURE.md names every
//! crate; generated code is fresh.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What each crate may depend on of the others; dev-dependencies are free.
const ARROWS: &[(&str, &[&str])] = &[
    ("protocol", &[]),
    ("log", &["protocol"]),
    ("broker", &["log", "protocol"]),
    ("ottla", &["broker", "log", "protocol"]),
    ("testkit", &["broker", "log", "protocol"]),
    ("xtask", &[]),
];
const LINES_MAX: usize = 1000;

/// All complaints, or nothing.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let mut complaints = Vec::new();
    check_arrows(root, &mut complaints)?;
    check_architecture(root, &mut complaints)?;
    for name in ARROWS.iter().map(|(name, _)| *name) {
        check_files(&root.join("crates").join(name), &mut complaints)?;
    }
    if let Err(stale) = crate::generate::run(root, true) {
        complaints.push(stale);
    }
    if complaints.is_empty() {
        Ok(())
    } else {
        Err(complaints.join("\n"))
    }
}

fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn check_arrows(root: &Path, complaints: &mut Vec<String>) -> Result<(), String> {
    let folders = folders(&root.join("crates"))?;
    let known: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    for folder in &folders {
        if !known.contains(folder.as_str()) {
            complaints.push(format!(
                "crates/{folder}: say in xtask's tidy what it may depend on"
            ));
        }
    }
    for (name, allowed) in ARROWS {
        let manifest = read(&root.join("crates").join(name).join("Cargo.toml"))?;
        if !manifest.contains(&format!("name = \"{name}\"")) {
            complaints.push(format!(
                "crates/{name}: the crate has another name than its folder"
            ));
        }
        for other in known.iter().filter(|other| !allowed.contains(other)) {
            if depends_on(&manifest, other) {
                complaints.push(format!(
                    "crates/{name} must not depend on {other}: arrows point down only"
                ));
            }
        }
    }
    Ok(())
}

fn depends_on(manifest: &str, other: &str) -> bool {
    let mut in_dependencies = false;
    manifest.lines().any(|line| {
        if line.starts_with('[') {
            in_dependencies = line == "[dependencies]";
        }
        in_dependencies
            && line
                .strip_prefix(other)
                .is_some_and(|rest| rest.starts_with(['.', ' ', '=']))
    })
}

fn check_architecture(root: &Path, complaints: &mut Vec<String>) -> Result<(), String> {
    let map = read(&root.join("ARCHITECTURE.md"))?;
    for (name, _) in ARROWS {
        if !map.contains(&format!("`{name}`")) {
            complaints.push(format!("ARCHITECTURE.md does not name the crate `{name}`"));
        }
    }
    Ok(())
}

/// Heads, lengths, and that each file is some module's.
fn check_files(krate: &Path, complaints: &mut Vec<String>) -> Result<(), String> {
    let mut files = BTreeMap::new();
    collect(krate, &mut files)?;
    let mentions: String = files.values().cloned().collect::<Vec<_>>().join("\n");
    for (path, text) in &files {
        let shown = path.display();
        if !text.lines().take(3).any(|line| line.starts_with("//!")) {
            complaints.push(format!(
                "{shown}: open the file with what it owns and who calls it (`//!`)"
            ));
        }
        let generated = text
            .lines()
            .next()
            .is_some_and(|line| line.contains("generated"));
        let lines = text.lines().count();
        if lines > LINES_MAX && !generated {
            complaints.push(format!(
                "{shown}: {lines} lines; cut it by idea, {LINES_MAX} is the most"
            ));
        }
        if !is_module(path, &mentions) {
            complaints.push(format!("{shown}: no module names this file"));
        }
    }
    Ok(())
}

fn is_module(path: &Path, mentions: &str) -> bool {
    let stem = path
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or_default();
    let file = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();
    let root = matches!(stem, "lib" | "main" | "mod" | "build");
    let test_root = path
        .parent()
        .is_some_and(|parent| parent.ends_with("tests") || parent.ends_with("benches"));
    root || test_root
        || mentions.contains(&format!("mod {stem};"))
        || mentions.contains(&format!("\"{file}\""))
}

fn collect(folder: &Path, files: &mut BTreeMap<PathBuf, String>) -> Result<(), String> {
    for entry in fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))? {
        let path = entry.map_err(|error| error.to_string())?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = read(&path)?;
            files.insert(path, text);
        }
    }
    Ok(())
}

fn folders(path: &Path) -> Result<Vec<String>, String> {
    let entries = fs::read_dir(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| error.to_string())?;
        if entry.path().is_dir() {
            names.extend(entry.file_name().into_string());
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tree_is_tidy() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        if let Err(complaints) = run(&root) {
            panic!("\n{complaints}");
        }
    }

    #[test]
    fn only_real_dependencies_count() {
        let manifest =
            "[dependencies]\nlog.workspace = true\n\n[dev-dependencies]\nbroker = \"1\"\n";
        assert!(depends_on(manifest, "log"));
        assert!(!depends_on(manifest, "broker"), "a dev-dependency");
        assert!(
            !depends_on("[dependencies]\nlogging = \"1\"\n", "log"),
            "another name"
        );
    }
}
