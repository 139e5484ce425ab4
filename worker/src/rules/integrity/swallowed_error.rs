//! Errors that vanish without a trace.

mod guarded;
mod harmless;

use schemas::severity::Severity;

use guarded::is_left_alone;
use harmless::{hands_on_what_it_set, is_named_ignored, says_so_around, writes_without_loss};

use crate::names::words;
use crate::outline::{Discard, Handler, Span};
use crate::paths;
use crate::rules::marks::says_why;
use crate::rules::{Check, File, Findings, Hit, rule};

rule!(
    /// ## What it finds
    /// Handlers that do nothing, such as `except: pass`, `catch (e) {}`, `if err != nil {}` and `if let Err(_) = .. {}`, and
    /// results of saving and the like that are thrown away by `.ok();` (high). Low where the guarded
    /// code only looks for a value, so that what follows can do without it, where the handler names a kind as wide as
    /// `IOException`, and in functions that close or clean up. Results of saving and the like that are thrown away in plain sight, `let _ = save()`,
    /// `_ = save()`, `try? save()`, `@save()` and `save rescue nil`, are low too.
    ///
    /// Left alone are tests, handlers with a comment that says why, handlers for one kind of error that is expected, such as
    /// `KeyError`, what calls the error `ignored` or `expected`, what only closes and cleans up, what raises the error
    /// itself, what looks for a module or a store that may be missing, values that are tested right below, functions
    /// that say by name or documentation that they ignore errors or do without (`closeQuietly`, `parse_safe`), and what
    /// is printed, dropped or logged. So are benchmarks, questions about files (`getmtime`), answers on connections that are
    /// given up, and, in Go, what is written to anything but a file or a connection: others keep their error, or have none.
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
    "integrity/swallowed-error", Integrity, High, version: 8, Check::Code(check)
);

/// Directories of what is run to be measured, with input that fails on purpose.
const BENCHMARK_DIRECTORIES: &[&str] = &["bench", "benches", "benchmark", "benchmarks"];

/// Kinds of error that stand for nearly every other.
const BROAD_KINDS: &[&str] = &["BaseException", "Error", "Exception", "StandardError", "Throwable", "exception"];

/// Modules of the languages themselves, where such kinds are at home.
const LANGUAGE_MODULES: &[&str] = &["System.", "builtins.", "java.lang.", "std::"];

/// Kinds of error that stand for whatever the world outside does: who names one has not said what is expected.
const WIDE_KINDS: &[&str] =
    &["EnvironmentError", "IOError", "IOException", "OSError", "RuntimeException", "SQLException", "runtime_error"];

/// First or last words of functions that change something outside, where a failure means that it was not done.
const LASTING_WORDS: &[&str] = &[
    "append", "commit", "copy", "execute", "flush", "migrate", "persist", "publish", "rename", "save", "store", "sync",
    "update", "upload", "write",
];

/// Lines above a handler in which what it guards begins, where a comment above may say why nothing is done.
const GUARDED_LINES_MAX: usize = 12;

/// Lines below a handler in which the error that it kept is looked for.
const KEPT_LINES: usize = 5;

/// Marks of work that is still to be done: a comment with one gives no reason.
const UNFINISHED: &[&str] = &["FIXME", "TODO", "XXX"];

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
    // Without a block that is guarded it is the condition itself that closes.
    let closes = handler.is_cleanup && file.text(&handler.span).starts_with("if ");
    if closes || file.is_test_code(handler.span.start) {
        return None;
    }
    let names = |known| handler.caught.as_ref().is_some_and(|kinds| names_one_of(file.text(kinds), known));
    let is_narrow = handler.caught.is_some() && !names(BROAD_KINDS);
    let is_probe = looks_for_a_value(file, handler);
    let excuses = [is_narrow, is_probe, handler.is_cleanup, handler.has_comment];
    let excuses = excuses.iter().filter(|excuse| **excuse).count();
    let may_be = (is_narrow && !names(WIDE_KINDS))
        || excuses > 1
        || is_answered(file, handler, is_probe)
        || is_named_ignored(file.text(&head(file, handler)))
        || says_so_around(file, handler)
        || is_left_alone(file, handler);
    (!may_be).then_some(if excuses > 0 { Severity::Low } else { Severity::High })
}

/// How bad it is that a result is thrown away, and how sure that is, in permille; nothing if it may be. What only fails once
/// nobody is there at the other end, such as sending, may be; so may what prints or starts something.
fn of_discard(file: &File<'_>, discard: &Discard) -> Option<(Severity, u16)> {
    let is_excused = discard.is_cleanup || file.is_test_code(discard.span.start) || has_comment(file, &discard.span);
    let words = words(callee(file.text(&discard.span)));
    let is_lasting =
        [words.first(), words.last()].into_iter().flatten().any(|word| LASTING_WORDS.contains(&word.as_str()));
    if is_excused || !is_lasting || writes_without_loss(file, &discard.span) {
        return None;
    }
    Some(if discard.is_fallible { (Severity::High, 800) } else { (Severity::Low, 400) })
}

/// The handler up to its body, which is shown.
fn head(file: &File<'_>, handler: &Handler) -> Span {
    let line = file.source.line_span(file.source.line_of(handler.span.start));
    handler.span.start..handler.span.end.min(line.end).max(handler.span.start)
}

/// Whether a comment says why the error is ignored, or the code below goes another way.
fn is_answered(file: &File<'_>, handler: &Handler, is_probe: bool) -> bool {
    let below = file.source.text[handler.span.end..].trim_start();
    let head = file.text(&head(file, handler));
    // Ruby keeps the error in a variable, which code below the handler may raise.
    let kept = head.split_once("=> ").map(|(_, name)| name.trim());
    let is_kept = kept.is_some_and(|name| below.lines().take(KEPT_LINES).any(|line| has_word(line, name)));
    is_kept || below.starts_with("else:") || (is_probe && below.starts_with("return ")) || says_why_not(file, handler)
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
        indent(*line) == indent(own) && ["try", "begin"].iter().any(|word| text(*line).trim_start().starts_with(word))
    };
    (own.saturating_sub(GUARDED_LINES_MAX)..own).rev().find(opens)
}

/// Whether a comment in the handler, behind it, on the line above or above what it guards says why the error is ignored.
fn says_why_not(file: &File<'_>, handler: &Handler) -> bool {
    let line = |at: usize| file.source.line_of(at);
    let from = file.source.line_span(line(handler.span.start).saturating_sub(1)).start;
    let to = handler.span.end.max(file.source.line_span(line(handler.body.end.saturating_sub(1))).end);
    let comments = &file.outline.comments;
    let tells = |text: &str| says_why(text) && !UNFINISHED.iter().any(|mark| text.contains(mark));
    let above = guarded_from(file, handler).filter(|line| *line > 0).map(|line| file.source.line_span(line - 1));
    let above = above.filter(|line| file.text(line).trim_start().starts_with(['/', '#', '*']));
    if above.is_some_and(|line| file.outline.has_comment(&line) && tells(file.text(&line))) {
        return true;
    }
    let first = comments.partition_point(|comment| comment.end <= from);
    let mut texts = comments[first..].iter().take_while(|comment| comment.start < to).map(|comment| file.text(comment));
    texts.any(tells)
}

/// Whether the last guarded statement above `handler` hands out or keeps a value: then what follows does without it.
fn looks_for_a_value(file: &File<'_>, handler: &Handler) -> bool {
    // Others stand behind what they guard, and not below it.
    if !["catch", "except", "rescue"].iter().any(|word| file.text(&handler.span).starts_with(word)) {
        return false;
    }
    if hands_on_what_it_set(file, handler) {
        return true;
    }
    let before = file.source.text[..handler.span.start].trim_end_matches(|c: char| c == '}' || c.is_whitespace());
    let mut lines = before.rsplit('\n');
    let last = lines.next().unwrap_or_default();
    let indent = |line: &str| line.len() - line.trim_start().len();
    // A statement over several lines ends with a line of its own, indented as its first one.
    let begins = || lines.take(GUARDED_LINES_MAX).find(|line| !line.trim().is_empty() && indent(line) <= indent(last));
    let line = if last.trim_start().starts_with([')', ']']) { begins().unwrap_or(last) } else { last };
    let statement = line.rsplit(['{', '}']).next().unwrap_or_default().trim_start();
    let is_plain =
        |at: usize| !statement[at + 1..].starts_with(['=', '>']) && !statement[..at].ends_with(['=', '!', '<', '>']);
    let target = statement.split('(').next().unwrap_or_default();
    statement.starts_with("return ") || target.find('=').is_some_and(is_plain)
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
fn names_one_of(kinds: &str, known: &[&str]) -> bool {
    let mut paths = kinds.split(|c: char| c.is_whitespace() || "(),|&*".contains(c));
    // The `Error` of a module is one of its own, unless the module is that of the language.
    paths.any(|path| {
        let path = path.trim_start_matches('\\');
        let name = LANGUAGE_MODULES.iter().find_map(|module| path.strip_prefix(module)).unwrap_or(path);
        known.contains(&name)
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
