//! The roles as processes of their own: connect, run until told to stop, finish what was begun.

use anyhow::{Context as _, Result};
use broker::config::{DatabaseArgs, NatsArgs};
use broker::{Bus, Store, parts};
use clap::Args;
use producer::config::{PlannerArgs, ServeArgs};
use schemas::catalogue::Catalogue;
use tokio::task::JoinSet;
use worker::config::WorkerArgs;

use crate::runtime;

/// Options of `elder serve`.
#[derive(Debug, Clone, Args)]
pub struct ServeRoleArgs {
    #[command(flatten)]
    serve: ServeArgs,
    #[command(flatten)]
    nats: NatsArgs,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Options of `elder planner`.
#[derive(Debug, Clone, Args)]
pub struct PlannerRoleArgs {
    #[command(flatten)]
    planner: PlannerArgs,
    #[command(flatten)]
    nats: NatsArgs,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Options of `elder worker`.
#[derive(Debug, Clone, Args)]
pub struct WorkerRoleArgs {
    #[command(flatten)]
    worker: WorkerArgs,
    #[command(flatten)]
    nats: NatsArgs,
}

/// Options of `elder aggregator`.
#[derive(Debug, Clone, Args)]
pub struct AggregatorArgs {
    #[command(flatten)]
    nats: NatsArgs,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Options of `elder migrate`.
#[derive(Debug, Clone, Args)]
pub struct MigrateArgs {
    #[command(flatten)]
    database: DatabaseArgs,
}

/// The rules of this build, which planner and API must know of.
pub(crate) fn catalogue() -> Catalogue {
    worker::catalogue()
}

/// Takes webhooks and API requests until told to stop.
pub fn serve(args: ServeRoleArgs) -> Result<()> {
    let ServeRoleArgs { serve, nats, database } = args;
    runtime::run(async |stop| {
        let listener = producer::http::bind(&serve).await?;
        let (bus, store) = (connect(&nats, "serve").await?, Store::connect(&database)?);
        producer::http::run(listener, &serve, store, bus, catalogue(), stop).await
    })
}

/// Plans and dispatches until told to stop.
pub fn planner(args: PlannerRoleArgs) -> Result<()> {
    let PlannerRoleArgs { planner, nats, database } = args;
    runtime::run(async |stop| {
        let (bus, store) = (connect(&nats, "planner").await?, Store::connect(&database)?);
        producer::planner::run(&planner, store, bus, catalogue(), stop).await
    })
}

/// Analyzes until told to stop.
pub fn worker(args: WorkerRoleArgs) -> Result<()> {
    let WorkerRoleArgs { worker, nats } = args;
    runtime::run(async |stop| {
        let bus = connect(&nats, "worker").await?;
        worker::run::run(&worker, bus, stop).await
    })
}

/// Merges results until told to stop.
pub fn aggregator(args: AggregatorArgs) -> Result<()> {
    let AggregatorArgs { nats, database } = args;
    runtime::run(async |stop| {
        let (bus, store) = (connect(&nats, "aggregator").await?, Store::connect(&database)?);
        let mut parts = JoinSet::new();
        parts.spawn(broker::letters::run(store.clone(), bus.clone(), stop.clone()));
        parts.spawn(broker::janitor::run(store.clone(), bus.clone(), stop.clone()));
        Box::pin(parts::while_whole(broker::aggregator::run(store, bus, stop), &mut parts)).await?;
        Ok(parts::all(parts).await?)
    })
}

/// Brings the database schema up to date.
pub fn migrate(args: MigrateArgs) -> Result<()> {
    let MigrateArgs { database } = args;
    runtime::run(async |_stop| {
        let steps = Store::connect(&database)?.migrate().await?;
        tracing::info!(steps, "the database schema is up to date");
        Ok(())
    })
}

pub(crate) async fn connect(nats: &NatsArgs, role: &str) -> Result<Bus> {
    Bus::connect(nats, role).await.context("is the NATS server running, and NATS_URL right?")
}
