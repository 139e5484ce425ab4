//! Tests that are done when they come to their end, as they say themselves, or when they are compiled.

use crate::names;
use crate::outline::{Function, Span};
use crate::rules::File;

/// How many lines above a test a comment on it may end: attributes stand between.
const COMMENT_LINES_MAX: usize = 3;

/// Words that a number follows which names a fault: the test is done when the fault does not come back.
const ISSUE_WORDS: &[&str] = &["bug", "gh", "issue", "pr", "regression", "ticket"];

/// Beginnings of words that say that coming to the end is what is tested.
const SURVIVAL_WORDS: &[&str] = &[
    "accepted",
    "benchmark",
    "choke",
    "compil",
    "crash",
    "deadlock",
    "hang",
    "hashable",
    "idempotent",
    "leak",
    "overflow",
    "panic",
    "race",
    "regression",
    "segfault",
    "segv",
    "smoke",
    "succe",
    "surviv",
    "terminat",
    "twice",
    "underflow",
];

/// Words that begin like one of those and say something else.
const OTHER_WORDS: &[&str] = &["hanging"];

/// The same in several words.
const SURVIVAL_PHRASES: &[&str] = &[
    "no error",
    "no timeout",
    "out of bounds",
    "no exception",
    "no warning",
    "nothing happens",
    "not emit",
    "not error",
    "not fail",
    "not raise",
    "not throw",
    "t error",
    "t fail",
    "t raise",
    "t throw",
    "should work",
    "used to",
    "without error",
    "without exception",
    "without fail",
    "without raising",
    "without throwing",
];

/// Signs that a test in Rust is about the traits of a type, which its compiler checks.
const BOUNDS: &[&str] = &[": Send", ": Sync", ": Unpin", ">();"];

/// Whether the test says by its name, documentation or comments that coming to its end is what it tests.
pub(super) fn is_about_surviving(file: &File<'_>, function: &Function) -> bool {
    let within = |span: &&Span| function.span.start <= span.start && span.start < function.span.end;
    let outline = &file.outline;
    let said = outline.comments.iter().chain(&outline.docstrings).filter(within).map(|span| file.text(span));
    let line = file.source.line_of(function.span.start);
    let is_above = |span: &&Span| {
        let end = file.source.line_of(span.end.saturating_sub(1));
        end < line && end + COMMENT_LINES_MAX >= line
    };
    let above = outline.comments.iter().filter(is_above).map(|span| file.text(span));
    let mut said = said.chain(above).chain([file.text(&function.name)]);
    said.any(|text| {
        let words = names::words(text);
        let starts_so = |word: &String| SURVIVAL_WORDS.iter().any(|one| word.starts_with(one));
        let is_one = |word: &String| starts_so(word) && !OTHER_WORDS.contains(&word.as_str());
        let is_issue = |pair: &[String]| {
            let [word, number] = pair else { return false };
            ISSUE_WORDS.contains(&word.as_str()) && number.starts_with(|c: char| c.is_ascii_digit())
        };
        let text = format!(" {} ", words.join(" "));
        let says = |phrase: &&str| text.contains(&format!(" {phrase}"));
        words.iter().any(is_one) || words.windows(2).any(is_issue) || SURVIVAL_PHRASES.iter().any(says)
    })
}

/// Whether the test is about traits of types in Rust: it is done when it is compiled.
pub(super) fn is_about_bounds(file: &File<'_>, function: &Function) -> bool {
    let body = function.body.as_ref().map_or("", |body| file.text(body));
    file.source.path.ends_with(".rs") && BOUNDS.iter().any(|sign| body.contains(sign)) && body.contains('<')
}
