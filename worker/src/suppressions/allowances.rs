//! What comments all over a repository allow to rules that judge it as a whole.

use std::collections::HashMap;

use schemas::day::Day;
use schemas::facts::{Allowed, Tree};
use schemas::finding::{Finding, Location};

use super::has_passed;

/// What comments allow, by path.
pub(crate) struct Allowances<'t> {
    files: HashMap<&'t str, Vec<&'t Allowed>>,
}

impl<'t> Allowances<'t> {
    /// What the files of `tree` allow to one of `rules`.
    pub(crate) fn of(tree: &'t Tree, rules: &[&'static str]) -> Self {
        let own = |allowed: &&Allowed| rules.contains(&allowed.rule.as_str());
        let of_file = tree.files.iter().filter(|file| !file.facts.allowed.is_empty());
        let files = of_file.map(|file| (file.path.as_str(), file.facts.allowed.iter().filter(own).collect()));
        Self { files: files.collect() }
    }

    /// Whether `finding` may be there on `day`: by a comment for its file, or for one of its lines. What a rule over the whole
    /// repository finds may be long, and its first line nothing that a person would choose.
    pub(crate) fn allow(&self, finding: &Finding, day: Option<Day>) -> bool {
        let Location::File { path, line, end_line, .. } = &finding.location else { return false };
        let covers = |allowed: &Allowed| {
            allowed.rule == finding.rule
                && allowed.line.is_none_or(|one| (*line..=(*end_line).max(*line)).contains(&one))
                && !has_passed(allowed.until, day)
        };
        self.files.get(path.as_str()).is_some_and(|all| all.iter().any(|allowed| covers(allowed)))
    }

    /// Whether what is allowed depends on the day.
    pub(crate) fn is_dated(&self) -> bool {
        self.files.values().flatten().any(|allowed| allowed.until.is_some())
    }
}
