//! Checks of who somebody is that let everybody in while a switch for developers is on.

use crate::names::words;
use crate::outline::{Function, Span};
use crate::rules::File;

/// Words in names of functions that find out who somebody is or what they may do.
const GUARD_WORDS: &[&str] = &[
    "auth",
    "authenticate",
    "authenticated",
    "authenticates",
    "authentication",
    "authorise",
    "authorised",
    "authorization",
    "authorize",
    "authorized",
    "login",
    "permission",
    "permissions",
];

/// Switches for developers, lower case and without underscores.
const SWITCHES: &[&str] = &[
    "authbypass",
    "authdisabled",
    "bypassauth",
    "debug",
    "debugmode",
    "devmode",
    "disableauth",
    "isdebug",
    "isdev",
    "noauth",
    "skipauth",
];

/// What lets somebody in.
const ADMISSIONS: &[&str] =
    &["return true", "return True", "return Ok(", "return next(", "next()", "return 1;", "true"];

/// Longest line that is a condition with what comes of it.
const LINE_BYTES_MAX: usize = 400;

/// Lines on which a switch for developers lets everybody in, as numbers from zero.
pub(super) fn lines(file: &File<'_>) -> Vec<usize> {
    let is_guard =
        |function: &&Function| words(file.text(&function.name)).iter().any(|word| GUARD_WORDS.contains(&word.as_str()));
    let mut found = Vec::new();
    let mut done = 0;
    for function in file.outline.functions.iter().filter(is_guard) {
        let Some(body) = &function.body else { continue };
        let first = file.source.line_of(body.start).max(done);
        let last = file.source.line_of(body.end.saturating_sub(1));
        found.extend((first..=last).filter(|index| lets_in(file, *index)));
        // What stands in another such function is looked at once.
        done = done.max(last + 1);
    }
    found
}

/// Whether line `index` opens a condition on a switch, and the same line or the next lets somebody in.
fn lets_in(file: &File<'_>, index: usize) -> bool {
    let line = file.source.line_span(index);
    let text = file.text(&line);
    if text.len() > LINE_BYTES_MAX || file.outline.is_quoted(line.start + (text.len() - text.trim_start().len())) {
        return false;
    }
    let Some((condition, rest)) = condition(text) else { return false };
    if condition.contains('!')
        || condition.split_whitespace().any(|word| matches!(word, "not" | "!="))
        || !has_switch(condition)
    {
        return false;
    }
    let next = if rest.is_empty() { file.text(&next_line(file, index)).trim() } else { rest };
    ADMISSIONS.iter().any(|admission| next.strip_prefix(admission).is_some_and(|rest| ends_word(admission, rest)))
}

/// The condition of an `if` and what stands behind it on the line.
fn condition(text: &str) -> Option<(&str, &str)> {
    let text = text.trim().trim_start_matches("} else ").trim_start_matches("el");
    let rest = text.strip_prefix("if").filter(|rest| rest.starts_with([' ', '(']))?;
    let end =
        rest.find(['{', ':']).or_else(|| rest.rfind(')').map(|at| at + 1).filter(|_| rest.starts_with([' ', '('])))?;
    // Without a brace the statement stands behind the bracket that closes the condition.
    let close = rest.find(") ").map(|at| at + 1).filter(|at| rest.trim_start().starts_with('(') && *at < end);
    let end = close.unwrap_or(end);
    let (condition, rest) = rest.split_at(end);
    Some((condition, rest.trim_start_matches([' ', '{', ':']).trim_end_matches(['}', ' '])))
}

fn has_switch(condition: &str) -> bool {
    let mut names = condition.split(|c: char| !c.is_alphanumeric() && c != '_');
    names.any(|name| SWITCHES.contains(&name.replace('_', "").to_ascii_lowercase().as_str()))
}

fn next_line(file: &File<'_>, index: usize) -> Span {
    if index + 1 < file.source.line_count() { file.source.line_span(index + 1) } else { 0..0 }
}

/// Whether `admission` is not the beginning of a longer word.
fn ends_word(admission: &str, rest: &str) -> bool {
    admission.ends_with(['(', ';']) || !rest.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '('))
}
