//! The `elder` program under test, built once per test run so that it is never stale.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// Beginnings of the variables that cargo sets for a test that it runs.
const SET_FOR_TESTS: [&str; 4] = ["CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_BIN_", "OUT_DIR"];

/// Path of the program, of the same profile as the running test.
pub fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(build)
}

/// The workspace's root.
pub fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

fn build() -> PathBuf {
    // <target>/<profile>/deps/<test>, a benchmark likewise; a program of ours is one level higher.
    let test = std::env::current_exe().expect("a test knows its own path");
    let folder = test.parent().expect("a program is in a folder");
    let profile =
        if folder.ends_with("deps") { folder.parent().expect("a test is in <target>/<profile>/deps") } else { folder };
    let target = profile.parent().expect("a profile is in a target folder");
    let mut command = Command::new(env!("CARGO"));
    command.current_dir(workspace()).args(["build", "--quiet", "--package", "deploy", "--bin", "elder"]);
    command.arg("--target-dir").arg(target);
    if profile.ends_with("release") {
        // What benchmarks measure is what is shipped.
        command.arg("--release");
    } else {
        command.args(["--features", "failpoints"]);
    }
    // What cargo tells this test about its own package is news to some build scripts, which would build it all again.
    for (name, _) in std::env::vars_os() {
        if SET_FOR_TESTS.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    let status = command.status().expect("cargo can be started again");
    assert!(status.success(), "cargo failed to build elder: {status}");
    profile.join("elder")
}
