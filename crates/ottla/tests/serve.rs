//! `ottla serve` as it is shipped, when it does not start: what it says, and where the fault is.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on has failed; its files are its own"
)]

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::Command;

/// A folder of the test's own, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = env::temp_dir().join(format!("ottla-serve-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    /// A file in it, by its whole path.
    fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.0.join(name);
        fs::write(&path, bytes).unwrap();
        path.display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What a start says that fails.
fn refusal(arguments: &[&str], variables: &[(&str, &OsStr)]) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ottla"));
    command.arg("serve").args(arguments);
    let ran = command.envs(variables.iter().copied()).output().unwrap();
    let said = String::from_utf8(ran.stderr).unwrap();
    assert_eq!(ran.status.code(), Some(1), "{arguments:?}: {said}");
    said
}

#[test]
fn a_value_that_is_refused_is_named_with_its_place() {
    let folder = Folder::new("values");
    let file = folder.file("a.properties", b"# mine\nnum.partitions=0\n");
    let said = refusal(&["--config", &file], &[]);
    let expected = format!("ottla: {file}:2: num.partitions=0: expected a number from 1");
    assert!(said.starts_with(&expected), "{said}");

    let said = refusal(&[], &[("OTTLA_NUM_PARTITIONS", OsStr::new("none"))]);
    assert!(
        said.starts_with("ottla: OTTLA_NUM_PARTITIONS: num.partitions=none: "),
        "{said}"
    );
    let said = refusal(&["--override", "durability=never"], &[]);
    assert!(
        said.starts_with("ottla: --set: durability=never: "),
        "{said}"
    );
    let said = refusal(&[], &[("OTTLA_LOG_DIRS", OsStr::from_bytes(b"\xff"))]);
    assert!(said.contains("OTTLA_LOG_DIRS="), "{said}");

    let file = folder.file("latin.properties", b"node.id=1\nbroker.rack=caf\xe9\n");
    let said = refusal(&["--config", &file], &[]);
    assert!(
        said.contains(&format!("{file}: ")) && said.contains("UTF-8"),
        "{said}"
    );
}

#[test]
fn help_teaches_by_example() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ottla"));
    let ran = command.args(["serve", "--help"]).output().unwrap();
    let help = String::from_utf8(ran.stdout).unwrap();
    let (_, examples) = help.split_once("Examples:\n").unwrap();
    for expected in ["--config", "--set listeners=", "OTTLA_LOG_DIRS="] {
        assert!(examples.contains(expected), "{expected}: {help}");
    }
}

#[test]
fn a_data_folder_that_is_a_file_is_named_with_the_way_out() {
    let folder = Folder::new("folder");
    let file = folder.file("data", b"");
    for data in [file.clone(), format!("{file}/below")] {
        let said = refusal(&["--set", &format!("log.dirs={data}")], &[]);
        let expected =
            format!("the data folder {data}: there is a file, which is no folder; `log.dirs`");
        assert!(said.contains(&expected), "{said}");
    }
}

#[test]
fn keys_that_do_nothing_are_named_with_their_places() {
    let folder = Folder::new("keys");
    // Not a folder, so that the start ends behind the warnings.
    let file = folder.file("a.properties", b"num.io.threads=8\nnum.partition=3\n");
    let said = refusal(
        &[
            "--config",
            &file,
            "--set",
            "log.cleanup.policy=compact",
            "--set",
            &format!("log.dirs={file}"),
        ],
        &[("OTTLA_NUM_PARTITION", OsStr::new("3"))],
    );
    for expected in [
        format!("mean nothing here: num.io.threads ({file}:1)\n"),
        "not applied by this version: log.cleanup.policy (--set)\n".to_owned(),
        format!("unknown keys are ignored: OTTLA_NUM_PARTITION, num.partition ({file}:2)\n"),
    ] {
        assert!(said.contains(&expected), "{expected}: {said}");
    }
}
