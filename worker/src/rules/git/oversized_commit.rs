//! Commits too large to review.

use schemas::bundle::CommitFacts;
use schemas::severity::Severity;

use crate::paths;
use crate::rules::{Check, Findings, Hit, Place, Threshold, rule};

rule!(
    /// ## What it finds
    /// Commits by people with more than 1,000 changed lines or more than 50 changed files. Renames, lock files, generated
    /// and vendored files do not count; first commits, reverts, imports and commits that only format are left alone.
    ///
    /// ## Why it matters
    /// Nobody reads a thousand lines with care. What is wrong in them is found later, and cannot be reverted alone.
    ///
    /// ## Example
    /// ```text
    /// Rework everything    (212 files, 9,841 lines)
    /// ```
    ///
    /// ## How to fix
    /// Split by intent: first the moves, then the change of behaviour, then the clean-up.
    "git/oversized-commit", Git, Medium, version: 1,
    thresholds: &[&FILES_MAX, &LINES_MAX], Check::Commit(check)
);

/// Most changed lines: what a reviewer can follow in a sitting.
const LINES_MAX: Threshold =
    Threshold { name: "lines_max", default: 1_000, min: 1, max: 1_000_000, doc: "most changed lines of a commit" };

/// Most changed files.
const FILES_MAX: Threshold =
    Threshold { name: "files_max", default: 50, min: 1, max: 100_000, doc: "most changed files of a commit" };

/// Words of subjects of commits that a program made, or that bring in what others made.
const MECHANICAL: &[&str] = &[
    "autoformat",
    "black",
    "clang-format",
    "eslint",
    "fmt",
    "format",
    "formatter",
    "formatting",
    "gofmt",
    "import",
    "prettier",
    "reformat",
    "rustfmt",
    "vendor",
    "vendored",
    "vendoring",
];

fn check(commit: &CommitFacts, found: &mut Findings<'_>) {
    if commit.parents == 0 || is_mechanical(&commit.subject) {
        return;
    }
    let counted = || commit.changes.iter().filter(|change| !change.renamed && !paths::is_foreign(&change.path));
    let files = counted().count();
    let lines: u64 = counted().map(|change| u64::from(change.added) + u64::from(change.removed)).sum();
    if files as u64 <= found.threshold(&FILES_MAX) && lines <= found.threshold(&LINES_MAX) {
        return;
    }
    found.push(Hit {
        place: Place::of_commit(commit),
        severity: Severity::Medium,
        confidence_permille: 900,
        message: format!("commit changes {lines} lines in {files} files"),
        suggestion: "split by intent: moves, change of behaviour, clean-up",
    });
}

/// Whether the subject says that this is a revert, an import, or the work of a formatter. Only its start says so:
/// `Format dates in the local zone` is a change like any other when it goes on.
fn is_mechanical(subject: &str) -> bool {
    let subject = subject.trim().to_lowercase();
    let mut words = subject.split(|c: char| !c.is_alphanumeric() && c != '-').filter(|word| !word.is_empty());
    subject.starts_with("revert") || subject.starts_with("initial ") || words.any(|word| MECHANICAL.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::rules::testing::{change, commit, commit_findings};
    use schemas::bundle::{CommitFacts, FileChange};

    fn with(changes: Vec<FileChange>) -> CommitFacts {
        CommitFacts { changes, ..commit("Rework everything") }
    }

    fn many(count: usize) -> Vec<FileChange> {
        (0..count).map(|index| change(&format!("src/{index}.rs"), 1)).collect()
    }

    fn count(commit: &CommitFacts) -> usize {
        commit_findings(&RULE, commit).len()
    }

    #[test]
    fn too_many_lines_or_files_are_found_and_counted() {
        let removed = FileChange { removed: 600, ..change("a.rs", 401) };
        assert_eq!(commit_findings(&RULE, &with(vec![removed]))[0].message, "commit changes 1001 lines in 1 files");
        assert_eq!(commit_findings(&RULE, &with(many(51)))[0].message, "commit changes 51 lines in 51 files");
    }

    #[test]
    fn the_limits_themselves_are_fine() {
        assert_eq!(count(&with(vec![change("a.rs", 1_000)])), 0);
        assert_eq!(count(&with(many(50))), 0);
    }

    #[test]
    fn what_nobody_wrote_does_not_count() {
        for path in ["Cargo.lock", "web/node_modules/a.js", "api/v1.pb.go", "vendor/a.go", "app.min.js"] {
            assert_eq!(count(&with(vec![change(path, 5_000)])), 0, "{path}");
        }
        assert_eq!(count(&with(vec![FileChange { renamed: true, ..change("a.rs", 5_000) }])), 0);
    }

    #[test]
    fn first_and_mechanical_commits_are_left_alone() {
        let large = with(vec![change("a.rs", 5_000)]);
        assert_eq!(count(&CommitFacts { parents: 0, ..large.clone() }), 0);
        for subject in
            ["Revert \"Rework everything\"", "cargo fmt", "style: reformat with prettier", "Import the old parser"]
        {
            assert_eq!(count(&CommitFacts { subject: subject.into(), ..large.clone() }), 0, "{subject}");
        }
        assert_eq!(count(&CommitFacts { subject: "Information for everyone".into(), ..large }), 1);
    }
}
