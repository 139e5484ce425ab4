//! Results of tasks that were published by hand: no plan asked for them, so they get an audit of their own.

use std::collections::BTreeSet;

use schemas::task::TaskKey;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{TaskResult, shard_column};
use crate::error::StoreError;

/// Gives results of tasks published by hand an audit to belong to. An audit of ours is never adopted: its kind differs.
pub(super) async fn adopt_unplanned(connection: &mut PgConnection, batch: &[TaskResult]) -> Result<(), StoreError> {
    let failed = |error| StoreError::of("record tasks published by hand", error);
    let audits: Vec<Uuid> = batch.iter().map(|result| result.key.audit.0).collect();
    let planned: Vec<Uuid> = sqlx::query_scalar("SELECT id FROM audits WHERE id = ANY($1) AND kind <> 'ad_hoc'")
        .bind(&audits)
        .fetch_all(&mut *connection)
        .await
        .map_err(failed)?;
    let planned: BTreeSet<Uuid> = planned.into_iter().collect();
    for result in batch.iter().filter(|result| !planned.contains(&result.key.audit.0)) {
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
    Ok(())
}
