//! Tests that cannot fail.

use schemas::severity::Severity;

use crate::rules::{Check, File, Findings, Hit, rule};

rule!(
    /// ## What it finds
    /// Test functions with nothing that could fail them: no assertion, no call of a function named `assert…`, `expect…`,
    /// `check…`, `require…` or `verify…` or of one in the same file that asserts, no expected failure, no error handed on,
    /// no generated input. In Rust, `unwrap` counts: it fails the test as an assertion would.
    ///
    /// When something else is given the means to fail the test, such as Go's `t`, it probably does: low. Tests that are
    /// switched off are left to `tdd/skipped-test`, empty ones to `tdd/empty-test`.
    ///
    /// ## Why it matters
    /// The test runs the code and looks away. It is green whatever the code does, and counts as coverage.
    ///
    /// ## Example
    /// ```text
    /// def test_total():
    ///     cart = Cart()
    ///     cart.total()
    /// ```
    ///
    /// ## How to fix
    /// Say what should come out, and assert it.
    "tdd/assertion-free-test", Tdd, High, version: 4, Check::Code(check)
);

fn check(file: &File<'_>, found: &mut Findings<'_>) {
    for (function, test) in file.outline.tests() {
        if function.assertions > 0 || test.fails_otherwise || test.skipped || test.statements == 0 {
            continue;
        }
        let (severity, confidence_permille) =
            if test.hands_over { (Severity::Low, 400) } else { (Severity::High, 900) };
        let message = if test.hands_over { "test asserts nothing itself" } else { "test asserts nothing" };
        found.push(Hit {
            place: file.place(function.name.clone()),
            severity,
            confidence_permille,
            message: message.to_owned(),
            suggestion: "say what should come out, and assert it",
        });
    }
}

#[cfg(test)]
#[path = "assertion_free_test/tests.rs"]
mod tests;
