//! What can be asked for again: an audit that has ended, as a new one; a task made by hand, while no answer to it counts.

use schemas::ids::{AuditId, TraceId};
use schemas::request::AuditRequest;
use schemas::task::TaskKey;
use sqlx::PgConnection;

use super::handle::Handled;
use crate::error::StoreError;
use crate::store::audits::Audit;
use crate::store::intake::{NewAudit, insert_audit};
use crate::store::merge::shard_column;
use crate::store::projects::Project;

/// Who asked, as audits that come of requeued letters say.
const REQUESTED_BY: &str = "requeue";

/// Asks for an audit like `audit`, which has ended for good. All letters of one audit come to the same new one; what it
/// has seen is in the result cache, so that only what failed is analyzed again.
pub(super) async fn ask_again(connection: &mut PgConnection, audit: &Audit) -> Result<Handled, StoreError> {
    let failed = |error| StoreError::of("read a project", error);
    let row = sqlx::query("SELECT * FROM projects WHERE id = $1")
        .bind(audit.project_id)
        .fetch_optional(&mut *connection)
        .await
        .map_err(failed)?;
    let Some(project) = row.as_ref().map(Project::from_row).transpose()? else {
        return Ok(Handled::Refused(format!("project `{}` is not registered any more", audit.project)));
    };
    let id = AuditId::from_key(&project.slug, &format!("requeue:{}", audit.id));
    let request = AuditRequest {
        audit: None,
        project: project.slug.clone(),
        revision: audit.revision.clone(),
        base: audit.base.clone(),
        kind: audit.kind,
        magics: audit.magics.clone(),
        priority: audit.priority,
    };
    let new = NewAudit {
        id,
        request,
        magics: audit.magics.clone(),
        branch: audit.branch.clone(),
        requested_by: REQUESTED_BY,
        trace: TraceId::random(),
    };
    forget_failures(connection, audit.id).await?;
    insert_audit(connection, &project, &new).await?;
    Ok(Handled::Asked(id))
}

/// Forgets which files broke the analyzers of an audit, and what whole repositories were judged to be without them.
async fn forget_failures(connection: &mut PgConnection, audit: AuditId) -> Result<(), StoreError> {
    sqlx::query(
        "DELETE FROM item_results r USING audits a
         WHERE a.id = $1 AND r.project_id = a.project_id AND r.magic = ANY(a.magics)
           AND r.ruleset IN (a.rulesets ->> r.magic, a.rulesets -> 'trees' ->> r.magic)
           AND (r.result ->> 'skipped' = 'analyzer_failed' OR r.result -> 'item' ? 'tree')",
    )
    .bind(audit.0)
    .execute(connection)
    .await
    .map(|_| ())
    .map_err(|error| StoreError::of("forget what broke analyzers", error))
}

/// Whether a task made by hand was answered, and not with a failure: then another answer would not count.
pub(super) async fn is_answered_well(connection: &mut PgConnection, key: &TaskKey) -> Result<bool, StoreError> {
    let answered: Option<bool> = sqlx::query_scalar(
        "SELECT (tally #>> '{failures,count}')::bigint = 0 FROM results
         WHERE audit_id = $1 AND shard = $2 AND magic = $3",
    )
    .bind(key.audit.0)
    .bind(shard_column(key.shard))
    .bind(key.magic.as_str())
    .fetch_optional(connection)
    .await
    .map_err(|error| StoreError::of("read a result", error))?;
    Ok(answered.unwrap_or(false))
}
