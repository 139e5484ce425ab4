//! Functions of Python, tests among them.

use ruff_python_ast::visitor::source_order::SourceOrderVisitor;
use ruff_python_ast::{Decorator, Parameters, Stmt, StmtFunctionDef};

use super::super::body;
use super::super::draft::{Draft, Place};
use super::super::symbols::{self, Candidate};
use super::blocks::{self, FORMS};
use super::decorators;
use crate::outline::{Body, Function, Test};

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

/// Reads a function and what is in it; its decorators stand around it.
pub(super) fn visit(draft: &mut Draft<'_>, node: &StmtFunctionDef) {
    for decorator in &node.decorator_list {
        draft.visit_decorator(decorator);
    }
    enter(draft, node);
    if let Some(parameters) = &node.type_params {
        draft.visit_type_params(parameters);
    }
    draft.visit_parameters(&node.parameters);
    if let Some(returns) = &node.returns {
        draft.visit_annotation(returns);
    }
    draft.visit_body(&node.body);
}

fn enter(draft: &mut Draft<'_>, node: &StmtFunctionDef) {
    if node.name.is_empty() {
        return;
    }
    let keyword = if node.is_async { "async" } else { "def" };
    let start = blocks::start(draft, node.range, &node.decorator_list, keyword, node.name.range);
    draft.close_before(start);
    let is_inside_test = draft.scope().test.is_some();
    let test = is_test(draft, node).then(|| {
        let generated = |mark| matches!(decorators::name(draft, mark), "given" | "expectedFailure" | "xfail" | "XFAIL");
        let fails_otherwise = node.decorator_list.iter().any(generated);
        let statements = node.body.iter().filter(|statement| does_something(statement)).count();
        Test { statements, fails_otherwise, ..Test::default() }
    });
    let function = Function { test, ..described(draft, node) };
    if let Some(class) = draft.scope().class.as_ref().filter(|_| function.shape == Body::Stub) {
        let class = draft.slice(class);
        draft.candidates.push(Candidate::Member { class, function: draft.outline.functions.len() });
    }
    draft.outline.docstrings.extend(blocks::docstring(&node.body));
    let end = function.body.as_ref().map_or_else(|| node.range.place().end, |body| body.end);
    draft.function(start..end, start..end, None, function);
    if !is_inside_test {
        decorators::skip_by(draft, &node.decorator_list);
    }
}

fn is_test(draft: &Draft<'_>, node: &StmtFunctionDef) -> bool {
    let scope = draft.scope();
    let name = node.name.as_str();
    let is_other = |mark: &Decorator| matches!(decorators::name(draft, mark), "fixture" | "property");
    (name.starts_with("test_") || (scope.is_test_class && name.starts_with("test")))
        && scope.function.is_none()
        && scope.test.is_none()
        && decorators::is_test_file(draft.path)
        && (scope.is_test_class || decorators::is_named_for_tests(draft.path))
        && !node.decorator_list.iter().any(is_other)
}

/// Whether `statement` is neither documentation nor `pass` nor `...`.
fn does_something(statement: &Stmt) -> bool {
    let is_ellipsis = || statement.as_expr_stmt().is_some_and(|one| one.value.is_ellipsis_literal_expr());
    !statement.is_pass_stmt() && blocks::lone_string(statement).is_none() && !is_ellipsis()
}

/// What a function is, apart from being a test.
fn described(draft: &Draft<'_>, node: &StmtFunctionDef) -> Function {
    let scope = draft.scope();
    let body = blocks::block(draft, &node.body);
    let span = body.as_ref().map(|body| body.span.clone());
    let shape = body::shape(draft, body, &FORMS);
    let marks = &node.decorator_list;
    let has_mark = |names: &[&str]| marks.iter().any(|mark| names.contains(&decorators::name(draft, mark)));
    let has_receiver = scope.class.is_some() && !has_mark(&["staticmethod"]);
    let is_stub_file = draft.path.ends_with(".pyi");
    let asks = |body| shape == Body::Stub && symbols::asks_for_override(draft.slice(body));
    let is_abstract = has_mark(ABSTRACT_DECORATORS)
        || is_stub_file
        || (scope.is_abstract && matches!(shape, Body::Empty | Body::Stub))
        || (scope.class.is_some() && span.as_ref().is_some_and(asks));
    let is_free = |mark| FREE_DECORATORS.contains(&decorators::name(draft, mark));
    Function {
        name: node.name.range.place(),
        body: span,
        shape,
        parameters: parameters(&node.parameters).saturating_sub(u32::from(has_receiver)),
        is_public: scope.is_visible && !node.name.starts_with('_'),
        is_documented: blocks::docstring(&node.body).is_some(),
        is_bound: scope.is_bound || is_abstract || !marks.iter().all(is_free),
        is_abstract,
        is_overridable: scope.class.is_some(),
        ..Function::default()
    }
}

/// How many of `parameters` can be mixed up with another at the call: not what may be left out or must be named.
fn parameters(parameters: &Parameters) -> u32 {
    let by_place = parameters.posonlyargs.iter().chain(&parameters.args).filter(|one| one.default.is_none()).count();
    let are_named_behind = parameters.vararg.is_some() || !parameters.kwonlyargs.is_empty();
    let rest = usize::from(parameters.kwarg.is_some() && !are_named_behind);
    u32::try_from(by_place + rest).unwrap_or(u32::MAX)
}
