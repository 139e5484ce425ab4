//! The outbox: messages that exist because the transaction that wrote them committed.

use schemas::event::AuditEvent;
use schemas::ids::{AuditId, TraceId};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{OUTBOX_CHANNEL, Store, to_json};
use crate::error::StoreError;
use crate::subject::Subject;

/// A message to publish.
#[derive(Debug, Clone)]
pub struct OutboxRow {
    /// Its key, in order of writing.
    pub id: i64,
    /// Where to.
    pub subject: String,
    /// What makes two publishes the same message.
    pub message_id: String,
    /// The trace it belongs to.
    pub trace: TraceId,
    /// The message.
    pub body: serde_json::Value,
}

impl OutboxRow {
    /// The audit that it is about: requests and events name it in their bodies, tasks on their subjects.
    pub(crate) fn audit(&self) -> Option<AuditId> {
        let named = self.body.get("audit").and_then(|audit| audit.as_str()?.parse().ok());
        named.or_else(|| self.subject.parse::<Subject>().ok()?.audit())
    }
}

/// Writes a message that is published once the transaction commits.
pub(super) async fn outbox_row(
    connection: &mut PgConnection,
    subject: &Subject,
    message_id: &str,
    trace: TraceId,
    body: serde_json::Value,
) -> Result<(), StoreError> {
    // In one statement with its announcement: every webhook writes two of these while its sender waits.
    sqlx::query(
        "WITH message AS (INSERT INTO outbox (subject, message_id, trace_id, body) VALUES ($1, $2, $3, $4))
         SELECT pg_notify($5, '')",
    )
    .bind(subject.to_string())
    .bind(message_id)
    .bind(trace.as_uuid())
    .bind(body)
    .bind(OUTBOX_CHANNEL)
    .execute(connection)
    .await
    .map(|_| ())
    .map_err(|error| StoreError::of("write to the outbox", error))
}

/// Writes an event that happens at most once per audit and kind.
pub(super) async fn event_row(
    connection: &mut PgConnection,
    event: &AuditEvent,
    trace: TraceId,
) -> Result<(), StoreError> {
    let subject = Subject::Event(event.project.clone(), event.audit, event.kind);
    let digits = event.tasks_done.unwrap_or_default();
    let message_id = format!("E:{subject}:{digits}");
    outbox_row(connection, &subject, &message_id, trace, to_json("event", event)?).await
}

impl Store {
    /// Takes up to `limit` messages, hands them to `publish` and removes those that it says were stored. Rows taken
    /// elsewhere at the same time are left out. Returns how many were taken and how many published.
    ///
    /// # Errors
    /// If the database cannot be reached; then what was published is published again, under the same id.
    pub async fn drain_outbox<F>(&self, limit: i64, publish: F) -> Result<(usize, usize), StoreError>
    where
        F: AsyncFnOnce(Vec<OutboxRow>) -> Vec<i64>,
    {
        let failed = |error| StoreError::of("read the outbox", error);
        let mut transaction = self.begin_keyed().await?;
        let rows: Vec<(i64, String, String, Uuid, serde_json::Value)> = sqlx::query_as(
            "SELECT id, subject, message_id, trace_id, body FROM outbox ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED",
        )
        .bind(limit)
        .fetch_all(&mut *transaction)
        .await
        .map_err(failed)?;
        let taken = rows.len();
        if taken == 0 {
            return Ok((0, 0));
        }
        let rows = rows.into_iter().map(|(id, subject, message_id, trace, body)| {
            let trace = trace.into();
            OutboxRow { id, subject, message_id, trace, body }
        });
        let stored = publish(rows.collect()).await;
        sqlx::query("DELETE FROM outbox WHERE id = ANY($1)")
            .bind(&stored)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        super::commit(transaction).await?;
        Ok((taken, stored.len()))
    }

    /// How many messages wait to be published, for metrics and readiness.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn outbox_depth(&self) -> Result<i64, StoreError> {
        sqlx::query_scalar("SELECT count(*) FROM outbox")
            .fetch_one(&self.pool)
            .await
            .map_err(|error| StoreError::of("count the outbox", error))
    }
}
