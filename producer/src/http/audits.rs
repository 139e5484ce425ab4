//! Audits over HTTP: asking for one, following it, and the results of a project.

use std::collections::BTreeMap;

use broker::failpoint::{self, Step};
use broker::store::audits::Audit;
use futures::Stream;
use schemas::finding::Finding;
use schemas::ids::{AuditId, ProjectSlug, Revision, TraceId};
use schemas::magic::Magic;
use schemas::request::{AuditKind, AuditRequest, Priority};
use schemas::severity::Severity;
use schemas::verdict::{Status, Verdict};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use warp::Buf;
use warp::http::{HeaderMap, StatusCode};
use warp::reply::Response;

use super::body;
use super::projects::check_page;
use super::reply::{ApiError, json};
use super::state::Shared;
use crate::intake::{Asker, admit};

/// Earlier audits from which the end of a new one is estimated.
const ESTIMATE_AUDITS: i64 = 10;

/// Longest idempotency key, in bytes: a UUID has 36, a key made of several parts a few times that.
const KEY_BYTES_MAX: usize = 255;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Trigger {
    #[serde(default)]
    audit_type: AuditKind,
    branch: Option<Revision>,
    #[serde(default)]
    enabled_magics: Vec<Magic>,
    #[serde(default)]
    priority: Priority,
}

#[derive(Serialize)]
struct Triggered {
    task_id: AuditId,
    audit_id: AuditId,
    project_id: String,
    estimated_completion_time: Option<String>,
    status: &'static str,
}

/// `POST /api/v1/projects/{id}/audit/trigger`
pub(super) async fn trigger<B: Buf>(
    shared: Shared,
    headers: HeaderMap,
    project: String,
    body: impl Stream<Item = Result<B, warp::Error>>,
) -> Result<Response, ApiError> {
    let slug = parse_project(&project)?;
    let key = idempotency_key(&headers)?;
    let Trigger { audit_type, branch, enabled_magics, priority } = body::json(body, &shared).await?;
    let project = shared.store.project(&slug).await?.ok_or_else(|| no_project(slug.as_str()))?;
    shared.pressure.admit_request(&shared.store).await?;
    let audit = key.map_or_else(AuditId::random, |key| AuditId::from_key(&slug, key));
    let request = AuditRequest {
        audit: None,
        project: slug.clone(),
        revision: branch,
        base: None,
        kind: audit_type,
        magics: enabled_magics,
        priority,
    };
    let asker = Asker { requested_by: "api", audit, trace: TraceId::random(), branch: None };
    let new = admit(request, asker, &shared.catalogue).map_err(|error| ApiError::BadRequest(error.to_string()))?;
    failpoint::reach_store(Step::ServeBeforeCommit).await?;
    let is_new = shared.store.record_audit(&project, &new).await?;
    failpoint::reach_store(Step::ServeAfterCommit).await?;
    tracing::info!(trace_id = %new.trace, audit_id = %audit, project = %slug, is_new, "audit requested");
    let estimated_completion_time = estimate(&shared, &slug).await?;
    let triggered = Triggered {
        task_id: audit,
        audit_id: audit,
        project_id: slug.into(),
        estimated_completion_time,
        status: "queued",
    };
    Ok(json(if is_new { StatusCode::ACCEPTED } else { StatusCode::OK }, &triggered))
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<&str>, ApiError> {
    let Some(value) = headers.get("Idempotency-Key") else {
        return Ok(None);
    };
    match value.to_str() {
        Ok(key) if !key.is_empty() && key.len() <= KEY_BYTES_MAX => Ok(Some(key)),
        _ => Err(ApiError::BadRequest(format!("Idempotency-Key needs 1 to {KEY_BYTES_MAX} visible ASCII characters"))),
    }
}

pub(super) fn parse_project(text: &str) -> Result<ProjectSlug, ApiError> {
    text.parse().map_err(|_no_such_slug| no_project(text))
}

pub(super) fn no_project(text: &str) -> ApiError {
    let shown: String = text.chars().take(80).flat_map(char::escape_debug).collect();
    ApiError::NotFound(format!("there is no project `{shown}`"))
}

/// Now plus the median of the last audits, from asking to end; unknown before there was one.
async fn estimate(shared: &Shared, project: &ProjectSlug) -> Result<Option<String>, ApiError> {
    let audits = shared.store.audits_of(project, ESTIMATE_AUDITS, 0).await?;
    let mut durations: Vec<_> = audits.iter().filter_map(|audit| Some(audit.finished_at? - audit.created_at)).collect();
    durations.sort_unstable();
    let median = durations.get(durations.len() / 2);
    Ok(median.and_then(|median| rfc3339(OffsetDateTime::now_utc() + *median)))
}

fn rfc3339(at: OffsetDateTime) -> Option<String> {
    at.format(&Rfc3339).ok()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PageQuery {
    #[serde(default = "fifty")]
    limit: i64,
    #[serde(default)]
    offset: i64,
}

fn fifty() -> i64 {
    50
}

/// An audit as the API shows it.
#[derive(Serialize)]
struct AuditView {
    audit_id: AuditId,
    project_id: String,
    trace_id: String,
    audit_type: AuditKind,
    priority: Priority,
    revision: Option<String>,
    branch: Option<String>,
    commit: Option<String>,
    base_commit: Option<String>,
    enabled_magics: Vec<Magic>,
    requested_by: String,
    state: String,
    tasks_done: i64,
    tasks_total: i64,
    files_analyzed: i64,
    files_cached: i64,
    commits_analyzed: i64,
    commits_cached: i64,
    status: Option<Status>,
    score: Option<f64>,
    reason: Option<String>,
    superseded_by: Option<AuditId>,
    waits_for: Option<AuditId>,
    created_at: Option<String>,
    started_at: Option<String>,
    finished_at: Option<String>,
    verdict: Option<Verdict>,
}

fn view(audit: Audit) -> AuditView {
    AuditView {
        audit_id: audit.id,
        project_id: audit.project.to_string(),
        trace_id: audit.trace.to_string(),
        audit_type: audit.kind,
        priority: audit.priority,
        revision: audit.revision.map(String::from),
        branch: audit.branch,
        commit: audit.commit.map(String::from),
        base_commit: audit.base.map(String::from),
        enabled_magics: audit.magics,
        requested_by: audit.requested_by,
        state: audit.state,
        tasks_done: audit.tasks_done,
        tasks_total: audit.tasks_total,
        files_analyzed: audit.files_analyzed,
        files_cached: audit.files_cached,
        commits_analyzed: audit.commits_analyzed,
        commits_cached: audit.commits_cached,
        status: audit.verdict.as_ref().map(|verdict| verdict.status),
        score: audit.verdict.as_ref().and_then(|verdict| verdict.score),
        reason: audit.reason,
        superseded_by: audit.superseded_by,
        waits_for: audit.waits_for,
        created_at: rfc3339(audit.created_at),
        started_at: audit.started_at.and_then(rfc3339),
        finished_at: audit.finished_at.and_then(rfc3339),
        verdict: audit.verdict,
    }
}

#[derive(Serialize)]
struct AuditPage {
    audit: AuditView,
    findings: Vec<Finding>,
    limit: i64,
    offset: i64,
}

/// `GET /api/v1/audits/{id}`: the audit, and one page of its findings, worst first.
pub(super) async fn one(shared: Shared, audit: String, query: String) -> Result<Response, ApiError> {
    let PageQuery { limit, offset } = body::query(&query)?;
    check_page(limit, offset)?;
    let missing = || ApiError::NotFound("there is no such audit".to_owned());
    let id: AuditId = audit.parse().map_err(|_not_an_id| missing())?;
    let audit = shared.store.audit(id).await?.ok_or_else(missing)?;
    let findings = shared.store.findings(id, limit, offset).await?;
    Ok(json(StatusCode::OK, &AuditPage { audit: view(audit), findings, limit, offset }))
}

/// A project's results in both shapes that clients know: one with underscores, and one that a dashboard reads.
#[derive(Serialize)]
struct Results {
    project_id: String,
    latest_results: Vec<AuditView>,
    trend_data: Vec<TrendPoint>,
    summary_statistics: Statistics,
    #[serde(rename = "projectId")]
    dashboard_project_id: String,
    #[serde(rename = "projectName")]
    dashboard_project_name: String,
    #[serde(rename = "repositoryUrl")]
    dashboard_repository_url: String,
    #[serde(rename = "overallHealthScore")]
    dashboard_score: Option<f64>,
    #[serde(rename = "lastAuditTime")]
    dashboard_last_audit_time: Option<String>,
    #[serde(rename = "magicResults")]
    dashboard_magic_results: BTreeMap<Magic, MagicResult>,
}

#[derive(Serialize)]
struct TrendPoint {
    audit_id: AuditId,
    finished_at: Option<String>,
    score: Option<f64>,
    status: Status,
}

#[derive(Serialize)]
struct Statistics {
    audits: usize,
    mean_score: Option<f64>,
    findings: BTreeMap<Severity, u64>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MagicResult {
    status: Status,
    score: Option<f64>,
    violations: u64,
    execution_time: Option<i64>,
}

/// `GET /api/v1/projects/{id}/audit-results`
pub(super) async fn results(shared: Shared, project: String, query: String) -> Result<Response, ApiError> {
    let PageQuery { limit, offset } = body::query(&query)?;
    check_page(limit, offset)?;
    let slug = parse_project(&project)?;
    let project = shared.store.project(&slug).await?.ok_or_else(|| no_project(slug.as_str()))?;
    let audits = shared.store.audits_of(&slug, limit, offset).await?;
    let latest = audits.iter().find(|audit| audit.verdict.is_some());
    let results = Results {
        project_id: slug.to_string(),
        trend_data: trend(&audits),
        summary_statistics: statistics(&audits),
        dashboard_project_id: slug.to_string(),
        dashboard_project_name: project.name,
        dashboard_repository_url: project.repository_url,
        dashboard_score: latest.and_then(|audit| audit.verdict.as_ref()?.score),
        dashboard_last_audit_time: latest.and_then(|audit| rfc3339(audit.finished_at?)),
        dashboard_magic_results: latest.map(magic_results).unwrap_or_default(),
        latest_results: audits.into_iter().map(view).collect(),
    };
    Ok(json(StatusCode::OK, &results))
}

fn trend(audits: &[Audit]) -> Vec<TrendPoint> {
    let points = audits.iter().rev().filter_map(|audit| {
        let verdict = audit.verdict.as_ref()?;
        let finished_at = audit.finished_at.and_then(rfc3339);
        Some(TrendPoint { audit_id: audit.id, finished_at, score: verdict.score, status: verdict.status })
    });
    points.collect()
}

fn statistics(audits: &[Audit]) -> Statistics {
    let verdicts: Vec<&Verdict> = audits.iter().filter_map(|audit| audit.verdict.as_ref()).collect();
    let scores: Vec<f64> = verdicts.iter().filter_map(|verdict| verdict.score).collect();
    #[expect(clippy::cast_precision_loss, reason = "at most a page of scores")]
    let mean_score = (!scores.is_empty()).then(|| scores.iter().sum::<f64>() / scores.len() as f64);
    let findings = verdicts.first().map(|verdict| verdict.findings.clone()).unwrap_or_default();
    Statistics { audits: audits.len(), mean_score, findings }
}

/// The latest result of each magic. Magics run fused, so each shows the time of the whole audit, in milliseconds.
fn magic_results(audit: &Audit) -> BTreeMap<Magic, MagicResult> {
    let elapsed = audit.started_at.zip(audit.finished_at).map(|(start, end)| end - start);
    let execution_time = elapsed.and_then(|elapsed| i64::try_from(elapsed.whole_milliseconds()).ok());
    let magics = audit.verdict.iter().flat_map(|verdict| &verdict.magics);
    magics
        .map(|(magic, verdict)| {
            let violations = verdict.findings.values().sum();
            (*magic, MagicResult { status: verdict.status, score: verdict.score, violations, execution_time })
        })
        .collect()
}
