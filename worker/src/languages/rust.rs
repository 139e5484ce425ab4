//! Rust, as an outline.

use std::sync::OnceLock;

use tree_sitter::Node;

use super::assertions::{holds_assertion, is_assertion, words};
use super::draft::Draft;
use super::walk::{Grammar, Role};
use crate::outline::{Span, Test};

/// The grammar of Rust.
pub(super) static RUST: Grammar =
    Grammar { language: || tree_sitter_rust::LANGUAGE.into(), role, enter, loaded: OnceLock::new() };

/// Macros that end a test in failure wherever they are reached.
const FAILING_MACROS: &[&str] = &["panic", "todo", "unimplemented", "unreachable"];

/// Methods that fail a test when a value is not what it should be.
const UNWRAPS: &[&str] = &["expect", "expect_err", "unwrap", "unwrap_err", "unwrap_none"];

fn role(kind: &str) -> Role {
    match kind {
        "line_comment" | "block_comment" => Role::Comment,
        "string_literal" | "raw_string_literal" => Role::Text,
        "attribute_item" => Role::Mark,
        "function_item" => Role::Function,
        "call_expression" => Role::Call,
        "macro_invocation" => Role::Macro,
        "macro_definition" => Role::MacroDefinition,
        "try_expression" => Role::Try,
        "mod_item" | "impl_item" => Role::Container,
        _ => Role::Other,
    }
}

fn enter(draft: &mut Draft<'_>, node: Node<'_>, role: Role) {
    match role {
        Role::Function => function(draft, node),
        Role::Container if draft.marks.iter().any(|mark| is_cfg_test(draft.slice(mark))) => {
            draft.outline.test_code.push(node.byte_range());
        }
        Role::Call => call(draft, node),
        Role::Macro => macro_use(draft, node),
        Role::MacroDefinition => {
            let Some(name) = node.child_by_field_name("name") else { return };
            draft.function(node, name.byte_range(), None, None);
            if holds_assertion(draft.text_of(node)) {
                draft.assertion();
            }
        }
        Role::Try => draft.on_test(|test| test.fails_otherwise = true),
        _ => {}
    }
}

/// The last segment of an attribute's path and what follows it: `test` and `(flavor = "x")` of `#[tokio::test(flavor = "x")]`.
fn attribute(text: &str) -> (&str, &str) {
    let inner = text.trim_start_matches(['#', '[']).trim_end_matches(']').trim();
    let end = inner.find(|c: char| !c.is_alphanumeric() && c != '_' && c != ':').unwrap_or(inner.len());
    let (path, rest) = inner.split_at(end);
    (path.rsplit("::").next().unwrap_or(path), rest.trim())
}

fn is_cfg_test(text: &str) -> bool {
    let (name, rest) = attribute(text);
    name == "cfg" && words(rest).any(|word| word == "test") && !rest.contains("not(test")
}

fn function(draft: &mut Draft<'_>, node: Node<'_>) {
    let Some(name) = node.child_by_field_name("name") else { return };
    let marks = std::mem::take(&mut draft.marks);
    let mut test = None;
    for mark in &marks {
        let (name, _) = attribute(draft.slice(mark));
        if matches!(name, "test" | "rstest" | "test_case" | "quickcheck") || name.ends_with("_test") {
            // A property is a function that returns whether it holds.
            let fails_otherwise = name == "quickcheck";
            test = Some(Test { statements: statements(node), fails_otherwise, ..Test::default() });
        }
    }
    let mut skip: Option<(Span, bool)> = None;
    if let Some(test) = &mut test {
        test.fails_otherwise |= returns_an_error(draft, node);
        for mark in &marks {
            match attribute(draft.slice(mark)) {
                ("should_panic", _) => test.fails_otherwise = true,
                ("ignore", reason) => skip = Some((mark.clone(), reason.contains(char::is_alphanumeric))),
                _ => {}
            }
        }
        draft.outline.test_code.push(node.byte_range());
    }
    draft.function(node, name.byte_range(), test, None);
    if let Some((mark, has_reason)) = skip {
        draft.skip(mark, has_reason, false);
    }
}

fn statements(function: Node<'_>) -> usize {
    let Some(body) = function.child_by_field_name("body") else { return 0 };
    let mut cursor = body.walk();
    body.named_children(&mut cursor).filter(|child| !child.is_extra()).count()
}

/// Whether the body ends in something other than `Ok(..)` or `()` while the function returns a value: then that can be the error.
fn returns_an_error(draft: &Draft<'_>, function: Node<'_>) -> bool {
    let Some(body) = function.child_by_field_name("body") else { return false };
    let last = u32::try_from(body.named_child_count()).unwrap_or(u32::MAX).checked_sub(1);
    let last = last.and_then(|index| body.named_child(index)).map_or("", |tail| draft.text_of(tail));
    function.child_by_field_name("return_type").is_some() && !last.starts_with("Ok(") && !last.ends_with(';')
}

fn call(draft: &mut Draft<'_>, node: Node<'_>) {
    let Some(mut callee) = node.child_by_field_name("function") else { return };
    if callee.kind() == "generic_function" {
        callee = callee.child_by_field_name("function").unwrap_or(callee);
    }
    let name = callee.child_by_field_name("field").or_else(|| callee.child_by_field_name("name")).unwrap_or(callee);
    let text = draft.text_of(name);
    let is_method = callee.kind() == "field_expression";
    if is_assertion(text) || (is_method && UNWRAPS.contains(&text)) {
        draft.assertion();
    }
    draft.call(name.byte_range());
}

fn macro_use(draft: &mut Draft<'_>, node: Node<'_>) {
    let Some(path) = node.child_by_field_name("macro") else { return };
    let name = path.child_by_field_name("name").unwrap_or(path);
    let text = draft.text_of(name);
    // What stands inside a macro is tokens, not syntax; an assertion among them is still one.
    let inside = || words(draft.text_of(node)).any(|word| is_assertion(word) || UNWRAPS.contains(&word));
    if is_assertion(text) || FAILING_MACROS.contains(&text) || (draft.scope().test.is_some() && inside()) {
        draft.assertion();
    }
    draft.call(name.byte_range());
}
