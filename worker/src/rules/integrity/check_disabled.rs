//! Checks that are switched off wholesale.

mod reasons;

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};
use schemas::severity::Severity;

use crate::outline::Span;
use crate::paths;
use crate::rules::marks::{Mark, in_comments, says_why};
use crate::rules::{Check, File, Findings, Hit, rule};

use reasons::{has_two_words, is_explained, is_explained_above, only_imports};

rule!(
    /// ## What it finds
    /// Marks that silence every check of a tool at once, because they name none: bare `noqa`, `type: ignore`, `nosec`,
    /// `nolint`, `NOLINT`, `eslint-disable`, `@ts-ignore`, `phpcs:ignore`, `rubocop:disable all` (low); over a whole
    /// file, such as `@ts-nocheck`, `pylint: skip-file`, `eslint-disable` or `#pragma warning disable` that are never
    /// taken back, `#![allow(warnings)]` (medium). With a reason beside it, or in the comment that it ends, one step
    /// less; so is one behind code below a comment that speaks of stubs or the checker, and one over an `__init__.py`
    /// that only imports. A mark that names what it silences is fine; over a whole crate or file it should also say
    /// why. What tests read, what a comment nearby calls generated, attributes over generated code, copies of
    /// libraries, and whole files that set up a tool (`babel.config.js`) are left alone.
    ///
    /// ## Why it matters
    /// It was put there for one complaint, and hides all that come later.
    ///
    /// ## Example
    /// ```text
    /// total = price * count  # type: ignore
    /// ```
    ///
    /// ## How to fix
    /// Mend what the tool found. If it is wrong, name the check and say why: `# type: ignore[arg-type]  # stubs are old`.
    "integrity/check-disabled", Integrity, Medium, version: 7, Check::Text(check)
);

/// How a mark can name what it silences.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Naming {
    /// Behind a colon or in brackets.
    Attached,
    /// As the next word.
    Words,
    /// Not at all.
    Never,
}

/// What a mark silences.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// A line or a block.
    Place,
    /// A line; the whole file if no code stands above it.
    PlaceOrFile,
    /// The whole file.
    File,
    /// The file from there on, until it is taken back.
    Rest,
    /// The same on a line of its own; behind code that line only.
    LineOrRest,
}

/// Marks in comments, lower case; tools differ in whether they mind the case.
static MARKS: &[(&str, Naming, Reach)] = &[
    ("@codingstandardsignorefile", Naming::Never, Reach::File),
    ("@codingstandardsignoreline", Naming::Never, Reach::Place),
    ("@phpstan-ignore-line", Naming::Never, Reach::Place),
    ("@phpstan-ignore-next-line", Naming::Never, Reach::Place),
    ("@psalm-suppress all", Naming::Never, Reach::Place),
    ("@ts-ignore", Naming::Never, Reach::Place),
    ("@ts-nocheck", Naming::Never, Reach::File),
    ("checkstyle:off", Naming::Attached, Reach::File),
    ("eslint-disable", Naming::Words, Reach::Rest),
    ("eslint-disable-line", Naming::Words, Reach::Place),
    ("eslint-disable-next-line", Naming::Words, Reach::Place),
    ("flake8: noqa", Naming::Attached, Reach::File),
    ("jshint ignore:line", Naming::Never, Reach::Place),
    ("jshint ignore:start", Naming::Never, Reach::Place),
    ("mypy: ignore-errors", Naming::Never, Reach::File),
    ("nolint", Naming::Attached, Reach::PlaceOrFile),
    ("nolintbegin", Naming::Attached, Reach::Place),
    ("nolintnextline", Naming::Attached, Reach::Place),
    ("noqa", Naming::Attached, Reach::Place),
    ("nosec", Naming::Words, Reach::Place),
    ("nosonar", Naming::Attached, Reach::Place),
    ("oxlint-disable", Naming::Words, Reach::Rest),
    ("oxlint-disable-line", Naming::Words, Reach::Place),
    ("oxlint-disable-next-line", Naming::Words, Reach::Place),
    ("phpcs:disable", Naming::Words, Reach::Rest),
    ("phpcs:ignore", Naming::Words, Reach::Place),
    ("phpcs:ignorefile", Naming::Never, Reach::File),
    ("pylint: disable=all", Naming::Never, Reach::PlaceOrFile),
    ("pylint: skip-file", Naming::Never, Reach::File),
    ("pyright: ignore", Naming::Attached, Reach::Place),
    ("resharper disable all", Naming::Never, Reach::File),
    ("resharper disable once all", Naming::Never, Reach::Place),
    ("rubocop:disable all", Naming::Never, Reach::LineOrRest),
    ("ruff: noqa", Naming::Attached, Reach::File),
    ("shellcheck disable=all", Naming::Never, Reach::PlaceOrFile),
    ("stylelint-disable", Naming::Words, Reach::Rest),
    ("stylelint-disable-line", Naming::Words, Reach::Place),
    ("stylelint-disable-next-line", Naming::Words, Reach::Place),
    ("swiftlint:disable all", Naming::Never, Reach::Rest),
    ("swiftlint:disable:next all", Naming::Never, Reach::Place),
    ("swiftlint:disable:previous all", Naming::Never, Reach::Place),
    ("swiftlint:disable:this all", Naming::Never, Reach::Place),
    ("tslint:disable", Naming::Words, Reach::Rest),
    ("tslint:disable-line", Naming::Words, Reach::Place),
    ("tslint:disable-next-line", Naming::Words, Reach::Place),
    ("type: ignore", Naming::Attached, Reach::PlaceOrFile),
    ("type:ignore", Naming::Attached, Reach::PlaceOrFile),
];

/// Marks in code, and what they reach.
static CODE_MARKS: &[(&str, Reach)] = &[
    ("#![allow(", Reach::File),
    ("#[allow(", Reach::Place),
    ("#pragma clang diagnostic ignored \"-Weverything\"", Reach::File),
    ("#pragma clang diagnostic ignored \"-Wall\"", Reach::File),
    ("#pragma GCC diagnostic ignored \"-Wall\"", Reach::File),
    ("#pragma warning disable", Reach::Rest),
    ("@Suppress(\"all\")", Reach::Place),
    ("@Suppress(\"detekt:all\")", Reach::Place),
    ("@SuppressWarnings(\"all\")", Reach::Place),
    ("@SuppressWarnings({\"all\"})", Reach::Place),
    ("@file:Suppress(\"all\")", Reach::File),
];

/// Lints of Rust that stand for many, of those that are on unless switched off.
const LINT_GROUPS: &[&str] = &[
    "clippy::all",
    "clippy::complexity",
    "clippy::correctness",
    "clippy::perf",
    "clippy::style",
    "clippy::suspicious",
    "future_incompatible",
    "nonstandard_style",
    "unused",
    "warnings",
];

/// Lints of which the name is the reason, wherever they are allowed.
const EVIDENT_LINTS: &[&str] = &["clippy::duplicate_mod", "clippy::module_inception"];

/// Extensions of files that set up a tool of scripts.
const SCRIPT_EXTENSIONS: &[&str] = &["cjs", "cts", "js", "mjs", "mts", "ts"];

/// How bundles of several modules begin: the loader that is put in front of them.
const BUNDLE_MARKS: &[&str] = &[
    "(function e(t,n,r){function s(",
    "(function(){function r(e,n,t){function o(",
    "(function webpackUniversalModuleDefinition(",
    "__webpack_require__",
    "typeof require&&require",
];

/// How much of a file is searched for it.
const BUNDLE_BYTES_MAX: usize = 1_000;

/// Lines around a mark in which a comment may say that the code was generated, or from where it comes.
const GENERATED_LINES: usize = 3;

/// How much of such a line is searched.
const LINE_BYTES_MAX: usize = 200;

/// What stands near a mark over generated code.
const GENERATED_MARKS: &[&str] = &[
    "auto-generated",
    "autogenerated",
    "automatically generated",
    "bindgen",
    "do not edit",
    "generated by",
    "include!(",
    "include_proto!(",
];

/// Longest list of lints that is read: an attribute that is longer names enough.
const LINTS_BYTES_MAX: usize = 2_000;

static COMMENTS: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let marks = MARKS.iter().map(|(mark, ..)| mark);
    let built = AhoCorasick::builder().ascii_case_insensitive(true).match_kind(MatchKind::LeftmostLongest).build(marks);
    built.expect("some dozen short marks fit every limit of the automaton")
});

static CODE: LazyLock<AhoCorasick> = LazyLock::new(|| {
    let built = AhoCorasick::new(CODE_MARKS.iter().map(|(mark, _)| mark));
    built.expect("a few short marks fit every limit of the automaton")
});

fn check(file: &File<'_>, found: &mut Findings<'_>) {
    if file.is_test_input() {
        return;
    }
    let text = file.source.text.as_ref();
    for mark in in_comments(file, &COMMENTS) {
        if found.is_full() {
            return;
        }
        let (name, naming, reach) = MARKS[mark.pattern];
        if !names_something(naming, mark.rest) && !is_sample(file, &mark) && !is_generated(file, mark.span.start) {
            let is_file_wide = is_file_wide(file, reach, name, &mark);
            let has_reason = says_why(mark.rest)
                || has_two_words(mark.rest)
                || if is_file_wide { only_imports(file) } else { is_explained_above(file, mark.span.start) };
            report(file, mark.span, is_file_wide, has_reason, found);
        }
    }
    for hit in CODE.find_iter(text) {
        let (span, reach) = (hit.span().range(), CODE_MARKS[hit.pattern().as_usize()].1);
        if found.is_full() {
            return;
        }
        if file.outline.is_quoted(span.start) || is_generated(file, span.start) {
            continue;
        }
        let line_end = file.source.line_span(file.source.line_of(span.start)).end;
        if text[span.clone()].ends_with("allow(") {
            allow(file, span, reach, found);
        } else if reach == Reach::Rest {
            // Behind it stand the numbers of what it silences, if it does not silence all.
            let rest = file.text(&(span.end..line_end.max(span.end)));
            let words = rest.split("//").next().unwrap_or_default();
            if words.trim().is_empty() {
                let is_file_wide = !text[span.end..].contains("#pragma warning restore");
                report(file, span, is_file_wide, says_why(rest), found);
            }
        } else {
            report(file, span, reach == Reach::File, false, found);
        }
    }
}

/// Whether a program put the file together from modules of others.
fn is_bundle(file: &File<'_>) -> bool {
    let text = file.source.text.as_ref();
    let head = &text[..text.floor_char_boundary(BUNDLE_BYTES_MAX)];
    BUNDLE_MARKS.iter().any(|mark| head.contains(mark))
}

/// Whether the file sets up a tool, as `babel.config.cjs` does: linters seldom read it.
fn sets_up_a_tool(path: &str) -> bool {
    let mut ends = paths::file_name(path).rsplit('.');
    ends.next().is_some_and(|extension| SCRIPT_EXTENSIONS.contains(&extension)) && ends.next() == Some("config")
}

/// Whether `mark` stands in a comment inside a comment: documentation that shows it.
fn is_sample(file: &File<'_>, mark: &Mark<'_>) -> bool {
    let line = file.source.line_span(file.source.line_of(mark.span.start));
    let before = file.text(&(line.start..mark.span.start));
    before.find("//").is_some_and(|at| before[at..].trim_end().ends_with("/*"))
}

/// Whether the code around byte `at` says that a program wrote it.
fn is_generated(file: &File<'_>, at: usize) -> bool {
    let line = file.source.line_of(at);
    let near = line.saturating_sub(GENERATED_LINES)..=line + GENERATED_LINES;
    let mut near = near.map(|line| file.text(&file.source.line_span(line)));
    near.any(|text| {
        let lower = text[..text.floor_char_boundary(LINE_BYTES_MAX)].to_ascii_lowercase();
        GENERATED_MARKS.iter().any(|mark| lower.contains(mark))
    })
}

/// Whether what follows a mark names what it silences.
fn names_something(naming: Naming, rest: &str) -> bool {
    let name = match naming {
        Naming::Never => return false,
        Naming::Attached => rest.trim_start().strip_prefix([':', '(', '[']).unwrap_or_default(),
        Naming::Words => rest.trim_start_matches([' ', '\t', ':', '[', '(']),
    };
    let name = name.trim_start();
    let is_all =
        name.strip_prefix("all").is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '-'));
    name.starts_with(|c: char| c.is_alphanumeric() || c == '@') && !is_all
}

fn is_file_wide(file: &File<'_>, reach: Reach, name: &str, mark: &Mark<'_>) -> bool {
    let text = file.source.text.as_ref();
    match reach {
        Reach::Place => false,
        Reach::File => true,
        Reach::LineOrRest if has_code_on_line(file, mark.span.start) => false,
        Reach::LineOrRest | Reach::Rest => !text[mark.span.end..].contains(&name.replace("disable", "enable")),
        Reach::PlaceOrFile => {
            let line = file.source.line_span(file.source.line_of(mark.span.start));
            file.text(&line).starts_with("package ") || !has_code_before(file, mark.span.start)
        }
    }
}

/// Whether code stands on its line in front of the comment at `at`.
fn has_code_on_line(file: &File<'_>, at: usize) -> bool {
    let line = file.source.line_span(file.source.line_of(at)).start;
    file.outline
        .comment_around(at)
        .is_some_and(|comment| !file.text(&(line..comment.start.max(line))).trim().is_empty())
}

/// Whether a byte of code stands in front of the comment at `at`.
fn has_code_before(file: &File<'_>, at: usize) -> bool {
    let mut end = 0;
    for comment in file.outline.comments.iter().take_while(|comment| comment.start <= at) {
        if !file.text(&(end..comment.start)).trim().is_empty() {
            return true;
        }
        end = comment.end;
    }
    false
}

/// Judges an attribute that allows lints; `open` ends behind its opening bracket.
fn allow(file: &File<'_>, open: Span, reach: Reach, found: &mut Findings<'_>) {
    let text = file.source.text.as_ref();
    let list = &text[open.end..text.floor_char_boundary(open.end + LINTS_BYTES_MAX)];
    let Some(length) = list.find(')') else { return };
    let lints = list[..length].split(',').map(str::trim).filter(|lint| !lint.is_empty());
    let (reasons, lints): (Vec<&str>, Vec<&str>) = lints.partition(|lint| lint.starts_with("reason"));
    // A module in the file has a few items, as often as not one.
    let line = file.source.line_span(file.source.line_of(open.start));
    let is_file_wide = reach == Reach::File && line.start == open.start;
    // On a single item the group says no more than the lint: it is not used.
    let has_reason = !reasons.is_empty() || is_explained(file, open.start);
    // A group that says no more than that something is not used is named enough with a reason.
    let is_named = |lint: &str| lint == "unused" && (!is_file_wide || has_reason);
    let is_group = lints.iter().any(|lint| LINT_GROUPS.contains(lint) && !is_named(lint));
    // The lint says itself what is done on purpose: a module stands in two places.
    let is_evident = !lints.is_empty() && lints.iter().all(|lint| EVIDENT_LINTS.contains(lint));
    // Tests share modules of which each uses a part; naming the lint is enough there, as it is for a single item.
    let is_named_enough = is_evident || !is_file_wide || has_reason || file.is_test();
    if is_group {
        report(file, open.start..open.end + length, is_file_wide, has_reason, found);
    } else if !is_named_enough {
        found.push(Hit {
            place: file.place(open.start..open.end + length),
            severity: Severity::Low,
            confidence_permille: 800,
            message: "a check is off for the whole module, without a reason".to_owned(),
            suggestion: "allow it where it is needed, or say why it must be off everywhere",
        });
    }
}

fn report(file: &File<'_>, span: Span, is_file_wide: bool, has_reason: bool, found: &mut Findings<'_>) {
    // Few files have a mark at all, so only those are asked whether somebody wrote them.
    if is_bundle(file) || file.is_foreign() || (is_file_wide && sets_up_a_tool(file.source.path)) {
        return;
    }
    found.push(Hit {
        place: file.place(span),
        severity: match (is_file_wide, has_reason) {
            (true, false) => Severity::Medium,
            (true, true) | (false, false) => Severity::Low,
            (false, true) => Severity::Info,
        },
        confidence_permille: 900,
        message: if is_file_wide { "every check is off for the whole file" } else { "every check is off here" }
            .to_owned(),
        suggestion: "mend what the tool found, or name the check and say why it is wrong",
    });
}

#[cfg(test)]
#[path = "check_disabled/tests.rs"]
mod tests;
