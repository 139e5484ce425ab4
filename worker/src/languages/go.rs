//! Go, as an outline.

use std::sync::OnceLock;

use tree_sitter::Node;

use super::assertions::is_assertion;
use super::body::{self, Forms};
use super::calls;
use super::draft::{Draft, Members};
use super::fields::{Field, Fields};
use super::walk::{Grammar, Role};
use crate::outline::{Body, Function, Import, Span, Test};
use crate::paths;

/// The grammar of Go.
pub(super) static GO: Grammar =
    Grammar { language: || tree_sitter_go::LANGUAGE.into(), role, enter, loaded: OnceLock::new() };

/// Ginkgo's blocks; in front of them `F` focuses, `P` and `X` switch off.
const GINKGO_BLOCKS: &[&str] = &["Context", "Describe", "DescribeTable", "Entry", "It", "Specify", "When"];

/// Bodies that do next to nothing.
const FORMS: Forms = Forms {
    nothing: &[],
    success: &["true", "nil", "0", "true, nil", "nil, nil"],
    is_stub: |statement| statement.starts_with("panic(") && body::says_unfinished(statement),
};

/// Systems and processors after which files are named.
const PLATFORMS: &[&str] = &[
    "386",
    "aix",
    "amd64",
    "android",
    "arm",
    "arm64",
    "darwin",
    "dragonfly",
    "freebsd",
    "illumos",
    "ios",
    "js",
    "linux",
    "loong64",
    "mips",
    "mips64",
    "mips64le",
    "mipsle",
    "netbsd",
    "openbsd",
    "plan9",
    "ppc64",
    "ppc64le",
    "riscv64",
    "s390x",
    "solaris",
    "wasip1",
    "wasm",
    "windows",
];

/// Longest left side of an assignment to nothing: `_, _, _`.
const BLANKS_BYTES_MAX: usize = 20;

/// Most comments above the package that are searched for a build constraint; a licence of line comments has some dozen.
const CONSTRAINT_COMMENTS_MAX: usize = 64;

fn role(kind: &str) -> Role {
    match kind {
        "comment" => Role::Comment,
        "interpreted_string_literal" | "raw_string_literal" | "rune_literal" => Role::Text,
        "function_declaration" | "method_declaration" | "method_elem" => Role::Function,
        "func_literal" => Role::Closure,
        "call_expression" => Role::Call,
        "import_spec" => Role::Import,
        "if_statement" => Role::Branch,
        "expression_switch_statement" | "select_statement" | "type_switch_statement" => Role::Switch,
        "for_statement" => Role::Loop,
        "binary_expression" => Role::Operator,
        "assignment_statement" => Role::Statement,
        "const_declaration" | "type_declaration" | "var_declaration" => Role::Declaration,
        "interface_type" | "package_clause" => Role::Container,
        "composite_literal" => Role::Table,
        _ => Role::Other,
    }
}

fn enter(draft: &mut Draft<'_>, node: Node<'_>, role: Role) {
    match role {
        Role::Function => function(draft, node),
        Role::Closure => {
            let handle = handle(draft, node).map(|(name, _)| name);
            draft.closure(node, handle);
        }
        Role::Call => call(draft, node),
        Role::Import => import(draft, node),
        Role::Branch => branch(draft, node),
        Role::Switch => draft.switch(node),
        Role::Table => draft.table(node),
        Role::Loop => draft.looped(node),
        Role::Operator => draft.operator(node),
        Role::Statement => assignment(draft, node),
        Role::Declaration => declaration(draft, node),
        Role::Container if node.kind() == "package_clause" => {
            // A file that is built on a condition has twins, which share its signatures.
            let is_constraint = |span: &Span| draft.slice(span).starts_with("//go:build");
            let has_twins = draft.outline.comments.iter().take(CONSTRAINT_COMMENTS_MAX).any(is_constraint);
            let has_twin = has_twins || is_for_platform(draft.path);
            draft.now(|scope| scope.has_twin = has_twin);
        }
        Role::Container => draft.class(node, None, false, Members::Abstract),
        _ => {}
    }
}

/// Whether the name of the file says that it is built for one platform only: `a_linux.go`, `a_arm64.go`.
fn is_for_platform(path: &str) -> bool {
    let stem = paths::file_name(path).trim_end_matches(".go").trim_end_matches("_test");
    stem.rsplit_once('_').is_some_and(|(_, last)| PLATFORMS.contains(&last))
}

fn import(draft: &mut Draft<'_>, node: Node<'_>) {
    let Some(path) = draft.field(node, Field::Path) else { return };
    draft.has_blocks |= draft.text_of(path).contains("onsi/ginkgo");
    let module = calls::without_quotes(path);
    // What takes a `*testing.T` helps tests, wherever it stands.
    if draft.text_of(path) == "\"testing\"" && !draft.path.ends_with("_test.go") {
        draft.test_code(0..draft.text.len());
    }
    draft.outline.imports.push(Import { span: node.byte_range(), module });
}

fn branch(draft: &mut Draft<'_>, node: Node<'_>) {
    let otherwise = draft.field(node, Field::Alternative);
    let is_error = draft.field(node, Field::Condition).is_some_and(|condition| is_error(draft, condition));
    let is_cleanup = draft.field(node, Field::Initializer).is_some_and(|first| calls::is_cleanup(draft, first));
    draft.branch(node, otherwise);
    if is_error && otherwise.is_none() {
        draft.note_handler(node, draft.block(draft.field(node, Field::Consequence)), None, is_cleanup, &FORMS);
    }
}

/// Whether `condition` is `err != nil`, under whatever name with `err` in it.
fn is_error(draft: &Draft<'_>, condition: Node<'_>) -> bool {
    let operand = |field: Field| draft.field(condition, field);
    let is_nil = operand(Field::Right).is_some_and(|right| right.kind() == "nil");
    let is_unequal = operand(Field::Operator).is_some_and(|operator| operator.kind() == "!=");
    let left = operand(Field::Left).filter(|left| matches!(left.kind(), "identifier" | "selector_expression"));
    let name = left.map_or("", |left| draft.text_of(calls::last_name(draft.fields, left)));
    is_nil && is_unequal && name.to_ascii_lowercase().contains("err")
}

/// Notes `_ = f()`.
fn assignment(draft: &mut Draft<'_>, node: Node<'_>) {
    let is_blank = |left: Node<'_>| {
        left.end_byte() - left.start_byte() <= BLANKS_BYTES_MAX
            && draft.text_of(left).chars().all(|c| matches!(c, '_' | ',' | ' '))
    };
    let left = draft.field(node, Field::Left).filter(|left| is_blank(*left));
    let right = left.and_then(|_| draft.field(node, Field::Right)).and_then(|right| right.named_child(0));
    if let Some(call) = right.filter(|right| right.kind() == "call_expression") {
        draft.discard(node, call, false);
    }
}

/// Notes the types of a declaration, and its constant or variable if it is the only one: groups are documented as one.
fn declaration(draft: &mut Draft<'_>, node: Node<'_>) {
    if draft.scope().function.is_some() || !draft.scope().is_visible {
        return;
    }
    let is_documented = draft.comment_above(node.start_byte(), 1).is_some();
    let is_group = node.child(1).is_some_and(|second| second.kind() == "(");
    if is_group && node.kind() != "type_declaration" {
        return;
    }
    let mut cursor = node.walk();
    // Comments in a group are not known yet; the walk comes to them later. So a group of types counts as documented.
    for spec in node.named_children(&mut cursor) {
        if let Some(name) = draft.field(spec, Field::Name).filter(|name| is_exported(draft.text_of(*name))) {
            draft.symbol(name.byte_range(), is_documented || is_group);
        }
    }
}

fn is_exported(name: &str) -> bool {
    name.starts_with(char::is_uppercase)
}

/// The parameter by which a function reaches the test framework, and its type, e.g. `t` and `T`.
fn handle<'t>(draft: &Draft<'t>, function: Node<'_>) -> Option<(Span, &'t str)> {
    let parameters = draft.field(function, Field::Parameters)?;
    let mut cursor = parameters.walk();
    parameters.named_children(&mut cursor).take(8).find_map(|parameter| {
        let kind = draft.text_of(draft.field(parameter, Field::Type)?).trim_start_matches('*');
        let kind = kind.strip_prefix("testing.")?;
        Some((draft.field(parameter, Field::Name)?.byte_range(), kind))
    })
}

fn function(draft: &mut Draft<'_>, node: Node<'_>) {
    let Some(name) = draft.field(node, Field::Name) else { return };
    let found = handle(draft, node);
    let is_named = |prefix: &str| {
        draft.text_of(name).strip_prefix(prefix).is_some_and(|rest| !rest.starts_with(char::is_lowercase))
    };
    // The tool never looks into `testdata`: what is there is input of other tests.
    let in_tests = draft.path.ends_with("_test.go")
        && node.kind() == "function_declaration"
        && !paths::has_directory(draft.path, &["testdata"]);
    let test = match &found {
        Some((_, "T")) if in_tests && is_named("Test") => Some(false),
        // A fuzz target fails on a panic too: its inputs are made up to cause one.
        Some((_, "F")) if in_tests && is_named("Fuzz") => Some(true),
        _ => None,
    };
    let test = test.map(|fails_otherwise| Test {
        statements: statements(draft.fields, node),
        fails_otherwise,
        ..Test::default()
    });
    let handle = found.map(|(name, _)| name);
    let function = Function { test, ..described(draft, node, name) };
    draft.function(node, node, handle, function);
}

/// What a function is, apart from being a test.
fn described(draft: &Draft<'_>, node: Node<'_>, name: Node<'_>) -> Function {
    let scope = draft.scope();
    let body = draft.field(node, Field::Body);
    let shape = body::shape(draft, draft.block(body), &FORMS);
    let receiver = draft.field(node, Field::Receiver).and_then(|list| list.named_child(0));
    let kind = receiver.and_then(|receiver| draft.field(receiver, Field::Type));
    let kind = kind.map(|kind| draft.text_of(kind).trim_start_matches('*'));
    // Nobody leaves the receiver without a name, or a method empty, but to satisfy an interface.
    let is_nameless = |receiver: Node<'_>| draft.field(receiver, Field::Name).is_none();
    let is_for_interface = receiver.is_some_and(|receiver| shape == Body::Empty || is_nameless(receiver));
    Function {
        name: name.byte_range(),
        body: body.map(|body| body.byte_range()),
        shape,
        parameters: parameters(draft.fields, node),
        is_public: scope.is_visible && is_exported(draft.text_of(name)) && kind.is_none_or(is_exported),
        is_documented: draft.comment_above(node.start_byte(), 1).is_some(),
        is_bound: scope.is_bound || scope.has_twin || is_for_interface,
        is_abstract: scope.is_abstract || (scope.has_twin && matches!(shape, Body::Empty | Body::Stub)),
        ..Function::default()
    }
}

/// Parameters; one declaration may name several.
fn parameters(fields: &Fields, function: Node<'_>) -> u32 {
    let Some(list) = fields.child(function, Field::Parameters) else { return 0 };
    let mut cursor = list.walk();
    let names = |one: Node<'_>| fields.children(one, Field::Name).len().max(1);
    let count = list.named_children(&mut cursor).filter(|one| !one.is_extra()).map(names).sum::<usize>();
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn statements(fields: &Fields, function: Node<'_>) -> usize {
    let Some(body) = fields.child(function, Field::Body) else { return 0 };
    // Comments in front of the first statement are children of the body itself.
    let mut cursor = body.walk();
    let Some(list) = body.named_children(&mut cursor).find(|child| child.kind() == "statement_list") else { return 0 };
    let mut cursor = list.walk();
    list.named_children(&mut cursor).filter(|child| !child.is_extra()).count()
}

fn call(draft: &mut Draft<'_>, node: Node<'_>) {
    let Some(callee) = draft.field(node, Field::Function) else { return };
    let object = draft.field(callee, Field::Operand).map(|operand| draft.text_of(operand));
    let name = draft.field(callee, Field::Member).unwrap_or(callee);
    let text = draft.text_of(name);
    let by_handle = object.is_some() && object == draft.handle();
    let is_diff = object == Some("cmp") && text == "Diff";
    match text {
        "Skip" | "Skipf" | "SkipNow" if by_handle && draft.path.ends_with("_test.go") => {
            let has_reason = draft.field(node, Field::Arguments).is_some_and(|list| list.named_child_count() > 0);
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
    if let Some(arguments) = draft.field(node, Field::Arguments) {
        draft.call_of(calls::path(draft.fields, callee), arguments);
    }
}

/// Whether the handle is an argument, or `Run` gets a named function instead of a literal.
fn hands_over(draft: &Draft<'_>, call: Node<'_>) -> bool {
    let (Some(handle), Some(arguments)) = (draft.handle(), draft.field(call, Field::Arguments)) else { return false };
    let mut cursor = arguments.walk();
    let mut named = arguments.named_children(&mut cursor).take(8);
    let callee = draft.field(call, Field::Function).map_or("", |callee| draft.text_of(callee));
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
    let first = draft.field(node, Field::Arguments).and_then(|list| list.named_child(0));
    if !first.is_some_and(|first| first.kind().ends_with("string_literal")) {
        return;
    }
    let Some(callee) = draft.field(node, Field::Function) else { return };
    if is_block('F') {
        draft.outline.focuses.push(callee.byte_range());
    } else {
        draft.skip(callee.byte_range(), false, false);
    }
}
