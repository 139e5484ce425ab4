//! The end of an audit: when every task is done, its tallies become a verdict in the same transaction.

use std::collections::BTreeMap;

use schemas::event::{AuditEvent, EventKind};
use schemas::ids::{AuditId, ProjectSlug, TraceId};
use schemas::magic::Magic;
use schemas::score;
use schemas::tally::Tally;
use schemas::verdict::Verdict;
use sqlx::PgConnection;
use uuid::Uuid;

use super::outbox::event_row;
use super::supersede::release_waiting;
use super::{from_json, parsed, to_json};
use crate::error::StoreError;

/// An audit that has just ended.
#[derive(Debug, Clone)]
pub struct Finished {
    /// The audit.
    pub audit: AuditId,
    /// Its project.
    pub project: ProjectSlug,
    /// The trace that it belongs to.
    pub trace: TraceId,
    /// How it came out.
    pub verdict: Verdict,
}

/// An audit whose tasks are all done.
#[derive(Debug)]
pub(super) struct Complete {
    audit: AuditId,
    project: ProjectSlug,
    trace: TraceId,
    magics: Vec<Magic>,
    /// Whether another audit waits for its end.
    is_waited_for: bool,
}

impl Complete {
    pub(super) fn new(
        audit: AuditId,
        project: &str,
        trace: TraceId,
        magics: &[String],
        is_waited_for: bool,
    ) -> Result<Self, StoreError> {
        let magics = magics.iter().map(|magic| parsed("magic", magic)).collect::<Result<_, _>>()?;
        Ok(Self { audit, project: parsed("project slug", project)?, trace, magics, is_waited_for })
    }
}

/// Ends audits that are complete. An audit of tasks published by hand has no plan that says when it is, so its verdict is made
/// anew with each task.
pub(super) async fn finish(
    connection: &mut PgConnection,
    complete: Vec<Complete>,
) -> Result<Vec<Finished>, StoreError> {
    let waited_for = complete.iter().filter(|complete| complete.is_waited_for).map(|complete| complete.audit.0);
    let waited_for: Vec<Uuid> = waited_for.collect();
    let mut finished = Vec::new();
    for Complete { audit, project, trace, magics, .. } in complete {
        let tallies = magics.into_iter().map(|magic| (magic, Tally::default())).collect();
        let verdict = score::judge(add_up(connection, audit, tallies).await?);
        let ended = Finished { audit, project, trace, verdict };
        record(connection, &ended).await?;
        finished.push(ended);
    }
    release_waiting(connection, &waited_for).await?;
    Ok(finished)
}

async fn add_up(
    connection: &mut PgConnection,
    audit: AuditId,
    mut tallies: BTreeMap<Magic, Tally>,
) -> Result<BTreeMap<Magic, Tally>, StoreError> {
    let rows: Vec<(String, serde_json::Value)> = sqlx::query_as("SELECT magic, tally FROM results WHERE audit_id = $1")
        .bind(audit.0)
        .fetch_all(connection)
        .await
        .map_err(|error| StoreError::of("add up results", error))?;
    for (magic, tally) in rows {
        tallies.entry(parsed("magic", &magic)?).or_default().merge(from_json("tally", tally)?);
    }
    Ok(tallies)
}

/// Writes the verdict and the event that tells of it.
async fn record(connection: &mut PgConnection, ended: &Finished) -> Result<(), StoreError> {
    let state = if ended.verdict.partial { "partial" } else { "completed" };
    let tasks: i64 = sqlx::query_scalar(
        "UPDATE audits SET state = $2, status = $3, score = $4, verdict = $5, finished_at = coalesce(finished_at, now())
         WHERE id = $1 RETURNING tasks_done",
    )
    .bind(ended.audit.0)
    .bind(state)
    .bind(ended.verdict.status.as_str())
    .bind(ended.verdict.score)
    .bind(to_json("verdict", &ended.verdict)?)
    .fetch_one(&mut *connection)
    .await
    .map_err(|error| StoreError::of("record a verdict", error))?;
    let mut event = AuditEvent::new(EventKind::Completed, Some(ended.project.clone()), Some(ended.audit));
    event.tasks_done = Some(tasks.unsigned_abs());
    event.tasks_total = event.tasks_done;
    event_row(connection, &event.with_verdict(&ended.verdict), ended.trace).await
}
