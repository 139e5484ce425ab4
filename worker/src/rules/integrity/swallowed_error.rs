//! Errors that vanish without a trace.

mod guarded;
mod harmless;
mod looks;
mod said;

use schemas::severity::Severity;

use guarded::{is_left_alone, writes};
use harmless::{is_named_ignored, says_so_around, writes_without_loss};
use looks::{hands_out_nothing, looks_for_a_value};
use said::is_explained;

use crate::names::words;
use crate::outline::{Discard, Handler, Span};
use crate::paths;
use crate::rules::{Check, File, Findings, Hit, rule};

rule!(
    /// ## What it finds
    /// Handlers for any error that do nothing, without a word why, around code that does something: `except: pass`,
    /// `catch (e) {}`, `if err != nil {}` and `if let Err(_) = .. {}`; and results of saving and the like that are thrown away by
    /// `.ok();` (high). Low where what is guarded returns a value and the function ends with the handler, where a comment only
    /// says that there is still something to be done, and where the handler names a kind as wide as `IOException`, which counts
    /// only if it is writing or saving that may fail. Results of saving and the like that are thrown away in plain sight,
    /// `let _ = save()`, `_ = save()`, `try? save()`, `@save()` and `save rescue nil`, are low too.
    ///
    /// Left alone are tests, handlers with any other comment, comments near them that speak of errors or say why, handlers for
    /// one kind of error, and what calls the error `ignored` or `expected`. Code that only looks for a value may do without it:
    /// what returns, sets or collects one, what is in a function called `find`, `is`, `has` and the like, and what
    /// looks for a module, a store or a part of a browser that may be missing. So may what closes and cleans up, in functions and
    /// `finally` blocks that do too, what prints or logs, what is done about another error or right before one is raised,
    /// functions that say by name or documentation that they ignore errors or do without (`closeQuietly`, `parse_safe`),
    /// benchmarks, questions about files (`getmtime`), answers on connections that are given up, messages to somebody who may be
    /// gone, and, in Go, what is written to anything but a file or a connection: others keep their error, or have none.
    ///
    /// ## Why it matters
    /// When it goes wrong nobody learns of it, and what follows works on what is not there. Such faults are found last.
    ///
    /// ## Example
    /// ```text
    /// try:
    ///     save(order)
    /// except Exception:
    ///     pass
    /// ```
    ///
    /// ## How to fix
    /// Hand the error on, or log it and say what happens instead. If it can be ignored, name its kind and say why.
    "integrity/swallowed-error", Integrity, High, version: 10, Check::Code(check)
);

/// Directories of what is run to be measured, with input that fails on purpose.
const BENCHMARK_DIRECTORIES: &[&str] = &["bench", "benches", "benchmark", "benchmarks"];

/// Kinds of error that stand for nearly every other.
const BROAD_KINDS: &[&str] = &["BaseException", "Error", "Exception", "StandardError", "Throwable", "exception"];

/// Modules of the languages themselves, where such kinds are at home.
const LANGUAGE_MODULES: &[&str] = &["System.", "builtins.", "java.lang.", "std::"];

/// Kinds of error that stand for whatever the world outside does: who writes and names one has not said what is expected.
const WIDE_KINDS: &[&str] =
    &["EnvironmentError", "IOError", "IOException", "OSError", "RuntimeException", "SQLException", "runtime_error"];

/// First words of functions that change something outside, where a failure means that it was not done.
const LASTING_WORDS: &[&str] =
    &["commit", "copy", "execute", "flush", "migrate", "persist", "rename", "save", "store", "sync", "upload", "write"];

/// Beginnings of names of what compilers of C have of their own: it moves values in memory, and gives back the one before.
const COMPILER_PREFIXES: &[&str] = &["__atomic_", "__builtin_", "__sync_"];

/// Last words of functions that write to somebody at the other end, who may be gone by then.
const SENT_WORDS: &[&str] = &["message", "msg", "reply", "response"];

/// Lines above a handler in which what it guards begins.
const GUARDED_LINES_MAX: usize = 40;

/// Lines below a handler in which the error that it kept is looked for.
const KEPT_LINES: usize = 5;

const SUGGESTION: &str = "hand the error on, or log it; if it can be ignored, name its kind and say why";

fn check(file: &File<'_>, found: &mut Findings<'_>) {
    let path = file.source.path;
    if file.is_foreign() || paths::is_test_input(path) || paths::has_directory(path, BENCHMARK_DIRECTORIES) {
        return;
    }
    for handler in file.outline.handlers.iter().filter(|handler| handler.is_empty) {
        let Some(severity) = of_handler(file, handler) else { continue };
        found.push(Hit {
            place: file.place(head(file, handler)),
            severity,
            confidence_permille: 900,
            message: if handler.has_comment { "error is ignored" } else { "error is ignored without a word" }
                .to_owned(),
            suggestion: SUGGESTION,
        });
    }
    for discard in &file.outline.discards {
        let Some((severity, confidence_permille)) = of_discard(file, discard) else { continue };
        found.push(Hit {
            place: file.place(discard.span.clone()),
            severity,
            confidence_permille,
            message: "result is thrown away, an error with it".to_owned(),
            suggestion: SUGGESTION,
        });
    }
}

/// How bad it is that `handler` does nothing; nothing if that may be.
fn of_handler(file: &File<'_>, handler: &Handler) -> Option<Severity> {
    if handler.is_cleanup || file.is_test_code(handler.span.start) {
        return None;
    }
    let names = |known| handler.caught.as_ref().is_some_and(|kinds| names_one_of(file, kinds, known));
    let is_broad = handler.caught.is_none() || names(BROAD_KINDS);
    let is_wide = !is_broad && names(WIDE_KINDS) && writes(file, handler);
    let may_be = !(is_broad || is_wide)
        || is_answered(file, handler)
        || is_named_ignored(file.text(&head(file, handler)))
        || looks_for_a_value(file, handler)
        || is_explained(file, handler)
        || says_so_around(file, handler)
        || is_left_alone(file, handler);
    let is_mild = || is_wide || handler.has_comment || hands_out_nothing(file, handler);
    (!may_be).then(|| if is_mild() { Severity::Low } else { Severity::High })
}

/// How bad it is that a result is thrown away, and how sure that is, in permille; nothing if it may be. What only fails once
/// nobody is there at the other end, such as sending, may be; so may what prints or starts something.
fn of_discard(file: &File<'_>, discard: &Discard) -> Option<(Severity, u16)> {
    let is_excused = discard.is_cleanup || file.is_test_code(discard.span.start) || has_comment(file, &discard.span);
    let is_lasting = is_lasting(file, callee(file.text(&discard.span)));
    if is_excused || !is_lasting || writes_without_loss(file, &discard.span) || reports_below(file, &discard.span) {
        return None;
    }
    Some(if discard.is_fallible { (Severity::High, 800) } else { (Severity::Low, 400) })
}

/// The handler up to its body, which is shown.
fn head(file: &File<'_>, handler: &Handler) -> Span {
    let line = file.source.line_span(file.source.line_of(handler.span.start));
    handler.span.start..handler.span.end.min(line.end).max(handler.span.start)
}

/// Whether a function of this name changes something outside. In C the verb may come last: `row_save`.
fn is_lasting(file: &File<'_>, name: &str) -> bool {
    let words = words(name);
    let is_c = matches!(paths::extension(file.source.path), Some("c" | "cc" | "cpp" | "h" | "hpp"));
    let last = words.last().filter(|_| is_c);
    // What keeps an error is how that one is handed on.
    let is_of_error = words.iter().any(|word| matches!(word.as_str(), "err" | "error"));
    let is_of_compiler = is_c && COMPILER_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
    let is_sent =
        matches!(words.as_slice(), [first, .., last] if first == "write" && SENT_WORDS.contains(&last.as_str()));
    !(is_of_error || is_of_compiler || is_sent)
        && words.first().into_iter().chain(last).any(|word| LASTING_WORDS.contains(&word.as_str()))
}

/// Whether the code behind `span` returns or raises another error, which is what counts.
fn reports_below(file: &File<'_>, span: &Span) -> bool {
    let below = file.source.text[span.end..].trim_start_matches(|c: char| c.is_whitespace() || ";}".contains(c));
    let line = below.lines().next().unwrap_or_default();
    let returns = || {
        let words = words(line.strip_prefix("return ").unwrap_or_default());
        words.iter().any(|word| matches!(word.as_str(), "err" | "error" | "errorf" | "errors"))
    };
    ["raise ", "throw ", "panic("].iter().any(|raise| line.starts_with(raise)) || line == "raise" || returns()
}

/// Whether the code below goes another way, or raises this error or another one.
fn is_answered(file: &File<'_>, handler: &Handler) -> bool {
    let below = file.source.text[handler.span.end..].trim_start();
    let head = file.text(&head(file, handler));
    // Ruby keeps the error in a variable, which code below the handler may raise.
    let kept = head.split_once("=> ").map(|(_, name)| name.trim());
    let is_kept = kept.is_some_and(|name| below.lines().take(KEPT_LINES).any(|line| has_word(line, name)));
    is_kept || below.starts_with("else:") || reports_below(file, &handler.span)
}

fn has_word(line: &str, name: &str) -> bool {
    !name.is_empty() && line.split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == name)
}

/// The line in which what `handler` guards begins, if that can be told by how it is indented.
fn guarded_from(file: &File<'_>, handler: &Handler) -> Option<usize> {
    let text = |line: usize| file.text(&file.source.line_span(line));
    let indent = |line: usize| text(line).len() - text(line).trim_start().len();
    let own = file.source.line_of(handler.span.start);
    let opens = |line: &usize| {
        let is_block = ["try", "begin", "do {"].iter().any(|word| text(*line).trim_start().starts_with(word));
        let is_below = text(*line).rfind("begin").is_some_and(|column| column == indent(own));
        (indent(*line) == indent(own) && is_block)
            || (gives_value(text(*line)) && (indent(*line) == indent(own) || is_below))
    };
    (own.saturating_sub(GUARDED_LINES_MAX)..own).rev().find(opens)
}

/// Whether `line` sets something to what the block gives that begins at its end: `row = begin`, `val row = try {`.
fn gives_value(line: &str) -> bool {
    let line = line.trim_end().trim_end_matches(['{', ' ']);
    ["= begin", "= try"].iter().any(|end| line.ends_with(end))
}

/// The last name of what a statement that throws its result away calls: `save` of `let _ = self.rows.save(row);`.
fn callee(statement: &str) -> &str {
    let statement = statement.strip_prefix("(void)").unwrap_or(statement);
    let call = statement.split_once('=').map_or(statement, |(_, call)| call);
    // What Ruby rescues may be called without brackets.
    let call = call.split(" rescue").next().unwrap_or_default();
    let path = call.split('(').next().unwrap_or_default().trim_end();
    path.rsplit(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default()
}

/// Whether one of the kinds in `kinds` is one of `known`: `Exception`, `(OSError, builtins.Exception)`.
fn names_one_of(file: &File<'_>, kinds: &Span, known: &[&str]) -> bool {
    // These languages have no kind of that name, so it is one of a module.
    let has_errors = matches!(paths::extension(file.source.path), Some("py" | "pyi" | "rb"));
    let mut paths = file.text(kinds).split(|c: char| c.is_whitespace() || "(),|&*".contains(c));
    // The `Error` of a module is one of its own, unless the module is that of the language.
    paths.any(|path| {
        let path = path.trim_start_matches('\\');
        let name = LANGUAGE_MODULES.iter().find_map(|module| path.strip_prefix(module)).unwrap_or(path);
        known.contains(&name) && !(has_errors && name == "Error")
    })
}

/// Whether a comment stands on the lines of `span` or on the line above.
fn has_comment(file: &File<'_>, span: &Span) -> bool {
    let line = |at: usize| file.source.line_of(at);
    let from = file.source.line_span(line(span.start).saturating_sub(1)).start;
    let to = file.source.line_span(line(span.end.saturating_sub(1))).end;
    file.outline.has_comment(&(from..to))
}

#[cfg(test)]
#[path = "swallowed_error/tests.rs"]
mod tests;
