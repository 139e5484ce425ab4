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
    /// Raised whenever the same input may give another result: old cached results then no longer count. The input of a rule
    /// that judges whole repositories is their facts.
    pub version: u32,
    /// Worst severity that it reports.
    pub severity: Severity,
    /// Whether it judges whole repositories, by the facts of their files.
    #[serde(default)]
    pub judges_tree: bool,
    /// Raised whenever the same file may tell other facts: old cached facts then no longer count. Only of rules that judge
    /// whole repositories.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts_version: Option<u32>,
    /// Whether it is looked at only where a repository switches it on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub off_by_default: bool,
    /// How often it was right where people read what it found, in projects that it was not written on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reading: Option<Reading>,
    /// The numbers in it that a repository may choose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<ThresholdMeta>,
    /// Its documentation, Markdown.
    pub doc: String,
}

/// How many findings of a rule were read by people, and how many of those they found right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reading {
    /// Findings of which a maintainer would say: so it is, and worth saying.
    pub right: u16,
    /// Findings that were read.
    pub read: u16,
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

/// The digests of one magic's rule set: the part of a cache key that says "judged by these rules".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ruleset {
    /// Of what decides about a file or commit. Of rules over the whole repository that is only which facts they collect.
    pub items: Digest,
    /// Of all of it, which decides about a whole repository; absent where no rule judges those.
    pub tree: Option<Digest>,
}

impl Catalogue {
    /// Magics with rules that judge whole repositories.
    pub fn judging_trees(&self) -> BTreeSet<Magic> {
        self.rules.iter().filter(|rule| rule.judges_tree).map(|rule| rule.magic).collect()
    }

    /// The rule set of each magic. Magics without rules are absent.
    pub fn rulesets(&self) -> BTreeMap<Magic, Ruleset> {
        let magics: BTreeSet<Magic> = self.rules.iter().map(|rule| rule.magic).collect();
        magics.into_iter().map(|magic| (magic, self.ruleset(magic))).collect()
    }

    fn ruleset(&self, magic: Magic) -> Ruleset {
        let (mut items, mut judges) = (String::new(), String::new());
        for RuleMeta { id, version, facts_version, off_by_default, reading, .. } in
            self.rules.iter().filter(|rule| rule.magic == magic)
        {
            if *off_by_default {
                items.push_str(&format!("{id} off\n"));
            }
            // No finding is surer than readers found the rule.
            if let Some(Reading { right, read }) = reading {
                let kind = if facts_version.is_some() { &mut judges } else { &mut items };
                kind.push_str(&format!("{id} right {right} of {read}\n"));
            }
            if let Some(facts) = facts_version {
                items.push_str(&format!("{id} facts {facts}\n"));
                judges.push_str(&format!("{id} {version}\n"));
            } else {
                items.push_str(&format!("{id} {version}\n"));
            }
        }
        // What rules say of a file depends on who reads it for them.
        if magic.reads(Input::Files) {
            items.extend(
                self.languages.iter().map(|language| format!("reads {} {}\n", language.name, language.version)),
            );
        }
        // Rules of this magic judge what people write about rules, whichever magic those belong to.
        if magic == Magic::Integrity {
            let numbers = self.rules.iter().map(|rule| (&rule.id, &rule.thresholds));
            items.extend(numbers.map(|(id, thresholds)| format!("knows {id} {thresholds:?}\n")));
        }
        let tree = (!judges.is_empty()).then(|| Digest::of(format!("{items}{judges}").as_bytes()));
        Ruleset { items: Digest::of(items.as_bytes()), tree }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(id: &str, magic: Magic, version: u32, facts_version: Option<u32>) -> RuleMeta {
        RuleMeta {
            id: id.parse().unwrap(),
            magic,
            version,
            severity: Severity::Low,
            judges_tree: facts_version.is_some(),
            facts_version,
            off_by_default: false,
            reading: None,
            thresholds: Vec::new(),
            doc: String::new(),
        }
    }

    fn catalogue(version: u32) -> Catalogue {
        let rules = vec![rule("git/wip-commit", Magic::Git, 1, None), rule("tdd/skipped-test", Magic::Tdd, 1, None)];
        Catalogue { rules, languages: vec![LanguageMeta { name: "js".to_owned(), version }] }
    }

    #[test]
    fn who_reads_a_language_decides_what_was_judged_of_files_and_of_nothing_else() {
        let (old, new) = (catalogue(1).rulesets(), catalogue(2).rulesets());
        assert_eq!(old, catalogue(1).rulesets());
        assert_eq!(old[&Magic::Git], new[&Magic::Git]);
        assert_ne!(old[&Magic::Tdd].items, new[&Magic::Tdd].items);
        assert_ne!(old[&Magic::Tdd], Catalogue { languages: Vec::new(), ..catalogue(1) }.rulesets()[&Magic::Tdd]);
    }

    /// The rules of one magic: one reads files, one judges trees. By their versions, and that of the facts.
    fn judging(reads: u32, judges: u32, facts: u32) -> Ruleset {
        let rules = vec![
            rule("tdd/module-without-test", Magic::Tdd, judges, Some(facts)),
            rule("tdd/skipped-test", Magic::Tdd, reads, None),
        ];
        Catalogue { rules, languages: Vec::new() }.rulesets()[&Magic::Tdd].clone()
    }

    #[test]
    fn a_rule_that_judges_facts_in_another_way_has_no_file_read_again() {
        let before = judging(1, 1, 1);
        assert_eq!(before, judging(1, 1, 1));
        let judges = judging(1, 2, 1);
        assert_eq!(judges.items, before.items);
        assert_ne!(judges.tree, before.tree);
        for other in [judging(2, 1, 1), judging(1, 1, 2)] {
            assert_ne!(other.items, before.items);
            assert_ne!(other.tree, before.tree);
        }
    }

    #[test]
    fn only_magics_that_judge_trees_have_a_key_for_them() {
        assert!(judging(1, 1, 1).tree.is_some());
        assert!(catalogue(1).rulesets().values().all(|ruleset| ruleset.tree.is_none()));
    }
}
