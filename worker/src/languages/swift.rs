//! Swift, as an outline: its tests are methods of XCTest's classes, or functions with `@Test`.

use std::sync::OnceLock;

use tree_sitter::Node;

use super::annotations::parts;
use super::assertions::is_assertion;
use super::body::{self, Forms};
use super::draft::{self, Draft};
use super::fields::Field;
use super::plain::{self, Kind, arguments, child};
use super::walk::{Grammar, Role};
use crate::outline::{Discard, Function, Import, Span};

/// The grammar of Swift.
pub(super) static SWIFT: Grammar =
    Grammar { language: || tree_sitter_swift::LANGUAGE.into(), role, enter, loaded: OnceLock::new() };

/// Bodies that do next to nothing.
const FORMS: Forms = Forms {
    nothing: &[],
    success: &[".success(())", "true"],
    is_stub: |statement| {
        ["fatalError(", "preconditionFailure("].iter().any(|start| statement.starts_with(start))
            && body::says_unfinished(statement)
    },
};

/// Most attributes of a declaration that are read.
const ATTRIBUTES_MAX: usize = 32;

/// Marks of comments that document what is below.
const DOCUMENTATION: &[&str] = &["///", "/**"];

fn role(kind: &str) -> Role {
    match kind {
        "comment" | "multiline_comment" => Role::Comment,
        "line_string_literal" | "multi_line_string_literal" | "raw_string_literal" => Role::Text,
        "function_declaration" | "init_declaration" | "protocol_function_declaration" => Role::Function,
        "lambda_literal" => Role::Closure,
        "class_declaration" | "protocol_declaration" => Role::Container,
        "call_expression" | "macro_invocation" => Role::Call,
        "guard_statement" | "if_statement" | "ternary_expression" => Role::Branch,
        "switch_statement" => Role::Switch,
        "for_statement" | "repeat_while_statement" | "while_statement" => Role::Loop,
        "conjunction_expression" | "disjunction_expression" | "nil_coalescing_expression" => Role::Decision,
        "do_statement" => Role::Guarded,
        "catch_block" => Role::Handler,
        "control_transfer_statement" => Role::Statement,
        "try_expression" => Role::Try,
        "import_declaration" => Role::Import,
        _ => Role::Other,
    }
}

fn enter(draft: &mut Draft<'_>, node: Node<'_>, role: Role) {
    match role {
        Role::Function => function(draft, node),
        Role::Closure => draft.closure(node, None),
        Role::Container => class(draft, node),
        Role::Call => call(draft, node),
        Role::Branch if node.kind() == "ternary_expression" => draft.ternary(node),
        Role::Branch => draft.branch(node, child(node, &["if_statement"])),
        Role::Guarded if child(node, &["catch_block"]).is_some() => {
            let is_cleanup = plain::only_clean_up(draft, &plain::first_statements(child(node, &["statements"])));
            draft.guarded_by(node, is_cleanup);
        }
        Role::Switch => draft.switch(node),
        Role::Loop => draft.looped(node),
        Role::Decision => draft.decision(),
        Role::Handler => {
            let kind = draft.field(node, Field::Error).filter(|kind| is_narrow(draft, *kind));
            plain::handler(draft, node, child(node, &["statements"]), kind.map(|kind| kind.byte_range()), &FORMS);
        }
        Role::Statement => throw(draft, node),
        Role::Try => attempt(draft, node),
        Role::Import => {
            if let Some(module) = node.named_child(0) {
                draft.outline.imports.push(Import { span: node.byte_range(), module: module.byte_range() });
            }
        }
        _ => {}
    }
}

/// Whether the pattern of a `catch` names a kind of error: any but `let error`.
fn is_narrow(draft: &Draft<'_>, pattern: Node<'_>) -> bool {
    let text = draft.text_of(pattern);
    let binds = text.strip_prefix("let ").or_else(|| text.strip_prefix("var "));
    !binds.is_some_and(|name| name.trim().chars().all(|c| c.is_alphanumeric() || c == '_'))
}

/// Reads `try`, which hands errors on, `try!`, which ends the program, and `try?`, which throws them away; where the
/// value is thrown away too, the call was all that mattered.
fn attempt(draft: &mut Draft<'_>, node: Node<'_>) {
    let start = node.start_byte();
    let text = draft.text_of(node);
    let before = draft.text.get(..start).unwrap_or_default().trim_end_matches([' ', '\t']);
    let is_ignored = before.strip_suffix('=').is_some_and(|before| {
        let before = before.trim_end_matches([' ', '\t']);
        before.strip_suffix('_').is_some_and(|before| plain::begins_line(draft, before.len()))
    });
    if text.starts_with("try ") {
        draft.on_test(|test| test.fails_otherwise = true);
    } else if text.starts_with("try?") && (is_ignored || plain::begins_line(draft, start)) {
        let is_cleanup = draft.scope().is_cleanup || plain::only_clean_up(draft, &[node]);
        draft.outline.discards.push(Discard { span: node.byte_range(), is_fallible: false, is_cleanup });
    }
}

/// `throw XCTSkip("why")` ends a test as skipped; any other error fails it.
fn throw(draft: &mut Draft<'_>, node: Node<'_>) {
    if node.named_child(0).is_none_or(|first| first.kind() != "throw_keyword") {
        return;
    }
    let thrown = node.named_child(1).map_or("", |thrown| draft.text_of(thrown));
    match thrown.strip_prefix("XCTSkip") {
        Some(arguments) => draft.skip(node.byte_range(), arguments.contains('"'), false),
        None => draft.assertion(),
    }
}

fn attributes(declaration: Node<'_>) -> Vec<Span> {
    let Some(modifiers) = child(declaration, &["modifiers"]) else { return Vec::new() };
    let mut cursor = modifiers.walk();
    let marks = modifiers.named_children(&mut cursor).filter(|one| one.kind() == "attribute");
    marks.take(ATTRIBUTES_MAX).map(|mark| mark.byte_range()).collect()
}

fn class(draft: &mut Draft<'_>, node: Node<'_>) {
    let base = child(node, &["inheritance_specifier"]).map_or("", |base| draft.text_of(base));
    let is_test_class = base.ends_with("TestCase");
    skip_by(draft, attributes(node));
    let words = plain::modifiers(draft, node);
    let declared = draft.field(node, Field::DeclarationKind).map_or("", |kind| kind.kind());
    let kind = if declared == "protocol" { Kind::Interface } else { Kind::Class };
    let name = draft.field(node, Field::Name).map(|name| name.byte_range());
    let is_extension = declared == "extension";
    let is_visible = draft.scope().is_visible && (is_extension || is_offered(&words));
    let is_documented = plain::is_documented(draft, node, DOCUMENTATION);
    plain::class(draft, node, name.clone(), kind, Some(plain::base_name(base)));
    plain::show(draft, name.filter(|_| !is_extension), is_visible, is_documented);
    let is_derived = is_extension || !base.is_empty();
    draft.now(|scope| {
        scope.is_test_class = is_test_class;
        // What a type follows may be told elsewhere than where it is extended.
        scope.is_derived = is_derived;
    });
}

fn is_offered(modifiers: &[&str]) -> bool {
    modifiers.iter().any(|word| matches!(*word, "open" | "public"))
}

fn function(draft: &mut Draft<'_>, node: Node<'_>) {
    let Some(name) = draft.field(node, Field::Name) else { return };
    let marks = attributes(node);
    let parameters = draft::count(Some(node), |one| one.kind() == "parameter");
    let by_class = draft.scope().is_test_class && draft.text_of(name).starts_with("test") && parameters == 0;
    let is_test = by_class || marks.iter().any(|mark| parts(draft.slice(mark)).0 == "Test");
    let body = draft.field(node, Field::Body);
    let test = is_test.then(|| plain::test(body, false));
    let words = plain::modifiers(draft, node);
    let scope = draft.scope();
    let is_public = scope.is_visible && (is_offered(&words) || scope.is_bound);
    let is_documented = plain::is_documented(draft, node, DOCUMENTATION);
    let is_dictated = words.contains(&"override") || node.kind() == "init_declaration";
    let function = plain::function(draft, name.byte_range(), body, parameters, &FORMS);
    let is_bound = function.is_bound || is_dictated;
    // What is marked is called by name, and what is open is there to be replaced.
    let shape = plain::unless_hook(function.shape, !marks.is_empty() || words.contains(&"open"));
    draft.function(node, node, None, Function { test, shape, is_public, is_documented, is_bound, ..function });
    if is_test {
        skip_by(draft, marks);
    }
}

/// Notes `@Test(.disabled("why"))`, and the same of a suite; with `if:` it depends on a condition.
fn skip_by(draft: &mut Draft<'_>, marks: Vec<Span>) {
    for mark in marks {
        let (name, arguments) = parts(draft.slice(&mark));
        if let Some((_, rest)) = arguments.split_once(".disabled(").filter(|_| matches!(name, "Suite" | "Test")) {
            draft.skip(mark, rest.starts_with('"'), rest.starts_with("if:"));
        }
    }
}

fn call(draft: &mut Draft<'_>, node: Node<'_>) {
    let Some(callee) = node.named_child(0) else { return };
    let is_own = callee.kind() == "simple_identifier" || draft.text_of(callee).starts_with("self.");
    let name = draft.field(callee, Field::Suffix).and_then(|suffix| draft.field(suffix, Field::Suffix));
    let name = name.unwrap_or(callee);
    let text = draft.text_of(name);
    let plain = text.strip_prefix("XCT").unwrap_or(text);
    let suffix = child(node, &["call_suffix"]);
    let list = suffix.and_then(|suffix| child(suffix, &["value_arguments"]));
    let is_around = suffix.is_some_and(|suffix| child(suffix, &["lambda_literal"]).is_some());
    let has_self = arguments(list).iter().any(|one| draft.text_of(*one) == "self");
    let starts_upper = text.starts_with(char::is_uppercase);
    if is_assertion(plain) || plain == "Unwrap" || matches!(text, "wait" | "fulfillment" | "waitForExpectations") {
        draft.assertion();
    } else if (is_own && !is_around && !starts_upper) || has_self {
        // A method of the same class can fail the test just as well; a name in upper case makes a value.
        draft.on_test(|test| test.hands_over = true);
    }
    plain::call(draft, callee.start_byte(), name, list);
}
