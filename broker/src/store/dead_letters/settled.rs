//! Letters that nobody needs to look at any more: their tasks came to a good end after all, or nobody waits for them.

use sqlx::PgConnection;

use crate::error::StoreError;
use crate::store::{Store, commit};

impl Store {
    /// Closes open letters of tasks that were answered well since, or whose audit was stopped. Returns how many.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn close_settled_letters(&self, limit: i64) -> Result<u64, StoreError> {
        let mut transaction = self.begin().await?;
        let closed = close_settled(&mut transaction, None, limit).await?;
        commit(transaction).await?;
        Ok(closed)
    }
}

/// The same, of the letter with this id alone if one is given. A task that ended with a hole keeps its letter, which names it.
pub(super) async fn close_settled(
    connection: &mut PgConnection,
    id: Option<&str>,
    limit: i64,
) -> Result<u64, StoreError> {
    let closed = sqlx::query(
        "UPDATE dead_letters l SET state = 'discarded', handled_at = now(), became = s.became
         FROM (SELECT d.id, CASE WHEN a.state IN ('cancelled', 'superseded') THEN 'its audit was ' || a.state
                                 ELSE 'its task was answered after all' END AS became
               FROM dead_letters d
               JOIN audits a ON a.id = d.audit_id
               JOIN tasks t ON t.audit_id = d.audit_id AND t.shard = d.shard AND t.magic = d.magic
               LEFT JOIN results r ON r.audit_id = d.audit_id AND r.shard = d.shard AND r.magic = d.magic
               WHERE d.state = 'open' AND d.origin = 'task' AND ($1::text IS NULL OR d.id = $1)
                 AND (a.state IN ('cancelled', 'superseded')
                      OR (t.state = 'done' AND (r.tally #>> '{failures,count}')::bigint = 0
                          AND NOT r.tally -> 'skipped' ? 'analyzer_failed'))
               LIMIT $2 FOR UPDATE OF d SKIP LOCKED) s
         WHERE l.id = s.id",
    )
    .bind(id)
    .bind(limit)
    .execute(connection)
    .await
    .map_err(|error| StoreError::of("close letters", error))?;
    Ok(closed.rows_affected())
}
