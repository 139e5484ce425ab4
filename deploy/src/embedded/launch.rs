//! Starting one server and waiting until it can really be used.

use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use nix::sys::signal::Signal;
use tokio::time::{Instant, sleep, timeout};

use super::Service;
use super::child::Child;
use super::lock::service_lock;
use super::log::Log;

/// How long a server may take to be ready. Postgres that recovers from a crash replays up to 512 MiB of log first.
const READY_WITHIN: Duration = Duration::from_secs(120);

/// How long an earlier server of the same data may take to end.
const FREE_WITHIN: Duration = Duration::from_secs(30);

/// How often a server is asked whether it is ready.
const ASK_EVERY: Duration = Duration::from_millis(20);

/// How long one such question may take; a server that is busy starting is asked again.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// How long a graceful stop may take before it is forced.
const STOP_WITHIN: Duration = Duration::from_secs(20);

/// Ports that are tried before giving up. Another program would have to take each in the moment between choosing it and
/// listening on it.
pub(super) const PORT_TRIES: usize = 8;

/// Why a server did not start.
#[derive(Debug)]
pub(super) enum Failure {
    /// Somebody else has its port; another one may do.
    PortTaken(anyhow::Error),
    /// Trying again would not help.
    Other(anyhow::Error),
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::Other(error.into())
    }
}

/// How to find out whether a server is ready.
#[derive(Debug, Clone, Copy)]
pub(super) enum Probe<'a> {
    /// It takes the password on this port.
    Nats { port: u16, password: &'a str },
    /// It serves this data on this port.
    Postgres { port: u16, data: &'a Path },
}

impl Probe<'_> {
    async fn is_ready(self, pid: u32) -> bool {
        match self {
            Self::Nats { port, password } => super::nats::ready::is_ready(port, password).await,
            Self::Postgres { port, data } => super::postgres::ready::is_ready(data, pid, port).await,
        }
    }
}

/// Which server to start, and with which files.
#[derive(Debug)]
pub(super) struct Launch<'a> {
    pub(super) service: Service,
    pub(super) lock: &'a Path,
    pub(super) log: &'a Path,
    /// Sent to a server that is dropped while it runs.
    pub(super) last_signal: Signal,
}

impl Launch<'_> {
    /// Starts `command` and returns when `probe` says that it is ready.
    pub(super) async fn start(&self, mut command: Command, probe: Probe<'_>) -> Result<Child, Failure> {
        let lock: File = service_lock(self.lock, FREE_WITHIN).await?;
        let log = Log::open(self.log)?;
        command.stdin(lock).stdout(log.writer()?).stderr(log.writer()?);
        let child = Child::start(command, self.last_signal)
            .await
            .with_context(|| format!("failed to start {}", self.service))?;
        let deadline = Instant::now() + READY_WITHIN;
        loop {
            let answer = tokio::select! {
                status = child.exited() => return Err(self.ended(&format!("ended with {status}"), &log)),
                answer = timeout(ANSWER_WITHIN, probe.is_ready(child.pid())) => answer.unwrap_or(false),
            };
            if answer {
                return Ok(child);
            }
            if Instant::now() > deadline {
                return Err(self.ended(&format!("was not ready after {} s", READY_WITHIN.as_secs()), &log));
            }
            sleep(ASK_EVERY).await;
        }
    }

    fn ended(&self, how: &str, log: &Log) -> Failure {
        let tail = log.tail();
        let error = anyhow!("{} {how}; {tail}", self.service);
        // Both servers use the system's words for it, in different case.
        let port_taken = tail.to_ascii_lowercase().contains("address already in use");
        if port_taken { Failure::PortTaken(error) } else { Failure::Other(error) }
    }
}

/// Ends `child` at once, and waits until everything that it started is gone too. Postgres's own children notice its end
/// a moment later, and until then they would still take a statement from a client that is connected.
pub(super) async fn kill(child: Child, lock: &Path) {
    child.signal(Signal::SIGKILL);
    child.exited().await;
    if let Err(error) = service_lock(lock, FREE_WITHIN).await {
        tracing::warn!("after a server was killed, {error:#}");
    }
}

/// Asks `child` to end with `signal`, and forces it when that takes too long.
pub(super) async fn stop(service: Service, child: Child, signal: Signal) {
    child.signal(signal);
    if timeout(STOP_WITHIN, child.exited()).await.is_err() {
        tracing::warn!("{service} did not stop within {} s and is killed", STOP_WITHIN.as_secs());
        child.signal(Signal::SIGKILL);
        child.exited().await;
    }
}
