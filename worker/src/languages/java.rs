//! Java, as an outline: its tests are methods with annotations.

use std::sync::OnceLock;

use tree_sitter::Node;

use super::annotations::{fails_otherwise, is_jvm_assertion, is_jvm_test, skip_jvm};
use super::assertions::is_assertion;
use super::body::{self, Forms};
use super::calls;
use super::draft::{self, Draft, Members};
use super::fields::{Field, Fields};
use super::symbols;
use super::walk::{Grammar, Role};
use crate::outline::{Body, Function, Import, Span, Test};

/// The grammar of Java.
pub(super) static JAVA: Grammar =
    Grammar { language: || tree_sitter_java::LANGUAGE.into(), role, enter, loaded: OnceLock::new() };

/// Bodies that do next to nothing.
const FORMS: Forms = Forms {
    nothing: &[],
    success: &["true", "0", "null", "Optional.empty()"],
    is_stub: |statement| {
        // With a message it says what is refused, as with the optional operations of collections.
        statement == "throw new UnsupportedOperationException()"
            || statement.starts_with("throw new NotImplemented")
            || (statement.starts_with("throw") && body::says_unfinished(statement))
    },
};

/// Children in front of which the modifiers of a declaration stand: they are the first but for comments.
const MODIFIERS_WITHIN: usize = 4;

/// Most annotations of a declaration that are read; ordinary tests have one to three.
const ANNOTATIONS_MAX: usize = 32;

/// Most arguments of a call that are looked at.
const ARGUMENTS_MAX: usize = 8;

fn role(kind: &str) -> Role {
    match kind {
        "line_comment" | "block_comment" => Role::Comment,
        "string_literal" | "character_literal" => Role::Text,
        "method_declaration" | "constructor_declaration" | "compact_constructor_declaration" => Role::Function,
        "lambda_expression" => Role::Closure,
        "annotation_type_declaration"
        | "class_declaration"
        | "enum_declaration"
        | "interface_declaration"
        | "record_declaration" => Role::Container,
        "method_invocation" | "object_creation_expression" => Role::Call,
        "if_statement" | "ternary_expression" => Role::Branch,
        "switch_expression" => Role::Switch,
        "do_statement" | "enhanced_for_statement" | "for_statement" | "while_statement" => Role::Loop,
        "binary_expression" => Role::Operator,
        "try_statement" | "try_with_resources_statement" => Role::Guarded,
        "catch_clause" => Role::Handler,
        "assert_statement" | "throw_statement" => Role::Assert,
        "import_declaration" => Role::Import,
        "field_declaration" => Role::Declaration,
        "array_initializer" => Role::Table,
        _ => Role::Other,
    }
}

fn enter(draft: &mut Draft<'_>, node: Node<'_>, role: Role) {
    match role {
        Role::Function => method(draft, node),
        Role::Closure => draft.closure(node, None),
        Role::Container => class(draft, node),
        Role::Call if node.kind() == "object_creation_expression" => construction(draft, node),
        Role::Call => call(draft, node),
        Role::Branch if node.kind() == "ternary_expression" => draft.ternary(node),
        Role::Branch => draft.branch(node, draft.field(node, Field::Alternative)),
        Role::Switch => draft.switch(node),
        Role::Loop => draft.looped(node),
        Role::Operator => draft.operator(node),
        Role::Guarded => draft.guarded(node, draft.block(draft.field(node, Field::Body))),
        Role::Handler => handler(draft, node),
        Role::Assert => draft.assertion(),
        Role::Import => import(draft, node),
        Role::Declaration => constant(draft, node),
        Role::Table => draft.table(node),
        _ => {}
    }
}

fn import(draft: &mut Draft<'_>, node: Node<'_>) {
    let mut cursor = node.walk();
    let module = node.named_children(&mut cursor).find(|child| child.kind().ends_with("identifier"));
    if let Some(module) = module {
        draft.outline.imports.push(Import { span: node.byte_range(), module: module.byte_range() });
    }
}

fn handler(draft: &mut Draft<'_>, node: Node<'_>) {
    let mut cursor = node.walk();
    let parameter = node.named_children(&mut cursor).find(|child| child.kind() == "catch_formal_parameter");
    let mut cursor = node.walk();
    let caught = parameter.and_then(|parameter| {
        let mut parts = parameter.named_children(&mut cursor);
        parts.find(|part| part.kind() == "catch_type").map(|kind| kind.byte_range())
    });
    draft.handler(node, draft.block(draft.field(node, Field::Body)), caught, &FORMS);
}

/// Notes a constant: what is `public static final`, or stands in an interface.
fn constant(draft: &mut Draft<'_>, node: Node<'_>) {
    let modifiers = modifiers(node).map_or("", |modifiers| draft.text_of(modifiers));
    let is_constant = ["public", "static", "final"].iter().all(|word| holds(modifiers, word));
    if !is_constant || !draft.scope().is_visible || draft.scope().function.is_some() {
        return;
    }
    let name = draft.field(node, Field::Declarator).and_then(|declarator| draft.field(declarator, Field::Name));
    if let Some(name) = name {
        let is_documented = is_documented(draft, node);
        draft.symbol(name.byte_range(), is_documented);
    }
}

fn modifiers(declaration: Node<'_>) -> Option<Node<'_>> {
    let mut cursor = declaration.walk();
    declaration.named_children(&mut cursor).take(MODIFIERS_WITHIN).find(|child| child.kind() == "modifiers")
}

/// Whether `word` is one of `modifiers`.
fn holds(modifiers: &str, word: &str) -> bool {
    modifiers.split_whitespace().any(|one| one == word)
}

/// The annotations of a declaration, which stand among its modifiers.
fn annotations(declaration: Node<'_>) -> Vec<Span> {
    let Some(modifiers) = modifiers(declaration) else { return Vec::new() };
    let mut cursor = modifiers.walk();
    let marks = modifiers.named_children(&mut cursor).filter(|child| child.kind().ends_with("annotation"));
    marks.take(ANNOTATIONS_MAX).map(|mark| mark.byte_range()).collect()
}

fn is_documented(draft: &Draft<'_>, declaration: Node<'_>) -> bool {
    draft.comment_above(declaration.start_byte(), 1).is_some_and(|comment| comment.starts_with("/**"))
}

fn class(draft: &mut Draft<'_>, node: Node<'_>) {
    let Some(name) = draft.field(node, Field::Name) else { return };
    let base = draft.field(node, Field::Superclass).map_or("", |base| draft.text_of(base));
    let marks = annotations(node);
    // JUnit 3 knows tests by base class and name; TestNG lets the annotation of a class count for its methods.
    let is_test_class = base.ends_with("TestCase") || marks.iter().any(|mark| is_jvm_test(draft.slice(mark)));
    // Outside tests the same annotations mean other things, such as fields that are not stored.
    if draft.is_test_file {
        skip_jvm(draft, marks);
    }
    let modifiers = modifiers(node).map_or("", |modifiers| draft.text_of(modifiers));
    let is_interface = matches!(node.kind(), "annotation_type_declaration" | "interface_declaration");
    let is_abstract = holds(modifiers, "abstract") || symbols::reads_as_abstract(draft.text_of(name));
    let is_inside_interface = draft.scope().is_abstract && draft.scope().is_bound;
    let is_visible = draft.scope().is_visible && (holds(modifiers, "public") || is_inside_interface);
    if is_visible {
        let is_documented = is_documented(draft, node);
        draft.symbol(name.byte_range(), is_documented);
    }
    let members = if is_interface || is_abstract { Members::Abstract } else { Members::Free };
    draft.class(node, Some(name.byte_range()), is_visible, members);
    draft.now(|scope| {
        scope.is_test_class = is_test_class;
        // Only what has no body is bound to be filled in; what overrides says so.
        scope.is_bound = is_interface;
    });
}

fn method(draft: &mut Draft<'_>, node: Node<'_>) {
    let Some(name) = draft.field(node, Field::Name) else { return };
    let marks = annotations(node);
    let any = |is: fn(&str) -> bool| marks.iter().any(|mark| is(draft.slice(mark)));
    let by_class = draft.scope().is_test_class && draft.text_of(name).starts_with("test");
    let is_test = node.kind() == "method_declaration" && (any(is_jvm_test) || by_class);
    let test = is_test.then(|| Test {
        statements: body::count(draft.field(node, Field::Body)),
        // A test that returns something returns tests, or whether a property holds. The one that Spring's project template
        // writes is there to fail when the application does not start.
        fails_otherwise: any(fails_otherwise)
            || draft.field(node, Field::Type).is_some_and(|kind| draft.text_of(kind) != "void")
            || draft.text_of(name) == "contextLoads",
        ..Test::default()
    });
    let function = Function { test, ..described(draft, node, name, &marks) };
    draft.function(node, node, None, function);
    if is_test {
        skip_jvm(draft, marks);
    }
}

/// What a method is, apart from being a test.
fn described(draft: &Draft<'_>, node: Node<'_>, name: Node<'_>, marks: &[Span]) -> Function {
    let scope = draft.scope();
    let modifiers = modifiers(node).map_or("", |modifiers| draft.text_of(modifiers));
    let body = draft.field(node, Field::Body);
    let shape = body::shape(draft, draft.block(body), &FORMS);
    let is_bodiless = body.is_none() && node.kind() == "method_declaration";
    let is_abstract = (is_bodiless && !holds(modifiers, "native"))
        || (scope.is_abstract && matches!(shape, Body::Empty | Body::Stub))
        || (shape == Body::Stub && body.is_some_and(|body| symbols::asks_for_override(draft.text_of(body))));
    let overrides = marks.iter().any(|mark| draft.slice(mark).trim() == "@Override");
    let is_constructor = node.kind() != "method_declaration";
    let is_main = draft.text_of(name) == "main" && holds(modifiers, "static");
    let is_parameter = |one: &Node<'_>| !one.is_extra() && one.kind() != "receiver_parameter";
    Function {
        name: name.byte_range(),
        body: body.map(|body| body.byte_range()),
        shape,
        parameters: draft::count(draft.field(node, Field::Parameters), is_parameter),
        is_public: scope.is_visible && (holds(modifiers, "public") || (scope.is_bound && scope.is_abstract)),
        is_documented: is_documented(draft, node),
        is_bound: overrides || is_constructor || is_main || is_bodiless || is_abstract,
        is_abstract,
        ..Function::default()
    }
}

fn construction(draft: &mut Draft<'_>, node: Node<'_>) {
    if let (Some(kind), Some(arguments)) = (draft.field(node, Field::Type), draft.field(node, Field::Arguments)) {
        draft.call_of(calls::path(draft.fields, kind), arguments);
    }
}

fn call(draft: &mut Draft<'_>, node: Node<'_>) {
    let Some(name) = draft.field(node, Field::Name) else { return };
    let text = draft.text_of(name);
    let object = draft.field(node, Field::Object);
    // `Assert.that(..)`: the class says it. Any other object is a call or a value, and visited for itself.
    let class = object.filter(|object| object.kind() == "identifier").map_or("", |object| draft.text_of(object));
    let is_own = object.is_none_or(|object| matches!(object.kind(), "this" | "super"));
    let fields = draft.fields;
    let given = || arguments(fields, node);
    if is_assertion(text) || is_jvm_assertion(text) || is_assertion(class) {
        draft.assertion();
    } else if text == "assumeTrue" && given().next().is_some_and(|first| first.kind() == "false") {
        draft.skip(node.byte_range(), given().nth(1).is_some(), false);
    } else if is_own || given().any(|one| one.kind() == "this") {
        // A method of the same class, or of one above it, can fail the test just as well.
        draft.on_test(|test| test.hands_over = true);
    }
    draft.call(name.byte_range());
    if let Some(list) = draft.field(node, Field::Arguments) {
        let is_path = |object: &Node<'_>| calls::path(draft.fields, *object) == Some(object.byte_range());
        let start = object.filter(is_path).map_or(name.start_byte(), |object| object.start_byte());
        draft.call_of(Some(start..name.end_byte()), list);
    }
}

fn arguments<'t>(fields: &Fields, call: Node<'t>) -> impl Iterator<Item = Node<'t>> {
    let list = fields.child(call, Field::Arguments);
    let count = list.map_or(0, |list| list.named_child_count()).min(ARGUMENTS_MAX);
    (0..u32::try_from(count).unwrap_or(0)).filter_map(move |index| list?.named_child(index))
}
