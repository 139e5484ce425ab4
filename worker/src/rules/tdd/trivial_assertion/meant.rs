//! Assertions that only look trivial: what is tested is comparing, coming there, a type, or the assertion itself.

use crate::names;
use crate::outline::{Call, Function};
use crate::paths;
use crate::rules::{File, runners};

/// Signs, in lower case and without white space, that a test fails where it comes to another place than it should.
const FAILURES: &[&str] = &[
    ".fatal(",
    ".plan(",
    "add_failure",
    "assert!(false",
    "assert(false",
    "assertfalse(true",
    "assertions(",
    "expect(false",
    "fail(",
    "failnow(",
    "newassertionerror",
    "ok(false",
    "panic!",
    "raiseassertionerror",
    "reject(",
    "t.error(",
    "unreachable!",
];

/// Signs of two values that differ.
const DIFFERENCES: &[&str] = &["!=", "assert_ne", "Not", "not ", ".not."];

/// Parts of names of tests that are about comparing, or about getting the same again.
const COMPARING: &[&str] = &[
    "cach",
    "cmp",
    "compar",
    "consisten",
    "eq",
    "hash",
    "ident",
    "match",
    "memo",
    "nan",
    "ord",
    "reflex",
    "same",
    "self",
    "singleton",
    "stable",
    "symmetr",
];

/// Beginnings of words in names of files about assertions.
const ASSERTIONS: &[&str] = &["assert", "expect", "matcher"];

/// Calls that end a test, which it waits for.
const ENDS: &[&str] = &["done()", ".end()", "resolve()"];

/// How many lines below an assertion a callback may end the test.
const END_LINES_MAX: usize = 2;

/// How many functions around a place are looked for; tests stand in few.
const AROUND_MAX: usize = 8;

/// The function around byte `at`.
fn around<'f>(file: &'f File<'_>, at: usize) -> Option<&'f Function> {
    let after = file.outline.functions.partition_point(|function| function.span.start <= at);
    file.outline.functions[..after].iter().rev().take(AROUND_MAX).find(|function| function.span.contains(&at))
}

/// The test around byte `at`, or the function. Callbacks of a test are functions of their own.
fn test_around<'f>(file: &'f File<'_>, at: usize) -> Option<&'f Function> {
    let tests = file.outline.tests().map(|(function, _)| function);
    tests.filter(|function| function.span.contains(&at)).last().or_else(|| around(file, at))
}

/// Whether the test around byte `at` fails by itself where it does not come there.
pub(super) fn is_about_reaching(file: &File<'_>, at: usize) -> bool {
    let Some(test) = test_around(file, at) else { return false };
    let says = |line: &str| {
        let line: String = line.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
        let is_false = line.strip_prefix("assertfalse").is_some_and(|rest| !rest.starts_with('('));
        is_false || FAILURES.iter().any(|sign| line.contains(sign))
    };
    file.text(&test.span).lines().any(says)
        || is_awaited(file, test, at)
        || is_about_running(file, test, at)
        || is_said_to_raise_nothing(file, at)
}

/// Words of tests that are named after no more than how they end.
const OUTCOMES: &[&str] = &["fail", "fails", "pass", "passes", "run", "runs", "skip", "skipped", "succeed", "succeeds"];

/// Words that say no more of a test.
const OUTCOME_WORDS: &[&str] = &["always", "it", "must", "not", "should", "test", "tests", "will"];

/// Signs, in lower case, on the line of an assertion or a mark above the test, that it is the running that is tested.
const RUNNING: &[&str] = &["should run", "not be skipped", "skipif(false", "skipunless(true"];

/// What a comment above an assertion says, in lower case, where coming there is enough.
const NOTHING_RAISED: &[&str] = &[
    "doesn't raise",
    "doesn't throw",
    "didn't raise",
    "didn't throw",
    "no crash",
    "no error",
    "no exception",
    "not crash",
    "not fail",
    "not raise",
    "not stack trace",
    "not throw",
    "n't crash",
    "n't fail",
    "n't stack",
    "without error",
    "without exception",
    "without raising",
];

/// How many lines above a place are read for such signs.
const SIGN_LINES_MAX: usize = 3;

/// Whether the test tries what runs it: it is named after nothing but its end, or says that it is to be run.
fn is_about_running(file: &File<'_>, test: &Function, at: usize) -> bool {
    let words = names::words(file.text(&test.name));
    let is_outcome = |word: &String| OUTCOMES.contains(&word.as_str());
    let is_named_so = words.iter().any(is_outcome)
        && words.iter().all(|word| is_outcome(word) || OUTCOME_WORDS.contains(&word.as_str()));
    let says = |line: usize| {
        let text = file.text(&file.source.line_span(line)).to_ascii_lowercase();
        RUNNING.iter().any(|sign| text.contains(sign))
    };
    let head = file.source.line_of(test.name.start);
    is_named_so || says(file.source.line_of(at)) || (head.saturating_sub(SIGN_LINES_MAX)..head).any(says)
}

/// Whether a comment right above byte `at` says that nothing is raised.
fn is_said_to_raise_nothing(file: &File<'_>, at: usize) -> bool {
    let line = file.source.line_of(at);
    let is_above = |at: usize| (line.saturating_sub(SIGN_LINES_MAX)..=line).contains(&file.source.line_of(at));
    file.outline.comments.iter().filter(|span| is_above(span.end.saturating_sub(1))).any(|span| {
        let text = file.text(span).to_ascii_lowercase();
        NOTHING_RAISED.iter().any(|phrase| text.contains(phrase))
    })
}

/// Whether byte `at` is in a callback that ends `test`: without it the test would not come to its end.
fn is_awaited(file: &File<'_>, test: &Function, at: usize) -> bool {
    let Some(body) = &test.body else { return false };
    let is_callback = file
        .source
        .text
        .get(body.start..at)
        .is_some_and(|before| ["=>", "function", "catch"].iter().any(|sign| before.contains(sign)));
    let after = file.source.text.get(at..body.end).unwrap_or_default();
    is_callback && after.lines().take(END_LINES_MAX + 1).any(|line| ENDS.iter().any(|end| line.contains(end)))
}

/// Whether the test around byte `at` says too what `name` differs from.
pub(super) fn is_told_apart(file: &File<'_>, name: &str, at: usize) -> bool {
    let text = around(file, at).map_or("", |function| file.text(&function.span));
    let holds = |line: &str| words(line).any(|word| word == name);
    text.lines().any(|line| DIFFERENCES.iter().any(|sign| line.contains(sign)) && holds(line))
}

/// The names in `line`, with what they are fields of.
fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '.' | '&' | ':'))
}

/// Whether the test around byte `at` is about comparing, by its name.
pub(super) fn is_about_comparing(file: &File<'_>, at: usize) -> bool {
    let name = around(file, at).map(|function| file.text(&function.name).to_ascii_lowercase()).unwrap_or_default();
    COMPARING.iter().any(|word| name.contains(word))
}

/// Whether `call` is given types, which the compiler compares: `assert<Equal<A, B>>(true)`.
pub(super) fn is_about_types(file: &File<'_>, call: &Call) -> bool {
    file.source.text.get(call.callee.end..call.arguments.start).is_some_and(|between| between.contains('<'))
}

/// Whether what is asserted at byte `at` is to show how an assertion, or a runner within a test, behaves.
pub(super) fn tries_assertions(file: &File<'_>, at: usize) -> bool {
    let is_about = |word: &String| ASSERTIONS.iter().any(|head| word.starts_with(head));
    let name = file.source.text[at..].split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
    names::words(paths::file_name(file.source.path)).iter().any(is_about)
        || runners::is_from_root(file, name)
        || is_test_in_test(file, at)
}

/// Whether byte `at` is in a test of Python that stands in another: the outer one runs the inner one.
fn is_test_in_test(file: &File<'_>, at: usize) -> bool {
    let after = file.outline.functions.partition_point(|function| function.span.start <= at);
    let around = file.outline.functions[..after].iter().rev().take(AROUND_MAX).filter(|one| one.span.contains(&at));
    paths::extension(file.source.path) == Some("py")
        && around.filter(|one| file.text(&one.name).starts_with("test")).count() > 1
}
