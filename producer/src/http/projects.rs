//! Projects over HTTP.

use broker::store::projects::{NEVER_AUDITED, Project, ProjectSummary};
use futures::Stream;
use schemas::ids::ProjectSlug;
use schemas::verdict::Status;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use time::format_description::well_known::Rfc3339;
use uuid::Uuid;
use warp::Buf;
use warp::http::StatusCode;
use warp::reply::Response;

use super::body;
use super::reply::{ApiError, json};
use super::state::Shared;
use crate::repository_url::RepositoryUrl;

/// Most rows on one page.
pub(super) const PAGE_MAX: i64 = 100;

/// Longest name, in bytes.
const NAME_BYTES_MAX: usize = 200;

/// Shortest webhook secret accepted, in bytes: a shorter one can be guessed from one signed delivery.
const SECRET_BYTES_MIN: usize = 16;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewProject {
    project_id: ProjectSlug,
    project_name: Option<String>,
    repository_url: String,
    repository_provider: Option<String>,
    team_id: Option<String>,
    default_branch: Option<String>,
    webhook_secret: Option<SecretString>,
}

/// The only answer that ever shows the webhook secret.
#[derive(Serialize)]
struct Registered<'a> {
    project_id: &'a str,
    project_name: &'a str,
    repository_url: &'a str,
    repository_provider: &'a str,
    team_id: Option<&'a str>,
    webhook_path: String,
    webhook_secret: &'a str,
}

/// `POST /api/v1/projects`
pub(super) async fn create<B: Buf>(
    shared: Shared,
    body: impl Stream<Item = Result<B, warp::Error>>,
) -> Result<Response, ApiError> {
    let project = validate(body::json(body, &shared).await?, &shared)?;
    if let Err(error) = shared.store.insert_project(&project).await {
        // A repository is registered once; its second registration should lead to the first.
        if let Ok(Some(existing)) = shared.store.project_by_repository(&project.repository_url).await {
            let (url, slug) = (&project.repository_url, &existing.slug);
            return Err(ApiError::Conflict(format!("repository `{url}` is registered already, as project `{slug}`")));
        }
        return Err(error.into());
    }
    let registered = Registered {
        project_id: project.slug.as_str(),
        project_name: &project.name,
        repository_url: &project.repository_url,
        repository_provider: &project.provider,
        team_id: project.team.as_deref(),
        webhook_path: format!("/webhooks/github/{}", project.slug),
        webhook_secret: project.webhook_secret.expose_secret(),
    };
    Ok(json(StatusCode::CREATED, &registered))
}

fn validate(new: NewProject, shared: &Shared) -> Result<Project, ApiError> {
    let NewProject {
        project_id,
        project_name,
        repository_url,
        repository_provider,
        team_id,
        default_branch,
        webhook_secret,
    } = new;
    let url = RepositoryUrl::parse(&repository_url, shared.access)
        .map_err(|error| ApiError::BadRequest(error.to_string()))?;
    let name = project_name.unwrap_or_else(|| project_id.to_string());
    let provider = repository_provider.unwrap_or_else(|| "github".to_owned());
    if !matches!(provider.as_str(), "github" | "git") {
        return Err(ApiError::BadRequest(format!(
            "repository_provider `{}` is not known: use `github`, or `git` for any other",
            provider.escape_debug()
        )));
    }
    let texts =
        [("project_name", Some(&name)), ("team_id", team_id.as_ref()), ("default_branch", default_branch.as_ref())];
    for (field, text) in texts {
        if text.is_some_and(|text| text.is_empty() || text.len() > NAME_BYTES_MAX || text.chars().any(char::is_control))
        {
            let limit = format!("{field} needs 1 to {NAME_BYTES_MAX} bytes without control characters");
            return Err(ApiError::BadRequest(limit));
        }
    }
    let secret = webhook_secret.unwrap_or_else(random_secret);
    if secret.expose_secret().len() < SECRET_BYTES_MIN || secret.expose_secret().contains('\0') {
        return Err(ApiError::BadRequest(format!("webhook_secret needs at least {SECRET_BYTES_MIN} bytes")));
    }
    let url = url.as_str().to_owned();
    let (id, slug) = (Uuid::new_v4(), project_id);
    Ok(Project { id, slug, name, repository_url: url, provider, team: team_id, default_branch, webhook_secret: secret })
}

/// 244 random bits, from the operating system's generator behind version 4 UUIDs.
fn random_secret() -> SecretString {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple()).into()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    team_id: Option<String>,
    status: Option<String>,
    #[serde(default = "page_max")]
    limit: i64,
    #[serde(default)]
    offset: i64,
}

fn page_max() -> i64 {
    PAGE_MAX
}

/// Checks a page's bounds.
pub(super) fn check_page(limit: i64, offset: i64) -> Result<(), ApiError> {
    if (1..=PAGE_MAX).contains(&limit) && offset >= 0 {
        return Ok(());
    }
    Err(ApiError::BadRequest(format!("limit must be 1 to {PAGE_MAX} and offset not negative")))
}

#[derive(Serialize)]
struct Summary {
    project_id: String,
    project_name: String,
    repository_url: String,
    last_audit_time: Option<String>,
    overall_health_score: Option<f64>,
    status: String,
    team_name: Option<String>,
}

/// `GET /api/v1/projects`
pub(super) async fn list(shared: Shared, query: String) -> Result<Response, ApiError> {
    let ListQuery { team_id, status, limit, offset } = body::query(&query)?;
    check_page(limit, offset)?;
    check_filter(team_id.as_deref(), status.as_deref())?;
    let summaries = shared.store.project_summaries(team_id.as_deref(), status.as_deref(), limit, offset).await?;
    let summaries: Vec<Summary> = summaries.into_iter().map(summary).collect();
    Ok(json(StatusCode::OK, &summaries))
}

/// Refuses filters that nothing could pass: an empty list would look like an answer.
fn check_filter(team_id: Option<&str>, status: Option<&str>) -> Result<(), ApiError> {
    if team_id.is_some_and(|team| team.chars().any(char::is_control)) {
        return Err(ApiError::BadRequest("team_id must not hold control characters".to_owned()));
    }
    let verdicts = [Status::NotApplicable, Status::Passed, Status::Warning, Status::Failed].map(Status::as_str);
    match status {
        Some(status) if status != NEVER_AUDITED && !verdicts.contains(&status) => {
            let (shown, known) = (status.chars().take(80).flat_map(char::escape_debug), verdicts.join(", "));
            let shown: String = shown.collect();
            Err(ApiError::BadRequest(format!("status `{shown}` is not known: use {known} or {NEVER_AUDITED}")))
        }
        _ => Ok(()),
    }
}

fn summary(summary: ProjectSummary) -> Summary {
    let ProjectSummary { project, last_audit_at, score, status } = summary;
    Summary {
        project_id: project.slug.to_string(),
        project_name: project.name,
        repository_url: project.repository_url,
        last_audit_time: last_audit_at.and_then(|at| at.format(&Rfc3339).ok()),
        overall_health_score: score,
        status,
        team_name: project.team,
    }
}
