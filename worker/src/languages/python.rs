//! Python, as an outline.

use std::sync::OnceLock;

use tree_sitter::Node;

use super::assertions::is_assertion;
use super::body::{self, Forms};
use super::calls;
use super::draft::{self, Draft, Members};
use super::symbols::{self, Candidate};
use super::walk::{Grammar, Role};
use crate::outline::{Body, Function, Import, Span, Test};
use crate::paths;

/// The grammar of Python.
pub(super) static PYTHON: Grammar =
    Grammar { language: || tree_sitter_python::LANGUAGE.into(), role, enter, loaded: OnceLock::new() };

/// Bodies that do next to nothing.
const FORMS: Forms = Forms {
    nothing: &["pass", "..."],
    success: &["True", "None", "0"],
    is_stub: |statement| statement.starts_with("raise NotImplemented") && symbols::is_unfinished(statement),
};

/// Base classes whose members are for others to fill in.
const ABSTRACT_BASES: &[&str] = &["ABC", "ABCMeta", "Interface", "Protocol"];

/// Decorators that leave a function's shape to its author.
const FREE_DECORATORS: &[&str] = &["cache", "cached_property", "classmethod", "lru_cache", "property", "staticmethod"];

/// Decorators of functions that others fill in.
const ABSTRACT_DECORATORS: &[&str] = &[
    "abstractclassmethod",
    "abstractmethod",
    "abstractproperty",
    "abstractstaticmethod",
    "overload",
    "singledispatch",
    "singledispatchmethod",
];

/// Most base classes that are looked at.
const BASES_MAX: usize = 8;

fn role(kind: &str) -> Role {
    match kind {
        "comment" => Role::Comment,
        "string" => Role::Text,
        "decorator" => Role::Mark,
        "function_definition" => Role::Function,
        "lambda" => Role::Closure,
        "class_definition" | "module" => Role::Container,
        "call" => Role::Call,
        "if_statement" => Role::Branch,
        "match_statement" => Role::Switch,
        "for_statement" | "while_statement" => Role::Loop,
        "boolean_operator" | "conditional_expression" | "elif_clause" | "if_clause" => Role::Decision,
        "try_statement" => Role::Guarded,
        "except_clause" => Role::Handler,
        "assert_statement" | "raise_statement" => Role::Assert,
        "import_from_statement" | "import_statement" => Role::Import,
        "dictionary" | "list" | "set" | "tuple" => Role::Table,
        _ => Role::Other,
    }
}

fn enter(draft: &mut Draft<'_>, node: Node<'_>, role: Role) {
    match role {
        Role::Function => function(draft, node),
        Role::Closure => draft.closure(node, None),
        Role::Container if node.kind() == "module" => draft.outline.docstrings.extend(body::docstring(node)),
        Role::Container => class(draft, node),
        Role::Call => call(draft, node),
        Role::Branch => draft.branch(node, None),
        Role::Switch => draft.switch(node),
        Role::Table => draft.table(node),
        Role::Loop => draft.looped(node),
        Role::Decision => draft.decision(),
        Role::Guarded => draft.guarded(node, node.child_by_field_name("body")),
        Role::Handler => handler(draft, node),
        Role::Assert => {
            if node.kind() == "assert_statement" {
                draft.outline.asserts.push(node.byte_range());
            }
            draft.assertion();
        }
        Role::Import => import(draft, node),
        _ => {}
    }
}

fn handler(draft: &mut Draft<'_>, node: Node<'_>) {
    let mut cursor = node.walk();
    let body = node.named_children(&mut cursor).find(|child| child.kind() == "block");
    let caught = node.child_by_field_name("value").map(|value| match value.kind() {
        "as_pattern" => value.named_child(0).unwrap_or(value).byte_range(),
        _ => value.byte_range(),
    });
    draft.handler(node, body, caught, &FORMS);
}

fn import(draft: &mut Draft<'_>, node: Node<'_>) {
    if let Some(module) = node.child_by_field_name("module_name") {
        draft.outline.imports.push(Import { span: node.byte_range(), module: module.byte_range() });
        return;
    }
    let mut cursor = node.walk();
    for name in node.children_by_field_name("name", &mut cursor) {
        let module = name.child_by_field_name("name").unwrap_or(name).byte_range();
        draft.outline.imports.push(Import { span: node.byte_range(), module });
    }
}

/// Whether runners take functions named `test…` in the file for tests, whatever is around them.
fn is_named_for_tests(path: &str) -> bool {
    let stem = paths::file_name(path).trim_end_matches(".py");
    stem.starts_with("test_") || stem.ends_with("_test") || stem.ends_with("_tests") || matches!(stem, "test" | "tests")
}

/// Whether test runners look into the file.
fn is_test_file(path: &str) -> bool {
    let name = paths::file_name(path);
    name.starts_with("test_")
        || name.ends_with("_test.py")
        || (paths::has_directory(path, &["test", "tests"]) && name != "conftest.py")
}

fn class(draft: &mut Draft<'_>, node: Node<'_>) {
    let superclasses = node.child_by_field_name("superclasses");
    let is_test_case = superclasses.is_some_and(|bases| is_test_base(draft.text_of(bases)));
    let marks = std::mem::take(&mut draft.marks);
    // A class in a test is what the test is about.
    if draft.scope().test.is_none() {
        skip_by(draft, marks);
    }
    let Some(name) = node.child_by_field_name("name") else { return };
    let text = draft.text_of(name);
    let members = match bases(draft, superclasses) {
        Members::Abstract => Members::Abstract,
        _ if symbols::reads_as_abstract(text) => Members::Abstract,
        members => members,
    };
    let docstring = node.child_by_field_name("body").and_then(body::docstring);
    let is_visible = draft.scope().is_visible && !text.starts_with('_');
    if is_visible {
        draft.symbol(name.byte_range(), docstring.is_some());
    }
    draft.outline.docstrings.extend(docstring);
    draft.class(node, Some(name.byte_range()), is_visible, members);
    draft.now(|scope| scope.is_test_class = is_test_case);
}

/// Whether `bases` are those of a class of tests, and not of what runs tests or collects what came of them.
fn is_test_base(bases: &str) -> bool {
    bases.contains("Test")
        && !["TestLoader", "TestResult", "TestRunner", "TestSuite"].iter().any(|one| bases.contains(one))
}

/// Notes the base classes in `list`, and says what they mean for the members.
fn bases(draft: &mut Draft<'_>, list: Option<Node<'_>>) -> Members {
    let Some(list) = list else { return Members::Free };
    let mut cursor = list.walk();
    let mut members = Members::Free;
    for base in list.named_children(&mut cursor).take(BASES_MAX) {
        let base = match base.kind() {
            "keyword_argument" => base.child_by_field_name("value"),
            "subscript" => base.child_by_field_name("value"),
            _ => Some(base),
        };
        let name = base.map_or("", |base| draft.text_of(calls::last_name(base)));
        draft.bases.insert(name);
        if ABSTRACT_BASES.contains(&name) {
            members = Members::Abstract;
        } else if !matches!(name, "Generic" | "object") && members == Members::Free {
            members = Members::Bound;
        }
    }
    members
}

fn function(draft: &mut Draft<'_>, node: Node<'_>) {
    let Some(name) = node.child_by_field_name("name") else { return };
    let marks = std::mem::take(&mut draft.marks);
    let text = draft.text_of(name);
    let is_named_test = text.starts_with("test_") || (draft.scope().is_test_class && text.starts_with("test"));
    let is_other = marks.iter().any(|mark| matches!(decorator(draft.slice(mark)).0, "fixture" | "property"));
    let is_inside_test = draft.scope().test.is_some();
    let is_taken = is_test_file(draft.path) && (draft.scope().is_test_class || is_named_for_tests(draft.path));
    let is_test = is_named_test && !is_other && draft.scope().function.is_none() && !is_inside_test && is_taken;
    let test = is_test.then(|| {
        let generated =
            |mark: &Span| matches!(decorator(draft.slice(mark)).0, "given" | "expectedFailure" | "xfail" | "XFAIL");
        Test { statements: statements(node), fails_otherwise: marks.iter().any(generated), ..Test::default() }
    });
    let function = Function { test, ..described(draft, node, name, &marks) };
    if let Some(class) = draft.scope().class.as_ref().filter(|_| function.shape == Body::Stub) {
        let class = draft.slice(class);
        draft.candidates.push(Candidate::Member { class, function: draft.outline.functions.len() });
    }
    draft.outline.docstrings.extend(node.child_by_field_name("body").and_then(body::docstring));
    draft.function(node, node, None, function);
    if !is_inside_test {
        skip_by(draft, marks);
    }
}

/// What a function is, apart from being a test.
fn described(draft: &Draft<'_>, node: Node<'_>, name: Node<'_>, marks: &[Span]) -> Function {
    let scope = draft.scope();
    let body = node.child_by_field_name("body");
    let shape = body::shape(draft, body, &FORMS);
    // What may be left out or must be named cannot be mixed up with another at the call.
    let mut is_by_name = false;
    let is_parameter = |one: &Node<'_>| {
        is_by_name |= matches!(one.kind(), "keyword_separator" | "list_splat_pattern");
        let is_by_place =
            !matches!(one.kind(), "default_parameter" | "positional_separator" | "typed_default_parameter");
        !one.is_extra() && is_by_place && !is_by_name
    };
    let has_mark = |names: &[&str]| marks.iter().any(|mark| names.contains(&decorator(draft.slice(mark)).0));
    let has_receiver = scope.class.is_some() && !has_mark(&["staticmethod"]);
    let parameters = draft::count(node.child_by_field_name("parameters"), is_parameter);
    let is_stub_file = draft.path.ends_with(".pyi");
    let promises = |body: Node<'_>| shape == Body::Stub && symbols::asks_for_override(draft.text_of(body));
    let is_abstract = has_mark(ABSTRACT_DECORATORS)
        || is_stub_file
        || (scope.is_abstract && matches!(shape, Body::Empty | Body::Stub))
        || (scope.class.is_some() && body.is_some_and(promises));
    let is_free = |mark: &Span| FREE_DECORATORS.contains(&decorator(draft.slice(mark)).0);
    Function {
        name: name.byte_range(),
        body: body.map(|body| body.byte_range()),
        shape,
        parameters: parameters.saturating_sub(u32::from(has_receiver)),
        is_public: scope.is_visible && !draft.text_of(name).starts_with('_'),
        is_documented: body.and_then(body::docstring).is_some(),
        is_bound: scope.is_bound || is_abstract || !marks.iter().all(is_free),
        is_abstract,
        is_overridable: scope.class.is_some(),
        ..Function::default()
    }
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
        "skip" | "SKIP" => false,
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
        has_reason: has_text(arguments)
            || arguments.contains("reason=")
            || (name == "skip" && !arguments.trim_start_matches(')').is_empty()),
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
        _ if is_assertion(text) || text.starts_with("raises_") || text.starts_with("warns_") => draft.assertion(),
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
    if let Some(arguments) = arguments {
        draft.call_of(calls::path(callee), arguments);
    }
}
