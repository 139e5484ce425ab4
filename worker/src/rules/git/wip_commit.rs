//! Unfinished work on the default branch.

use schemas::bundle::CommitFacts;
use schemas::severity::Severity;

use crate::rules::{Check, Findings, Hit, Place, rule};

rule!(
    /// ## What it finds
    /// Commits that call themselves unfinished and reached the default branch: `WIP` or `TEMP` as the first word, `fixup!`,
    /// `squash!` and `amend!`. Inside a subject the words mean something else, and on a branch of one's own they are fine.
    ///
    /// ## Why it matters
    /// The author planned to tidy up before the merge. Now the history holds steps that do not build, and searches for the
    /// commit that broke something stop there.
    ///
    /// ## Example
    /// ```text
    /// WIP: new parser
    /// ```
    ///
    /// ## How to fix
    /// Squash before merging (`git rebase -i --autosquash`), or let the forge squash; what is on the branch stays.
    "git/wip-commit", Git, Medium, version: 1, Check::Commit(check)
);

fn check(commit: &CommitFacts, found: &mut Findings<'_>) {
    if !commit.on_default_branch || !is_unfinished(commit.subject.trim()) {
        return;
    }
    found.push(Hit {
        place: Place::of_commit(commit),
        severity: Severity::Medium,
        confidence_permille: 950,
        message: "unfinished commit on the default branch".to_owned(),
        suggestion: "squash before merging, or let the forge squash",
    });
}

fn is_unfinished(subject: &str) -> bool {
    if ["fixup! ", "squash! ", "amend! "].iter().any(|start| subject.starts_with(start)) {
        return true;
    }
    let opened = subject.trim_start_matches(['[', '(', '*', '#']);
    let end = opened.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(opened.len());
    let (word, rest) = opened.split_at(end);
    let is_marked = opened.len() < subject.len() || rest.is_empty() || rest.starts_with([':', '!', ']', ')']);
    // `Temp files are removed` is a sentence, and so is `WIP-pool is drained`.
    match word.to_ascii_uppercase().as_str() {
        "WIP" => is_marked || rest.starts_with(' '),
        "TEMP" | "TMP" => is_marked || (word == "TEMP" && rest.starts_with(' ')),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::rules::testing::{commit, commit_findings};
    use schemas::severity::Severity::Medium;

    #[test]
    fn unfinished_commits_are_found() {
        for subject in [
            "WIP",
            "wip: parser",
            "[WIP] parser",
            "WIP parser",
            "TEMP",
            "temp: log more",
            "TEMP log",
            "fixup! parser",
            "squash! a",
        ] {
            let found: Vec<_> = commit_findings(&RULE, &commit(subject)).iter().map(|one| one.severity).collect();
            assert_eq!(found, [Medium], "{subject}");
        }
    }

    #[test]
    fn words_inside_a_subject_mean_something_else() {
        for subject in [
            "Show WIP limits on the board",
            "Temp files are removed",
            "Temperature in Kelvin",
            "Wipe the disk",
            "WIP-pool drains",
        ] {
            assert_eq!(commit_findings(&RULE, &commit(subject)), [], "{subject}");
        }
    }

    #[test]
    fn a_branch_of_ones_own_may_be_unfinished() {
        let mut own = commit("WIP: parser");
        own.on_default_branch = false;
        assert_eq!(commit_findings(&RULE, &own), []);
    }
}
