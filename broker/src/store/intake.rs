//! Intake: a request becomes a record, exactly once, in one transaction with the message that sets it going.

use schemas::event::{AuditEvent, EventKind};
use schemas::ids::{AuditId, TraceId};
use schemas::magic::Magic;
use schemas::request::AuditRequest;
use sqlx::PgConnection;
use uuid::Uuid;

use super::outbox::{event_row, outbox_row};
use super::projects::Project;
use super::{Store, commit, to_json};
use crate::error::StoreError;
use crate::subject::Subject;

/// An audit to record.
#[derive(Debug, Clone)]
pub struct NewAudit {
    /// Its key: derived from an idempotency key, or random.
    pub id: AuditId,
    /// What was asked for; its `audit` is ignored.
    pub request: AuditRequest,
    /// The magics, spelled out.
    pub magics: Vec<Magic>,
    /// The branch that was pushed to, as text from outside.
    pub branch: Option<String>,
    /// Who asked: `webhook:github`, `webhook:again`, `api`, `nats`, `requeue`, `schedule`.
    pub requested_by: &'static str,
    /// The trace that everything about it will belong to.
    pub trace: TraceId,
}

/// A webhook delivery to record.
#[derive(Debug, Clone)]
pub struct Delivery {
    /// The kind of forge.
    pub provider: &'static str,
    /// The forge's id of the delivery.
    pub id: String,
    /// The forge's name of the event.
    pub event: String,
    /// Why nothing came of it, if nothing did.
    pub ignored: Option<String>,
}

/// What a delivery came to, now or when it was first seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The audit, unless it was ignored.
    pub audit: Option<AuditId>,
    /// Why it was ignored.
    pub ignored: Option<String>,
    /// Whether this delivery had been seen before.
    pub seen_before: bool,
}

impl Store {
    /// Records an audit together with the message that sets it going. Returns whether it is new.
    ///
    /// # Errors
    /// If the database cannot be reached: then nothing is recorded.
    pub async fn record_audit(&self, project: &Project, audit: &NewAudit) -> Result<bool, StoreError> {
        let mut transaction = self.begin_keyed().await?;
        let is_new = insert_audit(&mut transaction, project, audit).await?;
        commit(transaction).await?;
        Ok(is_new)
    }

    /// Records a delivery and what comes of it. A delivery seen before changes nothing and gets the first answer.
    ///
    /// # Errors
    /// If the database cannot be reached: then nothing is recorded, and the forge should send it again.
    pub async fn record_delivery(
        &self,
        project: &Project,
        delivery: &Delivery,
        audit: Option<&NewAudit>,
    ) -> Result<Recorded, StoreError> {
        let failed = |error| StoreError::of("record a delivery", error);
        let mut transaction = self.begin_keyed().await?;
        // Two copies of one delivery at the same moment: the second waits here until the first has committed.
        let inserted = sqlx::query(
            "INSERT INTO deliveries (provider, project_id, delivery_id, event, reason)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
        )
        .bind(delivery.provider)
        .bind(project.id)
        .bind(&delivery.id)
        .bind(&delivery.event)
        .bind(&delivery.ignored)
        .execute(&mut *transaction)
        .await
        .map_err(failed)?;
        if inserted.rows_affected() == 0 {
            return first_answer(&mut transaction, project, delivery).await;
        }
        if let Some(audit) = audit {
            insert_audit(&mut transaction, project, audit).await?;
            sqlx::query(
                "UPDATE deliveries SET audit_id = $4 WHERE provider = $1 AND project_id = $2 AND delivery_id = $3",
            )
            .bind(delivery.provider)
            .bind(project.id)
            .bind(&delivery.id)
            .bind(audit.id.0)
            .execute(&mut *transaction)
            .await
            .map_err(failed)?;
        }
        commit(transaction).await?;
        Ok(Recorded { audit: audit.map(|audit| audit.id), ignored: delivery.ignored.clone(), seen_before: false })
    }
}

async fn first_answer(
    connection: &mut PgConnection,
    project: &Project,
    delivery: &Delivery,
) -> Result<Recorded, StoreError> {
    let (audit, ignored): (Option<Uuid>, Option<String>) = sqlx::query_as(
        "SELECT audit_id, reason FROM deliveries WHERE provider = $1 AND project_id = $2 AND delivery_id = $3",
    )
    .bind(delivery.provider)
    .bind(project.id)
    .bind(&delivery.id)
    .fetch_one(connection)
    .await
    .map_err(|error| StoreError::of("read a delivery", error))?;
    Ok(Recorded { audit: audit.map(AuditId), ignored, seen_before: true })
}

/// Inserts an audit with its first event and the message to the planner. Returns whether it is new.
pub(super) async fn insert_audit(
    connection: &mut PgConnection,
    project: &Project,
    audit: &NewAudit,
) -> Result<bool, StoreError> {
    let request = &audit.request;
    let magics: Vec<&str> = audit.magics.iter().map(|magic| magic.as_str()).collect();
    let inserted = sqlx::query(
        "INSERT INTO audits (id, project_id, project_slug, kind, priority, revision, base_commit, branch, magics,
                             requested_by, trace_id, pushed_onto, push_base)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $12) ON CONFLICT DO NOTHING",
    )
    .bind(audit.id.0)
    .bind(project.id)
    .bind(project.slug.as_str())
    .bind(request.kind.as_str())
    .bind(request.priority.as_str())
    .bind(request.revision.as_ref().map(|revision| revision.as_str()))
    .bind(request.base.as_ref().map(|base| base.as_str()))
    .bind(&audit.branch)
    .bind(magics)
    .bind(audit.requested_by)
    .bind(audit.trace.as_uuid())
    // Only pushes name a branch, and what they are new since is what the branch was at.
    .bind(audit.branch.as_ref().and(request.base.as_ref()).map(|base| base.as_str()))
    .execute(&mut *connection)
    .await
    .map_err(|error| StoreError::of("record an audit", error))?;
    if inserted.rows_affected() == 0 {
        return Ok(false);
    }
    let event = AuditEvent::new(EventKind::Accepted, Some(project.slug.clone()), Some(audit.id));
    event_row(connection, &event, audit.trace).await?;
    request_row(connection, audit.id, request, audit.trace, 0).await?;
    Ok(true)
}

/// Writes the message that sets an audit going; `round` makes a repetition a new message.
pub(super) async fn request_row(
    connection: &mut PgConnection,
    audit: AuditId,
    request: &AuditRequest,
    trace: TraceId,
    round: i64,
) -> Result<(), StoreError> {
    let request = AuditRequest { audit: Some(audit), ..request.clone() };
    let subject = Subject::ProjectRequest(request.project.clone());
    outbox_row(connection, &subject, &format!("R:{audit}:{round}"), trace, to_json("request", &request)?).await
}
