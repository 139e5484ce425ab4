//! Finding the programs of the services, and saying what to do when they are not there.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tests::elder;
use tests::process::Run;
use tests::scratch::Scratch;

#[tokio::test(flavor = "multi_thread")]
async fn tools_folder_without_the_programs_says_what_to_run() {
    let scratch = Scratch::new();
    let run = Run::new(scratch.path(), "elder", ["services"]).env("ELDER_TOOLS", scratch.path().join("nothing"));
    let said = failure(&run).await;
    assert!(said.contains("nothing/") && said.contains("make setup"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn program_that_is_too_old_says_so() {
    let scratch = Scratch::new();
    let bin = scratch.path().join("bin");
    script(&bin, "nats-server", "nats-server: v2.10.29");
    script(&bin, "postgres", "postgres (PostgreSQL) 15.18 (Debian 15.18-0)");
    let said = failure(&lonely(scratch.path(), &bin)).await;
    let names_it = said.contains("nats-server 2.14 or newer") && said.contains("is version 2.10")
        || said.contains("postgres 18.0 or newer") && said.contains("is version 15.18");
    assert!(names_it && said.contains("make setup"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn program_that_is_nowhere_says_so() {
    let scratch = Scratch::new();
    let said = failure(&lonely(scratch.path(), &scratch.path().join("bin"))).await;
    assert!(said.contains("none found") && said.contains("make setup"), "{said}");
}

/// An elder outside the workspace, so that no `.tools` is near it, with only `bin` as its PATH.
fn lonely(folder: &Path, bin: &Path) -> Run {
    let program: PathBuf = folder.join("elder");
    fs::copy(elder::program(), &program).unwrap();
    let mut run = Run::new(folder, "elder-log", ["services"]).env("PATH", bin);
    run.program = program;
    run
}

async fn failure(run: &Run) -> String {
    let process = run.start().await;
    assert!(!process.exited().await.success());
    process.log()
}

fn script(bin: &Path, name: &str, says: &str) {
    fs::create_dir_all(bin).unwrap();
    let path = bin.join(name);
    fs::write(&path, format!("#!/bin/sh\necho '{says}'\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}
