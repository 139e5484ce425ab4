//! Shell scripts that go on after a failure, run what they did not read, or delete what they did not mean.

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
    /// Files without a first line that names a shell are meant to be sourced: there the caller decides how failures are
    /// handled. Scripts that handle them by hand (`|| exit 1`, `trap … ERR`) are left alone. `${NAME:?}` cannot be empty and
    /// is left alone.
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
    "servant/script-unsafe", Servant, Medium, version: 3, Check::Automation(check)
);

/// Commands that do not fail, or whose outcome is what they are asked for.
const HARMLESS: &[&str] = &[
    "{", "}", ":", "[", "[[", "alias", "break", "case", "continue", "declare", "echo", "exit", "export", "false", "fi",
    "function", "if", "local", "printf", "readonly", "return", "set", "shift", "shopt", "test", "then", "trap", "true",
    "type", "typeset", "umask", "unset",
];

/// Programs that load something.
const LOADERS: &[&str] = &["curl", "wget"];

/// Programs that run the text that they are given.
const SHELLS: &[&str] = &["ash", "bash", "dash", "ksh", "sh", "zsh"];

fn check(file: &File<'_>, automation: &Automation, found: &mut Findings<'_>) {
    let Automation::Script(script) = automation else { return };
    if script.kind != Kind::Shell {
        return;
    }
    if let Some(shebang) = &script.shebang {
        check_options(file, script, shebang, found);
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
        for bare in deleted(file, command) {
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

fn check_options(file: &File<'_>, script: &Script, shebang: &Span, found: &mut Findings<'_>) {
    let first = file.text(shebang);
    let has = |letter: char, name: &str| {
        let sets = |words: Vec<&str>| sets_option(&words, letter, name);
        let sets_here = |command: &Command| program(command) == Some("set") && sets(command.texts().skip(1).collect());
        sets(first.split_whitespace().skip(1).collect()) || script.commands.iter().any(sets_here)
    };
    let traps = script.commands.iter().any(|command| program(command) == Some("trap") && command.has("ERR"));
    let ends = |command: &Command| matches!(program(command), Some("die" | "exit" | "return"));
    let ends_by_hand = script.commands.iter().any(|command| command.joint == Joint::Or && ends(command));
    let is_handled = traps || ends_by_hand;
    let knows_pipefail = ["bash", "ksh", "zsh"].iter().any(|shell| first.contains(shell));
    let pipes = script.commands.iter().any(|command| command.joint == Joint::Pipe);
    if goes_on(file, script) && !has('e', "errexit") && !is_handled {
        let advice = "begin with `set -eu`, in bash with `set -euo pipefail`";
        report(file, shebang.clone(), Severity::Low, "script goes on after a failure", advice, found);
    } else if pipes && knows_pipefail && !has('\0', "pipefail") && !is_handled {
        let advice = "begin with `set -euo pipefail`";
        report(file, shebang.clone(), Severity::Low, "failures inside of pipes go unnoticed", advice, found);
    }
}

/// Whether a command that can fail, and whose failure nothing takes care of, is followed by another.
fn goes_on(file: &File<'_>, script: &Script) -> bool {
    let is_harmless = |command: &Command| program(command).is_none_or(|program| HARMLESS.contains(&program));
    // `name()` only says what the name is to mean.
    let declares = |command: &Command| {
        let after = file.source.text.get(command.span().end..).unwrap_or_default();
        after.starts_with('(') || program(command).is_some_and(|program| program.ends_with("()"))
    };
    // What stands behind `||` takes care of a failure itself.
    let can_fail = |command: &Command| command.joint != Joint::Or && !is_harmless(command) && !declares(command);
    script.commands.windows(2).any(|pair| pair[1].joint == Joint::Next && can_fail(&pair[0]))
}

/// Whether `words`, given to `set` or to a shell, set the option called `letter` or `name`.
fn sets_option(words: &[&str], letter: char, name: &str) -> bool {
    let short = |word: &str| word.starts_with('-') && !word.starts_with("--") && word.contains(letter);
    let long = |pair: &[&str]| pair[0].starts_with('-') && pair[0].ends_with('o') && pair[1] == name;
    words.iter().any(|word| short(word)) || words.windows(2).any(long)
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
fn deleted(file: &File<'_>, command: &Command) -> Vec<Span> {
    let is_recursive = |word: &str| {
        word == "--recursive" || (word.starts_with('-') && !word.starts_with("--") && word.contains(['r', 'R']))
    };
    if program(command) != Some("rm") || !command.texts().any(is_recursive) {
        return Vec::new();
    }
    let operands = command.words.iter().skip_while(|word| !word.text.ends_with("rm"));
    let bare = operands.flat_map(|word| &word.bare);
    // What a command gives is no variable that somebody forgot to set.
    let is_variable = |text: &str| !text.contains(":?") && !text.starts_with("$(") && !text.starts_with('`');
    bare.filter(|span| is_variable(file.text(span))).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::RULE;
    use crate::rules::testing::check;
    use schemas::severity::Severity::{Low, Medium};

    #[test]
    fn scripts_that_go_on() {
        let run = |text: &str, expected: &[_]| check(&RULE, "a.sh", text, expected);
        run("#!/bin/sh\ncd a\nmake\n", &[(1, Low)]);
        run("#!/usr/bin/env bash\nset -u\nmake\nb\n", &[(1, Low)]);
        run("#!/usr/bin/env bash\nset -u\nmake\n", &[]);
        run("#!/bin/sh\nfail()\n{\n  echo a >&2\n  exit 2\n}\nb || fail\n", &[]);
        run("#!/bin/bash\nset -e\na | b\n", &[(1, Low)]);
        for first in ["#!/bin/sh -e\na\nb", "#!/bin/bash\nset -euo pipefail\na | b", "#!/bin/sh\nset -o errexit\na"] {
            run(first, &[]);
        }
        run("#!/bin/sh\nset -e\na | b\n", &[]);
        run("#!/bin/sh\nexec a\n", &[]);
        run("#!/bin/sh\nA=$(b)\nexport A=1\nexec c \"$@\"\n", &[]);
        run("#!/bin/sh\n[ -z \"$A\" ] && export A=b\ntype \"$A\" || not_found\nc\n", &[]);
        run("#!/bin/sh\nb\nexec c\n", &[(1, Low)]);
        run("#!/bin/bash\ntrap 'echo failed' ERR\na | b\n", &[]);
        run("cd a\nmake | b\n", &[]);
        run("#!/bin/sh\ncd a || exit 1\nmake || exit 2\n", &[]);
        run("#!/usr/bin/env -S bash -eo pipefail\na | b\n", &[]);
    }

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
        run("rm $A\n", &[]);
        run("PATH=$A rm -rf \"$B\"\n", &[]);
        run("echo rm -rf $A\n", &[]);
    }

    #[test]
    fn hooks_are_scripts_and_makefiles_are_not() {
        check(&RULE, ".githooks/pre-commit", "#!/bin/sh\na\nb\n", &[(1, Low)]);
        check(&RULE, ".husky/pre-push", "npm test\ncurl a | sh\n", &[(2, Medium)]);
        check(&RULE, ".husky/pre-commit", "npm test\nnpm run lint\n", &[]);
        check(&RULE, ".githooks/pre-commit", "#!/usr/bin/env python3\nrun()\n", &[]);
        check(&RULE, "Makefile", "clean:\n\trm -rf $(OUT) $A\n", &[]);
    }
}
