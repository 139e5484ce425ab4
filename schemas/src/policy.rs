//! Push policies: what a push to a branch means for older audits of it, by patterns over the branch's name.

use std::str::FromStr;

use globset::{Glob, GlobMatcher};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Most policies of a project: each is tried in turn for a push.
pub const POLICIES_MAX: usize = 100;

/// Longest pattern, in bytes: as long as git's own names on most file systems.
pub const PATTERN_BYTES_MAX: usize = 255;

/// What a push means for older audits of pushes to the same branch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PushPolicy {
    /// The newest stops all others, and covers what they would have.
    #[default]
    Supersede,
    /// What runs goes on; of those waiting only the newest stays, until what runs has ended.
    Coalesce,
    /// Every push is audited.
    RunAll,
}

impl PushPolicy {
    /// Every policy.
    pub const ALL: [Self; 3] = [Self::Supersede, Self::Coalesce, Self::RunAll];

    /// The name in columns, JSON and commands.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Supersede => "supersede",
            Self::Coalesce => "coalesce",
            Self::RunAll => "run_all",
        }
    }
}

/// A list of policies that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPolicy {
    /// A word that is none of the policies.
    #[error("push policy `{0}` is not known: use supersede, coalesce or run_all")]
    Unknown(String),
    /// An entry of the command line without both halves.
    #[error("`{0}` is not a policy: use PATTERN=POLICY, e.g. `release/*=run_all`")]
    Entry(String),
    /// A pattern that matches nothing that git would call a branch.
    #[error("pattern `{pattern}` is not valid: {reason}")]
    Pattern {
        /// The pattern, clipped.
        pattern: String,
        /// Why.
        reason: String,
    },
    /// More entries than are ever tried.
    #[error("{0} push policies are too many: use at most {POLICIES_MAX}")]
    TooMany(usize),
}

impl FromStr for PushPolicy {
    type Err = InvalidPolicy;
    fn from_str(text: &str) -> Result<Self, InvalidPolicy> {
        let known = Self::ALL.into_iter().find(|policy| policy.as_str() == text);
        known.ok_or_else(|| InvalidPolicy::Unknown(shown(text)))
    }
}

/// The policy for the branches that a pattern matches.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BranchPolicy {
    /// A glob over the whole name; `*` matches `/` too.
    pub pattern: String,
    /// What a push to such a branch means.
    pub policy: PushPolicy,
}

impl FromStr for BranchPolicy {
    type Err = InvalidPolicy;
    fn from_str(text: &str) -> Result<Self, InvalidPolicy> {
        // From the end: a branch may hold an equals sign, a policy does not.
        let (pattern, policy) = text.rsplit_once('=').ok_or_else(|| InvalidPolicy::Entry(shown(text)))?;
        Ok(Self { pattern: pattern.to_owned(), policy: policy.parse()? })
    }
}

impl BranchPolicy {
    fn matcher(&self) -> Result<GlobMatcher, InvalidPolicy> {
        let invalid = |reason: String| InvalidPolicy::Pattern { pattern: shown(&self.pattern), reason };
        if self.pattern.is_empty() || self.pattern.len() > PATTERN_BYTES_MAX {
            return Err(invalid(format!("it needs 1 to {PATTERN_BYTES_MAX} bytes")));
        }
        if self.pattern.chars().any(char::is_control) {
            return Err(invalid("it holds a control character".to_owned()));
        }
        let glob = Glob::new(&self.pattern).map_err(|error| invalid(error.kind().to_string()))?;
        Ok(glob.compile_matcher())
    }
}

/// Says why a list of policies cannot be used, if it cannot.
///
/// # Errors
/// If there are too many, or a pattern is not one.
pub fn validate(policies: &[BranchPolicy]) -> Result<(), InvalidPolicy> {
    if policies.len() > POLICIES_MAX {
        return Err(InvalidPolicy::TooMany(policies.len()));
    }
    policies.iter().try_for_each(|policy| policy.matcher().map(|_| ()))
}

/// The policy for a branch: that of the first pattern that matches, or the usual one.
///
/// # Errors
/// If a pattern before the first that matches is not valid.
pub fn policy_for(policies: &[BranchPolicy], branch: &str) -> Result<PushPolicy, InvalidPolicy> {
    for policy in policies {
        if policy.matcher()?.is_match(branch) {
            return Ok(policy.policy);
        }
    }
    Ok(PushPolicy::default())
}

fn shown(text: &str) -> String {
    text.chars().take(80).flat_map(char::escape_debug).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policies(entries: &[&str]) -> Vec<BranchPolicy> {
        entries.iter().map(|entry| entry.parse().unwrap()).collect()
    }

    #[test]
    fn the_first_pattern_that_matches_decides_and_a_star_crosses_slashes() {
        let policies = policies(&["main=run_all", "release/*=coalesce", "{hot,bug}fix/**=run_all", "re*=run_all"]);
        let cases = [
            ("main", PushPolicy::RunAll),
            ("maintenance", PushPolicy::Supersede),
            ("release/1/2", PushPolicy::Coalesce),
            ("hotfix/x", PushPolicy::RunAll),
            ("refactor", PushPolicy::RunAll),
            ("x/release/1", PushPolicy::Supersede),
        ];
        for (branch, expected) in cases {
            assert_eq!(policy_for(&policies, branch), Ok(expected), "{branch}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_named() {
        let long = "x".repeat(PATTERN_BYTES_MAX + 1);
        for (entry, named) in [("[a=run_all", "pattern `[a`"), ("=run_all", "1 to 255"), ("a\n=run_all", "control")] {
            let error = validate(&policies(&[entry])).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
        assert!(validate(&policies(&[&format!("{long}=run_all")])).is_err());
        assert!("main=always".parse::<BranchPolicy>().unwrap_err().to_string().contains("`always`"));
        assert!("main".parse::<BranchPolicy>().unwrap_err().to_string().contains("PATTERN=POLICY"));
        let many = policies(&vec!["a=run_all"; POLICIES_MAX + 1]);
        assert_eq!(validate(&many), Err(InvalidPolicy::TooMany(POLICIES_MAX + 1)));
        assert_eq!(validate(&many[1..]), Ok(()));
    }
}
