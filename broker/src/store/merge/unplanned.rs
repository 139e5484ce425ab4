//! Results of tasks that were published by hand: no plan asked for them, so they get an audit of their own.

use schemas::task::TaskKey;
use sqlx::PgConnection;

use super::{Columns, TaskResult, columns, shard_column};
use crate::error::StoreError;

/// Gives results of tasks published by hand an audit to belong to. An audit of ours is never adopted: its kind differs.
pub(super) async fn adopt(connection: &mut PgConnection, unplanned: &[&TaskResult]) -> Result<(), StoreError> {
    let failed = |error| StoreError::of("record tasks published by hand", error);
    for result in unplanned {
        let TaskKey { magic, project, audit, shard } = &result.key;
        sqlx::query(
            "INSERT INTO audits (id, project_id, project_slug, kind, priority, magics, requested_by, trace_id, state, started_at)
             VALUES ($1, (SELECT id FROM projects WHERE slug = $2), $2, 'ad_hoc', 'normal', ARRAY[$3], 'nats', $4, 'running', now())
             ON CONFLICT DO NOTHING",
        )
        .bind(audit.0)
        .bind(project.as_str())
        .bind(magic.as_str())
        .bind(result.trace.as_uuid())
        .execute(&mut *connection)
        .await
        .map_err(failed)?;
        sqlx::query(
            "WITH added AS (
                 INSERT INTO tasks (audit_id, shard, magic, state)
                 SELECT id, $2, $3, 'published' FROM audits WHERE id = $1 AND kind = 'ad_hoc' AND project_slug = $4
                 ON CONFLICT DO NOTHING RETURNING 1)
             UPDATE audits SET tasks_total = tasks_total + (SELECT count(*) FROM added),
                    tasks_in_flight = tasks_in_flight + (SELECT count(*) FROM added),
                    magics = (SELECT array_agg(DISTINCT m) FROM UNNEST(magics || $3) m)
             WHERE id = $1 AND EXISTS (SELECT 1 FROM added)",
        )
        .bind(audit.0)
        .bind(shard_column(*shard))
        .bind(magic.as_str())
        .bind(project.as_str())
        .execute(&mut *connection)
        .await
        .map_err(failed)?;
    }
    let answered = unplanned.iter().filter(|result| result.partial.failure.is_none());
    let answered: Vec<&TaskKey> = answered.map(|result| &result.key).collect();
    reopen_failed(connection, &answered).await
}

/// Opens tasks published by hand again that were answered with a failure and are answered well now, since somebody has
/// published them once more. Whichever comes first, the failure or the answer, the answer counts.
async fn reopen_failed(connection: &mut PgConnection, answered: &[&TaskKey]) -> Result<(), StoreError> {
    if answered.is_empty() {
        return Ok(());
    }
    let Columns { audits, shards, magics, projects } = columns(answered.iter().copied());
    sqlx::query(
        "WITH forgotten AS (
             DELETE FROM results r
             USING UNNEST($1::uuid[], $2::integer[], $3::text[], $4::text[]) AS q(audit_id, shard, magic, project), audits a
             WHERE r.audit_id = q.audit_id AND r.shard = q.shard AND r.magic = q.magic AND a.id = q.audit_id
               AND a.kind = 'ad_hoc' AND a.project_slug = q.project AND (r.tally #>> '{failures,count}')::bigint > 0
             RETURNING r.audit_id, r.shard, r.magic),
         opened AS (
             UPDATE tasks t SET state = 'published', done_at = NULL FROM forgotten f
             WHERE t.audit_id = f.audit_id AND t.shard = f.shard AND t.magic = f.magic AND t.state = 'done'
             RETURNING t.audit_id, t.cost)
         UPDATE audits a SET tasks_done = tasks_done - o.n, tasks_in_flight = tasks_in_flight + o.n,
                cost_done = cost_done - o.cost
         FROM (SELECT audit_id, count(*) AS n, sum(cost)::bigint AS cost FROM opened GROUP BY audit_id) o
         WHERE a.id = o.audit_id",
    )
    .bind(audits)
    .bind(shards)
    .bind(magics)
    .bind(projects)
    .execute(connection)
    .await
    .map(|_| ())
    .map_err(|error| StoreError::of("open tasks published by hand again", error))
}
