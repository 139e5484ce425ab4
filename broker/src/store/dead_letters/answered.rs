//! Letters of tasks that were answered with a failure: one that was lost with the queue is written from the answer.

use std::time::Duration;

use schemas::dead_letter::{Cause, DeadLetter, NoticedBy};
use schemas::ids::AuditId;
use schemas::retry::ErrorClass;
use schemas::task::TaskKey;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{clean, keep};
use crate::error::StoreError;
use crate::store::merge::shard_column;
use crate::store::{Store, commit, parsed};
use crate::subject::Subject;

type LostRow = (Uuid, i32, String, String, Option<String>, String, String, Uuid);

/// Notes that a task was answered with a failure: whoever answered wrote a letter with the same reason before.
pub(in crate::store) async fn expect_letter(
    connection: &mut PgConnection,
    key: &TaskKey,
    reason: &str,
    class: Option<ErrorClass>,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO failed_answers (audit_id, shard, magic, reason, class) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (audit_id, shard, magic) DO UPDATE
         SET reason = excluded.reason, class = excluded.class, answered_at = now()",
    )
    .bind(key.audit.0)
    .bind(shard_column(key.shard))
    .bind(key.magic.as_str())
    .bind(clean(reason))
    .bind(class.map(|class| class.as_str()))
    .execute(connection)
    .await
    .map(|_| ())
    .map_err(|error| StoreError::of("note that a letter is expected", error))
}

impl Store {
    /// Writes the letters of tasks that were answered with a failure longer than `age` ago and of which none has come.
    /// What the dead message said is lost with the queue, so that is empty. Returns how many were written.
    ///
    /// # Errors
    /// If the database cannot be reached: then nothing has changed.
    pub async fn write_lost_letters(&self, age: Duration, limit: i64) -> Result<usize, StoreError> {
        let mut transaction = self.begin().await?;
        let rows: Vec<LostRow> = sqlx::query_as(
            "WITH due AS (
                 DELETE FROM failed_answers WHERE (audit_id, shard, magic) IN (
                     SELECT audit_id, shard, magic FROM failed_answers
                     WHERE answered_at < now() - make_interval(secs => $1)
                     ORDER BY answered_at LIMIT $2 FOR UPDATE SKIP LOCKED)
                 RETURNING *)
             SELECT f.audit_id, f.shard, f.magic, f.reason, f.class, a.project_slug, a.priority, a.trace_id
             FROM due f JOIN audits a ON a.id = f.audit_id
             WHERE NOT EXISTS (
                 SELECT 1 FROM dead_letters d
                 WHERE d.audit_id = f.audit_id AND d.shard = f.shard AND d.magic = f.magic AND d.reason = f.reason
                   -- One that was requeued before is the letter of another death.
                   AND (d.state <> 'requeued' OR d.handled_at > f.answered_at))",
        )
        .bind(age.as_secs_f64())
        .bind(limit)
        .fetch_all(&mut *transaction)
        .await
        .map_err(|error| StoreError::of("look for lost letters", error))?;
        let lost = rows.len();
        for (audit, shard, magic, reason, class, project, priority, trace) in rows {
            let (magic, project) = (parsed("magic", &magic)?, parsed("project slug", &project)?);
            let key = TaskKey { magic, project, audit: AuditId(audit), shard: shard.unsigned_abs() };
            let subject = Subject::Task(parsed("priority", &priority)?, key).to_string();
            let class = class.map(|class| parsed("error class", &class)).transpose()?;
            let cause = if class.is_some() { Cause::Exhausted } else { Cause::Refused };
            let letter = DeadLetter::new(&subject, cause, reason, 0, b"");
            let letter = DeadLetter { class, noticed_by: NoticedBy::Reconciler, ..letter };
            keep(&mut transaction, &letter, trace.into()).await?;
        }
        commit(transaction).await?;
        Ok(lost)
    }
}

/// Removes what was written in the place of a letter that comes after all.
pub(super) async fn replace_written(
    connection: &mut PgConnection,
    key: &TaskKey,
    letter: &DeadLetter,
) -> Result<(), StoreError> {
    sqlx::query(
        "DELETE FROM dead_letters
         WHERE audit_id = $1 AND shard = $2 AND magic = $3 AND reason = $4 AND body = '' AND state = 'open' AND id <> $5",
    )
    .bind(key.audit.0)
    .bind(shard_column(key.shard))
    .bind(key.magic.as_str())
    .bind(clean(&letter.reason))
    .bind(String::from(letter.identity()))
    .execute(connection)
    .await
    .map(|_| ())
    .map_err(|error| StoreError::of("replace a letter", error))
}
