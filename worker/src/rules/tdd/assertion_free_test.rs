//! Tests that cannot fail.

mod elsewhere;
mod surviving;

use schemas::severity::Severity;

use elsewhere::{asserts_elsewhere, expecting_output};
use surviving::{is_about_bounds, is_about_surviving};

use crate::outline::Function;
use crate::paths;
use crate::rules::{Check, File, Findings, Hit, rule};

rule!(
    /// ## What it finds
    /// Test functions with nothing that could fail them: no assertion, no call of a function named `assert…`, `expect…`,
    /// `check…`, `require…` or `verify…` or of one in the same file that asserts, no expected failure, no error handed on,
    /// no generated input. In Rust, `unwrap` counts: it fails the test as an assertion would.
    ///
    /// Left alone are tests that give something else the means to fail them, such as Go's `t`, or that get it as parameters
    /// (`({ same }) => same(a, b)`), those that tell what they expect to what runs a program (`.stdout("..")`) or to `pytester`,
    /// and those that call a function named `validate…`. So are those that wait for what another
    /// thread or task does, and would hang without it, those of a class that asserts when it tears down, and those that say,
    /// by their names, comments or docstrings, that they are about not crashing, not raising, not hanging, being accepted, being
    /// compiled or how long something takes, or about an issue by its number, and files that other tests read. Those that are switched
    /// off are left to `tdd/skipped-test`, empty ones to `tdd/empty-test`. Helpers in other files are not looked into.
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
    "tdd/assertion-free-test", Tdd, Low, version: 7, Check::Code(check)
);

/// Four findings in ten are of tests that fail by what a helper in another file does, or that are only about coming to an end.
const CONFIDENCE_PERMILLE: u16 = 600;

/// Functions that run after each test of a class.
const TEAR_DOWNS: &[&str] = &["TearDown", "asyncTearDown", "tearDown", "teardown_method"];

/// Signs of waiting for what another thread, a task or the collector of garbage does: the test hangs or crashes otherwise.
const WAITS: &[&str] = &[
    "<-",
    ".Wait(",
    ".changed().await",
    ".closed().await",
    ".join(",
    ".recv(",
    ".wait(",
    "runtime.GC(",
    "select!",
    "with_timeout",
];

fn check(file: &File<'_>, found: &mut Findings<'_>) {
    let tears_down = |one: &Function| one.assertions > 0 && TEAR_DOWNS.contains(&file.text(&one.name));
    let has_none = file.outline.tests().next().is_none();
    if has_none || paths::is_test_input(file.source.path) || file.outline.functions.iter().any(tears_down) {
        return;
    }
    let expecting_output = expecting_output(file);
    for (index, function) in file.outline.functions.iter().enumerate() {
        let Some(test) = &function.test else { continue };
        if function.assertions > 0 || test.fails_otherwise || test.skipped || test.statements == 0 {
            continue;
        }
        if expecting_output.contains(&index) || asserts_elsewhere(file, function) {
            continue;
        }
        if is_about_surviving(file, function) || is_about_bounds(file, function) {
            continue;
        }
        let body = function.body.as_ref().map_or("", |body| file.text(body));
        if test.hands_over || WAITS.iter().any(|sign| body.contains(sign)) {
            continue;
        }
        found.push(Hit {
            place: file.place(function.name.clone()),
            severity: Severity::Low,
            confidence_permille: CONFIDENCE_PERMILLE,
            message: "test asserts nothing".to_owned(),
            suggestion: "say what should come out, and assert it",
        });
    }
}

#[cfg(test)]
#[path = "assertion_free_test/tests.rs"]
mod tests;
