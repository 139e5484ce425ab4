//! A Postgres on loopback, reachable only with its password.

mod initialise;
pub(super) mod ready;

use std::path::PathBuf;
use std::process::ExitStatus;

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::Signal;

use super::child::Child;
use super::launch::{Failure, Launch, PORT_TRIES, Probe, kill, stop};
use super::place::Place;
use super::saved::{Saved, USER};
use super::{Durability, EmbeddedConfig, Service, guard};

/// The database that every cluster has from the start.
const DATABASE: &str = "postgres";

/// What every start sets; everything else is Postgres's own default.
const SETTINGS: [&str; 10] = [
    "listen_addresses=127.0.0.1",
    // No socket file: its path may have 107 bytes at most, and TCP with a password serves every user alike.
    "unix_socket_directories=",
    "max_connections=100",
    "shared_buffers=128MB",
    // Bounds what a start after a crash has to replay, and the disk that an idle machine gives.
    "max_wal_size=512MB",
    // Queries here are short; compiling them costs more than it saves.
    "jit=off",
    "logging_collector=off",
    "log_line_prefix=%m [%p] ",
    "log_timezone=UTC",
    "timezone=UTC",
];

/// A Postgres; dropping it ends it at once.
#[derive(Debug)]
pub struct Postgres {
    directory: PathBuf,
    guard: PathBuf,
    place: Place,
    durability: Durability,
    saved: Saved,
    url: String,
    child: Option<Child>,
}

impl Postgres {
    /// Starts it with its data in `postgres/` of `config.directory` (or, if the user that root runs it as cannot get
    /// there, in a place of its own), on the port of the last run if that is free.
    pub async fn start(config: &EmbeddedConfig, durability: Durability) -> Result<Self> {
        let config = config.prepare()?;
        let (place, saved) = Place::choose(&config).await?;
        let EmbeddedConfig { directory, tools: _, guard } = config;
        let mut postgres = Self { directory, guard, place, durability, saved, url: String::new(), child: None };
        postgres.initialise().await?;
        for _ in 0..PORT_TRIES {
            match postgres.launch(postgres.saved.port(0)?).await {
                Ok(()) => return Ok(postgres),
                Err(Failure::PortTaken(error)) => tracing::info!("trying another port: {error:#}"),
                Err(Failure::Other(error)) => return Err(error),
            }
        }
        bail!("postgres found each of {PORT_TRIES} ports taken")
    }

    /// Address with user and password.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Process number while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::pid)
    }

    /// Where its data really is.
    pub fn data(&self) -> PathBuf {
        self.place.data()
    }

    /// Resolves when it ends; never while it is stopped.
    pub async fn exited(&self) -> ExitStatus {
        match &self.child {
            Some(child) => child.exited().await,
            None => std::future::pending().await,
        }
    }

    /// Ends it at once, as a crash would.
    pub async fn kill(&mut self) {
        if let Some(child) = self.child.take() {
            kill(child, &self.lock()).await;
        }
    }

    /// Ends it gracefully: open transactions are rolled back, and the next start has nothing to recover.
    pub async fn stop(&mut self) -> Result<()> {
        if let Some(child) = self.child.take() {
            stop(Service::Postgres, child, Signal::SIGINT).await;
        }
        Ok(())
    }

    /// Starts it again, on the same port and data; stops it first if it still runs.
    pub async fn restart(&mut self) -> Result<()> {
        self.stop().await?;
        let [port] = self.saved.ports[..] else { bail!("postgres was never started") };
        self.launch(port).await.map_err(|failure| match failure {
            Failure::PortTaken(error) | Failure::Other(error) => error,
        })
    }

    fn lock(&self) -> PathBuf {
        self.directory.join("postgres.lock")
    }

    async fn launch(&mut self, port: u16) -> Result<(), Failure> {
        let data = self.place.data();
        // SIGQUIT is its immediate shutdown: it ends its own children first, without waiting for anybody.
        let mut command = guard::command(
            &self.guard,
            self.place.account(),
            Signal::SIGQUIT,
            self.place.folder(),
            &self.place.program("postgres"),
        );
        command.arg("-D").arg(&data).arg("-p").arg(port.to_string());
        for setting in SETTINGS.iter().chain(durability_settings(self.durability)) {
            command.arg("-c").arg(setting);
        }
        let launch = Launch {
            service: Service::Postgres,
            lock: &self.lock(),
            log: &self.directory.join("postgres.log"),
            last_signal: Signal::SIGQUIT,
        };
        let child = launch.start(command, Probe::Postgres { port, data: &data }).await?;
        self.child = Some(child);
        self.url = format!("postgres://{USER}:{}@127.0.0.1:{port}/{DATABASE}", self.saved.password);
        self.saved.ports = vec![port];
        self.saved.write(&self.directory.join("postgres.json"))?;
        Ok(())
    }

    async fn initialise(&self) -> Result<()> {
        initialise::ensure(self).await.context("failed to make a new Postgres cluster")
    }
}

fn durability_settings(durability: Durability) -> &'static [&'static str] {
    match durability {
        Durability::Durable => &["fsync=on", "full_page_writes=on"],
        // Commits still wait until they are written, though not to the disk: what was committed survives a kill.
        Durability::Fast => &["fsync=off", "full_page_writes=off"],
    }
}
