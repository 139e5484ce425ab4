//! The rules that a build has, as planner and worker must agree on them.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::{Digest, RuleId};
use crate::magic::{Input, Magic};
use crate::severity::Severity;

/// What is known of a rule without running it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RuleMeta {
    /// Its stable name.
    pub id: RuleId,
    /// The magic it belongs to.
    pub magic: Magic,
    /// Raised whenever the same input may give another result: old cached results then no longer count.
    pub version: u32,
    /// Worst severity that it reports.
    pub severity: Severity,
    /// Whether it judges whole repositories, by the facts of their files.
    #[serde(default)]
    pub judges_tree: bool,
    /// The numbers in it that a repository may choose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<ThresholdMeta>,
    /// Its documentation, Markdown.
    pub doc: String,
}

/// A number of a rule that a repository may choose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ThresholdMeta {
    /// Its name in `.elder.toml`.
    pub name: String,
    /// What it is without a choice.
    pub default: u64,
    /// Least that may be chosen.
    pub min: u64,
    /// Most that may be chosen.
    pub max: u64,
    /// What it limits.
    pub doc: String,
}

/// A language that a build reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LanguageMeta {
    /// Its name: the first extension of its files.
    pub name: String,
    /// Raised whenever the same text may be read in another way: old cached results then no longer count.
    pub version: u32,
}

/// The rules of a build.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Catalogue {
    /// Sorted by id.
    pub rules: Vec<RuleMeta>,
    /// What the rules read files as.
    #[serde(default)]
    pub languages: Vec<LanguageMeta>,
}

impl Catalogue {
    /// Magics with rules that judge whole repositories.
    pub fn judging_trees(&self) -> BTreeSet<Magic> {
        self.rules.iter().filter(|rule| rule.judges_tree).map(|rule| rule.magic).collect()
    }

    /// The digest of each magic's rule set: the part of a cache key that says "judged by these rules".
    /// Magics without rules are absent.
    pub fn rulesets(&self) -> BTreeMap<Magic, Digest> {
        let mut texts: BTreeMap<Magic, String> = BTreeMap::new();
        for rule in &self.rules {
            let line = format!("{} {}\n", rule.id, rule.version);
            texts.entry(rule.magic).or_default().push_str(&line);
        }
        // What rules say of a file depends on who reads it for them.
        let versions = self.languages.iter().map(|language| format!("reads {} {}\n", language.name, language.version));
        let versions: String = versions.collect();
        for (_, text) in texts.iter_mut().filter(|(magic, _)| magic.reads(Input::Files)) {
            text.push_str(&versions);
        }
        // Rules of this magic judge what people write about rules, whichever magic those belong to.
        if let Some(text) = texts.get_mut(&Magic::Integrity) {
            let numbers = self.rules.iter().map(|rule| (&rule.id, &rule.thresholds));
            let known = numbers.map(|(id, thresholds)| format!("knows {id} {thresholds:?}\n"));
            text.extend(known);
        }
        texts.into_iter().map(|(magic, text)| (magic, Digest::of(text.as_bytes()))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogue(version: u32) -> Catalogue {
        let rule = |id: &str, magic| RuleMeta {
            id: id.parse().unwrap(),
            magic,
            version: 1,
            severity: Severity::Low,
            judges_tree: false,
            thresholds: Vec::new(),
            doc: String::new(),
        };
        let rules = vec![rule("git/wip-commit", Magic::Git), rule("tdd/skipped-test", Magic::Tdd)];
        Catalogue { rules, languages: vec![LanguageMeta { name: "js".to_owned(), version }] }
    }

    #[test]
    fn who_reads_a_language_decides_what_was_judged_of_files_and_of_nothing_else() {
        let (old, new) = (catalogue(1).rulesets(), catalogue(2).rulesets());
        assert_eq!(old, catalogue(1).rulesets());
        assert_eq!(old[&Magic::Git], new[&Magic::Git]);
        assert_ne!(old[&Magic::Tdd], new[&Magic::Tdd]);
        assert_ne!(old[&Magic::Tdd], Catalogue { languages: Vec::new(), ..catalogue(1) }.rulesets()[&Magic::Tdd]);
    }
}
