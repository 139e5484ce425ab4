//! `elder topology`: the streams and consumers as they should be, and a word about what the server does with them.

mod auth;

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use broker::Bus;
use broker::config::{NatsArgs, TopologyArgs};
use broker::topology::Action;
use clap::Args;
use secrecy::SecretString;
use serde::Deserialize;

use crate::runtime;

/// How long the monitoring page may take.
const MONITOR_TIMEOUT: Duration = Duration::from_secs(5);

/// Options of `elder topology`.
#[derive(Debug, Clone, Args)]
pub struct TopologyCommandArgs {
    /// NATS server, e.g. `nats://user:password@host:4222`; several are separated by commas
    #[arg(long, env = "NATS_URL", hide_env_values = true, value_name = "URL", required_unless_present = "auth")]
    nats_url: Option<SecretString>,
    /// File with the operator's NATS key, as `--auth` writes it; used instead of a password in the URL
    #[arg(long, env = "NATS_NKEY", value_name = "FILE")]
    nats_nkey: Option<PathBuf>,
    #[command(flatten)]
    topology: TopologyArgs,
    #[command(flatten)]
    monitor: MonitorArgs,
    /// Change nothing and print what differs from what it should be; exit code 1 if anything does
    #[arg(long)]
    check: bool,
    /// Write a NATS key for each role, and the server's list of what each may do, to FOLDER; no server is asked
    #[arg(long, value_name = "FOLDER")]
    auth: Option<PathBuf>,
}

/// Where the server tells how it is set up.
#[derive(Debug, Clone, Args)]
pub struct MonitorArgs {
    /// Monitoring address of the NATS server, e.g. `http://127.0.0.1:8222`, to see whether it syncs every write
    #[arg(long, env = "NATS_MONITOR_URL", value_name = "URL")]
    nats_monitor_url: Option<String>,
}

/// Creates and updates, prints what it did, warns of a server that may lose what it has acknowledged. With `--check` it
/// compares only, with `--auth` it writes keys and permissions.
pub fn run(args: TopologyCommandArgs) -> Result<()> {
    let TopologyCommandArgs { nats_url, nats_nkey, topology, monitor, check, auth } = args;
    let mut out = std::io::stdout().lock();
    if let Some(folder) = auth {
        return auth::run(&folder, check, &mut out);
    }
    let nats = NatsArgs { nats_url: nats_url.context("no NATS server is named")?, nats_nkey, topology };
    runtime::run(async |_stop| {
        let bus = Bus::connect(&nats, "topology").await?;
        if check {
            return compare(&bus, &mut out).await;
        }
        for change in bus.apply_topology().await? {
            let action = match change.action {
                Action::Created => "created",
                Action::Updated => "updated",
                Action::Unchanged => "unchanged",
                Action::Removed => "removed",
            };
            writeln!(out, "{action:<9}  {:<8}  {}", change.what, change.name)?;
            for difference in change.differences {
                writeln!(out, "           before: {difference}")?;
            }
        }
        warn_unless_synced(monitor.nats_monitor_url.as_deref()).await;
        Ok(())
    })
}

async fn compare(bus: &Bus, out: &mut impl Write) -> Result<()> {
    let differences = bus.check_topology().await?;
    for difference in &differences {
        writeln!(out, "{difference}")?;
    }
    match differences.len() {
        0 => Ok(()),
        count => {
            bail!("{count} differences from what the streams should be; the same without --check settles what it may")
        }
    }
}

#[derive(Deserialize)]
struct Varz {
    #[serde(default)]
    jetstream: Jetstream,
}

#[derive(Default, Deserialize)]
struct Jetstream {
    #[serde(default)]
    config: JetstreamConfig,
}

#[derive(Default, Deserialize)]
struct JetstreamConfig {
    #[serde(default)]
    sync_always: bool,
}

/// A server with the usual settings acknowledges messages up to two minutes before they are on the disk.
pub(crate) async fn warn_unless_synced(monitor: Option<&str>) {
    let Some(monitor) = monitor else {
        tracing::warn!("cannot tell whether NATS syncs every write: give its monitoring address as --nats-monitor-url");
        return;
    };
    match sync_always(monitor).await {
        Ok(true) => {}
        Ok(false) => tracing::warn!(
            "NATS acknowledges messages before they are on the disk; set `sync_interval: always` in its jetstream block. \
             Audits survive without it, but a power failure delays them"
        ),
        Err(error) => tracing::warn!(error = format!("{error:#}"), "cannot tell whether NATS syncs every write"),
    }
}

async fn sync_always(monitor: &str) -> Result<bool> {
    let client = reqwest::Client::builder().timeout(MONITOR_TIMEOUT).build()?;
    let url = format!("{}/varz", monitor.trim_end_matches('/'));
    let answer = client.get(&url).send().await.with_context(|| format!("cannot read {url}"))?;
    let varz: Varz = answer.json().await.with_context(|| format!("{url} is not what a NATS server shows"))?;
    Ok(varz.jetstream.config.sync_always)
}
