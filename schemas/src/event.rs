//! What happened to an audit, for anyone who watches.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{AuditId, ObjectId, ProjectSlug};
use crate::verdict::{Status, Verdict};

/// What happened. The last token of an event's subject is [`EventKind::as_str`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// The request is recorded.
    Accepted,
    /// The plan is made; tasks are on their way.
    Started,
    /// Some tasks are done.
    Progress,
    /// The verdict is there.
    Completed,
    /// The audit could not be done; the reason says why.
    Failed,
    /// Somebody asked to stop it; the reason says who.
    Cancelled,
    /// A newer push took its place; the reason says which audit.
    Superseded,
    /// A message could not be used; the reason says why.
    Rejected,
}

impl EventKind {
    /// The name in subjects and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Started => "started",
            Self::Progress => "progress",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::Superseded => "superseded",
            Self::Rejected => "rejected",
        }
    }
}

/// What happened to an audit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AuditEvent {
    /// What happened.
    pub kind: EventKind,
    /// The project; absent if a message did not even say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<ProjectSlug>,
    /// The audit; absent if a message did not even say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<AuditId>,
    /// The commit, once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<ObjectId>,
    /// Tasks done, once there is a plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tasks_done: Option<u64>,
    /// Tasks in all, once there is a plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tasks_total: Option<u64>,
    /// How it came out, at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// 0 to 100, at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// Why, for failures and rejections.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl AuditEvent {
    /// An event of `kind` about an audit, everything else absent.
    pub fn new(kind: EventKind, project: Option<ProjectSlug>, audit: Option<AuditId>) -> Self {
        let (commit, tasks_done, tasks_total, status, score, reason) = (None, None, None, None, None, None);
        Self { kind, project, audit, commit, tasks_done, tasks_total, status, score, reason }
    }

    /// The same with the outcome of `verdict`.
    #[must_use]
    pub fn with_verdict(mut self, verdict: &Verdict) -> Self {
        self.status = Some(verdict.status);
        self.score = verdict.score;
        self
    }

    /// The same with a reason.
    #[must_use]
    pub fn with_reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }
}
