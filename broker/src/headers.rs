//! The headers of every message: its identity, its version, its trace and the audit that it is about.

use async_nats::HeaderMap;
use schemas::MESSAGE_VERSION;
use schemas::ids::{AuditId, TraceId};

/// What makes two publishes the same message, within the stream's duplicate window.
pub const MESSAGE_ID: &str = "Nats-Msg-Id";
/// Version of the message shape; absent in messages made by hand, which are taken for the current one.
pub const SCHEMA: &str = "Audit-Schema";
/// W3C `traceparent`.
pub const TRACE: &str = "Audit-Trace";
/// The audit, where it is known: so that whoever watches need not know how each subject and body names it.
pub const AUDIT: &str = "Audit-Id";
/// Name of the object that a task reads, in the bucket of bundles.
pub const BUNDLE: &str = "Audit-Bundle";
/// Why a dead letter's message died, as in its subject.
pub const CAUSE: &str = "Audit-Cause";
/// How often the task was published, this time included, minus one.
pub const GENERATION: &str = "Audit-Generation";
/// When the task is given up whatever the reason, in Unix milliseconds.
pub const DEADLINE: &str = "Audit-Deadline";
/// When the task was published, in Unix milliseconds.
pub const ENQUEUED: &str = "Audit-Enqueued";
/// After which time the server drops the message, in whole seconds with an `s`.
pub const TTL: &str = "Nats-TTL";
/// What a person may set on a request so that asking twice gives one audit.
pub const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// The headers of a message of ours.
pub(crate) fn of(message_id: &str, trace: TraceId, audit: Option<AuditId>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(MESSAGE_ID, message_id);
    headers.insert(SCHEMA, MESSAGE_VERSION.to_string());
    headers.insert(TRACE, trace.traceparent());
    if let Some(audit) = audit {
        headers.insert(AUDIT, audit.to_string());
    }
    headers
}

/// The value of a header, if it is there.
pub(crate) fn get<'a>(headers: Option<&'a HeaderMap>, name: &str) -> Option<&'a str> {
    headers?.get(name).map(|value| value.as_str())
}
