//! From counts to scores: the law by which a tally becomes a verdict.
//!
//! A magic starts at 100 and loses, per rule, `weight(severity) × confidence ÷ size`, at most 25 a rule except for
//! critical findings, which are not capped. `size` is `max(1, √kLOC)` for rules that read files and `max(1, commits ÷ 20)`
//! for rules that read history, so that a large repository is not condemned for being large. A magic that had nothing to
//! judge has no score: absence of evidence is not a mark.

use std::collections::BTreeMap;

use crate::item::Units;
use crate::magic::{Input, Magic};
use crate::severity::Severity;
use crate::tally::{Tally, Weighed};
use crate::verdict::{MagicVerdict, Status, Verdict};

/// Most points that one rule can cost a magic, critical findings apart: one noisy rule must not decide everything.
const RULE_CAP: f64 = 25.0;

/// Scores below this fail.
const FAILED_BELOW: f64 = 50.0;

/// Scores below this warn.
const WARNING_BELOW: f64 = 80.0;

/// More findings than this at a severity warn, whatever the score.
const WARNING_OVER: [(Severity, u64); 3] = [(Severity::High, 3), (Severity::Medium, 10), (Severity::Low, 50)];

/// Commits that count as one unit of history.
const COMMITS_PER_UNIT: f64 = 20.0;

/// The formula, published with every verdict.
pub const FORMULA: &str = "magic = 100 - sum over rules of min(25, sum of weight x confidence / size), critical uncapped; \
     weights critical 50, high 20, medium 5, low 1, info 0; size = max(1, sqrt(kLOC)) for files, max(1, commits / 20) for history; \
     overall = categories integrity 40, process (flow, git) 25, quality (tdd, servant) 20, collaboration (sages) 15, \
     renormalised over those that apply";

/// A category, with its share of the overall score and its magics.
const CATEGORIES: [(f64, &[Magic]); 4] = [
    (40.0, &[Magic::Integrity]),
    (25.0, &[Magic::Flow, Magic::Git]),
    (20.0, &[Magic::Tdd, Magic::Servant]),
    (15.0, &[Magic::Sages]),
];

/// The verdict over the tallies of the magics that were asked for.
pub fn judge(tallies: BTreeMap<Magic, Tally>) -> Verdict {
    let magics: BTreeMap<_, _> = tallies.into_iter().map(|(magic, tally)| (magic, judge_magic(magic, tally))).collect();
    let score = overall(&magics);
    let worst = magics.values().map(|verdict| verdict.status).max().unwrap_or(Status::NotApplicable);
    let status = if score.is_some_and(|score| score < FAILED_BELOW) { Status::Failed } else { worst };
    let mut findings = BTreeMap::new();
    let mut units = Units::default();
    for verdict in magics.values() {
        for (severity, count) in &verdict.findings {
            *findings.entry(*severity).or_default() += count;
        }
        let seen = verdict.tally.units;
        units.files = units.files.max(seen.files);
        units.lines = units.lines.max(seen.lines);
        units.functions = units.functions.max(seen.functions);
        units.tests = units.tests.max(seen.tests);
        units.commits = units.commits.max(seen.commits);
    }
    let partial = magics.values().any(|verdict| verdict.tally.has_holes());
    let grade = score.map(|score| grade(score).to_owned());
    Verdict { status, score, grade, partial, magics, findings, units, formula: FORMULA.to_owned() }
}

/// The name of a score.
fn grade(score: f64) -> &'static str {
    match score {
        score if score >= 90.0 => "excellent",
        score if score >= 70.0 => "good",
        score if score >= 50.0 => "fair",
        _ => "poor",
    }
}

fn judge_magic(magic: Magic, tally: Tally) -> MagicVerdict {
    let findings = tally.by_severity();
    if let Some(reason) = not_applicable(magic, &tally) {
        let status = if tally.has_holes() { Status::Warning } else { Status::NotApplicable };
        return MagicVerdict { status, score: None, reason: Some(reason), findings, tally };
    }
    let (by_lines, by_commits) = size_factors(tally.units);
    let size = |rule| if tally.history_rules.contains(rule) { by_commits } else { by_lines };
    let penalty: f64 = tally.rules.iter().map(|(rule, severities)| rule_penalty(severities, size(rule))).sum();
    let score = round(f64::max(0.0, 100.0 - penalty));
    let (status, reason) = status(score, &findings, tally.has_holes());
    MagicVerdict { status, score: Some(score), reason, findings, tally }
}

/// Why a magic has nothing to judge, if it has not.
fn not_applicable(magic: Magic, tally: &Tally) -> Option<String> {
    let units = tally.units;
    let reason = match (magic, magic.inputs()) {
        (Magic::Tdd, _) if units.files == 0 => "no file in a language whose tests are understood",
        (Magic::Tdd, _) if units.tests == 0 => "no test found",
        (_, [Input::Files]) if units.files == 0 => "no file to examine",
        (_, [Input::History]) if units.commits == 0 => "no commit to examine",
        (_, [Input::Results]) => "no rule of this magic is in this build",
        _ if units.files == 0 && units.commits == 0 => "nothing to examine",
        _ => return None,
    };
    Some(if tally.failures.count > 0 { "no shard could be examined".to_owned() } else { reason.to_owned() })
}

/// What findings are divided by: first of rules that read files, then of rules that read history.
#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn size_factors(units: Units) -> (f64, f64) {
    let by_lines = (units.lines as f64 / 1_000.0).sqrt();
    let by_commits = units.commits as f64 / COMMITS_PER_UNIT;
    (f64::max(1.0, by_lines), f64::max(1.0, by_commits))
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
fn rule_penalty(severities: &BTreeMap<Severity, Weighed>, size: f64) -> f64 {
    let (mut critical, mut other) = (0.0, 0.0);
    for (severity, weighed) in severities {
        let points = severity.weight() * (weighed.confidence_permille as f64 / 1_000.0) / size;
        if *severity == Severity::Critical { critical += points } else { other += points }
    }
    critical + f64::min(RULE_CAP, other)
}

fn status(score: f64, findings: &BTreeMap<Severity, u64>, has_holes: bool) -> (Status, Option<String>) {
    let count = |severity| findings.get(&severity).copied().unwrap_or(0);
    if count(Severity::Critical) > 0 {
        return (Status::Failed, Some(format!("{} critical", count(Severity::Critical))));
    }
    if score < FAILED_BELOW {
        return (Status::Failed, Some(format!("score under {FAILED_BELOW}")));
    }
    if has_holes {
        return (Status::Warning, Some("not everything could be examined".to_owned()));
    }
    if score < WARNING_BELOW {
        return (Status::Warning, Some(format!("score under {WARNING_BELOW}")));
    }
    for (severity, limit) in WARNING_OVER {
        if count(severity) > limit {
            return (Status::Warning, Some(format!("more than {limit} {severity}")));
        }
    }
    (Status::Passed, None)
}

fn overall(magics: &BTreeMap<Magic, MagicVerdict>) -> Option<f64> {
    let (mut sum, mut weights) = (0.0, 0.0);
    for (weight, members) in CATEGORIES {
        let scores: Vec<f64> = members.iter().filter_map(|magic| magics.get(magic)?.score).collect();
        if scores.is_empty() {
            continue;
        }
        #[expect(clippy::cast_precision_loss, reason = "at most two magics a category")]
        let mean = scores.iter().sum::<f64>() / scores.len() as f64;
        sum += weight * mean;
        weights += weight;
    }
    (weights > 0.0).then(|| round(sum / weights))
}

/// Two decimals: what people read, and what two runs of the same audit must agree on.
fn round(score: f64) -> f64 {
    (score * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tally::Skipped;
    use proptest::prelude::*;

    /// Rule, severity, how many.
    type Found = (&'static str, Severity, u64);

    fn tally(lines: u64, found: &[Found]) -> Tally {
        let mut tally =
            Tally { units: Units { files: 1, lines, tests: 1, commits: 1, ..Units::default() }, ..Tally::default() };
        for (rule, severity, count) in found {
            let weighed = Weighed { findings: *count, confidence_permille: count * 1_000 };
            tally.rules.entry(rule.parse().unwrap()).or_default().insert(*severity, weighed);
        }
        tally
    }

    fn score_of(magic: Magic, tally: Tally) -> (Status, Option<f64>) {
        let verdict = judge([(magic, tally)].into());
        (verdict.magics[&magic].status, verdict.magics[&magic].score)
    }

    #[test]
    fn penalties_follow_the_published_formula() {
        let cases: [(&[Found], u64, f64, Status); 6] = [
            (&[], 1_000, 100.0, Status::Passed),
            (&[("integrity/a", Severity::Medium, 2)], 1_000, 90.0, Status::Passed),
            // Four thousand lines halve what each finding costs.
            (&[("integrity/a", Severity::Medium, 2)], 4_000, 95.0, Status::Passed),
            // One rule costs at most 25 …
            (&[("integrity/a", Severity::High, 9)], 1_000, 75.0, Status::Warning),
            // … two cost 50 …
            (&[("integrity/a", Severity::High, 9), ("integrity/b", Severity::High, 9)], 1_000, 50.0, Status::Warning),
            // … and critical findings are not capped, and fail whatever the score.
            (&[("integrity/a", Severity::Critical, 1)], 1_000_000, 98.42, Status::Failed),
        ];
        for (found, lines, score, status) in cases {
            assert_eq!(score_of(Magic::Integrity, tally(lines, found)), (status, Some(score)), "{found:?}");
        }
    }

    #[test]
    fn each_rule_is_measured_by_what_it_reads() {
        let mut tally = tally(4_000, &[("flow/a", Severity::High, 1), ("flow/b", Severity::High, 1)]);
        tally.units.commits = 80;
        tally.history_rules.insert("flow/b".parse().unwrap());
        // 20 ÷ √4 for the one that reads files, 20 ÷ (80 ÷ 20) for the one that reads history.
        assert_eq!(score_of(Magic::Flow, tally), (Status::Passed, Some(85.0)));
    }

    #[test]
    fn nothing_to_judge_is_no_score_and_no_failure() {
        assert_eq!(score_of(Magic::Integrity, Tally::default()), (Status::NotApplicable, None));
        let no_tests = Tally { units: Units { files: 3, lines: 9, ..Units::default() }, ..Tally::default() };
        let verdict = judge([(Magic::Tdd, no_tests)].into());
        assert_eq!(verdict.magics[&Magic::Tdd].reason.as_deref(), Some("no test found"));
        assert_eq!((verdict.status, verdict.score), (Status::NotApplicable, None));
    }

    #[test]
    fn what_could_not_be_examined_is_never_a_clean_pass() {
        let failures = Skipped { count: 1, examples: ["worker died".to_owned()].into() };
        let holed = Tally { failures, ..tally(1_000, &[]) };
        assert_eq!(score_of(Magic::Integrity, holed.clone()), (Status::Warning, Some(100.0)));
        assert!(judge([(Magic::Integrity, holed)].into()).partial);
    }

    #[test]
    fn categories_that_do_not_apply_leave_their_weight_to_the_others() {
        let integrity = tally(1_000, &[("integrity/a", Severity::Medium, 4)]);
        let git = tally(1_000, &[("git/a", Severity::Medium, 2)]);
        let verdict = judge([(Magic::Integrity, integrity), (Magic::Git, git), (Magic::Tdd, Tally::default())].into());
        // (40 × 80 + 25 × 90) ÷ 65
        assert_eq!(verdict.score, Some(83.85));
        assert_eq!(verdict.grade.as_deref(), Some("good"));
    }

    proptest! {
        #[test]
        fn scores_stay_in_range_and_more_findings_never_raise_them(
            lines in 0..10_000_000_u64, counts in prop::collection::vec(0..10_000_u64, 5), more in 0..100_u64,
        ) {
            let found = |extra: u64| {
                let found: Vec<_> = Severity::WORST_FIRST.iter().zip(&counts).map(|(s, n)| ("integrity/a", *s, n + extra)).collect();
                score_of(Magic::Integrity, tally(lines, &found)).1.unwrap()
            };
            prop_assert!((0.0..=100.0).contains(&found(0)));
            prop_assert!(found(more) <= found(0));
        }
    }
}
