//! Schedules over HTTP.

use broker::store::schedules::Schedule;
use futures::Stream;
use schemas::ids::{AuditId, ScheduleName};
use schemas::schedule::{Calendar, Definition, SCHEDULES_MAX};
use serde::Serialize;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use warp::Buf;
use warp::http::StatusCode;
use warp::reply::Response;

use super::body;
use super::policies::find_project;
use super::reply::{ApiError, json};
use super::state::Shared;
use crate::schedules::{audit_of, check};

/// Moments to come that are shown.
const SHOWN_MOMENTS: usize = 5;

#[derive(Serialize)]
struct View {
    name: ScheduleName,
    #[serde(flatten)]
    definition: Definition,
    next_moments: Vec<String>,
    last_fired_at: Option<String>,
}

fn view(schedule: Schedule) -> View {
    let Schedule { name, definition, next_at, last_fired_at } = schedule;
    let calendar = Calendar::new(&definition.cron, &definition.time_zone).ok();
    let following = |last: &OffsetDateTime| calendar.as_ref()?.next_after(*last);
    let coming = std::iter::successors(next_at.filter(|_| definition.enabled), following).take(SHOWN_MOMENTS);
    let shown = |at: OffsetDateTime| at.format(&Rfc3339).ok();
    let next_moments = coming.filter_map(shown).collect();
    View { name, definition, next_moments, last_fired_at: last_fired_at.and_then(shown) }
}

/// `GET /api/v1/projects/{id}/schedules`
pub(super) async fn list(shared: Shared, project: String) -> Result<Response, ApiError> {
    let project = find_project(&shared, &project).await?;
    let schedules = shared.store.schedules(project.id).await?;
    Ok(json(StatusCode::OK, &schedules.into_iter().map(view).collect::<Vec<_>>()))
}

/// `GET /api/v1/projects/{id}/schedules/{name}`
pub(super) async fn show(shared: Shared, project: String, name: String) -> Result<Response, ApiError> {
    let project = find_project(&shared, &project).await?;
    let schedule = shared.store.schedule(project.id, &existing(&name)?).await?;
    Ok(json(StatusCode::OK, &view(schedule.ok_or_else(|| missing(&name))?)))
}

/// `PUT /api/v1/projects/{id}/schedules/{name}`
pub(super) async fn set<B: Buf>(
    shared: Shared,
    project: String,
    name: String,
    body: impl Stream<Item = Result<B, warp::Error>>,
) -> Result<Response, ApiError> {
    let project = find_project(&shared, &project).await?;
    let bad = |error: &dyn std::fmt::Display| ApiError::BadRequest(error.to_string());
    let name: ScheduleName = name.parse().map_err(|error| bad(&error))?;
    let definition: Definition = body::json(body, &shared).await?;
    let calendar = check(&definition, &shared.catalogue).map_err(|error| bad(&error))?;
    let schedule = shared.store.set_schedule(project.id, &name, &definition, &calendar).await?;
    let full =
        || ApiError::Conflict(format!("project `{}` has {SCHEDULES_MAX} schedules, as many as it may", project.slug));
    let schedule = schedule.ok_or_else(full)?;
    tracing::info!(project = %project.slug, schedule = %name, "schedule defined");
    Ok(json(StatusCode::OK, &view(schedule)))
}

/// `DELETE /api/v1/projects/{id}/schedules/{name}`
pub(super) async fn remove(shared: Shared, project: String, name: String) -> Result<Response, ApiError> {
    let project = find_project(&shared, &project).await?;
    if !shared.store.remove_schedule(project.id, &existing(&name)?).await? {
        return Err(missing(&name));
    }
    tracing::info!(project = %project.slug, schedule = name, "schedule removed");
    Ok(json(StatusCode::OK, &serde_json::json!({})))
}

#[derive(Serialize)]
struct Asked {
    audit_id: AuditId,
    status: &'static str,
}

/// `POST /api/v1/projects/{id}/schedules/{name}/run`: what the schedule asks for, now and once more.
pub(super) async fn run(shared: Shared, project: String, name: String) -> Result<Response, ApiError> {
    let project = find_project(&shared, &project).await?;
    let schedule = shared.store.schedule(project.id, &existing(&name)?).await?.ok_or_else(|| missing(&name))?;
    let audit = audit_of(&project.slug, &schedule.definition.request, AuditId::random(), &shared.catalogue)
        .map_err(|error| ApiError::Conflict(error.to_string()))?;
    shared.store.record_audit(&project, &audit).await?;
    tracing::info!(trace_id = %audit.trace, audit_id = %audit.id, project = %project.slug, schedule = name, "audit requested");
    Ok(json(StatusCode::ACCEPTED, &Asked { audit_id: audit.id, status: "queued" }))
}

fn existing(name: &str) -> Result<ScheduleName, ApiError> {
    name.parse().map_err(|_no_such_name| missing(name))
}

fn missing(name: &str) -> ApiError {
    let shown: String = name.chars().take(80).flat_map(char::escape_debug).collect();
    ApiError::NotFound(format!("there is no schedule `{shown}`"))
}
