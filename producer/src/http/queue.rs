//! The queue over HTTP: how it stands, and what holds one audit.

use schemas::ids::AuditId;
use warp::http::StatusCode;
use warp::reply::Response;

use super::reply::{ApiError, json};
use super::state::Shared;
use crate::queue;

/// `GET /api/v1/queue`
pub(super) async fn report(shared: Shared) -> Result<Response, ApiError> {
    Ok(json(StatusCode::OK, &queue::report(&shared.store, &shared.bus).await?))
}

/// `GET /api/v1/audits/{id}/explain`
pub(super) async fn explain(shared: Shared, audit: String) -> Result<Response, ApiError> {
    let shown = || audit.chars().take(80).flat_map(char::escape_debug).collect::<String>();
    let missing = || ApiError::NotFound(format!("there is no audit `{}`", shown()));
    let id: AuditId = audit.parse().map_err(|_no_such_id| missing())?;
    let explanation = queue::explain::explain(&shared.store, id).await?.ok_or_else(missing)?;
    Ok(json(StatusCode::OK, &explanation))
}
