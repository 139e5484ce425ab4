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

/// Ends those of `audits` whose tasks are all done. An audit of tasks published by hand has no plan that says when it is
/// complete, so its verdict is made anew with each task.
pub(super) async fn finish_if_complete(
    connection: &mut PgConnection,
    audits: &[AuditId],
) -> Result<Vec<Finished>, StoreError> {
    let ids: Vec<Uuid> = audits.iter().map(|audit| audit.0).collect();
    let rows: Vec<(Uuid, String, Uuid, Vec<String>, i64)> = sqlx::query_as(
        "SELECT id, project_slug, trace_id, magics, tasks_done FROM audits
         WHERE id = ANY($1) AND tasks_done = tasks_total AND (state = 'running' OR kind = 'ad_hoc')",
    )
    .bind(ids)
    .fetch_all(&mut *connection)
    .await
    .map_err(|error| StoreError::of("look for complete audits", error))?;
    let mut finished = Vec::new();
    for (id, project, trace, magics, tasks) in rows {
        let (audit, project) = (AuditId(id), parsed("project slug", &project)?);
        let mut tallies = BTreeMap::new();
        for magic in &magics {
            tallies.insert(parsed("magic", magic)?, Tally::default());
        }
        let verdict = score::judge(add_up(connection, audit, tallies).await?);
        let ended = Finished { audit, project, trace: trace.into(), verdict };
        record(connection, &ended, tasks).await?;
        finished.push(ended);
    }
    let ended: Vec<Uuid> = finished.iter().map(|finished| finished.audit.0).collect();
    release_waiting(connection, &ended).await?;
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

async fn record(connection: &mut PgConnection, ended: &Finished, tasks: i64) -> Result<(), StoreError> {
    let state = if ended.verdict.partial { "partial" } else { "completed" };
    sqlx::query(
        "UPDATE audits SET state = $2, status = $3, score = $4, verdict = $5, finished_at = coalesce(finished_at, now())
         WHERE id = $1",
    )
    .bind(ended.audit.0)
    .bind(state)
    .bind(ended.verdict.status.as_str())
    .bind(ended.verdict.score)
    .bind(to_json("verdict", &ended.verdict)?)
    .execute(&mut *connection)
    .await
    .map_err(|error| StoreError::of("record a verdict", error))?;
    let mut event = AuditEvent::new(EventKind::Completed, Some(ended.project.clone()), Some(ended.audit));
    event.tasks_done = Some(tasks.unsigned_abs());
    event.tasks_total = event.tasks_done;
    event_row(connection, &event.with_verdict(&ended.verdict), ended.trace).await
}
