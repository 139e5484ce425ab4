//! C, as an outline; C++ is read the same way. Tests are blocks behind a macro, or functions named `test_…`.

mod declarations;
mod headings;

use std::sync::OnceLock;

use tree_sitter::Node;

use super::assertions::is_assertion;
use super::body::{self, Forms};
use super::calls;
use super::draft::Draft;
use super::fields::{Field, Fields};
use super::walk::{Grammar, Role};
use crate::outline::Import;

/// The grammar of C.
pub(super) static C: Grammar =
    Grammar { language: || tree_sitter_c::LANGUAGE.into(), role, enter, loaded: OnceLock::new() };

/// Bodies that do next to nothing.
const FORMS: Forms = Forms {
    nothing: &[],
    success: &["true", "0", "NULL", "nullptr", "std::nullopt"],
    is_stub: |statement| {
        matches!(statement, "abort()" | "std::abort()" | "assert(0)" | "assert(false)")
            || (["throw", "assert(", "abort_with", "panic("].iter().any(|start| statement.starts_with(start))
                && body::says_unfinished(statement))
    },
};

/// Parts of names of headers that come with a framework, or with `assert`.
const FRAMEWORKS: &[&str] = &[
    "CUnit",
    "CppUTest",
    "QTest",
    "QtTest",
    "assert",
    "boost/test",
    "catch",
    "cgreen",
    "check.h",
    "cmocka",
    "criterion",
    "ctest.h",
    "doctest",
    "greatest",
    "gtest",
    "minunit",
    "munit",
    "unity",
];

/// What fails a test and does not say so by its first two words: CppUTest, QtTest, greatest, and the end of the process.
const FAILING: &[&str] = &[
    "BYTES_EQUAL",
    "DOUBLES_EQUAL",
    "LONGS_EQUAL",
    "POINTERS_EQUAL",
    "QCOMPARE",
    "QVERIFY",
    "QVERIFY2",
    "STRCMP_EQUAL",
    "UNSIGNED_LONGS_EQUAL",
    "abort",
    "exit",
];

/// Functions whose results are counts that nobody needs, or what they were given.
const UNFAILING: &[&str] = &[
    "fprintf", "fputs", "memcpy", "memmove", "memset", "printf", "putchar", "puts", "snprintf", "sprintf", "strcat",
    "strcpy", "strncpy",
];

/// Calls that end a test as skipped.
const SKIPS: &[&str] = &["GTEST_SKIP", "QSKIP", "SKIP", "TEST_IGNORE", "TEST_IGNORE_MESSAGE", "cr_skip_test", "skip"];

/// What a node kind means; C++ has all of these names and some of its own.
pub(super) fn role(kind: &str) -> Role {
    match kind {
        "comment" => Role::Comment,
        "string_literal" | "char_literal" | "raw_string_literal" => Role::Text,
        "function_definition" => Role::Function,
        "lambda_expression" => Role::Closure,
        "call_expression" => Role::Call,
        "if_statement" | "conditional_expression" | "preproc_if" | "preproc_ifdef" => Role::Branch,
        "switch_statement" => Role::Switch,
        "do_statement" | "for_range_loop" | "for_statement" | "while_statement" => Role::Loop,
        "binary_expression" => Role::Operator,
        "try_statement" => Role::Guarded,
        "catch_clause" => Role::Handler,
        "expression_statement" => Role::Statement,
        "throw_statement" => Role::Assert,
        "preproc_include" => Role::Import,
        "declaration" | "field_declaration" | "type_definition" => Role::Declaration,
        "initializer_list" => Role::Table,
        "access_specifier" | "class_specifier" | "compound_statement" | "namespace_definition" | "struct_specifier" => {
            Role::Container
        }
        _ => Role::Other,
    }
}

/// Reads one node; C++ has the same fields.
pub(super) fn enter(draft: &mut Draft<'_>, node: Node<'_>, role: Role) {
    match role {
        Role::Function => declarations::function(draft, node),
        Role::Closure => draft.closure(node, None),
        Role::Call => call(draft, node),
        Role::Branch => match node.kind() {
            "if_statement" => {
                let otherwise = draft.field(node, Field::Alternative);
                draft.branch(node, otherwise.and_then(|clause| clause.named_child(0)));
            }
            "conditional_expression" => draft.ternary(node),
            // What the preprocessor decides is no path through the code that it leaves.
            _ => draft.open(node, |scope| scope.is_conditional = true),
        },
        Role::Switch => draft.switch(node),
        Role::Table => draft.table(node),
        Role::Loop => draft.looped(node),
        Role::Operator => draft.operator(node),
        Role::Guarded => draft.guarded(node, draft.block(draft.field(node, Field::Body))),
        Role::Handler => {
            let caught = draft.field(node, Field::Parameters).and_then(|list| list.named_child(0));
            let kind = caught.and_then(|caught| draft.field(caught, Field::Type));
            let body = draft.block(draft.field(node, Field::Body));
            draft.handler(node, body, kind.map(|kind| kind.byte_range()), &FORMS);
        }
        Role::Statement => statement(draft, node),
        Role::Assert => draft.assertion(),
        Role::Import => import(draft, node),
        Role::Declaration => declarations::declaration(draft, node),
        Role::Container if node.kind() == "compound_statement" => headings::block(draft, node),
        Role::Container => declarations::container(draft, node),
        _ => {}
    }
}

fn import(draft: &mut Draft<'_>, node: Node<'_>) {
    let Some(path) = draft.field(node, Field::Path) else { return };
    let header = draft.text_of(path);
    draft.has_blocks |= FRAMEWORKS.iter().any(|name| header.contains(name));
    draft.outline.imports.push(Import { span: node.byte_range(), module: calls::without_quotes(path) });
}

/// Notes `(void)f();`.
fn statement(draft: &mut Draft<'_>, node: Node<'_>) {
    let Some(cast) = node.named_child(0).filter(|only| only.kind() == "cast_expression") else { return };
    let is_void = draft.field(cast, Field::Type).is_some_and(|kind| draft.text_of(kind) == "void");
    let value = draft.field(cast, Field::Value).filter(|value| is_void && value.kind() == "call_expression");
    let can_fail = |call: &Node<'_>| {
        let name = draft.field(*call, Field::Function).map_or("", |callee| draft.text_of(callee));
        !UNFAILING.contains(&name.trim_start_matches("std::"))
    };
    if let Some(call) = value.filter(can_fail) {
        draft.discard(node, call, false);
    }
}

/// Whether a macro that begins a test does so here.
pub(super) fn is_test_file(draft: &Draft<'_>) -> bool {
    draft.has_blocks || draft.is_test_file
}

fn call(draft: &mut Draft<'_>, node: Node<'_>) {
    let Some(callee) = draft.field(node, Field::Function) else { return };
    let name = last_name(draft.fields, callee);
    let text = draft.text_of(name);
    let is_outside = draft.scope().function.is_none();
    if is_outside && headings::begins_test(text) && is_test_file(draft) {
        let Some(arguments) = draft.field(node, Field::Arguments) else { return };
        draft.heading = Some(headings::heading(draft, arguments, text));
        draft.understood = Some(node.end_byte());
        return;
    }
    if !text.contains(|c: char| c.is_ascii_lowercase()) {
        // A block may follow such a macro: `SECTION("a") {`, `FOR_EACH(a, b) {`.
        draft.understood = Some(node.end_byte());
    }
    if let Some(arguments) = draft.field(node, Field::Arguments) {
        draft.call_of(calls::path(draft.fields, callee), arguments);
    }
    let has_test = draft.scope().test.is_some();
    if has_test && SKIPS.contains(&text) {
        draft.skip(node.byte_range(), says_why(draft, node), false);
    } else if fails(text) {
        draft.assertion();
    } else if has_test && hands_over(draft, node) {
        draft.on_test(|test| test.hands_over = true);
    }
    draft.call(name.byte_range());
}

/// The name behind the last `.`, `->` or `::` of what is called.
fn last_name<'t>(fields: &Fields, callee: Node<'t>) -> Node<'t> {
    let mut node = callee;
    for _link in 0..declarations::DECLARATORS_MAX {
        let inner = fields.child(node, Field::Member).or_else(|| fields.child(node, Field::Name));
        let Some(inner) = inner else { break };
        node = inner;
    }
    node
}

/// Whether a function or macro named `name` fails a test: `assert`, `EXPECT_EQ`, and behind the name of a framework
/// `ck_assert`, `BOOST_CHECK`, `TEST_ASSERT_EQUAL`.
fn fails(name: &str) -> bool {
    let is_prefixed = name.split_once('_').is_some_and(|(_, rest)| is_assertion(rest));
    FAILING.contains(&name) || is_assertion(name) || is_prefixed
}

/// Whether a skip has an argument, or a text behind `<<`.
fn says_why(draft: &Draft<'_>, call: Node<'_>) -> bool {
    let has_argument = draft.field(call, Field::Arguments).is_some_and(|list| list.named_child_count() > 0);
    has_argument || draft.text.get(call.end_byte()..).is_some_and(|rest| rest.trim_start().starts_with("<<"))
}

/// Whether the test's state or object is an argument.
fn hands_over(draft: &Draft<'_>, call: Node<'_>) -> bool {
    let Some(arguments) = draft.field(call, Field::Arguments) else { return false };
    let mut cursor = arguments.walk();
    let mut named = arguments.named_children(&mut cursor).take(8);
    named.any(|one| matches!(draft.text_of(one), "this" | "*this" | "state"))
}
