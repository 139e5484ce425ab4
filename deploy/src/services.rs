//! `elder services`: only the embedded NATS and Postgres, for tests and for roles started by hand.

use std::io::Write as _;

use anyhow::{Context as _, Result, bail};
use tokio::signal::unix::{SignalKind, signal};

use crate::embedded::{Embedded, EmbeddedArgs};

/// Options of `elder services`.
#[derive(Debug, clap::Args)]
pub struct ServicesArgs {
    #[command(flatten)]
    embedded: EmbeddedArgs,
}

/// Starts both services, prints their two URLs as environment lines, and stops them on SIGINT or SIGTERM.
pub fn run(arguments: ServicesArgs) -> Result<()> {
    let ServicesArgs { embedded } = arguments;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    runtime.block_on(serve(embedded))
}

async fn serve(arguments: EmbeddedArgs) -> Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut embedded = tokio::select! {
        // Dropping a half-done start kills what it had started.
        _ = interrupt.recv() => return Ok(()),
        _ = terminate.recv() => return Ok(()),
        started = Box::pin(Embedded::start(arguments.into_config()?)) => started?,
    };
    announce(&embedded).context("failed to print the addresses of the services")?;
    let death = tokio::select! {
        _ = interrupt.recv() => None,
        _ = terminate.recv() => None,
        death = embedded.died() => Some(death),
    };
    embedded.stop().await?;
    match death {
        None => Ok(()),
        Some((service, status)) => bail!("{service} ended unexpectedly with {status}"),
    }
}

fn announce(embedded: &Embedded) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "NATS_URL={}", embedded.nats_url())?;
    writeln!(out, "DATABASE_URL={}", embedded.database_url())?;
    out.flush()
}
