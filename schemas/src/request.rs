//! What asks for an audit: the message on `audit.request`, and the shape that every other door turns into.

use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{AuditId, ObjectId, ProjectSlug, Revision};
use crate::magic::Magic;

/// How much an audit looks at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum AuditKind {
    /// Every file of the commit, and its recent history.
    #[default]
    Full,
    /// Files and commits that are new since a base commit.
    Incremental,
    /// Tasks published by hand: there is no plan.
    AdHoc,
}

impl AuditKind {
    /// The name in columns, JSON and commands.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Incremental => "incremental",
            Self::AdHoc => "ad_hoc",
        }
    }
}

/// How urgent an audit is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// When nothing else is to do.
    Low,
    /// The usual.
    #[default]
    Normal,
    /// Before the usual.
    High,
    /// Before everything else.
    Critical,
}

/// A word that is none of the priorities.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("priority `{0}` is not known: use critical, high, normal or low")]
pub struct UnknownPriority(String);

impl Priority {
    /// Every priority, most urgent first.
    pub const ALL: [Self; 4] = [Self::Critical, Self::High, Self::Normal, Self::Low];

    /// The name in subjects, columns and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl FromStr for Priority {
    type Err = UnknownPriority;
    fn from_str(text: &str) -> Result<Self, UnknownPriority> {
        let known = Self::ALL.into_iter().find(|priority| priority.as_str() == text);
        known.ok_or_else(|| UnknownPriority(text.chars().take(80).flat_map(char::escape_debug).collect()))
    }
}

/// Asks for one audit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuditRequest {
    /// The audit, where its record exists already; absent in requests from people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub audit: Option<AuditId>,
    /// The project, as registered.
    pub project: ProjectSlug,
    /// What to audit; the default branch if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<Revision>,
    /// For an incremental audit: the commit that was audited before. Without one the audit is full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<ObjectId>,
    /// How much to look at.
    #[serde(default)]
    pub kind: AuditKind,
    /// Which magics; all that have rules if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub magics: Vec<Magic>,
    /// How urgent.
    #[serde(default)]
    pub priority: Priority,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_request_means_a_full_audit_of_everything() {
        let request: AuditRequest = serde_json::from_str(r#"{"project":"shop"}"#).unwrap();
        assert_eq!((request.kind, request.priority), (AuditKind::Full, Priority::Normal));
        assert!(request.magics.is_empty() && request.revision.is_none());
    }

    #[test]
    fn a_misspelt_field_or_magic_is_named() {
        let field = serde_json::from_str::<AuditRequest>(r#"{"project":"shop","revison":"x"}"#).unwrap_err();
        assert!(field.to_string().contains("revison"), "{field}");
        let magic = serde_json::from_str::<AuditRequest>(r#"{"project":"shop","magics":["alchemy"]}"#).unwrap_err();
        assert!(magic.to_string().contains("magic `alchemy` is not known"), "{magic}");
    }
}
