//! Classes of Python.

use ruff_python_ast::visitor::source_order::SourceOrderVisitor;
use ruff_python_ast::{ArgOrKeyword, Arguments, Expr, StmtClassDef};
use ruff_text_size::Ranged;

use super::super::draft::{Draft, Members, Place};
use super::super::symbols;
use super::{blocks, calls, decorators};

/// Base classes whose members are for others to fill in.
const ABSTRACT_BASES: &[&str] = &["ABC", "ABCMeta", "Interface", "Protocol"];

/// Most base classes that are looked at.
const BASES_MAX: usize = 8;

/// Reads a class and what is in it.
pub(super) fn visit(draft: &mut Draft<'_>, node: &StmtClassDef) {
    for decorator in &node.decorator_list {
        draft.visit_decorator(decorator);
    }
    enter(draft, node);
    if let Some(parameters) = &node.type_params {
        draft.visit_type_params(parameters);
    }
    if let Some(bases) = &node.arguments {
        draft.visit_arguments(bases);
    }
    draft.visit_body(&node.body);
}

fn enter(draft: &mut Draft<'_>, node: &StmtClassDef) {
    if node.name.is_empty() {
        return;
    }
    let start = blocks::start(draft, node.range, &node.decorator_list, "class", node.name.range);
    draft.close_before(start);
    let is_test_case = node.arguments.as_ref().is_some_and(|bases| is_test_base(draft.text_of(bases.range)));
    // A class in a test is what the test is about.
    if draft.scope().test.is_none() {
        decorators::skip_by(draft, &node.decorator_list);
    }
    let name = node.name.range.place();
    let text = draft.slice(&name);
    let members = match bases(draft, node.arguments.as_deref()) {
        Members::Abstract => Members::Abstract,
        _ if symbols::reads_as_abstract(text) => Members::Abstract,
        members => members,
    };
    let docstring = blocks::docstring(&node.body);
    let is_visible = draft.scope().is_visible && !text.starts_with('_');
    if is_visible {
        draft.symbol(name.clone(), docstring.is_some());
    }
    draft.outline.docstrings.extend(docstring);
    draft.class(node.range, Some(name), is_visible, members);
    draft.now(|scope| scope.is_test_class = is_test_case);
}

/// Whether `bases` are those of a class of tests, and not of what runs tests or collects what came of them.
fn is_test_base(bases: &str) -> bool {
    bases.contains("Test")
        && !["TestLoader", "TestResult", "TestRunner", "TestSuite"].iter().any(|one| bases.contains(one))
}

/// Notes the base classes in `list`, and says what they mean for the members.
fn bases(draft: &mut Draft<'_>, list: Option<&Arguments>) -> Members {
    let mut members = Members::Free;
    for base in list.into_iter().flat_map(Arguments::iter_source_order).take(BASES_MAX) {
        let base = match base {
            ArgOrKeyword::Keyword(keyword) => &keyword.value,
            ArgOrKeyword::Arg(Expr::Subscript(generic)) => &generic.value,
            ArgOrKeyword::Arg(base) => base,
        };
        let name = draft.text_of(calls::last_name(base).unwrap_or_else(|| base.range()));
        draft.bases.insert(name);
        if ABSTRACT_BASES.contains(&name) {
            members = Members::Abstract;
        } else if !matches!(name, "Generic" | "object") && members == Members::Free {
            members = Members::Bound;
        }
    }
    members
}
