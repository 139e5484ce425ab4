//! The rules: what one is, and the list of all.

mod calls;
mod findings;
mod foreign;
mod marks;
mod readings;
mod runners;
mod threshold;

mod flow {
    pub(super) mod gate_bypass;
    pub(super) mod hollow_gate;
}
mod git {
    pub(super) mod commit_subject;
    pub(super) mod oversized_commit;
    pub(super) mod wip_commit;
}
mod integrity {
    pub(super) mod bare_suppression;
    pub(super) mod check_disabled;
    pub(super) mod commented_out_code;
    pub(super) mod committed_secret;
    pub(super) mod config_invalid;
    pub(super) mod conflict_marker;
    pub(super) mod constant_success;
    pub(super) mod debug_leftover;
    pub(super) mod mock_in_production;
    pub(super) mod security_bypass;
    pub(super) mod stub_body;
    pub(super) mod swallowed_error;
    pub(super) mod todo_marker;
}
mod sages {
    pub(super) mod broken_doc_link;
    pub(super) mod observability_missing;
    pub(super) mod undocumented_api;
}
mod servant {
    pub(super) mod ci_excess_permission;
    pub(super) mod ci_no_timeout;
    pub(super) mod ci_unpinned_action;
    pub(super) mod complexity;
    pub(super) mod dangerous_call;
    pub(super) mod deep_nesting;
    pub(super) mod duplicate_block;
    pub(super) mod function_too_long;
    pub(super) mod god_module;
    pub(super) mod image_hygiene;
    pub(super) mod script_unsafe;
    pub(super) mod shallow_module;
    pub(super) mod todo_density;
    pub(super) mod too_many_params;
}
mod tdd {
    pub(super) mod assertion_free_test;
    pub(super) mod coverage_exclusion;
    pub(super) mod empty_test;
    pub(super) mod excessive_mocking;
    pub(super) mod focused_test;
    pub(super) mod module_without_test;
    pub(super) mod skipped_test;
    pub(super) mod sleep_in_test;
    pub(super) mod trivial_assertion;
}

#[cfg(test)]
mod golden;
#[cfg(test)]
pub(crate) mod testing;

use std::sync::LazyLock;

use schemas::bundle::CommitFacts;
use schemas::catalogue::{Catalogue, RuleMeta};
use schemas::facts::{Facts, Tree};
use schemas::ids::RuleId;
use schemas::magic::{Input, Magic};
use schemas::severity::Severity;

use crate::automation::Automation;
use crate::languages;

pub(crate) use findings::{File, Findings, Hit, Known, Place};
pub(crate) use threshold::Threshold;

/// Every rule, by id.
pub(crate) static ALL: &[&Rule] = &[
    &flow::gate_bypass::RULE,
    &flow::hollow_gate::RULE,
    &git::commit_subject::RULE,
    &git::oversized_commit::RULE,
    &git::wip_commit::RULE,
    &integrity::bare_suppression::RULE,
    &integrity::check_disabled::RULE,
    &integrity::commented_out_code::RULE,
    &integrity::committed_secret::RULE,
    &integrity::config_invalid::RULE,
    &integrity::conflict_marker::RULE,
    &integrity::constant_success::RULE,
    &integrity::debug_leftover::RULE,
    &integrity::mock_in_production::RULE,
    &integrity::security_bypass::RULE,
    &integrity::stub_body::RULE,
    &integrity::swallowed_error::RULE,
    &integrity::todo_marker::RULE,
    &sages::broken_doc_link::RULE,
    &sages::observability_missing::RULE,
    &sages::undocumented_api::RULE,
    &servant::ci_excess_permission::RULE,
    &servant::ci_no_timeout::RULE,
    &servant::ci_unpinned_action::RULE,
    &servant::complexity::RULE,
    &servant::dangerous_call::RULE,
    &servant::deep_nesting::RULE,
    &servant::duplicate_block::RULE,
    &servant::function_too_long::RULE,
    &servant::god_module::RULE,
    &servant::image_hygiene::RULE,
    &servant::script_unsafe::RULE,
    &servant::shallow_module::RULE,
    &servant::todo_density::RULE,
    &servant::too_many_params::RULE,
    &tdd::assertion_free_test::RULE,
    &tdd::coverage_exclusion::RULE,
    &tdd::empty_test::RULE,
    &tdd::excessive_mocking::RULE,
    &tdd::focused_test::RULE,
    &tdd::module_without_test::RULE,
    &tdd::skipped_test::RULE,
    &tdd::sleep_in_test::RULE,
    &tdd::trivial_assertion::RULE,
];

/// One rule.
pub(crate) struct Rule {
    /// Its stable name.
    pub(crate) id: &'static str,
    /// The magic it belongs to.
    pub(crate) magic: Magic,
    /// Worst severity that it reports.
    pub(crate) severity: Severity,
    /// Raised whenever the same input, or for [`Check::Tree`] the same facts, may give another result.
    pub(crate) version: u32,
    /// Numbers in it that a repository may choose.
    pub(crate) thresholds: &'static [&'static Threshold],
    /// Its documentation as it stands above the rule.
    pub(crate) doc: &'static str,
    /// What it does.
    pub(crate) check: Check,
}

/// What a rule reads. A check cannot fail, does no I/O and reports in the order of the text.
#[derive(Clone, Copy)]
pub(crate) enum Check {
    /// Text and comments, which every file has.
    Text(fn(&File<'_>, &mut Findings<'_>)),
    /// What an outline knows beyond comments, which only parsed languages have.
    Code(fn(&File<'_>, &mut Findings<'_>)),
    /// Pipelines, scripts and images.
    Automation(fn(&File<'_>, &Automation, &mut Findings<'_>)),
    /// One commit.
    Commit(fn(&CommitFacts, &mut Findings<'_>)),
    /// The whole repository, once each of its files was read.
    Tree {
        /// Raised whenever `collect` may tell something else of the same file; the version of the rule is about `judge` alone.
        facts_version: u32,
        /// Writes down what a file has to tell, and says whether it is a file of the kind that the rule reads.
        collect: fn(&File<'_>, &mut Told) -> bool,
        /// Judges by what all files have told. What is about files that [`Tree::is_asked`] rules out is not to be reported.
        judge: fn(&Tree, &mut Findings<'_>),
    },
}

/// What a file tells rules over the whole repository.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// What it tells.
    pub(crate) facts: Facts,
    /// What it has to tell beyond a limit, for whoever reads the result.
    pub(crate) notes: Vec<String>,
}

impl Told {
    /// The first `limit` of `all`; a note says how many `things` fall off.
    pub(crate) fn at_most<T>(&mut self, limit: usize, mut all: Vec<T>, things: &str) -> Vec<T> {
        if all.len() > limit {
            self.notes.push(format!("{} {things} beyond the limit of {limit} are left out", all.len() - limit));
            all.truncate(limit);
        }
        all
    }
}

impl Check {
    /// What it reads.
    pub(crate) fn input(self) -> Input {
        match self {
            Self::Text(_) | Self::Code(_) | Self::Automation(_) | Self::Tree { .. } => Input::Files,
            Self::Commit(_) => Input::History,
        }
    }

    /// Which facts it collects, if it does.
    fn facts_version(self) -> Option<u32> {
        match self {
            Self::Tree { facts_version, .. } => Some(facts_version),
            _ => None,
        }
    }
}

impl Rule {
    /// Its stable name, as other parts of the program know it.
    pub(crate) fn rule_id(&self) -> RuleId {
        self.id.parse().expect("a test checks every id")
    }

    /// Whether it is looked at only where a repository switches it on.
    pub(crate) fn is_off_by_default(&self) -> bool {
        readings::is_off(self.id)
    }
}

/// Declares the rule of a file, `RULE`, and takes its documentation into the product.
macro_rules! rule {
    ($(#[doc = $doc:literal])+ $id:literal, $magic:ident, $severity:ident, version: $version:literal,
     thresholds: $thresholds:expr, $check:expr) => {
        $(#[doc = $doc])+
        pub(crate) static RULE: $crate::rules::Rule = $crate::rules::Rule {
            id: $id,
            magic: schemas::magic::Magic::$magic,
            severity: schemas::severity::Severity::$severity,
            version: $version,
            thresholds: $thresholds,
            doc: concat!($($doc, "\n"),+),
            check: $check,
        };
    };
    ($(#[doc = $doc:literal])+ $id:literal, $magic:ident, $severity:ident, version: $version:literal, $check:expr) => {
        $crate::rules::rule!($(#[doc = $doc])+ $id, $magic, $severity, version: $version, thresholds: &[], $check);
    };
}
pub(crate) use rule;

/// What this build can judge, made once.
pub(crate) static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(catalogue);

/// What this build can judge.
pub fn catalogue() -> Catalogue {
    let meta = |rule: &&Rule| RuleMeta {
        id: rule.rule_id(),
        magic: rule.magic,
        version: rule.version,
        severity: rule.severity,
        judges_tree: rule.check.facts_version().is_some(),
        facts_version: rule.check.facts_version(),
        off_by_default: rule.is_off_by_default(),
        reading: readings::of(rule.id),
        thresholds: rule.thresholds.iter().map(|threshold| threshold.meta()).collect(),
        doc: rule.doc.lines().map(|line| line.strip_prefix(' ').unwrap_or(line)).collect::<Vec<_>>().join("\n"),
    };
    Catalogue { rules: ALL.iter().map(meta).collect(), languages: languages::versions() }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use schemas::repository_config::{Preset, RepositoryConfig, read};

    use super::*;

    #[test]
    fn ids_are_valid_unique_sorted_and_start_with_their_magic() {
        let ids: Vec<&str> = ALL.iter().map(|rule| rule.id).collect();
        assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
        for rule in ALL {
            assert!(rule.id.parse::<RuleId>().is_ok(), "{}", rule.id);
            assert!(rule.id.starts_with(&format!("{}/", rule.magic)), "{}", rule.id);
        }
    }

    #[test]
    fn every_rule_is_documented_under_the_same_headings() {
        for rule in catalogue().rules {
            let headings: Vec<&str> = rule.doc.lines().filter(|line| line.starts_with("## ")).collect();
            assert_eq!(
                headings,
                ["## What it finds", "## Why it matters", "## Example", "## How to fix"],
                "{}",
                rule.id
            );
        }
    }

    #[test]
    fn thresholds_begin_within_their_range_and_share_no_name_with_a_setting() {
        for rule in ALL {
            let names: Vec<&str> = rule.thresholds.iter().map(|threshold| threshold.name).collect();
            assert!(names.is_sorted_by(|a, b| a < b), "{}: {names:?}", rule.id);
            for threshold in rule.thresholds {
                assert!((threshold.min..=threshold.max).contains(&threshold.default), "{}", threshold.name);
                assert!(!["enabled", "severity"].contains(&threshold.name), "{}", threshold.name);
            }
        }
    }

    #[test]
    fn presets_name_rules_and_thresholds_that_there_are() {
        for preset in Preset::ALL {
            let (config, problems) = read(preset.text(), &CATALOGUE);
            assert!(problems.is_empty(), "{preset:?}: {problems:?}");
            assert_ne!(config, RepositoryConfig::default(), "{preset:?}");
        }
    }

    #[test]
    fn a_magic_reads_what_its_rules_check() {
        let mut reads = BTreeMap::<Magic, BTreeSet<Input>>::new();
        for rule in ALL {
            reads.entry(rule.magic).or_default().insert(rule.check.input());
        }
        for (magic, inputs) in reads {
            assert_eq!(magic.inputs().iter().copied().collect::<BTreeSet<_>>(), inputs, "{magic}");
        }
    }
}
