//! Where a mark stands that switches tests off: in a helper, on a base class, or in place of an inherited test.

use super::super::empty_test::gives_reason;
use crate::lines::indent;
use crate::names;
use crate::outline::{Function, Skip, Span};
use crate::paths;
use crate::rules::File;

/// Extensions of languages whose marks are calls that make a test, or attributes: none stands inside of a test.
const DECLARING: &[&str] = &["cjs", "cts", "js", "jsx", "mjs", "mts", "rs", "ts", "tsx"];

/// Words in names of functions that run before tests: a mark in one switches all of them off.
const SETUPS: &[&str] = &["before", "init", "main", "set", "setup"];

/// How far behind a mark the head of what it marks is read.
const HEAD_BYTES_MAX: usize = 300;

/// Lines of a test in which a comment that it begins with is looked for.
const INSIDE_LINES_MAX: usize = 12;

/// Fewest words of such a comment that say something.
const REASON_WORDS_MIN: usize = 4;

/// Words in names of tests that people run by hand.
const ON_DEMAND_WORDS: &[&str] = &[
    "bench",
    "benchmark",
    "demo",
    "exhaustive",
    "generate",
    "interactive",
    "manual",
    "manually",
    "perf",
    "playground",
    "profile",
    "regenerate",
    "soak",
    "stress",
];

/// What a test needs that works on the account of somebody.
const SECRETS: &[&str] = &[
    "account",
    "accounts",
    "credential",
    "credentials",
    "password",
    "secret",
    "secrets",
    "token",
    "tokens",
    "webhook",
];

/// How many words from `needs` on may name it.
const NEED_WORDS_MAX: usize = 5;

/// Lines above a method in which its class is looked for.
const CLASS_LINES_MAX: usize = 400;

/// Whether a call that skips stands in a function that is no test: whoever calls it may do so on a condition. Where the name
/// of the test says that it is about skipping, the call is its input.
pub(super) fn is_in_helper(file: &File<'_>, skip: &Skip) -> bool {
    let at = skip.span.start;
    let is_mark = file.text(&skip.span).starts_with(['@', '#', '[']);
    if is_mark || paths::extension(file.source.path).is_some_and(|extension| DECLARING.contains(&extension)) {
        return false;
    }
    let mut around = around(file, at).peekable();
    let is_about_skips =
        |one: &Function| names::words(file.text(&one.name)).iter().any(|word| word.starts_with("skip"));
    let runs = |one: &Function| {
        let is_setup = || names::words(file.text(&one.name)).iter().any(|word| SETUPS.contains(&word.as_str()));
        (one.test.is_some() || is_setup()) && !is_about_skips(one)
    };
    around.peek().is_some() && !around.any(runs)
}

/// The functions around byte `at`, outer ones first.
fn around<'f>(file: &'f File<'_>, at: usize) -> impl Iterator<Item = &'f Function> {
    let functions = file.outline.functions.iter().take_while(move |one| one.span.start <= at);
    functions.filter(move |one| one.body.as_ref().is_some_and(|body| body.contains(&at)))
}

/// The rest of the head of what `skip` marks: up to its body.
fn head<'f>(file: &'f File<'_>, skip: &Skip) -> &'f str {
    let text: &str = &file.source.text;
    let end = text.floor_char_boundary((skip.span.end + HEAD_BYTES_MAX).min(text.len()));
    let rest = text.get(skip.span.end..end).unwrap_or_default();
    rest.split('{').next().unwrap_or(rest)
}

/// Most marks above one that a comment is looked for above.
const MARKS_MAX: usize = 6;

/// Most lines of a block of comments above a test that are read.
const COMMENT_LINES_MAX: usize = 12;

/// The comments beside the mark, and those above it and above other marks of the same test.
pub(super) fn comments<'f>(file: &'f File<'f>, skip: &Skip) -> impl Iterator<Item = &'f str> {
    let at = skip.span.start;
    let line = file.source.line_of(at);
    let is_mark = |line: &usize| {
        let text = file.text(&file.source.line_span(*line)).trim();
        text.starts_with(['@', '[']) || text.starts_with("#[")
    };
    let above = (line.saturating_sub(MARKS_MAX)..line).rev().take_while(is_mark).last().filter(|_| is_mark(&line));
    let above = above.map(|line| file.source.line_span(line).start);
    // Each line of a block is a comment of its own in many languages, and the last may say little.
    let is_comment = |line: &usize| file.text(&file.source.line_span(*line)).trim_start().starts_with("//");
    let first = above.map_or(line, |start| file.source.line_of(start));
    let block = (first.saturating_sub(COMMENT_LINES_MAX)..first).rev().take_while(is_comment);
    let block = block.map(|line| file.text(&file.source.line_span(line)).trim());
    file.comments_near(at).chain(above.into_iter().flat_map(|start| file.comments_near(start))).chain(block)
}

/// The test that is switched off, if it is one and no group.
fn marked<'f>(file: &'f File<'_>, skip: &Skip) -> Option<&'f Function> {
    let marked = || {
        let next = file.outline.functions.iter().find(|one| one.name.start >= skip.span.end)?;
        let is_class = file.text(&(skip.span.end..next.name.start)).contains("class ");
        (!is_class && file.text(&skip.span).starts_with(['@', '#', '['])).then_some(next)
    };
    let at = skip.span.start;
    // What makes a test in a script is the mark itself.
    let made = || file.outline.functions.iter().find(|one| one.test.is_some() && one.span.contains(&at));
    around(file, at).last().or_else(made).or_else(marked)
}

/// Whether a name says that its test is run by hand, or ends by saying that it works on the true service.
fn is_named_on_demand(name: &str) -> bool {
    let words = names::words(name);
    words.last().is_some_and(|word| word == "live") || words.iter().any(|word| ON_DEMAND_WORDS.contains(&word.as_str()))
}

/// Whether `text`, in lower case, says that the test needs what only people have: an account, or a secret for one.
pub(super) fn calls_for_secrets(text: &str) -> bool {
    let words = names::words(text);
    let is_need = |word: &String| matches!(word.as_str(), "need" | "needs" | "require" | "requires");
    let needs = words.iter().position(is_need);
    let needed = needs.map_or(&[][..], |at| &words[at..words.len().min(at + NEED_WORDS_MAX)]);
    needed.iter().any(|word| SECRETS.contains(&word.as_str()))
        || needed.windows(2).any(|pair| matches!(pair, [api, key] if api == "api" && key == "key"))
}

/// Whether a mark of Python stands in an `if` outside of functions: there is no such test where that does not hold.
pub(super) fn stands_in_condition(file: &File<'_>, skip: &Skip) -> bool {
    let text = |index: usize| file.text(&file.source.line_span(index));
    let line = file.source.line_of(skip.span.start);
    let depth = indent(text(line));
    let mut above = (line.saturating_sub(CLASS_LINES_MAX)..line).rev().map(text);
    let head = above.find(|head| !head.trim().is_empty() && indent(head) < depth).map(str::trim_start);
    paths::extension(file.source.path) == Some("py")
        && head.is_some_and(|head| ["if ", "elif ", "else:"].iter().any(|word| head.starts_with(word)))
}

/// Whether the test says by its name that it is run by hand.
pub(super) fn is_on_demand(file: &File<'_>, skip: &Skip) -> bool {
    marked(file, skip).is_some_and(|one| is_named_on_demand(file.text(&one.name)))
}

/// Whether the test is run, and its docstring says why it fails: a limit that is known.
pub(super) fn is_known_limit(file: &File<'_>, skip: &Skip) -> bool {
    let mark = file.text(&skip.span).to_ascii_lowercase();
    (mark.contains("xfail") || mark.contains("expectedfailure"))
        && !mark.contains("run=false")
        && is_documented(file, skip)
}

/// Whether the test is to fail each time, and fails the run where it does not: it tries the runner.
pub(super) fn is_meant_to_fail(file: &File<'_>, skip: &Skip) -> bool {
    let mark = file.text(&skip.span);
    let is_strict = mark.contains("xfail") && mark.contains("strict=True");
    let says = || mark.to_ascii_lowercase().contains("always fail");
    let is_false = |one: &Function| {
        let body = one.body.as_ref().map_or("", |body| file.text(body)).trim();
        ["assert False", "assert 0", "assert not True"].contains(&body)
    };
    is_strict && (says() || marked(file, skip).is_some_and(is_false))
}

/// Whether the mark of Python is a `skip` of the project's own that is handed one word: where the test does not run.
pub(super) fn is_conditional_by_word(file: &File<'_>, skip: &Skip) -> bool {
    let mark = file.text(&skip.span).trim_start_matches('@');
    let Some(given) = mark.strip_prefix("skip(").and_then(|rest| rest.strip_suffix(')')) else { return false };
    let word = given.trim_matches(['"', '\'']);
    let is_word = !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    let text = &file.source.text;
    // What is taken from a library of tests switches off whatever it is told.
    let is_library = |line: &str| line.contains("unittest") || line.contains("pytest") || line.contains("nose");
    let is_known = text.lines().any(|line| line.trim_start().starts_with("from ") && is_library(line));
    paths::extension(file.source.path) == Some("py") && given != word && is_word && !is_known
}

/// Whether comments at the start of the test that is switched off give a reason.
pub(super) fn is_explained_inside(file: &File<'_>, skip: &Skip) -> bool {
    let Some(one) = marked(file, skip) else { return false };
    let (first, last) = (file.source.line_of(one.name.start), file.source.line_of(one.span.end.saturating_sub(1)));
    let lines = (first..=last.min(first + INSIDE_LINES_MAX)).map(|line| file.source.line_span(line));
    // The rest of the head may take some lines.
    let is_head = |text: &str| !text.ends_with([':', '{']) && !text.ends_with(" do");
    let mut inside = lines.skip_while(|line| is_head(file.text(line).trim_end())).skip(1);
    let mut said = Vec::new();
    while let Some(line) = inside.next().filter(|line| file.text(line).trim_start().starts_with(['#', '/', '*'])) {
        said.extend(names::words(file.text(&line)));
    }
    said.len() >= REASON_WORDS_MIN && gives_reason(&said)
}

/// Whether the docstring of the test that is switched off gives a reason.
pub(super) fn is_documented(file: &File<'_>, skip: &Skip) -> bool {
    let docstrings = &file.outline.docstrings;
    if docstrings.is_empty() {
        return false;
    }
    let Some(body) = marked(file, skip).and_then(|one| one.body.as_ref()) else { return false };
    let is_own =
        |span: &&Span| body.contains(&span.start) && file.source.text[body.start..span.start].trim().is_empty();
    docstrings.iter().find(is_own).is_some_and(|span| gives_reason(&names::words(file.text(span))))
}

/// Whether the mark is on a class that only others extend, and is there so that it does not run by itself.
pub(super) fn is_for_subclasses(file: &File<'_>, skip: &Skip) -> bool {
    head(file, skip).contains("abstract class ")
}

/// Whether the mark replaces a test of the class that is extended, for which it does not hold.
pub(super) fn is_override(file: &File<'_>, skip: &Skip) -> bool {
    let head = head(file, skip);
    if head.split(|c: char| !c.is_alphanumeric() && c != '@').any(|word| matches!(word, "@Override" | "override")) {
        return true;
    }
    let is_whole = |one: &Function| one.test.as_ref().is_some_and(|test| test.statements == 1);
    paths::extension(file.source.path) == Some("py")
        && around(file, skip.span.start).last().is_some_and(|one| is_whole(one) && extends_tests(file, one))
}

/// Whether the class around `method`, in Python, extends one that has tests of its own.
fn extends_tests(file: &File<'_>, method: &Function) -> bool {
    let line = file.source.line_of(method.span.start);
    let text = |index: usize| file.text(&file.source.line_span(index));
    let depth = indent(text(line));
    let mut above = (line.saturating_sub(CLASS_LINES_MAX)..line).rev().map(text);
    let class = above.find(|head| indent(head) < depth && head.trim_start().starts_with("class "));
    let bases = class.and_then(|head| head.split_once('(')).map_or("", |(_, bases)| bases);
    bases.split(|c: char| !c.is_alphanumeric() && c != '_').any(|base| {
        let has_tests = base.starts_with("Test") || base.ends_with("Test") || base.ends_with("Tests");
        let is_mixed_in = base.ends_with("Mixin") || base.contains("Base");
        (has_tests && base != "TestCase") || is_mixed_in
    })
}
