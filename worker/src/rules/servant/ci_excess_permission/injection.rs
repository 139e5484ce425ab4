//! Expressions that paste text which anybody can write.

use crate::outline::Span;

/// Ends of the names of such text under `github.event.`.
const WRITTEN_BY_ANYBODY: &[&str] = &[
    ".author.email",
    ".author.name",
    ".body",
    ".default_branch",
    ".display_title",
    ".head.label",
    ".head.ref",
    ".head_branch",
    ".message",
    ".page_name",
    ".title",
];

/// What makes of a text a yes or no.
const TESTS: &[&str] = &["!=", "==", "contains(", "endsWith(", "startsWith("];

/// The expressions `${{ … }}` in the part `span` of `text` that give such text.
pub(super) fn places(text: &str, span: Span) -> Vec<Span> {
    let mut found = Vec::new();
    let mut at = span.start;
    while let Some(open) = text.get(at..span.end).and_then(|rest| rest.find("${{")) {
        let start = at + open;
        let Some(length) = text[start..span.end].find("}}") else { break };
        at = start + length + "}}".len();
        if gives_foreign_text(&text[start..at]) {
            found.push(start..at);
        }
    }
    found
}

fn gives_foreign_text(expression: &str) -> bool {
    let mut names = expression.split(|c: char| !(c.is_alphanumeric() || "._-*".contains(c)));
    let is_foreign = |name: &str| {
        let under_event = name.strip_prefix("github.event");
        name == "github.head_ref"
            || under_event.is_some_and(|rest| WRITTEN_BY_ANYBODY.iter().any(|end| rest.ends_with(end)))
    };
    !TESTS.iter().any(|test| expression.contains(test)) && names.any(is_foreign)
}
