//! The merge law: what a set of results adds up to, whatever the order in which they came.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ids::RuleId;
use crate::item::{Item, ItemResult, SkipReason, Units};
use crate::partial::PartialResult;
use crate::severity::Severity;

/// Examples kept per reason: enough to see what is meant.
pub const EXAMPLES_MAX: usize = 5;

/// Longest example kept, in characters: a path is at most 4,096 bytes, and five of those per reason are too many to read.
const EXAMPLE_CHARS_MAX: usize = 160;

/// What a set of results adds up to. [`Tally::merge`] is commutative and associative; duplicates are kept out by the
/// primary key of a result, before anything is added.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Tally {
    /// How much was examined.
    pub units: Units,
    /// Per rule and severity: what was found.
    pub rules: BTreeMap<RuleId, BTreeMap<Severity, Weighed>>,
    /// Rules whose findings are of commits: these are measured by commits, all others by lines.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub history_rules: BTreeSet<RuleId>,
    /// Per rule: findings that a comment allows. They cost nothing.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub suppressed: BTreeMap<RuleId, u64>,
    /// Per reason: what was not examined.
    pub skipped: BTreeMap<SkipReason, Skipped>,
    /// Shards that could not be examined at all, with the reasons.
    pub failures: Skipped,
    /// Notes on results, e.g. files that were not UTF-8.
    pub notes: Skipped,
}

/// Findings of one rule at one severity.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Weighed {
    /// How many.
    pub findings: u64,
    /// Sum of their confidence in permille.
    pub confidence_permille: u64,
}

/// How many were skipped, with the alphabetically first few.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Skipped {
    /// How many.
    pub count: u64,
    /// At most [`EXAMPLES_MAX`] of them, so that people see what is meant.
    pub examples: BTreeSet<String>,
}

impl Skipped {
    fn add(&mut self, count: u64, examples: impl IntoIterator<Item = String>) {
        self.count += count;
        self.examples.extend(examples.into_iter().map(|text| text.chars().take(EXAMPLE_CHARS_MAX).collect()));
        while self.examples.len() > EXAMPLES_MAX {
            self.examples.pop_last();
        }
    }
}

impl Tally {
    /// What one partial result adds up to.
    pub fn of(partial: &PartialResult) -> Self {
        let mut tally = Self::default();
        for item in &partial.items {
            tally.add_item(item);
        }
        if let Some(reason) = &partial.failure {
            tally.failures.add(1, [reason.clone()]);
        }
        tally
    }

    fn add_item(&mut self, result: &ItemResult) {
        let name = result.item.name();
        if let Some(reason) = result.skipped {
            self.skipped.entry(reason).or_default().add(1, [name.to_owned()]);
            // Why a hole is there is worth knowing; what was never the audit's business needs no reason.
            let is_told = reason.is_a_hole() || reason == SkipReason::FactsMissing;
            for note in result.notes.iter().filter(|_| is_told) {
                self.notes.add(1, [format!("{name}: {note}")]);
            }
            return;
        }
        self.units.add(result.units);
        for note in &result.notes {
            self.notes.add(1, [format!("{name}: {note}")]);
        }
        self.add_suppressed(&result.suppressed);
        for finding in &result.findings {
            let by_severity = self.rules.entry(finding.rule.clone()).or_default();
            let weighed = by_severity.entry(finding.severity).or_default();
            weighed.findings += 1;
            weighed.confidence_permille += u64::from(finding.confidence_permille);
            if matches!(result.item, Item::Commit { .. }) {
                self.history_rules.insert(finding.rule.clone());
            }
        }
    }

    fn add_suppressed(&mut self, suppressed: &BTreeMap<RuleId, u64>) {
        for (rule, count) in suppressed {
            *self.suppressed.entry(rule.clone()).or_default() += count;
        }
    }

    /// Adds what `other` adds up to.
    pub fn merge(&mut self, other: Self) {
        self.units.add(other.units);
        for (rule, severities) in other.rules {
            let mine = self.rules.entry(rule).or_default();
            for (severity, weighed) in severities {
                let sum = mine.entry(severity).or_default();
                sum.findings += weighed.findings;
                sum.confidence_permille += weighed.confidence_permille;
            }
        }
        self.history_rules.extend(other.history_rules);
        self.add_suppressed(&other.suppressed);
        for (reason, skipped) in other.skipped {
            self.skipped.entry(reason).or_default().add(skipped.count, skipped.examples);
        }
        self.failures.add(other.failures.count, other.failures.examples);
        self.notes.add(other.notes.count, other.notes.examples);
    }

    /// Findings per severity, over all rules.
    pub fn by_severity(&self) -> BTreeMap<Severity, u64> {
        let mut counts = BTreeMap::new();
        for (severity, weighed) in self.rules.values().flatten() {
            *counts.entry(*severity).or_default() += weighed.findings;
        }
        counts
    }

    /// Whether something that should have been examined was not.
    pub fn has_holes(&self) -> bool {
        self.failures.count > 0 || self.skipped.keys().any(|reason| reason.is_a_hole())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::{Finding, Location};
    use proptest::prelude::*;

    fn item(number: u8) -> ItemResult {
        let path = format!("src/{number}.rs");
        let object = format!("{number:040x}").parse().unwrap();
        let item = match number % 3 {
            0 => Item::Commit { sha: object, on_default_branch: true },
            _ => Item::File { path: path.clone(), blob: object },
        };
        if number.is_multiple_of(5) {
            return ItemResult::skipped(
                item,
                if number.is_multiple_of(2) { SkipReason::Binary } else { SkipReason::ParseBudget },
            );
        }
        let severity = Severity::WORST_FIRST[usize::from(number) % 5];
        let finding = Finding {
            rule: format!("integrity/{}", ["a", "b", "c"][usize::from(number) % 3]).parse().unwrap(),
            severity,
            confidence_permille: 10 * u16::from(number),
            location: Location::File { path, line: 1, column: 1, end_line: 1, end_column: 2 },
            snippet: String::new(),
            message: String::new(),
            suggestion: String::new(),
            fingerprint: String::new(),
            content_fingerprint: String::new(),
        };
        let units = Units { files: 1, lines: u64::from(number), ..Units::default() };
        let suppressed = BTreeMap::from([(finding.rule.clone(), u64::from(number))]);
        let (findings, notes) = (vec![finding], vec![format!("note {number}")]);
        ItemResult { findings, notes, suppressed, ..ItemResult::examined(item, units) }
    }

    fn partial(numbers: &[u8]) -> PartialResult {
        PartialResult { items: numbers.iter().map(|number| item(*number)).collect(), ..PartialResult::default() }
    }

    proptest! {
        /// However the items are cut into shards and in whatever order the shards arrive, they add up to the same.
        #[test]
        fn cuts_and_order_do_not_matter(numbers in prop::collection::vec(0..100_u8, 0..60), cuts in 1..17_usize, seed: u64) {
            let whole = Tally::of(&partial(&numbers));
            let mut shards: Vec<&[u8]> = numbers.chunks(numbers.len().div_ceil(cuts).max(1)).collect();
            let turns = usize::try_from(seed % 17).unwrap() % shards.len().max(1);
            shards.rotate_left(turns);
            shards.reverse();
            let mut sum = Tally::default();
            for shard in shards {
                sum.merge(Tally::of(&partial(shard)));
            }
            prop_assert_eq!(sum, whole);
        }
    }

    #[test]
    fn rules_that_spoke_of_commits_are_known() {
        assert_eq!(Tally::of(&partial(&[1, 2, 3, 4])).history_rules, ["integrity/a".parse().unwrap()].into());
    }

    #[test]
    fn a_shard_that_failed_and_a_file_over_budget_are_holes_and_a_binary_file_is_not() {
        assert!(Tally::of(&PartialResult::failed(crate::retry::ErrorClass::Analyzer, "gone")).has_holes());
        assert!(Tally::of(&partial(&[5])).has_holes());
        assert!(!Tally::of(&partial(&[10])).has_holes());
    }
}
