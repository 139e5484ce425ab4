//! Tests that are switched off.

mod place;
pub(in crate::rules) mod runner;

use schemas::severity::Severity;

use place::{
    calls_for_secrets, comments, is_conditional_by_word, is_documented, is_explained_inside, is_for_subclasses,
    is_in_helper, is_known_limit, is_meant_to_fail, is_on_demand, is_override, stands_in_condition,
};

use crate::names;
use crate::outline::Skip;
use crate::paths;
use crate::rules::integrity::todo_marker::is_ticket;
use crate::rules::{Check, File, Findings, Hit, rule, runners};

rule!(
    /// ## What it finds
    /// Marks that switch a test or a group of tests off: `#[ignore]`, `@pytest.mark.skip`, `xfail`, `@unittest.skip`,
    /// `t.Skip`, `it.skip`, `xit`, `xdescribe`, `it.todo`, `@Disabled`, `@Ignore`, `GTEST_SKIP`, `DISABLED_` and their kin.
    /// Without a reason medium; with one (in the mark, in a comment beside it or right above it and
    /// other marks, in the docstring, in a comment that the test begins with, or as a ticket) low.
    ///
    /// Marks that depend on a platform, an environment or another condition are left alone: there the test runs elsewhere. So are
    /// marks whose reason is that there is nothing to run: what is abstract, not supported, not applicable, only for another
    /// case, tested elsewhere, run by hand, with an account or a secret of one's own, or only to compile; in Rust also
    /// tests that need something and are run on demand (`--ignored`). So are expected failures of which the docstring
    /// says why, as they run, and tests that are named after being run by hand (`benchmark`, `stress`, `.._live`).
    /// Calls in helpers and benchmarks, abstract classes, tests that replace one of the class they extend by nothing
    /// but the mark, strict expected failures of what should always fail, one word that is handed to a `skip` of the
    /// project's own (`@skip("sqlite")`), what tests read, classes in files that no runner of Python looks into, copies
    /// of tests of others, and tests of a test runner or of skipping itself are left alone, too.
    ///
    /// ## Why it matters
    /// A test that is off protects nothing, and looks like one that does. Without a reason nobody knows when it may come back.
    ///
    /// ## Example
    /// ```text
    /// #[ignore]
    /// #[test]
    /// fn sends_mail() { .. }
    /// ```
    ///
    /// ## How to fix
    /// Mend the test or delete it. If it must wait, say for what: `#[ignore = "needs the new mailer, #123"]`.
    "tdd/skipped-test", Tdd, Medium, version: 8, Check::Code(check)
);

/// Shortest comment, in letters, that says something.
const REASON_LETTERS_MIN: usize = 6;

/// Reasons, in lower case, that say that there is nothing to test.
const INAPPLICABLE: &[&str] = &[
    "-specific",
    "abstract",
    "by design",
    "can't be tested",
    "cannot be tested",
    "demonstrat",
    "interactive",
    "live test",
    "only locally",
    "run locally",
    "not testable",
    "untestable",
    "already tested",
    "compilation is checked",
    "covered by",
    "covered in",
    "does not apply",
    "does not have",
    "doesn't apply",
    "doesn't have",
    "incompatible",
    "irrelevant",
    "manual",
    "n/a",
    "n't support",
    "not a valid",
    "not applicable",
    "not relevant",
    "not support",
    "only compil",
    "only for ",
    "specific to",
    "subclass",
    "tested elsewhere",
    "tested in",
    "unsupported",
];

/// Reasons, in lower case, of tests in Rust that are run on demand: `ignore` is the way to mark them.
const ON_DEMAND: &[&str] = &[
    "--ignored",
    "benchmark",
    "hardware",
    "regenerat",
    "stress",
    "takes ",
    "too long",
    "expensive",
    "long running",
    "long-running",
    "on demand",
    "requires",
    "run with",
];

fn check(file: &File<'_>, found: &mut Findings<'_>) {
    let mut marks = file.outline.skips.iter().filter(|skip| !skip.is_conditional).peekable();
    if marks.peek().is_none() || is_about_skips(file) {
        return;
    }
    for skip in marks {
        if is_inapplicable(file, skip)
            || is_meant_to_fail(file, skip)
            || is_conditional_by_word(file, skip)
            || stands_in_condition(file, skip)
            || is_in_helper(file, skip)
            || is_for_subclasses(file, skip)
            || is_override(file, skip)
            || is_on_demand(file, skip)
            || is_known_limit(file, skip)
        {
            continue;
        }
        let has_reason = skip.has_reason
            || names_ticket(file, skip)
            || has_comment(file, skip)
            || is_documented(file, skip)
            || is_explained_inside(file, skip);
        found.push(Hit {
            place: file.place(skip.span.clone()),
            severity: if has_reason { Severity::Low } else { Severity::Medium },
            confidence_permille: 900,
            message: if has_reason { "test is switched off" } else { "test is switched off without a reason" }
                .to_owned(),
            suggestion: "mend the test or delete it; if it must wait, say for what",
        });
    }
}

/// Whether the tests are about being switched off, or are read by other tests.
fn is_about_skips(file: &File<'_>) -> bool {
    let name = paths::file_name(file.source.path);
    let words = names::words(name.split('.').next().unwrap_or(name));
    let says = words.iter().any(|word| word.starts_with("skip") || word == "xfail");
    says || runners::is_of_others(file) || runners::is_run_by_others(file) || runner::is_own(file)
}

/// Whether the mark says that there is nothing to test, or nothing to be run each time.
fn is_inapplicable(file: &File<'_>, skip: &Skip) -> bool {
    let is_rust = paths::extension(file.source.path) == Some("rs");
    let says = |text: &str| {
        let text = text.to_ascii_lowercase();
        let has = |reasons: &[&str]| reasons.iter().any(|reason| text.contains(reason));
        has(INAPPLICABLE) || (is_rust && has(ON_DEMAND)) || calls_for_secrets(&text)
    };
    says(file.text(&skip.span)) || comments(file, skip).any(says)
}

fn names_ticket(file: &File<'_>, skip: &Skip) -> bool {
    let line = file.source.line_span(file.source.line_of(skip.span.start));
    file.text(&line).split(|c: char| c.is_whitespace() || "()[]{}'\"`,.:;".contains(c)).any(is_ticket)
}

/// Whether a comment stands on the line of the mark, or ends above it and what marks the same; one that documents the test
/// does not count.
fn has_comment(file: &File<'_>, skip: &Skip) -> bool {
    comments(file, skip).any(|text| {
        let documents = text.starts_with("///") || text.starts_with("/**");
        !documents && text.chars().filter(|c| c.is_alphabetic()).count() >= REASON_LETTERS_MIN
    })
}

#[cfg(test)]
#[path = "skipped_test/tests.rs"]
mod tests;
