//! `elder up`: the whole platform on one machine, until told to stop.

use std::io::Write as _;
use std::net::SocketAddr;

use anyhow::Result;
use clap::Args;
use secrecy::ExposeSecret as _;
use uuid::Uuid;

use crate::platform::{Platform, PlatformArgs};
use crate::runtime;

/// Options of `elder up`.
#[derive(Debug, Clone, Args)]
pub struct UpArgs {
    #[command(flatten)]
    platform: PlatformArgs,
    /// Address and port of API and webhooks
    #[arg(long, env = "ELDER_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
}

/// Starts, prints what to try, and runs until Ctrl-C, SIGTERM, or the end of something that should not end.
pub fn run(args: UpArgs) -> Result<()> {
    let UpArgs { platform, listen } = args;
    runtime::run(async |stop| {
        let starting = Box::pin(Platform::start(platform, listen, stop.clone()));
        let Some(started) = stop.run_until_cancelled(starting).await else {
            return Ok(());
        };
        let mut platform = started?;
        announce(&platform)?;
        let failed = platform.failed().await;
        failed.and(platform.stop().await)
    })
}

fn announce(platform: &Platform) -> std::io::Result<()> {
    let Platform { url, api_token, nats_url, database_url, .. } = platform;
    let (token, nats) = (api_token.expose_secret(), nats_url.expose_secret());
    let mut out = std::io::stdout().lock();
    writeln!(out, "Ancient Elder is up. Ctrl-C stops it.\n")?;
    writeln!(out, "  API        {url}/api/v1        webhooks  {url}/webhooks/github/PROJECT")?;
    writeln!(out, "  metrics    {url}/metrics       health    {url}/health/ready")?;
    writeln!(out, "  token      {token}")?;
    writeln!(out, "  NATS       {nats}")?;
    writeln!(out, "  Postgres   {}\n", database_url.expose_secret())?;
    writeln!(out, "Register a repository, then audit it:\n")?;
    writeln!(out, "  curl -H 'Authorization: Bearer {token}' {url}/api/v1/projects \\")?;
    writeln!(
        out,
        "    -d '{{\"project_id\": \"demo\", \"repository_url\": \"https://github.com/OWNER/NAME.git\"}}'\n"
    )?;
    writeln!(out, "  nats -s {nats} req audit.request '{{\"project\": \"demo\"}}'\n")?;
    writeln!(out, "Or give a file to a magic without any repository, and watch what comes of it all:\n")?;
    let (task, file) = (Uuid::new_v4(), r##"{"files": [{"path": "a.py", "text": "# FIXME x\n"}]}"##);
    writeln!(out, "  nats -s {nats} pub -J audit.task.normal.integrity.demo.{task}.0 '{file}'")?;
    writeln!(out, "  nats -s {nats} sub 'audit.event.>'")?;
    out.flush()
}
