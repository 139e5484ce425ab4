//! Checks that always succeed.

use std::collections::BTreeMap;

use schemas::severity::Severity;

use crate::names::words;
use crate::outline::{Body, Function};
use crate::paths;
use crate::rules::{Check, File, Findings, Hit, rule};

rule!(
    /// ## What it finds
    /// Functions named `verify…`, `validate…`, `check…`, `authorize…`, `authenticate…`, or such as `isValid` and `isAllowed`,
    /// that are given something to look at, and whose whole body returns a constant that means success: `true`, `nil`, `None`,
    /// `Ok(())`.
    ///
    /// Left alone are functions that a trait, an interface, a base class or a condition of the build may ask for, methods
    /// that a class leaves to those that extend it, functions with a comment in them, with several of one name, or whose
    /// name or documentation says that everything passes, whatever stands in for something else by its name or that of
    /// its class or file (`NullAuth`, `DefaultPolicy`), and code for tests.
    ///
    /// ## Why it matters
    /// Whoever calls it believes that something was looked at. Often it once was a stub that nobody came back to.
    ///
    /// ## Example
    /// ```text
    /// def verify_signature(body, signature):
    ///     return True
    /// ```
    ///
    /// ## How to fix
    /// Check what the name promises, or take the function away. If everything is indeed fine here, say why in a comment.
    "integrity/constant-success", Integrity, Medium, version: 4, Check::Code(check)
);

/// Words in names that say that nothing is looked at, or that everything is what is asked for.
const OPEN_WORDS: &[&str] = &["always", "any", "everything", "never", "noop", "nothing", "unknown"];

/// Extensions of shells.
const SHELLS: &[&str] = &["bash", "ksh", "sh", "zsh"];

/// First words of functions that look at something and say whether it is right.
const CHECKS: &[&str] = &["authenticate", "authorise", "authorize", "check", "validate", "verify"];

/// What questions ask for that somebody relies on.
const ASSURANCES: &[&str] = &[
    "allowed",
    "authentic",
    "authenticated",
    "authorised",
    "authorized",
    "permitted",
    "safe",
    "secure",
    "signed",
    "trusted",
    "valid",
    "verified",
];

/// Words in names of types and files that stand in for others, or that others extend.
const STAND_IN_WORDS: &[&str] = &[
    "abstract",
    "allow",
    "allowall",
    "always",
    "anonymous",
    "base",
    "default",
    "dummy",
    "example",
    "fake",
    "mock",
    "noop",
    "nop",
    "null",
    "permissive",
    "stub",
    "trivial",
];

/// What documentation says of a check that has nothing to look at.
const EXPLANATIONS: &[&str] = &[
    "always",
    "by default",
    "default implementation",
    "do nothing",
    "does nothing",
    "hook",
    "no-op",
    "noop",
    "nothing to",
    "overrid",
    "subclass",
];

/// Lines above a function in which its documentation and its type stand.
const DOCUMENTATION_LINES: usize = 8;

/// Lines above a function in which the type that it belongs to is looked for: longer ones are rare.
const TYPE_LINES_MAX: usize = 400;

fn check(file: &File<'_>, found: &mut Findings<'_>) {
    if paths::is_stand_in(file.source.path) {
        return;
    }
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    for function in &file.outline.functions {
        *names.entry(file.text(&function.name)).or_default() += 1;
    }
    for function in file.outline.functions.iter().filter(|function| function.shape == Body::Constant) {
        let is_dictated =
            function.is_bound || function.is_abstract || function.is_overridable || function.test.is_some();
        if is_dictated || file.is_test_code(function.span.start) || !promises_a_check(file, function) {
            continue;
        }
        if function.body.as_ref().is_some_and(|body| file.outline.has_comment(body)) {
            continue;
        }
        // Of several of one name each is for one kind of argument, and there may be a kind that always passes.
        if names.get(file.text(&function.name)).is_some_and(|count| *count > 1) {
            continue;
        }
        if looks_at_nothing(file, function) || is_explained(file, function) || is_of_stand_in(file, function) {
            continue;
        }
        found.push(Hit {
            place: file.place(function.name.clone()),
            severity: Severity::Medium,
            confidence_permille: 600,
            message: "check always succeeds".to_owned(),
            suggestion: "check what the name promises, or take the function away",
        });
    }
}

/// Whether the name of `function` promises that it looks at something.
fn promises_a_check(file: &File<'_>, function: &Function) -> bool {
    let words = words(file.text(&function.name));
    let Some(first) = words.first() else { return false };
    // Of a question only yes is a success; and without a parameter it is a property, such as `is_file`.
    let says_yes = || function.body.as_ref().is_some_and(|body| file.text(body).to_lowercase().contains("true"));
    if words.iter().any(|word| OPEN_WORDS.contains(&word.as_str())) {
        return false;
    }
    // What is found by a check may be handed out by it; nothing is then no success.
    let finds_nothing = first == "check" && function.body.as_ref().is_some_and(|body| file.text(body).contains("None"));
    (CHECKS.contains(&first.as_str()) && !finds_nothing)
        || (first == "is" && words.last().is_some_and(|last| ASSURANCES.contains(&last.as_str())) && says_yes())
}

/// Whether `function` is given nothing, or says by an underscore that it does not look: it is a property then, or one of many
/// that are called alike. In shells nothing says what a function is given.
fn looks_at_nothing(file: &File<'_>, function: &Function) -> bool {
    let body = function.body.as_ref().map_or(function.span.end, |body| body.start);
    let head = file.text(&(function.name.end..body.max(function.name.end)));
    let is_shell = paths::extension(file.source.path).is_some_and(|extension| SHELLS.contains(&extension));
    // In Swift it says that the name is left out where it is called.
    let is_label = paths::extension(file.source.path) == Some("swift");
    let is_unused =
        !is_label && head.split(['(', ',', ' ']).any(|part| part.starts_with('_') || part.starts_with("$_"));
    !is_shell && (function.parameters == 0 || is_unused)
}

/// Whether the documentation of `function` says that everything passes.
fn is_explained(file: &File<'_>, function: &Function) -> bool {
    let own = file.source.line_of(function.span.start);
    let is_comment = |line: &usize| {
        let text = file.text(&file.source.line_span(*line)).trim_start();
        text.starts_with(['/', '*', '#', '"'])
    };
    let above = (own.saturating_sub(DOCUMENTATION_LINES)..own).rev().take_while(is_comment);
    let above = above.map(|line| file.text(&file.source.line_span(line)));
    let docstrings = file.outline.docstrings.iter().filter(|string| function.span.contains(&string.start));
    let mut texts = above.chain(docstrings.map(|string| file.text(string))).map(str::to_lowercase);
    texts.any(|text| EXPLANATIONS.iter().any(|phrase| text.contains(phrase)))
}

/// Whether the type around `function`, or in front of its name as in Go, stands in for another, or others extend it.
fn is_of_stand_in(file: &File<'_>, function: &Function) -> bool {
    let own = file.source.line_of(function.span.start);
    let text = |line: usize| file.text(&file.source.line_span(line));
    let indent = |line: usize| text(line).len() - text(line).trim_start().len();
    let opens = |line: &usize| {
        let is_type = |word: &str| matches!(word, "class" | "impl" | "module" | "object" | "struct" | "trait");
        indent(*line) <= indent(own) && text(*line).split_whitespace().take(4).any(is_type)
    };
    let around = (own.saturating_sub(TYPE_LINES_MAX)..own).rev().find(opens).map(text).unwrap_or_default();
    let receiver = file.text(&(function.span.start..function.name.end));
    let says = |text: &str| words(text).iter().any(|word| STAND_IN_WORDS.contains(&word.as_str()));
    says(around) || says(receiver)
}

#[cfg(test)]
#[path = "constant_success/tests.rs"]
mod tests;
