//! Gates that check nothing.

use schemas::severity::Severity;

use crate::automation::Automation;
use crate::automation::gates::named_gate;
use crate::automation::pipeline::{Job, Pipeline, Step};
use crate::automation::shell::Command;
use crate::outline::Span;
use crate::rules::{Check, File, Findings, Hit, rule};

rule!(
    /// ## What it finds
    /// Jobs of workflows and of GitLab CI whose names promise a check (`test`, `lint`, `coverage` and their kin) that have no
    /// steps, or whose steps only print something; and coverage limits of zero.
    ///
    /// A job that only prints is fine where it stands in for a required check: in a pipeline that is filtered by paths, under
    /// a condition, or waiting for the jobs that do the work. With `if: always()` it does not wait for their success.
    ///
    /// ## Why it matters
    /// Whoever looks at the list of green checks believes that this one looked at the change.
    ///
    /// ## Example
    /// ```text
    /// test:
    ///   runs-on: ubuntu-latest
    ///   steps:
    ///     - run: echo "all tests passed"
    /// ```
    ///
    /// ## How to fix
    /// Run the check in the job, or delete the job. Set coverage limits to what there is today, and raise them.
    "flow/hollow-gate", Flow, Medium, version: 2, Check::Automation(check)
);

/// Parts of the names of limits for coverage.
const LIMIT_NAMES: &[&str] =
    &["coverage-threshold", "fail-under", "fail_under", "min-coverage", "minimum-coverage", "minimum_coverage"];

fn check(file: &File<'_>, automation: &Automation, found: &mut Findings<'_>) {
    let Automation::Pipeline(pipeline) = automation else { return };
    for job in pipeline.jobs.iter().filter(|job| promises(job) && !stands_in(pipeline, job)) {
        let message = match job.steps.iter().all(|step| step.uses.is_none() && step.commands.is_empty()) {
            true => "gate runs nothing",
            false if job.steps.iter().all(|step| is_hollow(file, step)) => "gate only prints something",
            false => continue,
        };
        report(file, job.key.clone(), message, found);
    }
    for (_, step) in pipeline.steps() {
        step.commands
            .iter()
            .flat_map(zero_limits)
            .for_each(|place| report(file, place, "coverage limit is zero", found));
        for (key, value) in &step.inputs {
            if is_limit(file.text(key)) && is_zero(file.text(value)) {
                report(file, key.start..value.end, "coverage limit is zero", found);
            }
        }
    }
}

fn report(file: &File<'_>, span: Span, message: &str, found: &mut Findings<'_>) {
    if found.is_full() {
        return;
    }
    found.push(Hit {
        place: file.place(span),
        severity: Severity::Medium,
        confidence_permille: 850,
        message: message.to_owned(),
        suggestion: "run the check here or delete it; set limits to what there is today",
    });
}

/// Whether the name of `job` promises a check, and its steps are all there is of it.
fn promises(job: &Job) -> bool {
    named_gate(&job.name).is_some() && !job.is_elsewhere && !job.is_template && !job.is_manual
}

/// Whether `job` stands in for a check that others made, or that this change does not need.
fn stands_in(pipeline: &Pipeline, job: &Job) -> bool {
    let is_always = job.condition.as_ref().is_some_and(|condition| condition.contains("always()"));
    pipeline.has_path_filter || (!is_always && (job.condition.is_some() || job.has_needs))
}

fn is_hollow(file: &File<'_>, step: &Step) -> bool {
    match &step.uses {
        Some(uses) => file.text(uses).starts_with("actions/checkout@"),
        None => step.commands.iter().all(says_only),
    }
}

/// Whether `command` does nothing but say something or succeed.
fn says_only(command: &Command) -> bool {
    let words: Vec<&str> = command.texts().take(3).collect();
    // What is printed to where the system reads it is a result.
    matches!(words[..], ["echo" | "printf" | "true" | ":", ..] | ["exit", "0"] | ["set", ..])
}

/// The limits of zero in the words of `command`, as `--name=0` or `--name 0`.
fn zero_limits(command: &Command) -> impl Iterator<Item = Span> {
    let pairs = command.words.iter().zip(command.words.iter().skip(1).map(Some).chain([None]));
    pairs.filter_map(|(word, next)| match word.text.split_once('=') {
        Some((name, value)) => (is_limit(name) && is_zero(value)).then(|| word.span.clone()),
        None => {
            let next = next.filter(|next| is_limit(&word.text) && is_zero(&next.text))?;
            Some(word.span.start..next.span.end)
        }
    })
}

fn is_limit(name: &str) -> bool {
    LIMIT_NAMES.iter().any(|known| name.contains(known))
}

fn is_zero(value: &str) -> bool {
    value.trim_end_matches('%').parse::<f64>().is_ok_and(|value| value == 0.0)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::rules::testing::check;
    use schemas::severity::Severity::Medium;

    fn job(name: &str, keys: &str, steps: &str) -> String {
        format!("on: push\njobs:\n  {name}:\n    {keys}\n    steps: {steps}\n")
    }

    #[test]
    fn workflows() {
        let run = |text: &str, expected: &[_]| check(&RULE, ".github/workflows/ci.yml", text, expected);
        run(&job("test", "name: a", "[{run: echo ok}]"), &[(3, Medium)]);
        run(&job("a", "name: Lint code", "[{uses: actions/checkout@v4}, {run: 'echo a && exit 0'}]"), &[(3, Medium)]);
        run(&job("test", "name: a", "[]"), &[(3, Medium)]);
        run(&job("tests", "needs: [a]\n    if: always()", "[{run: echo ok}]"), &[(3, Medium)]);
        run(&job("a", "name: b", "[{run: pytest --cov-fail-under=0}]"), &[(5, Medium)]);
        run(&job("a", "name: b", "[{run: cargo llvm-cov --fail-under-lines 0}]"), &[(5, Medium)]);
        run(&job("a", "name: b", "\n      - uses: x/y@v1\n        with:\n          fail_under: '0'"), &[(8, Medium)]);
    }

    #[test]
    fn workflows_with_gates_that_check_or_stand_in() {
        let run = |text: &str| check(&RULE, ".github/workflows/ci.yml", text, &[]);
        let hollow = "[{run: echo ok}]";
        run(&job("test", "name: a", "[{run: echo a}, {run: make}]"));
        run(&job("test", "name: a", "[{uses: x/test@v1}]"));
        run(&job("test", "uses: ./.github/workflows/test.yml", "[]"));
        run(&job("notify", "name: a", hollow));
        run(&job("test", "needs: [a, b]", hollow));
        run(&job("test", "if: github.event_name == 'merge_group'", hollow));
        run(&job("test", "name: a", hollow).replace("on: push", "on: {pull_request: {paths: [docs/**]}}"));
        run(&job("test", "if: always()", "[{run: '${{ !contains(needs.*.result, 1) }}'}]"));
        run(&job("a", "name: b", "[{run: pytest --cov-fail-under=80 --jobs=0}]"));
        run(&job("a", "name: b", "\n      - uses: x/y@v1\n        with:\n          threshold: 0%"));
    }

    #[test]
    fn gitlab() {
        let run = |text: &str, expected: &[_]| check(&RULE, ".gitlab-ci.yml", text, expected);
        run("unit test:\n  script: echo ok\n", &[(1, Medium)]);
        run("stages: [a]\nlint:\n  script: []\n", &[(2, Medium)]);
        run("a:\n  script:\n    - pytest --cov-fail-under 0\n", &[(3, Medium)]);
        run("test:\n  extends: .test\n", &[]);
        run(".test:\n  script: echo ok\n", &[]);
        run("test:\n  script: [!reference [.a, script]]\n", &[]);
        run("test:\n  script: [echo a, pytest]\n", &[]);
        run("test:\n  script: echo ok\n  rules: [{changes: [docs/*]}]\n", &[]);
        run("test:\n  trigger: {include: a.yml}\n", &[]);
    }

    #[test]
    fn makefiles_and_scripts_are_no_gates_by_themselves() {
        check(&RULE, "Makefile", "test:\n\techo ok\n", &[]);
        check(&RULE, "test.sh", "echo ok --fail-under=0\n", &[]);
    }
}
