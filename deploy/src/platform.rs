//! The whole platform in this process: embedded services, unless others are named, and one of each role.

use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result, bail};
use broker::config::{DatabaseArgs, NatsArgs, TopologyArgs};
use broker::{Bus, Store};
use clap::Args;
use producer::config::{AccessArgs, DispatchArgs, PlannerArgs, ServeArgs, WAITING_AUDITS_MAX};
use producer::sharding::ShardLimits;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;
use worker::config::WorkerArgs;

use crate::embedded::{Embedded, EmbeddedArgs};
use crate::roles::catalogue;

/// Options of the commands that run the whole platform.
#[derive(Debug, Clone, Args)]
pub(crate) struct PlatformArgs {
    #[command(flatten)]
    pub(crate) embedded: EmbeddedArgs,
    /// NATS server to use instead of the embedded one; needs DATABASE_URL too
    #[arg(long, env = "NATS_URL", hide_env_values = true, value_name = "URL", requires = "database_url")]
    pub(crate) nats_url: Option<SecretString>,
    /// Postgres database to use instead of the embedded one; needs NATS_URL too
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL", requires = "nats_url")]
    pub(crate) database_url: Option<SecretString>,
    /// Token for the API; made up and kept in the data folder if not given
    #[arg(long, env = "ELDER_API_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub(crate) api_token: Option<SecretString>,
    #[command(flatten)]
    pub(crate) access: AccessArgs,
    #[command(flatten)]
    pub(crate) worker: WorkerArgs,
}

/// The platform, running.
pub(crate) struct Platform {
    embedded: Option<Embedded>,
    roles: JoinSet<Result<()>>,
    stop: CancellationToken,
    /// Where the API answers, e.g. `http://127.0.0.1:8080`.
    pub(crate) url: String,
    /// What the API asks for.
    pub(crate) api_token: SecretString,
    /// With credentials: for the operator's own screen, never for a log.
    pub(crate) nats_url: SecretString,
    /// With credentials: for the operator's own screen, never for a log.
    pub(crate) database_url: SecretString,
}

impl Platform {
    /// Starts services and roles; returns when requests are taken. Cancelling `stop` ends the roles.
    pub(crate) async fn start(args: PlatformArgs, listen: SocketAddr, stop: CancellationToken) -> Result<Self> {
        let PlatformArgs { embedded, nats_url, database_url, api_token, access, worker } = args;
        let folder = embedded.directory().to_owned();
        let (embedded, nats_url, database_url) = match (nats_url, database_url) {
            (Some(nats), Some(database)) => (None, nats, database),
            _ => {
                let services = Box::pin(Embedded::start(embedded.into_config()?)).await?;
                crate::topology::warn_unless_synced(Some(services.nats_monitor_url())).await;
                let (nats, database) = (services.nats_url().into(), services.database_url().into());
                (Some(services), nats, database)
            }
        };
        let api_token = api_token.map_or_else(|| kept_token(&folder), Ok)?;
        let mut platform =
            Self { embedded, roles: JoinSet::new(), stop, url: String::new(), api_token, nats_url, database_url };
        platform.start_roles(listen, &folder, access, worker).await?;
        Ok(platform)
    }

    async fn start_roles(
        &mut self,
        listen: SocketAddr,
        folder: &Path,
        access: AccessArgs,
        worker: WorkerArgs,
    ) -> Result<()> {
        let nats = NatsArgs { nats_url: self.nats_url.clone(), nats_nkey: None, topology: TopologyArgs::default() };
        let database = DatabaseArgs { database_url: self.database_url.clone(), database_connections: 20 };
        let (bus, store) = (Bus::connect(&nats, "up").await?, Store::connect(&database)?);
        store.migrate().await?;
        bus.apply_topology().await?;
        let (api_token, waiting_audits_max) = (self.api_token.clone(), WAITING_AUDITS_MAX);
        let serve = ServeArgs { listen, api_token, waiting_audits_max, access: access.clone() };
        let listener = producer::http::bind(&serve).await?;
        self.url = format!("http://{}", listener.local_addr()?);
        let planner = PlannerArgs {
            mirrors: folder.join("mirrors"),
            ssh_key: None,
            plans_at_once: 4,
            shard_files: ShardLimits::default().files_max,
            dispatch: DispatchArgs::default(),
            lost_after_secs: 120,
            access,
        };
        let (stop, roles) = (&self.stop, &mut self.roles);
        let own = || (store.clone(), bus.clone(), stop.clone());
        let (role_store, role_bus, role_stop) = own();
        roles.spawn(async move {
            producer::http::run(listener, &serve, role_store, role_bus, catalogue(), role_stop).await
        });
        let (role_store, role_bus, role_stop) = own();
        roles
            .spawn(async move { producer::planner::run(&planner, role_store, role_bus, catalogue(), role_stop).await });
        let (_, role_bus, role_stop) = own();
        roles.spawn(async move { worker::run::run(&worker, role_bus, role_stop).await });
        let (role_store, role_bus, role_stop) = own();
        roles.spawn(async move {
            broker::letters::run(role_store, role_bus, role_stop).await;
            Ok(())
        });
        let (role_store, role_bus, role_stop) = own();
        roles.spawn(async move {
            broker::janitor::run(role_store, role_bus, role_stop).await;
            Ok(())
        });
        let (role_store, role_bus, role_stop) = own();
        roles.spawn(async move {
            broker::aggregator::run(role_store, role_bus, role_stop).await;
            Ok(())
        });
        Ok(())
    }

    /// Resolves when something that should run does not any more, or the stop was asked for.
    pub(crate) async fn failed(&mut self) -> Result<()> {
        let stop = self.stop.clone();
        let embedded = &mut self.embedded;
        let service_died = async {
            match embedded {
                Some(services) => services.died().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = stop.cancelled() => Ok(()),
            (service, status) = service_died => bail!("{service} ended unexpectedly with {status}"),
            ended = self.roles.join_next() => match ended {
                Some(Ok(Ok(()))) | None => Ok(()),
                Some(Ok(Err(error))) => Err(error),
                Some(Err(error)) => Err(error.into()),
            },
        }
    }

    /// Lets the roles finish what they began, then stops the services.
    pub(crate) async fn stop(mut self) -> Result<()> {
        self.stop.cancel();
        let mut outcome = Ok(());
        while let Some(ended) = self.roles.join_next().await {
            let ended = ended.map_err(anyhow::Error::from).and_then(|ended| ended);
            outcome = outcome.and(ended);
        }
        if let Some(services) = self.embedded.take() {
            outcome = outcome.and(services.stop().await);
        }
        outcome
    }
}

/// The token of the last start, or a new one, readable by the owner of the folder alone.
fn kept_token(folder: &Path) -> Result<SecretString> {
    let path = folder.join("api-token");
    if let Ok(token) = fs::read_to_string(&path) {
        return Ok(token.trim().into());
    }
    let token: SecretString = format!("elder_{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple()).into();
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&path);
    let written = file.and_then(|mut file| writeln!(file, "{}", token.expose_secret()));
    written.with_context(|| format!("cannot write {}", path.display()))?;
    Ok(token)
}
