//! A stack whose tasks have nothing to read, so that all that takes time is their way through queue and record.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use broker::Store;
use broker::store::{OUTBOX_CHANNEL, Wakeups};
use deploy::embedded::Durability;
use schemas::ids::AuditId;
use schemas::request::Priority;
use tests::cluster;
use tests::noop::Noop;
use tests::stack::{Role, Stack, StackConfig};

/// How often the record is looked at when nothing is announced.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Longest audit; a benchmark that waits this long measures a fault.
const AUDIT_TIME_MAX: Duration = Duration::from_secs(600);

/// The project of every audit.
const PROJECT: &str = "nothing";

/// The servers that a stack runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Servers {
    /// One nats-server, one Postgres; neither waits for the disk.
    Lazy,
    /// The same, and both wait for the disk.
    Synced,
    /// Three nats-servers, each stream on all of them: a message is stored when two have it. None waits for the disk.
    ThreeNodes,
}

impl Servers {
    /// What the table says of them.
    pub fn title(self) -> &'static str {
        match self {
            Self::Lazy => "NATS sync_interval 2m, Postgres fsync off",
            Self::Synced => "NATS sync_interval always, Postgres fsync on",
            Self::ThreeNodes => "three nats-servers, 3 replicas, sync_interval 2m, Postgres fsync off",
        }
    }

    /// Copies of each message.
    pub fn replicas(self) -> usize {
        if self == Self::ThreeNodes { cluster::NODES } else { 1 }
    }

    fn config(self, workers: usize) -> StackConfig {
        let durability = if self == Self::Synced { Durability::Durable } else { Durability::Fast };
        let settings = [
            // Nothing is lost here, and nothing must be taken for lost while it waits for its turn.
            ("ELDER_LOST_AFTER_SECS", "86400".to_owned()),
            ("ELDER_NATS_REPLICAS", self.replicas().to_string()),
        ];
        let environment = settings.map(|(name, value)| (name.to_owned(), value)).into();
        let is_clustered = self == Self::ThreeNodes;
        StackConfig { durability, workers, environment, is_clustered, ..StackConfig::default() }
    }
}

/// Planner, aggregator and workers beside a record that holds audits which nobody has planned yet.
pub struct IdleStack {
    /// The processes.
    pub stack: Stack,
    noop: Noop,
    audits: Vec<AuditId>,
    announced: Wakeups,
}

impl IdleStack {
    /// Starts one with `audits` audits and `workers` workers.
    ///
    /// # Errors
    /// If a server refuses something.
    pub async fn start(servers: Servers, workers: usize, audits: usize) -> Result<Self> {
        let mut stack = Stack::services(servers.config(workers)).await;
        stack.set_up().await;
        let noop = Noop::connect(&stack).await;
        noop.project(PROJECT, Some("core")).await;
        let mut ids = Vec::new();
        for _ in 0..audits {
            ids.push(noop.record(PROJECT, Priority::Normal).await);
        }
        let announced = noop.store.listen(OUTBOX_CHANNEL).await?;
        stack.add(Role::Planner).await;
        stack.add(Role::Aggregator).await;
        for _ in 0..workers {
            stack.add(Role::Worker).await;
        }
        Ok(Self { stack, noop, audits: ids, announced })
    }

    /// The record.
    pub fn store(&self) -> &Store {
        &self.noop.store
    }

    /// The project of every audit.
    pub fn project(&self) -> &'static str {
        PROJECT
    }

    /// Starts the next audit with `tasks` empty tasks. Returns how long it took to commit that, and from there until
    /// the verdict could be read.
    ///
    /// # Errors
    /// If the record refuses, or the audit does not end.
    pub async fn audit(&mut self, tasks: usize) -> Result<(Duration, Duration)> {
        let id = self.audits.pop().context("every recorded audit was used")?;
        let plan = self.noop.plan(tasks, 1);
        let begin = Instant::now();
        ensure!(self.store().start_audit(id, &plan).await?, "audit {id} was not waiting");
        let committed = Instant::now();
        while self.store().audit(id).await?.is_none_or(|audit| audit.finished_at.is_none()) {
            ensure!(committed.elapsed() < AUDIT_TIME_MAX, "audit {id} does not end");
            // The announcement of the verdict is part of its commit. A missed one costs a look.
            if let Ok(announced) = tokio::time::timeout(LOOK_EVERY, self.announced.next()).await {
                announced?;
            }
        }
        Ok((committed - begin, committed.elapsed()))
    }

    /// Every process that takes part, by name; all of a kind have one name.
    pub fn processes(&self, workers: usize) -> Vec<(&'static str, u32)> {
        let stack = &self.stack;
        let mut processes = vec![
            ("dispatcher", stack.process(Role::Planner, 0).pid()),
            ("aggregator", stack.process(Role::Aggregator, 0).pid()),
            ("postgres", stack.postgres.pid().unwrap_or_default()),
        ];
        processes.extend(stack.nats_pids().into_iter().map(|pid| ("nats-server", pid)));
        processes.extend((0..workers).map(|index| ("workers", stack.process(Role::Worker, index).pid())));
        processes
    }
}
