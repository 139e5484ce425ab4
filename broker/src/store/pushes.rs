//! The pushes to one branch that were received lately, and those among them that have to be asked for once more.

use schemas::branch::KnownPush;
use schemas::ids::{AuditId, ObjectId, TraceId};
use schemas::request::{AuditKind, AuditRequest};
use sqlx::PgConnection;
use uuid::Uuid;

use super::audits::Audit;
use super::intake::{NewAudit, insert_audit};
use super::parsed;
use super::projects::Project;
use crate::error::StoreError;

/// Pushes to one branch that are known at most: more come in three days only where nobody waits for the one before.
const KNOWN_MAX: i64 = 1_000;

/// How long pushes are known: as long as forges let people deliver one again.
const KNOWN_HOURS: i32 = 72;

/// Who asked, as audits that stand for an overlooked push say; to the branch they are audits of pushes.
const REQUESTED_BY: &str = "webhook:again";

type KnownRow = (Uuid, Option<String>, Option<String>, bool, Option<Uuid>);

/// Audits of pushes to a branch, whatever became of them, in the order of receipt.
pub(super) async fn known_pushes(
    connection: &mut PgConnection,
    project: Uuid,
    branch: &str,
) -> Result<Vec<KnownPush>, StoreError> {
    let rows: Vec<KnownRow> = sqlx::query_as(
        "SELECT id, revision, coalesce(push_base, pushed_onto), kind = 'full', superseded_by FROM (
             SELECT * FROM audits
             WHERE project_id = $1 AND branch = $2 AND requested_by LIKE 'webhook:%'
               AND created_at > now() - make_interval(hours => $3)
             ORDER BY created_at DESC, id DESC LIMIT $4) AS lately
         ORDER BY created_at, id",
    )
    .bind(project)
    .bind(branch)
    .bind(KNOWN_HOURS)
    .bind(KNOWN_MAX)
    .fetch_all(connection)
    .await
    .map_err(|error| StoreError::of("read the pushes to a branch", error))?;
    rows.into_iter()
        .map(|(id, revision, onto, is_full, superseded_by)| {
            Ok(KnownPush {
                audit: AuditId(id),
                revision: revision.unwrap_or_default(),
                onto: onto.map(|text| parsed("pushed onto", &text)).transpose()?,
                is_full,
                superseded_by: superseded_by.map(AuditId),
            })
        })
        .collect()
}

/// Asks for everything up to the push of an audit that was superseded by an older one. Doing it again changes nothing.
pub(super) async fn ask_for_overlooked(connection: &mut PgConnection, id: AuditId) -> Result<(), StoreError> {
    let failed = |error| StoreError::of("ask for an overlooked push", error);
    let row = sqlx::query("SELECT * FROM audits WHERE id = $1").bind(id.0).fetch_one(&mut *connection).await;
    let old = Audit::from_row(&row.map_err(failed)?)?;
    let row =
        sqlx::query("SELECT * FROM projects WHERE id = $1").bind(old.project_id).fetch_one(&mut *connection).await;
    let project = Project::from_row(&row.map_err(failed)?)?;
    let again = AuditId::from_key(&project.slug, &format!("again:{id}"));
    let request = AuditRequest {
        audit: None,
        project: project.slug.clone(),
        revision: old.revision,
        base: None::<ObjectId>,
        kind: AuditKind::Full,
        magics: old.magics.clone(),
        priority: old.priority,
    };
    let (magics, branch, trace) = (old.magics, old.branch, TraceId::random());
    let new = NewAudit { id: again, request, magics, branch, requested_by: REQUESTED_BY, trace };
    insert_audit(connection, &project, &new).await?;
    sqlx::query(
        "UPDATE audits a SET push_base = o.push_base, pushed_onto = o.push_base FROM audits o
         WHERE a.id = $1 AND o.id = $2 AND a.push_base IS NULL",
    )
    .bind(again.0)
    .bind(id.0)
    .execute(connection)
    .await
    .map(|_| ())
    .map_err(failed)
}
