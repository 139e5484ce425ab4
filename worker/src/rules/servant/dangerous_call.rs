//! Calls that run whatever they are given.

use schemas::severity::Severity;

use crate::outline::Call;
use crate::paths;
use crate::rules::calls::{arguments, is_in_tests, is_path, is_whole, split};
use crate::rules::{Check, File, Findings, Hit, rule};

rule!(
    /// ## What it finds
    /// Calls that run text as a program, with something other than a literal: `eval`, `exec`, `new Function`, `os.system`,
    /// `shell=True`, `child_process.exec`, a shell with `-c`; and calls that build any object that the data asks for:
    /// `pickle.loads`, `yaml.load` without a safe loader and their kin.
    ///
    /// Literals, tests, and tools that exist to run what is typed are left alone. Where the text comes from is not followed.
    ///
    /// ## Why it matters
    /// Whoever can put a part into that text runs programs of their choice with the rights of this one.
    ///
    /// ## Example
    /// ```text
    /// os.system("convert " + name)
    /// ```
    ///
    /// ## How to fix
    /// Start the program with a list of arguments and no shell; parse with a format that holds data only, such as JSON.
    "servant/dangerous-call", Servant, High, version: 1, Check::Code(check)
);

/// Without knowing where the text comes from this is as sure as it gets.
const CONFIDENCE: u16 = 700;

/// Ends of paths of functions that run what they are given.
const SHELLS: &[&str] = &[
    "child_process.exec",
    "child_process.execSync",
    "commands.getoutput",
    "os.popen",
    "os.system",
    "subprocess.getoutput",
    "subprocess.getstatusoutput",
    "vm.runInContext",
    "vm.runInNewContext",
    "vm.runInThisContext",
];

/// Ends of paths of functions that run what they are given if told to use a shell.
const STARTERS: &[&str] = &[
    "Popen",
    "child_process.spawn",
    "subprocess.call",
    "subprocess.check_call",
    "subprocess.check_output",
    "subprocess.run",
];

/// Ends of paths of functions that build whatever the data asks for.
const BUILDERS: &[&str] = &[
    "cPickle.load",
    "cPickle.loads",
    "dill.load",
    "dill.loads",
    "jsonpickle.decode",
    "marshal.loads",
    "pickle.load",
    "pickle.loads",
    "serialize.unserialize",
    "yaml.full_load",
    "yaml.load",
    "yaml.load_all",
    "yaml.unsafe_load",
];

/// Names of shells, quoted.
const SHELL_NAMES: &[&str] =
    &["\"/bin/bash\"", "\"/bin/sh\"", "\"bash\"", "\"cmd\"", "\"powershell\"", "\"sh\"", "\"zsh\""];

/// How far in front of an argument the name of the shell is looked for.
const SHELL_BYTES_MAX: usize = 120;

/// Parts of paths of tools that exist to run what is typed.
const TOOLS: &[&str] = &["console", "debugger", "interactive", "repl", "shell"];

fn check(file: &File<'_>, found: &mut Findings<'_>) {
    let path = file.source.path.to_ascii_lowercase();
    if TOOLS.iter().any(|tool| path.contains(tool)) || paths::is_documentation(&path) {
        return;
    }
    for call in file.outline.calls.iter().filter(|call| !call.is_constant) {
        if found.is_full() {
            return;
        }
        let Some(message) = danger(file, call).filter(|_| !is_in_tests(file, call.callee.start)) else { continue };
        found.push(Hit {
            place: file.place(call.callee.start..call.arguments.end),
            severity: Severity::High,
            confidence_permille: CONFIDENCE,
            message: message.to_owned(),
            suggestion: "start programs with a list of arguments and no shell; read data in a format that holds data only",
        });
    }
}

/// Whether `text` is one literal, and no sum of several or a template with values.
fn is_literal(text: &str) -> bool {
    let is_one = split(text, |rest| rest.starts_with(['+', '%', '.']).then_some(1)).len() == 1;
    is_one && text.starts_with(['"', '\'', '[']) && text.ends_with(['"', '\'', ']'])
}

/// What is dangerous about `call`, which has something other than literals.
fn danger(file: &File<'_>, call: &Call) -> Option<&'static str> {
    let callee = file.text(&call.callee);
    let is_one_of = |names: &[&str]| names.iter().any(|name| is_path(callee, name));
    if is_whole(file, call) && is_runner(file, callee) && !is_declared_here(file, callee) {
        return Some("runs text as code");
    }
    if is_one_of(SHELLS) || (callee == "execSync" && imports(file, "child_process")) {
        let first = arguments(file, &call.arguments).first().copied().unwrap_or_default();
        return (!is_literal(first)).then_some("runs text as a program");
    }
    if is_one_of(BUILDERS) {
        let is_safe =
            file.text(&call.arguments).contains("SafeLoader") || file.text(&call.arguments).contains("BaseLoader");
        return (!is_safe).then_some("builds whatever objects the data asks for");
    }
    if is_one_of(STARTERS) {
        let all = arguments(file, &call.arguments);
        let uses_shell = all.iter().any(|one| matches!(one.replace(' ', "").as_str(), "shell=True" | "{shell:true}"));
        return (uses_shell && !all.first().is_some_and(|first| is_literal(first))).then_some("runs text in a shell");
    }
    shell_argument(file, call, callee).then_some("runs text in a shell")
}

/// Whether `call` hands text to a shell behind `-c`: `exec.Command("sh", "-c", x)` or `Command::new("sh").arg("-c").arg(x)`.
fn shell_argument(file: &File<'_>, call: &Call, callee: &str) -> bool {
    let text = file.source.text.as_ref();
    let all = arguments(file, &call.arguments);
    if is_path(callee, "exec.Command") || is_path(callee, "exec.CommandContext") {
        let at = all.iter().position(|one| SHELL_NAMES.contains(one));
        return at.is_some_and(|at| matches!(all.get(at + 1), Some(&"\"-c\"" | &"\"/C\"")) && all.len() > at + 2);
    }
    let before = text[..call.callee.start].trim_end_matches('.').trim_end();
    let start = before.floor_char_boundary(before.len().saturating_sub(SHELL_BYTES_MAX));
    callee == "arg" && before.ends_with("(\"-c\")") && SHELL_NAMES.iter().any(|shell| before[start..].contains(shell))
}

fn imports(file: &File<'_>, module: &str) -> bool {
    file.outline.imports.iter().any(|import| file.text(&import.module).contains(module))
        || file.source.text.contains(&format!("require('{module}')"))
        || file.source.text.contains(&format!("require(\"{module}\")"))
}

/// Whether `callee` is a function of the language itself that runs text.
fn is_runner(file: &File<'_>, callee: &str) -> bool {
    match paths::extension(file.source.path) {
        Some("py" | "pyw") => matches!(callee, "eval" | "exec" | "execfile"),
        Some("cjs" | "js" | "jsx" | "mjs" | "cts" | "mts" | "ts" | "tsx") => {
            matches!(callee, "eval" | "Function") || (callee == "exec" && imports(file, "child_process"))
        }
        _ => false,
    }
}

/// Whether the file declares a function of that name itself.
fn is_declared_here(file: &File<'_>, name: &str) -> bool {
    file.outline.functions.iter().any(|function| file.text(&function.name) == name)
}

#[cfg(test)]
#[path = "dangerous_call/tests.rs"]
mod tests;
