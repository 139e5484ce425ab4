//! `elder topology`: the streams and consumers as they should be, and a word about what the server does with them.

use std::io::Write as _;
use std::time::Duration;

use anyhow::{Context as _, Result};
use broker::Bus;
use broker::config::NatsArgs;
use broker::topology::Action;
use clap::Args;
use serde::Deserialize;

use crate::runtime;

/// How long the monitoring page may take.
const MONITOR_TIMEOUT: Duration = Duration::from_secs(5);

/// Options of `elder topology`.
#[derive(Debug, Clone, Args)]
pub struct TopologyCommandArgs {
    #[command(flatten)]
    nats: NatsArgs,
    #[command(flatten)]
    monitor: MonitorArgs,
}

/// Where the server tells how it is set up.
#[derive(Debug, Clone, Args)]
pub struct MonitorArgs {
    /// Monitoring address of the NATS server, e.g. `http://127.0.0.1:8222`, to see whether it syncs every write
    #[arg(long, env = "NATS_MONITOR_URL", value_name = "URL")]
    nats_monitor_url: Option<String>,
}

/// Creates and updates, prints what it did, warns of a server that may lose what it has acknowledged.
pub fn run(args: TopologyCommandArgs) -> Result<()> {
    let TopologyCommandArgs { nats, monitor } = args;
    runtime::run(async |_stop| {
        let bus = Bus::connect(&nats, "topology").await?;
        let mut out = std::io::stdout().lock();
        for change in bus.apply_topology().await? {
            let action = match change.action {
                Action::Created => "created",
                Action::Updated => "updated",
                Action::Unchanged => "unchanged",
                Action::Removed => "removed",
            };
            writeln!(out, "{action:<9}  {:<8}  {}", change.what, change.name)?;
        }
        drop(out);
        warn_unless_synced(monitor.nats_monitor_url.as_deref()).await;
        Ok(())
    })
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
