//! What an audit comes to: a status and a score per magic, and one over all.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::item::Units;
use crate::magic::Magic;
use crate::severity::Severity;
use crate::tally::Tally;

/// How an audit or a magic came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// There was nothing to judge; says nothing either way.
    NotApplicable,
    /// Nothing that should stop anyone.
    Passed,
    /// Something to look at.
    Warning,
    /// Something that must be mended first.
    Failed,
}

impl Status {
    /// The name in columns, JSON and reports.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotApplicable => "not_applicable",
            Self::Passed => "passed",
            Self::Warning => "warning",
            Self::Failed => "failed",
        }
    }
}

/// What one magic came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MagicVerdict {
    /// How it came out.
    pub status: Status,
    /// 0 to 100; absent if there was nothing to judge.
    pub score: Option<f64>,
    /// Why it is not applicable, or why it is not more than a warning.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Findings per severity.
    pub findings: BTreeMap<Severity, u64>,
    /// What it was judged by.
    pub tally: Tally,
}

/// What an audit comes to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Verdict {
    /// How it came out: the worst of the magics, or failed where the score is too low.
    pub status: Status,
    /// 0 to 100 over all applicable magics; absent if none was.
    pub score: Option<f64>,
    /// `excellent`, `good`, `fair` or `poor`; absent like the score.
    pub grade: Option<String>,
    /// Whether something that should have been examined was not.
    pub partial: bool,
    /// Each magic that was asked for.
    pub magics: BTreeMap<Magic, MagicVerdict>,
    /// Findings per severity, over all magics.
    pub findings: BTreeMap<Severity, u64>,
    /// How much was examined, the most of any magic.
    pub units: Units,
    /// How the score is made, for anyone who wants to check the sum.
    pub formula: String,
}
