//! Kotlin, as an outline: its tests are functions with the annotations of kotlin.test and JUnit.

use std::sync::OnceLock;

use tree_sitter::Node;

use super::annotations::{fails_otherwise, is_jvm_assertion, is_jvm_test, skip_jvm};
use super::assertions::is_assertion;
use super::body::{self, Forms};
use super::draft::{self, Draft};
use super::fields::Field;
use super::plain::{self, Kind, arguments, child};
use super::walk::{Grammar, Role};
use crate::outline::{Function, Import, Span};

/// The grammar of Kotlin.
pub(super) static KOTLIN: Grammar =
    Grammar { language: || tree_sitter_kotlin_ng::LANGUAGE.into(), role, enter, loaded: OnceLock::new() };

/// Bodies that do next to nothing.
const FORMS: Forms = Forms {
    nothing: &["Unit"],
    success: &["Result.success(Unit)", "true"],
    is_stub: |statement| {
        statement.starts_with("TODO(")
            || statement.starts_with("throw NotImplementedError")
            || (statement.starts_with("throw") && body::says_unfinished(statement))
    },
};

/// Functions of MockK that fail a test.
const FAILING: &[&str] = &["coVerify", "coVerifyAll", "coVerifyOrder", "confirmVerified"];

/// Most annotations of a declaration that are read.
const ANNOTATIONS_MAX: usize = 32;

/// Modifiers of what cannot be used from outside its module.
const HIDING: &[&str] = &["internal", "private", "protected"];

/// Marks of comments that document what is below.
const DOCUMENTATION: &[&str] = &["/**"];

fn role(kind: &str) -> Role {
    match kind {
        "block_comment" | "line_comment" => Role::Comment,
        "character_literal" | "multiline_string_literal" | "string_literal" => Role::Text,
        "function_declaration" => Role::Function,
        "anonymous_function" | "lambda_literal" => Role::Closure,
        "class_declaration" | "companion_object" | "object_declaration" => Role::Container,
        "call_expression" | "infix_expression" => Role::Call,
        "if_expression" => Role::Branch,
        "when_expression" => Role::Switch,
        "do_while_statement" | "for_statement" | "while_statement" => Role::Loop,
        "binary_expression" => Role::Operator,
        "try_expression" => Role::Guarded,
        "catch_block" => Role::Handler,
        "throw_expression" => Role::Assert,
        "import" => Role::Import,
        _ => Role::Other,
    }
}

fn enter(draft: &mut Draft<'_>, node: Node<'_>, role: Role) {
    match role {
        Role::Function => function(draft, node),
        Role::Closure => draft.closure(node, None),
        Role::Container => class(draft, node),
        Role::Call if node.kind() == "infix_expression" => {
            // `x shouldBe y`.
            let name = node.named_child(1).map_or("", |name| draft.text_of(name));
            if is_assertion(name) {
                draft.assertion();
            }
        }
        Role::Call => call(draft, node),
        Role::Branch => draft.branch(node, alternative(node)),
        Role::Switch => draft.switch(node),
        Role::Loop => draft.looped(node),
        Role::Operator => operator(draft, node),
        Role::Guarded => {
            let is_cleanup = plain::only_clean_up(draft, &plain::first_statements(child(node, &["block"])));
            draft.guarded_by(node, is_cleanup);
        }
        Role::Handler => {
            let kind = child(node, &["user_type"]).map(|kind| kind.byte_range());
            plain::handler(draft, node, child(node, &["block"]), kind, &FORMS);
        }
        Role::Assert => draft.assertion(),
        Role::Import => {
            if let Some(module) = node.named_child(0) {
                draft.outline.imports.push(Import { span: node.byte_range(), module: module.byte_range() });
            }
        }
        _ => {}
    }
}

/// What stands behind the `else` of a branch.
fn alternative(branch: Node<'_>) -> Option<Node<'_>> {
    let mut cursor = branch.walk();
    branch
        .children(&mut cursor)
        .skip_while(|child| child.kind() != "else")
        .find(|child| child.kind() == "if_expression")
}

/// The grammar takes `assertFailsWith<E> { .. }` for two comparisons.
fn operator(draft: &mut Draft<'_>, node: Node<'_>) {
    let is_block = draft.field(node, Field::Right).is_some_and(|right| right.kind() == "lambda_literal");
    if is_block && is_assertion(draft.text_of(node)) {
        draft.assertion();
    }
    draft.operator(node);
}

fn annotations(declaration: Node<'_>) -> Vec<Span> {
    let Some(modifiers) = child(declaration, &["modifiers"]) else { return Vec::new() };
    let mut cursor = modifiers.walk();
    let marks = modifiers.named_children(&mut cursor).filter(|one| one.kind() == "annotation");
    marks.take(ANNOTATIONS_MAX).map(|mark| mark.byte_range()).collect()
}

fn class(draft: &mut Draft<'_>, node: Node<'_>) {
    if draft.is_test_file {
        skip_jvm(draft, annotations(node));
    }
    let words = plain::modifiers(draft, node);
    let mut cursor = node.walk();
    let is_interface = node.children(&mut cursor).any(|one| !one.is_named() && one.kind() == "interface");
    let is_abstract = words.iter().any(|word| matches!(*word, "abstract" | "sealed"));
    let kind = match (is_interface, is_abstract) {
        (true, _) => Kind::Interface,
        (false, true) => Kind::Abstract,
        (false, false) => Kind::Class,
    };
    let name = draft.field(node, Field::Name).map(|name| name.byte_range());
    let base = child(node, &["delegation_specifiers"]).map(|bases| plain::base_name(draft.text_of(bases)));
    let is_visible = draft.scope().is_visible && !words.iter().any(|word| HIDING.contains(word));
    let is_documented = plain::is_documented(draft, node, DOCUMENTATION);
    plain::class(draft, node, name.clone(), kind, base);
    plain::show(draft, name, is_visible, is_documented);
}

fn function(draft: &mut Draft<'_>, node: Node<'_>) {
    let Some(name) = draft.field(node, Field::Name) else { return };
    let marks = annotations(node);
    let any = |is: fn(&str) -> bool| marks.iter().any(|mark| is(draft.slice(mark)));
    let body = child(node, &["function_body"]);
    let is_test = any(is_jvm_test);
    let is_given = any(fails_otherwise) || draft.text_of(name) == "contextLoads";
    let test = is_test.then(|| plain::test(body, is_given));
    let parameters = child(node, &["function_value_parameters"]);
    let parameters = draft::count(parameters, |one| one.kind() == "parameter");
    let words = plain::modifiers(draft, node);
    let holds = |word: &str| words.contains(&word);
    let is_public = draft.scope().is_visible && !words.iter().any(|word| HIDING.contains(word));
    let is_documented = plain::is_documented(draft, node, DOCUMENTATION);
    let function = plain::function(draft, name.byte_range(), body, parameters, &FORMS);
    let is_bound = function.is_bound || holds("override") || holds("external");
    let is_overridable = holds("open");
    // What is marked, and what stands for one platform, is asked for by others.
    let is_hook = is_overridable || !marks.is_empty() || holds("actual");
    let shape = plain::unless_hook(function.shape, is_hook);
    let function = Function { test, shape, is_public, is_documented, is_bound, is_overridable, ..function };
    draft.function(node, node, None, function);
    if is_test {
        skip_jvm(draft, marks);
    }
}

fn call(draft: &mut Draft<'_>, node: Node<'_>) {
    let Some(callee) = node.named_child(0) else { return };
    let is_own = callee.kind() == "identifier" || draft.text_of(callee).starts_with("this.");
    let last = u32::try_from(callee.named_child_count()).unwrap_or(0).saturating_sub(1);
    let name = callee.named_child(last).filter(|_| callee.kind() == "navigation_expression").unwrap_or(callee);
    let text = draft.text_of(name);
    let list = child(node, &["value_arguments"]);
    let mut given = arguments(list).into_iter().map(|one| draft.text_of(one));
    // Blocks around a test's code, such as `runTest { .. }`, are calls too, and what is in them is visited for itself.
    let is_around = child(node, &["annotated_lambda", "lambda_literal"]).is_some();
    if is_assertion(text) || is_jvm_assertion(text) || FAILING.contains(&text) {
        draft.assertion();
    } else if (is_own && !is_around) || given.any(|one| one == "this") {
        draft.on_test(|test| test.hands_over = true);
    }
    plain::call(draft, callee.start_byte(), name, list);
    // The grammar takes `$name` in a string for text.
    let is_filled = list.is_some_and(|list| draft.text_of(list).contains('$'));
    if let Some(call) = draft.outline.calls.last_mut().filter(|call| is_filled && call.callee.end == name.end_byte()) {
        call.is_constant = false;
    }
}
