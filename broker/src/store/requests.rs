//! The requests of audits that are recorded and not planned, written to the outbox once more.

use schemas::ids::AuditId;
use schemas::request::AuditRequest;
use sqlx::PgConnection;
use uuid::Uuid;

use super::intake::request_row;
use super::{from_json, parsed};
use crate::error::StoreError;

/// The columns `id, trace_id, project_slug, kind, revision, base_commit, priority` of an audit.
pub(super) type RequestRow = (Uuid, Uuid, String, String, Option<String>, Option<String>, String);

/// Asks for the plans of these audits once more: planning twice is harmless, never planning is not.
pub(super) async fn ask_again(connection: &mut PgConnection, rows: Vec<RequestRow>) -> Result<(), StoreError> {
    // A new id each time, or the queue would take the repetition for the message that came before.
    let round: i64 = sqlx::query_scalar("SELECT extract(epoch FROM clock_timestamp())::bigint")
        .fetch_one(&mut *connection)
        .await
        .map_err(|error| StoreError::of("ask for a plan again", error))?;
    for (id, trace, project, kind, revision, base, priority) in rows {
        let request = AuditRequest {
            audit: Some(AuditId(id)),
            project: parsed("project slug", &project)?,
            revision: revision.map(|text| parsed("revision", &text)).transpose()?,
            base: base.map(|text| parsed("base commit", &text)).transpose()?,
            kind: from_json("audit kind", kind.into())?,
            magics: Vec::new(),
            priority: parsed("priority", &priority)?,
        };
        request_row(connection, AuditId(id), &request, trace.into(), round).await?;
    }
    Ok(())
}
