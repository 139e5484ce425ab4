//! Tests that cannot fail.

mod around;
mod elsewhere;
mod failing;
mod raising;
mod running;
mod strangers;
mod surviving;

use std::collections::HashMap;

use schemas::severity::Severity;

use around::{may_fail, tests_types};
use elsewhere::{asserts_elsewhere, expecting_output};
use failing::{fails_by_itself, is_measuring, tears_down_asserting};
use raising::Raising;
use strangers::calls_a_stranger;
use surviving::{is_about_bounds, is_about_surviving};

use crate::outline::{Call, Function, Test};
use crate::rules::{Check, File, Findings, Hit, rule, runners};

rule!(
    /// ## What it finds
    /// Test functions with nothing that could fail them: no assertion, no call of a function named `assert…`, `expect…`,
    /// `check…`, `require…` or `verify…` or of one in the same file that asserts, no expected failure, no error handed on,
    /// no generated input. In Rust, `unwrap` counts: it fails the test as an assertion would.
    ///
    /// It asks for strong evidence. Files are judged only where at least as many tests assert as do not: elsewhere they assert in
    /// a way that is not known here. In C, C++, JavaScript, Python, Rust and TypeScript a test is judged only if every plain
    /// function that it calls is in the same file, or is imported from a module that is not named as helpers of tests are and
    /// does not stand beside the test.
    ///
    /// Left alone are tests that give something else the means to fail them, such as Go's `t`, or that get it as parameters
    /// (`({ same }) => same(a, b)`), those that tell what they expect to what runs a program (`.stdout("..")`) or to `pytester`,
    /// and those that call what is named after checking, comparing, matching or waiting, or make a `..Checker` or `..Test`. So
    /// are those that would hang otherwise, end in a callback, click through a page, turn warnings into errors, call the same
    /// test of a base class or something that another test of the file says to raise, hand on a double that raises, are
    /// the program that another test starts, those of files that assert after the tests or are for measuring, and those
    /// that say, by their names, comments or docstrings, that they are about coming to an end in time, not crashing,
    /// not raising, not hanging, being accepted, being compiled, being printed or how long something takes, or about an
    /// issue by its number. A script that throws away what it parsed (`schema.parse(x)`), a body of types or of what a
    /// compiler refuses (`satisfies`, `@ts-expect-error`, `#[derive]`), tests of a file in TypeScript that asserts
    /// types elsewhere, and one of Python that only names what must be there are done, too, and so are tests with a
    /// decorator, a limit of time or a fixture that may fail them. Examples, files that other tests read, and tests of
    /// a library of tests, which its own root declares, are none of the project, and nor are classes of Python that no
    /// runner finds. In Python a test that returns a value is waited for, and in Go one that only declares interfaces
    /// is compiled. Those that are switched off are left to `tdd/skipped-test`, empty ones to `tdd/empty-test`. Helpers
    /// in other files are not looked into.
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
    "tdd/assertion-free-test", Tdd, Low, version: 10, Check::Code(check)
);

/// Where others assert as the rule knows it, and every call is known, one in five is still only about coming to an end.
const CONFIDENCE_PERMILLE: u16 = 800;

fn check(file: &File<'_>, found: &mut Findings<'_>) {
    let is_silent = |function: &Function, test: &Test| {
        function.assertions == 0 && !test.fails_otherwise && !test.skipped && test.statements > 0
    };
    let silent = file.outline.tests().filter(|(function, test)| is_silent(function, test)).count();
    let asserting = file.outline.tests().filter(|(function, _)| function.assertions > 0).count();
    // Where most tests assert nothing, they assert in a way that is not known here.
    if silent == 0 || asserting < silent || is_left_alone(file) {
        return;
    }
    let (expecting_output, raising) = (expecting_output(file), Raising::of(file));
    let mut calls: HashMap<usize, Vec<&Call>> = HashMap::new();
    for call in &file.outline.calls {
        calls.entry(call.function.unwrap_or(usize::MAX)).or_default().push(call);
    }
    for (index, function) in file.outline.functions.iter().enumerate() {
        let Some(test) = function.test.as_ref().filter(|test| is_silent(function, test)) else { continue };
        let calls = calls.get(&index).map(Vec::as_slice).unwrap_or_default();
        if test.hands_over
            || expecting_output.contains(&index)
            || raising.is_called_by(file, function)
            || asserts_elsewhere(file, function, calls)
            || is_about_surviving(file, function)
            || is_about_bounds(file, function)
            || fails_by_itself(file, function)
            || calls_a_stranger(file, calls)
            || may_fail(file, function)
            || runners::is_hidden(file, function)
        {
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

/// Whether no test of the file is judged: they are no tests of the project, are there for measuring, are about types, or something asserts
/// after them.
fn is_left_alone(file: &File<'_>) -> bool {
    is_measuring(file.source.path) || runners::is_tried_on(file) || tears_down_asserting(file) || tests_types(file)
}

#[cfg(test)]
#[path = "assertion_free_test/tests.rs"]
mod tests;
#[cfg(test)]
mod trying;
