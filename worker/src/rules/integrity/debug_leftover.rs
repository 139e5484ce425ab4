//! Traces of somebody looking for a mistake.

mod shapes;

use schemas::severity::Severity;

use crate::names::words;
use crate::outline::{Call, Function, Span};
use crate::paths;
use crate::rules::calls::{arguments, is_whole, last_name};
use crate::rules::{Check, File, Findings, Hit, rule};

rule!(
    /// ## What it finds
    /// Stops for a debugger: `breakpoint()`, `pdb.set_trace()`, `debugger`, `runtime.Breakpoint()`, `binding.pry`,
    /// `Debugger.Break()` (medium); `dbg!`, `var_dump`, `dd`, and prints that can hardly be for anybody but who wrote them (low):
    /// of a name with its value (`print("rows", rows)`, `console.log('rows: ' + rows)`), of a mark (`print("here")`), of inner
    /// state (`print(self._rows)`), of a type or in the notation for debugging (`println!("{rows:?}")`).
    ///
    /// A print of a message or of a result is left alone, whoever it is for: nothing tells a message left behind from one that is
    /// meant. Programs, examples, scripts and tests may print anything; so may functions whose name or documentation says that
    /// they print, log or report, and files that print often. What a mark for another linter stands beside is known to somebody;
    /// a print or stop that was asked for by a setting or a signal is no leftover, nor are last words before the program ends.
    ///
    /// ## Why it matters
    /// A stop halts whatever runs the code. What a library prints ends up between the output of the program that uses it.
    ///
    /// ## Example
    /// ```text
    /// let total = dbg!(sum(&rows));
    /// ```
    ///
    /// ## How to fix
    /// Take it out. What is worth knowing goes to the log.
    "integrity/debug-leftover", Integrity, Medium, version: 7, Check::Code(check)
);

/// Stops for a debugger.
const STOPS: &[&str] = &[
    "Debugger.Break",
    "Debugger.Launch",
    "System.Diagnostics.Debugger.Break",
    "System.Diagnostics.Debugger.Launch",
    "breakpoint",
    "ipdb.set_trace",
    "pdb.set_trace",
    "pudb.set_trace",
    "runtime.Breakpoint",
    "xdebug_break",
];

/// Stops for a debugger that are a line of their own, in Ruby; the last one in JavaScript too.
const STOP_LINES: &[&str] = &["binding.break", "binding.irb", "binding.pry", "byebug", "debugger"];

/// What is a stop in Python, and in scripts of the web a width of the screen.
const PYTHON_STOP: &str = "breakpoint";

/// Marks for other linters that allow a print or a stop.
const ALLOWANCES: &[&str] = &[
    "NOLINT",
    "NOSONAR",
    "T100",
    "T201",
    "T203",
    "eslint-disable",
    "forbidigo",
    "no-console",
    "no-debugger",
    "noinspection",
    "nolint",
    "noqa",
    "print_stdout",
    "swiftlint:disable",
];

/// Calls that show a value to whoever debugs, and are for nothing else.
const SHOWS: &[&str] = &["dbg!", "dd", "var_dump"];

/// What prints to the output of the program.
const PRINTS: &[&str] = &[
    "Console.WriteLine",
    "System.out.println",
    "console.dir",
    "console.log",
    "console.table",
    "console.trace",
    "debugPrint",
    "fmt.Print",
    "fmt.Printf",
    "fmt.Println",
    "print",
    "print!",
    "print_r",
    "println",
    "println!",
];

/// How much of a line is searched for one.
const LINE_BYTES_MAX: usize = 300;

/// Prints of a file up to which they are stray.
const STRAY_MAX: usize = 3;

/// Directories whose files are programs, and may print.
const PROGRAM_DIRECTORIES: &[&str] = &[
    "bench",
    "benches",
    "benchmarks",
    "bin",
    "cli",
    "cmd",
    "command",
    "commands",
    "demo",
    "demos",
    "example",
    "examples",
    "scripts",
    "tasks",
    "tools",
    "xtask",
];

/// Words in names of files and functions that print on purpose.
const PRINTING_WORDS: &[&str] = &[
    "build", "cli", "config", "console", "debug", "display", "dump", "echo", "help", "log", "main", "manage", "print",
    "report", "setup", "show", "trace", "usage", "verbose", "version", "warn", "write",
];

/// Names of functions that are there to show a value to whoever debugs.
const SHORT_NAMES: &[&str] = &["dbg", "dbglog", "dd", "pp", "pr"];

/// The lint of Rust that a whole file may allow, or the item around a call.
const SHOW_LINT: &str = "allow(clippy::dbg_macro";

/// What prints in some languages, and is something else in others.
const BARE_PRINTS: &[&str] = &["print", "println"];

/// Extensions of languages where it is something else: in those of the web it asks for a printer, in Go it writes to the
/// standard error output.
const OTHER_EXTENSIONS: &[&str] = &["cjs", "cts", "go", "js", "jsx", "mjs", "mts", "ts", "tsx"];

/// Lines above a print in which the condition stands that it is asked for.
const CONDITION_LINES: usize = 5;

/// Words of settings that ask for output, as a condition names them.
const ASKING_WORDS: &[&str] = &["debug", "disp", "dump", "false", "iprint", "print", "show", "trace", "verbos"];

/// The same, where a longer word says something else: an emitter emits whatever it is asked.
const ASKING_WHOLE: &[&str] = &["emit"];

/// How a handler of a signal is set.
const SIGNAL_CALLS: &[&str] = &["signal.signal(", "add_signal_handler("];

/// Lines below a print in which the program ends.
const END_LINES: usize = 4;

/// What ends a program, so that what was printed before are its last words.
const ENDS: &[&str] = &["Exit(", "abort(", "exit(", "panic(", "panic!(", "raise ", "throw ", "throw("];

/// How much of a function's beginning is read as its documentation.
const DOCUMENTATION_BYTES_MAX: usize = 300;

fn check(file: &File<'_>, found: &mut Findings<'_>) {
    for call in &file.outline.calls {
        let callee = file.text(&call.callee);
        if is_stop(file, callee) && is_whole(file, call) {
            if is_wrapped(file, call) || is_asked_for(file, call.callee.start) || is_handler(file, call) {
                continue;
            }
            report(file, call.callee.clone(), Severity::Medium, 950, found);
        } else if is_show(file, call) && !is_told_to_show(file, call) {
            report(file, call.callee.clone(), Severity::Low, 950, found);
        }
    }
    let stop_lines = stop_lines(file);
    for line in file.source.lines().filter(|_| !stop_lines.is_empty()) {
        let text = file.text(&line);
        let word = text.trim_start().trim_end().trim_end_matches(';');
        let start = line.start + (text.len() - text.trim_start().len());
        if stop_lines.contains(&word) && !file.outline.is_quoted(start) && !is_asked_for(file, start) {
            report(file, start..start + word.len(), Severity::Medium, 900, found);
        }
    }
    let prints: Vec<&Call> = file.outline.calls.iter().filter(|call| is_print(file, call)).collect();
    if (1..=STRAY_MAX).contains(&prints.len()) && !is_program(file) {
        for call in
            prints.into_iter().filter(|call| shapes::is_for_debugging(file, call) && !prints_on_purpose(file, call))
        {
            report(file, call.callee.clone(), Severity::Low, 700, found);
        }
    }
}

fn is_stop(file: &File<'_>, callee: &str) -> bool {
    let is_python = || matches!(paths::extension(file.source.path), Some("py" | "pyw"));
    STOPS.contains(&callee) && (callee != PYTHON_STOP || is_python())
}

/// The lines that are stops in the language of `file`.
fn stop_lines(file: &File<'_>) -> &'static [&'static str] {
    match paths::extension(file.source.path) {
        Some("rb" | "rake") => STOP_LINES,
        Some(extension) if extension != "go" && OTHER_EXTENSIONS.contains(&extension) => {
            &STOP_LINES[STOP_LINES.len() - 1..]
        }
        _ => &[],
    }
}

/// Whether a mark for another linter stands on the line of byte `at`, or on the line above.
fn is_allowed(file: &File<'_>, at: usize) -> bool {
    let line = file.source.line_of(at);
    let own = file.source.line_span(line);
    let beside = file.text(&(at..file.source.text.floor_char_boundary(own.end.min(at + LINE_BYTES_MAX)).max(at)));
    let above = if line > 0 { file.text(&file.source.line_span(line - 1)) } else { "" };
    let above = &above[..above.floor_char_boundary(LINE_BYTES_MAX)];
    ALLOWANCES.iter().any(|mark| beside.contains(mark) || above.contains(mark))
}

/// Whether the function around `call` is named after it: it is there to be called by who wants to stop.
fn is_wrapped(file: &File<'_>, call: &Call) -> bool {
    let function = call.function.and_then(|index| file.outline.functions.get(index));
    let stop = last_name(file.text(&call.callee));
    function.is_some_and(|function| file.text(&function.name).eq_ignore_ascii_case(stop))
}

fn report(file: &File<'_>, span: Span, severity: Severity, confidence_permille: u16, found: &mut Findings<'_>) {
    if is_allowed(file, span.start) {
        return;
    }
    found.push(Hit {
        message: format!("`{}` was left here", file.text(&span)),
        place: file.place(span),
        severity,
        confidence_permille,
        suggestion: "take it out; what is worth knowing goes to the log",
    });
}

/// Whether `call` shows a value; what the file or its framework calls `dd` in another language is something else.
fn is_show(file: &File<'_>, call: &Call) -> bool {
    let is_php = matches!(paths::extension(file.source.path), Some("php" | "phtml"));
    match file.text(&call.callee) {
        "dbg!" => true,
        callee => is_php && SHOWS.contains(&callee) && is_whole(file, call) && !file.is_test_code(call.callee.start),
    }
}

/// Whether an attribute of the file or of the function around `call` allows to show values, or a function of that purpose does.
fn is_told_to_show(file: &File<'_>, call: &Call) -> bool {
    let function = call.function.and_then(|index| file.outline.functions.get(index));
    let name = function.map(|function| file.text(&function.name).to_ascii_lowercase()).unwrap_or_default();
    let text = file.source.text.as_ref();
    let is_around = |at: usize| {
        let is_whole_file = text[..at].ends_with("#![");
        let last = &file.source.text[at..call.callee.start];
        // An attribute belongs to the item below it, which has not ended before the call.
        is_whole_file || !last.lines().any(|line| line == "}" || line.trim_end() == "    }")
    };
    let mut allowed = text[..call.callee.start].match_indices(SHOW_LINT).map(|(at, _)| at);
    SHORT_NAMES.contains(&name.as_str()) || allowed.any(is_around)
}

fn is_print(file: &File<'_>, call: &Call) -> bool {
    let callee = file.text(&call.callee);
    if !PRINTS.contains(&callee) {
        return false;
    }
    let is_elsewhere = |extension| OTHER_EXTENSIONS.contains(&extension);
    let extension = paths::extension(file.source.path);
    let is_other = (BARE_PRINTS.contains(&callee) && extension.is_some_and(is_elsewhere))
        // Only Swift has it; elsewhere it is a function of the project.
        || (callee == "debugPrint" && extension != Some("swift"));
    // With a second argument it hands the text back.
    let is_value = callee == "print_r" && arguments(file, &call.arguments).len() > 1;
    !is_value
        && !is_other
        && !prints_for_a_living(file)
        && is_whole(file, call)
        && !file.is_test_code(call.callee.start)
}

/// Whether the file is in a language whose programs talk by printing.
fn prints_for_a_living(file: &File<'_>) -> bool {
    let extension = paths::extension(file.source.path);
    matches!(extension, Some("bash" | "bats" | "csx" | "ksh" | "kts" | "sh" | "zsh"))
}

/// Whether the file is a program, or part of one that talks to a person.
fn is_program(file: &File<'_>) -> bool {
    let path = file.source.path;
    let name = paths::file_name(path).to_ascii_lowercase();
    let has_main = file.outline.functions.iter().any(|function| file.text(&function.name) == "main");
    paths::has_directory(path, PROGRAM_DIRECTORIES)
        || paths::is_documentation(path)
        || PRINTING_WORDS.iter().any(|word| name.contains(word))
        || has_main
        || file.source.text.starts_with("#!")
        || file.source.text.contains("__main__")
}

/// Whether the function around `call` says that it prints, a condition asks for it, the program ends, or the print goes to a
/// file that was asked for.
fn prints_on_purpose(file: &File<'_>, call: &Call) -> bool {
    let function = call.function.and_then(|index| file.outline.functions.get(index));
    let name = function.map(|function| file.text(&function.name).to_ascii_lowercase()).unwrap_or_default();
    let is_script = call.function.is_none() && file.text(&call.callee) == "print";
    PRINTING_WORDS.iter().any(|word| name.contains(word))
        || SHORT_NAMES.contains(&name.as_str())
        || is_script
        || function.is_some_and(|function| is_documented_to_print(file, function))
        || is_asked_for(file, call.callee.start)
        || ends_below(file, call)
        || file.text(&call.arguments).contains("file=")
}

/// Whether the documentation in `function` says that it prints.
fn is_documented_to_print(file: &File<'_>, function: &Function) -> bool {
    let body = function.body.clone().unwrap_or(0..0);
    let head = file.text(&body);
    let head = &head[..head.floor_char_boundary(DOCUMENTATION_BYTES_MAX)];
    let docstring = file.outline.docstrings.iter().find(|string| body.contains(&string.start));
    docstring.is_some() && ["Print", "Display", "print the", "prints "].iter().any(|word| head.contains(word))
}

/// Whether `call` stands in a handler that is given to a signal, on the same line or by its name: who sends it wants to stop
/// there.
fn is_handler(file: &File<'_>, call: &Call) -> bool {
    let line = file.source.line_span(file.source.line_of(call.callee.start));
    let before = file.text(&(line.start..call.callee.start.max(line.start)));
    let function = call.function.and_then(|index| file.outline.functions.get(index));
    let name = function.map(|function| file.text(&function.name)).unwrap_or_default();
    let is_given = |text: &str| text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name);
    let is_set = |text: &str| SIGNAL_CALLS.iter().any(|set| text.contains(set));
    is_set(before) || (!name.is_empty() && file.source.text.lines().any(|text| is_set(text) && is_given(text)))
}

/// Whether a condition right above byte `at` asks for output or a stop.
fn is_asked_for(file: &File<'_>, at: usize) -> bool {
    let line = file.source.line_of(at);
    let above = (line.saturating_sub(CONDITION_LINES)..line).map(|line| file.text(&file.source.line_span(line)));
    let own = file.text(&(file.source.line_span(line).start..at));
    above.chain([own]).map(str::trim_start).filter_map(|text| text.split_once("if")).any(|(before, condition)| {
        let words = words(condition);
        before.chars().all(|c| !c.is_alphanumeric() && c != '_' || "else".contains(c))
            && words.iter().any(|word| {
                ASKING_WHOLE.contains(&word.as_str()) || ASKING_WORDS.iter().any(|asking| word.starts_with(asking))
            })
    })
}

/// Whether the program ends right below `call`.
fn ends_below(file: &File<'_>, call: &Call) -> bool {
    let line = file.source.line_of(call.callee.start);
    let below = (line + 1..=line + END_LINES).map(|line| file.text(&file.source.line_span(line)).trim_start());
    let mut below =
        below.take_while(|text| !["func ", "def ", "fn ", "function "].iter().any(|word| text.starts_with(word)));
    below.any(|text| ENDS.iter().any(|end| text.starts_with(end) || text.contains(&format!(".{end}"))))
}

#[cfg(test)]
#[path = "debug_leftover/tests.rs"]
mod tests;
