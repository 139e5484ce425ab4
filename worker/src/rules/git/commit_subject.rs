//! Commit subjects that tell nothing, or too much for one line.

use schemas::bundle::CommitFacts;
use schemas::severity::Severity;

use crate::rules::integrity::todo_marker::is_ticket;
use crate::rules::{Check, Findings, Hit, Place, Threshold, rule};

rule!(
    /// ## What it finds
    /// Subjects that are one vague word, shorter than 10 characters (5 in Chinese, Japanese or Korean), or wider than 72
    /// columns. A ticket in front, such as `ABC-12:`, and a pull request's number behind do not count towards the width.
    ///
    /// Merges, reverts, version numbers, and commits of programs are left alone.
    ///
    /// ## Why it matters
    /// The subject is what people see when they look for the change that broke something. `fix` tells them nothing, and
    /// what is wider than the column is cut.
    ///
    /// ## Example
    /// ```text
    /// fix
    /// ```
    ///
    /// ## How to fix
    /// Say what changes and why it is worth it in one line; the rest belongs in the body.
    "git/commit-subject", Git, Low, version: 2, thresholds: &[&CHARACTERS_MIN, &COLUMNS_MAX], Check::Commit(check)
);

/// Fewest that tell something; in scripts in which a character is a word, half of them do.
const CHARACTERS_MIN: Threshold = Threshold {
    name: "characters_min",
    default: 10,
    min: 0,
    max: 100,
    doc: "fewest characters of a subject; half as many in Chinese, Japanese or Korean",
};

/// What `git log` shows in a terminal of 80 behind its indent.
const COLUMNS_MAX: Threshold =
    Threshold { name: "columns_max", default: 72, min: 20, max: 1_000, doc: "widest subject, in columns" };

/// Words that say that something changed, which every commit does.
const VAGUE: &[&str] = &[
    "adjustments",
    "bugfix",
    "bugfixes",
    "change",
    "changes",
    "cleanup",
    "commit",
    "edit",
    "edits",
    "fix",
    "fixed",
    "fixes",
    "fixup",
    "improve",
    "improvement",
    "improvements",
    "minor",
    "misc",
    "modifications",
    "refactor",
    "refactoring",
    "stuff",
    "temp",
    "test",
    "tests",
    "tmp",
    "tweak",
    "tweaks",
    "typo",
    "update",
    "updated",
    "updates",
    "various",
    "wip",
    "work",
    "修正",
    "変更",
    "更新",
    "対応",
];

fn check(commit: &CommitFacts, found: &mut Findings<'_>) {
    let subject = commit.subject.trim();
    if is_exempt(subject) {
        return;
    }
    let told = without_ticket(subject);
    let widest = found.threshold(&COLUMNS_MAX);
    let message = if is_vague(told) {
        "subject is one vague word".to_owned()
    } else if is_short(told, found.threshold(&CHARACTERS_MIN)) {
        format!("subject has {} characters", told.chars().count())
    } else if columns(told) > widest {
        format!("subject is {} columns wide, more than {widest}", columns(told))
    } else {
        return;
    };
    found.push(Hit {
        place: Place::of_commit(commit),
        severity: Severity::Low,
        confidence_permille: 900,
        message,
        suggestion: "say what changes and why in one line; the rest belongs in the body",
    });
}

/// Reverts quote another subject; a release's subject is its number.
fn is_exempt(subject: &str) -> bool {
    let quotes = ["Revert ", "revert:", "revert(", "Reapply ", "fixup! ", "squash! ", "amend! ", "Merge "];
    let is_version = |word: &str| {
        let number = word.trim_start_matches(['v', 'V']);
        number.contains('.') && number.starts_with(|c: char| c.is_ascii_digit())
    };
    quotes.iter().any(|start| subject.starts_with(start))
        || subject.split_whitespace().any(is_version) && subject.split_whitespace().count() <= 3
}

/// `subject` without `ABC-12:`, `[ABC-12]` or `#12` in front and `(#12)` behind. A subject that is only a ticket stays.
fn without_ticket(subject: &str) -> &str {
    let mut told = subject;
    if let Some((first, rest)) = told.split_once(char::is_whitespace)
        && is_ticket(first.trim_matches(|c: char| "[]():".contains(c)))
    {
        told = rest.trim_start_matches(|c: char| c.is_whitespace() || "-:".contains(c));
    }
    match told.rsplit_once(char::is_whitespace) {
        Some((rest, last)) if last.starts_with("(#") && is_ticket(last.trim_matches(['(', ')'])) => rest.trim_end(),
        _ => told,
    }
}

/// Whether nothing but a vague word stands behind the kind, such as `fix:` or `chore(ci)!:`, or the tag, such as `[ci]`.
fn is_vague(told: &str) -> bool {
    let behind_kind = match told.split_once(':') {
        Some((kind, rest)) if !kind.contains(' ') => rest,
        _ => told,
    };
    let word = behind_kind.trim().trim_end_matches(['.', '!', '…']).to_lowercase();
    VAGUE.contains(&word.as_str())
}

fn is_short(told: &str, plain: u64) -> bool {
    let least = if told.chars().any(is_wide) { plain / 2 } else { plain };
    (told.chars().count() as u64) < least
}

fn columns(text: &str) -> u64 {
    text.chars().map(|c| if is_wide(c) { 2 } else { 1 }).sum()
}

/// Whether a terminal shows `c` over two columns: scripts of East Asia, and pictures.
fn is_wide(c: char) -> bool {
    matches!(u32::from(c), 0x1100..=0x115F | 0x2E80..=0xA4CF | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF | 0xFE30..=0xFE6F
        | 0xFF00..=0xFF60 | 0xFFE0..=0xFFE6 | 0x1F300..=0x1F64F | 0x1F900..=0x1F9FF | 0x20000..=0x3FFFD)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::rules::testing::{commit, commit_findings};

    fn messages(subject: &str) -> Vec<String> {
        commit_findings(&RULE, &commit(subject)).into_iter().map(|one| one.message).collect()
    }

    #[test]
    fn vague_short_and_wide_subjects_are_found() {
        for subject in ["fix", "fix: update", "Improvements.", "chore(ci)!: misc", "ABC-12: changes", "修正"] {
            assert_eq!(messages(subject), ["subject is one vague word"], "{subject}");
        }
        assert_eq!(messages("add foo"), ["subject has 7 characters"]);
        assert_eq!(messages("追加した"), ["subject has 4 characters"]);
        assert_eq!(messages(&"a ".repeat(40)), ["subject is 79 columns wide, more than 72"]);
        assert_eq!(messages(&"あ".repeat(40)), ["subject is 80 columns wide, more than 72"]);
    }

    #[test]
    fn subjects_that_tell_something_are_left_alone() {
        let wide_by_ticket = format!("ABC-1234: {} (#1234)", "a".repeat(70));
        for subject in [
            "Read the clock once",
            "fix: typo in the manual",
            "ログを追加",
            "v1.2.3",
            "release 1.2.3",
            "Revert \"fix\"",
            "0.27.1",
            wide_by_ticket.as_str(),
            "fixup! fix",
            "Update the clock's zone",
        ] {
            assert_eq!(messages(subject), Vec::<String>::new(), "{subject}");
        }
        assert!(messages(&"あ".repeat(36)).is_empty());
    }
}
