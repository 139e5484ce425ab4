//! The embedded services as a person meets them: they start, they end with elder, they lose nothing.

mod programs;
mod users;

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use deploy::embedded::guard::{self, Signal};
use deploy::embedded::{Durability, Nats};
use sqlx::Connection as _;
use tests::process::{Process, Run, children_of, descendants_of, is_running, name_of};
use tests::scratch::Scratch;
use tests::stack::{embedded_config, tools};
use tests::wait::{LONG, wait_for};
use tests::{elder, nats};

/// `elder services`, once it is ready.
struct Services {
    process: Process,
    nats_url: String,
    database_url: String,
}

impl Services {
    async fn start(directory: &Path) -> Self {
        Self::started(&services(directory)).await
    }

    async fn started(run: &Run) -> Self {
        // The log of a run before this one would answer for it.
        drop(fs::remove_file(&run.log));
        let process = run.start().await;
        let nats_url = process.line("NATS_URL=").await;
        let database_url = process.line("DATABASE_URL=").await;
        Self { process, nats_url, database_url }
    }

    /// Everything below elder, which must be both services and Postgres's own children.
    fn descendants(&self) -> Vec<u32> {
        let mut names: Vec<String> = children_of(self.process.pid()).into_iter().map(name_of).collect();
        names.sort();
        assert_eq!(names, ["nats-server", "postgres"]);
        descendants_of(self.process.pid())
    }

    async fn write(&self) {
        let mut connection = sqlx::PgConnection::connect(&self.database_url).await.unwrap();
        sqlx::query("CREATE TABLE kept AS SELECT 7 AS n").execute(&mut connection).await.unwrap();
        let jetstream = async_nats::jetstream::new(nats::connect(&self.nats_url).await);
        let stream = async_nats::jetstream::stream::Config { name: "kept".to_owned(), ..Default::default() };
        jetstream.create_stream(stream).await.unwrap();
        jetstream.publish("kept", "7".into()).await.unwrap().await.unwrap();
    }

    async fn expect_written(&self) {
        let mut connection = sqlx::PgConnection::connect(&self.database_url).await.unwrap();
        let kept: i32 = sqlx::query_scalar("SELECT n FROM kept").fetch_one(&mut connection).await.unwrap();
        let jetstream = async_nats::jetstream::new(nats::connect(&self.nats_url).await);
        let message = jetstream.get_stream("kept").await.unwrap().get_raw_message(1).await.unwrap();
        assert_eq!((kept, &message.payload[..]), (7, &b"7"[..]));
    }
}

fn services(directory: &Path) -> Run {
    let run = Run::new(directory, "elder", ["services"]);
    match tools() {
        Some(tools) => run.env("ELDER_TOOLS", tools),
        None => run,
    }
}

async fn expect_gone(processes: &[u32]) {
    wait_for("every child to be gone", LONG, async || (!processes.iter().any(|&pid| is_running(pid))).then_some(()))
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn both_services_can_be_used_and_only_with_their_passwords() {
    let scratch = Scratch::new();
    let services = Services::start(scratch.path()).await;
    services.write().await;
    services.expect_written().await;

    let stranger = async_nats::connect(&services.nats_url).await;
    assert!(stranger.is_err(), "nats-server takes clients without a password");
    let stranger = services.database_url.replacen("elder:", "elder:not-", 1);
    assert!(sqlx::PgConnection::connect(&stranger).await.is_err(), "postgres takes any password");
    for secret in ["nats.conf", "nats.json", "postgres.json"] {
        let mode = fs::metadata(scratch.path().join(".elder").join(secret)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{secret}");
    }
    services.process.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn second_start_in_the_same_directory_is_refused() {
    let scratch = Scratch::new();
    let first = Services::start(scratch.path()).await;
    let mut second = services(scratch.path());
    second.log = scratch.path().join("second.log");
    let second = second.start().await;
    assert!(!second.exited().await.success());
    let said = second.log();
    assert!(said.contains(&format!("another elder (pid {}) is using", first.process.pid())), "{said}");
    assert!(said.contains("--directory"), "{said}");
    nats::connect(&first.nats_url).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_elder_leaves_no_child_and_loses_nothing() {
    let scratch = Scratch::new();
    let first = Services::start(scratch.path()).await;
    first.write().await;
    let below = first.descendants();
    first.process.kill().await;
    // At once, without waiting for the end of what the first one had started.
    let second = Services::start(scratch.path()).await;
    expect_gone(&below).await;
    second.expect_written().await;
    assert_eq!(second.nats_url, first.nats_url, "the ports stay the same");
    assert_eq!(second.database_url, first.database_url, "the ports stay the same");
}

#[tokio::test(flavor = "multi_thread")]
async fn stop_ends_the_children_gracefully() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let scratch = Scratch::new();
        let services = Services::start(scratch.path()).await;
        let below = services.descendants();
        // A terminal sends Ctrl-C to the whole process group, which must not reach the services themselves.
        let group = nix::unistd::Pid::from_raw(i32::try_from(services.process.pid()).unwrap());
        nix::sys::signal::killpg(group, signal).unwrap();
        let status = services.process.exited().await;
        assert!(status.success(), "{status} after {signal}:\n{}", services.process.log());
        assert!(!below.iter().any(|&pid| is_running(pid)), "a child outlived elder");
        let log = fs::read_to_string(scratch.path().join(".elder/postgres.log")).unwrap();
        assert!(log.contains("database system is shut down"), "{log}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn death_of_a_service_is_noticed_and_named() {
    let scratch = Scratch::new();
    let services = Services::start(scratch.path()).await;
    let nats = children_of(services.process.pid()).into_iter().find(|&pid| name_of(pid) == "nats-server").unwrap();
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(i32::try_from(nats).unwrap()), Signal::SIGKILL).unwrap();
    assert!(!services.process.exited().await.success());
    let said = services.process.log();
    assert!(said.contains("nats-server ended unexpectedly"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn port_that_is_taken_is_replaced() {
    let scratch = Scratch::new();
    let first = Services::start(scratch.path()).await;
    first.write().await;
    first.process.stop().await;
    let addresses = [&first.nats_url, &first.database_url].map(|url| {
        let address = url.rsplit('@').next().unwrap();
        TcpListener::bind(address.split('/').next().unwrap()).unwrap()
    });
    let second = Services::start(scratch.path()).await;
    second.expect_written().await;
    assert!(second.nats_url != first.nats_url && second.database_url != first.database_url);
    drop(addresses);
}

#[tokio::test(flavor = "multi_thread")]
async fn interrupted_first_start_is_made_anew() {
    let scratch = Scratch::new();
    let postgres = scratch.path().join(".elder/postgres");
    let process = services(scratch.path()).start().await;
    wait_for("initdb to be at work", LONG, async || drafts(&postgres).pop()).await;
    process.kill().await;

    // And as if that had happened in an earlier attempt as well, at a moment of our choosing.
    let earlier = postgres.join("draft-earlier");
    fs::create_dir_all(earlier.join("base/1")).unwrap();
    fs::write(earlier.join("PG_VERSION"), "18\n").unwrap();

    let services = Services::start(scratch.path()).await;
    services.write().await;
    services.expect_written().await;
    assert!(!earlier.exists(), "the rest of an interrupted start stays");
}

fn drafts(postgres: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(postgres).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.filter(|path| path.join("PG_VERSION").exists() && !path.ends_with("data")).collect()
}

#[test]
fn service_outlives_the_threads_that_asked_for_it() {
    let scratch = Scratch::new();
    let config = embedded_config(&scratch.path().join(".elder"));
    let folder = scratch.path().to_owned();
    let asked = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            // In a task, so that a worker thread asks, which ends with this runtime.
            let task = tokio::spawn(async move {
                let sleep = Path::new("/bin/sleep");
                let mut naive = guard::command(elder::program(), None, Signal::SIGKILL, &folder, sleep);
                let naive = naive.arg("600").spawn().unwrap();
                (Nats::start(&config, Durability::Fast).await.unwrap(), naive)
            });
            task.await.unwrap()
        })
    });
    let (nats, mut naive) = asked.join().unwrap();
    // The one that the worker thread started itself ends with that thread: so the thread is gone now.
    naive.wait().unwrap();

    let pid = nats.pid().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { nats::connect(nats.url()).await.flush().await.unwrap() });
    drop(nats);
    assert!(!is_running(pid), "a dropped service runs on");
}
