//! Publishing what was granted: first the queue, then the record.

use std::time::Duration;

use broker::bus::TaskTimes;
use broker::error::BusError;
use broker::failpoint::{self, Step};
use broker::store::dispatch::ReadyTask;
use broker::subject::Subject;
use broker::{Bus, Store};
use futures::future::join_all;
use schemas::ids::AuditId;
use schemas::request::Priority;
use schemas::task::Task;
use time::OffsetDateTime;

use super::Failure;
use super::order::{Offered, cursors, in_turn, short, wanted};
use crate::fairness::{Grant, Turns};

/// What was published in a round.
#[derive(Debug, Clone, Default)]
pub(super) struct Published {
    pub(super) tasks: u64,
    /// What was predicted of them before their own costs were read.
    pub(super) predicted_cost: u64,
    /// Audits that had fewer tasks to give than were granted.
    pub(super) short: Vec<AuditId>,
}

/// Publishes first and notes it after: a crash in between publishes again, under the same id and on the same subject,
/// and neither the stream nor the record counts that twice.
pub(super) async fn publish(
    store: &Store,
    bus: &Bus,
    grants: &[Grant],
    task_time_max: Duration,
    turns: &mut Turns,
) -> Result<Published, Failure> {
    if grants.is_empty() {
        return Ok(Published::default());
    }
    let tasks = in_turn(grants, store.ready_tasks(&wanted(grants)).await?, turns);
    let short = short(grants, &tasks);
    let deadline = OffsetDateTime::now_utc() + task_time_max;
    let tasks: Vec<_> =
        tasks.iter().map(|(class, task)| (*class, task, task.deadline_at.unwrap_or(deadline))).collect();
    let outcomes =
        join_all(tasks.iter().map(|(class, task, deadline)| publish_one(bus, *class, task, *deadline))).await;
    let mut failure = None;
    let (mut marked, mut offered) = (Vec::new(), Vec::new());
    for ((_, task, deadline), outcome) in tasks.iter().zip(outcomes) {
        let ReadyTask { key, cursor, .. } = task;
        let shard = i32::try_from(key.shard).unwrap_or(i32::MAX);
        offered.push(Offered { audit: key.audit, shard, seen: *cursor, is_published: outcome.is_ok() });
        match outcome {
            Ok(()) => marked.push((key, *deadline)),
            Err(error) => failure = Some(error),
        }
    }
    failpoint::reach_store(Step::DispatcherAfterPublish).await?;
    store.mark_published(&marked, &cursors(offered)).await?;
    if !short.is_empty() {
        store.rewind(&short).await?;
    }
    match failure {
        Some(error) => Err(error.into()),
        None => {
            let predicted_cost = grants.iter().fold(0, |sum: u64, grant| sum.saturating_add(grant.cost));
            Ok(Published { tasks: marked.len() as u64, predicted_cost, short })
        }
    }
}

async fn publish_one(bus: &Bus, class: Priority, task: &ReadyTask, deadline: OffsetDateTime) -> Result<(), BusError> {
    let ReadyTask { key, bundle, items, cost: _, generation, deadline_at: _, trace, cursor: _ } = task;
    let id = format!("T:{}:{}:{}:{generation}", key.audit, key.magic, key.shard);
    let body = Task { items: *items, ..Task::bundle(bundle.clone()) };
    let times = TaskTimes { generation: *generation, enqueued: OffsetDateTime::now_utc(), deadline };
    bus.publish_task(&Subject::Task(class, key.clone()), &id, *trace, &body, &times).await
}
