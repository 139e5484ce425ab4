//! Push policies over HTTP: the whole list, read and written at once.

use broker::store::projects::Project;
use futures::Stream;
use schemas::policy::{BranchPolicy, validate};
use warp::Buf;
use warp::http::StatusCode;
use warp::reply::Response;

use super::audits::{no_project, parse_project};
use super::body;
use super::reply::{ApiError, json};
use super::state::Shared;

/// `GET /api/v1/projects/{id}/push-policies`
pub(super) async fn show(shared: Shared, project: String) -> Result<Response, ApiError> {
    let project = find_project(&shared, &project).await?;
    Ok(json(StatusCode::OK, &shared.store.push_policies(project.id).await?))
}

/// `PUT /api/v1/projects/{id}/push-policies`
pub(super) async fn replace<B: Buf>(
    shared: Shared,
    project: String,
    body: impl Stream<Item = Result<B, warp::Error>>,
) -> Result<Response, ApiError> {
    let project = find_project(&shared, &project).await?;
    let policies: Vec<BranchPolicy> = body::json(body, &shared).await?;
    validate(&policies).map_err(|error| ApiError::BadRequest(error.to_string()))?;
    shared.store.set_push_policies(project.id, &policies).await?;
    tracing::info!(project = %project.slug, policies = policies.len(), "push policies changed");
    Ok(json(StatusCode::OK, &policies))
}

/// The project that a path names.
pub(super) async fn find_project(shared: &Shared, text: &str) -> Result<Project, ApiError> {
    let slug = parse_project(text)?;
    shared.store.project(&slug).await?.ok_or_else(|| no_project(slug.as_str()))
}
