//! Assertions that hold whatever the code does.

mod meant;

use schemas::severity::Severity;

use meant::{is_about_comparing, is_about_reaching, is_about_types, is_told_apart, tries_assertions};

use crate::outline::{Call, Span};
use crate::paths;
use crate::rules::calls::{arguments, last_name, split};
use crate::rules::{Check, File, Findings, Hit, rule, runners};

rule!(
    /// ## What it finds
    /// Assertions in tests that compare a literal or a name with itself, or assert a literal that is true: `assert!(true)`,
    /// `assert 1 == 1`, `assert.Equal(t, x, x)`, `expect(true).toBe(true)`, `expect(1).to eq(1)`, `EXPECT_EQ(1, 1)`,
    /// `Assert.True(true)`.
    ///
    /// A value compared with itself where the test is about comparing (its name speaks of `eq`, `hash`, `order`, `nan` and such,
    /// or it also says what the same value differs from) and calls on both sides, which may answer differently, are left alone.
    /// So is a literal where coming there is what is tested: the test says elsewhere how it fails, how many assertions it plans,
    /// or ends in the callback that asserts, is named after no more than how it ends, or a comment right above says that nothing
    /// is raised. And so are the identity of what a property gives, which may be computed anew at each
    /// look, assertions about types (`assert<Equal<A, B>>(true)`), examples, files that other tests read, copies of tests of
    /// others, and the tests of a library of tests or of assertions, by what the file is named or takes from its root.
    ///
    /// ## Why it matters
    /// The test has an assertion and checks nothing; it passes for every version of the code, broken ones among them.
    ///
    /// ## Example
    /// ```text
    /// result = run()
    /// assert True
    /// ```
    ///
    /// ## How to fix
    /// Assert what came out of the code: `assert result == 3`.
    "tdd/trivial-assertion", Tdd, High, version: 6, Check::Code(check)
);

/// Assertions of two equal values, by their last name.
const EQUALITIES: &[&str] = &[
    "ASSERT_EQ",
    "AreEqual",
    "AreSame",
    "EXPECT_EQ",
    "Equal",
    "EqualValues",
    "Exactly",
    "Same",
    "XCTAssertEqual",
    "assertEqual",
    "assertEquals",
    "assertIs",
    "assertSame",
    "assert_eq",
    "assert_equal",
    "assert_same",
    "debug_assert_eq",
    "deepEqual",
    "deepStrictEqual",
    "equal",
    "same",
    "strictEqual",
];

/// Assertions of one true value, by their last name.
const TRUTHS: &[&str] = &[
    "ASSERT_TRUE",
    "CHECK",
    "EXPECT_TRUE",
    "IsTrue",
    "REQUIRE",
    "True",
    "XCTAssert",
    "XCTAssertTrue",
    "assert",
    "assertTrue",
    "debug_assert",
    "isTrue",
    "ok",
];

/// Beginnings of names that are assertions wherever they stand in a test.
const HEADS: &[&str] = &["ASSERT_", "CHECK", "EXPECT_", "REQUIRE", "XCTAssert", "assert", "debug_assert"];

/// Matchers of equality behind `expect(..)`.
const MATCHERS: &[&str] = &["toBe", "toEqual", "toStrictEqual"];

/// Matchers of equality behind `expect(..).to` of RSpec.
const RSPEC_MATCHERS: &[&str] = &["be", "eq", "eql", "equal"];

/// First names of paths whose last name alone could be anything.
const HOSTS: &[&str] = &["Assert", "assert", "chai", "require", "t"];

/// Literals that are true.
const TRUE: &[&str] = &["1", "True", "true"];

/// Assertions of one and the same object, by their last name.
const IDENTITIES: &[&str] =
    &["AreSame", "Same", "assertIs", "assertSame", "assert_same", "same", "strictEqual", "toBe"];

/// Extensions of languages in which looking at a field may run code, which makes another object each time, or keeps one.
const COMPUTING: &[&str] =
    &["cjs", "cs", "cts", "js", "jsx", "kt", "kts", "mjs", "mts", "php", "py", "rb", "swift", "ts", "tsx"];

fn check(file: &File<'_>, found: &mut Findings<'_>) {
    for (index, call) in file.outline.calls.iter().enumerate() {
        if found.is_full() {
            return;
        }
        let Some((is_trivial, start)) = judge(file, index, call) else { continue };
        if is_trivial && is_judged(file, start) && !is_about_types(file, call) {
            report(file, start..call.arguments.end, found);
        }
    }
    for span in &file.outline.asserts {
        let text = file.text(span).trim_start_matches("assert").trim();
        let condition = split(text, |rest| rest.starts_with(',').then_some(1)).first().copied().unwrap_or_default();
        if is_true(file, condition, span.start) && is_judged(file, span.start) {
            report(file, span.clone(), found);
        }
    }
}

/// Whether what is asserted at byte `at` is a part of the project's tests, and not what a library of tests is tried on.
fn is_judged(file: &File<'_>, at: usize) -> bool {
    file.is_test_code(at) && !tries_assertions(file, at) && !runners::is_tried_on(file)
}

fn report(file: &File<'_>, span: Span, found: &mut Findings<'_>) {
    found.push(Hit {
        place: file.place(span),
        severity: Severity::High,
        confidence_permille: 900,
        message: "assertion holds whatever the code does".to_owned(),
        suggestion: "assert what came out of the code",
    });
}

/// Whether `call` is trivial, and where it starts, if it is an assertion of a known kind.
fn judge(file: &File<'_>, index: usize, call: &Call) -> Option<(bool, usize)> {
    let callee = file.text(&call.callee);
    let (name, start) = (last_name(callee), call.callee.start);
    let first = callee.split(['.', ':']).next().unwrap_or_default();
    let is_ours = HEADS.iter().any(|head| name.starts_with(head)) || HOSTS.contains(&first);
    if name == "to" || MATCHERS.contains(&name) {
        return judge_expectation(file, index, call, name);
    }
    // Nearly every call of a file is none of them, and taking arguments apart takes time.
    if !is_ours || !(EQUALITIES.contains(&name) || TRUTHS.contains(&name)) {
        return None;
    }
    let mut all = arguments(file, &call.arguments);
    // In Go the first argument is what fails the test.
    if all.first() == Some(&"t") && matches!(first, "assert" | "require") {
        all.remove(0);
    }
    // JUnit 4 has the message in front.
    let is_message = all.first().is_some_and(|first| first.starts_with('"')) && all.first() != all.get(1);
    let usual = if EQUALITIES.contains(&name) { 2 } else { 1 };
    if is_message && all.len() > usual && names_assertions_after_junit(file) {
        all.remove(0);
    }
    match all.as_slice() {
        [a, b, ..] if EQUALITIES.contains(&name) => {
            Some((!is_kept(file, name, a) && are_same(file, a, b, start), start))
        }
        [condition, ..] if TRUTHS.contains(&name) => Some((is_true(file, condition, start), start)),
        _ => None,
    }
}

/// The same of an expectation that is said in words: `expect(a).toBe(b)`, `expect(a).to eq(b)`.
fn judge_expectation(file: &File<'_>, index: usize, call: &Call, name: &str) -> Option<(bool, usize)> {
    let expect = expectation(file, index, call)?;
    let (actual, start) = (arguments(file, &expect.arguments), expect.callee.start);
    if name == "to" {
        let expected = arguments(file, &matcher(file, index, call)?.arguments);
        let ([actual], [expected]) = (actual.as_slice(), expected.as_slice()) else { return None };
        // A name may be a method, which may answer differently.
        return Some((actual == expected && is_literal(file, actual), start));
    }
    let expected = arguments(file, &call.arguments);
    let (Some(actual), Some(expected)) = (actual.first(), expected.first()) else { return None };
    Some((!is_kept(file, name, actual) && are_same(file, actual, expected, call.callee.start), start))
}

/// Whether the assertion `name` is about the identity of what a property gives, which may be another object at each look.
fn is_kept(file: &File<'_>, name: &str, value: &str) -> bool {
    let is_computed = paths::extension(file.source.path).is_some_and(|found| COMPUTING.contains(&found));
    is_computed && IDENTITIES.contains(&name) && value.contains('.') && !is_literal(file, value)
}

fn names_assertions_after_junit(file: &File<'_>) -> bool {
    matches!(paths::extension(file.source.path), Some("java" | "kt"))
}

/// The call `expect(..)` right in front of the matcher `call`. Outer calls stand first, so it is one of the next.
fn expectation<'f>(file: &'f File<'_>, index: usize, call: &Call) -> Option<&'f Call> {
    let end = call.callee.start.checked_sub(1)?;
    let next = file.outline.calls.get(index + 1)?;
    (file.text(&next.callee) == "expect" && next.arguments.end == end).then_some(next)
}

/// The call `eq(..)` that is all that `to` is given, behind its `expect(..)`.
fn matcher<'f>(file: &'f File<'_>, index: usize, call: &Call) -> Option<&'f Call> {
    let next = file.outline.calls.get(index + 2)?;
    let given = file.text(&call.arguments);
    let given = given.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(given);
    let is_all = file.text(&(next.callee.start..next.arguments.end)) == given;
    (is_all && RSPEC_MATCHERS.contains(&file.text(&next.callee))).then_some(next)
}

/// Whether `condition` is a true literal, or compares something with itself.
fn is_true(file: &File<'_>, condition: &str, at: usize) -> bool {
    let sides = split(condition, |rest| {
        ["===", "==", " is "].iter().find(|mark| rest.starts_with(*mark)).map(|mark| mark.len())
    });
    match sides.as_slice() {
        [only] => is_true_literal(file, only) && !is_about_reaching(file, at),
        // What is made anew at each look is another object than before.
        [a, b] => {
            !([" is ", "==="].iter().any(|mark| condition.contains(mark)) && a.contains('.'))
                && are_same(file, a, b, at)
        }
        _ => false,
    }
}

/// Whether `a` and `b` are the same literal, or the same name where nothing says that this is meant.
fn are_same(file: &File<'_>, a: &str, b: &str, at: usize) -> bool {
    let is_meant = || is_about_comparing(file, at) || is_told_apart(file, a, at);
    a == b && !a.is_empty() && (is_literal(file, a) || (is_name(a) && !is_meant()))
}

/// Whether `text` is a path of names, or a number.
fn is_name(text: &str) -> bool {
    text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '&' | ':'))
}

/// Whether `text` is a number, a string, or a truth value.
fn is_literal(file: &File<'_>, text: &str) -> bool {
    let is_number = is_name(text) && text.starts_with(|c: char| c.is_ascii_digit());
    // A quote that stands at both ends only: otherwise more than one string may be joined.
    let is_text = ['"', '\'']
        .into_iter()
        .any(|quote| text.starts_with(quote) && text.matches(quote).count() == 2 && text.ends_with(quote));
    is_number || is_text || is_true_literal(file, text) || text == "false"
}

/// Whether `text` is a literal that is true; in Python `true` is a name like others.
fn is_true_literal(file: &File<'_>, text: &str) -> bool {
    let is_python = paths::extension(file.source.path) == Some("py");
    TRUE.contains(&text) && !(is_python && text == "true")
}

#[cfg(test)]
#[path = "trivial_assertion/tests.rs"]
mod tests;
