//! The merge: task results become rows exactly once, whatever order they come in and however often.
//!
//! A task row goes from open to done once; only that step lets a result, its findings and the audit's counter through,
//! all in one transaction. The acknowledgement follows the commit.

mod late;
mod rows;
mod unplanned;

use std::collections::BTreeSet;

use schemas::ids::{AuditId, Digest, TraceId};
use schemas::magic::Magic;
use schemas::partial::PartialResult;
use schemas::task::TaskKey;
use sqlx::PgConnection;
use uuid::Uuid;

use self::late::keep_late;
use self::rows::{ResultColumns, remember_items};
pub(super) use self::rows::{insert_findings, insert_results};
use self::unplanned::adopt;
use super::split::split_failures;
pub use super::verdicts::Finished;
use super::verdicts::{Complete, finish};
use super::{Store, TREES_CHANNEL, announce, commit};
use crate::error::StoreError;
use crate::failpoint::{self, Step};

/// One task result as it came in.
#[derive(Debug, Clone)]
pub struct TaskResult {
    /// Which task.
    pub key: TaskKey,
    /// What the worker answered.
    pub partial: PartialResult,
    /// The trace it belongs to.
    pub trace: TraceId,
}

/// What a batch of results came to.
#[derive(Debug, Default)]
pub struct Merged {
    /// Tasks that were open before and are done now.
    pub fresh: usize,
    /// Tasks that failed and are answered by the parts of their shard instead.
    pub split: Vec<TaskKey>,
    /// Results that nobody asked for, by index in the batch: their audit has no such task.
    pub foreign: Vec<usize>,
    /// Tasks answered twice, and differently: the first answer counts.
    pub contradictions: Vec<TaskKey>,
    /// Audits that got further, with done and total tasks.
    pub progress: Vec<Progress>,
    /// Audits that ended.
    pub finished: Vec<Finished>,
}

/// How far an audit is.
#[derive(Debug, Clone)]
pub struct Progress {
    /// The audit.
    pub audit: AuditId,
    /// Its project.
    pub project: String,
    /// The trace that it belongs to.
    pub trace: TraceId,
    /// Tasks done.
    pub done: i64,
    /// Tasks in all.
    pub total: i64,
}

/// A result ready to be written.
pub(super) struct Part<'a> {
    pub(super) audit: AuditId,
    pub(super) shard: u32,
    pub(super) magic: Magic,
    pub(super) partial: &'a PartialResult,
    /// Of the answer as it came: a failure on a single item is kept as a result of that item.
    pub(super) digest: Digest,
}

pub(super) type Key = (Uuid, i32, String);

/// A task that was open before this batch.
struct Closed {
    key: Key,
    /// Whether it was in the queue or running, as far as the record knew.
    was_in_flight: bool,
    cost: i64,
}

pub(super) fn row_key(key: &TaskKey) -> Key {
    (key.audit.0, shard_column(key.shard), key.magic.as_str().to_owned())
}

/// Subjects with larger shards are refused when they are parsed.
pub(super) fn shard_column(shard: u32) -> i32 {
    i32::try_from(shard).unwrap_or(i32::MAX)
}

impl Store {
    /// Merges a batch of results in one transaction.
    ///
    /// # Errors
    /// If the database cannot be reached, or refuses something in the batch: then nothing of it is merged.
    pub async fn merge(&self, batch: &[TaskResult]) -> Result<Merged, StoreError> {
        let mut transaction = self.begin_keyed().await?;
        let mut fresh = close_tasks(&mut transaction, batch).await?;
        let (answered, mut repeated) = first_answers(batch, &fresh);
        let was_in_flight = |key: &Key| fresh.iter().any(|closed| closed.was_in_flight && closed.key == *key);
        let splits = split_failures(&mut transaction, batch, &answered, was_in_flight).await?;
        let mut merged = Merged::default();
        let mut parts = Vec::new();
        for index in answered {
            let TaskResult { key, partial, .. } = &batch[index];
            if splits.split.contains(&index) {
                merged.split.push(key.clone());
                continue;
            }
            let (digest, partial) = (partial.digest(), splits.named.get(&index).unwrap_or(partial));
            parts.push(Part { audit: key.audit, shard: key.shard, magic: key.magic, partial, digest });
        }
        let split: BTreeSet<Key> = merged.split.iter().map(row_key).collect();
        fresh.retain(|closed| !split.contains(&closed.key));
        merged.fresh = fresh.len();
        insert_findings(&mut transaction, &parts).await?;
        remember_items(&mut transaction, &parts).await?;
        let (progress, complete) = insert_and_count(&mut transaction, &parts, &fresh).await?;
        merged.progress = progress;
        merged.finished = finish(&mut transaction, complete).await?;
        keep_late(&mut transaction, batch, &mut repeated).await?;
        judge_repeated(&mut transaction, batch, &repeated, &mut merged).await?;
        failpoint::reach_store(Step::AggregatorBeforeCommit).await?;
        commit(transaction).await?;
        Ok(merged)
    }
}

/// The first answer to each task that was open, by index in the batch, and all others.
fn first_answers(batch: &[TaskResult], closed: &[Closed]) -> (Vec<usize>, Vec<usize>) {
    let mut open: BTreeSet<&Key> = closed.iter().map(|closed| &closed.key).collect();
    let keys: Vec<Key> = batch.iter().map(|result| row_key(&result.key)).collect();
    (0..batch.len()).partition(|&index| open.remove(&keys[index]))
}

/// Turns open tasks into done ones and returns those that were open: the step that happens once per task.
async fn close_tasks(connection: &mut PgConnection, batch: &[TaskResult]) -> Result<Vec<Closed>, StoreError> {
    let (planned, mut closed) = lock_and_close(connection, batch.iter().map(|result| &result.key)).await?;
    let unplanned: Vec<&TaskResult> = batch.iter().filter(|result| !planned.contains(&result.key.audit.0)).collect();
    if !unplanned.is_empty() {
        adopt(connection, &unplanned).await?;
        let (_, adopted) = lock_and_close(connection, unplanned.into_iter().map(|result| &result.key)).await?;
        closed.extend(adopted);
    }
    Ok(closed)
}

/// Locks the audits of some results in one order, so that two aggregators never wait for each other in a circle, and closes
/// their open tasks. Returns the audits that have a plan, and the tasks that were open.
async fn lock_and_close<'a>(
    connection: &mut PgConnection,
    keys: impl Iterator<Item = &'a TaskKey>,
) -> Result<(BTreeSet<Uuid>, Vec<Closed>), StoreError> {
    let Columns { audits, shards, magics, projects } = columns(keys);
    let locked: BTreeSet<Uuid> = audits.iter().copied().collect();
    let rows: Vec<ClosedRow> = sqlx::query_as(
        "WITH locked AS MATERIALIZED (
             SELECT id, project_slug, kind <> 'ad_hoc' AS is_planned FROM audits WHERE id = ANY($5) ORDER BY id FOR UPDATE),
         closed AS (
             UPDATE tasks t SET state = 'done', done_at = now()
             FROM UNNEST($1::uuid[], $2::integer[], $3::text[], $4::text[]) AS r(audit_id, shard, magic, project)
             JOIN locked ON locked.id = r.audit_id AND locked.project_slug = r.project
             WHERE t.audit_id = r.audit_id AND t.shard = r.shard AND t.magic = r.magic AND t.state IN ('ready', 'published')
             RETURNING t.audit_id, t.shard, t.magic, old.state = 'published' AS was_in_flight, t.cost)
         SELECT l.id, l.is_planned, c.shard, c.magic, c.was_in_flight, c.cost
         FROM locked l LEFT JOIN closed c ON c.audit_id = l.id",
    )
    .bind(audits)
    .bind(shards)
    .bind(magics)
    .bind(projects)
    .bind(locked.into_iter().collect::<Vec<_>>())
    .fetch_all(connection)
    .await
    .map_err(|error| StoreError::of("close tasks", error))?;
    let (mut planned, mut closed) = (BTreeSet::new(), Vec::new());
    for (audit, is_planned, shard, magic, was_in_flight, cost) in rows {
        if is_planned {
            planned.insert(audit);
        }
        if let (Some(shard), Some(magic), Some(was_in_flight), Some(cost)) = (shard, magic, was_in_flight, cost) {
            closed.push(Closed { key: (audit, shard, magic), was_in_flight, cost });
        }
    }
    Ok((planned, closed))
}

/// Keys as they are bound to an `UNNEST`.
#[derive(Default)]
struct Columns<'a> {
    audits: Vec<Uuid>,
    shards: Vec<i32>,
    magics: Vec<&'static str>,
    projects: Vec<&'a str>,
}

fn columns<'a>(keys: impl Iterator<Item = &'a TaskKey>) -> Columns<'a> {
    let mut columns = Columns::default();
    for key in keys {
        columns.audits.push(key.audit.0);
        columns.shards.push(shard_column(key.shard));
        columns.magics.push(key.magic.as_str());
        columns.projects.push(key.project.as_str());
    }
    columns
}

type ClosedRow = (Uuid, bool, Option<i32>, Option<String>, Option<bool>, Option<i64>);

type CountedRow = (Uuid, String, Uuid, i64, i64, bool, bool, Vec<String>, bool);

/// Writes the results and moves the counters by the tasks that were really closed. Returns how far their audits are, and
/// which of them are complete.
async fn insert_and_count(
    connection: &mut PgConnection,
    parts: &[Part<'_>],
    fresh: &[Closed],
) -> Result<(Vec<Progress>, Vec<Complete>), StoreError> {
    if fresh.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    let results = ResultColumns::of(parts)?;
    let (mut audits, mut in_flight, mut costs) = (Vec::new(), Vec::new(), Vec::new());
    for closed in fresh {
        audits.push(closed.key.0);
        in_flight.push(closed.was_in_flight);
        costs.push(closed.cost);
    }
    let rows: Vec<CountedRow> = sqlx::query_as(
        "WITH recorded AS (
             INSERT INTO results (audit_id, shard, magic, digest, tally)
             SELECT * FROM UNNEST($4::uuid[], $5::integer[], $6::text[], $7::text[], $8::jsonb[])
             ON CONFLICT DO NOTHING)
         UPDATE audits a SET tasks_done = tasks_done + done.n, tasks_in_flight = tasks_in_flight - done.in_flight,
                cost_done = cost_done + done.cost
         FROM (SELECT id, count(*) AS n, count(*) FILTER (WHERE f) AS in_flight, sum(c)::bigint AS cost
               FROM UNNEST($1::uuid[], $2::boolean[], $3::bigint[]) AS t(id, f, c) GROUP BY id) AS done
         WHERE a.id = done.id
         RETURNING a.id, project_slug, trace_id, tasks_done, tasks_total,
                   tasks_done = tasks_total AND (state = 'running' OR kind = 'ad_hoc'),
                   tasks_waiting > 0 AND tasks_done + tasks_waiting = tasks_total, magics,
                   EXISTS (SELECT 1 FROM audits w WHERE w.waits_for = a.id)",
    )
    .bind(audits)
    .bind(in_flight)
    .bind(costs)
    .bind(results.audits)
    .bind(results.shards)
    .bind(results.magics)
    .bind(results.digests)
    .bind(results.tallies)
    .fetch_all(&mut *connection)
    .await
    .map_err(|error| StoreError::of("record results", error))?;
    if rows.iter().any(|(.., has_only_waiting, _, _)| *has_only_waiting) {
        announce(connection, TREES_CHANNEL).await?;
    }
    let (mut progress, mut complete) = (Vec::new(), Vec::new());
    for (audit, project, trace, done, total, is_complete, _, magics, is_waited_for) in rows {
        let (audit, trace) = (AuditId(audit), trace.into());
        if is_complete {
            complete.push(Complete::new(audit, &project, trace, &magics, is_waited_for)?);
        }
        progress.push(Progress { audit, project, trace, done, total });
    }
    Ok((progress, complete))
}

/// Tells repetitions, which are harmless, from results nobody asked for and from second answers that differ.
async fn judge_repeated(
    connection: &mut PgConnection,
    batch: &[TaskResult],
    repeated: &[usize],
    merged: &mut Merged,
) -> Result<(), StoreError> {
    if repeated.is_empty() {
        return Ok(());
    }
    let Columns { audits, shards, magics, projects: _ } = columns(repeated.iter().map(|&index| &batch[index].key));
    let rows: Vec<(Uuid, i32, String, Option<String>, String)> = sqlx::query_as(
        // The planner's own results have no task: an answer to one of them was asked for by nobody. Tasks without a result
        // that were open once are answered by others, or by nobody any more: what is said of them does not count.
        "SELECT t.audit_id, t.shard, t.magic, r.digest, a.project_slug
         FROM UNNEST($1::uuid[], $2::integer[], $3::text[]) AS q(audit_id, shard, magic)
         JOIN tasks t USING (audit_id, shard, magic)
         JOIN audits a ON a.id = t.audit_id
         LEFT JOIN results r ON r.audit_id = t.audit_id AND r.shard = t.shard AND r.magic = t.magic",
    )
    .bind(audits)
    .bind(shards)
    .bind(magics)
    .fetch_all(connection)
    .await
    .map_err(|error| StoreError::of("compare results", error))?;
    for &index in repeated {
        let TaskResult { key, partial, .. } = &batch[index];
        let known = rows.iter().find(|(audit, shard, magic, _, project)| {
            (*audit, *shard, magic.clone()) == row_key(key) && *project == key.project.as_str()
        });
        match known {
            None => merged.foreign.push(index),
            Some((_, _, _, Some(digest), _)) if digest != partial.digest().as_str() => {
                merged.contradictions.push(key.clone())
            }
            Some(_) => {}
        }
    }
    Ok(())
}
