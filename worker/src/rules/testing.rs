//! Ways to run one rule over a piece of text, for the tables of tests beside the rules.

use schemas::bundle::{CommitFacts, FileChange, SourceFile};
use schemas::day::Day;
use schemas::facts::{FileFacts, Tree};
use schemas::finding::Finding;
use schemas::repository_config::RuleSettings;
use schemas::severity::Severity;

use super::{Check, Findings, Rule, Told};
use crate::pass;

/// A file in memory.
pub(crate) fn file(path: &str, text: impl Into<Vec<u8>>) -> SourceFile {
    SourceFile { path: path.to_owned(), blob: "0".repeat(40).parse().unwrap(), bytes: text.into() }
}

/// What `rule` finds in `text`.
pub(crate) fn findings(rule: &Rule, path: &str, text: &str) -> Vec<Finding> {
    findings_on(rule, path, text, None)
}

/// The same on a day.
pub(crate) fn findings_on(rule: &Rule, path: &str, text: &str, day: Option<Day>) -> Vec<Finding> {
    let mut found = Findings::new(rule);
    look(rule, path, text, day, &mut found);
    found.finish().0
}

fn look(rule: &Rule, path: &str, text: &str, day: Option<Day>, found: &mut Findings<'_>) {
    let source = file(path, text);
    let file = pass::read(&source, day).unwrap();
    match (rule.check, &file.automation) {
        (Check::Text(check), _) => check(&file, found),
        (Check::Code(check), _) if file.outline.gap.is_none() => check(&file, found),
        (Check::Automation(check), Some(automation)) => check(&file, automation, found),
        (Check::Code(_) | Check::Automation(_), _) => {}
        (Check::Commit(_) | Check::Tree { .. }, _) => panic!("{} reads no single files", rule.id),
    }
}

/// What a rule is tried on.
pub(crate) enum Sample {
    /// A file: its path and its text.
    File(&'static str, String),
    /// A commit.
    Commit(CommitFacts),
    /// A repository: each path with its text.
    Tree(Vec<(&'static str, String)>),
}

/// Severities of what `rule` finds in `sample` where the repository chose a number.
pub(crate) fn under(rule: &Rule, (name, number): (&str, u64), sample: &Sample) -> Vec<Severity> {
    let thresholds = [(name.to_owned(), number)].into_iter().collect();
    let settings = RuleSettings { thresholds, ..RuleSettings::default() };
    let mut found = Findings::under(rule, Some(&settings));
    match (rule.check, sample) {
        (_, Sample::File(path, text)) => look(rule, path, text, None, &mut found),
        (Check::Commit(check), Sample::Commit(commit)) => check(commit, &mut found),
        (Check::Tree { judge, .. }, Sample::Tree(files)) => {
            let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
            judge(&tree(rule, &files), &mut found);
        }
        (_, Sample::Commit(_) | Sample::Tree(_)) => panic!("{} does not read this", rule.id),
    }
    found.finish().0.iter().map(|one| one.severity).collect()
}

/// Checks lines and severities of what `rule` finds in `text`.
#[track_caller]
pub(crate) fn check(rule: &Rule, path: &str, text: &str, expected: &[(u32, Severity)]) {
    let found: Vec<_> = findings(rule, path, text).iter().map(|one| (line(one), one.severity)).collect();
    assert_eq!(found, expected, "{} in {path}:\n{text}", rule.id);
}

/// The line of a finding.
pub(crate) fn line(finding: &Finding) -> u32 {
    match finding.location {
        schemas::finding::Location::File { line, .. } => line,
        schemas::finding::Location::Commit { .. } => 0,
    }
}

/// A repository of these files as `rule` is told of it: each path with its text.
pub(crate) fn tree(rule: &Rule, files: &[(&str, &str)]) -> Tree {
    let Check::Tree { collect, .. } = rule.check else { panic!("{} judges no trees", rule.id) };
    let tell = |(path, text): &(&str, &str)| {
        let source = file(path, *text);
        let mut told = Told::default();
        if let Ok(file) = pass::read(&source, None) {
            collect(&file, &mut told);
        }
        FileFacts { path: (*path).to_owned(), facts: told.facts }
    };
    let (commit, paths) = ("1".repeat(40).parse().unwrap(), files.iter().map(|(path, _)| (*path).to_owned()).collect());
    let mut files: Vec<FileFacts> = files.iter().map(tell).filter(|file| !file.facts.is_empty()).collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Tree { commit, since: None, changed: None, paths, files, gap: None }
}

/// What `rule` finds in a repository.
pub(crate) fn tree_findings(rule: &Rule, tree: &Tree) -> Vec<Finding> {
    let Check::Tree { judge, .. } = rule.check else { panic!("{} judges no trees", rule.id) };
    let mut found = Findings::new(rule);
    judge(tree, &mut found);
    found.finish().0
}

/// Checks paths, lines and severities of what `rule` finds in a repository of these files.
#[track_caller]
pub(crate) fn check_tree(rule: &Rule, files: &[(&str, &str)], expected: &[(&str, u32, Severity)]) {
    let found = tree_findings(rule, &tree(rule, files));
    let places: Vec<_> = found.iter().map(|one| (path(one), line(one), one.severity)).collect();
    assert_eq!(places, expected, "{} in {files:#?}", rule.id);
}

/// The path of a finding.
pub(crate) fn path(finding: &Finding) -> &str {
    match &finding.location {
        schemas::finding::Location::File { path, .. } => path,
        schemas::finding::Location::Commit { .. } => "",
    }
}

/// A commit by hand on the default branch that changes one line.
pub(crate) fn commit(subject: &str) -> CommitFacts {
    let (sha, subject) = ("1".repeat(40).parse().unwrap(), subject.to_owned());
    CommitFacts { sha, subject, parents: 1, by_bot: false, on_default_branch: true, changes: vec![change("a.rs", 1)] }
}

/// A change that adds lines to a file.
pub(crate) fn change(path: &str, added: u32) -> FileChange {
    FileChange { path: path.to_owned(), added, removed: 0, renamed: false }
}

/// What `rule` finds in `commit`.
pub(crate) fn commit_findings(rule: &Rule, commit: &CommitFacts) -> Vec<Finding> {
    let mut found = Findings::new(rule);
    match rule.check {
        Check::Commit(check) => check(commit, &mut found),
        _ => panic!("{} reads files", rule.id),
    }
    found.finish().0
}
