//! The worker's loop: pull a few tasks, read what they share once, answer each, and only then acknowledge.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use broker::Bus;
use broker::error::{BusError, chain};
use broker::lease::{Heartbeat, Lease};
use broker::subject::{Origin, Subject};
use broker::subscription::Subscription;
use broker::topology;
use futures::future::join_all;
use schemas::bundle::{Shard, SourceFile};
use schemas::dead_letter::{Cause, DeadLetter};
use schemas::ids::{AuditId, Digest, ObjectId};
use schemas::item::ItemResult;
use schemas::magic::Magic;
use schemas::partial::PartialResult;
use schemas::request::Priority;
use schemas::retry::ErrorClass;
use schemas::task::{InlineFile, TASK_BYTES_MAX, Task, TaskKey};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use crate::answer::answer;
use crate::config::WorkerArgs;
use crate::cpu;
use crate::pass::analyze;
use crate::pool;
use crate::rules::catalogue;
use crate::unpack::unpack;

/// Tasks pulled at once: neighbours in the queue read the same shard, and are read together then.
const BATCH: usize = 16;

/// Deliveries after which a task is given up: whoever took it four times did not survive it.
const ATTEMPTS_MAX: u64 = 5;

/// How long one shard may take. A heartbeat that never stopped would keep a hung analyzer's tasks for ever.
const SHARD_TIME_MAX: Duration = Duration::from_secs(600);

/// What a worker needs. Clones share it.
#[derive(Clone)]
pub(crate) struct Worker {
    pub(crate) bus: Bus,
    rulesets: Arc<BTreeMap<Magic, Digest>>,
}

/// A task with the message that brought it.
pub(crate) struct Held {
    pub(crate) lease: Lease,
    pub(crate) key: TaskKey,
    _heartbeat: Heartbeat,
}

/// What several tasks read: they are answered from one pass.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    /// A bundle, and whose: repositories with the same content have the same bundles, and each audit has its own trace.
    Bundle(AuditId, Digest),
    /// Files of a message, told apart by its place in the batch.
    Inline(usize),
}

/// Works until `stop` is cancelled, then finishes what was begun.
///
/// # Errors
/// If the process is shut down from below.
pub async fn run(args: &WorkerArgs, bus: Bus, stop: CancellationToken) -> anyhow::Result<()> {
    let WorkerArgs { threads, slots } = args;
    pool::set_threads(usize::from(*threads));
    let rulesets = Arc::new(catalogue().rulesets());
    let worker = Worker { bus: bus.clone(), rulesets };
    let slots = Arc::new(Semaphore::new(usize::from(*slots)));
    let mut tasks = Subscription::new(bus, topology::worker(Priority::Normal));
    let running = TaskTracker::new();
    tracing::info!("working");
    loop {
        let slot = Arc::clone(&slots).acquire_owned().await?;
        let Some(leases) = tasks.next(BATCH, &stop).await else { break };
        let worker = worker.clone();
        running.spawn(async move {
            worker.work(leases).await;
            drop(slot);
        });
    }
    running.close();
    running.wait().await;
    Ok(())
}

impl Worker {
    async fn work(&self, leases: Vec<Lease>) {
        let mut groups: BTreeMap<Source, (Option<Vec<InlineFile>>, Vec<Held>)> = BTreeMap::new();
        for (index, lease) in leases.into_iter().enumerate() {
            let Some((held, task)) = self.accept(lease).await else { continue };
            let source = task.bundle.map_or(Source::Inline(index), |digest| Source::Bundle(held.key.audit, digest));
            let group = groups.entry(source).or_insert_with(|| (task.files, Vec::new()));
            group.1.push(held);
        }
        for (source, (files, tasks)) in groups {
            // All tasks of one source belong to one audit, so they share its trace.
            let trace = tasks[0].lease.trace();
            let span = tracing::info_span!("work", trace_id = %trace, audit_id = %tasks[0].key.audit);
            self.work_group(source, files, tasks).instrument(span).await;
        }
    }

    /// Reads one task; what cannot be worked on is buried here.
    async fn accept(&self, lease: Lease) -> Option<(Held, Task)> {
        let (key, task) = match lease.read::<Task>() {
            Ok((Subject::Task(_, key), task)) => (key, task),
            Ok((other, _)) => {
                self.bury(lease, Cause::Undecodable, &format!("`{other}` is no task")).await;
                return None;
            }
            Err(error) => {
                self.bury(lease, Cause::Undecodable, &error.to_string()).await;
                return None;
            }
        };
        let heartbeat = lease.keep_alive(CancellationToken::new());
        let attempts = lease.attempts();
        let held = Held { lease, key, _heartbeat: heartbeat };
        let bytes = held.lease.body().len();
        let refusal = if bytes > TASK_BYTES_MAX {
            let reason =
                format!("the task has {bytes} bytes and may have {TASK_BYTES_MAX}; send fewer or smaller files");
            Some((Cause::Refused, reason))
        } else if let Err(error) = task.validate() {
            Some((Cause::Undecodable, error.to_string()))
        } else if !self.rulesets.contains_key(&held.key.magic) {
            Some((Cause::Refused, format!("magic `{}` has no rules in this build", held.key.magic)))
        } else if attempts > ATTEMPTS_MAX {
            Some((Cause::Exhausted, format!("given up after {ATTEMPTS_MAX} attempts")))
        } else {
            None
        };
        if let Some((cause, reason)) = refusal {
            self.give_up(held, cause, &reason).await;
            return None;
        }
        Some((held, task))
    }

    /// One pass over what these tasks share.
    async fn work_group(&self, source: Source, files: Option<Vec<InlineFile>>, tasks: Vec<Held>) {
        let magics: BTreeSet<Magic> = tasks.iter().map(|held| held.key.magic).collect();
        let (count, shard) = (tasks.len(), tasks[0].key.shard);
        let pass = self.pass(source, files, magics);
        match tokio::time::timeout(SHARD_TIME_MAX, pass).await {
            Ok(Ok(results)) => {
                let items: usize = results.values().map(Vec::len).sum();
                let answers = tasks.into_iter().map(|held| {
                    // Not taken out: a second copy of a task must get the same answer, not an empty one.
                    let items = results.get(&held.key.magic).cloned().unwrap_or_default();
                    let ruleset = self.rulesets.get(&held.key.magic).cloned();
                    let partial = PartialResult { ruleset, items, ..PartialResult::default() };
                    answer(&self.bus, held, partial)
                });
                join_all(answers).await;
                tracing::info!(shard, tasks = count, items, "tasks done");
            }
            Ok(Err(Failure::Unusable(reason))) => {
                for held in tasks {
                    self.give_up(held, Cause::Undecodable, &reason).await;
                }
            }
            Ok(Err(Failure::Unreachable(reason))) => {
                for held in tasks {
                    self.lay_down(held, &reason).await;
                }
            }
            Ok(Err(Failure::Analyzer(reason))) => self.try_again(tasks, &reason).await,
            Err(_elapsed) => self.try_again(tasks, &format!("not done in {} s", SHARD_TIME_MAX.as_secs())).await,
        }
    }

    /// Puts tasks back on which an analyzer failed, until that has happened too often.
    async fn try_again(&self, tasks: Vec<Held>, reason: &str) {
        let (last, more): (Vec<Held>, Vec<Held>) =
            tasks.into_iter().partition(|held| held.lease.attempts() >= ATTEMPTS_MAX);
        for held in last {
            self.give_up(held, Cause::Exhausted, reason).await;
        }
        retry_all(more, reason).await;
    }

    async fn pass(
        &self,
        source: Source,
        files: Option<Vec<InlineFile>>,
        magics: BTreeSet<Magic>,
    ) -> Result<BTreeMap<Magic, Vec<ItemResult>>, Failure> {
        let bundle = match source {
            Source::Bundle(_, digest) => match self.bus.get_object(&digest).await {
                Ok(bytes) => Some(bytes),
                Err(error) => return Err(Failure::Unreachable(chain(&error))),
            },
            Source::Inline(_) => None,
        };
        let work = move || {
            let shard = match bundle {
                Some(bytes) => unpack(&bytes).map_err(|error| Failure::Unusable(chain(&error)))?,
                None => inline(files.unwrap_or_default()),
            };
            Ok(analyze(&shard, &magics))
        };
        match cpu::run(work).await {
            Ok(results) => results,
            Err(panicked) => Err(Failure::Analyzer(panicked.to_string())),
        }
    }

    /// Answers a task that nobody can do, so that its audit can end, and keeps the message for people to see.
    async fn give_up(&self, held: Held, cause: Cause, reason: &str) {
        tracing::warn!(audit_id = %held.key.audit, magic = %held.key.magic, shard = held.key.shard, reason, "task given up");
        let lease = &held.lease;
        let letter = DeadLetter::new(lease.subject_text(), cause, reason, lease.attempts(), lease.body());
        match self.bus.bury(Origin::Task, &letter, lease.trace()).await {
            Ok(()) => answer(&self.bus, held, PartialResult::failed(ErrorClass::Analyzer, reason)).await,
            Err(error) => retry_all(vec![held], &chain(&error)).await,
        }
    }

    /// Puts a task back, and ends it without an answer once what it reads could not be had for too long. That says nothing about what was
    /// to be analyzed, so it is no result: the reconciler packs lost bundles of planned tasks and publishes them again.
    /// A task made by hand has nobody who would, so people get to see it.
    async fn lay_down(&self, held: Held, reason: &str) {
        if held.lease.attempts() < ATTEMPTS_MAX {
            return retry_all(vec![held], reason).await;
        }
        let Held { lease, .. } = held;
        self.bury(lease, Cause::Exhausted, &format!("given up after {ATTEMPTS_MAX} attempts: {reason}")).await;
    }

    /// Keeps a message of which it is not even clear which task it is.
    async fn bury(&self, lease: Lease, cause: Cause, reason: &str) {
        tracing::warn!(trace_id = %lease.trace(), subject = lease.subject_text(), reason, "task refused");
        let letter = DeadLetter::new(lease.subject_text(), cause, reason, lease.attempts(), lease.body());
        let ended = match self.bus.bury(Origin::Task, &letter, lease.trace()).await {
            Ok(()) => lease.give_up().await,
            Err(error) => {
                tracing::warn!(error = %chain(&error), "a dead letter could not be written; trying again");
                lease.retry().await
            }
        };
        log_lost(ended);
    }
}

/// Why a pass gave nothing.
enum Failure {
    /// What is to be read cannot be had now, and may be on its way back; no fault of the task.
    Unreachable(String),
    /// What was read broke the analyzer.
    Analyzer(String),
    /// What was read is not a bundle, and never will be.
    Unusable(String),
}

async fn retry_all(tasks: Vec<Held>, reason: &str) {
    tracing::warn!(reason, tasks = tasks.len(), "tasks wait");
    for held in tasks {
        log_lost(held.lease.retry().await);
    }
}

/// An acknowledgement that got lost is no harm: the message comes again and changes nothing.
pub(crate) fn log_lost(ended: Result<(), BusError>) {
    if let Err(error) = ended {
        tracing::debug!(error = %chain(&error), "a message will come again");
    }
}

/// The files of a message as a shard. They are in no repository; the digest of the text stands for the blob.
fn inline(files: Vec<InlineFile>) -> Shard {
    let files = files.into_iter().filter_map(|file| {
        let bytes = file.text.into_bytes();
        let blob: ObjectId = Digest::of(&bytes).as_str().parse().ok()?;
        Some(SourceFile { path: file.path, blob, bytes })
    });
    Shard { files: files.collect(), commits: Vec::new() }
}
