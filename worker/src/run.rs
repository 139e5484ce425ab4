//! The worker's loop: pull a few tasks, have them dealt with, and end in time when told to.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::bail;
use broker::Bus;
use broker::error::chain;
use broker::heartbeat::Heartbeats;
use broker::stopped::Stopped;
use broker::subscription::tasks::TaskSubscription;
use schemas::catalogue::Ruleset;
use schemas::ids::PoolName;
use schemas::magic::Magic;
use schemas::presence::WorkerPresence;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::batch::Batch;
use crate::bundles::Bundles;
use crate::config::WorkerArgs;
use crate::presence::{Running, show, unix_millis};
use crate::rules::catalogue;
use crate::{identity, pool};

/// How long handing back may take; taking leave takes up to another two seconds, and five are promised for both.
const LEAVE_TIME_MAX: Duration = Duration::from_secs(3);

/// What a worker needs. Clones share it.
#[derive(Clone)]
pub(crate) struct Worker {
    pub(crate) bus: Bus,
    pub(crate) name: Arc<str>,
    pub(crate) rulesets: Arc<BTreeMap<Magic, Ruleset>>,
    pub(crate) heartbeats: Heartbeats,
    pub(crate) bundles: Bundles,
    pub(crate) stopped: Stopped,
    pub(crate) running: Running,
    /// How long one file or commit may take.
    pub(crate) step_time_max: Duration,
    /// Cancelled when there is no time left: what is not done is handed back.
    pub(crate) hurry: CancellationToken,
    /// Cancelled when so many threads hang that this process is of no use any more.
    pub(crate) broken: CancellationToken,
}

/// Works until `stop` is cancelled, then finishes what was begun, and hands back what takes too long.
///
/// # Errors
/// If the system gives no thread, or too many threads hang in analyzers and only a new process helps.
pub async fn run(args: &WorkerArgs, bus: Bus, stop: CancellationToken) -> anyhow::Result<()> {
    let WorkerArgs { pool, threads, slots, step_secs, drain_secs } = args;
    pool::set_threads(usize::from(*threads));
    let step_time_max = Duration::from_secs(u64::from(*step_secs));
    // Cancelled, too, when this future is dropped, so that nothing of it goes on.
    let ended = CancellationToken::new();
    let _end = ended.clone().drop_guard();
    let worker = Worker {
        name: identity::new_name().into(),
        rulesets: Arc::new(catalogue().rulesets()),
        heartbeats: bus.heartbeats(step_time_max)?,
        bundles: Bundles::default(),
        stopped: Stopped::watch(bus.clone(), ended.clone()),
        running: Running::default(),
        step_time_max,
        hurry: CancellationToken::new(),
        broken: CancellationToken::new(),
        bus,
    };
    // An end of its own, or an order from outside: both begin the same drain.
    let stop = stop.child_token();
    tokio::spawn(keep_time(worker.clone(), stop.clone(), Duration::from_secs(u64::from(*drain_secs)), ended.clone()));
    let presence = WorkerPresence { pool: pool.clone(), ..worker.presence(*slots) };
    let shown = tokio::spawn(show(worker.bus.clone(), presence, worker.running.clone(), ended.clone()));
    tracing::info!(worker = %worker.name, "working");
    let work = Box::pin(worker.pull(usize::from(*slots), &stop));
    let late = async {
        worker.hurry.cancelled().await;
        tokio::time::sleep(LEAVE_TIME_MAX).await;
    };
    tokio::select! {
        () = work => {}
        () = late => tracing::warn!("some tasks could not be handed back; they will come again after the ack wait"),
    }
    ended.cancel();
    drop(tokio::time::timeout(LEAVE_TIME_MAX / 4, shown).await);
    if let Err(error) = worker.bus.flush().await {
        tracing::warn!(error = %chain(&error), "what was handed back may come only after the ack wait");
    }
    if worker.broken.is_cancelled() {
        bail!("too many threads hang in analyzers, and none can be ended from outside; start a new worker");
    }
    Ok(())
}

/// Cancels what is to be cancelled when its time has come.
async fn keep_time(worker: Worker, stop: CancellationToken, drain_time: Duration, ended: CancellationToken) {
    let times = async {
        tokio::select! {
            () = stop.cancelled() => {}
            () = worker.broken.cancelled() => stop.cancel(),
        }
        tokio::time::sleep(drain_time).await;
        worker.hurry.cancel();
    };
    ended.run_until_cancelled(times).await;
}

impl Worker {
    fn presence(&self, slots: u16) -> WorkerPresence {
        WorkerPresence {
            worker: self.name.to_string(),
            pool: PoolName::default(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: unix_millis(),
            slots: slots.into(),
            threads: u32::try_from(pool::threads()).unwrap_or(u32::MAX),
            running: 0,
            ended_lately: 0,
            files_read: 0,
            files_parsed: 0,
            tasks: Vec::new(),
        }
    }

    /// Pulls a batch whenever there is a slot for it, until `stop` is cancelled; returns when all of them have ended.
    async fn pull(&self, slots: usize, stop: &CancellationToken) {
        let slots = Arc::new(Semaphore::new(slots));
        let mut tasks = TaskSubscription::new(&self.bus, self.heartbeats.clone());
        let (running, batch) = (TaskTracker::new(), Arc::new(Batch::default()));
        // A slot first, then messages: one that is taken before it can be worked on only gets old.
        while let Some(Ok(slot)) = self.hurry.run_until_cancelled(Arc::clone(&slots).acquire_owned()).await {
            let Some(leases) = tasks.next(batch.size(), stop).await else { break };
            let (worker, batch) = (self.clone(), Arc::clone(&batch));
            running.spawn(async move {
                let (count, begun) = (leases.len(), Instant::now());
                worker.work(leases).await;
                batch.note(count, begun.elapsed());
                drop(slot);
            });
        }
        self.hand_back_unread(tasks.close().await).await;
        running.close();
        running.wait().await;
    }
}
