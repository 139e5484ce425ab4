//! Tasks on their way to the queue.

use schemas::ids::{AuditId, Digest, TraceId};
use schemas::request::Priority;
use schemas::task::TaskKey;
use uuid::Uuid;

use super::{Store, parsed};
use crate::error::StoreError;

/// A task that is ready to be published.
#[derive(Debug, Clone)]
pub struct ReadyTask {
    /// Which task.
    pub key: TaskKey,
    /// How urgent it is.
    pub priority: Priority,
    /// What it reads.
    pub bundle: Digest,
    /// How often it was published before.
    pub generation: i32,
    /// The trace it belongs to.
    pub trace: TraceId,
}

type ReadyRow = (Uuid, i32, String, i32, String, String, String, Uuid);

impl Store {
    /// Ready tasks, at most `per_audit` of each running audit, shard by shard so that the magics of one shard stay
    /// together; the most urgent and then the oldest audits first, at most `limit` in all.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn ready_tasks(&self, per_audit: i64, limit: i64) -> Result<Vec<ReadyTask>, StoreError> {
        let rows: Vec<ReadyRow> = sqlx::query_as(
            "SELECT t.audit_id, t.shard, t.magic, t.generation, s.bundle, a.project_slug, a.priority, a.trace_id
             FROM audits a
             CROSS JOIN LATERAL (
                 SELECT * FROM tasks WHERE audit_id = a.id AND state = 'ready' ORDER BY shard, magic LIMIT $1) t
             JOIN shards s ON s.audit_id = t.audit_id AND s.shard = t.shard
             WHERE a.state = 'running'
             ORDER BY array_position(ARRAY['critical', 'high', 'normal', 'low'], a.priority), a.created_at, t.shard, t.magic
             LIMIT $2",
        )
        .bind(per_audit)
        .bind(limit)
        .fetch_all(&self.pool)
        .await
        .map_err(|error| StoreError::of("look for ready tasks", error))?;
        rows.into_iter()
            .map(|(audit, shard, magic, generation, bundle, project, priority, trace)| {
                let shard = u32::try_from(shard)
                    .map_err(|error| StoreError::Corrupt { what: "shard", reason: error.to_string() })?;
                let (magic, project) = (parsed("magic", &magic)?, parsed("project slug", &project)?);
                Ok(ReadyTask {
                    key: TaskKey { magic, project, audit: AuditId(audit), shard },
                    priority: parsed("priority", &priority)?,
                    bundle: parsed("bundle", &bundle)?,
                    generation,
                    trace: trace.into(),
                })
            })
            .collect()
    }

    /// Notes that tasks are in the queue. A task that is done by now stays done.
    ///
    /// # Errors
    /// If the database cannot be reached: they are published again, under the same id.
    pub async fn mark_published(&self, tasks: &[&TaskKey]) -> Result<(), StoreError> {
        let (mut audits, mut shards, mut magics) = (Vec::new(), Vec::new(), Vec::new());
        for key in tasks {
            audits.push(key.audit.0);
            shards.push(i32::try_from(key.shard).unwrap_or(i32::MAX));
            magics.push(key.magic.as_str());
        }
        sqlx::query(
            "UPDATE tasks t SET state = 'published', published_at = now()
             FROM UNNEST($1::uuid[], $2::integer[], $3::text[]) AS p(audit_id, shard, magic)
             WHERE t.audit_id = p.audit_id AND t.shard = p.shard AND t.magic = p.magic AND t.state = 'ready'",
        )
        .bind(audits)
        .bind(shards)
        .bind(magics)
        .execute(&self.pool)
        .await
        .map(|_| ())
        .map_err(|error| StoreError::of("mark tasks as published", error))
    }

    /// How many tasks are in the queue or running.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn outstanding_tasks(&self) -> Result<i64, StoreError> {
        sqlx::query_scalar("SELECT count(*) FROM tasks WHERE state = 'published'")
            .fetch_one(&self.pool)
            .await
            .map_err(|error| StoreError::of("count outstanding tasks", error))
    }
}
