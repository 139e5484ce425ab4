//! Calls that run whatever they are given.

mod copies;
mod origin;
mod reach;
mod trusted;

use std::cell::LazyCell;

use schemas::severity::Severity;

use crate::outline::Call;
use crate::paths;
use crate::rules::calls::{arguments, is_path, is_whole, last_name, split};
use crate::rules::{Check, File, Findings, Hit, rule};

use reach::Reach;

rule!(
    /// ## What it finds
    /// Calls that give something other than a literal to a shell: `os.system`, `shell=True`, `child_process.exec`,
    /// `Runtime.exec`, `shell_exec`, `system`, a shell with `-c` (high, in scripts and tools medium); calls that run as code what
    /// comes from outside: `eval`, `exec`, `new Function`; and calls that build any object that the data asks for:
    /// `pickle.loads`, `yaml.load` without a safe loader, `readObject`, `unserialize`, `Marshal.load`, `BinaryFormatter` and
    /// their kin (medium). In C and C++ calls that write on past the end of what they fill, if the text is long enough: `gets`
    /// (high), `strcpy`, `strcat`, `sprintf` (medium).
    ///
    /// What is run has to come from others, as far as the function around the call shows: what a network or a page brings, or a
    /// parameter, unless the name of the function, its class or its documentation says that it runs or builds what it is given
    /// (then medium). What somebody types or sets who starts the program (`argv`, options, the environment) is none: they may
    /// run anything anyway. In programs that only the team runs (`contrib/`, `scripts/`, tasks) only what comes over a network
    /// counts. Left alone are literals, constants and entries of their tables, code that a program makes for itself, a file that
    /// is named so that it is run, commands and code that a function is given under such a name, numbers, ids and hashes within
    /// commands, private functions called with literals only, tests, examples, benchmarks, copies of libraries, tools to run
    /// what is typed, `eval` in shells, and calls beside which a linter is silenced with a reason. So is data that lies beside
    /// the code, is signed, kept in a cache or session, packed in the same file or by a process of the same program, streams
    /// of objects, what was escaped, quoted or checked, a `yaml` of another package, and copies in C of constants or of texts
    /// whose length was looked at.
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
    "servant/dangerous-call", Servant, High, version: 7, Check::Code(check)
);

/// Without knowing where the text comes from this is as sure as it gets.
const CONFIDENCE: u16 = 700;

/// How long the text can be is often known, if not from the call.
const CONFIDENCE_OF_COPIES: u16 = 500;

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

/// Ends of paths of functions of Python that build whatever the data asks for.
const PYTHON_BUILDERS: &[&str] = &[
    "cPickle.load",
    "cPickle.loads",
    "dill.load",
    "dill.loads",
    "jsonpickle.decode",
    "marshal.loads",
    "pickle.load",
    "pickle.loads",
    "yaml.full_load",
    "yaml.load",
    "yaml.load_all",
    "yaml.unsafe_load",
];

/// The same of Swift.
const SWIFT_BUILDERS: &[&str] =
    &["NSKeyedUnarchiver.unarchiveObject", "NSKeyedUnarchiver.unarchiveTopLevelObjectWithData"];

/// Names of shells.
const SHELL_NAMES: &[&str] =
    &["/bin/bash", "/bin/sh", "bash", "cmd", "cmd.exe", "powershell", "powershell.exe", "sh", "zsh"];

/// How far in front of an argument the name of the shell is looked for.
const SHELL_BYTES_MAX: usize = 120;

/// Ends of paths of functions that start the first of their arguments with the others.
const PROGRAM_STARTERS: &[&str] = &["ProcessBuilder", "Process.Start", "exec.Command", "exec.CommandContext"];

/// Classes of .NET that build whatever the data asks for.
const DOTNET_BUILDERS: &[&str] =
    &["BinaryFormatter", "LosFormatter", "NetDataContractSerializer", "ObjectStateFormatter", "SoapFormatter"];

/// Signs that what PHP runs was made harmless.
const PHP_GUARDS: &[&str] = &["escapeshellarg", "escapeshellcmd"];

/// Directories of programs that show how something is used, or measure it.
const SHOWS: &[&str] =
    &["bench", "benches", "benchmark", "benchmarks", "demo", "demos", "example", "examples", "sample", "samples"];

/// Directories of programs that the team runs itself.
const SCRIPT_DIRECTORIES: &[&str] = &["bin", "script", "scripts", "tool", "tools"];

/// Parts of paths of tools that exist to run what is typed.
const TOOLS: &[&str] = &["console", "debugger", "interactive", "repl", "shell"];

fn check(file: &File<'_>, found: &mut Findings<'_>) {
    let path = file.source.path.to_ascii_lowercase();
    if file.is_foreign()
        || TOOLS.iter().any(|tool| path.contains(tool))
        || paths::is_documentation(&path)
        || paths::has_directory(&path, SHOWS)
    {
        return;
    }
    // Whoever sits in front of it may run anything anyway.
    let is_typed = |call: &Call| file.text(&call.callee) == "input";
    if path.ends_with(".py") && file.outline.calls.iter().any(is_typed) {
        return;
    }
    let is_script = paths::has_directory(&path, SCRIPT_DIRECTORIES);
    for call in &file.outline.calls {
        if found.is_full() {
            return;
        }
        let danger = if call.is_constant { danger_of_name(file, call) } else { danger(file, call) };
        let Some(danger) =
            danger.filter(|_| !file.is_test_code(call.callee.start) && !origin::is_explained(file, call))
        else {
            continue;
        };
        let copies = matches!(danger, Danger::Copy | Danger::Unbounded);
        let reach = if copies { Some(Reach::Sent) } else { reach::reach(file, call, danger) };
        let Some(reach) = reach else { continue };
        found.push(Hit {
            place: file.place(call.callee.start..call.arguments.end),
            severity: danger.severity(is_script || reach == Reach::Given),
            confidence_permille: if danger == Danger::Copy { CONFIDENCE_OF_COPIES } else { CONFIDENCE },
            message: danger.message().to_owned(),
            suggestion: danger.suggestion(),
        });
    }
}

/// What is dangerous about a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Danger {
    Code,
    Program,
    Shell,
    Builder,
    Unbounded,
    Copy,
}

impl Danger {
    const fn message(self) -> &'static str {
        match self {
            Self::Code => "runs text as code",
            Self::Program => "runs text as a program",
            Self::Shell => "runs text in a shell",
            Self::Builder => "builds whatever objects the data asks for",
            Self::Unbounded => "reads on past the end of what it fills",
            Self::Copy => "writes on past the end of what it fills if the text is too long",
        }
    }

    const fn suggestion(self) -> &'static str {
        match self {
            Self::Code | Self::Program | Self::Shell | Self::Builder => {
                "start programs with a list of arguments and no shell; read data in a format that holds data only"
            }
            Self::Unbounded | Self::Copy => "use the function of the family that is told how much there is room for",
        }
    }

    /// What is run as code and what is built is the program's own nearly as often as not.
    /// So is what a parameter brings, and what runs in programs that the team starts itself, as `is_mild` says.
    const fn severity(self, is_mild: bool) -> Severity {
        match self {
            Self::Unbounded => Severity::High,
            Self::Program | Self::Shell if !is_mild => Severity::High,
            Self::Program | Self::Shell | Self::Code | Self::Builder | Self::Copy => Severity::Medium,
        }
    }
}

/// Whether `text` is one literal, and no sum of several or a template with values.
fn is_literal(text: &str) -> bool {
    let is_one = split(text, |rest| rest.starts_with(['+', '%', '.']).then_some(1)).len() == 1;
    is_one && text.starts_with(['"', '\'', '[']) && text.ends_with(['"', '\'', ']'])
}

/// Whether the language puts values into the literal `text`.
fn is_filled(file: &File<'_>, text: &str) -> bool {
    let mark = match paths::extension(file.source.path) {
        Some("kt" | "kts" | "php" | "phtml") => "$",
        Some("gemspec" | "rake" | "rb" | "ru") => "#{",
        _ => return false,
    };
    text.starts_with('"') && text.contains(mark)
}

/// What is dangerous about `call`, which has no arguments but literals.
fn danger_of_name(file: &File<'_>, call: &Call) -> Option<Danger> {
    let callee = file.text(&call.callee);
    let text = file.source.text.as_ref();
    // A class that reads itself does so by a method of this name.
    let reads_object = matches!(paths::extension(file.source.path), Some("java" | "kt" | "kts"))
        && last_name(callee) == "readObject"
        && text.contains("ObjectInputStream")
        && !text.contains("ObjectInputFilter")
        && !is_declared_here(file, "readObject")
        && !origin::is_own_data(file, call);
    reads_object.then_some(Danger::Builder)
}

/// What is dangerous about `call`, which has something other than literals.
fn danger(file: &File<'_>, call: &Call) -> Option<Danger> {
    let callee = file.text(&call.callee);
    let is_one_of = |names: &[&str]| names.iter().any(|name| is_path(callee, name));
    // Most calls are ruled out by their names.
    let all = LazyCell::new(|| arguments(file, &call.arguments));
    let first = || all.first().copied().unwrap_or_default();
    if is_runner(file, callee) && is_whole(file, call) && !is_declared_here(file, callee) {
        // Of several arguments of `Function` the last one is the body.
        let text = if callee == "Function" { all.last().copied().unwrap_or_default() } else { first() };
        let is_text = !is_literal(text) || is_filled(file, text);
        // A module in Python makes code for itself when it is loaded.
        let is_loaded = callee == "exec" && call.function.is_none();
        return (is_text && !is_loaded && origin::is_foreign_code(file, call, text)).then_some(Danger::Code);
    }
    let is_node = ["exec", "execSync"].contains(&callee) && is_whole(file, call) && imports(file, "child_process");
    if is_one_of(SHELLS) || is_node || is_shell(file, call, callee) {
        return origin::is_put_together(file, call, first()).then_some(Danger::Program);
    }
    if is_builder(file, call, callee) {
        return (!is_safe_loader(file, call, callee) && !origin::is_own_data(file, call)).then_some(Danger::Builder);
    }
    if is_one_of(STARTERS) {
        let uses_shell = all.iter().any(|one| matches!(one.replace(' ', "").as_str(), "shell=True" | "{shell:true}"));
        return (uses_shell && origin::is_put_together(file, call, first())).then_some(Danger::Shell);
    }
    shell_argument(file, call, callee).then_some(Danger::Shell).or_else(|| copies::overrun(file, call, callee))
}

/// Whether `call` reads YAML by a loader that builds data only, or with a library that has no other.
fn is_safe_loader(file: &File<'_>, call: &Call, callee: &str) -> bool {
    let given = file.text(&call.arguments);
    let text = file.source.text.as_ref();
    let is_chosen = given.contains("Loader") && text.contains("SafeLoader");
    let is_round_trip = text.contains("YAML(") || text.contains("ruamel");
    callee.contains("yaml.load") && (given.contains("BaseLoader") || is_chosen || is_round_trip)
}

/// Whether `call` hands text to a shell behind `-c`: `exec.Command("sh", "-c", x)` or `Command::new("sh").arg("-c").arg(x)`.
fn shell_argument(file: &File<'_>, call: &Call, callee: &str) -> bool {
    let text = file.source.text.as_ref();
    if PROGRAM_STARTERS.iter().any(|starter| is_path(callee, starter)) {
        let all = arguments(file, &call.arguments);
        let Some(at) = all.iter().position(|one| SHELL_NAMES.contains(&one.trim_matches('"'))) else { return false };
        // In .NET all arguments are one text.
        let is_told = |one: &str| one.starts_with("\"-c") || one.to_ascii_lowercase().starts_with("\"/c");
        let rest = all.get(at + 1..).unwrap_or_default();
        return rest.first().is_some_and(|one| is_told(one))
            && rest.iter().any(|one| origin::is_put_together(file, call, one));
    }
    if callee != "arg" {
        return false;
    }
    let before = text[..call.callee.start].trim_end_matches('.').trim_end();
    let start = before.floor_char_boundary(before.len().saturating_sub(SHELL_BYTES_MAX));
    let names_shell = || SHELL_NAMES.iter().any(|shell| before[start..].contains(&format!("\"{shell}\"")));
    let first = || arguments(file, &call.arguments).first().copied().unwrap_or_default().to_owned();
    before.ends_with("(\"-c\")")
        && names_shell()
        && origin::is_put_together(file, call, first().trim_start_matches('&'))
}

/// Whether `call` runs its first argument as a program, by the words of its language.
fn is_shell(file: &File<'_>, call: &Call, callee: &str) -> bool {
    let before = &file.source.text[..call.callee.start];
    let is_own = || is_whole(file, call) && !is_declared_here(file, callee);
    match paths::extension(file.source.path) {
        Some("java" | "kt" | "kts") => {
            let is_runtime = || callee.ends_with("getRuntime().exec") || before.ends_with("getRuntime().");
            last_name(callee) == "exec" && is_runtime() && !is_list_of_java(file, call)
        }
        Some("php" | "phtml") => {
            let body = origin::around(file, call).map_or(&call.arguments, |function| &function.span);
            let is_guarded = PHP_GUARDS.iter().any(|guard| file.text(body).contains(guard));
            matches!(callee, "exec" | "passthru" | "popen" | "proc_open" | "shell_exec" | "system")
                && !is_guarded
                && is_own()
        }
        // With several arguments there is no shell between them and the program.
        Some("gemspec" | "rake" | "rb" | "ru") => {
            let is_known = matches!(callee, "exec" | "spawn" | "system")
                || ["IO.popen", "Kernel.exec", "Kernel.spawn", "Kernel.system", "Open3.capture2e", "Open3.capture3"]
                    .contains(&callee);
            let all = arguments(file, &call.arguments);
            let is_split = all.first().is_some_and(|first| first.starts_with(['*', '[']));
            is_known && all.len() == 1 && !is_split && is_own()
        }
        _ if paths::is_c(file.source.path) => matches!(callee, "popen" | "std::system" | "system") && is_own(),
        _ => false,
    }
}

/// Whether what `call` starts is given as a list, in Java or Kotlin.
fn is_list_of_java(file: &File<'_>, call: &Call) -> bool {
    let first = arguments(file, &call.arguments).first().copied().unwrap_or_default();
    let body = origin::around(file, call).map_or("", |function| file.text(&function.span));
    ["new String[]", "arrayOf("].iter().any(|list| first.starts_with(list))
        || ["[] ", "List<String> "].iter().any(|list| body.contains(&format!("{list}{first}")))
}

/// Whether `call` builds any object that its data asks for, by the words of its language.
fn is_builder(file: &File<'_>, call: &Call, callee: &str) -> bool {
    let is_one_of = |names: &[&str]| names.iter().any(|name| is_path(callee, name));
    match paths::extension(file.source.path) {
        Some("py" | "pyw") => is_one_of(PYTHON_BUILDERS) && !trusted::is_wrapper(file, callee),
        Some("gemspec" | "rake" | "rb" | "ru") => is_one_of(&["Marshal.load", "YAML.unsafe_load"]),
        Some("swift") => is_one_of(SWIFT_BUILDERS),
        Some("cjs" | "js" | "jsx" | "mjs" | "cts" | "mts" | "ts" | "tsx") => is_path(callee, "serialize.unserialize"),
        Some("php" | "phtml") => {
            callee == "unserialize" && is_whole(file, call) && !file.text(&call.arguments).contains("allowed_classes")
        }
        Some("cs" | "csx") => {
            let is_data_only = || ["Json", "Xml", "Yaml"].iter().any(|format| callee.contains(format));
            let is_open = || DOTNET_BUILDERS.iter().any(|class| file.source.text.contains(class));
            last_name(callee) == "Deserialize" && !is_data_only() && is_open()
        }
        _ => false,
    }
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
            matches!(callee, "eval" | "Function")
        }
        Some("php" | "phtml") => matches!(callee, "create_function" | "eval"),
        Some("gemspec" | "rake" | "rb" | "ru") => matches!(callee, "Kernel.eval" | "eval"),
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
