//! JavaScript and TypeScript, as an outline: their tests are calls with a string and a function.

use std::sync::OnceLock;

use tree_sitter::Node;

use super::assertions::is_assertion;
use super::calls;
use super::declarations::{FORMS, class, declaration, described, export, function, is_function};
use super::draft::Draft;
use super::walk::{Grammar, Role};
use crate::outline::{Function, Import, Span, Test};
use crate::paths;

/// The grammar of JavaScript, with JSX.
pub(super) static JAVASCRIPT: Grammar =
    Grammar { language: || tree_sitter_javascript::LANGUAGE.into(), role, enter, loaded: OnceLock::new() };

/// Longest chain of names in front of a call that is looked through; `test.describe.parallel.only` has four.
const CHAIN_MAX: usize = 8;

/// Most arguments of a call that are looked at; a test has three at most.
const ARGUMENTS_MAX: usize = 4;

/// What a node kind means; TypeScript has the same names.
pub(super) fn role(kind: &str) -> Role {
    match kind {
        "comment" | "html_comment" => Role::Comment,
        "string" => Role::Text,
        "abstract_method_signature"
        | "assignment_expression"
        | "field_definition"
        | "function_declaration"
        | "function_signature"
        | "generator_function_declaration"
        | "method_definition"
        | "method_signature"
        | "pair"
        | "public_field_definition"
        | "variable_declarator" => Role::Function,
        "arrow_function" | "function_expression" | "generator_function" => Role::Closure,
        "call_expression" | "new_expression" => Role::Call,
        "if_statement" | "ternary_expression" => Role::Branch,
        "switch_statement" => Role::Switch,
        "do_statement" | "for_in_statement" | "for_statement" | "while_statement" => Role::Loop,
        "binary_expression" => Role::Operator,
        "try_statement" => Role::Guarded,
        "catch_clause" => Role::Handler,
        "throw_statement" => Role::Assert,
        "import_statement" => Role::Import,
        "export_statement" => Role::Export,
        "enum_declaration" | "type_alias_declaration" => Role::Declaration,
        "abstract_class_declaration" | "class" | "class_declaration" | "interface_declaration" => Role::Container,
        "array" | "object" => Role::Table,
        _ => Role::Other,
    }
}

/// Reads one node; TypeScript has the same fields.
pub(super) fn enter(draft: &mut Draft<'_>, node: Node<'_>, role: Role) {
    match role {
        Role::Function => function(draft, node),
        Role::Closure => draft.closure(node, None),
        Role::Call if node.kind() == "new_expression" => construction(draft, node),
        Role::Call => call(draft, node),
        Role::Branch if node.kind() == "ternary_expression" => draft.ternary(node),
        Role::Branch => {
            let otherwise = node.child_by_field_name("alternative");
            draft.branch(node, otherwise.and_then(|clause| clause.named_child(0)));
        }
        Role::Switch => draft.switch(node),
        Role::Table => draft.table(node),
        Role::Loop => draft.looped(node),
        Role::Operator => draft.operator(node),
        Role::Guarded => draft.guarded(node, node.child_by_field_name("body")),
        Role::Handler => draft.handler(node, node.child_by_field_name("body"), None, &FORMS),
        Role::Assert => draft.assertion(),
        Role::Import => import(draft, node),
        Role::Export => {
            import(draft, node);
            export(draft, node);
        }
        Role::Declaration => declaration(draft, node),
        Role::Container => class(draft, node),
        _ => {}
    }
}

fn import(draft: &mut Draft<'_>, node: Node<'_>) {
    let inner = node.named_child(0).filter(|child| child.kind() == "import_require_clause");
    let source = node.child_by_field_name("source").or_else(|| inner?.child_by_field_name("source"));
    if let Some(source) = source {
        let module = calls::without_quotes(source);
        draft.outline.imports.push(Import { span: node.byte_range(), module });
    }
}

fn construction(draft: &mut Draft<'_>, node: Node<'_>) {
    let (callee, arguments) = (node.child_by_field_name("constructor"), node.child_by_field_name("arguments"));
    if let (Some(callee), Some(arguments)) = (callee, arguments) {
        draft.call_of(calls::path(callee), arguments);
    }
}

/// The names in front of a call, from the outermost: `["it", "only"]` of `it.only(..)`.
struct Callee<'t> {
    names: Vec<&'t str>,
    /// Place of the last name.
    last: Span,
    /// Whether a call stands between the names, as in `it.each(..)(..)` and `expect(..).toBe(..)`.
    through_call: bool,
}

fn callee<'t>(draft: &Draft<'t>, call: Node<'_>) -> Option<Callee<'t>> {
    let mut node = call.child_by_field_name("function")?;
    let mut found = Callee { names: Vec::new(), last: node.byte_range(), through_call: false };
    for _link in 0..CHAIN_MAX {
        match node.kind() {
            "member_expression" => {
                let property = node.child_by_field_name("property")?;
                if found.names.is_empty() {
                    found.last = property.byte_range();
                }
                found.names.push(draft.text_of(property));
                node = node.child_by_field_name("object")?;
            }
            "call_expression" => {
                found.through_call = true;
                node = node.child_by_field_name("function")?;
            }
            "identifier" | "this" => {
                found.names.push(draft.text_of(node));
                found.names.reverse();
                return Some(found);
            }
            _ => break,
        }
    }
    // The rest is no plain name, such as `(await x).y`; its last names still tell what is called.
    found.names.push("");
    found.names.reverse();
    Some(found)
}

fn call(draft: &mut Draft<'_>, node: Node<'_>) {
    note_call(draft, node);
    let Some(callee) = callee(draft, node) else { return };
    let in_tests = paths::is_test(draft.path);
    if in_tests && declares_test(draft, node, &callee) {
        return;
    }
    let first = callee.names.first().copied().unwrap_or_default();
    let last = callee.names.last().copied().unwrap_or_default();
    let by_handle = callee.names.len() > 1 && Some(first) == draft.handle();
    if in_tests && last == "skip" && (by_handle || first == "this") && !callee.through_call {
        let has_reason = node.child_by_field_name("arguments").is_some_and(|list| list.named_child_count() > 0);
        draft.skip(node.byte_range(), has_reason, false);
        return;
    }
    // `require` loads a module; a name behind another call belongs to that call, which is visited for itself.
    let own =
        if callee.through_call { &callee.names[callee.names.len().saturating_sub(1)..] } else { &callee.names[..] };
    let asserts = own.iter().any(|name| *name != "require" && is_assertion(name));
    if asserts || (by_handle && !matches!(last, "end" | "comment" | "log" | "after" | "teardown" | "diagnostic")) {
        draft.assertion();
    } else if draft.handle().is_some_and(|handle| arguments(node).any(|one| draft.text_of(one) == handle)) {
        draft.on_test(|test| test.hands_over = true);
    }
    draft.call(callee.last);
}

/// Notes a call, and the module that `require(..)` and `import(..)` load.
fn note_call(draft: &mut Draft<'_>, node: Node<'_>) {
    let (callee, list) = (node.child_by_field_name("function"), node.child_by_field_name("arguments"));
    let (Some(callee), Some(list)) = (callee, list) else { return };
    let loads = matches!(draft.text_of(callee), "import" | "require");
    if let Some(module) = list.named_child(0).filter(|first| loads && first.kind() == "string") {
        draft.outline.imports.push(Import { span: node.byte_range(), module: calls::without_quotes(module) });
    }
    draft.call_of(calls::path(callee), list);
}

fn arguments(call: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    let list = call.child_by_field_name("arguments");
    let count = list.map_or(0, |list| list.named_child_count());
    let wanted = u32::try_from(count.min(ARGUMENTS_MAX)).unwrap_or(0);
    (0..wanted).filter_map(move |index| list?.named_child(index))
}

/// Reads a call that declares a test, a group of them, or a pending one; says whether it was one.
fn declares_test(draft: &mut Draft<'_>, node: Node<'_>, callee: &Callee<'_>) -> bool {
    let Some((&base, modifiers)) = callee.names.split_first() else { return false };
    let plain = base.strip_prefix(['f', 'x']).filter(|rest| is_block(rest)).unwrap_or(base);
    let named = arguments(node).next().filter(|first| matches!(first.kind(), "string" | "template_string"));
    let body = arguments(node).skip(1).find(|one| is_function(*one));
    let Some(name) = named.filter(|_| is_block(plain)) else { return false };
    let has = |word: &str| modifiers.contains(&word);
    if body.is_none() && !has("todo") {
        return false;
    }
    let mark = node.child_by_field_name("function").map_or(node.byte_range(), |function| function.byte_range());
    if (base != plain && base.starts_with('f')) || has("only") {
        draft.outline.focuses.push(mark.clone());
    }
    let is_group = matches!(plain, "describe" | "context" | "suite") || has("describe");
    if let Some(body) = body.filter(|_| !is_group) {
        let fails_otherwise = has("failing") || has("fails");
        let test = Test { statements: statements(body), fails_otherwise, ..Test::default() };
        // The condition around a test is what decides about its own marks.
        let is_conditional = draft.scope().is_conditional;
        let function = Function { test: Some(test), ..described(draft, body, name) };
        draft.function(node, body, first_parameter(body), function);
        skip(draft, mark, base != plain, modifiers, is_conditional);
    } else {
        let is_conditional = draft.scope().is_conditional;
        skip(draft, mark, base != plain, modifiers, is_conditional);
    }
    true
}

fn is_block(name: &str) -> bool {
    matches!(name, "it" | "test" | "specify" | "describe" | "context" | "suite")
}

fn skip(draft: &mut Draft<'_>, mark: Span, is_prefixed: bool, modifiers: &[&str], is_conditional: bool) {
    let has = |word: &str| modifiers.contains(&word);
    let is_crossed_out = is_prefixed && draft.slice(&mark).starts_with('x');
    if has("skip") || is_crossed_out || has("todo") || has("fixme") {
        // A pending test has a name and nothing else: the name is the reason.
        draft.skip(mark, has("todo"), is_conditional);
    }
}

fn statements(function: Node<'_>) -> usize {
    let Some(body) = function.child_by_field_name("body") else { return 0 };
    if body.kind() != "statement_block" {
        return 1;
    }
    let mut cursor = body.walk();
    body.named_children(&mut cursor).filter(|child| !child.is_extra()).count()
}

/// The parameter by which a test reaches its framework, if its runner gives it one.
fn first_parameter(function: Node<'_>) -> Option<Span> {
    let first = match function.child_by_field_name("parameter") {
        Some(only) => only,
        None => function.child_by_field_name("parameters")?.named_child(0)?,
    };
    let name = first.child_by_field_name("pattern").unwrap_or(first);
    (name.kind() == "identifier").then(|| name.byte_range())
}
