//! The whole product for one test: its own nats-server and Postgres, and the roles as processes.

mod keys;
mod links;
mod supervision;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use deploy::embedded::{Durability, EmbeddedConfig, Nats, Postgres, ports};

pub use self::links::Links;
pub use self::supervision::Death;

use crate::cluster::Cluster;
use crate::elder;
use crate::http::Api;
use crate::process::{Process, Run, is_running};
use crate::scratch::Scratch;
use crate::wait::{LONG, wait_for};

/// What every [`Stack`] takes as the token of its API and the secret of its webhooks.
pub const SECRET: &str = "a secret of the tests";

/// Ports that `serve` is tried with; another test may take one in the moment between choosing it and listening on it.
const PORT_TRIES: usize = 4;

/// A role of the product, which runs as a process of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Webhooks, REST, WebSocket.
    Serve,
    /// Fetches and plans.
    Planner,
    /// Runs the magics.
    Worker,
    /// Merges the results.
    Aggregator,
}

impl Role {
    fn command(self) -> &'static str {
        match self {
            Self::Serve => "serve",
            Self::Planner => "planner",
            Self::Worker => "worker",
            Self::Aggregator => "aggregator",
        }
    }
}

/// How a [`Stack`] differs from the usual one.
#[derive(Debug, Clone)]
pub struct StackConfig {
    /// Whether the servers write through to the disk; a test about lost machines wants it, all others are faster.
    pub durability: Durability,
    /// How many workers are started.
    pub workers: usize,
    /// More environment for every role.
    pub environment: Vec<(String, String)>,
    /// Whether each role reaches both servers through fault proxies of its own, see [`Stack::links`].
    pub is_proxied: bool,
    /// Whether the queue is a cluster of three servers, see [`Stack::cluster`]; then `Stack::nats` has nothing to do.
    pub is_clustered: bool,
}

impl Default for StackConfig {
    fn default() -> Self {
        Self {
            durability: Durability::Fast,
            workers: 2,
            environment: Vec::new(),
            is_proxied: false,
            is_clustered: false,
        }
    }
}

/// Both servers and every role; dropping it kills them all.
pub struct Stack {
    // First, so that the roles are gone before the servers are.
    roles: BTreeMap<(Role, usize), (Run, Option<Process>)>,
    links: BTreeMap<Role, Links>,
    cluster: Option<Cluster>,
    /// The message broker: kill, stop and restart it as the test wants.
    pub nats: Nats,
    /// The database, likewise.
    pub postgres: Postgres,
    api: Api,
    environment: Vec<(String, String)>,
    _outside: Outside,
    scratch: Scratch,
}

/// The data of a Postgres whose user cannot reach the test's folder; removed after the servers have ended.
struct Outside(Option<PathBuf>);

impl Outside {
    fn of(postgres: &Postgres, scratch: &Scratch) -> Self {
        // The folder of this one stack: <outside>/<digest>/postgres/data.
        let data = postgres.data();
        Self(if data.starts_with(scratch.path()) { None } else { data.ancestors().nth(2).map(Path::to_owned) })
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        if let Some(folder) = &self.0 {
            drop(std::fs::remove_dir_all(folder));
        }
    }
}

impl Stack {
    /// The usual one: every role once, two workers, ready for requests.
    pub async fn start() -> Self {
        Self::start_with(StackConfig::default()).await
    }

    /// One that differs.
    pub async fn start_with(config: StackConfig) -> Self {
        let workers = config.workers;
        let mut stack = Self::services(config).await;
        stack.set_up().await;
        stack.add(Role::Serve).await;
        stack.add(Role::Planner).await;
        stack.add(Role::Aggregator).await;
        for _ in 0..workers {
            stack.add(Role::Worker).await;
        }
        stack
    }

    /// Only the two servers, empty.
    pub async fn services(config: StackConfig) -> Self {
        let StackConfig { durability, workers: _, environment, is_proxied, is_clustered } = config;
        let scratch = Scratch::new();
        let services = embedded_config(&scratch.path().join("services"));
        let nats = Nats::start(&services, durability);
        let postgres = Postgres::start(&services, durability);
        let (nats, postgres) = tokio::join!(Box::pin(nats), Box::pin(postgres));
        let nats = nats.unwrap_or_else(|error| panic!("{error:#}"));
        let postgres = postgres.unwrap_or_else(|error| panic!("{error:#}"));
        let api = Api::new("http://127.0.0.1:0", SECRET);
        let outside = Outside::of(&postgres, &scratch);
        let cluster = if is_clustered { Some(Cluster::start(&scratch.path().join("cluster")).await) } else { None };
        let mut stack = Self {
            roles: BTreeMap::new(),
            links: BTreeMap::new(),
            cluster,
            nats,
            postgres,
            api,
            environment,
            _outside: outside,
            scratch,
        };
        if is_proxied {
            stack.links = stack.start_links().await;
        }
        stack
    }

    /// Makes the tables and the streams.
    pub async fn set_up(&self) {
        for command in ["migrate", "topology"] {
            let process = self.run(command, [command]).start().await;
            let status = process.exited().await;
            assert!(status.success(), "elder {command} ended with {status}:\n{}", process.log());
        }
    }

    /// Starts one more process of a role and returns its index; `serve` is ready when this returns.
    pub async fn add(&mut self, role: Role) -> usize {
        let index = self.roles.keys().filter(|(other, _)| *other == role).count();
        let name = format!("{}-{index}", role.command());
        let (run, process) = if role == Role::Serve {
            self.start_serving(&name).await
        } else {
            let run = self.role(role, &name);
            let process = run.start().await;
            (run, process)
        };
        self.roles.insert((role, index), (run, Some(process)));
        index
    }

    /// A process that runs.
    pub fn process(&self, role: Role, index: usize) -> &Process {
        let (_, process) = self.roles.get(&(role, index)).expect("the role was added");
        process.as_ref().expect("the role was not stopped")
    }

    /// SIGKILL, as when a machine is lost.
    pub async fn kill(&mut self, role: Role, index: usize) {
        self.take(role, index).kill().await;
    }

    /// SIGTERM; the process must end well.
    pub async fn stop(&mut self, role: Role, index: usize) {
        self.take(role, index).stop().await;
    }

    /// Starts a process again as it was, killing it first if it runs.
    pub async fn restart(&mut self, role: Role, index: usize) {
        let (run, process) = self.roles.get_mut(&(role, index)).expect("the role was added");
        if let Some(process) = process.take() {
            process.kill().await;
        }
        *process = Some(run.start().await);
        if role == Role::Serve {
            let (_, process) = &self.roles[&(role, index)];
            assert!(self.serves(process.as_ref()).await, "elder serve did not start again");
        }
    }

    /// Every stream, consumer and bundle is gone, as when the disk of the message broker is lost.
    pub async fn wipe_nats(&mut self) {
        self.nats.kill().await;
        let store = self.folder("services").join("nats");
        std::fs::remove_dir_all(&store).unwrap_or_else(|error| panic!("{}: {error}", store.display()));
        self.nats.restart().await.unwrap_or_else(|error| panic!("{error:#}"));
    }

    /// Where the queue is, as a client needs it.
    pub fn nats_url(&self) -> String {
        self.cluster.as_ref().map_or_else(|| self.nats.url().to_owned(), Cluster::url)
    }

    /// The three servers of the queue, where it has three.
    pub fn cluster(&mut self) -> &mut Cluster {
        self.cluster.as_mut().expect("the stack was started with a cluster")
    }

    /// The processes of the queue.
    pub fn nats_pids(&self) -> Vec<u32> {
        self.cluster.as_ref().map_or_else(|| self.nats.pid().into_iter().collect(), Cluster::pids)
    }

    /// The product over HTTP, with the token of the tests.
    pub fn api(&self) -> &Api {
        &self.api
    }

    /// A folder of this test, e.g. for fixture repositories.
    pub fn folder(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// Any other `elder` command against this stack, not yet started.
    pub fn run<A: Into<OsString>>(&self, name: &str, arguments: impl IntoIterator<Item = A>) -> Run {
        let run = Run::new(self.scratch.path(), name, arguments)
            .env("NATS_URL", self.nats_url())
            .env("DATABASE_URL", self.postgres.url());
        let run = self.key_of_process(name).into_iter().fold(run, |run, key| run.env("NATS_NKEY", key));
        self.environment.iter().fold(run, |run, (name, value)| run.env(name, value))
    }

    fn take(&mut self, role: Role, index: usize) -> Process {
        let (_, process) = self.roles.get_mut(&(role, index)).expect("the role was added");
        process.take().expect("the role runs")
    }

    fn role(&self, role: Role, name: &str) -> Run {
        let run = self.run(name, [role.command(), "--log-format", "json"]);
        let mut run = self.links.get(&role).map_or(run.clone(), |links| links.lead(run));
        match role {
            Role::Serve => run = run.env("ELDER_API_TOKEN", SECRET).env("ELDER_ALLOW_LOCAL", "true"),
            Role::Planner => {
                run.arguments.extend(["--mirrors".into(), self.folder("mirrors").into(), "--allow-local".into()]);
            }
            // Nothing but NATS: a worker that needs more than that fails here.
            Role::Worker => run.environment.retain(|(name, _)| name != "DATABASE_URL"),
            Role::Aggregator => {}
        }
        run
    }

    async fn start_serving(&mut self, name: &str) -> (Run, Process) {
        for _ in 0..PORT_TRIES {
            let port = ports::any_free().expect("the machine has a free port");
            let run = self.role(Role::Serve, name).env("ELDER_LISTEN", format!("127.0.0.1:{port}"));
            self.api = Api::new(format!("http://127.0.0.1:{port}"), SECRET);
            let process = run.start().await;
            if self.serves(Some(&process)).await {
                return (run, process);
            }
            let log = process.log();
            assert!(log.to_lowercase().contains("address already in use"), "elder serve ended:\n{log}");
        }
        panic!("elder serve found each of {PORT_TRIES} ports taken");
    }

    /// Waits until it is ready, or has ended.
    async fn serves(&self, process: Option<&Process>) -> bool {
        wait_for("elder serve to be ready", LONG, async || {
            if !process.is_some_and(|process| is_running(process.pid())) {
                return Some(false);
            }
            self.api.is_ok("/health/ready").await.then_some(true)
        })
        .await
    }
}

/// The configuration of embedded services with the program under test as their guard.
pub fn embedded_config(directory: &Path) -> EmbeddedConfig {
    EmbeddedConfig { directory: directory.to_owned(), tools: tools(), guard: elder::program().to_owned() }
}

/// The workspace's `.tools`, or nothing so that PATH is searched.
pub fn tools() -> Option<PathBuf> {
    let tools = elder::workspace().join(".tools");
    tools.join("bin/nats-server").exists().then(|| std::path::absolute(tools).expect("the workspace has a path"))
}
