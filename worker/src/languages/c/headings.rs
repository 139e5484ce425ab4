//! Macros that begin a test in C and C++, and what they say of it.

use tree_sitter::Node;

use super::FORMS;
use crate::languages::body;
use crate::languages::draft::{Draft, Heading};
use crate::outline::{Function, Test};

/// Macros of GoogleTest, Catch2, doctest, Boost, Check, Criterion, CppUTest, Unity, cgreen and others that begin a test.
const TEST_MACROS: &[&str] = &[
    "BOOST_AUTO_TEST_CASE",
    "BOOST_FIXTURE_TEST_CASE",
    "CTEST",
    "Ensure",
    "IGNORE_TEST",
    "MU_TEST",
    "SCENARIO",
    "START_TEST",
    "TEMPLATE_TEST_CASE",
    "TEST",
    "TEST_CASE",
    "TEST_CASE_FIXTURE",
    "TEST_CASE_METHOD",
    "TEST_F",
    "TEST_P",
    "TYPED_TEST",
    "TYPED_TEST_P",
    "Test",
];

/// How far the arguments of a test's macro are read: they are a title, tags and decorators.
const TITLE_BYTES_MAX: usize = 400;

/// What in them switches the test off: GoogleTest, Catch2, doctest, Boost, Criterion.
const OFF: &[&str] =
    &["DISABLED_", "\"[.]\"", "[!mayfail]", "::skip()", "skip(true)", "::disabled()", "disabled = true"];

/// What in them says that the test is to fail or to end its process.
const TO_FAIL: &[&str] = &["[!shouldfail]", "should_fail()", ".signal =", ".exit_code ="];

/// Whether a macro called `name` begins a test.
pub(super) fn begins_test(name: &str) -> bool {
    TEST_MACROS.contains(&name)
}

/// What the arguments of the macro `by` say: `Suite, DISABLED_name`, `"adds", "[.]"`, `"adds" * doctest::skip()`.
pub(super) fn heading(draft: &Draft<'_>, arguments: Node<'_>, by: &str) -> Heading {
    let whole = arguments.byte_range();
    let mut cursor = arguments.walk();
    let parts: Vec<Node<'_>> = arguments.named_children(&mut cursor).take(2).collect();
    // `"title", "[tag]"`, `Fixture, "title"` or `Suite, name`.
    let name = parts.iter().find(|part| part.kind() == "string_literal").or(parts.last());
    let name = name.map_or(whole.clone(), |name| name.byte_range());
    let end = draft.text.floor_char_boundary(whole.end.min(whole.start + TITLE_BYTES_MAX));
    let text = draft.slice(&(whole.start..end));
    let holds = |marks: &[&str]| marks.iter().any(|mark| text.contains(mark));
    let skip = (by == "IGNORE_TEST" || holds(OFF)).then(|| name.clone());
    Heading { end: whole.end, name, skip, fails_otherwise: holds(TO_FAIL) }
}

/// A block right behind a macro that begins a test is that test.
pub(super) fn block(draft: &mut Draft<'_>, node: Node<'_>) {
    let Some(heading) = draft.heading.take() else { return };
    let between = draft.text.get(heading.end..node.start_byte());
    if between.is_some_and(|between| between.trim().is_empty()) {
        test(draft, node, Some(node), heading);
    }
}

/// Enters the test under `heading`, which is all of `node`.
pub(super) fn test(draft: &mut Draft<'_>, node: Node<'_>, block: Option<Node<'_>>, heading: Heading) {
    let is_conditional = draft.scope().is_conditional;
    let test = Test { statements: body::count(block), fails_otherwise: heading.fails_otherwise, ..Test::default() };
    draft.test_code(heading.name.start..node.end_byte());
    let function = Function {
        name: heading.name,
        body: block.map(|block| block.byte_range()),
        shape: body::shape(draft, draft.block(block), &FORMS),
        // The macro decides what the function looks like.
        is_bound: true,
        test: Some(test),
        ..Function::default()
    };
    draft.function(node, node, None, function);
    if let Some(mark) = heading.skip {
        draft.skip(mark, false, is_conditional);
    }
}
