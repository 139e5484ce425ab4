//! The one door: whatever asks for an audit, by whichever way, becomes a record here.

use broker::store::intake::NewAudit;
use schemas::catalogue::Catalogue;
use schemas::ids::{AuditId, TraceId};
use schemas::magic::Magic;
use schemas::request::{AuditKind, AuditRequest};

/// A request that no audit can be made of.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A magic that this build has no rules for.
    #[error("magic `{magic}` has no rules in this build; use {available}")]
    NoRules {
        /// The magic.
        magic: Magic,
        /// Those that have rules.
        available: String,
    },
    /// `ad_hoc` is not for asking.
    #[error("kind `ad_hoc` is for tasks published by hand; use `full` or `incremental`")]
    Kind,
}

/// Who asks, and by which key asking twice is asking once.
#[derive(Debug, Clone)]
pub struct Asker {
    /// `webhook:github`, `api`, `nats` or `schedule`.
    pub requested_by: &'static str,
    /// The audit that this request always means; random if it has no key.
    pub audit: AuditId,
    /// The trace that the audit will belong to.
    pub trace: TraceId,
    /// The branch that was pushed to, as text from outside.
    pub branch: Option<String>,
}

/// The audit that a request asks for.
///
/// # Errors
/// If the request asks for something that no audit can be.
pub fn admit(request: AuditRequest, asker: Asker, catalogue: &Catalogue) -> Result<NewAudit, Refused> {
    let magics = check(request.kind, &request.magics, catalogue)?;
    let Asker { requested_by, audit, trace, branch } = asker;
    Ok(NewAudit { id: audit, request, magics, branch, requested_by, trace })
}

/// The magics that would be run, if an audit can be asked for like that.
///
/// # Errors
/// If it cannot.
pub(crate) fn check(kind: AuditKind, asked: &[Magic], catalogue: &Catalogue) -> Result<Vec<Magic>, Refused> {
    if kind == AuditKind::AdHoc {
        return Err(Refused::Kind);
    }
    magics(asked, catalogue)
}

/// The magics asked for, each once; all that have rules if none was named.
fn magics(asked: &[Magic], catalogue: &Catalogue) -> Result<Vec<Magic>, Refused> {
    let available: Vec<Magic> = catalogue.rulesets().into_keys().collect();
    if asked.is_empty() {
        return Ok(available);
    }
    if let Some(magic) = asked.iter().find(|magic| !available.contains(magic)) {
        let names: Vec<_> = available.iter().map(|magic| magic.as_str()).collect();
        return Err(Refused::NoRules { magic: *magic, available: names.join(", ") });
    }
    Ok(available.into_iter().filter(|magic| asked.contains(magic)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use schemas::catalogue::RuleMeta;
    use schemas::severity::Severity;

    fn catalogue() -> Catalogue {
        let rule = |id: &str, magic| RuleMeta {
            judges_tree: false,
            facts_version: None,
            off_by_default: false,
            reading: None,
            id: id.parse().unwrap(),
            magic,
            version: 1,
            severity: Severity::Low,
            thresholds: Vec::new(),
            doc: String::new(),
        };
        let rules = vec![rule("git/wip-commit", Magic::Git), rule("tdd/skipped-test", Magic::Tdd)];
        Catalogue { rules, ..Catalogue::default() }
    }

    #[test]
    fn no_magics_means_all_that_have_rules_and_repetitions_count_once() {
        assert_eq!(magics(&[], &catalogue()), Ok(vec![Magic::Tdd, Magic::Git]));
        assert_eq!(magics(&[Magic::Git, Magic::Git], &catalogue()), Ok(vec![Magic::Git]));
    }

    #[test]
    fn a_magic_without_rules_is_refused_with_those_that_have_some() {
        let error = magics(&[Magic::Flow], &catalogue()).unwrap_err().to_string();
        assert_eq!(error, "magic `flow` has no rules in this build; use tdd, git");
    }
}
