//! A real nats-server and a real Postgres as child processes, for one machine with nothing else set up.

pub mod account;
pub mod child;
pub mod guard;
pub mod ports;

mod launch;
mod lock;
mod log;
mod nats;
mod place;
mod postgres;
mod saved;
mod tools;

use std::fmt;
use std::fs;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::ExitStatus;

use anyhow::{Context as _, Result};

pub use self::nats::Nats;
pub use self::postgres::Postgres;

use self::lock::DirectoryLock;

/// Where the services keep their data and find their programs.
#[derive(Debug, Clone)]
pub struct EmbeddedConfig {
    /// Data, credentials and logs; usually `.elder`. Made if it is not there.
    pub directory: PathBuf,
    /// Where nats-server and Postgres were installed; nothing means `./.tools`, beside the program's workspace, or PATH.
    pub tools: Option<PathBuf>,
    /// The `elder` program, which guards each child (see [`guard`]).
    pub guard: PathBuf,
}

/// The options of every command that starts the services.
#[derive(Debug, Clone, clap::Args)]
pub struct EmbeddedArgs {
    /// Folder for data, credentials and logs of the embedded services.
    #[arg(long, env = "ELDER_DIRECTORY", value_name = "DIR", default_value = ".elder")]
    directory: PathBuf,
    /// Folder where nats-server and Postgres are installed [default: .tools here or beside the workspace, then PATH].
    #[arg(long, env = "ELDER_TOOLS", value_name = "DIR")]
    tools: Option<PathBuf>,
}

impl EmbeddedArgs {
    /// Folder for data, credentials and logs.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The same with this program as the guard of its children.
    pub fn into_config(self) -> Result<EmbeddedConfig> {
        let Self { directory, tools } = self;
        let guard = std::env::current_exe().context("failed to find the path of this program")?;
        Ok(EmbeddedConfig { directory, tools, guard })
    }
}

/// How much a service does so that nothing acknowledged is lost when the machine stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Every acknowledged write is on the disk.
    Durable,
    /// Survives the end of a process, not the end of the machine. For tests.
    Fast,
}

/// One of the two services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// The message broker.
    Nats,
    /// The database.
    Postgres,
}

impl fmt::Display for Service {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Nats => "nats-server",
            Self::Postgres => "postgres",
        })
    }
}

/// Both services, started; dropping it kills them.
#[derive(Debug)]
pub struct Embedded {
    nats: Nats,
    postgres: Postgres,
    // Held until both children are gone: fields are dropped in this order.
    _lock: DirectoryLock,
}

impl Embedded {
    /// Starts both in `config.directory` and returns when both can be used. Refuses a directory that is in use.
    pub async fn start(config: EmbeddedConfig) -> Result<Self> {
        let config = config.prepare()?;
        let lock = DirectoryLock::take(&config.directory)?;
        let (nats, postgres) = tokio::try_join!(
            Box::pin(Nats::start(&config, Durability::Durable)),
            Box::pin(Postgres::start(&config, Durability::Durable)),
        )?;
        Ok(Self { nats, postgres, _lock: lock })
    }

    /// Address of NATS with its user and password.
    pub fn nats_url(&self) -> &str {
        self.nats.url()
    }

    /// Address of the database with its user and password.
    pub fn database_url(&self) -> &str {
        self.postgres.url()
    }

    /// Address of the monitoring pages of NATS, e.g. `http://127.0.0.1:8222`.
    pub fn nats_monitor_url(&self) -> &str {
        self.nats.monitor_url()
    }

    /// Resolves when a service ends that nobody asked to end, with the service and its exit status.
    pub async fn died(&mut self) -> (Service, ExitStatus) {
        tokio::select! {
            status = self.nats.exited() => (Service::Nats, status),
            status = self.postgres.exited() => (Service::Postgres, status),
        }
    }

    /// Ends both, each in its graceful way and if that takes too long by force.
    pub async fn stop(mut self) -> Result<()> {
        let (nats, postgres) = tokio::join!(self.nats.stop(), self.postgres.stop());
        nats.and(postgres)
    }
}

impl EmbeddedConfig {
    /// The same with absolute paths, the directory being there.
    fn prepare(&self) -> Result<Self> {
        let directory = absolute(&self.directory)?;
        // Others may pass through (Postgres runs as another user when elder is root) but not look around;
        // what is secret has mode 0600.
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o711)
            .create(&directory)
            .with_context(|| format!("failed to create {}", directory.display()))?;
        let guard = fs::canonicalize(&self.guard)
            .with_context(|| format!("failed to find the elder program {}", self.guard.display()))?;
        let tools = self.tools.as_deref().map(absolute).transpose()?;
        Ok(Self { directory, tools, guard })
    }
}

fn absolute(path: &Path) -> Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("failed to make the path {} absolute", path.display()))
}

/// The compiler checks here that a start can be spawned as a task of its own.
const _: fn(EmbeddedConfig) -> Starting = |config| Box::pin(Embedded::start(config));

type Starting = Pin<Box<dyn Future<Output = Result<Embedded>> + Send>>;
