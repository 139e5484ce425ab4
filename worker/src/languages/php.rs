//! PHP, as an outline: its tests are methods of PHPUnit's classes, or Pest's calls with a string and a function.

use std::sync::OnceLock;

use tree_sitter::Node;

use super::annotations::parts;
use super::assertions::is_assertion;
use super::body::{self, Forms};
use super::draft::{self, Draft};
use super::fields::Field;
use super::plain::{self, Kind, arguments, child};
use super::walk::{Grammar, Role};
use crate::outline::{Function, Import};

/// The grammar of PHP, with the text around it.
pub(super) static PHP: Grammar =
    Grammar { language: || tree_sitter_php::LANGUAGE_PHP.into(), role, enter, loaded: OnceLock::new() };

/// Bodies that do next to nothing.
const FORMS: Forms = Forms {
    nothing: &[],
    success: &["TRUE", "true"],
    is_stub: |statement| {
        let is_named = statement.contains("NotImplemented");
        statement.starts_with("throw") && (is_named || body::says_unfinished(statement))
    },
};

/// Marks of comments that document what is below.
const DOCUMENTATION: &[&str] = &["/**"];

fn role(kind: &str) -> Role {
    match kind {
        "comment" => Role::Comment,
        "encapsed_string" | "heredoc" | "nowdoc" | "shell_command_expression" | "string" => Role::Text,
        "function_definition" | "method_declaration" => Role::Function,
        "anonymous_function" | "arrow_function" => Role::Closure,
        "anonymous_class"
        | "class_declaration"
        | "enum_declaration"
        | "interface_declaration"
        | "trait_declaration" => Role::Container,
        "function_call_expression"
        | "member_call_expression"
        | "nullsafe_member_call_expression"
        | "object_creation_expression"
        | "scoped_call_expression" => Role::Call,
        "conditional_expression" | "if_statement" => Role::Branch,
        "match_expression" | "switch_statement" => Role::Switch,
        "do_statement" | "for_statement" | "foreach_statement" | "while_statement" => Role::Loop,
        "else_if_clause" => Role::Decision,
        "binary_expression" => Role::Operator,
        "try_statement" => Role::Guarded,
        "catch_clause" => Role::Handler,
        "throw_expression" => Role::Assert,
        "error_suppression_expression" => Role::Statement,
        "namespace_use_declaration" => Role::Import,
        "array_creation_expression" => Role::Table,
        _ => Role::Other,
    }
}

fn enter(draft: &mut Draft<'_>, node: Node<'_>, role: Role) {
    match role {
        Role::Function => function(draft, node),
        Role::Closure => draft.closure(node, None),
        Role::Container => class(draft, node),
        Role::Call if node.kind() == "object_creation_expression" => {
            if let Some(kind) = child(node, &["name", "qualified_name"]) {
                plain::call(draft, kind.start_byte(), kind, child(node, &["arguments"]));
            }
        }
        Role::Call => call(draft, node),
        Role::Branch if node.kind() == "conditional_expression" => draft.ternary(node),
        Role::Branch => {
            // `else if` is two words here, an `if` in an `else`.
            let otherwise = child(node, &["else_clause"]).and_then(|otherwise| draft.field(otherwise, Field::Body));
            draft.branch(node, otherwise);
        }
        Role::Switch => draft.switch(node),
        Role::Loop => draft.looped(node),
        Role::Decision => draft.decision(),
        Role::Operator => draft.operator(node),
        Role::Guarded => draft.guarded(node, draft.block(draft.field(node, Field::Body))),
        Role::Handler => {
            let kind = draft.field(node, Field::Type).map(|kind| kind.byte_range());
            plain::handler(draft, node, draft.field(node, Field::Body), kind, &FORMS);
        }
        Role::Assert => draft.assertion(),
        Role::Import => {
            if let Some(module) = child(node, &["namespace_use_clause"]) {
                draft.outline.imports.push(Import { span: node.byte_range(), module: module.byte_range() });
            }
        }
        // `@save();` as a statement: nobody looks at what came of it.
        Role::Statement if plain::begins_line(draft, node.start_byte()) => {
            let call = node.named_child(0).unwrap_or(node);
            draft.discard(node, call, false);
        }
        Role::Table => draft.table(node),
        _ => {}
    }
}

fn class(draft: &mut Draft<'_>, node: Node<'_>) {
    let base = child(node, &["base_clause"]).map(|base| plain::base_name(draft.text_of(base)));
    let kind = match node.kind() {
        "interface_declaration" => Kind::Interface,
        "trait_declaration" => Kind::Abstract,
        _ if child(node, &["abstract_modifier"]).is_some() => Kind::Abstract,
        _ => Kind::Class,
    };
    let is_test_class = base.is_some_and(|base| base.ends_with("TestCase"));
    let name = draft.field(node, Field::Name).map(|name| name.byte_range());
    let is_derived = base.is_some() || child(node, &["class_interface_clause"]).is_some();
    let (is_visible, is_documented) = (draft.scope().is_visible, plain::is_documented(draft, node, DOCUMENTATION));
    plain::class(draft, node, name.clone(), kind, base);
    plain::show(draft, name, is_visible, is_documented);
    draft.now(|scope| {
        scope.is_test_class = is_test_class;
        scope.is_derived = is_derived;
    });
}

fn function(draft: &mut Draft<'_>, node: Node<'_>) {
    let Some(name) = draft.field(node, Field::Name) else { return };
    let comment = draft.comment_above(node.start_byte(), 1).unwrap_or_default();
    let marks = draft.field(node, Field::Attributes).map_or("", |list| draft.text_of(list));
    let mut names = marks.split(['[', ',', ']']).map(|mark| parts(mark.trim()).0);
    let is_marked = names.any(|name| name == "Test") || comment.split_whitespace().any(|word| word == "@test");
    let is_test = draft.scope().is_test_class && (is_marked || draft.text_of(name).starts_with("test"));
    let body = draft.field(node, Field::Body);
    let is_given = ["@expectedException", "@doesNotPerformAssertions"].iter().any(|tag| comment.contains(tag))
        || marks.contains("DoesNotPerformAssertions");
    let test = is_test.then(|| plain::test(body, is_given));
    let parameters = draft::count(draft.field(node, Field::Parameters), |one| !one.is_extra());
    let is_method = node.kind() == "method_declaration";
    let words = plain::modifiers(draft, node);
    let is_private = words.contains(&"private");
    let is_bound = is_method && draft.text_of(name).starts_with("__");
    let scope = draft.scope();
    // What follows a class or an interface is documented there, and older code hides by a line in front of the name.
    let is_hidden = is_private || words.contains(&"protected") || draft.text_of(name).starts_with('_');
    let is_public = scope.is_visible && !scope.is_derived && !is_hidden;
    let is_documented = plain::is_documented(draft, node, DOCUMENTATION);
    let function = plain::function(draft, name.byte_range(), body, parameters, &FORMS);
    let is_bound = function.is_bound || is_bound;
    let is_overridable = is_method && !is_private;
    let shape = plain::unless_hook(function.shape, !marks.is_empty());
    let function = Function { test, shape, is_public, is_documented, is_bound, is_overridable, ..function };
    draft.function(node, node, None, function);
}

fn call(draft: &mut Draft<'_>, node: Node<'_>) {
    let object = draft.field(node, Field::Object).or_else(|| draft.field(node, Field::Scope));
    let Some(name) = draft.field(node, Field::Name).or_else(|| draft.field(node, Field::Function)) else { return };
    let text = draft.text_of(name).trim_start_matches('\\');
    let list = draft.field(node, Field::Arguments);
    if object.is_none() && declares_test(draft, node, text, list) {
        return;
    }
    let is_own = object.is_none_or(|object| matches!(draft.text_of(object), "$this" | "self" | "static"));
    match text {
        "markTestIncomplete" | "markTestSkipped" if is_own => {
            draft.skip(node.byte_range(), !arguments(list).is_empty(), false);
        }
        "only" | "skip" | "todo" if object.is_some_and(|object| is_declaration(draft, object)) => {
            if text == "only" {
                draft.outline.focuses.push(name.byte_range());
            } else {
                // A condition is a function or a value, a reason a string.
                let first = arguments(list).first().and_then(|first| first.named_child(0));
                let has_reason = text == "todo" || first.is_some_and(|first| first.kind().ends_with("string"));
                draft.skip(name.byte_range(), has_reason, first.is_some() && !has_reason);
            }
        }
        _ if is_assertion(text) || text == "addToAssertionCount" => draft.assertion(),
        _ if (object.is_some() && is_own) || arguments(list).iter().any(|one| draft.text_of(*one) == "$this") => {
            draft.on_test(|test| test.hands_over = true);
        }
        _ => {}
    }
    let start = object.map_or(name.start_byte(), |object| object.start_byte());
    // `\exec` is `exec` wherever it is written.
    let start = start + usize::from(draft.text.get(start..).is_some_and(|text| text.starts_with('\\')));
    plain::call(draft, start, name, list);
}

/// Whether `node` is a call that declares a test or a group of them.
fn is_declaration(draft: &Draft<'_>, node: Node<'_>) -> bool {
    let name = draft.field(node, Field::Function).map_or("", |name| draft.text_of(name));
    draft.is_test_file && matches!(name, "describe" | "it" | "test")
}

/// Reads `it('adds', function () { .. })`; says whether it was one.
fn declares_test(draft: &mut Draft<'_>, node: Node<'_>, name: &str, list: Option<Node<'_>>) -> bool {
    if !matches!(name, "it" | "test") || !is_declaration(draft, node) {
        return false;
    }
    let given: Vec<Node<'_>> = arguments(list).into_iter().filter_map(|one| one.named_child(0)).collect();
    let title = given.first().filter(|first| first.kind().ends_with("string"));
    let own = given.iter().find(|one| matches!(one.kind(), "anonymous_function" | "arrow_function"));
    let (Some(title), Some(own)) = (title, own) else { return false };
    let body = draft.field(*own, Field::Body);
    let test = Some(plain::test(body, false));
    let plain = plain::function(draft, title.byte_range(), body, 0, &FORMS);
    draft.function(node, *own, None, Function { test, ..plain });
    true
}
