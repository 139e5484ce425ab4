//! What the queue may have lost: audits and tasks without news for too long.

use std::time::Duration;

use schemas::bundle::Manifest;
use schemas::ids::{AuditId, Digest, ObjectId, ProjectSlug, TraceId};
use schemas::request::Priority;
use schemas::task::{ItemRange, Task, TaskKey};
use time::OffsetDateTime;
use uuid::Uuid;

use super::audits::lock_audit;
use super::requests::{RequestRow, ask_again};
use super::{Store, TASKS_CHANNEL, announce, commit, from_json, parsed};
use crate::error::StoreError;

/// A shard of which some tasks have been in the queue for too long.
#[derive(Debug, Clone)]
pub struct StaleShard {
    /// The audit.
    pub audit: AuditId,
    /// The shard.
    pub shard: i32,
    /// Its project.
    pub project: ProjectSlug,
    /// The key of the project.
    pub project_id: Uuid,
    /// Where the project is cloned from.
    pub repository_url: String,
    /// What is audited.
    pub commit: ObjectId,
    /// What it reads.
    pub bundle: Digest,
    /// What is in the bundle.
    pub manifest: Manifest,
    /// How often its tasks were published again already.
    pub generation: i32,
    /// The trace it belongs to.
    pub trace: TraceId,
}

/// A task that nobody has answered by its deadline.
#[derive(Debug, Clone)]
pub struct OverdueTask {
    /// Which task.
    pub key: TaskKey,
    /// How urgent it is.
    pub priority: Priority,
    /// What it reads.
    pub task: Task,
    /// How often it was published.
    pub published: u64,
    /// When it should have been done.
    pub deadline: OffsetDateTime,
    /// The trace it belongs to.
    pub trace: TraceId,
}

type OverdueRow = (Uuid, i32, String, i32, OffsetDateTime, String, String, Uuid, String, Option<i32>, Option<i32>);

type StaleShardRow = (Uuid, i32, Uuid, String, String, String, serde_json::Value, Uuid, String, i32);

impl Store {
    /// Writes the request of every audit that has been queued for longer than `age` to the outbox once more: planning
    /// twice is harmless, never planning is not. Returns how many.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn repeat_stale_requests(&self, age: Duration, limit: i64) -> Result<usize, StoreError> {
        let failed = |error| StoreError::of("look for forgotten audits", error);
        let mut transaction = self.begin().await?;
        let rows: Vec<RequestRow> = sqlx::query_as(
            // What waits for an audit that is open is not forgotten; what waits for one that has ended is set going.
            "UPDATE audits SET waits_for = NULL WHERE id IN (
                 SELECT id FROM audits
                 WHERE state = 'queued' AND created_at < now() - make_interval(secs => $1)
                   AND NOT EXISTS (SELECT 1 FROM outbox WHERE message_id LIKE 'R:' || audits.id || ':%')
                   AND NOT EXISTS (SELECT 1 FROM audits other
                                   WHERE other.id = audits.waits_for AND other.state IN ('queued', 'running'))
                 ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED)
             RETURNING id, trace_id, project_slug, kind, revision, base_commit, priority",
        )
        .bind(age.as_secs_f64())
        .bind(limit)
        .fetch_all(&mut *transaction)
        .await
        .map_err(failed)?;
        let repeated = rows.len();
        if repeated > 0 {
            ask_again(&mut transaction, rows).await?;
        }
        commit(transaction).await?;
        Ok(repeated)
    }

    /// Open tasks of running audits that are past their deadline by more than `grace`, the oldest first.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn overdue_tasks(&self, grace: Duration, limit: i64) -> Result<Vec<OverdueTask>, StoreError> {
        let rows: Vec<OverdueRow> = sqlx::query_as(
            "SELECT t.audit_id, t.shard, t.magic, t.generation, t.deadline_at, a.project_slug, a.priority, a.trace_id,
                    s.bundle, s.first_item, s.item_count
             FROM tasks t
             JOIN audits a ON a.id = t.audit_id AND a.state = 'running'
             JOIN shards s ON s.audit_id = t.audit_id AND s.shard = t.shard
             WHERE (t.state = 'ready' OR t.state = 'published') AND t.deadline_at < now() - make_interval(secs => $1)
             ORDER BY t.deadline_at LIMIT $2",
        )
        .bind(grace.as_secs_f64())
        .bind(limit)
        .fetch_all(&self.pool)
        .await
        .map_err(|error| StoreError::of("look for overdue tasks", error))?;
        rows.into_iter()
            .map(|(audit, shard, magic, generation, deadline, project, priority, trace, bundle, first, count)| {
                let (magic, project) = (parsed("magic", &magic)?, parsed("project slug", &project)?);
                let key = TaskKey { magic, project, audit: AuditId(audit), shard: shard.unsigned_abs() };
                let items = first.zip(count);
                let items =
                    items.map(|(first, count)| ItemRange { first: first.unsigned_abs(), count: count.unsigned_abs() });
                let task = Task { items, ..Task::bundle(parsed("bundle", &bundle)?) };
                let published = u64::from(generation.unsigned_abs()) + 1;
                let priority = parsed("priority", &priority)?;
                Ok(OverdueTask { key, priority, task, published, deadline, trace: trace.into() })
            })
            .collect()
    }

    /// Shards with tasks that were published longer than `age` ago, are not done and may still be done, oldest first.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn stale_shards(&self, age: Duration, limit: i64) -> Result<Vec<StaleShard>, StoreError> {
        let rows: Vec<StaleShardRow> = sqlx::query_as(
            "SELECT s.audit_id, s.shard, a.project_id, p.repository_url, a.commit_sha, s.bundle, s.manifest, a.trace_id,
                    a.project_slug, stale.generation
             FROM (SELECT t.audit_id, t.shard, min(t.published_at) AS since, max(t.generation) AS generation
                   FROM audits a JOIN tasks t ON t.audit_id = a.id
                   WHERE a.state = 'running' AND a.tasks_in_flight > 0
                     AND t.state = 'published' AND t.published_at < now() - make_interval(secs => $1)
                     AND (t.deadline_at IS NULL OR t.deadline_at > now())
                   GROUP BY t.audit_id, t.shard ORDER BY since LIMIT $2) stale
             JOIN shards s USING (audit_id, shard)
             JOIN audits a ON a.id = s.audit_id AND a.state = 'running'
             JOIN projects p ON p.id = a.project_id
             ORDER BY stale.since",
        )
        .bind(age.as_secs_f64())
        .bind(limit)
        .fetch_all(&self.pool)
        .await
        .map_err(|error| StoreError::of("look for lost tasks", error))?;
        rows.into_iter()
            .map(|(audit, shard, project_id, repository_url, commit, bundle, manifest, trace, project, generation)| {
                Ok(StaleShard {
                    audit: AuditId(audit),
                    shard,
                    project: parsed("project slug", &project)?,
                    generation,
                    project_id,
                    repository_url,
                    commit: parsed("commit", &commit)?,
                    bundle: parsed("bundle", &bundle)?,
                    manifest: from_json("manifest", manifest)?,
                    trace: trace.into(),
                })
            })
            .collect()
    }

    /// What open tasks of an audit read: bundles of whole shards, with what is in them.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn open_bundles(&self, audit: AuditId, limit: i64) -> Result<Vec<(Digest, Manifest)>, StoreError> {
        let rows: Vec<(String, serde_json::Value)> = sqlx::query_as(
            "SELECT s.bundle, s.manifest FROM shards s
             WHERE s.audit_id = $1 AND s.first_item IS NULL AND NOT s.is_tree
               AND EXISTS (SELECT 1 FROM tasks t WHERE t.audit_id = $1 AND t.shard = s.shard
                           AND t.state IN ('ready', 'published'))
             ORDER BY s.shard LIMIT $2",
        )
        .bind(audit.0)
        .bind(limit)
        .fetch_all(&self.pool)
        .await
        .map_err(|error| StoreError::of("look for bundles that are waited for", error))?;
        let bundle = |(bundle, manifest): (String, serde_json::Value)| {
            Ok((parsed("bundle", &bundle)?, from_json("manifest", manifest)?))
        };
        rows.into_iter().map(bundle).collect()
    }

    /// Makes the open tasks of a shard ready to be published again, unless their deadline is past. One that is still in
    /// the queue is not doubled there: the stream keeps one message per task. A bundle that had to be packed again holds
    /// what the shard's own manifest says, also where the lost one held the shard that this one is a part of.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn reopen_shard(&self, audit: AuditId, shard: i32, bundle: &Digest) -> Result<u64, StoreError> {
        let failed = |error| StoreError::of("make tasks ready again", error);
        let mut transaction = self.begin().await?;
        lock_audit(&mut transaction, audit).await?;
        sqlx::query(
            "UPDATE shards SET bundle = $3, first_item = NULL, item_count = NULL
             WHERE audit_id = $1 AND shard = $2 AND bundle <> $3",
        )
        .bind(audit.0)
        .bind(shard)
        .bind(bundle.as_str())
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
        let reopened: i64 = sqlx::query_scalar(
            "WITH reopened AS (
                 UPDATE tasks SET state = 'ready', generation = generation + 1
                 WHERE audit_id = $1 AND shard = $2 AND state = 'published'
                   AND (deadline_at IS NULL OR deadline_at > now()) RETURNING 1)
             UPDATE audits SET tasks_in_flight = tasks_in_flight - (SELECT count(*) FROM reopened),
                    next_shard = least(next_shard, $2) WHERE id = $1
             RETURNING (SELECT count(*) FROM reopened)",
        )
        .bind(audit.0)
        .bind(shard)
        .fetch_one(&mut *transaction)
        .await
        .map_err(failed)?;
        announce(&mut transaction, TASKS_CHANNEL).await?;
        commit(transaction).await?;
        Ok(reopened.unsigned_abs())
    }
}
