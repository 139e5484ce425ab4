//! Audits: what was asked for, how far it is and how it came out.

use schemas::ids::{AuditId, ObjectId, ProjectSlug, Revision, TraceId};
use schemas::magic::Magic;
use schemas::request::{AuditKind, Priority};
use schemas::verdict::Verdict;
use sqlx::PgConnection;
use sqlx::Row as _;
use sqlx::postgres::PgRow;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{Store, commit, from_json, parsed};
use crate::error::StoreError;
use crate::store::outbox::event_row;
use crate::store::supersede::release_waiting;

/// One audit as it stands.
#[derive(Debug, Clone)]
pub struct Audit {
    /// Its key.
    pub id: AuditId,
    /// The registered project; absent for tasks published by hand for a project that is not registered.
    pub project_id: Option<Uuid>,
    /// The project's name.
    pub project: ProjectSlug,
    /// How much it looks at.
    pub kind: AuditKind,
    /// How urgent it is.
    pub priority: Priority,
    /// What was asked for.
    pub revision: Option<Revision>,
    /// What was audited before, for incremental audits.
    pub base: Option<ObjectId>,
    /// The branch that was pushed to, as text from outside.
    pub branch: Option<String>,
    /// What is audited, once it is known.
    pub commit: Option<ObjectId>,
    /// Which magics.
    pub magics: Vec<Magic>,
    /// Who asked: `webhook:github`, `webhook:again`, `api`, `nats`, `requeue`, `schedule`.
    pub requested_by: String,
    /// The trace that everything about it belongs to.
    pub trace: TraceId,
    /// `queued`, `running`, `completed`, `partial`, `failed`, `cancelled` or `superseded`.
    pub state: String,
    /// Tasks for workers.
    pub tasks_total: i64,
    /// Tasks done.
    pub tasks_done: i64,
    /// Files given to workers.
    pub files_analyzed: i64,
    /// Files whose results were known already.
    pub files_cached: i64,
    /// Commits given to workers.
    pub commits_analyzed: i64,
    /// Commits whose results were known already.
    pub commits_cached: i64,
    /// How it came out.
    pub verdict: Option<Verdict>,
    /// Why it could not be done or was stopped.
    pub reason: Option<String>,
    /// The audit of a newer push that took its place.
    pub superseded_by: Option<AuditId>,
    /// The running audit of the same branch whose end it waits for.
    pub waits_for: Option<AuditId>,
    /// When it was asked for.
    pub created_at: OffsetDateTime,
    /// When its plan was made.
    pub started_at: Option<OffsetDateTime>,
    /// When it ended.
    pub finished_at: Option<OffsetDateTime>,
}

impl Audit {
    /// Whether nothing will change any more.
    pub fn is_finished(&self) -> bool {
        self.finished_at.is_some()
    }

    pub(super) fn from_row(row: &PgRow) -> Result<Self, StoreError> {
        let failed = |error| StoreError::of("read an audit", error);
        let optional = |column: &str| row.try_get::<Option<String>, _>(column).map_err(failed);
        let magics: Vec<String> = row.try_get("magics").map_err(failed)?;
        let verdict: Option<serde_json::Value> = row.try_get("verdict").map_err(failed)?;
        Ok(Self {
            id: AuditId(row.try_get("id").map_err(failed)?),
            project_id: row.try_get("project_id").map_err(failed)?,
            project: parsed("project slug", row.try_get("project_slug").map_err(failed)?)?,
            kind: kind(row.try_get("kind").map_err(failed)?)?,
            priority: parsed("priority", row.try_get("priority").map_err(failed)?)?,
            revision: optional("revision")?.map(|text| parsed("revision", &text)).transpose()?,
            base: optional("base_commit")?.map(|text| parsed("base commit", &text)).transpose()?,
            branch: optional("branch")?,
            commit: optional("commit_sha")?.map(|text| parsed("commit", &text)).transpose()?,
            magics: magics.iter().map(|text| parsed("magic", text)).collect::<Result<_, _>>()?,
            requested_by: row.try_get("requested_by").map_err(failed)?,
            trace: row.try_get::<Uuid, _>("trace_id").map_err(failed)?.into(),
            state: row.try_get("state").map_err(failed)?,
            tasks_total: row.try_get("tasks_total").map_err(failed)?,
            tasks_done: row.try_get("tasks_done").map_err(failed)?,
            files_analyzed: row.try_get("files_analyzed").map_err(failed)?,
            files_cached: row.try_get("files_cached").map_err(failed)?,
            commits_analyzed: row.try_get("commits_analyzed").map_err(failed)?,
            commits_cached: row.try_get("commits_cached").map_err(failed)?,
            verdict: verdict.map(|value| from_json("verdict", value)).transpose()?,
            reason: optional("reason")?,
            superseded_by: row.try_get::<Option<Uuid>, _>("superseded_by").map_err(failed)?.map(AuditId),
            waits_for: row.try_get::<Option<Uuid>, _>("waits_for").map_err(failed)?.map(AuditId),
            created_at: row.try_get("created_at").map_err(failed)?,
            started_at: row.try_get("started_at").map_err(failed)?,
            finished_at: row.try_get("finished_at").map_err(failed)?,
        })
    }
}

/// Locks an audit until the end of the transaction. Whoever changes its tasks locks it first, as the merge does, so that two of
/// them never wait for each other in a circle.
pub(super) async fn lock_audit(connection: &mut PgConnection, audit: AuditId) -> Result<(), StoreError> {
    sqlx::query("SELECT 1 FROM audits WHERE id = $1 FOR UPDATE")
        .bind(audit.0)
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(|error| StoreError::of("lock an audit", error))
}

pub(super) fn kind(text: &str) -> Result<AuditKind, StoreError> {
    match text {
        "full" => Ok(AuditKind::Full),
        "incremental" => Ok(AuditKind::Incremental),
        "ad_hoc" => Ok(AuditKind::AdHoc),
        other => Err(StoreError::Corrupt { what: "audit kind", reason: format!("`{other}`") }),
    }
}

impl Store {
    /// One audit.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn audit(&self, id: AuditId) -> Result<Option<Audit>, StoreError> {
        let row = sqlx::query("SELECT * FROM audits WHERE id = $1").bind(id.0).fetch_optional(&self.pool);
        let row = row.await.map_err(|error| StoreError::of("read an audit", error))?;
        row.as_ref().map(Audit::from_row).transpose()
    }

    /// The audits of a project, newest first.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn audits_of(&self, project: &ProjectSlug, limit: i64, offset: i64) -> Result<Vec<Audit>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM audits WHERE project_slug = $1 AND project_id IS NOT NULL
             ORDER BY created_at DESC, id LIMIT $2 OFFSET $3",
        )
        .bind(project.as_str())
        .bind(limit)
        .bind(offset)
        .fetch_all(&self.pool)
        .await
        .map_err(|error| StoreError::of("list audits", error))?;
        rows.iter().map(Audit::from_row).collect()
    }

    /// Ends an audit that could not be planned. Does nothing to one that has ended or is running.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn fail_audit(&self, id: AuditId, reason: &str) -> Result<(), StoreError> {
        let failed = |error| StoreError::of("end an audit", error);
        let mut transaction = self.begin().await?;
        let row = sqlx::query(
            "UPDATE audits SET state = 'failed', reason = $2, finished_at = now()
             WHERE id = $1 AND state = 'queued' RETURNING *",
        )
        .bind(id.0)
        .bind(reason.replace('\0', "\u{fffd}"))
        .fetch_optional(&mut *transaction)
        .await
        .map_err(failed)?;
        if let Some(row) = row {
            let audit = Audit::from_row(&row)?;
            let event = schemas::event::AuditEvent::new(
                schemas::event::EventKind::Failed,
                Some(audit.project.clone()),
                Some(audit.id),
            )
            .with_reason(reason);
            event_row(&mut transaction, &event, audit.trace).await?;
            release_waiting(&mut transaction, &[audit.id.0]).await?;
        }
        commit(transaction).await
    }

    /// How many audits are in each state, for metrics.
    ///
    /// # Errors
    /// If the database cannot be reached.
    pub async fn open_audits(&self) -> Result<Vec<(String, i64)>, StoreError> {
        sqlx::query_as("SELECT state, count(*) FROM audits WHERE state IN ('queued', 'running') GROUP BY state")
            .fetch_all(&self.pool)
            .await
            .map_err(|error| StoreError::of("count audits", error))
    }
}
