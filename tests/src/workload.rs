//! Work for many tasks whose outcome is known beforehand: small repositories, rewritten with every commit.
//!
//! Every file is a shard of its own, so a push of a hundred files is two hundred tasks and more, and each goes the whole
//! way: webhook, mirror, bundle, queue, worker, merge. What must be found is known twice: the generator knows which
//! marker it planted where, and `elder audit` finds it without any queue or record, with the fingerprints.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use schemas::finding::{Finding, Location};
use serde::Deserialize;

use crate::elder;
use crate::github::Push;
use crate::repository::FixtureRepository;

/// A finding as it must stand in the record: rule, severity, path or commit, line (0 for a commit), fingerprint.
pub type Found = (String, String, String, i32, String);

/// The same without its fingerprint.
type Planted = (&'static str, &'static str, String, i32);

/// One repository that many projects have as theirs.
#[derive(Debug)]
pub struct Model {
    folder: PathBuf,
    versions: Vec<Arc<Version>>,
}

/// One commit and what an audit of it must find.
#[derive(Debug)]
pub struct Version {
    /// The commit.
    pub commit: String,
    /// Sorted.
    pub expected: Vec<Found>,
}

#[derive(Deserialize)]
struct Offline {
    findings: Vec<Finding>,
}

impl Model {
    /// Builds the repository in `folder`: `versions` commits that rewrite each of `files` files.
    pub fn build(folder: &Path, number: usize, versions: usize, files: usize) -> Self {
        let mut repository = FixtureRepository::new(folder);
        let mut commits: Vec<Planted> = Vec::new();
        let mut built = Vec::new();
        for version in 0..versions {
            let mut planted = Vec::new();
            for file in 0..files {
                let (path, content, marks) = source(number, version, file);
                repository.file(&path, content);
                planted.extend(marks.iter().map(|&(rule, severity, line)| (rule, severity, path.clone(), line)));
            }
            let is_wip = version % 3 == 2;
            let commit = repository.commit(if is_wip { "wip" } else { "Revise every page of the shop" });
            if is_wip {
                commits.push(("git/commit-subject", "low", commit.clone(), 0));
                commits.push(("git/wip-commit", "medium", commit.clone(), 0));
            }
            planted.extend(commits.iter().cloned());
            built.push((commit, planted));
        }
        let with_oracle = |(commit, planted): (String, Vec<Planted>)| {
            let expected = offline(folder, &commit);
            assert_planted(planted, &expected);
            Arc::new(Version { commit, expected })
        };
        Self { folder: folder.to_owned(), versions: built.into_iter().map(with_oracle).collect() }
    }

    /// Its versions, oldest first.
    pub fn versions(&self) -> &[Arc<Version>] {
        &self.versions
    }

    /// Another address of the same repository, in `folder`, for one more project.
    pub fn another(&self, folder: &Path, slug: &str) -> String {
        let link = folder.join(format!("{slug}.git"));
        std::os::unix::fs::symlink(&self.folder, &link).unwrap_or_else(|error| panic!("{}: {error}", link.display()));
        format!("file://{}", link.display())
    }
}

impl Version {
    /// A push of it to a branch of its own, so that no push makes another one superfluous.
    pub fn push(&self, number: usize) -> Push {
        Push::new("shop/shop", "https://example.org/shop/shop.git", &format!("work-{number}"), &self.commit)
    }
}

/// Path, content and markers (rule, severity, line) of one file of one version.
fn source(model: usize, version: usize, file: usize) -> (String, String, &'static [(&'static str, &'static str, i32)]) {
    let mark = format!("{model}-{version}-{file}");
    match file % 5 {
        0 => (
            format!("src/page_{file}.rs"),
            format!("// TODO: revise {mark}\npub fn page() -> &'static str {{\n    \"{mark}\"\n}}\n"),
            &[("integrity/todo-marker", "low", 1)],
        ),
        1 => (
            format!("tests/test_page_{file}.py"),
            format!(
                "from shop import page\n\n\ndef test_page():\n    page(\"{mark}\")\n\n\ndef test_kept():\n    assert page(\"{mark}\")\n"
            ),
            &[("tdd/assertion-free-test", "low", 4)],
        ),
        2 => (
            format!("web/page_{file}.test.ts"),
            format!("it.only('shows {mark}', () => {{\n  expect(page()).toBe('{mark}');\n}});\n"),
            &[("tdd/focused-test", "high", 1)],
        ),
        3 => (
            format!("shop/page_{file}.go"),
            format!("package shop\n\nfunc Page{file}() string {{\n\treturn \"{mark}\"\n}}\n"),
            &[],
        ),
        _ => (format!("web/page_{file}.js"), format!("export const page = () => '{mark}';\n"), &[]),
    }
}

/// What `elder audit` finds, without a queue, a record or another process.
fn offline(folder: &Path, commit: &str) -> Vec<Found> {
    let mut command = Command::new(elder::program());
    command.args(["audit", "--format", "json", "--revision", commit]).arg(folder);
    command.stdin(Stdio::null()).stderr(Stdio::inherit()).env_remove("FAILPOINTS");
    let output = command.output().expect("elder can be started");
    let offline: Offline = serde_json::from_slice(&output.stdout).expect("elder audit prints JSON");
    let mut found: Vec<Found> = offline.findings.iter().map(found).collect();
    found.sort();
    found
}

fn found(finding: &Finding) -> Found {
    let (place, line) = match &finding.location {
        Location::File { path, line, .. } => (path.clone(), i32::try_from(*line).unwrap_or(i32::MAX)),
        Location::Commit { sha } => (sha.to_string(), 0),
    };
    (finding.rule.to_string(), finding.severity.to_string(), place, line, finding.fingerprint.clone())
}

fn assert_planted(mut planted: Vec<Planted>, expected: &[Found]) {
    planted.sort();
    let found = expected.iter().map(|(rule, severity, place, line, _)| (&**rule, &**severity, place.clone(), *line));
    assert_eq!(found.collect::<Vec<_>>(), planted, "what was planted and what elder audit finds");
}
