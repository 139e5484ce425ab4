//! Rust, as an outline.

use std::sync::OnceLock;

use tree_sitter::Node;

use super::assertions::{holds_assertion, is_assertion, words};
use super::body::{self, Forms};
use super::calls;
use super::draft::{self, Draft, Members};
use super::fields::{Field, Fields};
use super::walk::{Grammar, Role};
use crate::outline::{Body, Function, Import, Span, Test};

/// The grammar of Rust.
pub(super) static RUST: Grammar =
    Grammar { language: || tree_sitter_rust::LANGUAGE.into(), role, enter, loaded: OnceLock::new() };

/// Macros that end a test in failure wherever they are reached.
const FAILING_MACROS: &[&str] = &["panic", "todo", "unimplemented", "unreachable"];

/// Methods that fail a test when a value is not what it should be.
const UNWRAPS: &[&str] = &["expect", "expect_err", "unwrap", "unwrap_err", "unwrap_none"];

/// Bodies that do next to nothing.
const FORMS: Forms = Forms {
    nothing: &["()"],
    success: &["true", "Ok(())", "Ok(true)", "None", "Some(true)", "0"],
    is_stub: |statement| {
        let is = |name: &str| statement.starts_with(name);
        is("todo!") || is("unimplemented!") || (is("panic!") && body::says_unfinished(statement))
    },
};

fn role(kind: &str) -> Role {
    match kind {
        "line_comment" | "block_comment" => Role::Comment,
        "string_literal" | "raw_string_literal" => Role::Text,
        "attribute_item" => Role::Mark,
        "function_item" | "function_signature_item" => Role::Function,
        "closure_expression" => Role::Closure,
        "call_expression" => Role::Call,
        "macro_invocation" => Role::Macro,
        "macro_definition" => Role::MacroDefinition,
        "if_expression" => Role::Branch,
        "match_expression" => Role::Switch,
        "for_expression" | "loop_expression" | "while_expression" => Role::Loop,
        "match_pattern" => Role::Decision,
        "binary_expression" => Role::Operator,
        "expression_statement" | "let_declaration" => Role::Statement,
        "try_expression" => Role::Try,
        "extern_crate_declaration" | "use_declaration" => Role::Import,
        "const_item" | "enum_item" | "static_item" | "struct_item" | "type_item" | "union_item" => Role::Declaration,
        "foreign_mod_item" | "impl_item" | "mod_item" | "trait_item" => Role::Container,
        "array_expression" | "struct_expression" | "tuple_expression" => Role::Table,
        _ => Role::Other,
    }
}

fn enter(draft: &mut Draft<'_>, node: Node<'_>, role: Role) {
    match role {
        Role::Function => function(draft, node),
        Role::Closure => draft.closure(node, None),
        Role::Container => container(draft, node),
        Role::Declaration => declaration(draft, node),
        Role::Import => import(draft, node),
        Role::Call => call(draft, node),
        Role::Macro => macro_use(draft, node),
        Role::MacroDefinition => macro_definition(draft, node),
        Role::Branch => branch(draft, node),
        Role::Switch => draft.switch(node),
        Role::Table => draft.table(node),
        Role::Loop => draft.looped(node),
        Role::Decision if draft.field(node, Field::Condition).is_some() => draft.decision(),
        Role::Operator => draft.operator(node),
        Role::Statement => statement(draft, node),
        Role::Try => draft.on_test(|test| test.fails_otherwise = true),
        _ => {}
    }
}

fn branch(draft: &mut Draft<'_>, node: Node<'_>) {
    let condition = draft.field(node, Field::Condition).filter(|one| one.kind() == "let_condition");
    let error = condition.and_then(|one| caught(draft, draft.field(one, Field::Pattern)?));
    let is_cleanup =
        condition.and_then(|one| draft.field(one, Field::Value)).is_some_and(|value| calls::is_cleanup(draft, value));
    let body = draft.field(node, Field::Consequence);
    let otherwise = draft.field(node, Field::Alternative);
    draft.branch(node, otherwise.and_then(|clause| clause.named_child(0)));
    if let Some(caught) = error.filter(|_| otherwise.is_none()) {
        draft.note_handler(node, draft.block(body), caught, is_cleanup, &FORMS);
    }
}

/// What `Err(..)` holds, if `pattern` is that: nothing where it stands for every error.
fn caught(draft: &Draft<'_>, pattern: Node<'_>) -> Option<Option<Span>> {
    let name = draft.field(pattern, Field::Type).filter(|_| pattern.kind() == "tuple_struct_pattern")?;
    let is_any = |inner: &Node<'_>| matches!(inner.kind(), "identifier" | "mut_pattern" | "ref_pattern");
    let inner = pattern.named_child(1).filter(|inner| !is_any(inner)).map(|inner| inner.byte_range());
    (draft.text_of(name) == "Err").then_some(inner)
}

/// Notes `let _ = f();` and `f().ok();`.
fn statement(draft: &mut Draft<'_>, node: Node<'_>) {
    if node.kind() == "let_declaration" {
        if draft.field(node, Field::Alternative).is_some() {
            draft.decision();
        }
        let is_ignored = draft.field(node, Field::Pattern).is_some_and(|pattern| draft.text_of(pattern) == "_");
        let value = draft.field(node, Field::Value).filter(|_| is_ignored);
        if let Some(value) = value.filter(|value| matches!(value.kind(), "await_expression" | "call_expression")) {
            draft.discard(node, value, false);
        }
        return;
    }
    let call = node.named_child(0).filter(|only| only.kind() == "call_expression");
    let callee = call.and_then(|call| draft.field(call, Field::Function));
    let is_ok = |callee: &Node<'_>| draft.field(*callee, Field::Member).is_some_and(|name| draft.text_of(name) == "ok");
    if let Some(value) = callee.filter(is_ok).and_then(|callee| draft.field(callee, Field::Value)) {
        draft.discard(node, value, true);
    }
}

fn import(draft: &mut Draft<'_>, node: Node<'_>) {
    let argument = draft.field(node, Field::Argument).or_else(|| draft.field(node, Field::Name));
    let Some(argument) = argument else { return };
    let module = draft.field(argument, Field::Path).filter(|_| argument.kind() != "scoped_identifier");
    let module = module.unwrap_or(argument).byte_range();
    draft.outline.imports.push(Import { span: node.byte_range(), module });
}

fn is_pub(draft: &Draft<'_>, node: Node<'_>) -> bool {
    let mut cursor = node.walk();
    let found = node.named_children(&mut cursor).take(3).find(|child| child.kind() == "visibility_modifier");
    found.is_some_and(|modifier| draft.text_of(modifier) == "pub")
}

/// Whether documentation stands above `node` or among its attributes.
fn is_documented(draft: &Draft<'_>, node: Node<'_>, marks: &[Span]) -> bool {
    let starts = [Some(node.start_byte()), marks.first().map(|mark| mark.start)];
    let above = starts.into_iter().flatten().find_map(|start| draft.comment_above(start, usize::MAX));
    above.is_some_and(|text| text.starts_with("///") || text.starts_with("/**"))
        || marks.iter().any(|mark| attribute(draft.slice(mark)).0 == "doc")
}

fn declaration(draft: &mut Draft<'_>, node: Node<'_>) {
    let Some(name) = draft.field(node, Field::Name) else { return };
    if draft.scope().is_visible && is_pub(draft, node) {
        let is_documented = is_documented(draft, node, &draft.marks);
        draft.symbol(name.byte_range(), is_documented);
    }
}

fn container(draft: &mut Draft<'_>, node: Node<'_>) {
    if draft.marks.iter().any(|mark| is_cfg_test(draft.slice(mark))) {
        draft.test_code(node.byte_range());
    }
    let is_conditional = draft.marks.iter().any(|mark| attribute(draft.slice(mark)).0 == "cfg");
    let has_twin = draft.scope().has_twin || is_conditional;
    let is_visible = draft.scope().is_visible;
    let fields = draft.fields;
    let name = |field: Field| fields.child(node, field).map(|name| name.byte_range());
    match node.kind() {
        "trait_item" => {
            declaration(draft, node);
            let is_visible = is_visible && is_pub(draft, node);
            draft.class(node, name(Field::Name), is_visible, Members::Abstract);
        }
        "impl_item" if draft.field(node, Field::Trait).is_some() => {
            draft.class(node, name(Field::Type), false, Members::Bound);
        }
        "impl_item" => draft.class(node, name(Field::Type), is_visible, Members::Free),
        "foreign_mod_item" => draft.class(node, None, is_visible, Members::Bound),
        _ => {
            let is_visible = is_visible && is_pub(draft, node);
            draft.class(node, None, is_visible, Members::Free);
        }
    }
    draft.now(|scope| scope.has_twin = has_twin);
}

fn macro_definition(draft: &mut Draft<'_>, node: Node<'_>) {
    let Some(name) = draft.field(node, Field::Name) else { return };
    let marks = std::mem::take(&mut draft.marks);
    let is_public = marks.iter().any(|mark| attribute(draft.slice(mark)).0 == "macro_export");
    let is_documented = is_documented(draft, node, &marks);
    let function = Function { name: name.byte_range(), is_public, is_documented, ..Function::default() };
    draft.function(node, node, None, function);
    if holds_assertion(draft.text_of(node)) {
        draft.assertion();
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
    let Some(name) = draft.field(node, Field::Name) else { return };
    let marks = std::mem::take(&mut draft.marks);
    let mut test = None;
    for mark in &marks {
        let (name, _) = attribute(draft.slice(mark));
        if matches!(name, "test" | "rstest" | "test_case" | "quickcheck") || name.ends_with("_test") {
            // A property is a function that returns whether it holds.
            let fails_otherwise = name == "quickcheck";
            test = Some(Test { statements: statements(draft.fields, node), fails_otherwise, ..Test::default() });
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
        draft.test_code(node.byte_range());
    }
    let function = Function { test, ..described(draft, node, name, &marks) };
    draft.function(node, node, None, function);
    if let Some((mark, has_reason)) = skip {
        draft.skip(mark, has_reason, false);
    }
}

/// What a function is, apart from being a test.
fn described(draft: &Draft<'_>, node: Node<'_>, name: Node<'_>, marks: &[Span]) -> Function {
    let scope = draft.scope();
    let body = draft.field(node, Field::Body);
    let is_counted = |parameter: &Node<'_>| {
        !parameter.is_extra() && !matches!(parameter.kind(), "attribute_item" | "self_parameter")
    };
    let mut cursor = node.walk();
    let is_foreign = node
        .named_children(&mut cursor)
        .take(3)
        .any(|child| child.kind() == "function_modifiers" && draft.text_of(child).contains("extern"));
    // A function that exists on a condition has a twin, whose signature it shares.
    let has_twin = scope.has_twin || marks.iter().any(|mark| attribute(draft.slice(mark)).0 == "cfg");
    let shape = body::shape(draft, draft.block(body), &FORMS);
    let parameters = draft::count(draft.field(node, Field::Parameters), is_counted);
    // Without a parameter, a generic function without a body only asks the compiler whether the type fits.
    let asks_compiler = parameters == 0 && draft.field(node, Field::TypeParameters).is_some();
    let is_idle = matches!(shape, Body::Empty | Body::Stub);
    Function {
        name: name.byte_range(),
        body: body.map(|body| body.byte_range()),
        shape,
        parameters,
        is_public: scope.is_visible && (scope.is_abstract || is_pub(draft, node)),
        is_documented: is_documented(draft, node, marks),
        is_bound: scope.is_bound || is_foreign || has_twin || asks_compiler,
        is_abstract: scope.is_abstract || (has_twin && is_idle),
        ..Function::default()
    }
}

fn statements(fields: &Fields, function: Node<'_>) -> usize {
    let Some(body) = fields.child(function, Field::Body) else { return 0 };
    let mut cursor = body.walk();
    body.named_children(&mut cursor).filter(|child| !child.is_extra()).count()
}

/// Whether the body ends in something other than `Ok(..)` or `()` while the function returns a value: then that can be the error.
fn returns_an_error(draft: &Draft<'_>, function: Node<'_>) -> bool {
    let Some(body) = draft.field(function, Field::Body) else { return false };
    let last = u32::try_from(body.named_child_count()).unwrap_or(u32::MAX).checked_sub(1);
    let last = last.and_then(|index| body.named_child(index)).map_or("", |tail| draft.text_of(tail));
    draft.field(function, Field::ReturnType).is_some() && !last.starts_with("Ok(") && !last.ends_with(';')
}

fn call(draft: &mut Draft<'_>, node: Node<'_>) {
    let Some(mut callee) = draft.field(node, Field::Function) else { return };
    if callee.kind() == "generic_function" {
        callee = draft.field(callee, Field::Function).unwrap_or(callee);
    }
    let name = draft.field(callee, Field::Member).or_else(|| draft.field(callee, Field::Name)).unwrap_or(callee);
    let text = draft.text_of(name);
    let is_method = callee.kind() == "field_expression";
    if is_assertion(text) || (is_method && UNWRAPS.contains(&text)) {
        draft.assertion();
    }
    draft.call(name.byte_range());
    if let Some(arguments) = draft.field(node, Field::Arguments) {
        draft.call_of(calls::path(draft.fields, callee), arguments);
    }
}

fn macro_use(draft: &mut Draft<'_>, node: Node<'_>) {
    let Some(path) = draft.field(node, Field::Macro) else { return };
    let name = draft.field(path, Field::Name).unwrap_or(path);
    let text = draft.text_of(name);
    // What stands inside a macro is tokens, not syntax; an assertion among them is still one.
    let inside = || words(draft.text_of(node)).any(|word| is_assertion(word) || UNWRAPS.contains(&word));
    if is_assertion(text) || FAILING_MACROS.contains(&text) || (draft.scope().test.is_some() && inside()) {
        draft.assertion();
    }
    draft.call(name.byte_range());
    let tokens = u32::try_from(node.named_child_count()).unwrap_or(u32::MAX).checked_sub(1);
    if let Some(tokens) = tokens.and_then(|last| node.named_child(last)).filter(|one| one.kind() == "token_tree") {
        draft.call_of(Some(path.start_byte()..path.end_byte() + 1), tokens);
        if draft.text_of(tokens).starts_with('[') {
            draft.table(node);
        }
    }
}
