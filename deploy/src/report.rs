//! A verdict as people read it.

use schemas::finding::Finding;
use schemas::severity::Severity;
use schemas::verdict::{MagicVerdict, Verdict};

/// The verdict as a table, then the worst findings, at most `findings_max`.
pub fn text(verdict: &Verdict, findings: &[Finding], findings_max: usize) -> String {
    let mut out = String::new();
    let score = verdict.score.map_or("no score".to_owned(), |score| format!("{score:.2}"));
    let grade = verdict.grade.as_deref().map_or(String::new(), |grade| format!(", {grade}"));
    let partial = if verdict.partial { ", partial: not everything could be examined" } else { "" };
    line(&mut out, format_args!("Verdict: {}  {score}{grade}{partial}\n", verdict.status.as_str().to_uppercase()));
    line(
        &mut out,
        format_args!(
            "  {:<10} {:<14} {:>7}  {:>8} {:>6} {:>6} {:>6} {:>6}   {}",
            "magic", "status", "score", "critical", "high", "medium", "low", "info", "examined"
        ),
    );
    for (magic, row) in &verdict.magics {
        let score = row.score.map_or("-".to_owned(), |score| format!("{score:.2}"));
        let count = |severity| row.findings.get(&severity).copied().unwrap_or(0);
        let [critical, high, medium, low, info] = Severity::WORST_FIRST.map(count);
        line(
            &mut out,
            format_args!(
                "  {magic:<10} {:<14} {score:>7}  {critical:>8} {high:>6} {medium:>6} {low:>6} {info:>6}   {}",
                row.status.as_str(),
                examined(row)
            ),
        );
    }
    out.push('\n');
    append_findings(&mut out, findings, findings_max, verdict.findings.values().sum());
    append_skipped(&mut out, verdict);
    out
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.push_str(&text.to_string());
    out.push('\n');
}

fn examined(row: &MagicVerdict) -> String {
    let units = row.tally.units;
    let counts = [(units.files, "files"), (units.lines, "lines"), (units.tests, "tests"), (units.commits, "commits")];
    let counts = counts.iter().filter(|(count, _)| *count > 0).map(|(count, name)| format!("{count} {name}"));
    let mut text = counts.collect::<Vec<_>>().join(", ");
    if let Some(reason) = &row.reason {
        text = if text.is_empty() { reason.clone() } else { format!("{text}; {reason}") };
    }
    text
}

fn append_findings(out: &mut String, findings: &[Finding], findings_max: usize, total: u64) {
    if findings.is_empty() {
        out.push_str("No findings.\n");
        return;
    }
    let shown = findings.len().min(findings_max);
    line(out, format_args!("Worst findings ({shown} of {total}):"));
    for finding in &findings[..shown] {
        let (severity, place) = (finding.severity, printable(&finding.location.display()));
        line(out, format_args!("  {severity:<8}  {place}  {}  {}", finding.rule, printable(&finding.message)));
    }
}

/// Text from a repository, safe for a terminal: a file name may hold escape sequences.
fn printable(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

/// What was left out, once per reason: the most of any magic.
fn append_skipped(out: &mut String, verdict: &Verdict) {
    let mut reasons = std::collections::BTreeMap::new();
    for (reason, skipped) in verdict.magics.values().flat_map(|row| &row.tally.skipped) {
        let most: &mut u64 = reasons.entry(reason.as_str()).or_default();
        *most = skipped.count.max(*most);
    }
    let mut allowed = std::collections::BTreeMap::new();
    for (rule, count) in verdict.magics.values().flat_map(|row| &row.tally.suppressed) {
        *allowed.entry(rule.as_str()).or_default() += *count;
    }
    if !allowed.is_empty() {
        let allowed: Vec<String> =
            allowed.iter().map(|(rule, count): (&&str, &u64)| format!("{rule} {count}")).collect();
        line(out, format_args!("\nAllowed by comments: {}.", allowed.join(", ")));
    }
    if !reasons.is_empty() {
        let reasons: Vec<String> = reasons.iter().map(|(reason, count)| format!("{reason} {count}")).collect();
        line(out, format_args!("\nNot examined: {}.", reasons.join(", ")));
    }
    for row in verdict.magics.values() {
        for reason in &row.tally.failures.examples {
            line(out, format_args!("Failed: {}", printable(reason)));
        }
    }
}
