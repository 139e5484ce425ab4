//! Dead letters: messages that nobody could use, kept until somebody looks.

mod again;
mod answered;
mod handle;
mod query;
mod settled;

use schemas::dead_letter::DeadLetter;
use schemas::ids::{AuditId, TraceId};
use schemas::task::TaskKey;
use sqlx::PgConnection;

pub(super) use self::answered::expect_letter;
use self::answered::replace_written;
pub use self::handle::{Act, Handled, Handling, Refusal};
pub use self::query::{
    InvalidLetterId, InvalidReasonText, Letter, LetterFilter, LetterId, LetterState, ReasonText, UnknownState,
};
use self::settled::close_settled;
use super::{Store, commit};
use crate::error::StoreError;
use crate::subject::{Origin, Subject};

/// What the record knows of the task that a letter is about.
#[derive(Default)]
struct Known {
    /// What it is, where the task is over one item alone.
    item: Option<String>,
    /// Into which shards it was split, if it was: then those are to be looked at, not the letter.
    split: Option<(i32, i32)>,
}

impl Store {
    /// Keeps a letter under an id made of its content; the same one again changes nothing. One that was requeued, and
    /// whose message died again in another trace, is open again.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn keep_dead_letter(&self, letter: &DeadLetter, trace: TraceId) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        keep(&mut transaction, letter, trace).await?;
        commit(transaction).await
    }

    /// How many letters nobody has dealt with yet, for metrics.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn dead_letter_count(&self) -> Result<i64, StoreError> {
        sqlx::query_scalar("SELECT count(*) FROM dead_letters WHERE state = 'open'")
            .fetch_one(&self.pool)
            .await
            .map_err(|error| StoreError::of("count dead letters", error))
    }
}

async fn keep(connection: &mut PgConnection, letter: &DeadLetter, trace: TraceId) -> Result<(), StoreError> {
    let subject = letter.subject.parse::<Subject>().ok();
    let project = subject.as_ref().and_then(Subject::project);
    let task = match &subject {
        Some(Subject::Task(_, key) | Subject::Result(key)) => Some(key),
        _ => None,
    };
    let known = match task {
        Some(key) => {
            let known = known_of(connection, key).await?;
            replace_written(connection, key, letter).await?;
            known
        }
        None => Known::default(),
    };
    let id = String::from(letter.identity());
    let origin = Origin::of(&letter.subject).unwrap_or(Origin::Task);
    let superseded = known.split.filter(|_| origin == Origin::Task).map(became_parts);
    sqlx::query(
        "INSERT INTO dead_letters (id, subject, cause, reason, attempts, body, origin, audit_id, project_slug, magic,
                                   shard, item, class, worker, noticed_by, trace_id, state, handled_at, became)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
                 CASE WHEN $17::text IS NULL THEN 'open' ELSE 'discarded' END,
                 CASE WHEN $17::text IS NULL THEN NULL ELSE now() END, $17)
         ON CONFLICT (id) DO UPDATE
         SET state = 'open', handled_at = NULL, became = NULL, received_at = now(),
             attempts = EXCLUDED.attempts, trace_id = EXCLUDED.trace_id
         WHERE dead_letters.state = 'requeued' AND dead_letters.trace_id IS DISTINCT FROM EXCLUDED.trace_id",
    )
    .bind(&id)
    .bind(clean(&letter.subject))
    .bind(letter.cause.as_str())
    .bind(clean(&letter.reason))
    .bind(i64::try_from(letter.attempts).unwrap_or(i64::MAX))
    .bind(clean(&letter.body))
    .bind(origin.as_str())
    .bind(task.map(|key| key.audit.0))
    .bind(project.map(|project| project.as_str()))
    .bind(task.map(|key| key.magic.as_str()))
    .bind(task.map(|key| i32::try_from(key.shard).unwrap_or(i32::MAX)))
    .bind(letter.item.as_deref().map(clean).or(known.item))
    .bind(letter.class.map(|class| class.as_str()))
    .bind(letter.worker.as_deref().map(clean))
    .bind(letter.noticed_by.as_str())
    .bind(trace.as_uuid())
    .bind(superseded)
    .execute(&mut *connection)
    .await
    .map_err(|error| StoreError::of("keep a dead letter", error))?;
    close_settled(connection, Some(&id), 1).await.map(|_| ())
}

/// The text without what the database cannot keep.
fn clean(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// Looks at the task and holds it: it is split either before this, and seen here, or after the letter is kept, and then
/// finds it.
async fn known_of(connection: &mut PgConnection, key: &TaskKey) -> Result<Known, StoreError> {
    let shard = i32::try_from(key.shard).unwrap_or(i32::MAX);
    let failed = |error| StoreError::of("look up the task of a dead letter", error);
    let row: Option<(String, Option<String>)> = sqlx::query_as(
        "SELECT t.state,
                CASE WHEN jsonb_array_length(s.manifest -> 'files') + jsonb_array_length(s.manifest -> 'commits') = 1
                     THEN coalesce(s.manifest #>> '{files,0,path}', s.manifest #>> '{commits,0,sha}') END
         FROM tasks t JOIN shards s ON s.audit_id = t.audit_id AND s.shard = t.shard
         WHERE t.audit_id = $1 AND t.shard = $2 AND t.magic = $3 FOR SHARE OF t",
    )
    .bind(key.audit.0)
    .bind(shard)
    .bind(key.magic.as_str())
    .fetch_optional(&mut *connection)
    .await
    .map_err(failed)?;
    let Some((state, item)) = row else { return Ok(Known::default()) };
    if state != "split" {
        return Ok(Known { item, split: None });
    }
    let parts: (Option<i32>, Option<i32>) = sqlx::query_as(
        "SELECT min(s.shard), max(s.shard) FROM shards s JOIN tasks t ON t.audit_id = s.audit_id AND t.shard = s.shard
         WHERE s.audit_id = $1 AND s.split_from = $2 AND t.magic = $3",
    )
    .bind(key.audit.0)
    .bind(shard)
    .bind(key.magic.as_str())
    .fetch_one(connection)
    .await
    .map_err(failed)?;
    Ok(Known { item, split: parts.0.zip(parts.1) })
}

/// Notes on the open letters about a task that it was split, so that nobody looks at them who need not.
pub(super) async fn supersede_letters(
    connection: &mut PgConnection,
    key: &TaskKey,
    parts: (i32, i32),
) -> Result<(), StoreError> {
    let AuditId(audit) = key.audit;
    sqlx::query(
        "UPDATE dead_letters SET state = 'discarded', handled_at = now(), became = $4
         WHERE audit_id = $1 AND shard = $2 AND magic = $3 AND origin = 'task' AND state = 'open'",
    )
    .bind(audit)
    .bind(i32::try_from(key.shard).unwrap_or(i32::MAX))
    .bind(key.magic.as_str())
    .bind(became_parts(parts))
    .execute(connection)
    .await
    .map(|_| ())
    .map_err(|error| StoreError::of("supersede dead letters", error))
}

fn became_parts((first, last): (i32, i32)) -> String {
    format!("split into shards {first}..{last}")
}
