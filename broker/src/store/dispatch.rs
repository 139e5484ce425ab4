//! Tasks on their way to the queue.

use schemas::ids::{AuditId, Digest, ProjectSlug, TraceId};
use schemas::request::Priority;
use schemas::task::{ItemRange, TaskKey};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Store, parsed};
use crate::error::StoreError;

/// A running audit, as far as the queue is concerned.
#[derive(Debug, Clone)]
pub struct OpenAudit {
    /// The audit.
    pub audit: AuditId,
    /// Its project.
    pub project: ProjectSlug,
    /// The team of the project.
    pub team: Option<String>,
    /// How urgent it was asked to be.
    pub priority: Priority,
    /// When it was asked for.
    pub created_at: OffsetDateTime,
    /// Tasks that wait to be published.
    pub ready: u64,
    /// Tasks in the queue or running.
    pub in_flight: u64,
    /// Tasks done.
    pub done: u64,
    /// Predicted cost of a task, in bytes' worth of analysis; the mean over the audit.
    pub task_cost: u64,
    /// Magics that it runs: so many tasks read the same shard.
    pub magics: u64,
}

/// A task that is ready to be published.
#[derive(Debug, Clone)]
pub struct ReadyTask {
    /// Which task.
    pub key: TaskKey,
    /// What it reads.
    pub bundle: Digest,
    /// Which items of that, where it is not all of them.
    pub items: Option<ItemRange>,
    /// Its predicted cost, in bytes' worth of analysis.
    pub cost: u64,
    /// How often it was published before.
    pub generation: i32,
    /// When it is given up, if it was published before.
    pub deadline_at: Option<OffsetDateTime>,
    /// The trace it belongs to.
    pub trace: TraceId,
    /// Where its audit was read from: see [`Cursor::seen`].
    pub cursor: i32,
}

/// Where the ready tasks of an audit begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The audit.
    pub audit: AuditId,
    /// What the cursor was when the tasks were read: if something has moved it since, it stays there.
    pub seen: i32,
    /// The lowest shard that may have ready tasks from now on.
    pub next: i32,
}

type OpenRow = (Uuid, String, Option<String>, String, OffsetDateTime, i64, i64, i64, i64, i32);

type ReadyRow =
    (Uuid, i32, String, i32, String, String, Uuid, Option<i32>, Option<i32>, i64, Option<OffsetDateTime>, i32);

impl Store {
    /// Every running audit that has tasks left, with what waits and what is in flight. Reads one row for each audit and none of a task.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn open_backlog(&self) -> Result<Vec<OpenAudit>, StoreError> {
        let rows: Vec<OpenRow> = sqlx::query_as(
            "SELECT a.id, a.project_slug, p.team_id, a.priority, a.created_at,
                    a.tasks_total - a.tasks_done - a.tasks_in_flight - a.tasks_waiting, a.tasks_in_flight, a.tasks_done,
                    a.cost_total / greatest(a.tasks_total, 1), cardinality(a.magics)
             FROM audits a LEFT JOIN projects p ON p.id = a.project_id
             WHERE a.state = 'running' AND a.kind <> 'ad_hoc' AND a.tasks_done < a.tasks_total
             ORDER BY a.created_at, a.id",
        )
        .fetch_all(&self.keyed)
        .await
        .map_err(|error| StoreError::of("look for ready tasks", error))?;
        rows.into_iter()
            .map(|(audit, project, team, priority, created_at, ready, in_flight, done, task_cost, magics)| {
                Ok(OpenAudit {
                    audit: AuditId(audit),
                    project: parsed("project slug", &project)?,
                    team,
                    priority: parsed("priority", &priority)?,
                    created_at,
                    ready: number("ready tasks", ready)?,
                    in_flight: number("tasks in flight", in_flight)?,
                    done: number("tasks done", done)?,
                    task_cost: number("task cost", task_cost)?,
                    magics: number("magics", i64::from(magics))?,
                })
            })
            .collect()
    }

    /// The first ready tasks of each of `wanted`, so many as it says, in the order of `wanted`; of one audit shard by shard, so that the
    /// magics of one shard stay together. Those past their deadline are left to the reconciler.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn ready_tasks(&self, wanted: &[(AuditId, u64)]) -> Result<Vec<ReadyTask>, StoreError> {
        let audits: Vec<Uuid> = wanted.iter().map(|(audit, _)| audit.0).collect();
        let counts: Vec<i64> = wanted.iter().map(|(_, count)| i64::try_from(*count).unwrap_or(i64::MAX)).collect();
        let rows: Vec<ReadyRow> = sqlx::query_as(
            "SELECT t.audit_id, t.shard, t.magic, t.generation, s.bundle, a.project_slug, a.trace_id,
                    s.first_item, s.item_count, t.cost, t.deadline_at, a.next_shard
             FROM UNNEST($1::uuid[], $2::bigint[]) WITH ORDINALITY AS w(audit_id, tasks, place)
             JOIN audits a ON a.id = w.audit_id AND a.state = 'running'
             CROSS JOIN LATERAL (
                 SELECT * FROM tasks
                 WHERE audit_id = a.id AND shard >= a.next_shard AND state = 'ready'
                   AND (deadline_at IS NULL OR deadline_at > now())
                 ORDER BY shard, magic LIMIT w.tasks) t
             JOIN shards s ON s.audit_id = t.audit_id AND s.shard = t.shard
             ORDER BY w.place, t.shard, t.magic",
        )
        .bind(audits)
        .bind(counts)
        .fetch_all(&self.keyed)
        .await
        .map_err(|error| StoreError::of("look for ready tasks", error))?;
        rows.into_iter().map(ready_task).collect()
    }

    /// Notes that tasks are in the queue, and until when they have time, and where the next ones begin. A task that is done or
    /// was stopped by now stays so.
    ///
    /// # Errors
    /// If the database cannot be reached: they are published again, under the same id.
    pub async fn mark_published(
        &self,
        tasks: &[(&TaskKey, OffsetDateTime)],
        cursors: &[Cursor],
    ) -> Result<(), StoreError> {
        let (mut audits, mut shards, mut magics, mut deadlines) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (key, deadline) in tasks {
            audits.push(key.audit.0);
            shards.push(i32::try_from(key.shard).unwrap_or(i32::MAX));
            magics.push(key.magic.as_str());
            deadlines.push(*deadline);
        }
        sqlx::query(
            // The audits first, as the merge does, so that the two never wait for each other in a circle.
            "WITH locked AS MATERIALIZED (SELECT id FROM audits WHERE id = ANY($5) ORDER BY id FOR UPDATE),
             marked AS (
                 UPDATE tasks t SET state = 'published', published_at = now(), deadline_at = coalesce(t.deadline_at, p.deadline)
                 FROM UNNEST($1::uuid[], $2::integer[], $3::text[], $4::timestamptz[]) AS p(audit_id, shard, magic, deadline)
                 JOIN locked ON locked.id = p.audit_id
                 WHERE t.audit_id = p.audit_id AND t.shard = p.shard AND t.magic = p.magic AND t.state = 'ready'
                 RETURNING t.audit_id)
             UPDATE audits a SET tasks_in_flight = a.tasks_in_flight + m.n,
                    next_shard = CASE WHEN a.next_shard = c.seen THEN c.next ELSE a.next_shard END
             FROM (SELECT audit_id, count(*) AS n FROM marked GROUP BY audit_id) m
             JOIN UNNEST($5::uuid[], $6::integer[], $7::integer[]) AS c(audit_id, seen, next) USING (audit_id)
             WHERE a.id = m.audit_id",
        )
        .bind(&audits)
        .bind(shards)
        .bind(magics)
        .bind(deadlines)
        .bind(cursors.iter().map(|cursor| cursor.audit.0).collect::<Vec<_>>())
        .bind(cursors.iter().map(|cursor| cursor.seen).collect::<Vec<_>>())
        .bind(cursors.iter().map(|cursor| cursor.next).collect::<Vec<_>>())
        .execute(&self.keyed)
        .await
        .map(|_| ())
        .map_err(|error| StoreError::of("mark tasks as published", error))
    }

    /// Looks for the ready tasks of audits from the beginning again, since fewer were found than there are.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn rewind(&self, audits: &[AuditId]) -> Result<(), StoreError> {
        sqlx::query("UPDATE audits SET next_shard = 0 WHERE id = ANY($1) AND next_shard > 0 AND state = 'running'")
            .bind(audits.iter().map(|audit| audit.0).collect::<Vec<_>>())
            .execute(&self.keyed)
            .await
            .map(|_| ())
            .map_err(|error| StoreError::of("look for ready tasks again", error))
    }

    /// How many tasks are in the queue or running.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn tasks_in_flight(&self) -> Result<i64, StoreError> {
        sqlx::query_scalar("SELECT coalesce(sum(tasks_in_flight), 0)::bigint FROM audits WHERE state = 'running'")
            .fetch_one(&self.keyed)
            .await
            .map_err(|error| StoreError::of("count tasks in flight", error))
    }
}

fn ready_task(row: ReadyRow) -> Result<ReadyTask, StoreError> {
    let (audit, shard, magic, generation, bundle, project, trace, first, count, cost, deadline_at, cursor) = row;
    let item = |value: i32| u32::try_from(number("item", i64::from(value))?).map_err(|error| corrupt("item", &error));
    let items = match (first, count) {
        (Some(first), Some(count)) => Some(ItemRange { first: item(first)?, count: item(count)? }),
        _ => None,
    };
    let (magic, project, shard) = (parsed("magic", &magic)?, parsed("project slug", &project)?, item(shard)?);
    Ok(ReadyTask {
        key: TaskKey { magic, project, audit: AuditId(audit), shard },
        bundle: parsed("bundle", &bundle)?,
        items,
        cost: number("cost", cost)?,
        generation,
        deadline_at,
        trace: trace.into(),
        cursor,
    })
}

fn number(what: &'static str, value: i64) -> Result<u64, StoreError> {
    u64::try_from(value).map_err(|error| corrupt(what, &error))
}

fn corrupt(what: &'static str, error: &dyn std::fmt::Display) -> StoreError {
    StoreError::Corrupt { what, reason: error.to_string() }
}
