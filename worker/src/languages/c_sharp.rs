//! C#, as an outline: its tests are methods with attributes of xUnit, NUnit or MSTest.

use std::sync::OnceLock;

use tree_sitter::Node;

use super::annotations::{parts, says_something};
use super::assertions::is_assertion;
use super::body::{self, Forms};
use super::draft::{self, Draft};
use super::fields::{Field, Fields};
use super::plain::{self, Kind, arguments, child};
use super::walk::{Grammar, Role};
use crate::outline::{Function, Import, Span};

/// The grammar of C#.
pub(super) static C_SHARP: Grammar =
    Grammar { language: || tree_sitter_c_sharp::LANGUAGE.into(), role, enter, loaded: OnceLock::new() };

/// Bodies that do next to nothing.
const FORMS: Forms = Forms {
    nothing: &[],
    success: &["=> true", "true"],
    is_stub: |statement| {
        let thrown = statement.trim_start_matches("=>").trim_start();
        thrown.starts_with("throw new NotImplementedException")
            || (thrown.starts_with("throw") && body::says_unfinished(thrown))
    },
};

/// Attributes that make a method a test.
const TESTS: &[&str] =
    &["DataTestMethod", "Fact", "Property", "Test", "TestCase", "TestCaseSource", "TestMethod", "Theory"];

/// Methods of libraries of doubles that fail a test.
const FAILING: &[&str] = &["DidNotReceive", "MustHaveHappened", "MustNotHaveHappened", "Received"];

/// Most attributes of a declaration that are read.
const ATTRIBUTES_MAX: usize = 32;

/// Marks of comments that document what is below.
const DOCUMENTATION: &[&str] = &["///", "/**"];

fn role(kind: &str) -> Role {
    match kind {
        "comment" => Role::Comment,
        "character_literal"
        | "interpolated_string_expression"
        | "raw_string_literal"
        | "string_literal"
        | "verbatim_string_literal" => Role::Text,
        "constructor_declaration" | "local_function_statement" | "method_declaration" => Role::Function,
        "anonymous_method_expression" | "lambda_expression" => Role::Closure,
        "class_declaration"
        | "enum_declaration"
        | "interface_declaration"
        | "record_declaration"
        | "struct_declaration" => Role::Container,
        "invocation_expression" | "object_creation_expression" => Role::Call,
        "conditional_expression" | "if_statement" => Role::Branch,
        "switch_expression" | "switch_statement" => Role::Switch,
        "do_statement" | "for_statement" | "foreach_statement" | "while_statement" => Role::Loop,
        "binary_expression" => Role::Operator,
        "try_statement" => Role::Guarded,
        "catch_clause" => Role::Handler,
        "throw_expression" | "throw_statement" => Role::Assert,
        "using_directive" => Role::Import,
        "initializer_expression" => Role::Table,
        _ => Role::Other,
    }
}

fn enter(draft: &mut Draft<'_>, node: Node<'_>, role: Role) {
    match role {
        Role::Function => method(draft, node),
        Role::Closure => draft.closure(node, None),
        Role::Container => class(draft, node),
        Role::Call if node.kind() == "object_creation_expression" => {
            if let Some(kind) = draft.field(node, Field::Type).map(bare_name) {
                plain::call(draft, kind.start_byte(), kind, draft.field(node, Field::Arguments));
            }
        }
        Role::Call => call(draft, node),
        Role::Branch if node.kind() == "conditional_expression" => draft.ternary(node),
        Role::Branch => draft.branch(node, draft.field(node, Field::Alternative)),
        Role::Switch => draft.switch(node),
        Role::Loop => draft.looped(node),
        Role::Operator => draft.operator(node),
        Role::Guarded => draft.guarded(node, draft.block(draft.field(node, Field::Body))),
        Role::Handler => {
            let kind = child(node, &["catch_declaration"]).and_then(|one| draft.field(one, Field::Type));
            plain::handler(draft, node, draft.field(node, Field::Body), kind.map(|kind| kind.byte_range()), &FORMS);
        }
        Role::Assert => draft.assertion(),
        Role::Import => {
            if let Some(module) = child(node, &["identifier", "qualified_name"]) {
                draft.outline.imports.push(Import { span: node.byte_range(), module: module.byte_range() });
            }
        }
        Role::Table => draft.table(node),
        _ => {}
    }
}

/// The attributes of a declaration, one by one: `[Test, Ignore]` are two.
fn attributes(declaration: Node<'_>) -> Vec<Span> {
    let mut cursor = declaration.walk();
    let lists = declaration.named_children(&mut cursor).filter(|child| child.kind() == "attribute_list");
    let each = |list: Node<'_>| {
        let mut cursor = list.walk();
        let found = list.named_children(&mut cursor).filter(|one| one.kind() == "attribute");
        found.map(|one| one.byte_range()).collect::<Vec<_>>()
    };
    lists.flat_map(each).take(ATTRIBUTES_MAX).collect()
}

/// The name of an attribute, which may be written out as `FactAttribute`, and its arguments.
fn attribute(text: &str) -> (&str, &str) {
    let (name, arguments) = parts(text);
    (name.strip_suffix("Attribute").unwrap_or(name), arguments)
}

fn class(draft: &mut Draft<'_>, node: Node<'_>) {
    let marks = attributes(node);
    let is_test_class = marks.iter().any(|mark| matches!(attribute(draft.slice(mark)).0, "TestClass" | "TestFixture"));
    if is_test_class {
        skip_by(draft, marks);
    }
    let words = plain::modifiers(draft, node);
    let kind = match node.kind() {
        "interface_declaration" => Kind::Interface,
        _ if words.contains(&"abstract") => Kind::Abstract,
        _ => Kind::Class,
    };
    let name = draft.field(node, Field::Name).map(|name| name.byte_range());
    let bases = child(node, &["base_list"]).map(|bases| plain::base_name(draft.text_of(bases)));
    let is_visible = draft.scope().is_visible && (words.contains(&"public") || draft.scope().is_bound);
    let is_documented = plain::is_documented(draft, node, DOCUMENTATION);
    // The other parts of a class may name what it follows.
    let is_derived = bases.is_some() || words.contains(&"partial");
    plain::class(draft, node, name.clone(), kind, bases);
    plain::show(draft, name, is_visible, is_documented);
    draft.now(|scope| scope.is_derived = is_derived);
}

fn method(draft: &mut Draft<'_>, node: Node<'_>) {
    let Some(name) = draft.field(node, Field::Name) else { return };
    let marks = attributes(node);
    let any = |is: fn(&str, &str) -> bool| {
        marks.iter().any(|mark| {
            let (name, arguments) = attribute(draft.slice(mark));
            is(name, arguments)
        })
    };
    let body = draft.field(node, Field::Body);
    let is_test = any(|name, _| TESTS.contains(&name));
    // What a test returns, other than the end of its work, is compared or held against a property.
    let fails_otherwise =
        any(|name, arguments| matches!(name, "ExpectedException" | "Property") || arguments.contains("ExpectedResult"));
    let test = is_test.then(|| plain::test(body, fails_otherwise));
    let words = plain::modifiers(draft, node);
    let scope = draft.scope();
    let is_public = scope.is_visible && (words.contains(&"public") || scope.is_bound);
    let is_documented = plain::is_documented(draft, node, DOCUMENTATION);
    // Interfaces and base classes choose the names and parameters of what implements them, and frameworks fill
    // constructors.
    let is_dictated = words.contains(&"override")
        || child(node, &["explicit_interface_specifier"]).is_some()
        || node.kind() == "constructor_declaration";
    let function = plain::function(draft, name.byte_range(), body, parameters(draft.fields, node), &FORMS);
    let is_virtual = words.contains(&"virtual");
    // What is marked, the start of a program, and what a form calls by its name are asked for by others.
    let list = draft.field(node, Field::Parameters).map_or("", |list| draft.text_of(list));
    let is_hook = is_virtual || !marks.is_empty() || draft.text_of(name) == "Main" || list.contains("EventArgs");
    let function = Function {
        shape: plain::unless_hook(function.shape, is_hook),
        test,
        is_public,
        is_documented,
        is_bound: function.is_bound || is_dictated,
        is_overridable: is_virtual,
        ..function
    };
    draft.function(node, node, None, function);
    if is_test {
        skip_by(draft, marks);
    }
}

/// How many parameters `method` has; the last may be an open list, of which the grammar makes no parameter.
fn parameters(fields: &Fields, method: Node<'_>) -> u32 {
    let list = fields.child(method, Field::Parameters);
    let is_open = list.is_some_and(|list| child(list, &["array_type"]).is_some());
    draft::count(list, |one| one.kind() == "parameter") + u32::from(is_open)
}

fn skip_by(draft: &mut Draft<'_>, marks: Vec<Span>) {
    for mark in marks {
        let has_reason = match attribute(draft.slice(&mark)) {
            ("Ignore", arguments) => Some(says_something(arguments)),
            // xUnit asks for a reason by its name.
            (name, arguments) if TESTS.contains(&name) && arguments.contains("Skip =") => Some(true),
            _ => None,
        };
        if let Some(has_reason) = has_reason {
            draft.skip(mark, has_reason, false);
        }
    }
}

/// `Throws` of `Throws<E>`.
fn bare_name(name: Node<'_>) -> Node<'_> {
    name.named_child(0).filter(|_| name.kind() == "generic_name").unwrap_or(name)
}

fn call(draft: &mut Draft<'_>, node: Node<'_>) {
    let Some(callee) = draft.field(node, Field::Function) else { return };
    let object = draft.field(callee, Field::Expression).or_else(|| draft.field(callee, Field::Condition));
    let binding =
        child(callee, &["member_binding_expression"]).filter(|_| callee.kind() == "conditional_access_expression");
    let name = draft.field(binding.unwrap_or(callee), Field::Name).unwrap_or(callee);
    let name = bare_name(name);
    let text = draft.text_of(name);
    let class = object.filter(|object| object.kind() == "identifier").map_or("", |object| draft.text_of(object));
    let is_own = callee.kind() == "identifier" || draft.text_of(callee).starts_with("this.");
    let list = draft.field(node, Field::Arguments);
    if matches!((class, text), ("Assert", "Ignore" | "Inconclusive" | "Skip")) {
        draft.skip(node.byte_range(), !arguments(list).is_empty(), false);
    } else if is_assertion(text) || FAILING.contains(&text) || class.ends_with("Assert") {
        draft.assertion();
    } else if is_own || arguments(list).iter().any(|one| draft.text_of(*one) == "this") {
        draft.on_test(|test| test.hands_over = true);
    }
    plain::call(draft, callee.start_byte(), name, list);
}
