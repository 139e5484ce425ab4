//! Gates that let everything pass.

use schemas::severity::Severity;

use crate::automation::Automation;
use crate::automation::gates::{Gate, gate, is_optional, named_gate};
use crate::automation::pipeline::{Job, Pipeline, Step};
use crate::automation::shell::{Command, Joint};
use crate::outline::Span;
use crate::rules::{Check, File, Findings, Hit, rule};

rule!(
    /// ## What it finds
    /// Ways to let a check fail without notice, in workflows, composite actions, GitLab CI, makefiles, git hooks, shell
    /// scripts and the scripts of a package.json: `continue-on-error: true`, `allow_failure: true`, `|| true` behind a test or
    /// a linter, `--passWithNoTests`, skipped tests of Maven and Gradle where nothing else in the file runs them, and
    /// `--no-verify`. High where tests are switched off so, otherwise medium.
    ///
    /// Jobs that call themselves optional, experimental or nightly, that run only by a schedule or by hand, and conditions
    /// such as `${{ matrix.experimental }}` are left alone, as is what has a comment beside or right above it.
    ///
    /// ## Why it matters
    /// The gate is green whatever the change does. It looks like protection, so nobody adds another one.
    ///
    /// ## Example
    /// ```text
    /// - run: cargo test || true
    /// ```
    ///
    /// ## How to fix
    /// Let the check fail the run. If it is not ready to be a gate, move it to a job that says so in its name, or write the
    /// reason beside it.
    "flow/gate-bypass", Flow, High, version: 2, Check::Automation(check)
);

/// Shortest comment, in letters, that says something.
const REASON_LETTERS_MIN: usize = 6;

/// How far into a comment, in characters, these letters are looked for: one comment may stand beside many commands.
const REASON_CHARS_MAX: usize = 200;

/// What starts a pipeline that no change waits for.
const UNGATED_TRIGGERS: &[&str] = &["schedule", "workflow_dispatch"];

/// Confidence in skipped tests, in permille: they may well run in a pipeline of another file.
const SKIPPED_PERMILLE: u16 = 600;

fn check(file: &File<'_>, automation: &Automation, found: &mut Findings<'_>) {
    match automation {
        Automation::Pipeline(pipeline) => check_pipeline(file, pipeline, found),
        Automation::Script(script) if !file.is_test() => {
            let tests = script.commands.iter().any(runs_tests);
            check_commands(file, &script.commands, tests, found);
        }
        Automation::Script(_) | Automation::Image(_) | Automation::Unread(_) => {}
    }
}

fn check_pipeline(file: &File<'_>, pipeline: &Pipeline, found: &mut Findings<'_>) {
    let is_ungated = |trigger: &String| UNGATED_TRIGGERS.contains(&trigger.as_str());
    let none_waits = !pipeline.triggers.is_empty() && pipeline.triggers.iter().all(is_ungated);
    if none_waits || is_optional(&pipeline.name) {
        return;
    }
    let tests = pipeline.steps().any(|(_, step)| step.commands.iter().any(runs_tests));
    for job in pipeline.jobs.iter().filter(|job| !job.is_manual && !is_optional(&job.name)) {
        if let Some(key) = job.may_fail.clone().filter(|_| !has_reason(file, job.key.start)) {
            let gate = gate_of_job(job).unwrap_or(Gate::Other);
            report(file, key, gate, 900, "job may fail without notice", found);
        }
        for step in job.steps.iter().filter(|step| !is_optional(&step.name)) {
            let gate = gate_of_step(step);
            if let (Some(key), Some(gate)) = (step.may_fail.clone(), gate)
                && !has_reason(file, step.span.start)
            {
                report(file, key, gate, 900, "check may fail without notice", found);
            }
            check_commands(file, &step.commands, tests, found);
        }
    }
}

fn check_commands(file: &File<'_>, commands: &[Command], tests: bool, found: &mut Findings<'_>) {
    // The gate that the commands joined so far hold.
    let mut chain = None;
    for command in commands {
        let gate = gate(command);
        if command.joint == Joint::Next {
            chain = None;
        }
        if let (Joint::Or, Some(gate), true) = (command.joint, chain, succeeds(command)) {
            let place = command.operator.start..command.span().end;
            report(file, place, gate, 950, "whatever the check says, the command succeeds", found);
        }
        chain = chain.or(gate);
        for (word, text) in command.words.iter().map(|word| (&word.span, word.text.as_str())) {
            if matches!(text, "--passWithNoTests" | "--pass-with-no-tests" | "--passWithNoTests=true") {
                report(file, word.clone(), Gate::Other, 800, "passes when there are no tests at all", found);
            } else if text == "--no-verify" && has_hooks(command) {
                report(file, word.clone(), Gate::Other, 800, "goes around the checks of this command", found);
            } else if skips_tests(text) && !tests {
                report(file, word.clone(), Gate::Other, SKIPPED_PERMILLE, "builds without running the tests", found);
            }
        }
    }
}

fn report(file: &File<'_>, span: Span, gate: Gate, confidence_permille: u16, message: &str, found: &mut Findings<'_>) {
    if found.is_full() || has_reason(file, span.start) {
        return;
    }
    found.push(Hit {
        place: file.place(span),
        severity: if gate == Gate::Test { Severity::High } else { Severity::Medium },
        confidence_permille,
        message: message.to_owned(),
        suggestion: "let it fail the run; if it is no gate yet, say so in the job's name or in a comment beside it",
    });
}

/// Whether a comment on the line of byte `at` or right above says something.
fn has_reason(file: &File<'_>, at: usize) -> bool {
    let letters = |text: &str| text.chars().take(REASON_CHARS_MAX).filter(|c| c.is_alphabetic()).count();
    file.comments_near(at).any(|text| letters(text) >= REASON_LETTERS_MIN)
}

fn gate_of_job(job: &Job) -> Option<Gate> {
    let gates: Vec<Gate> = job.steps.iter().filter_map(gate_of_step).chain(named_gate(&job.name)).collect();
    if gates.contains(&Gate::Test) { Some(Gate::Test) } else { gates.first().copied() }
}

fn gate_of_step(step: &Step) -> Option<Gate> {
    let gates: Vec<Gate> = step.commands.iter().filter_map(gate).collect();
    if gates.contains(&Gate::Test) {
        return Some(Gate::Test);
    }
    // A step that calls an action to say something of the tests is no test.
    let named = named_gate(&step.name).filter(|_| !step.commands.is_empty() && gates.is_empty());
    gates.first().copied().or(named.map(|_| Gate::Other))
}

/// Whether `command` does nothing but succeed.
fn succeeds(command: &Command) -> bool {
    let words: Vec<&str> = command.texts().take(3).collect();
    matches!(words[..], ["true" | ":" | "/bin/true"] | ["exit", "0"])
}

/// Whether `--no-verify` takes checks away from `command`.
fn has_hooks(command: &Command) -> bool {
    let mut words = command.texts();
    match words.next() {
        Some("git") => words.any(|word| matches!(word, "commit" | "push" | "merge" | "rebase" | "cherry-pick")),
        Some("cargo") => words.any(|word| matches!(word, "publish" | "package")),
        _ => false,
    }
}

fn skips_tests(word: &str) -> bool {
    matches!(word, "-DskipTests" | "-DskipTests=true" | "-Dmaven.test.skip" | "-Dmaven.test.skip=true")
}

fn runs_tests(command: &Command) -> bool {
    gate(command) == Some(Gate::Test) && !command.texts().any(skips_tests)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::rules::testing::check;
    use schemas::severity::Severity::{High, Medium};

    const WORKFLOW: &str = ".github/workflows/ci.yml";

    fn job(name: &str, keys: &str, run: &str) -> String {
        format!("on: push\njobs:\n  {name}:\n    {keys}\n    steps:\n      - run: {run}\n")
    }

    #[test]
    fn workflows() {
        let run = |text: &str, expected: &[_]| check(&RULE, WORKFLOW, text, expected);
        run(&job("unit-tests", "continue-on-error: true", "make"), &[(4, High)]);
        run(&job("docs", "continue-on-error: true", "make"), &[(4, Medium)]);
        run(&job("a", "name: b", "cargo test || true"), &[(6, High)]);
        run(&job("a", "name: b", "'cargo clippy | tee log || :'"), &[(6, Medium)]);
        run(&job("a", "name: b", "|\n          cargo test ||\n            true"), &[(7, High)]);
        run(&job("a", "name: b", "npx jest --passWithNoTests"), &[(6, Medium)]);
        run(&job("a", "name: b", "mvn package -DskipTests"), &[(6, Medium)]);
        run(&job("a", "name: b", "git push --no-verify\n        continue-on-error: true"), &[(6, Medium)]);
        run(&job("a", "name: b", "pytest\n        continue-on-error: true"), &[(7, High)]);
        run(&job("a", "name: b", "x\n        name: Lint\n        continue-on-error: true"), &[(8, Medium)]);
    }

    #[test]
    fn workflows_that_may_fail_or_cannot() {
        let run = |text: &str| check(&RULE, WORKFLOW, text, &[]);
        run(&job("nightly", "continue-on-error: true", "cargo test || true"));
        run(&job("test", "name: tests (optional)\n    continue-on-error: true", "make"));
        run(&job("test", "continue-on-error: ${{ matrix.experimental }}", "make"));
        run(&job("test", "continue-on-error: false", "make"));
        run(&job("test", "# the service under test is down on Mondays\n    continue-on-error: true", "make"));
        run(&job("a", "name: b", "cargo test || true # flaky until #12"));
        run(&job("a", "name: b", "rm log || true"));
        run(&job("a", "name: b", "docker stop db || true; cargo test"));
        run(&job("a", "name: b", "echo 'cargo test || true'"));
        run(&job("a", "name: b", "|\n          # cargo test || true\n          make"));
        run(&job("a", "name: b", "mvn test && mvn package -DskipTests"));
        run(&job("a", "name: b", "upload\n        continue-on-error: true"));
        run(&job("test", "continue-on-error: true", "make")
            .replace("on: push", "on: {schedule: [{cron: '0 0 * * *'}]}"));
    }

    #[test]
    fn composite_actions() {
        let action = |run: &str| format!("runs:\n  using: composite\n  steps:\n    - run: {run}\n      shell: bash\n");
        check(&RULE, "action.yml", &action("npm test || exit 0"), &[(4, High)]);
        check(&RULE, "a/action.yaml", &action("eslint . || true"), &[(4, Medium)]);
        for run in ["npm test || exit 1", "npm ci || true", "npm test"] {
            check(&RULE, "action.yml", &action(run), &[]);
        }
    }

    #[test]
    fn gitlab() {
        let run = |text: &str, expected: &[_]| check(&RULE, ".gitlab-ci.yml", text, expected);
        run("test:\n  script: [pytest]\n  allow_failure: true\n", &[(3, High)]);
        run("lint:\n  script:\n    - ruff check || true\n", &[(3, Medium)]);
        run("test:\n  script:\n    - &t pytest || true\n", &[(3, High)]);
        run("deploy:\n  script: [x]\n  when: manual\n  allow_failure: true\n", &[]);
        run("test:\n  script: [pytest]\n  allow_failure: {exit_codes: [137]}\n", &[]);
        run("test:experimental:\n  script: [pytest]\n  allow_failure: true\n", &[]);
        run("# waits for the new runner\ntest:\n  script: [pytest]\n  allow_failure: true\n", &[]);
    }

    #[test]
    fn makefiles() {
        let run = |text: &str, expected: &[_]| check(&RULE, "Makefile", text, expected);
        run("test:\n\tgo test ./... || true\n", &[(2, High)]);
        run("lint:\n\t@golangci-lint run || :\n", &[(2, Medium)]);
        run("test:\n\tgo test ./...\n", &[]);
        run("clean:\n\trm a || true\n", &[]);
        run("# the next one is known to fail\ntest:\n\t# upstream bug\n\tgo test || true\n", &[]);
    }

    #[test]
    fn package_scripts() {
        let package = |script: &str| format!("{{\n\"scripts\": {{\n\"test\": \"{script}\"}}}}\n");
        check(&RULE, "package.json", &package("mocha || true"), &[(3, High)]);
        check(&RULE, "web/package.json", &package("vitest run --passWithNoTests"), &[(3, Medium)]);
        for script in ["mocha", "rimraf x || true", "echo \\\"mocha || true\\\""] {
            check(&RULE, "package.json", &package(script), &[]);
        }
        check(&RULE, "package.json", "{\"description\": \"mocha || true\"}", &[]);
    }

    #[test]
    fn hooks_and_shell_scripts() {
        check(&RULE, ".husky/pre-push", "npm test || true\n", &[(1, High)]);
        check(&RULE, "scripts/release.sh", "#!/bin/sh\ngit commit -am x --no-verify\n", &[(2, Medium)]);
        check(&RULE, "scripts/release.sh", "cargo publish --no-verify\n", &[(1, Medium)]);
        check(&RULE, "scripts/ci.sh", "cat <<EOF\ncargo test || true\nEOF\ncurl --no-verify x\n", &[]);
        check(&RULE, "scripts/ci.sh", "cargo test || failed=1\ncargo test\ntrue\n", &[]);
        check(&RULE, "tests/fixtures/ci.sh", "cargo test || true\n", &[]);
        check(&RULE, "Dockerfile", "FROM a\nRUN cargo test || true\n", &[]);
    }
}
