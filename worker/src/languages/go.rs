//! Go, as an outline.

use std::sync::OnceLock;

use tree_sitter::Node;

use super::assertions::is_assertion;
use super::draft::Draft;
use super::walk::{Grammar, Role};
use crate::outline::{Span, Test};

/// The grammar of Go.
pub(super) static GO: Grammar =
    Grammar { language: || tree_sitter_go::LANGUAGE.into(), role, enter, loaded: OnceLock::new() };

/// Ginkgo's blocks; in front of them `F` focuses, `P` and `X` switch off.
const GINKGO_BLOCKS: &[&str] = &["Context", "Describe", "DescribeTable", "Entry", "It", "Specify", "When"];

fn role(kind: &str) -> Role {
    match kind {
        "comment" => Role::Comment,
        "interpreted_string_literal" | "raw_string_literal" | "rune_literal" => Role::Text,
        "function_declaration" | "method_declaration" => Role::Function,
        "func_literal" => Role::Closure,
        "call_expression" => Role::Call,
        "import_spec" => Role::Container,
        "if_statement" | "expression_switch_statement" | "type_switch_statement" | "select_statement" => Role::Branch,
        _ => Role::Other,
    }
}

fn enter(draft: &mut Draft<'_>, node: Node<'_>, role: Role) {
    match role {
        Role::Function => function(draft, node),
        Role::Closure => {
            let handle = handle(draft, node).map(|(name, _)| name);
            draft.open(node, |scope| scope.handle = handle.or_else(|| scope.handle.take()));
        }
        Role::Call => call(draft, node),
        Role::Container => draft.has_blocks |= draft.text_of(node).contains("onsi/ginkgo"),
        Role::Branch => draft.open(node, |scope| scope.is_conditional = true),
        _ => {}
    }
}

/// The parameter by which a function reaches the test framework, and its type, e.g. `t` and `T`.
fn handle<'t>(draft: &Draft<'t>, function: Node<'_>) -> Option<(Span, &'t str)> {
    let parameters = function.child_by_field_name("parameters")?;
    let mut cursor = parameters.walk();
    parameters.named_children(&mut cursor).take(8).find_map(|parameter| {
        let kind = draft.text_of(parameter.child_by_field_name("type")?).trim_start_matches('*');
        let kind = kind.strip_prefix("testing.")?;
        Some((parameter.child_by_field_name("name")?.byte_range(), kind))
    })
}

fn function(draft: &mut Draft<'_>, node: Node<'_>) {
    let Some(name) = node.child_by_field_name("name") else { return };
    let found = handle(draft, node);
    let is_named = |prefix: &str| {
        draft.text_of(name).strip_prefix(prefix).is_some_and(|rest| !rest.starts_with(char::is_lowercase))
    };
    let in_tests = draft.path.ends_with("_test.go") && node.kind() == "function_declaration";
    let test = match &found {
        Some((_, "T")) if in_tests && is_named("Test") => Some(false),
        // A fuzz target fails on a panic too: its inputs are made up to cause one.
        Some((_, "F")) if in_tests && is_named("Fuzz") => Some(true),
        _ => None,
    };
    let test = test.map(|fails_otherwise| Test { statements: statements(node), fails_otherwise, ..Test::default() });
    draft.function(node, name.byte_range(), test, found.map(|(name, _)| name));
}

fn statements(function: Node<'_>) -> usize {
    let Some(body) = function.child_by_field_name("body") else { return 0 };
    let Some(list) = body.named_child(0).filter(|child| child.kind() == "statement_list") else { return 0 };
    let mut cursor = list.walk();
    list.named_children(&mut cursor).filter(|child| !child.is_extra()).count()
}

fn call(draft: &mut Draft<'_>, node: Node<'_>) {
    let Some(callee) = node.child_by_field_name("function") else { return };
    let object = callee.child_by_field_name("operand").map(|operand| draft.text_of(operand));
    let name = callee.child_by_field_name("field").unwrap_or(callee);
    let text = draft.text_of(name);
    let by_handle = object.is_some() && object == draft.handle();
    let is_diff = object == Some("cmp") && text == "Diff";
    match text {
        "Skip" | "Skipf" | "SkipNow" if by_handle && draft.path.ends_with("_test.go") => {
            let has_reason = node.child_by_field_name("arguments").is_some_and(|list| list.named_child_count() > 0);
            draft.skip(node.byte_range(), has_reason, false);
        }
        "Error" | "Errorf" | "Fatal" | "Fatalf" | "Fail" | "FailNow" if by_handle => draft.assertion(),
        _ if is_diff || is_assertion(text) || object.is_some_and(is_assertion) => draft.assertion(),
        _ => {
            if hands_over(draft, node) {
                draft.on_test(|test| test.hands_over = true);
            }
        }
    }
    if draft.has_blocks && draft.path.ends_with("_test.go") && object.is_none_or(|object| object == "ginkgo") {
        ginkgo(draft, node, text);
    }
    draft.call(name.byte_range());
}

/// Whether the handle is an argument, or `Run` gets a named function instead of a literal.
fn hands_over(draft: &Draft<'_>, call: Node<'_>) -> bool {
    let (Some(handle), Some(arguments)) = (draft.handle(), call.child_by_field_name("arguments")) else { return false };
    let mut cursor = arguments.walk();
    let mut named = arguments.named_children(&mut cursor).take(8);
    let callee = call.child_by_field_name("function").map_or("", |callee| draft.text_of(callee));
    let runs = callee.strip_prefix(handle) == Some(".Run");
    named.any(|one| {
        draft.text_of(one) == handle
            || (runs && matches!(one.kind(), "identifier" | "selector_expression" | "call_expression"))
    })
}

/// Ginkgo's blocks are told from functions of the same name by their first argument, a string, and the import of the package.
fn ginkgo(draft: &mut Draft<'_>, node: Node<'_>, name: &str) {
    let is_block = |mark: char| name.strip_prefix(mark).is_some_and(|rest| GINKGO_BLOCKS.contains(&rest));
    if !(is_block('F') || is_block('P') || is_block('X')) {
        return;
    }
    let first = node.child_by_field_name("arguments").and_then(|list| list.named_child(0));
    if !first.is_some_and(|first| first.kind().ends_with("string_literal")) {
        return;
    }
    let Some(callee) = node.child_by_field_name("function") else { return };
    if is_block('F') {
        draft.outline.focuses.push(callee.byte_range());
    } else {
        draft.skip(callee.byte_range(), false, false);
    }
}
