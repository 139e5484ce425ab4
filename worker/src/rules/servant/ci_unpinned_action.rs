//! Code of others that a pipeline takes as it is today.

use schemas::severity::Severity;

use crate::automation::Automation;
use crate::outline::Span;
use crate::rules::{Check, File, Findings, Hit, rule};

rule!(
    /// ## What it finds
    /// Actions, workflows and components of others that are named by a branch (medium) or a tag (low) instead of a commit, and
    /// images without a digest in their place. A name that is neither a known branch nor a version counts as a branch, with
    /// less confidence.
    ///
    /// What is in the same repository, actions of the forge itself (`actions/`, `github/`), and lines beside which a comment says
    /// that they cannot be pinned, are left alone.
    ///
    /// ## Why it matters
    /// Branches and tags move. Whoever gets hold of that repository runs code in yours, with your secrets, at the next push.
    ///
    /// ## Example
    /// ```text
    /// - uses: somebody/deploy@main
    /// ```
    ///
    /// ## How to fix
    /// Pin to the commit's full SHA, with the tag in a comment; a bot can keep both up to date:
    /// `uses: somebody/deploy@<40 digits> # v1.2.3`.
    "servant/ci-unpinned-action", Servant, Medium, version: 2, Check::Automation(check)
);

/// Owners of actions that belong to the forge: whoever does not trust these cannot use it at all.
const OFFICIAL_OWNERS: &[&str] = &["actions", "github"];

/// Names of branches.
const BRANCHES: &[&str] = &["HEAD", "dev", "develop", "latest", "main", "master", "next", "trunk", "~latest"];

/// How something of others is named.
enum Named {
    /// By something that its owner moves with every change.
    Branch,
    /// By a version.
    Tag,
    /// By something that may be either.
    Unknown,
}

fn check(file: &File<'_>, automation: &Automation, found: &mut Findings<'_>) {
    let Automation::Pipeline(pipeline) = automation else { return };
    let steps = pipeline.steps().filter_map(|(_, step)| step.uses.as_ref());
    let calls = pipeline.jobs.iter().filter_map(|job| job.calls.as_ref());
    for span in steps.chain(calls).chain(&pipeline.includes) {
        if let Some(named) = unpinned(file.text(span)).filter(|_| !is_explained(file, span)) {
            report(file, span.clone(), &named, found);
        }
    }
}

fn report(file: &File<'_>, span: Span, named: &Named, found: &mut Findings<'_>) {
    if found.is_full() {
        return;
    }
    let (severity, confidence_permille, message) = match named {
        Named::Branch => (Severity::Medium, 900, "code of others is taken from a branch"),
        Named::Unknown => (Severity::Medium, 650, "code of others is taken by a name that can move"),
        Named::Tag => (Severity::Low, 900, "code of others is taken by a tag, which its owner can move"),
    };
    found.push(Hit {
        place: file.place(span),
        severity,
        confidence_permille,
        message: message.to_owned(),
        suggestion: "pin to the commit's full SHA, with the tag in a comment",
    });
}

/// Ways to say that a commit will not do.
const REASONS: &[&str] =
    &["can't be pinned", "cannot be pinned", "cannot pin", "can't pin", "must be a tag", "must be referenced by"];

/// Whether a comment on the line of `span`, or on a line of its own above, says that it cannot be pinned.
fn is_explained(file: &File<'_>, span: &Span) -> bool {
    let text = file.source.text.as_ref();
    let before = text.get(..span.start).unwrap_or_default();
    let above = before.lines().rev().nth(1).unwrap_or_default().trim_start();
    let beside = text.get(span.end..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    let says = |line: &str| REASONS.iter().any(|reason| line.contains(reason));
    (above.starts_with('#') && says(above)) || says(beside)
}

/// How `uses` names what is not in this repository; nothing if that cannot move.
fn unpinned(uses: &str) -> Option<Named> {
    if uses.starts_with("./") || uses.starts_with("../") || uses.contains("${{") {
        return None;
    }
    if let Some(image) = uses.strip_prefix("docker://") {
        let tag = image.rsplit('/').next().and_then(|name| name.split_once(':')).map_or("latest", |(_, tag)| tag);
        return (!image.contains("@sha256:")).then(|| named(tag));
    }
    let (target, reference) = uses.split_once('@')?;
    let owner = target.split('/').next().unwrap_or(target);
    let is_commit = matches!(reference.len(), 40 | 64) && reference.bytes().all(|byte| byte.is_ascii_hexdigit());
    (!is_commit && !OFFICIAL_OWNERS.contains(&owner)).then(|| named(reference))
}

fn named(reference: &str) -> Named {
    let version = reference.trim_start_matches(['v', 'V']);
    if BRANCHES.contains(&reference) || reference.starts_with("release/") {
        Named::Branch
    } else if version.starts_with(|first: char| first.is_ascii_digit()) {
        Named::Tag
    } else {
        Named::Unknown
    }
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::rules::testing::{check, findings};
    use schemas::severity::Severity::{Low, Medium};

    const SHA: &str = "0123456789abcdef0123456789abcdef01234567";

    fn workflow(uses: &str) -> String {
        format!("jobs:\n  a:\n    steps:\n      - uses: {uses}\n")
    }

    #[test]
    fn workflows() {
        let run = |uses: &str, expected: &[_]| check(&RULE, ".github/workflows/a.yml", &workflow(uses), expected);
        for uses in ["a/b@main", "a/b/c@master", "\"a/b@stable\"", "docker://a/b", "a/b@release/v1", "a/b@abc1234"] {
            run(uses, &[(4, Medium)]);
        }
        for uses in ["a/b@v1", "a/b@1.2.3", "'a/b@v2.0.0-rc1'", "docker://a/b:1.2"] {
            run(uses, &[(4, Low)]);
        }
        run(&format!("a/b@{SHA} # v1.2.3"), &[]);
        run("a/b@main # it can't be pinned: https://example.org/1", &[]);
        run("a/b@main # pinned to main", &[(4, Medium)]);
        for uses in
            ["./a", "./.github/actions/a@main", "actions/checkout@v4", "github/codeql-action/init@main", "a/b@${{ x }}"]
        {
            run(uses, &[]);
        }
        run("docker://a:5000/b@sha256:0123", &[]);
    }

    #[test]
    fn called_workflows_and_composite_actions() {
        let call = |uses: &str| format!("jobs:\n  a:\n    uses: {uses}\n");
        check(&RULE, ".github/workflows/a.yml", &call("a/b/.github/workflows/c.yml@main"), &[(3, Medium)]);
        check(&RULE, ".github/workflows/a.yml", &call("./.github/workflows/c.yml"), &[]);
        let action = |uses: &str| format!("runs:\n  using: composite\n  steps:\n    - uses: {uses}\n");
        check(&RULE, "action.yml", &action("a/b@v1"), &[(4, Low)]);
        check(&RULE, "action.yml", &action("actions/cache@v4"), &[]);
        check(&RULE, "action.yml", "runs:\n  using: docker\n  image: docker://a/b:latest\n", &[]);
    }

    #[test]
    fn components_of_gitlab() {
        let run = |text: &str, expected: &[_]| check(&RULE, ".gitlab-ci.yml", text, expected);
        run("include:\n  - component: gitlab.com/a/b@~latest\n", &[(2, Medium)]);
        run("include:\n  component: gitlab.com/a/b@1.0\n", &[(2, Low)]);
        run(&format!("include:\n  - component: gitlab.com/a/b@{SHA}\n"), &[]);
        run("include: [{local: a.yml}, b.yml]\na: {script: x}\n", &[]);
        run("a:\n  script: echo a/b@main\n", &[]);
    }

    #[test]
    fn the_finding_points_at_the_name() {
        let found = &findings(&RULE, ".github/workflows/a.yml", &workflow("a/b@main # x"))[0];
        let schemas::finding::Location::File { column, end_column, .. } = found.location else { panic!() };
        assert_eq!((column, end_column), (15, 23));
    }
}
