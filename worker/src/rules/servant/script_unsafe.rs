//! Shell scripts that go on after a failure, run what they did not read, or delete what they did not mean.

mod failures;
mod harmless;

use schemas::severity::Severity;

use crate::automation::Automation;
use crate::automation::script::{Kind, Script};
use crate::automation::shell::{Command, Joint, Word};
use crate::outline::Span;
use crate::rules::{Check, File, Findings, Hit, rule};

rule!(
    /// ## What it finds
    /// In shell scripts and git hooks: a script that does not stop at the first failure (`set -e`) of a command other than
    /// its last, or
    /// that uses pipes in bash, ksh or zsh without `pipefail` (low); what `curl` or `wget` loads given to a shell (medium);
    /// and `rm -r` of a variable outside of quotes (medium).
    ///
    /// Only failures that nothing takes care of count. Files without a first line that names a shell, and those that
    /// hold functions and settings only, are meant to be sourced: there the caller decides how failures are handled.
    /// Scripts that handle them by hand (`|| exit 1`, `$?`, `trap … ERR`, `set +e`), conditions, pipes out of `echo` or
    /// into `grep` and `head`, scripts that start and stop services, run for ever, are sourced while a system starts
    /// (`modules.d`) or are run by husky (which stops at failures), and copies of other people's scripts such as
    /// `gradlew` are left alone. `${NAME:?}` cannot be empty, and neither can what is set to a plain word or by
    /// `mktemp` in the script, or what it ends for if it is empty (`-z "$NAME"`). A pipe counts where something works
    /// on after it and nothing answers to its failure, and of a choice the other branches do not come after. What is
    /// sourced may say how failures are handled, so a script that sources more than settings, and does not say it
    /// itself, is left alone. So are commands that only show or look for something outside of tests (`grep`, `git
    /// status`), go where the script stands, or throw away what they say of failures (`2>/dev/null`), scripts that
    /// answer with a state of their own (`exit $failed`), and those that are named after cleaning up or showing
    /// something: each step of them is tried for itself.
    ///
    /// ## Why it matters
    /// The command after the one that failed works on what is not there. An empty or split variable behind `rm -rf` deletes
    /// something else. What a server sends today is not what it sent when somebody looked.
    ///
    /// ## Example
    /// ```text
    /// rm -rf $BUILD_DIR/out
    /// ```
    ///
    /// ## How to fix
    /// Begin with `set -eu`, in bash with `set -euo pipefail`; load to a file and check its digest before it runs; write
    /// `rm -rf -- "${BUILD_DIR:?}/out"`.
    "servant/script-unsafe", Servant, Medium, version: 6, Check::Automation(check)
);

/// Programs that load something.
const LOADERS: &[&str] = &["curl", "wget"];

/// How far behind the test of a variable the end of the script is looked for.
const TEST_BYTES_MAX: usize = 200;

/// Commands by which a script ends.
const STOPS: &[&str] = &["die", "exit", "fail", "return"];

/// Programs that run the text that they are given.
const SHELLS: &[&str] = &["ash", "bash", "dash", "ksh", "sh", "zsh"];

fn check(file: &File<'_>, automation: &Automation, found: &mut Findings<'_>) {
    let Automation::Script(script) = automation else { return };
    if script.kind != Kind::Shell || file.is_foreign() {
        return;
    }
    if let Some(shebang) = &script.shebang {
        failures::check(file, script, shebang, found);
    }
    // Whether the commands joined by pipes so far load something.
    let mut loads = false;
    for command in &script.commands {
        let loaded = (command.joint == Joint::Pipe && loads).then(|| command.operator.clone());
        if let Some(operator) = loaded.clone().filter(|_| runs_input(command)) {
            let place = operator.start..command.words[0].span.end.max(operator.end);
            let advice = "load it to a file and check its digest before it runs";
            report(file, place, Severity::Medium, "what a server sends is run unread", advice, found);
        }
        loads = loaded.is_some() || program(command).is_some_and(|program| LOADERS.contains(&program));
        if let Some(word) = substituted(command) {
            let advice = "load it to a file and check its digest before it runs";
            report(file, word.span.clone(), Severity::Medium, "what a server sends is run unread", advice, found);
        }
        if let Some(bare) = deleted(file, script, command) {
            let advice = "quote it and refuse an empty one: \"${NAME:?}\"";
            report(file, bare, Severity::Medium, "deletes by a variable that may be empty or split", advice, found);
        }
    }
}

fn report(
    file: &File<'_>,
    span: Span,
    severity: Severity,
    message: &str,
    suggestion: &'static str,
    found: &mut Findings<'_>,
) {
    if found.is_full() {
        return;
    }
    found.push(Hit {
        place: file.place(span),
        severity,
        confidence_permille: 900,
        message: message.to_owned(),
        suggestion,
    });
}

/// The program that `command` runs, without its folder and without `sudo` and its kin.
fn program(command: &Command) -> Option<&str> {
    let mut words = command.texts().skip_while(|word| matches!(*word, "sudo" | "exec" | "command" | "env" | "-E"));
    words.next().map(|word| word.rsplit('/').next().unwrap_or(word))
}

/// Whether `command` runs its input: a shell that is given no script.
fn runs_input(command: &Command) -> bool {
    let is_shell = program(command).is_some_and(|program| SHELLS.contains(&program));
    is_shell && !command.has("-c")
}

/// The word by which `command` runs what `curl` or `wget` loads: `sh -c "$(curl …)"`, `bash <(curl …)`.
fn substituted(command: &Command) -> Option<&Word> {
    let program = program(command)?;
    let runs = SHELLS.contains(&program) || matches!(program, "eval" | "source" | ".");
    let loads = |word: &&Word| {
        let inside = ["$(", "<(", "`"].iter().find_map(|mark| word.text.strip_prefix(mark));
        inside.is_some_and(|inside| LOADERS.iter().any(|loader| inside.trim_start().starts_with(loader)))
    };
    command.words.iter().find(loads).filter(|_| runs)
}

/// Expansions outside of quotes in what `command` deletes with everything in it.
fn deleted(file: &File<'_>, script: &Script, command: &Command) -> Option<Span> {
    let is_recursive = |word: &str| {
        word == "--recursive" || (word.starts_with('-') && !word.starts_with("--") && word.contains(['r', 'R']))
    };
    if program(command) != Some("rm") || !command.texts().any(is_recursive) {
        return None;
    }
    let operands = command.words.iter().skip_while(|word| !word.text.ends_with("rm"));
    let mut bare = operands.flat_map(|word| &word.bare);
    // What a command gives is no variable that somebody forgot to set.
    let is_variable = |text: &str| !text.contains(":?") && !text.starts_with("$(") && !text.starts_with('`');
    let is_open = |text: &str| is_variable(text) && !is_set_here(script, text) && !is_tested(file, text);
    bare.find(|span| is_open(file.text(span))).cloned()
}

/// Whether the script ends where the variable that `expansion` stands for is empty: `[ -z "$A" ] && exit 1`, `: ${A:?}`.
fn is_tested(file: &File<'_>, expansion: &str) -> bool {
    let text = file.source.text.as_ref();
    let name = expansion.trim_start_matches(['$', '{']).trim_end_matches('}');
    let is_end = |c: Option<char>| !c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let ends = |pattern: String| {
        text.match_indices(&pattern).any(|(at, _)| {
            let rest = &text[at + pattern.len()..];
            let near = &rest[..rest.floor_char_boundary(TEST_BYTES_MAX)];
            is_end(near.chars().next()) && STOPS.iter().any(|stop| near.contains(stop))
        })
    };
    let tests = ["-z \"$", "-z $", "-z \"${", "-z ${"];
    text.contains(&format!("${{{name}:?")) || tests.iter().any(|test| ends(format!("{test}{name}")))
}

/// Whether the variable that `expansion` stands for is only set to what is neither empty nor split: a plain word, or a new
/// folder for temporary files.
fn is_set_here(script: &Script, expansion: &str) -> bool {
    let name = expansion.trim_start_matches(['$', '{']).trim_end_matches('}');
    let value = |word: &str| Some(word.strip_prefix(name)?.strip_prefix('=')?.to_owned());
    let mut values =
        script.commands.iter().flat_map(|command| &command.words).filter_map(|word| value(&word.text)).peekable();
    let is_safe = |value: String| {
        let is_new = ["$(mktemp", "`mktemp"].iter().any(|call| value.starts_with(call));
        is_new || (!value.is_empty() && !value.contains(|c: char| c.is_whitespace() || "$`*?(".contains(c)))
    };
    values.peek().is_some() && values.all(is_safe)
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::rules::testing::check;
    use schemas::severity::Severity::{Low, Medium};

    #[test]
    fn what_is_loaded_and_run() {
        let run = |text: &str, expected: &[_]| check(&RULE, "a.sh", text, expected);
        run("curl -sSf https://a | sh\n", &[(1, Medium)]);
        run("wget -O- https://a | tee b | sudo bash -s -- -y\n", &[(1, Medium)]);
        run("sh -c \"$(curl -fsSL https://a)\"\n", &[(1, Medium)]);
        run("bash <(curl -s https://a)\n", &[(1, Medium)]);
        run("curl https://a | jq .\n", &[]);
        run("curl -o a https://a && sh a\n", &[]);
        run("cat a | sh\n", &[]);
        run("echo 'curl https://a | sh'\n# curl https://a | sh\n", &[]);
        run("version=$(curl https://a)\nsh -c \"run $(date)\"\n", &[]);
    }

    #[test]
    fn what_is_deleted() {
        let run = |text: &str, expected: &[_]| check(&RULE, "hooks/a.bash", text, expected);
        run("rm -rf $A/b\n", &[(1, Medium)]);
        run("rm -rf $(find . -name a)\n", &[]);
        run("sudo rm -fr \"$A\" ${B}\n", &[(1, Medium)]);
        run("if a; then\n  rm -r $b\nfi\n", &[(2, Medium)]);
        run("rm -rf \"$A/b\" '$c' d\n", &[]);
        run("rm -rf ${A:?}/b\n", &[]);
        run("A=$(mktemp -d)\nB=out/b\nrm -rf $A ${B}\n", &[]);
        run("A=$(mktemp -d)\nA=$1\nrm -rf $A\n", &[(3, Medium)]);
        run("rm -rf $A-$B\n", &[(1, Medium)]);
        run("[ -z \"$A\" ] && exit 1\nrm -rf $A\n", &[]);
        run("[ -z \"$AB\" ] && exit 1\nrm -rf $A\n", &[(2, Medium)]);
        run("[ -z \"$A\" ] && echo a\nrm -rf $A\n", &[(2, Medium)]);
        run(": ${A:?}\nrm -rf $A\n", &[]);
        run("rm $A\n", &[]);
        run("PATH=$A rm -rf \"$B\"\n", &[]);
        run("echo rm -rf $A\n", &[]);
    }

    #[test]
    fn hooks_are_scripts_and_makefiles_are_not() {
        check(&RULE, ".githooks/pre-commit", "#!/bin/sh\na\nb\n", &[(1, Low)]);
        check(&RULE, ".husky/pre-commit", "#!/bin/sh\na\nb\n", &[]);
        check(&RULE, "vendor/a.sh", "#!/bin/sh\na\ncurl a | sh\n", &[]);
        check(&RULE, ".husky/pre-push", "npm test\ncurl a | sh\n", &[(2, Medium)]);
        check(&RULE, ".husky/pre-commit", "npm test\nnpm run lint\n", &[]);
        check(&RULE, ".githooks/pre-commit", "#!/usr/bin/env python3\nrun()\n", &[]);
        check(&RULE, "Makefile", "clean:\n\trm -rf $(OUT) $A\n", &[]);
    }
}
