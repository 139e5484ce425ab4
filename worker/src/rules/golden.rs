//! What people see of every rule, as a whole: place, severity, confidence, message, snippet and suggestion of each finding in
//! one small repository, compared with what was seen and agreed on. After a change that is meant, run the tests with
//! `UPDATE_EXPECT=1` and read the difference.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use expect_test::expect_file;
use schemas::bundle::CommitFacts;
use schemas::finding::{Finding, Location};

use super::testing::{change, commit, commit_findings, findings, tree, tree_findings};
use super::{ALL, Check, Rule};
use crate::secrets::samples;

/// Findings of one rule that are shown whole: more of a kind tell nobody more.
const SHOWN_MAX: usize = 4;

/// Opens a file of the repository: its path, then ` <==`.
const OPENING: &str = "==> ";

/// The files, path and text; `{{token}}` stands for a made-up one and `{{9 times}}LINE` for as many lines.
fn files() -> Vec<(String, String)> {
    let token = samples::drawn().remove(0).token;
    let text = include_str!("golden/repository.txt").replace("{{token}}", &token);
    let file = |section: &str| {
        let (path, text) = section.split_once(" <==\n").expect("a path ends with ` <==`");
        (path.to_owned(), text.lines().map(repeated).collect())
    };
    format!("\n{text}").split(&format!("\n{OPENING}")).skip(1).map(file).collect()
}

/// One line, or as many as it asks for, each with its end and its number for `{{n}}`.
fn repeated(line: &str) -> String {
    let asked = line.strip_prefix("{{").and_then(|line| line.split_once(" times}}"));
    let (count, line) = asked.map_or((1, line), |(count, line)| (count.parse().expect("a number"), line));
    (0..count).map(|number: usize| format!("{}\n", line.replace("{{n}}", &number.to_string()))).collect()
}

/// Commits that rules find something in.
fn commits() -> Vec<CommitFacts> {
    let large = CommitFacts { changes: vec![change("src/shop.rs", 5_000)], ..commit("Add the whole shop at once") };
    vec![commit("fix"), commit("WIP: add the cart"), large]
}

fn of(rule: &Rule, files: &[(String, String)]) -> Vec<Finding> {
    match rule.check {
        Check::Commit(_) => commits().iter().flat_map(|commit| commit_findings(rule, commit)).collect(),
        Check::Tree { .. } => {
            let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect();
            tree_findings(rule, &tree(rule, &files))
        }
        _ => files.iter().flat_map(|(path, text)| findings(rule, path, text)).collect(),
    }
}

fn shown(finding: &Finding) -> String {
    let place = match &finding.location {
        Location::File { path, line, column, end_line, end_column } => {
            format!("{path}:{line}:{column} to {end_line}:{end_column}")
        }
        Location::Commit { .. } => "commit".to_owned(),
    };
    let Finding { rule, severity, confidence_permille, message, snippet, suggestion, .. } = finding;
    format!("{rule} {severity} {confidence_permille} {place}\n  {message}\n  | {snippet}\n  {suggestion}\n")
}

#[test]
fn every_rule_shows_what_it_was_agreed_to_show() {
    let files = files();
    let (mut all, mut silent) = (String::new(), BTreeSet::new());
    for rule in ALL {
        let found = of(rule, &files);
        if found.is_empty() {
            silent.insert(rule.id);
        }
        for finding in found.iter().take(SHOWN_MAX) {
            writeln!(all, "{}", shown(finding)).expect("a text takes everything");
        }
        if let Some(more @ 1..) = found.len().checked_sub(SHOWN_MAX) {
            writeln!(all, "{} and {more} more\n", rule.id).expect("a text takes everything");
        }
    }
    assert_eq!(silent, BTreeSet::new(), "the repository has something for every rule");
    expect_file!["golden/findings.txt"].assert_eq(&all);
}
