//! The GitHub webhook: verified over the raw body before anything in it is believed, answered after the commit.

use std::time::Duration;

use broker::error::{StoreError, chain};
use broker::failpoint::{self, Step};
use broker::store::intake::{Delivery, NewAudit, Recorded};
use broker::store::projects::Project;
use futures::Stream;
use schemas::ids::{AuditId, Digest, ProjectSlug, TraceId};
use schemas::request::{AuditKind, AuditRequest, Priority};
use secrecy::ExposeSecret as _;
use serde::Serialize;
use warp::Buf;
use warp::http::{HeaderMap, StatusCode};
use warp::reply::Response;

use super::body::{self, WEBHOOK_BYTES_MAX};
use super::reply::{ApiError, json};
use super::state::Shared;
use crate::intake::{Asker, admit};
use crate::webhooks::github::{self, Hook, InvalidPayload, Push};

const PROVIDER: &str = "github";

/// What a delivery is answered when nobody may know whether the project or the signature was wrong.
const REFUSED: ApiError = ApiError::Unauthorized("the signature does not match this project");

/// Signed against when there is no project, so that it takes as long to be refused as when there is one.
const NO_SECRET: &[u8] = b"no project, no secret, same work";

/// Longest delivery id, in bytes; GitHub's are UUIDs.
const DELIVERY_ID_BYTES_MAX: usize = 100;

/// How long the queue may take to store a request while the record is away. Finding that out has taken five seconds already,
/// and forges wait for ten; what is stored after that is the same audit when it is delivered again.
const QUEUE_WITHIN: Duration = Duration::from_secs(3);

#[derive(Serialize)]
struct Answer<'a> {
    status: &'static str,
    delivery_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    audit_id: Option<AuditId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

/// `POST /webhooks/github/{project}`
pub(super) async fn github<B: Buf>(
    project: String,
    headers: HeaderMap,
    body: impl Stream<Item = Result<B, warp::Error>>,
    shared: Shared,
) -> Result<Response, ApiError> {
    let outcome = receive(project, headers, body, &shared).await;
    shared.metrics.delivery(match &outcome {
        Ok(response) if response.status() == StatusCode::ACCEPTED => "accepted",
        Ok(_) => "ignored_or_seen_before",
        Err(ApiError::Unauthorized(_)) => "unauthorized",
        Err(ApiError::Unavailable(_) | ApiError::Overloaded(_)) => "unavailable",
        Err(_) => "invalid",
    });
    outcome
}

async fn receive<B: Buf>(
    project: String,
    headers: HeaderMap,
    body: impl Stream<Item = Result<B, warp::Error>>,
    shared: &Shared,
) -> Result<Response, ApiError> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if header("content-encoding").is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity")) {
        return Err(ApiError::UnsupportedMediaType("send the body without content encoding"));
    }
    body::check_announced(&headers, WEBHOOK_BYTES_MAX)?;
    let body = body::read(body, WEBHOOK_BYTES_MAX, &shared.bodies).await?;
    let (project, away) = match project.parse::<ProjectSlug>() {
        Ok(slug) => shared.project(&slug).await?,
        Err(_no_such_slug) => (None, None),
    };
    let secret = project.as_ref().map_or(NO_SECRET, |project| project.webhook_secret.expose_secret().as_bytes());
    let is_signed = github::verify(secret, &body.bytes, single(&headers, github::SIGNATURE_HEADER));
    let Some(project) = project.filter(|_| is_signed) else {
        return Err(REFUSED);
    };
    let invalid = |error: InvalidPayload| match error {
        InvalidPayload::ContentType(_) => {
            ApiError::UnsupportedMediaType("send application/json, or a form with a field `payload`")
        }
        error => ApiError::BadRequest(error.to_string()),
    };
    let payload = github::payload_bytes(header("content-type").unwrap_or_default(), &body.bytes).map_err(invalid)?;
    let event = header("x-github-event").unwrap_or_default();
    let hook = github::parse(event, &payload).map_err(invalid)?;
    let id = delivery_id(header("x-github-delivery"), &body.bytes)?;
    settle(shared, &project, &id, event, hook, away).await
}

/// A header that must not be there twice: two signatures are none.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let first = values.next()?;
    if values.next().is_some() { None } else { first.to_str().ok() }
}

/// The forge's id of the delivery; for a sender without one, the digest of what it sent.
fn delivery_id(header: Option<&str>, body: &[u8]) -> Result<String, ApiError> {
    match header {
        Some(id) if !id.is_empty() && id.len() <= DELIVERY_ID_BYTES_MAX => Ok(id.to_owned()),
        Some(_) => Err(ApiError::BadRequest(format!("x-github-delivery needs 1 to {DELIVERY_ID_BYTES_MAX} bytes"))),
        None => Ok(format!("body:{}", Digest::of(body))),
    }
}

async fn settle(
    shared: &Shared,
    project: &Project,
    id: &str,
    event: &str,
    hook: Hook,
    away: Option<StoreError>,
) -> Result<Response, ApiError> {
    let (ignored, audit) = match hook {
        Hook::Ping => {
            return Ok(json(StatusCode::OK, &Answer { status: "pong", delivery_id: id, audit_id: None, reason: None }));
        }
        Hook::Ignored { reason } => (Some(reason), None),
        Hook::Push(push) => (None, Some(audit_of(shared, project, id, push)?)),
    };
    let event = event.chars().take(60).collect();
    let delivery = Delivery { provider: PROVIDER, id: id.to_owned(), event, ignored };
    // Whether there is room can only be told while the record is there; while it is away the queue has limits of its own.
    if audit.is_some()
        && away.is_none()
        && let Err(error @ ApiError::Overloaded(_)) = shared.pressure.admit_push(&shared.store).await
    {
        return Err(error);
    }
    let recorded = match away {
        // Asking once more would take as long as the first time, and forges wait for ten seconds only.
        Some(error) => Err(error),
        None => record(shared, project, &delivery, audit.as_ref()).await,
    };
    let recorded = match recorded {
        Ok(recorded) => recorded,
        Err(error) => without_record(shared, &delivery, audit.as_ref(), error).await?,
    };
    if let (Some(audit), false) = (&audit, recorded.seen_before) {
        tracing::info!(trace_id = %audit.trace, audit_id = %audit.id, project = %project.slug, delivery_id = id,
            "push accepted");
        shared.pushed.tell(project.id, audit.branch.as_deref().unwrap_or_default());
    }
    let (code, status) = match (&recorded.audit, recorded.seen_before) {
        (Some(_), false) => (StatusCode::ACCEPTED, "queued"),
        (Some(_), true) => (StatusCode::OK, "queued"),
        (None, _) => (StatusCode::OK, "ignored"),
    };
    let reason = recorded.ignored.as_deref();
    Ok(json(code, &Answer { status, delivery_id: id, audit_id: recorded.audit, reason }))
}

async fn record(
    shared: &Shared,
    project: &Project,
    delivery: &Delivery,
    audit: Option<&NewAudit>,
) -> Result<Recorded, StoreError> {
    failpoint::reach_store(Step::ServeBeforeCommit).await?;
    let recorded = shared.store.record_delivery(project, delivery, audit).await?;
    failpoint::reach_store(Step::ServeAfterCommit).await?;
    Ok(recorded)
}

/// The audit of a push: its id is made of the delivery's, so that a redelivery can only mean the same one.
fn audit_of(shared: &Shared, project: &Project, id: &str, push: Push) -> Result<NewAudit, ApiError> {
    let Push { branch, after, before, .. } = push;
    let kind = if before.is_some() { AuditKind::Incremental } else { AuditKind::Full };
    let revision = after.as_str().parse().map_err(|_impossible| ApiError::Internal)?;
    let request = AuditRequest {
        audit: None,
        project: project.slug.clone(),
        revision: Some(revision),
        base: before,
        kind,
        magics: Vec::new(),
        priority: Priority::Normal,
    };
    let audit = AuditId::from_key(&project.slug, &format!("{PROVIDER}:{id}"));
    let asker = Asker { requested_by: "webhook:github", audit, trace: TraceId::random(), branch: Some(branch.into()) };
    admit(request, asker, &shared.catalogue).map_err(|error| ApiError::BadRequest(error.to_string()))
}

/// While the record is away, an audit is safe once the queue has stored its request: the planner records it later,
/// under the same id. With both away nothing is promised.
async fn without_record(
    shared: &Shared,
    delivery: &Delivery,
    audit: Option<&NewAudit>,
    error: StoreError,
) -> Result<Recorded, ApiError> {
    let Some(audit) = audit.filter(|_| error.is_transient()) else {
        return Err(error.into());
    };
    let request = AuditRequest { audit: Some(audit.id), ..audit.request.clone() };
    // Not the id that the record will give to its own message: the queue would take that one for a copy of this one,
    // and the audit would be recorded but not planned.
    let id = format!("I:{}", audit.id);
    let stored = tokio::time::timeout(QUEUE_WITHIN, shared.bus.publish_request(&id, audit.trace, &request)).await;
    let queue = match stored {
        Ok(Ok(_)) => {
            tracing::warn!(error = %chain(&error), trace_id = %audit.trace, audit_id = %audit.id, delivery_id = %delivery.id,
                "the record is away; the request waits in the queue");
            return Ok(Recorded { audit: Some(audit.id), ignored: None, seen_before: false });
        }
        Ok(Err(queue)) => chain(&queue),
        Err(_elapsed) => format!("no answer in {} s", QUEUE_WITHIN.as_secs()),
    };
    tracing::error!(error = %chain(&error), queue, "neither record nor queue can be reached");
    Err(ApiError::Unavailable("neither the database nor the queue can be reached"))
}
