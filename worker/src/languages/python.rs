//! Python, as an outline.

use std::sync::OnceLock;

use tree_sitter::Node;

use super::assertions::is_assertion;
use super::draft::Draft;
use super::walk::{Grammar, Role};
use crate::outline::{Span, Test};
use crate::paths;

/// The grammar of Python.
pub(super) static PYTHON: Grammar =
    Grammar { language: || tree_sitter_python::LANGUAGE.into(), role, enter, loaded: OnceLock::new() };

fn role(kind: &str) -> Role {
    match kind {
        "comment" => Role::Comment,
        "string" => Role::Text,
        "decorator" => Role::Mark,
        "function_definition" => Role::Function,
        "class_definition" => Role::Container,
        "call" => Role::Call,
        "if_statement" | "except_clause" | "match_statement" => Role::Branch,
        "assert_statement" | "raise_statement" => Role::Assert,
        _ => Role::Other,
    }
}

fn enter(draft: &mut Draft<'_>, node: Node<'_>, role: Role) {
    match role {
        Role::Function => function(draft, node),
        Role::Container => class(draft, node),
        Role::Call => call(draft, node),
        Role::Branch => draft.open(node, |scope| scope.is_conditional = true),
        Role::Assert => draft.assertion(),
        _ => {}
    }
}

/// Whether test runners look into the file.
fn is_test_file(path: &str) -> bool {
    let name = paths::file_name(path);
    name.starts_with("test_")
        || name.ends_with("_test.py")
        || (paths::has_directory(path, &["test", "tests"]) && name != "conftest.py")
}

fn class(draft: &mut Draft<'_>, node: Node<'_>) {
    let is_test_case =
        node.child_by_field_name("superclasses").is_some_and(|bases| draft.text_of(bases).contains("Test"));
    let marks = std::mem::take(&mut draft.marks);
    skip_by(draft, marks);
    draft.open(node, |scope| {
        scope.is_test_class = is_test_case;
        scope.function = None;
    });
}

fn function(draft: &mut Draft<'_>, node: Node<'_>) {
    let Some(name) = node.child_by_field_name("name") else { return };
    let marks = std::mem::take(&mut draft.marks);
    let text = draft.text_of(name);
    let is_named_test = text.starts_with("test_") || (draft.scope().is_test_class && text.starts_with("test"));
    let is_fixture = marks.iter().any(|mark| decorator(draft.slice(mark)).0 == "fixture");
    let is_test = is_named_test && !is_fixture && draft.scope().function.is_none() && is_test_file(draft.path);
    let test = is_test.then(|| {
        let generated = |mark: &Span| matches!(decorator(draft.slice(mark)).0, "given" | "expectedFailure" | "xfail");
        Test { statements: statements(node), fails_otherwise: marks.iter().any(generated), ..Test::default() }
    });
    draft.function(node, name.byte_range(), test, None);
    skip_by(draft, marks);
}

/// Notes those of `marks` that switch tests off. Outside test files the same names decorate other things.
fn skip_by(draft: &mut Draft<'_>, marks: Vec<Span>) {
    if !is_test_file(draft.path) {
        return;
    }
    for mark in marks {
        if let Some(skip) = skip_mark(draft.slice(&mark)) {
            draft.skip(mark, skip.has_reason, skip.is_conditional);
        }
    }
}

/// Statements that do something: neither documentation nor `pass` nor `...`.
fn statements(function: Node<'_>) -> usize {
    let Some(body) = function.child_by_field_name("body") else { return 0 };
    let mut cursor = body.walk();
    let does_something = |child: &Node<'_>| {
        let is_literal = child.named_child(0).is_some_and(|only| matches!(only.kind(), "string" | "ellipsis"));
        !child.is_extra() && child.kind() != "pass_statement" && !(child.kind() == "expression_statement" && is_literal)
    };
    body.named_children(&mut cursor).filter(does_something).count()
}

struct SkipMark {
    has_reason: bool,
    is_conditional: bool,
}

/// The last segment of a decorator's name, and its arguments.
fn decorator(text: &str) -> (&str, &str) {
    let text = text.trim_start_matches('@').trim();
    let (path, arguments) = text.split_once('(').unwrap_or((text, ""));
    (path.trim().rsplit('.').next().unwrap_or(path), arguments)
}

fn skip_mark(text: &str) -> Option<SkipMark> {
    let (name, arguments) = decorator(text);
    let is_conditional = match name {
        "skip" => false,
        "skipif" | "skipIf" | "skipUnless" => true,
        "expectedFailure" => false,
        // A first argument without a name is the condition.
        "xfail" => !matches!(
            arguments.trim_start().split(['=', ')', '"', '\'']).next(),
            Some("" | "reason" | "strict" | "raises" | "run")
        ),
        _ => return None,
    };
    Some(SkipMark {
        has_reason: has_text(arguments) || (name == "skip" && !arguments.trim_start_matches(')').is_empty()),
        is_conditional,
    })
}

/// Whether one of the arguments is a string that says something.
fn has_text(arguments: &str) -> bool {
    arguments.split_once(['"', '\'']).is_some_and(|(_, text)| !text.starts_with(['"', '\'']))
}

fn call(draft: &mut Draft<'_>, node: Node<'_>) {
    let Some(callee) = node.child_by_field_name("function") else { return };
    let name = callee.child_by_field_name("attribute").unwrap_or(callee);
    let (text, object) =
        (draft.text_of(name), callee.child_by_field_name("object").map(|object| draft.text_of(object)));
    let arguments = node.child_by_field_name("arguments");
    match (object, text) {
        (_, "raises" | "warns") | (Some("pytest"), "fail" | "deprecated_call") => draft.assertion(),
        (Some("pytest"), "skip" | "xfail") | (Some("self"), "skipTest") if is_test_file(draft.path) => {
            let has_reason = arguments.is_some_and(|list| list.named_child_count() > 0);
            draft.skip(node.byte_range(), has_reason, false);
        }
        _ if is_assertion(text) => draft.assertion(),
        // A method of the same class can fail the test just as well.
        (Some("self"), _) => draft.on_test(|test| test.hands_over = true),
        _ => {}
    }
    let gets_self = |list: Node<'_>| {
        let mut cursor = list.walk();
        list.named_children(&mut cursor).take(8).any(|argument| draft.text_of(argument) == "self")
    };
    if draft.scope().test.is_some() && arguments.is_some_and(gets_self) {
        draft.on_test(|test| test.hands_over = true);
    }
    draft.call(name.byte_range());
}
