//! Stopping audits: the end of each in one transaction with what tells everybody, and the tasks that it leaves in the queue.

use schemas::event::{AuditEvent, EventKind};
use schemas::ids::{AuditId, ProjectSlug};
use sqlx::PgConnection;
use uuid::Uuid;

use super::audits::Audit;
use super::outbox::{event_row, outbox_row};
use super::supersede::release_waiting;
use super::{Store, TASKS_CHANNEL, announce, commit, parsed};
use crate::error::StoreError;
use crate::subject::Subject;

/// How an audit is stopped. Both are final.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Somebody asked.
    Cancelled,
    /// A newer push took its place.
    Superseded,
}

impl End {
    fn state(self) -> &'static str {
        match self {
            Self::Cancelled => "cancelled",
            Self::Superseded => "superseded",
        }
    }

    fn event(self) -> EventKind {
        match self {
            Self::Cancelled => EventKind::Cancelled,
            Self::Superseded => EventKind::Superseded,
        }
    }
}

/// An audit to stop.
#[derive(Debug)]
pub(super) struct Stopping {
    pub(super) audit: AuditId,
    pub(super) reason: String,
    pub(super) superseded_by: Option<AuditId>,
}

/// An audit that was stopped and may still have tasks in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoppedAudit {
    /// The audit.
    pub audit: AuditId,
    /// Its project.
    pub project: ProjectSlug,
}

impl Store {
    /// Stops an audit that is queued or running. One that has ended stays as it ended. Returns the audit as it is then,
    /// and whether this call stopped it; `None` if there is no such audit.
    ///
    /// # Errors
    /// If the database cannot be reached: then nothing is stopped.
    pub async fn cancel_audit(&self, id: AuditId, reason: &str) -> Result<Option<(Audit, bool)>, StoreError> {
        let mut transaction = self.begin().await?;
        let stopping = Stopping { audit: id, reason: reason.replace('\0', "\u{fffd}"), superseded_by: None };
        let stopped = stop_audits(&mut transaction, End::Cancelled, &[stopping]).await?;
        let row = sqlx::query("SELECT * FROM audits WHERE id = $1").bind(id.0).fetch_optional(&mut *transaction).await;
        let row = row.map_err(|error| StoreError::of("read an audit", error))?;
        let audit = row.as_ref().map(Audit::from_row).transpose()?;
        commit(transaction).await?;
        Ok(audit.map(|audit| (audit, stopped > 0)))
    }

    /// Audits that were stopped and whose tasks were not removed from the queue since, longest stopped first.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn stopped_audits(&self, limit: i64) -> Result<Vec<StoppedAudit>, StoreError> {
        let rows: Vec<(Uuid, String)> = sqlx::query_as(
            "SELECT id, project_slug FROM audits WHERE state IN ('cancelled', 'superseded') AND NOT is_purged
             ORDER BY finished_at LIMIT $1",
        )
        .bind(limit)
        .fetch_all(&self.keyed)
        .await
        .map_err(|error| StoreError::of("look for stopped audits", error))?;
        rows.into_iter()
            .map(|(id, project)| Ok(StoppedAudit { audit: AuditId(id), project: parsed("project slug", &project)? }))
            .collect()
    }

    /// Notes that no task of a stopped audit is in the queue any more.
    ///
    /// # Errors
    /// If the database cannot be reached: then they are removed once more.
    pub async fn mark_purged(&self, id: AuditId) -> Result<(), StoreError> {
        sqlx::query("UPDATE audits SET is_purged = true WHERE id = $1")
            .bind(id.0)
            .execute(&self.pool)
            .await
            .map(|_| ())
            .map_err(|error| StoreError::of("note that tasks were removed", error))
    }
}

/// Ends those of the audits that are queued or running, with their open tasks, their events, the word to workers that
/// have some of them, and whatever waited for them. Returns how many there were. Audits of tasks published by hand are
/// left alone: they have no plan, so they never end for good.
pub(super) async fn stop_audits(
    connection: &mut PgConnection,
    end: End,
    stopping: &[Stopping],
) -> Result<usize, StoreError> {
    let (mut ids, mut reasons, mut followers) = (Vec::new(), Vec::new(), Vec::new());
    for Stopping { audit, reason, superseded_by } in stopping {
        ids.push(audit.0);
        reasons.push(reason.as_str());
        followers.push(superseded_by.map(|follower| follower.0));
    }
    let rows: Vec<(Uuid, String, Uuid, String, bool)> = sqlx::query_as(
        "UPDATE audits a SET state = $4, reason = s.reason, finished_at = now(), superseded_by = s.superseded_by,
                waits_for = NULL, tasks_in_flight = 0, tasks_waiting = 0, is_purged = a.started_at IS NULL
         FROM UNNEST($1::uuid[], $2::text[], $3::uuid[]) AS s(id, reason, superseded_by)
         WHERE a.id = s.id AND a.state IN ('queued', 'running') AND a.kind <> 'ad_hoc'
         RETURNING a.id, a.project_slug, a.trace_id, s.reason, a.started_at IS NOT NULL",
    )
    .bind(ids)
    .bind(reasons)
    .bind(followers)
    .bind(end.state())
    .fetch_all(&mut *connection)
    .await
    .map_err(|error| StoreError::of("stop audits", error))?;
    let stopped: Vec<Uuid> = rows.iter().map(|(id, ..)| *id).collect();
    if stopped.is_empty() {
        return Ok(0);
    }
    cancel_tasks(connection, &stopped).await?;
    for (id, project, trace, reason, was_running) in rows {
        let (audit, project, trace) = (AuditId(id), parsed("project slug", &project)?, trace.into());
        let event = AuditEvent::new(end.event(), Some(project), Some(audit)).with_reason(&reason);
        event_row(connection, &event, trace).await?;
        // No worker has ever heard of an audit that was not planned.
        if was_running {
            outbox_row(connection, &Subject::Stopped(audit), &format!("S:{audit}"), trace, reason.into()).await?;
        }
    }
    release_waiting(connection, &stopped).await?;
    announce(connection, TASKS_CHANNEL).await?;
    Ok(stopped.len())
}

async fn cancel_tasks(connection: &mut PgConnection, audits: &[Uuid]) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE tasks SET state = 'cancelled' WHERE audit_id = ANY($1) AND state IN ('waiting', 'ready', 'published')",
    )
    .bind(audits)
    .execute(connection)
    .await
    .map(|_| ())
    .map_err(|error| StoreError::of("cancel tasks", error))
}
