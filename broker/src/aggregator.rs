//! The aggregator: takes a batch of results, merges, commits, and only then acknowledges.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use futures::future::join_all;
use schemas::dead_letter::{Cause, DeadLetter};
use schemas::event::{AuditEvent, EventKind};
use schemas::ids::AuditId;
use schemas::item::ItemResult;
use schemas::partial::PartialResult;
use schemas::retry::ErrorClass;
use tokio_util::sync::CancellationToken;

use crate::bus::Bus;
use crate::error::{BusError, chain};
use crate::failpoint::{self, Step};
use crate::lease::Lease;
use crate::store::Store;
use crate::store::merge::{Merged, Progress, TaskResult};
use crate::subject::{Origin, Subject};
use crate::subscription::Subscription;
use crate::topology;

/// Results merged in one transaction: beyond this a larger batch saves little (see the benches) and holds locks longer.
const BATCH: usize = 500;

/// Least time between two merges while results come in numbers: a merge costs nearly the same for one as for a hundred.
const MERGE_PERIOD: Duration = Duration::from_millis(20);

/// Results in one merge from which on they come in numbers. An idle system merges what comes at once.
const MANY: usize = 8;

/// At most one progress event per audit in this time: people watch them, nothing is decided by them.
const PROGRESS_PERIOD: Duration = Duration::from_millis(500);

/// Audits whose last progress event is remembered; forgetting one only sends an event too many.
const PROGRESS_AUDITS_MAX: usize = 10_000;

/// A result with the message that brought it.
struct Held {
    lease: Lease,
    result: TaskResult,
}

/// Merges until `stop` is cancelled. Several aggregators may run at once.
pub async fn run(store: Store, bus: Bus, stop: CancellationToken) {
    let mut results = Subscription::new(bus.clone(), topology::AGGREGATOR);
    let mut told: HashMap<AuditId, Instant> = HashMap::new();
    let (mut merged, mut last) = (Instant::now(), 0);
    while let Some(mut leases) = results.next(BATCH, &stop).await {
        if last >= MANY && leases.len() < BATCH {
            stop.run_until_cancelled(tokio::time::sleep(MERGE_PERIOD.saturating_sub(merged.elapsed()))).await;
            leases.extend(results.more(BATCH - leases.len()).await);
        }
        (merged, last) = (Instant::now(), leases.len());
        tracing::debug!(results = last, "merging");
        let batch = join_all(leases.into_iter().map(|lease| read(&bus, lease))).await;
        let batch: Vec<Held> = batch.into_iter().flatten().collect();
        for progress in settle(&store, &bus, batch).await {
            tell(&bus, &mut told, progress).await;
        }
    }
}

/// Reads one result. One that cannot be read is buried; one that cannot be read now is put back.
async fn read(bus: &Bus, lease: Lease) -> Option<Held> {
    let trace = lease.trace();
    let (key, mut partial) = match lease.read::<PartialResult>() {
        Ok((Subject::Result(key), partial)) => (key, partial),
        Ok((other, _)) => {
            bury(bus, lease, Cause::Undecodable, &format!("`{other}` is not a result")).await;
            return None;
        }
        Err(error) => {
            bury(bus, lease, Cause::Undecodable, &error.to_string()).await;
            return None;
        }
    };
    if let Some(digest) = partial.items_object.take() {
        match bus.get_object(&digest).await.map(|bytes| serde_json::from_slice::<Vec<ItemResult>>(&bytes)) {
            Ok(Ok(items)) => partial.items = items,
            Ok(Err(error)) => {
                bury(bus, lease, Cause::Undecodable, &format!("result object {digest} is not valid: {error}")).await;
                return None;
            }
            // The object is lost with the store that held it: the reconciler will have the task run again.
            Err(BusError::ObjectMissing(_)) => {
                end(lease.give_up().await);
                return None;
            }
            Err(error) => {
                tracing::warn!(error = %chain(&error), trace_id = %trace, "a result waits");
                end(lease.retry(ErrorClass::Transient).await);
                return None;
            }
        }
    }
    Some(Held { lease, result: TaskResult { key, partial, trace } })
}

/// Merges a batch, or, if the database refuses something in it, each of its results alone.
async fn settle(store: &Store, bus: &Bus, batch: Vec<Held>) -> Vec<Progress> {
    if batch.is_empty() {
        return Vec::new();
    }
    failpoint::reach(Step::AggregatorBeforeMerge).await;
    let (leases, results): (Vec<Lease>, Vec<TaskResult>) =
        batch.into_iter().map(|held| (held.lease, held.result)).unzip();
    match store.merge(&results).await {
        Ok(merged) => {
            failpoint::reach(Step::AggregatorAfterCommit).await;
            let progress = acknowledge(bus, leases, &results, merged).await;
            failpoint::reach(Step::AggregatorAfterAck).await;
            progress
        }
        Err(error) if error.is_transient() => {
            tracing::warn!(error = %chain(&error), results = results.len(), "results wait");
            join_all(leases.into_iter().map(|lease| async move { end(lease.retry(ErrorClass::Transient).await) }))
                .await;
            Vec::new()
        }
        Err(error) if results.len() == 1 => {
            let mut progress = Vec::new();
            for (lease, result) in leases.into_iter().zip(results) {
                progress.extend(refuse(store, bus, lease, result, &chain(&error)).await);
            }
            progress
        }
        Err(_one_of_them) => {
            let mut progress = Vec::new();
            for (lease, result) in leases.into_iter().zip(results) {
                progress.extend(Box::pin(settle(store, bus, vec![Held { lease, result }])).await);
            }
            progress
        }
    }
}

/// Keeps a result that the database refuses for people to see, and answers its task with the reason instead: a task
/// that stayed open would be run again for ever, to the same end, and its audit would never come to one.
async fn refuse(store: &Store, bus: &Bus, lease: Lease, result: TaskResult, reason: &str) -> Vec<Progress> {
    let letter = DeadLetter::new(lease.subject_text(), Cause::Refused, reason, lease.attempts(), lease.body());
    if let Err(error) = bus.bury(Origin::Result, &letter, lease.trace()).await {
        tracing::warn!(error = %chain(&error), "a dead letter could not be written; trying again");
        end(lease.retry(ErrorClass::Transient).await);
        return Vec::new();
    }
    let answer = TaskResult { partial: PartialResult::failed(ErrorClass::Analyzer, reason), ..result };
    match store.merge(&[answer]).await {
        Ok(merged) => {
            end(lease.give_up().await);
            merged.progress
        }
        Err(error) if error.is_transient() => {
            end(lease.retry(ErrorClass::Transient).await);
            Vec::new()
        }
        Err(_the_key_itself_is_refused) => {
            end(lease.give_up().await);
            Vec::new()
        }
    }
}

async fn acknowledge(bus: &Bus, leases: Vec<Lease>, results: &[TaskResult], merged: Merged) -> Vec<Progress> {
    for key in &merged.contradictions {
        tracing::error!(audit_id = %key.audit, magic = %key.magic, shard = key.shard,
            "nondeterminism: a task was answered twice and differently; the first answer counts");
    }
    for key in &merged.split {
        tracing::info!(audit_id = %key.audit, magic = %key.magic, shard = key.shard,
            "a shard that failed is split to find the cause");
    }
    for finished in &merged.finished {
        tracing::info!(trace_id = %finished.trace, audit_id = %finished.audit, project = %finished.project,
            status = finished.verdict.status.as_str(), score = finished.verdict.score, "audit ended");
    }
    let ends = leases.into_iter().enumerate().map(|(index, lease)| {
        let is_foreign = merged.foreign.contains(&index);
        async move {
            if is_foreign {
                let key = &results[index].key;
                let reason =
                    format!("audit {} of project `{}` has no task {} {}", key.audit, key.project, key.magic, key.shard);
                bury(bus, lease, Cause::Refused, &reason).await;
            } else {
                end(lease.done_unconfirmed().await);
            }
        }
    });
    join_all(ends).await;
    merged.progress
}

async fn bury(bus: &Bus, lease: Lease, cause: Cause, reason: &str) {
    let letter = DeadLetter::new(lease.subject_text(), cause, reason, lease.attempts(), lease.body());
    match bus.bury(Origin::Result, &letter, lease.trace()).await {
        Ok(()) => end(lease.give_up().await),
        Err(error) => {
            tracing::warn!(error = %chain(&error), "a dead letter could not be written; trying again");
            end(lease.retry(ErrorClass::Transient).await);
        }
    }
}

/// An acknowledgement that got lost is no harm: the message comes again and changes nothing.
fn end(ended: Result<(), BusError>) {
    if let Err(error) = ended {
        tracing::debug!(error = %chain(&error), "a message will come again");
    }
}

async fn tell(bus: &Bus, told: &mut HashMap<AuditId, Instant>, progress: Progress) {
    let Progress { audit, project, trace, done, total } = progress;
    let now = Instant::now();
    if done == total {
        told.remove(&audit);
        return;
    }
    if told.get(&audit).is_some_and(|last| now.duration_since(*last) < PROGRESS_PERIOD) {
        return;
    }
    if told.len() >= PROGRESS_AUDITS_MAX {
        told.clear();
    }
    told.insert(audit, now);
    let mut event = AuditEvent::new(EventKind::Progress, project.parse().ok(), Some(audit));
    event.tasks_done = Some(done.unsigned_abs());
    event.tasks_total = Some(total.unsigned_abs());
    let id = format!("E:{audit}:progress:{done}");
    if let Err(error) = bus.publish_event(&event, &id, trace).await {
        tracing::debug!(error = %chain(&error), "a progress event got lost");
    }
}
