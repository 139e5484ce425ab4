//! Jobs that may hang for hours.

use schemas::severity::Severity;

use crate::automation::Automation;
use crate::automation::pipeline::{Job, Step, System};
use crate::automation::shell::Command;
use crate::rules::{Check, File, Findings, Hit, rule};

rule!(
    /// ## What it finds
    /// Jobs of workflows without `timeout-minutes`, unless each of their steps has one. Jobs that call another workflow cannot
    /// have one; the jobs there can. Jobs that only say how others ended (`echo`, `exit`, `alls-green`) end by themselves. GitLab
    /// CI always has a limit, an hour by default, for the whole project.
    ///
    /// ## Why it matters
    /// A test that waits for ever holds a runner for six hours, the default, and with it everybody who waits for that runner.
    ///
    /// ## Example
    /// ```text
    /// test:
    ///   runs-on: ubuntu-latest
    ///   steps:
    ///     - run: make test
    /// ```
    ///
    /// ## How to fix
    /// Give the job `timeout-minutes`: some times what it takes on a bad day.
    "servant/ci-no-timeout", Servant, Low, version: 2, Check::Automation(check)
);

fn check(file: &File<'_>, automation: &Automation, found: &mut Findings<'_>) {
    let Automation::Pipeline(pipeline) = automation else { return };
    if pipeline.system != System::Workflow {
        return;
    }
    for job in pipeline.jobs.iter().filter(|job| !is_bounded(job) && !only_signals(file, job)) {
        found.push(Hit {
            place: file.place(job.key.clone()),
            severity: Severity::Low,
            confidence_permille: 900,
            message: "job has no timeout; the default is six hours".to_owned(),
            suggestion: "give the job `timeout-minutes`: some times what it takes on a bad day",
        });
    }
}

/// Commands that are over at once.
const SIGNALS: &[&str] = &["[", "[[", "echo", "exit", "false", "printf", "test", "true"];

/// Whether `job` only says how other jobs ended.
fn only_signals(file: &File<'_>, job: &Job) -> bool {
    let is_quick = |command: &Command| command.texts().next().is_none_or(|program| SIGNALS.contains(&program));
    let says = |step: &Step| match &step.uses {
        Some(action) => file.text(action).contains("alls-green"),
        None => !step.commands.is_empty() && step.commands.iter().all(is_quick),
    };
    !job.steps.is_empty() && job.steps.iter().all(says)
}

fn is_bounded(job: &Job) -> bool {
    let steps_are = !job.steps.is_empty() && job.steps.iter().all(|step| step.has_timeout);
    job.has_timeout || job.calls.is_some() || steps_are
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::rules::testing::check;
    use schemas::severity::Severity::Low;

    #[test]
    fn workflows() {
        let run = |text: &str, expected: &[_]| check(&RULE, ".github/workflows/a.yml", text, expected);
        run("jobs:\n  a:\n    steps: [{run: make}]\n", &[(2, Low)]);
        run(
            "jobs:\n  a: {timeout-minutes: 5}\n  b:\n    steps: [{run: x, timeout-minutes: 5}, {run: y}]\n",
            &[(3, Low)],
        );
        run("jobs:\n  a: &a\n    runs-on: x\n  b: *a\n", &[(2, Low), (4, Low)]);
        run("jobs:\n  a:\n    timeout-minutes: ${{ inputs.minutes }}\n", &[]);
        run("jobs:\n  a:\n    uses: ./.github/workflows/b.yml\n", &[]);
        run("jobs:\n  a:\n    steps: [{run: x, timeout-minutes: 5}]\n", &[]);
        run("jobs:\n  a:\n    steps: [{run: echo done && exit 1}, {uses: a/alls-green@v1}]\n", &[]);
        run("jobs:\n  a:\n    steps: [{run: echo done && make}]\n", &[(2, Low)]);
        run("jobs: [a]\n", &[]);
        run("jobs:\n  a: &t {timeout-minutes: 5}\n  b: {<<: *t}\n", &[]);
    }

    #[test]
    fn other_pipelines_have_limits_of_their_own() {
        check(&RULE, "action.yml", "runs:\n  using: composite\n  steps: [{run: make, shell: bash}]\n", &[]);
        check(&RULE, ".gitlab-ci.yml", "a:\n  script: make\n", &[]);
        check(&RULE, "docs/.github/workflows/a.yml", "jobs:\n  a:\n    steps: [{run: make}]\n", &[]);
    }
}
