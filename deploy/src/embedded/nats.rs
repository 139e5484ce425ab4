//! A nats-server with JetStream on loopback, reachable only with its password.

pub(super) mod ready;

use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use anyhow::{Result, bail};
use nix::sys::signal::Signal;

use super::child::Child;
use super::launch::{Failure, Launch, PORT_TRIES, Probe, kill, stop};
use super::saved::{Saved, USER, write_secret};
use super::{Durability, EmbeddedConfig, Service, guard, tools};

/// A nats-server; dropping it kills it.
#[derive(Debug)]
pub struct Nats {
    directory: PathBuf,
    program: PathBuf,
    guard: PathBuf,
    durability: Durability,
    saved: Saved,
    url: String,
    monitor_url: String,
    /// A file of users and permissions, as a path below the folder.
    users: Option<String>,
    child: Option<Child>,
}

impl Nats {
    /// Starts it with its data in `nats/` of `config.directory`, on the ports of the last run if they are free.
    pub async fn start(config: &EmbeddedConfig, durability: Durability) -> Result<Self> {
        let config = config.prepare()?;
        let program = tools::nats_server(&config).await?;
        let saved = Saved::read(&config.directory.join("nats.json"))?;
        let saved = saved.unwrap_or_else(Saved::new);
        let EmbeddedConfig { directory, tools: _, guard } = config;
        let (url, monitor_url) = (String::new(), String::new());
        let mut nats =
            Self { directory, program, guard, durability, saved, url, monitor_url, users: None, child: None };
        for _ in 0..PORT_TRIES {
            match nats.launch(nats.saved.port(0)?, nats.saved.port(1)?).await {
                Ok(()) => return Ok(nats),
                Err(Failure::PortTaken(error)) => tracing::info!("trying other ports: {error:#}"),
                Err(Failure::Other(error)) => return Err(error),
            }
        }
        bail!("nats-server found each of {PORT_TRIES} ports taken")
    }

    /// Address with user and password.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Address of the monitoring pages.
    pub fn monitor_url(&self) -> &str {
        &self.monitor_url
    }

    /// Process number while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::pid)
    }

    /// Resolves when it ends; never while it is stopped.
    pub async fn exited(&self) -> ExitStatus {
        match &self.child {
            Some(child) => child.exited().await,
            None => std::future::pending().await,
        }
    }

    /// From the next start on it knows the users of a file below its folder too, as `elder topology --auth` writes it. Its
    /// own user then sees none of their account.
    pub fn include_users(&mut self, file: &str) {
        self.users = Some(file.to_owned());
    }

    /// Ends it at once, as a crash would.
    pub async fn kill(&mut self) {
        if let Some(child) = self.child.take() {
            kill(child, &self.lock()).await;
        }
    }

    /// Ends it gracefully.
    pub async fn stop(&mut self) -> Result<()> {
        if let Some(child) = self.child.take() {
            stop(Service::Nats, child, Signal::SIGTERM).await;
        }
        Ok(())
    }

    /// Starts it again, on the same ports and data; stops it first if it still runs.
    pub async fn restart(&mut self) -> Result<()> {
        self.stop().await?;
        let [client, monitor] = self.saved.ports[..] else { bail!("nats-server was never started") };
        self.launch(client, monitor).await.map_err(|failure| match failure {
            Failure::PortTaken(error) | Failure::Other(error) => error,
        })
    }

    fn lock(&self) -> PathBuf {
        self.directory.join("nats.lock")
    }

    async fn launch(&mut self, client: u16, monitor: u16) -> Result<(), Failure> {
        let file = self.directory.join("nats.conf");
        write_secret(&file, self.configuration(client, monitor).as_bytes())?;
        // Nothing that it acknowledged is lost by SIGKILL (see `Durability`), and it leaves no moment in which the next
        // start could meet it.
        let mut command = guard::command(&self.guard, None, Signal::SIGKILL, &self.directory, &self.program);
        command.arg("--config").arg(&file);
        let launch = Launch {
            service: Service::Nats,
            lock: &self.lock(),
            log: &self.directory.join("nats.log"),
            last_signal: Signal::SIGKILL,
        };
        let child = launch.start(command, Probe::Nats { port: client, password: &self.saved.password }).await?;
        self.child = Some(child);
        self.url = format!("nats://{USER}:{}@127.0.0.1:{client}", self.saved.password);
        self.monitor_url = format!("http://127.0.0.1:{monitor}");
        self.saved.ports = vec![client, monitor];
        self.saved.write(&self.directory.join("nats.json"))?;
        Ok(())
    }

    fn configuration(&self, client: u16, monitor: u16) -> String {
        // On a single node an acknowledged message is only safe once it is on the disk: there is no replica.
        let sync = match self.durability {
            Durability::Durable => "always",
            Durability::Fast => "2m",
        };
        let password = &self.saved.password;
        let users = match &self.users {
            None => format!("authorization {{\n  user: {USER}\n  password: \"{password}\"\n}}\n"),
            // The other form of the same: a server with accounts does not look at the first one.
            Some(file) => format!(
                "authorization {{\n  users: [ {{ user: {USER}, password: \"{password}\" }} ]\n}}\ninclude {file:?}\n"
            ),
        };
        let store = quoted(&self.directory.join("nats"));
        format!(
            "# Written at every start.\n\
             server_name: elder\n\
             listen: \"127.0.0.1:{client}\"\n\
             http: \"127.0.0.1:{monitor}\"\n\
             jetstream {{\n  store_dir: {store}\n  sync_interval: {sync}\n}}\n\
             {users}"
        )
    }
}

/// A path as a string of the configuration file.
fn quoted(path: &Path) -> String {
    format!("\"{}\"", path.to_string_lossy().replace('\\', "\\\\").replace('"', "\\\""))
}
