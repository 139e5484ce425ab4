//! Cancelling an audit over HTTP.

use futures::Stream;
use schemas::ids::AuditId;
use serde::{Deserialize, Serialize};
use time::format_description::well_known::Rfc3339;
use warp::Buf;
use warp::http::StatusCode;
use warp::reply::Response;

use super::body;
use super::reply::{ApiError, json};
use super::state::Shared;
use crate::stops;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cancel {
    reason: Option<String>,
}

#[derive(Serialize)]
struct Cancelled {
    audit_id: AuditId,
    project_id: String,
    state: String,
    reason: Option<String>,
    finished_at: Option<String>,
}

/// `POST /api/v1/audits/{id}/cancel`: asked twice, it answers the same twice; an audit that ended otherwise stays so.
pub(super) async fn cancel<B: Buf>(
    shared: Shared,
    audit: String,
    body: impl Stream<Item = Result<B, warp::Error>>,
) -> Result<Response, ApiError> {
    let missing = || ApiError::NotFound("there is no such audit".to_owned());
    let id: AuditId = audit.parse().map_err(|_not_an_id| missing())?;
    let Cancel { reason } = body::json(body, &shared).await?;
    let reason = stops::reason(reason, "over the API").map_err(|error| ApiError::BadRequest(error.to_string()))?;
    let (audit, is_new) = shared.store.cancel_audit(id, &reason).await?.ok_or_else(missing)?;
    if audit.state != "cancelled" {
        return Err(ApiError::Conflict(format!("audit {id} ended as {} and cannot be cancelled", audit.state)));
    }
    if is_new {
        tracing::info!(trace_id = %audit.trace, audit_id = %id, project = %audit.project, reason, "audit cancelled");
    }
    let cancelled = Cancelled {
        audit_id: id,
        project_id: audit.project.into(),
        state: audit.state,
        reason: audit.reason,
        finished_at: audit.finished_at.and_then(|at| at.format(&Rfc3339).ok()),
    };
    Ok(json(StatusCode::OK, &cancelled))
}
