//! Calls in Python: what is called, with what, and what that means to a test.

use ruff_python_ast::{Arguments, Expr, ExprCall, UnaryOp};
use ruff_text_size::{Ranged, TextRange};

use super::super::assertions::is_assertion;
use super::super::calls::{LITERAL_DEPTH_MAX, PATH_MAX};
use super::super::draft::{Draft, Place};
use super::decorators;
use crate::outline::Span;

/// Most arguments that are looked at for the test itself among them.
const ARGUMENTS_MAX: usize = 8;

/// Reads a call.
pub(super) fn call(draft: &mut Draft<'_>, node: &ExprCall) {
    let (name, object) = match &*node.func {
        Expr::Attribute(one) => (one.attr.range().place(), Some(draft.text_of(one.value.range()))),
        other => (other.range().place(), None),
    };
    let text = draft.slice(&name);
    match (object, text) {
        (_, "raises" | "warns") | (Some("pytest"), "fail" | "deprecated_call") => draft.assertion(),
        (Some("pytest"), "skip" | "xfail") | (Some("self"), "skipTest") if decorators::is_test_file(draft.path) => {
            draft.skip(node.range().place(), !node.arguments.is_empty(), false);
        }
        _ if is_assertion(text) || text.starts_with("raises_") || text.starts_with("warns_") => draft.assertion(),
        // A method of the same class can fail the test just as well.
        (Some("self"), _) => draft.on_test(|test| test.hands_over = true),
        _ => {}
    }
    let is_self = |argument: &Expr| argument.as_name_expr().is_some_and(|name| name.id == "self");
    if draft.scope().test.is_some() && node.arguments.args.iter().take(ARGUMENTS_MAX).any(is_self) {
        draft.on_test(|test| test.hands_over = true);
    }
    draft.call(name);
    draft.note_call(path(node), node.arguments.range.place(), are_literals(&node.arguments));
}

/// The last name of `callee`: `d` of `a.b(c).d`.
pub(super) fn last_name(callee: &Expr) -> Option<TextRange> {
    match callee {
        Expr::Attribute(one) => Some(one.attr.range()),
        Expr::Name(one) => Some(one.range),
        _ => None,
    }
}

/// All of what `call` calls if it is a plain path of names, else its last name, if it has one.
fn path(call: &ExprCall) -> Option<Span> {
    let callee = &*call.func;
    let (mut rest, mut start) = (callee, call.range_start);
    for link in 0..PATH_MAX {
        if rest.start() != start {
            // It stands in brackets.
            return if link == 0 { None } else { last_name(callee).map(|name| name.place()) };
        }
        start = rest.start();
        rest = match rest {
            Expr::Attribute(one) => &one.value,
            Expr::Subscript(one) => &one.value,
            Expr::Name(_) => return Some(callee.range().place()),
            _ => break,
        };
    }
    last_name(callee).map(|name| name.place())
}

/// The last name of what `value` calls, awaited or not, if it does nothing else.
pub(super) fn only_callee(value: &Expr) -> Option<Span> {
    let mut rest = value;
    for _wrapper in 0..PATH_MAX {
        match rest {
            Expr::Await(wrapper) => rest = &wrapper.value,
            Expr::Call(call) => return last_name(&call.func).map(|name| name.place()),
            _ => return None,
        }
    }
    None
}

/// Whether every one of `arguments` is a literal.
fn are_literals(arguments: &Arguments) -> bool {
    let are_named =
        arguments.keywords.iter().all(|one| one.arg.is_some() && is_literal(&one.value, LITERAL_DEPTH_MAX - 1));
    are_named && arguments.args.iter().all(|argument| is_literal(argument, LITERAL_DEPTH_MAX))
}

/// Whether `value` is a literal, or a collection of them that is not too deep.
fn is_literal(value: &Expr, depth: usize) -> bool {
    let Some(inner) = depth.checked_sub(1) else { return is_plain_literal(value) };
    let are_literals = |values: &[Expr]| values.iter().all(|value| is_literal(value, inner));
    match value {
        Expr::List(list) => are_literals(&list.elts),
        Expr::Set(set) => are_literals(&set.elts),
        Expr::Tuple(tuple) => tuple.parenthesized && are_literals(&tuple.elts),
        Expr::Dict(dictionary) => {
            let is_pair = |key: &Option<Expr>, value| key.is_some() && inner > 0 && is_literal(value, inner - 1);
            dictionary.items.iter().all(|item| is_pair(&item.key, &item.value))
        }
        Expr::UnaryOp(unary) => unary.op != UnaryOp::Not && is_literal(&unary.operand, inner),
        _ => is_plain_literal(value),
    }
}

fn is_plain_literal(value: &Expr) -> bool {
    match value {
        Expr::FString(text) => text.value.elements().all(|part| part.is_literal()),
        Expr::TString(text) => text.value.elements().all(|part| part.is_literal()),
        _ => value.is_literal_expr(),
    }
}
