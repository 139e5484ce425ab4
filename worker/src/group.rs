//! Tasks that read the same: read once, examined in one pass, answered one by one.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use broker::error::chain;
use broker::failpoint::{self, Step};
use broker::lease::Lease;
use broker::pulse::Pulse;
use futures::future::join_all;
use schemas::bundle::{Shard, SourceFile};
use schemas::dead_letter::Cause;
use schemas::ids::{AuditId, Digest, ObjectId};
use schemas::item::ItemResult;
use schemas::magic::Magic;
use schemas::partial::PartialResult;
use schemas::retry::ErrorClass;
use schemas::task::{InlineFile, ItemRange, Task};
use tracing::Instrument as _;

use crate::accept::Held;
use crate::answer::answer;
use crate::ending::End;
use crate::items::select;
use crate::pass::{analyze_watched, rulesets};
use crate::presence::Listed;
use crate::run::Worker;
use crate::unpack::unpack;
use crate::watch::{Cut, TimeLimits, watch};
use crate::{cpu, pool};

/// How long one shard may take, where no task of it says less.
const SHARD_TIME_MAX: Duration = Duration::from_secs(600);

/// What several tasks read: they are answered from one pass.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    /// A bundle or a range of it by first and count, and whose: repositories with the same content have the same bundles,
    /// and each audit has its own trace.
    Bundle(AuditId, Digest, Option<(u32, u32)>),
    /// Files of a message, told apart by its place in the batch.
    Inline(usize),
}

/// Tasks of one source.
struct Group {
    /// What they read, but for their keys.
    task: Task,
    tasks: Vec<Held>,
    listed: Option<Listed>,
}

/// What a pass gave.
struct Results {
    /// By magic, in the order of the items.
    items: BTreeMap<Magic, Vec<ItemResult>>,
    /// The rule set that judged them, as the repository has set it.
    rulesets: BTreeMap<Magic, Digest>,
}

/// Why a pass gave nothing.
enum Failure {
    /// What is to be read cannot be had now, and may be on its way back; no fault of the task.
    Unreachable(String),
    /// What was read broke the analyzer.
    Analyzer(String),
    /// What is to be read is not there or no bundle, and never will be.
    Unusable(End),
    /// It was stopped before its end.
    Unfinished,
}

impl Worker {
    /// Deals with a batch.
    pub(crate) async fn work(&self, leases: Vec<Lease>) {
        failpoint::reach(Step::WorkerAfterPull).await;
        let mut groups: BTreeMap<Source, Group> = BTreeMap::new();
        for (index, lease) in leases.into_iter().enumerate() {
            let Some((held, task)) = self.accept(lease).await else { continue };
            let range = task.items.map(|range| (range.first, range.count));
            let bundle = task.bundle.clone();
            let source = bundle.map_or(Source::Inline(index), |digest| Source::Bundle(held.key.audit, digest, range));
            let group = groups.entry(source).or_insert_with(|| Group { task, tasks: Vec::new(), listed: None });
            group.tasks.push(held);
        }
        for group in groups.values_mut() {
            group.listed = Some(self.running.begin(group.tasks.iter().map(|held| &held.key)));
        }
        for (_, group) in groups {
            if self.hurry.is_cancelled() {
                self.hand_back(group.tasks).await;
                continue;
            }
            // All tasks of one source belong to one audit, so they share its trace.
            let trace = group.tasks[0].lease.trace();
            let span = tracing::info_span!("work", trace_id = %trace, audit_id = %group.tasks[0].key.audit);
            self.work_group(group).instrument(span).await;
        }
    }

    /// One pass over what these tasks share.
    async fn work_group(&self, group: Group) {
        let Group { task, mut tasks, listed } = group;
        let (audit, shard) = (tasks[0].key.audit, tasks[0].key.shard);
        let pulse = Arc::new(Pulse::default());
        for held in &mut tasks {
            held.lease.keep_alive(&self.heartbeats, &pulse);
        }
        let magics: BTreeSet<Magic> = tasks.iter().map(|held| held.key.magic).collect();
        let limits = TimeLimits { step: self.step_time_max, whole: time_left(&tasks) };
        let called_off = async {
            tokio::select! {
                () = self.stopped.until(audit) => Cut::Stopped,
                () = self.hurry.cancelled() => Cut::Hurried,
            }
        };
        let threads = *pool::replacements().borrow();
        match watch(self.pass(task, magics, &pulse), &pulse, limits, called_off).await {
            Ok(Ok(results)) => self.answer_all(tasks, &results).await,
            Ok(Err(Failure::Unusable(end))) => {
                for held in tasks {
                    self.give_up(held, end.clone()).await;
                }
            }
            Ok(Err(Failure::Unreachable(reason))) => self.try_again(tasks, ErrorClass::Transient, &reason).await,
            Ok(Err(Failure::Analyzer(reason))) => self.try_again(tasks, ErrorClass::Analyzer, &reason).await,
            Ok(Err(Failure::Unfinished)) | Err(Cut::Hurried) => {
                tracing::info!(shard, tasks = tasks.len(), "tasks handed back");
                self.hand_back(tasks).await;
            }
            Err(Cut::Stopped) => {
                tracing::info!(shard, tasks = tasks.len(), "the audit was stopped");
                self.let_go(tasks).await;
            }
            Err(Cut::Late) => self.be_late(tasks).await,
            Err(Cut::Hung) => {
                // First, since others wait behind the thread that hangs.
                if !pool::replace(threads) {
                    self.broken.cancel();
                }
                let reason = format!("a file or commit took longer than {} s", limits.step.as_secs());
                self.try_again(tasks, ErrorClass::Deadline, &reason).await;
            }
        }
        drop(listed);
    }

    async fn answer_all(&self, tasks: Vec<Held>, results: &Results) {
        let (count, shard) = (tasks.len(), tasks[0].key.shard);
        let items: usize = results.items.values().map(Vec::len).sum();
        let answers = tasks.into_iter().map(|held| {
            // Not taken out: a second copy of a task must get the same answer, not an empty one.
            let items = results.items.get(&held.key.magic).cloned().unwrap_or_default();
            let ruleset = results.rulesets.get(&held.key.magic).cloned();
            let partial = PartialResult { ruleset, items, ..PartialResult::default() };
            answer(self, held, partial)
        });
        join_all(answers).await;
        tracing::info!(shard, tasks = count, items, "tasks done");
    }

    /// What ran into its own deadline is given up; what only ran into the limit of every shard gets another try.
    async fn be_late(&self, tasks: Vec<Held>) {
        let (late, slow): (Vec<Held>, Vec<Held>) = tasks.into_iter().partition(Held::is_late);
        for held in late {
            let reason = "its deadline passed while a worker was at it";
            self.give_up(held, End::exhausted(ErrorClass::Deadline, reason)).await;
        }
        if !slow.is_empty() {
            let reason = format!("not done in {} s", SHARD_TIME_MAX.as_secs());
            self.try_again(slow, ErrorClass::Deadline, &reason).await;
        }
    }

    async fn pass(&self, task: Task, magics: BTreeSet<Magic>, pulse: &Arc<Pulse>) -> Result<Results, Failure> {
        let Task { bundle, items, files } = task;
        let bundle = match bundle {
            Some(digest) => match self.bundles.get(&self.bus, &digest).await {
                Ok(bytes) => Some(bytes),
                Err(error) => return Err(Failure::Unreachable(chain(&error))),
            },
            None => None,
        };
        let pulse = Arc::clone(pulse);
        let work = move || {
            let shard = pulse.step(|| read(bundle, files.unwrap_or_default(), items))?;
            failpoint::reach_pass(Step::WorkerInPass, shard.files.iter().map(|file| file.path.as_str()));
            let items = analyze_watched(&shard, &magics, &pulse).ok_or(Failure::Unfinished)?;
            Ok(Results { items, rulesets: rulesets(&shard) })
        };
        match cpu::run(work).await {
            Ok(results) => results,
            Err(panicked) => Err(Failure::Analyzer(panicked.to_string())),
        }
    }
}

/// Until the last of them is to be given up: what is done by then answers them all.
fn time_left(tasks: &[Held]) -> Duration {
    let left = tasks.iter().map(|held| held.millis_left().map_or(SHARD_TIME_MAX, Duration::from_millis));
    left.max().unwrap_or(SHARD_TIME_MAX).min(SHARD_TIME_MAX)
}

/// The items to examine.
fn read(bundle: Option<Arc<Vec<u8>>>, files: Vec<InlineFile>, range: Option<ItemRange>) -> Result<Shard, Failure> {
    let shard = match bundle {
        Some(bytes) => {
            unpack(&bytes).map_err(|error| Failure::Unusable(End::refused(Cause::Undecodable, chain(&error))))?
        }
        None => inline(files),
    };
    match range {
        Some(range) => {
            select(shard, range).map_err(|error| Failure::Unusable(End::refused(Cause::Refused, error.to_string())))
        }
        None => Ok(shard),
    }
}

/// The files of a message as a shard. They are in no repository; the digest of the text stands for the blob.
fn inline(files: Vec<InlineFile>) -> Shard {
    let files = files.into_iter().filter_map(|file| {
        let bytes = file.text.into_bytes();
        let blob: ObjectId = Digest::of(&bytes).as_str().parse().ok()?;
        Some(SourceFile { path: file.path, blob, bytes })
    });
    Shard { files: files.collect(), ..Shard::default() }
}
