//! What a request means: whether it may come on its subject, which audit it is, and what that was asked to do.

use broker::headers;
use broker::lease::Lease;
use broker::store::audits::Audit;
use broker::subject::Subject;
use schemas::dead_letter::Cause;
use schemas::ids::{AuditId, Digest, ProjectSlug};
use schemas::request::AuditRequest;

use crate::fires;

/// Why a request cannot be what its subject says, if it cannot.
pub(super) fn misplaced(subject: &Subject, request: &AuditRequest) -> Option<(Cause, String)> {
    match subject {
        Subject::ProjectRequest(project) | Subject::Fire(project, _) if *project != request.project => {
            let asked = &request.project;
            Some((Cause::Refused, format!("a request for project `{asked}` came on the subject of `{project}`")))
        }
        Subject::Fire(..) if request.audit.is_some() => {
            Some((Cause::Refused, "each firing of a schedule is an audit of its own: leave `audit` out".to_owned()))
        }
        Subject::Request | Subject::ProjectRequest(_) | Subject::Fire(..) => None,
        other => Some((Cause::Undecodable, format!("`{other}` is no request"))),
    }
}

/// The audit that a request always means: the one it names, or the one made of its key. A request by hand without a key
/// counts as the same for a minute, so that an impatient second return key does not start a second audit.
pub(super) fn audit_id(lease: &Lease, subject: &Subject, request: &AuditRequest) -> AuditId {
    if let Subject::Fire(project, name) = subject {
        return fires::audit_at(project, name, lease.published_unix_millis());
    }
    if let Some(audit) = request.audit {
        return audit;
    }
    let key = lease.header(headers::IDEMPOTENCY_KEY).or_else(|| lease.header(headers::MESSAGE_ID));
    let key = key.map_or_else(|| by_body(lease), |key| format!("nats:{key}"));
    AuditId::from_key(&request.project, &key)
}

fn by_body(lease: &Lease) -> String {
    format!("nats:{}:{}", Digest::of(lease.body()), lease.published_unix_secs() / 60)
}

/// What an audit was asked to do, from its record: what the message says beyond its id does not count.
pub(super) fn request_of(audit: &Audit) -> AuditRequest {
    let project: ProjectSlug = audit.project.clone();
    AuditRequest {
        audit: Some(audit.id),
        project,
        revision: audit.revision.clone(),
        base: audit.base.clone(),
        kind: audit.kind,
        magics: audit.magics.clone(),
        priority: audit.priority,
    }
}
